/* A person's referrals: made by whichever event names one first, moved by those after it. */
#include "desk/person_internal.h"

#include <stdlib.h>
#include <string.h>

/* What every event of the family says. */
struct said {
	const char *id, *provider, *referrer;
	enum referral_state state;
	const Ttg__Time *at;
	bool answer; /* yes or no */
	const char *worker;
};

static bool read_said(struct said *out, const Ttg__Event *event)
{
#define SAID(message, to, time)                                                                    \
	*out = (struct said)                                                                       \
	{                                                                                          \
		.id = (message)->referral_id, .provider = (message)->provider_agency,              \
		.referrer = (message)->referrer_agency, .state = (to), .at = (time)                \
	}
	switch ((int)event->payload_case) {
	case TTG__EVENT__PAYLOAD_REFERRAL_SENT:
		SAID(event->referral_sent, REFERRAL_SENT, NULL);
		return true;
	case TTG__EVENT__PAYLOAD_REFERRAL_ACKNOWLEDGED:
		SAID(event->referral_acknowledged, REFERRAL_ACKNOWLEDGED,
		     event->referral_acknowledged->acknowledged_at);
		return true;
	case TTG__EVENT__PAYLOAD_REFERRAL_ACCEPTED:
		SAID(event->referral_accepted, REFERRAL_ACCEPTED,
		     event->referral_accepted->accepted_at);
		out->answer = true;
		return true;
	case TTG__EVENT__PAYLOAD_REFERRAL_DECLINED:
		SAID(event->referral_declined, REFERRAL_DECLINED,
		     event->referral_declined->declined_at);
		out->answer = true;
		return true;
	case TTG__EVENT__PAYLOAD_REFERRAL_ASSIGNED:
		SAID(event->referral_assigned, REFERRAL_ASSIGNED,
		     event->referral_assigned->assigned_at);
		if (event->referral_assigned->worker != NULL)
			out->worker = event->referral_assigned->worker->name;
		return true;
	case TTG__EVENT__PAYLOAD_REFERRAL_STARTED:
		SAID(event->referral_started, REFERRAL_STARTED,
		     event->referral_started->started_at);
		if (event->referral_started->worker != NULL)
			out->worker = event->referral_started->worker->name;
		return true;
	case TTG__EVENT__PAYLOAD_REFERRAL_ENDED:
		SAID(event->referral_ended, REFERRAL_ENDED, event->referral_ended->ended_at);
		return true;
	case TTG__EVENT__PAYLOAD_REFERRAL_WITHDRAWN:
		SAID(event->referral_withdrawn, REFERRAL_WITHDRAWN,
		     event->referral_withdrawn->withdrawn_at);
		return true;
	default:
		return false;
	}
#undef SAID
}

static struct person_referral *find_or_add(struct person *person, const struct said *said)
{
	struct person_referral *list = person->referrals;

	for (size_t i = 0; i < person->n_referrals; i++)
		if (strcmp(list[i].id, said->id) == 0 &&
		    strcmp(list[i].referrer, said->referrer) == 0)
			return &list[i];
	if (person->n_referrals == PERSON_REFERRALS_MAX) { /* the oldest goes */
		memmove(&list[0], &list[1], (PERSON_REFERRALS_MAX - 1) * sizeof(*list));
		person->n_referrals--;
	} else if (person->n_referrals == person->room_referrals) {
		size_t room = person->room_referrals == 0 ? 4 : person->room_referrals * 2;

		list = realloc(list, room * sizeof(*list));
		if (list == NULL)
			return NULL;
		person->referrals = list;
		person->room_referrals = room;
	}
	list = &list[person->n_referrals++];
	*list = (struct person_referral){ .sent_event = UINT32_MAX, .last_event = UINT32_MAX };
	TAKE_TEXT(list->id, said->id);
	TAKE_TEXT(list->referrer, said->referrer);
	return list;
}

enum ttg_error person_take_referral(struct person *person, const struct telling *telling)
{
	const Ttg__ReferralSent *sent = telling->event->referral_sent;
	struct person_referral *to;
	struct said said;

	if (!read_said(&said, telling->event))
		return TTG_OK;
	if (said.referrer[0] == '\0' &&
	    (said.state == REFERRAL_SENT || said.state == REFERRAL_WITHDRAWN))
		said.referrer = telling->event->source;
	to = find_or_add(person, &said);
	if (to == NULL)
		return TTG_ENOMEM;
	if (said.provider[0] != '\0') /* an answer may come without, where that is not granted */
		TAKE_TEXT(to->provider, said.provider);
	if (said.state == REFERRAL_SENT) {
		to->need = (int)sent->need;
		to->sent_ns = telling->happened_ns;
		to->answer_by_ns = sent->answer_by_at != NULL ? sent->answer_by_at->unix_ns : 0;
		to->sent_event = telling->index;
		if (to->last_event != UINT32_MAX)
			return TTG_OK; /* an answer overtook it */
	}
	to->state = said.state;
	to->state_ns = person_when(telling, said.at);
	to->last_event = telling->index;
	if (said.answer) {
		to->answered_ns = to->state_ns;
		to->decline_reason = said.state == REFERRAL_DECLINED
		                             ? (int)telling->event->referral_declined->reason
		                             : 0;
	}
	if (said.worker != NULL)
		TAKE_TEXT(to->worker, said.worker);
	return TTG_OK;
}
