/*
 * Who received what, as `ttgctl --json disclosures` told: a file of JSON lines that an operator's
 * timer writes. Read when it is first asked for, and again when it is another file than before, at
 * most once a minute. Owned by the desk's thread.
 */
#ifndef DESK_DISCLOSURES_H
#define DESK_DISCLOSURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/event.h>

#define DISCLOSURES_BYTES_MAX (256u << 20) /* what lies beyond is not read */
#define DISCLOSURES_MAX       1000000u     /* deliveries; further ones are left out */

struct disclosure {
	uint8_t event[TTG_UUID_BYTES];
	int64_t delivered_ns;
	int64_t ended_ns;    /* 0: it is open */
	const char *to;      /* "agency/box" */
	const char *fields;  /* what was granted of it */
	const char *outcome; /* "acknowledged" */
};

struct disclosures;

/* path stays valid; "": there is no such file. NULL without memory. */
struct disclosures *disclosures_new(const char *path);
void disclosures_free(struct disclosures **disclosures);

enum disclosures_state {
	DISCLOSURES_NONE = 0,   /* no file is configured */
	DISCLOSURES_UNREADABLE, /* it is not there, or cannot be read */
	DISCLOSURES_READ,
	DISCLOSURES_CUT, /* read, but there was more than fits */
};

/* Looks after the file. *as_of_ns: when it was written. */
enum disclosures_state disclosures_follow(struct disclosures *disclosures, int64_t now_ns,
                                          int64_t *as_of_ns);

/* Deliveries of an event in the order they left: the first of *n. Good until the next
 * disclosures_follow(). */
const struct disclosure *disclosures_of(const struct disclosures *disclosures,
                                        const uint8_t event[TTG_UUID_BYTES], size_t *n);

#endif
