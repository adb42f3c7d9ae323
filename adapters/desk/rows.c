/* One event as a line of a list. See rows.h. */
#include "desk/rows.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "base/instant.h"
#include "base/instant.h"
#include "desk/day.h"
#include "oneservice/phrase.h"

const struct person *row_person(const struct desk *desk, const struct view_event *event)
{
	return views_person(desk->views, event->person);
}

bool row_may_see(const struct desk *desk, const struct web_request *request,
                 const struct view_event *event)
{
	const struct person *person = row_person(desk, event);

	return person == NULL || desk_may_see(request, person);
}

static void begin_with_capital(struct sentence *text)
{
	text->bytes[0] = (char)toupper((unsigned char)text->bytes[0]);
}

void row_sentence(const struct desk *desk, uint32_t event, struct sentence *out)
{
	Ttg__Event *read = NULL;
	struct message message;
	enum ttg_error error = desk->store == NULL ? TTG_EIO
	                                           : views_read(desk->views, desk->store, event,
	                                                        &read, NULL, &message);

	*out = (struct sentence){ .length = 0 };
	if (error == TTG_OK)
		phrase_of(out, read);
	else if (error == TTG_ENOENT || error == TTG_ECORRUPT)
		sentence_add(out, "This event cannot be shown.");
	else
		sentence_add(out, "What it says cannot be read at the moment.");
	if (read != NULL)
		ttg__event__free_unpacked(read, NULL);
	sentence_make_printable(out);
	begin_with_capital(out);
}

void row_text(struct html *html, const char *text)
{
	struct sentence clean = { .length = 0 };

	sentence_add(&clean, "%s", text);
	sentence_make_printable(&clean);
	html_add(html, "%s", clean.bytes);
}

void row_kind(struct sentence *out, int type)
{
	const char *name = type < 0 ? NULL : ttg_type_name((size_t)type);
	const char *dot = name == NULL ? NULL : strchr(name, '.');

	*out = (struct sentence){ .length = 0 };
	sentence_add(out, "%s", dot == NULL ? "Unknown kind" : dot + 1);
	for (char *at = out->bytes; *at != '\0'; at++) {
		if (*at == '_')
			*at = ' ';
	}
	begin_with_capital(out);
}

const char *row_colour(int type)
{
	static const char *const families[][2] = {
		{ "prison.", "blue" },   { "police.", "red" },      { "probation.", "purple" },
		{ "service.", "green" }, { "referral.", "yellow" }, { "partner.", "orange" },
	};
	const char *name = type < 0 ? "" : ttg_type_name((size_t)type);

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (name != NULL && strncmp(name, families[i][0], strlen(families[i][0])) == 0)
			return families[i][1];
	}
	return "grey";
}

void row_kind_tag(struct html *html, int type)
{
	struct sentence name;

	row_kind(&name, type);
	page_tag(html, row_colour(type), name.bytes);
}

const char *row_caseworker(const struct person *person)
{
	const struct person_scheme *scheme = person_scheme(person);

	return scheme == NULL ? "" : scheme->caseworker;
}

void row_limited(struct html *html, const struct person *person)
{
	const char *caseworker = row_caseworker(person);

	html_raw(html, "Limited-access case. ");
	if (caseworker[0] == '\0') {
		html_raw(html, "Nobody is named as working with this person.");
		return;
	}
	html_raw(html, "Ask ");
	row_text(html, caseworker);
	html_raw(html, ".");
}

void row_person_link(struct html *html, const struct desk *desk, const struct web_request *request,
                     const struct person *person)
{
	const struct person_number *number;

	(void)desk;
	if (person == NULL) {
		html_raw(html, "&#8211;<span class=\"govuk-visually-hidden\">about nobody</span>");
		return;
	}
	if (!desk_may_see(request, person)) {
		html_raw(html, "Limited-access case");
		return;
	}
	number = person_best_number(person);
	html_add(html, "<a class=\"govuk-link\" href=\"/people/%u\">", person->number);
	row_text(html, number == NULL ? "No number" : number->value);
	html_raw(html, number == NULL || number->valid ? "</a>" : "?</a>");
}

void row_told(struct html *html, const struct desk *desk, uint32_t event)
{
	const struct view_event *facts = views_event(desk->views, event);
	bool stands = facts->superseded_by == VIEWS_NOBODY && !facts->refused;
	struct sentence sentence;

	row_sentence(desk, event, &sentence);
	html_add(html, stands ? "%s" : "<s>%s</s>", sentence.bytes);
	if (facts->superseded_by != VIEWS_NOBODY) {
		html_raw(html, " ");
		page_tag(html, "grey", "Corrected");
	}
	if (facts->supersedes != VIEWS_NOBODY) {
		html_raw(html, " ");
		page_tag(html, "grey", "Correction");
	}
	if (facts->refused) {
		html_raw(html, " ");
		page_tag(html, "red", "Refused");
	} else if (facts->ours && !facts->answered) {
		html_raw(html, " ");
		page_tag(html, "yellow", "Not yet accepted");
	}
}

void row_time(struct html *html, int64_t at_ns, int64_t now_ns)
{
	char instant[INSTANT_TEXT], text[PAGE_TIME_BYTES];

	instant_format(at_ns, instant);
	page_time(text, at_ns, now_ns);
	html_add(html, "<time datetime=\"%s\">%s</time>", instant, text);
}

void row_day(struct html *html, const char *date)
{
	char day[PAGE_TIME_BYTES];

	if (day_noon(date) == 0) {
		row_text(html, date);
		return;
	}
	page_day(day, day_noon(date));
	html_add(html, "%s", day);
}

void rows_warn_away(struct html *html, const struct desk *desk, const struct web_request *request)
{
	char since[PAGE_TIME_BYTES], text[PAGE_TIME_BYTES + 160];

	if (desk->away_ns == 0)
		return;
	page_time(since, desk->away_ns, request->now_ns);
	snprintf(text, sizeof(text),
	         "The case store cannot be read (since %s). What is shown may be out of date, and "
	         "new alerts are not shown.",
	         since);
	page_warning(html, text);
}

const char *row_number_name(int kind)
{
	switch (kind) {
	case TTG__IDENTIFIER_KIND__NOMS:
		return "Prison number";
	case TTG__IDENTIFIER_KIND__PNC:
		return "PNC id";
	case TTG__IDENTIFIER_KIND__CRO:
		return "CRO number";
	case TTG__IDENTIFIER_KIND__CRN:
		return "Probation number (CRN)";
	case TTG__IDENTIFIER_KIND__CASE_NUMBER:
		return "Case number";
	case TTG__IDENTIFIER_KIND__BOOKING:
		return "Booking number";
	case TTG__IDENTIFIER_KIND__ASN:
		return "Arrest summons number";
	default:
		return "Other number";
	}
}
