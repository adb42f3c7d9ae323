/* See referral_play.h. */
#include "support/referral_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/assert.h"

const char *const referral_types[REFERRAL_TYPES] = {
	"referral.sent",     "referral.withdrawn", "referral.acknowledged", "referral.accepted",
	"referral.declined", "referral.assigned",  "referral.started",      "referral.ended",
};

#define NAME(payload)										\
	do {											\
		(payload)->referral_id = words->id;						\
		(payload)->provider_agency = words->provider;					\
		(payload)->referrer_agency = words->referrer;					\
	} while (false)

#define SAY(word, case_word)									\
	do {											\
		ttg__referral_##word##__init(&words->word);					\
		NAME(&words->word);								\
		event->referral_##word = &words->word;						\
		event->payload_case = TTG__EVENT__PAYLOAD_REFERRAL_##case_word;			\
	} while (false)

void referral_say(Ttg__Event *event, struct referral_words *words, const struct referral_said *said)
{
	memset(words, 0, sizeof(*words));
	snprintf(words->type, sizeof(words->type), "%s", referral_types[said->type]);
	snprintf(words->source, sizeof(words->source), "%s", said->source);
	snprintf(words->id, sizeof(words->id), "%s", said->id);
	snprintf(words->provider, sizeof(words->provider), "%s", said->provider);
	snprintf(words->referrer, sizeof(words->referrer), "%s", said->referrer);
	event->type = words->type;
	event->source = words->source;
	if (said->type == REFERRAL_TYPE_SENT)
		SAY(sent, SENT);
	else if (said->type == REFERRAL_TYPE_WITHDRAWN)
		SAY(withdrawn, WITHDRAWN);
	else if (said->type == REFERRAL_TYPE_ACKNOWLEDGED)
		SAY(acknowledged, ACKNOWLEDGED);
	else if (said->type == REFERRAL_TYPE_ACCEPTED)
		SAY(accepted, ACCEPTED);
	else if (said->type == REFERRAL_TYPE_DECLINED)
		SAY(declined, DECLINED);
	else if (said->type == REFERRAL_TYPE_ASSIGNED)
		SAY(assigned, ASSIGNED);
	else if (said->type == REFERRAL_TYPE_STARTED)
		SAY(started, STARTED);
	else
		SAY(ended, ENDED);
	if (said->cancelled)
		words->ended.outcome = TTG__REFERRAL_OUTCOME__REFERRAL_OUTCOME_CANCELLED;
	if (said->answer_by_ns == 0)
		return;
	ttg__time__init(&words->by);
	words->by.unix_ns = said->answer_by_ns;
	words->sent.answer_by_at = &words->by;
}

static uint32_t type_of(struct rules *rules, const char *name)
{
	for (uint32_t i = 0; i < rules->n_types; i++)
		if (strcmp(rules->types[i], name) == 0)
			return i;
	rules->types = realloc(rules->types, (rules->n_types + 1) * sizeof(*rules->types));
	must_be(rules->types != NULL, "no memory");
	memset(&rules->types[rules->n_types], 0, sizeof(*rules->types));
	snprintf(rules->types[rules->n_types], sizeof(*rules->types), "%s", name);
	return (uint32_t)rules->n_types++;
}

static bool publishes(const struct rules *rules, uint32_t type, uint32_t agency)
{
	for (size_t i = 0; i < rules->n_publish; i++)
		if (rules->publish[i].type == type && rules->publish[i].agency == agency)
			return true;
	return false;
}

static bool delivers(const struct rules *rules, uint32_t type, uint32_t from, uint32_t mailbox)
{
	for (size_t i = 0; i < rules->n_deliver; i++)
		if (rules->deliver[i].type == type && rules->deliver[i].from == from &&
		    rules->deliver[i].mailbox == mailbox)
			return true;
	return false;
}

void referral_rules(struct rules *rules, bool with_police)
{
	static const uint32_t agencies[] = { PLAY_ONESERVICE, PLAY_CHARITY, PLAY_POLICE };
	static const uint32_t boxes[] = { BOX_CHARITY, BOX_POLICE };
	const size_t n = with_police ? 3 : 2;

	for (int i = 0; i < REFERRAL_TYPES; i++) {
		const uint32_t type = type_of(rules, referral_types[i]);
		const bool answer = i > REFERRAL_TYPE_WITHDRAWN;

		for (size_t k = 0; k < n; k++) {
			if (!publishes(rules, type, agencies[k]))
				play_grant_publish(rules, type, agencies[k]);
			for (size_t b = 0; b < (answer ? 1 : n - 1); b++) {
				const uint32_t box = answer ? BOX_DESK : boxes[b];

				if (!delivers(rules, type, agencies[k], box))
					strcpy(play_grant(rules, type, agencies[k], box, AGREED_ALWAYS)
						       ->addressed_by,
					       answer ? "referrer_agency" : "provider_agency");
			}
		}
	}
}

struct rules *play_referral_rules(void)
{
	struct rules *rules = play_rules(true);

	referral_rules(rules, true);
	must_be(rules_finish(rules), "no memory");
	return rules;
}

static void attach(struct play *play)
{
	play_attach(play, BOX_CHARITY, REFERRAL_CHARITY, 1000);
	play_attach(play, BOX_DESK, REFERRAL_DESK, 1000);
}

struct play *referral_stage(struct play *play)
{
	struct rules *rules = play_referral_rules();

	must_be(core_set_rules(play->core, &play->now, rules) == TTG_OK, "rules that are not taken");
	rules_free(&play->rules);
	play->rules = rules;
	attach(play);
	play_settle(play);
	return play;
}

void referral_restart(struct play *play, bool with_snapshot)
{
	uint8_t *snapshot = NULL;
	size_t len = 0;

	play_settle(play);
	if (with_snapshot)
		must_be(core_snapshot(play->core, &snapshot, &len) == TTG_OK, "no snapshot");
	play_restart(play, play->n_records, snapshot, len);
	free(snapshot);
	attach(play);
}

struct referral_spoken referral_publish(struct play *play, const struct referral_said *said,
					const uint8_t *corrects)
{
	struct referral_words words;
	struct play_event it;
	struct referral_spoken spoken;
	uint8_t copy[16];

	play_event(play, &it, TYPE_REFERRAL, 1);
	referral_say(&it.event, &words, said);
	if (corrects) {
		memcpy(copy, corrects, sizeof(copy));
		it.event.supersedes = (ProtobufCBinaryData){ sizeof(copy), copy };
	}
	memcpy(spoken.id, it.id, sizeof(spoken.id));
	spoken.outcome = play_publish(play, &it);
	return spoken;
}

const struct referral_said referral_plain = { .id = "R-1", .provider = "charity",
					      .referrer = "oneservice" };

struct core_outcome referral_move_by(struct play *play, const char *id, int type, int64_t answer_by_ns)
{
	struct referral_said said = referral_plain;

	said.type = type;
	said.source = type <= REFERRAL_TYPE_WITHDRAWN ? "oneservice" : "charity";
	said.id = id;
	said.answer_by_ns = answer_by_ns;
	return referral_publish(play, &said, NULL).outcome;
}

struct core_outcome referral_move(struct play *play, const char *id, int type)
{
	return referral_move_by(play, id, type, 0);
}

void referral_must_move(struct play *play, const char *id, int type)
{
	const struct core_outcome outcome = referral_move(play, id, type);

	if (outcome.kind != CORE_ACCEPTED)
		must_fail("%s: %s", referral_types[type], outcome.text);
}
