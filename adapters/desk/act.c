/* What all forms have in common: who may, whom it is about, the way of a form. See act.h. */
#include "desk/act_field.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bounds.h"
#include "desk/rows.h"
#include "desk/send.h"

#define BREACH_BYTES           160
#define PERSON_IDENTIFIERS_MAX 16 /* proto/common.proto */

const char *act_scheme(const struct act *act)
{
	const struct person_scheme *scheme =
	        act->person == NULL ? NULL : person_scheme(act->person);

	return scheme != NULL ? scheme->scheme : act->desk->settings.scheme;
}

const char *act_consent(const struct act *act)
{
	const struct person_scheme *scheme =
	        act->person == NULL ? NULL : person_scheme(act->person);

	return scheme != NULL ? scheme->consent_version : "";
}

const char *act_prison(const struct act *act)
{
	if (act->person != NULL && act->person->prison_code[0] != '\0')
		return act->person->prison_code;
	if (act->person != NULL && act->person->release.prison_code[0] != '\0')
		return act->person->release.prison_code;
	return act->desk->settings.prison_code;
}

/* The number in the path; NULL: nobody has it. */
static const struct person *find_person(const struct desk *desk, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || strlen(text) > 9)
		return NULL;
	return views_person(desk->views, (uint32_t)number);
}

/* A number that the broker may match: without one nobody could tell whom the event is about. */
static bool has_number(const struct person *person)
{
	for (size_t i = 0; i < person->n_numbers; i++)
		if (person->numbers[i].valid &&
		    identifier_is_match_key((enum identifier_kind)person->numbers[i].kind))
			return true;
	return false;
}

static const char *why_not(const struct act *act)
{
	if (act->desk->settings.spool_dir[0] == '\0')
		return "Nothing can be sent from this desk: it has no spool.";
	if (!act->form->about_nobody && !has_number(act->person))
		return "No number is known by which other agencies would know whom this is about.";
	return act->form->why_not == NULL ? NULL : act->form->why_not(act);
}

void act_refuse_limited(const struct web_request *request, struct web_response *response,
                        const struct person *person)
{
	const char *caseworker = row_caseworker(person);
	char text[WORD_BYTES + 96];

	snprintf(text, sizeof(text), "This is a limited-access case. %s%s%s",
	         caseworker[0] != '\0' ? "Ask " : "Nobody is named as working with this person.",
	         caseworker, caseworker[0] != '\0' ? ", who works with this person." : "");
	web_refuse(request, response, 403, text);
}

/* Who may, and about whom. False: a page says why not. */
static bool begin(struct act *act, struct desk *desk, const struct web_request *request,
                  struct web_response *response, enum act_what what)
{
	memset(act, 0, sizeof(*act));
	act->form = &act_forms[what];
	act->desk = desk;
	act->request = request;
	act->posted = strcmp(request->method, "POST") == 0;
	act->now_ns = request->now_ns;
	assert(request->user != NULL);
	if ((act->form->roles & request->user->role) == 0) {
		web_refuse(request, response, 403, "Your role does not let you do this.");
		return false;
	}
	if (act->form->about_nobody)
		return true;
	act->person = find_person(desk, request->parts[0]);
	if (act->person == NULL) {
		web_refuse(request, response, 404, "There is nobody under this number.");
		return false;
	}
	if (desk_may_see(request, act->person))
		return true;
	act_refuse_limited(request, response, act->person);
	return false;
}

/* A page that says why it cannot be done now (409), and where to go on. */
static void tell(const struct act *act, struct web_response *response, const char *why,
                 const char *link, const char *label)
{
	response->status = 409;
	page_begin(act->request, response, act->form->title, act->form->title, NULL);
	page_warning(&response->body, why);
	html_add(&response->body,
	         "<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"%s\">%s</a></p>\n", link,
	         label);
	page_end(act->request, response);
}

static void tell_why_not(const struct act *act, struct web_response *response, const char *why)
{
	char link[32];

	snprintf(link, sizeof(link), "/people/%u", act->person == NULL ? 0 : act->person->number);
	if (act->person != NULL)
		tell(act, response, why, link, "Their record");
	else
		tell(act, response, why, "/people", "People");
}

static void show_whom(const struct act *act, struct html *html)
{
	const struct person_number *number =
	        act->person == NULL ? NULL : person_best_number(act->person);

	if (number != NULL)
		html_add(html,
		         "<p class=\"govuk-body\">About <a class=\"govuk-link\" "
		         "href=\"/people/%u\">%s</a></p>\n",
		         act->person->number, number->value);
}

static void show(struct act *act, struct web_response *response)
{
	struct html *html = &response->body;

	page_begin(act->request, response, act->form->title, act->form->title, &act->errors);
	show_whom(act, html);
	if (act->person != NULL && send_is_waiting(act->desk, act->person))
		page_inset(html, "Something about this person was sent and is not taken yet. Look "
		                 "under Sent before you send it again.");
	page_form(html, act->request, act->request->path);
	html_add(html, "<input type=\"hidden\" name=\"id\" value=\"%s\">\n", act->id_text);
	act->form->show(act, html);
	page_button(html, act->form->button);
	html_raw(html, "</form>\n");
	if (act->person != NULL)
		html_add(html,
		         "<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"/people/%u\">"
		         "Back without sending</a></p>\n",
		         act->person->number);
	page_end(act->request, response);
}

void act_show(struct desk *desk, const struct web_request *request, struct web_response *response,
              enum act_what what)
{
	struct act act;
	const char *why;

	if (!begin(&act, desk, request, response, what))
		return;
	why = why_not(&act);
	if (why != NULL) {
		tell_why_not(&act, response, why);
		return;
	}
	if (ttg_uuid_new(act.id) != TTG_OK) {
		web_refuse(request, response, 503, "There are no random numbers just now.");
		return;
	}
	ttg_uuid_format(act.id, act.id_text);
	show(&act, response);
}

/* All numbers that may be matched, and his other ones; an arrest's stands for no man. */
static void add_numbers(struct act *act)
{
	static const int order[] = {
		TTG__IDENTIFIER_KIND__NOMS,        TTG__IDENTIFIER_KIND__CRN,
		TTG__IDENTIFIER_KIND__PNC,         TTG__IDENTIFIER_KIND__CRO,
		TTG__IDENTIFIER_KIND__CASE_NUMBER, TTG__IDENTIFIER_KIND__BOOKING
	};
	const struct person *person = act->person;
	size_t n = 0;

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (size_t i = 0; i < person->n_numbers && n < PERSON_IDENTIFIERS_MAX; i++) {
			const struct person_number *number = &person->numbers[i];
			const Ttg__Person *made;

			if (number->kind != order[k] || !number->valid)
				continue;
			build_person(&act->build, (enum identifier_kind)number->kind,
			             number->value);
			made = act->build.event == NULL ? NULL : act->build.event->person;
			if (made == NULL || made->n_identifiers == n)
				continue;
			act_set(act, &made->identifiers[n++]->issuer, "issuer", number->issuer);
		}
	}
}

/* The event as the form says it. False: act->errors says what is wrong. */
static bool fill(struct act *act)
{
	Ttg__Event *event;
	char breach[BREACH_BYTES];
	void *payload =
	        build_begin(&act->build, act->form->type, act->desk->settings.agency, act->now_ns);

	act->occurred_ns = act->now_ns;
	if (payload != NULL)
		act->form->fill(act, payload);
	event = act->build.event;
	if (payload != NULL && act->person != NULL)
		add_numbers(act);
	if (act->errors.n > 0 || act->build.error != TTG_OK) {
		if (act->errors.n == 0)
			act_wrong(act, "", "%s", act->build.message.text);
		return false;
	}
	build_time_ns(&act->build, &event->occurred_at, act->occurred_ns, NULL);
	build_time_ns(&act->build, &event->recorded_at, act->now_ns, NULL);
	build_bytes(&act->build, &event->id, act->id, sizeof(act->id));
	event->marking = TTG__MARKING__OFFICIAL_SENSITIVE;
	if (bounds_find_breach(&event->base, breach, sizeof(breach)))
		act_wrong(act, "", "What you entered cannot be sent: %s", breach);
	else if (act->build.error != TTG_OK || ttg_event_complete(event) != TTG_OK)
		act_wrong(act, "", "There is no memory for this just now. Send it again");
	return act->errors.n == 0;
}

/* The id that came with the form. False: a page says that there was none. */
static bool take_id(struct act *act, struct web_response *response)
{
	const char *text = web_field(act->request, "id");

	if (ttg_uuid_parse(text, act->id) == TTG_OK && act->id[6] >> 4 == 7) {
		ttg_uuid_format(act->id, act->id_text);
		return true;
	}
	web_refuse(act->request, response, 400, "This form is not whole. Open it again.");
	return false;
}

static void lead_on(const struct act *act, struct web_response *response, const char *said)
{
	web_say(act->request, said);
	web_redirect(response, "/sent/%s", act->id_text);
}

/* The id was sent before: the same form once more, or another one. */
static void take_again(struct act *act, const struct sent *sent, struct web_response *response)
{
	char link[64];

	act->again = true;
	if (sent->event->recorded_at != NULL)
		act->now_ns = sent->event->recorded_at->unix_ns;
	if (sent->ours && fill(act) && send_is_same(act->build.event, sent->event)) {
		lead_on(act, response, "This was sent already. It was not sent twice.");
		return;
	}
	snprintf(link, sizeof(link), "/sent/%s", act->id_text);
	tell(act, response,
	     "This form was sent already, with other content. To send something else, open the "
	     "form again.",
	     link, "What was sent");
}

static void tell_failure(struct act *act, enum ttg_error error, const struct message *message)
{
	if (error == TTG_ENOSPC)
		act_wrong(act, "",
		          "This could not be sent: there is no room on the disk. "
		          "Nothing was sent. Tell your support and try again");
	else if (error == TTG_EFORMAT || error == TTG_ELIMIT || error == TTG_EPERM)
		act_wrong(act, "", "What you entered cannot be sent: %s", message->text);
	else
		act_wrong(act, "",
		          "This could not be sent (%s). Nothing was sent. "
		          "Tell your support and try again",
		          message->text);
}

static void send_or_show(struct act *act, struct web_response *response)
{
	struct message message = { "" };
	enum ttg_error error;

	if (!fill(act)) {
		response->status = 400;
		show(act, response);
		return;
	}
	if (act->form->ask != NULL && act->form->ask(act, response))
		return;
	error = send_event(act->desk, act->build.event, &message);
	if (error == TTG_OK) {
		lead_on(act, response, act->form->done);
		return;
	}
	tell_failure(act, error, &message);
	response->status = 503;
	show(act, response);
}

void act_take(struct desk *desk, const struct web_request *request, struct web_response *response,
              enum act_what what)
{
	struct act act;
	struct sent sent = { .place = SENT_NOWHERE };
	struct message message = { "" };
	const char *why;

	if (!begin(&act, desk, request, response, what) || !take_id(&act, response))
		return;
	if (send_find(desk, act.id, &sent, &message) != TTG_OK) {
		web_refuse(request, response, 503,
		           "The desk cannot look up whether this was sent already. Nothing was "
		           "sent. Try again.");
	} else if (sent.place != SENT_NOWHERE) {
		take_again(&act, &sent, response);
	} else {
		why = why_not(&act);
		if (why != NULL)
			tell_why_not(&act, response, why);
		else
			send_or_show(&act, response);
	}
	build_abandon(&act.build);
	sent_fini(&sent);
}

bool act_may(const struct desk *desk, const struct web_request *request,
             const struct person *person, enum act_what what)
{
	struct act act;

	memset(&act, 0, sizeof(act));
	act.form = &act_forms[what];
	act.desk = desk;
	act.request = request;
	act.person = person;
	act.now_ns = request->now_ns;
	if (request->user == NULL || (act.form->roles & request->user->role) == 0 ||
	    act.form->about_nobody != (person == NULL))
		return false;
	if (person != NULL && !desk_may_see(request, person))
		return false;
	return why_not(&act) == NULL;
}

void act_links(const struct desk *desk, const struct web_request *request,
               const struct person *person, struct html *html)
{
	bool any = false;

	for (int what = 0; what < ACT_FORMS; what++) {
		if (what == ACT_REFERRAL_WITHDRAW ||
		    !act_may(desk, request, person, (enum act_what)what))
			continue;
		if (!any)
			html_raw(html, "<ul class=\"govuk-list\">\n");
		any = true;
		html_add(html, "<li><a class=\"govuk-link\" href=\"/people/%u/%s\">%s</a></li>\n",
		         person->number, act_forms[what].word, act_forms[what].title);
	}
	if (any)
		html_raw(html, "</ul>\n");
}
