/*
 * What a redelivery must bring and may not, as the model sees it; part of the model, see model.h. A
 * walk passes over what it may not repeat at the moment it comes there, which nobody tells: so
 * whatever it had a reason to pass over at any moment since the last repeat is let pass.
 */
#ifndef TTG_SIM_AGAIN_H
#define TTG_SIM_AGAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct box;
struct model;
struct record_event;

struct again { /* of one mailbox */
	bool running;
	uint64_t number, at; /* the record that began it; what was given by records below is done with */
	int64_t since_ns;
};

/* A REDELIVER record. */
void again_apply(struct model *model, uint64_t sequence, const uint8_t *data, size_t len, bool live);
/* An AGAIN record, before its position is given out. */
void again_check(struct model *model, struct box *box, const struct record_event *it, bool live);
/* A moment: who has a reason not to come has it now. first: the oldest record held. */
void again_look(struct model *model, uint64_t first);
bool again_is_quiet(const struct model *model);

#endif
