/*
 * The sweep: damages a copy of each subject in every way and at every place, and counts what a start
 * made of it. See run.sh for the options.
 *
 * Nothing is random: the same cases each time. Workers are processes that take every jobs-th case.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "damage/subject.h"
#include "support/must.h"

#define SECTOR	   512u
#define JOBS_MAX   64
#define PATHS_MAX  64
#define TELL_MAX   20 /* cases that went wrong, printed */

enum kind { FLIP, CUT, ZERO, SWAP_SECTORS, MISSING, SWAP_FILES, OLDER, KINDS };

static const char *const kind_names[KINDS] = {
	"bit flipped",	  "cut short",	       "sector zeroed", "two sectors swapped",
	"a file missing", "two files swapped", "an older file put back",
};

struct sweep {
	const struct subject *subject;
	enum kind kind;
	uint64_t step;
	int jobs, job;
	uint64_t turn; /* cases so far, this worker's or not */
	_Atomic uint64_t *counts, *told;
};

typedef void (*damage_fn)(struct memory_world *copy, const char *path, uint64_t a, uint64_t b);

static void one_case(struct sweep *sweep, damage_fn damage, const char *path, uint64_t a, uint64_t b)
{
	struct message message = { "" };

	if (sweep->turn++ % (uint64_t)sweep->jobs != (uint64_t)sweep->job)
		return;
	struct memory_world *copy = memory_world_clone(sweep->subject->world);
	damage(copy, path, a, b);
	enum verdict verdict = sweep->subject->judge(sweep->subject, copy, &message);
	memory_world_free(&copy);
	sweep->counts[verdict]++;
	if (verdict == VERDICT_LOST && (*sweep->told)++ < TELL_MAX)
		printf("LOST: %s, %s: %s at %" PRIu64 ", %" PRIu64 ": \"%s\"\n",
		       sweep->subject->name, kind_names[sweep->kind], path, a, b, message.text);
}

/* The kinds of damage. */

static void flip(struct memory_world *copy, const char *path, uint64_t bit, uint64_t unused)
{
	uint64_t size;

	(void)unused;
	memory_world_file(copy, path, &size)[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void cut(struct memory_world *copy, const char *path, uint64_t length, uint64_t unused)
{
	uint64_t size;
	uint8_t *bytes = malloc(length + 1);

	(void)unused;
	MUST(bytes);
	memcpy(bytes, memory_world_file(copy, path, &size), length);
	memory_world_put(copy, path, bytes, length);
	free(bytes);
}

static void zero(struct memory_world *copy, const char *path, uint64_t sector, uint64_t unused)
{
	uint64_t size;
	uint8_t *bytes = memory_world_file(copy, path, &size) + sector * SECTOR;

	(void)unused;
	memset(bytes, 0, size - sector * SECTOR < SECTOR ? size - sector * SECTOR : SECTOR);
}

static void swap_sectors(struct memory_world *copy, const char *path, uint64_t one, uint64_t other)
{
	uint64_t size;
	uint8_t kept[SECTOR], *bytes = memory_world_file(copy, path, &size);

	memcpy(kept, bytes + one * SECTOR, SECTOR);
	memcpy(bytes + one * SECTOR, bytes + other * SECTOR, SECTOR);
	memcpy(bytes + other * SECTOR, kept, SECTOR);
}

static void drop(struct memory_world *copy, const char *path, uint64_t unused, uint64_t either)
{
	(void)unused;
	(void)either;
	memory_world_put(copy, path, NULL, 0);
}

/* Every place in one file. */
static void sweep_file(struct sweep *sweep, const char *path)
{
	uint64_t size = 0, step = sweep->step;

	(void)memory_world_file(sweep->subject->world, path, &size);
	const uint64_t sectors = size / SECTOR;
	switch (sweep->kind) {
	case FLIP:
		for (uint64_t bit = 0; bit < size * 8; bit += step)
			one_case(sweep, flip, path, bit, 0);
		break;
	case CUT:
		for (uint64_t length = 0; length < size; length += step)
			one_case(sweep, cut, path, length, 0);
		break;
	case ZERO:
		for (uint64_t sector = 0; sector * SECTOR < size; sector++)
			one_case(sweep, zero, path, sector, 0);
		break;
	case SWAP_SECTORS:
		for (uint64_t pair = 0; pair < sectors * sectors; pair += step < sectors ? step : 1)
			if (pair / sectors < pair % sectors)
				one_case(sweep, swap_sectors, path, pair / sectors, pair % sectors);
		break;
	case MISSING:
		one_case(sweep, drop, path, 0, 0);
		break;
	case SWAP_FILES:
	case OLDER:
	case KINDS:
	default:
		abort();
	}
}

/* Two of a kind change names, or a file becomes what it was at a moment. */

static const struct subject *source; /* of the next two: they need more than their arguments */

static void take_older(struct memory_world *copy, const char *path, uint64_t moment, uint64_t unused)
{
	uint64_t size;
	const uint8_t *bytes = memory_world_file(source->moments[moment], path, &size);

	(void)unused;
	memory_world_put(copy, path, bytes, size);
}

static void exchange(struct memory_world *copy, const char *path, uint64_t other, uint64_t unused)
{
	const char *with = memory_world_name(source->world, other);
	uint64_t size, size_with;
	const uint8_t *bytes = memory_world_file(source->world, path, &size);
	const uint8_t *bytes_with = memory_world_file(source->world, with, &size_with);

	(void)unused;
	memory_world_put(copy, path, bytes_with, size_with);
	memory_world_put(copy, with, bytes, size);
}

static bool same_kind(const char *one, const char *other)
{
	return strcmp(one + strlen(one) - 4, other + strlen(other) - 4) == 0;
}

static void sweep_names(struct sweep *sweep)
{
	const struct subject *subject = source = sweep->subject;
	const char *path, *other;

	for (size_t i = 0; (path = memory_world_name(subject->world, i)); i++) {
		if (!subject_holds(path))
			continue;
		for (size_t k = i + 1; sweep->kind == SWAP_FILES &&
				       (other = memory_world_name(subject->world, k)); k++)
			if (subject_holds(other) && same_kind(path, other))
				one_case(sweep, exchange, path, k, 0);
		for (size_t m = 0; sweep->kind == OLDER && m < subject->n_moments; m++) {
			uint64_t size, before;
			const uint8_t *now = memory_world_file(subject->world, path, &size);
			const uint8_t *then = memory_world_file(subject->moments[m], path, &before);

			if (then && (size != before || memcmp(now, then, size) != 0))
				one_case(sweep, take_older, path, m, 0);
		}
	}
}

static void sweep_kind(struct sweep *sweep)
{
	const char *path;

	if (sweep->kind == SWAP_FILES || sweep->kind == OLDER) {
		sweep_names(sweep);
		return;
	}
	for (size_t i = 0; (path = memory_world_name(sweep->subject->world, i)); i++)
		if (subject_holds(path))
			sweep_file(sweep, path);
}

/* Without damage it must be whole, or the sweep would prove nothing. */
static void must_be_whole(const struct subject *subject)
{
	struct message message = { "" };
	struct memory_world *copy = memory_world_clone(subject->world);
	enum verdict verdict = subject->judge(subject, copy, &message);

	memory_world_free(&copy);
	if (verdict != VERDICT_WHOLE)
		fprintf(stderr, "%s: undamaged, and yet: %s\n", subject->name, message.text);
	MUST(verdict == VERDICT_WHOLE);
}

struct totals {
	_Atomic uint64_t counts[KINDS][VERDICT_LOST + 1];
	_Atomic uint64_t told;
};

static bool run_workers(const struct subject *subject, uint64_t step, int jobs, struct totals *totals)
{
	bool good = true;

	for (int job = 0; job < jobs; job++) {
		pid_t pid = fork();

		MUST(pid >= 0);
		if (pid > 0)
			continue;
		for (int kind = 0; kind < KINDS; kind++) {
			struct sweep sweep = { .subject = subject, .kind = (enum kind)kind,
					       .step = step, .jobs = jobs, .job = job,
					       .counts = totals->counts[kind], .told = &totals->told };
			sweep_kind(&sweep);
		}
		fflush(stdout);
		_exit(0);
	}
	for (int job = 0; job < jobs; job++) {
		int status = 0;

		MUST(wait(&status) > 0);
		good &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	return good;
}

/* One subject with all kinds; how many cases went wrong. */
static uint64_t sweep_subject(void (*make)(struct subject *), uint64_t step, int jobs, uint64_t *cases)
{
	struct totals *totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct subject subject;
	uint64_t lost = 0;

	MUST(totals != MAP_FAILED);
	make(&subject);
	must_be_whole(&subject);
	fflush(stdout);
	if (!run_workers(&subject, step, jobs, totals)) {
		printf("%s: a worker died\n", subject.name);
		lost++;
	}
	for (int kind = 0; kind < KINDS; kind++) {
		const _Atomic uint64_t *n = totals->counts[kind];
		uint64_t all = n[VERDICT_WHOLE] + n[VERDICT_FOUND] + n[VERDICT_TORN] + n[VERDICT_LOST];

		printf("%-25s %-23s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %7" PRIu64 " %5" PRIu64 "\n",
		       subject.name, kind_names[kind], all, n[VERDICT_FOUND], n[VERDICT_WHOLE],
		       n[VERDICT_TORN], n[VERDICT_LOST]);
		lost += n[VERDICT_LOST];
		*cases += all;
	}
	fflush(stdout);
	subject_free(&subject);
	munmap(totals, sizeof(*totals));
	return lost;
}

int main(int argc, char **argv)
{
	void (*const subjects[])(struct subject *) = {
		subject_journal_closed, subject_journal_killed, subject_journal_stopped,
		subject_snapshots,	subject_outbox_closed,	subject_outbox_killed,
	};
	const struct option long_options[] = { { "step", required_argument, NULL, 's' },
					       { "jobs", required_argument, NULL, 'j' },
					       { 0 } };
	uint64_t step = 1, lost = 0, cases = 0;
	int jobs = 1, option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 's')
			step = strtoull(optarg, NULL, 10);
		else if (option == 'j')
			jobs = atoi(optarg);
		else
			return 2;
	}
	if (step == 0 || jobs < 1 || jobs > JOBS_MAX || optind != argc) {
		fprintf(stderr, "usage: ttg_damage [--step N] [--jobs N]\n");
		return 2;
	}
	printf("%-25s %-23s %9s %9s %9s %7s %5s\n", "what", "damage", "cases", "refused", "harmless",
	       "torn", "lost");
	for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++)
		lost += sweep_subject(subjects[i], step, jobs, &cases);
	printf("%" PRIu64 " cases, %" PRIu64 " with less or other than was accepted, or without a word\n",
	       cases, lost);
	return lost == 0 ? 0 : 1;
}
