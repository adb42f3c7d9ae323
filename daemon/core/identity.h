/*
 * Who is who: the numbers of persons, and the links between them that agencies asserted. A person is
 * what is linked; nothing else holds him together, so taking a link away takes the person apart again
 * and nothing that was ever recorded has to be rewritten: records keep the number an event named.
 *
 * One person has at most one current number of each kind the country gives once (NOMS, PNC, CRO, CRN).
 * A link that would break this is not made: it is a conflict, and both sides are held until somebody
 * decides. A number that was merged into another is retired: it leads to the person and is not
 * counted.
 *
 * Pure data with one owner (the loop thread); numbers appear here as keys (person.h) only. An index
 * of a number stays what it is for ever. False and IDENTITY_FULL mean no memory: the core then stops.
 */
#ifndef TTGD_CORE_IDENTITY_H
#define TTGD_CORE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"
#include "core/person.h"
#include "core/standing.h"

#define IDENTITY_NONE UINT32_MAX
#define IDENTITY_NUMBERS_MAX 64u /* of one person */
#define IDENTITY_SOURCES_MAX 64u /* agencies told apart in what a link rests on; the last is "others" */

enum identity_op {
	IDENTITY_LINK = 1,    /* the two are one man's */
	IDENTITY_MERGE = 2,   /* and the first is given up for the second */
	IDENTITY_UNLINK = 3,  /* this agency does not say so any more */
	IDENTITY_UNMERGE = 4, /* the first was merged into the second by mistake */
};

enum identity_link_state { IDENTITY_STANDS, IDENTITY_CONTESTED, IDENTITY_REJECTED };

struct identity_number {
	struct person_number number;
	bool retired;
	uint32_t lead;      /* of the person's numbers the one known longest: stands for him */
	uint32_t next;      /* of the same person, in a ring */
	uint32_t link;      /* first link of this number, IDENTITY_NONE: none */
	uint32_t contested; /* conflicts that name it */
	uint64_t lane;      /* of the person in every mailbox; joined for good, see identity_lane() */
	uint32_t lane_next; /* of the same lane, in a ring */
	struct standing *standing; /* NULL: nothing is known */
};

struct identity_link {
	uint32_t a, b;
	uint32_t next_a, next_b; /* next link of each */
	uint64_t sources;        /* bits: agencies that say so */
	uint64_t sequence;       /* of the record that said so first; with `part` the name of a conflict */
	int64_t at_ns;
	uint8_t part, state, op;
	bool told;               /* the data steward was; not kept over a restart */
};

struct identity;

struct identity *identity_new(void);
void identity_free(struct identity **it);

size_t identity_count(const struct identity *it);      /* numbers */
size_t identity_link_count(const struct identity *it); /* that stand */
size_t identity_conflict_count(const struct identity *it);

uint32_t identity_find(const struct identity *it, const uint8_t key[PERSON_KEY_BYTES]);
/* The same, added when it is not there. */
uint32_t identity_take(struct identity *it, const struct person_number *number);
struct identity_number *identity_number(struct identity *it, uint32_t index);
const struct identity_number *identity_look(const struct identity *it, uint32_t index);

/* Of a number that has none yet, an empty one; NULL: no memory. */
struct standing *identity_standing(struct identity *it, uint32_t index);
/* What is known under the number is forgotten; its links stay. */
void identity_forget(struct identity *it, uint32_t index);
/* Key that stands for the person of this number; the number itself while nothing is known of it. */
const uint8_t *identity_person(const struct identity *it, const uint8_t key[PERSON_KEY_BYTES]);
/*
 * Lane of the person's events (mailbox.h); 0: nothing is known of the number. Lanes that were joined stay
 * joined when a link is taken back: that keeps more in order than it has to, and the same whenever it is
 * asked.
 */
uint64_t identity_lane(const struct identity *it, const uint8_t key[PERSON_KEY_BYTES]);
/* Some number of the person is named by an open conflict. */
bool identity_is_contested(const struct identity *it, uint32_t index);

/* Agencies of a link, "a b c". */
void identity_sources_text(const struct identity *it, uint64_t sources, char *out, size_t size);

/* What doing this would change; asked before it is recorded, and again by identity_do(). */
enum identity_effect {
	IDENTITY_NOTHING,  /* it is so already, or was rejected */
	IDENTITY_CHANGES,
	IDENTITY_CLASHES,  /* it would be a conflict */
};
enum identity_effect identity_ask(const struct identity *it, enum identity_op op,
				  const struct person_number *a, const struct person_number *b,
				  const char *agency);

struct identity_deed {
	enum identity_op op;
	const struct person_number *a, *b;
	const char *agency;
	uint64_t sequence;
	uint8_t part;
	int64_t at_ns;
};
/* Lanes of two numbers that are one from now on; from: 0 when there is nothing to join. */
struct identity_joined {
	uint64_t from, to;
};
bool identity_do(struct identity *it, const struct identity_deed *deed,
		 struct identity_joined *joined);

/* Open conflicts, oldest first: the i-th, or the one of this name; NULL. */
struct identity_link *identity_conflict(struct identity *it, size_t i);
struct identity_link *identity_find_conflict(struct identity *it, uint64_t sequence, uint8_t part);
/* Decides it: what was asserted is done whatever it clashes with (numbers of one kind are then retired but
   for the one known longest), or never. The pointer ends. */
bool identity_decide(struct identity *it, struct identity_link *conflict, bool accept,
		     struct identity_joined *joined);

/* Two current numbers of one kind, one of the person of each; false: none. */
bool identity_clash(const struct identity *it, uint32_t a, uint32_t b, uint32_t clash[2]);
/* The i-th link of this number, whatever its state; NULL: there are not so many. */
const struct identity_link *identity_link_at(const struct identity *it, uint32_t index, size_t i);
/* A link that stands of this number; NULL: none. */
const struct identity_link *identity_link_of(const struct identity *it, uint32_t index);

/* Bytes of a snapshot: upper bound, writing, reading into a new one (false: damaged or no memory). */
size_t identity_bound(const struct identity *it);
void identity_save(const struct identity *it, struct cursor *cursor);
bool identity_load(struct identity *it, struct cursor *cursor);

#endif
