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

/* One session of two mailboxes. */
struct bed {
	struct config config;
	struct net *net;
	struct core_sink sink;
	struct session *session;
	uint64_t first, second;
};

static bool deliver(const struct bed *bed, uint64_t consumer, uint64_t position)
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
	return bed->sink.deliver(bed->sink.self, consumer, &delivery);
}

static int make_bed(void **state)
{
	static const uint8_t routing[] = { 0, 1, 2, 3, 4 };
	struct bed *bed = calloc(1, sizeof *bed);

	assert_non_null(bed);
	bed->config.max_frame_bytes = 64 * 1024;
	bed->net = calloc(1, sizeof *bed->net);
	assert_non_null(bed->net);
	bed->net->world = world_real();
	bed->net->config = &bed->config;
	net_sink_init(bed->net, &bed->sink);
	bed->session = session_add(&bed->net->sessions, routing, sizeof routing, "police", "key", 0);
	assert_non_null(bed->session);
	bed->first = session_consumer_id(bed->session, 1);
	bed->second = session_consumer_id(bed->session, 2);
	assert_non_null(session_add_consumer(bed->session, 1, "police/in"));
	assert_non_null(session_add_consumer(bed->session, 2, "police/desk"));
	peer.full = false;
	peer.frames = 0;
	*state = bed;
	return 0;
}

static int free_bed(void **state)
{
	struct bed *bed = *state;

	sessions_clear(&bed->net->sessions);
	free(bed->net);
	free(bed);
	return 0;
}

static void the_last_deliveries_leave_when_a_full_socket_has_room_again(void **state)
{
	const struct bed *bed = *state;

	peer.full = true;
	assert_true(deliver(bed, bed->first, 1));
	bed->sink.flush(bed->sink.self, bed->first);
	assert_true(deliver(bed, bed->second, 1));
	bed->sink.flush(bed->sink.self, bed->second);
	net_release(bed->net, 0);
	assert_int_equal(peer.frames, 0);

	peer.full = false;
	net_release(bed->net, 0); /* nothing more is delivered: the loop alone offers them again */
	assert_int_equal(peer.frames, 2);
	net_release(bed->net, 0);
	assert_int_equal(peer.frames, 2);
}

/* It was chosen before consent was taken back: recorded, and not taken by the socket yet. */
static void what_is_retracted_does_not_leave_when_there_is_room_again(void **state)
{
	const struct bed *bed = *state;

	peer.full = true;
	assert_true(deliver(bed, bed->first, 1));
	bed->sink.flush(bed->sink.self, bed->first);
	bed->sink.retracted(bed->sink.self);
	peer.full = false;
	net_release(bed->net, 0);
	assert_false(deliver(bed, bed->first, 2));
	assert_false(deliver(bed, bed->second, 1));
	bed->sink.flush(bed->sink.self, bed->first);
	assert_int_equal(peer.frames, 0);
	assert_true(bed->session->retracted);
}

/* Nor a row that is not recorded yet, as happens when the journal is busy. */
static void nor_does_what_waits_for_its_record(void **state)
{
	const struct bed *bed = *state;

	assert_true(deliver(bed, bed->first, 1));
	bed->sink.retracted(bed->sink.self);
	bed->sink.flush(bed->sink.self, bed->first);
	assert_int_equal(peer.frames, 0);
}

static void who_took_all_stays(void **state)
{
	const struct bed *bed = *state;

	assert_true(deliver(bed, bed->first, 1));
	bed->sink.flush(bed->sink.self, bed->first);
	bed->sink.retracted(bed->sink.self);
	assert_false(bed->session->retracted);
	assert_true(deliver(bed, bed->first, 2));
	bed->sink.flush(bed->sink.self, bed->first);
	assert_int_equal(peer.frames, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_bed, free_bed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_last_deliveries_leave_when_a_full_socket_has_room_again),
		TEST(what_is_retracted_does_not_leave_when_there_is_room_again),
		TEST(nor_does_what_waits_for_its_record),
		TEST(who_took_all_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
