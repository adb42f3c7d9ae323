/*
 * The world around a measurement: clock, files, ports, the end of everything. Owner: the program's
 * only thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "bench/bench.h"
#include "support/wait.h"

#define LISTEN_MS 60000
#define REMOVE_DESCRIPTORS 16

int64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
	asked_to_end = number;
}

void bench_catch_signals(void)
{
	const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction action = { .sa_handler = on_signal };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void bench_check_signal(void)
{
	if (asked_to_end)
		bench_die("ended by signal %d", (int)asked_to_end);
}

void bench_die(const char *format, ...)
{
	va_list arguments;

	fputs("ttg-bench: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static void make_folders(const char *path)
{
	char folder[BENCH_PATH * 2];

	for (const char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(at - path), path);
		if (mkdir(folder, 0700) != 0 && errno != EEXIST)
			bench_die("%s: %s", folder, strerror(errno));
	}
}

void bench_write(const struct bench *bench, const char *name, const char *format, ...)
{
	char path[BENCH_PATH * 2];
	va_list arguments;

	snprintf(path, sizeof(path), "%s/%s", bench->place, name);
	make_folders(path);
	FILE *file = fopen(path, "we");
	if (!file)
		bench_die("%s: %s", path, strerror(errno));
	va_start(arguments, format);
	int written = vfprintf(file, format, arguments);
	va_end(arguments);
	if (written < 0 || fclose(file) != 0)
		bench_die("%s: cannot be written", path);
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

int bench_free_port(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		bench_die("no free port: %s", strerror(errno));
	close(fd);
	return ntohs(address.sin_port);
}

void bench_wait_port(struct bench *bench, int port)
{
	const struct sockaddr_in address = loopback(port);
	const int64_t deadline_ms = wait_now_ms() + LISTEN_MS;
	bool there = false;

	while (!there) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		there = fd >= 0 &&
			connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
		if (fd >= 0)
			close(fd);
		broker_check(&bench->broker, bench->place);
		if (!there && !wait_step(deadline_ms))
			bench_die("%s does not listen", bench->driver->name);
	}
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *ftw)
{
	(void)about;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void bench_remove(const char *path)
{
	nftw(path, remove_entry, REMOVE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}
