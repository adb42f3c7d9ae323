/*
 * The publishing half of a client. Runs on the thread that polls it.
 *
 * Batching is by back-pressure alone: publish_flush() sends whatever is queued whenever the window
 * has room, so a lone event goes at once and a crowd that gathered behind a full window goes as one
 * frame.
 *
 * Invariants: entries[head..tail) in order of the calls; `open` of them are not DONE; entry `head`
 * is not DONE; nothing below `cursor` is QUEUED; every SENT entry is in exactly one frame. An
 * application's callback may publish, so entries are addressed by number and never by a pointer
 * kept across one.
 *
 * On failure: a lost session makes all SENT entries QUEUED (the broker answers "duplicate" for those
 * it had accepted). A failed outbox breaks the client: nothing is sent, nothing is answered.
 */
#include "client/publish.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "client/client_internal.h"

#define FIRST_CAPACITY	   256
#define FRAME_OVERHEAD	   (32 + SIGN_FRAME_BYTES) /* Frame and Publish around the events */
/* Of a frame, unless one event is larger: more in one gains nothing, and a slow broker has many waiting. */
#define PUBLISH_FRAME_BYTES (256u * 1024)
#define EVENT_OVERHEAD	   6  /* tag and length of one event */
#define FIRST_BACKOFF_MS   100
#define LONGEST_BACKOFF_MS 5000

static struct publish_entry *entry_at(struct publisher *publisher, uint64_t number)
{
	assert(number >= publisher->head && number < publisher->tail);
	return &publisher->entries[number & (publisher->capacity - 1)];
}

enum ttg_error publish_init(struct publisher *publisher, size_t max_pending)
{
	*publisher = (struct publisher){ .max_pending = max_pending, .next_frame = 1 };
	publisher->frames = calloc(PUBLISH_MAX_WINDOW, sizeof(*publisher->frames));
	return publisher->frames ? TTG_OK : TTG_ENOMEM;
}

static void forget_payload(struct publisher *publisher, struct publish_entry *entry)
{
	if (!entry->event)
		return;
	free(entry->event);
	entry->event = NULL;
	publisher->in_memory--;
	publisher->memory_bytes -= entry->bytes;
}

void publish_fini(struct publisher *publisher)
{
	for (uint64_t i = publisher->head; i < publisher->tail; i++)
		forget_payload(publisher, entry_at(publisher, i));
	for (size_t i = 0; i < publisher->n_frames; i++)
		free(publisher->frames[i].entries);
	free(publisher->frames);
	free(publisher->entries);
	*publisher = (struct publisher){ 0 };
}

/* Makes room for n more entries. */
static enum ttg_error reserve(struct publisher *publisher, size_t n)
{
	size_t used = (size_t)(publisher->tail - publisher->head);
	size_t capacity = publisher->capacity ? publisher->capacity : FIRST_CAPACITY;

	if (used + n <= publisher->capacity)
		return TTG_OK;
	while (capacity < used + n)
		capacity *= 2;
	struct publish_entry *entries = calloc(capacity, sizeof(*entries));
	if (!entries)
		return TTG_ENOMEM;
	for (uint64_t i = publisher->head; i < publisher->tail; i++)
		entries[i & (capacity - 1)] = *entry_at(publisher, i);
	free(publisher->entries);
	publisher->entries = entries;
	publisher->capacity = capacity;
	return TTG_OK;
}

static void append(struct publisher *publisher, const struct publish_entry *entry)
{
	publisher->tail++;
	*entry_at(publisher, publisher->tail - 1) = *entry;
	publisher->open++;
	if (entry->event) {
		publisher->in_memory++;
		publisher->memory_bytes += entry->bytes;
	}
}

static enum ttg_error recover_one(void *arg, const uint8_t id[16], uint32_t bytes,
				  const struct outbox_place *place)
{
	struct publisher *publisher = arg;
	struct publish_entry entry = { .bytes = bytes, .place = *place };

	if (reserve(publisher, 1) != TTG_OK)
		return TTG_ENOMEM;
	memcpy(entry.id, id, sizeof(entry.id));
	append(publisher, &entry);
	return TTG_OK;
}

enum ttg_error publish_recover(struct ttg_client *client)
{
	return outbox_each(client->outbox, recover_one, &client->publisher);
}

static enum ttg_error check_items(const struct ttg_client *client,
				  const struct ttg_publish_item *items, size_t n, size_t *bytes)
{
	*bytes = 0;
	for (size_t i = 0; i < n; i++) {
		if (!items[i].id || !items[i].event || items[i].event_bytes == 0)
			return TTG_EINVAL;
		if (items[i].event_bytes > session_max_event_bytes(client))
			return TTG_ELIMIT;
		*bytes += items[i].event_bytes;
	}
	return TTG_OK;
}

static bool memory_has_room(const struct publisher *publisher, size_t n, size_t bytes)
{
	return n <= publisher->max_pending &&
	       publisher->in_memory <= publisher->max_pending - n &&
	       publisher->memory_bytes + bytes <= PUBLISH_MAX_MEMORY;
}

static void free_copies(struct publish_entry *entries, size_t n)
{
	for (size_t i = 0; entries && i < n; i++)
		free(entries[i].event);
	free(entries);
}

/* Entries for the items; with copies of the events unless they stay on disk only. */
static struct publish_entry *copy_items(const struct ttg_publish_item *items, size_t n,
					bool with_events)
{
	struct publish_entry *entries = calloc(n, sizeof(*entries));

	for (size_t i = 0; entries && i < n; i++) {
		memcpy(entries[i].id, items[i].id, sizeof(entries[i].id));
		entries[i].tag = items[i].tag;
		entries[i].bytes = (uint32_t)items[i].event_bytes;
		if (!with_events)
			continue;
		entries[i].event = malloc(items[i].event_bytes);
		if (!entries[i].event) {
			free_copies(entries, n);
			return NULL;
		}
		memcpy(entries[i].event, items[i].event, items[i].event_bytes);
	}
	return entries;
}

static enum ttg_error store(struct ttg_client *client, const struct ttg_publish_item *items,
			    size_t n, struct publish_entry *entries)
{
	struct outbox_place *places = calloc(n, sizeof(*places));

	if (!places)
		return TTG_ENOMEM;
	enum ttg_error code = outbox_put(client->outbox, items, n, places);
	for (size_t i = 0; code == TTG_OK && i < n; i++)
		entries[i].place = places[i];
	free(places);
	if (code == TTG_EIO)
		client_break(client, "the outbox cannot be written");
	return code;
}

enum ttg_error publish_take(struct ttg_client *client, const struct ttg_publish_item *items,
			    size_t n)
{
	struct publisher *publisher = &client->publisher;
	size_t bytes;

	enum ttg_error code = check_items(client, items, n, &bytes);
	if (code != TTG_OK)
		return code;
	bool in_memory = memory_has_room(publisher, n, bytes);
	if (!client->outbox && (!in_memory || publisher->open + n > publisher->max_pending))
		return n > publisher->max_pending ? TTG_ELIMIT : TTG_EAGAIN;
	if (client->outbox && publisher->open + n > OUTBOX_MAX_EVENTS)
		return TTG_ENOSPC;
	if (reserve(publisher, n) != TTG_OK)
		return TTG_ENOMEM;
	struct publish_entry *entries = copy_items(items, n, in_memory);
	if (!entries)
		return TTG_ENOMEM;
	if (client->outbox)
		code = store(client, items, n, entries);
	if (code != TTG_OK) {
		free_copies(entries, n);
		return code;
	}
	for (size_t i = 0; i < n; i++)
		append(publisher, &entries[i]);
	free(entries);
	return TTG_OK;
}

static void hold_back(struct ttg_client *client)
{
	struct publisher *publisher = &client->publisher;

	publisher->probe_events = 1;
	if (client->now_ns < publisher->resume_ns)
		return; /* refused together with what is waiting already */
	publisher->backoff_ms = publisher->backoff_ms == 0 ? FIRST_BACKOFF_MS :
							     publisher->backoff_ms * 2;
	if (publisher->backoff_ms > LONGEST_BACKOFF_MS)
		publisher->backoff_ms = LONGEST_BACKOFF_MS;
	publisher->resume_ns = client->now_ns + publisher->backoff_ms * NS_PER_MS;
}

static void put_back(struct ttg_client *client, uint64_t number)
{
	struct publisher *publisher = &client->publisher;

	entry_at(publisher, number)->state = PUBLISH_QUEUED;
	if (number < publisher->cursor)
		publisher->cursor = number;
}

/* Makes sure that the event is in memory. False: the client is broken, or memory is out. */
static bool load(struct ttg_client *client, uint64_t number)
{
	struct publisher *publisher = &client->publisher;
	struct publish_entry *entry = entry_at(publisher, number);

	if (entry->event)
		return true;
	assert(client->outbox);
	uint8_t *event = malloc(entry->bytes);
	if (!event)
		return false;
	enum ttg_error code = outbox_read(client->outbox, &entry->place, entry->bytes, event);
	if (code != TTG_OK) {
		free(event);
		if (code != TTG_ENOMEM)
			client_break(client, "the outbox cannot be read back");
		return false;
	}
	entry->event = event;
	publisher->in_memory++;
	publisher->memory_bytes += entry->bytes;
	return true;
}

/* Puts a refused event aside. False: it could not be, and stays queued for another try. */
static bool keep_refused(struct ttg_client *client, uint64_t number, enum ttg_error code,
			 const char *text)
{
	if (!client->outbox || code == TTG_OK)
		return true;
	if (client->broken || !load(client, number))
		return false;
	const struct publish_entry *entry = entry_at(&client->publisher, number);
	enum ttg_error kept = outbox_refuse(client->outbox, entry->id, entry->event, entry->bytes,
					    code, text);
	if (kept != TTG_OK && kept != TTG_ENOSPC && kept != TTG_ENOMEM)
		client_break(client, "a refused event cannot be put aside");
	return kept == TTG_OK;
}

/* The final answer for one entry. */
static void conclude(struct ttg_client *client, uint64_t number, struct ttg_outcome *outcome)
{
	struct publisher *publisher = &client->publisher;
	uint8_t id[16];

	if (!keep_refused(client, number, outcome->code, outcome->text)) {
		put_back(client, number);
		hold_back(client);
		return;
	}
	struct publish_entry *entry = entry_at(publisher, number);
	forget_payload(publisher, entry);
	entry->state = PUBLISH_DONE;
	publisher->open--;
	memcpy(id, entry->id, sizeof(id));
	outcome->id = id;
	outcome->tag = entry->tag;
	if (client->outbox && !PLANTED(OUTBOX_DONE_EARLY))
		outbox_done(client->outbox, &entry->place);
	while (publisher->head < publisher->tail &&
	       entry_at(publisher, publisher->head)->state == PUBLISH_DONE)
		publisher->head++;
	if (publisher->cursor < publisher->head)
		publisher->cursor = publisher->head;
	client->callbacks_run++;
	if (client->callbacks.on_outcome)
		client->callbacks.on_outcome(client->callbacks.user, outcome);
	if (client->want_receipts && outcome->code == TTG_OK && publisher->no_receipts != TTG_OK)
		ask_no_receipt(client, id, publisher->no_receipts);
	outcome->id = NULL;
}

static bool too_large(const struct session *session, const struct publish_entry *entry)
{
	return entry->bytes > session->max_event_bytes ||
	       entry->bytes > session->max_frame_bytes - FRAME_OVERHEAD - EVENT_OVERHEAD;
}

/* An earlier process may have stored what this broker never takes. */
static void conclude_too_large(struct ttg_client *client, uint64_t number)
{
	struct ttg_outcome outcome = { .code = TTG_REFUSED_TOO_LARGE,
				       .text = "longer than this broker takes" };

	conclude(client, number, &outcome);
}

static uint32_t frame_limit(const struct ttg_client *client)
{
	uint32_t probe = client->publisher.probe_events;

	return probe && probe < client->session.max_events ? probe : client->session.max_events;
}

/* The one behind entry i, which may have been concluded meanwhile, and with it others behind it. */
static uint64_t behind(const struct publisher *publisher, uint64_t i)
{
	return i + 1 > publisher->head ? i + 1 : publisher->head;
}

/* Picks the entries of the next frame. Returns how many; numbers[] has room for frame_limit(). */
static size_t pick(struct ttg_client *client, uint64_t *numbers)
{
	struct publisher *publisher = &client->publisher;
	const size_t limit = client->session.max_frame_bytes;
	size_t left = (limit < PUBLISH_FRAME_BYTES ? limit : PUBLISH_FRAME_BYTES) - FRAME_OVERHEAD;
	size_t n = 0;

	for (uint64_t i = publisher->cursor; i < publisher->tail && n < frame_limit(client);
	     i = behind(publisher, i)) {
		struct publish_entry *entry = entry_at(publisher, i);

		if (entry->state != PUBLISH_QUEUED)
			continue;
		if (too_large(&client->session, entry)) {
			if (n > 0)
				break;
			conclude_too_large(client, i);
			if (client->session.state != SESSION_READY || client->publisher.probe_events)
				break;
			continue;
		}
		const size_t bytes = entry->bytes + EVENT_OVERHEAD;
		if ((bytes > left && n > 0) || !load(client, i))
			break;
		left -= bytes < left ? bytes : left;
		numbers[n++] = i;
	}
	return client->broken ? 0 : n;
}

static enum ttg_error send_frame(struct ttg_client *client, const uint64_t *numbers, size_t n)
{
	struct publisher *publisher = &client->publisher;
	ProtobufCBinaryData *events = calloc(n, sizeof(*events));
	Ttg__Publish publish = TTG__PUBLISH__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	if (!events)
		return TTG_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct publish_entry *entry = entry_at(publisher, numbers[i]);

		events[i].data = entry->event;
		events[i].len = entry->bytes;
	}
	publish.frame = publisher->next_frame;
	publish.answered = publisher->answered;
	publish.receipts = client->want_receipts && client->session.max_asked > 0;
	publish.n_events = n;
	publish.events = events;
	frame.body_case = TTG__FRAME__BODY_PUBLISH;
	frame.publish = &publish;
	enum ttg_error code = client->signing ? sign_publish(client->signing, client->session.agency,
							     &publish) : TTG_OK;
	if (code == TTG_OK)
		code = session_send(client, &frame);
	free(events);
	return code;
}

/* The frame is out. With an outbox the disk has the events from here on. */
static void note_sent(struct ttg_client *client, uint64_t *take_numbers, size_t n)
{
	struct publisher *publisher = &client->publisher;

	publisher->frames[publisher->n_frames++] =
		(struct publish_frame){ publisher->next_frame++, n, take_numbers };
	for (size_t i = 0; i < n; i++) {
		struct publish_entry *entry = entry_at(publisher, take_numbers[i]);

		entry->state = PUBLISH_SENT;
		if (PLANTED(OUTBOX_DONE_EARLY) && client->outbox)
			outbox_done(client->outbox, &entry->place);
		if (client->outbox)
			forget_payload(publisher, entry);
	}
	publisher->cursor = take_numbers[n - 1] + 1;
}

/* Sends one frame. False: nothing (more) to send or no room. */
static bool flush_one(struct ttg_client *client)
{
	uint64_t *numbers = calloc(frame_limit(client), sizeof(*numbers));

	if (!numbers)
		return false;
	size_t n = pick(client, numbers);
	if (n == 0 || send_frame(client, numbers, n) != TTG_OK) {
		free(numbers);
		return false;
	}
	note_sent(client, numbers, n);
	return true;
}

bool publish_wants_to_send(const struct ttg_client *client)
{
	const struct publisher *publisher = &client->publisher;
	uint32_t window = publisher->probe_events ? 1 : client->session.window;

	return client->session.state == SESSION_READY && !client->broken &&
	       publisher->cursor < publisher->tail && publisher->n_frames < window &&
	       client->now_ns >= publisher->resume_ns;
}

void publish_flush(struct ttg_client *client)
{
	while (publish_wants_to_send(client) && transport_writable(&client->transport))
		if (!flush_one(client))
			break;
}

int64_t publish_next_ns(const struct ttg_client *client)
{
	const struct publisher *publisher = &client->publisher;

	if (client->session.state != SESSION_READY || publisher->cursor >= publisher->tail ||
	    publisher->n_frames > 0 || client->now_ns >= publisher->resume_ns)
		return INT64_MAX;
	return publisher->resume_ns;
}

void publish_rewind(struct publisher *publisher)
{
	for (size_t i = 0; i < publisher->n_frames; i++) {
		for (size_t j = PLANTED(RESEND_SECOND) ? 1 : 0; j < publisher->frames[i].n; j++) {
			struct publish_entry *entry =
				entry_at(publisher, publisher->frames[i].entries[j]);

			if (entry->state == PUBLISH_SENT)
				entry->state = PUBLISH_QUEUED;
		}
		free(publisher->frames[i].entries);
	}
	publisher->n_frames = 0;
	publisher->next_frame = 1;
	publisher->answered = 0;
	publisher->cursor = publisher->head;
}

/* Sorts `others` by index into by_index[n]. False: they contradict `sequences`. */
static bool match_others(const Ttg__Published *published, const Ttg__Outcome **by_index, size_t n)
{
	for (size_t i = 0; i < published->n_others; i++) {
		const Ttg__Outcome *other = published->others[i];

		if (other->index >= n || by_index[other->index])
			return false;
		if (other->code == 0 ? other->sequence == 0 :
				       other->code < 100 || other->code > 199)
			return false;
		by_index[other->index] = other;
	}
	for (size_t i = 0; i < n; i++)
		if ((published->sequences[i] == 0) != (by_index[i] != NULL))
			return false;
	return true;
}

/* Takes a frame out of the window. */
static bool take_frame(struct publisher *publisher, uint64_t number, struct publish_frame *out)
{
	for (size_t i = 0; i < publisher->n_frames; i++) {
		if (publisher->frames[i].number != number)
			continue;
		*out = publisher->frames[i];
		publisher->n_frames--;
		memmove(&publisher->frames[i], &publisher->frames[i + 1],
			(publisher->n_frames - i) * sizeof(*publisher->frames));
		return true;
	}
	return false;
}

static void answer_one(struct ttg_client *client, uint64_t number, uint64_t sequence,
		       const Ttg__Outcome *other)
{
	char text[TTG_MESSAGE_TEXT] = "";
	struct ttg_outcome outcome = { .sequence = sequence, .text = text };

	if (other) {
		client_clean_text(text, sizeof(text), other->text);
		outcome.code = (enum ttg_error)other->code;
		outcome.duplicate = other->code == 0;
		outcome.sequence = other->code == 0 ? other->sequence : 0;
	}
	conclude(client, number, &outcome);
}

/* It does not follow on what the broker knows; but something before it is to be sent again. */
static bool is_early(const struct publisher *publisher, uint64_t number, enum ttg_error code)
{
	return code == TTG_REFUSED_REFERRAL && publisher->cursor < number;
}

/* Makes everything that asks for another try queued before anything is concluded. */
static bool requeue_retryable(struct ttg_client *client, const struct publish_frame *frame,
			      const Ttg__Outcome **by_index)
{
	struct publisher *publisher = &client->publisher;
	enum ttg_error first = TTG_OK, code;
	bool again = false;

	for (size_t i = 0; i < frame->n; i++) {
		code = by_index[i] ? (enum ttg_error)by_index[i]->code : TTG_OK;
		if (!ttg_error_retryable(code) && !is_early(publisher, frame->entries[i], code))
			continue;
		put_back(client, frame->entries[i]);
		again = true;
		if (first == TTG_OK && ttg_error_retryable(code))
			first = code;
	}
	if (first == TTG_OK)
		return again;
	bool news = publisher->backoff_ms == 0;
	hold_back(client);
	if (news)
		client_report(client, first, "the broker asks to send again later");
	return true;
}

/* A frame went through whole: widen, or end, the probing. */
static void probe_went_well(struct publisher *publisher, uint32_t max_events)
{
	if (publisher->probe_events == 0)
		return;
	publisher->probe_events *= 2;
	if (publisher->probe_events >= max_events) {
		publisher->probe_events = 0;
		publisher->backoff_ms = 0;
	}
}

static void apply(struct ttg_client *client, const struct publish_frame *frame,
		  const Ttg__Published *published, const Ttg__Outcome **by_index)
{
	if (!requeue_retryable(client, frame, by_index))
		probe_went_well(&client->publisher, client->session.max_events);
	for (size_t i = 0; i < frame->n; i++) {
		if (entry_at(&client->publisher, frame->entries[i])->state != PUBLISH_SENT)
			continue;
		answer_one(client, frame->entries[i], published->sequences[i], by_index[i]);
	}
}

bool publish_answered(struct ttg_client *client, const Ttg__Published *published,
		      const char **why)
{
	struct publish_frame frame;
	bool fine = false;

	if (!take_frame(&client->publisher, published->frame, &frame)) {
		*why = "an answer to a Publish that was not sent";
		return false;
	}
	client->publisher.answered = published->frame;
	client->publisher.no_receipts = client->session.max_asked == 0 ?
						TTG_EVERSION :
						(enum ttg_error)published->receipts;
	const Ttg__Outcome **by_index = calloc(frame.n, sizeof(*by_index));
	if (by_index && published->n_sequences == frame.n &&
	    ask_code_is_sound(published->receipts) && match_others(published, by_index, frame.n)) {
		apply(client, &frame, published, by_index);
		fine = true;
	} else {
		*why = "an answer that does not fit its Publish";
		for (size_t i = 0; i < frame.n; i++)
			put_back(client, frame.entries[i]);
	}
	free(by_index);
	free(frame.entries);
	return fine;
}
