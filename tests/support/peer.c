/*
 * Peers on libttg. Test thread only: callbacks run inside peers_poll().
 */
#include "support/peer.h"

#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include <ttg/proto/session.pb-c.h>
#include "support/http.h"
#include "support/wait.h"

#define POLL_MS 2

static void *grow(void *list, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return list;
	must_be(n < PEER_MAX_GOT, "a peer got more than anybody sent");
	*room = *room ? *room * 2 : 64;
	list = realloc(list, *room * size);
	must_be(list != NULL, "no memory");
	return list;
}

static void note_delivery(void *user, const struct ttg_delivery *delivery)
{
	struct peer *peer = user;

	peer->got = grow(peer->got, peer->n_got, &peer->room_got, sizeof(*peer->got));
	struct peer_delivery *got = &peer->got[peer->n_got++];
	memset(got, 0, sizeof(*got));
	snprintf(got->mailbox, sizeof(got->mailbox), "%s", delivery->mailbox);
	got->position = delivery->position;
	got->attempt = delivery->attempt;
	got->has_person = delivery->person_key != NULL;
	if (got->has_person)
		memcpy(got->person_key, delivery->person_key, sizeof(got->person_key));
	Ttg__Event *event = ttg__event__unpack(NULL, delivery->event_bytes, delivery->event);
	must_be(event && event->id.len == sizeof(got->id), "an event that cannot be decoded");
	memcpy(got->id, event->id.data, sizeof(got->id));
	snprintf(got->type, sizeof(got->type), "%s", event->type);
	snprintf(got->source, sizeof(got->source), "%s", event->source);
	if (peer->newest)
		ttg__event__free_unpacked(peer->newest, NULL);
	peer->newest = event;
	peer->newest_redacted = delivery->redacted;
	if (peer->habit == PEER_ACKS)
		must_be(ttg_client_ack(peer->client, delivery->mailbox, delivery->position) ==
				TTG_OK,
			"cannot acknowledge");
	if (peer->habit == PEER_REFUSES)
		must_be(ttg_client_nack(peer->client, delivery->mailbox, delivery->position,
					TTG__NACK_REASON__NACK_TEMPORARY, "not now", 1) == TTG_OK,
			"cannot refuse");
	if (peer->habit == PEER_DISOWNS)
		must_be(ttg_client_nack(peer->client, delivery->mailbox, delivery->position,
					TTG__NACK_REASON__NACK_NOT_OURS, "somebody else's", 0) == TTG_OK,
			"cannot refuse");
}

static void note_outcome(void *user, const struct ttg_outcome *outcome)
{
	struct peer *peer = user;

	peer->outcomes = grow(peer->outcomes, peer->n_outcomes, &peer->room_outcomes,
			      sizeof(*peer->outcomes));
	struct peer_outcome *noted = &peer->outcomes[peer->n_outcomes++];
	memcpy(noted->id, outcome->id, sizeof(noted->id));
	noted->code = outcome->code;
	noted->duplicate = outcome->duplicate;
	noted->sequence = outcome->sequence;
	snprintf(noted->text, sizeof(noted->text), "%s", outcome->text ? outcome->text : "");
}

static void note_state(void *user, enum ttg_state state, enum ttg_error code, const char *text)
{
	struct peer *peer = user;

	peer->state = state;
	peer->state_code = code;
	snprintf(peer->state_text, sizeof(peer->state_text), "%s", text ? text : "");
}

static void note_attached(void *user, const char *mailbox, bool active, uint64_t acknowledged)
{
	struct peer *peer = user;

	(void)mailbox;
	(void)acknowledged;
	peer->n_attached++;
	peer->active = active;
}

static void note_receipt(void *user, const struct ttg_receipt *receipt)
{
	struct peer *peer = user;

	must_be(receipt->text_bytes < sizeof(peer->receipt), "a receipt longer than any");
	peer->n_receipts++;
	peer->receipt_code = receipt->code;
	memcpy(peer->receipt, receipt->text, receipt->text_bytes);
	peer->receipt[receipt->text_bytes] = '\0';
}

static struct peer *must_open(struct stage *stage, const char *key, const char *outbox, const char *signing)
{
	char key_file[PROCESS_PATH_MAX], server_key[PROCESS_PATH_MAX], box[PROCESS_PATH_MAX];
	char signing_key[PROCESS_PATH_MAX];
	char message[TTG_MESSAGE_TEXT] = "";
	struct peer *peer = calloc(1, sizeof(*peer));

	must_be(peer != NULL, "no memory");
	STAGE_PATH(stage, key_file, "keys/%s.key", key);
	STAGE_PATH(stage, server_key, "keys/broker.pub");
	STAGE_PATH(stage, box, "%s", outbox ? outbox : "none");
	STAGE_PATH(stage, signing_key, "%s", signing ? signing : "none");
	const struct ttg_client_options options = {
		.broker = stage->endpoint,
		.server_key_file = server_key,
		.key_file = key_file,
		.signing_key_file = signing ? signing_key : NULL,
		.software = "test/1",
		.outbox_dir = outbox ? box : NULL,
		.reconnect_min_ms = 10,
		.reconnect_max_ms = 100,
		.callbacks = { .user = peer,
			       .on_outcome = note_outcome,
			       .on_delivery = note_delivery,
			       .on_state = note_state,
			       .on_attached = note_attached,
			       .on_receipt = note_receipt },
	};
	if (ttg_client_new(&peer->client, &options, message) != TTG_OK)
		must_fail("no client: %s", message);
	for (int i = 0; i < STAGE_PEERS; i++)
		if (!stage->peers[i]) {
			stage->peers[i] = peer;
			return peer;
		}
	must_fail("too many peers");
}

struct peer *must_open_peer(struct stage *stage, const char *key, const char *outbox)
{
	return must_open(stage, key, outbox, NULL);
}

struct peer *must_open_signing_peer(struct stage *stage, const char *key, const char *signing_key)
{
	return must_open(stage, key, NULL, signing_key);
}

void peer_close(struct stage *stage, struct peer **handle)
{
	struct peer *peer = *handle;

	*handle = NULL;
	for (int i = 0; i < STAGE_PEERS; i++)
		if (stage->peers[i] == peer)
			stage->peers[i] = NULL;
	ttg_client_free(&peer->client);
	if (peer->newest)
		ttg__event__free_unpacked(peer->newest, NULL);
	free(peer->got);
	free(peer->outcomes);
	free(peer);
}

void peers_poll(struct stage *stage)
{
	for (int i = 0; i < STAGE_PEERS; i++)
		if (stage->peers[i] && !stage->peers[i]->failed)
			stage->peers[i]->failed =
				ttg_client_poll(stage->peers[i]->client, POLL_MS) != TTG_OK;
}

bool peers_wait(struct stage *stage, bool (*condition)(void *arg), void *arg, int timeout_ms)
{
	int64_t deadline_ms = wait_now_ms() + timeout_ms;

	while (!condition(arg)) {
		if (wait_now_ms() >= deadline_ms)
			return false;
		peers_poll(stage);
	}
	return true;
}

static bool is_ready(void *arg)
{
	const struct peer *peer = arg;

	return ttg_client_state(peer->client) == TTG_STATE_READY;
}

void must_be_ready(struct stage *stage, struct peer *peer)
{
	if (!peers_wait(stage, is_ready, peer, WAIT_LONG_MS))
		must_fail("no session: %s", peer->state_text);
}

struct awaited {
	struct peer *peer;
	size_t n;
};

static bool has_outcomes(void *arg)
{
	const struct awaited *awaited = arg;

	return awaited->peer->n_outcomes >= awaited->n;
}

struct peer_outcome must_publish(struct stage *stage, struct peer *peer, struct made take_made)
{
	struct awaited awaited = { peer, peer->n_outcomes + 1 };
	enum ttg_error error = ttg_client_publish(peer->client, take_made.id, take_made.bytes,
						  take_made.len, NULL);

	made_free(&take_made);
	if (error != TTG_OK)
		must_fail("publish: %s", ttg_error_name(error));
	if (!peers_wait(stage, has_outcomes, &awaited, WAIT_LONG_MS))
		must_fail("no answer to a publish; %s", peer->state_text);
	must_be(memcmp(peer->outcomes[awaited.n - 1].id, take_made.id, 16) == 0,
		"an answer about another event");
	return peer->outcomes[awaited.n - 1];
}

uint64_t must_accept(struct stage *stage, struct peer *peer, const struct made_wish *wish)
{
	struct peer_outcome outcome = must_publish(stage, peer, must_make(wish));

	if (outcome.code != TTG_OK || outcome.duplicate || outcome.sequence == 0)
		must_fail("not accepted: %s %s", ttg_error_name(outcome.code), outcome.text);
	return outcome.sequence;
}

void must_be_refused(struct stage *stage, struct peer *peer, const struct made_wish *wish,
		 enum ttg_error code)
{
	struct peer_outcome outcome = must_publish(stage, peer, must_make(wish));

	if (outcome.code != code)
		must_fail("answered %s (%s), should be %s", ttg_error_name(outcome.code),
			  outcome.text, ttg_error_name(code));
	must_be(outcome.text[0] != '\0', "a refusal without a word why");
}

static bool has_receipts(void *arg)
{
	const struct awaited *awaited = arg;

	return awaited->peer->n_receipts >= awaited->n;
}

enum ttg_error must_ask_receipt(struct stage *stage, struct peer *peer, const uint8_t id[16])
{
	struct awaited awaited = { peer, peer->n_receipts + 1 };

	must_be(ttg_client_ask_receipt(peer->client, id) == TTG_OK, "cannot ask");
	if (!peers_wait(stage, has_receipts, &awaited, WAIT_LONG_MS))
		must_fail("no answer to a question: %s", peer->state_text);
	return peer->receipt_code;
}

static bool has_attached(void *arg)
{
	const struct awaited *awaited = arg;

	return (size_t)awaited->peer->n_attached >= awaited->n;
}

void must_attach(struct stage *stage, struct peer *peer, const char *mailbox)
{
	struct awaited awaited = { peer, (size_t)peer->n_attached + 1 };

	must_be(ttg_client_attach(peer->client, mailbox, 0) == TTG_OK, "cannot attach");
	if (!peers_wait(stage, has_attached, &awaited, WAIT_LONG_MS))
		must_fail("not attached to %s: %s", mailbox, peer->state_text);
}

static bool has_got(void *arg)
{
	const struct awaited *awaited = arg;

	return awaited->peer->n_got >= awaited->n;
}

void must_get(struct stage *stage, struct peer *peer, size_t n)
{
	struct awaited awaited = { peer, n };

	if (!peers_wait(stage, has_got, &awaited, WAIT_LONG_MS))
		must_fail("got %zu deliveries, should be %zu; %s", peer->n_got, n,
			  peer->state_text);
}

void must_get_no_more(struct stage *stage, struct peer *peer, size_t n, int quiet_ms)
{
	struct awaited awaited = { peer, n + 1 };

	if (peers_wait(stage, has_got, &awaited, quiet_ms))
		must_fail("got %s though nothing was due", peer->got[n].type);
}

struct settled {
	int port;
	char metric[160];
	double value, found;
};

static bool has_settled(void *arg)
{
	struct settled *settled = arg;

	settled->found = must_read_metric(settled->port, settled->metric);
	return settled->found == settled->value;
}

void must_settle(struct stage *stage, const char *mailbox, const char *name, double value)
{
	struct settled settled = { .port = stage->http_port, .value = value };

	snprintf(settled.metric, sizeof(settled.metric), "ttgd_mailbox_%s{mailbox=\"%s\"}", name,
		 mailbox);
	if (!peers_wait(stage, has_settled, &settled, WAIT_LONG_MS))
		must_fail("%s is %g, should become %g", settled.metric, settled.found, value);
}
