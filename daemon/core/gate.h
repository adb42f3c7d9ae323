/*
 * Whether the condition of a grant holds for the person of an event: asked when the event is accepted, and
 * again, for the time it was accepted, when it waited.
 *
 * Pure functions over what is known (identity.h).
 */
#ifndef TTGD_CORE_GATE_H
#define TTGD_CORE_GATE_H

#include "core/condition.h"
#include "core/identity.h"

enum gate {
	GATE_OPEN,
	GATE_SHUT,
	GATE_HELD, /* who he is is in dispute: not before that is decided */
};

/* Whom an event is about: the numbers of it that are known, one for each person. */
struct gate_person {
	uint32_t numbers[PERSON_NUMBERS_MAX];
	size_t n;
};

void gate_find(const struct identity *identity, const struct person_number *numbers, size_t n,
	       struct gate_person *out);

/* When the broker accepted the event: the clock, and where in the order of things. */
struct gate_moment {
	int64_t at_ns;
	uint64_t sequence; /* UINT64_MAX: now */
};

/* agency: of the mailbox. */
enum gate gate_ask(const struct identity *identity, const struct gate_person *person,
		   const struct condition *condition, const char *agency,
		   const struct gate_moment *when);

/* What was said last of any of the person's numbers; 0, "" : nothing. */
uint8_t gate_custody(const struct identity *identity, uint32_t number);
uint8_t gate_risk(const struct identity *identity, uint32_t number);
const char *gate_area(const struct identity *identity, uint32_t number);

#endif
