/*
 * The prison adapter's reader: domain events (movement.c), extracts (extract.c and below) and
 * catalogue events. One object, owned by the adapter's only thread.
 */
#ifndef ADAPTERS_PRISON_PRISON_H
#define ADAPTERS_PRISON_PRISON_H

#include "common/adapter.h"
#include "common/domain_event.h"

enum prison_view {
	PRISON_VIEW_IMMEDIATE = 1u << 0,
	PRISON_VIEW_SETTLED = 1u << 1,
};

enum prison_extract_extent {
	PRISON_EXTRACT_FULL = 0,    /* who is not in it any more has no release or board */
	PRISON_EXTRACT_PARTIAL = 1, /* only what is in it means anything */
};

struct prison_settings {
	unsigned views; /* of enum prison_view */
	int diary_extent, boards_extent;
	int64_t max_vanish_percent, max_vanish_count;
	int64_t urgent_hours;
};

struct state;

struct prison {
	char agency[CONFIG_TEXT_BYTES];
	struct prison_settings settings;
	struct state *state;
	bool state_open; /* a transaction waits for settle() */
};

extern const struct adapter_kind prison_kind;

/* Reads the domain event, whose type is known to be present; adds what it means to the intake. */
enum ttg_error movement_read(const struct prison *prison, struct domain_event *event,
                             struct intake *intake, struct message *message);

/* Reads a CSV extract of either kind and adds the differences from what was seen last. */
enum ttg_error extract_read(struct prison *prison, const struct document *document,
                            struct intake *intake, struct message *message);

#endif
