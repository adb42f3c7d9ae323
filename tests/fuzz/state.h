/* A core on records of the input's making; for the targets that read what a journal gives back. */
#ifndef TTG_FUZZ_STATE_H
#define TTG_FUZZ_STATE_H

#include "core/core.h"
#include "core/rules.h"

struct fuzz_state {
	struct core *core;
	const struct rules *rules;
	struct core_now now;
	struct fuzz_record {
		uint8_t kind;
		uint8_t *data;
		size_t len;
	} *records; /* number n is records[n - 1]; a gap has no data */
	size_t n_records;
	bool full;
};

/* Arrests go to who is in a scheme, the prison's word on numbers counts, referrals are answered. */
struct rules *fuzz_rules(void);

void fuzz_state_init(struct fuzz_state *state);
void fuzz_state_fini(struct fuzz_state *state);
/* Remembers a record under the next number. */
void fuzz_state_push(struct fuzz_state *state, uint8_t kind, const void *data, size_t len);

/*
 * Puts the core to use after it took what the input said: rules, consumers, time. Broken when its
 * snapshot is not taken back, or gives another one.
 */
void fuzz_state_use(struct fuzz_state *state);

#endif
