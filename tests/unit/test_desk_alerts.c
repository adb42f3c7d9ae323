/* Alerts at the desk: what their stories come to in whatever order they are told, and their pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "store/alert.h"
#include "support/desk_bed.h"
#include "support/desk_story.h"

#define MINUTE INT64_C(60000000000)
#define NOMS   "A1234BC"

struct play {
	struct desk_bed bed;
	struct story story;
	int64_t now;
};

static int set_up(void **state)
{
	static struct play play;

	must_make_desk(&play.bed);
	play.story = (struct story){ desk_bed_put, &play.bed };
	play.now = play.bed.now_ns;
	*state = &play;
	return 0;
}

static int tear_down(void **state)
{
	struct play *play = *state;

	desk_bed_remove(&play->bed);
	return 0;
}

static void follow(struct play *play)
{
	struct message message = { "" };
	bool news;

	assert_int_equal(desk_follow(&play->bed.desk, &news, &message), TTG_OK);
}

static const struct alert *alert_of(const struct play *play, uint32_t number)
{
	uint8_t id[TTG_UUID_BYTES];
	uint32_t event;

	story_id(number, id);
	event = views_find_event(play->bed.desk.views, id);
	assert_int_not_equal(event, VIEWS_NOBODY);
	return alerts_find(play->bed.desk.alerts, event);
}

static void arrest(struct play *play, uint32_t number, const char *alert_id)
{
	const struct story_event event = { .number = number,
		                           .noms = NOMS,
		                           .at_ns = play->now - 30 * MINUTE };

	story_arrest(&play->story, &event, alert_id, "Thorpe Wood");
}

static void update(struct play *play, uint32_t number, const char *alert_id, int disposition,
                   int64_t minutes_ago)
{
	const struct story_event event = { .number = number,
		                           .noms = NOMS,
		                           .at_ns = play->now - minutes_ago * MINUTE };

	story_update(&play->story, &event, alert_id, disposition);
}

static void an_arrest_waits_until_somebody_acknowledges_it(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	char id[TTG_UUID_TEXT], action[128];

	arrest(play, 1, "alert-1");
	follow(play);
	assert_int_equal(alerts_waiting(bed->desk.alerts), 1);
	story_id_text(1, id);
	desk_bed_get(bed, page_alerts, "", NULL, NULL);
	must_show(bed, "ARRESTED by Cambridgeshire, Thorpe Wood");
	must_show(bed, "Waiting (1)");
	must_show(bed, "waiting for <strong>30 minutes</strong>");
	snprintf(action, sizeof(action), "action=\"/alerts/%s/acknowledge\"", id);
	must_show(bed, action);
	must_show(bed, "href=\"/people/0\">" NOMS "</a>");
	desk_bed_post(bed, page_alert_acknowledge, "", id, NULL);
	assert_int_equal(bed->response.status, 303);
	assert_string_equal(desk_bed_said(bed), "You have acknowledged the alert.");
	assert_int_equal(alerts_waiting(bed->desk.alerts), 0);
	assert_string_equal(alert_of(play, 1)->by, "ann");
	desk_bed_get(bed, page_alerts, "", NULL, NULL);
	must_show(bed, "No alert is waiting.");
	must_show(bed, "acknowledged by ann");
	must_not_show(bed, action);
}

static void who_comes_second_is_told_who_was_first(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	char id[TTG_UUID_TEXT];

	arrest(play, 1, "alert-1");
	follow(play);
	story_id_text(1, id);
	desk_bed_post(bed, page_alert_acknowledge, "", id, NULL);
	desk_bed_post(bed, page_alert_acknowledge, "", id, NULL);
	assert_string_equal(desk_bed_said(bed), "You had acknowledged this alert already.");
	bed->user = (struct web_user){ .user = "bob", .name = "Bob", .role = ROLE_DUTY };
	bed->now_ns += 5 * MINUTE;
	desk_bed_post(bed, page_alert_acknowledge, "", id, NULL);
	assert_string_equal(desk_bed_said(bed),
	                    "ann has acknowledged this alert already, today 10:00.");
	assert_string_equal(alert_of(play, 1)->by, "ann");
	assert_int_equal(alert_of(play, 1)->acknowledged_ns, play->now);
}

static void what_another_desk_acknowledged_is_seen(void **state)
{
	struct play *play = *state;
	struct message message = { "" };
	uint8_t id[TTG_UUID_BYTES];
	unsigned version;

	arrest(play, 1, "alert-1");
	arrest(play, 2, "alert-2");
	follow(play);
	version = alerts_version(play->bed.desk.alerts);
	follow(play);
	assert_int_equal(alerts_version(play->bed.desk.alerts), version);
	story_id(1, id);
	assert_int_equal(store_acknowledge(play->bed.writer, id, "cyd", play->now, NULL, &message),
	                 TTG_OK);
	follow(play);
	assert_int_not_equal(alerts_version(play->bed.desk.alerts), version);
	assert_string_equal(alert_of(play, 1)->by, "cyd");
	assert_int_equal(alerts_waiting(play->bed.desk.alerts), 1);
}

/* One step of the story that is told in every order. */
static void tell(struct play *play, unsigned step)
{
	const struct story_event notice = { .number = 4, .at_ns = play->now - 10 * MINUTE };

	switch (step) {
	case 0:
		arrest(play, 1, "alert-1");
		break;
	case 1:
		update(play, 2, "alert-1", TTG__DISPOSITION__DISPOSITION_CHARGED, 20);
		break;
	case 2:
		update(play, 3, "alert-1", TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION, 15);
		break;
	default:
		story_unacknowledged(&play->story, &notice, 1);
		break;
	}
}

static void must_be_undone_and_escalated(const struct play *play)
{
	const struct alert *alert = alert_of(play, 1);
	uint32_t story[8];

	assert_non_null(alert);
	assert_int_equal(alerts_n(play->bed.desk.alerts), 1);
	assert_int_equal(alerts_waiting(play->bed.desk.alerts), 1);
	assert_true(alert->undone);
	assert_int_equal(alert->disposition, TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION);
	assert_int_equal(alert->escalated_ns, play->now - 10 * MINUTE);
	assert_int_equal(alert->latest, views_find_event(play->bed.desk.views,
	                                                 views_event(play->bed.desk.views,
	                                                             alert->latest)->id));
	assert_int_equal(alerts_story(play->bed.desk.alerts, alert, story, 8), 3);
	for (size_t i = 1; i < 3; i++)
		assert_true(views_event(play->bed.desk.views, story[i - 1])->happened_ns <
		            views_event(play->bed.desk.views, story[i])->happened_ns);
	assert_int_equal(alerts_story(play->bed.desk.alerts, alert, story, 1), 1);
	assert_int_equal(views_event(play->bed.desk.views, story[0])->happened_ns,
	                 play->now - 10 * MINUTE);
}

static void a_story_comes_to_the_same_in_every_order(void **state)
{
	for (unsigned code = 0; code < 256; code++) {
		unsigned steps[4] = { code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 };
		unsigned seen = 0;
		void *fresh = NULL;

		for (int i = 0; i < 4; i++)
			seen |= 1u << steps[i];
		if (seen != 15)
			continue;
		tear_down(state);
		set_up(&fresh);
		*state = fresh;
		for (int i = 0; i < 4; i++) {
			tell(fresh, steps[i]);
			if (steps[0] % 2 == 0)
				follow(fresh);
			else /* reads the events' rows once more */
				must_follow(&((struct play *)fresh)->bed);
		}
		must_be_undone_and_escalated(fresh);
	}
}

static void what_undoes_an_arrest_is_shown_and_struck(void **state)
{
	static const struct {
		int disposition;
		const char *tag;
	} cases[] = { { TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION, "No further action" },
		      { TTG__DISPOSITION__DISPOSITION_DEARRESTED, "De-arrested" },
		      { TTG__DISPOSITION__DISPOSITION_MISMATCH, "Wrong person" } };
	struct play *play = *state;
	char tag[96];

	arrest(play, 1, "alert-1");
	for (uint32_t i = 0; i < 3; i++) {
		update(play, 10 + i, "alert-1", cases[i].disposition, 20 - i);
		follow(play);
		desk_bed_get(&play->bed, page_alerts, "", NULL, NULL);
		snprintf(tag, sizeof(tag), "govuk-tag--green\">%s", cases[i].tag);
		must_show(&play->bed, tag);
		must_show(&play->bed, "<s>ARRESTED by");
	}
	/* It was charged after all: the last decision counts. */
	update(play, 20, "alert-1", TTG__DISPOSITION__DISPOSITION_CHARGED, 1);
	follow(play);
	assert_false(alert_of(play, 1)->undone);
	desk_bed_get(&play->bed, page_alerts, "", NULL, NULL);
	must_not_show(&play->bed, "<s>ARRESTED by");
	must_show(&play->bed, "charged</strong>");
}

static void an_update_that_supersedes_its_arrest_tells_what_was_decided(void **state)
{
	struct play *play = *state;
	const struct story_event nfa = { .number = 2,
		                         .noms = NOMS,
		                         .at_ns = play->now - 20 * MINUTE,
		                         .supersedes = 1 };

	arrest(play, 1, "alert-1");
	story_update(&play->story, &nfa, "alert-1", TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION);
	follow(play);
	assert_true(alert_of(play, 1)->undone);
	assert_int_equal(alert_of(play, 1)->corrected_by, VIEWS_NOBODY);
	desk_bed_get(&play->bed, page_alerts, "", NULL, NULL);
	must_show(&play->bed, "govuk-tag--green\">No further action");
	update(play, 3, "alert-1", TTG__DISPOSITION__DISPOSITION_CHARGED, 10);
	follow(play);
	assert_false(alert_of(play, 1)->undone);
}

static void an_urgent_update_is_an_alert_that_stands(void **state)
{
	struct play *play = *state;
	const struct story_event nfa = { .number = 2,
		                         .noms = NOMS,
		                         .at_ns = play->now - 20 * MINUTE,
		                         .supersedes = 1,
		                         .urgent = true };

	arrest(play, 1, "alert-1");
	story_update(&play->story, &nfa, "alert-1", TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION);
	follow(play);
	assert_int_equal(alerts_waiting(play->bed.desk.alerts), 2);
	assert_true(alert_of(play, 1)->undone);
	assert_false(alert_of(play, 2)->undone);
	desk_bed_get(&play->bed, page_alerts, "part=list", NULL, NULL);
	must_not_show(&play->bed, "<s>After the arrest");
	must_show(&play->bed, "After the arrest: no further action");
	must_not_show(&play->bed, "<html");
}

static void an_update_that_was_taken_back_does_not_count(void **state)
{
	struct play *play = *state;
	const struct story_event corrected = { .number = 3,
		                               .noms = NOMS,
		                               .at_ns = play->now - 20 * MINUTE,
		                               .supersedes = 2 };

	arrest(play, 1, "alert-1");
	update(play, 2, "alert-1", TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION, 10);
	follow(play);
	assert_true(alert_of(play, 1)->undone);
	story_update(&play->story, &corrected, "alert-1", TTG__DISPOSITION__DISPOSITION_DETAINED);
	follow(play);
	assert_false(alert_of(play, 1)->undone);
	assert_int_equal(alert_of(play, 1)->disposition, TTG__DISPOSITION__DISPOSITION_DETAINED);
}

static void updates_of_other_alerts_and_agencies_do_not_count(void **state)
{
	struct play *play = *state;
	const struct story_event other = { .number = 3,
		                           .noms = NOMS,
		                           .source = "transport-police",
		                           .at_ns = play->now };

	arrest(play, 1, "alert-1");
	update(play, 2, "alert-2", TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION, 10);
	story_update(&play->story, &other, "alert-1",
	             TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION);
	follow(play);
	assert_false(alert_of(play, 1)->undone);
	assert_int_equal(alert_of(play, 1)->decided_by, VIEWS_NOBODY);
}

static void a_withdrawn_arrest_is_shown_as_withdrawn(void **state)
{
	struct play *play = *state;
	const struct story_event correction = { .number = 2, .at_ns = play->now - MINUTE };

	arrest(play, 1, "alert-1");
	follow(play);
	story_correction(&play->story, &correction, 1);
	follow(play);
	assert_true(alert_of(play, 1)->undone);
	desk_bed_get(&play->bed, page_alerts, "", NULL, NULL);
	must_show(&play->bed, "govuk-tag--green\">Withdrawn");
	must_show(&play->bed, "<s>ARRESTED by");
}

static void a_notice_about_nothing_here_is_an_alert_of_its_own(void **state)
{
	struct play *play = *state;
	const struct story_event notice = { .number = 2, .at_ns = play->now - MINUTE };

	story_unacknowledged(&play->story, &notice, 77);
	follow(play);
	assert_int_equal(alerts_waiting(play->bed.desk.alerts), 1);
	desk_bed_get(&play->bed, page_alerts, "", NULL, NULL);
	must_show(&play->bed, "NOBODY ACKNOWLEDGED");
}

static void the_manager_sees_first_what_was_escalated(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	const struct story_event early = { .number = 1,
		                           .noms = NOMS,
		                           .at_ns = play->now - 40 * MINUTE };
	const struct story_event late = { .number = 2,
		                          .noms = "A2345CD",
		                          .at_ns = play->now - 20 * MINUTE };
	const struct story_event notice = { .number = 3, .at_ns = play->now - 5 * MINUTE };
	const char *page;

	story_arrest(&play->story, &early, "alert-1", "Early");
	story_arrest(&play->story, &late, "alert-2", "Late");
	story_unacknowledged(&play->story, &notice, 2);
	follow(play);
	page = desk_bed_get(bed, page_alerts, "", NULL, NULL);
	must_show(bed, "Escalated to the manager");
	assert_true(strstr(page, ", Late") < strstr(page, ", Early"));
	bed->user.role = ROLE_DUTY;
	page = desk_bed_get(bed, page_alerts, "", NULL, NULL);
	assert_true(strstr(page, ", Early") < strstr(page, ", Late"));
}

static void one_alerts_page_tells_its_story_in_order(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	const struct story_event notice = { .number = 4, .at_ns = play->now - 10 * MINUTE };
	char id[TTG_UUID_TEXT];
	const char *page, *raised, *charged, *escalated, *answered;

	arrest(play, 1, "alert-1");
	story_unacknowledged(&play->story, &notice, 1);
	update(play, 2, "alert-1", TTG__DISPOSITION__DISPOSITION_CHARGED, 20);
	follow(play);
	story_id_text(1, id);
	desk_bed_post(bed, page_alert_acknowledge, "", id, NULL);
	page = desk_bed_get(bed, page_alert, "", id, NULL);
	raised = strstr(page, "The alert was raised.");
	charged = strstr(page, "After the arrest: charged");
	escalated = strstr(page, "It was escalated to the manager.");
	answered = strstr(page, "Acknowledged by ann.");
	assert_true(raised != NULL && charged != NULL && escalated != NULL && answered != NULL);
	assert_true(raised < charged && charged < escalated && escalated < answered);
	desk_bed_get(bed, page_alert, "", "not-an-id", NULL);
	assert_int_equal(bed->response.status, 404);
	story_id_text(2, id);
	desk_bed_get(bed, page_alert, "", id, NULL);
	assert_int_equal(bed->response.status, 404);
	desk_bed_post(bed, page_alert_acknowledge, "", id, NULL);
	assert_int_equal(bed->response.status, 404);
}

static void what_an_event_says_is_escaped(void **state)
{
	struct play *play = *state;
	const struct story_event event = { .number = 1, .noms = NOMS, .at_ns = play->now };
	char id[TTG_UUID_TEXT];

	story_arrest(&play->story, &event, "alert-1", "<script>alert(1)</script>\"'&");
	follow(play);
	desk_bed_get(&play->bed, page_alerts, "", NULL, NULL);
	must_show(&play->bed, "&lt;script&gt;alert(1)");
	must_not_show(&play->bed, "<script>alert");
	story_id_text(1, id);
	desk_bed_get(&play->bed, page_alert, "", id, NULL);
	must_not_show(&play->bed, "<script>alert");
}

static void of_a_limited_case_only_the_caseworker_is_named(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	const struct story_event case_event = { .number = 5, .noms = NOMS, .at_ns = play->now };
	char id[TTG_UUID_TEXT];

	story_limited(&play->story, &case_event);
	story_enrolled(&play->story,
	               &(struct story_event){ .number = 6, .noms = NOMS, .at_ns = play->now },
	               "Cyd Example");
	arrest(play, 1, "alert-1");
	follow(play);
	story_id_text(1, id);
	desk_bed_get(bed, page_alerts, "", NULL, NULL);
	must_show(bed, "Limited-access case. Ask Cyd Example.");
	must_not_show(bed, NOMS);
	must_not_show(bed, "ARRESTED");
	must_not_show(bed, "Arrest<");
	desk_bed_get(bed, page_alert, "", id, NULL);
	must_not_show(bed, NOMS);
	must_not_show(bed, "ARRESTED");
	desk_bed_post(bed, page_alert_acknowledge, "", id, NULL);
	assert_string_equal(alert_of(play, 1)->by, "ann");
	bed->user = (struct web_user){ .user = "cyd", .name = "Cyd Example",
		                       .role = ROLE_CASEWORKER };
	desk_bed_get(bed, page_alert, "", id, NULL);
	must_show(bed, NOMS);
	must_show(bed, "ARRESTED");
}

static void an_answer_that_is_overdue_is_listed(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	const struct story_event late = { .number = 1, .noms = NOMS, .at_ns = play->now - 600 * MINUTE };
	const struct story_event early = { .number = 2, .noms = "A2345CD",
		                           .at_ns = play->now - 600 * MINUTE };

	story_referral(&play->story, &late, "ref-1", "mind", play->now - 125 * MINUTE);
	story_referral(&play->story, &early, "ref-2", "sova", play->now + MINUTE);
	follow(play);
	desk_bed_get(bed, page_alerts, "", NULL, NULL);
	must_show(bed, "2 hours 5 minutes");
	must_show(bed, "mind");
	must_not_show(bed, "sova");
	bed->now_ns += 2 * MINUTE;
	desk_bed_get(bed, page_alerts, "", NULL, NULL);
	must_show(bed, "sova");
}

static void an_arrest_that_was_told_in_parts_finds_its_update(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	struct message message = { "" };
	enum store_verdict verdict;
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__PoliceArrest it = TTG__POLICE_ARREST__INIT;
	uint8_t id[TTG_UUID_BYTES], bytes[512];
	struct ttg_delivery delivery = { .mailbox = "one-service/records", .position = 1,
		                         .attempt = 1, .event = bytes, .redacted = true,
		                         .accepted_ns = play->now - 30 * MINUTE };

	story_id(1, id);
	event.id = (ProtobufCBinaryData){ sizeof(id), id };
	event.source = (char *)(uintptr_t)"cambridgeshire-police";
	event.type = (char *)(uintptr_t)"police.arrest";
	event.urgency = TTG__URGENCY__URGENT;
	event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
	event.police_arrest = &it;
	delivery.event_bytes = ttg__event__pack(&event, bytes);
	assert_int_equal(store_add(bed->writer, &delivery, play->now, &verdict, &message), TTG_OK);
	assert_int_equal(store_commit(bed->writer, &message), TTG_OK);
	update(play, 2, "alert-1", TTG__DISPOSITION__DISPOSITION_MISMATCH, 10);
	follow(play);
	assert_false(alert_of(play, 1)->undone);
	arrest(play, 1, "alert-1"); /* the same event, now whole, through the mailbox duty */
	follow(play);
	assert_true(alert_of(play, 1)->undone);
}

static void while_the_store_is_away_the_page_says_so(void **state)
{
	struct play *play = *state;

	arrest(play, 1, "alert-1");
	follow(play);
	play->bed.desk.away_ns = play->now - MINUTE;
	desk_bed_get(&play->bed, page_alerts, "", NULL, NULL);
	must_show(&play->bed, "The case store cannot be read (since today 09:59).");
	must_show(&play->bed, "Waiting (1)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_arrest_waits_until_somebody_acknowledges_it),
		TEST(who_comes_second_is_told_who_was_first),
		TEST(what_another_desk_acknowledged_is_seen),
		TEST(a_story_comes_to_the_same_in_every_order),
		TEST(what_undoes_an_arrest_is_shown_and_struck),
		TEST(an_update_that_supersedes_its_arrest_tells_what_was_decided),
		TEST(an_urgent_update_is_an_alert_that_stands),
		TEST(an_update_that_was_taken_back_does_not_count),
		TEST(updates_of_other_alerts_and_agencies_do_not_count),
		TEST(a_withdrawn_arrest_is_shown_as_withdrawn),
		TEST(a_notice_about_nothing_here_is_an_alert_of_its_own),
		TEST(the_manager_sees_first_what_was_escalated),
		TEST(one_alerts_page_tells_its_story_in_order),
		TEST(what_an_event_says_is_escaped),
		TEST(of_a_limited_case_only_the_caseworker_is_named),
		TEST(an_answer_that_is_overdue_is_listed),
		TEST(an_arrest_that_was_told_in_parts_finds_its_update),
		TEST(while_the_store_is_away_the_page_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
