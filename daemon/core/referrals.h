/*
 * The referrals that are followed: how far each came, who was asked, and until when he is to
 * answer. By a key made under the broker's secret out of the referrer and its id; nothing here
 * names a person or the id.
 *
 * At most REFERRALS_MAX: for one more the one that has been over longest is forgotten, or if none
 * is over, the one of which nothing was heard longest. One that is over is forgotten after
 * REFERRALS_KEPT_NS. Of what is forgotten nothing is known, and anything may follow (referral.c).
 *
 * Pure data, owned by the loop thread. False: no memory. In a snapshot: number, each, those that
 * are over first, and in the order in which they would be forgotten:
 *
 *   key 16 bytes | state u8, + 128 when told | text provider | moved_ns u64 | answer_by_ns u64 | sent
 */
#ifndef TTGD_CORE_REFERRALS_H
#define TTGD_CORE_REFERRALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"
#include "core/condition.h"
#include "core/person.h"
#include "core/referral.h"

#define REFERRALS_MAX 100000u
#define REFERRALS_KEPT_NS (INT64_C(30) * 86400 * 1000000000) /* behind their end, by newer events */

struct referral {
	uint8_t key[PERSON_KEY_BYTES];
	char provider[RULES_ID_MAX + 1];
	uint8_t state;        /* enum referral_state, never REFERRAL_NONE */
	bool told;            /* the referrer, that the answer is overdue */
	int64_t moved_ns;     /* when the event was accepted that brought it here */
	int64_t answer_by_ns; /* 0: no limit, or answered */
	uint64_t sent;        /* sequence of the referral.sent that set it; 0: none */
};

struct referrals;

struct referrals *referrals_new(void); /* NULL without memory */
void referrals_free(struct referrals **it);
size_t referrals_count(const struct referrals *it);
size_t referrals_bytes(const struct referrals *it); /* of memory */

/* NULL: nothing is known. Good until the next change. */
const struct referral *referrals_find(const struct referrals *it, const uint8_t key[PERSON_KEY_BYTES]);
/* In place of what is known of it. It is the one heard of last. */
bool referrals_put(struct referrals *it, const struct referral *as);
/* Lets go what has been over too long. */
void referrals_expire(struct referrals *it, int64_t newest_ns);

/* Of those that wait for an answer and were not told the one that should have it first; NULL: none. */
const struct referral *referrals_due(const struct referrals *it);
/* The referrer was told; false: nothing is known of it. */
bool referrals_tell(struct referrals *it, const uint8_t key[PERSON_KEY_BYTES]);
/* It cannot be told now: not due again before referrals_ask_again(). Not in a snapshot. */
void referrals_pass(struct referrals *it, const uint8_t key[PERSON_KEY_BYTES]);
void referrals_ask_again(struct referrals *it);

size_t referrals_bound(const struct referrals *it);
void referrals_save(const struct referrals *it, struct cursor *cursor);
/* Into a new one; false also when damaged. */
bool referrals_load(struct referrals *it, struct cursor *cursor, uint64_t sequence);

#endif
