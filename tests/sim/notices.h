/*
 * Notices of what the operator gave up, that the broker owes the owners of the mailboxes: part of the
 * model, see model.h.
 */
#ifndef TTG_SIM_NOTICES_H
#define TTG_SIM_NOTICES_H

#include <stddef.h>
#include <stdint.h>
#include "support/core_play.h"

struct box;
struct model;

struct owed {          /* a notice of what was given up, that the broker has to make */
	int to, about; /* indices in play_mailboxes */
	uint64_t count, from, before;
};
#define OWED_MAX (2 * N_BOXES)

/* Deliveries of this mailbox below that sequence are being given up. */
void model_owe_notice(struct model *model, const struct box *box, uint64_t below);
/* The broker made an event of its own for this mailbox. */
void model_take_notice(struct model *model, const uint8_t *bytes, size_t len, int to);
/* It could not tell what this mailbox lost. */
void model_untold(struct model *model, const char *mailbox);
/* Nobody is owed a notice any more. */
void model_check_told(const struct model *model);

#endif
