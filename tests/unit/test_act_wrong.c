/* What is typed wrong into a form is told, field by field, and nothing is sent. */
#include "unit.h"
#include <string.h>
#include "support/acting.h"

/* Fields that are in order, one name=value a line of the original form. */
static const char enrol[] = "scheme=pilot&from=2027-03-12&caseworker=J.+Okafor";
static const char new_man[] = "noms=A9999ZZ&scheme=pilot&from=2027-03-12&caseworker=J.+Okafor";
static const char contact[] = "channel=1&purpose=3&result=1&setting=3" WHEN("started");
static const char needs[] = "kind=1&setting=3&need-1=4" WHEN("assessed");
static const char meeting[] = "outcome=2&reason=Left+early" WHEN("met");
static const char leaving[] = "reason=3&may_return=1" WHEN("exited");
static const char withdrawal[] = "scheme=pilot&reason=1&sure=yes" WHEN("withdrawn");
static const char referral[] = "provider=mind&need=5&ask=A+talk&setting=3&consent_version=2026-1";
static const char flag[] = "action=1&contact_number=01733+1&until=2028-03-01"
                           "&police_agency=cambridgeshire-police&consent_version=2026-1";
static const char access_to[] = "name=P.+Lind&agency=sova&prison_code=PBI&purpose=2"
                                "&from=2027-03-15&until=2027-09-15";

struct wrong {
	desk_page *open, *send;
	const char *good;
	const char *name, *value; /* instead of the good one, or besides */
	const char *told;
	const char *control; /* the summary leads there; NULL: the same name */
};

/* The good fields with one of them replaced, or added. */
static void replace(char out[FIELDS_BYTES], const char *good, const char *name, const char *value)
{
	const size_t len = strlen(name);
	const char *rest = good;

	out[0] = '\0';
	while (*rest != '\0') {
		size_t n = strcspn(rest, "&");

		if (strncmp(rest, name, len) != 0 || rest[len] != '=')
			snprintf(out + strlen(out), FIELDS_BYTES - strlen(out), "%.*s&", (int)n,
			         rest);
		rest += n + (rest[n] == '&');
	}
	snprintf(out + strlen(out), FIELDS_BYTES - strlen(out), "%s=%s", name, value);
}

static void must_tell(struct acting *acting, const struct wrong *wrong)
{
	char fields[FIELDS_BYTES], link[128];

	must_open(acting, wrong->open, NULL);
	replace(fields, wrong->good, wrong->name, wrong->value);
	if (act_send(acting, wrong->send, fields, NULL) != 400)
		fprintf(stderr, "%s=%s was taken\n", wrong->name, wrong->value);
	assert_int_equal(acting->bed.response.status, 400);
	snprintf(link, sizeof(link), "<a href=\"#%s\">",
	         wrong->control != NULL ? wrong->control : wrong->name);
	must_show(&acting->bed, link);
	must_show(&acting->bed, wrong->told);
	must_show(&acting->bed, "<title>Error: ");
	must_show(&acting->bed, acting->id); /* the same form once more */
	assert_int_equal(spool_files(acting), 0);
}

/* What was not wrong must be good: otherwise the tests above would prove nothing. */
static void must_be_good(struct acting *acting, const struct wrong *wrong)
{
	char path[2 * FOLDER_PATH];

	must_open(acting, wrong->open, NULL);
	must_send(acting, wrong->send, wrong->good, NULL);
	snprintf(path, sizeof(path), "%s/desk-%s.json", acting->bed.spool, acting->id);
	assert_int_equal(remove(path), 0);
}

static void must_tell_each(struct acting *acting, const struct wrong *list, size_t n)
{
	must_be_good(acting, &list[0]);
	for (size_t i = 0; i < n; i++)
		must_tell(acting, &list[i]);
}

#define EACH(acting, list) must_tell_each(acting, list, sizeof(list) / sizeof(list[0]))

#define LONG33  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG257 LONG33 LONG33 LONG33 LONG33 LONG33 LONG33 LONG33 LONG33

static void an_enrolment_is_read_carefully(void **state)
{
	static const struct wrong list[] = {
		{ page_enrol, page_enrol_send, enrol, "scheme", "", "Scheme is missing", NULL },
		{ page_enrol, page_enrol_send, enrol, "scheme", "Pilot", "Scheme must be of small",
		  NULL },
		{ page_enrol, page_enrol_send, enrol, "scheme", LONG33,
		  "Scheme is longer than 32 bytes", NULL },
		{ page_enrol, page_enrol_send, enrol, "cohort", "a b", "Cohort must be of", NULL },
		{ page_enrol, page_enrol_send, enrol, "from", "", "First day is missing",
		  "from-day" },
		{ page_enrol, page_enrol_send, enrol, "from", "2027-02-30",
		  "First day must be a day that exists", "from-day" },
		{ page_enrol, page_enrol_send, enrol, "until", "2027-03-11",
		  "Last day cannot be before the first", "until-day" },
		{ page_enrol, page_enrol_send, enrol, "consent_at", "2027-03-01",
		  "When it was signed needs a time of day", "consent_at-time" },
		{ page_enrol, page_enrol_send, enrol, "consent_at-time", "10:00",
		  "When it was signed is missing", "consent_at-day" },
		{ page_enrol, page_enrol_send, enrol, "caseworker", "", "Caseworker is missing",
		  NULL },
		{ page_enrol, page_enrol_send, enrol, "prison_code", "P B",
		  "Prison must not have spaces", NULL },
		{ page_enrol, page_enrol_send, enrol, "release", "tomorrow",
		  "Expected release must be a day", "release-day" },
	};

	must_know(*state);
	EACH(*state, list);
}

static void numbers_of_somebody_new_are_checked(void **state)
{
	static const struct wrong list[] = {
		{ page_enrol_new, page_enrol_new_send, new_man, "noms", "",
		  "Prison number is missing", NULL },
		{ page_enrol_new, page_enrol_new_send, new_man, "noms", "12345",
		  "Prison number does not have the form", NULL },
		{ page_enrol_new, page_enrol_new_send, new_man, "noms", "A1234BC",
		  "Prison number is known here already", NULL },
		{ page_enrol_new, page_enrol_new_send, new_man, "pnc", "2012/0052494X",
		  "PNC number: its check letter does not fit", NULL },
		{ page_enrol_new, page_enrol_new_send, new_man, "pnc", "hello",
		  "PNC number does not have the form", NULL },
		{ page_enrol_new, page_enrol_new_send, new_man, "crn", "X32",
		  "(CRN) does not have the form", NULL },
		{ page_enrol_new, page_enrol_new_send, new_man, "case_number", "a b",
		  "Our own case number does not have the form", NULL },
		{ page_enrol_new, page_enrol_new_send, new_man, "scheme", "", "Scheme is missing",
		  NULL },
	};

	must_know(*state);
	EACH(*state, list);
}

static void a_contact_is_read_carefully(void **state)
{
	static const struct wrong list[] = {
		{ page_contact, page_contact_send, contact, "channel", "", "How: choose one",
		  NULL },
		{ page_contact, page_contact_send, contact, "channel", "77",
		  "How: choose one of those offered", NULL },
		{ page_contact, page_contact_send, contact, "channel", "1x", "How: choose one",
		  NULL },
		{ page_contact, page_contact_send, contact, "purpose", "0", "What for: choose one",
		  NULL },
		{ page_contact, page_contact_send, contact, "result", "", "What came of it: choose",
		  NULL },
		{ page_contact, page_contact_send, contact, "setting", "-1", "Where: choose one",
		  NULL },
		{ page_contact, page_contact_send, contact, "started-day", "13",
		  "When it began cannot be after today", NULL },
		{ page_contact, page_contact_send, contact, "started-time", "10:01",
		  "When it began cannot be in the future", NULL },
		{ page_contact, page_contact_send, contact, "started-time", "25:00",
		  "When it began must have a time of day", NULL },
		{ page_contact, page_contact_send, contact, "started-time", "",
		  "When it began needs a time of day", NULL },
		{ page_contact, page_contact_send, contact, "started-year", "27",
		  "When it began must be a day that exists", "started-day" },
		{ page_contact, page_contact_send, contact, "started-month", "111",
		  "When it began must be a day that exists", "started-day" },
		{ page_contact, page_contact_send, contact, "minutes", "1441",
		  "Minutes must be a whole number from 0 to 1440", NULL },
		{ page_contact, page_contact_send, contact, "minutes", "-1", "Minutes must be",
		  NULL },
		{ page_contact, page_contact_send, contact, "minutes", "99999999999999999999",
		  "Minutes must be", NULL },
		{ page_contact, page_contact_send, contact, "needs", "12", "Needs: choose", NULL },
		{ page_contact, page_contact_send, contact, "needs", "x", "Needs: choose", NULL },
		{ page_contact, page_contact_send, contact, "referral", "R-9",
		  "Work on a referral: choose one", NULL },
		{ page_contact, page_contact_send, contact, "volunteer", "a%0ab",
		  "Volunteer must be one line", NULL },
	};

	must_know(*state);
	EACH(*state, list);
}

static void an_assessment_is_read_carefully(void **state)
{
	static const struct wrong list[] = {
		{ page_needs, page_needs_send, needs, "kind", "", "Assessment: choose one", NULL },
		{ page_needs, page_needs_send, needs, "need-1", "5",
		  "Accommodation: choose one of those offered", NULL },
		{ page_needs, page_needs_send, needs, "need-1", "",
		  "Say of at least one need whether it is there", NULL },
		{ page_needs, page_needs_send, needs, "note-2", "Debts",
		  "Finance, benefit and debt: say how grave it is", "need-2" },
		{ page_needs, page_needs_send, needs, "note-1", LONG257,
		  "Accommodation is longer than 256 bytes", NULL },
		{ page_needs, page_needs_send, needs, "review", "2027-03-11",
		  "Next review cannot be before today", "review-day" },
		{ page_needs, page_needs_send, needs, "assessed-day", "", "When must be a day",
		  NULL },
	};

	must_enrol(*state);
	EACH(*state, list);
}

static void a_gate_meeting_is_read_carefully(void **state)
{
	static const struct wrong list[] = {
		{ page_gate_meeting, page_gate_meeting_send, meeting, "outcome", "",
		  "Did they meet: choose one", NULL },
		{ page_gate_meeting, page_gate_meeting_send, meeting, "reason", "",
		  "Say why they did not meet", NULL },
		{ page_gate_meeting, page_gate_meeting_send, meeting, "met-time", "9.30",
		  "When must have a time of day", NULL },
	};
	struct acting *acting = *state;

	must_enrol(acting);
	casefile_released(&acting->file, &tom, must_at("2027-03-12 08:45"), true, 2);
	must_follow(&acting->bed);
	EACH(acting, list);
}

static void exits_and_withdrawals_are_read_carefully(void **state)
{
	static const struct wrong list[] = {
		{ page_exit, page_exit_send, leaving, "reason", "9", "Why support ends: choose",
		  NULL },
		{ page_exit, page_exit_send, leaving, "may_return", "",
		  "May they come back: choose", NULL },
		{ page_exit, page_exit_send, leaving, "note", LONG257,
		  "Note is longer than 256 bytes", NULL },
		{ page_withdraw, page_withdraw_send, withdrawal, "reason", "", "Why: choose one",
		  NULL },
		{ page_withdraw, page_withdraw_send, withdrawal, "scheme", "other",
		  "From which scheme: choose", NULL },
		{ page_withdraw, page_withdraw_send, withdrawal, "scheme", "",
		  "From which scheme: choose", NULL },
	};

	must_enrol(*state);
	EACH(*state, list);
}

static void a_referral_is_read_carefully(void **state)
{
	static const struct wrong list[] = {
		{ page_referral, page_referral_send, referral, "provider", "",
		  "Provider: choose one", NULL },
		{ page_referral, page_referral_send, referral, "provider", "police",
		  "Provider: choose one", NULL },
		{ page_referral, page_referral_send, referral, "need", "", "What it is for: choose",
		  NULL },
		{ page_referral, page_referral_send, referral, "ask", "",
		  "What you ask for is missing", NULL },
		{ page_referral, page_referral_send, referral, "ask", LONG257 LONG257,
		  "What you ask for is longer than 512 bytes", NULL },
		{ page_referral, page_referral_send, referral, "answer_by", "2027-03-17",
		  "Answer by needs a time of day", "answer_by-time" },
		{ page_referral, page_referral_send, referral, "wanted_by", "2026-03-17",
		  "Help wanted by cannot be before today", "wanted_by-day" },
		{ page_referral, page_referral_send, referral, "consent_version", "",
		  "Version of the consent is missing", NULL },
		{ page_referral, page_referral_send, referral, "best_time",
		  LONG33 LONG33 LONG33 LONG33, "When to ring is longer than 128 bytes", NULL },
		{ page_referral, page_referral_send, referral, "language_code", "po lish",
		  "Language must not have spaces", NULL },
		{ page_referral, page_referral_send, referral, "access_needs", LONG257,
		  "What they need to take part is longer than 256 bytes", NULL },
		{ page_referral, page_referral_send, referral, "safe", "4",
		  "May a message be left: choose", NULL },
	};

	must_enrol(*state);
	EACH(*state, list);
}

static void requests_are_read_carefully(void **state)
{
	static const struct wrong list[] = {
		{ page_flag, page_flag_send, flag, "action", "", "What you ask for: choose", NULL },
		{ page_flag, page_flag_send, flag, "action", "2", "What you ask for: choose",
		  NULL },
		{ page_flag, page_flag_send, flag, "contact_number", "", "Telephone is missing",
		  NULL },
		{ page_flag, page_flag_send, flag, "until", "2027-03-01",
		  "Last day cannot be before today", "until-day" },
		{ page_flag, page_flag_send, flag, "police_agency", "The Police",
		  "Police force must be of small", NULL },
		{ page_flag, page_flag_send, flag, "consent_version", "",
		  "Version of the consent is missing", NULL },
		{ page_access, page_access_send, access_to, "name", "",
		  "Who wants to come in is missing", NULL },
		{ page_access, page_access_send, access_to, "agency", "a b", "Agency must be of",
		  NULL },
		{ page_access, page_access_send, access_to, "purpose", "", "What for: choose",
		  NULL },
		{ page_access, page_access_send, access_to, "until", "2027-03-14",
		  "Last day cannot be before the first", "until-day" },
		{ page_access, page_access_send, access_to, "note", LONG257 LONG257,
		  "Why is longer than 512 bytes", NULL },
	};

	must_enrol(*state);
	EACH(*state, list);
}

static void every_mistake_is_told_at_once_and_what_was_typed_stays(void **state)
{
	struct acting *acting = *state;

	must_know(acting);
	must_open(acting, page_contact, NULL);
	assert_int_equal(act_send(acting, page_contact_send,
	                          "channel=1&minutes=abc&volunteer=P.+%22Lind%22&needs=3"
	                          "&started-day=40&started-month=3&started-year=2027",
	                          NULL),
	                 400);
	must_show(&acting->bed, "What for: choose one");
	must_show(&acting->bed, "Minutes must be");
	must_show(&acting->bed, "When it began must be a day that exists");
	must_show(&acting->bed, "When it began needs a time of day");
	must_show(&acting->bed, "value=\"abc\"");
	must_show(&acting->bed, "value=\"P. &quot;Lind&quot;\"");
	must_show(&acting->bed, "value=\"40\"");
	must_show(&acting->bed, "name=\"needs\" type=\"checkbox\" value=\"3\" checked");
	must_show(&acting->bed, "name=\"channel\" type=\"radio\" value=\"1\" checked");
}

static void the_hour_that_the_clocks_skip_is_no_time(void **state)
{
	struct acting *acting = *state;

	acting->bed.now_ns = must_at("2027-03-29 10:00");
	must_know(acting);
	must_open(acting, page_contact, NULL);
	assert_int_equal(act_send(acting, page_contact_send,
	                          "channel=1&purpose=3&result=1&setting=3&started=2027-03-28"
	                          "&started-time=01:30",
	                          NULL),
	                 400);
	must_show(&acting->bed, "the clocks went forward on 2027-03-28 and there was no 01:30");
	must_send(acting, page_contact_send,
	          "channel=1&purpose=3&result=1&setting=3&started=2027-03-28&started-time=02:30",
	          NULL);
	assert_int_equal(acting->event->service_contact->started_at->unix_ns,
	                 must_at("2027-03-28 02:30"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, act_set_up, act_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_enrolment_is_read_carefully),
		TEST(numbers_of_somebody_new_are_checked),
		TEST(a_contact_is_read_carefully),
		TEST(an_assessment_is_read_carefully),
		TEST(a_gate_meeting_is_read_carefully),
		TEST(exits_and_withdrawals_are_read_carefully),
		TEST(a_referral_is_read_carefully),
		TEST(requests_are_read_carefully),
		TEST(every_mistake_is_told_at_once_and_what_was_typed_stays),
		TEST(the_hour_that_the_clocks_skip_is_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
