/* The life of a referral: the table of moves, and what a referral comes to out of its events. */
#include "partner_unit.h"

static void the_table_allows_the_life_of_a_referral_and_nothing_else(void **state)
{
	/* As docs/protocol.md has it: a letter for each move that may follow, in capitals by the
	   referrer: Sent, read (acknowledged), yes, no, given to somebody, begun, ended,
	   cancelled, Withdrawn. */
	static const char *const allowed[REFERRAL_STATES] = {
		[REFERRAL_UNKNOWN] = "SryngbecW",
		[REFERRAL_SENT] = "rynW",
		[REFERRAL_ACKNOWLEDGED] = "ynW",
		[REFERRAL_ACCEPTED] = "gbcW",
		[REFERRAL_ASSIGNED] = "gbcW",
		[REFERRAL_STARTED] = "gecW",
		[REFERRAL_DECLINED] = "",
		[REFERRAL_WITHDRAWN] = "",
		[REFERRAL_ENDED] = "",
	};
	static const struct {
		const char *type;
		bool cancels;
		char provider, referrer;
	} moves[] = {
		{ "referral.sent", false, '-', 'S' },      { "referral.acknowledged", false, 'r', '-' },
		{ "referral.accepted", false, 'y', '-' },  { "referral.declined", false, 'n', '-' },
		{ "referral.assigned", false, 'g', '-' },  { "referral.started", false, 'b', '-' },
		{ "referral.ended", false, 'e', '-' },     { "referral.ended", true, 'c', '-' },
		{ "referral.withdrawn", false, '-', 'W' },
	};

	(void)state;
	for (int from = 0; from < REFERRAL_STATES; from++) {
		const enum referral_state at = (enum referral_state)from;
		const char *row = allowed[from];

		for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++) {
			const struct move *move = move_of(moves[i].type, moves[i].cancels);

			assert_int_equal(move_is_allowed(move, at, REFERRAL_PROVIDER),
			                 strchr(row, moves[i].provider) != NULL);
			assert_int_equal(move_is_allowed(move, at, REFERRAL_REFERRER),
			                 strchr(row, moves[i].referrer) != NULL);
		}
	}
	assert_null(move_of("partner.appointment", false));
	assert_null(move_of("referral.sen", false));
}

static const struct told_news life[] = {
	{ "referral.sent", "R1", .number = 1, .at = "2026-11-20T09:00:00Z" },
	{ "referral.acknowledged", "R1", .number = 2, .ours = true, .at = "2026-11-20T09:01:00Z" },
	{ "referral.accepted", "R1", .number = 3, .ours = true, .at = "2026-11-20T09:02:00Z" },
	{ "referral.assigned", "R1", .number = 4, .ours = true, .at = "2026-11-20T09:03:00Z" },
	{ "referral.started", "R1", .number = 5, .ours = true, .at = "2026-11-20T09:04:00Z" },
	{ "referral.ended", "R1", .number = 6, .ours = true, .at = "2026-11-20T09:05:00Z" },
};
#define LIFE (sizeof(life) / sizeof(*life))

static void a_referral_is_where_its_events_brought_it(void **state)
{
	static const enum referral_state after[] = { REFERRAL_SENT,     REFERRAL_ACKNOWLEDGED,
		                                     REFERRAL_ACCEPTED, REFERRAL_ASSIGNED,
		                                     REFERRAL_STARTED,  REFERRAL_ENDED };
	struct caseload *referrals = caseload_new("mind");

	(void)state;
	for (size_t i = 0; i < LIFE; i++) {
		must_tell(referrals, &life[i]);
		must_tell(referrals, &life[i]); /* a repeat changes nothing */
		assert_int_equal(caseload_at(referrals, 0)->state, after[i]);
		assert_int_equal(caseload_at(referrals, 0)->n_steps, i + 1);
	}
	assert_int_equal(caseload_count(referrals), 1);
	assert_ptr_equal(caseload_find(referrals, "one-service", "R1"), caseload_at(referrals, 0));
	assert_null(caseload_find(referrals, "probation", "R1"));
	assert_null(caseload_find(referrals, "", "R1"));
	assert_null(caseload_find(referrals, "one-service", "R2"));
	caseload_free(&referrals);
}

static void any_order_of_reading_comes_to_the_same(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < LIFE; shift++) {
		struct caseload *referrals = caseload_new("mind");
		const struct referral *referral;

		for (size_t i = 0; i < LIFE; i++)
			must_tell(referrals, &life[(i * 5 + shift) % LIFE]);
		referral = caseload_at(referrals, 0);
		assert_int_equal(referral->state, REFERRAL_ENDED);
		assert_non_null(referral->sent);
		for (size_t i = 0; i < LIFE; i++)
			assert_string_equal(referral->steps[i]->event->type, life[i].type);
		caseload_free(&referrals);
	}
}

static void what_the_broker_refused_did_not_happen(void **state)
{
	struct caseload *referrals = caseload_new("mind");
	const struct referral *referral;
	Ttg__Event *event = must_read_news(&life[2]);

	(void)state;
	must_tell(referrals, &life[0]);
	must_tell(referrals, &life[1]);
	must_tell(referrals, &(struct told_news){ "referral.accepted", "R1", .number = 3,
	                                          .ours = true, .answer = STEP_WAITS });
	referral = caseload_at(referrals, 0);
	assert_int_equal(referral->state, REFERRAL_ACCEPTED); /* so that it is not offered again */
	caseload_answer(referrals, event->id.data, TTG_REFUSED_REFERRAL, "not in this state");
	assert_int_equal(referral->state, REFERRAL_ACKNOWLEDGED);
	assert_int_equal(referral->steps[2]->answer == STEP_REFUSED ||
	                         referral->steps[0]->answer == STEP_REFUSED ||
	                         referral->steps[1]->answer == STEP_REFUSED,
	                 true);
	caseload_answer(referrals, event->id.data, TTG_OK, "");
	assert_int_equal(referral->state, REFERRAL_ACCEPTED);
	ttg__event__free_unpacked(event, NULL);
	caseload_free(&referrals);
}

static void must_be_checked(const struct caseload *referrals, const struct told_news *told,
                            enum ttg_error wanted)
{
	Ttg__Event *event = must_read_news(told);
	struct message message = { "" };
	enum ttg_error error = caseload_check(referrals, event, &message);

	if (error != wanted)
		must_fail("%s: %d %s", told->type, (int)error, message.text);
	ttg__event__free_unpacked(event, NULL);
}

static void nothing_is_said_that_the_table_does_not_allow(void **state)
{
	struct caseload *referrals = caseload_new("mind");
	struct caseload *others = caseload_new("sova");

	(void)state;
	must_be_checked(referrals, &life[1], TTG_OK); /* sent before there was a store */
	must_tell(referrals, &life[0]);
	must_be_checked(referrals, &life[1], TTG_OK);
	must_be_checked(referrals, &life[2], TTG_OK); /* a yes at once */
	must_be_checked(referrals, &life[4], TTG_EPERM);
	must_be_checked(referrals, &life[5], TTG_EPERM);
	must_be_checked(referrals,
	                &(struct told_news){ "referral.withdrawn", "R1", .number = 9, .ours = true },
	                TTG_EPERM); /* the referrer's */
	must_be_checked(referrals,
	                &(struct told_news){ "partner.appointment", "R1", .number = 9, .ours = true },
	                TTG_OK);
	must_be_checked(referrals,
	                &(struct told_news){ "partner.appointment", "", .number = 9, .ours = true },
	                TTG_OK); /* belongs to none */
	must_tell(referrals, &life[1]);
	must_be_checked(referrals, &life[1], TTG_OK); /* a repeat, by its id */
	must_be_checked(
	        referrals,
	        &(struct told_news){ "referral.acknowledged", "R1", .number = 77, .ours = true },
	        TTG_EPERM); /* a second one */
	must_tell(others, &life[0]);
	must_be_checked(others, &life[1], TTG_EPERM); /* sent to somebody else */
	caseload_free(&others);
	caseload_free(&referrals);
}

static void what_never_began_can_only_be_cancelled(void **state)
{
	static const char cancelled[] = ",\"outcome\":\"CANCELLED\"";
	static const char completed[] = ",\"outcome\":\"COMPLETED\"";
	struct told_news end = { "referral.ended", "R1", .number = 30, .ours = true };
	struct caseload *referrals = caseload_new("mind");

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		must_tell(referrals, &life[i]);
		end.data = cancelled;
		must_be_checked(referrals, &end, i < 2 ? TTG_EPERM : TTG_OK);
		end.data = completed;
		must_be_checked(referrals, &end, i < 4 ? TTG_EPERM : TTG_OK);
	}
	/* Handed over after it began: still started. */
	must_tell(referrals,
	          &(struct told_news){ "referral.assigned", "R1", .number = 31, .ours = true });
	assert_int_equal(caseload_at(referrals, 0)->state, REFERRAL_STARTED);
	caseload_free(&referrals);
}

static void who_corrects_what_he_said_moves_nothing(void **state)
{
	struct caseload *referrals = caseload_new("mind");
	Ttg__Event *event;
	Ttg__Event *said = must_read_news(&life[2]);
	struct message message;

	(void)state;
	for (size_t i = 0; i < LIFE; i++)
		must_tell(referrals, &life[i]);
	event = must_read_news(
	        &(struct told_news){ "referral.accepted", "R1", .number = 40, .ours = true });
	assert_int_equal(caseload_check(referrals, event, &message), TTG_EPERM);
	event->supersedes.data = malloc(TTG_UUID_BYTES);
	event->supersedes.len = TTG_UUID_BYTES;
	memcpy(event->supersedes.data, said->id.data, TTG_UUID_BYTES);
	assert_int_equal(caseload_check(referrals, event, &message), TTG_OK);
	event->supersedes.data[15] ^= 1; /* of another type */
	assert_int_equal(caseload_check(referrals, event, &message), TTG_EPERM);
	ttg__event__free_unpacked(event, NULL);
	ttg__event__free_unpacked(said, NULL);
	caseload_free(&referrals);
}

static void a_withdrawn_or_declined_referral_takes_no_answer(void **state)
{
	struct caseload *referrals = caseload_new("mind");

	(void)state;
	must_tell(referrals, &life[0]);
	must_tell(referrals, &(struct told_news){ "referral.withdrawn", "R1", .number = 10 });
	assert_int_equal(caseload_at(referrals, 0)->state, REFERRAL_WITHDRAWN);
	must_be_checked(referrals, &life[1], TTG_EPERM);
	must_tell(referrals, &(struct told_news){ "referral.sent", "R2", .number = 11 });
	must_tell(referrals,
	          &(struct told_news){ "referral.declined", "R2", .number = 12, .ours = true });
	assert_int_equal(caseload_at(referrals, 1)->state, REFERRAL_DECLINED);
	must_be_checked(
	        referrals,
	        &(struct told_news){ "referral.acknowledged", "R2", .number = 13, .ours = true },
	        TTG_EPERM);
	caseload_free(&referrals);
}

static void it_is_overdue_from_the_time_to_answer_until_there_is_one(void **state)
{
	struct caseload *referrals = caseload_new("mind");
	const struct referral *referral;
	const int64_t by_ns = instant_of("2026-11-24T17:00:00Z");

	(void)state;
	must_tell(referrals,
	          &(struct told_news){ "referral.sent", "R1", .number = 1,
	                               .data = ",\"answer_by_at\":\"2026-11-24T17:00:00Z\"" });
	referral = caseload_at(referrals, 0);
	assert_false(referral_is_overdue(referral, by_ns));
	assert_true(referral_is_overdue(referral, by_ns + 1));
	must_tell(referrals, &life[1]); /* read, not answered */
	assert_true(referral_is_overdue(referral, by_ns + 1));
	must_tell(referrals, &life[2]);
	assert_false(referral_is_overdue(referral, by_ns + 1));
	caseload_free(&referrals);
}

struct seen {
	char places[8][32];
	size_t n;
};

static bool see(void *arg, const struct referral_step *step)
{
	struct seen *seen = arg;

	snprintf(seen->places[seen->n++], 32, "%s", step->event->partner_appointment->place);
	return true;
}

static void the_newest_of_each_appointment_counts(void **state)
{
	struct caseload *referrals = caseload_new("mind");
	struct seen seen = { .n = 0 };

	(void)state;
	must_tell(referrals, &life[0]);
	must_tell(referrals, &(struct told_news){ "partner.appointment", "R1", .number = 20,
	                                          .ours = true, .at = "2026-11-21T09:00:00Z",
	                                          .data = ",\"appointment_id\":\"a\","
	                                                  "\"place\":\"old\"" });
	must_tell(referrals, &(struct told_news){ "partner.appointment", "R1", .number = 21,
	                                          .ours = true, .at = "2026-11-22T09:00:00Z",
	                                          .data = ",\"appointment_id\":\"a\","
	                                                  "\"place\":\"new\"" });
	must_tell(referrals, &(struct told_news){ "partner.appointment", "R1", .number = 22,
	                                          .ours = true, .at = "2026-11-23T09:00:00Z",
	                                          .answer = STEP_REFUSED,
	                                          .data = ",\"appointment_id\":\"a\","
	                                                  "\"place\":\"refused\"" });
	must_tell(referrals, &(struct told_news){ "partner.appointment", "R1", .number = 23,
	                                          .ours = true, .at = "2026-11-22T08:00:00Z",
	                                          .data = ",\"appointment_id\":\"b\","
	                                                  "\"place\":\"other\"" });
	referral_each_appointment(caseload_at(referrals, 0), see, &seen);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.places[0], "other");
	assert_string_equal(seen.places[1], "new");
	caseload_free(&referrals);
}

static void what_is_no_event_about_a_referral_changes_nothing(void **state)
{
	struct caseload *referrals = caseload_new("mind");
	const uint8_t rubbish[] = { 0xff, 0xff, 0xff, 0x01 };
	const struct caseload_news news = { .encoded = rubbish, .encoded_bytes = sizeof(rubbish) };

	(void)state;
	assert_int_equal(caseload_add(referrals, &news), TTG_OK);
	must_tell(referrals, &(struct told_news){ "partner.appointment", "R9", .number = 1 });
	must_tell(referrals, &(struct told_news){ "referral.sent", "", .number = 2 });
	assert_int_equal(caseload_count(referrals), 0);
	caseload_free(&referrals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_allows_the_life_of_a_referral_and_nothing_else),
		cmocka_unit_test(a_referral_is_where_its_events_brought_it),
		cmocka_unit_test(any_order_of_reading_comes_to_the_same),
		cmocka_unit_test(what_the_broker_refused_did_not_happen),
		cmocka_unit_test(nothing_is_said_that_the_table_does_not_allow),
		cmocka_unit_test(what_never_began_can_only_be_cancelled),
		cmocka_unit_test(who_corrects_what_he_said_moves_nothing),
		cmocka_unit_test(a_withdrawn_or_declined_referral_takes_no_answer),
		cmocka_unit_test(it_is_overdue_from_the_time_to_answer_until_there_is_one),
		cmocka_unit_test(the_newest_of_each_appointment_counts),
		cmocka_unit_test(what_is_no_event_about_a_referral_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
