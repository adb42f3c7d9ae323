/*
 * What sessions ask of their events: receipts that come behind a Publish or for an id, and states. A
 * broker without sockets but with a signer, over a journal in a memory world; what it sends is kept.
 */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include "core/sealed.h"
#include "net/handlers.h"
#include "net/sealer.h"
#include "support/core_play.h"
#include "support/memory_world.h"
#include "support/receipts.h"

#define FRAMES_MAX 1024

struct bed {
	struct memory_world *memory;
	struct config config;
	struct net net;
	uint64_t next_id;
	struct signer *signer; /* NULL: none is configured */
	char packet[SIGNER_PACKET_MAX];
	size_t packet_len;
	bool away;
};

/* What was sent, in order, and to whom: the first byte of the routing id. */
static struct {
	bool full;
	uint8_t to[FRAMES_MAX];
	Ttg__Frame *frames[FRAMES_MAX];
	size_t n;
} sent;

/* Stands in front of libzmq's own. */
int zmq_send(void *socket, const void *bytes, size_t len, int flags)
{
	(void)socket;
	if (sent.full) {
		errno = EAGAIN;
		return -1;
	}
	assert_true(sent.n < FRAMES_MAX);
	if (flags & ZMQ_SNDMORE) {
		sent.to[sent.n] = *(const uint8_t *)bytes;
		return (int)len;
	}
	sent.frames[sent.n] = ttg__frame__unpack(NULL, len, bytes);
	assert_non_null(sent.frames[sent.n++]);
	return (int)len;
}

static void forget_sent(void)
{
	while (sent.n > 0)
		ttg__frame__free_unpacked(sent.frames[--sent.n], NULL);
}

static bool link_open(void *self)
{
	return !((struct bed *)self)->away;
}

static bool link_send(void *self, const char *packet, size_t len)
{
	struct bed *bed = self;

	bed->packet_len = signer_answer(bed->signer, packet, len, bed->packet);
	return !bed->away;
}

static int link_receive(void *self, char packet[SIGNER_PACKET_MAX], size_t *len)
{
	struct bed *bed = self;

	if (bed->away)
		return -1;
	memcpy(packet, bed->packet, bed->packet_len);
	*len = bed->packet_len;
	bed->packet_len = 0;
	return *len > 0;
}

static void link_end(void *self)
{
	((struct bed *)self)->packet_len = 0;
}

static int link_fd(void *self)
{
	(void)self;
	return -1;
}

/* Turns of the loop until nothing more happens. */
static void turn(struct bed *bed)
{
	for (int i = 0; i < 100; i++) {
		bed->net.flush_now = true;
		net_step(&bed->net, false);
		assert_int_equal(bed->net.failure, TTG_OK);
	}
}

/* The signer, and it is looked for. */
static void come_back(struct bed *bed)
{
	bed->away = false;
	memory_world_advance(bed->memory, 20 * PLAY_SECOND);
}

/* The digest of the rules is over this, too. */
static void may_ask(struct bed *bed, int agency, bool may)
{
	bed->config.rules->agencies[agency].asks_states = may;
	assert_true(rules_finish(bed->config.rules));
}

static void start(struct bed *bed)
{
	struct net *net = &bed->net;
	const struct signer_link link = { bed,	    link_open, link_send, link_receive,
					  link_end, link_fd,   link_end };
	const struct journal_options journal = { .directory = "/j", .key = { 0x42 },
						 .cipher = JOURNAL_AES_256_GCM,
						 .segment_bytes = 64u * 1024u,
						 .buffer_bytes = (size_t)bed->config.buffer_bytes };
	struct message message = { "" };

	net->world = memory_world_table(bed->memory);
	net->config = &bed->config;
	net->limiter = limiter_new();
	assert_int_equal(net_make_core(net, (const uint8_t[32]){ 7 }), TTG_OK);
	assert_int_equal(journal_open(&net->journal, &journal, net->world, &message), TTG_OK);
	assert_int_equal(net_recover(net, NULL), TTG_OK);
	if (bed->signer)
		assert_int_equal(sealer_new(&net->sealer, net, &link, NULL), TTG_OK);
	const struct core_now now = net_now(net);
	assert_int_equal(core_set_rules(net->core, &now, bed->config.rules), TTG_OK);
	turn(bed);
}

static struct bed *bed_new(bool with_signer)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->memory = memory_world_new(11);
	memory_world_advance(bed->memory, PLAY_NOW - PLAY_SECOND);
	bed->config = (struct config){
		.agency = "broker",
		.max_frame_bytes = 64u << 10,
		.max_event_bytes = 16384,
		.max_events_per_publish = 1000,
		.publish_window = 64,
		.max_skew_s = 300,
		.dedupe_hours = 1,
		.dedupe_max = 100000,
		.mailbox_window = 64,
		.mailbox_max_held = 32,
		.buffer_bytes = 256u << 10,
		.snapshot_events = 1000000,
		.rules = play_rules(true),
	};
	may_ask(bed, PLAY_PRISON, true);
	if (with_signer)
		bed->signer = signer_new(receipts_key('a'));
	start(bed);
	return bed;
}

static void bed_free(struct bed **bed)
{
	struct net *net = &(*bed)->net;

	net_drop_sessions(net);
	sealer_free(&net->sealer);
	core_free(&net->core);
	records_close(&net->records);
	limiter_free(&net->limiter);
	journal_close(&net->journal);
	signer_free(&(*bed)->signer);
	rules_free(&(*bed)->config.rules);
	memory_world_free(&(*bed)->memory);
	free(*bed);
	forget_sent();
	sent.full = false;
}

static struct session *open_session(struct bed *bed, char letter, const char *agency)
{
	struct session *session =
		session_add(&bed->net.sessions, (const uint8_t *)&letter, 1, agency, "key",
			    bed->net.world->mono_ns(bed->net.world->self));

	assert_non_null(session);
	return session;
}

/* Events are numbered from 1 by their ids. */
static void id_of(uint64_t number, uint8_t out[16])
{
	const struct core_now now = { PLAY_NOW, 0 };
	uint8_t bytes[PLAY_EVENT_MAX];

	number--;
	const size_t len = play_pack(&now, &number, TYPE_RELEASED, 1, bytes);
	Ttg__Event *event = ttg__event__unpack(NULL, len, bytes);
	assert_non_null(event);
	memcpy(out, event->id.data, 16);
	ttg__event__free_unpacked(event, NULL);
}

/* The releases number first and on, in one frame. */
static void publish(struct bed *bed, struct session *session, uint64_t first, size_t n, bool receipts)
{
	const struct core_now now = { PLAY_NOW, 0 };
	Ttg__Publish publish = TTG__PUBLISH__INIT;
	ProtobufCBinaryData *events = calloc(n, sizeof(*events));

	assert_non_null(events);
	for (size_t i = 0; i < n; i++) {
		uint64_t number = first + i - 1;

		events[i].data = malloc(PLAY_EVENT_MAX);
		assert_non_null(events[i].data);
		events[i].len = play_pack(&now, &number, TYPE_RELEASED,
					 1 + (unsigned)(first + i) % 7, events[i].data);
	}
	publish.frame = session->next_frame;
	publish.n_events = n;
	publish.events = events;
	publish.receipts = receipts;
	on_publish(&bed->net, session, &publish);
	for (size_t i = 0; i < n; i++)
		free(events[i].data);
	free(events);
}

static void ask(struct bed *bed, struct session *session, bool states, uint64_t number,
		const uint64_t *events, size_t n)
{
	uint8_t ids[NET_MAX_ASKED][16];
	ProtobufCBinaryData list[NET_MAX_ASKED];
	Ttg__AskReceipt receipt = TTG__ASK_RECEIPT__INIT;
	Ttg__AskState state = TTG__ASK_STATE__INIT;

	for (size_t i = 0; i < n; i++) {
		id_of(events[i], ids[i]);
		list[i] = (ProtobufCBinaryData){ 16, ids[i] };
	}
	receipt.ask = state.ask = number;
	receipt.n_events = state.n_events = n;
	receipt.events = state.events = list;
	if (states)
		on_ask_state(&bed->net, session, &state);
	else
		on_ask_receipt(&bed->net, session, &receipt);
}

/* Receipts that were sent to `to` for this Publish or ask: how many are good ones, each its event's. */
static size_t good_receipts(char to, bool asked, uint64_t request, uint64_t first)
{
	struct sign_key *secret = receipts_key('a');
	struct verify_key *key = verify_key_of(secret);
	size_t good = 0, line;

	for (size_t i = 0; i < sent.n; i++) {
		const Ttg__Receipts *it = sent.frames[i]->receipts;

		if (sent.to[i] != (uint8_t)to ||
		    sent.frames[i]->body_case != TTG__FRAME__BODY_RECEIPTS ||
		    (asked ? it->ask : it->frame) != request)
			continue;
		for (size_t k = 0; k < it->n_receipts; k++) {
			const Ttg__Receipt *one = it->receipts[k];
			struct receipt receipt;
			uint8_t id[16];

			if (one->code)
				continue;
			assert_true(receipt_read((const char *)one->receipt.data, one->receipt.len,
						 &receipt, &line));
			assert_int_equal(receipt_check(&receipt, key, NULL, 0), RECEIPT_GOOD);
			id_of(first + one->index, id);
			assert_memory_equal(receipt.leaf.id, id, 16);
			assert_memory_equal(one->event.data, id, 16);
			good++;
		}
	}
	verify_key_free(&key);
	sign_key_free(&secret);
	return good;
}

/* The newest frame of this kind to `to`. */
static const Ttg__Frame *newest(char to, Ttg__Frame__BodyCase kind)
{
	size_t i = sent.n;

	while (i > 0 && (sent.to[i - 1] != (uint8_t)to || sent.frames[i - 1]->body_case != kind))
		i--;
	assert_true(i > 0);
	return sent.frames[i - 1];
}

static void every_event_of_a_publish_gets_its_receipt_once(void **state)
{
	struct bed *bed = bed_new(true);
	struct session *session = open_session(bed, 'p', "prison");

	(void)state;
	publish(bed, session, 1, 200, true);
	turn(bed);
	assert_int_equal(good_receipts('p', false, 1, 1), 200);
	assert_int_equal(sent.frames[0]->body_case, TTG__FRAME__BODY_PUBLISHED);
	assert_int_equal(sent.frames[0]->published->receipts, 0);
	publish(bed, session, 201, 10, false);
	turn(bed);
	assert_int_equal(good_receipts('p', false, 2, 201), 0);
	assert_int_equal(good_receipts('p', false, 1, 1), 200);
	assert_int_equal(session->n_wanted, 0);
	assert_null(bed->net.wanted.wishes);
	bed_free(&bed);
}

static void a_duplicate_gets_the_receipt_of_the_first(void **state)
{
	struct bed *bed = bed_new(true);
	struct session *session = open_session(bed, 'p', "prison");
	size_t line;
	struct receipt receipt;

	(void)state;
	publish(bed, session, 1, 3, false);
	turn(bed);
	const uint64_t sequence = sent.frames[0]->published->sequences[1];
	forget_sent();
	publish(bed, session, 2, 1, true);
	turn(bed);
	assert_int_equal(good_receipts('p', false, 2, 2), 1);
	const Ttg__Receipt *one =
		newest('p', TTG__FRAME__BODY_RECEIPTS)->receipts->receipts[0];
	assert_true(receipt_read((const char *)one->receipt.data, one->receipt.len, &receipt, &line));
	assert_int_equal(receipt.leaf.sequence, sequence);
	forget_sent();
	publish(bed, session, 3, 2, true); /* beside a new one: not before the answer to both */
	for (int i = 0; i < 10; i++)
		wanted_step(&bed->net);
	assert_int_equal(sent.n, 0);
	turn(bed);
	assert_int_equal(sent.frames[0]->body_case, TTG__FRAME__BODY_PUBLISHED);
	assert_int_equal(good_receipts('p', false, 3, 3), 2);
	bed_free(&bed);
}

static void nothing_waits_for_the_signer_but_receipts(void **state)
{
	struct bed *bed = bed_new(true);
	struct session *session = open_session(bed, 'p', "prison");

	(void)state;
	bed->away = true;
	publish(bed, session, 1, 50, true);
	turn(bed);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.frames[0]->published->n_sequences, 50);
	assert_int_equal(session->n_wanted, 50);
	assert_false(wanted_step(&bed->net)); /* and it does not turn for nothing */
	come_back(bed);
	turn(bed);
	assert_int_equal(good_receipts('p', false, 1, 1), 50);
	bed_free(&bed);
}

static void without_a_signer_the_answer_says_that_none_will_come(void **state)
{
	struct bed *bed = bed_new(false);
	struct session *session = open_session(bed, 'p', "prison");
	const uint64_t events[] = { 2, 9 };

	(void)state;
	publish(bed, session, 1, 3, true);
	turn(bed);
	assert_int_equal(sent.frames[0]->published->receipts, TTG_ASKED_UNSEALED);
	ask(bed, session, false, 7, events, 2);
	turn(bed);
	assert_int_equal(sent.n, 3);
	assert_int_equal(sent.frames[1]->receipts->ask, 7);
	assert_int_equal(sent.frames[2]->receipts->ask, 7);
	assert_int_equal(sent.frames[1]->receipts->receipts[0]->index, 1);
	assert_int_equal(sent.frames[1]->receipts->receipts[0]->code, TTG_ASKED_UNKNOWN);
	assert_int_equal(sent.frames[2]->receipts->receipts[0]->index, 0);
	assert_int_equal(sent.frames[2]->receipts->receipts[0]->code, TTG_ASKED_UNSEALED);
	bed_free(&bed);
}

/* It knows the id, and learns as little as of one that nobody ever used. */
static void anothers_event_looks_like_none(void **state)
{
	struct bed *bed = bed_new(true);
	struct session *prison = open_session(bed, 'p', "prison");
	struct session *police = open_session(bed, 'q', "police");
	const uint64_t events[] = { 1, 2, 500 };

	(void)state;
	may_ask(bed, PLAY_POLICE, true);
	publish(bed, prison, 1, 3, false);
	turn(bed);
	ask(bed, police, false, 1, events, 3);
	ask(bed, police, true, 2, events, 3);
	turn(bed);
	const Ttg__Receipts *receipts = newest('q', TTG__FRAME__BODY_RECEIPTS)->receipts;
	const Ttg__States *states = newest('q', TTG__FRAME__BODY_STATES)->states;
	assert_int_equal(receipts->n_receipts, 3);
	assert_int_equal(states->n_states, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(receipts->receipts[i]->code, TTG_ASKED_UNKNOWN);
		assert_int_equal(receipts->receipts[i]->receipt.len, 0);
		assert_int_equal(states->states[i]->code, TTG_ASKED_UNKNOWN);
		assert_int_equal(states->states[i]->sequence, 0);
	}
	bed_free(&bed);
}

static void a_session_that_does_not_read_holds_up_nobody(void **state)
{
	struct bed *bed = bed_new(true);
	struct session *prison = open_session(bed, 'p', "prison");
	struct session *other = open_session(bed, 'o', "prison");

	(void)state;
	bed->away = true;
	publish(bed, prison, 1, 300, true);
	turn(bed);
	come_back(bed);
	sent.full = true;
	turn(bed);
	assert_non_null(prison->answer);
	assert_true(prison->n_wanted < 300);
	const uint32_t left = prison->n_wanted;
	const uint64_t events[] = { 5 };
	ask(bed, other, false, 1, events, 1);
	sent.full = false;
	turn(bed);
	assert_true(left > 0);
	assert_null(prison->answer);
	assert_int_equal(prison->n_wanted, 0);
	assert_int_equal(good_receipts('p', false, 1, 1), 300);
	assert_int_equal(good_receipts('o', true, 1, 5), 1);
	bed_free(&bed);
}

static void what_a_session_waited_for_is_forgotten_with_it(void **state)
{
	struct bed *bed = bed_new(true);
	struct session *prison = open_session(bed, 'p', "prison");
	struct session *other = open_session(bed, 'o', "prison");
	const uint64_t events[] = { 1 };

	(void)state;
	bed->away = true;
	publish(bed, prison, 1, 20, true);
	publish(bed, other, 21, 5, true);
	ask(bed, prison, true, 1, events, 1);
	net_close_session(&bed->net, prison, "test");
	assert_int_equal(bed->net.wanted.n, 5);
	assert_int_equal(bed->net.states.n, 0);
	come_back(bed);
	turn(bed);
	assert_int_equal(good_receipts('o', false, 1, 21), 5);
	assert_int_equal(good_receipts('p', false, 1, 1), 0);
	bed_free(&bed);
}

static void more_than_a_session_may_wait_for_is_refused_whole(void **state)
{
	struct bed *bed = bed_new(true);
	struct session *session = open_session(bed, 'p', "prison");
	const uint64_t events[] = { 1, 2 };

	(void)state;
	bed->away = true;
	publish(bed, session, 1, 2, false);
	session->n_wanted = WANTED_OF_SESSION - 1;
	publish(bed, session, 3, 2, true);
	turn(bed);
	assert_int_equal(newest('p', TTG__FRAME__BODY_PUBLISHED)->published->receipts,
			 TTG_ASKED_BUSY);
	ask(bed, session, false, 4, events, 2);
	assert_int_equal(newest('p', TTG__FRAME__BODY_RECEIPTS)->receipts->code, TTG_ASKED_BUSY);
	assert_int_equal(newest('p', TTG__FRAME__BODY_RECEIPTS)->receipts->ask, 4);
	publish(bed, session, 5, 1, true);
	turn(bed);
	assert_int_equal(newest('p', TTG__FRAME__BODY_PUBLISHED)->published->receipts, 0);
	session->n_wanted -= WANTED_OF_SESSION - 1;
	for (uint64_t i = 0; i < STATES_OF_SESSION; i++)
		ask(bed, session, true, 10 + i, events, 2);
	assert_int_equal(session->n_asked, STATES_OF_SESSION);
	ask(bed, session, true, 20, events, 2);
	assert_int_equal(newest('p', TTG__FRAME__BODY_STATES)->states->code, TTG_ASKED_BUSY);
	turn(bed);
	assert_int_equal(newest('p', TTG__FRAME__BODY_STATES)->states->ask, 13);
	bed_free(&bed);
}

static void a_question_without_sense_ends_the_session(void **state)
{
	(void)state;
	for (int wrong = 0; wrong < 4; wrong++) {
		struct bed *bed = bed_new(true);
		struct session *session = open_session(bed, 'p', "prison");
		ProtobufCBinaryData ids[NET_MAX_ASKED + 1];
		Ttg__AskReceipt it = TTG__ASK_RECEIPT__INIT;
		uint8_t id[16] = { 1 };

		for (size_t i = 0; i < NET_MAX_ASKED + 1; i++)
			ids[i] = (ProtobufCBinaryData){ wrong == 3 && i == 1 ? 15 : 16, id };
		it.ask = wrong != 0;
		it.n_events = wrong == 1 ? 0 : wrong == 2 ? NET_MAX_ASKED + 1 : 2;
		it.events = ids;
		on_ask_receipt(&bed->net, session, &it);
		assert_int_equal(newest('p', TTG__FRAME__BODY_ERROR)->error->code,
				 TTG_SESSION_FRAME);
		assert_int_equal(bed->net.sessions.count, 0);
		bed_free(&bed);
	}
}

static const Ttg__State *state_of(struct bed *bed, struct session *session, uint64_t event)
{
	static uint64_t number;

	ask(bed, session, true, ++number, &event, 1);
	turn(bed);
	const Ttg__States *states = newest('p', TTG__FRAME__BODY_STATES)->states;
	assert_int_equal(states->ask, number);
	assert_int_equal(states->code, 0);
	assert_int_equal(states->n_states, 1);
	return states->states[0];
}

/* The One Service and the police get a release; one of them acknowledges, the rest is given up. */
static void an_event_is_accepted_delivered_acknowledged(void **state)
{
	struct bed *bed = bed_new(true);
	struct session *prison = open_session(bed, 'p', "prison");
	struct session *desk = open_session(bed, 'd', "oneservice");
	Ttg__Attach attach = TTG__ATTACH__INIT;
	Ttg__Ack ack = TTG__ACK__INIT;
	const struct core_now now = net_now(&bed->net);
	char box[] = "in";
	uint64_t given_up;

	(void)state;
	bed->config.max_credit = attach.credit = 10;
	publish(bed, prison, 1, 2, false);
	turn(bed);
	const Ttg__State *it = state_of(bed, prison, 1);
	assert_int_equal(it->code, 0);
	assert_int_equal(it->sequence, sent.frames[0]->published->sequences[0]);
	assert_true(it->accepted_ns >= PLAY_NOW - PLAY_SECOND);
	assert_int_equal(it->delivered, 0);
	attach.handle = ack.handle = 1;
	attach.mailbox = box;
	on_attach(&bed->net, desk, &attach);
	turn(bed);
	it = state_of(bed, prison, 1);
	assert_int_equal(it->delivered, 1);
	assert_int_equal(it->acknowledged, 0);
	ack.up_to = 1;
	on_ack(&bed->net, desk, &ack);
	turn(bed);
	it = state_of(bed, prison, 1);
	assert_int_equal(it->delivered, 1);
	assert_int_equal(it->acknowledged, 1);
	assert_int_equal(state_of(bed, prison, 2)->acknowledged, 0);
	core_give_up(bed->net.core, &now, core_sequence(bed->net.core), &given_up);
	turn(bed);
	assert_int_equal(state_of(bed, prison, 1)->acknowledged, 1);
	assert_int_equal(state_of(bed, prison, 2)->acknowledged, 0);
	bed_free(&bed);
}

static void who_may_not_ask_for_states_learns_nothing(void **state)
{
	struct bed *bed = bed_new(true);
	struct session *session = open_session(bed, 'p', "prison");
	const uint64_t events[] = { 1, 2 };

	(void)state;
	may_ask(bed, PLAY_PRISON, false);
	publish(bed, session, 1, 1, false);
	ask(bed, session, true, 3, events, 2);
	turn(bed);
	const Ttg__States *states = newest('p', TTG__FRAME__BODY_STATES)->states;
	assert_int_equal(states->ask, 3);
	assert_int_equal(states->code, TTG_ASKED_NOT_GRANTED);
	assert_int_equal(states->n_states, 0);
	bed_free(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_of_a_publish_gets_its_receipt_once),
		cmocka_unit_test(a_duplicate_gets_the_receipt_of_the_first),
		cmocka_unit_test(nothing_waits_for_the_signer_but_receipts),
		cmocka_unit_test(without_a_signer_the_answer_says_that_none_will_come),
		cmocka_unit_test(anothers_event_looks_like_none),
		cmocka_unit_test(a_session_that_does_not_read_holds_up_nobody),
		cmocka_unit_test(what_a_session_waited_for_is_forgotten_with_it),
		cmocka_unit_test(more_than_a_session_may_wait_for_is_refused_whole),
		cmocka_unit_test(a_question_without_sense_ends_the_session),
		cmocka_unit_test(an_event_is_accepted_delivered_acknowledged),
		cmocka_unit_test(who_may_not_ask_for_states_learns_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
