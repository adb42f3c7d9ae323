/* See actor.h. What the application did is in the model; what it holds is here. */
#include "sim/actor.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_internal.h"
#include "evidence/receipt.h"
#include "sim/memory.h"
#include "sim/model.h"
#include "sim/signing.h"
#include "sim/wire.h"
#include "sim/words.h"

#define OUTBOX       "/outbox"
#define OUTBOX_BYTES (256u * 1024)
#define QUEUE        512
#define REFUSED      64
#define MAX_PENDING  64
#define CLIENT_BYTES (36u * 1024) /* libttg without events */
#define SIGNING_BYTES (8u * 1024) /* of one that signs: the tree over a frame */
#define EVENT_BYTES  256          /* beside its own, for each */

struct role {
	const char *agency;
	int type; /* publishes, -1: not */
	int box;  /* consumes, -1: not */
};

static const struct role roles[LIFE_ACTORS] = {
	{ "prison", TYPE_RELEASED, -1 },      { "police", TYPE_ARREST, -1 },
	{ "oneservice", TYPE_REFERRAL, -1 },  { "prison", TYPE_RELEASED, -1 },
	{ "oneservice", -1, BOX_ONESERVICE }, { "oneservice", -1, BOX_ONESERVICE },
	{ "police", -1, BOX_POLICE },         { "oneservice", -1, BOX_DESK },
	{ "charity", -1, BOX_CHARITY },
};

/* In lives with referrals: who answers, in place of the second of the prison. */
static const struct role provider = { "charity", TYPE_REFERRED, -1 };
#define PROVIDER 3

struct taken {
	uint64_t position;
	int event;
	bool has_person;
	uint8_t person[TTG_PERSON_KEY_BYTES];
};

struct actor {
	int index;
	const struct role *role;
	struct disk *disk;
	struct ttg_client *client; /* NULL: down */
	bool leaving, detached, full;
	bool came_back; /* an earlier process of it ended: outcomes may come again */
	struct taken queue[QUEUE];
	size_t n_queue;
	struct taken refused[REFUSED]; /* and not handed over again */
	size_t n_refused;
};

/* What libttg allocates from here on is this client's. */
static void begin(const struct actor *actor)
{
	memory_work(MEMORY_CLIENT(actor->index));
}

static void end(void)
{
	memory_work(MEMORY_NOBODY);
}

static int event_of(const uint8_t *bytes, size_t len)
{
	Ttg__Event *message = ttg__event__unpack(NULL, len, bytes);
	int index = message ? model_find(life_now->model, message->id.data) : -1;

	ttg__event__free_unpacked(message, NULL);
	return index;
}

/* Known to be one person when the later one was accepted, and called so to consumers: they know nobody
   but by the key he is delivered with. */
static bool same_person(const struct fact *a, const struct fact *b, const struct ttg_delivery *delivery)
{
	return who_was_same(&life_now->model->who, a->number, b->number, b->sequence) &&
	       (!a->was_told || (!a->renamed && delivery->person_key &&
	                         memcmp(a->told, delivery->person_key, CORE_PERSON_KEY) == 0));
}

/* What is handed over for the first time comes after all that was before it in its lane. */
static void check_hand_over(const struct ttg_delivery *delivery, int event)
{
	const struct box *box = model_box(life_now->model, delivery->mailbox);
	const struct fact *it;

	life_check(box, "a delivery from mailbox %s, which does not exist", delivery->mailbox);
	if (delivery->position > box->n || box->facts[delivery->position - 1].event != event)
		return; /* of before the operator went back */
	it = &box->facts[delivery->position - 1];
	for (uint64_t i = 0; i < box->n && i + 1 < delivery->position; i++) {
		const struct fact *fact = &box->facts[i];

		if (box->facts[i].event == event)
			break;
		life_check(!same_person(fact, it, delivery) ||
		                   fact->state == FACT_SETTLED ||
		                   life_now->model->events[fact->event].seen[box->play],
		           "%s: position %" PRIu64 " is handed over before %" PRIu64
		           " of the same person",
		           box->id, delivery->position, i + 1);
	}
}

/* Nothing about a person comes after a refusal but the refused one itself. */
static void check_refused(struct actor *actor, const struct taken *it, const char *mailbox)
{
	const struct box *box = model_box(life_now->model, mailbox);

	for (size_t i = 0; i < actor->n_refused; i++) {
		const struct taken *refused = &actor->refused[i];

		if (refused->event == it->event) {
			actor->refused[i--] = actor->refused[--actor->n_refused];
			continue;
		}
		life_check(!refused->has_person || !it->has_person ||
		                   refused->position > it->position ||
		                   memcmp(refused->person, it->person, sizeof(it->person)) != 0 ||
		                   refused->position > box->n ||
		                   box->facts[refused->position - 1].event != refused->event ||
		                   /* Called otherwise now: the link went when the operator went back. */
		                   memcmp(box->facts[refused->position - 1].told, it->person,
		                          sizeof(it->person)) != 0 ||
		                   box->facts[refused->position - 1].state == FACT_SETTLED,
		           "%s: position %" PRIu64 " is handed over after %" PRIu64
		           " of the same person was refused",
		           mailbox, it->position, refused->position);
	}
}

static void on_delivery(void *user, const struct ttg_delivery *delivery)
{
	struct actor *actor = user;
	int index = event_of(delivery->event, delivery->event_bytes);
	struct said *event;
	struct taken *it;

	life_check(index >= 0, "an application gets an event that nobody published");
	life_trace("client %d: takes %s %" PRIu64, actor->index, delivery->mailbox,
	           delivery->position);
	event = &life_now->model->events[index];
	life_check(said_is(event, actor->role->box, delivery->event, delivery->event_bytes) &&
	                   delivery->redacted == (event->part && actor->role->box == BOX_POLICE),
	           "an application gets event %d with other bytes", index);
	if (!event->seen[actor->role->box])
		check_hand_over(delivery, index);
	event->seen[actor->role->box] = true;
	for (size_t i = 0; i < actor->n_queue; i++)
		if (actor->queue[i].position == delivery->position)
			actor->queue[i--] = actor->queue[--actor->n_queue];
	life_check(actor->n_queue < QUEUE, "more deliveries than any credit allows");
	it = &actor->queue[actor->n_queue++];
	*it = (struct taken){ .position = delivery->position,
		              .event = index,
		              .has_person = delivery->person_key };
	if (delivery->person_key)
		memcpy(it->person, delivery->person_key, sizeof(it->person));
	check_refused(actor, it, delivery->mailbox);
}

static void on_outcome(void *user, const struct ttg_outcome *outcome)
{
	struct actor *actor = user;
	int index = model_find(life_now->model, outcome->id);
	struct said *event;

	life_check(index >= 0, "an outcome of an event that nobody published");
	event = &life_now->model->events[index];
	life_check(event->actor == actor->index, "an outcome goes to another client");
	life_check(event->open || actor->came_back || event->forgotten, "event %d has two outcomes",
	           index);
	if (outcome->code == TTG_OK)
		life_check(event->sequence == outcome->sequence || event->restored_away,
		           "event %d is told to be accepted as %" PRIu64 ", it is %" PRIu64, index,
		           outcome->sequence, event->sequence);
	else
		life_check(event->refused, "event %d is told to be refused: %s", index,
		           outcome->text);
	event->open = false;
}

/* It is of the event it says, and of what was accepted, not of what was put back since. */
static void on_receipt(void *user, const struct ttg_receipt *receipt)
{
	const struct actor *actor = user;
	int index = model_find(life_now->model, receipt->id);
	const struct said *event;
	struct receipt it;
	size_t line;

	life_check(index >= 0, "a receipt for an event that nobody published");
	event = &life_now->model->events[index];
	life_trace("client %d: receipt of event %d: %s", actor->index, index,
	           ttg_error_name(receipt->code));
	if (receipt->code != TTG_OK) {
		/* What it needs was retained away, or could not be read then. */
		life_check(receipt->code == TTG_ASKED_NOT_HELD ||
		                   receipt->code == TTG_ASKED_FAILED,
		           "no receipt for event %d: %s", index, ttg_error_name(receipt->code));
		return;
	}
	life_check(receipt_read(receipt->text, receipt->text_bytes, &it, &line),
	           "a receipt that is none");
	signing_check_receipt(&it);
	life_check(memcmp(it.leaf.id, receipt->id, sizeof(it.leaf.id)) == 0 &&
	                   (it.leaf.sequence == event->sequence || event->restored_away),
	           "event %d gets the receipt of %" PRIu64, index, it.leaf.sequence);
}

static void on_state(void *user, enum ttg_state state, enum ttg_error code, const char *text)
{
	const struct actor *actor = user;

	(void)state;
	life_trace("client %d: %s %s", actor->index, ttg_error_name(code), text);
	life_check(code != TTG_SESSION_FRAME || wire_has_repeated(life_now->wire),
	           "client %d finds the protocol broken: %s", actor->index, text);
}

static enum ttg_error make_client(struct actor *actor, char message[TTG_MESSAGE_TEXT])
{
	const struct ttg_client_options options = {
		.broker = "tcp://broker:1",
		.server_key_file = "broker",
		.key_file = actor->role->agency,
		.signing_key_file =
			signing_wanted(actor->role->agency) ? actor->role->agency : NULL,
		.outbox_dir = life_now->plan->outbox[actor->index] ? OUTBOX : NULL,
		.outbox_max_bytes = OUTBOX_BYTES,
		.max_pending = MAX_PENDING,
		.reconnect_min_ms = 10,
		.reconnect_max_ms = 1000,
		.want_receipts = life_now->plan->seed % 2 == 0,
		.callbacks = { .user = actor,
		               .on_outcome = on_outcome,
		               .on_delivery = on_delivery,
		               .on_receipt = on_receipt,
		               .on_state = on_state },
	};

	enum ttg_error code;

	begin(actor);
	code = client_new_in_world(&actor->client, &options, disk_world(actor->disk), message);
	end();
	return code;
}

static void attach(struct actor *actor)
{
	actor->detached = false;
	begin(actor);
	if (actor->role->box >= 0)
		ttg_client_attach(actor->client, play_mailboxes[actor->role->box],
		                  life_now->plan->credit);
	end();
}

/* A client may fail to come back only for something that was done to it. */
static void try_start(struct actor *actor)
{
	uint64_t before = disk_flipped(actor->disk) ? disk_digest(actor->disk, OUTBOX) : 0;
	char message[TTG_MESSAGE_TEXT] = "";
	enum ttg_error error = make_client(actor, message);

	actor->leaving = false;
	life_trace("client %d: %s %s", actor->index, ttg_error_name(error), message);
	if (!error) {
		attach(actor);
	} else if (disk_dead(actor->disk)) {
		disk_crash(actor->disk, DISK_CRASH_ANY);
	} else if (disk_met_fault(actor->disk) || actor->full) {
		disk_crash(actor->disk, DISK_CRASH_PROCESS);
		disk_heal(actor->disk);
		actor->full = false;
	} else if (disk_flipped(actor->disk)) {
		life_check(before == disk_digest(actor->disk, OUTBOX),
		           "an outbox that was refused is another now");
		disk_unflip(actor->disk);
		disk_crash(actor->disk, DISK_CRASH_PROCESS);
	} else {
		life_fail("client %d does not start: %s: %s", actor->index, ttg_error_name(error),
		          message);
	}
}

/* What it holds beside a little is events without an answer, at most twice each. */
static void check_memory(const struct actor *actor)
{
	const struct model *model = life_now->model;
	const size_t held = memory_held(MEMORY_CLIENT(actor->index));
	const struct transport *transport = &actor->client->transport;
	size_t allowed = CLIENT_BYTES + (actor->client->signing ? SIGNING_BYTES : 0);

	for (size_t i = 0; held > CLIENT_BYTES && i < model->n_events; i++)
		if (model->events[i].actor == actor->index && model->events[i].open)
			allowed += 2 * (model->events[i].len + EVENT_BYTES);
	life_check(held <= allowed, "client %d holds %zu bytes, allowed are %zu", actor->index,
	           held, allowed);
	/* Of positions it settled: in one mailbox, and in one it is about to leave; more of these
	   have to wait while nothing can be sent. */
	life_check(memory_large(MEMORY_CLIENT(actor->index)) <= 2 ||
	                   (transport->socket && !transport_writable(transport)),
	           "client %d holds %zu buffers", actor->index,
	           memory_large(MEMORY_CLIENT(actor->index)));
}

static void free_client(struct actor *actor)
{
	ttg_client_free(&actor->client);
	life_check(memory_held(MEMORY_CLIENT(actor->index)) == 0 &&
	                   memory_large(MEMORY_CLIENT(actor->index)) == 0,
	           "client %d ended and left %zu bytes", actor->index,
	           memory_held(MEMORY_CLIENT(actor->index)));
}

/* What was not on its disk is gone with the process. */
static void end_process(struct actor *actor)
{
	struct model *model = life_now->model;

	for (size_t i = 0; i < model->n_events && !life_now->plan->outbox[actor->index]; i++) {
		struct said *event = &model->events[i];

		if (event->actor != actor->index || !event->open)
			continue;
		event->open = false;
		event->forgotten = true;
	}
	free_client(actor);
	actor->came_back = true;
	actor->n_queue = actor->n_refused = 0;
}

void actor_crash(struct actor *actor, enum disk_crash how)
{
	disk_kill(actor->disk);
	if (actor->client)
		end_process(actor);
	disk_crash(actor->disk, how);
	if (how != DISK_CRASH_PROCESS && !life_now->peaceful && life_draw(8) == 0)
		disk_flip(actor->disk, OUTBOX);
}

void actor_poll(struct actor *actor)
{
	if (!actor->client)
		try_start(actor);
	if (!actor->client)
		return;
	begin(actor);
	ttg_client_poll(actor->client, 0);
	end();
	check_memory(actor);
	if (disk_dead(actor->disk)) {
		actor_crash(actor, DISK_CRASH_ANY);
	} else if (ttg_client_closed(actor->client)) {
		life_check(actor->leaving || disk_met_fault(actor->disk) ||
		                   disk_flipped(actor->disk) || actor->full,
		           "client %d ended by itself", actor->index);
		end_process(actor);
		disk_crash(actor->disk, life_draw(4) ? DISK_CRASH_PROCESS : DISK_CRASH_ANY);
	}
}

void actor_publish(struct actor *actor)
{
	struct model *model = life_now->model;
	struct ttg_publish_item items[4];
	size_t n = 1 + (size_t)life_draw(4);
	struct play play = { 0 };
	enum ttg_error code;
	int first = 0;

	if (!actor->client || actor->role->type < 0 || actor->leaving || model->n_events > 1500)
		return;
	for (size_t i = 0; i < n; i++) {
		int index = words_say(&play, actor->role->type, actor->index);

		first = i == 0 ? index : first;
	}
	for (size_t i = 0; i < n; i++) {
		const struct said *event = &model->events[first + (int)i];

		items[i] = (struct ttg_publish_item){ event->id, event->bytes, event->len, NULL };
	}
	begin(actor);
	code = ttg_client_publish_many(actor->client, items, n);
	end();
	if (code == TTG_OK)
		return;
	/* Not taken: yet it may be found on the disk, if that is why. */
	for (size_t i = 0; i < n; i++) {
		model->events[first + (int)i].open = false;
		model->events[first + (int)i].forgotten = true;
	}
}

static bool first_of_person(const struct actor *actor, size_t at)
{
	for (size_t i = 0; i < actor->n_queue; i++)
		if (actor->queue[at].has_person && actor->queue[i].has_person &&
		    actor->queue[i].position < actor->queue[at].position &&
		    memcmp(actor->queue[i].person, actor->queue[at].person, TTG_PERSON_KEY_BYTES) ==
		            0)
			return false;
	return true;
}

static void handle(struct actor *actor, size_t at)
{
	life_now->model->events[actor->queue[at].event].handled[actor->role->box] = true;
	actor->queue[at] = actor->queue[--actor->n_queue];
}

static void refuse(struct actor *actor, size_t at)
{
	const struct taken it = actor->queue[at];
	enum ttg_error code;

	begin(actor);
	code = ttg_client_nack(actor->client, play_mailboxes[actor->role->box], it.position,
	                       life_draw(8) ? TTG__NACK_REASON__NACK_TEMPORARY
	                                    : TTG__NACK_REASON__NACK_NOT_OURS,
	                       "no", (uint32_t)life_draw(3) * 50);
	end();
	life_trace("client %d: refuses %" PRIu64 " %s", actor->index, it.position,
	           ttg_error_name(code));
	if (code != TTG_OK) { /* settled meanwhile, by another consumer or the operator */
		actor->queue[at] = actor->queue[--actor->n_queue];
		return;
	}
	if (actor->n_refused < REFUSED)
		actor->refused[actor->n_refused++] = it;
	for (size_t i = 0; i < actor->n_queue; i++)
		if (actor->queue[i].position == it.position ||
		    (it.has_person && actor->queue[i].has_person &&
		     memcmp(actor->queue[i].person, it.person, TTG_PERSON_KEY_BYTES) == 0))
			actor->queue[i--] = actor->queue[--actor->n_queue];
}

static void acknowledge_up_to(struct actor *actor, uint64_t position)
{
	for (size_t i = actor->n_queue; i > 0; i--)
		if (actor->queue[i - 1].position <= position)
			handle(actor, i - 1);
	begin(actor);
	ttg_client_ack_up_to(actor->client, play_mailboxes[actor->role->box], position);
	end();
}

void actor_consume(struct actor *actor)
{
	const char *mailbox = actor->role->box >= 0 ? play_mailboxes[actor->role->box] : NULL;
	size_t times = life_now->peaceful ? actor->n_queue : 1 + (size_t)life_draw(4);

	if (!actor->client || !mailbox)
		return;
	while (times-- > 0 && actor->n_queue > 0) {
		size_t at = (size_t)life_draw(actor->n_queue);
		uint64_t what = life_now->peaceful ? 0 : life_draw(10);

		if (!first_of_person(actor, at) && !life_now->peaceful)
			continue;
		if (what == 9) {
			acknowledge_up_to(actor, actor->queue[at].position);
		} else if (what >= 7) {
			refuse(actor, at);
		} else {
			uint64_t position = actor->queue[at].position;

			handle(actor, at);
			begin(actor);
			ttg_client_ack(actor->client, mailbox, position);
			end();
		}
	}
}

void actor_leave(struct actor *actor)
{
	if (!actor->client)
		return;
	actor->leaving = true;
	begin(actor);
	ttg_client_close_begin(actor->client);
	end();
}

void actor_detach(struct actor *actor)
{
	if (!actor->client || actor->role->box < 0 || actor->leaving)
		return;
	if (actor->detached) {
		attach(actor);
	} else {
		begin(actor);
		ttg_client_detach(actor->client, play_mailboxes[actor->role->box]);
		end();
		actor->detached = true;
		actor->n_queue = actor->n_refused = 0;
	}
}

void actor_peace(struct actor *actor)
{
	bool hurt = disk_met_fault(actor->disk) || disk_dead(actor->disk);

	disk_heal(actor->disk);
	disk_unflip(actor->disk);
	actor->full = false;
	if (actor->client && (ttg_client_closed(actor->client) || hurt))
		actor_crash(actor, DISK_CRASH_PROCESS);
	if (actor->client && actor->detached)
		actor_detach(actor);
}

void actor_flip(struct actor *actor)
{
	disk_flip(actor->disk, OUTBOX);
}

void actor_fill(struct actor *actor, uint64_t left)
{
	actor->full = left != UINT64_MAX;
	disk_set_free(actor->disk, left);
}

struct actor *actor_new(int index)
{
	struct actor *actor = calloc(1, sizeof(*actor));

	assert(actor);
	actor->index = index;
	actor->role = life_now->plan->referred && index == PROVIDER ? &provider : &roles[index];
	actor->disk = disk_new(&life_now->clock, life_now->plan->seed + 1 + (uint64_t)index);
	return actor;
}

void actor_free(struct actor **actor)
{
	free_client(*actor);
	disk_free(&(*actor)->disk);
	free(*actor);
	*actor = NULL;
}

struct disk *actor_disk(struct actor *actor)
{
	return actor->disk;
}

bool actor_publishes(const struct actor *actor)
{
	return actor->role->type >= 0;
}
