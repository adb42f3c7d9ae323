/*
 * See fake_broker.h. Belongs to the test's thread. Any failure fails the test at once.
 */
#include "support/fake_broker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>
#include "base/keyfile.h"
#include "base/world.h"

#define DEADLINE_MS 10000
#define SILENCE_MS  60
#define NS_IN_MS    INT64_C(1000000)

static int64_t now_ms(void)
{
	const struct world *world = world_real();

	return world->mono_ns(world->self) / NS_IN_MS;
}

/* Keys and files. */

static void make_pair(struct scene *scene, const char *name, struct key_pair *pair)
{
	char path[192];

	assert_int_equal(zmq_curve_keypair(pair->public_z85, pair->secret_z85), 0);
	snprintf(path, sizeof(path), "%s/%s.key", scene->dir, name);
	assert_int_equal(keyfile_write_secret(path, pair, NULL), TTG_OK);
	snprintf(path, sizeof(path), "%s/%s.pub", scene->dir, name);
	assert_int_equal(keyfile_write_public(path, pair->public_z85, NULL), TTG_OK);
}

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *place)
{
	(void)status;
	(void)flag;
	(void)place;
	return remove(path);
}

/* Broker. */

static void set_number(void *socket, int option, int value)
{
	assert_int_equal(zmq_setsockopt(socket, option, &value, sizeof(value)), 0);
}

static void open_router(struct scene *scene, const char *endpoint)
{
	struct key_pair pair;
	char path[192];
	size_t len = sizeof(scene->endpoint);

	snprintf(path, sizeof(path), "%s/broker.key", scene->dir);
	assert_int_equal(keyfile_read_secret(path, &pair, NULL), TTG_OK);
	scene->router = zmq_socket(scene->context, ZMQ_ROUTER);
	assert_non_null(scene->router);
	set_number(scene->router, ZMQ_LINGER, 0);
	set_number(scene->router, ZMQ_CURVE_SERVER, 1);
	assert_int_equal(zmq_setsockopt(scene->router, ZMQ_CURVE_SECRETKEY, pair.secret_z85,
					KEYFILE_Z85),
			 0);
	assert_int_equal(zmq_setsockopt(scene->router, ZMQ_ZAP_DOMAIN, "test", 4), 0);
	int64_t until_ms = now_ms() + DEADLINE_MS;
	while (zmq_bind(scene->router, endpoint) < 0) {
		/* The port may be held until libzmq's thread has closed the socket before. */
		assert_int_equal(errno, EADDRINUSE);
		assert_true(now_ms() < until_ms);
	}
	assert_int_equal(zmq_getsockopt(scene->router, ZMQ_LAST_ENDPOINT, scene->endpoint, &len),
			 0);
}

void scene_broker_start(struct scene *scene)
{
	open_router(scene, scene->endpoint);
}

void scene_broker_stop(struct scene *scene)
{
	zmq_close(scene->router);
	scene->router = NULL;
	scene->identity_bytes = 0;
}

/* Reads one message of at most `max` parts; returns how many, 0 when there is none. */
static size_t receive_parts(void *socket, zmq_msg_t *parts, size_t max)
{
	size_t n = 0;
	bool more = true;

	while (more) {
		assert_true(n < max);
		zmq_msg_init(&parts[n]);
		if (zmq_msg_recv(&parts[n], socket, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(&parts[n]);
			assert_int_equal(n, 0);
			return 0;
		}
		more = zmq_msg_more(&parts[n]);
		n++;
	}
	return n;
}

static void send_text(void *socket, const char *text, bool more)
{
	assert_true(zmq_send(socket, text, strlen(text), more ? ZMQ_SNDMORE : 0) >= 0);
}

/* ZAP (ZeroMQ RFC 27): version, request id, domain, address, identity, mechanism, key. */
static void answer_zap(struct scene *scene)
{
	zmq_msg_t parts[8];
	size_t n = receive_parts(scene->zap, parts, 8);

	if (n == 0)
		return;
	assert_int_equal(n, 7);
	send_text(scene->zap, "1.0", true);
	assert_true(zmq_send(scene->zap, zmq_msg_data(&parts[1]), zmq_msg_size(&parts[1]),
			     ZMQ_SNDMORE) >= 0);
	send_text(scene->zap, scene->deny ? "400" : "200", true);
	send_text(scene->zap, scene->deny ? "no" : "", true);
	send_text(scene->zap, "", true);
	send_text(scene->zap, "", false);
	for (size_t i = 0; i < n; i++)
		zmq_msg_close(&parts[i]);
}

Ttg__Frame *scene_take(struct scene *scene)
{
	zmq_msg_t parts[4];

	if (!scene->router)
		return NULL;
	size_t n = receive_parts(scene->router, parts, 4);
	if (n == 0)
		return NULL;
	assert_int_equal(n, 2);
	Ttg__Frame *frame = ttg__frame__unpack(NULL, zmq_msg_size(&parts[1]),
					       zmq_msg_data(&parts[1]));
	assert_non_null(frame);
	scene->identity_bytes = zmq_msg_size(&parts[0]);
	assert_true(scene->identity_bytes <= sizeof(scene->identity));
	memcpy(scene->identity, zmq_msg_data(&parts[0]), scene->identity_bytes);
	if (frame->body_case == TTG__FRAME__BODY_HELLO) {
		scene->session = frame->hello->session;
		scene->hellos++;
	}
	zmq_msg_close(&parts[0]);
	zmq_msg_close(&parts[1]);
	return frame;
}

void scene_send_bytes(struct scene *scene, const void *data, size_t len)
{
	assert_true(scene->identity_bytes > 0);
	assert_true(zmq_send(scene->router, scene->identity, scene->identity_bytes,
			     ZMQ_SNDMORE) >= 0);
	assert_true(zmq_send(scene->router, data, len, 0) >= 0);
}

void scene_send(struct scene *scene, const Ttg__Frame *frame)
{
	size_t len = ttg__frame__get_packed_size(frame);
	uint8_t *bytes = malloc(len + 1);

	assert_non_null(bytes);
	ttg__frame__pack(frame, bytes);
	scene_send_bytes(scene, bytes, len);
	free(bytes);
}

/* Client. */

static void note_outcome(void *user, const struct ttg_outcome *outcome)
{
	struct scene *scene = user;

	assert_true(scene->n_outcomes < SCENE_MAX);
	scene->outcomes[scene->n_outcomes++] =
		(struct scene_outcome){ (uintptr_t)outcome->tag, outcome->code,
					outcome->duplicate, outcome->sequence };
}

static void note_delivery(void *user, const struct ttg_delivery *delivery)
{
	struct scene *scene = user;

	assert_true(scene->n_deliveries < SCENE_MAX);
	struct scene_delivery *noted = &scene->deliveries[scene->n_deliveries++];
	noted->position = delivery->position;
	noted->attempt = delivery->attempt;
	snprintf(noted->mailbox, sizeof(noted->mailbox), "%s", delivery->mailbox);
	if (scene->on_delivery)
		scene->on_delivery(scene, delivery);
}

static void note_batch(void *user, const char *mailbox)
{
	struct scene *scene = user;

	assert_non_null(mailbox);
	scene->n_batches++;
}

static void note_state(void *user, enum ttg_state state, enum ttg_error code, const char *text)
{
	struct scene *scene = user;

	(void)state;
	scene->last_code = code;
	scene->n_reports++;
	snprintf(scene->last_text, sizeof(scene->last_text), "%s", text);
}

static void note_attached(void *user, const char *mailbox, bool active, uint64_t acknowledged)
{
	struct scene *scene = user;

	(void)mailbox;
	(void)active;
	(void)acknowledged;
	scene->n_attached++;
}

static char *file_in(const struct scene *scene, const char *name)
{
	char *path = malloc(192);

	assert_non_null(path);
	snprintf(path, 192, "%s/%s", scene->dir, name);
	return path;
}

static void set_defaults(struct scene *scene)
{
	scene->welcome = (Ttg__Welcome)TTG__WELCOME__INIT;
	scene->welcome.version = 1;
	scene->welcome.agency = (char *)(uintptr_t)"agency";
	scene->welcome.broker = (char *)(uintptr_t)"broker";
	scene->welcome.heartbeat_ms = 10000;
	scene->welcome.max_frame_bytes = 1024 * 1024;
	scene->welcome.max_event_bytes = 65536;
	scene->welcome.max_events_per_publish = 100;
	scene->welcome.publish_window = 2;
	scene->welcome.max_credit = 1024;
	scene->options.broker = scene->endpoint;
	scene->options.server_key_file = file_in(scene, "broker.pub");
	scene->options.key_file = file_in(scene, "client.key");
	scene->options.reconnect_min_ms = 5;
	scene->options.reconnect_max_ms = 40;
	scene->options.callbacks = (struct ttg_callbacks){
		.user = scene, .on_outcome = note_outcome, .on_delivery = note_delivery,
		.on_batch = note_batch, .on_state = note_state, .on_attached = note_attached,
	};
}

struct scene *scene_new(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct key_pair pair;

	assert_non_null(scene);
	snprintf(scene->dir, sizeof(scene->dir), "/tmp/ttg-scene-XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	make_pair(scene, "broker", &pair);
	make_pair(scene, "client", &pair);
	make_pair(scene, "stranger", &pair);
	scene->context = zmq_ctx_new();
	assert_non_null(scene->context);
	scene->zap = zmq_socket(scene->context, ZMQ_REP);
	set_number(scene->zap, ZMQ_LINGER, 0);
	assert_int_equal(zmq_bind(scene->zap, "inproc://zeromq.zap.01"), 0);
	open_router(scene, "tcp://127.0.0.1:*");
	set_defaults(scene);
	return scene;
}

void scene_free(struct scene **it)
{
	struct scene *scene = *it;

	ttg_client_free(&scene->client);
	if (scene->router)
		zmq_close(scene->router);
	zmq_close(scene->zap);
	zmq_ctx_term(scene->context);
	free((char *)(uintptr_t)scene->options.server_key_file);
	free((char *)(uintptr_t)scene->options.key_file);
	nftw(scene->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(scene);
	*it = NULL;
}

void scene_connect(struct scene *scene)
{
	char message[TTG_MESSAGE_TEXT];

	enum ttg_error code = ttg_client_new(&scene->client, &scene->options, message);
	if (code != TTG_OK)
		fail_msg("ttg_client_new: %d %s", (int)code, message);
}

void scene_begin(struct scene *scene)
{
	scene_connect(scene);
	scene_welcome(scene);
}

void scene_disconnect(struct scene *scene)
{
	ttg_client_free(&scene->client);
	scene->identity_bytes = 0;
}

/* Both sides. */

void scene_turn(struct scene *scene)
{
	answer_zap(scene);
	if (scene->client)
		scene->polled = ttg_client_poll(scene->client, 1);
}

void scene_until(struct scene *scene, bool (*condition)(const struct scene *scene))
{
	int64_t until_ms = now_ms() + DEADLINE_MS;

	while (!condition(scene)) {
		assert_true(now_ms() < until_ms);
		scene_turn(scene);
	}
}

void scene_idle(struct scene *scene, int ms)
{
	int64_t until_ms = now_ms() + ms;

	while (now_ms() < until_ms)
		scene_turn(scene);
}

static Ttg__Frame *take_until(struct scene *scene, int64_t until_ms)
{
	while (now_ms() < until_ms) {
		Ttg__Frame *frame = scene_take(scene);

		if (frame && frame->body_case != TTG__FRAME__BODY_HEARTBEAT)
			return frame;
		if (frame)
			ttg__frame__free_unpacked(frame, NULL);
		else
			scene_turn(scene);
	}
	return NULL;
}

Ttg__Frame *scene_expect(struct scene *scene, Ttg__Frame__BodyCase kind)
{
	Ttg__Frame *frame = take_until(scene, now_ms() + DEADLINE_MS);

	assert_non_null(frame);
	assert_int_equal(frame->body_case, kind);
	return frame;
}

void scene_expect_silence(struct scene *scene)
{
	Ttg__Frame *frame = take_until(scene, now_ms() + SILENCE_MS);

	if (frame)
		fail_msg("a frame of kind %d came", (int)frame->body_case);
}

static bool is_ready(const struct scene *scene)
{
	return ttg_client_state(scene->client) == TTG_STATE_READY;
}

void scene_welcome(struct scene *scene)
{
	Ttg__Frame *hello = scene_expect(scene, TTG__FRAME__BODY_HELLO);
	Ttg__Frame frame = TTG__FRAME__INIT;

	ttg__frame__free_unpacked(hello, NULL);
	scene->welcome.session = scene->session;
	if (scene->welcome.now_ns == 0)
		scene->welcome.now_ns = world_real()->real_ns(NULL);
	frame.body_case = TTG__FRAME__BODY_WELCOME;
	frame.welcome = &scene->welcome;
	scene_send(scene, &frame);
	scene_until(scene, is_ready);
}

size_t scene_accept(struct scene *scene, uint64_t sequence)
{
	Ttg__Frame *publish = scene_expect(scene, TTG__FRAME__BODY_PUBLISH);
	Ttg__Published published = TTG__PUBLISHED__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;
	size_t n = publish->publish->n_events;
	uint64_t *sequences = calloc(n, sizeof(*sequences));

	assert_non_null(sequences);
	for (size_t i = 0; i < n; i++)
		sequences[i] = sequence + i;
	published.frame = publish->publish->frame;
	published.n_sequences = n;
	published.sequences = sequences;
	frame.body_case = TTG__FRAME__BODY_PUBLISHED;
	frame.published = &published;
	scene_send(scene, &frame);
	free(sequences);
	ttg__frame__free_unpacked(publish, NULL);
	return n;
}

uint32_t scene_attach(struct scene *scene, uint64_t acknowledged)
{
	Ttg__Frame *attach = scene_expect(scene, TTG__FRAME__BODY_ATTACH);
	Ttg__Attached attached = TTG__ATTACHED__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;
	uint32_t credit = attach->attach->credit;

	attached.handle = attach->attach->handle;
	attached.active = true;
	attached.acknowledged = acknowledged;
	frame.body_case = TTG__FRAME__BODY_ATTACHED;
	frame.attached = &attached;
	scene_send(scene, &frame);
	ttg__frame__free_unpacked(attach, NULL);
	return credit;
}

/* Field 1 of an Event, its id, made of the position; enough for a client that does not decode. */
static size_t make_event(uint8_t out[18], uint64_t position)
{
	memset(out, 0, 18);
	out[0] = 0x0a;
	out[1] = 16;
	memcpy(out + 2, &position, sizeof(position));
	return 18;
}

void scene_deliver(struct scene *scene, uint64_t first, size_t n, char person)
{
	Ttg__Delivery deliveries[SCENE_MAX];
	Ttg__Delivery *pointers[SCENE_MAX];
	uint8_t events[SCENE_MAX][18], key[16];
	Ttg__Deliver deliver = TTG__DELIVER__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	assert_true(n <= SCENE_MAX);
	memset(key, person, sizeof(key));
	for (size_t i = 0; i < n; i++) {
		deliveries[i] = (Ttg__Delivery)TTG__DELIVERY__INIT;
		deliveries[i].position = first + i;
		deliveries[i].attempt = 1;
		deliveries[i].event.len = make_event(events[i], first + i);
		deliveries[i].event.data = events[i];
		deliveries[i].person_key.len = person ? sizeof(key) : 0;
		deliveries[i].person_key.data = key;
		pointers[i] = &deliveries[i];
	}
	deliver.handle = 1;
	deliver.n_deliveries = n;
	deliver.deliveries = pointers;
	frame.body_case = TTG__FRAME__BODY_DELIVER;
	frame.deliver = &deliver;
	scene_send(scene, &frame);
}

void scene_nacked(struct scene *scene, uint64_t position)
{
	Ttg__Nacked nacked = TTG__NACKED__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	nacked.handle = 1;
	nacked.position = position;
	frame.body_case = TTG__FRAME__BODY_NACKED;
	frame.nacked = &nacked;
	scene_send(scene, &frame);
}

enum ttg_error scene_publish(struct scene *scene, uintptr_t tag, size_t bytes)
{
	uint8_t id[16] = { 0 };
	uint8_t *event = malloc(bytes);

	assert_non_null(event);
	memset(event, (int)(tag & 0x7f) + 1, bytes);
	memcpy(id, &tag, sizeof(tag));
	enum ttg_error code = ttg_client_publish(scene->client, id, event, bytes, (void *)tag);
	free(event);
	return code;
}

bool scene_readable(const struct scene *scene)
{
	struct pollfd wanted = { .fd = ttg_client_fd(scene->client), .events = POLLIN };

	return poll(&wanted, 1, 0) == 1;
}
