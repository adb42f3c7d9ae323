/* See waiting.h. In a snapshot: number, each: sequence | accepted_ns u64 | key 16 bytes | mailbox
   | held u8. */
#include "core/waiting.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY_BYTES 48u

void waiting_fini(struct waiting *it)
{
	free(it->items);
	*it = (struct waiting){ 0 };
}

static bool room(struct waiting *it)
{
	size_t used = it->tail - it->head, wanted = it->capacity ? it->capacity * 2 : 64;
	struct waiting_entry *grown;

	if (it->tail < it->capacity)
		return true;
	if (it->head > it->capacity / 2) {
		memmove(it->items, it->items + it->head, used * sizeof(*it->items));
		it->first_due -= it->first_due < it->head ? it->first_due : it->head;
		it->head = 0;
		it->tail = used;
		return true;
	}
	grown = realloc(it->items, wanted * sizeof(*grown));
	if (!grown)
		return false;
	it->items = grown;
	it->capacity = wanted;
	return true;
}

bool waiting_add(struct waiting *it, const struct waiting_entry *entry)
{
	if (!room(it))
		return false;
	it->items[it->tail++] = *entry;
	it->live++;
	return true;
}

static void leave(struct waiting *it, struct waiting_entry *entry)
{
	it->n_due -= entry->due;
	entry->due = false;
	entry->gone = true;
	it->live--;
}

static void trim(struct waiting *it)
{
	while (it->head < it->tail && it->items[it->head].gone)
		it->head++;
	if (it->first_due < it->head)
		it->first_due = it->head;
}

void waiting_expire(struct waiting *it, int64_t before_ns)
{
	for (size_t i = it->head; i < it->tail; i++) {
		struct waiting_entry *entry = &it->items[i];

		if (entry->gone || entry->held)
			continue;
		if (entry->accepted_ns >= before_ns)
			break;
		leave(it, entry);
	}
	trim(it);
}

bool waiting_is_over(const struct waiting *it, int64_t before_ns)
{
	for (size_t i = it->head; i < it->tail; i++) {
		if (!it->items[i].gone && !it->items[i].held)
			return it->items[i].accepted_ns < before_ns;
	}
	return false;
}

void waiting_unhold(struct waiting *it, const uint8_t key[PERSON_KEY_BYTES], int64_t accepted_ns)
{
	for (size_t i = it->head; i < it->tail; i++) {
		struct waiting_entry *entry = &it->items[i];

		if (!entry->held || memcmp(entry->key, key, PERSON_KEY_BYTES) != 0)
			continue;
		entry->held = false;
		entry->accepted_ns = accepted_ns;
	}
}

static void mark(struct waiting *it, size_t i)
{
	if (it->items[i].gone || it->items[i].due)
		return;
	it->items[i].due = true;
	it->n_due++;
	if (i < it->first_due || it->n_due == 1)
		it->first_due = i;
}

void waiting_mark(struct waiting *it, const uint8_t key[PERSON_KEY_BYTES])
{
	for (size_t i = it->head; i < it->tail; i++) {
		if (memcmp(it->items[i].key, key, PERSON_KEY_BYTES) == 0)
			mark(it, i);
	}
}

void waiting_mark_all(struct waiting *it)
{
	for (size_t i = it->head; i < it->tail; i++)
		mark(it, i);
}

struct waiting_entry *waiting_due(struct waiting *it)
{
	if (it->n_due == 0)
		return NULL;
	while (!it->items[it->first_due].due)
		it->first_due++;
	return &it->items[it->first_due];
}

void waiting_settle(struct waiting *it, struct waiting_entry *entry)
{
	it->n_due -= entry->due;
	entry->due = false;
}

/* First entry at or after the sequence. */
static size_t lower(const struct waiting *it, uint64_t sequence)
{
	size_t low = it->head, high = it->tail;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (it->items[middle].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool waiting_take(struct waiting *it, uint64_t sequence, uint32_t mailbox)
{
	for (size_t i = lower(it, sequence); i < it->tail && it->items[i].sequence == sequence; i++) {
		if (it->items[i].gone || it->items[i].mailbox != mailbox)
			continue;
		leave(it, &it->items[i]);
		trim(it);
		return true;
	}
	return false;
}

uint64_t waiting_low_water(const struct waiting *it)
{
	return it->head < it->tail ? it->items[it->head].sequence : UINT64_MAX;
}

size_t waiting_bound(const struct waiting *it)
{
	return 16 + it->live * ENTRY_BYTES;
}

void waiting_save(const struct waiting *it, struct cursor *cursor)
{
	cursor_put_varint(cursor, it->live);
	for (size_t i = it->head; i < it->tail; i++) {
		const struct waiting_entry *entry = &it->items[i];

		if (entry->gone)
			continue;
		cursor_put_varint(cursor, entry->sequence);
		cursor_put_u64(cursor, (uint64_t)entry->accepted_ns);
		cursor_put_bytes(cursor, entry->key, PERSON_KEY_BYTES);
		cursor_put_varint(cursor, entry->mailbox);
		cursor_put_u8(cursor, entry->held);
	}
}

bool waiting_load(struct waiting *it, struct cursor *cursor, size_t n_mailboxes, uint64_t sequence)
{
	uint64_t n = cursor_get_varint(cursor), before = 0;

	for (uint64_t i = 0; i < n; i++) {
		struct waiting_entry entry = { .sequence = cursor_get_varint(cursor) };
		const uint8_t *key;
		uint64_t mailbox;
		uint8_t held;

		entry.accepted_ns = (int64_t)cursor_get_u64(cursor);
		key = cursor_get_bytes(cursor, PERSON_KEY_BYTES);
		mailbox = cursor_get_varint(cursor);
		held = cursor_get_u8(cursor);
		if (!cursor_ok(cursor) || mailbox >= n_mailboxes || held > 1 || entry.sequence == 0 ||
		    entry.sequence < before || entry.sequence > sequence)
			return false;
		memcpy(entry.key, key, PERSON_KEY_BYTES);
		entry.mailbox = (uint32_t)mailbox;
		entry.held = held == 1;
		before = entry.sequence;
		if (!waiting_add(it, &entry))
			return false;
	}
	return cursor_ok(cursor);
}
