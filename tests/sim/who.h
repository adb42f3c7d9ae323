/*
 * Who is who, and who is enrolled, as the records say: part of the model, see model.h. Persons have two
 * numbers, a NOMS and a PNC number; the prison links numbers by naming two together, and what contradicts
 * is in dispute until the operator decides. No link is ever taken back in a life, so whoever is one person
 * stays so: all there is to know is since which record two numbers are one person's.
 */
#ifndef TTG_SIM_WHO_H
#define TTG_SIM_WHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "support/core_play.h"

#define WHO_PERSONS 8
#define WHO_NUMBERS (2 * WHO_PERSONS)
#define WHO_LINKS   (WHO_NUMBERS * (WHO_NUMBERS - 1) / 2)
#define WHO_TEXT    16

/* Types of events, beside those of core_play.h. */
enum { TYPE_ENROLLED = N_TYPES, TYPE_WITHDRAWN, TYPE_REFERRED /* but referral.sent */ };

struct said;
struct record_decided;

enum who_gate { WHO_SHUT, WHO_OPEN, WHO_HELD };

struct who_link { /* of two numbers; one for each pair at most */
	int a, b;
	uint64_t sequence;
	enum { WHO_STANDS, WHO_DISPUTED, WHO_REJECTED } state;
};

struct who_time { /* in the scheme; sequences are of records */
	int number;
	uint64_t since, ended; /* ended 0: not yet */
	uint64_t withdrawn;    /* 0: not */
};

struct who_wait { /* an arrest that the One Service was not to have when it was accepted */
	uint64_t sequence;
	int event, number;
	int64_t from_ns;
	bool held; /* for what is in dispute: as long as that takes */
};

struct who {
	uint64_t known[WHO_NUMBERS]; /* 1, 2, ...: in which order something was learnt; 0: nothing */
	uint64_t n_known;
	bool retired[WHO_NUMBERS];
	uint64_t joined[WHO_NUMBERS][WHO_NUMBERS]; /* by this record; 0: not one person's */
	struct who_link links[WHO_LINKS];
	size_t n_links;
	struct who_time *times;
	size_t n_times;
	struct who_wait *waits; /* by sequence */
	size_t n_waits;
	int64_t newest_ns; /* acceptance */
	unsigned int calm; /* cycles in which the broker could do all it wanted since something was learnt */
	uint8_t keys[WHO_NUMBERS][CORE_PERSON_KEY];
	bool has_key[WHO_NUMBERS];
};

/* Numbers of person 1, 2, ...; -1 of 0, who is nobody. */
int who_noms(unsigned int person);
int who_pnc(unsigned int person);
bool who_is_pnc(int number);
void who_text(int number, char out[WHO_TEXT]);

/* What was read from records; the keys of numbers stay. */
void who_forget(struct who *who);

bool who_same(const struct who *who, int a, int b);
/* Before the record of this sequence was. */
bool who_was_same(const struct who *who, int a, int b, uint64_t sequence);
/* The broker shows this key for the number, or for the person as he is known now. */
bool who_is_key(struct who *who, int number, const uint8_t *key);
bool who_is_person_key(struct who *who, int number, const uint8_t *key);

/* What is known now lets the arrest with this sequence, of this number, go to the One Service. */
enum who_gate who_ask(const struct who *who, int number, uint64_t sequence);
/* It would, but for a withdrawal up to `durable`. */
bool who_is_withdrawn(const struct who *who, int number, uint64_t sequence, uint64_t durable);
size_t who_disputes(const struct who *who);

/* An event is accepted: what it says, and what it lets go by its time. */
void who_learn(struct who *who, const struct said *event, uint64_t sequence, int64_t accepted_ns);
void who_wait(struct who *who, const struct who_wait *wait);
/* It is delivered late, by a record: it waited, for a good reason, and has one no more. */
void who_late(struct who *who, uint64_t sequence, bool live);
void who_decide(struct who *who, const struct record_decided *it, uint64_t sequence);

/* An arrest waits that has no reason to; NULL: none. */
const struct who_wait *who_overdue(const struct who *who);
/* The broker had a cycle, and could do all it wanted. */
void who_cycle(struct who *who);

#endif
