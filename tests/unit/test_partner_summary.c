/* The daily summary: when it is due by British clocks, and what it tells of whom. */
#include "partner_unit.h"

#include <sys/stat.h>
#include <unistd.h>
#include "partner/summary.h"
#include "partner/words.h"
#include "support/folder.h"

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

static struct summary_plan plan_of(const char *at, const char *last)
{
	struct summary_plan plan = { .dir = "", .at = at, .from = "broker@mind.example",
		                     .to = "referrals@mind.example", .agency = "mind" };

	strcpy(plan.last, last);
	return plan;
}

static bool is_due(const char *at, const char *last, const char *now)
{
	const struct summary_plan plan = plan_of(at, last);
	char day[11];

	return summary_is_due(&plan, instant_of(now), day);
}

static void it_is_due_once_a_day_at_its_hour_by_british_clocks(void **state)
{
	(void)state;
	assert_false(is_due("07:30", "2026-11-26", "2026-11-27T07:29:59Z"));
	assert_true(is_due("07:30", "2026-11-26", "2026-11-27T07:30:00Z"));
	assert_false(is_due("07:30", "2026-11-27", "2026-11-27T07:31:00Z"));
	assert_true(is_due("07:30", "2026-11-20", "2026-11-27T21:00:00Z")); /* was switched off */
	assert_true(is_due("07:30", "", "2026-11-27T07:30:00Z"));
	/* In summer the hour comes an hour earlier. */
	assert_false(is_due("07:30", "2026-06-30", "2026-07-01T06:29:00Z"));
	assert_true(is_due("07:30", "2026-06-30", "2026-07-01T06:30:00Z"));
	/* The day before by UTC, the same day by British clocks. */
	assert_true(is_due("00:15", "2026-06-30", "2026-06-30T23:15:00Z"));
	/* 01:30 does not exist on 28 March 2027: it is due when clocks show 02:00. */
	assert_false(is_due("01:30", "2027-03-27", "2027-03-28T00:59:59Z"));
	assert_true(is_due("01:30", "2027-03-27", "2027-03-28T01:00:00Z"));
	/* It comes twice on 25 October 2026: the first counts. */
	assert_true(is_due("01:30", "2026-10-24", "2026-10-25T00:30:00Z"));
	assert_false(is_due("01:30", "2026-10-25", "2026-10-25T01:30:00Z"));
}

static void must_have(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		must_fail("no \"%s\" in:\n%s", part, text);
}

static struct caseload *some_referrals(void)
{
	struct caseload *referrals = caseload_new("mind");

	must_tell(referrals,
	          &(struct told_news){ "referral.sent", "R-old", .number = 1,
	                               .at = "2026-11-20T09:00:00Z",
	                               .data = ",\"need\":\"NEED_FINANCE_BENEFIT_DEBT\","
	                                       "\"answer_by_at\":\"2026-11-24T17:00:00Z\","
	                                       "\"ask\":\"debt with his landlord\","
	                                       "\"contact\":{\"display_name\":\"Sam Example\","
	                                       "\"telephone\":\"07700900123\"}" });
	must_tell(referrals,
	          &(struct told_news){ "referral.sent", "R-new", .number = 2,
	                               .at = "2026-11-26T16:00:00Z",
	                               .data = ",\"need\":\"NEED_ACCOMMODATION\"" });
	must_tell(referrals, &(struct told_news){ "referral.sent", "R-done", .number = 3,
	                                          .at = "2026-11-01T16:00:00Z" });
	must_tell(referrals, &(struct told_news){ "referral.declined", "R-done", .number = 4,
	                                          .ours = true });
	must_tell(referrals,
	          &(struct told_news){ "partner.appointment", "R-old", .number = 5, .ours = true,
	                               .data = ",\"appointment_id\":\"a\",\"status\":\"BOOKED\","
	                                       "\"starts_at\":\"2026-11-27T10:30:00Z\"" });
	must_tell(referrals,
	          &(struct told_news){ "partner.appointment", "R-new", .number = 6, .ours = true,
	                               .data = ",\"appointment_id\":\"b\",\"status\":\"CANCELLED\","
	                                       "\"starts_at\":\"2026-11-27T11:30:00Z\"" });
	return referrals;
}

static void it_tells_of_cases_and_of_nobody(void **state)
{
	const struct summary_plan plan = plan_of("07:30", "2026-11-26");
	struct caseload *referrals = some_referrals();
	char *text = summary_text(&plan, referrals, instant_of("2026-11-27T07:30:12.5Z"));

	(void)state;
	assert_non_null(text);
	must_have(text, "Date: Fri, 27 Nov 2026 07:30:12 +0000\r\n");
	must_have(text, "From: broker@mind.example\r\nTo: referrals@mind.example\r\n"
	                "Subject: Referrals: 1 new, 2 waiting, 1 overdue, 1 appointments today\r\n"
	                "Message-ID: <summary-2026-11-27.mind@mind.example>\r\n");
	must_have(text, "\r\n\r\nNew since 2026-11-26 07:30:\r\n"
	                "  C-R-new (referral R-new): accommodation\r\n\r\n"
	                "Waiting for an answer:\r\n"
	                "  C-R-old (referral R-old): finance benefit debt, answer by 2026-11-24 "
	                "17:00\r\n"
	                "  C-R-new (referral R-new): accommodation\r\n\r\n"
	                "Overdue, the time to answer is over:\r\n"
	                "  C-R-old (referral R-old): finance benefit debt, answer by 2026-11-24 "
	                "17:00\r\n\r\n"
	                "Appointments today, 2026-11-27:\r\n  10:30 C-R-old (referral R-old)\r\n");
	assert_null(strstr(text, "Sam"));
	assert_null(strstr(text, "07700900123"));
	assert_null(strstr(text, "landlord"));
	assert_null(strstr(text, "R-done"));
	free(text);
	caseload_free(&referrals);
}

static void an_empty_day_says_so(void **state)
{
	const struct summary_plan plan = plan_of("07:30", "");
	struct caseload *referrals = caseload_new("mind");
	char *text = summary_text(&plan, referrals, instant_of("2026-07-01T06:30:00Z"));

	(void)state;
	must_have(text, "Subject: Referrals: 0 new, 0 waiting, 0 overdue, 0 appointments today");
	must_have(text, "New since 2026-06-30 07:30:\r\n  none\r\n");
	free(text);
	caseload_free(&referrals);
}

static void nothing_that_was_sent_begins_a_line_of_its_own(void **state)
{
	const struct summary_plan plan = plan_of("07:30", "");
	struct caseload *referrals = caseload_new("mind");
	char *text;

	(void)state;
	must_tell(referrals, &(struct told_news){ "referral.sent", "R\\nBcc: all@example.org",
	                                          .number = 1 });
	text = summary_text(&plan, referrals, instant_of("2026-11-20T10:00:00Z"));
	must_have(text, "C-R?Bcc: all@example.org (referral R?Bcc: all@example.org)");
	assert_null(strstr(text, "\nBcc"));
	free(text);
	caseload_free(&referrals);
}

static void addresses_are_one_address(void **state)
{
	(void)state;
	assert_true(summary_is_address("a@b"));
	assert_true(summary_is_address("first.last+tag@mail.example.org"));
	assert_false(summary_is_address(""));
	assert_false(summary_is_address("nobody"));
	assert_false(summary_is_address("@example.org"));
	assert_false(summary_is_address("a@"));
	assert_false(summary_is_address("a@b, c@d"));
	assert_false(summary_is_address("Ann <a@b>"));
	assert_false(summary_is_address("a@b\r\nBcc: c@d"));
}

static bool count_mail(void *arg, const char *name)
{
	size_t len = strlen(name);

	if (len > 4 && strcmp(name + len - 4, ".eml") == 0)
		++*(size_t *)arg;
	return true;
}

static void a_restart_writes_no_second_one(void **state)
{
	const struct folder *folder = *state;
	struct caseload *referrals = some_referrals();
	struct summary_plan plan = plan_of("00:00", "");
	char out[FOLDER_PATH];
	struct message message;
	size_t n = 0;

	folder_path(folder, "out", out);
	plan.dir = out;
	plan.state_dir = folder->path;
	for (int life = 0; life < 3; life++) {
		plan.last[0] = '\0';
		plan.look_ms = 0;
		assert_int_equal(summary_open(&plan, world_real(), &message), TTG_OK);
		assert_int_equal(summary_write_if_due(&plan, world_real(), referrals, &message),
		                 TTG_OK);
		n = 0;
		world_real()->list(world_real()->self, out, count_mail, &n);
		/* The mail system takes the first away; none may come after it. */
		assert_int_equal(n, life == 0 ? 1 : 0);
		if (life == 0) {
			char path[FOLDER_PATH * 2];

			snprintf(path, sizeof(path), "%s/mind-%s.eml", out, plan.last);
			assert_int_equal(unlink(path), 0);
		}
	}
	caseload_free(&referrals);
}

static void words_are_plain_english(void **state)
{
	char words[WORDS_BYTES];

	(void)state;
	words_of(&ttg__need_category__descriptor, 7, words);
	assert_string_equal(words, "legal");
	words_of(&ttg__need_category__descriptor, 0, words);
	assert_string_equal(words, "not said");
	words_of(&ttg__need_category__descriptor, 99, words);
	assert_string_equal(words, "not said");
	words_of(&ttg__decline_reason__descriptor, 7, words);
	assert_string_equal(words, "he declined");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_due_once_a_day_at_its_hour_by_british_clocks),
		cmocka_unit_test(it_tells_of_cases_and_of_nobody),
		cmocka_unit_test(an_empty_day_says_so),
		cmocka_unit_test(nothing_that_was_sent_begins_a_line_of_its_own),
		cmocka_unit_test(addresses_are_one_address),
		FOLDER_TEST(a_restart_writes_no_second_one),
		cmocka_unit_test(words_are_plain_english),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
