/*
 * The way of a form: who may, when it makes sense, what happens when it is sent twice or the disk
 * is full, and that text goes through as it was typed.
 */
#include "unit.h"
#include <string.h>
#include "support/acting.h"
#include <sys/stat.h>
#include <unistd.h>

static const char contact[] = "channel=1&purpose=3&result=1&setting=3" WHEN("started");
static const char leaving[] = "reason=3&may_return=1" WHEN("exited");

static void a_form_that_is_sent_twice_sends_once(void **state)
{
	struct acting *acting = *state;
	uint8_t id[TTG_UUID_BYTES];

	must_know(acting);
	must_open(acting, page_contact, NULL);
	must_send(acting, page_contact_send, contact, NULL);
	acting->bed.now_ns += INT64_C(3000000000);
	assert_int_equal(act_send(acting, page_contact_send, contact, NULL), 303);
	assert_int_equal(spool_files(acting), 1);
	assert_int_equal(must_read_spool(acting)->recorded_at->unix_ns,
	                 acting->bed.now_ns - INT64_C(3000000000));
	/* And once more when ttg-oneservice has it. */
	must_take(acting);
	assert_int_equal(act_send(acting, page_contact_send, contact, NULL), 303);
	assert_int_equal(spool_files(acting), 0);
	memcpy(id, acting->event->id.data, sizeof(id));
	assert_int_not_equal(views_find_event(acting->bed.desk.views, id), VIEWS_NOBODY);
}

static void an_end_that_is_sent_twice_is_no_mistake(void **state)
{
	struct acting *acting = *state;

	must_enrol(acting);
	must_open(acting, page_exit, NULL);
	must_send(acting, page_exit_send, leaving, NULL);
	must_take(acting); /* he is not enrolled any more */
	assert_int_equal(act_send(acting, page_exit_send, leaving, NULL), 303);
	assert_int_equal(spool_files(acting), 0);
}

static void what_waits_about_him_is_told_before_more_is_sent(void **state)
{
	static const char told[] = "Something about this person was sent and is not taken yet";
	struct acting *acting = *state;
	const struct casefile_man sam = { .noms = "A9876ZZ", .key = 2 };
	char number[12];

	must_know(acting);
	casefile_received(&acting->file, &sam, must_at("2027-01-05 10:00"));
	must_follow(&acting->bed);
	must_open(acting, page_contact, NULL);
	must_not_show(&acting->bed, told);
	must_send(acting, page_contact_send, contact, NULL);
	desk_bed_get(&acting->bed, page_contact, NULL, acting->number, NULL);
	must_show(&acting->bed, told);
	snprintf(number, sizeof(number), "%u", must_find_person(&acting->bed, sam.noms)->number);
	desk_bed_get(&acting->bed, page_contact, NULL, number, NULL);
	must_not_show(&acting->bed, told);
	must_take(acting);
	desk_bed_get(&acting->bed, page_contact, NULL, acting->number, NULL);
	must_not_show(&acting->bed, told);
}

static void a_form_that_was_sent_cannot_say_something_else(void **state)
{
	struct acting *acting = *state;
	char where[64];

	must_know(acting);
	must_open(acting, page_contact, NULL);
	must_send(acting, page_contact_send, contact, NULL);
	assert_int_equal(act_send(acting, page_contact_send,
	                          "channel=2&purpose=3&result=1&setting=3" WHEN("started"), NULL),
	                 409);
	must_show(&acting->bed, "This form was sent already, with other content");
	snprintf(where, sizeof(where), "/sent/%s", acting->id);
	must_show(&acting->bed, where);
	assert_int_equal(must_read_spool(acting)->service_contact->channel,
	                 TTG__CONTACT_CHANNEL__CONTACT_CHANNEL_FACE_TO_FACE);
	must_take(acting);
	assert_int_equal(act_send(acting, page_contact_send, "channel=2", NULL), 409);
	assert_int_equal(spool_files(acting), 0);
}

static void an_id_of_somebody_elses_event_is_not_taken(void **state)
{
	struct acting *acting = *state;
	const struct view_event *theirs;

	must_know(acting);
	theirs = views_event(acting->bed.desk.views, 0);
	assert_false(theirs->ours);
	snprintf(acting->id, sizeof(acting->id), "01910000-0000-7000-8000-000000000000");
	assert_int_equal(act_send(acting, page_contact_send, contact, NULL), 303);
	ttg_uuid_format(theirs->id, acting->id);
	if (acting->id[14] == '7')
		assert_int_equal(act_send(acting, page_contact_send, contact, NULL), 409);
	else
		assert_int_equal(act_send(acting, page_contact_send, contact, NULL), 400);
	assert_int_equal(spool_files(acting), 1);
}

static void a_form_without_its_id_is_not_whole(void **state)
{
	static const char *const ids[] = { "", "x", "01910000-0000-4000-8000-000000000000",
		                           "../../etc/passwd" };
	struct acting *acting = *state;

	must_know(acting);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		snprintf(acting->id, sizeof(acting->id), "%s", ids[i]);
		assert_int_equal(act_send(acting, page_contact_send, contact, NULL), 400);
	}
	assert_int_equal(spool_files(acting), 0);
}

static void after_a_mistake_the_id_stays(void **state)
{
	struct acting *acting = *state;
	char first[TTG_UUID_TEXT];

	must_know(acting);
	must_open(acting, page_contact, NULL);
	snprintf(first, sizeof(first), "%s", acting->id);
	assert_int_equal(act_send(acting, page_contact_send, "channel=1", NULL), 400);
	must_find_id(acting);
	assert_string_equal(acting->id, first);
	must_send(acting, page_contact_send, contact, NULL);
}

static void a_spool_that_cannot_be_written_is_told(void **state)
{
	struct acting *acting = *state;

	must_know(acting);
	must_open(acting, page_contact, NULL);
	assert_int_equal(rmdir(acting->bed.spool), 0);
	assert_int_equal(act_send(acting, page_contact_send, contact, NULL), 503);
	must_show(&acting->bed, "This could not be sent");
	must_show(&acting->bed, "Nothing was sent");
	must_show(&acting->bed, "name=\"channel\" type=\"radio\" value=\"1\" checked");
	must_show(&acting->bed, acting->id);
	assert_int_equal(mkdir(acting->bed.spool, 0700), 0);
	must_send(acting, page_contact_send, contact, NULL);
}

static void a_desk_without_a_spool_only_looks(void **state)
{
	struct acting *acting = *state;

	must_know(acting);
	acting->bed.desk.settings.spool_dir[0] = '\0';
	desk_bed_get(&acting->bed, page_contact, NULL, acting->number, NULL);
	assert_int_equal(acting->bed.response.status, 409);
	must_show(&acting->bed, "Nothing can be sent from this desk");
	desk_bed_get(&acting->bed, page_sent, NULL, NULL, NULL);
	assert_int_equal(acting->bed.response.status, 200);
}

struct right {
	desk_page *open, *send;
	unsigned roles;
	bool nobody; /* no person in its path */
};

static const struct right rights[] = {
	{ page_enrol, page_enrol_send, ROLE_CASEWORKER | ROLE_MANAGER, false },
	{ page_enrol_new, page_enrol_new_send, ROLE_CASEWORKER | ROLE_MANAGER, true },
	{ page_contact, page_contact_send, ROLES_STAFF, false },
	{ page_needs, page_needs_send, ROLE_CASEWORKER | ROLE_MANAGER, false },
	{ page_gate_meeting, page_gate_meeting_send, ROLES_STAFF, false },
	{ page_exit, page_exit_send, ROLE_CASEWORKER | ROLE_MANAGER, false },
	{ page_return, page_return_send, ROLE_CASEWORKER | ROLE_MANAGER, false },
	{ page_withdraw, page_withdraw_send, ROLE_CASEWORKER | ROLE_MANAGER, false },
	{ page_referral, page_referral_send, ROLE_CASEWORKER | ROLE_MANAGER, false },
	{ page_referral_withdraw, page_referral_withdraw_send, ROLE_CASEWORKER | ROLE_MANAGER,
	  false },
	{ page_flag, page_flag_send, ROLES_STAFF, false },
	{ page_access, page_access_send, ROLE_CASEWORKER | ROLE_MANAGER, true },
};

#define RIGHTS (sizeof(rights) / sizeof(rights[0]))

static void who_may_not_is_told_so(void **state)
{
	static const unsigned roles[] = { ROLE_DUTY, ROLE_CASEWORKER, ROLE_MANAGER,
		                          ROLE_EVALUATOR };
	struct acting *acting = *state;

	must_know(acting);
	snprintf(acting->id, sizeof(acting->id), "01910000-0000-7000-8000-000000000000");
	for (size_t i = 0; i < RIGHTS * 4; i++) {
		const struct right *right = &rights[i / 4];
		bool may = (right->roles & roles[i % 4]) != 0;

		acting->bed.user.role = roles[i % 4];
		desk_bed_get(&acting->bed, right->open, NULL, acting->number, "R-1");
		assert_int_equal(acting->bed.response.status == 403, !may);
		act_send(acting, right->send, "x=y", "R-1");
		assert_int_equal(acting->bed.response.status == 403, !may);
	}
	assert_int_equal(spool_files(acting), 0);
}

static void only_a_manager_gives_him_another_caseworker(void **state)
{
	static const char fields[] = "scheme=pilot&from=2027-02-01&caseworker=S.+Khan";
	struct acting *acting = *state;

	must_enrol(acting);
	must_open(acting, page_enrol, NULL);
	acting->bed.user.role = ROLE_CASEWORKER;
	assert_int_equal(act_send(acting, page_enrol_send, fields, NULL), 409);
	must_show(&acting->bed, "Only a manager");
	desk_bed_get(&acting->bed, page_enrol, NULL, acting->number, NULL);
	assert_int_equal(acting->bed.response.status, 409);
	assert_int_equal(spool_files(acting), 0);
	acting->bed.user.role = ROLE_MANAGER;
	must_send(acting, page_enrol_send, fields, NULL);
}

static void nobody_has_that_number(void **state)
{
	static const char *const numbers[] = { "7", "-1", "0x", "99999999999999", "" };
	struct acting *acting = *state;

	must_know(acting);
	must_open(acting, page_contact, NULL);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(acting->number, sizeof(acting->number), "%s", numbers[i]);
		assert_int_equal(act_send(acting, page_contact_send, contact, NULL), 404);
	}
	assert_int_equal(spool_files(acting), 0);
}

/* Probation says that access to his case is limited. */
static void limit_access(struct acting *acting)
{
	Ttg__Identifier number = TTG__IDENTIFIER__INIT;
	Ttg__Identifier *numbers[] = { &number };
	Ttg__Person person = TTG__PERSON__INIT;
	Ttg__ProbationContact it = TTG__PROBATION_CONTACT__INIT;
	Ttg__Time time = TTG__TIME__INIT;
	Ttg__Event event = TTG__EVENT__INIT;
	uint8_t id[16] = { 0xf2 };
	static const uint8_t key[16] = { 1 };

	number.kind = TTG__IDENTIFIER_KIND__NOMS;
	number.value = number.canonical = (char *)(uintptr_t)tom.noms;
	number.validity = TTG__VALIDITY__VALID;
	person.n_identifiers = 1;
	person.identifiers = numbers;
	time.unix_ns = acting->bed.now_ns;
	it.limited_access = true;
	event.id.data = id;
	event.id.len = sizeof(id);
	event.source = (char *)"probation";
	event.type = (char *)"probation.contact";
	event.occurred_at = &time;
	event.person = &person;
	event.payload_case = TTG__EVENT__PAYLOAD_PROBATION_CONTACT;
	event.probation_contact = &it;
	desk_bed_put(&acting->bed, &event, key, acting->bed.now_ns);
	must_follow(&acting->bed);
}

static void a_limited_case_is_for_those_who_work_with_him(void **state)
{
	struct acting *acting = *state;

	must_know(acting);
	must_open(acting, page_enrol, NULL);
	must_send(acting, page_enrol_send, "scheme=pilot&from=2027-02-01&caseworker=Ann+Example",
	          NULL);
	must_take(acting);
	limit_access(acting);
	must_open(acting, page_contact, NULL);
	must_send(acting, page_contact_send, contact, NULL);

	snprintf(acting->bed.user.name, sizeof(acting->bed.user.name), "Bob Example");
	desk_bed_get(&acting->bed, page_contact, NULL, acting->number, NULL);
	assert_int_equal(acting->bed.response.status, 403);
	must_show(&acting->bed, "Ask Ann Example, who works with this person");
	assert_int_equal(act_send(acting, page_contact_send, contact, NULL), 403);
	/* What was sent about him is as limited as he is, in the spool and in the store. */
	for (int i = 0; i < 2; i++) {
		desk_bed_get(&acting->bed, page_sent_one, NULL, acting->id, NULL);
		assert_int_equal(acting->bed.response.status, 403);
		desk_bed_get(&acting->bed, page_sent, NULL, NULL, NULL);
		must_show(&acting->bed, "Limited access");
		must_not_show(&acting->bed, "A1234BC");
		must_not_show(&acting->bed, acting->id);
		if (i == 0)
			must_take(acting);
	}
}

struct move {
	desk_page *open, *send;
	const char *why;
};

static void must_not_make_sense(struct acting *acting, const struct move *moves, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		desk_bed_get(&acting->bed, moves[i].open, NULL, acting->number, "R-1");
		assert_int_equal(acting->bed.response.status, 409);
		must_show(&acting->bed, moves[i].why);
		assert_int_equal(act_send(acting, moves[i].send, "x=y", "R-1"), 409);
		must_show(&acting->bed, moves[i].why);
	}
	assert_int_equal(spool_files(acting), 0);
}

static void what_makes_no_sense_is_not_offered(void **state)
{
	static const struct move stranger[] = {
		{ page_needs, page_needs_send, "This person is not enrolled: that comes first" },
		{ page_exit, page_exit_send, "there is no support to end" },
		{ page_return, page_return_send, "was never enrolled" },
		{ page_withdraw, page_withdraw_send, "There is no scheme to withdraw" },
		{ page_referral, page_referral_send, "no provider may be told" },
		{ page_flag, page_flag_send, "is not enrolled and has no flag" },
		{ page_gate_meeting, page_gate_meeting_send, "No release is known" },
		{ page_referral_withdraw, page_referral_withdraw_send, "no referral of ours" },
	};
	static const struct move enrolled[] = {
		{ page_return, page_return_send, "Support has not ended" },
	};
	static const struct move withdrawn[] = {
		{ page_exit, page_exit_send, "there is no support to end" },
		{ page_return, page_return_send, "was withdrawn and can only" },
		{ page_withdraw, page_withdraw_send, "There is no scheme to withdraw" },
	};
	const struct casefile_man ours = { .noms = tom.noms, .crn = tom.crn };
	struct acting *acting = *state;

	must_know(acting);
	snprintf(acting->id, sizeof(acting->id), "01910000-0000-7000-8000-000000000000");
	must_not_make_sense(acting, stranger, sizeof(stranger) / sizeof(stranger[0]));
	casefile_enrolled(&acting->file, &ours, must_at("2027-02-01 09:00"), "pilot", "c", "");
	must_follow(&acting->bed);
	must_not_make_sense(acting, enrolled, 1);
	casefile_withdrawn(&acting->file, &ours, must_at("2027-03-01 09:00"), "pilot", 1);
	must_follow(&acting->bed);
	must_not_make_sense(acting, withdrawn, sizeof(withdrawn) / sizeof(withdrawn[0]));
}

static bool is_offered(struct acting *acting, const char *word)
{
	char link[64];

	snprintf(link, sizeof(link), "href=\"/people/%s/%s\"", acting->number, word);
	return strstr(acting->bed.response.body.bytes, link) != NULL;
}

static void his_page_offers_what_makes_sense_to_who_may(void **state)
{
	struct acting *acting = *state;
	const struct casefile_man ours = { .noms = tom.noms, .crn = tom.crn };

	must_know(acting);
	desk_bed_get(&acting->bed, page_person, NULL, acting->number, NULL);
	assert_true(is_offered(acting, "enrol") && is_offered(acting, "contact"));
	assert_false(is_offered(acting, "exit") || is_offered(acting, "return") ||
	             is_offered(acting, "needs") || is_offered(acting, "withdraw"));
	casefile_enrolled(&acting->file, &ours, must_at("2027-02-01 09:00"), "pilot", "c", "");
	acting->file.referral = "R-1";
	casefile_sent(&acting->file, &ours, must_at("2027-03-01 09:00"), "mind");
	must_follow(&acting->bed);
	desk_bed_get(&acting->bed, page_person, NULL, acting->number, NULL);
	assert_true(is_offered(acting, "exit") && is_offered(acting, "needs") &&
	            is_offered(acting, "withdraw") && is_offered(acting, "enrol") &&
	            is_offered(acting, "referrals/R-1/withdraw"));
	acting->bed.user.role = ROLE_DUTY;
	desk_bed_get(&acting->bed, page_person, NULL, acting->number, NULL);
	assert_true(is_offered(acting, "contact") && is_offered(acting, "flag"));
	assert_false(is_offered(acting, "exit") || is_offered(acting, "needs") ||
	             is_offered(acting, "enrol") || is_offered(acting, "referrals/R-1/withdraw"));
	acting->bed.user.role = ROLE_MANAGER;
	acting->bed.desk.settings.spool_dir[0] = '\0';
	desk_bed_get(&acting->bed, page_person, NULL, acting->number, NULL);
	assert_false(is_offered(acting, "contact") || is_offered(acting, "referrals/R-1/withdraw"));
}

static void nobody_returns_when_the_window_is_over(void **state)
{
	static const struct move over[] = {
		{ page_return, page_return_send, "The twelve months after the release are over" },
	};
	struct acting *acting = *state;

	must_enrol(acting);
	casefile_released(&acting->file, &tom, must_at("2027-03-11 09:00"), true, 2);
	must_follow(&acting->bed);
	must_open(acting, page_exit, NULL);
	must_send(acting, page_exit_send, leaving, NULL);
	must_take(acting);
	must_open(acting, page_return, NULL);
	acting->bed.now_ns = must_at("2028-03-12 10:00");
	snprintf(acting->id, sizeof(acting->id), "01910000-0000-7000-8000-000000000000");
	must_not_make_sense(acting, over, 1);
}

static void an_ended_referral_is_not_taken_back(void **state)
{
	struct acting *acting = *state;
	const struct casefile_man ours = { .noms = tom.noms, .crn = tom.crn };

	must_enrol(acting);
	acting->file.referral = "R-1";
	casefile_sent(&acting->file, &ours, must_at("2027-03-01 09:00"), "mind");
	must_follow(&acting->bed);
	must_open(acting, page_referral_withdraw, "R-1");
	casefile_answer(&acting->file, &tom, must_at("2027-03-02 09:00"), CASEFILE_DECLINED);
	must_follow(&acting->bed);
	assert_int_equal(act_send(acting, page_referral_withdraw_send,
	                          "reason=MOV" WHEN("withdrawn"), "R-1"),
	                 409);
	must_show(&acting->bed, "has come to its end");
	assert_int_equal(spool_files(acting), 0);
}

/* Typed, as it stands in the query, and as it must stand in the event and in the page. */
static void text_goes_through_as_it_was_typed(void **state)
{
	static const struct {
		const char *query, *event, *page;
	} texts[] = {
		{ "%3Cscript%3Ealert(1)%3C/script%3E", "<script>alert(1)</script>",
		  "&lt;script&gt;alert(1)&lt;/script&gt;" },
		{ "'%3B+DROP+TABLE+event%3B+--", "'; DROP TABLE event; --", "DROP TABLE event" },
		{ "%22+onload%3D%22x", "\" onload=\"x", "&quot; onload=&quot;x" },
		{ "%F0%9F%90%94+%E2%82%AC+caf%C3%A9", "\xf0\x9f\x90\x94 \xe2\x82\xac caf\xc3\xa9",
		  "\xf0\x9f\x90\x94 \xe2\x82\xac caf\xc3\xa9" },
		{ "%25s%25n%25d", "%s%n%d", "%s%n%d" },
		{ "one%0atwo", "one\ntwo", "one<br>two" },
	};
	struct acting *acting = *state;
	char fields[FIELDS_BYTES];

	must_enrol(acting);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		must_open(acting, page_exit, NULL);
		snprintf(fields, sizeof(fields), "%s&note=%s", leaving, texts[i].query);
		must_send(acting, page_exit_send, fields, NULL);
		assert_string_equal(acting->event->service_exited->note, texts[i].event);
		desk_bed_get(&acting->bed, page_sent_one, NULL, acting->id, NULL);
		must_show(&acting->bed, texts[i].page);
		must_not_show(&acting->bed, "<script>alert");
		snprintf(fields, sizeof(fields), "%s/desk-%s.json", acting->bed.spool, acting->id);
		assert_int_equal(remove(fields), 0);
		/* In the form once more, when something else was wrong. */
		snprintf(fields, sizeof(fields), "note=%s", texts[i].query);
		assert_int_equal(act_send(acting, page_exit_send, fields, NULL), 400);
		must_not_show(&acting->bed, "<script>alert");
		must_not_show(&acting->bed, "\" onload=\"x");
	}
}

static void text_that_cannot_be_sent_is_refused(void **state)
{
	static const char *const bad[] = { "a%0d%0ab",  "a%01b",           "a%C2%85b", "%C0%AF",
		                           "%ED%A0%80", "%F8%88%80%80%80", "%FF",      "a%09b" };
	struct acting *acting = *state;
	char fields[FIELDS_BYTES];

	must_enrol(acting);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		must_open(acting, page_exit, NULL);
		snprintf(fields, sizeof(fields), "%s&note=%s", leaving, bad[i]);
		assert_int_equal(act_send(acting, page_exit_send, fields, NULL), 400);
		must_show(&acting->bed, "Note has characters in it that cannot be sent");
	}
	assert_int_equal(spool_files(acting), 0);
}

/* A bound counts bytes: 64 characters of four are 256. */
static void a_bound_is_reached_and_not_passed(void **state)
{
	struct acting *acting = *state;
	char fields[FIELDS_BYTES];
	size_t len;

	must_enrol(acting);
	for (int over = 0; over < 2; over++) {
		must_open(acting, page_exit, NULL);
		len = (size_t)snprintf(fields, sizeof(fields), "%s&note=%s", leaving,
		                       over ? "a" : "");
		for (int i = 0; i < 64; i++)
			len += (size_t)snprintf(fields + len, sizeof(fields) - len,
			                        "%%F0%%9F%%90%%94");
		assert_int_equal(act_send(acting, page_exit_send, fields, NULL), over ? 400 : 303);
		if (over)
			must_show(&acting->bed, "Note is longer than 256 bytes");
		else
			assert_int_equal(strlen(must_read_spool(acting)->service_exited->note),
			                 256);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, act_set_up, act_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_form_that_is_sent_twice_sends_once),
		TEST(an_end_that_is_sent_twice_is_no_mistake),
		TEST(what_waits_about_him_is_told_before_more_is_sent),
		TEST(a_form_that_was_sent_cannot_say_something_else),
		TEST(an_id_of_somebody_elses_event_is_not_taken),
		TEST(a_form_without_its_id_is_not_whole),
		TEST(after_a_mistake_the_id_stays),
		TEST(a_spool_that_cannot_be_written_is_told),
		TEST(a_desk_without_a_spool_only_looks),
		TEST(who_may_not_is_told_so),
		TEST(only_a_manager_gives_him_another_caseworker),
		TEST(nobody_has_that_number),
		TEST(a_limited_case_is_for_those_who_work_with_him),
		TEST(what_makes_no_sense_is_not_offered),
		TEST(his_page_offers_what_makes_sense_to_who_may),
		TEST(nobody_returns_when_the_window_is_over),
		TEST(an_ended_referral_is_not_taken_back),
		TEST(text_goes_through_as_it_was_typed),
		TEST(text_that_cannot_be_sent_is_refused),
		TEST(a_bound_is_reached_and_not_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
