/* The core's sink in memory, its restarts, its consumers; see core_play.h. One thread. */
#include "support/core_play.h"

#include "core/erase.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void keep(struct play *play, const struct core_record *given)
{
	struct play_record *record;

	if (play->n_records == play->capacity) {
		play->capacity = play->capacity ? play->capacity * 2 : 64;
		play->records = realloc(play->records, play->capacity * sizeof(*record));
		assert_non_null(play->records);
	}
	record = &play->records[play->n_records++];
	record->kind = given->kind;
	record->len = given->len;
	record->data = malloc(given->len);
	assert_non_null(record->data);
	memcpy(record->data, given->data, given->len);
	if (play->on_append)
		play->on_append(play->arg, play->n_records, given->kind, given->data, given->len);
}

static enum ttg_error play_append(void *self, const struct core_record *records, size_t n,
				  uint64_t *first)
{
	struct play *play = self;

	if (play->append_fails != TTG_OK)
		return play->append_fails;
	*first = play->n_records + 1;
	for (size_t i = 0; i < n; i++)
		keep(play, &records[i]);
	return TTG_OK;
}

static enum ttg_error play_read(void *self, uint64_t sequence, uint8_t *kind, const uint8_t **data,
				 size_t *len)
{
	struct play *play = self;

	assert_true(sequence >= 1 && sequence <= play->n_records);
	if (play->read_fails != TTG_OK)
		return play->read_fails;
	if (play->read_once && sequence == play->read_last)
		return TTG_ECORRUPT;
	play->read_last = sequence;
	if (!play->records[sequence - 1].data)
		return TTG_ENOENT;
	*kind = play->records[sequence - 1].kind;
	*data = play->records[sequence - 1].data;
	*len = play->records[sequence - 1].len;
	return TTG_OK;
}

static bool play_deliver(void *self, uint64_t consumer, const struct core_delivery *delivery)
{
	struct play *play = self;
	struct play_delivery *it;
	Ttg__Event *event;

	if (play->deliver_room == 0)
		return false;
	if (play->deliver_room != UINT32_MAX)
		play->deliver_room--;
	assert_true(delivery->sequence <= play->durable);
	if (play->n_deliveries == play->capacity_deliveries) {
		play->capacity_deliveries = play->capacity_deliveries ? play->capacity_deliveries * 2 : 64;
		play->deliveries = realloc(play->deliveries,
					    play->capacity_deliveries * sizeof(*it));
		assert_non_null(play->deliveries);
	}
	it = &play->deliveries[play->n_deliveries++];
	memset(it, 0, sizeof(*it));
	it->consumer = consumer;
	it->position = delivery->position;
	it->sequence = delivery->sequence;
	it->attempt = delivery->attempt;
	it->has_person = delivery->person_key;
	if (delivery->person_key)
		memcpy(it->person, delivery->person_key, CORE_PERSON_KEY);
	event = ttg__event__unpack(NULL, delivery->event_bytes, delivery->event);
	assert_non_null(event);
	memcpy(it->id, event->id.data, 16);
	snprintf(it->type, sizeof(it->type), "%s", event->type);
	ttg__event__free_unpacked(event, NULL);
	it->n_agreements = delivery->n_agreements;
	assert_true(delivery->n_agreements > 0);
	snprintf(it->agreement, sizeof(it->agreement), "%s", delivery->agreements[0]);
	play->delivered = delivery;
	if (play->on_deliver)
		play->on_deliver(play->arg, it);
	play->delivered = NULL;
	return true;
}

static void play_flush(void *self, uint64_t consumer)
{
	struct play *play = self;

	(void)consumer;
	play->n_flushed = play->n_deliveries;
}

static void play_retracted(void *self)
{
	((struct play *)self)->n_retracted++;
}

static void play_attached(void *self, uint64_t consumer, bool active, uint64_t acknowledged)
{
	struct play *play = self;

	if (active)
		play->active = consumer;
	play->acknowledged = acknowledged;
}

static void play_nacked(void *self, uint64_t consumer, uint64_t position, bool parked)
{
	struct play *play = self;

	(void)consumer;
	play->nacked_position = position;
	play->nacked_parked = parked;
}

static void play_note(void *self, const char *word, const char *mailbox, uint64_t sequence)
{
	struct play *play = self;

	(void)mailbox;
	(void)sequence;
	if (play->n_notes < 64)
		snprintf(play->notes[play->n_notes++], sizeof(play->notes[0]), "%s", word);
}

static enum ttg_error play_take_key(void *self, uint64_t *key)
{
	struct play *play = self;

	*key = ++play->next_key;
	return TTG_OK;
}

static bool is_gone(const struct play *play, uint64_t key)
{
	for (size_t i = 0; i < play->n_gone; i++)
		if (play->gone[i] == key)
			return true;
	return false;
}

/* Every byte turned by one that depends on the key; no payload in these tests has such bytes. */
static void turn(uint64_t key, const uint8_t *in, size_t len, uint8_t *out)
{
	for (size_t i = 0; i < len; i++)
		out[i] = in[i] ^ (uint8_t)(0x80 + key % 64);
}

static enum ttg_error play_seal(void *self, const struct record_event *event, uint8_t *digest,
				uint8_t *sealed)
{
	if (is_gone(self, event->key))
		return TTG_EPERM;
	memset(digest, (int)(event->key & 0xff), RECORD_DIGEST);
	memset(sealed, 0, RECORD_SEAL_BYTES);
	turn(event->key, event->bytes, event->n_bytes, sealed + RECORD_SEAL_BYTES);
	return TTG_OK;
}

static enum ttg_error play_open(void *self, struct record_event *event)
{
	struct play *play = self;

	if (is_gone(play, event->key) || event->n_sealed == 0)
		return TTG_EPERM;
	assert_true(event->n_sealed >= RECORD_SEAL_BYTES);
	event->n_bytes = event->n_sealed - RECORD_SEAL_BYTES;
	assert_true(event->n_bytes <= sizeof(play->opened));
	turn(event->key, event->sealed + RECORD_SEAL_BYTES, event->n_bytes, play->opened);
	event->bytes = play->opened;
	return TTG_OK;
}

void play_destroy(struct play *play)
{
	uint64_t sequence;
	size_t n;
	const uint64_t *keys = core_erased_keys(play->core, &n, &sequence);

	assert_true(play->n_gone + n <= sizeof(play->gone) / sizeof(play->gone[0]));
	if (n > 0)
		memcpy(play->gone + play->n_gone, keys, n * sizeof(*keys));
	play->n_gone += n;
	core_keys_destroyed(play->core, n);
}

size_t play_noted(const struct play *play, const char *word)
{
	size_t n = 0;

	for (size_t i = 0; i < play->n_notes; i++)
		n += strcmp(play->notes[i], word) == 0;
	return n;
}

enum ttg_error play_make_core(struct play *play)
{
	const struct core_sink sink = {
		.self = play,
		.append = play_append,
		.read = play_read,
		.deliver = play_deliver,
		.flush = play_flush,
		.retracted = play_retracted,
		.attached = play_attached,
		.nacked = play_nacked,
		.note = play_note,
		.take_key = play->keys ? play_take_key : NULL,
		.seal = play->keys ? play_seal : NULL,
		.open = play->keys ? play_open : NULL,
	};

	play->core = core_new(&play->options, &sink);
	return play->core ? TTG_OK : TTG_ENOMEM;
}

static struct play *make(uint32_t window, uint32_t max_held, bool keys)
{
	struct play *play = calloc(1, sizeof(*play));

	assert_non_null(play);
	play->keys = keys;
	play->options = (struct core_options){
		.broker = "broker", .person_secret = { 7 }, .max_event_bytes = 65536,
		.max_skew_s = 300, .dedupe_window_ns = 3600 * UINT64_C(1000000000),
		.dedupe_max = 100000, .window = window, .max_held = max_held,
		.look_back_ns = UINT64_C(72) * 3600 * PLAY_SECOND, .max_waiting = 1000,
		.lapse_hold_ns = UINT64_C(3600) * PLAY_SECOND,
	};
	play->deliver_room = UINT32_MAX;
	play->now = (struct core_now){ PLAY_NOW, 1000 };
	assert_int_equal(play_make_core(play), TTG_OK);
	play->rules = play_rules(true);
	assert_int_equal(core_set_rules(play->core, &play->now, play->rules), TTG_OK);
	return play;
}

struct play *play_new(uint32_t window, uint32_t max_held)
{
	return make(window, max_held, false);
}

struct play *play_new_sealed(uint32_t window, uint32_t max_held)
{
	return make(window, max_held, true);
}

void play_free(struct play **play)
{
	core_free(&(*play)->core);
	rules_free(&(*play)->rules);
	for (size_t i = 0; i < (*play)->n_records; i++)
		free((*play)->records[i].data);
	free((*play)->records);
	free((*play)->deliveries);
	free(*play);
	*play = NULL;
}

void play_settle(struct play *play)
{
	int64_t next;

	do {
		play->durable = play->n_records;
		core_durable(play->core, play->durable);
		next = core_pump(play->core, &play->now);
	} while (next == play->now.mono_ns || play->durable != play->n_records);
}

void play_wait(struct play *play, int64_t ns)
{
	play->now.mono_ns += ns;
	play->now.real_ns += ns;
}

void play_restart(struct play *play, uint64_t keep, const uint8_t *snapshot,
				       size_t snapshot_len)
{
	struct message message = { "" };

	core_free(&play->core);
	while (play->n_records > keep)
		free(play->records[--play->n_records].data);
	assert_int_equal(play_make_core(play), TTG_OK);
	if (snapshot)
		assert_int_equal(core_restore(play->core, snapshot, snapshot_len, &message), TTG_OK);
	for (uint64_t i = core_sequence(play->core); i < play->n_records; i++) {
		const struct play_record *it = &play->records[i];
		enum ttg_error code = core_apply(play->core, i + 1, it->kind, it->data, it->len,
						 &message);

		if (code != TTG_OK)
			fail_msg("record %" PRIu64 ": %s", i + 1, message.text);
	}
	play->durable = play->n_records;
	core_durable(play->core, play->durable);
	assert_int_equal(core_set_rules(play->core, &play->now, play->rules), TTG_OK);
}

struct core_mailbox_view play_view(const struct play *play, int box)
{
	struct core_mailbox_view view;

	core_mailbox_view(play->core, (size_t)box, &view);
	assert_string_equal(view.id, play_mailboxes[box]);
	return view;
}

void play_attach(struct play *play, int box, uint64_t consumer,
				      uint32_t credit)
{
	assert_int_equal(core_attach(play->core, &play->now, consumer,
				     play_agencies[play_owners[box]], play_mailboxes[box], credit),
			 TTG_OK);
}
