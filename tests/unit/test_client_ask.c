/*
 * Receipts and states with libttg against a broker that the test plays: what comes by itself, what is
 * asked for, what is asked again, and answers that fit no question.
 */
#include "unit.h"

#include <string.h>
#include "support/fake_broker.h"

#define TOLD_MAX 512

/* What the application was told, receipts and states alike. */
static struct {
	uint8_t id[TOLD_MAX];
	enum ttg_error code[TOLD_MAX];
	uint64_t number[TOLD_MAX]; /* of a receipt: bytes of its text; of a state: its sequence */
	size_t n;
} told;

static void note(const uint8_t *id, enum ttg_error code, uint64_t number)
{
	assert_true(told.n < TOLD_MAX);
	told.id[told.n] = id[0];
	told.code[told.n] = code;
	told.number[told.n++] = number;
}

static void note_receipt(void *user, const struct ttg_receipt *receipt)
{
	(void)user;
	assert_non_null(receipt->text);
	note(receipt->id, receipt->code, receipt->text_bytes);
}

static void note_event_state(void *user, const struct ttg_event_state *state)
{
	(void)user;
	assert_true(state->acknowledged <= state->delivered);
	note(state->id, state->code, state->sequence);
}

static int set_up(void **state)
{
	struct scene *scene = scene_new();

	told.n = 0;
	scene->welcome.max_asked = 10;
	scene->options.callbacks.on_receipt = note_receipt;
	scene->options.callbacks.on_event_state = note_event_state;
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	scene_free((struct scene **)state);
	return 0;
}

static void ask_receipts(struct scene *scene, uint8_t first, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t id[16] = { (uint8_t)(first + i) };

		assert_int_equal(ttg_client_ask_receipt(scene->client, id), TTG_OK);
	}
}

static void ask_states(struct scene *scene, uint8_t first, size_t n)
{
	uint8_t ids[64][16] = { { 0 } };

	for (size_t i = 0; i < n; i++)
		ids[i][0] = (uint8_t)(first + i);
	assert_int_equal(ttg_client_ask_states(scene->client, (const uint8_t (*)[16])ids, n), TTG_OK);
}

/* Answers receipts from..to of an ask, or of a Publish: first is the id of the one at index 0. */
static void answer(struct scene *scene, uint64_t frame, uint64_t ask, uint8_t first, uint32_t from,
		   uint32_t to)
{
	Ttg__Receipts receipts = TTG__RECEIPTS__INIT;
	Ttg__Receipt items[64], *pointers[64];
	Ttg__Frame out = TTG__FRAME__INIT;
	uint8_t ids[64][16] = { { 0 } }, text[] = "a receipt";

	for (uint32_t i = from; i <= to; i++) {
		Ttg__Receipt *item = &items[receipts.n_receipts];

		ttg__receipt__init(item);
		ids[i][0] = (uint8_t)(first + i);
		item->index = i;
		item->event = (ProtobufCBinaryData){ 16, ids[i] };
		item->receipt = (ProtobufCBinaryData){ sizeof(text) - 1, text };
		pointers[receipts.n_receipts++] = item;
	}
	receipts.frame = frame;
	receipts.ask = ask;
	receipts.receipts = pointers;
	out.body_case = TTG__FRAME__BODY_RECEIPTS;
	out.receipts = &receipts;
	scene_send(scene, &out);
}

/* A question must come, of so many events; the number of it. */
static uint64_t expect_ask(struct scene *scene, Ttg__Frame__BodyCase kind, uint8_t first, size_t n)
{
	Ttg__Frame *frame = scene_expect(scene, kind);
	const bool receipt = kind == TTG__FRAME__BODY_ASK_RECEIPT;
	const ProtobufCBinaryData *events = receipt ? frame->ask_receipt->events :
						      frame->ask_state->events;
	const uint64_t ask = receipt ? frame->ask_receipt->ask : frame->ask_state->ask;

	assert_int_equal(receipt ? frame->ask_receipt->n_events : frame->ask_state->n_events, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(events[i].len, 16);
		assert_int_equal(events[i].data[0], first + i);
	}
	ttg__frame__free_unpacked(frame, NULL);
	assert_true(ask > 0);
	return ask;
}

static size_t wanted;

static bool all_told(const struct scene *scene)
{
	(void)scene;
	return told.n >= wanted;
}

static void until_told(struct scene *scene, size_t n)
{
	wanted = n;
	scene_until(scene, all_told);
	assert_int_equal(told.n, n);
}

static bool is_lost(const struct scene *scene)
{
	return scene->last_code == TTG_SESSION_FRAME;
}

static void receipts_follow_a_publish_by_themselves(void **state)
{
	struct scene *scene = *state;

	scene->options.want_receipts = true;
	scene_begin(scene);
	assert_int_equal(scene_publish(scene, 7, 20), TTG_OK);
	Ttg__Frame *publish = scene_expect(scene, TTG__FRAME__BODY_PUBLISH);
	assert_true(publish->publish->receipts);
	const uint64_t number = publish->publish->frame;
	ttg__frame__free_unpacked(publish, NULL);
	answer(scene, number, 0, 7, 0, 0);
	until_told(scene, 1);
	assert_int_equal(told.id[0], 7);
	assert_int_equal(told.code[0], TTG_OK);
	assert_int_equal(told.number[0], strlen("a receipt"));
}

static void without_the_wish_none_is_asked_for_and_none_is_taken(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	assert_int_equal(scene_publish(scene, 7, 20), TTG_OK);
	Ttg__Frame *publish = scene_expect(scene, TTG__FRAME__BODY_PUBLISH);
	assert_false(publish->publish->receipts);
	answer(scene, publish->publish->frame, 0, 7, 0, 0);
	ttg__frame__free_unpacked(publish, NULL);
	scene_until(scene, is_lost);
	assert_int_equal(told.n, 0);
}

static void that_no_receipt_will_come_is_told_behind_the_outcome(void **state)
{
	struct scene *scene = *state;
	Ttg__Published published = TTG__PUBLISHED__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;
	uint64_t sequences[] = { 12 };

	scene->options.want_receipts = true;
	scene_begin(scene);
	assert_int_equal(scene_publish(scene, 7, 20), TTG_OK);
	Ttg__Frame *publish = scene_expect(scene, TTG__FRAME__BODY_PUBLISH);
	published.frame = publish->publish->frame;
	published.n_sequences = 1;
	published.sequences = sequences;
	published.receipts = TTG_ASKED_UNSEALED;
	frame.body_case = TTG__FRAME__BODY_PUBLISHED;
	frame.published = &published;
	scene_send(scene, &frame);
	ttg__frame__free_unpacked(publish, NULL);
	until_told(scene, 1);
	assert_int_equal(scene->n_outcomes, 1);
	assert_int_equal(told.code[0], TTG_ASKED_UNSEALED);
}

static void an_older_broker_is_not_asked(void **state)
{
	struct scene *scene = *state;

	scene->welcome.max_asked = 0;
	scene->options.want_receipts = true;
	scene_begin(scene);
	ask_receipts(scene, 1, 2);
	ask_states(scene, 3, 1);
	until_told(scene, 3);
	assert_int_equal(scene_publish(scene, 4, 20), TTG_OK);
	scene_accept(scene, 100);
	until_told(scene, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(told.id[i], i + 1);
		assert_int_equal(told.code[i], TTG_EVERSION);
	}
	scene_expect_silence(scene);
}

static void questions_go_together_and_are_answered_each(void **state)
{
	struct scene *scene = *state;
	Ttg__States states = TTG__STATES__INIT;
	Ttg__State item = TTG__STATE__INIT, *items[] = { &item };
	Ttg__Frame frame = TTG__FRAME__INIT;
	uint8_t id[16] = { 50 };

	scene_begin(scene);
	ask_receipts(scene, 1, 12);
	ask_states(scene, 50, 1);
	const uint64_t first = expect_ask(scene, TTG__FRAME__BODY_ASK_RECEIPT, 1, 10);
	const uint64_t second = expect_ask(scene, TTG__FRAME__BODY_ASK_RECEIPT, 11, 2);
	const uint64_t third = expect_ask(scene, TTG__FRAME__BODY_ASK_STATE, 50, 1);
	answer(scene, 0, second, 11, 0, 1);
	answer(scene, 0, first, 1, 5, 9);
	answer(scene, 0, first, 1, 0, 4);
	until_told(scene, 12);
	states.ask = third;
	states.n_states = 1;
	states.states = items;
	item.event = (ProtobufCBinaryData){ 16, id };
	item.sequence = 77;
	item.delivered = 2;
	item.acknowledged = 1;
	frame.body_case = TTG__FRAME__BODY_STATES;
	frame.states = &states;
	scene_send(scene, &frame);
	until_told(scene, 13);
	assert_int_equal(told.id[12], 50);
	assert_int_equal(told.number[12], 77);
	scene_expect_silence(scene);
}

static void what_is_unanswered_is_asked_again_in_the_next_session(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	ask_receipts(scene, 1, 3);
	const uint64_t before = expect_ask(scene, TTG__FRAME__BODY_ASK_RECEIPT, 1, 3);
	answer(scene, 0, before, 1, 0, 0);
	until_told(scene, 1);
	scene_broker_stop(scene);
	scene_broker_start(scene);
	scene_welcome(scene);
	const uint64_t again = expect_ask(scene, TTG__FRAME__BODY_ASK_RECEIPT, 2, 2);
	answer(scene, 0, again, 2, 0, 1);
	until_told(scene, 3);
}

static void a_code_for_the_whole_question_is_told_for_each(void **state)
{
	struct scene *scene = *state;
	Ttg__States states = TTG__STATES__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	scene_begin(scene);
	ask_states(scene, 1, 3);
	states.ask = expect_ask(scene, TTG__FRAME__BODY_ASK_STATE, 1, 3);
	states.code = TTG_ASKED_NOT_GRANTED;
	frame.body_case = TTG__FRAME__BODY_STATES;
	frame.states = &states;
	scene_send(scene, &frame);
	until_told(scene, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(told.code[i], TTG_ASKED_NOT_GRANTED);
}

/* Another ask's number, another event's id, an event twice: each ends the session, and tells nothing. */
static void an_answer_that_does_not_fit_ends_the_session(void **state)
{
	(void)state;
	for (int wrong = 0; wrong < 3; wrong++) {
		void *mine = NULL;

		set_up(&mine);
		struct scene *scene = mine;
		scene_begin(scene);
		ask_receipts(scene, 1, 2);
		const uint64_t ask = expect_ask(scene, TTG__FRAME__BODY_ASK_RECEIPT, 1, 2);
		if (wrong == 2) {
			answer(scene, 0, ask, 1, 0, 0);
			until_told(scene, 1);
		}
		answer(scene, 0, ask + (wrong == 0), wrong == 1 ? 9 : 1, 0, 0);
		scene_until(scene, is_lost);
		assert_int_equal(told.n, wrong == 2 ? 1 : 0);
		tear_down(&mine);
	}
}

static void questions_are_bounded_and_want_somebody_to_answer_to(void **state)
{
	struct scene *scene = *state;
	static const uint8_t ids[4097][16];

	scene->options.callbacks.on_event_state = NULL;
	scene_connect(scene);
	assert_int_equal(ttg_client_ask_states(scene->client, ids, 1), TTG_EINVAL);
	assert_int_equal(ttg_client_ask_receipt(scene->client, NULL), TTG_EINVAL);
	for (int i = 0; i < 4096; i++)
		assert_int_equal(ttg_client_ask_receipt(scene->client, ids[i]), TTG_OK);
	assert_int_equal(ttg_client_ask_receipt(scene->client, ids[4096]), TTG_EAGAIN);
	scene_disconnect(scene);
	scene->options.want_receipts = true;
	scene->options.callbacks.on_receipt = NULL;
	assert_int_equal(ttg_client_new(&scene->client, &scene->options, NULL), TTG_EINVAL);
}

#define ASK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ASK_TEST(receipts_follow_a_publish_by_themselves),
		ASK_TEST(without_the_wish_none_is_asked_for_and_none_is_taken),
		ASK_TEST(that_no_receipt_will_come_is_told_behind_the_outcome),
		ASK_TEST(an_older_broker_is_not_asked),
		ASK_TEST(questions_go_together_and_are_answered_each),
		ASK_TEST(what_is_unanswered_is_asked_again_in_the_next_session),
		ASK_TEST(a_code_for_the_whole_question_is_told_for_each),
		cmocka_unit_test(an_answer_that_does_not_fit_ends_the_session),
		ASK_TEST(questions_are_bounded_and_want_somebody_to_answer_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
