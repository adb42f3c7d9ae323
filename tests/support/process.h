/*
 * Real processes for the system tests: started with their output in files, signalled, waited for.
 *
 * Invariants: a started process is reaped exactly once; process_stop() leaves none behind, and one
 * whose test dies is killed by the kernel (PR_SET_PDEATHSIG).
 */
#ifndef TTG_TEST_PROCESS_H
#define TTG_TEST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define PROCESS_PATH_MAX 512
#define PROCESS_MAX_ARGUMENTS 40
#define PROCESS_LIMIT_MS 60000 /* patience with a command that should end by itself */

struct process {
	char name[64];
	char out_path[PROCESS_PATH_MAX], err_path[PROCESS_PATH_MAX];
	pid_t pid;    /* 0: not running */
	int status;   /* of waitpid, once it ended */
	int input;    /* its standard input when asked for, else -1 */
	bool appends; /* started before: output goes on in the same files */
};

struct process_options {
	const char *name;      /* of the output files: NAME.out, NAME.err */
	const char *directory; /* working directory and place of the output files */
	const char *const *environment; /* "NAME=value"..., NULL at the end; added to ours; or NULL */
	const char *input_path; /* file as standard input; NULL: /dev/null */
	bool pipe_input;        /* a pipe as standard input instead, its end in process->input */
};

/* Starts arguments[0] (a path) with these arguments. Fails the test when it cannot be started; a
   program that is not there ends with status 127. */
void must_start(struct process *process, const struct process_options *options,
		const char *const *arguments);

/* Is it running still? Reaps it when it ended. */
bool process_running(struct process *process);

/* Fails the test when it cannot be signalled. */
void must_signal(struct process *process, int number);

/* Waits for the end; the exit code, or 128 + signal. Fails the test when that takes too long. */
int must_end(struct process *process, int timeout_ms);

/* SIGKILL, and waits. Nothing when it does not run. */
void process_kill(struct process *process);

/* Whole file as text, owned by the caller; "" when it is not there. */
char *must_read_file(const char *path, size_t *len);

/* Prints the last lines of a file to stderr under a title. */
void print_tail(const char *title, const char *path);

#endif
