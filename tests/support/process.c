/*
 * Processes under test. Owner: the test's only thread.
 *
 * The child gets its own process group, so that a Ctrl-C at the test does not race its clean-up,
 * and the kernel kills it when the test process goes. What fails in the child before exec ends it
 * with 127 and a line in its error file.
 */
#include "support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "support/assert.h"
#include "support/wait.h"

#define TAIL_LINES 40

static int open_output(const char *path, bool append)
{
	return open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0600);
}

/* In the child; does not come back. */
static void become(const struct process *process, const struct process_options *options,
		   const char *const *arguments, int input)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int out = open_output(process->out_path, process->appends);
	int err = open_output(process->err_path, process->appends);
	if (chdir(options->directory) != 0)
		_exit(127);
	if (input < 0)
		input = open(options->input_path ? options->input_path : "/dev/null",
			     O_RDONLY | O_CLOEXEC);
	if (out < 0 || err < 0 || input < 0 || dup2(input, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(err, 2) < 0)
		_exit(127);
	for (const char *const *entry = options->environment; entry && *entry; entry++)
		putenv((char *)(uintptr_t)*entry);
	execv(arguments[0], (char *const *)(uintptr_t)arguments);
	dprintf(2, "%s: %s\n", arguments[0], strerror(errno));
	_exit(127);
}

void must_start(struct process *process, const struct process_options *options,
		const char *const *arguments)
{
	int ends[2] = { -1, -1 };

	must_be(process->pid == 0, "process started while it runs");
	process->appends = process->name[0] != '\0';
	snprintf(process->name, sizeof(process->name), "%s", options->name);
	snprintf(process->out_path, sizeof(process->out_path), "%s/%s.out", options->directory,
		 options->name);
	snprintf(process->err_path, sizeof(process->err_path), "%s/%s.err", options->directory,
		 options->name);
	process->input = -1;
	process->status = 0;
	if (options->pipe_input)
		must_be(pipe2(ends, O_CLOEXEC) == 0, "cannot make a pipe");
	fflush(NULL);
	pid_t pid = fork();
	must_be(pid >= 0, "cannot fork");
	if (pid == 0)
		become(process, options, arguments, ends[0]);
	process->pid = pid;
	if (options->pipe_input) {
		close(ends[0]);
		process->input = ends[1];
	}
}

static void note_end(struct process *process, int status)
{
	process->pid = 0;
	process->status = status;
	if (process->input >= 0)
		close(process->input);
	process->input = -1;
}

bool process_running(struct process *process)
{
	int status = 0;

	if (process->pid == 0)
		return false;
	if (waitpid(process->pid, &status, WNOHANG) != process->pid)
		return true;
	note_end(process, status);
	return false;
}

void must_signal(struct process *process, int number)
{
	if (!process_running(process))
		must_fail("%s does not run any more (status %d)", process->name, process->status);
	must_be(kill(process->pid, number) == 0, "cannot signal");
}

static bool ended(void *arg)
{
	return !process_running(arg);
}

int must_end(struct process *process, int timeout_ms)
{
	if (!wait_until(ended, process, timeout_ms))
		must_fail("%s did not end within %d ms", process->name, timeout_ms);
	return WIFEXITED(process->status) ? WEXITSTATUS(process->status)
					  : 128 + WTERMSIG(process->status);
}

void process_kill(struct process *process)
{
	int status = 0;

	if (!process_running(process))
		return;
	kill(process->pid, SIGKILL);
	kill(process->pid, SIGCONT);
	if (waitpid(process->pid, &status, 0) == process->pid)
		note_end(process, status);
}

char *must_read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t bytes = 0;

	ssize_t got = file ? getdelim(&text, &bytes, EOF, file) : -1;
	if (got < 0) {
		free(text);
		text = NULL;
	}
	if (len)
		*len = got < 0 ? 0 : (size_t)got;
	if (file)
		fclose(file);
	if (!text)
		text = strdup("");
	must_be(text != NULL, "no memory");
	return text;
}

void print_tail(const char *title, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[2048];
	long lines = 0;

	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		lines++;
	rewind(file);
	fprintf(stderr, "--- %s\n", title);
	for (long i = 0; fgets(line, sizeof(line), file); i++)
		if (i >= lines - TAIL_LINES)
			fputs(line, stderr);
	fclose(file);
}
