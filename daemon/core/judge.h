/*
 * Judging single values of an event by their bounds and forms; the order of faults. Private to the
 * walk over an event (event.c). Texts name the path of a field, never what was in it.
 */
#ifndef TTGD_CORE_JUDGE_H
#define TTGD_CORE_JUDGE_H

#include "core/event.h"
#include "core/fields.h"
#include "core/wire.h"

/* Where the walk is: a list on the stack, written out only when something is wrong. */
struct path {
	const struct path *up;
	const char *name;
	size_t index;
	bool repeated;
};

/* Faults by rank: the lowest found is the one that is told. */
struct judge {
	const struct event_clock *clock;
	enum ttg_error code;
	int rank;
	int year_now;
	char *text; /* EVENT_TEXT_MAX */
};

void judge_init(struct judge *judge, const struct event_clock *clock, char text[EVENT_TEXT_MAX]);
void judge_fault(struct judge *judge, enum ttg_error code, const struct path *path,
		 const char *what);

void judge_text(struct judge *judge, const struct path *path, const struct bound *bound,
		struct span text);
void judge_bytes(struct judge *judge, const struct path *path, const struct bound *bound,
		 struct span bytes);
void judge_number(struct judge *judge, const struct path *path, const struct bound *bound,
		  int64_t value);
void judge_entries(struct judge *judge, const struct path *path, const struct bound *bound);
/* Encoded messages. Their single fields are judged by the walk. */
void judge_time(struct judge *judge, const struct path *path, struct span time);
void judge_identifier(struct judge *judge, const struct path *path, struct span identifier);

#endif
