/*
 * Deciding one published event: is it one, may this agency say it, is it sound, was it said before,
 * who gets it. The order of the questions is the order of docs/protocol.md, with one exception: an
 * event that was accepted before, byte for byte but for its nonce, gets its first answer again whatever
 * has happened since (agreements end, events expire), because its publisher only wants to know.
 *
 * Nothing changes before core_commit(); every refusal leaves the core as it was.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/planted.h"
#include "core/known.h"
#include "core/payload.h"
#include "core/retain.h"
#include "core/signed.h"

static_assert(EVENT_TEXT_MAX == sizeof(((struct core_outcome *)0)->text), "texts fit outcomes");

#define BROKER_TYPES "broker."

/* One event on its way through the questions. */
struct candidate {
	const struct core_now *now;
	const char *agency;
	const uint8_t *bytes;
	size_t len;
	struct signed_frame *frame; /* it is signed in, as event `index`; NULL: it is not signed */
	uint32_t index;
	struct event event;
	uint32_t type, from;      /* indices in the rules */
	uint32_t n_recipients, n_waiting;
	struct person_number numbers[PERSON_NUMBERS_MAX]; /* valid ones, the best first */
	size_t n_numbers;
	struct gate_person who;
	struct core_followed followed;
	bool links;               /* what it says of numbers counts */
	bool reused;              /* the id was accepted with other content */
	struct core_outcome *out;
};

__attribute__((format(printf, 3, 4))) static bool refuse(struct candidate *it, enum ttg_error code,
							 const char *format, ...)
{
	va_list arguments;

	it->out->kind = CORE_REFUSED;
	it->out->code = code;
	va_start(arguments, format);
	vsnprintf(it->out->text, sizeof(it->out->text), format, arguments);
	va_end(arguments);
	return false;
}

static bool refuse_storage(struct candidate *it, enum ttg_error code)
{
	if (code == TTG_EAGAIN)
		return refuse(it, TTG_REFUSED_BUSY, "the broker's journal is busy");
	if (code == TTG_ENOSPC)
		return refuse(it, TTG_REFUSED_STORAGE, "the broker's storage is full");
	if (code == TTG_ELIMIT)
		return refuse(it, TTG_REFUSED_TOO_LARGE, "larger than a record, recipients included");
	return refuse(it, TTG_REFUSED_STOPPING, "the broker is stopping");
}

uint64_t core_fingerprint(const struct core *core, const char *source, const uint8_t *id)
{
	uint8_t text[RULES_ID_MAX + 1 + RECORD_ID];
	size_t len = strlen(source);

	assert(len <= RULES_ID_MAX);
	memcpy(text, id, RECORD_ID);
	memcpy(text + RECORD_ID, source, len);
	return siphash(core->sip_key, text, RECORD_ID + len);
}

/* False when the event is answered: it was accepted before, or that cannot be told now. */
static bool check_first_time(struct core *core, struct candidate *it)
{
	struct record_event first;
	uint64_t sequence = dedupe_find(core->dedupe,
					core_fingerprint(core, it->agency, it->event.id));
	enum ttg_error code;

	if (sequence == 0)
		return true;
	code = core_read_event(core, sequence, 0, &first, NULL);
	if (code == TTG_OK && (memcmp(first.id, it->event.id, RECORD_ID) != 0 ||
			       strcmp(first.source, it->agency) != 0))
		return true; /* only the fingerprints are the same */
	if (code == TTG_OK)
		code = core_open_event(core, &first);
	if (code == TTG_OK) {
		if (!event_equals((struct span){ first.bytes, first.n_bytes },
				  (struct span){ it->bytes, it->len })) {
			it->reused = true;
			return true;
		}
	} else if (code != TTG_ENOENT && code != TTG_EPERM) { /* gone: what it said cannot be compared */
		return refuse_storage(it, code);
	}
	it->out->kind = CORE_DUPLICATE;
	it->out->sequence = sequence;
	it->out->release_at = sequence;
	return false;
}

static bool check_decode(struct core *core, struct candidate *it)
{
	const struct event_clock clock = { it->now->real_ns, core->options.max_skew_s };
	enum ttg_error code;

	if (it->len > core->options.max_event_bytes)
		return refuse(it, TTG_REFUSED_TOO_LARGE, "larger than %u bytes",
			      core->options.max_event_bytes);
	code = event_read(it->bytes, it->len, core->fields, &clock, &it->event, it->out->text);
	if (code != TTG_OK) {
		it->out->code = code;
		return false;
	}
	if (it->event.type_index >= 0 || (core->rules && rules_find_type(core->rules, it->event.type) >= 0))
		memcpy(it->out->type, it->event.type, sizeof(it->out->type));
	if (strcmp(it->event.source, it->agency) != 0)
		return refuse(it, TTG_REFUSED_SOURCE, "source is not the agency of the key");
	return true;
}

static bool check_agreed(struct core *core, struct candidate *it)
{
	const char *name = it->event.type;
	int type = core->rules ? rules_find_type(core->rules, name) : -1;
	int from = core->rules ? rules_find_agency(core->rules, it->agency) : -1;

	if (type < 0 && it->event.type_index < 0)
		return refuse(it, TTG_REFUSED_TYPE_UNKNOWN,
			      "type is in neither the catalogue nor any agreement");
	if (strncmp(name, BROKER_TYPES, strlen(BROKER_TYPES)) == 0)
		return refuse(it, TTG_REFUSED_NOT_AGREED, "only the broker publishes this type");
	if (type < 0 || from < 0 ||
	    !rules_may_publish(core->rules, (uint32_t)type, (uint32_t)from, it->now->real_ns))
		return refuse(it, TTG_REFUSED_NOT_AGREED,
			      "no agreement in force lets this agency publish the type");
	it->type = (uint32_t)type;
	it->from = (uint32_t)from;
	return true;
}

static bool check_content(struct candidate *it)
{
	if (it->frame && it->event.nonce.len == 0)
		return refuse(it, TTG_REFUSED_SIGNATURE, "is signed and must have a nonce of 16 bytes");
	if (it->event.fault != TTG_OK)
		return refuse(it, it->event.fault, "%s", it->event.fault_text);
	if (it->reused)
		return refuse(it, TTG_REFUSED_ID_REUSED,
			      "id was accepted before with other content");
	return true;
}

static const char *agency_of(const struct rules *rules, uint32_t mailbox)
{
	return rules->agencies[rules->mailboxes[mailbox].agency].id;
}

bool core_marking_fits(const struct rules_agreement *agreement, int32_t marking)
{
	return !agreement->official_only || marking == TTG__MARKING__OFFICIAL;
}

enum gate core_gate(const struct core *core, const struct rules_deliver_grant *grant,
		    const struct gate_person *who, const struct gate_moment *when)
{
	const struct rules *rules = core->rules;

	if (grant->condition == 0 || PLANTED(OPEN_GATE))
		return GATE_OPEN;
	return gate_ask(core->identity, who, &rules->conditions[grant->condition - 1],
			agency_of(rules, grant->mailbox), when);
}

/* The grant is in force, good for the event's marking and, when it is addressed, names this event's
   recipient. Of the person nothing is asked yet. */
bool core_suits(const struct rules *rules, const struct rules_deliver_grant *grant,
		const struct event *event, int64_t now_ns)
{
	struct span named;

	if (!rules_in_force(rules, grant->agreement, now_ns) ||
	    !core_marking_fits(&rules->agreements[grant->agreement], event->marking))
		return false;
	if (!grant->addressed_by[0])
		return true;
	return event_payload_text(event, grant->addressed_by, &named) &&
	       span_is(named, agency_of(rules, grant->mailbox));
}

/* Fields that address this type, in whatever grant: each named agency must be reached by one. Whether
   the person lets it pass is not the publisher's to know. */
static bool check_addressed(const struct core *core, struct candidate *it)
{
	const struct rules_deliver_grant *all, *mine;
	size_t n_all = rules_type_deliveries(core->rules, it->type, &all);
	size_t n_mine = rules_deliveries(core->rules, it->type, it->from, &mine);
	bool addressed = false, any = it->n_recipients > 0;

	for (size_t i = 0; i < n_all; i++) {
		const char *field = all[i].addressed_by;
		struct span named;
		bool reached = false;

		if (!field[0] || !rules_in_force(core->rules, all[i].agreement, it->now->real_ns))
			continue;
		addressed = true;
		if (i > 0 && strcmp(field, all[i - 1].addressed_by) == 0 &&
		    rules_in_force(core->rules, all[i - 1].agreement, it->now->real_ns))
			continue; /* asked already */
		if (!event_payload_text(&it->event, field, &named) || named.len == 0)
			continue;
		for (size_t k = 0; k < n_mine && !reached; k++)
			reached = strcmp(mine[k].addressed_by, field) == 0 &&
				  core_suits(core->rules, &mine[k], &it->event, it->now->real_ns);
		if (!reached)
			return refuse(it, TTG_REFUSED_RECIPIENT,
				      "%s names an unlisted recipient", field);
		any = true;
	}
	if (addressed && !any)
		return refuse(it, TTG_REFUSED_RECIPIENT, "no recipient is named");
	return true;
}

void core_add_grant(const struct core *core, const struct rules_deliver_grant *grant, bool urgent,
		    struct record_recipient *to)
{
	const char *agreement = core->rules->agreements[grant->agreement].id;
	const uint64_t within_ms = (uint64_t)grant->ack_within_s * 1000;

	if (to->n_agreements < RECORD_MAX_AGREEMENTS &&
	    (to->n_agreements == 0 ||
	     strcmp(to->agreements[to->n_agreements - 1], agreement) != 0))
		to->agreements[to->n_agreements++] = agreement;
	if (urgent && within_ms != 0 && (to->ack_within_ms == 0 || within_ms < to->ack_within_ms)) {
		to->ack_within_ms = within_ms;
		to->fallback = grant->fallback == RULES_NONE ? RULES_NONE :
							       core->by_rule[grant->fallback];
	}
}

/* Adds what one grant gives to the recipient it is for: the last one, or a new one. */
static bool add_grant(struct core *core, struct candidate *it,
		      const struct rules_deliver_grant *grant)
{
	uint32_t number = core->by_rule[grant->mailbox];
	const uint32_t n = it->n_recipients;

	if (n == 0 || core->recipients[n - 1].mailbox != number) {
		if (n == RECORD_MAX_RECIPIENTS)
			return refuse(it, TTG_REFUSED_RECIPIENT, "more than %u recipients",
				      RECORD_MAX_RECIPIENTS);
		it->n_recipients++;
		core->recipients[n] = (struct record_recipient){
			.mailbox = number,
			.position = core->mailboxes[number]->next_position,
			.fallback = RULES_NONE,
		};
	}
	if (it->n_waiting > 0 && core->waits[it->n_waiting - 1] / 2 == number)
		it->n_waiting--; /* another grant gives it to the mailbox anyway */
	core_add_grant(core, grant, it->event.urgency == TTG__URGENCY__URGENT,
		       &core->recipients[it->n_recipients - 1]);
	return true;
}

/* What is known of the person does not let it pass; more may be known soon. */
static bool add_waiting(struct core *core, struct candidate *it,
			const struct rules_deliver_grant *grant, enum gate gate)
{
	const uint32_t number = core->by_rule[grant->mailbox];
	const uint64_t value = (uint64_t)number * 2 + (gate == GATE_HELD);

	if (it->n_numbers == 0 || (core->options.look_back_ns == 0 && gate == GATE_SHUT) ||
	    (it->n_recipients > 0 && core->recipients[it->n_recipients - 1].mailbox == number))
		return true;
	if (it->n_waiting > 0 && core->waits[it->n_waiting - 1] / 2 == number) {
		core->waits[it->n_waiting - 1] |= value & 1;
		return true;
	}
	if (it->n_waiting == RECORD_MAX_RECIPIENTS)
		return refuse(it, TTG_REFUSED_RECIPIENT, "more than %u recipients",
			      RECORD_MAX_RECIPIENTS);
	core->waits[it->n_waiting++] = value;
	return true;
}

/* Numbers of the person, whom they lead to, and whether the publisher's word on them counts. */
static void identify(const struct core *core, struct candidate *it)
{
	it->n_numbers = person_numbers(core->hmac, it->event.person, it->agency,
				       event_year(it->now->real_ns), it->numbers);
	it->links = core->rules->agencies[it->from].links &&
		    it->event.assertion == TTG__ASSERTION__FACT;
	gate_find(core->identity, it->numbers,
		  it->n_numbers > 1 && !it->links ? 1 : it->n_numbers, &it->who);
}

void core_who(const struct core *core, const struct record_event *event, struct gate_person *out)
{
	const struct span all = { event->bytes, event->n_bytes };
	struct person_number numbers[PERSON_NUMBERS_MAX];
	const int from = rules_find_agency(core->rules, event->source);
	size_t n = 0;

	if (event->person_key && core->rules->n_conditions > 0)
		n = person_numbers(core->hmac, event_person(all), event->source,
				   event_year(event->accepted_ns), numbers);
	if (n > 1 && (from < 0 || !core->rules->agencies[from].links ||
		      event_assertion(all) != TTG__ASSERTION__FACT))
		n = 1;
	gate_find(core->identity, numbers, n, out);
}

static bool check_referral(struct core *core, struct candidate *it)
{
	char text[EVENT_TEXT_MAX];
	enum ttg_error code = core_follow(core, it->agency, &it->event, &it->followed, text);

	if (code == TTG_REFUSED_REFERRAL)
		return refuse(it, code, "%s", text);
	return code == TTG_OK || refuse_storage(it, code);
}

static bool route(struct core *core, struct candidate *it)
{
	const struct rules_deliver_grant *first;
	size_t n = rules_deliveries(core->rules, it->type, it->from, &first);
	const struct gate_moment now = { it->now->real_ns, UINT64_MAX };
	size_t timers = 0;

	for (size_t i = 0; i < n; i++) {
		enum gate gate;

		if (!core_suits(core->rules, &first[i], &it->event, it->now->real_ns))
			continue;
		gate = core_gate(core, &first[i], &it->who, &now);
		if (gate == GATE_OPEN ? !add_grant(core, it, &first[i]) :
					!add_waiting(core, it, &first[i], gate))
			return false;
	}
	if (!check_addressed(core, it))
		return false;
	for (uint32_t i = 0; i < it->n_recipients; i++) {
		const struct mailbox *mailbox = core->mailboxes[core->recipients[i].mailbox];
		uint32_t max = core->rules->mailboxes[mailbox->rule].max_queued;

		if (max != 0 && mailbox->pending >= max)
			return refuse(it, TTG_REFUSED_BUSY, "a recipient's mailbox is full");
		timers += core->recipients[i].ack_within_ms != 0 ? 1 : 0;
	}
	if (core->timers.n + timers > TIMERS_MAX)
		return refuse(it, TTG_REFUSED_BUSY, "too many urgent events are unanswered");
	/* What has waited too long goes with the next event that is recorded: this one. */
	if (it->n_waiting > 0 && core->waiting.live + it->n_waiting > core->options.max_waiting &&
	    !waiting_is_over(&core->waiting, it->now->real_ns - (int64_t)core->options.look_back_ns))
		return refuse(it, TTG_REFUSED_BUSY, "too many events wait for what is not known yet");
	return true;
}

static bool store(struct core *core, struct candidate *it)
{
	const struct event *event = &it->event;
	uint8_t key[PERSON_KEY_BYTES];
	struct record_event record = {
		.accepted_ns = it->now->real_ns,
		.expires_ns = event->expires_ns,
		.id = event->id,
		.urgency = (uint8_t)(event->urgency & 0x7f),
		.source = event->source,
		.type = event->type,
		.n_recipients = it->n_recipients,
		.n_waiting = it->n_waiting,
		.waiting = core->waits,
		.bytes = it->bytes,
		.n_bytes = it->len,
	};
	const struct core_lesson lesson = { event, it->agency, it->links, it->numbers, it->n_numbers,
					    it->now->real_ns,
					    it->followed.before[0] ? it->followed.before : NULL };
	struct cursor cursor;
	enum ttg_error code;

	if (it->n_numbers > 0)
		record.person_key = it->numbers[0].key;
	else if (person_key(core->hmac, event->person, it->agency, event_year(it->now->real_ns), key))
		record.person_key = key;
	if (core->sink.seal)
		record.until_s = retain_until_s(core, (int)it->type, it->from, it->now->real_ns);
	cursor_init_write(&cursor, core->changes, sizeof(core->changes));
	core_learn(core, &lesson, &cursor);
	if (it->followed.change.op != 0)
		change_put(&cursor, &it->followed.change);
	if (!cursor_ok(&cursor))
		return refuse(it, TTG_REFUSED_TOO_LARGE, "says too much of numbers at once");
	record.changes = core->changes;
	record.n_changes = cursor_offset(&cursor);
	if (event->supersedes.len == RECORD_ID) {
		code = core_correct(core, it->now, it->agency, event->supersedes.at, event->id,
				    it->n_recipients);
		if (code != TTG_OK)
			return refuse_storage(it, code);
	}
	if (it->frame) {
		code = core_record_signed(core, it->now, it->frame);
		if (code != TTG_OK)
			return refuse_storage(it, code);
		record.signed_at = it->frame->sequence;
		record.signed_as = PLANTED(SIGN_NEIGHBOUR) ? (it->index + 1) % it->frame->n : it->index;
	}
	core_begin_record(core, &cursor);
	code = core_put_event(core, &cursor, &record, core->recipients, record.person_key != NULL);
	if (code == TTG_OK)
		code = core_commit(core, it->now, RECORD_EVENT, &cursor, &it->out->sequence);
	if (code != TTG_OK)
		return refuse_storage(it, code);
	pace_event(&core->pace, it->now->mono_ns);
	it->out->kind = CORE_ACCEPTED;
	it->out->release_at = it->out->sequence;
	return true;
}

static void decide(struct core *core, struct candidate *it)
{
	struct core_outcome *out = it->out;

	*out = (struct core_outcome){ .kind = CORE_REFUSED };
	if (core->broken) {
		refuse(it, TTG_REFUSED_STOPPING, "the broker is stopping");
		return;
	}
	core_watch_clock(core, it->now);
	if (check_decode(core, it) && check_first_time(core, it) && check_agreed(core, it) &&
	    check_content(it)) {
		identify(core, it);
		if (route(core, it) && check_referral(core, it))
			store(core, it);
	}
	if (out->kind != CORE_REFUSED) {
		memcpy(out->id, it->event.id, sizeof(out->id));
		out->code = TTG_OK;
		out->text[0] = 0;
	}
}

void core_publish(struct core *core, const struct core_now *now, const char *agency,
		  const uint8_t *event, size_t len, struct core_outcome *out)
{
	struct candidate it = { .now = now, .agency = agency, .bytes = event, .len = len,
				.out = out };

	decide(core, &it);
}

void core_publish_signed(struct core *core, const struct core_now *now, struct signed_frame *frame,
			 uint32_t index, const uint8_t *event, size_t len, struct core_outcome *out)
{
	struct candidate it = { .now = now, .agency = frame->agency, .bytes = event, .len = len,
				.frame = frame, .index = index, .out = out };

	assert(index < frame->n);
	decide(core, &it);
}
