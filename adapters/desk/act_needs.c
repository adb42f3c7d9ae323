/* An assessment of needs: always the whole list. A review begins with what was found before. */
#include "desk/act_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 24
#define PRESENT    "0" /* NEED_LEVEL_UNSPECIFIED: there, not graded */

const char *needs_why_not(const struct act *act)
{
	if (act->person->n_schemes == 0)
		return "This person is not enrolled: that comes first.";
	return NULL;
}

/* The level that was found before, as the form has it; "" when it is no need of his. */
static void level_before(const struct act *act, int need, char out[12])
{
	out[0] = '\0';
	if (act->person->needs[need] > 0)
		snprintf(out, 12, "%d", act->person->needs[need] - 1);
}

static void show_need(struct act *act, struct html *html, int need)
{
	static const struct {
		const char *value, *label;
	} levels[] = {
		{ "", "Not asked about" }, { "1", "None" }, { "2", "Low" },
		{ "3", "Medium" },         { "4", "High" }, { PRESENT, "There, not graded" }
	};
	const size_t n = sizeof(levels) / sizeof(levels[0]);
	struct page_choice choices[sizeof(levels) / sizeof(levels[0])];
	char level[NAME_BYTES], note[NAME_BYTES], label[96], before[12];
	const char *value;
	struct page_control control = { .hint = "", .value = "", .errors = &act->errors };

	snprintf(level, sizeof(level), "need-%d", need);
	snprintf(note, sizeof(note), "note-%d", need);
	level_before(act, need, before);
	value = act_value(act, level, before);
	for (size_t i = 0; i < n; i++)
		choices[i] = (struct page_choice){ .value = levels[i].value,
			                           .label = levels[i].label,
			                           .chosen = strcmp(value, levels[i].value) == 0 };
	control.name = level;
	control.label = act_need_label(need);
	page_select(html, &control, choices, n);
	snprintf(label, sizeof(label), "What was found: %s", act_need_label(need));
	act_input(act, html, note, label, "No risk and no offence; leave empty if nothing", "", 0);
	if (before[0] != '\0' && !act->posted)
		html_add(html, "<input type=\"hidden\" name=\"before\" value=\"%d\">\n", need);
}

/* What the assessor saw as found before goes with the form: his record may change meanwhile. */
static bool was_before(const struct act *act, int need)
{
	char number[12];

	snprintf(number, sizeof(number), "%d", need);
	for (size_t i = 0; i < act->request->n_fields; i++)
		if (strcmp(act->request->fields[i].name, "before") == 0 &&
		    strcmp(act->request->fields[i].value, number) == 0)
			return true;
	return false;
}

void needs_show(struct act *act, struct html *html)
{
	act_radios(act, html, "kind", "Assessment", "", &ttg__assessment_kind__descriptor,
	           act->person->assessed ? TTG__ASSESSMENT_KIND__ASSESSMENT_KIND_REVIEW
	                                 : TTG__ASSESSMENT_KIND__ASSESSMENT_KIND_FULL);
	act_moment_input(act, html, "assessed", "When", "", act->request->now_ns);
	act_radios(act, html, "setting", "Where", "", &ttg__setting__descriptor,
	           act->person->custody == CUSTODY_INSIDE ? TTG__SETTING__SETTING_PRISON
	                                                  : TTG__SETTING__SETTING_COMMUNITY);
	for (int need = 1; need < PERSON_NEEDS; need++) {
		show_need(act, html, need);
		if (act->posted && was_before(act, need))
			html_add(html, "<input type=\"hidden\" name=\"before\" value=\"%d\">\n",
			         need);
	}
	act_date_input(act, html, "review", "Next review", "Leave empty if none is planned", "");
	act_input(act, html, "instrument", "Form used", "Its name and version; leave empty if none",
	          "", 30);
}

static void read_need(struct act *act, Ttg__ServiceNeedsAssessed *to, int need)
{
	char level[NAME_BYTES], note[NAME_BYTES];
	const char *typed, *label = act_need_label(need);
	Ttg__Need *made;

	snprintf(level, sizeof(level), "need-%d", need);
	snprintf(note, sizeof(note), "note-%d", need);
	typed = web_field(act->request, level);
	if (typed[0] == '\0') {
		if (web_field(act->request, note)[0] != '\0')
			act_wrong(act, level, "%s: say how grave it is", label);
		return;
	}
	if (strlen(typed) != 1 || typed[0] < '0' || typed[0] > '4') {
		act_wrong(act, level, "%s: choose one of those offered", label);
		return;
	}
	made = build_add_message(&act->build, &to->n_needs, &to->needs, &ttg__need__descriptor);
	if (made == NULL)
		return;
	made->category = (Ttg__NeedCategory)need;
	made->level = (Ttg__NeedLevel)(typed[0] - '0');
	act_text(act, made, "note", note, label, 0);
	if (to->kind == TTG__ASSESSMENT_KIND__ASSESSMENT_KIND_REVIEW &&
	    made->level != TTG__NEED_LEVEL__NEED_LEVEL_NONE)
		made->new_since_last =
		        was_before(act, need) ? TTG__ANSWER__ANSWER_NO : TTG__ANSWER__ANSWER_YES;
}

void needs_fill(struct act *act, void *payload)
{
	Ttg__ServiceNeedsAssessed *to = payload;
	int64_t assessed_ns;

	act_choice(act, to, "kind", "kind", "Assessment", ACT_REQUIRED);
	assessed_ns =
	        act_moment(act, to, "assessed_at", "assessed", "When", ACT_REQUIRED | ACT_PAST);
	if (assessed_ns != 0)
		act->occurred_ns = assessed_ns;
	act_choice(act, to, "setting", "setting", "Where", ACT_REQUIRED);
	if (to->setting == TTG__SETTING__SETTING_PRISON)
		act_set(act, &to->prison_code, "prison", act_prison(act));
	for (int need = 1; need < PERSON_NEEDS; need++)
		read_need(act, to, need);
	if (to->n_needs == 0 && act->errors.n == 0)
		act_wrong(act, "need-1", "Say of at least one need whether it is there");
	act_date(act, to, "next_review_date", "review", "Next review", ACT_FUTURE);
	act_text(act, to, "instrument", "instrument", "Form used", 0);
	act_worker(act, &to->assessor);
	act_set(act, &to->scheme, "scheme", act_scheme(act));
}
