/* Forms and the events made of them. See actions.h. Pure but for malloc. */
#include "partner/actions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "base/utf8.h"
#include "common/cloudevents.h"

#define WORKER "worker_"

#define OUR_NUMBER                                                                                 \
	{ "provider_reference", "Your own number for it", "Optional", ACTION_TEXT, .max = 64 }
#define NOTE                                                                                       \
	{ "text", "Note for who referred him", "Optional, at most 256 characters. No risk, no offence",  \
	  ACTION_AREA, .max = 256 }
#define COUNT(n) .n_fields = (n)

const struct action actions[] = {
	{ "acknowledge", "referral.acknowledged", "Acknowledge",
	  "Acknowledged: the answer is on its way.", "acknowledged_at", .about_whom = "handler",
	  .fields = { OUR_NUMBER }, COUNT(1) },
	{ "accept", "referral.accepted", "Accept", "Accepted: the answer is on its way.",
	  "accepted_at",
	  .fields = { OUR_NUMBER,
	              { "start_by_date", "Work begins by", "Optional", ACTION_DATE },
	              { "wait_days", "Expected waiting time in days", "Optional", ACTION_NUMBER,
	                .max = 3650 },
	              NOTE },
	  COUNT(4) },
	{ "decline", "referral.declined", "Decline", "Declined: the answer is on its way.",
	  "declined_at",
	  .fields = { { "reason", "Reason", "", ACTION_CHOICE, true,
	                .choices = &ttg__decline_reason__descriptor },
	              NOTE },
	  COUNT(2) },
	{ "assign", "referral.assigned", "Assign", "Assigned: the referrer is being told.",
	  "assigned_at",
	  .fields = { { WORKER "name", "Who works with him", "", ACTION_TEXT, true, .max = 128 },
	              { WORKER "role", "Role", "Optional, for example caseworker", ACTION_TEXT,
	                .max = 128 },
	              { WORKER "telephone", "Work telephone", "Optional", ACTION_TEXT, .max = 64 },
	              NOTE },
	  COUNT(4) },
	{ "start", "referral.started", "Record the start", "Started: the referrer is being told.",
	  .fields = { { "started_at", "First session", "", ACTION_MOMENT, true },
	              { "planned_session_count", "Sessions planned", "Optional", ACTION_NUMBER,
	                .max = 1000 },
	              { "expected_end_date", "Expected end", "Optional", ACTION_DATE },
	              NOTE },
	  COUNT(4) },
	{ "end", "referral.ended", "Record the end", "Ended: the referrer is being told.", "ended_at",
	  .fields = { { "outcome", "How it ended", "Before the start only: cancelled", ACTION_CHOICE, true,
	                .choices = &ttg__referral_outcome__descriptor },
	              { "need_met", "Was the need met", "Optional", ACTION_CHOICE,
	                .choices = &ttg__answer__descriptor },
	              { "attended_session_count", "Sessions he came to", "Optional", ACTION_NUMBER,
	                .max = 10000 },
	              { "missed_session_count", "Sessions he missed", "Optional", ACTION_NUMBER,
	                .max = 10000 },
	              NOTE },
	  COUNT(5) },
	{ "appointment", "partner.appointment", "Record an appointment",
	  "The appointment is on its way to who referred him.",
	  .fields = { { "status", "The appointment is", "", ACTION_CHOICE, true,
	                .choices = &ttg__appointment_status__descriptor },
	              { "starts_at", "When", "", ACTION_MOMENT, true },
	              { "place", "Where", "Optional, office by name", ACTION_TEXT, .max = 128 },
	              { "mode", "How you meet", "Optional", ACTION_CHOICE,
	                .choices = &ttg__appointment_mode__descriptor },
	              { "duration_minutes", "Minutes", "Optional", ACTION_NUMBER, .max = 1440 },
	              { "bring", "What to bring along", "Optional", ACTION_TEXT, .max = 256 } },
	  COUNT(6) },
	{ "outcome", "partner.outcome", "Record a result",
	  "The result is on its way to who referred him.",
	  .fields = { { "result", "What was reached or refused", "", ACTION_CHOICE, true,
	                .choices = &ttg__partner_result__descriptor },
	              { "effective_date", "From when", "", ACTION_DATE, true },
	              { "result_description", "In words", "Optional", ACTION_TEXT, .max = 256 } },
	  COUNT(3) },
};
const size_t n_actions = sizeof(actions) / sizeof(*actions);

const struct action *action_find(const char *verb)
{
	for (size_t i = 0; i < n_actions; i++) {
		if (strcmp(actions[i].verb, verb) == 0)
			return &actions[i];
	}
	return NULL;
}

bool action_is_possible(const struct action *action, const struct referral *referral)
{
	const struct move *move = move_of(action->type, false);
	const struct move *cancelling = move_of(action->type, true);

	if (referral->sent == NULL)
		return false;
	if (move == NULL)
		return referral_is_open(referral->state);
	return move_is_allowed(move, referral->state, REFERRAL_PROVIDER) ||
	       move_is_allowed(cancelling, referral->state, REFERRAL_PROVIDER);
}

/* Where a field's value belongs, and its name there. */
static json_t *member_of(json_t *data, const struct action_field *field, const char **name)
{
	json_t *worker;

	*name = field->name;
	if (strncmp(field->name, WORKER, strlen(WORKER)) != 0)
		return data;
	*name += strlen(WORKER);
	worker = json_object_get(data, "worker");
	if (worker == NULL) {
		worker = json_object();
		json_object_set_new(data, "worker", worker);
	}
	return worker;
}

static json_t *read_number(const struct action_field *field, const char *text,
                           struct page_errors *errors)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && number <= field->max)
		return json_integer((json_int_t)number);
	page_error_add(errors, field->name, "%s must be a number up to %zu", field->label, field->max);
	return NULL;
}

static json_t *read_choice(const struct action_field *field, const char *text,
                           struct page_errors *errors)
{
	const ProtobufCEnumValue *value =
	        protobuf_c_enum_descriptor_get_value_by_name(field->choices, text);

	if (value != NULL && value->value != 0)
		return json_string(value->name);
	page_error_add(errors, field->name, "%s: choose one", field->label);
	return NULL;
}

static json_t *read_moment(const struct action_field *field, const char *date, const char *clock,
                           struct page_errors *errors)
{
	char text[INSTANT_TEXT];
	int64_t at_ns;

	if (date_is_valid(date) && clock_is_valid(clock) &&
	    instant_from_civil(date, clock, &at_ns) == TTG_OK) {
		instant_format(at_ns, text);
		return json_string(text);
	}
	page_error_add(errors, field->name, "%s: enter a day and a time", field->label);
	return NULL;
}

static json_t *read_text(const struct action_field *field, const char *text,
                         struct page_errors *errors)
{
	if (strlen(text) > field->max)
		page_error_add(errors, field->name, "%s is too long", field->label);
	else if (!utf8_is_clean(text, strlen(text)))
		page_error_add(errors, field->name, "%s holds characters that cannot be sent",
		               field->label);
	else
		return json_string(text);
	return NULL;
}

/* NULL: not given, or an error was added. */
static json_t *read_field(const struct action_field *field, const struct web_request *request,
                          struct page_errors *errors)
{
	const char *text = web_field(request, field->name);
	char clock[64];

	if (text[0] == '\0') {
		if (field->required)
			page_error_add(errors, field->name, "%s: this is needed", field->label);
		return NULL;
	}
	switch (field->kind) {
	case ACTION_NUMBER:
		return read_number(field, text, errors);
	case ACTION_CHOICE:
		return read_choice(field, text, errors);
	case ACTION_MOMENT:
		snprintf(clock, sizeof(clock), "%s_clock", field->name);
		return read_moment(field, text, web_field(request, clock), errors);
	case ACTION_DATE:
		if (date_is_valid(text))
			return json_string(text);
		page_error_add(errors, field->name, "%s: enter a day that exists", field->label);
		return NULL;
	case ACTION_TEXT:
	case ACTION_AREA:
		break;
	}
	return read_text(field, text, errors);
}

/* What every answer repeats, and whom it is about. */
static bool add_referral(const struct action_made *made, json_t *data)
{
	const struct referral *referral = made->referral;
	json_t *sent = cloudevents_write(referral->sent->event, NULL);
	json_t *person = json_object_get(json_object_get(sent, "data"), "person");
	bool fine = sent != NULL &&
	            json_object_set_new(data, "referral_id", json_string(referral->id)) == 0;

	if (fine && person != NULL)
		fine = json_object_set(data, "person", person) == 0;
	if (fine && move_of(made->action->type, false) != NULL)
		fine = json_object_set_new(data, "referrer_agency",
		                           json_string(referral->referrer)) == 0 &&
		       json_object_set_new(data, "provider_agency", json_string(made->agency)) == 0;
	if (fine && made->appointment_id != NULL)
		fine = json_object_set_new(data, "appointment_id",
		                           json_string(made->appointment_id)) == 0;
	json_decref(sent);
	return fine;
}

static bool add_moment_and_name(const struct action_made *made, const struct web_request *request,
                                json_t *data)
{
	char now[INSTANT_TEXT];
	json_t *handler;
	bool fine = true;

	instant_format(made->now_ns, now);
	if (made->action->moment != NULL)
		fine = json_object_set_new(data, made->action->moment, json_string(now)) == 0;
	if (fine && made->action->about_whom != NULL && request->user != NULL) {
		handler = json_pack("{s:s}", "name", request->user->name);
		fine = json_object_set_new(data, made->action->about_whom, handler) == 0;
	}
	return fine;
}

static json_t *envelope(const struct action_made *made, json_t *take_data)
{
	const Ttg__Event *sent = made->referral->sent->event;
	char now[INSTANT_TEXT];
	char id[TTG_UUID_TEXT];
	json_t *event;

	instant_format(made->now_ns, now);
	event = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "specversion", "1.0", "id",
	                  made->event_id, "source", made->agency, "type", made->action->type, "time",
	                  now, "recordedtime", now, "data", take_data);
	if (event != NULL && sent->id.len == TTG_UUID_BYTES) {
		ttg_uuid_format(sent->id.data, id);
		json_object_set_new(event, "causationid", json_string(id));
	}
	if (event != NULL && sent->correlation_id.len == TTG_UUID_BYTES) {
		ttg_uuid_format(sent->correlation_id.data, id);
		json_object_set_new(event, "correlationid", json_string(id));
	}
	return event;
}

json_t *action_build(const struct action_made *made, const struct web_request *request,
                     struct page_errors *errors)
{
	json_t *data = json_object();

	for (size_t i = 0; i < made->action->n_fields; i++) {
		const struct action_field *field = &made->action->fields[i];
		json_t *value = read_field(field, request, errors);
		const char *name;
		json_t *member;

		if (value == NULL)
			continue;
		member = member_of(data, field, &name);
		json_object_set_new(member, name, value);
	}
	if (errors->n == 0 && data != NULL && add_referral(made, data) &&
	    add_moment_and_name(made, request, data))
		return envelope(made, data);
	json_decref(data);
	return NULL;
}
