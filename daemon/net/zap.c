/*
 * ZAP, served by the loop itself: a handshake waits at most one cycle for its answer, and the rules
 * are read by the thread that swaps them. A request that is not what RFC 27 says is answered 500, one
 * without request id too: a REP socket that leaves a request unanswered never reads another.
 */
#include "net/zap.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZAP_REQUESTS_A_CYCLE 64
#define ZAP_PARTS 16
#define ZAP_PART_BYTES 256
#define CURVE_KEY_BYTES 32

struct zap {
	void *socket;
};

struct zap_request {
	char part[ZAP_PARTS][ZAP_PART_BYTES];
	size_t len[ZAP_PARTS];
	int parts;
};

enum { ZAP_VERSION, ZAP_REQUEST_ID, ZAP_DOMAIN_PART, ZAP_ADDRESS, ZAP_IDENTITY, ZAP_MECHANISM, ZAP_KEY };

static bool receive(void *socket, struct zap_request *request);
static void answer(void *socket, const struct zap_request *request, const char *status,
		   const char *user);
static bool admit(struct net *net, const struct zap_request *request, char key[41]);
static void deny(struct net *net, enum net_denial why, const char *agency);

void zap_serve(struct zap *zap, struct net *net)
{
	for (int i = 0; i < ZAP_REQUESTS_A_CYCLE; i++) {
		struct zap_request request;
		if (!receive(zap->socket, &request))
			return;
		if (request.parts < ZAP_MECHANISM + 1) {
			answer(zap->socket, &request, "500", "");
			continue;
		}
		char key[41] = "";
		const bool admitted = admit(net, &request, key);
		answer(zap->socket, &request, admitted ? "200" : "400", admitted ? key : "");
	}
}

static bool admit(struct net *net, const struct zap_request *request, char key[41])
{
	if (strcmp(request->part[ZAP_VERSION], "1.0") != 0 ||
	    strcmp(request->part[ZAP_DOMAIN_PART], ZAP_DOMAIN) != 0 ||
	    strcmp(request->part[ZAP_MECHANISM], "CURVE") != 0 || request->parts <= ZAP_KEY ||
	    request->len[ZAP_KEY] != CURVE_KEY_BYTES) {
		deny(net, NET_DENIED_MECHANISM, "unknown");
		return false;
	}
	zmq_z85_encode(key, (const uint8_t *)request->part[ZAP_KEY], CURVE_KEY_BYTES);

	const struct rules *rules = net->config->rules;
	uint32_t agency_index = 0, key_index = 0;
	if (!rules_find_key(rules, key, &agency_index, &key_index)) {
		deny(net, NET_DENIED_UNKNOWN_KEY, "unknown");
		return false;
	}
	const struct rules_agency *agency = &rules->agencies[agency_index];
	const struct rules_key *known = &agency->keys[key_index];
	if (!rules_key_valid(known, net->world->real_ns(net->world->self))) {
		deny(net, known->revoked ? NET_DENIED_REVOKED : NET_DENIED_NOT_VALID_NOW,
		     agency->id);
		return false;
	}
	uint8_t address[16];
	if (!zap_read_address(request->part[ZAP_ADDRESS], address) ||
	    !rules_address_allowed(agency, address)) {
		deny(net, NET_DENIED_ADDRESS, agency->id);
		return false;
	}
	return true;
}

bool zap_read_address(const char *text, uint8_t out[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(out, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, out + 12) == 1 || inet_pton(AF_INET6, text, out) == 1;
}

static void deny(struct net *net, enum net_denial why, const char *agency)
{
	static const char *const words[NET_DENIALS] = { "unknown_key",	 "revoked",
							"not_valid_now", "address",
							"mechanism",	 "handshake" };
	net->counters.denied[why]++;
	uint64_t suppressed = 0;
	const int64_t mono = net->world->mono_ns(net->world->self);
	if (log_quota_take(&net->denial_quota, mono, &suppressed))
		log_write(net->log, LOG_LEVEL_WARN, "connection_denied",
			  "reason=%s agency=%s suppressed=%llu", words[why], agency,
			  (unsigned long long)suppressed);
}

static bool receive(void *socket, struct zap_request *request)
{
	memset(request, 0, sizeof *request);
	int more = 1;
	while (more) {
		char buffer[ZAP_PART_BYTES];
		const int got = zmq_recv(socket, buffer, sizeof buffer, ZMQ_DONTWAIT);
		if (got < 0)
			return false;
		if (request->parts < ZAP_PARTS) {
			const size_t len = (size_t)got < ZAP_PART_BYTES ? (size_t)got :
									  ZAP_PART_BYTES - 1;
			memcpy(request->part[request->parts], buffer, len);
			request->len[request->parts] = len;
			request->parts++;
		}
		size_t size = sizeof more;
		if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) != 0)
			return false;
	}
	return true;
}

static void answer(void *socket, const struct zap_request *request, const char *status,
		   const char *user)
{
	zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
	zmq_send(socket, request->part[ZAP_REQUEST_ID], request->len[ZAP_REQUEST_ID], ZMQ_SNDMORE);
	zmq_send(socket, status, 3, ZMQ_SNDMORE);
	zmq_send(socket, "", 0, ZMQ_SNDMORE); /* a stranger is not told why */
	zmq_send(socket, user, strlen(user), ZMQ_SNDMORE);
	zmq_send(socket, "", 0, 0);
}

enum ttg_error zap_open(struct zap **out, void *zmq, struct message *message)
{
	struct zap *zap = calloc(1, sizeof *zap);
	if (!zap)
		return message_set(message, TTG_ENOMEM, "no memory for the ZAP handler");
	zap->socket = zmq_socket(zmq, ZMQ_REP);
	if (!zap->socket || zmq_bind(zap->socket, "inproc://zeromq.zap.01") != 0) {
		zap_close(&zap);
		return message_set(message, TTG_ESYS, "cannot start the ZAP handler: %s",
				   zmq_strerror(zmq_errno()));
	}
	*out = zap;
	return TTG_OK;
}

void zap_close(struct zap **zap)
{
	if (!*zap)
		return;
	if ((*zap)->socket)
		zmq_close((*zap)->socket);
	free(*zap);
	*zap = NULL;
}

void *zap_socket(const struct zap *zap)
{
	return zap->socket;
}
