/*
 * Agreements over time: a delivery stops when its agreement ends, and an urgent event nobody
 * acknowledges in time is told to the fallback mailbox, once.
 */
#include "support/peer.h"

#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include <ttg/proto/session.pb-c.h>

#define DUTY "one-service/duty"
#define QUIET_MS 200
#define SECOND \
	"agreement: { id = \"second\"; title = \"Another\"; purpose = \"p\"; gateway = \"g\"; %s\n" \
	"valid_from = \"2020-01-01\"; valid_to = \"2099-01-01\";\n" \
	"parties = [ \"prison\", \"one-service\" ];\n" \
	"deliver = ( { mailbox = \"one-service/duty\"; from = [ \"prison\" ];\n" \
	"types = [ \"prison.released\" ]; %s } ); };\n"

static void what_is_queued_is_not_delivered_after_its_agreement_ended(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	for (uint32_t i = 1; i <= 3; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 3);
	stage->valid_to = "2020-06-01";
	must_write_agreement(stage);
	json_decref(must_ask(stage, "reload", NULL));
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_settle(stage, DUTY, "queued", 0);
	must_get_no_more(stage, service, 0, QUIET_MS);
	must_be_refused(stage, prison, &(struct made_wish){ .number = 4 }, TTG_REFUSED_NOT_AGREED);
	assert_true(must_ask_mailbox(stage, DUTY, "stopped") >= 3);
	must_have_passed(stage);
}

static void a_delivery_in_flight_is_not_repeated_after_its_agreement_ended(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	service->habit = PEER_KEEPS;
	must_attach(stage, service, "duty");
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_get(stage, service, 1);
	stage->valid_to = "2020-06-01";
	must_write_agreement(stage);
	json_decref(must_ask(stage, "reload", NULL));
	must_be(ttg_client_nack(service->client, DUTY, 1, TTG__NACK_REASON__NACK_TEMPORARY, "", 1) ==
			TTG_OK,
		"refuse");
	must_settle(stage, DUTY, "queued", 0);
	must_get_no_more(stage, service, 1, QUIET_MS);
	must_have_passed(stage);
}

static void an_agreement_that_begins_later_allows_nothing_yet(void **state)
{
	struct stage *stage = *state;

	stage->valid_from = "2098-01-01";
	must_write_agreement(stage);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_be_refused(stage, prison, &(struct made_wish){ 0 }, TTG_REFUSED_NOT_AGREED);
	stage->valid_from = NULL;
	must_write_agreement(stage);
	json_decref(must_ask(stage, "reload", NULL));
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_have_passed(stage);
}

/* The answer of ttgctl explain about one mailbox. */
static void must_explain(struct stage *stage, const char *mailbox, bool receives, const char *fields,
			 const char *reason)
{
	json_t *items = must_ask(stage, "explain", "--type", "prison.released", "--from", "prison", NULL);
	const json_t *found = NULL;

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);

		if (strcmp(json_string_value(json_object_get(item, "mailbox")), mailbox) == 0)
			found = item;
	}
	assert_non_null(found);
	assert_int_equal(json_is_true(json_object_get(found, "receives")), receives);
	assert_string_equal(json_string_value(json_object_get(found, "fields")), fields);
	assert_string_equal(json_string_value(json_object_get(found, "reason")), reason);
	json_decref(items);
}

static void a_mailbox_gets_the_fields_its_agreement_names_and_no_more(void **state)
{
	struct stage *stage = *state;

	stage->more_grants = "{ mailbox = \"housing/referrals\"; from = [ \"prison\" ];\n"
			     "\t\t  types = [ \"prison.released\" ]; fields = [ \"area\" ]; }";
	must_write_agreement(stage);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	struct peer *housing = must_open_peer(stage, "housing", NULL);
	must_attach(stage, service, "duty");
	must_attach(stage, housing, "referrals");
	must_accept(stage, prison, &(struct made_wish){ .number = 1, .area = "Fenland" });
	must_get(stage, service, 1);
	must_get(stage, housing, 1);
	assert_false(service->newest_redacted);
	assert_string_equal(service->newest->prison_released->prison_code, "PBI");
	assert_non_null(service->newest->person);
	assert_true(housing->newest_redacted);
	assert_string_equal(housing->newest->prison_released->area, "Fenland");
	assert_string_equal(housing->newest->prison_released->prison_code, "");
	assert_int_equal(housing->newest->prison_released->at_liberty, 0);
	assert_null(housing->newest->person);
	assert_true(housing->got[0].has_person); /* the same man, whoever he is */
	must_explain(stage, "one-service/duty", true, "*", "");
	must_explain(stage, "housing/referrals", true, "area;;", "");
	must_explain(stage, "one-service/desk", false, "", "no agreement grants it");
	must_have_passed(stage);
}

static void what_is_queued_is_cut_as_the_rules_of_the_moment_say(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	stage->duty_options = "fields = [ ]; identifiers = [ \"NOMS\" ];";
	must_write_agreement(stage);
	json_decref(must_ask(stage, "reload", NULL));
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_get(stage, service, 1);
	assert_true(service->newest_redacted);
	assert_string_equal(service->newest->prison_released->prison_code, "");
	assert_string_equal(service->newest->person->identifiers[0]->value, "A1234BC");
	must_explain(stage, "one-service/duty", true, ";;NOMS", "");
	must_have_passed(stage);
}

#define MANY 120 /* agencies beside those of the stage; half of them may sign one agreement */

/* Agencies without keys, each with a mailbox, all of which may publish releases. */
static void must_write_many(struct stage *stage)
{
	const size_t room = 65536;
	char *agencies = calloc(1, room), *agreements = calloc(1, room), *parties = calloc(1, room);
	size_t a = 0, b = 0, p = 0;

	must_be(agencies && agreements && parties, "no memory");
	for (unsigned i = 0; i < MANY; i++) {
		a += (size_t)snprintf(agencies + a, room - a,
				      "%s{ id = \"m%03u\"; name = \"x\";"
				      " mailboxes = ( { box = \"in\"; } ); }",
				      i ? ",\n" : "", i);
		p += (size_t)snprintf(parties + p, room - p, "%s\"m%03u\"", p ? ", " : "", i);
		b += (size_t)snprintf(agreements + b, room - b,
				      "%s{ agency = \"m%03u\"; types = [ \"prison.released\" ]; }",
				      i % (MANY / 2) ? ",\n" : "", i);
		if ((i + 1) % (MANY / 2) != 0)
			continue;
		char name[32];
		snprintf(name, sizeof(name), "agreements.d/m%03u.conf", i);
		must_write(stage, name,
			   "agreement: { id = \"m%03u\"; title = \"t\"; purpose = \"p\";\n"
			   "gateway = \"g\"; valid_from = \"2020-01-01\";\n"
			   "valid_to = \"2099-01-01\"; parties = [ %s ];\n"
			   "publish = ( %s ); };\n",
			   i, parties, agreements);
		b = p = 0;
	}
	must_write(stage, "agencies.d/many.conf", "agencies: (\n%s );\n", agencies);
	free(agencies);
	free(agreements);
	free(parties);
}

static void an_answer_about_many_publishers_and_mailboxes_comes_whole(void **state)
{
	struct stage *stage = *state;

	must_write_many(stage);
	must_start_broker(stage);
	const int64_t boxes = must_ask_number(stage, "status", "mailboxes.count");
	json_t *items = must_ask(stage, "explain", "--type", "prison.released", NULL);
	char *text = json_dumps(items, JSON_COMPACT);

	assert_int_equal(boxes, MANY + 4);
	assert_int_equal(json_array_size(items), (MANY + 1) * boxes);
	assert_true(text && strlen(text) > 1024 * 1024); /* more than the daemon keeps for a caller */
	free(text);
	json_decref(items);
	must_have_passed(stage);
}

/* What ttgctl agreements says that the deliveries of a type to the duty desk depend on. */
static void must_depend(struct stage *stage, const char *type, const char *when)
{
	json_t *items = must_ask(stage, "agreements", "sample", NULL);
	const char *found = NULL;

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *mailbox = json_string_value(json_object_get(item, "mailbox"));

		if (mailbox && strcmp(mailbox, DUTY) == 0 &&
		    strcmp(json_string_value(json_object_get(item, "type")), type) == 0)
			found = json_string_value(json_object_get(item, "when"));
	}
	assert_non_null(found);
	assert_string_equal(found, when);
	json_decref(items);
}

static void what_a_delivery_depends_on_is_told(void **state)
{
	struct stage *stage = *state;

	stage->duty_options = "when = { enrolled = \"one-service/pilot\"; window_days = 365; };";
	must_write_agreement(stage);
	must_start_broker(stage);
	must_explain(stage, DUTY, true, "*", "when enrolled=one-service/pilot window_days=365");
	must_explain(stage, "probation/inbox", true, "*", "");
	must_depend(stage, "prison.released", "enrolled=one-service/pilot window_days=365");
	/* Another agreement asks for something else; then one asks for nothing. */
	must_write(stage, "agreements.d/second.conf", SECOND, "marking = \"official\";",
		   "when = { custody = \"out\"; };");
	json_decref(must_ask(stage, "reload", NULL));
	must_explain(stage, DUTY, true, "*",
		     "when enrolled=one-service/pilot window_days=365 or when marked OFFICIAL, when "
		     "custody=out");
	must_write(stage, "agreements.d/second.conf", SECOND, "", "");
	json_decref(must_ask(stage, "reload", NULL));
	must_explain(stage, DUTY, true, "*", "");
	stage->duty_options = NULL;
	must_write_agreement(stage);
	json_decref(must_ask(stage, "reload", NULL));
	must_depend(stage, "prison.released", "");
	must_have_passed(stage);
}

static void an_agreement_for_official_events_passes_on_no_others(void **state)
{
	struct stage *stage = *state;

	stage->valid_from = "2020-01-01\"; marking = \"official";
	must_write_agreement(stage);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_accept(stage, prison, &(struct made_wish){ .number = 1 }); /* marked as sensitive */
	must_get_no_more(stage, service, 0, 1000);
	must_explain(stage, "one-service/duty", true, "*", "when marked OFFICIAL");
	must_have_passed(stage);
}

static void prepare_escalation(struct stage *stage)
{
	stage->duty_options = "ack_within_s = 1; fallback = \"one-service/desk\";";
	must_write_agreement(stage);
	must_start_broker(stage);
}

static void an_urgent_event_nobody_acknowledges_is_told_to_the_fallback_once(void **state)
{
	struct stage *stage = *state;

	prepare_escalation(stage);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	struct peer *desk = must_open_peer(stage, "one-service", NULL);
	service->habit = PEER_KEEPS;
	must_attach(stage, service, "duty");
	must_attach(stage, desk, "desk");
	must_accept(stage, police,
		    &(struct made_wish){ .type = "police.arrest", .number = 1,
					 .urgency = TTG__URGENCY__URGENT });
	must_accept(stage, police,
		    &(struct made_wish){ .type = "police.arrest", .number = 2,
					 .urgency = TTG__URGENCY__ROUTINE });
	must_get(stage, service, 2);
	must_get(stage, desk, 1);
	assert_string_equal(desk->got[0].type, "broker.alert_unacknowledged");
	assert_string_equal(desk->got[0].source, "broker");
	/* Once: neither the next seconds nor a restart repeat it. */
	must_get_no_more(stage, desk, 1, 1500);
	must_settle(stage, "one-service/desk", "queued", 0);
	process_kill(&stage->broker);
	must_start_broker(stage);
	must_be_ready(stage, desk);
	must_get_no_more(stage, desk, 1, 1500);
	must_have_passed(stage);
}

static void an_urgent_event_acknowledged_in_time_is_not_escalated(void **state)
{
	struct stage *stage = *state;

	prepare_escalation(stage);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	struct peer *desk = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_attach(stage, desk, "desk");
	must_accept(stage, police,
		    &(struct made_wish){ .type = "police.arrest",
					 .urgency = TTG__URGENCY__URGENT });
	must_get(stage, service, 1);
	must_get_no_more(stage, desk, 0, 1500);
	assert_int_equal(must_ask_number(stage, "status", "events.escalated"), 0);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(what_is_queued_is_not_delivered_after_its_agreement_ended),
		STAGE_TEST(a_delivery_in_flight_is_not_repeated_after_its_agreement_ended),
		STAGE_TEST(an_agreement_that_begins_later_allows_nothing_yet),
		STAGE_TEST(a_mailbox_gets_the_fields_its_agreement_names_and_no_more),
		STAGE_TEST(what_is_queued_is_cut_as_the_rules_of_the_moment_say),
		STAGE_TEST(an_agreement_for_official_events_passes_on_no_others),
		STAGE_TEST(what_a_delivery_depends_on_is_told),
		STAGE_TEST(an_answer_about_many_publishers_and_mailboxes_comes_whole),
		STAGE_TEST(an_urgent_event_nobody_acknowledges_is_told_to_the_fallback_once),
		STAGE_TEST(an_urgent_event_acknowledged_in_time_is_not_escalated),
	};

	return cmocka_run_group_tests_name("agreements", tests, NULL, NULL);
}
