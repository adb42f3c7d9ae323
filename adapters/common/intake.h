/*
 * What reading one document came to: the events to publish, the lines that were no good, and how
 * much was left aside and why.
 *
 * An adapter's reader fills an intake from a document's bytes without touching files, sockets or
 * the clock; the frame (adapter.h) then makes the events durable and settles the document. Owned
 * by the adapter's only thread.
 *
 * Bounds: INTAKE_EVENTS_MAX events, INTAKE_PROBLEMS_MAX problems kept with their text (further
 * ones are counted). Texts of problems never quote the document.
 */
#ifndef ADAPTERS_COMMON_INTAKE_H
#define ADAPTERS_COMMON_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/event.h>
#include "base/message.h"

#define INTAKE_EVENTS_MAX     200000
#define INTAKE_PROBLEMS_MAX   200
#define INTAKE_LABELS_MAX     64
#define INTAKE_LABEL_BYTES    72
#define INTAKE_REJECTED_BYTES (16u << 20)

enum document_form {
	DOCUMENT_UNKNOWN = 0,
	DOCUMENT_JSON,
	DOCUMENT_XML,
	DOCUMENT_CSV,
};

/* Bytes from outside. */
struct document {
	const char *name; /* file name in the spool; "" when it came by HTTP */
	const char *bytes;
	size_t len;
	enum document_form form;
	int64_t seen_ns; /* when it was written (spool) or received (HTTP); never ahead of now */
};

/* The form from the first byte that is not blank, after a byte order mark. */
enum document_form document_guess(const char *bytes, size_t len);

struct intake_event {
	uint8_t id[TTG_UUID_BYTES];
	uint8_t *bytes;
	size_t len;
	int type; /* index for ttg_type_name() */
};

struct intake_problem {
	unsigned line; /* 1 is the first; 0: the whole document */
	enum ttg_error code;
	struct message message;
};

/* Something counted under a word: ignored types, withheld contacts. */
struct intake_label {
	char text[INTAKE_LABEL_BYTES];
	uint64_t count;
};

struct intake {
	struct intake_event *events;
	size_t n_events, room_events;
	struct intake_problem *problems;
	size_t n_problems;     /* kept */
	size_t total_problems; /* met */
	struct intake_label labels[INTAKE_LABELS_MAX];
	size_t n_labels;
	uint64_t ignored; /* sum over labels */
	char *rejected;   /* the bad lines, one after the other */
	size_t rejected_len;
	bool rejected_cut; /* more than INTAKE_REJECTED_BYTES: the whole document is kept */
	bool refused;      /* nothing of the document may be published */
};

void intake_init(struct intake *intake);
void intake_fini(struct intake *intake);

/* Takes over `take_bytes` (malloc), also on failure. TTG_ELIMIT, TTG_ENOMEM. */
enum ttg_error intake_add_event(struct intake *intake, const uint8_t id[TTG_UUID_BYTES], int type,
                                uint8_t *take_bytes, size_t len);

/* Notes a bad line; `raw` (may be NULL) is kept for the failed/ folder. */
enum ttg_error intake_add_problem(struct intake *intake, unsigned line, enum ttg_error code,
                                  const char *text, const char *raw, size_t raw_len);

/* Notes that the document as a whole is no good: nothing of it is published. Returns code. */
__attribute__((format(printf, 3, 4))) enum ttg_error
intake_refuse(struct intake *intake, enum ttg_error code, const char *format, ...);

/* Counts something left aside. Labels that are not [A-Za-z0-9._-] count as "malformed". */
void intake_ignore(struct intake *intake, const char *label);
uint64_t intake_ignored(const struct intake *intake, const char *label);

/* The text of a .reason file: one line a problem. malloc'd; NULL on lack of memory. */
char *intake_reason_text(const struct intake *intake);

#endif
