/*
 * broker.identity_conflict: the data steward is told which numbers disagree and which events said so.
 *
 * Told from the state, not from the event that brought it to light: a conflict that is open and was not
 * told is told now, whatever came between. Its id follows from the conflict, so nobody hears of it twice
 * while the broker remembers ids.
 */
#include <stdio.h>
#include <string.h>

#include "core/known.h"
#include "core/notice.h"
#include "core/payload.h"

#define TYPE_CONFLICT "broker.identity_conflict"
#define CLAIMS_MAX 4u

struct claim {
	Ttg__ConflictingClaim claim;
	Ttg__Time at;
	Ttg__Identifier *identifier; /* NULL: the event that named it is gone */
	uint8_t id[RECORD_ID];
	char agency[RULES_ID_MAX + 1];
};

struct story {
	struct claim claims[CLAIMS_MAX];
	Ttg__ConflictingClaim *list[CLAIMS_MAX];
	size_t n;
};

/* An encoded identifier, decoded, if its number has this key. */
static Ttg__Identifier *take(const struct core *core, const struct record_event *event, struct span bytes,
			     const uint8_t *key)
{
	struct person_number number;

	if (!person_number(core->hmac, bytes, event->source, event_year(event->accepted_ns), &number) ||
	    memcmp(number.key, key, PERSON_KEY_BYTES) != 0)
		return NULL;
	return ttg__identifier__unpack(NULL, bytes.len, bytes.at);
}

/* The identifier as that event gave it: among the person's, or in the payload. */
static Ttg__Identifier *find_identifier(const struct core *core, const struct record_event *record,
					const uint8_t *key)
{
	static const char *const fields[] = { "surviving", "removed", "moved_from", "moved_to", "crn",
					      "linked", "replaced", "target", "source", "reactivated",
					      "unmerged" };
	const struct event_clock clock = { record->accepted_ns, core->options.max_skew_s };
	struct span person = event_person((struct span){ record->bytes, record->n_bytes });
	Ttg__Identifier *found = NULL;
	char text[EVENT_TEXT_MAX];
	struct wire_field field;
	struct event event;

	while (!found && wire_next(&person, &field) == WIRE_TOOK) {
		if (field.type == WIRE_SIZED)
			found = take(core, record, field.span, key);
	}
	if (found || event_read(record->bytes, record->n_bytes, core->fields, &clock, &event, text) != TTG_OK)
		return found;
	for (size_t i = 0; !found && i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (event_payload_field(&event, fields[i], &field) && field.type == WIRE_SIZED)
			found = take(core, record, field.span, key);
	}
	return found;
}

/* "This number, in the event of this record." TTG_EAGAIN of the sink; nothing is added when it is gone. */
static enum ttg_error add_claim(const struct core *core, struct story *story, uint32_t number,
				uint64_t sequence, uint32_t side)
{
	struct claim *it = &story->claims[story->n];
	struct record_event event;
	enum ttg_error code = core_read_event(core, sequence, 0, &event, NULL);

	if (code == TTG_ENOENT || code == TTG_ECORRUPT)
		return TTG_OK;
	if (code == TTG_OK)
		code = core_open_event(core, &event);
	if (code == TTG_EPERM)
		return TTG_OK;
	if (code != TTG_OK)
		return code;
	ttg__conflicting_claim__init(&it->claim);
	ttg__time__init(&it->at);
	it->identifier = find_identifier(core, &event, identity_look(core->identity, number)->number.key);
	memcpy(it->id, event.id, sizeof(it->id));
	snprintf(it->agency, sizeof(it->agency), "%s", event.source);
	it->at.unix_ns = event.accepted_ns;
	it->claim.identifier = it->identifier;
	it->claim.event_id = (ProtobufCBinaryData){ sizeof(it->id), it->id };
	it->claim.claimed_agency = it->agency;
	it->claim.claimed_at = &it->at;
	it->claim.side = side;
	story->list[story->n++] = &it->claim;
	return TTG_OK;
}

/* What the number that clashes rests on. */
static enum ttg_error add_clash(const struct core *core, struct story *story, uint32_t number, uint32_t side)
{
	const struct identity_link *link = identity_link_of(core->identity, number);

	return link ? add_claim(core, story, number, link->sequence, side) : TTG_OK;
}

static enum ttg_error tell_story(const struct core *core, const struct identity_link *conflict,
				 struct story *story)
{
	uint32_t clash[2];
	enum ttg_error code = add_claim(core, story, conflict->a, conflict->sequence, 1);

	if (code == TTG_OK)
		code = add_claim(core, story, conflict->b, conflict->sequence, 1);
	if (code == TTG_OK && identity_clash(core->identity, conflict->a, conflict->b, clash)) {
		for (size_t i = 0; i < 2 && code == TTG_OK; i++) {
			if (clash[i] != conflict->a && clash[i] != conflict->b)
				code = add_clash(core, story, clash[i], 2 + (uint32_t)i);
		}
	}
	return code;
}

static Ttg__ConflictKind kind_of(const struct core *core, const struct identity_link *conflict)
{
	const struct identity_number *a = identity_look(core->identity, conflict->a);
	const struct identity_number *b = identity_look(core->identity, conflict->b);

	if (conflict->op == IDENTITY_MERGE)
		return TTG__CONFLICT_KIND__CONFLICT_KIND_MERGE_REFUSED;
	if (conflict->op == IDENTITY_UNMERGE)
		return TTG__CONFLICT_KIND__CONFLICT_KIND_UNMERGE_REFUSED;
	if (a->next != conflict->a && b->next != conflict->b)
		return TTG__CONFLICT_KIND__CONFLICT_KIND_TWO_PERSONS;
	return TTG__CONFLICT_KIND__CONFLICT_KIND_TWO_OF_A_KIND;
}

static uint32_t find_stewards(struct core *core, int64_t now_ns)
{
	const int type = rules_find_type(core->rules, TYPE_CONFLICT);
	const struct rules_deliver_grant *first;
	size_t n_grants = type < 0 ? 0 : rules_deliveries(core->rules, (uint32_t)type, RULES_NONE, &first);
	uint32_t n = 0;

	for (size_t i = 0; i < n_grants && n < RECORD_MAX_RECIPIENTS; i++) {
		const struct rules_agreement *agreement = &core->rules->agreements[first[i].agreement];
		const uint32_t number = core->by_rule[first[i].mailbox];

		if (!rules_in_force(core->rules, first[i].agreement, now_ns) || agreement->official_only ||
		    (n > 0 && core->recipients[n - 1].mailbox == number))
			continue;
		core->recipients[n++] = (struct record_recipient){
			.mailbox = number,
			.position = core->mailboxes[number]->next_position,
			.fallback = RULES_NONE,
			.n_agreements = 1,
			.agreements = { agreement->id },
		};
	}
	return n;
}

static enum ttg_error send(struct core *core, const struct core_now *now,
			   const struct identity_link *conflict, struct story *story, uint8_t *id)
{
	Ttg__BrokerIdentityConflict told = TTG__BROKER_IDENTITY_CONFLICT__INIT;
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__Time at = TTG__TIME__INIT;
	const uint32_t n = find_stewards(core, now->real_ns);
	char name[32];

	if (n == 0)
		return TTG_OK; /* it stands in the list of conflicts */
	snprintf(name, sizeof(name), "%llu.%u", (unsigned long long)conflict->sequence, conflict->part);
	at.unix_ns = now->real_ns;
	told.kind = kind_of(core, conflict);
	told.claims = story->list;
	told.n_claims = story->n;
	told.conflict_id = name;
	if (story->n > 0)
		told.event_id = story->claims[0].claim.event_id;
	notice_fill(core, &event, &at, TYPE_CONFLICT, id, story->n > 0 ? story->claims[0].id : id);
	event.causation_id.len = story->n > 0 ? event.causation_id.len : 0;
	event.urgency = TTG__URGENCY__PROMPT;
	event.payload_case = TTG__EVENT__PAYLOAD_BROKER_IDENTITY_CONFLICT;
	event.broker_identity_conflict = &told;
	return notice_store(core, now, &event, core->recipients, n, NULL, true);
}

enum ttg_error notice_conflict_id(const struct identity_link *conflict, uint8_t id[RECORD_ID])
{
	uint8_t meaning[64];
	struct cursor cursor;

	cursor_init_write(&cursor, meaning, sizeof(meaning));
	cursor_put_sized(&cursor, TYPE_CONFLICT, strlen(TYPE_CONFLICT));
	cursor_put_u64(&cursor, conflict->sequence);
	cursor_put_u8(&cursor, conflict->part);
	return ttg_uuid_from_meaning(id, conflict->at_ns, meaning, cursor_offset(&cursor));
}

static enum ttg_error tell(struct core *core, const struct core_now *now,
			   const struct identity_link *conflict)
{
	struct story story = { .n = 0 };
	uint8_t id[RECORD_ID];
	enum ttg_error code = notice_conflict_id(conflict, id);

	if (code != TTG_OK || notice_was_told(core, id))
		return code;
	code = tell_story(core, conflict, &story);
	if (code == TTG_OK)
		code = send(core, now, conflict, &story, id);
	for (size_t i = 0; i < story.n; i++)
		ttg__identifier__free_unpacked(story.claims[i].identifier, NULL);
	return code;
}

enum ttg_error core_tell_conflicts(struct core *core, const struct core_now *now)
{
	enum ttg_error code = TTG_OK;

	for (size_t i = 0; core->rules && i < identity_conflict_count(core->identity); i++) {
		struct identity_link *conflict = identity_conflict(core->identity, i);

		if (conflict->told)
			continue;
		code = tell(core, now, conflict);
		if (code != TTG_OK)
			break;
		conflict->told = true;
		core->sink.note(core->sink.self, "identity_conflict", NULL, conflict->sequence);
	}
	return code;
}
