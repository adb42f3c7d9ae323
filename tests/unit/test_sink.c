/*
 * What the daemon does when the socket takes no more of a peer's frames. zmq_send() is this test's:
 * libzmq's own queues are far too long to fill.
 */
#include "unit.h"

#include <errno.h>
#include <zmq.h>

#include "net/net.h"

static struct {
	bool full;
	size_t frames; /* taken */
} peer;

int zmq_send(void *socket, const void *bytes, size_t len, int flags)
{
	(void)socket;
	(void)bytes;
	if (peer.full) {
		errno = EAGAIN;
		return -1;
	}
	peer.frames += (flags & ZMQ_SNDMORE) == 0;
	return (int)len;
}

static void deliver(const struct core_sink *sink, uint64_t consumer, uint64_t position)
{
	static const uint8_t event[] = "an event";
	static const char *const agreements[] = { "always" };
	const struct core_delivery delivery = { .position = position,
						.sequence = position,
						.attempt = 1,
						.event = event,
						.event_bytes = sizeof event,
						.agreements = agreements,
						.n_agreements = 1 };
	assert_true(sink->deliver(sink->self, consumer, &delivery));
}

static void the_last_deliveries_leave_when_a_full_socket_has_room_again(void **state)
{
	(void)state;
	static const uint8_t routing[] = { 0, 1, 2, 3, 4 };
	struct config config = { .max_frame_bytes = 64 * 1024 };
	struct net *net = calloc(1, sizeof *net);
	assert_non_null(net);
	net->world = world_real();
	net->config = &config;
	struct core_sink sink;
	net_sink_init(net, &sink);
	struct session *session =
		session_add(&net->sessions, routing, sizeof routing, "police", "key", 0);
	assert_non_null(session);
	const uint64_t first = session_consumer_id(session, 1);
	const uint64_t second = session_consumer_id(session, 2);
	assert_non_null(session_add_consumer(session, 1, "police/in"));
	assert_non_null(session_add_consumer(session, 2, "police/desk"));

	peer.full = true;
	deliver(&sink, first, 1);
	sink.flush(sink.self, first);
	deliver(&sink, second, 1);
	sink.flush(sink.self, second);
	net_release(net, 0);
	assert_int_equal(peer.frames, 0);

	peer.full = false;
	net_release(net, 0); /* nothing more is delivered: the loop alone offers them again */
	assert_int_equal(peer.frames, 2);
	net_release(net, 0);
	assert_int_equal(peer.frames, 2);

	sessions_clear(&net->sessions);
	free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_deliveries_leave_when_a_full_socket_has_room_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
