/*
 * What an adapter did since it started: for the log line of every minute and for status.json in
 * its state directory, which tests and operators read. Types and codes only, never persons.
 */
#ifndef ADAPTERS_COMMON_COUNTERS_H
#define ADAPTERS_COMMON_COUNTERS_H

#include <stdbool.h>
#include "common/intake.h"

#define COUNTERS_LABELS_MAX 256 /* further labels are counted together as "other" */
#define COUNTERS_MORE_MAX   8

/* A number only one kind of adapter has. */
struct counters_more {
	const char *name; /* a literal */
	uint64_t value;
};

struct counters {
	uint64_t documents_taken;  /* files and requests read */
	uint64_t documents_done;   /* without a bad line */
	uint64_t documents_failed; /* wholly or in part */
	uint64_t files_skipped;    /* links, folders and the like in the spool */
	uint64_t lines_rejected;
	uint64_t published; /* durable in the outbox */
	uint64_t accepted;
	uint64_t duplicate;
	uint64_t refused;
	uint64_t ignored;           /* sum over the labels */
	uint64_t received;          /* deliveries written to the out directory */
	uint64_t received_unwanted; /* deliveries of types this adapter has no use for */
	uint64_t held; /* now: kept, and not acknowledged before a person has seen them */
	uint64_t http_requests;
	uint64_t http_refused;
	struct intake_label ignored_by[COUNTERS_LABELS_MAX];
	size_t n_ignored_by;
	struct intake_label refused_by[COUNTERS_LABELS_MAX]; /* "type code" */
	size_t n_refused_by;
	struct counters_more more[COUNTERS_MORE_MAX];
	size_t n_more;
};

void counters_add_intake(struct counters *counters, const struct intake *intake);
void counters_add_refused(struct counters *counters, const char *type, enum ttg_error code);

/* Sets a number of the kind's own; `name` is a literal, one of COUNTERS_MORE_MAX at most. */
void counters_set(struct counters *counters, const char *name, uint64_t value);

/* One line of key=value for the log. */
void counters_format(const struct counters *counters, char *out, size_t room);

/* Replaces `path` with the numbers as JSON. `state` names the session's state. */
enum ttg_error counters_write(const struct counters *counters, const char *path,
                              const char *program, const char *agency, const char *state,
                              uint64_t pending, int64_t now_ns, struct message *message);

#endif
