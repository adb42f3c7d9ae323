/* Rules and events for tests of the core; see core_play.h. One thread. */
#include "support/core_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const play_agencies[] = { "broker", "charity", "oneservice", "police", "prison" };
const char *const play_mailboxes[] = { "charity/in", "oneservice/desk", "oneservice/in",
					       "police/in", "prison/in" };
const uint32_t play_owners[] = { 1, 2, 2, 3, 4 };
static const char *const play_types[] = {
	"broker.alert_unacknowledged", "broker.lane_parked", "future.thing", "police.arrest",
	"prison.released", "referral.sent"
};
static char play_texts[][32] = { "prison", "police", "oneservice", "prison.released",
				  "police.arrest", "referral.sent" };

void play_grant_publish(struct rules *rules, uint32_t type, uint32_t agency)
{
	rules->publish = realloc(rules->publish, (rules->n_publish + 1) * sizeof(*rules->publish));
	rules->publish[rules->n_publish++] = (struct rules_publish_grant){ type, agency, 0 };
}

struct rules_deliver_grant *play_grant(struct rules *rules, uint32_t type,
							    uint32_t from, uint32_t mailbox,
							    uint32_t agreement)
{
	struct rules_deliver_grant *it;

	rules->deliver = realloc(rules->deliver, (rules->n_deliver + 1) * sizeof(*rules->deliver));
	it = &rules->deliver[rules->n_deliver++];
	memset(it, 0, sizeof(*it));
	it->type = type;
	it->from = from;
	it->mailbox = mailbox;
	it->agreement = agreement;
	it->fallback = RULES_NONE;
	return it;
}

struct rules *play_rules(bool with_limited)
{
	struct rules *rules = rules_new();
	struct rules_deliver_grant *grant;

	assert_non_null(rules);
	strcpy(rules->broker, "broker");
	rules->n_agencies = 5;
	rules->agencies = calloc(5, sizeof(*rules->agencies));
	for (size_t i = 0; i < 5; i++)
		strcpy(rules->agencies[i].id, play_agencies[i]);
	rules->n_mailboxes = N_BOXES;
	rules->mailboxes = calloc(N_BOXES, sizeof(*rules->mailboxes));
	for (size_t i = 0; i < N_BOXES; i++) {
		strcpy(rules->mailboxes[i].id, play_mailboxes[i]);
		rules->mailboxes[i].agency = play_owners[i];
		rules->mailboxes[i].max_attempts = 3;
		rules->mailboxes[i].retry_ms = 100;
		rules->mailboxes[i].retry_max_ms = 1000;
	}
	rules->n_agreements = N_AGREEMENTS;
	rules->agreements = calloc(N_AGREEMENTS, sizeof(*rules->agreements));
	strcpy(rules->agreements[0].id, "always");
	rules->agreements[0].to_ns = RULES_FOREVER;
	strcpy(rules->agreements[1].id, "limited");
	rules->agreements[1].to_ns = PLAY_NOW + 3600 * PLAY_SECOND;
	rules->n_types = N_TYPES;
	rules->types = calloc(N_TYPES, sizeof(*rules->types));
	for (size_t i = 0; i < N_TYPES; i++)
		strcpy(rules->types[i], play_types[i]);
	play_grant_publish(rules, TYPE_RELEASED, PLAY_PRISON);
	play_grant_publish(rules, TYPE_FUTURE, PLAY_PRISON);
	play_grant_publish(rules, TYPE_ARREST, PLAY_POLICE);
	play_grant_publish(rules, TYPE_REFERRAL, PLAY_ONESERVICE);
	play_grant(rules, TYPE_RELEASED, PLAY_PRISON, BOX_ONESERVICE, AGREED_ALWAYS);
	play_grant(rules, TYPE_FUTURE, PLAY_PRISON, BOX_ONESERVICE, AGREED_ALWAYS);
	if (with_limited)
		play_grant(rules, TYPE_RELEASED, PLAY_PRISON, BOX_POLICE, AGREED_LIMITED);
	grant = play_grant(rules, TYPE_ARREST, PLAY_POLICE, BOX_ONESERVICE, AGREED_ALWAYS);
	grant->ack_within_s = 60;
	grant->fallback = BOX_DESK;
	grant = play_grant(rules, TYPE_REFERRAL, PLAY_ONESERVICE, BOX_CHARITY, AGREED_ALWAYS);
	strcpy(grant->addressed_by, "provider_agency");
	play_grant(rules, TYPE_PARKED, RULES_NONE, BOX_DESK, AGREED_ALWAYS);
	assert_true(rules_finish(rules));
	return rules;
}

void play_event(struct play *play, struct play_event *it, int type,
				     unsigned int person)
{
	memset(it, 0, sizeof(*it));
	ttg__event__init(&it->event);
	ttg__time__init(&it->occurred);
	ttg__time__init(&it->expires);
	ttg__person__init(&it->person);
	ttg__identifier__init(&it->identifier);
	ttg__prison_released__init(&it->released);
	ttg__police_arrest__init(&it->arrest);
	ttg__referral_sent__init(&it->referral);
	it->id[0] = 1;
	it->id[6] = 0x70;
	it->id[8] = 0x80;
	play->next_id++;
	memcpy(it->id + 9, &play->next_id, 7);
	it->event.id = (ProtobufCBinaryData){ 16, it->id };
	it->occurred.unix_ns = play->now.real_ns;
	it->event.occurred_at = &it->occurred;
	if (type == TYPE_RELEASED) {
		it->event.source = play_texts[0];
		it->event.type = play_texts[3];
		it->event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RELEASED;
		it->event.prison_released = &it->released;
	} else if (type == TYPE_ARREST) {
		it->event.source = play_texts[1];
		it->event.type = play_texts[4];
		it->event.urgency = TTG__URGENCY__URGENT;
		it->event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
		it->event.police_arrest = &it->arrest;
	} else {
		it->event.source = play_texts[2];
		it->event.type = play_texts[5];
		strcpy(it->provider, "charity");
		it->referral.provider_agency = it->provider;
		it->event.payload_case = TTG__EVENT__PAYLOAD_REFERRAL_SENT;
		it->event.referral_sent = &it->referral;
	}
	if (person == 0)
		return;
	snprintf(it->noms, sizeof(it->noms), "A%04uBC", person % 10000);
	it->identifier.kind = TTG__IDENTIFIER_KIND__NOMS;
	it->identifier.value = it->noms;
	it->identifiers[0] = &it->identifier;
	it->person.n_identifiers = 1;
	it->person.identifiers = it->identifiers;
	it->event.person = &it->person;
}

size_t play_pack(const struct core_now *now, uint64_t *next_id, int type, unsigned int person,
		 uint8_t out[PLAY_EVENT_MAX])
{
	struct play play = { .now = *now, .next_id = *next_id };
	struct play_event event;

	play_event(&play, &event, type, person);
	*next_id = play.next_id;
	assert_true(ttg__event__get_packed_size(&event.event) <= PLAY_EVENT_MAX);
	return ttg__event__pack(&event.event, out);
}

struct core_outcome play_publish(struct play *play,
						      const struct play_event *it)
{
	struct core_outcome outcome;
	size_t len = ttg__event__get_packed_size(&it->event);
	uint8_t *bytes = malloc(len + 1);

	assert_non_null(bytes);
	ttg__event__pack(&it->event, bytes);
	core_publish(play->core, &play->now, it->event.source, bytes, len, &outcome);
	free(bytes);
	return outcome;
}

uint64_t play_say(struct play *play, int type, unsigned int person)
{
	struct play_event event;
	struct core_outcome outcome;

	play_event(play, &event, type, person);
	outcome = play_publish(play, &event);
	if (outcome.kind != CORE_ACCEPTED)
		fail_msg("refused: %d %s", (int)outcome.code, outcome.text);
	assert_true(outcome.release_at == outcome.sequence);
	return outcome.sequence;
}
