/*
 * Identity in a snapshot:
 *
 *   number of sources, each: sized text
 *   | number of numbers, each: key 16 bytes | kind u8 | retired u8 | lane u64 | next of the lane
 *       | standing u8 (1: follows) | standing
 *   | number of links, each: a | b | sources u64 | sequence | at_ns u64 | part u8 | state u8 | op u8
 *
 * Persons follow from the links. Everything is checked: an index that leads nowhere is damage.
 */
#include <stdlib.h>
#include <string.h>

#include "core/identity_private.h"

#define NUMBER_BYTES 64u
#define LINK_BYTES 64u

size_t identity_bound(const struct identity *it)
{
	size_t size = 64 + it->n_sources * (RULES_ID_MAX + 2) + it->n_links * LINK_BYTES;

	for (size_t i = 0; i < it->n; i++)
		size += NUMBER_BYTES +
			(it->numbers[i].standing ? standing_bound(it->numbers[i].standing) : 0);
	return size;
}

void identity_save(const struct identity *it, struct cursor *cursor)
{
	cursor_put_varint(cursor, it->n_sources);
	for (size_t i = 0; i < it->n_sources; i++)
		cursor_put_sized(cursor, it->sources[i], strlen(it->sources[i]));
	cursor_put_varint(cursor, it->n);
	for (size_t i = 0; i < it->n; i++) {
		const struct identity_number *number = &it->numbers[i];

		cursor_put_bytes(cursor, number->number.key, PERSON_KEY_BYTES);
		cursor_put_u8(cursor, number->number.kind);
		cursor_put_u8(cursor, number->retired);
		cursor_put_u64(cursor, number->lane);
		cursor_put_varint(cursor, number->lane_next);
		cursor_put_u8(cursor, number->standing != NULL);
		if (number->standing)
			standing_save(number->standing, cursor);
	}
	cursor_put_varint(cursor, it->n_links);
	for (size_t i = 0; i < it->n_links; i++) {
		const struct identity_link *link = &it->links[i];

		cursor_put_varint(cursor, link->a);
		cursor_put_varint(cursor, link->b);
		cursor_put_u64(cursor, link->sources);
		cursor_put_varint(cursor, link->sequence);
		cursor_put_u64(cursor, (uint64_t)link->at_ns);
		cursor_put_u8(cursor, link->part);
		cursor_put_u8(cursor, link->state);
		cursor_put_u8(cursor, link->op);
	}
}

static bool load_sources(struct identity *it, struct cursor *cursor)
{
	uint64_t n = cursor_get_varint(cursor);

	if (n > IDENTITY_SOURCES_MAX)
		return false;
	for (it->n_sources = 0; it->n_sources < n; it->n_sources++) {
		size_t len = 0;
		const uint8_t *text = cursor_get_sized(cursor, RULES_ID_MAX, &len);

		if (!text)
			return false;
		memcpy(it->sources[it->n_sources], text, len);
	}
	return true;
}

static bool load_number(struct identity *it, struct cursor *cursor)
{
	const uint8_t *key = cursor_get_bytes(cursor, PERSON_KEY_BYTES);
	struct person_number number = { .kind = cursor_get_u8(cursor) };
	struct identity_number *added;
	uint64_t next;
	uint8_t retired, more;
	uint32_t index;

	if (!key)
		return false;
	memcpy(number.key, key, sizeof(number.key));
	if (identity_find(it, number.key) != IDENTITY_NONE)
		return false;
	index = identity_take(it, &number);
	if (index == IDENTITY_NONE)
		return false;
	added = &it->numbers[index];
	retired = cursor_get_u8(cursor);
	added->retired = retired == 1;
	added->lane = cursor_get_u64(cursor);
	next = cursor_get_varint(cursor);
	added->lane_next = (uint32_t)next;
	more = cursor_get_u8(cursor);
	if (retired > 1 || more > 1 || added->lane == 0 || next >= IDENTITY_NONE)
		return false;
	return !more || (identity_standing(it, index) && standing_load(it->numbers[index].standing, cursor));
}

/* The rings of lanes are rings: each number follows exactly one, of the same lane. */
static bool lanes_are_rings(const struct identity *it)
{
	bool *followed = calloc(it->n + 1, sizeof(*followed));
	bool sound = followed != NULL;

	for (size_t i = 0; i < it->n && sound; i++) {
		const uint32_t next = it->numbers[i].lane_next;

		sound = next < it->n && !followed[next] && it->numbers[next].lane == it->numbers[i].lane;
		if (sound)
			followed[next] = true;
	}
	free(followed);
	return sound;
}

static bool load_link(struct identity *it, struct cursor *cursor)
{
	const uint64_t a = cursor_get_varint(cursor), b = cursor_get_varint(cursor);
	struct identity_link link = { .sources = cursor_get_u64(cursor) };

	link.sequence = cursor_get_varint(cursor);
	link.at_ns = (int64_t)cursor_get_u64(cursor);
	link.part = cursor_get_u8(cursor);
	link.state = cursor_get_u8(cursor);
	link.op = cursor_get_u8(cursor);
	if (!cursor_ok(cursor) || a >= it->n || b >= it->n || a == b || link.state > IDENTITY_REJECTED ||
	    link.op < IDENTITY_LINK || link.op > IDENTITY_UNMERGE ||
	    identity_between(it, (uint32_t)a, (uint32_t)b) != IDENTITY_NONE)
		return false;
	link.a = (uint32_t)a;
	link.b = (uint32_t)b;
	if (!identity_add_link(it, &link))
		return false;
	if (link.state == IDENTITY_STANDS)
		identity_unite(it, link.a, link.b);
	return link.state != IDENTITY_CONTESTED ||
	       identity_add_contested(it, (uint32_t)it->n_links - 1);
}

bool identity_load(struct identity *it, struct cursor *cursor)
{
	bool done = load_sources(it, cursor);
	uint64_t n = cursor_get_varint(cursor);

	done = done && n < IDENTITY_NONE;
	for (uint64_t i = 0; i < n && done; i++)
		done = load_number(it, cursor);
	done = done && lanes_are_rings(it);
	n = cursor_get_varint(cursor);
	for (uint64_t i = 0; i < n && done; i++)
		done = load_link(it, cursor);
	return done && cursor_ok(cursor);
}
