/*
 * libttg against a broker that the test plays: greeting, loss, return, bad brokers.
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

static bool has_two_hellos(const struct scene *scene)
{
	return scene->hellos >= 2;
}

static void must_greet_again(struct scene *scene)
{
	int turns = 0;

	while (!has_two_hellos(scene) && turns++ < 10000) {
		Ttg__Frame *frame = scene_take(scene);

		if (frame)
			ttg__frame__free_unpacked(frame, NULL);
		scene_turn(scene);
	}
	assert_true(has_two_hellos(scene));
}

static void a_client_is_ready_after_welcome(void **state)
{
	struct scene *scene = *state;

	scene_connect(scene);
	assert_int_equal(ttg_client_state(scene->client), TTG_STATE_CONNECTING);
	scene_welcome(scene);
	assert_int_equal(ttg_client_state(scene->client), TTG_STATE_READY);
	assert_int_equal(scene->last_code, TTG_OK);
}

static void a_broker_that_comes_late_is_found(void **state)
{
	struct scene *scene = *state;

	scene_broker_stop(scene);
	scene_connect(scene);
	scene_idle(scene, 50);
	assert_int_equal(ttg_client_state(scene->client), TTG_STATE_CONNECTING);
	assert_int_equal(scene->last_code, TTG_ECLOSED);
	scene_broker_start(scene);
	scene_welcome(scene);
}

static void a_lost_connection_is_made_again_with_another_session(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	uint64_t first = scene->session;
	scene_broker_stop(scene);
	scene_broker_start(scene);
	scene_welcome(scene);
	assert_true(scene->session != first);
	assert_int_equal(scene->hellos, 2);
}

static void a_silent_broker_is_left_after_three_heartbeats(void **state)
{
	struct scene *scene = *state;

	scene->welcome.heartbeat_ms = 20;
	scene_begin(scene);
	must_greet_again(scene);
}

static void a_client_with_nothing_to_say_sends_heartbeats(void **state)
{
	struct scene *scene = *state;
	Ttg__Heartbeat heartbeat = TTG__HEARTBEAT__INIT;
	Ttg__Frame answer = TTG__FRAME__INIT;
	int heard = 0;

	scene->welcome.heartbeat_ms = 200;
	scene_begin(scene);
	answer.body_case = TTG__FRAME__BODY_HEARTBEAT;
	answer.heartbeat = &heartbeat;
	for (int turns = 0; heard < 4 && turns < 10000; turns++) {
		Ttg__Frame *frame = scene_take(scene);

		if (frame) {
			assert_int_equal(frame->body_case, TTG__FRAME__BODY_HEARTBEAT);
			ttg__frame__free_unpacked(frame, NULL);
			scene_send(scene, &answer);
			heard++;
		}
		scene_turn(scene);
	}
	assert_int_equal(heard, 4);
	assert_int_equal(scene->hellos, 1);
}

static bool was_denied(const struct scene *scene)
{
	return scene->last_code == TTG_SESSION_REVOKED;
}

static void a_refused_key_is_told_and_tried_again(void **state)
{
	struct scene *scene = *state;

	scene->deny = true;
	scene_connect(scene);
	scene_until(scene, was_denied);
	assert_int_equal(scene->hellos, 0);
	scene->deny = false;
	scene_welcome(scene);
}

static void a_broker_with_another_key_is_never_ready(void **state)
{
	struct scene *scene = *state;
	char path[192];

	snprintf(path, sizeof(path), "%s/stranger.pub", scene->dir);
	free((char *)(uintptr_t)scene->options.server_key_file);
	scene->options.server_key_file = strdup(path);
	scene_connect(scene);
	scene_idle(scene, 100);
	assert_int_equal(scene->hellos, 0);
	assert_int_equal(ttg_client_state(scene->client), TTG_STATE_CONNECTING);
}

static void send_error(struct scene *scene, enum ttg_error code, bool fatal)
{
	Ttg__Error error = TTG__ERROR__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	error.code = (uint32_t)code;
	error.text = (char *)(uintptr_t)"because\nlevel=error forged";
	error.fatal = fatal;
	frame.body_case = TTG__FRAME__BODY_ERROR;
	frame.error = &error;
	scene_send(scene, &frame);
}

static void an_unknown_session_is_answered_with_a_new_hello(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	send_error(scene, TTG_SESSION_NONE, false);
	scene_welcome(scene);
	assert_int_equal(scene->hellos, 2);
}

static bool is_failed(const struct scene *scene)
{
	return ttg_client_state(scene->client) == TTG_STATE_FAILED;
}

static void a_broker_of_another_version_ends_the_client(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	send_error(scene, TTG_SESSION_VERSION, true);
	scene_until(scene, is_failed);
	assert_int_equal(scene->polled, TTG_ECLOSED);
	assert_int_equal(scene_publish(scene, 1, 10), TTG_ECLOSED);
}

static bool was_revoked(const struct scene *scene)
{
	return scene->last_code == TTG_SESSION_REVOKED;
}

static void a_revoked_key_is_tried_again_and_the_reason_cannot_forge_a_line(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	send_error(scene, TTG_SESSION_REVOKED, true);
	scene_until(scene, was_revoked);
	assert_null(strchr(scene->last_text, '\n'));
	assert_non_null(strstr(scene->last_text, "because?level"));
	scene_welcome(scene);
}

static void a_welcome_for_another_session_is_not_taken(void **state)
{
	struct scene *scene = *state;
	Ttg__Frame frame = TTG__FRAME__INIT;

	scene_connect(scene);
	ttg__frame__free_unpacked(scene_expect(scene, TTG__FRAME__BODY_HELLO), NULL);
	scene->welcome.session = scene->session + 1;
	frame.body_case = TTG__FRAME__BODY_WELCOME;
	frame.welcome = &scene->welcome;
	scene_send(scene, &frame);
	must_greet_again(scene);
	assert_int_equal(ttg_client_state(scene->client), TTG_STATE_CONNECTING);
}

static void a_welcome_with_limits_of_zero_is_not_taken(void **state)
{
	struct scene *scene = *state;
	Ttg__Frame frame = TTG__FRAME__INIT;

	scene_connect(scene);
	ttg__frame__free_unpacked(scene_expect(scene, TTG__FRAME__BODY_HELLO), NULL);
	scene->welcome.session = scene->session;
	scene->welcome.publish_window = 0;
	frame.body_case = TTG__FRAME__BODY_WELCOME;
	frame.welcome = &scene->welcome;
	scene_send(scene, &frame);
	must_greet_again(scene);
	assert_int_equal(ttg_client_state(scene->client), TTG_STATE_CONNECTING);
}

static void a_broker_whose_clock_is_off_is_told(void **state)
{
	struct scene *scene = *state;

	scene->welcome.now_ns = 1;
	scene_begin(scene);
	assert_int_equal(scene->last_code, TTG_REFUSED_TIME);
	assert_non_null(strstr(scene->last_text, "ahead"));
}

static void bytes_that_are_no_frame_end_the_session_only(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	scene_send_bytes(scene, "\xff\xff\xff\xff", 4);
	scene_welcome(scene);
	assert_int_equal(scene->hellos, 2);
}

static void random_bytes_from_a_broker_do_no_harm(void **state)
{
	struct scene *scene = *state;
	uint64_t seed = unit_seed("random_bytes_from_a_broker");
	uint8_t bytes[64];

	scene->options.reconnect_max_ms = 5;
	scene_begin(scene);
	for (int round = 0; round < 60; round++) {
		size_t len = 1 + unit_random(&seed) % sizeof(bytes);

		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)unit_random(&seed);
		/* Half of them begin like a frame that a broker sends. */
		if (round % 2)
			bytes[0] = (uint8_t)((1 + unit_random(&seed) % 15) << 3 | 2);
		scene_send_bytes(scene, bytes, len);
		scene_idle(scene, 2);
		if (ttg_client_state(scene->client) == TTG_STATE_CONNECTING)
			scene_welcome(scene);
		else if (ttg_client_state(scene->client) == TTG_STATE_FAILED) {
			scene_disconnect(scene);
			scene_begin(scene);
		}
	}
	assert_int_equal(ttg_client_state(scene->client), TTG_STATE_READY);
}

static void a_frame_that_only_clients_send_ends_the_session(void **state)
{
	struct scene *scene = *state;
	Ttg__Credit credit = TTG__CREDIT__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	scene_begin(scene);
	frame.body_case = TTG__FRAME__BODY_CREDIT;
	frame.credit = &credit;
	scene_send(scene, &frame);
	scene_welcome(scene);
	assert_int_equal(scene->hellos, 2);
}

static bool is_closed(const struct scene *scene)
{
	return ttg_client_closed(scene->client);
}

static void closing_says_goodbye_and_ends_with_the_answer(void **state)
{
	struct scene *scene = *state;
	Ttg__Goodbye goodbye = TTG__GOODBYE__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	scene_begin(scene);
	ttg_client_close_begin(scene->client);
	assert_int_equal(scene_publish(scene, 1, 10), TTG_ECLOSED);
	Ttg__Frame *said = scene_expect(scene, TTG__FRAME__BODY_GOODBYE);
	assert_int_equal(said->goodbye->code, 0);
	ttg__frame__free_unpacked(said, NULL);
	assert_false(ttg_client_closed(scene->client));
	frame.body_case = TTG__FRAME__BODY_GOODBYE;
	frame.goodbye = &goodbye;
	scene_send(scene, &frame);
	scene_until(scene, is_closed);
}

static void closing_without_a_broker_ends_at_once(void **state)
{
	struct scene *scene = *state;

	scene_broker_stop(scene);
	scene_connect(scene);
	ttg_client_close_begin(scene->client);
	scene_until(scene, is_closed);
	assert_int_equal(ttg_client_pending(scene->client), 0);
}

static void wrong_options_are_explained(void **state)
{
	struct scene *scene = *state;
	char message[TTG_MESSAGE_TEXT];

	scene->options.broker = "udp://127.0.0.1:1";
	assert_int_equal(ttg_client_new(&scene->client, &scene->options, message), TTG_EINVAL);
	assert_null(scene->client);
	assert_non_null(strstr(message, "tcp://HOST:PORT"));
	scene->options.broker = scene->endpoint;
	scene->options.reconnect_min_ms = 100;
	assert_int_equal(ttg_client_new(&scene->client, &scene->options, message), TTG_EINVAL);
	assert_non_null(strstr(message, "reconnect"));
	assert_int_equal(ttg_client_new(&scene->client, NULL, NULL), TTG_EINVAL);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_client_is_ready_after_welcome),
		SCENE_TEST(a_broker_that_comes_late_is_found),
		SCENE_TEST(a_lost_connection_is_made_again_with_another_session),
		SCENE_TEST(a_silent_broker_is_left_after_three_heartbeats),
		SCENE_TEST(a_client_with_nothing_to_say_sends_heartbeats),
		SCENE_TEST(a_refused_key_is_told_and_tried_again),
		SCENE_TEST(a_broker_with_another_key_is_never_ready),
		SCENE_TEST(an_unknown_session_is_answered_with_a_new_hello),
		SCENE_TEST(a_broker_of_another_version_ends_the_client),
		SCENE_TEST(a_revoked_key_is_tried_again_and_the_reason_cannot_forge_a_line),
		SCENE_TEST(a_welcome_for_another_session_is_not_taken),
		SCENE_TEST(a_welcome_with_limits_of_zero_is_not_taken),
		SCENE_TEST(a_broker_whose_clock_is_off_is_told),
		SCENE_TEST(bytes_that_are_no_frame_end_the_session_only),
		SCENE_TEST(random_bytes_from_a_broker_do_no_harm),
		SCENE_TEST(a_frame_that_only_clients_send_ends_the_session),
		SCENE_TEST(closing_says_goodbye_and_ends_with_the_answer),
		SCENE_TEST(closing_without_a_broker_ends_at_once),
		SCENE_TEST(wrong_options_are_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
