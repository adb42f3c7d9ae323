/*
 * Publishers of a life that sign: prison and police, in a third of the lives. What the broker keeps of it
 * must be theirs, and stand before the events, whatever a crash took.
 */
#ifndef TTG_SIM_SIGNING_H
#define TTG_SIM_SIGNING_H

#include "core/record.h"
#include "evidence/receipt.h"
#include "sim/model.h"

/* The agency signs in this life. */
bool signing_wanted(const char *agency);
/* The key of an agency; never NULL. */
struct sign_key *signing_key(const char *agency);
/* Enters the public half, and that it must be used. */
void signing_rules(struct rules_agency *agency);

/* Of an event whose bytes are revealed, in record `sequence`. */
void signing_check(const struct model *model, const struct record_event *event, uint64_t sequence);
void signing_check_receipt(const struct receipt *receipt);

#endif
