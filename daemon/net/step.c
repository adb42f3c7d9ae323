/*
 * What the loop does with journal and core, without a socket of its own: the step of a cycle in which
 * time passes for them. The simulator runs this file as it is.
 *
 * Owner: the loop. Order within a step is a promise: first what became durable is told, then frames
 * are read, then the core delivers, then who asked is told, then the staged records go to the writer. A
 * failed journal ends the step before anything more is read or said.
 */
#include "net/keys.h"
#include "net/net.h"
#include "net/sealer.h"

#define NS_PER_MS 1000000LL
#define UNSEEN_MAX (128u * 1024) /* bytes read between two looks, at most */

static void read_frames(struct net *net);
static void flush(struct net *net, const struct core_now *now);

struct core_now net_step(struct net *net, bool read)
{
	const uint64_t durable = journal_durable(net->journal);
	core_durable(net->core, durable);
	const bool more_keys = net_keys_step(net, durable);
	net_release(net, durable);
	if (!net->failure)
		net->failure = journal_failure(net->journal, NULL);
	sealer_step(net->sealer, net);
	if (net->failure)
		return net_now(net);
	if (read)
		read_frames(net);
	const struct core_now now = net_now(net);
	net->next_core_ns = core_pump(net->core, &now);
	const bool more_receipts = wanted_step(net);
	if (states_step(net) || more_receipts || more_keys)
		net->next_core_ns = now.mono_ns;
	flush(net, &now);
	return now;
}

/*
 * Hands what is staged to the writer. What nobody waits for goes with the next event, or a moment
 * later: a sync of its own would stand in the way of the event that comes meanwhile.
 */
static void flush(struct net *net, const struct core_now *now)
{
	if (!net->flush_now && !net->stopping &&
	    (net->flush_at_ns == 0 || now->mono_ns < net->flush_at_ns))
		return;
	net->flush_now = false;
	net->flush_at_ns = 0;
	journal_flush(net->journal);
}

bool net_has_room(struct net *net)
{
	struct journal_stats stats;
	journal_get_stats(net->journal, &stats);
	return stats.staged_bytes < net->config->buffer_bytes / 4 && journal_has_place(net->journal);
}

/*
 * A few small frames, or one large one, are read between two looks at the journal's buffer. Of its two
 * halves one is filled; what is staged when reading stops and the largest frame fit into that together,
 * from a buffer of four such frames on, and nothing that was read is refused for lack of room in it. Nor
 * because the next segment's room is still being made.
 */
static void read_frames(struct net *net)
{
	uint64_t unseen_bytes = 0;

	for (int i = 0; i < NET_FRAMES_A_CYCLE; i++) {
		uint8_t routing[SESSION_ROUTING_MAX];
		const int routing_bytes =
			zmq_recv(net->router, routing, sizeof routing, ZMQ_DONTWAIT);
		if (routing_bytes < 0)
			return;
		zmq_msg_t message;
		zmq_msg_init(&message);
		if (zmq_msg_recv(&message, net->router, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(&message);
			return;
		}
		bool whole = true;
		while (zmq_msg_more(&message)) { /* one part is the protocol; more is gibberish */
			whole = false;
			zmq_msg_close(&message);
			zmq_msg_init(&message);
			if (zmq_msg_recv(&message, net->router, ZMQ_DONTWAIT) < 0)
				break;
		}
		if (whole && routing_bytes > 0)
			net_dispatch(net, routing, (size_t)routing_bytes, &message);
		else
			net->counters.frames_bad++;
		unseen_bytes += zmq_msg_size(&message);
		zmq_msg_close(&message);
		if (i % 16 == 15 || unseen_bytes > UNSEEN_MAX ||
		    unseen_bytes > net->config->buffer_bytes / 32) {
			unseen_bytes = 0;
			if (!net_has_room(net))
				return;
		}
	}
	net->next_core_ns = 0; /* there may be more frames: do not wait */
}

struct core_now net_now(const struct net *net)
{
	return (struct core_now){ .real_ns = net->world->real_ns(net->world->self),
				  .mono_ns = net->world->mono_ns(net->world->self) };
}
