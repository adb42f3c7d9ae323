/* What the inbox's forms become: events that the broker takes, or errors beside the fields. */
#include "partner_unit.h"

#include "partner/actions.h"

#define FIELDS_MAX 16
#define EVENT_ID   "0199a000-0000-7000-8000-000000000042"

struct filled {
	struct web_field fields[FIELDS_MAX];
	char names[FIELDS_MAX][64];
	size_t n;
};

static void add_field(struct filled *filled, const char *name, const char *value)
{
	assert_true(filled->n < FIELDS_MAX);
	snprintf(filled->names[filled->n], sizeof(filled->names[0]), "%s", name);
	filled->fields[filled->n] = (struct web_field){ filled->names[filled->n], value };
	filled->n++;
}

static const char *right_value(const struct action_field *field)
{
	switch (field->kind) {
	case ACTION_DATE:
	case ACTION_MOMENT:
		return "2027-01-05";
	case ACTION_NUMBER:
		return "7";
	case ACTION_CHOICE:
		return field->choices->values[1].name;
	case ACTION_TEXT:
	case ACTION_AREA:
		break;
	}
	return "Some words";
}

static void fill(struct filled *filled, const struct action *action)
{
	char clock[64];

	filled->n = 0;
	for (size_t i = 0; i < action->n_fields; i++) {
		const struct action_field *field = &action->fields[i];

		add_field(filled, field->name, right_value(field));
		snprintf(clock, sizeof(clock), "%s_clock", field->name);
		if (field->kind == ACTION_MOMENT)
			add_field(filled, clock, "10:30");
	}
}

static struct caseload *some_referral(void)
{
	struct caseload *referrals = caseload_new("mind");

	must_tell(referrals, &(struct told_news){ "referral.sent", "R1", .number = 1 });
	return referrals;
}

static json_t *build(const struct caseload *referrals, const struct action *action,
                     const struct filled *filled, struct page_errors *errors)
{
	static const struct web_user user = { .user = "ann", .name = "Ann Example" };
	const struct web_request request = { .fields = filled->fields,
		                             .n_fields = filled->n,
		                             .user = &user };
	const struct action_made made = {
		.action = action,
		.referral = caseload_at(referrals, 0),
		.agency = "mind",
		.event_id = EVENT_ID,
		.appointment_id = strcmp(action->verb, "appointment") == 0 ? "a-1" : NULL,
		.now_ns = instant_of("2027-01-05T09:00:00Z"),
	};

	memset(errors, 0, sizeof(*errors));
	return action_build(&made, &request, errors);
}

/* Every action with every field filled, and with only those that are needed. */
static void every_form_becomes_an_event_of_the_catalogue(void **state)
{
	struct caseload *referrals = some_referral();

	(void)state;
	for (size_t i = 0; i < 2 * n_actions; i++) {
		const struct action *action = &actions[i / 2];
		struct filled filled;
		struct page_errors errors;
		struct message message = { "" };
		Ttg__Event *event = NULL;
		unsigned ignored;
		json_t *json;

		fill(&filled, action);
		for (size_t f = 0; i % 2 == 1 && f < action->n_fields; f++) {
			for (size_t at = 0; !action->fields[f].required && at < filled.n; at++) {
				if (strcmp(filled.fields[at].name, action->fields[f].name) == 0)
					filled.fields[at].value = "";
			}
		}
		json = build(referrals, action, &filled, &errors);
		if (json == NULL)
			must_fail("%s: %s", action->verb, errors.list[0].text);
		if (cloudevents_read(json, &event, &ignored, &message) != TTG_OK)
			must_fail("%s: %s", action->verb, message.text);
		assert_int_equal(ignored, 0);
		assert_string_equal(event->type, action->type);
		assert_string_equal(event->source, "mind");
		assert_string_equal(event->person->identifiers[0]->value, "C-R1");
		assert_int_equal(event->causation_id.len, 16);
		ttg__event__free_unpacked(event, NULL);
		json_decref(json);
	}
	caseload_free(&referrals);
}

static void what_is_needed_and_missing_is_told_for_its_field(void **state)
{
	struct caseload *referrals = some_referral();
	const struct filled nothing = { .n = 0 };
	struct page_errors errors;

	(void)state;
	for (size_t i = 0; i < n_actions; i++) {
		size_t needed = 0;

		for (size_t f = 0; f < actions[i].n_fields; f++)
			needed += actions[i].fields[f].required;
		json_t *json = build(referrals, &actions[i], &nothing, &errors);
		assert_int_equal(json == NULL, needed > 0);
		assert_int_equal(errors.n, needed);
		for (size_t f = 0; f < actions[i].n_fields; f++)
			assert_int_equal(page_error_of(&errors, actions[i].fields[f].name) != NULL,
			                 actions[i].fields[f].required);
		json_decref(json);
	}
	caseload_free(&referrals);
}

static void what_is_no_value_of_its_field_is_told(void **state)
{
	static const struct {
		const char *verb, *field, *value;
	} wrong[] = {
		{ "accept", "start_by_date", "2027-02-29" },
		{ "accept", "start_by_date", "soon" },
		{ "accept", "wait_days", "-1" },
		{ "accept", "wait_days", "3651" },
		{ "accept", "wait_days", "7 days" },
		{ "accept", "wait_days", "99999999999999999999999" },
		{ "decline", "reason", "DECLINE_REASON_UNSPECIFIED" },
		{ "decline", "reason", "1" },
		{ "start", "started_at", "2027-13-01" },
		{ "acknowledge", "provider_reference", "a\x01" },
		{ "acknowledge", "provider_reference", "\xff\xfe" },
	};
	struct caseload *referrals = some_referral();
	char longer[258];
	struct page_errors errors;
	struct filled filled;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const struct action *action = action_find(wrong[i].verb);

		fill(&filled, action);
		for (size_t at = 0; at < filled.n; at++) {
			if (strcmp(filled.fields[at].name, wrong[i].field) == 0)
				filled.fields[at].value = wrong[i].value;
		}
		assert_null(build(referrals, action, &filled, &errors));
		assert_int_equal(errors.n, 1);
		assert_non_null(page_error_of(&errors, wrong[i].field));
	}
	memset(longer, 'x', sizeof(longer) - 1);
	longer[257] = '\0';
	fill(&filled, action_find("decline"));
	filled.fields[1].value = longer;
	assert_null(build(referrals, action_find("decline"), &filled, &errors));
	assert_non_null(page_error_of(&errors, "text"));
	filled.fields[1].value = longer + 1; /* 256 */
	json_t *json = build(referrals, action_find("decline"), &filled, &errors);
	assert_non_null(json);
	json_decref(json);
	caseload_free(&referrals);
}

static void times_of_day_are_british(void **state)
{
	struct caseload *referrals = some_referral();
	struct filled filled = { .n = 0 };
	struct page_errors errors;
	json_t *json;

	(void)state;
	add_field(&filled, "started_at", "2027-07-05");
	add_field(&filled, "started_at_clock", "10:30");
	json = build(referrals, action_find("start"), &filled, &errors);
	assert_string_equal(json_string_value(json_object_get(json_object_get(json, "data"),
	                                                      "started_at")),
	                    "2027-07-05T09:30:00Z");
	json_decref(json);
	caseload_free(&referrals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_becomes_an_event_of_the_catalogue),
		cmocka_unit_test(what_is_needed_and_missing_is_told_for_its_field),
		cmocka_unit_test(what_is_no_value_of_its_field_is_told),
		cmocka_unit_test(times_of_day_are_british),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
