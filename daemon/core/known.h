/*
 * What is known of persons and referrals, and what the core does with it: shared by learn.c and follow.c
 * (from events into changes), known.c (applying them), publish.c (asking conditions), late.c,
 * notice_conflict.c and notice_overdue.c.
 */
#ifndef TTGD_CORE_KNOWN_H
#define TTGD_CORE_KNOWN_H

#include "core/state.h"

/* learn.c: what this event says of numbers and persons, as changes; what is so already is left out. An
   agency whose word on numbers counts links what it names together. */
struct core_lesson {
	const struct event *event;
	const char *agency;
	bool links;
	const struct person_number *numbers; /* of the event's person, the best first */
	size_t n_numbers;
	int64_t now_ns;
	const char *before; /* provider of a referral that is sent to another one now; NULL: of none */
};
void core_learn(struct core *core, const struct core_lesson *lesson, struct cursor *out);
enum ttg_error core_apply_changes(struct core *core, uint64_t sequence, const struct record_event *event);
enum ttg_error core_apply_decided(struct core *core, uint64_t sequence, const uint8_t *data, size_t len);

/* follow.c: what an event of a referral says of whom and which; "" where it does not. */
struct core_referral {
	char referrer[RULES_ID_MAX + 1], provider[RULES_ID_MAX + 1], id[EVENT_IDENTIFIER_MAX + 1];
};
void core_read_referral(const struct event *event, struct core_referral *out);
/* Key that it is followed by. False: no memory. */
bool core_referral_key(const struct core *core, const struct core_referral *it,
		       uint8_t out[PERSON_KEY_BYTES]);
/* What an event moves that agency publishes; change.op 0: nothing. Not to be copied. */
struct core_followed {
	struct change change;
	char provider[RULES_ID_MAX + 1];
	char before[RULES_ID_MAX + 1]; /* another one whom it was sent to before; "": nobody */
};
/* TTG_OK, TTG_REFUSED_REFERRAL with text; TTG_EAGAIN, TTG_EIO: it cannot be told now. */
enum ttg_error core_follow(struct core *core, const char *agency, const struct event *event,
			   struct core_followed *out, char text[EVENT_TEXT_MAX]);
enum ttg_error core_apply_followed(struct core *core, uint64_t sequence, int64_t accepted_ns,
				   const struct change *change);

/* Lane of an event's person in a mailbox. */
uint64_t core_lane(const struct core *core, const uint8_t *person_key, uint64_t position);

/* late.c: what waits and is due is asked again. */
enum ttg_error core_run_late(struct core *core, const struct core_now *now, struct pump_budget *budget);
/* notice_conflict.c: conflicts that were not told are, to who is granted that. */
enum ttg_error core_tell_conflicts(struct core *core, const struct core_now *now);
/* notice_overdue.c: answers that are overdue are told to the referrer. */
enum ttg_error core_run_overdue(struct core *core, const struct core_now *now, bool *more);

/* publish.c: whom an event that was accepted is about, as far as is known now. */
void core_who(const struct core *core, const struct record_event *event, struct gate_person *out);
bool core_suits(const struct rules *rules, const struct rules_deliver_grant *grant,
		const struct event *event, int64_t now_ns);
enum gate core_gate(const struct core *core, const struct rules_deliver_grant *grant,
		    const struct gate_person *who, const struct gate_moment *when);
void core_add_grant(const struct core *core, const struct rules_deliver_grant *grant, bool urgent,
		    struct record_recipient *to);

/* correction.c: who was given the event of this agency that `supersedes` names, and is not among the n of
   core->recipients, is told that it is withdrawn. TTG_EAGAIN, TTG_ENOSPC, TTG_EIO: not yet, nothing of
   it is to be undone. `by`: id of the event that supersedes it. */
struct readers *core_readers_new(void);
enum ttg_error core_correct(struct core *core, const struct core_now *now, const char *agency,
			    const uint8_t *supersedes, const uint8_t *by, uint32_t n_recipients);

#endif
