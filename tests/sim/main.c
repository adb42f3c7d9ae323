/*
 * Lives many lives: ttg_sim [--lives N] [--seed S] [--jobs J] [--seconds T] [--twice] [--trace]
 *                           [--keep LIST] [--no-shrink] [--stop] [--mistakes] [--mistake NAME]
 *
 * The first seed is --seed, or else TTG_SEED in the environment, or else 1.
 *
 * Workers are processes, so that an assertion or a crash in one life is a failure of that life and
 * of no other. A failing life is lived again with fewer and fewer steps while it still fails, and
 * what is left is printed with the options that repeat it.
 */
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/planted.h"
#include "sim/life.h"

#define JOBS_MAX     64
#define LIFE_SECONDS 20 /* of processor time, before a life counts as hanging */
#define SHRINK_LIVES 600
#define TELL_EVERY   5000 /* lives */
#define FAILURES_MAX 5    /* then there is no more to learn */

struct slot { /* of one worker, shared with it */
	uint64_t seed;
	char failure[LIFE_FAILURE_TEXT];
};

struct shared {
	_Atomic uint64_t next, passed;
	double began_s;
	struct slot slots[JOBS_MAX];
	struct slot shrinking;
};

struct options {
	uint64_t lives, seed;
	double seconds; /* begin no other life after so long; 0: no matter */
	int jobs;
	bool twice, trace, shrink, stop;
	const char *keep;
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct shared *make_shared(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	shared->began_s = now_s();
	return shared;
}

static void live(const struct options *options, const struct life_plan *plan)
{
	const struct itimerval limit = { .it_value = { .tv_sec = LIFE_SECONDS } };
	uint64_t digest;

	setitimer(ITIMER_PROF, &limit, NULL);
	digest = life_run(plan);
	if (options->twice && life_run(plan) != digest)
		life_fail("the same seed lived two different lives");
}

static void work(const struct options *options, struct shared *shared, struct slot *slot)
{
	struct life_plan *plan = malloc(sizeof(*plan));

	life_failure = slot->failure;
	for (;;) {
		uint64_t n = shared->next++;

		if (n >= options->lives ||
		    (options->seconds > 0 && now_s() - shared->began_s > options->seconds))
			break;
		slot->seed = options->seed + n;
		slot->failure[0] = '\0';
		life_plan(plan, slot->seed);
		live(options, plan);
		if (++shared->passed % TELL_EVERY != 0)
			continue;
		printf("%" PRIu64 " lives, %.0f a second\n", (uint64_t)shared->passed,
		       (double)shared->passed / (now_s() - shared->began_s));
		fflush(stdout);
	}
	free(plan);
	exit(0);
}

static void describe_end(struct slot *slot, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
		snprintf(slot->failure, sizeof(slot->failure), "it hangs");
	else if (slot->failure[0] == '\0' && WIFSIGNALED(status))
		snprintf(slot->failure, sizeof(slot->failure), "ended by signal %d",
		         WTERMSIG(status));
	else if (slot->failure[0] == '\0')
		snprintf(slot->failure, sizeof(slot->failure), "ended with status %d",
		         WEXITSTATUS(status));
}

/* True when the plan fails; in a process of its own. */
static bool fails(const struct options *options, struct shared *shared,
                  const struct life_plan *plan)
{
	int status = 0;
	pid_t pid;

	shared->shrinking.failure[0] = '\0';
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		life_failure = shared->shrinking.failure;
		live(options, plan);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status == 0)
		return false;
	describe_end(&shared->shrinking, status);
	return true;
}

static void leave_out(struct life_plan *plan, size_t first, size_t n)
{
	memmove(&plan->steps[first], &plan->steps[first + n],
	        (plan->n_steps - first - n) * sizeof(plan->steps[0]));
	plan->n_steps -= n;
}

/* Leaves out ever smaller runs of steps, from the end on, as long as it still fails. */
static void shrink(const struct options *options, struct shared *shared, struct life_plan *plan)
{
	struct life_plan *less = malloc(sizeof(*less));
	int lives = SHRINK_LIVES;

	for (size_t n = plan->n_steps; n > 0 && lives > 0; n /= 2) {
		for (size_t end = plan->n_steps; end > 0 && lives > 0;) {
			size_t first = end > n ? end - n : 0;

			*less = *plan;
			leave_out(less, first, end - first);
			lives--;
			if (fails(options, shared, less))
				*plan = *less;
			end = first;
		}
	}
	free(less);
}

static void print_plan(const struct life_plan *plan)
{
	printf("  --keep ");
	for (size_t i = 0; i < plan->n_steps; i++)
		printf("%s%u", i ? "," : "", plan->steps[i].number);
	printf("\n");
	for (size_t i = 0; i < plan->n_steps; i++)
		printf("  %4u %s\n", plan->steps[i].number, step_names[plan->steps[i].kind]);
}

static void report(const struct options *options, struct shared *shared, const struct slot *slot)
{
	struct life_plan *plan = malloc(sizeof(*plan));

	life_plan(plan, slot->seed);
	printf("FAILED seed %" PRIu64 ": %s\n", slot->seed, slot->failure);
	if (options->shrink) {
		size_t before = plan->n_steps;

		shrink(options, shared, plan);
		if (fails(options, shared, plan))
			printf("  %zu of %zu steps are enough: %s\n", plan->n_steps, before,
			       shared->shrinking.failure);
		print_plan(plan);
		printf("  repeat it: --seed %" PRIu64 " --lives 1 --trace --keep ...\n",
		       slot->seed);
	}
	fflush(stdout);
	free(plan);
}

static pid_t start_worker(const struct options *options, struct shared *shared, int i)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		work(options, shared, &shared->slots[i]);
	return pid;
}

/* Starts workers and waits for them; a worker whose life failed is followed by another. */
static uint64_t run_all(const struct options *options, struct shared *shared)
{
	pid_t pids[JOBS_MAX];
	int running = options->jobs;
	uint64_t failed = 0;

	for (int i = 0; i < options->jobs; i++)
		pids[i] = start_worker(options, shared, i);
	while (running > 0) {
		int status = 0, i = 0;
		pid_t pid = waitpid(-1, &status, 0);

		while (i < options->jobs && pids[i] != pid)
			i++;
		if (i == options->jobs)
			continue;
		running--;
		if (status == 0)
			continue;
		describe_end(&shared->slots[i], status);
		report(options, shared, &shared->slots[i]);
		if (++failed < (options->stop ? 1 : FAILURES_MAX) &&
		    shared->next < options->lives) {
			pids[i] = start_worker(options, shared, i);
			running++;
		} else {
			shared->next = options->lives;
		}
	}
	printf("%.1f s, %.0f lives a second\n", now_s() - shared->began_s,
	       (double)shared->passed / (now_s() - shared->began_s));
	return failed;
}

/* Lives one life with the steps of the list only, in this process. */
static void run_kept(const struct options *options)
{
	struct life_plan *plan = malloc(sizeof(*plan));
	const char *at = options->keep;
	size_t n = 0;

	life_plan(plan, options->seed);
	while (at && *at) {
		char *end;
		unsigned long number = strtoul(at, &end, 10);

		for (size_t i = 0; i < plan->n_steps; i++)
			if (plan->steps[i].number == number && i >= n)
				plan->steps[n++] = plan->steps[i];
		at = *end ? end + 1 : end;
	}
	if (options->keep)
		plan->n_steps = n;
	live(options, plan);
	free(plan);
	printf("1 passed, 0 failed\n");
	exit(0);
}

static void usage(void)
{
	fprintf(stderr, "usage: ttg_sim [--lives N] [--seed S] [--jobs J] [--seconds T] [--twice] "
	                "[--trace] [--keep LIST] [--no-shrink] [--stop] [--mistakes] "
	                "[--mistake NAME]\n");
	exit(2);
}

static void parse(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {
		{ "lives", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "seconds", required_argument, NULL, 'd' },
		{ "twice", no_argument, NULL, '2' },
		{ "trace", no_argument, NULL, 't' },
		{ "keep", required_argument, NULL, 'k' },
		{ "no-shrink", no_argument, NULL, 'x' },
		{ "mistake", required_argument, NULL, 'm' },
		{ "mistakes", no_argument, NULL, 'l' },
		{ "stop", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'n':
			options->lives = strtoull(optarg, NULL, 10);
			break;
		case 's':
			options->seed = strtoull(optarg, NULL, 10);
			break;
		case 'j':
			options->jobs = atoi(optarg);
			break;
		case 'd':
			options->seconds = strtod(optarg, NULL);
			break;
		case '2':
			options->twice = true;
			break;
		case 't':
			options->trace = true;
			break;
		case 'k':
			options->keep = optarg;
			break;
		case 'x':
			options->shrink = false;
			break;
		case 'f':
			options->stop = true;
			break;
		case 'm':
			if (!planted_choose(optarg)) {
				fprintf(stderr, "sim: no such mistake in this build: %s\n", optarg);
				exit(2);
			}
			break;
		case 'l':
			for (size_t i = 0; planted_name(i); i++)
				printf("%s\n", planted_name(i));
			exit(0);
		default:
			usage();
		}
	}
	if (options->lives == 0 || options->jobs < 1 || options->jobs > JOBS_MAX || optind != argc)
		usage();
}

int main(int argc, char **argv)
{
	struct options options = { .lives = 1000, .seed = 1, .jobs = 1, .shrink = true };
	const char *seed = getenv("TTG_SEED");
	struct shared *shared;
	uint64_t failed;

	if (seed && *seed)
		options.seed = strtoull(seed, NULL, 10);
	/* The buffers of a broker come and go with each of its lives. */
	mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
	mallopt(M_TRIM_THRESHOLD, 512 * 1024 * 1024);
	parse(&options, argc, argv);
	if (options.keep || options.trace) {
		life_tracing = options.trace;
		run_kept(&options);
	}
	shared = make_shared();
	printf("seeds %" PRIu64 " to %" PRIu64 ", %d at a time\n", options.seed,
	       options.seed + options.lives - 1, options.jobs);
	failed = run_all(&options, shared);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", (uint64_t)shared->passed, failed);
	return failed ? 1 : 0;
}
