/*
 * Referrals in the core: who may move one and when, what corrections do, and that a restart knows
 * what was known. That an overdue answer is told stands in test_core_overdue.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/redelivery.h"
#include "core/referrals.h"
#include "core/rules_past.h"
#include "support/referral_play.h"
#include "unit.h"

static void must_refuse(const struct core_outcome *outcome, const char *text)
{
	assert_int_equal(outcome->kind, CORE_REFUSED);
	assert_int_equal(outcome->code, TTG_REFUSED_REFERRAL);
	assert_string_equal(outcome->text, text);
}

/* How a referral comes to each state, and what the texts call it. */
static const struct {
	const char *word;
	int n, moves[4];
	const char *next; /* of the types in their order: 'y' may follow; ended: without an outcome */
} lives[] = {
	{ "sent", 1, { REFERRAL_TYPE_SENT }, ".yyyy..." },
	{ "acknowledged", 2, { REFERRAL_TYPE_SENT, REFERRAL_TYPE_ACKNOWLEDGED }, ".y.yy..." },
	{ "accepted", 2, { REFERRAL_TYPE_SENT, REFERRAL_TYPE_ACCEPTED }, ".y...yy." },
	{ "assigned", 3, { REFERRAL_TYPE_SENT, REFERRAL_TYPE_ACCEPTED, REFERRAL_TYPE_ASSIGNED }, ".y...yy." },
	{ "started", 3, { REFERRAL_TYPE_SENT, REFERRAL_TYPE_ACCEPTED, REFERRAL_TYPE_STARTED }, ".y...y.y" },
	{ "declined", 2, { REFERRAL_TYPE_SENT, REFERRAL_TYPE_DECLINED }, "........" },
	{ "withdrawn", 2, { REFERRAL_TYPE_SENT, REFERRAL_TYPE_WITHDRAWN }, "........" },
	{ "ended", 4,
	  { REFERRAL_TYPE_SENT, REFERRAL_TYPE_ACCEPTED, REFERRAL_TYPE_STARTED, REFERRAL_TYPE_ENDED },
	  "........" },
};
#define LIVES (sizeof(lives) / sizeof(lives[0]))

/* Each move in each state; `how` 1 and 2: behind a restart from the records, from a snapshot. */
static void try_all(int how)
{
	struct play *play = referral_stage(play_new(16, 100));
	char text[160], id[16];
	int n = 0;

	for (size_t i = 0; i < LIVES; i++)
		for (int type = 0; type < REFERRAL_TYPES; type++, n++) {
			snprintf(id, sizeof(id), "R-%d", n);
			for (int k = 0; k < lives[i].n; k++)
				referral_must_move(play, id, lives[i].moves[k]);
		}
	if (how > 0)
		referral_restart(play, how == 2);
	n = 0;
	for (size_t i = 0; i < LIVES; i++)
		for (int type = 0; type < REFERRAL_TYPES; type++, n++) {
			const bool may = lives[i].next[type] == 'y';
			struct core_outcome outcome;

			snprintf(id, sizeof(id), "R-%d", n);
			outcome = referral_move(play, id, type);
			snprintf(text, sizeof(text), "the referral is %s; %s may not follow", lives[i].word,
				 referral_types[type]);
			if (may != (outcome.kind == CORE_ACCEPTED))
				fail_msg("%s, then %s: %s", lives[i].word, referral_types[type],
					 outcome.text);
			if (!may)
				must_refuse(&outcome, text);
		}
	play_free(&play);
}

static void each_event_is_taken_in_its_order_and_refused_with_the_state_out_of_it(void **state)
{
	(void)state;
	try_all(0);
}

static void a_restart_knows_how_far_each_referral_came(void **state)
{
	(void)state;
	try_all(1);
	try_all(2);
}

/* Cuts redeliveries and referrals, of which there are none, out of a snapshot, which is then of version 5. */
static void make_older(const struct play *play, uint8_t *snapshot, size_t *len)
{
	struct rules_past past = { .n = 0 };
	uint8_t bytes[512], *found;
	struct cursor cursor;
	size_t kept, cut;

	for (size_t i = 0; i < core_rules_count(play->core); i++)
		assert_true(rules_past_add(&past, core_rules_version(play->core, i)));
	cursor_init_write(&cursor, bytes, sizeof(bytes));
	rules_past_save(&past, &cursor);
	rules_past_fini(&past);
	kept = cursor_offset(&cursor);
	redeliveries_save(&(struct redeliveries){ .n = 0 }, &cursor);
	cursor_put_varint(&cursor, 0);
	assert_true(cursor_ok(&cursor));
	cut = cursor_offset(&cursor) - kept;
	found = memmem(snapshot, *len, bytes, cursor_offset(&cursor));
	assert_non_null(found);
	found += kept + cut;
	memmove(found - cut, found, *len - (size_t)(found - snapshot));
	*len -= cut;
	snapshot[7] = 5;
	cursor_init_write(&cursor, snapshot + 8, 8);
	cursor_put_u64(&cursor, *len);
}

static void a_snapshot_from_before_is_read_and_what_follows_is_followed(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	uint8_t *snapshot;
	size_t len;

	(void)state;
	assert_int_equal(core_snapshot(play->core, &snapshot, &len), TTG_OK);
	make_older(play, snapshot, &len);
	referral_must_move(play, "R-1", REFERRAL_TYPE_ASSIGNED);
	play_restart(play, play->n_records, snapshot, len);
	assert_int_equal(core_referral_count(play->core), 1);
	assert_int_equal(referral_move(play, "R-1", REFERRAL_TYPE_SENT).code, TTG_REFUSED_REFERRAL);
	free(snapshot);
	play_free(&play);
}

static void a_whole_life_goes_through_and_a_hand_over_may_come_at_any_time(void **state)
{
	static const int life[] = { REFERRAL_TYPE_SENT,     REFERRAL_TYPE_ACKNOWLEDGED,
				    REFERRAL_TYPE_ACCEPTED, REFERRAL_TYPE_ASSIGNED,
				    REFERRAL_TYPE_ASSIGNED, REFERRAL_TYPE_STARTED,
				    REFERRAL_TYPE_ASSIGNED, REFERRAL_TYPE_ENDED };
	struct play *play = referral_stage(play_new(16, 100));
	struct core_outcome outcome;

	(void)state;
	for (size_t i = 0; i < sizeof(life) / sizeof(life[0]); i++)
		referral_must_move(play, "R-1", life[i]);
	outcome = referral_move(play, "R-1", REFERRAL_TYPE_WITHDRAWN);
	must_refuse(&outcome, "the referral is ended; referral.withdrawn may not follow");
	assert_int_equal(core_referral_count(play->core), 1);
	referral_must_move(play, "R-2", REFERRAL_TYPE_SENT); /* another is another */
	assert_int_equal(core_referral_count(play->core), 2);
	play_free(&play);
}

static void who_was_accepted_and_never_came_is_an_end_called_cancelled(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct referral_said end = referral_plain;

	(void)state;
	end.type = REFERRAL_TYPE_ENDED;
	end.source = "charity";
	end.cancelled = true;
	referral_must_move(play, "R-1", REFERRAL_TYPE_SENT);
	assert_int_equal(referral_publish(play, &end, NULL).outcome.code, TTG_REFUSED_REFERRAL);
	referral_must_move(play, "R-1", REFERRAL_TYPE_ACCEPTED);
	assert_int_equal(referral_move(play, "R-1", REFERRAL_TYPE_ENDED).code, TTG_REFUSED_REFERRAL);
	assert_int_equal(referral_publish(play, &end, NULL).outcome.kind, CORE_ACCEPTED);
	assert_int_equal(referral_publish(play, &end, NULL).outcome.code, TTG_REFUSED_REFERRAL);
	play_free(&play);
}

static void nobody_but_its_two_sides_moves_a_referral(void **state)
{
	static const char *const providers = "only the provider that a referral names may answer it";
	static const char *const referrers = "only the referrer may send a referral or withdraw it";
	struct play *play = referral_stage(play_new(16, 100));
	struct referral_said said = referral_plain;
	struct core_outcome outcome;

	(void)state;
	said.source = "police";
	outcome = referral_publish(play, &said, NULL).outcome; /* in another's name */
	must_refuse(&outcome, referrers);
	referral_must_move(play, "R-1", REFERRAL_TYPE_SENT);
	said.type = REFERRAL_TYPE_WITHDRAWN;
	outcome = referral_publish(play, &said, NULL).outcome;
	must_refuse(&outcome, referrers);
	said.type = REFERRAL_TYPE_ACCEPTED;
	outcome = referral_publish(play, &said, NULL).outcome;
	must_refuse(&outcome, providers);
	said.provider = "police"; /* nor as the provider it calls itself */
	outcome = referral_publish(play, &said, NULL).outcome;
	must_refuse(&outcome, providers);
	said.source = "oneservice"; /* nor the referrer for the provider */
	said.provider = "charity";
	outcome = referral_publish(play, &said, NULL).outcome;
	must_refuse(&outcome, providers);
	said.type = REFERRAL_TYPE_WITHDRAWN; /* whom he did not ask is told nothing */
	said.provider = "police";
	outcome = referral_publish(play, &said, NULL).outcome;
	must_refuse(&outcome, "the referral is sent, and was sent to another provider");
	referral_must_move(play, "R-1", REFERRAL_TYPE_ACCEPTED);
	play_free(&play);
}

static void the_same_event_again_is_a_duplicate_and_never_refused(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct referral_words words;
	struct play_event it;
	struct referral_said said = referral_plain;
	struct core_outcome first, again;

	(void)state;
	said.source = "oneservice";
	play_event(play, &it, TYPE_REFERRAL, 1);
	referral_say(&it.event, &words, &said);
	first = play_publish(play, &it);
	assert_int_equal(first.kind, CORE_ACCEPTED);
	referral_must_move(play, "R-1", REFERRAL_TYPE_DECLINED);
	again = play_publish(play, &it);
	assert_int_equal(again.kind, CORE_DUPLICATE);
	assert_int_equal(again.sequence, first.sequence);
	play_free(&play);
}

static void of_what_is_not_known_anything_may_come_and_is_followed_from_there(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct core_outcome outcome;

	(void)state;
	referral_must_move(play, "R-1", REFERRAL_TYPE_ASSIGNED);
	outcome = referral_move(play, "R-1", REFERRAL_TYPE_SENT);
	must_refuse(&outcome, "the referral is assigned; referral.sent may not follow");
	referral_must_move(play, "R-1", REFERRAL_TYPE_STARTED);
	referral_must_move(play, "R-2", REFERRAL_TYPE_WITHDRAWN);
	outcome = referral_move(play, "R-2", REFERRAL_TYPE_ACCEPTED);
	must_refuse(&outcome, "the referral is withdrawn; referral.accepted may not follow");
	play_free(&play);
}

static void what_names_no_referral_or_a_provider_who_is_no_agency_is_not_followed(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct rules *rules = play_referral_rules();
	struct referral_said said = referral_plain;

	(void)state;
	for (size_t i = 0; i < rules->n_deliver; i++) /* answers of others are heard too */
		rules->deliver[i].addressed_by[0] = '\0';
	assert_int_equal(core_set_rules(play->core, &play->now, rules), TTG_OK);
	said.source = "oneservice";
	said.id = "";
	assert_int_equal(referral_publish(play, &said, NULL).outcome.kind, CORE_ACCEPTED);
	assert_int_equal(referral_publish(play, &said, NULL).outcome.kind, CORE_ACCEPTED);
	said.id = "R-1";
	said.provider = "elsewhere";
	assert_int_equal(referral_publish(play, &said, NULL).outcome.kind, CORE_ACCEPTED);
	said.type = REFERRAL_TYPE_ENDED;
	assert_int_equal(referral_publish(play, &said, NULL).outcome.kind, CORE_ACCEPTED);
	said.type = REFERRAL_TYPE_ASSIGNED;
	assert_int_equal(referral_publish(play, &said, NULL).outcome.kind, CORE_ACCEPTED);
	assert_int_equal(core_referral_count(play->core), 0);
	play_settle(play);
	core_free(&play->core);
	rules_free(&rules);
	play_free(&play);
}

static void what_is_over_is_forgotten_a_month_later(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));

	(void)state;
	referral_must_move(play, "R-1", REFERRAL_TYPE_SENT);
	referral_must_move(play, "R-1", REFERRAL_TYPE_DECLINED);
	play_wait(play, REFERRALS_KEPT_NS);
	referral_must_move(play, "R-2", REFERRAL_TYPE_SENT);
	assert_int_equal(referral_move(play, "R-1", REFERRAL_TYPE_SENT).code, TTG_REFUSED_REFERRAL);
	play_wait(play, PLAY_SECOND);
	referral_must_move(play, "R-3", REFERRAL_TYPE_SENT);
	referral_must_move(play, "R-1", REFERRAL_TYPE_SENT);
	play_free(&play);
}

/* --- corrections --- */

static void a_correction_goes_through_and_moves_nothing(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct referral_said said = referral_plain;
	struct referral_spoken first, other;
	struct core_outcome outcome;

	(void)state;
	said.type = REFERRAL_TYPE_ACKNOWLEDGED;
	said.source = "charity";
	referral_must_move(play, "R-1", REFERRAL_TYPE_SENT);
	first = referral_publish(play, &said, NULL);
	referral_must_move(play, "R-1", REFERRAL_TYPE_ACCEPTED);
	referral_must_move(play, "R-1", REFERRAL_TYPE_ASSIGNED);
	outcome = referral_publish(play, &said, NULL).outcome;
	must_refuse(&outcome, "the referral is assigned; referral.acknowledged may not follow");
	first = referral_publish(play, &said, first.id);
	assert_int_equal(first.outcome.kind, CORE_ACCEPTED);
	/* Of a correction. */
	assert_int_equal(referral_publish(play, &said, first.id).outcome.kind, CORE_ACCEPTED);
	referral_must_move(play, "R-1", REFERRAL_TYPE_STARTED);
	/* Of another referral, type or agency it is none. */
	referral_must_move(play, "R-2", REFERRAL_TYPE_SENT);
	said.id = "R-2";
	other = referral_publish(play, &said, NULL);
	said.id = "R-1";
	assert_int_equal(referral_publish(play, &said, other.id).outcome.code, TTG_REFUSED_REFERRAL);
	said.type = REFERRAL_TYPE_ACCEPTED;
	assert_int_equal(referral_publish(play, &said, first.id).outcome.code, TTG_REFUSED_REFERRAL);
	said.type = REFERRAL_TYPE_SENT;
	said.source = "oneservice";
	assert_int_equal(referral_publish(play, &said, first.id).outcome.code, TTG_REFUSED_REFERRAL);
	play_free(&play);
}

static void a_corrected_sending_to_another_provider_begins_anew(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct referral_said said = referral_plain;
	struct core_outcome outcome;
	struct referral_spoken first;

	(void)state;
	said.source = "oneservice";
	first = referral_publish(play, &said, NULL);
	referral_must_move(play, "R-1", REFERRAL_TYPE_DECLINED);
	said.provider = "police";
	assert_int_equal(referral_publish(play, &said, first.id).outcome.kind, CORE_ACCEPTED);
	outcome = referral_move(play, "R-1", REFERRAL_TYPE_ACCEPTED);
	must_refuse(&outcome, "only the provider that a referral names may answer it");
	said.type = REFERRAL_TYPE_ACCEPTED;
	said.source = "police";
	assert_int_equal(referral_publish(play, &said, NULL).outcome.kind, CORE_ACCEPTED);
	play_free(&play);
}

static void one_to_a_provider_who_is_no_agency_changes_nothing(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct referral_said said = referral_plain;
	struct rules *rules = play_referral_rules();
	struct referral_spoken first;

	(void)state;
	for (size_t i = 0; i < rules->n_deliver; i++)
		rules->deliver[i].addressed_by[0] = '\0';
	assert_int_equal(core_set_rules(play->core, &play->now, rules), TTG_OK);
	rules_free(&play->rules);
	play->rules = rules;
	said.source = "oneservice";
	first = referral_publish(play, &said, NULL);
	said.provider = "";
	first = referral_publish(play, &said, first.id);
	assert_int_equal(first.outcome.kind, CORE_ACCEPTED);
	said.provider = "elsewhere";
	assert_int_equal(referral_publish(play, &said, first.id).outcome.kind, CORE_ACCEPTED);
	referral_must_move(play, "R-1", REFERRAL_TYPE_ACCEPTED);
	play_free(&play);
}

/* Then it may be the one before that could not come. */
static void whether_a_mailbox_is_full_is_asked_first(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct rules *rules = play_referral_rules();

	(void)state;
	rules->mailboxes[BOX_DESK].max_queued = 1;
	assert_int_equal(core_set_rules(play->core, &play->now, rules), TTG_OK);
	rules_free(&play->rules);
	play->rules = rules;
	referral_must_move(play, "R-1", REFERRAL_TYPE_SENT);
	referral_must_move(play, "R-1", REFERRAL_TYPE_ACKNOWLEDGED);
	assert_int_equal(referral_move(play, "R-1", REFERRAL_TYPE_ACCEPTED).code, TTG_REFUSED_BUSY);
	assert_int_equal(referral_move(play, "R-1", REFERRAL_TYPE_ASSIGNED).code, TTG_REFUSED_BUSY);
	play_free(&play);
}

/* A referral is what lets it pass: who was asked by mistake must not go on getting anything. */
static void to_who_was_asked_by_mistake_no_referral_is_open(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct rules *rules = play_referral_rules();
	struct referral_said said = referral_plain;
	struct referral_spoken first;
	int type;

	(void)state;
	rules->conditions = calloc(1, sizeof(*rules->conditions));
	assert_non_null(rules->conditions);
	rules->n_conditions = 1;
	rules->conditions[0].referral = true;
	type = rules_find_type(rules, "prison.released");
	play_grant(rules, (uint32_t)type, PLAY_PRISON, BOX_CHARITY, AGREED_ALWAYS)->condition = 1;
	assert_true(rules_finish(rules));
	assert_int_equal(core_set_rules(play->core, &play->now, rules), TTG_OK);
	rules_free(&play->rules);
	play->rules = rules;
	said.source = "oneservice";
	first = referral_publish(play, &said, NULL);
	play_settle(play);
	play->n_deliveries = 0;
	play_say(play, TYPE_RELEASED, 1);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 1);
	said.provider = "police";
	assert_int_equal(referral_publish(play, &said, first.id).outcome.kind, CORE_ACCEPTED);
	play_settle(play);
	play->n_deliveries = 0;
	play_say(play, TYPE_RELEASED, 1);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 0);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_is_taken_in_its_order_and_refused_with_the_state_out_of_it),
		cmocka_unit_test(a_restart_knows_how_far_each_referral_came),
		cmocka_unit_test(a_snapshot_from_before_is_read_and_what_follows_is_followed),
		cmocka_unit_test(a_whole_life_goes_through_and_a_hand_over_may_come_at_any_time),
		cmocka_unit_test(who_was_accepted_and_never_came_is_an_end_called_cancelled),
		cmocka_unit_test(nobody_but_its_two_sides_moves_a_referral),
		cmocka_unit_test(the_same_event_again_is_a_duplicate_and_never_refused),
		cmocka_unit_test(of_what_is_not_known_anything_may_come_and_is_followed_from_there),
		cmocka_unit_test(what_names_no_referral_or_a_provider_who_is_no_agency_is_not_followed),
		cmocka_unit_test(what_is_over_is_forgotten_a_month_later),
		cmocka_unit_test(a_correction_goes_through_and_moves_nothing),
		cmocka_unit_test(a_corrected_sending_to_another_provider_begins_anew),
		cmocka_unit_test(one_to_a_provider_who_is_no_agency_changes_nothing),
		cmocka_unit_test(whether_a_mailbox_is_full_is_asked_first),
		cmocka_unit_test(to_who_was_asked_by_mistake_no_referral_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
