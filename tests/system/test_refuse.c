/*
 * What a publisher must not do: each is refused with a stable code and a word why, logged without
 * personal data, counted, and disturbs nothing that was accepted before.
 */
#include "support/peer.h"

#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include "support/http.h"

/* Refused with the code, logged by its name, counted under it; nothing is delivered. */
static void refuse_and_show(struct stage *stage, struct peer *peer, const struct made_wish *wish,
			    enum ttg_error code)
{
	char text[128];

	must_be_refused(stage, peer, wish, code);
	snprintf(text, sizeof(text), "code=%s", ttg_error_name(code));
	must_see(stage, "ttgd.err", text);
	snprintf(text, sizeof(text), "ttgd_events_refused_total{code=\"%s\"}",
		 ttg_error_name(code));
	assert_true(must_read_metric(stage->http_port, text) >= 1);
}

/* The mailbox works still, and only what was accepted is in it. */
static void nothing_else_came(struct stage *stage, struct peer *prison)
{
	struct peer *service = must_open_peer(stage, "one-service", NULL);

	must_accept(stage, prison, &(struct made_wish){ .number = 99 });
	must_attach(stage, service, "duty");
	must_get(stage, service, 1);
	assert_int_equal(made_number(service->got[0].id), 99);
	must_get_no_more(stage, service, 1, 100);
}

static void a_type_without_an_agreement_is_refused(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *probation = must_open_peer(stage, "probation", NULL);
	refuse_and_show(stage, probation,
			&(struct made_wish){ .type = "prison.released", .source = "probation" },
			TTG_REFUSED_NOT_AGREED);
	nothing_else_came(stage, prison);
	must_have_passed(stage);
}

static void without_any_agreement_nobody_may_publish_or_receive(void **state)
{
	struct stage *stage = *state;

	stage->valid_to = "2020-06-01"; /* ended long ago */
	must_write_agreement(stage);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *police = must_open_peer(stage, "police", NULL);
	refuse_and_show(stage, prison, &(struct made_wish){ 0 }, TTG_REFUSED_NOT_AGREED);
	refuse_and_show(stage, police, &(struct made_wish){ .type = "police.arrest" },
			TTG_REFUSED_NOT_AGREED);
	must_have_passed(stage);
}

static void a_police_key_publishing_prison_released_is_refused_and_logged(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *police = must_open_peer(stage, "police", NULL);
	refuse_and_show(stage, police,
			&(struct made_wish){ .type = "prison.released", .source = "police" },
			TTG_REFUSED_NOT_AGREED);
	must_see(stage, "ttgd.err", "publish_refused agency=police");
	nothing_else_came(stage, prison);
	must_have_passed(stage);
}

static void a_forged_source_is_refused_logged_and_counted(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *police = must_open_peer(stage, "police", NULL);
	refuse_and_show(stage, police,
			&(struct made_wish){ .type = "prison.released", .source = "prison" },
			TTG_REFUSED_SOURCE);
	must_see(stage, "ttgd.err", "publish_refused agency=police code=refused_source");
	nothing_else_came(stage, prison);
	must_have_passed(stage);
}

static void a_clock_far_off_is_refused(void **state)
{
	struct stage *stage = *state;
	const int64_t hour_ns = 3600ll * 1000000000;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	refuse_and_show(stage, prison,
			&(struct made_wish){ .occurred_ns = made_now_ns() + 48 * hour_ns },
			TTG_REFUSED_TIME);
	refuse_and_show(stage, prison,
			&(struct made_wish){ .occurred_ns = -(int64_t)80 * 365 * 24 * hour_ns },
			TTG_REFUSED_TIME);
	nothing_else_came(stage, prison);
	must_have_passed(stage);
}

static void bytes_that_are_no_event_are_refused(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct made made = must_make(&(struct made_wish){ 0 });
	memset(made.bytes, 0xff, made.len);
	struct peer_outcome outcome = must_publish(stage, prison, made);
	assert_int_equal(outcome.code, TTG_REFUSED_MALFORMED);
	assert_true(strlen(outcome.text) > 0);
	nothing_else_came(stage, prison);
	must_have_passed(stage);
}

static void a_field_out_of_bounds_is_refused_and_named(void **state)
{
	struct stage *stage = *state;
	char long_text[5001];

	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer_outcome outcome =
		must_publish(stage, prison, must_make(&(struct made_wish){ .area = long_text }));
	assert_int_equal(outcome.code, TTG_REFUSED_FIELD);
	assert_non_null(strstr(outcome.text, "area"));
	outcome = must_publish(stage, prison,
			       must_make(&(struct made_wish){ .area = "bell \a rings" }));
	assert_int_equal(outcome.code, TTG_REFUSED_FIELD);
	assert_null(strstr(outcome.text, "rings"));
	nothing_else_came(stage, prison);
	must_have_passed(stage);
}

static void an_event_larger_than_the_limit_is_refused(void **state)
{
	struct stage *stage = *state;

	snprintf(stage->limits, sizeof(stage->limits), "\tmax_event_bytes = 8192;\n");
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *police = must_open_peer(stage, "police", NULL);
	must_be_ready(stage, police);
	struct made made = must_make(
		&(struct made_wish){ .type = "police.arrest", .padding_bytes = 20000 });
	/* The library knows the limit from the broker and says so itself. */
	assert_int_equal(ttg_client_publish(police->client, made.id, made.bytes, made.len, NULL),
			 TTG_ELIMIT);
	made_free(&made);
	nothing_else_came(stage, prison);
	must_have_passed(stage);
}

static void an_identifier_with_a_false_claim_is_refused(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct made made = must_make(&(struct made_wish){ .noms = "NOT-A-NUMBER" });
	Ttg__Event *event = ttg__event__unpack(NULL, made.len, made.bytes);
	assert_non_null(event);
	event->person->identifiers[0]->validity = TTG__VALIDITY__VALID;
	free(made.bytes);
	assert_int_equal(ttg_event_pack(event, &made.bytes, &made.len), TTG_OK);
	ttg__event__free_unpacked(event, NULL);
	struct peer_outcome outcome = must_publish(stage, prison, made);
	assert_int_equal(outcome.code, TTG_REFUSED_IDENTIFIER);
	assert_null(strstr(outcome.text, "NOT-A-NUMBER"));
	assert_int_equal(count_in(stage, "ttgd.err", "NOT-A-NUMBER"), 0);
	nothing_else_came(stage, prison);
	must_have_passed(stage);
}

static void an_id_used_again_for_other_content_is_refused(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct made one = must_make(&(struct made_wish){ .area = "Peterborough" });
	struct made two = must_make(&(struct made_wish){ .area = "Wisbech" });
	Ttg__Event *event = ttg__event__unpack(NULL, two.len, two.bytes);
	assert_non_null(event);
	memcpy(event->id.data, one.id, sizeof(one.id));
	memcpy(two.id, one.id, sizeof(one.id));
	free(two.bytes);
	assert_int_equal(ttg_event_pack(event, &two.bytes, &two.len), TTG_OK);
	ttg__event__free_unpacked(event, NULL);
	assert_int_equal(must_publish(stage, prison, one).code, TTG_OK);
	assert_int_equal(must_publish(stage, prison, two).code, TTG_REFUSED_ID_REUSED);
	must_have_passed(stage);
}

static void more_events_than_the_agencys_rate_are_refused_for_now(void **state)
{
	struct stage *stage = *state;
	size_t refused = 0;

	must_write_agency(stage, "prison", NULL, "\trate_per_s = 1;\n\tburst = 3;\n");
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *police = must_open_peer(stage, "police", NULL);
	for (uint32_t i = 0; i < 3; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	/* The library keeps a retryable event and sends it again: it is accepted late, not lost. */
	must_accept(stage, prison, &(struct made_wish){ .number = 4 });
	refused = (size_t)must_read_metric(stage->http_port,
					   "ttgd_events_refused_total{code=\"refused_rate\"}");
	assert_true(refused >= 1);
	must_accept(stage, police, &(struct made_wish){ .type = "police.arrest" });
	assert_int_equal(must_ask_number(stage, "status", "events.accepted"), 5);
	must_have_passed(stage);
}

static void no_log_line_or_metric_holds_an_identifier_of_a_person(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_accept(stage, prison, &(struct made_wish){ .noms = "Z9876YX", .area = "Quuxtown" });
	must_get(stage, service, 1);
	must_be_refused(stage, prison,
		    &(struct made_wish){ .noms = "Z9876YX", .type = "police.arrest",
					 .source = "prison" },
		    TTG_REFUSED_NOT_AGREED);
	struct http_answer metrics =
		http_ask(stage->http_port, "GET", "/metrics", NULL, NULL, 0);
	assert_int_equal(metrics.status, 200);
	assert_null(strstr(metrics.body, "Z9876YX"));
	free(metrics.body);
	assert_true(count_in(stage, "ttgd.err", "publish_refused") > 0);
	assert_int_equal(count_in(stage, "ttgd.err", "Z9876YX"), 0);
	assert_int_equal(count_in(stage, "ttgd.err", "Quuxtown"), 0);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_type_without_an_agreement_is_refused),
		STAGE_TEST(without_any_agreement_nobody_may_publish_or_receive),
		STAGE_TEST(a_police_key_publishing_prison_released_is_refused_and_logged),
		STAGE_TEST(a_forged_source_is_refused_logged_and_counted),
		STAGE_TEST(a_clock_far_off_is_refused),
		STAGE_TEST(bytes_that_are_no_event_are_refused),
		STAGE_TEST(a_field_out_of_bounds_is_refused_and_named),
		STAGE_TEST(an_event_larger_than_the_limit_is_refused),
		STAGE_TEST(an_identifier_with_a_false_claim_is_refused),
		STAGE_TEST(an_id_used_again_for_other_content_is_refused),
		STAGE_TEST(more_events_than_the_agencys_rate_are_refused_for_now),
		STAGE_TEST(no_log_line_or_metric_holds_an_identifier_of_a_person),
	};

	return cmocka_run_group_tests_name("refuse", tests, NULL, NULL);
}
