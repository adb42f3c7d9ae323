/* See ask.h. Runs on the thread that polls the client. A callback may ask again: no pointer into
   entries is kept across one. */
#include "client/ask.h"

#include <stdlib.h>
#include <string.h>

#include "client/client_internal.h"

#define FIRST_ROOM    16
#define RECEIPT_BYTES 65536 /* far beyond any */

void ask_fini(struct asker *asker)
{
	free(asker->entries);
	*asker = (struct asker){ 0 };
}

static enum ttg_error reserve(struct asker *asker, size_t n)
{
	size_t room = asker->room > 0 ? asker->room : FIRST_ROOM;

	if (asker->n + n > ASK_MAX)
		return TTG_EAGAIN;
	while (room < asker->n + n)
		room *= 2;
	if (room == asker->room)
		return TTG_OK;
	struct ask_entry *grown = realloc(asker->entries, room * sizeof(*grown));
	if (!grown)
		return TTG_ENOMEM;
	asker->entries = grown;
	asker->room = room;
	return TTG_OK;
}

enum ttg_error ask_take(struct ttg_client *client, enum ask_kind kind, const uint8_t (*ids)[16],
			size_t n)
{
	struct asker *asker = &client->asker;

	if (n == 0 || n > ASK_MAX ||
	    (kind == ASK_RECEIPT ? !client->callbacks.on_receipt : !client->callbacks.on_event_state))
		return TTG_EINVAL;
	const enum ttg_error code = reserve(asker, n);
	if (code != TTG_OK)
		return code;
	for (size_t i = 0; i < n; i++) {
		struct ask_entry *entry = &asker->entries[asker->n++];

		*entry = (struct ask_entry){ .kind = kind };
		memcpy(entry->id, ids[i], sizeof(entry->id));
	}
	return TTG_OK;
}

void ask_rewind(struct asker *asker)
{
	for (size_t i = 0; i < asker->n; i++)
		asker->entries[i].ask = 0;
	asker->n_open = 0;
}

bool ask_code_is_sound(uint32_t code)
{
	return code == 0 || (code >= 300 && code <= 399);
}

static void tell_receipt(struct ttg_client *client, const struct ttg_receipt *receipt)
{
	client->callbacks_run++;
	if (client->callbacks.on_receipt)
		client->callbacks.on_receipt(client->callbacks.user, receipt);
}

static void tell_state(struct ttg_client *client, const struct ttg_event_state *state)
{
	client->callbacks_run++;
	client->callbacks.on_event_state(client->callbacks.user, state);
}

void ask_no_receipt(struct ttg_client *client, const uint8_t id[16], enum ttg_error code)
{
	tell_receipt(client, &(struct ttg_receipt){ .id = id, .code = code, .text = "" });
}

static void close_one(struct asker *asker, uint64_t ask)
{
	for (size_t i = 0; i < asker->n_open; i++) {
		if (asker->open[i].ask != ask || --asker->open[i].left > 0)
			continue;
		asker->open[i] = asker->open[--asker->n_open];
		return;
	}
}

static void take_out(struct asker *asker, size_t at, struct ask_entry *out)
{
	*out = asker->entries[at];
	asker->n--;
	memmove(&asker->entries[at], &asker->entries[at + 1],
		(asker->n - at) * sizeof(*asker->entries));
	if (out->ask > 0)
		close_one(asker, out->ask);
}

/* Nothing but the code is told of it. */
static void conclude(struct ttg_client *client, size_t at, enum ttg_error code)
{
	struct ask_entry entry;

	take_out(&client->asker, at, &entry);
	if (entry.kind == ASK_RECEIPT)
		ask_no_receipt(client, entry.id, code);
	else
		tell_state(client, &(struct ttg_event_state){ .id = entry.id, .code = code });
}

/* Place of an entry that was sent; n: there is none. */
static size_t find(const struct asker *asker, enum ask_kind kind, uint64_t ask, uint32_t index)
{
	size_t i = 0;

	while (i < asker->n && (asker->entries[i].kind != kind || asker->entries[i].ask != ask ||
				asker->entries[i].index != index))
		i++;
	return i;
}

/* The whole of a frame is answered with a code. */
static bool conclude_all(struct ttg_client *client, enum ask_kind kind, uint64_t ask, uint32_t code)
{
	struct asker *asker = &client->asker;
	bool any = false;

	for (uint32_t index = 0; ask > 0 && index < ASK_A_FRAME; index++) {
		const size_t at = find(asker, kind, ask, index);

		if (at == asker->n)
			continue;
		any = true;
		conclude(client, at, (enum ttg_error)code);
	}
	return any;
}

static bool is_receipt(const Ttg__Receipt *it)
{
	return it->event.len == 16 && ask_code_is_sound(it->code) &&
	       (it->code == 0) == (it->receipt.len > 0) && it->receipt.len <= RECEIPT_BYTES;
}

static bool take_receipt(struct ttg_client *client, uint64_t ask, const Ttg__Receipt *it)
{
	struct asker *asker = &client->asker;
	struct ask_entry entry;

	if (!is_receipt(it))
		return false;
	if (ask > 0) {
		const size_t at = find(asker, ASK_RECEIPT, ask, it->index);

		if (at == asker->n ||
		    memcmp(asker->entries[at].id, it->event.data, sizeof(entry.id)) != 0)
			return false;
		take_out(asker, at, &entry);
	}
	tell_receipt(client, &(struct ttg_receipt){ .id = it->event.data,
						    .code = (enum ttg_error)it->code,
						    .text = it->code ? "" : (const char *)it->receipt.data,
						    .text_bytes = it->receipt.len });
	return true;
}

bool ask_receipts(struct ttg_client *client, const Ttg__Receipts *receipts, const char **why)
{
	bool fine = ask_code_is_sound(receipts->code);

	*why = "receipts that were not asked for, or do not fit the question";
	if (receipts->frame > 0)
		fine = fine && client->want_receipts && receipts->ask == 0 && receipts->code == 0 &&
		       receipts->frame < client->publisher.next_frame;
	else if (receipts->code > 0)
		return fine && conclude_all(client, ASK_RECEIPT, receipts->ask, receipts->code);
	else
		fine = fine && receipts->ask > 0;
	for (size_t i = 0; fine && i < receipts->n_receipts; i++)
		fine = take_receipt(client, receipts->ask, receipts->receipts[i]);
	return fine;
}

static bool take_state(struct ttg_client *client, uint64_t ask, uint32_t index, const Ttg__State *it)
{
	struct asker *asker = &client->asker;
	const size_t at = find(asker, ASK_STATE, ask, index);
	struct ask_entry entry;

	if (at == asker->n || it->event.len != sizeof(entry.id) || !ask_code_is_sound(it->code) ||
	    memcmp(asker->entries[at].id, it->event.data, sizeof(entry.id)) != 0)
		return false;
	take_out(asker, at, &entry);
	tell_state(client, &(struct ttg_event_state){ .id = entry.id,
						      .code = (enum ttg_error)it->code,
						      .sequence = it->sequence,
						      .accepted_ns = it->accepted_ns,
						      .delivered = it->delivered,
						      .acknowledged = it->acknowledged });
	return true;
}

bool ask_states(struct ttg_client *client, const Ttg__States *states, const char **why)
{
	bool fine = states->ask > 0 && ask_code_is_sound(states->code);

	*why = "states that were not asked for, or do not fit the question";
	if (fine && states->code > 0)
		return conclude_all(client, ASK_STATE, states->ask, states->code);
	for (size_t i = 0; fine && i < states->n_states; i++)
		fine = i < ASK_A_FRAME &&
		       take_state(client, states->ask, (uint32_t)i, states->states[i]);
	/* One frame answers all of it. */
	return fine && find(&client->asker, ASK_STATE, states->ask, (uint32_t)states->n_states) ==
			       client->asker.n;
}

/* The first that is not sent; n: none. */
static size_t first_queued(const struct asker *asker)
{
	size_t i = 0;

	while (i < asker->n && asker->entries[i].ask > 0)
		i++;
	return i;
}

bool ask_wants_to_send(const struct ttg_client *client)
{
	const struct asker *asker = &client->asker;

	return client->session.state == SESSION_READY && !client->broken &&
	       asker->n_open < ASK_WINDOW && first_queued(asker) < asker->n;
}

static enum ttg_error send_frame(struct ttg_client *client, enum ask_kind kind,
				 ProtobufCBinaryData *events, size_t n)
{
	Ttg__AskReceipt receipt = TTG__ASK_RECEIPT__INIT;
	Ttg__AskState state = TTG__ASK_STATE__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	receipt.ask = state.ask = client->asker.last_ask + 1;
	receipt.n_events = state.n_events = n;
	receipt.events = state.events = events;
	if (kind == ASK_RECEIPT) {
		frame.body_case = TTG__FRAME__BODY_ASK_RECEIPT;
		frame.ask_receipt = &receipt;
	} else {
		frame.body_case = TTG__FRAME__BODY_ASK_STATE;
		frame.ask_state = &state;
	}
	return session_send(client, &frame);
}

/* One frame of one kind, from the first on. False: the socket is full. */
static bool flush_one(struct ttg_client *client)
{
	struct asker *asker = &client->asker;
	const size_t first = first_queued(asker);
	const enum ask_kind kind = asker->entries[first].kind;
	ProtobufCBinaryData events[ASK_A_FRAME];
	struct ask_entry *picked[ASK_A_FRAME];
	size_t n = 0;

	for (size_t i = first; i < asker->n && n < client->session.max_asked; i++) {
		struct ask_entry *entry = &asker->entries[i];

		if (entry->ask > 0 || entry->kind != kind)
			continue;
		events[n] = (ProtobufCBinaryData){ sizeof(entry->id), entry->id };
		picked[n++] = entry;
	}
	if (send_frame(client, kind, events, n) != TTG_OK)
		return false;
	asker->last_ask++;
	asker->open[asker->n_open++] = (struct ask_open){ asker->last_ask, n };
	for (size_t i = 0; i < n; i++) {
		picked[i]->ask = asker->last_ask;
		picked[i]->index = (uint32_t)i;
	}
	return true;
}

void ask_flush(struct ttg_client *client)
{
	while (ask_wants_to_send(client) && client->session.max_asked == 0)
		conclude(client, first_queued(&client->asker), TTG_EVERSION);
	while (ask_wants_to_send(client) && transport_writable(&client->transport))
		if (!flush_one(client))
			break;
}
