/*
 * See rules_past.h. In a snapshot: number, each: since | since_ns u64 | digest 32 bytes | number of grants
 * | text | parts. What was read of a text is not in it: parts and their RULES record come as one.
 */
#include "core/rules_past.h"

#include <stdlib.h>
#include <string.h>

#include "core/state.h"

#define VERSION_BYTES (10u + 8u + DIGEST_BYTES + 10u + 10u + 5u)

void rules_past_fini(struct rules_past *it)
{
	free(it->items);
	digest_free(&it->parts.sum);
	*it = (struct rules_past){ 0 };
}

bool rules_past_add(struct rules_past *it, const struct rules_version *version)
{
	if (it->n == RULES_PAST_MAX)
		memmove(it->items, it->items + 1, --it->n * sizeof(*it->items));
	if (it->n == it->capacity) {
		const size_t wanted = it->capacity ? it->capacity * 2 : 8;
		struct rules_version *grown = realloc(it->items, wanted * sizeof(*grown));

		if (!grown)
			return false;
		it->items = grown;
		it->capacity = wanted;
	}
	it->items[it->n++] = *version;
	return true;
}

size_t rules_past_bound(const struct rules_past *it)
{
	return 10 + it->n * VERSION_BYTES;
}

void rules_past_save(const struct rules_past *it, struct cursor *cursor)
{
	cursor_put_varint(cursor, it->n);
	for (size_t i = 0; i < it->n; i++) {
		const struct rules_version *version = &it->items[i];

		cursor_put_varint(cursor, version->since);
		cursor_put_u64(cursor, (uint64_t)version->since_ns);
		cursor_put_bytes(cursor, version->digest, sizeof(version->digest));
		cursor_put_varint(cursor, version->n_grants);
		cursor_put_varint(cursor, version->text);
		cursor_put_varint(cursor, version->parts);
	}
}

static bool load_version(struct cursor *cursor, struct rules_version *out)
{
	const uint8_t *digest;
	uint64_t parts;

	out->since = cursor_get_varint(cursor);
	out->since_ns = (int64_t)cursor_get_u64(cursor);
	digest = cursor_get_bytes(cursor, sizeof(out->digest));
	out->n_grants = cursor_get_varint(cursor);
	out->text = cursor_get_varint(cursor);
	parts = cursor_get_varint(cursor);
	if (!cursor_ok(cursor) || parts > RECORD_MAX_PARTS)
		return false;
	out->parts = (uint32_t)parts;
	memcpy(out->digest, digest, sizeof(out->digest));
	return (out->text == 0) == (out->parts == 0);
}

bool rules_past_load(struct rules_past *it, struct cursor *cursor, uint64_t sequence)
{
	const uint64_t n = cursor_get_varint(cursor);
	uint64_t before = 0;

	if (!cursor_ok(cursor) || n > RULES_PAST_MAX)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		struct rules_version version;

		if (!load_version(cursor, &version) || version.since <= before ||
		    version.since > sequence || version.text > sequence ||
		    version.parts > sequence - version.text || !rules_past_add(it, &version))
			return false;
		before = version.since;
	}
	return true;
}

size_t core_rules_count(const struct core *core)
{
	return core->past.n;
}

const struct rules_version *core_rules_version(const struct core *core, size_t index)
{
	return &core->past.items[index];
}

const struct rules_version *core_rules_of(const struct core *core, uint64_t sequence)
{
	size_t i = core->past.n;

	while (i > 0 && core->past.items[i - 1].since > sequence)
		i--;
	return i > 0 ? &core->past.items[i - 1] : NULL;
}

const struct rules_version *core_rules_at(const struct core *core, int64_t at_ns)
{
	size_t i = core->past.n;

	while (i > 0 && core->past.items[i - 1].since_ns > at_ns)
		i--;
	return i > 0 ? &core->past.items[i - 1] : NULL;
}
