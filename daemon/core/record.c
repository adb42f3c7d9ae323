/*
 * Encoding of the records drawn in record.h. Writing and reading stand side by side, in the order
 * of the layout, so that one can be checked against the other by eye.
 */
#include "core/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RULES_WITHOUT_TEXT 1u /* versions of a RULES record */
#define RULES_WITH_TEXT 2u
#define FLAG_PERSON 1u
#define FLAG_WAITS 2u
#define FLAG_CHANGES 4u
#define FLAG_SEALED 8u
#define FLAG_STRIPPED 16u /* in the archive */
#define FLAG_UNTIL 32u
#define FLAG_SIGNED 64u
#define FLAGS_ALL \
	(FLAG_PERSON | FLAG_WAITS | FLAG_CHANGES | FLAG_SEALED | FLAG_UNTIL | FLAG_SIGNED)
#define FLAGS_KEPT (FLAG_PERSON | FLAG_WAITS | FLAG_SIGNED) /* by an archive */
#define FLAGS_AT 9u /* behind version and accepted_ns */

static void put_text(struct cursor *cursor, const char *text)
{
	cursor_put_sized(cursor, text, strlen(text) + 1);
}

/* NULL and a failed cursor unless it is a string of at most `max` bytes that ends where it says. */
static const char *get_text(struct cursor *cursor, size_t max)
{
	size_t len = 0;
	const uint8_t *text = cursor_get_sized(cursor, max + 1, &len);

	if (!text || len == 0 || memchr(text, 0, len) != text + len - 1) {
		cursor->failed = true;
		return NULL;
	}
	return (const char *)text;
}

static uint32_t get_u32(struct cursor *cursor)
{
	uint64_t value = cursor_get_varint(cursor);

	if (value > UINT32_MAX) {
		cursor->failed = true;
		return 0;
	}
	return (uint32_t)value;
}

static void begin(struct cursor *cursor, const uint8_t *data, size_t len)
{
	cursor_init_read(cursor, data, len);
	if (cursor_get_u8(cursor) != RECORD_VERSION)
		cursor->failed = true;
}

static bool complete(const struct cursor *cursor)
{
	return cursor_ok(cursor) && cursor_left(cursor) == 0;
}

struct record_gap record_put_event(struct cursor *cursor, const struct record_event *it,
				   const struct record_recipient *recipients)
{
	struct record_gap gap = { NULL, NULL };

	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->accepted_ns);
	cursor_put_u8(cursor, (uint8_t)((it->person_key ? FLAG_PERSON : 0) |
					(it->n_waiting > 0 ? FLAG_WAITS : 0) |
					(it->n_changes > 0 ? FLAG_CHANGES : 0) |
					(it->key != 0 ? FLAG_SEALED : 0) |
					(it->key != 0 && it->until_s != 0 ? FLAG_UNTIL : 0) |
					(it->signed_at != 0 ? FLAG_SIGNED : 0)));
	cursor_put_u8(cursor, it->urgency);
	cursor_put_bytes(cursor, it->id, RECORD_ID);
	if (it->person_key)
		cursor_put_bytes(cursor, it->person_key, RECORD_PERSON_KEY);
	cursor_put_u64(cursor, (uint64_t)it->expires_ns);
	if (it->signed_at != 0) {
		cursor_put_varint(cursor, it->signed_at);
		cursor_put_varint(cursor, it->signed_as);
	}
	put_text(cursor, it->source);
	put_text(cursor, it->type);
	cursor_put_varint(cursor, it->n_recipients);
	for (uint32_t i = 0; i < it->n_recipients; i++) {
		const struct record_recipient *recipient = &recipients[i];

		cursor_put_varint(cursor, recipient->mailbox);
		cursor_put_varint(cursor, recipient->position);
		cursor_put_varint(cursor, recipient->ack_within_ms);
		cursor_put_varint(cursor, recipient->fallback == RULES_NONE ?
						  0 : (uint64_t)recipient->fallback + 1);
		cursor_put_u8(cursor, (uint8_t)recipient->n_agreements);
		for (uint32_t k = 0; k < recipient->n_agreements; k++)
			put_text(cursor, recipient->agreements[k]);
	}
	if (it->n_waiting > 0)
		cursor_put_varint(cursor, it->n_waiting);
	for (uint32_t i = 0; i < it->n_waiting; i++)
		cursor_put_varint(cursor, it->waiting[i]);
	if (it->n_changes > 0)
		cursor_put_sized(cursor, it->changes, it->n_changes);
	if (it->key == 0) {
		cursor_put_sized(cursor, it->bytes, it->n_bytes);
		return gap;
	}
	cursor_put_varint(cursor, it->key);
	if (it->until_s != 0)
		cursor_put_varint(cursor, it->until_s);
	gap.digest = cursor_put_gap(cursor, RECORD_DIGEST);
	cursor_put_varint(cursor, it->n_sealed);
	gap.sealed = cursor_put_gap(cursor, it->n_sealed);
	return gap;
}

void record_next_recipient(struct cursor *cursor, struct record_recipient *out)
{
	uint32_t fallback;

	out->mailbox = get_u32(cursor);
	out->position = cursor_get_varint(cursor);
	out->ack_within_ms = cursor_get_varint(cursor);
	fallback = get_u32(cursor);
	out->fallback = fallback ? fallback - 1 : RULES_NONE;
	out->n_agreements = cursor_get_u8(cursor);
	if (out->n_agreements > RECORD_MAX_AGREEMENTS || out->position == 0) {
		out->n_agreements = 0;
		cursor->failed = true;
	}
	for (uint32_t k = 0; k < out->n_agreements; k++)
		out->agreements[k] = get_text(cursor, RULES_ID_MAX);
}

/* What an event's record ends with: its bytes, plain or sealed, or what stands for them. */
static void get_payload(struct cursor *cursor, uint8_t flags, struct record_event *out)
{
	out->bytes = out->digest = out->sealed = NULL;
	out->n_bytes = out->n_sealed = 0;
	out->key = flags & FLAG_SEALED ? cursor_get_varint(cursor) : 0;
	out->until_s = flags & FLAG_UNTIL ? cursor_get_varint(cursor) : 0;
	if (!(flags & (FLAG_SEALED | FLAG_STRIPPED)))
		out->bytes = cursor_get_sized(cursor, RECORD_MAX, &out->n_bytes);
	else
		out->digest = cursor_get_bytes(cursor, RECORD_DIGEST);
	if (flags & FLAG_SEALED)
		out->sealed = cursor_get_sized(cursor, RECORD_MAX, &out->n_sealed);
	if ((flags & FLAG_SEALED) && (out->key == 0 || (flags & FLAG_STRIPPED)))
		cursor->failed = true;
	if ((flags & FLAG_UNTIL) && (out->until_s == 0 || !(flags & FLAG_SEALED)))
		cursor->failed = true;
}

static void get_signed(struct cursor *cursor, uint8_t flags, struct record_event *out)
{
	out->signed_at = 0;
	out->signed_as = 0;
	if (!(flags & FLAG_SIGNED))
		return;
	out->signed_at = cursor_get_varint(cursor);
	out->signed_as = get_u32(cursor);
	if (out->signed_at == 0)
		cursor->failed = true;
}

/* The EVENT that the cursor stands at, to the end; `known`: the flags that may be set. */
static bool get_event(struct cursor *cursor, uint8_t known, struct record_event *out)
{
	struct record_recipient recipient;
	uint8_t flags;

	out->begin = cursor->at;
	if (cursor_get_u8(cursor) != RECORD_VERSION)
		return false;
	out->accepted_ns = (int64_t)cursor_get_u64(cursor);
	flags = cursor_get_u8(cursor);
	out->urgency = cursor_get_u8(cursor);
	out->id = cursor_get_bytes(cursor, RECORD_ID);
	out->person_key = flags & FLAG_PERSON ? cursor_get_bytes(cursor, RECORD_PERSON_KEY) : NULL;
	out->expires_ns = (int64_t)cursor_get_u64(cursor);
	get_signed(cursor, flags, out);
	out->source = get_text(cursor, RULES_ID_MAX);
	out->type = get_text(cursor, RULES_TYPE_MAX);
	out->n_recipients = get_u32(cursor);
	if ((flags & ~known) || out->n_recipients > RECORD_MAX_RECIPIENTS)
		return false;
	out->recipients = *cursor;
	for (uint32_t i = 0; i < out->n_recipients && cursor_ok(cursor); i++)
		record_next_recipient(cursor, &recipient);
	out->n_waiting = flags & FLAG_WAITS ? get_u32(cursor) : 0;
	if (out->n_waiting > RECORD_MAX_RECIPIENTS || (out->n_waiting > 0 && !out->person_key))
		return false;
	out->waits = *cursor;
	for (uint32_t i = 0; i < out->n_waiting; i++)
		cursor_get_varint(cursor);
	out->rest = cursor->at;
	out->n_changes = 0;
	out->changes = flags & FLAG_CHANGES ?
			       cursor_get_sized(cursor, RECORD_MAX, &out->n_changes) :
			       NULL;
	get_payload(cursor, flags, out);
	out->first = out->given = 0;
	out->routed_ns = out->accepted_ns;
	return complete(cursor) && (!(flags & FLAG_SEALED) || out->key != 0);
}

bool record_get_event(const uint8_t *data, size_t len, struct record_event *out)
{
	struct cursor cursor;

	cursor_init_read(&cursor, data, len);
	return get_event(&cursor, FLAGS_ALL, out);
}

static struct record_gap put_once_more(struct cursor *cursor, const struct record_event *it, bool again,
				       const struct record_recipient *recipients)
{
	struct record_event event = *it;

	event.n_waiting = 0;
	event.n_changes = 0;
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->routed_ns);
	cursor_put_varint(cursor, it->first);
	if (again)
		cursor_put_varint(cursor, it->given);
	return record_put_event(cursor, &event, recipients);
}

static bool get_once_more(uint8_t kind, const uint8_t *data, size_t len, uint8_t known,
			  struct record_event *out)
{
	uint64_t first, given = 0;
	struct cursor cursor;
	int64_t routed_ns;

	begin(&cursor, data, len);
	routed_ns = (int64_t)cursor_get_u64(&cursor);
	first = cursor_get_varint(&cursor);
	if (kind == RECORD_AGAIN)
		given = cursor_get_varint(&cursor);
	if (!cursor_ok(&cursor) || first == 0 || (kind == RECORD_AGAIN && given < first) ||
	    !get_event(&cursor, known, out))
		return false;
	out->first = first;
	out->given = given;
	out->routed_ns = routed_ns;
	return (kind == RECORD_AGAIN ? out->n_recipients == 1 : out->n_recipients > 0) &&
	       out->n_waiting == 0 && out->n_changes == 0;
}

struct record_gap record_put_late(struct cursor *cursor, const struct record_event *it,
				  const struct record_recipient *recipients)
{
	return put_once_more(cursor, it, false, recipients);
}

struct record_gap record_put_again(struct cursor *cursor, const struct record_event *it,
				   const struct record_recipient *recipients)
{
	return put_once_more(cursor, it, true, recipients);
}

bool record_get_late(const uint8_t *data, size_t len, struct record_event *out)
{
	return get_once_more(RECORD_LATE, data, len, FLAGS_ALL, out);
}

static bool get_given(uint8_t kind, const uint8_t *data, size_t len, uint8_t known, struct record_event *out)
{
	struct cursor cursor;

	if (kind != RECORD_EVENT)
		return record_gives(kind) && get_once_more(kind, data, len, known, out);
	cursor_init_read(&cursor, data, len);
	return get_event(&cursor, known, out);
}

bool record_gives(uint8_t kind)
{
	return kind == RECORD_EVENT || kind == RECORD_LATE || kind == RECORD_AGAIN;
}

bool record_get_given(uint8_t kind, const uint8_t *data, size_t len, struct record_event *out)
{
	return get_given(kind, data, len, FLAGS_ALL, out);
}

bool record_get_stripped(uint8_t kind, const uint8_t *data, size_t len, struct record_event *out)
{
	return get_given(kind, data, len, FLAGS_ALL | FLAG_STRIPPED, out);
}

void record_put_stripped(struct cursor *cursor, const uint8_t *data, const struct record_event *it,
			 const uint8_t digest[RECORD_DIGEST])
{
	const size_t head = (size_t)(it->begin - data), n = (size_t)(it->rest - data);
	uint8_t *copy = cursor_put_gap(cursor, n);

	if (!copy)
		return;
	memcpy(copy, data, n);
	copy[head + FLAGS_AT] = (uint8_t)((copy[head + FLAGS_AT] & FLAGS_KEPT) |
					  (it->key != 0 ? FLAG_SEALED : FLAG_STRIPPED));
	if (it->key != 0)
		cursor_put_varint(cursor, it->key);
	cursor_put_bytes(cursor, digest, RECORD_DIGEST);
	if (it->key != 0)
		cursor_put_varint(cursor, 0);
}

void record_put_decided(struct cursor *cursor, const struct record_decided *it)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->at_ns);
	cursor_put_varint(cursor, it->sequence);
	cursor_put_u8(cursor, it->part);
	cursor_put_u8(cursor, it->accepted);
	put_text(cursor, it->who);
	put_text(cursor, it->why);
}

bool record_get_decided(const uint8_t *data, size_t len, struct record_decided *out)
{
	struct cursor cursor;
	uint8_t accepted;

	begin(&cursor, data, len);
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	out->sequence = cursor_get_varint(&cursor);
	out->part = cursor_get_u8(&cursor);
	accepted = cursor_get_u8(&cursor);
	out->accepted = accepted == 1;
	out->who = get_text(&cursor, RECORD_MAX_TEXT);
	out->why = get_text(&cursor, RECORD_MAX_TEXT);
	return complete(&cursor) && accepted <= 1;
}

void record_put_consulted(struct cursor *cursor, const struct record_consulted *it)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->at_ns);
	cursor_put_bytes(cursor, it->key, RECORD_PERSON_KEY);
	put_text(cursor, it->who);
	put_text(cursor, it->what);
	put_text(cursor, it->why);
}

bool record_get_consulted(const uint8_t *data, size_t len, struct record_consulted *out)
{
	struct cursor cursor;

	begin(&cursor, data, len);
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	out->key = cursor_get_bytes(&cursor, RECORD_PERSON_KEY);
	out->who = get_text(&cursor, RECORD_MAX_TEXT);
	out->what = get_text(&cursor, RECORD_MAX_TEXT);
	out->why = get_text(&cursor, RECORD_MAX_TEXT);
	return complete(&cursor);
}

void record_put_erased(struct cursor *cursor, const struct record_erased *it,
		       const struct record_erased_owner *owners)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->at_ns);
	cursor_put_bytes(cursor, it->key, RECORD_PERSON_KEY);
	put_text(cursor, it->who);
	put_text(cursor, it->why);
	cursor_put_varint(cursor, it->n_owners);
	for (uint32_t i = 0; i < it->n_owners; i++) {
		cursor_put_bytes(cursor, owners[i].owner, RECORD_PERSON_KEY);
		cursor_put_varint(cursor, owners[i].key);
	}
}

void record_next_erased(struct cursor *owners, struct record_erased_owner *out)
{
	out->owner = cursor_get_bytes(owners, RECORD_PERSON_KEY);
	out->key = cursor_get_varint(owners);
}

bool record_get_erased(const uint8_t *data, size_t len, struct record_erased *out)
{
	struct record_erased_owner owner;
	struct cursor cursor;

	begin(&cursor, data, len);
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	out->key = cursor_get_bytes(&cursor, RECORD_PERSON_KEY);
	out->who = get_text(&cursor, RECORD_MAX_TEXT);
	out->why = get_text(&cursor, RECORD_MAX_TEXT);
	out->n_owners = get_u32(&cursor);
	if (out->n_owners > RECORD_MAX_ERASED)
		return false;
	out->owners = cursor;
	for (uint32_t i = 0; i < out->n_owners && cursor_ok(&cursor); i++)
		record_next_erased(&cursor, &owner);
	return complete(&cursor);
}

void record_put_lapsed(struct cursor *cursor, const struct record_lapsed *it)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->at_ns);
	cursor_put_varint(cursor, it->until_s);
	cursor_put_varint(cursor, it->keys);
}

bool record_get_lapsed(const uint8_t *data, size_t len, struct record_lapsed *out)
{
	struct cursor cursor;

	begin(&cursor, data, len);
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	out->until_s = cursor_get_varint(&cursor);
	out->keys = cursor_get_varint(&cursor);
	return complete(&cursor);
}

void record_put_refused(struct cursor *cursor, const struct record_refused *it)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->at_ns);
	put_text(cursor, it->agency);
	put_text(cursor, it->type);
	cursor_put_varint(cursor, it->code);
	cursor_put_varint(cursor, it->count);
}

bool record_get_refused(const uint8_t *data, size_t len, struct record_refused *out)
{
	struct cursor cursor;

	begin(&cursor, data, len);
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	out->agency = get_text(&cursor, RULES_ID_MAX);
	out->type = get_text(&cursor, RULES_TYPE_MAX);
	out->code = get_u32(&cursor);
	out->count = cursor_get_varint(&cursor);
	return complete(&cursor) && out->count > 0;
}

void record_put_mailbox(struct cursor *cursor, const struct record_mailbox *it)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_varint(cursor, it->number);
	put_text(cursor, it->id);
}

bool record_get_mailbox(const uint8_t *data, size_t len, struct record_mailbox *out)
{
	struct cursor cursor;

	begin(&cursor, data, len);
	out->number = get_u32(&cursor);
	out->id = get_text(&cursor, RULES_MAILBOX_MAX);
	return complete(&cursor);
}

void record_put_rules(struct cursor *cursor, const struct record_rules *it)
{
	assert(it->parts > 0);
	cursor_put_u8(cursor, RULES_WITH_TEXT);
	cursor_put_u64(cursor, (uint64_t)it->at_ns);
	cursor_put_bytes(cursor, it->digest, RECORD_DIGEST);
	cursor_put_varint(cursor, it->n_grants);
	cursor_put_varint(cursor, it->parts);
	cursor_put_varint(cursor, it->since);
}

bool record_get_rules(const uint8_t *data, size_t len, struct record_rules *out)
{
	struct cursor cursor;
	uint8_t version;

	cursor_init_read(&cursor, data, len);
	version = cursor_get_u8(&cursor);
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	out->digest = cursor_get_bytes(&cursor, RECORD_DIGEST);
	out->n_grants = cursor_get_varint(&cursor);
	out->parts = 0;
	out->since = 0;
	if (version == RULES_WITHOUT_TEXT)
		return complete(&cursor);
	out->parts = get_u32(&cursor);
	out->since = cursor_get_varint(&cursor);
	return version == RULES_WITH_TEXT && complete(&cursor) && out->parts > 0 &&
	       out->parts <= RECORD_MAX_PARTS;
}

void record_put_rules_text(struct cursor *cursor, const struct record_rules_text *it)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_bytes(cursor, it->digest, RECORD_DIGEST);
	cursor_put_varint(cursor, it->part);
	cursor_put_varint(cursor, it->n_parts);
	cursor_put_sized(cursor, it->lines, it->len);
}

/* Whole lines, of which none is empty. */
static bool are_lines(const char *text, size_t len)
{
	if (len == 0 || text[0] == '\n' || text[len - 1] != '\n')
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' && (text[i] != '\n' || text[i - 1] == '\n'))
			return false;
	}
	return true;
}

bool record_get_rules_text(const uint8_t *data, size_t len, struct record_rules_text *out)
{
	struct cursor cursor;

	begin(&cursor, data, len);
	out->digest = cursor_get_bytes(&cursor, RECORD_DIGEST);
	out->part = get_u32(&cursor);
	out->n_parts = get_u32(&cursor);
	out->lines = (const char *)cursor_get_sized(&cursor, RECORD_RULES_PART, &out->len);
	return complete(&cursor) && out->part < out->n_parts && out->n_parts <= RECORD_MAX_PARTS &&
	       are_lines(out->lines, out->len);
}

void record_put_positions(struct cursor *cursor, const struct record_positions *it,
			  const struct record_ranges *ranges)
{
	uint64_t end = 0;

	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->at_ns);
	cursor_put_varint(cursor, it->mailbox);
	cursor_put_varint(cursor, it->value);
	cursor_put_varint(cursor, ranges->n);
	for (size_t i = 0; i < ranges->n; i++) {
		cursor_put_varint(cursor, ranges->items[i].first - end);
		cursor_put_varint(cursor, ranges->items[i].n);
		end = ranges->items[i].first + ranges->items[i].n;
	}
}

bool record_get_positions(const uint8_t *data, size_t len, struct record_positions *out,
			  struct record_ranges *ranges)
{
	struct cursor cursor;
	uint64_t end = 0;
	uint32_t n;

	record_ranges_clear(ranges);
	begin(&cursor, data, len);
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	out->mailbox = get_u32(&cursor);
	out->value = cursor_get_varint(&cursor);
	n = get_u32(&cursor);
	if (!cursor_ok(&cursor) || n > cursor_left(&cursor) || !record_ranges_reserve(ranges, n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t gap = cursor_get_varint(&cursor), count = cursor_get_varint(&cursor);

		if (gap == 0 || gap > UINT64_MAX / 4 || count == 0 ||
		    count > RECORD_MAX_POSITIONS - ranges->positions || end > UINT64_MAX / 4)
			return false;
		ranges->items[ranges->n++] = (struct record_range){ end + gap, count };
		ranges->positions += count;
		end += gap + count;
	}
	return complete(&cursor);
}

void record_put_nack(struct cursor *cursor, const struct record_nack *it)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->at_ns);
	cursor_put_varint(cursor, it->mailbox);
	cursor_put_varint(cursor, it->sequence);
	cursor_put_varint(cursor, it->position);
	cursor_put_varint(cursor, it->reason);
	cursor_put_varint(cursor, it->refusals);
	cursor_put_varint(cursor, it->retry_after_ms);
	cursor_put_u8(cursor, it->parked);
	put_text(cursor, it->text);
}

bool record_get_nack(const uint8_t *data, size_t len, struct record_nack *out)
{
	struct cursor cursor;
	uint8_t parked;

	begin(&cursor, data, len);
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	out->mailbox = get_u32(&cursor);
	out->sequence = cursor_get_varint(&cursor);
	out->position = cursor_get_varint(&cursor);
	out->reason = get_u32(&cursor);
	out->refusals = get_u32(&cursor);
	out->retry_after_ms = get_u32(&cursor);
	parked = cursor_get_u8(&cursor);
	out->parked = parked == 1;
	out->text = get_text(&cursor, RECORD_MAX_TEXT);
	return complete(&cursor) && parked <= 1;
}

void record_put_one(struct cursor *cursor, const struct record_one *it)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->at_ns);
	cursor_put_varint(cursor, it->mailbox);
	cursor_put_varint(cursor, it->sequence);
	cursor_put_varint(cursor, it->position);
	cursor_put_u64(cursor, (uint64_t)it->deadline_ns);
}

bool record_get_one(const uint8_t *data, size_t len, struct record_one *out)
{
	struct cursor cursor;

	begin(&cursor, data, len);
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	out->mailbox = get_u32(&cursor);
	out->sequence = cursor_get_varint(&cursor);
	out->position = cursor_get_varint(&cursor);
	out->deadline_ns = (int64_t)cursor_get_u64(&cursor);
	return complete(&cursor);
}

void record_put_given_up(struct cursor *cursor, int64_t at_ns, uint64_t sequence,
			 const struct record_given_up *items, size_t n)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)at_ns);
	cursor_put_varint(cursor, sequence);
	cursor_put_varint(cursor, n);
	for (size_t i = 0; i < n; i++) {
		cursor_put_varint(cursor, items[i].mailbox);
		cursor_put_varint(cursor, items[i].next_sequence);
		cursor_put_varint(cursor, items[i].next_position);
		cursor_put_varint(cursor, items[i].count);
	}
}

bool record_get_given_up(const uint8_t *data, size_t len, int64_t *at_ns, uint64_t *sequence,
			 struct record_given_up **items, size_t *n)
{
	struct cursor cursor;

	*items = NULL;
	begin(&cursor, data, len);
	*at_ns = (int64_t)cursor_get_u64(&cursor);
	*sequence = cursor_get_varint(&cursor);
	*n = get_u32(&cursor);
	if (!cursor_ok(&cursor) || *n > RULES_MAX_MAILBOXES)
		return false;
	if (*n > 0)
		*items = calloc(*n, sizeof(**items));
	if (*n > 0 && !*items)
		return false;
	for (size_t i = 0; i < *n; i++) {
		(*items)[i].mailbox = get_u32(&cursor);
		(*items)[i].next_sequence = cursor_get_varint(&cursor);
		(*items)[i].next_position = cursor_get_varint(&cursor);
		(*items)[i].count = cursor_get_varint(&cursor);
	}
	if (complete(&cursor))
		return true;
	free(*items);
	*items = NULL;
	return false;
}
