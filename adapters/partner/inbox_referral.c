/* The page of one referral: what is asked, how to reach him, what happened, what can be done. */
#include <stdio.h>
#include <string.h>
#include "partner/inbox.h"
#include "partner/words.h"
#include "web/page.h"

static void put_text(struct html *html, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		page_summary_row(html, key, value);
}

static void put_time(struct html *html, const char *key, const Ttg__Time *time, int64_t now_ns)
{
	char text[PAGE_TIME_BYTES];

	if (time == NULL)
		return;
	page_time(text, time->unix_ns, now_ns);
	page_summary_row(html, key, text);
}

static void put_word(struct html *html, const char *key, const ProtobufCEnumDescriptor *list,
                     int value)
{
	char text[WORDS_BYTES];

	if (value == 0)
		return;
	words_of(list, value, text);
	page_summary_row(html, key, text);
}

static void put_worker(struct html *html, const Ttg__Worker *worker)
{
	if (worker == NULL)
		return;
	put_text(html, "Referred by", worker->name);
	put_text(html, "Role", worker->role);
	put_text(html, "Team", worker->team);
	put_text(html, "Telephone of who referred", worker->telephone);
	put_text(html, "Email of who referred", worker->email);
}

static void put_contact(struct html *html, const Ttg__ContactDetails *contact)
{
	if (contact == NULL)
		return;
	html_raw(html, "<h2 class=\"govuk-heading-m\">How to reach him</h2>\n");
	page_summary_begin(html);
	put_text(html, "Name", contact->display_name);
	put_text(html, "Telephone", contact->telephone);
	put_text(html, "Other telephone", contact->other_telephone);
	put_text(html, "Email", contact->email);
	put_text(html, "Best time", contact->best_time);
	put_word(html, "Safe to leave a message", &ttg__answer__descriptor,
	         (int)contact->safe_to_leave_message);
	put_text(html, "Language", contact->language_code);
	put_text(html, "Interpreter", contact->interpreter_needed ? "needed" : "");
	page_summary_end(html);
}

static void put_asked(struct html *html, const struct referral *referral, int64_t now_ns)
{
	const Ttg__ReferralSent *sent = referral->sent->event->referral_sent;
	char number[WORDS_BYTES];

	words_case_number(referral, number);
	page_summary_begin(html);
	put_text(html, "Case", number);
	put_text(html, "From", referral->referrer);
	put_word(html, "Need", &ttg__need_category__descriptor, (int)sent->need);
	put_text(html, "What is asked", sent->ask);
	put_time(html, "Answer by", sent->answer_by_at, now_ns);
	put_text(html, "Help wanted by", sent->wanted_by_date);
	put_text(html, "Service", sent->service_description);
	put_word(html, "Where", &ttg__setting__descriptor, (int)sent->setting);
	put_text(html, "Prison", sent->prison_code);
	put_text(html, "Comes out", sent->release_date);
	put_text(html, "Area", sent->area);
	put_text(html, "What he needs to take part", sent->access_needs);
	put_worker(html, sent->referrer);
	page_summary_end(html);
	put_contact(html, sent->contact);
}

static void put_actions(struct html *html, const struct partner *partner,
                        const struct referral *referral)
{
	html_raw(html, "<div class=\"govuk-button-group\">\n");
	for (size_t i = 0; i < n_actions; i++) {
		struct html path;

		if (!inbox_offers(partner, &actions[i], referral))
			continue;
		path = inbox_path(referral, actions[i].verb);
		html_add(html,
		         "<a href=\"%s\" role=\"button\" draggable=\"false\" class=\"govuk-button%s\" "
		         "data-module=\"govuk-button\">%s</a>\n",
		         path.bytes, move_of(actions[i].type, false) ? "" : " govuk-button--secondary",
		         actions[i].title);
		html_fini(&path);
	}
	html_raw(html, "</div>\n");
}

/* What became of it: for others' events nothing is to be said. */
static void put_answer(struct html *html, const struct referral_step *step)
{
	html_raw(html, "<td class=\"govuk-table__cell\">");
	if (step->answer == STEP_WAITS) {
		page_tag(html, "yellow", "waiting for the broker");
	} else if (step->answer == STEP_REFUSED) {
		page_tag(html, "red", "refused");
		html_add(html, " %s: %s", ttg_error_name(step->code), step->why);
	} else if (step->ours) {
		page_tag(html, "green", "accepted by the broker");
	}
	html_raw(html, "</td>\n");
}

/* "referral.accepted" is "accepted"; others whole. */
static const char *what_of(const Ttg__Event *event)
{
	return move_of(event->type, false) != NULL ? event->type + strlen("referral.") : event->type;
}

static void put_detail(struct html *html, const Ttg__Event *event)
{
	char words[WORDS_BYTES] = "";
	const char *text = "";

	if (event->payload_case == TTG__EVENT__PAYLOAD_REFERRAL_DECLINED) {
		words_of(&ttg__decline_reason__descriptor, (int)event->referral_declined->reason,
		         words);
		text = event->referral_declined->text;
	} else if (event->payload_case == TTG__EVENT__PAYLOAD_REFERRAL_ENDED) {
		words_of(&ttg__referral_outcome__descriptor, (int)event->referral_ended->outcome,
		         words);
		text = event->referral_ended->text;
	} else if (event->payload_case == TTG__EVENT__PAYLOAD_REFERRAL_ASSIGNED) {
		text = event->referral_assigned->worker == NULL
		               ? ""
		               : event->referral_assigned->worker->name;
	} else if (event->payload_case == TTG__EVENT__PAYLOAD_PARTNER_APPOINTMENT) {
		words_of(&ttg__appointment_status__descriptor,
		         (int)event->partner_appointment->status, words);
		text = event->partner_appointment->place;
	} else if (event->payload_case == TTG__EVENT__PAYLOAD_PARTNER_OUTCOME) {
		words_of(&ttg__partner_result__descriptor, (int)event->partner_outcome->result,
		         words);
		text = event->partner_outcome->result_description;
	}
	html_add(html, "<td class=\"govuk-table__cell\">%s%s%s</td>\n", words,
	         words[0] != '\0' && text[0] != '\0' ? ": " : "", text);
}

static void put_history(struct html *html, const struct referral *referral, int64_t now_ns)
{
	static const char *const heads[] = { "When", "What", "Detail", "By", "Answer" };

	page_table_begin(html, "History", heads, sizeof(heads) / sizeof(*heads));
	for (size_t i = 0; i < referral->n_steps; i++) {
		const struct referral_step *step = referral->steps[i];
		char when[PAGE_TIME_BYTES];

		page_time(when, step->at_ns, now_ns);
		html_raw(html, "<tr class=\"govuk-table__row\">\n");
		page_cell(html, when);
		page_cell(html, what_of(step->event));
		put_detail(html, step->event);
		page_cell(html, step->ours ? "us" : step->event->source);
		put_answer(html, step);
		html_raw(html, "</tr>\n");
	}
	page_table_end(html);
}

struct appointments {
	struct html *html;
	const struct referral *referral;
	int64_t now_ns;
	size_t n;
};

static bool put_appointment(void *arg, const struct referral_step *step)
{
	static const char *const heads[] = { "When", "Where", "State", "" };
	struct appointments *it = arg;
	const Ttg__PartnerAppointment *appointment = step->event->partner_appointment;
	char when[PAGE_TIME_BYTES] = "";
	char state[WORDS_BYTES];
	struct html path = inbox_path(it->referral, "appointment");

	if (it->n++ == 0)
		page_table_begin(it->html, "Appointments", heads, sizeof(heads) / sizeof(*heads));
	if (appointment->starts_at != NULL)
		page_time(when, appointment->starts_at->unix_ns, it->now_ns);
	words_of(&ttg__appointment_status__descriptor, (int)appointment->status, state);
	html_raw(it->html, "<tr class=\"govuk-table__row\">\n");
	page_cell(it->html, when);
	page_cell(it->html, appointment->place);
	page_cell(it->html, state);
	html_raw(it->html, "<td class=\"govuk-table__cell\">");
	if (referral_is_open(it->referral->state)) {
		html_add(it->html, "<a class=\"govuk-link\" href=\"%s?appointment_id=", path.bytes);
		html_url(it->html, appointment->appointment_id);
		html_raw(it->html, "\">Change<span class=\"govuk-visually-hidden\"> this "
		                   "appointment</span></a>");
	}
	html_raw(it->html, "</td>\n</tr>\n");
	html_fini(&path);
	return true;
}

void inbox_show_referral(void *user, const struct web_request *request,
                         struct web_response *response)
{
	const struct partner *partner = user;
	const struct referral *referral = inbox_find(partner, request, response);
	struct html *html = &response->body;
	struct appointments appointments = { html, referral, request->now_ns, 0 };
	char heading[REFERRAL_ID_BYTES + 16];

	if (referral == NULL)
		return;
	snprintf(heading, sizeof(heading), "Referral %s", referral->id);
	page_begin(request, response, heading, heading, NULL);
	html_raw(html, "<p class=\"govuk-body\">");
	inbox_put_state(html, referral, request->now_ns);
	html_raw(html, "</p>\n");
	if (referral_is_overdue(referral, request->now_ns))
		page_warning(html, "The time to answer is over.");
	put_actions(html, partner, referral);
	if (referral->sent != NULL)
		put_asked(html, referral, request->now_ns);
	else
		page_inset(html, "What was asked did not come here.");
	referral_each_appointment(referral, put_appointment, &appointments);
	if (appointments.n > 0)
		page_table_end(html);
	put_history(html, referral, request->now_ns);
	page_end(request, response);
}
