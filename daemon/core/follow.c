/*
 * Following referrals: may this event come now, in the life of the referral it names (referral.c),
 * and from this agency? What it moves is a change in the event's own record, worked out when it is
 * accepted and applied by the same function live and at recovery (changes.h).
 *
 * Not followed are events without a referral_id, answers that name no referrer, and referrals to
 * somebody who is no agency of this broker: nobody could answer those. A correction, that is an
 * event that supersedes one of the same agency, type and referral, moves nothing; but a corrected
 * referral.sent sets the time for the answer again, and begins anew when it names another provider.
 */
#include <stdio.h>
#include <string.h>

#include "base/planted.h"
#include "core/known.h"
#include "core/payload.h"

/* "" when it is not set, or longer. */
static void text_in(const struct event *event, const char *field, char *out, size_t size)
{
	struct span text;

	out[0] = '\0';
	if (!event_payload_text(event, field, &text) || text.len >= size || text.len == 0)
		return;
	memcpy(out, text.at, text.len);
	out[text.len] = '\0';
}

void core_read_referral(const struct event *event, struct core_referral *out)
{
	text_in(event, "referrer_agency", out->referrer, sizeof(out->referrer));
	text_in(event, "provider_agency", out->provider, sizeof(out->provider));
	text_in(event, "referral_id", out->id, sizeof(out->id));
}

bool core_referral_key(const struct core *core, const struct core_referral *it,
		       uint8_t out[PERSON_KEY_BYTES])
{
	char text[sizeof("referral ") + RULES_ID_MAX + 1 + EVENT_IDENTIFIER_MAX];
	uint8_t sum[DIGEST_BYTES];

	snprintf(text, sizeof(text), "referral %s/%s", it->referrer, it->id);
	if (!hmac_sum(core->hmac, text, strlen(text), sum))
		return false;
	memcpy(out, sum, PERSON_KEY_BYTES);
	return true;
}

/* An event of a referral on its way through the questions. */
struct step {
	struct core *core;
	const struct event *event;
	const char *agency;
	enum referral_move move;
	struct core_referral names;
	uint8_t key[PERSON_KEY_BYTES];
	const struct referral *known; /* NULL: nothing is */
	char *text;
};

/* No id and no name stands in a text; and how far it came is told to its two sides only. */
static enum ttg_error refuse(const struct step *it, const char *why)
{
	snprintf(it->text, EVENT_TEXT_MAX, "%s", why);
	return TTG_REFUSED_REFERRAL;
}

static bool is_referrers(enum referral_move move)
{
	return move == REFERRAL_SEND || move == REFERRAL_WITHDRAW;
}

/* Who says nothing of himself is meant. False: it is not followed. */
static bool read_step(struct step *it)
{
	struct wire_field outcome;

	if (!referral_move_of(it->event->type, &it->move))
		return false;
	core_read_referral(it->event, &it->names);
	if (it->move == REFERRAL_END && event_payload_field(it->event, "outcome", &outcome) &&
	    outcome.value == TTG__REFERRAL_OUTCOME__REFERRAL_OUTCOME_CANCELLED)
		it->move = REFERRAL_CANCEL;
	if (is_referrers(it->move) && !it->names.referrer[0])
		snprintf(it->names.referrer, sizeof(it->names.referrer), "%s", it->agency);
	if (!is_referrers(it->move) && !it->names.provider[0])
		snprintf(it->names.provider, sizeof(it->names.provider), "%s", it->agency);
	if (!it->names.referrer[0] || !it->names.id[0] ||
	    !core_referral_key(it->core, &it->names, it->key))
		return false;
	it->known = referrals_find(it->core->referrals, it->key);
	return it->known || rules_find_agency(it->core->rules, it->names.provider) >= 0;
}

static enum ttg_error check_sides(const struct step *it)
{
	if (is_referrers(it->move))
		return strcmp(it->names.referrer, it->agency) == 0 ?
			       TTG_OK :
			       refuse(it, "only the referrer may send a referral or withdraw it");
	if (strcmp(it->names.provider, it->agency) != 0 ||
	    (it->known && strcmp(it->known->provider, it->agency) != 0))
		return refuse(it, "only the provider that a referral names may answer it");
	return TTG_OK;
}

/* The event that this one supersedes is of the same agency, type and referral. Of what is not known
   any more, not held, or erased, nobody can say so: no. TTG_EAGAIN, TTG_EIO: not now. */
static enum ttg_error find_corrected(const struct step *it, bool *found)
{
	struct event_clock clock = { .max_skew_s = it->core->options.max_skew_s };
	const uint8_t *id = it->event->supersedes.at;
	struct core_referral names;
	struct record_event record;
	struct event event;
	char text[EVENT_TEXT_MAX];
	uint64_t first;
	enum ttg_error code;

	*found = false;
	if (it->event->supersedes.len != RECORD_ID)
		return TTG_OK;
	first = dedupe_find(it->core->dedupe, core_fingerprint(it->core, it->agency, id));
	if (first == 0)
		return TTG_OK;
	code = core_read_event(it->core, first, 0, &record, NULL);
	if (code == TTG_OK && (memcmp(record.id, id, RECORD_ID) != 0 ||
			       strcmp(record.source, it->agency) != 0 ||
			       strcmp(record.type, it->event->type) != 0))
		return TTG_OK;
	if (code == TTG_OK)
		code = core_open_event(it->core, &record);
	if (code == TTG_ENOENT || code == TTG_EPERM)
		return TTG_OK;
	if (code != TTG_OK)
		return code;
	clock.now_ns = record.accepted_ns;
	if (event_read(record.bytes, record.n_bytes, it->core->fields, &clock, &event, text) != TTG_OK)
		return TTG_OK;
	core_read_referral(&event, &names);
	if (!names.referrer[0])
		snprintf(names.referrer, sizeof(names.referrer), "%s", it->names.referrer);
	*found = strcmp(names.referrer, it->names.referrer) == 0 &&
		 strcmp(names.id, it->names.id) == 0;
	return TTG_OK;
}

/* 0: no limit. A time before 1970 is past like any other. */
static uint64_t answer_by(const struct event *event)
{
	struct wire_field field;
	int64_t at_ns;

	if (!event_payload_field(event, "answer_by_at", &field))
		return 0;
	at_ns = event_time(field.span);
	return at_ns > 0 ? (uint64_t)at_ns : 1;
}

static void set_change(const struct step *it, enum change_op op, enum referral_state state,
		       struct core_followed *out)
{
	const bool named = op == CHANGE_ASKED || !it->known;

	snprintf(out->provider, sizeof(out->provider), "%s",
		 named ? it->names.provider : it->known->provider);
	out->change = (struct change){ .op = (uint8_t)op, .text = out->provider };
	out->change.a.kind = (uint8_t)state;
	memcpy(out->change.a.key, it->key, sizeof(it->key));
	if (op == CHANGE_ASKED)
		out->change.value = answer_by(it->event);
}

static void correct(const struct step *it, struct core_followed *out)
{
	if (it->move != REFERRAL_SEND || !it->known ||
	    rules_find_agency(it->core->rules, it->names.provider) < 0)
		return;
	if (strcmp(it->known->provider, it->names.provider) != 0) {
		set_change(it, CHANGE_ASKED, REFERRAL_SENT, out);
		snprintf(out->before, sizeof(out->before), "%s", it->known->provider);
	} else if (referral_awaits_answer((enum referral_state)it->known->state)) {
		set_change(it, CHANGE_ASKED, (enum referral_state)it->known->state, out);
	}
}

enum ttg_error core_follow(struct core *core, const char *agency, const struct event *event,
			   struct core_followed *out, char text[EVENT_TEXT_MAX])
{
	struct step it = { .core = core, .event = event, .agency = agency, .text = text };
	enum referral_state state, next;
	bool corrects;
	enum ttg_error code;

	*out = (struct core_followed){ .change = { .op = 0 } };
	if (!read_step(&it))
		return TTG_OK;
	code = check_sides(&it);
	if (code == TTG_OK)
		code = find_corrected(&it, &corrects);
	if (code != TTG_OK)
		return code;
	if (corrects) {
		correct(&it, out);
		return TTG_OK;
	}
	state = it.known ? (enum referral_state)it.known->state : REFERRAL_NONE;
	next = referral_next(state, it.move);
	if (PLANTED(FOLLOW_ANYTHING) && next == REFERRAL_NONE)
		next = referral_next(REFERRAL_NONE, it.move);
	if (next == REFERRAL_NONE) {
		snprintf(text, EVENT_TEXT_MAX, "the referral is %s; %s may not follow",
			 referral_word(state), event->type);
		return TTG_REFUSED_REFERRAL;
	}
	if (it.move == REFERRAL_WITHDRAW && it.known && it.names.provider[0] &&
	    strcmp(it.known->provider, it.names.provider) != 0) {
		snprintf(text, EVENT_TEXT_MAX, "the referral is %s, and was sent to another provider",
			 referral_word(state));
		return TTG_REFUSED_REFERRAL;
	}
	set_change(&it, it.move == REFERRAL_SEND ? CHANGE_ASKED : CHANGE_MOVED, next, out);
	return TTG_OK;
}

static enum ttg_error apply_asked(struct core *core, uint64_t sequence, struct referral *it)
{
	const struct referral *before = referrals_find(core->referrals, it->key);

	it->sent = sequence;
	if (before && strcmp(before->provider, it->provider) == 0) {
		it->told = before->told && before->answer_by_ns == it->answer_by_ns;
		if (before->state == it->state)
			it->moved_ns = before->moved_ns;
	}
	return referrals_put(core->referrals, it) ? TTG_OK : TTG_ENOMEM;
}

static enum ttg_error apply_moved(struct core *core, struct referral *it)
{
	const struct referral *before = referrals_find(core->referrals, it->key);

	if (before && referral_awaits_answer((enum referral_state)it->state) &&
	    !PLANTED(FORGET_ANSWER_BY)) {
		it->answer_by_ns = before->answer_by_ns;
		it->sent = before->sent;
		it->told = before->told;
	}
	return referrals_put(core->referrals, it) ? TTG_OK : TTG_ENOMEM;
}

enum ttg_error core_apply_followed(struct core *core, uint64_t sequence, int64_t accepted_ns,
				   const struct change *change)
{
	struct referral it = { .state = change->a.kind, .moved_ns = accepted_ns };

	if (change->op == CHANGE_OVERDUE)
		return referrals_tell(core->referrals, change->a.key) ? TTG_OK : TTG_ECORRUPT;
	if (it.state == REFERRAL_NONE || it.state >= REFERRAL_STATES ||
	    strlen(change->text) > RULES_ID_MAX || change->value > INT64_MAX)
		return TTG_ECORRUPT;
	memcpy(it.key, change->a.key, sizeof(it.key));
	strcpy(it.provider, change->text);
	if (change->op == CHANGE_MOVED)
		return apply_moved(core, &it);
	it.answer_by_ns = (int64_t)change->value;
	return apply_asked(core, sequence, &it);
}
