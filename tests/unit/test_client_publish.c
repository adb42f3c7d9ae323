/*
 * Publishing with libttg against a broker that the test plays: batches, window, answers, resending,
 * with and without an outbox.
 */
#include "unit.h"

#include <string.h>
#include "support/fake_broker.h"

static int set_up(void **state)
{
	*state = scene_new();
	return 0;
}

static int tear_down(void **state)
{
	scene_free((struct scene **)state);
	return 0;
}

static bool nothing_is_pending(const struct scene *scene)
{
	return ttg_client_pending(scene->client) == 0;
}

static void publish_some(struct scene *scene, uintptr_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(scene_publish(scene, first + i, 20), TTG_OK);
}

static void use_outbox(struct scene *scene, char path[128])
{
	snprintf(path, 128, "%s/outbox", scene->dir);
	scene->options.outbox_dir = path;
}

/* Answers a Publish: one letter for each event: a accepted, d duplicate, x refused, r later, o out of
   order in the life of a referral. */
static void answer(struct scene *scene, const Ttg__Frame *publish, const char *letters)
{
	Ttg__Published published = TTG__PUBLISHED__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;
	Ttg__Outcome others[16], *pointers[16];
	uint64_t sequences[16] = { 0 };

	assert_int_equal(publish->publish->n_events, strlen(letters));
	for (uint32_t i = 0; letters[i]; i++) {
		if (letters[i] == 'a') {
			sequences[i] = 100 + i;
			continue;
		}
		Ttg__Outcome *other = &others[published.n_others];
		*other = (Ttg__Outcome)TTG__OUTCOME__INIT;
		other->index = i;
		other->sequence = letters[i] == 'd' ? 7 : 0;
		other->code = letters[i] == 'd' ? 0 :
			      letters[i] == 'x' ? TTG_REFUSED_FIELD :
			      letters[i] == 'o' ? TTG_REFUSED_REFERRAL : TTG_REFUSED_BUSY;
		pointers[published.n_others++] = other;
	}
	published.frame = publish->publish->frame;
	published.n_sequences = strlen(letters);
	published.sequences = sequences;
	published.others = pointers;
	frame.body_case = TTG__FRAME__BODY_PUBLISHED;
	frame.published = &published;
	scene_send(scene, &frame);
}

/* The Publish must carry events of these tags. */
static Ttg__Frame *expect_publish(struct scene *scene, uintptr_t first, size_t n)
{
	Ttg__Frame *frame = scene_expect(scene, TTG__FRAME__BODY_PUBLISH);

	assert_int_equal(frame->publish->n_events, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(frame->publish->events[i].data[0], (first + i) % 128 + 1);
	return frame;
}

static void answer_next(struct scene *scene, uintptr_t first, const char *letters)
{
	Ttg__Frame *frame = expect_publish(scene, first, strlen(letters));

	answer(scene, frame, letters);
	ttg__frame__free_unpacked(frame, NULL);
}

static void each_event_gets_its_own_outcome(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	publish_some(scene, 1, 4);
	answer_next(scene, 1, "adxa");
	scene_until(scene, nothing_is_pending);
	assert_int_equal(scene->n_outcomes, 4);
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(scene->outcomes[i].tag, i + 1);
	assert_int_equal(scene->outcomes[0].sequence, 100);
	assert_true(scene->outcomes[1].duplicate);
	assert_int_equal(scene->outcomes[1].sequence, 7);
	assert_int_equal(scene->outcomes[2].code, TTG_REFUSED_FIELD);
	assert_int_equal(scene->outcomes[2].sequence, 0);
	assert_int_equal(scene->outcomes[3].sequence, 103);
}

static void what_queues_behind_a_full_window_goes_as_one_frame(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	publish_some(scene, 1, 1);
	Ttg__Frame *first = expect_publish(scene, 1, 1);
	publish_some(scene, 2, 1);
	Ttg__Frame *second = expect_publish(scene, 2, 1);
	publish_some(scene, 3, 10);
	scene_expect_silence(scene);
	answer(scene, first, "a");
	answer_next(scene, 3, "aaaaaaaaaa");
	answer(scene, second, "a");
	scene_until(scene, nothing_is_pending);
	assert_int_equal(scene->n_outcomes, 12);
	ttg__frame__free_unpacked(first, NULL);
	ttg__frame__free_unpacked(second, NULL);
}

static void frames_keep_to_the_limits_of_welcome(void **state)
{
	struct scene *scene = *state;
	size_t seen = 0;

	scene->welcome.max_frame_bytes = 4096;
	scene->welcome.max_events_per_publish = 5;
	scene->welcome.publish_window = 100;
	scene_begin(scene);
	publish_some(scene, 1, 12);
	for (uintptr_t i = 13; i < 17; i++)
		assert_int_equal(scene_publish(scene, i, 3000), TTG_OK);
	while (seen < 16) {
		Ttg__Frame *frame = scene_expect(scene, TTG__FRAME__BODY_PUBLISH);

		assert_true(frame->publish->n_events <= 5);
		assert_true(ttg__frame__get_packed_size(frame) <= 4096);
		assert_int_equal(frame->publish->events[0].data[0], seen + 2);
		seen += frame->publish->n_events;
		ttg__frame__free_unpacked(frame, NULL);
	}
	assert_int_equal(seen, 16);
}

static void a_full_queue_asks_to_try_again(void **state)
{
	struct scene *scene = *state;

	scene->options.max_pending = 3;
	scene_begin(scene);
	publish_some(scene, 1, 3);
	assert_int_equal(scene_publish(scene, 4, 20), TTG_EAGAIN);
	assert_int_equal(scene_accept(scene, 1), 3);
	scene_until(scene, nothing_is_pending);
	assert_int_equal(scene_publish(scene, 4, 20), TTG_OK);
}

static void an_event_longer_than_the_broker_takes_is_refused_here(void **state)
{
	struct scene *scene = *state;

	scene->welcome.max_event_bytes = 100;
	scene_begin(scene);
	assert_int_equal(scene_publish(scene, 1, 101), TTG_ELIMIT);
	assert_int_equal(scene_publish(scene, 1, 100), TTG_OK);
	assert_int_equal(ttg_client_publish(scene->client, NULL, (const uint8_t *)"x", 1, NULL),
			 TTG_EINVAL);
}

static void an_event_queued_before_the_limit_was_known_is_concluded_here(void **state)
{
	struct scene *scene = *state;

	scene->welcome.max_event_bytes = 100;
	scene_connect(scene);
	publish_some(scene, 1, 1);
	assert_int_equal(scene_publish(scene, 2, 5000), TTG_OK);
	publish_some(scene, 3, 1);
	scene_welcome(scene);
	assert_int_equal(scene_accept(scene, 1), 1);
	assert_int_equal(scene_accept(scene, 2), 1);
	scene_until(scene, nothing_is_pending);
	assert_int_equal(scene->n_outcomes, 3);
	for (size_t i = 0; i < 3; i++)
		if (scene->outcomes[i].tag == 2)
			assert_int_equal(scene->outcomes[i].code, TTG_REFUSED_TOO_LARGE);
		else
			assert_int_equal(scene->outcomes[i].code, TTG_OK);
}

static void unanswered_events_are_sent_again_in_order_after_a_loss(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	publish_some(scene, 1, 3);
	ttg__frame__free_unpacked(expect_publish(scene, 1, 3), NULL);
	publish_some(scene, 4, 2);
	ttg__frame__free_unpacked(expect_publish(scene, 4, 2), NULL);
	scene_broker_stop(scene);
	scene_broker_start(scene);
	scene_welcome(scene);
	answer_next(scene, 1, "dddaa");
	scene_until(scene, nothing_is_pending);
	assert_int_equal(scene->n_outcomes, 5);
	assert_true(scene->outcomes[0].duplicate);
	assert_false(scene->outcomes[4].duplicate);
}

static void what_is_to_be_tried_later_holds_back_all_that_follows(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	publish_some(scene, 1, 4);
	answer_next(scene, 1, "arrr");
	answer_next(scene, 2, "r");
	publish_some(scene, 5, 2);
	answer_next(scene, 2, "a");
	answer_next(scene, 3, "aa");
	answer_next(scene, 5, "aa");
	scene_until(scene, nothing_is_pending);
	assert_int_equal(scene->n_outcomes, 6);
	for (uintptr_t i = 0; i < 6; i++)
		assert_int_equal(scene->outcomes[i].tag, i + 1);
	assert_int_equal(scene->last_code, TTG_REFUSED_BUSY);
}

static void what_is_out_of_order_behind_what_is_tried_later_is_tried_too(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	publish_some(scene, 1, 3);
	Ttg__Frame *first = expect_publish(scene, 1, 3);
	publish_some(scene, 4, 1);
	Ttg__Frame *second = expect_publish(scene, 4, 1);
	answer(scene, first, "oro"); /* nothing is before the first of them */
	answer(scene, second, "o");
	answer_next(scene, 2, "a");
	answer_next(scene, 3, "ao");
	scene_until(scene, nothing_is_pending);
	assert_int_equal(scene->n_outcomes, 4);
	for (uintptr_t i = 0; i < 4; i++) {
		assert_int_equal(scene->outcomes[i].tag, i + 1);
		assert_int_equal(scene->outcomes[i].code, i % 3 == 0 ? TTG_REFUSED_REFERRAL : TTG_OK);
	}
	ttg__frame__free_unpacked(first, NULL);
	ttg__frame__free_unpacked(second, NULL);
}

static bool three_were_accepted(const struct scene *scene)
{
	return scene->n_outcomes == 3;
}

static void an_event_left_behind_answered_ones_is_concluded_when_the_limit_falls(void **state)
{
	struct scene *scene = *state;

	scene->welcome.max_events_per_publish = 2;
	scene_begin(scene);
	assert_int_equal(scene_publish(scene, 1, 50), TTG_OK);
	publish_some(scene, 2, 3);
	answer_next(scene, 1, "ra");
	answer_next(scene, 3, "aa");
	scene_until(scene, three_were_accepted); /* the first waits to be tried again */
	scene_broker_stop(scene);
	scene->welcome.max_event_bytes = 30;
	scene_broker_start(scene);
	scene_welcome(scene);
	scene_until(scene, nothing_is_pending);
	assert_int_equal(scene->n_outcomes, 4);
	assert_int_equal(scene->outcomes[3].tag, 1);
	assert_int_equal(scene->outcomes[3].code, TTG_REFUSED_TOO_LARGE);
	publish_some(scene, 5, 1);
	answer_next(scene, 5, "a");
	scene_until(scene, nothing_is_pending);
}

/* Each of these is an answer that no broker may give; the event is sent again in a new session. */
static void must_not_be_believed(struct scene *scene, Ttg__Published *published)
{
	Ttg__Frame frame = TTG__FRAME__INIT;

	scene_begin(scene);
	publish_some(scene, 1, 2);
	ttg__frame__free_unpacked(expect_publish(scene, 1, 2), NULL);
	frame.body_case = TTG__FRAME__BODY_PUBLISHED;
	frame.published = published;
	scene_send(scene, &frame);
	scene_welcome(scene);
	assert_int_equal(scene->n_outcomes, 0);
	assert_int_equal(ttg_client_pending(scene->client), 2);
	assert_int_equal(scene_accept(scene, 1), 2);
	scene_until(scene, nothing_is_pending);
}

static void an_answer_to_another_frame_is_not_believed(void **state)
{
	Ttg__Published published = TTG__PUBLISHED__INIT;
	uint64_t sequences[2] = { 1, 2 };

	published.frame = 9;
	published.n_sequences = 2;
	published.sequences = sequences;
	must_not_be_believed(*state, &published);
}

static void an_answer_of_the_wrong_length_is_not_believed(void **state)
{
	Ttg__Published published = TTG__PUBLISHED__INIT;
	uint64_t sequences[3] = { 1, 2, 3 };

	published.frame = 1;
	published.n_sequences = 3;
	published.sequences = sequences;
	must_not_be_believed(*state, &published);
}

static void an_answer_that_contradicts_itself_is_not_believed(void **state)
{
	Ttg__Published published = TTG__PUBLISHED__INIT;
	Ttg__Outcome other = TTG__OUTCOME__INIT, *others[1] = { &other };
	uint64_t sequences[2] = { 1, 0 };

	other.index = 0; /* accepted and refused */
	other.code = TTG_REFUSED_FIELD;
	published.frame = 1;
	published.n_sequences = 2;
	published.sequences = sequences;
	published.n_others = 1;
	published.others = others;
	must_not_be_believed(*state, &published);
}

static void an_answer_about_an_event_beyond_the_frame_is_not_believed(void **state)
{
	Ttg__Published published = TTG__PUBLISHED__INIT;
	Ttg__Outcome other = TTG__OUTCOME__INIT, *others[1] = { &other };
	uint64_t sequences[2] = { 1, 0 };

	other.index = 70000;
	other.code = TTG_REFUSED_FIELD;
	published.frame = 1;
	published.n_sequences = 2;
	published.sequences = sequences;
	published.n_others = 1;
	published.others = others;
	must_not_be_believed(*state, &published);
}

static void answer_some(struct scene *scene, uintptr_t first, size_t n)
{
	Ttg__Frame *frame = expect_publish(scene, first, n);
	Ttg__Published published = TTG__PUBLISHED__INIT;
	Ttg__Frame reply = TTG__FRAME__INIT;
	uint64_t sequences[64];

	for (size_t i = 0; i < n; i++)
		sequences[i] = first + i;
	published.frame = frame->publish->frame;
	published.n_sequences = n;
	published.sequences = sequences;
	reply.body_case = TTG__FRAME__BODY_PUBLISHED;
	reply.published = &published;
	scene_send(scene, &reply);
	ttg__frame__free_unpacked(frame, NULL);
}

static void an_outbox_outlives_its_process_and_is_sent_in_order(void **state)
{
	struct scene *scene = *state;
	char path[128];

	use_outbox(scene, path);
	scene_broker_stop(scene);
	scene_connect(scene);
	publish_some(scene, 1, 50);
	scene_disconnect(scene);
	scene_broker_start(scene);
	scene_begin(scene);
	assert_int_equal(ttg_client_pending(scene->client), 50);
	publish_some(scene, 51, 1);
	answer_some(scene, 1, 50);
	answer_some(scene, 51, 1);
	scene_until(scene, nothing_is_pending);
	assert_int_equal(scene->outcomes[0].tag, 0);
	assert_int_equal(scene->outcomes[50].tag, 51);
}

static void an_outbox_takes_more_than_memory_holds(void **state)
{
	struct scene *scene = *state;
	char path[128];
	size_t seen = 0;

	use_outbox(scene, path);
	scene->options.max_pending = 10;
	scene_connect(scene);
	publish_some(scene, 1, 120);
	scene_welcome(scene);
	while (seen < 120)
		seen += scene_accept(scene, seen + 1);
	scene_until(scene, nothing_is_pending);
	assert_int_equal(scene->n_outcomes, 120);
	for (uintptr_t i = 0; i < 120; i++)
		assert_int_equal(scene->outcomes[i].tag, i + 1);
}

static void an_accepted_event_is_not_sent_by_the_next_process(void **state)
{
	struct scene *scene = *state;
	char path[128];

	use_outbox(scene, path);
	scene_begin(scene);
	publish_some(scene, 1, 5);
	answer_next(scene, 1, "aaadd");
	scene_until(scene, nothing_is_pending);
	scene_disconnect(scene);
	scene_begin(scene);
	assert_int_equal(ttg_client_pending(scene->client), 0);
	scene_expect_silence(scene);
}

static void a_refused_event_is_put_aside_with_its_reason(void **state)
{
	struct scene *scene = *state;
	char path[128], kept[256], line[64];

	use_outbox(scene, path);
	scene_begin(scene);
	publish_some(scene, 1, 2);
	answer_next(scene, 1, "xa");
	scene_until(scene, nothing_is_pending);
	snprintf(kept, sizeof(kept), "%s/refused/01000000-0000-0000-0000-000000000000.event",
		 path);
	FILE *file = fopen(kept, "r");
	assert_non_null(file);
	assert_int_equal(fread(line, 1, sizeof(line), file), 20);
	assert_int_equal(line[0], 2);
	fclose(file);
	snprintf(kept, sizeof(kept), "%s/refused/01000000-0000-0000-0000-000000000000.reason",
		 path);
	file = fopen(kept, "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	assert_string_equal(line, "code=102 name=refused_field\n");
	fclose(file);
}

static void closing_waits_for_the_last_answer(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	publish_some(scene, 1, 2);
	ttg_client_close_begin(scene->client);
	answer_next(scene, 1, "aa");
	ttg__frame__free_unpacked(scene_expect(scene, TTG__FRAME__BODY_GOODBYE), NULL);
	assert_int_equal(scene->n_outcomes, 2);
}

static void the_descriptor_is_readable_when_there_is_something_to_do(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	publish_some(scene, 1, 1);
	assert_true(scene_readable(scene));
	assert_int_equal(ttg_client_poll(scene->client, 0), TTG_OK);
	assert_int_equal(scene_accept(scene, 1), 1);
	scene_until(scene, nothing_is_pending);
	while (scene_readable(scene))
		scene_turn(scene);
	assert_int_equal(scene->n_outcomes, 1);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(each_event_gets_its_own_outcome),
		SCENE_TEST(what_queues_behind_a_full_window_goes_as_one_frame),
		SCENE_TEST(frames_keep_to_the_limits_of_welcome),
		SCENE_TEST(a_full_queue_asks_to_try_again),
		SCENE_TEST(an_event_longer_than_the_broker_takes_is_refused_here),
		SCENE_TEST(an_event_queued_before_the_limit_was_known_is_concluded_here),
		SCENE_TEST(unanswered_events_are_sent_again_in_order_after_a_loss),
		SCENE_TEST(what_is_out_of_order_behind_what_is_tried_later_is_tried_too),
		SCENE_TEST(what_is_to_be_tried_later_holds_back_all_that_follows),
		SCENE_TEST(an_event_left_behind_answered_ones_is_concluded_when_the_limit_falls),
		SCENE_TEST(an_answer_to_another_frame_is_not_believed),
		SCENE_TEST(an_answer_of_the_wrong_length_is_not_believed),
		SCENE_TEST(an_answer_that_contradicts_itself_is_not_believed),
		SCENE_TEST(an_answer_about_an_event_beyond_the_frame_is_not_believed),
		SCENE_TEST(an_outbox_outlives_its_process_and_is_sent_in_order),
		SCENE_TEST(an_outbox_takes_more_than_memory_holds),
		SCENE_TEST(an_accepted_event_is_not_sent_by_the_next_process),
		SCENE_TEST(a_refused_event_is_put_aside_with_its_reason),
		SCENE_TEST(closing_waits_for_the_last_answer),
		SCENE_TEST(the_descriptor_is_readable_when_there_is_something_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
