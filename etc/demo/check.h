/*
 * Whether anything was lost: what was to arrive, compared with what the One Service's case store
 * holds; what the adapters still have to send; and what the broker accepted and should have
 * delivered, event by event. What an agreement withholds is not lost, as far as the story says of the
 * same number of events that they are about somebody who is not enrolled.
 */
#ifndef DEMO_CHECK_H
#define DEMO_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#define CHECK_STATUSES_MAX 16
#define CHECK_EXPECTED_MAX 8
#define CHECK_PROBLEM      256

struct check_sources {
	const char *store;                        /* the case store */
	const char *expected[CHECK_EXPECTED_MAX]; /* lists written while playing */
	size_t n_expected;
	const char *statuses[CHECK_STATUSES_MAX]; /* status.json of adapters */
	size_t n_statuses;
	const char
	        *outcomes;  /* answers to what a provider published, one JSON a line; may be NULL */
	const char *tail;   /* what the broker told as it accepted events; NULL: not known */
	const char *grants; /* who is to receive what, for `tail` */
	const char *mailboxes; /* how full they are at the end; NULL: not known */
};

struct check {
	long sent;     /* events in the files played, repeats included, and answers of providers */
	long accepted; /* taken by the broker, repeats included */
	long duplicates;    /* of those, recognised repeats */
	long refused;       /* by the broker */
	long turned_away;   /* files an adapter put aside as unreadable */
	long delivered;     /* in the case store */
	long withheld;      /* accepted, and kept from the One Service by a condition until the end */
	long to_withhold;   /* so many should be, as the story knows who is enrolled */
	long leaked;        /* of those, in the case store all the same */
	long pending;       /* still in outboxes */
	long missing;       /* expected and not in the case store */
	long unanswered;    /* our own, without the broker's answer */
	long own_refused;   /* our own, refused */
	long lost_by_id;    /* accepted for the One Service by id and not in the case store */
	long doubled;       /* accepted more than once under one id */
	long queued;        /* in the One Service's mailboxes */
	long not_put_aside; /* unreadable files that no adapter put aside */
	long latency_ms_median;
	long latency_ms_worst;
};

/* False with `problem` filled when a source cannot be read. */
bool check_run(const struct check_sources *sources, struct check *out, char problem[CHECK_PROBLEM]);
/* Everything arrived and nothing is under way. */
bool check_settled(const struct check *check);
long check_lost(const struct check *check);
/* Prints up to `limit` lines about what is missing. */
bool check_explain(const struct check_sources *sources, int limit, char problem[CHECK_PROBLEM]);

#endif
