/* A consumer that takes all the credit there is and reads nothing: its queue holds one frame, and
   the kernel's buffer is as small as it gets. It says it lives, over and over. */
#include "horde.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/proto/session.pb-c.h>
#include <zmq.h>
#include "base/keyfile.h"

#define BEAT_MS 200

static void say(void *dealer, const Ttg__Frame *frame)
{
	uint8_t bytes[512];
	const size_t len = ttg__frame__get_packed_size(frame);

	if (len > sizeof(bytes))
		horde_die("frame");
	ttg__frame__pack(frame, bytes);
	zmq_send(dealer, bytes, len, ZMQ_DONTWAIT);
}

static void *open_dealer(void *context, char **arguments)
{
	struct key_pair pair;
	struct message message;
	char server[KEYFILE_Z85];
	const int one = 1, small = 4096, zero = 0;
	void *dealer = zmq_socket(context, ZMQ_DEALER);

	if (keyfile_read_public(arguments[1], server, &message) != TTG_OK ||
	    keyfile_read_secret(arguments[2], &pair, &message) != TTG_OK)
		horde_die(message.text);
	if (!dealer || zmq_setsockopt(dealer, ZMQ_RCVHWM, &one, sizeof(one)) ||
	    zmq_setsockopt(dealer, ZMQ_RCVBUF, &small, sizeof(small)) ||
	    zmq_setsockopt(dealer, ZMQ_LINGER, &zero, sizeof(zero)) ||
	    zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, server, KEYFILE_Z85) ||
	    zmq_setsockopt(dealer, ZMQ_CURVE_PUBLICKEY, pair.public_z85, KEYFILE_Z85) ||
	    zmq_setsockopt(dealer, ZMQ_CURVE_SECRETKEY, pair.secret_z85, KEYFILE_Z85) ||
	    zmq_connect(dealer, arguments[0]) != 0)
		horde_die("connect");
	return dealer;
}

int horde_sloth(char **arguments)
{
	void *context = zmq_ctx_new();
	void *dealer = open_dealer(context, arguments);
	Ttg__Hello hello = TTG__HELLO__INIT;
	Ttg__Attach attach = TTG__ATTACH__INIT;
	Ttg__Heartbeat beat = TTG__HEARTBEAT__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	hello.version = 1;
	hello.session = 7;
	frame.body_case = TTG__FRAME__BODY_HELLO;
	frame.hello = &hello;
	say(dealer, &frame);
	attach.handle = 1;
	attach.mailbox = arguments[3];
	attach.credit = (uint32_t)strtoul(arguments[4], NULL, 10);
	frame.body_case = TTG__FRAME__BODY_ATTACH;
	frame.attach = &attach;
	say(dealer, &frame);
	frame.body_case = TTG__FRAME__BODY_HEARTBEAT;
	frame.heartbeat = &beat;
	puts("attached");
	for (;;) {
		poll(NULL, 0, BEAT_MS);
		say(dealer, &frame);
	}
}
