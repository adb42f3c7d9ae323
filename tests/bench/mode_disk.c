/*
 * What the disk can do alone: writes of one size into a preallocated file, each synced (fdatasync),
 * as a journal does it. --bytes is their size here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench/modes.h"

#define FILE_BYTES (64u * 1024 * 1024)

static void prepare(int fd)
{
	char *zeros = calloc(1, FILE_BYTES);

	if (!zeros || posix_fallocate(fd, 0, FILE_BYTES) != 0 || fsync(fd) != 0)
		bench_die("disk: cannot allocate: %s", strerror(errno));
	free(zeros);
}

void mode_disk(struct bench *bench)
{
	const size_t bytes = bench->options.numbers.bytes;
	char path[BENCH_PATH + 8];
	char *block = malloc(bytes);

	snprintf(path, sizeof(path), "%s/disk", bench->place);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || !block)
		bench_die("%s: %s", path, strerror(errno));
	memset(block, 'x', bytes);
	prepare(fd);
	const int64_t began_ns = bench_now_ns();
	const int64_t until_ns = began_ns + (int64_t)bench->options.numbers.seconds * NS_PER_S;
	for (off_t at = 0; bench_now_ns() < until_ns; at += (off_t)bytes) {
		const int64_t from_ns = bench_now_ns();

		if (at + (off_t)bytes > (off_t)FILE_BYTES)
			at = 0;
		if (pwrite(fd, block, bytes, at) != (ssize_t)bytes || fdatasync(fd) != 0)
			bench_die("disk: %s", strerror(errno));
		samples_add(&bench->to_accepted, bench_now_ns() - from_ns);
	}
	const double took_s = (double)(bench_now_ns() - began_ns) / 1e9;
	const double rate = (double)bench->to_accepted.n / took_s;
	printf("{\"broker\":\"disk\",\"mode\":\"disk\",\"bytes\":%zu,\"syncs_per_s\":%.0f,"
	       "\"mb_per_s\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f}\n",
	       bytes, rate, rate * (double)bytes / 1e6, samples_part_us(&bench->to_accepted, 0.5),
	       samples_part_us(&bench->to_accepted, 0.99));
	close(fd);
	free(block);
	samples_fini(&bench->to_accepted);
}
