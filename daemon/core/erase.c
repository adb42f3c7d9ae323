/*
 * See erase.h. What the record names is what is destroyed: all numbers of the person as they were linked
 * at that moment, and the broker's own events that told of conflicts about them, which hold numbers too.
 */
#include "core/erase.h"

#include <string.h>

#include "core/known.h"
#include "core/notice.h"
#include "core/payload.h"

struct owners {
	struct record_erased_owner list[RECORD_MAX_ERASED]; /* once for each key */
	uint8_t ids[RECORD_MAX_ERASED][RECORD_ID]; /* of events that told of conflicts */
	uint32_t n;
	size_t keys;
	bool full;
};

static void add_one(struct owners *it, const uint8_t *owner, uint64_t key)
{
	if (it->n == RECORD_MAX_ERASED) {
		it->full = true;
		return;
	}
	it->list[it->n++] = (struct record_erased_owner){ owner, key };
	it->keys += key != 0;
}

static void add(struct owners *it, const struct core *core, const uint8_t *owner)
{
	const struct keys_entry *entry = keys_newest(&core->keys, owner);

	for (uint32_t i = 0; i < it->n; i++) {
		if (memcmp(it->list[i].owner, owner, KEYS_OWNER) == 0)
			return;
	}
	if (!entry)
		add_one(it, owner, 0);
	for (; entry; entry = keys_older(&core->keys, entry))
		add_one(it, owner, entry->key);
}

static void add_conflicts(struct owners *it, const struct core *core, uint32_t number)
{
	const struct identity_link *link;

	for (size_t i = 0; !it->full && (link = identity_link_at(core->identity, number, i)); i++) {
		uint8_t *id = it->ids[it->n < RECORD_MAX_ERASED ? it->n : 0];

		if (notice_conflict_id(link, id) == TTG_OK && keys_newest(&core->keys, id))
			add(it, core, id);
	}
}

/* *n of his numbers. */
static void collect(struct owners *it, const struct core *core, const struct core_person *person, size_t *n)
{
	uint32_t i = person->number;

	add(it, core, person->key);
	*n = 1;
	if (!person->known)
		return;
	add_conflicts(it, core, i);
	while ((i = identity_look(core->identity, i)->next) != person->number) {
		add(it, core, identity_look(core->identity, i)->number.key);
		add_conflicts(it, core, i);
		++*n;
	}
}

static enum ttg_error put(struct core *core, const struct core_now *now, const struct record_erased *record,
			  const struct record_erased_owner *owners, uint64_t *sequence)
{
	struct cursor cursor;

	core_begin_record(core, &cursor);
	record_put_erased(&cursor, record, owners);
	return core_commit(core, now, RECORD_ERASED, &cursor, sequence);
}

enum ttg_error core_erase(struct core *core, const struct core_now *now, const struct core_person *person,
			  const char *who, const char *why, struct core_erasure *out)
{
	struct owners owners = { .n = 0 };
	struct record_erased record = { now->real_ns, person->key, who, why, 0, { 0 } };
	enum ttg_error code;

	*out = (struct core_erasure){ 0 };
	if (strlen(who) == 0 || strlen(who) > RECORD_MAX_TEXT || strlen(why) == 0 ||
	    strlen(why) > RECORD_MAX_TEXT)
		return TTG_EINVAL;
	collect(&owners, core, person, &out->numbers);
	if (owners.full)
		return TTG_ELIMIT;
	record.n_owners = owners.n;
	out->keys = owners.keys;
	code = put(core, now, &record, owners.list, &out->sequence);
	if (code == TTG_OK)
		core->sink.note(core->sink.self, "person_erased", NULL, out->sequence);
	return code;
}

enum ttg_error core_erase_gone(struct core *core, const struct core_now *now,
			       bool (*gone)(void *arg, uint64_t key), void *arg)
{
	struct record_erased_owner owners[RECORD_MAX_ERASED];
	struct record_erased record = { now->real_ns, NULL, "broker", "it was erased before this journal",
					0, { 0 } };
	const uint64_t now_s = now->real_ns > 0 ? (uint64_t)now->real_ns / 1000000000 : 0;
	enum ttg_error code = TTG_OK;

	for (size_t i = 0; i < core->keys.n && code == TTG_OK; i++) {
		const struct keys_entry *entry = &core->keys.items[i];

		if (entry->key == 0 || !gone(arg, entry->key))
			continue;
		if (entry->until_s != 0 && entry->until_s <= now_s)
			continue; /* it lapsed, and will again */
		owners[record.n_owners++] = (struct record_erased_owner){ entry->owner, entry->key };
		if (record.n_owners < RECORD_MAX_ERASED)
			continue;
		record.key = owners[0].owner;
		code = put(core, now, &record, owners, NULL);
		record.n_owners = 0;
	}
	if (code != TTG_OK || record.n_owners == 0)
		return code;
	record.key = owners[0].owner;
	return put(core, now, &record, owners, NULL);
}

enum ttg_error core_apply_erased(struct core *core, uint64_t sequence, const uint8_t *data, size_t len)
{
	struct record_erased it;
	struct record_erased_owner owner;

	if (!record_get_erased(data, len, &it))
		return TTG_ECORRUPT;
	for (uint32_t i = 0; i < it.n_owners; i++) {
		uint32_t number;

		record_next_erased(&it.owners, &owner);
		if (owner.key != 0 ? !keys_has(&core->keys, owner.owner, owner.key) :
				     keys_newest(&core->keys, owner.owner) != NULL)
			return TTG_ECORRUPT;
		if (owner.key != 0 && !keys_drop(&core->keys, owner.owner, owner.key))
			return TTG_ENOMEM;
		number = identity_find(core->identity, owner.owner);
		if (number != IDENTITY_NONE)
			identity_forget(core->identity, number);
	}
	core->erased_at = sequence;
	core_retract(core);
	return TTG_OK;
}

const uint64_t *core_erased_keys(const struct core *core, size_t *n, uint64_t *sequence)
{
	*n = core->keys.n_gone - core->keys.first_gone;
	*sequence = core->erased_at;
	return core->keys.gone + core->keys.first_gone;
}

void core_keys_destroyed(struct core *core, size_t n)
{
	keys_destroyed(&core->keys, n);
}

uint64_t core_newest_key(const struct core *core)
{
	return core->keys.highest;
}

void core_mark_keys(const struct core *core, uint8_t *bits)
{
	for (size_t i = 0; i < core->keys.n; i++) {
		const uint64_t key = core->keys.items[i].key;

		if (key != 0)
			bits[(key - 1) / 8] |= (uint8_t)(1u << ((key - 1) % 8));
	}
}

size_t core_live_keys(const struct core *core)
{
	return core->keys.live;
}
