/* What whoever was asked has answered: a provider, the police, the prison. See sent.h. */
#include "desk/sent.h"

#include <stdio.h>
#include <string.h>
#include "desk/act_field.h"

#define DECISIONS_MAX 100 /* the newest decisions about access that are looked at */

/* What the provider made of a referral of ours. */
static void referral_answer(const struct person *person, const char *id, struct sent_answer *out)
{
	static const char *const words[] = {
		[REFERRAL_SENT] = "",
		[REFERRAL_ACKNOWLEDGED] = "Read by the provider",
		[REFERRAL_ACCEPTED] = "Accepted by the provider",
		[REFERRAL_ASSIGNED] = "A worker has it",
		[REFERRAL_STARTED] = "Work has begun",
		[REFERRAL_ENDED] = "Work has ended",
		[REFERRAL_DECLINED] = "Declined by the provider",
		[REFERRAL_WITHDRAWN] = "Taken back by us",
	};
	const struct person_referral *referral =
	        person == NULL ? NULL : person_find_referral(person, id);
	char reason[ACT_WORD_BYTES];

	if (referral == NULL || referral->state == REFERRAL_SENT)
		return;
	snprintf(out->text, sizeof(out->text), "%s", words[referral->state]);
	if (referral->state == REFERRAL_DECLINED) {
		act_word(reason, &ttg__decline_reason__descriptor, referral->decline_reason);
		snprintf(out->text, sizeof(out->text), "%s: %s", words[referral->state], reason);
	}
	out->no = referral->state == REFERRAL_DECLINED;
	out->at_ns = referral->state_ns;
	out->event = referral->last_event;
}

static void flag_answer(const struct person *person, const char *id, struct sent_answer *out)
{
	char word[ACT_WORD_BYTES];

	for (size_t i = 0; person != NULL && i < person->n_flags; i++) {
		const struct person_request *request = &person->flags[i];

		if (strcmp(request->id, id) != 0 || request->outcome == 0)
			continue;
		act_word(word, &ttg__flag_outcome__descriptor, request->outcome);
		snprintf(out->text, sizeof(out->text), "%s by the police", word);
		out->no = request->outcome == (int)TTG__FLAG_OUTCOME__FLAG_OUTCOME_REFUSED;
		out->at_ns = request->done_ns;
		out->event = request->answer_event;
	}
}

/* True when it was. A decision that cannot be read is passed over. */
static bool take_decision(const struct desk *desk, uint32_t index, const char *id,
                          struct sent_answer *out)
{
	const Ttg__PrisonAccessDecision *decision;
	struct message message;
	Ttg__Event *event;
	char word[ACT_WORD_BYTES];
	bool found;

	if (views_read(desk->views, desk->store, index, &event, NULL, &message) != TTG_OK)
		return false;
	decision = event->prison_access_decision;
	found = event->payload_case == TTG__EVENT__PAYLOAD_PRISON_ACCESS_DECISION &&
	        strcmp(decision->request_id, id) == 0;
	if (found) {
		act_word(word, &ttg__access_decision__descriptor, (int)decision->decision);
		snprintf(out->text, sizeof(out->text), "%s by the prison", word);
		out->no = decision->decision != TTG__ACCESS_DECISION__ACCESS_DECISION_GRANTED;
		out->at_ns = views_event(desk->views, index)->happened_ns;
		out->event = index;
	}
	ttg__event__free_unpacked(event, NULL);
	return found;
}

/* The newest decision about that request, which came after it. */
static void access_answer(const struct desk *desk, const Ttg__Event *asked, struct sent_answer *out)
{
	const char *id = asked->service_access_requested->request_id;
	const int16_t decision = (int16_t)ttg_type_find("prison.access_decision");
	const uint32_t first = views_find_event(desk->views, asked->id.data);
	size_t looked = 0;

	if (first == VIEWS_NOBODY)
		return;
	for (size_t i = views_n_events(desk->views); i > first && looked < DECISIONS_MAX; i--) {
		const struct view_event *seen = views_event(desk->views, i - 1);

		if (seen->type != decision || seen->superseded_by != VIEWS_NOBODY)
			continue;
		looked++;
		if (take_decision(desk, (uint32_t)(i - 1), id, out))
			return;
	}
}

void sent_find_answer(const struct desk *desk, const Ttg__Event *event, const struct person *person,
                      struct sent_answer *out)
{
	*out = (struct sent_answer){ .text = "", .event = VIEWS_NOBODY };
	if (event->payload_case == TTG__EVENT__PAYLOAD_REFERRAL_SENT)
		referral_answer(person, event->referral_sent->referral_id, out);
	else if (event->payload_case == TTG__EVENT__PAYLOAD_SERVICE_FLAG_REQUESTED)
		flag_answer(person, event->service_flag_requested->request_id, out);
	else if (event->payload_case == TTG__EVENT__PAYLOAD_SERVICE_ACCESS_REQUESTED)
		access_answer(desk, event, out);
}
