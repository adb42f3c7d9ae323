/*
 * Frames of authenticated peers against the session layer, core and journal, with a router that
 * takes, refuses or does not know the peer, as the input says.
 *
 * Input: steps of one byte. Bits 0-2: what; for a frame bits 3-4 choose the connection, bits 5-6
 * the key it was authenticated with, and length (u16) and bytes of the frame follow.
 *
 * Broken when: a frame goes out that no client could read or that is longer than announced, or one
 * to a connection tells of another agency's mailbox.
 */
#include "fuzz.h"

#include <errno.h>
#include <zmq.h>
#include <ttg/proto/session.pb-c.h>
#include "broker.h"

#define STEPS_MAX 64
#define SLACK_BYTES 64 /* around the deliveries of one frame */

enum { STEP_FRAME, STEP_FRAME_TOO, STEP_CYCLE, STEP_TIME, STEP_FULL, STEP_GONE, STEP_SWEEP, STEP_STOP };

/* What the router does with the next frames; set by the steps, read by zmq_send() below. */
struct router {
	unsigned full, gone; /* sends that fail so */
	bool in_message;
};

/* Stands in front of libzmq's own: the frames are looked at and forgotten. */
int zmq_send(void *socket, const void *data, size_t len, int flags)
{
	struct router *router = socket;

	if (flags & ZMQ_SNDMORE) {
		MUST(!router->in_message && len > 0);
		if (router->gone > 0 || router->full > 0) {
			errno = router->gone > 0 ? EHOSTUNREACH : EAGAIN;
			router->gone -= router->gone > 0;
			router->full -= router->full > 0;
			return -1;
		}
		router->in_message = true;
		return (int)len;
	}
	MUST(router->in_message && len <= 65536 + SLACK_BYTES);
	router->in_message = false;
	Ttg__Frame *frame = ttg__frame__unpack(NULL, len, data);
	MUST(frame && frame->body_case != TTG__FRAME__BODY__NOT_SET);
	if (frame->body_case == TTG__FRAME__BODY_WELCOME)
		for (size_t i = 0; i < frame->welcome->n_mailboxes; i++)
			MUST(strncmp(frame->welcome->mailboxes[i]->mailbox,
					  frame->welcome->agency,
					  strlen(frame->welcome->agency)) == 0);
	ttg__frame__free_unpacked(frame, NULL);
	return (int)len;
}

static void take_frame(struct net *net, uint8_t step, struct fuzz_input *input)
{
	const uint8_t routing[] = { 0, (uint8_t)(step >> 3 & 3) };
	size_t len = 0;
	char *bytes = fuzz_sized(input, &len);

	const struct net_peer peer = { .routing = routing,
				       .routing_bytes = sizeof(routing),
				       .key = fuzz_keys[step >> 5 & 3] };
	net_take_frame(net, &peer, (const uint8_t *)bytes, len);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	struct fuzz_broker *broker = fuzz_broker_take(0);
	struct router router = { 0 };
	struct net *net = &broker->net;

	net->router = &router;
	for (int i = 0; i < STEPS_MAX && input.left > 0; i++) {
		const uint8_t step = fuzz_u8(&input);
		switch (step & 7) {
		case STEP_CYCLE:
			fuzz_broker_cycle(broker);
			break;
		case STEP_TIME:
			memory_world_advance(broker->memory, (int64_t)fuzz_u16(&input) * 1000000);
			break;
		case STEP_FULL:
			router.full = step >> 3;
			break;
		case STEP_GONE:
			router.gone = step >> 3;
			break;
		case STEP_SWEEP:
			net_sweep_sessions(net);
			break;
		case STEP_STOP:
			net->stopping = step >> 3 == 1;
			break;
		default:
			take_frame(net, step, &input);
			break;
		}
	}
	router.full = router.gone = 0;
	fuzz_broker_cycle(broker);
	net_goodbye_all(net, TTG_SESSION_STOPPING);
	fuzz_broker_give_back(&broker);
	return 0;
}
