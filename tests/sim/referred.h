/*
 * How far each referral came, as the records say: part of the model, see model.h. What may follow
 * what is decided by a table of its own.
 */
#ifndef TTG_SIM_REFERRED_H
#define TTG_SIM_REFERRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "support/referral_play.h"

#define REFERRED_MAX 12

struct model;
struct said;
struct record_event;

struct referred {
	char state;      /* '-' nothing is known; s, k, a, g, b: sent to begun; d, e, w: over */
	int64_t by_ns;   /* 0: no limit, or answered */
	int64_t since_ns;
	uint64_t sent;   /* record that set it */
	int event;       /* of that */
	bool told;
	unsigned int calm; /* cycles it was overdue in, and the broker could do all it wanted */
};

/* What was read from records. */
void referred_forget(struct model *model);
/* An event of a referral that the agency may publish: which one, how it goes on. */
void referred_choose(const struct model *model, struct said *said, bool by_provider);
void referred_say(Ttg__Event *event, struct referral_words *words, const struct said *said);
/* The core judged an event: it is refused if and only if it may not follow. */
void referred_judged(const struct model *model, const struct said *said, bool refused);
/* An event is recorded. */
void referred_learn(struct model *model, int event, const struct record_event *it, uint64_t sequence);
/* An event of the broker's own: whom it is about; and that it tells what is so, and when it is due. */
void referred_about(const struct model *model, const uint8_t *bytes, size_t len, struct said *own);
void referred_told(struct model *model, const struct record_event *it, bool live);
/* Nobody can be told that the answer to what this record sent is overdue. */
void referred_untold(const struct model *model, uint64_t sequence);
/* The broker had a cycle, and could do all it wanted. */
void referred_cycle(struct model *model);

#endif
