/*
 * What events say of numbers and of persons: read from the few types that say something of the kind,
 * written into the event's own record, and taken from there when the record is applied. Only what is
 * not known yet is written, so that what is said every night costs nothing.
 *
 * Whose word on numbers counts is for the rules to say (rules_agency.links). What a service says of its own
 * schemes, a prison of custody, a provider of referrals counts as far as it may publish it.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/identifier.h"
#include "base/instant.h"
#include "base/planted.h"
#include "core/known.h"

/* The event being read, and where its changes go. */
struct pupil {
	struct core *core;
	const struct core_lesson *lesson;
	struct cursor *out;
};

static void learn(const struct pupil *it, const struct change *change)
{
	change_put(it->out, change);
}

static void learn_link(const struct pupil *it, enum change_op op, const struct person_number *a,
		       const struct person_number *b)
{
	const struct change change = { .op = (uint8_t)op, .a = *a, .b = *b };

	if (identity_ask(it->core->identity, (enum identity_op)op, a, b, it->lesson->agency) !=
	    IDENTITY_NOTHING)
		learn(it, &change);
}

static bool number_in(const struct pupil *it, const char *field, struct person_number *out)
{
	struct wire_field found;

	return event_payload_field(it->lesson->event, field, &found) &&
	       person_number(it->core->hmac, found.span, it->lesson->agency,
			     event_year(it->lesson->now_ns), out);
}

static uint64_t value_in(const struct pupil *it, const char *field)
{
	struct wire_field found;

	return event_payload_field(it->lesson->event, field, &found) ? found.value : 0;
}

/* "" when it is not set, or longer. */
static void text_in(const struct pupil *it, const char *field, char *out, size_t size)
{
	struct span text;

	out[0] = '\0';
	if (!event_payload_text(it->lesson->event, field, &text) || text.len >= size || text.len == 0)
		return;
	memcpy(out, text.at, text.len);
	out[text.len] = '\0';
}

/* "first a, second b, of type": two numbers of the payload. */
static void learn_pair(const struct pupil *it, enum change_op op, const char *first, const char *second)
{
	struct person_number a, b;

	if (number_in(it, first, &a) && number_in(it, second, &b) &&
	    (op == CHANGE_LINK || op == CHANGE_UNLINK || a.kind == b.kind))
		learn_link(it, op, &a, &b);
}

static void on_record_merged(const struct pupil *it)
{
	learn_pair(it, CHANGE_MERGE, "removed", "surviving");
}

static void on_case_merged(const struct pupil *it)
{
	learn_pair(it, CHANGE_MERGE, "source", "target");
}

static void on_case_unmerged(const struct pupil *it)
{
	learn_pair(it, CHANGE_UNMERGE, "reactivated", "unmerged");
}

static void on_identifier_linked(const struct pupil *it)
{
	const uint64_t action = value_in(it, "action");

	if (action == TTG__LINK_ACTION__LINK_ACTION_REMOVED) {
		learn_pair(it, CHANGE_UNLINK, "crn", "linked");
		return;
	}
	if (action == TTG__LINK_ACTION__LINK_ACTION_REPLACED)
		learn_pair(it, CHANGE_UNLINK, "crn", "replaced");
	learn_pair(it, CHANGE_LINK, "crn", "linked");
}

/* The booking is a number of the prison's own, told as text. */
static void on_booking_moved(const struct pupil *it)
{
	struct person_number from, to, booking;
	char text[EVENT_IDENTIFIER_MAX + 1];

	text_in(it, "booking_number", text, sizeof(text));
	if (!number_in(it, "moved_from", &from) || !number_in(it, "moved_to", &to) ||
	    !person_number_of(it->core->hmac, IDENTIFIER_BOOKING, text, it->lesson->agency,
			      event_year(it->lesson->now_ns), &booking))
		return;
	learn_link(it, CHANGE_UNLINK, &from, &booking);
	learn_link(it, CHANGE_LINK, &to, &booking);
}

/* Midnight in London at the beginning of the day, or of the next one. */
static int64_t day_of(const char *date, bool next, int64_t without)
{
	char day[11], clock[6];
	int64_t at_ns;

	if (!date[0] || instant_from_civil(date, NULL, &at_ns) != TTG_OK)
		return without;
	if (!next)
		return at_ns;
	instant_to_civil(at_ns + INT64_C(36) * 3600 * 1000000000, day, clock);
	return instant_from_civil(day, NULL, &at_ns) == TTG_OK ? at_ns : without;
}

/* "agency/scheme", or "agency/" when none is named: false. */
static bool scheme_in(const struct pupil *it, char out[CONDITION_SCHEME_MAX + 1])
{
	char scheme[RULES_ID_MAX + 1];

	text_in(it, "scheme", scheme, sizeof(scheme));
	snprintf(out, CONDITION_SCHEME_MAX + 1, "%s/%s", it->lesson->agency, scheme);
	return scheme[0] != '\0';
}

/* The same for each number that the event names: whichever of them he was enrolled by. */
static void learn_of_all(const struct pupil *it, struct change *change)
{
	for (size_t i = 0; i < it->lesson->n_numbers; i++) {
		change->a = it->lesson->numbers[i];
		learn(it, change);
	}
}

static const struct standing *standing_of(const struct pupil *it, const struct person_number *number)
{
	const uint32_t index = identity_find(it->core->identity, number->key);

	return index == IDENTITY_NONE ? NULL : identity_look(it->core->identity, index)->standing;
}

static void on_enrolled(const struct pupil *it)
{
	char scheme[CONDITION_SCHEME_MAX + 1], from[11], until[11];
	const struct standing *known = standing_of(it, &it->lesson->numbers[0]);
	struct change change = { .op = CHANGE_ENROL, .a = it->lesson->numbers[0], .text = scheme };
	const struct standing_scheme *now;

	if (!scheme_in(it, scheme))
		return; /* in none; and what he is in already goes on */
	text_in(it, "from_date", from, sizeof(from));
	text_in(it, "until_date", until, sizeof(until));
	change.from_ns = day_of(from, false, INT64_MIN);
	change.until_ns = day_of(until, true, INT64_MAX);
	now = known ? standing_find(known, scheme) : NULL;
	if (!now || now->withdrawn || now->ended != 0 || now->from_ns != change.from_ns ||
	    now->until_ns != change.until_ns)
		learn(it, &change);
}

static void on_reengaged(const struct pupil *it)
{
	char scheme[CONDITION_SCHEME_MAX + 1], until[11];
	struct change change = { .op = CHANGE_RETURN, .text = scheme };

	if (!scheme_in(it, scheme))
		return;
	text_in(it, "until_date", until, sizeof(until));
	change.from_ns = INT64_MIN;
	change.until_ns = day_of(until, true, 0);
	change.a = it->lesson->numbers[0];
	learn(it, &change);
}

static void on_exited(const struct pupil *it)
{
	char scheme[CONDITION_SCHEME_MAX + 1];
	struct change change = { .op = CHANGE_EXIT, .text = scheme };

	scheme_in(it, scheme);
	learn_of_all(it, &change);
}

static void on_withdrawn(const struct pupil *it)
{
	char scheme[CONDITION_SCHEME_MAX + 1];
	struct change change = { .op = CHANGE_WITHDRAW, .text = scheme };

	scheme_in(it, scheme);
	learn_of_all(it, &change);
}

/* The person is in a scheme whose window begins with his release. */
static bool awaits_release(const struct pupil *it, uint32_t number)
{
	const struct identity *identity = it->core->identity;
	uint32_t i = number;

	do {
		const struct standing *standing = identity_look(identity, i)->standing;

		for (uint32_t k = 0; standing && k < standing->n_schemes; k++) {
			if (standing->schemes[k].opened_ns == 0 && !standing->schemes[k].withdrawn)
				return true;
		}
		i = identity_look(identity, i)->next;
	} while (i != number);
	return false;
}

static void learn_custody(const struct pupil *it, enum condition_custody custody)
{
	const struct person_number *number = &it->lesson->numbers[0];
	const uint32_t index = identity_find(it->core->identity, number->key);
	const struct change change = { .op = CHANGE_CUSTODY, .a = *number, .value = custody };
	const bool news = it->core->ask_custody &&
			  (index == IDENTITY_NONE ||
			   gate_custody(it->core->identity, index) != (uint8_t)custody);

	if (news || (custody == CONDITION_CUSTODY_OUT && index != IDENTITY_NONE &&
		     awaits_release(it, index)))
		learn(it, &change);
}

static void learn_area(const struct pupil *it)
{
	char area[CONDITION_AREA_MAX + 1];
	struct change change = { .op = CHANGE_AREA, .a = it->lesson->numbers[0], .text = area };

	text_in(it, "area_code", area, sizeof(area));
	if (it->core->ask_area && area[0])
		learn(it, &change);
}

static void on_reception(const struct pupil *it)
{
	learn_custody(it, CONDITION_CUSTODY_IN);
}

static void on_released(const struct pupil *it)
{
	if (value_in(it, "at_liberty") == 0)
		return;
	learn_custody(it, CONDITION_CUSTODY_OUT);
	learn_area(it);
}

static void learn_risk(const struct pupil *it, const char *field)
{
	const struct change change = { .op = CHANGE_RISK, .a = it->lesson->numbers[0],
				       .value = value_in(it, field) };

	if (it->core->ask_risk && change.value > 0 && change.value <= TTG__RISK_LEVEL__RISK_LEVEL_VERY_HIGH)
		learn(it, &change);
}

static void on_risk_information(const struct pupil *it)
{
	learn_risk(it, "overall_level");
}

static void on_risk_escalated(const struct pupil *it)
{
	learn_risk(it, "to_level");
}

/* A referral is named by who made it and his number for it. */
static bool referral_in(const struct pupil *it, struct change *change, char provider[RULES_ID_MAX + 1])
{
	char name[RULES_ID_MAX + 1 + EVENT_IDENTIFIER_MAX + 1];
	struct core_referral said;

	core_read_referral(it->lesson->event, &said);
	snprintf(provider, RULES_ID_MAX + 1, "%s", said.provider);
	snprintf(name, sizeof(name), "%s/%s", said.referrer[0] ? said.referrer : it->lesson->agency,
		 said.id);
	change->text = provider;
	change->value = siphash(it->core->sip_key, name, strlen(name));
	return provider[0] && said.id[0];
}

/* It was sent to another provider before, by mistake: to him no referral is open any more. */
static void learn_sent_elsewhere(const struct pupil *it, const struct change *sent)
{
	struct change before = { .op = CHANGE_REFERRED, .value = sent->value };

	if (!it->lesson->before || strcmp(it->lesson->before, sent->text) == 0)
		return;
	before.text = it->lesson->before;
	learn_of_all(it, &before);
}

static void on_referral_sent(const struct pupil *it)
{
	char provider[RULES_ID_MAX + 1];
	struct change change = { .op = CHANGE_REFER, .a = it->lesson->numbers[0] };

	if (!referral_in(it, &change, provider))
		return;
	learn_sent_elsewhere(it, &change);
	learn(it, &change);
}

static void on_referral_over(const struct pupil *it)
{
	char provider[RULES_ID_MAX + 1];
	struct change change = { .op = CHANGE_REFERRED };

	if (referral_in(it, &change, provider))
		learn_of_all(it, &change);
}

static const struct subject {
	const char *type;
	bool of_numbers; /* counts only from agencies whose word on numbers does */
	void (*read)(const struct pupil *it);
} subjects[] = {
	{ "prison.booking_moved", true, on_booking_moved },
	{ "prison.reception", false, on_reception },
	{ "prison.record_merged", true, on_record_merged },
	{ "prison.released", false, on_released },
	{ "prison.release_scheduled", false, learn_area },
	{ "prison.risk_information", false, on_risk_information },
	{ "probation.case_merged", true, on_case_merged },
	{ "probation.case_unmerged", true, on_case_unmerged },
	{ "probation.identifier_linked", true, on_identifier_linked },
	{ "probation.risk_escalated", false, on_risk_escalated },
	{ "referral.declined", false, on_referral_over },
	{ "referral.ended", false, on_referral_over },
	{ "referral.sent", false, on_referral_sent },
	{ "referral.withdrawn", false, on_referral_over },
	{ "service.enrolled", false, on_enrolled },
	{ "service.exited", false, on_exited },
	{ "service.reengaged", false, on_reengaged },
	{ "service.withdrawn", false, on_withdrawn },
};

void core_learn(struct core *core, const struct core_lesson *lesson, struct cursor *out)
{
	const struct pupil it = { core, lesson, out };

	for (size_t i = 1; lesson->links && i < lesson->n_numbers; i++)
		learn_link(&it, CHANGE_LINK, &lesson->numbers[0], &lesson->numbers[i]);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		if (strcmp(subjects[i].type, lesson->event->type) != 0)
			continue;
		if (subjects[i].of_numbers ? lesson->links : lesson->n_numbers > 0)
			subjects[i].read(&it);
		return;
	}
}

uint64_t core_lane(const struct core *core, const uint8_t *person_key, uint64_t position)
{
	const uint64_t lane = person_key ? identity_lane(core->identity, person_key) : 0;

	return lane ? lane : mailbox_lane(person_key, position);
}
