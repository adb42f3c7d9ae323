/*
 * One person: what is known of him, and the way to everything that can be recorded about him. What
 * happened, and who received it, is in person_events.c. A case the user may not see is refused, with
 * the name of whom to ask.
 */
#include "desk/pages.h"

#include "desk/act.h"
#include "desk/alerts_told.h"
#include "desk/person_events.h"
#include "desk/person_words.h"
#include "desk/rows.h"
#include "desk/search.h"

static void add_row(struct html *html, const char *key, const struct sentence *value)
{
	page_summary_row(html, key, value->bytes);
}

static void add_text_row(struct html *html, const char *key, const char *text)
{
	struct sentence clean = { .length = 0 };

	if (text[0] == '\0')
		return;
	sentence_add(&clean, "%s", text);
	sentence_make_printable(&clean);
	page_summary_row(html, key, clean.bytes);
}

static void add_numbers(struct html *html, const struct person *person)
{
	for (size_t i = 0; i < person->n_numbers; i++) {
		const struct person_number *number = &person->numbers[i];
		struct sentence text = { .length = 0 };

		sentence_add(&text, "%s", number->value);
		words_add_if(&text, ", of ", number->issuer);
		if (!number->valid)
			sentence_add(&text, " (does not check: ask who told it)");
		sentence_make_printable(&text);
		add_row(html, row_number_name(number->kind), &text);
	}
}

static void add_schemes(struct html *html, const struct person *person)
{
	struct sentence text;

	if (person->n_schemes == 0)
		page_summary_row(html, "Scheme", "Never enrolled");
	for (size_t i = 0; i < person->n_schemes; i++) {
		person_scheme_words(&person->schemes[i], &text);
		add_row(html, "Scheme", &text);
	}
}

static void add_others(struct html *html, const struct person *person)
{
	struct sentence text;

	person_flag_words(person, &text);
	add_row(html, "PNC flag", &text);
	person_iom_words(person, &text);
	add_row(html, "Integrated Offender Management", &text);
	if (person->supervised || person->supervisor[0] != '\0')
		add_text_row(html, "Probation supervision",
		             person->supervisor[0] != '\0' ? person->supervisor
		                                           : "Supervised; officer not named");
	if (words_enum_known(&ttg__risk_level__descriptor, person->risk_level)) {
		text = (struct sentence){ .length = 0 };
		words_add_enum(&text, &ttg__risk_level__descriptor, person->risk_level);
		add_row(html, "Risk of serious harm", &text);
	}
	if (words_enum_known(&ttg__gate_meeting_outcome__descriptor, person->meeting)) {
		text = (struct sentence){ .length = 0 };
		words_add_enum(&text, &ttg__gate_meeting_outcome__descriptor, person->meeting);
		add_row(html, "Meeting at the gate", &text);
	}
	if (person->last_contact_ns != 0) {
		text = (struct sentence){ .length = 0 };
		person_add_day(&text, "", person->last_contact_ns);
		add_row(html, "Last contact", &text);
	}
}

static void add_summary(struct html *html, const struct person *person)
{
	struct sentence text;

	page_summary_begin(html);
	add_numbers(html, person);
	person_custody_words(person, &text);
	add_row(html, "Custody", &text);
	person_release_words(person, &text);
	add_row(html, "Release", &text);
	add_text_row(html, "Address on release", person->release.address);
	person_board_words(person, &text);
	add_row(html, "Discharge board", &text);
	add_schemes(html, person);
	add_text_row(html, "Caseworker", row_caseworker(person));
	add_others(html, person);
	page_summary_end(html);
}

static void add_needs(struct html *html, const struct person *person)
{
	bool any = false;

	html_raw(html, "<h2 class=\"govuk-heading-m\">Needs</h2>");
	for (int i = 1; i < PERSON_NEEDS; i++) {
		struct sentence text = { .length = 0 };

		if (person->needs[i] == 0 ||
		    person->needs[i] == TTG__NEED_LEVEL__NEED_LEVEL_NONE + 1)
			continue;
		html_raw(html, any ? "" : "<ul class=\"govuk-list govuk-list--bullet\">");
		any = true;
		words_add_enum(&text, &ttg__need_category__descriptor, i);
		if (person->needs[i] > 1) {
			sentence_add(&text, ": ");
			words_add_enum(&text, &ttg__need_level__descriptor, person->needs[i] - 1);
		}
		html_add(html, "<li>%s</li>", text.bytes);
	}
	html_raw(html, any ? "</ul>" : "");
	if (person->needs_ns != 0) {
		struct sentence text = { .length = 0 };

		sentence_add(&text, person->assessed ? "Assessed" : "Screened");
		words_add_if(&text, " by ", person->needs_by);
		person_add_day(&text, ", ", person->needs_ns);
		sentence_make_printable(&text);
		html_add(html, "<p class=\"govuk-body-s\">%s.%s</p>", text.bytes,
		         any ? "" : " No needs were found.");
	} else if (!any) {
		page_inset(html, "Needs have not been screened or assessed.");
	}
}

/* How long the answer took, or how long there is, or was. */
static void answer_words(const struct person_referral *referral, int64_t now_ns,
                         struct sentence *out)
{
	bool waits = referral->state == REFERRAL_SENT || referral->state == REFERRAL_ACKNOWLEDGED;

	*out = (struct sentence){ .length = 0 };
	if (referral->answered_ns != 0 && referral->sent_ns != 0) {
		sentence_add(out, "after ");
		alerts_add_span(out, referral->answered_ns - referral->sent_ns);
	} else if (waits && referral->answer_by_ns != 0 && referral->answer_by_ns < now_ns) {
		sentence_add(out, "Overdue by ");
		alerts_add_span(out, now_ns - referral->answer_by_ns);
	} else if (waits && referral->answer_by_ns != 0) {
		sentence_add(out, "due in ");
		alerts_add_span(out, referral->answer_by_ns - now_ns);
	} else {
		sentence_add(out, waits ? "no limit" : "not known");
	}
}

static void add_referral(struct html *html, const struct desk *desk,
                         const struct web_request *request, const struct person *person,
                         const struct person_referral *referral)
{
	struct sentence need = { .length = 0 }, answer;

	words_add_enum(&need, &ttg__need_category__descriptor, referral->need);
	answer_words(referral, request->now_ns, &answer);
	html_raw(html, "<tr class=\"govuk-table__row\">");
	page_cell(html, need.bytes);
	page_cell(html, referral->provider);
	html_raw(html, "<td class=\"govuk-table__cell\">");
	page_tag(html, referral->state == REFERRAL_DECLINED ? "red" : "blue",
	         person_referral_word(referral->state));
	html_raw(html, "</td><td class=\"govuk-table__cell\">");
	if (referral->sent_ns != 0)
		row_time(html, referral->sent_ns, request->now_ns);
	html_raw(html, "</td>");
	page_cell(html, answer.bytes);
	html_raw(html, "<td class=\"govuk-table__cell\">");
	row_text(html, referral->worker);
	html_raw(html, "</td><td class=\"govuk-table__cell\">");
	if (act_may_withdraw(desk, request, person, referral)) {
		html_add(html, "<a class=\"govuk-link\" href=\"/people/%u/referrals/",
		         person->number);
		html_url(html, referral->id);
		html_add(html,
		         "/withdraw\">Withdraw<span class=\"govuk-visually-hidden\"> the referral to "
		         "%s</span></a>",
		         referral->provider);
	}
	html_raw(html, "</td></tr>");
}

static void add_referrals(struct html *html, const struct desk *desk,
                          const struct web_request *request, const struct person *person)
{
	static const char *const heads[] = { "Need", "To", "State", "Sent", "Answered", "Worker",
		                             "Do" };

	html_raw(html, "<h2 class=\"govuk-heading-m\">Referrals</h2>");
	if (person->n_referrals == 0) {
		page_inset(html, "No referral was made.");
		return;
	}
	page_table_begin(html, "Referrals and their answers", heads, 7);
	for (size_t i = person->n_referrals; i > 0; i--)
		add_referral(html, desk, request, person, &person->referrals[i - 1]);
	page_table_end(html);
}

static void add_request(struct html *html, const struct web_request *request,
                        const struct person_request *asked)
{
	struct sentence what = { .length = 0 }, answer = { .length = 0 };

	words_add_enum(&what, &ttg__flag_action__descriptor, asked->action);
	if (asked->outcome == 0)
		sentence_add(&answer, "No answer yet");
	else
		words_add_enum(&answer, &ttg__flag_outcome__descriptor, asked->outcome);
	person_add_day(&answer, ", ", asked->done_ns);
	words_add_if(&answer, ", reference ", asked->reference);
	sentence_make_printable(&answer);
	html_raw(html, "<tr class=\"govuk-table__row\">");
	page_cell(html, what.bytes);
	html_raw(html, "<td class=\"govuk-table__cell\">");
	if (asked->asked_ns != 0)
		row_time(html, asked->asked_ns, request->now_ns);
	html_raw(html, "</td>");
	page_cell(html, answer.bytes);
	html_raw(html, "</tr>");
}

static void add_requests(struct html *html, const struct web_request *request,
                         const struct person *person)
{
	static const char *const heads[] = { "Asked for", "When", "Answer" };

	if (person->n_flags == 0)
		return;
	html_raw(html, "<h2 class=\"govuk-heading-m\">Requests to the police</h2>");
	page_table_begin(html, "Flags on the Police National Computer", heads, 3);
	for (size_t i = person->n_flags; i > 0; i--)
		add_request(html, request, &person->flags[i - 1]);
	page_table_end(html);
}

/* What can be sent about him as things stand, by this user. */
static void add_acts(struct html *html, const struct desk *desk, const struct web_request *request,
                     const struct person *person)
{
	html_raw(html, "<nav aria-label=\"Record\"><h2 class=\"govuk-heading-s\">Record</h2>");
	act_links(desk, request, person, html);
	html_raw(html, "</nav>");
}

static void refuse(const struct web_request *request, struct web_response *response,
                   const struct person *person)
{
	struct sentence text = { .length = 0 };
	const char *caseworker = row_caseworker(person);

	sentence_add(&text, "This is a limited-access case. ");
	if (caseworker[0] != '\0')
		sentence_add(&text, "Ask %s, who works with this person.", caseworker);
	else
		sentence_add(&text, "Nobody is named as working with this person.");
	sentence_make_printable(&text);
	web_refuse(request, response, 403, text.bytes);
}

void page_person(void *user, const struct web_request *request, struct web_response *response)
{
	const struct desk *desk = user;
	const struct person *person = search_person(desk, request->parts[0]);
	struct html *html = &response->body;
	const struct person_number *number;
	struct sentence heading = { .length = 0 };

	if (person == NULL) {
		web_refuse(request, response, 404, "There is no such person here.");
		return;
	}
	if (!desk_may_see(request, person)) {
		refuse(request, response, person);
		return;
	}
	number = person_best_number(person);
	sentence_add(&heading, "%s", number == NULL ? "No number" : number->value);
	sentence_make_printable(&heading);
	/* The number stays out of the title, which browsers keep in their history. */
	page_begin(request, response, "Person", heading.bytes, NULL);
	rows_warn_away(html, desk, request);
	if (person->limited)
		page_warning(html, "Limited-access case: only those who work with this person may "
		                   "see this page.");
	add_summary(html, person);
	add_acts(html, desk, request, person);
	add_needs(html, person);
	add_referrals(html, desk, request, person);
	add_requests(html, request, person);
	person_add_contacts(html, desk, request, person);
	person_add_disclosures(html, desk, request, person);
	person_add_time_line(html, desk, request, person);
	page_end(request, response);
}
