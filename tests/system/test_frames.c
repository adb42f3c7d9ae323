/*
 * A peer with a good key and bad manners: frames that are garbage, too large, out of turn. It loses
 * its session and nobody else notices.
 */
#include "support/peer.h"

#include <stdlib.h>
#include <string.h>
#include <ttg/proto/session.pb-c.h>
#include <zmq.h>
#include "support/http.h"
#include "support/wait.h"

#define KEY_LINE 64
#define RECEIVE_MS 10000

/* A bare DEALER with the police's key. */
struct raw {
	void *context, *dealer;
};

static void read_line(const struct stage *stage, const char *name, int line, char out[KEY_LINE])
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "%s", name);
	char *text = must_read_file(path, NULL), *at = text;
	for (int i = 0; i < line && at; i++) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	must_be(at != NULL, "no key");
	snprintf(out, KEY_LINE, "%.*s", (int)strcspn(at, "\n"), at);
	free(text);
}

static struct raw must_connect_raw(const struct stage *stage)
{
	char server[KEY_LINE], public[KEY_LINE], secret[KEY_LINE];
	struct raw raw = { .context = zmq_ctx_new() };
	int zero = 0, patience = RECEIVE_MS;

	read_line(stage, "keys/broker.pub", 1, server);
	read_line(stage, "keys/police.key", 1, public);
	read_line(stage, "keys/police.key", 2, secret);
	raw.dealer = zmq_socket(raw.context, ZMQ_DEALER);
	must_be(zmq_setsockopt(raw.dealer, ZMQ_CURVE_SERVERKEY, server, 41) == 0 &&
			zmq_setsockopt(raw.dealer, ZMQ_CURVE_PUBLICKEY, public, 41) == 0 &&
			zmq_setsockopt(raw.dealer, ZMQ_CURVE_SECRETKEY, secret, 41) == 0,
		"key options");
	zmq_setsockopt(raw.dealer, ZMQ_LINGER, &zero, sizeof(zero));
	zmq_setsockopt(raw.dealer, ZMQ_RCVTIMEO, &patience, sizeof(patience));
	must_be(zmq_connect(raw.dealer, stage->endpoint) == 0, "connect");
	return raw;
}

static void raw_close(struct raw *raw)
{
	zmq_close(raw->dealer);
	zmq_ctx_term(raw->context);
}

static void must_say(struct raw *raw, const Ttg__Frame *frame)
{
	uint8_t bytes[4096];
	size_t len = ttg__frame__get_packed_size(frame);

	must_be(len <= sizeof(bytes), "frame too long");
	ttg__frame__pack(frame, bytes);
	must_be(zmq_send(raw->dealer, bytes, len, 0) == (int)len, "send");
}

/* Next frame that is no heartbeat. */
static Ttg__Frame *must_hear(struct raw *raw)
{
	static uint8_t bytes[1 << 20];
	Ttg__Frame *frame = NULL;

	for (;;) {
		int len = zmq_recv(raw->dealer, bytes, sizeof(bytes), 0);

		must_be(len >= 0, "no answer");
		frame = ttg__frame__unpack(NULL, (size_t)len, bytes);
		must_be(frame != NULL, "the broker sent garbage");
		if (frame->body_case != TTG__FRAME__BODY_HEARTBEAT)
			return frame;
		ttg__frame__free_unpacked(frame, NULL);
	}
}

static void must_greet(struct raw *raw)
{
	Ttg__Hello hello = TTG__HELLO__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	hello.version = 1;
	hello.session = 4711;
	hello.software = (char *)(uintptr_t)"raw/1";
	frame.body_case = TTG__FRAME__BODY_HELLO;
	frame.hello = &hello;
	must_say(raw, &frame);
	Ttg__Frame *answer = must_hear(raw);
	must_be(answer->body_case == TTG__FRAME__BODY_WELCOME, "no Welcome");
	assert_int_equal(answer->welcome->session, 4711);
	assert_string_equal(answer->welcome->agency, "police");
	ttg__frame__free_unpacked(answer, NULL);
}

/* The answer is an Error with this code that ends the session. */
static void must_be_shown_out(struct raw *raw, enum ttg_error code)
{
	Ttg__Frame *answer = must_hear(raw);

	must_be(answer->body_case == TTG__FRAME__BODY_ERROR, "no Error");
	assert_int_equal(answer->error->code, code);
	assert_true(answer->error->fatal);
	assert_true(strlen(answer->error->text) > 0);
	ttg__frame__free_unpacked(answer, NULL);
}

/* A well-behaved prison beside it works as before. */
static void others_do_not_notice(struct stage *stage, struct peer *prison)
{
	must_accept(stage, prison, &(struct made_wish){ 0 });
	assert_int_equal(ttg_client_state(prison->client), TTG_STATE_READY);
}

static void a_frame_of_garbage_ends_the_session_and_no_other(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_be_ready(stage, prison);
	struct raw raw = must_connect_raw(stage);
	must_greet(&raw);
	must_be(zmq_send(raw.dealer, "\xff\xff\xff\xff\xff", 5, 0) == 5, "send");
	must_be_shown_out(&raw, TTG_SESSION_FRAME);
	must_reach_metric(stage->http_port, "ttgd_frames_bad_total", 1);
	must_see(stage, "ttgd.err", "session_broken agency=police");
	must_greet(&raw); /* it may try again */
	others_do_not_notice(stage, prison);
	raw_close(&raw);
	must_have_passed(stage);
}

static void a_frame_before_hello_is_answered_with_say_hello_first(void **state)
{
	struct stage *stage = *state;
	Ttg__Heartbeat heartbeat = TTG__HEARTBEAT__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	must_start_broker(stage);
	struct raw raw = must_connect_raw(stage);
	frame.body_case = TTG__FRAME__BODY_HEARTBEAT;
	frame.heartbeat = &heartbeat;
	must_say(&raw, &frame);
	must_be_shown_out(&raw, TTG_SESSION_NONE);
	raw_close(&raw);
	must_have_passed(stage);
}

static void a_version_the_broker_does_not_speak_is_refused(void **state)
{
	struct stage *stage = *state;
	Ttg__Hello hello = TTG__HELLO__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	must_start_broker(stage);
	struct raw raw = must_connect_raw(stage);
	hello.version = 99;
	frame.body_case = TTG__FRAME__BODY_HELLO;
	frame.hello = &hello;
	must_say(&raw, &frame);
	must_be_shown_out(&raw, TTG_SESSION_VERSION);
	raw_close(&raw);
	must_have_passed(stage);
}

static void a_frame_only_the_broker_may_send_ends_the_session(void **state)
{
	struct stage *stage = *state;
	Ttg__Published published = TTG__PUBLISHED__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	must_start_broker(stage);
	struct raw raw = must_connect_raw(stage);
	must_greet(&raw);
	frame.body_case = TTG__FRAME__BODY_PUBLISHED;
	frame.published = &published;
	must_say(&raw, &frame);
	must_be_shown_out(&raw, TTG_SESSION_FRAME);
	raw_close(&raw);
	must_have_passed(stage);
}

static void a_publish_out_of_number_ends_the_session(void **state)
{
	struct stage *stage = *state;
	Ttg__Publish publish = TTG__PUBLISH__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;
	ProtobufCBinaryData event = { 3, (uint8_t *)(uintptr_t) "abc" };

	must_start_broker(stage);
	struct raw raw = must_connect_raw(stage);
	must_greet(&raw);
	publish.frame = 5;
	publish.n_events = 1;
	publish.events = &event;
	frame.body_case = TTG__FRAME__BODY_PUBLISH;
	frame.publish = &publish;
	must_say(&raw, &frame);
	must_be_shown_out(&raw, TTG_SESSION_FRAME);
	raw_close(&raw);
	must_have_passed(stage);
}

static void an_ack_of_something_never_delivered_is_refused(void **state)
{
	struct stage *stage = *state;
	Ttg__Ack ack = TTG__ACK__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	must_start_broker(stage);
	struct raw raw = must_connect_raw(stage);
	must_greet(&raw);
	ack.handle = 9;
	ack.up_to = 1;
	frame.body_case = TTG__FRAME__BODY_ACK;
	frame.ack = &ack;
	must_say(&raw, &frame);
	Ttg__Frame *answer = must_hear(&raw);
	assert_int_equal(answer->body_case, TTG__FRAME__BODY_ERROR);
	assert_int_equal(answer->error->code, TTG_SESSION_HANDLE);
	ttg__frame__free_unpacked(answer, NULL);
	raw_close(&raw);
	must_have_passed(stage);
}

static void a_message_over_the_frame_limit_is_cut_off_and_others_do_not_notice(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_be_ready(stage, prison);
	struct raw raw = must_connect_raw(stage);
	must_greet(&raw);
	char *huge = calloc(1, 4 << 20);
	must_be(huge != NULL, "no memory");
	zmq_send(raw.dealer, huge, 4 << 20, 0);
	free(huge);
	others_do_not_notice(stage, prison);
	raw_close(&raw);
	must_have_passed(stage);
}

static void random_frames_never_bring_the_broker_down(void **state)
{
	enum { FRAMES = 2000 };
	struct stage *stage = *state;
	const char *text = getenv("TTG_SEED");
	unsigned seed = text ? (unsigned)strtoul(text, NULL, 10) : (unsigned)made_now_ns();
	uint8_t bytes[200];

	print_message("TTG_SEED=%u\n", seed);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_be_ready(stage, prison);
	struct raw raw = must_connect_raw(stage);
	for (int i = 0; i < FRAMES; i++) {
		size_t len = (size_t)rand_r(&seed) % sizeof(bytes);

		for (size_t j = 0; j < len; j++)
			bytes[j] = (uint8_t)rand_r(&seed);
		if (len > 2 && i % 2) { /* often a frame that begins well */
			bytes[0] = (uint8_t)((1 + rand_r(&seed) % 15) << 3 | 2);
			bytes[1] = (uint8_t)(len - 2) & 0x7f;
		}
		zmq_send(raw.dealer, bytes, len, 0);
		if (i % 20 == 0)
			zmq_send(raw.dealer, "\x0a\x02\x08\x01", 4, 0); /* Hello */
	}
	must_reach_metric(stage->http_port, "ttgd_frames_bad_total", FRAMES / 4);
	must_accept(stage, prison, &(struct made_wish){ 0 });
	raw_close(&raw);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_frame_of_garbage_ends_the_session_and_no_other),
		STAGE_TEST(a_frame_before_hello_is_answered_with_say_hello_first),
		STAGE_TEST(a_version_the_broker_does_not_speak_is_refused),
		STAGE_TEST(a_frame_only_the_broker_may_send_ends_the_session),
		STAGE_TEST(a_publish_out_of_number_ends_the_session),
		STAGE_TEST(an_ack_of_something_never_delivered_is_refused),
		STAGE_TEST(a_message_over_the_frame_limit_is_cut_off_and_others_do_not_notice),
		STAGE_TEST(random_frames_never_bring_the_broker_down),
	};

	return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
