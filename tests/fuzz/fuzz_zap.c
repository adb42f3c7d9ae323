/*
 * Requests to the ZAP handler: parts, each with a length (u16) before it. The byte before a length
 * may choose what a right request has in that place.
 *
 * Broken when somebody is let in whose request does not name the right version, domain, mechanism
 * and a known key, or is not let in with a right one; when an answer has not six parts, or there is
 * none: the next peer would wait for ever.
 */
#include "fuzz.h"

#include <zmq.h>
#include "broker.h"
#include "net/zap.h"

#define PARTS_MAX 20
#define ANSWER_PARTS 6

struct request {
	char *part[PARTS_MAX];
	size_t len[PARTS_MAX];
	int parts;
};

static void right_part(struct request *request, const char *text, size_t len)
{
	struct fuzz_input input = { (const uint8_t *)text, len };

	request->part[request->parts] = fuzz_rest(&input, &request->len[request->parts]);
	request->parts++;
}

static void read_request(struct fuzz_input *input, struct request *request)
{
	uint8_t key[32];

	MUST(zmq_z85_decode(key, fuzz_keys[0]));
	while (request->parts < PARTS_MAX && (input->left > 0 || request->parts == 0)) {
		switch (fuzz_u8(input) & 7) {
		case 1:
			right_part(request, "1.0", 3);
			break;
		case 2:
			right_part(request, ZAP_DOMAIN, strlen(ZAP_DOMAIN));
			break;
		case 3:
			right_part(request, "CURVE", 5);
			break;
		case 4:
			right_part(request, (const char *)key, sizeof(key));
			break;
		case 5:
			right_part(request, "127.0.0.1", 9);
			break;
		default:
			request->part[request->parts] =
				fuzz_sized(input, &request->len[request->parts]);
			request->parts++;
			break;
		}
	}
}

static bool is(const struct request *request, int part, const char *text, size_t len)
{
	return request->parts > part && request->len[part] == len &&
	       memcmp(request->part[part], text, len) == 0;
}

static bool may_be_let_in(const struct request *request)
{
	bool known = false;
	uint8_t key[32];

	for (int i = 0; i < FUZZ_KEYS; i++)
		known = known || (zmq_z85_decode(key, fuzz_keys[i]) &&
				  is(request, 6, (const char *)key, sizeof(key)));
	return known && is(request, 0, "1.0", 3) && is(request, 2, ZAP_DOMAIN, strlen(ZAP_DOMAIN)) &&
	       is(request, 5, "CURVE", 5);
}

/* What libzmq asks for such a peer; he is let in. */
static bool is_right(const struct request *request)
{
	return may_be_let_in(request) && request->parts == 7 && is(request, 3, "127.0.0.1", 9);
}

static void take_answer(void *peer, const struct request *request)
{
	char part[ANSWER_PARTS][300];
	int parts = 0, more = 1;
	size_t size = sizeof(more);

	while (more) {
		MUST(parts < ANSWER_PARTS);
		const int got = zmq_recv(peer, part[parts], sizeof(part[parts]) - 1, ZMQ_DONTWAIT);
		MUST(got >= 0 && got < 300);
		part[parts++][got] = '\0';
		MUST(zmq_getsockopt(peer, ZMQ_RCVMORE, &more, &size) == 0);
	}
	MUST(parts == ANSWER_PARTS);
	const bool let_in = strcmp(part[2], "200") == 0;
	MUST(!let_in || may_be_let_in(request));
	MUST(let_in || !is_right(request));
	MUST((strcmp(part[2], "200") == 0) == (part[4][0] != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void *context; /* made once */
	static struct zap *zap;
	static struct fuzz_broker *broker;
	static void *peer;
	struct fuzz_input input = { data, len };
	struct request request = { .parts = 0 };
	struct message message = { "" };
	char envelope[8];

	if (!context) {
		context = zmq_ctx_new();
		broker = fuzz_broker_new();
		MUST(context && zap_open(&zap, context, &message) == TTG_OK);
		peer = zmq_socket(context, ZMQ_DEALER);
		MUST(peer && zmq_connect(peer, "inproc://zeromq.zap.01") == 0);
	}
	read_request(&input, &request);
	zmq_send(peer, "", 0, ZMQ_SNDMORE); /* the envelope a REQ socket would add */
	for (int i = 0; i < request.parts; i++)
		zmq_send(peer, request.part[i], request.len[i],
			 i + 1 < request.parts ? ZMQ_SNDMORE : 0);
	zap_serve(zap, &broker->net);
	MUST(zmq_recv(peer, envelope, sizeof(envelope), ZMQ_DONTWAIT) == 0);
	take_answer(peer, &request);
	for (int i = 0; i < request.parts; i++)
		free(request.part[i]);
	return 0;
}
