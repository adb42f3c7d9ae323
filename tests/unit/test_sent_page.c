/* What the page of sent events says of one on its way: waiting, accepted, delivered, refused,
 * answered. */
#include "unit.h"
#include <string.h>
#include <sys/stat.h>
#include "desk/sent.h"
#include "store/published.h"
#include "support/acting.h"

static const char contact[] = "channel=1&purpose=3&result=1&setting=3&minutes=45" WHEN("started");
static const char referral[] =
        "provider=mind&need=5&ask=A+%3Cb%3Etalk&setting=3&consent_version=2026-1";

/* Both pages say it. */
static void must_say(struct acting *acting, const char *text)
{
	desk_bed_get(&acting->bed, page_sent, NULL, NULL, NULL);
	assert_int_equal(acting->bed.response.status, 200);
	must_show(&acting->bed, text);
	desk_bed_get(&acting->bed, page_sent_one, NULL, acting->id, NULL);
	assert_int_equal(acting->bed.response.status, 200);
	must_show(&acting->bed, text);
}

static void send_contact(struct acting *acting)
{
	must_know(acting);
	must_open(acting, page_contact, NULL);
	must_send(acting, page_contact_send, contact, NULL);
}

static void set_state(struct acting *acting, uint32_t delivered, uint32_t acknowledged)
{
	struct message message = { "" };
	struct ttg_event_state told = { .id = acting->event->id.data,
		                        .delivered = delivered,
		                        .acknowledged = acknowledged };
	bool changed;

	assert_int_equal(
	        store_add_state(acting->bed.writer, &told, acting->bed.now_ns, &changed, &message),
	        TTG_OK);
	assert_int_equal(store_commit(acting->bed.writer, &message), TTG_OK);
}

static void what_is_in_the_spool_waits(void **state)
{
	struct acting *acting = *state;

	desk_bed_get(&acting->bed, page_sent, NULL, NULL, NULL);
	must_show(&acting->bed, "Nothing was sent yet");
	must_not_show(&acting->bed, "data-refresh");
	send_contact(acting);
	must_say(acting, "Waiting to be taken");
	must_show(&acting->bed, "Waiting to be taken by ttg-oneservice");
	must_show(&acting->bed, "Face to face");
	must_show(&acting->bed, "Prison number");
	must_show(&acting->bed, "Ann Example");
	must_show(&acting->bed, "A1234BC");
	must_show(&acting->bed, "45");
	must_show(&acting->bed, "data-refresh");
	must_show(&acting->bed, "Refresh");
}

static void from_the_store_to_those_who_got_it(void **state)
{
	struct acting *acting = *state;

	send_contact(acting);
	must_take(acting);
	must_say(acting, "Waiting for the broker");
	must_show(&acting->bed, "Taken by ttg-oneservice");
	must_answer(&acting->bed, acting->event->id.data, TTG_OK);
	must_follow(&acting->bed);
	must_say(acting, "Accepted");
	must_show(&acting->bed, "accepted it, under number 7");
	set_state(acting, 3, 2);
	desk_bed_get(&acting->bed, page_sent, NULL, NULL, NULL);
	must_show(&acting->bed, "2 of 3 acknowledged it");
	must_say(acting, "govuk-tag--blue\">Delivered<");
	must_show(&acting->bed, "Delivered to 3 mailboxes, 2 acknowledged it");
	must_not_show(&acting->bed, "data-refresh");
}

static void a_refusal_says_why_and_what_to_do(void **state)
{
	struct acting *acting = *state;

	send_contact(acting);
	must_take(acting);
	must_answer(&acting->bed, acting->event->id.data, TTG_REFUSED_NOT_AGREED);
	must_follow(&acting->bed);
	must_say(acting, "govuk-tag--red\">Refused");
	must_show(&acting->bed, "No agreement that is in force lets us tell this");
	must_show(&acting->bed, "Tell whoever keeps the information sharing agreements");
	must_show(&acting->bed, "words: not agreed");
}

static void every_final_refusal_has_words_of_its_own(void **state)
{
	(void)state;
	for (int code = 100; code <= TTG_REFUSED_SIGNATURE; code++) {
		if (ttg_error_retryable((enum ttg_error)code))
			continue;
		assert_string_not_equal(sent_reason((enum ttg_error)code),
		                        ttg_error_text((enum ttg_error)code));
		assert_string_not_equal(sent_advice((enum ttg_error)code), "Tell your support.");
	}
	assert_string_equal(sent_reason(TTG_EIO), ttg_error_text(TTG_EIO));
}

static void what_ttg_oneservice_would_not_take_is_shown(void **state)
{
	struct acting *acting = *state;
	char from[2 * FOLDER_PATH], to[2 * FOLDER_PATH];
	FILE *file;

	send_contact(acting);
	snprintf(to, sizeof(to), "%s/failed", acting->bed.spool);
	assert_int_equal(mkdir(to, 0700), 0);
	snprintf(from, sizeof(from), "%s/desk-%s.json", acting->bed.spool, acting->id);
	snprintf(to, sizeof(to), "%s/failed/desk-%s.json", acting->bed.spool, acting->id);
	assert_int_equal(rename(from, to), 0);
	snprintf(to, sizeof(to), "%s/failed/desk-%s.json.reason", acting->bed.spool, acting->id);
	file = fopen(to, "w");
	assert_non_null(file);
	fputs("code=9 text=\"<b>source\"\n", file);
	fclose(file);
	must_say(acting, "Refused");
	must_show(&acting->bed, "It did not reach the broker");
	must_show(&acting->bed, "&lt;b&gt;source");
	assert_int_equal(act_send(acting, page_contact_send, contact, NULL), 303);
}

static void a_referral_is_answered_by_its_provider(void **state)
{
	struct acting *acting = *state;

	must_enrol(acting);
	must_open(acting, page_referral, NULL);
	must_send(acting, page_referral_send, referral, NULL);
	must_take(acting);
	must_answer(&acting->bed, acting->event->id.data, TTG_OK);
	must_follow(&acting->bed);
	must_say(acting, "Referral, to mind");
	must_show(&acting->bed, "A &lt;b&gt;talk");
	acting->file.referral = acting->id;
	casefile_answer(&acting->file, &tom, must_at("2027-03-12 09:50"), CASEFILE_ACCEPTED);
	must_follow(&acting->bed);
	must_say(acting, "govuk-tag--green\">Accepted by the provider");
	must_show(&acting->bed, "The answer");
	must_not_show(&acting->bed, "data-refresh");
	casefile_answer(&acting->file, &tom, must_at("2027-03-12 09:55"), CASEFILE_DECLINED);
	must_follow(&acting->bed);
	must_say(acting, "govuk-tag--red\">Declined by the provider");
}

/* The prison's decision about the request that was sent last. */
static void decide(struct acting *acting)
{
	Ttg__PrisonAccessDecision it = TTG__PRISON_ACCESS_DECISION__INIT;
	Ttg__Time time = TTG__TIME__INIT;
	Ttg__Event event = TTG__EVENT__INIT;
	uint8_t id[16] = { 0xf3 };
	static const uint8_t key[16] = { 0 };

	time.unix_ns = acting->bed.now_ns;
	it.request_id = acting->id;
	it.decision = TTG__ACCESS_DECISION__ACCESS_DECISION_GRANTED;
	it.conditions = (char *)"Escorted at first";
	event.id.data = id;
	event.id.len = sizeof(id);
	event.source = (char *)"hmp-peterborough";
	event.type = (char *)"prison.access_decision";
	event.occurred_at = &time;
	event.payload_case = TTG__EVENT__PAYLOAD_PRISON_ACCESS_DECISION;
	event.prison_access_decision = &it;
	desk_bed_put(&acting->bed, &event, key, acting->bed.now_ns);
	must_follow(&acting->bed);
}

static void a_request_for_access_is_answered_by_the_prison(void **state)
{
	struct acting *acting = *state;

	must_open(acting, page_access, NULL);
	must_send(acting, page_access_send,
	          "name=P.+Lind&agency=sova&prison_code=PBI&purpose=2&from=2027-03-15"
	          "&until=2027-09-15",
	          NULL);
	must_take(acting);
	must_answer(&acting->bed, acting->event->id.data, TTG_OK);
	must_follow(&acting->bed);
	must_say(acting, "Request for access");
	must_show(&acting->bed, "P. Lind");
	must_show(&acting->bed, "15/09/2027");
	decide(acting);
	must_say(acting, "govuk-tag--green\">Granted by the prison");
	must_show(&acting->bed, "Escorted at first");
}

static void what_came_from_elsewhere_is_not_ours(void **state)
{
	static const char *const ids[] = { "x", "", "01910000-0000-7000-8000-000000000000" };
	struct acting *acting = *state;

	must_know(acting);
	ttg_uuid_format(views_event(acting->bed.desk.views, 0)->id, acting->id);
	desk_bed_get(&acting->bed, page_sent_one, NULL, acting->id, NULL);
	assert_int_equal(acting->bed.response.status, 404);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		desk_bed_get(&acting->bed, page_sent_one, NULL, ids[i], NULL);
		assert_int_equal(acting->bed.response.status, 404);
	}
	desk_bed_get(&acting->bed, page_sent, NULL, NULL, NULL);
	must_show(&acting->bed, "Nothing was sent yet");
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		n++;
	return n;
}

/* ttg-oneservice has kept the event of the last form, and not moved its file yet. */
static void keep_last(struct acting *acting)
{
	struct message message = { "" };
	struct sent sent;
	uint8_t id[TTG_UUID_BYTES];

	assert_int_equal(ttg_uuid_parse(acting->id, id), TTG_OK);
	assert_int_equal(send_find(&acting->bed.desk, id, &sent, &message), TTG_OK);
	assert_int_equal(sent.place, SENT_WAITS);
	desk_bed_put(&acting->bed, sent.event, NULL, acting->bed.now_ns);
	sent_fini(&sent);
	must_follow(&acting->bed);
}

/* Four wait in the spool, the last of them is in the store, too; 104 are in the store alone. */
static void the_newest_hundred_are_shown_once_each(void **state)
{
	const struct casefile_man ours = { .noms = tom.noms };
	struct acting *acting = *state;
	uint8_t ids[2][TTG_UUID_BYTES];

	must_know(acting);
	for (int i = 0; i < 104; i++)
		casefile_contact(&acting->file, &ours, must_at("2027-03-10 10:00"), true, 3);
	for (int i = 0; i < 4; i++) {
		must_open(acting, page_contact, NULL);
		assert_int_equal(act_send(acting, page_contact_send, contact, NULL), 303);
	}
	keep_last(acting);
	assert_int_equal(send_list(&acting->bed.desk, ids, 2), 2);
	assert_true(memcmp(ids[0], ids[1], TTG_UUID_BYTES) > 0);
	desk_bed_get(&acting->bed, page_sent, NULL, NULL, NULL);
	assert_int_equal(count(acting->bed.response.body.bytes, "govuk-tag--"), 100);
	assert_int_equal(count(acting->bed.response.body.bytes, "Waiting to be taken"), 3);
	assert_int_equal(count(acting->bed.response.body.bytes, acting->id), 1);
}

static void damage_in_the_spool_is_passed_over(void **state)
{
	static const char *const names[] = { "desk-01910000-0000-7000-8000-000000000000.json",
		                             "desk-x.json", "other.json",
		                             ".desk-01910000-0000-7000-8000-000000000001.part" };
	struct acting *acting = *state;
	char path[2 * FOLDER_PATH];

	send_contact(acting);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", acting->bed.spool, names[i]);
		file = fopen(path, "w");
		assert_non_null(file);
		fputs("{\"specversion\":", file);
		fclose(file);
	}
	desk_bed_get(&acting->bed, page_sent, NULL, NULL, NULL);
	assert_int_equal(acting->bed.response.status, 200);
	assert_int_equal(count(acting->bed.response.body.bytes, "govuk-tag--"), 1);
	desk_bed_get(&acting->bed, page_sent_one, NULL, "01910000-0000-7000-8000-000000000000",
	             NULL);
	assert_int_equal(acting->bed.response.status, 503);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, act_set_up, act_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_in_the_spool_waits),
		TEST(from_the_store_to_those_who_got_it),
		TEST(a_refusal_says_why_and_what_to_do),
		TEST(every_final_refusal_has_words_of_its_own),
		TEST(what_ttg_oneservice_would_not_take_is_shown),
		TEST(a_referral_is_answered_by_its_provider),
		TEST(a_request_for_access_is_answered_by_the_prison),
		TEST(what_came_from_elsewhere_is_not_ours),
		TEST(the_newest_hundred_are_shown_once_each),
		TEST(damage_in_the_spool_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
