/*
 * ttg-oneservice report on a real case store: the published figures of two cohorts of 1,000 men out
 * of their events, what the public may see, and how the command answers to wrong use.
 */
#include "support/stage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "store/published.h"
#include "support/cohorts.h"
#include "support/made.h"
#include "support/peer.h"

#define ADAPTER 0 /* slot of the stage's other processes */
#define MEN     1000
#define AS_AT   "2016-01-01"

static void write_configuration(struct stage *stage)
{
	must_write(stage, "state/.keep", "%s", "");
	must_write(stage, "oneservice.conf",
	           "agency = \"one-service\";\nbroker = \"%s\";\n"
	           "server_key_file = \"%s/keys/broker.pub\";\n"
	           "key_file = \"%s/keys/one-service.key\";\n"
	           "state_dir = \"%s/state\";\nmailboxes = [ \"duty\", \"desk\" ];\n"
	           "live = \"off\";\n",
	           stage->endpoint, stage->directory, stage->directory, stage->directory);
}

static void put(void *user, const Ttg__Event *event, const uint8_t *person_key, int64_t kept_ns)
{
	struct store *store = user;
	const struct ttg_outcome outcome = { .id = event->id.data, .code = TTG_OK };
	struct message message = { "" };
	enum store_verdict verdict;
	uint8_t *bytes = NULL;
	size_t len = 0;

	must_be(ttg_event_pack(event, &bytes, &len) == TTG_OK, "packed");
	const struct ttg_delivery delivery = { .mailbox = "one-service/duty",
		                               .position = 1,
		                               .event = bytes,
		                               .event_bytes = len,
		                               .accepted_ns = kept_ns,
		                               .person_key = person_key };
	if (strncmp(event->type, "service.", 8) != 0 && strcmp(event->type, "referral.sent") != 0)
		must_be(store_add(store, &delivery, kept_ns, &verdict, &message) == TTG_OK &&
		                verdict == STORE_NEW,
		        "kept");
	else
		must_be(store_add_published(store, event->id.data, event->type, bytes, len, kept_ns,
		                            &message) == TTG_OK &&
		                store_answer(store, &outcome, kept_ns, &message) == TTG_OK,
		        "kept as ours");
	free(bytes);
}

/* Made once: every test has a copy. */
static char template[] = "/tmp/ttg-report-XXXXXX";

static void path_of_template(char path[PROCESS_PATH_MAX])
{
	snprintf(path, PROCESS_PATH_MAX, "%s/case.db", template);
}

static int make_template(void **state)
{
	char path[PROCESS_PATH_MAX];
	struct message message = { "" };
	struct store *store = NULL;
	struct casefile file;

	(void)state;
	must_be(mkdtemp(template) != NULL, "a folder");
	path_of_template(path);
	must_be(store_open(&store, &(struct store_place){ .path = path }, &message) == TTG_OK, message.text);
	casefile_init(&file, put, store);
	cohorts_play(&file, MEN, 0);
	must_be(store_commit(store, &message) == TTG_OK, message.text);
	store_close(&store);
	return 0;
}

static int remove_template(void **state)
{
	char path[PROCESS_PATH_MAX];

	(void)state;
	path_of_template(path);
	unlink(path);
	return rmdir(template);
}

static void copy(const char *from, const char *to)
{
	static char bytes[1 << 16];
	FILE *in = fopen(from, "r");
	FILE *out = fopen(to, "w");
	size_t n;

	must_be(in != NULL && out != NULL, "opened");
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		must_be(fwrite(bytes, 1, n, out) == n, "copied");
	fclose(in);
	must_be(fclose(out) == 0, "copied");
}

static void fill_store(struct stage *stage)
{
	char from[PROCESS_PATH_MAX];
	char to[PROCESS_PATH_MAX];

	write_configuration(stage);
	path_of_template(from);
	STAGE_PATH(stage, to, "state/case.db");
	copy(from, to);
}

/* One more argument or pair of them may follow. */
static struct ran report(struct stage *stage, const char *kind, const char *form,
                         const char *option, const char *value)
{
	char config[PROCESS_PATH_MAX];

	STAGE_PATH(stage, config, "oneservice.conf");
	return must_run(stage, "ttg-oneservice", "report", kind, "--config", config, "--as-at",
	                AS_AT, "--scheme", COHORTS_SCHEME, form, option, value, NULL);
}

static void must_report(struct stage *stage, const char *kind, const char *option,
                        const char *value, const char *csv)
{
	struct ran ran = report(stage, kind, "--csv", option, value);

	if (ran.code != 0 || strcmp(ran.out, csv) != 0 || ran.err[0] != '\0')
		must_fail("%s: status %d, %s\n%s\nnot\n%s", kind, ran.code, ran.err, ran.out, csv);
	ran_free(&ran);
}

static void the_published_engagement_of_both_cohorts_comes_out(void **state)
{
	struct stage *stage = *state;

	fill_store(stage);
	must_report(stage, "engagement", NULL, NULL,
	            "scheme,cohort,stage,men,reached,percent\r\n"
	            "gateway,cohort-1,first_assessment,1000,740,74.0\r\n"
	            "gateway,cohort-1,full_assessment,1000,500,50.0\r\n"
	            "gateway,cohort-1,met_at_gate,1000,640,64.0\r\n"
	            "gateway,cohort-1,engaged_1_month,1000,370,37.0\r\n"
	            "gateway,cohort-1,engaged_3_months,1000,100,10.0\r\n"
	            "gateway,cohort-1,engaged_6_months,1000,50,5.0\r\n"
	            "gateway,cohort-2,first_assessment,1000,870,87.0\r\n"
	            "gateway,cohort-2,full_assessment,1000,700,70.0\r\n"
	            "gateway,cohort-2,met_at_gate,1000,860,86.0\r\n"
	            "gateway,cohort-2,engaged_1_month,1000,550,55.0\r\n"
	            "gateway,cohort-2,engaged_3_months,1000,200,20.0\r\n"
	            "gateway,cohort-2,engaged_6_months,1000,130,13.0\r\n");
	must_have_passed(stage);
}

static void the_published_needs_of_both_cohorts_together_come_out(void **state)
{
	struct stage *stage = *state;

	fill_store(stage);
	must_report(stage, "needs", "--cohort", "ALL",
	            "scheme,cohort,need,men,with_need,percent\r\n"
	            "gateway,ALL,accommodation,2000,800,40.0\r\n"
	            "gateway,ALL,finance_benefit_debt,2000,780,39.0\r\n"
	            "gateway,ALL,education_training_employment,2000,720,36.0\r\n"
	            "gateway,ALL,addiction,2000,500,25.0\r\n"
	            "gateway,ALL,health_wellbeing,2000,380,19.0\r\n"
	            "gateway,ALL,children_families,2000,300,15.0\r\n"
	            "gateway,ALL,legal,2000,240,12.0\r\n"
	            "gateway,ALL,attitudes_thinking_behaviour,2000,200,10.0\r\n"
	            "gateway,ALL,purposeful_activity,2000,160,8.0\r\n"
	            "gateway,ALL,immigration,2000,60,3.0\r\n"
	            "gateway,ALL,information_technology,2000,20,1.0\r\n");
	must_have_passed(stage);
}

static const char outcome_head[] =
        "scheme,cohort,men,not_over,not_observed,reconvicted,reconvicted_percent,events,"
        "events_per_100,baseline_per_100,reduction_percent,threshold_percent,threshold_met\r\n";

static void the_measured_outcome_comes_out_and_is_held_against_the_thresholds(void **state)
{
	struct stage *stage = *state;
	char csv[1024];

	fill_store(stage);
	snprintf(csv, sizeof(csv), "%s%s", outcome_head,
	         "gateway,cohort-1,1000,0,0,600,60.0,1374,137.4,150.0,8.4,10.0,no\r\n"
	         "gateway,cohort-2,1000,0,0,600,60.0,1340,134.0,150.0,10.7,10.0,yes\r\n"
	         "gateway,MISSED,1000,0,0,600,60.0,1374,137.4,150.0,8.4,7.5,yes\r\n");
	must_report(stage, "outcome", "--baseline", COHORTS_BASELINE, csv);
	snprintf(csv, sizeof(csv), "%s%s", outcome_head,
	         "gateway,cohort-1,1000,0,0,600,60.0,1374,137.4,,,,\r\n"
	         "gateway,cohort-2,1000,0,0,600,60.0,1340,134.0,,,,\r\n");
	must_report(stage, "outcome", NULL, NULL, csv);
	must_have_passed(stage);
}

static void the_flow_of_referrals_comes_out_with_its_times(void **state)
{
	struct stage *stage = *state;

	fill_store(stage);
	must_report(stage, "referrals", NULL, NULL,
	            "scheme,cohort,provider,sent,acknowledged,accepted,declined,started,ended,"
	            "withdrawn,answered,answer_median_hours,answer_longest_hours\r\n"
	            "gateway,cohort-1,mind,100,100,70,20,50,30,10,90,24.0,72.0\r\n"
	            "gateway,cohort-2,mind,100,100,70,20,50,30,10,90,24.0,72.0\r\n"
	            "gateway,ALL,mind,200,200,140,40,100,60,20,180,24.0,72.0\r\n");
	must_have_passed(stage);
}

/* Numbers of people look like A0000BC and X000000 here. */
static void must_name_nobody(const char *text)
{
	for (; *text != '\0'; text++)
		if ((*text == 'A' || *text == 'X') && strspn(text + 1, "0123456789") >= 4)
			must_fail("somebody is named: %.20s", text);
}

static void no_report_names_anybody(void **state)
{
	static const char *const kinds[] = { "engagement", "needs", "outcome", "referrals" };
	static const char *const forms[] = { "--csv", "--json", "--public" };
	struct stage *stage = *state;

	fill_store(stage);
	for (size_t k = 0; k < 4; k++)
		for (size_t f = 0; f < 3; f++) {
			struct ran ran = report(stage, kinds[k], forms[f], NULL, NULL);

			assert_int_equal(ran.code, 0);
			assert_true(strlen(ran.out) > 100);
			must_name_nobody(ran.out);
			must_name_nobody(ran.err);
			ran_free(&ran);
		}
	must_have_passed(stage);
}

/* The second scheme has 100 of the men, of whom the work of the first says nothing. */
static void the_public_sees_no_small_count_and_nothing_that_tells_one(void **state)
{
	struct stage *stage = *state;
	char config[PROCESS_PATH_MAX];

	fill_store(stage);
	STAGE_PATH(stage, config, "oneservice.conf");
	struct ran ran =
	        must_run(stage, "ttg-oneservice", "report", "engagement", "--config", config,
	                 "--as-at", AS_AT, "--scheme", "other-scheme", "--csv", "--public", NULL);
	assert_int_equal(ran.code, 0);
	assert_string_equal(ran.out,
	                    "scheme,cohort,stage,men,reached,percent\r\n"
	                    "other-scheme,cohort-1,first_assessment,100,81,81.0\r\n"
	                    "other-scheme,cohort-1,full_assessment,100,<5,suppressed\r\n"
	                    "other-scheme,cohort-1,met_at_gate,100,<5,suppressed\r\n"
	                    "other-scheme,cohort-1,engaged_1_month,100,<5,suppressed\r\n"
	                    "other-scheme,cohort-1,engaged_3_months,100,<5,suppressed\r\n"
	                    "other-scheme,cohort-1,engaged_6_months,100,<5,suppressed\r\n");
	ran_free(&ran);
	/* Eleven days after the first release: 22 men out, few of them not assessed. */
	ran = must_run(stage, "ttg-oneservice", "report", "engagement", "--config", config,
	               "--as-at", "2010-09-20", "--scheme", COHORTS_SCHEME, "--csv", "--public",
	               NULL);
	assert_string_equal(ran.out,
	                    "scheme,cohort,stage,men,reached,percent\r\n"
	                    "gateway,cohort-1,first_assessment,22,suppressed,suppressed\r\n"
	                    "gateway,cohort-1,full_assessment,22,11,50.0\r\n"
	                    "gateway,cohort-1,met_at_gate,22,11,50.0\r\n"
	                    "gateway,cohort-1,engaged_1_month,<5,<5,suppressed\r\n"
	                    "gateway,cohort-1,engaged_3_months,<5,<5,suppressed\r\n"
	                    "gateway,cohort-1,engaged_6_months,<5,<5,suppressed\r\n");
	ran_free(&ran);
	must_have_passed(stage);
}

static void programs_get_an_object_a_line(void **state)
{
	struct stage *stage = *state;

	fill_store(stage);
	struct ran ran = report(stage, "outcome", "--json", "--cohort", "cohort-2");
	json_t *object = json_loads(ran.out, JSON_DISABLE_EOF_CHECK, NULL);
	assert_string_equal(json_string_value(json_object_get(object, "cohort")), "cohort-2");
	assert_int_equal(json_integer_value(json_object_get(object, "events")), 1340);
	assert_true(json_is_null(json_object_get(object, "reduction_percent")));
	assert_non_null(strstr(ran.out, "\"events_per_100\":134.0,"));
	json_decref(object);
	ran_free(&ran);
	must_have_passed(stage);
}

static void a_report_goes_into_a_file_that_only_its_owner_reads(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX];
	struct stat status;

	fill_store(stage);
	STAGE_PATH(stage, path, "engagement.csv");
	struct ran ran = report(stage, "engagement", "--csv", "--output", path);
	assert_int_equal(ran.code, 0);
	assert_string_equal(ran.out, "");
	assert_int_equal(count_in(stage, "engagement.csv", "gateway,cohort-2,met_at_gate"), 1);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	ran_free(&ran);
	STAGE_PATH(stage, path, "no-such-folder/engagement.csv");
	ran = report(stage, "engagement", "--csv", "--output", path);
	assert_int_equal(ran.code, 1);
	ran_free(&ran);
	must_have_passed(stage);
}

static void a_report_is_made_beside_the_running_service(void **state)
{
	struct stage *stage = *state;
	char config[PROCESS_PATH_MAX];

	must_start_broker(stage);
	write_configuration(stage);
	STAGE_PATH(stage, config, "oneservice.conf");
	must_start_other(stage, ADAPTER, "oneservice", "ttg-oneservice", "--config", config, NULL);
	must_see(stage, "oneservice.err", "attached");
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ .area = "Luton" });
	struct ran ran = report(stage, "needs", "--csv", NULL, NULL);
	assert_int_equal(ran.code, 0);
	assert_string_equal(ran.out, "scheme,cohort,need,men,with_need,percent\r\n");
	assert_non_null(strstr(ran.err, "there is nothing to count"));
	ran_free(&ran);
	must_accept(stage, prison, &(struct made_wish){ .number = 2 });
	must_settle(stage, "one-service/duty", "queued", 0);
	must_have_passed(stage);
}

static void must_refuse(struct stage *stage, int code, const char *says, const char *kind,
                        const char *option, const char *value)
{
	struct ran ran = report(stage, kind, "--csv", option, value);

	if (ran.code != code || strstr(ran.err, says) == NULL || ran.out[0] != '\0')
		must_fail("%s %s: status %d, %s%s", kind, option, ran.code, ran.out, ran.err);
	ran_free(&ran);
}

static void wrong_use_is_told_and_prints_no_table(void **state)
{
	struct stage *stage = *state;

	write_configuration(stage);
	must_refuse(stage, 1, "there is no case store yet", "needs", NULL, NULL);
	fill_store(stage);
	must_refuse(stage, 2, "no such report", "everything", NULL, NULL);
	must_refuse(stage, 2, "one of --csv and --json", "needs", "--json", NULL);
	must_refuse(stage, 2, "--as-at takes a time", "needs", "--as-at", "yesterday");
	must_refuse(stage, 2, "is for the outcome", "needs", "--baseline", "150");
	must_refuse(stage, 2, "--baseline takes", "outcome", "--baseline", "0");
	must_refuse(stage, 2, "--baseline takes", "outcome", "--baseline", "cohort-1=");
	must_refuse(stage, 2, "--baseline takes", "outcome", "--baseline", "=150");
	must_refuse(stage, 2, "--baseline takes", "outcome", "--baseline", "150.1234");
	must_refuse(stage, 2, "--baseline takes", "outcome", "--baseline", "1e3");
	must_refuse(stage, 2, "cannot be read", "needs", "--config", "/nowhere/at-all.conf");
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(the_published_engagement_of_both_cohorts_comes_out),
		STAGE_TEST(the_published_needs_of_both_cohorts_together_come_out),
		STAGE_TEST(the_measured_outcome_comes_out_and_is_held_against_the_thresholds),
		STAGE_TEST(the_flow_of_referrals_comes_out_with_its_times),
		STAGE_TEST(no_report_names_anybody),
		STAGE_TEST(the_public_sees_no_small_count_and_nothing_that_tells_one),
		STAGE_TEST(programs_get_an_object_a_line),
		STAGE_TEST(a_report_goes_into_a_file_that_only_its_owner_reads),
		STAGE_TEST(a_report_is_made_beside_the_running_service),
		STAGE_TEST(wrong_use_is_told_and_prints_no_table),
	};

	return cmocka_run_group_tests(tests, make_template, remove_template);
}
