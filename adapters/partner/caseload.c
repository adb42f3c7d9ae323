/*
 * Referrals out of events. See caseload.h. A hash table of referrals by referrer and id, each with
 * its steps; what a referral is in is worked out anew whenever a step comes or is answered.
 */
#include "partner/caseload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

struct caseload {
	const char *agency;
	struct referral *buckets[BUCKETS];
	struct referral **list; /* in order of hearing */
	size_t n, room;
	size_t n_events;
};

/* Whom an event is about, as its payload names it; "" where it has no such field. */
struct names {
	const char *id, *referrer, *provider;
};

static const char *text_of(const ProtobufCMessage *payload, const char *name)
{
	const ProtobufCFieldDescriptor *field =
	        protobuf_c_message_descriptor_get_field_by_name(payload->descriptor, name);
	const char *text = NULL;

	if (field != NULL && field->type == PROTOBUF_C_TYPE_STRING &&
	    field->label != PROTOBUF_C_LABEL_REPEATED)
		memcpy(&text, (const char *)payload + field->offset, sizeof(text));
	return text == NULL ? "" : text;
}

/* Who says nothing of himself is meant, as the broker reads it. */
static struct names names_of(const Ttg__Event *event)
{
	/* Every member of the union is a pointer to a message. */
	const ProtobufCMessage *payload = (const ProtobufCMessage *)event->referral_sent;
	const struct move *move = move_of(event->type, false);
	struct names names = { "", "", "" };

	if (event->payload_case == TTG__EVENT__PAYLOAD__NOT_SET || payload == NULL)
		return names;
	names = (struct names){ text_of(payload, "referral_id"), text_of(payload, "referrer_agency"),
		                text_of(payload, "provider_agency") };
	if (move != NULL && move->by == REFERRAL_REFERRER && names.referrer[0] == '\0')
		names.referrer = event->source;
	if (move != NULL && move->by == REFERRAL_PROVIDER && names.provider[0] == '\0')
		names.provider = event->source;
	return names;
}

static bool fits(const struct names *names)
{
	return names->id[0] != '\0' && strlen(names->id) < REFERRAL_ID_BYTES &&
	       strlen(names->referrer) < REFERRAL_AGENCY &&
	       strlen(names->provider) < REFERRAL_AGENCY;
}

/* Of the id alone, so that an appointment, which names no referrer, finds its referral. */
static size_t hash(const char *text)
{
	uint64_t sum = 14695981039346656037u;

	for (; *text != '\0'; text++)
		sum = (sum ^ (unsigned char)*text) * 1099511628211u;
	return (size_t)(sum % BUCKETS);
}

/* "" of referrer or provider: whoever. */
static struct referral *find(const struct caseload *referrals, const struct names *names)
{
	struct referral *at = referrals->buckets[hash(names->id)];

	while (at != NULL && (strcmp(at->id, names->id) != 0 ||
	                      (names->referrer[0] != '\0' &&
	                       strcmp(at->referrer, names->referrer) != 0) ||
	                      (names->provider[0] != '\0' &&
	                       strcmp(at->provider, names->provider) != 0)))
		at = at->next;
	return at;
}

struct caseload *caseload_new(const char *agency)
{
	struct caseload *referrals = calloc(1, sizeof(*referrals));

	if (referrals != NULL)
		referrals->agency = agency;
	return referrals;
}

static void free_step(struct referral_step *step)
{
	ttg__event__free_unpacked(step->event, NULL);
	free(step);
}

void caseload_free(struct caseload **referrals)
{
	if (*referrals == NULL)
		return;
	for (size_t i = 0; i < (*referrals)->n; i++) {
		struct referral *referral = (*referrals)->list[i];

		for (size_t j = 0; j < referral->n_steps; j++)
			free_step(referral->steps[j]);
		free(referral->steps);
		free(referral);
	}
	free((*referrals)->list);
	free(*referrals);
	*referrals = NULL;
}

/* The list with room for one more pointer; NULL without memory, and it stays. */
static void *grown(void *list, size_t n, size_t *room)
{
	size_t wanted = *room == 0 ? 8 : *room * 2;
	void *longer;

	if (n < *room)
		return list;
	longer = realloc(list, wanted * sizeof(void *));
	if (longer != NULL)
		*room = wanted;
	return longer;
}

static struct referral *make(struct caseload *referrals, const struct names *names)
{
	struct referral **longer = grown(referrals->list, referrals->n, &referrals->room);
	struct referral *made = longer == NULL ? NULL : calloc(1, sizeof(*made));
	size_t bucket = hash(names->id);

	if (longer != NULL)
		referrals->list = longer;
	if (made == NULL)
		return NULL;
	snprintf(made->id, sizeof(made->id), "%s", names->id);
	snprintf(made->referrer, sizeof(made->referrer), "%s", names->referrer);
	snprintf(made->provider, sizeof(made->provider), "%s", names->provider);
	made->next = referrals->buckets[bucket];
	referrals->buckets[bucket] = made;
	referrals->list[referrals->n++] = made;
	return made;
}

static void weigh(struct referral *referral)
{
	referral->state = REFERRAL_UNKNOWN;
	referral->sent = NULL;
	for (size_t i = 0; i < referral->n_steps; i++) {
		const struct referral_step *step = referral->steps[i];
		const struct move *move = move_of(step->event->type, false);

		if (move == NULL || step->answer == STEP_REFUSED)
			continue;
		if (move->to > referral->state)
			referral->state = move->to;
		if (move->to == REFERRAL_SENT)
			referral->sent = step;
	}
}

static bool is_id(const Ttg__Event *event, const uint8_t id[TTG_UUID_BYTES])
{
	return memcmp(event->id.data, id, TTG_UUID_BYTES) == 0;
}

static struct referral_step *find_step(const struct referral *referral,
                                       const uint8_t id[TTG_UUID_BYTES])
{
	for (size_t i = 0; i < referral->n_steps; i++) {
		if (is_id(referral->steps[i]->event, id))
			return referral->steps[i];
	}
	return NULL;
}

/* Takes the step over when it is fine. */
static enum ttg_error put(struct referral *referral, struct referral_step *step)
{
	struct referral_step **longer =
	        grown(referral->steps, referral->n_steps, &referral->room_steps);
	size_t at = referral->n_steps;

	if (longer == NULL)
		return TTG_ENOMEM;
	referral->steps = longer;
	for (; at > 0 && longer[at - 1]->at_ns > step->at_ns; at--)
		longer[at] = longer[at - 1];
	longer[at] = step;
	referral->n_steps++;
	weigh(referral);
	return TTG_OK;
}

static enum ttg_error add_step(struct caseload *referrals, struct referral *referral,
                               Ttg__Event **event, const struct caseload_news *news)
{
	struct referral_step *step;

	if (referrals->n_events == CASELOAD_EVENTS_MAX)
		return TTG_ELIMIT;
	step = calloc(1, sizeof(*step));
	if (step == NULL)
		return TTG_ENOMEM;
	step->event = *event;
	step->at_ns = news->at_ns;
	step->ours = news->ours;
	step->answer = news->answer;
	step->code = news->code;
	snprintf(step->why, sizeof(step->why), "%s", news->why == NULL ? "" : news->why);
	if (put(referral, step) != TTG_OK) {
		free(step);
		return TTG_ENOMEM;
	}
	*event = NULL;
	referrals->n_events++;
	return TTG_OK;
}

enum ttg_error caseload_add(struct caseload *referrals, const struct caseload_news *news)
{
	Ttg__Event *event = ttg__event__unpack(NULL, news->encoded_bytes, news->encoded);
	struct referral *referral;
	struct names names;
	enum ttg_error error = TTG_OK;

	if (event == NULL)
		return TTG_OK;
	names = names_of(event);
	if (event->id.len != TTG_UUID_BYTES || !fits(&names))
		goto out;
	referral = find(referrals, &names);
	if (referral == NULL && move_of(event->type, false) != NULL) {
		referral = make(referrals, &names);
		if (referral == NULL)
			error = TTG_ENOMEM;
	}
	if (referral != NULL && find_step(referral, event->id.data) == NULL)
		error = add_step(referrals, referral, &event, news);
out:
	if (event != NULL)
		ttg__event__free_unpacked(event, NULL);
	return error;
}

static struct referral *find_by_event(const struct caseload *referrals,
                                      const uint8_t id[TTG_UUID_BYTES])
{
	for (size_t i = referrals->n; i > 0; i--) {
		if (find_step(referrals->list[i - 1], id) != NULL)
			return referrals->list[i - 1];
	}
	return NULL;
}

void caseload_answer(struct caseload *referrals, const uint8_t id[TTG_UUID_BYTES],
                      enum ttg_error code, const char *why)
{
	struct referral *referral = find_by_event(referrals, id);
	struct referral_step *step = referral == NULL ? NULL : find_step(referral, id);

	if (step == NULL || !step->ours)
		return;
	step->answer = code == TTG_OK ? STEP_STANDS : STEP_REFUSED;
	step->code = code;
	snprintf(step->why, sizeof(step->why), "%s", why == NULL ? "" : why);
	weigh(referral);
}

bool caseload_know(const struct caseload *referrals, const uint8_t id[TTG_UUID_BYTES])
{
	return find_by_event(referrals, id) != NULL;
}

/* It takes back one of ours, of the same type, about this referral: it moves nothing. */
static bool corrects(const struct referral *referral, const Ttg__Event *event)
{
	const struct referral_step *step =
	        event->supersedes.len != TTG_UUID_BYTES
	                ? NULL
	                : find_step(referral, event->supersedes.data);

	return step != NULL && step->ours && strcmp(step->event->type, event->type) == 0;
}

static enum ttg_error check_move(const struct caseload *referrals, const struct names *names,
                                 const struct move *move, enum referral_state state,
                                 struct message *message)
{
	const char *mine = move->by == REFERRAL_PROVIDER ? names->provider : names->referrer;

	if (names->referrer[0] == '\0')
		return message_set(message, TTG_EFORMAT, "referrer_agency: is missing");
	if (strcmp(mine, referrals->agency) != 0)
		return message_set(message, TTG_EPERM, "%s: must be %s",
		                   move->by == REFERRAL_PROVIDER ? "provider_agency"
		                                                 : "referrer_agency",
		                   referrals->agency);
	if (move_is_allowed(move, state, move->by))
		return TTG_OK;
	if (move_is_allowed(move_of(move->type, true), state, move->by))
		return message_set(message, TTG_EPERM,
		                   "outcome: the referral is %s and can only be cancelled",
		                   referral_state_name(state));
	return message_set(message, TTG_EPERM, "type: the referral is %s",
	                   referral_state_name(state));
}

enum ttg_error caseload_check(const struct caseload *referrals, const Ttg__Event *event,
                               struct message *message)
{
	const struct names names = names_of(event);
	const bool cancels = event->payload_case == TTG__EVENT__PAYLOAD_REFERRAL_ENDED &&
	                     event->referral_ended->outcome ==
	                             TTG__REFERRAL_OUTCOME__REFERRAL_OUTCOME_CANCELLED;
	const struct move *move = move_of(event->type, cancels);
	const struct referral *referral;

	if (move == NULL)
		return TTG_OK;
	if (!fits(&names))
		return message_set(message, TTG_EFORMAT, "referral_id: is missing or too long");
	referral = find(referrals, &names);
	if (referral != NULL && (find_step(referral, event->id.data) != NULL ||
	                         corrects(referral, event)))
		return TTG_OK;
	return check_move(referrals, &names, move,
	                  referral == NULL ? REFERRAL_UNKNOWN : referral->state, message);
}

size_t caseload_count(const struct caseload *referrals)
{
	return referrals->n;
}

const struct referral *caseload_at(const struct caseload *referrals, size_t index)
{
	return index < referrals->n ? referrals->list[index] : NULL;
}

const struct referral *caseload_find(const struct caseload *referrals, const char *referrer,
                                      const char *id)
{
	const struct names names = { id, referrer, referrals->agency };

	return fits(&names) && referrer[0] != '\0' ? find(referrals, &names) : NULL;
}

bool referral_is_ours(const struct caseload *referrals, const struct referral *referral)
{
	return strcmp(referral->provider, referrals->agency) == 0;
}

bool referral_is_overdue(const struct referral *referral, int64_t now_ns)
{
	const Ttg__Time *by = referral->sent == NULL
	                              ? NULL
	                              : referral->sent->event->referral_sent->answer_by_at;

	return by != NULL && referral_is_new(referral->state) && by->unix_ns < now_ns;
}

static bool is_appointment(const struct referral_step *step)
{
	return step->answer != STEP_REFUSED &&
	       step->event->payload_case == TTG__EVENT__PAYLOAD_PARTNER_APPOINTMENT;
}

void referral_each_appointment(const struct referral *referral,
                               bool (*each)(void *arg, const struct referral_step *step), void *arg)
{
	for (size_t i = 0; i < referral->n_steps; i++) {
		const struct referral_step *step = referral->steps[i];
		bool newest = is_appointment(step);

		for (size_t j = i + 1; newest && j < referral->n_steps; j++)
			newest = !is_appointment(referral->steps[j]) ||
			         strcmp(step->event->partner_appointment->appointment_id,
			                referral->steps[j]
			                        ->event->partner_appointment->appointment_id) != 0;
		if (newest && !each(arg, step))
			return;
	}
}
