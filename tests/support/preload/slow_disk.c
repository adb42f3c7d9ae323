/*
 * A slow disk: put before a program with LD_PRELOAD, each sync takes TTG_SLOW_MS milliseconds (135)
 * longer, a thousand times what a fast disk needs. Any thread; the first call looks up what it stands
 * before, and so may any other at the same time.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define SLOW_MS 135

static void be_slow(void)
{
	const char *text = getenv("TTG_SLOW_MS");

	poll(NULL, 0, text ? atoi(text) : SLOW_MS);
}

int fdatasync(int fd)
{
	int (*real)(int) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	be_slow();
	return real(fd);
}

int fsync(int fd)
{
	int (*real)(int) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "fsync");
	be_slow();
	return real(fd);
}

int sync_file_range(int fd, off64_t offset, off64_t bytes, unsigned int flags)
{
	int (*real)(int, off64_t, off64_t, unsigned int) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "sync_file_range");
	be_slow();
	return real(fd, offset, bytes, flags);
}
