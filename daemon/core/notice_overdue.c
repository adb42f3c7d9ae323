/*
 * broker.referral_overdue: a provider said neither yes nor no by the time the referrer had set. It
 * goes to the mailboxes of the referrer that are granted this provider's referral.accepted by the
 * rules of now, under those agreements; the notice says nothing that the referrer did not say
 * himself.
 *
 * That it was told is a change in the notice's own record: one without the other there is not,
 * whenever a crash comes. The referral's id is read in the event that sent it, for the broker keeps
 * no copy: where retention took that, or the person was erased, or nobody is granted the answer,
 * nothing is told. That is noted, and asked again at the next start and when the rules change.
 */
#include <stdio.h>
#include <string.h>

#include "core/known.h"
#include "core/notice.h"
#include "core/payload.h"
#include "core/retain.h"

#define TYPE_OVERDUE "broker.referral_overdue"
#define ANSWER "referral.accepted"
#define ANSWER_ADDRESSED_BY "referrer_agency"

/* An overdue referral and the event that sent it, copied: records are read one after the other. */
struct overdue {
	struct referral referral;
	struct core_referral names;
	struct gate_person who;
	int32_t marking;
	uint8_t id[RECORD_ID]; /* of the referral.sent */
	uint8_t person_key[PERSON_KEY_BYTES];
	bool has_person;
};

static enum ttg_error read_sent(const struct core *core, struct overdue *it)
{
	struct event_clock clock = { .max_skew_s = core->options.max_skew_s };
	struct record_event record;
	struct event event;
	char text[EVENT_TEXT_MAX];
	enum ttg_error code = core_read_event(core, it->referral.sent, 0, &record, NULL);

	if (code == TTG_OK)
		code = core_open_event(core, &record);
	if (code != TTG_OK)
		return code;
	clock.now_ns = record.accepted_ns;
	if (event_read(record.bytes, record.n_bytes, core->fields, &clock, &event, text) != TTG_OK)
		return TTG_ENOENT;
	core_read_referral(&event, &it->names);
	if (!it->names.referrer[0])
		snprintf(it->names.referrer, sizeof(it->names.referrer), "%s", record.source);
	it->marking = event.marking;
	core_who(core, &record, &it->who);
	memcpy(it->id, record.id, RECORD_ID);
	it->has_person = record.person_key != NULL;
	if (it->has_person)
		memcpy(it->person_key, record.person_key, PERSON_KEY_BYTES);
	return TTG_OK;
}

/* The answer of the provider would go there. */
static bool counts(const struct core *core, const struct core_now *now, const struct overdue *it,
		   const struct rules_deliver_grant *grant)
{
	const struct rules *rules = core->rules;
	const char *owner = rules->agencies[rules->mailboxes[grant->mailbox].agency].id;
	const struct gate_moment when = { now->real_ns, UINT64_MAX };

	return strcmp(owner, it->names.referrer) == 0 &&
	       (!grant->addressed_by[0] || strcmp(grant->addressed_by, ANSWER_ADDRESSED_BY) == 0) &&
	       rules_in_force(rules, grant->agreement, now->real_ns) &&
	       core_marking_fits(&rules->agreements[grant->agreement], it->marking) &&
	       core_gate(core, grant, &it->who, &when) == GATE_OPEN;
}

static uint32_t find_recipients(struct core *core, const struct core_now *now,
				const struct overdue *it)
{
	const int type = rules_find_type(core->rules, ANSWER);
	const int from = rules_find_agency(core->rules, it->referral.provider);
	const struct rules_deliver_grant *first;
	size_t n_grants = 0;
	uint32_t n = 0;

	if (type >= 0 && from >= 0)
		n_grants = rules_deliveries(core->rules, (uint32_t)type, (uint32_t)from, &first);
	for (size_t i = 0; i < n_grants; i++) {
		const uint32_t number = core->by_rule[first[i].mailbox];

		if (!counts(core, now, it, &first[i]))
			continue;
		if (n == 0 || core->recipients[n - 1].mailbox != number) {
			if (n == RECORD_MAX_RECIPIENTS)
				break;
			core->recipients[n++] = (struct record_recipient){
				.mailbox = number,
				.position = core->mailboxes[number]->next_position,
				.fallback = RULES_NONE,
			};
		}
		core_add_grant(core, &first[i], false, &core->recipients[n - 1]);
	}
	return n;
}

static enum ttg_error store(struct core *core, const struct core_now *now, const struct overdue *it,
			    const Ttg__Event *event, uint32_t n)
{
	struct change told = { .op = CHANGE_OVERDUE };
	struct notice_more more = { .person_key = it->has_person ? it->person_key : NULL,
				    .of_persons = it->has_person, .changes = core->changes };
	const int from = rules_find_agency(core->rules, it->names.referrer);
	struct cursor cursor;

	memcpy(told.a.key, it->referral.key, sizeof(told.a.key));
	cursor_init_write(&cursor, core->changes, sizeof(core->changes));
	change_put(&cursor, &told);
	more.n_changes = cursor_offset(&cursor);
	/* It has the id of the referral: it is kept no longer than what sent it. */
	if (core->sink.seal && it->has_person && from >= 0)
		more.until_s = retain_until_s(core, rules_find_type(core->rules, "referral.sent"),
					      (uint32_t)from, now->real_ns);
	return notice_store_more(core, now, event, core->recipients, n, &more);
}

static enum ttg_error send(struct core *core, const struct core_now *now, struct overdue *it,
			   uint32_t n)
{
	Ttg__BrokerReferralOverdue overdue = TTG__BROKER_REFERRAL_OVERDUE__INIT;
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__Time told = TTG__TIME__INIT, by = TTG__TIME__INIT, since = TTG__TIME__INIT;
	uint8_t id[RECORD_ID];
	enum ttg_error code = notice_make_id(TYPE_OVERDUE, it->referral.answer_by_ns,
					     it->referral.sent, it->id, id);

	if (code != TTG_OK)
		return code;
	told.unix_ns = now->real_ns;
	by.unix_ns = it->referral.answer_by_ns;
	since.unix_ns = it->referral.moved_ns;
	overdue.referral_id = it->names.id;
	overdue.provider_agency = it->referral.provider;
	overdue.referrer_agency = it->names.referrer;
	overdue.answer_by_at = &by;
	overdue.waiting = it->referral.state == REFERRAL_SENT ?
				  TTG__REFERRAL_WAITING__REFERRAL_WAITING_SENT :
				  TTG__REFERRAL_WAITING__REFERRAL_WAITING_ACKNOWLEDGED;
	overdue.since_at = &since;
	overdue.event_id = (ProtobufCBinaryData){ sizeof(it->id), it->id };
	notice_fill(core, &event, &told, TYPE_OVERDUE, id, it->id);
	if (it->marking != TTG__MARKING__MARKING_UNSPECIFIED)
		event.marking = (Ttg__Marking)it->marking;
	event.urgency = TTG__URGENCY__PROMPT;
	event.payload_case = TTG__EVENT__PAYLOAD_BROKER_REFERRAL_OVERDUE;
	event.broker_referral_overdue = &overdue;
	return store(core, now, it, &event, n);
}

/* TTG_ENOENT: it cannot be told now. */
static enum ttg_error tell(struct core *core, const struct core_now *now, struct overdue *it)
{
	enum ttg_error code = read_sent(core, it);
	uint32_t n;

	if (code != TTG_OK)
		return code == TTG_EPERM ? TTG_ENOENT : code;
	n = find_recipients(core, now, it);
	return n > 0 ? send(core, now, it, n) : TTG_ENOENT;
}

enum ttg_error core_run_overdue(struct core *core, const struct core_now *now, bool *more)
{
	const struct referral *first;
	unsigned int n = 0;

	while (core->rules && (first = referrals_due(core->referrals)) &&
	       first->answer_by_ns <= now->real_ns) {
		struct overdue it = { .referral = *first };
		const uint64_t sent = first->sent;
		enum ttg_error code;

		if (n++ == CORE_TIMERS_PER_PUMP) {
			*more = true;
			break;
		}
		code = tell(core, now, &it); /* applying it takes the deadline out */
		if (code == TTG_ENOENT)
			referrals_pass(core->referrals, it.referral.key);
		else if (code != TTG_OK)
			return code;
		core->sink.note(core->sink.self,
				code == TTG_OK ? "referral_overdue" : "referral_overdue_untold", NULL, sent);
	}
	return TTG_OK;
}
