/*
 * Forms of the inbox, and what is done with them. See inbox.h.
 *
 * Happy path of a form: not done yet (by its id) -> its fields make an event -> the event is one the
 * broker would take -> the table allows it -> durable in the spool -> among the referrals, waiting.
 * Two people who answer at once: the second is told where the referral stands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "base/world.h"
#include "common/cloudevents.h"
#include "common/spool_put.h"
#include "partner/inbox.h"
#include "partner/words.h"
#include "web/page.h"

#define CHOICES_MAX 48

/* What a form is shown for. */
struct form {
	const struct action *action;
	const struct referral *referral;
	char event_id[TTG_UUID_TEXT];
	char appointment_id[REFERRAL_ID_BYTES];
	const struct page_errors *errors;
};

static void put_choice_field(struct html *html, const struct page_control *control,
                             const struct action_field *field)
{
	struct page_choice choices[CHOICES_MAX];
	char words[CHOICES_MAX][WORDS_BYTES];
	size_t n = 0;

	choices[n++] = (struct page_choice){ .value = "", .label = "Choose" };
	for (unsigned i = 0; i < field->choices->n_values && n < CHOICES_MAX; i++) {
		const ProtobufCEnumValue *value = &field->choices->values[i];

		if (value->value == 0)
			continue;
		words_of(field->choices, value->value, words[n]);
		choices[n] = (struct page_choice){ .value = value->name,
			                           .label = words[n],
			                           .chosen = strcmp(control->value, value->name) == 0 };
		n++;
	}
	page_select(html, control, choices, n);
}

static void put_field(struct html *html, const struct web_request *request,
                      const struct action_field *field, const struct page_errors *errors)
{
	char clock[64];
	struct page_control control = { .name = field->name,
		                        .label = field->label,
		                        .hint = field->hint,
		                        .value = web_field(request, field->name),
		                        .errors = errors };

	snprintf(clock, sizeof(clock), "%s_clock", field->name);
	switch (field->kind) {
	case ACTION_CHOICE:
		put_choice_field(html, &control, field);
		return;
	case ACTION_AREA:
		page_textarea(html, &control, 4);
		return;
	case ACTION_NUMBER:
		control.width = 5;
		control.input_mode = "numeric";
		break;
	case ACTION_DATE:
	case ACTION_MOMENT:
		control.type = "date";
		control.width = 10;
		break;
	case ACTION_TEXT:
		break;
	}
	page_input(html, &control);
	if (field->kind == ACTION_MOMENT)
		page_input(html, &(struct page_control){ .name = clock,
		                                         .label = "Time of day",
		                                         .hint = "",
		                                         .value = web_field(request, clock),
		                                         .width = 5,
		                                         .type = "time" });
}

static void put_form(const struct web_request *request, struct web_response *response,
                     const struct form *form)
{
	struct html *html = &response->body;
	struct html path = inbox_path(form->referral, form->action->verb);
	char heading[REFERRAL_ID_BYTES + 64];

	snprintf(heading, sizeof(heading), "%s: referral %s", form->action->title, form->referral->id);
	page_begin(request, response, heading, heading, form->errors);
	page_form(html, request, path.bytes);
	html_add(html, "<input type=\"hidden\" name=\"event_id\" value=\"%s\">\n", form->event_id);
	if (form->appointment_id[0] != '\0')
		html_add(html, "<input type=\"hidden\" name=\"appointment_id\" value=\"%s\">\n",
		         form->appointment_id);
	for (size_t i = 0; i < form->action->n_fields; i++)
		put_field(html, request, &form->action->fields[i], form->errors);
	page_button(html, form->action->title);
	html_raw(html, "</form>\n");
	page_end(request, response);
	html_fini(&path);
}

/* The action and the referral of the request; false after a page that says what is wrong. */
static bool begin(const struct partner *partner, const struct web_request *request,
                  struct web_response *response, struct form *form)
{
	const char *appointment = web_field(request, "appointment_id");

	memset(form, 0, sizeof(*form));
	form->action = action_find(request->parts[2]);
	if (form->action == NULL) {
		web_refuse(request, response, 404, "There is no such action.");
		return false;
	}
	form->referral = inbox_find(partner, request, response);
	if (form->referral == NULL)
		return false;
	if (strlen(appointment) >= sizeof(form->appointment_id)) {
		web_refuse(request, response, 400, "The appointment's number is too long.");
		return false;
	}
	strcpy(form->appointment_id, appointment);
	return true;
}

static void refuse_as_it_stands(const struct web_request *request, struct web_response *response,
                                const struct referral *referral)
{
	char text[128];

	snprintf(text, sizeof(text), "The referral is %s: this cannot be done now.",
	         referral_state_name(referral->state));
	web_refuse(request, response, 409, text);
}

static bool new_id(char out[TTG_UUID_TEXT])
{
	uint8_t id[TTG_UUID_BYTES];

	if (ttg_uuid_new(id) != TTG_OK)
		return false;
	ttg_uuid_format(id, out);
	return true;
}

void inbox_show_form(void *user, const struct web_request *request, struct web_response *response)
{
	struct form form;
	char appointment_id[TTG_UUID_TEXT];

	if (!begin(user, request, response, &form))
		return;
	if (!inbox_offers(user, form.action, form.referral)) {
		refuse_as_it_stands(request, response, form.referral);
		return;
	}
	if (!new_id(form.event_id) || !new_id(appointment_id)) {
		web_refuse(request, response, 503, "There are no random numbers.");
		return;
	}
	if (strcmp(form.action->verb, "appointment") == 0 && form.appointment_id[0] == '\0')
		snprintf(form.appointment_id, sizeof(form.appointment_id), "%s", appointment_id);
	put_form(request, response, &form);
}

/* Into the spool, and among the referrals as waiting. */
static enum ttg_error send_out(struct partner *partner, const json_t *json, const Ttg__Event *event,
                               int64_t now_ns, struct message *message)
{
	struct caseload_news news = { .at_ns = now_ns, .ours = true, .answer = STEP_WAITS };
	char *text = json_dumps(json, JSON_COMPACT);
	uint8_t *bytes = NULL;
	enum ttg_error error = text == NULL ? TTG_ENOMEM
	                                    : ttg_event_pack(event, &bytes, &news.encoded_bytes);

	if (error == TTG_OK)
		error = spool_put(world_real(), partner->context->spool_dir, "inbox", text,
		                  strlen(text), message);
	news.encoded = bytes;
	/* Without memory it is found when the spool is read. */
	if (error == TTG_OK)
		(void)caseload_add(partner->referrals, &news);
	free(text);
	free(bytes);
	return error;
}

/* What is no good about the event as a whole goes on top of the form. */
static enum ttg_error check_and_send(struct partner *partner, const json_t *json, int64_t now_ns,
                                     struct message *message)
{
	Ttg__Event *event = NULL;
	unsigned ignored;
	enum ttg_error error = cloudevents_read(json, &event, &ignored, message);

	if (error != TTG_OK)
		return error;
	error = caseload_check(partner->referrals, event, message);
	if (error == TTG_OK)
		error = send_out(partner, json, event, now_ns, message);
	ttg__event__free_unpacked(event, NULL);
	return error;
}

/* False after a page; the id of the form is a UUID, and the referral may be moved so. */
static bool may_be_done(const struct partner *partner, const struct web_request *request,
                        struct web_response *response, struct form *form)
{
	struct html path = inbox_path(form->referral, NULL);
	uint8_t id[TTG_UUID_BYTES];
	bool fine = false;

	if (ttg_uuid_parse(web_field(request, "event_id"), id) != TTG_OK) {
		web_refuse(request, response, 400, "The form is not complete. Open it again.");
	} else if (caseload_know(partner->referrals, id)) { /* sent twice */
		web_redirect(response, "%s", path.bytes);
	} else if (!inbox_offers(partner, form->action, form->referral)) {
		refuse_as_it_stands(request, response, form->referral);
	} else {
		ttg_uuid_format(id, form->event_id);
		fine = true;
	}
	html_fini(&path);
	return fine;
}

void inbox_take_form(void *user, const struct web_request *request, struct web_response *response)
{
	struct partner *partner = user;
	struct page_errors errors = { .n = 0 };
	struct message message = { "" };
	struct form form;
	json_t *json;
	enum ttg_error error = TTG_EFORMAT;

	if (!begin(partner, request, response, &form) ||
	    !may_be_done(partner, request, response, &form))
		return;
	const struct action_made made = {
		.action = form.action,
		.referral = form.referral,
		.agency = partner->context->agency,
		.event_id = form.event_id,
		.appointment_id = form.appointment_id[0] == '\0' ? NULL : form.appointment_id,
		.now_ns = request->now_ns,
	};

	json = action_build(&made, request, &errors);
	if (json != NULL)
		error = check_and_send(partner, json, request->now_ns, &message);
	else if (errors.n == 0)
		message_set(&message, TTG_ENOMEM, "There is no memory.");
	json_decref(json);
	if (error == TTG_OK) {
		struct html path = inbox_path(form.referral, NULL);

		log_write(partner->context->log, LOG_LEVEL_INFO, "inbox_answer", "id=%s type=%s",
		          form.event_id, form.action->type);
		web_say(request, form.action->said);
		web_redirect(response, "%s", path.bytes);
		html_fini(&path);
		return;
	}
	if (errors.n == 0)
		page_error_add(&errors, "", "%s", message.text);
	form.errors = &errors;
	put_form(request, response, &form);
}
