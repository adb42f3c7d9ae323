/* The demonstration's player and its check: invented numbers, repeatable days, losses found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>
#include <ttg/event.h>
#include "base/crc32c.h"
#include "base/identifier.h"
#include "demo/check.h"
#include "demo/cohort.h"
#include "demo/story.h"
#include "store/store.h"

#define YEAR_NOW 2026
#define NOW_NS   INT64_C(1795428202500000000)
#define DAY_NS   INT64_C(2000000000)
#define DAYS     25

static void invented_numbers_are_valid_and_nobody_shares_one(void **state)
{
	struct man men[500];
	char canonical[IDENTIFIER_CANONICAL];

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		cohort_man(42, i, &men[i]);
		assert_int_equal(
		        identifier_check(IDENTIFIER_NOMS, men[i].noms, YEAR_NOW, canonical),
		        IDENTIFIER_VALID);
		assert_int_equal(identifier_check(IDENTIFIER_PNC, men[i].pnc, YEAR_NOW, canonical),
		                 IDENTIFIER_VALID);
		assert_string_equal(canonical, men[i].pnc);
		assert_int_equal(identifier_check(IDENTIFIER_CRN, men[i].crn, YEAR_NOW, canonical),
		                 IDENTIFIER_VALID);
		for (unsigned k = 0; k < i; k++) {
			assert_string_not_equal(men[k].noms, men[i].noms);
			assert_string_not_equal(men[k].pnc, men[i].pnc);
			assert_string_not_equal(men[k].crn, men[i].crn);
		}
	}
}

static void invented_arrest_numbers_have_their_check_letter(void **state)
{
	char canonical[IDENTIFIER_CANONICAL];
	char asn[32];

	(void)state;
	for (unsigned i = 1; i < 300; i++) {
		cohort_asn(YEAR_NOW, i, asn);
		assert_int_equal(identifier_check(IDENTIFIER_ASN, asn, YEAR_NOW, canonical),
		                 IDENTIFIER_VALID);
	}
}

/* What a stage saw, in one number and a few counts. */
struct record {
	uint32_t crc;
	unsigned files[FEEDS];
	unsigned expected, withheld, own, failed;
	unsigned not_json;
};

static bool record_put(void *user, enum feed feed, const char *name, const char *bytes, size_t len)
{
	struct record *record = user;

	record->files[feed]++;
	record->crc = crc32c(record->crc, name, strlen(name));
	record->crc = crc32c(record->crc, bytes, len);
	if (strstr(name, ".json") && feed != FEED_SERVICE) {
		json_t *root = json_loadb(bytes, len, 0, NULL);

		record->not_json += root == NULL;
		json_decref(root);
	}
	return true;
}

static void record_expect(void *user, const char *type, const char *who)
{
	struct record *record = user;

	record->expected++;
	record->crc = crc32c(record->crc, who, strlen(who));
	assert_true(ttg_type_find(type) >= 0);
}

static void record_withheld(void *user, const char *type, const char *who)
{
	struct record *record = user;

	record->withheld++;
	assert_int_equal(strncmp(type, "police.", 7), 0);
	assert_int_not_equal(who[0], 0);
}

static void record_own(void *user, const char *id, const char *type, const char *who)
{
	struct record *record = user;
	uint8_t bytes[TTG_UUID_BYTES];

	record->own++;
	if (type)
		record_expect(user, type, who);
	assert_int_equal(ttg_uuid_parse(id, bytes), TTG_OK);
}

static void record_failed(void *user, enum feed feed, const char *name)
{
	struct record *record = user;

	(void)feed;
	(void)name;
	record->failed++;
}

static struct record play_through(uint64_t seed)
{
	struct record record = { .crc = 0 };
	const struct stage stage = {
		.user = &record,
		.put = record_put,
		.expect = record_expect,
		.expect_withheld = record_withheld,
		.expect_own = record_own,
		.expect_failed = record_failed,
	};
	struct story *story = story_new(seed, &stage);

	assert_non_null(story);
	for (int i = 0; i < DAYS; i++)
		assert_true(story_day(story, NOW_NS + i * DAY_NS));
	assert_int_equal(story_days(story), DAYS);
	story_free(&story);
	return record;
}

static void the_same_seed_plays_the_same_days(void **state)
{
	struct record first = play_through(7);
	struct record again = play_through(7);
	struct record other = play_through(8);

	(void)state;
	assert_int_equal(first.crc, again.crc);
	assert_int_not_equal(first.crc, other.crc);
}

static void every_agency_writes_and_one_file_alone_is_broken(void **state)
{
	struct record record = play_through(1);

	(void)state;
	for (size_t i = 0; i < FEEDS; i++)
		assert_true(record.files[i] > 10);
	assert_true(record.expected > 100);
	assert_true(record.withheld > 3); /* some men are not enrolled */
	assert_true(record.withheld < record.expected / 4);
	assert_true(record.own > 50);
	assert_int_equal(record.failed, 1);
	assert_int_equal(record.not_json, 1);
}

/* A stage that has no room. */
static bool refuse_put(void *user, enum feed feed, const char *name, const char *bytes, size_t len)
{
	(void)user;
	(void)feed;
	(void)name;
	(void)bytes;
	(void)len;
	return false;
}

static void a_day_that_cannot_be_written_stops_the_play(void **state)
{
	const struct stage stage = { .put = refuse_put };
	struct story *story = story_new(1, &stage);

	(void)state;
	assert_false(story_day(story, NOW_NS));
	story_free(&story);
}

struct sources {
	char directory[64];
	char store[96], expected[96], status[96], tail[96], grants[96], mailboxes[96];
	struct check_sources paths;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void store_one_release(const char *path)
{
	uint8_t id[16] = { 0x01, 2, 3, 4, 5, 6, 0x70, 0, 0x80 };
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__PrisonReleased released = TTG__PRISON_RELEASED__INIT;
	Ttg__Identifier noms = TTG__IDENTIFIER__INIT;
	Ttg__Identifier *identifiers[] = { &noms };
	Ttg__Person person = TTG__PERSON__INIT;
	uint8_t bytes[256];
	struct ttg_delivery delivery = { .mailbox = "one-service/duty", .position = 1 };
	struct message message;
	struct store *store;
	enum store_verdict verdict;

	noms.canonical = (char *)(uintptr_t) "A1234BC";
	person.identifiers = identifiers;
	person.n_identifiers = 1;
	event.id.data = id;
	event.id.len = sizeof(id);
	event.type = (char *)(uintptr_t) "prison.released";
	event.person = &person;
	event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RELEASED;
	event.prison_released = &released;
	delivery.event = bytes;
	delivery.event_bytes = ttg__event__pack(&event, bytes);
	assert_int_equal(store_open(&store, &(struct store_place){ .path = path }, &message), TTG_OK);
	assert_int_equal(store_add(store, &delivery, 1, &verdict, &message), TTG_OK);
	assert_int_equal(store_commit(store, &message), TTG_OK);
	store_close(&store);
}

static int set_up(void **state)
{
	struct sources *sources = calloc(1, sizeof(*sources));

	strcpy(sources->directory, "/tmp/ttg-demo-XXXXXX");
	assert_non_null(mkdtemp(sources->directory));
#define NAME(field)                                                                                \
	snprintf(sources->field, sizeof(sources->field), "%s/" #field, sources->directory)
	NAME(store);
	NAME(expected);
	NAME(status);
	NAME(tail);
	NAME(grants);
	NAME(mailboxes);
#undef NAME
	store_one_release(sources->store);
	write_file(sources->expected, "{\"type\":\"prison.released\",\"who\":\"A1234BC\"}\n");
	write_file(sources->status, "{\"accepted\":1,\"duplicate\":2,\"refused\":0,"
	                            "\"failed\":0,\"pending\":0}");
	write_file(sources->tail,
	           "{\"kind\":\"accepted\",\"event_id\":\"01020304-0506-7000-8000-000000000000\","
	           "\"type\":\"prison.released\",\"source\":\"hmp-peterborough\"}\n"
	           "{\"kind\":\"acked\",\"mailbox\":\"one-service/duty\"}\n");
	write_file(sources->grants,
	           "{\"grant\":\"deliver\",\"type\":\"prison.released\","
	           "\"agency\":\"hmp-peterborough\",\"mailbox\":\"one-service/duty\"}\n");
	write_file(sources->mailboxes, "{\"mailbox\":\"one-service/duty\",\"queued\":0}\n"
	                               "{\"mailbox\":\"probation/in\",\"queued\":9}\n");
	sources->paths = (struct check_sources){
		.store = sources->store,
		.expected = { sources->expected },
		.n_expected = 1,
		.statuses = { sources->status },
		.n_statuses = 1,
		.tail = sources->tail,
		.grants = sources->grants,
		.mailboxes = sources->mailboxes,
	};
	*state = sources;
	return 0;
}

static int tear_down(void **state)
{
	struct sources *sources = *state;

	unlink(sources->store);
	unlink(sources->expected);
	unlink(sources->status);
	unlink(sources->tail);
	unlink(sources->grants);
	unlink(sources->mailboxes);
	assert_int_equal(rmdir(sources->directory), 0);
	free(sources);
	return 0;
}

static struct check checked(const struct sources *sources)
{
	char problem[CHECK_PROBLEM] = "";
	struct check check;

	if (!check_run(&sources->paths, &check, problem))
		fail_msg("%s", problem);
	return check;
}

static void nothing_is_lost_when_everything_is_there(void **state)
{
	struct check check = checked(*state);

	assert_true(check_settled(&check));
	assert_int_equal(check_lost(&check), 0);
	assert_int_equal(check.sent, 1);
	assert_int_equal(check.accepted, 3);
	assert_int_equal(check.duplicates, 2);
	assert_int_equal(check.delivered, 1);
}

static void an_event_that_was_played_twice_and_came_once_is_lost(void **state)
{
	struct sources *sources = *state;
	struct check check;

	write_file(sources->expected, "{\"type\":\"prison.released\",\"who\":\"A1234BC\"}\n"
	                              "{\"type\":\"prison.released\",\"who\":\"A1234BC\"}\n");
	check = checked(sources);
	assert_int_equal(check_lost(&check), 1);
	assert_false(check_settled(&check));
}

static void an_event_about_somebody_else_does_not_stand_in(void **state)
{
	struct sources *sources = *state;
	struct check check;

	write_file(sources->expected, "{\"type\":\"prison.released\",\"who\":\"B1234BC\"}\n");
	check = checked(sources);
	assert_int_equal(check_lost(&check), 1);
}

static void an_accepted_id_that_is_granted_and_not_stored_is_lost(void **state)
{
	struct sources *sources = *state;
	struct check check;

	write_file(sources->tail,
	           "{\"kind\":\"accepted\",\"event_id\":\"01020304-0506-7000-8000-0000000000ff\","
	           "\"type\":\"prison.released\",\"source\":\"hmp-peterborough\"}\n"
	           "{\"kind\":\"accepted\",\"event_id\":\"01020304-0506-7000-8000-0000000000fe\","
	           "\"type\":\"probation.identifier_linked\",\"source\":\"probation\"}\n");
	check = checked(sources);
	assert_int_equal(check.lost_by_id, 1);
	assert_int_equal(check_lost(&check), 1);
}

#define WITHHELD_LINE(who) "{\"type\":\"prison.released\",\"who\":\"" who "\",\"withheld\":true}\n"

/* The broker accepted two more that wait for what is known of their person; they are not stored. */
static void accept_two_that_wait(const struct sources *sources)
{
	write_file(sources->tail,
	           "{\"kind\":\"accepted\",\"event_id\":\"01020304-0506-7000-8000-0000000000ff\","
	           "\"type\":\"prison.released\",\"source\":\"hmp-peterborough\",\"waiting\":1}\n"
	           "{\"kind\":\"accepted\",\"event_id\":\"01020304-0506-7000-8000-0000000000fe\","
	           "\"type\":\"prison.released\",\"source\":\"hmp-peterborough\",\"waiting\":1}\n");
}

static void what_a_condition_withholds_as_it_should_is_not_lost(void **state)
{
	struct sources *sources = *state;
	struct check check;

	accept_two_that_wait(sources);
	write_file(sources->expected, WITHHELD_LINE("B1234BC") WITHHELD_LINE("C1234BC"));
	check = checked(sources);
	assert_int_equal(check.withheld, 2);
	assert_int_equal(check.sent, 2);
	assert_int_equal(check_lost(&check), 0);
	assert_true(check_settled(&check));
}

static void what_a_condition_withholds_of_somebody_enrolled_is_lost(void **state)
{
	struct sources *sources = *state;
	struct check check;

	accept_two_that_wait(sources);
	write_file(sources->expected, WITHHELD_LINE("B1234BC"));
	check = checked(sources);
	assert_int_equal(check.withheld, 1);
	assert_int_equal(check_lost(&check), 1);
	assert_false(check_settled(&check));
}

static void what_should_be_withheld_and_is_not_is_not_settled(void **state)
{
	struct sources *sources = *state;
	struct check check;

	write_file(sources->expected, WITHHELD_LINE("A1234BC")); /* it is in the store */
	check = checked(sources);
	assert_int_equal(check.leaked, 1);
	assert_int_equal(check.withheld, 0);
	assert_false(check_settled(&check));
	write_file(sources->expected, WITHHELD_LINE("B1234BC")); /* not accepted so far */
	check = checked(sources);
	assert_int_equal(check.leaked, 0);
	assert_false(check_settled(&check));
}

static void an_id_that_was_accepted_twice_is_not_settled(void **state)
{
	struct sources *sources = *state;
	static const char line[] =
	        "{\"kind\":\"accepted\",\"event_id\":\"01020304-0506-7000-8000-000000000000\","
	        "\"type\":\"prison.released\",\"source\":\"hmp-peterborough\"}\n";
	char twice[2 * sizeof(line)];
	struct check check;

	snprintf(twice, sizeof(twice), "%s%s", line, line);
	write_file(sources->tail, twice);
	check = checked(sources);
	assert_int_equal(check.doubled, 1);
	assert_false(check_settled(&check));
}

static void our_own_event_without_an_answer_is_lost(void **state)
{
	struct sources *sources = *state;
	struct check check;

	write_file(sources->expected, "{\"own\":\"01020304-0506-7000-8000-0000000000aa\"}\n");
	check = checked(sources);
	assert_int_equal(check.unanswered, 1);
	assert_int_equal(check_lost(&check), 1);
}

static void what_is_still_under_way_is_not_settled(void **state)
{
	struct sources *sources = *state;
	struct check check;

	write_file(sources->status, "{\"pending\":1}");
	check = checked(sources);
	assert_int_equal(check_lost(&check), 0);
	assert_false(check_settled(&check));
	write_file(sources->status, "{}");
	write_file(sources->mailboxes, "{\"mailbox\":\"one-service/duty\",\"queued\":1}\n");
	check = checked(sources);
	assert_false(check_settled(&check));
}

static void a_broken_file_that_nobody_put_aside_is_not_settled(void **state)
{
	struct sources *sources = *state;
	struct check check;

	write_file(sources->expected, "{\"failed\":\"000001-broken.json\",\"feed\":\"prison\"}\n");
	check = checked(sources);
	assert_int_equal(check.not_put_aside, 1);
	assert_false(check_settled(&check));
	write_file(sources->status, "{\"failed\":1}");
	check = checked(sources);
	assert_true(check_settled(&check));
}

static void a_source_that_is_not_there_is_a_problem_and_not_a_pass(void **state)
{
	struct sources *sources = *state;
	char problem[CHECK_PROBLEM] = "";
	struct check check;

	sources->paths.grants = "/nonexistent";
	assert_false(check_run(&sources->paths, &check, problem));
	assert_non_null(strstr(problem, "/nonexistent"));
}

#define CHECK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invented_numbers_are_valid_and_nobody_shares_one),
		cmocka_unit_test(invented_arrest_numbers_have_their_check_letter),
		cmocka_unit_test(the_same_seed_plays_the_same_days),
		cmocka_unit_test(every_agency_writes_and_one_file_alone_is_broken),
		cmocka_unit_test(a_day_that_cannot_be_written_stops_the_play),
		CHECK_TEST(nothing_is_lost_when_everything_is_there),
		CHECK_TEST(an_event_that_was_played_twice_and_came_once_is_lost),
		CHECK_TEST(an_event_about_somebody_else_does_not_stand_in),
		CHECK_TEST(an_accepted_id_that_is_granted_and_not_stored_is_lost),
		CHECK_TEST(what_a_condition_withholds_as_it_should_is_not_lost),
		CHECK_TEST(what_a_condition_withholds_of_somebody_enrolled_is_lost),
		CHECK_TEST(what_should_be_withheld_and_is_not_is_not_settled),
		CHECK_TEST(an_id_that_was_accepted_twice_is_not_settled),
		CHECK_TEST(our_own_event_without_an_answer_is_lost),
		CHECK_TEST(what_is_still_under_way_is_not_settled),
		CHECK_TEST(a_broken_file_that_nobody_put_aside_is_not_settled),
		CHECK_TEST(a_source_that_is_not_there_is_a_problem_and_not_a_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
