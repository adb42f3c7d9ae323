/* The life cycle of a referral: every move in every state, as docs/protocol.md has it. */
#include <string.h>

#include "core/referral.h"
#include "unit.h"

/* Rows: the state; columns: what comes. 'S' sent, 'K' acknowledged, 'A' accepted, 'D' declined, 'G' assigned,
   'B' started, 'E' ended, 'W' withdrawn; '.' may not follow. */
static const char *const table[REFERRAL_STATES] = {
	/* send withdraw acknowledge accept decline assign start end cancel */
	[REFERRAL_NONE] = "SWKADGBEE",
	[REFERRAL_SENT] = ".WKAD....",
	[REFERRAL_ACKNOWLEDGED] = ".W.AD....",
	[REFERRAL_ACCEPTED] = ".W...GB.E",
	[REFERRAL_ASSIGNED] = ".W...GB.E",
	[REFERRAL_STARTED] = ".W...B.EE",
	[REFERRAL_DECLINED] = ".........",
	[REFERRAL_ENDED] = ".........",
	[REFERRAL_WITHDRAWN] = ".........",
};

static const char letters[REFERRAL_STATES + 1] = ".SKAGBDEW";

static void every_move_in_every_state_leads_where_the_table_says(void **state)
{
	(void)state;
	for (int from = 0; from < REFERRAL_STATES; from++) {
		assert_int_equal(strlen(table[from]), REFERRAL_MOVES);
		for (int move = 0; move < REFERRAL_MOVES; move++) {
			const enum referral_state to =
				referral_next((enum referral_state)from, (enum referral_move)move);

			if (letters[to] != table[from][move])
				fail_msg("%s, move %d: %s", referral_word((enum referral_state)from), move,
					 referral_word(to));
		}
	}
}

static void what_is_over_stays_over_and_only_two_states_await_an_answer(void **state)
{
	(void)state;
	for (int it = 0; it < REFERRAL_STATES; it++) {
		const bool over = it == REFERRAL_DECLINED || it == REFERRAL_ENDED || it == REFERRAL_WITHDRAWN;

		assert_int_equal(referral_is_over((enum referral_state)it), over);
		assert_int_equal(referral_awaits_answer((enum referral_state)it),
				 it == REFERRAL_SENT || it == REFERRAL_ACKNOWLEDGED);
		for (int move = 0; over && move < REFERRAL_MOVES; move++)
			assert_int_equal(referral_next((enum referral_state)it, (enum referral_move)move),
					 REFERRAL_NONE);
	}
}

static void each_type_of_the_family_is_a_move_and_no_other_is(void **state)
{
	static const struct {
		const char *type;
		enum referral_move move;
	} types[] = {
		{ "referral.sent", REFERRAL_SEND },
		{ "referral.withdrawn", REFERRAL_WITHDRAW },
		{ "referral.acknowledged", REFERRAL_ACKNOWLEDGE },
		{ "referral.accepted", REFERRAL_ACCEPT },
		{ "referral.declined", REFERRAL_DECLINE },
		{ "referral.assigned", REFERRAL_ASSIGN },
		{ "referral.started", REFERRAL_START },
		{ "referral.ended", REFERRAL_END },
	};
	enum referral_move move;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_true(referral_move_of(types[i].type, &move));
		assert_int_equal(move, types[i].move);
	}
	assert_false(referral_move_of("referral.lost", &move));
	assert_false(referral_move_of("referral.", &move));
	assert_false(referral_move_of("service.enrolled", &move));
}

static void states_are_named_in_the_words_of_the_events(void **state)
{
	(void)state;
	assert_string_equal(referral_word(REFERRAL_NONE), "unknown");
	assert_string_equal(referral_word(REFERRAL_SENT), "sent");
	assert_string_equal(referral_word(REFERRAL_ACKNOWLEDGED), "acknowledged");
	assert_string_equal(referral_word(REFERRAL_ACCEPTED), "accepted");
	assert_string_equal(referral_word(REFERRAL_ASSIGNED), "assigned");
	assert_string_equal(referral_word(REFERRAL_STARTED), "started");
	assert_string_equal(referral_word(REFERRAL_DECLINED), "declined");
	assert_string_equal(referral_word(REFERRAL_ENDED), "ended");
	assert_string_equal(referral_word(REFERRAL_WITHDRAWN), "withdrawn");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_move_in_every_state_leads_where_the_table_says),
		cmocka_unit_test(what_is_over_stays_over_and_only_two_states_await_an_answer),
		cmocka_unit_test(each_type_of_the_family_is_a_move_and_no_other_is),
		cmocka_unit_test(states_are_named_in_the_words_of_the_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
