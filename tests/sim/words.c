/* See words.h. */
#include "sim/words.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model.h"
#include "ttg/event.h"

#define LONG_TEXT 4000

/* By which numbers the event names its person; the One Service also enrols, and takes back. */
static void choose_numbers(struct said *said)
{
	uint64_t what;

	said->numbers[0] = who_noms(said->person);
	said->numbers[1] = -1;
	if (!life_now->plan->gated || said->person == 0)
		return;
	what = life_draw(12);
	if (said->type == TYPE_REFERRAL && what < 5) {
		said->type = what < 4 ? TYPE_ENROLLED : TYPE_WITHDRAWN;
	} else if (what < 9) {
		said->numbers[0] = what & 1 ? who_pnc(said->person) : said->numbers[0];
	} else if (said->type == TYPE_RELEASED) {
		said->numbers[1] = life_draw(4) ? who_pnc(said->person)
		                                : (int)life_draw(4 * (uint64_t)life_now->plan->persons);
		if (said->numbers[1] == said->numbers[0])
			said->numbers[1] = -1;
	}
}

/* The One Service sends, the charity answers, each now and then what is not its to say. */
static void choose_referral(struct said *said)
{
	const bool by_provider = said->type == TYPE_REFERRED;

	if (!life_now->plan->referred || (said->type != TYPE_REFERRAL && !by_provider) ||
	    (!by_provider && life_draw(4) == 0))
		return;
	referred_choose(life_now->model, said, by_provider);
	said->type = said->move == REFERRAL_TYPE_SENT ? TYPE_REFERRAL : TYPE_REFERRED;
}

static char texts[][24] = { "service.enrolled", "service.withdrawn", "pilot" };

/* An event with its numbers, and payloads that core_play.h does not have. */
struct words {
	struct play_event it;
	Ttg__ServiceEnrolled enrolled;
	Ttg__ServiceWithdrawn withdrawn;
	struct referral_words referral;
	Ttg__Identifier identifiers[2], *list[2];
	char numbers[2][WHO_TEXT];
};

static void put_in_words(struct play *play, struct words *words, const struct said *said)
{
	Ttg__Event *event = &words->it.event;

	play_event(play, &words->it, said->type < N_TYPES ? said->type : TYPE_REFERRAL, said->person);
	for (size_t i = 0; i < 2 && said->numbers[i] >= 0; i++) {
		ttg__identifier__init(&words->identifiers[i]);
		who_text(said->numbers[i], words->numbers[i]);
		words->identifiers[i].kind = who_is_pnc(said->numbers[i]) ? TTG__IDENTIFIER_KIND__PNC
		                                                         : TTG__IDENTIFIER_KIND__NOMS;
		words->identifiers[i].value = words->numbers[i];
		words->list[i] = &words->identifiers[i];
		words->it.person.n_identifiers = i + 1;
		event->assertion = i > 0 ? TTG__ASSERTION__FACT : event->assertion;
	}
	words->it.person.identifiers = words->list;
	if (said->referral >= 0)
		referred_say(event, &words->referral, said);
	if (said->type < N_TYPES || said->type == TYPE_REFERRED)
		return;
	ttg__service_enrolled__init(&words->enrolled);
	ttg__service_withdrawn__init(&words->withdrawn);
	words->enrolled.scheme = words->withdrawn.scheme = texts[2];
	event->type = texts[said->type == TYPE_WITHDRAWN];
	event->payload_case = said->type == TYPE_ENROLLED ? TTG__EVENT__PAYLOAD_SERVICE_ENROLLED
	                                                  : TTG__EVENT__PAYLOAD_SERVICE_WITHDRAWN;
	if (said->type == TYPE_ENROLLED)
		event->service_enrolled = &words->enrolled;
	else
		event->service_withdrawn = &words->withdrawn;
}

int words_say(struct play *play, int type, int actor)
{
	struct said said = { .type = type, .actor = actor, .open = true, .referral = -1 };
	char text[LONG_TEXT] = "";
	uint8_t nonce[16];
	struct words words;

	/* The more persons, the more there is to learn of them. */
	said.person = (unsigned int)life_draw((life_now->plan->gated ? 2 : 1) *
	                                              (uint64_t)life_now->plan->persons + 1);
	choose_numbers(&said);
	choose_referral(&said);
	play->now = (struct core_now){ life_now->clock.real_ns, life_now->clock.mono_ns };
	play->next_id = life_now->model->n_events;
	put_in_words(play, &words, &said);
	if (said.type == TYPE_RELEASED && life_draw(16) < life_now->plan->large) {
		memset(text, 'x', (size_t)life_draw(LONG_TEXT));
		words.it.released.movement_reason_description = text;
	}
	if (life_draw(12) == 0) {
		said.expires_ns = play->now.real_ns + (int64_t)life_draw(20) * PLAY_SECOND + 1;
		words.it.expires.unix_ns = said.expires_ns;
		words.it.event.expires_at = &words.it.expires;
	}
	memcpy(said.id, words.it.id, 16);
	memcpy(nonce, said.id, sizeof(nonce)); /* no two are the same, which is all that is asked here */
	if (life_now->plan->sign)
		words.it.event.nonce = (ProtobufCBinaryData){ sizeof(nonce), nonce };
	said.len = ttg__event__get_packed_size(&words.it.event);
	said.bytes = malloc(said.len + 1);
	assert(said.bytes);
	ttg__event__pack(&words.it.event, said.bytes);
	if (said.type == TYPE_RELEASED) { /* as broker_make_rules() grants it to the police */
		words.it.event.person = NULL;
		words.it.event.nonce.len = 0;
		text[0] = '\0';
		said.part_len = ttg__event__get_packed_size(&words.it.event);
		said.part = malloc(said.part_len);
		assert(said.part);
		ttg__event__pack(&words.it.event, said.part);
	}
	return model_say(life_now->model, &said);
}
