/*
 * The story the demonstration plays: one man a day is received, and what happens to him afterwards
 * follows a fixed plan with variations by his number. Each day gives files as the agencies' own
 * systems would write them, and the events the One Service should hear of because of them.
 *
 * Deterministic: the same seed and the same instants give the same bytes. No clock and no files
 * here; the stage does what has to be done with what is played.
 *
 * Everything happens at the instant given (a broker refuses what lies far off); the dates in
 * diaries and boards run ahead, one day for each day played.
 */
#ifndef DEMO_STORY_H
#define DEMO_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cohort.h"

enum feed {
	FEED_PRISON = 0,
	FEED_POLICE,
	FEED_PROBATION,
	FEED_SERVICE,
	FEEDS,
};

struct stage {
	void *user;
	/* A whole file for the spool of a feed. False stops the play. */
	bool (*put)(void *user, enum feed feed, const char *name, const char *bytes, size_t len);
	/* An event of `type` about the man with this number ("" nobody) is to arrive. */
	void (*expect)(void *user, const char *type, const char *who);
	/* An event of `type` about this man is sent and must not arrive: he is not enrolled, and the
	   agreement gives it of those who are. */
	void (*expect_withheld)(void *user, const char *type, const char *who);
	/* An event that goes to others, or that was sent before. */
	void (*expect_elsewhere)(void *user);
	/* The One Service itself publishes the event with this id; `type` is not NULL when it comes
	   back to its own mailbox as an event about `who`. */
	void (*expect_own)(void *user, const char *id, const char *type, const char *who);
	/* A file that its adapter has to put aside as unreadable. */
	void (*expect_failed)(void *user, enum feed feed, const char *name);
};

struct story;

/* NULL without memory. */
struct story *story_new(uint64_t seed, const struct stage *stage);
void story_free(struct story **story);

/* Plays the next day. False when the stage refused a file or memory ran out. */
bool story_day(struct story *story, int64_t now_ns);

unsigned story_days(const struct story *story);

#endif
