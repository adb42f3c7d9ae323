/* One contact with him, or one that did not come about. */
#include "desk/act_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MINUTES 1440

static void show_needs(struct act *act, struct html *html)
{
	const struct page_control control = {
		.name = "needs",
		.label = "Needs it was about",
		.hint = "",
		.value = "",
		.errors = &act->errors,
	};
	const ProtobufCEnumDescriptor *kind = &ttg__need_category__descriptor;
	struct page_choice choices[PERSON_NEEDS];
	char numbers[PERSON_NEEDS][12];
	size_t n = 0;

	for (int need = 1; need < PERSON_NEEDS && need < (int)kind->n_values; need++) {
		snprintf(numbers[n], sizeof(numbers[n]), "%d", need);
		choices[n] =
		        (struct page_choice){ .value = numbers[n], .label = act_need_label(need) };
		for (size_t i = 0; i < act->request->n_fields && act->posted; i++)
			if (strcmp(act->request->fields[i].name, "needs") == 0 &&
			    strcmp(act->request->fields[i].value, numbers[n]) == 0)
				choices[n].chosen = true;
		n++;
	}
	page_checkboxes(html, &control, choices, n);
}

static bool is_open(const struct person_referral *referral)
{
	return referral->state < REFERRAL_ENDED;
}

static void show_referrals(struct act *act, struct html *html)
{
	const struct page_control control = {
		.name = "referral",
		.label = "Work on a referral",
		.hint = "",
		.value = "",
		.errors = &act->errors,
	};
	struct page_choice choices[PERSON_REFERRALS_MAX + 1];
	char labels[PERSON_REFERRALS_MAX][128];
	size_t n = 0;

	choices[n++] = (struct page_choice){ .value = "", .label = "None" };
	for (size_t i = 0; i < act->person->n_referrals && n <= PERSON_REFERRALS_MAX; i++) {
		const struct person_referral *referral = &act->person->referrals[i];

		if (!is_open(referral))
			continue;
		snprintf(labels[n - 1], sizeof(labels[0]), "%s, to %s",
		         act_need_label(referral->need), referral->provider);
		choices[n] = (struct page_choice){
			.value = referral->id,
			.label = labels[n - 1],
			.chosen = strcmp(act_value(act, "referral", ""), referral->id) == 0,
		};
		n++;
	}
	if (n > 1)
		page_select(html, &control, choices, n);
}

void contact_show(struct act *act, struct html *html)
{
	act_radios(act, html, "channel", "How", "", &ttg__contact_channel__descriptor, 0);
	act_select(act, html, "purpose", "What for", "", &ttg__contact_purpose__descriptor, 0);
	act_radios(act, html, "result", "What came of it", "", &ttg__contact_result__descriptor,
	           TTG__CONTACT_RESULT__CONTACT_RESULT_MADE);
	act_moment_input(act, html, "started", "When it began, or was tried", "",
	                 act->request->now_ns);
	act_input(act, html, "minutes", "Minutes", "Leave empty if nobody looked at the clock", "",
	          4);
	act_radios(act, html, "setting", "Where", "", &ttg__setting__descriptor,
	           TTG__SETTING__SETTING_COMMUNITY);
	show_needs(act, html);
	act_checkbox(act, html, "counts", "It counts as an activity, by the rule of the scheme",
	             false);
	act_input(act, html, "volunteer", "Volunteer",
	          "Name, if a volunteer made the contact; leave empty if you did", "", 30);
	show_referrals(act, html);
}

static void read_needs(struct act *act, Ttg__ServiceContact *to)
{
	const struct web_request *request = act->request;

	to->needs = calloc(PERSON_NEEDS, sizeof(*to->needs));
	if (to->needs == NULL) {
		build_fail(&act->build, TTG_ENOMEM, "no memory");
		return;
	}
	for (size_t i = 0; i < request->n_fields; i++) {
		char *end;
		long need;

		if (strcmp(request->fields[i].name, "needs") != 0)
			continue;
		need = strtol(request->fields[i].value, &end, 10);
		if (*end != '\0' || need < 1 || need >= PERSON_NEEDS ||
		    to->n_needs == PERSON_NEEDS) {
			act_wrong(act, "needs", "Needs: choose from those offered");
			return;
		}
		to->needs[to->n_needs++] = (Ttg__NeedCategory)need;
	}
}

/* Only of a referral of this man. */
static void read_referral(struct act *act, Ttg__ServiceContact *to)
{
	const char *id = web_field(act->request, "referral");

	if (id[0] == '\0')
		return;
	if (person_find_referral(act->person, id) == NULL)
		act_wrong(act, "referral", "Work on a referral: choose one of those offered");
	else
		act_set(act, &to->referral_id, "referral", id);
}

static void read_worker(struct act *act, Ttg__ServiceContact *to)
{
	to->volunteer = web_field(act->request, "volunteer")[0] != '\0';
	if (to->volunteer)
		act_text(act, act_part(act, &to->worker, &ttg__worker__descriptor), "name",
		         "volunteer", "Volunteer", 0);
	else
		act_worker(act, &to->worker);
}

void contact_fill(struct act *act, void *payload)
{
	Ttg__ServiceContact *to = payload;
	int64_t started_ns;

	act_choice(act, to, "channel", "channel", "How", ACT_REQUIRED);
	act_choice(act, to, "purpose", "purpose", "What for", ACT_REQUIRED);
	act_choice(act, to, "result", "result", "What came of it", ACT_REQUIRED);
	started_ns = act_moment(act, to, "started_at", "started", "When it began",
	                        ACT_REQUIRED | ACT_PAST);
	if (started_ns != 0)
		act->occurred_ns = started_ns;
	act_number(act, to, "duration_minutes", "minutes", "Minutes", DAY_MINUTES);
	act_choice(act, to, "setting", "setting", "Where", ACT_REQUIRED);
	if (to->setting == TTG__SETTING__SETTING_PRISON)
		act_set(act, &to->prison_code, "prison", act_prison(act));
	read_needs(act, to);
	to->counts_as_activity = act_ticked(act, "counts", false);
	read_worker(act, to);
	read_referral(act, to);
	act_set(act, &to->scheme, "scheme", act_scheme(act));
	act_set(act, &to->contact_reference, "reference", act->id_text);
}
