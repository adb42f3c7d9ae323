/*
 * What the operator asks and decides about persons: conflicts between numbers, and what is known under a
 * number. Beside core.h, of the same core. Who may ask, and that asking is written down, is the caller's.
 */
#ifndef TTGD_CORE_PERSONS_H
#define TTGD_CORE_PERSONS_H

#include "core/core.h"

/* An open conflict: an event said that two numbers are one man's (or not), which contradicts what stands. */
struct core_conflict {
	uint64_t sequence;         /* of the event; with part its name, "1234.0" */
	unsigned int part;
	int64_t at_ns;
	const char *word;          /* "link", "merge", "unlink", "unmerge" */
	const char *kinds[2];      /* of the two numbers: "NOMS", "PNC" */
	char agencies[256];        /* who says so */
	size_t numbers[2];         /* that each side has */
};
/* Calls each() for the conflicts in order until it returns false. */
void core_conflicts(const struct core *core,
		    bool (*each)(void *arg, const struct core_conflict *conflict), void *arg);
size_t core_conflict_count(const struct core *core);
size_t core_person_numbers(const struct core *core); /* that something is known of */
size_t core_waiting_count(const struct core *core);  /* events that wait for their person to be known */

/*
 * Decides a conflict: accepted, what was said is done, and of numbers of one kind the one known longest
 * stays the current one; not accepted, it is never done. Recorded, with who and why (at most
 * RECORD_MAX_TEXT bytes each). TTG_ENOENT: no such conflict; TTG_EINVAL: who or why is missing or too
 * long; else as of the journal.
 */
enum ttg_error core_decide(struct core *core, const struct core_now *now, uint64_t sequence,
			   unsigned int part, bool accept, const char *who, const char *why);

/* A number as the operator wrote it: "A1234BC" by its shape, or "KIND:NUMBER", where "CASE_NUMBER" and
   "BOOKING" want "KIND:AGENCY/NUMBER". */
struct core_person {
	uint8_t key[CORE_PERSON_KEY];    /* of the number */
	uint8_t person[CORE_PERSON_KEY]; /* stands for him: of the number known longest */
	uint32_t number;                 /* the core's; not kept over another call that changes anything */
	bool known;                      /* something is known of the number */
};
/* TTG_EINVAL: no such kind, or not a valid number of it. */
enum ttg_error core_find_person(const struct core *core, const struct core_now *now, const char *text,
				struct core_person *out);

/* Writes down that the person was asked for: who, what for ("explain"), and why. As core_decide(). */
enum ttg_error core_consult(struct core *core, const struct core_now *now,
			    const struct core_person *person, const char *who, const char *what,
			    const char *why);

/* The number with this key is one of his, by what is known now. */
bool core_person_is(const struct core *core, const struct core_person *person, const uint8_t *key);

/* Whether the condition of this grant would let an event about him pass then, by what is known now. */
enum core_passes { CORE_PASSES, CORE_STOPS, CORE_DISPUTED };
enum core_passes core_person_passes(const struct core *core, int64_t at_ns, const struct core_person *person,
				    const struct rules_deliver_grant *grant);

/* What is known of the person, a line of words each: each(arg, what, text), for example
   each("number", "PNC, retired"), each("scheme", "one-service/pilot since 17, until 2027-01-01, ..."). */
void core_person_facts(const struct core *core, const struct core_person *person,
		       void (*each)(void *arg, const char *what, const char *text), void *arg);

#endif
