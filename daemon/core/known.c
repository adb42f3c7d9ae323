/*
 * Applying what was learnt (learn.c) to what is known of persons: links, standing, lanes, and what waits
 * for it; and what was followed (follow.c). Runs live and at recovery, over the same records.
 */
#include <string.h>

#include "base/planted.h"
#include "core/known.h"

#define HELD_MORE_NS (INT64_C(86400) * 1000000000)

/* Everything that waits of this person is to be asked again. */
static void mark_due(struct core *core, uint32_t number)
{
	uint32_t i = number;

	if (core->waiting.live == 0 || PLANTED(FORGET_WAITING))
		return;
	do {
		waiting_mark(&core->waiting, identity_look(core->identity, i)->number.key);
		i = identity_look(core->identity, i)->next;
	} while (i != number);
}

static bool join_lanes(struct core *core, const struct identity_joined *joined)
{
	if (joined->from == 0 || PLANTED(KEEP_LANES_APART))
		return true;
	for (size_t i = 0; i < core->n_mailboxes; i++) {
		struct mailbox *mailbox = core->mailboxes[i];

		if (mailbox->window.live == 0 && mailbox->lanes.n == 0)
			continue;
		if (!mailbox_join(mailbox, joined->from, joined->to))
			return false;
		core_wake(core, mailbox);
	}
	return true;
}

static bool do_deed(struct core *core, const struct identity_deed *deed)
{
	struct identity_joined joined;
	uint32_t index;

	if (!identity_do(core->identity, deed, &joined) || !join_lanes(core, &joined))
		return false;
	index = identity_find(core->identity, deed->a->key);
	if (index != IDENTITY_NONE)
		mark_due(core, index);
	index = identity_find(core->identity, deed->b->key);
	if (index != IDENTITY_NONE)
		mark_due(core, index);
	return true;
}

/* Of the record being applied. */
struct moment {
	uint64_t sequence;
	int64_t now_ns;
};

/* Calls each() for every scheme of every number of the person; a text that ends in "/" means all of them. */
static void each_scheme(struct core *core, uint32_t number, const char *text,
			void (*each)(struct standing_scheme *scheme, const struct moment *now),
			const struct moment *now)
{
	const size_t len = strlen(text);
	const bool all = len == 0 || text[len - 1] == '/';
	uint32_t i = number;

	do {
		struct standing *it = identity_number(core->identity, i)->standing;

		for (uint32_t k = 0; it && k < it->n_schemes; k++) {
			if (all ? strncmp(it->schemes[k].scheme, text, len) == 0 :
				  strcmp(it->schemes[k].scheme, text) == 0)
				each(&it->schemes[k], now);
		}
		i = identity_look(core->identity, i)->next;
	} while (i != number);
}

static void end_scheme(struct standing_scheme *scheme, const struct moment *now)
{
	if (scheme->ended == 0)
		scheme->ended = now->sequence;
}

static void withdraw_scheme(struct standing_scheme *scheme, const struct moment *now)
{
	end_scheme(scheme, now);
	scheme->withdrawn = true;
}

static void open_window(struct standing_scheme *scheme, const struct moment *now)
{
	if (scheme->opened_ns == 0 && scheme->ended == 0)
		scheme->opened_ns = now->now_ns;
}

/* What the person's newest time in the scheme was like, whichever number it stands with. */
static const struct standing_scheme *newest(const struct core *core, uint32_t number, const char *scheme)
{
	const struct standing_scheme *found = NULL;
	uint32_t i = number;

	do {
		const struct standing *it = identity_look(core->identity, i)->standing;
		const struct standing_scheme *here = it ? standing_find(it, scheme) : NULL;

		if (here && (!found || here->since > found->since))
			found = here;
		i = identity_look(core->identity, i)->next;
	} while (i != number);
	return found;
}

/* The window of an earlier time in the scheme goes on: it is counted from the release. */
static bool enrol(struct core *core, uint32_t number, const struct change *change, const struct moment *now)
{
	const struct standing_scheme *before = newest(core, number, change->text);
	struct standing_scheme scheme = { .since = now->sequence, .from_ns = change->from_ns,
					  .until_ns = change->until_ns };
	struct standing *standing;

	if (strlen(change->text) > CONDITION_SCHEME_MAX)
		return true;
	strcpy(scheme.scheme, change->text);
	if (change->op == CHANGE_RETURN) {
		if (!before || before->withdrawn)
			return true; /* nothing to return to */
		scheme.opened_ns = before->opened_ns;
		scheme.until_ns = change->until_ns != 0 ? change->until_ns : before->until_ns;
	} else if (before && before->ended == 0) {
		scheme.opened_ns = before->opened_ns;
	}
	each_scheme(core, number, change->text, end_scheme, now);
	standing = identity_standing(core->identity, number);
	return standing && standing_enrol(standing, &scheme);
}

static bool set_fact(struct core *core, uint32_t number, const struct change *change,
		     const struct moment *now)
{
	struct standing *it = identity_standing(core->identity, number);

	if (!it)
		return false;
	if (change->op == CHANGE_CUSTODY) {
		it->custody_sequence = now->sequence;
		it->custody = (uint8_t)(change->value & 3);
		if (change->value == CONDITION_CUSTODY_OUT)
			each_scheme(core, number, "", open_window, now);
	} else if (change->op == CHANGE_RISK) {
		it->risk_sequence = now->sequence;
		it->risk = (uint8_t)(change->value & 7);
	} else if (strlen(change->text) <= CONDITION_AREA_MAX) {
		it->area_sequence = now->sequence;
		strcpy(it->area, change->text);
	}
	return true;
}

static bool refer(struct core *core, uint32_t number, const struct change *change, const struct moment *now)
{
	struct standing_referral referral = { .id = change->value, .since = now->sequence };
	uint32_t i = number;

	if (strlen(change->text) > RULES_ID_MAX)
		return true;
	strcpy(referral.provider, change->text);
	if (change->op == CHANGE_REFER) {
		struct standing *it = identity_standing(core->identity, number);

		return it && standing_refer(it, &referral);
	}
	do {
		struct standing *it = identity_number(core->identity, i)->standing;

		if (it)
			standing_end_referral(it, referral.provider, referral.id);
		i = identity_look(core->identity, i)->next;
	} while (i != number);
	return true;
}

/* Of a person nothing is known of yet only what begins something is kept. */
static uint32_t number_of(struct core *core, const struct change *change)
{
	if (change->op == CHANGE_EXIT || change->op == CHANGE_WITHDRAW || change->op == CHANGE_RETURN ||
	    change->op == CHANGE_REFERRED)
		return identity_find(core->identity, change->a.key);
	return identity_take(core->identity, &change->a);
}

static enum ttg_error apply_standing(struct core *core, const struct change *change,
				     const struct moment *now)
{
	const uint32_t number = number_of(core, change);
	bool done = true;

	if (number == IDENTITY_NONE)
		return change->op == CHANGE_EXIT || change->op == CHANGE_WITHDRAW ||
				       change->op == CHANGE_RETURN || change->op == CHANGE_REFERRED ?
			       TTG_OK :
			       TTG_ENOMEM;
	switch ((enum change_op)change->op) {
	case CHANGE_ENROL:
	case CHANGE_RETURN:
		done = enrol(core, number, change, now);
		break;
	case CHANGE_EXIT:
		each_scheme(core, number, change->text, end_scheme, now);
		break;
	case CHANGE_WITHDRAW:
		each_scheme(core, number, change->text, withdraw_scheme, now);
		core->stable_since = now->sequence - 1; /* what is queued is asked again */
		core_retract(core);
		break;
	case CHANGE_CUSTODY:
	case CHANGE_RISK:
	case CHANGE_AREA:
		done = set_fact(core, number, change, now);
		break;
	case CHANGE_REFER:
	case CHANGE_REFERRED:
		done = refer(core, number, change, now);
		break;
	case CHANGE_LINK:
	case CHANGE_MERGE:
	case CHANGE_UNLINK:
	case CHANGE_UNMERGE:
	case CHANGE_ASKED:
	case CHANGE_MOVED:
	case CHANGE_OVERDUE:
		break;
	}
	return done ? TTG_OK : TTG_ENOMEM;
}

enum ttg_error core_apply_changes(struct core *core, uint64_t sequence, const struct record_event *event)
{
	const struct moment now = { sequence, event->accepted_ns };
	enum ttg_error code = TTG_OK;
	struct change change;
	struct cursor cursor;
	uint8_t part = 0;

	cursor_init_read(&cursor, event->changes, event->n_changes);
	while (code == TTG_OK && change_next(&cursor, &change)) {
		const struct identity_deed deed = { .op = (enum identity_op)change.op, .a = &change.a,
						    .b = &change.b, .agency = event->source,
						    .sequence = sequence, .part = part,
						    .at_ns = event->accepted_ns };

		if (change.op <= CHANGE_UNMERGE)
			code = do_deed(core, &deed) ? TTG_OK : TTG_ENOMEM;
		else if (change.op >= CHANGE_ASKED)
			code = core_apply_followed(core, sequence, event->accepted_ns, &change);
		else
			code = apply_standing(core, &change, &now);
		part++;
	}
	return code == TTG_OK && !cursor_ok(&cursor) ? TTG_ECORRUPT : code;
}

/*
 * What was held while this person was in dispute must end some time, or its record is kept for ever: it is
 * asked again now, and waits for more as long as anything does; a day at least, so that no short look-back
 * ends it before it is asked.
 */
static void end_dispute(struct core *core, uint32_t number, int64_t decided_ns)
{
	const int64_t from_ns = decided_ns > core->newest_ns ? decided_ns : core->newest_ns;
	const int64_t look_back_ns = (int64_t)core->options.look_back_ns;
	const int64_t more_ns = look_back_ns < HELD_MORE_NS ? HELD_MORE_NS - look_back_ns : 0;
	uint32_t i = number;

	if (core->waiting.live == 0 || identity_is_contested(core->identity, number))
		return;
	do {
		waiting_unhold(&core->waiting, identity_look(core->identity, i)->number.key,
			       from_ns + more_ns);
		i = identity_look(core->identity, i)->next;
	} while (i != number);
}

enum ttg_error core_apply_decided(struct core *core, uint64_t sequence, const uint8_t *data, size_t len)
{
	struct identity_link *conflict;
	struct identity_joined joined;
	struct record_decided it;
	uint32_t a, b;

	(void)sequence;
	if (!record_get_decided(data, len, &it))
		return TTG_ECORRUPT;
	conflict = identity_find_conflict(core->identity, it.sequence, it.part);
	if (!conflict)
		return TTG_ECORRUPT;
	a = conflict->a;
	b = conflict->b;
	if (!identity_decide(core->identity, conflict, it.accepted, &joined) ||
	    !join_lanes(core, &joined))
		return TTG_ENOMEM;
	end_dispute(core, a, it.at_ns);
	end_dispute(core, b, it.at_ns);
	mark_due(core, a);
	mark_due(core, b);
	core_retract(core);
	return TTG_OK;
}
