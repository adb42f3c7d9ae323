/*
 * Processes, and /proc. Owner: the program's only thread. A broker does not outlive the program: the
 * kernel kills it (PR_SET_PDEATHSIG). What a broker starts itself must end with it.
 */
#include "bench/broker.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench/bench.h"
#include "support/wait.h"

#define END_MS 60000
#define LOG_NAME "broker.log"
#define LOG_TAIL_BYTES 4096L
#define FAMILY 64 /* processes of a broker */

static void become(const char *folder, const char *const *arguments)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir(folder) != 0)
		_exit(126);
	int log = open(LOG_NAME, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
		_exit(126);
	execvp(arguments[0], (char *const *)(uintptr_t)arguments);
	dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
	_exit(127);
}

void broker_start(struct broker *broker, const char *folder, const char *const *arguments)
{
	fflush(NULL);
	broker->pid = fork();
	if (broker->pid < 0)
		bench_die("fork: %s", strerror(errno));
	if (broker->pid == 0)
		become(folder, arguments);
}

void broker_end(struct broker *broker, int number)
{
	const int64_t deadline_ms = wait_now_ms() + END_MS;
	int status;

	if (broker->pid == 0)
		return;
	kill(broker->pid, number);
	while (waitpid(broker->pid, &status, WNOHANG) == 0) {
		if (!wait_step(deadline_ms))
			bench_die("the broker does not end");
	}
	broker->pid = 0;
}

/* The end of it. */
static void print_log(const char *folder)
{
	char path[BENCH_PATH + 16], line[512];

	snprintf(path, sizeof(path), "%s/" LOG_NAME, folder);
	FILE *file = fopen(path, "re");
	if (file && fseek(file, -LOG_TAIL_BYTES, SEEK_END) != 0)
		rewind(file);
	while (file && fgets(line, sizeof(line), file))
		fputs(line, stderr);
	if (file)
		fclose(file);
}

void broker_check(struct broker *broker, const char *folder)
{
	int status;

	bench_check_signal();
	if (broker->pid == 0 || waitpid(broker->pid, &status, WNOHANG) == 0)
		return;
	broker->pid = 0;
	print_log(folder);
	bench_die("the broker ended by itself");
}

/* First number behind `label` in /proc/PID/NAME; 0 when there is none. */
static uint64_t read_number(pid_t pid, const char *name, const char *label)
{
	char path[64], line[256];
	uint64_t value = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, label, strlen(label)) == 0)
			value = strtoull(line + strlen(label), NULL, 10);
	if (file)
		fclose(file);
	return value;
}

struct process {
	pid_t parent;
	double cpu_s;
};

/* Fields 4, 14 and 15 of /proc/PID/stat (proc(5)); names may hold spaces. */
static struct process read_process(pid_t pid)
{
	char path[64], line[1024] = "";
	unsigned long user = 0, system = 0;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	const char *after = strrchr(line, ')');
	if (!after || sscanf(after + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &parent,
			     &user, &system) != 3)
		return (struct process){ 0 };
	return (struct process){ parent, (double)(user + system) / (double)sysconf(_SC_CLK_TCK) };
}

static bool is_one_of(pid_t pid, const pid_t *family, int n)
{
	for (int i = 0; i < n; i++)
		if (family[i] == pid)
			return true;
	return false;
}

/* Adds the processes whose parent is in the family; how many it has then. */
static int add_children(pid_t *family, int n)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;

	while (folder && n < FAMILY && (entry = readdir(folder)) != NULL) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ?
				    (pid_t)strtol(entry->d_name, NULL, 10) :
				    0;

		if (pid > 0 && !is_one_of(pid, family, n) &&
		    is_one_of(read_process(pid).parent, family, n))
			family[n++] = pid;
	}
	if (folder)
		closedir(folder);
	return n;
}

struct broker_cost broker_cost(const struct broker *broker)
{
	struct broker_cost sum = { 0 };
	pid_t family[FAMILY] = { broker->pid };
	int n = broker->pid ? 1 : 0, before = 0;

	while (n > before) {
		before = n;
		n = add_children(family, n);
	}
	for (int i = 0; i < n; i++) {
		sum.cpu_s += read_process(family[i]).cpu_s;
		sum.resident_bytes += read_number(family[i], "status", "VmRSS:") * 1024;
		sum.peak_bytes += read_number(family[i], "status", "VmHWM:") * 1024;
		sum.written_bytes += read_number(family[i], "io", "write_bytes:");
	}
	return sum;
}
