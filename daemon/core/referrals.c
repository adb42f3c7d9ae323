/*
 * See referrals.h. Entries stand in an array and are found by a hash of chains; two lists say in
 * which order they are forgotten, and a heap which deadline is next. All but the entries and the
 * order of the lists follows from these, and is made again when a snapshot is loaded.
 */
#include "core/referrals.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"

#define NONE UINT32_MAX
#define FIRST_ROOM 64u
#define TOLD 128u
#define ENTRY_BYTES (PERSON_KEY_BYTES + 1 + 10 + RULES_ID_MAX + 1 + 8 + 8 + 10)

struct entry {
	struct referral it;
	uint32_t chain;         /* next with the same hash; of a free one the next free one */
	uint32_t before, after; /* in its list */
	uint32_t due_at;        /* in the heap; NONE: not there */
};

struct list {
	uint32_t first, last;
};

struct referrals {
	struct entry *entries;
	uint32_t *chains;     /* as many as there is room for entries */
	uint32_t *due;        /* heap of entries, as much room */
	size_t n, used, room; /* used: entries[used..room) never were */
	size_t n_due;
	uint32_t free;
	struct list open, over;
};

struct referrals *referrals_new(void)
{
	struct referrals *it = calloc(1, sizeof(*it));

	if (!it)
		return NULL;
	it->free = NONE;
	it->open = it->over = (struct list){ NONE, NONE };
	return it;
}

void referrals_free(struct referrals **it)
{
	if (!*it)
		return;
	free((*it)->entries);
	free((*it)->chains);
	free((*it)->due);
	free(*it);
	*it = NULL;
}

size_t referrals_count(const struct referrals *it)
{
	return it->n;
}

size_t referrals_bytes(const struct referrals *it)
{
	return sizeof(*it) +
	       it->room * (sizeof(*it->entries) + sizeof(*it->chains) + sizeof(*it->due));
}

/* Keys are hashes under a secret: any bytes of them are spread. */
static uint32_t *chain_of(const struct referrals *it, const uint8_t key[PERSON_KEY_BYTES])
{
	uint64_t word;

	memcpy(&word, key, sizeof(word));
	return &it->chains[(size_t)word & (it->room - 1)];
}

static uint32_t find(const struct referrals *it, const uint8_t key[PERSON_KEY_BYTES])
{
	uint32_t i = it->room > 0 ? *chain_of(it, key) : NONE;

	while (i != NONE && memcmp(it->entries[i].it.key, key, PERSON_KEY_BYTES) != 0)
		i = it->entries[i].chain;
	return i;
}

const struct referral *referrals_find(const struct referrals *it, const uint8_t key[PERSON_KEY_BYTES])
{
	const uint32_t i = find(it, key);

	return i == NONE ? NULL : &it->entries[i].it;
}

/* Equal deadlines by what was sent first, so that the order is that of the records. */
static bool is_before(const struct referrals *it, uint32_t a, uint32_t b)
{
	const struct referral *left = &it->entries[a].it, *right = &it->entries[b].it;

	if (left->answer_by_ns != right->answer_by_ns)
		return left->answer_by_ns < right->answer_by_ns;
	return left->sent < right->sent;
}

static void set_due(struct referrals *it, size_t at, uint32_t entry)
{
	it->due[at] = entry;
	it->entries[entry].due_at = (uint32_t)at;
}

/* Moves what stands at `at` to where it belongs. */
static void sift(struct referrals *it, size_t at)
{
	const uint32_t moved = it->due[at];
	size_t least;

	while (at > 0 && is_before(it, moved, it->due[(at - 1) / 2])) {
		set_due(it, at, it->due[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	while ((least = 2 * at + 1) < it->n_due) {
		if (least + 1 < it->n_due && is_before(it, it->due[least + 1], it->due[least]))
			least++;
		if (!is_before(it, it->due[least], moved))
			break;
		set_due(it, at, it->due[least]);
		at = least;
	}
	set_due(it, at, moved);
}

static void leave_due(struct referrals *it, uint32_t entry)
{
	uint32_t at;

	assert(it->entries && entry < it->used);
	at = it->entries[entry].due_at;
	if (at == NONE)
		return;
	it->entries[entry].due_at = NONE;
	if (at == --it->n_due)
		return;
	set_due(it, at, it->due[it->n_due]);
	sift(it, at);
}

static void enter_due(struct referrals *it, uint32_t entry)
{
	const struct referral *referral = &it->entries[entry].it;

	if (it->entries[entry].due_at != NONE || referral->told || referral->answer_by_ns == 0 ||
	    !referral_awaits_answer((enum referral_state)referral->state))
		return;
	set_due(it, it->n_due++, entry);
	sift(it, it->n_due - 1);
}

static struct list *list_of(struct referrals *it, uint32_t entry)
{
	const enum referral_state state = (enum referral_state)it->entries[entry].it.state;

	return referral_is_over(state) ? &it->over : &it->open;
}

static void leave_list(struct referrals *it, uint32_t entry)
{
	struct list *list = list_of(it, entry);
	struct entry *left = &it->entries[entry];

	if (left->before == NONE)
		list->first = left->after;
	else
		it->entries[left->before].after = left->after;
	if (left->after == NONE)
		list->last = left->before;
	else
		it->entries[left->after].before = left->before;
}

static void enter_list(struct referrals *it, uint32_t entry)
{
	struct list *list = list_of(it, entry);

	it->entries[entry].before = list->last;
	it->entries[entry].after = NONE;
	if (list->last == NONE)
		list->first = entry;
	else
		it->entries[list->last].after = entry;
	list->last = entry;
}

static void forget(struct referrals *it, uint32_t entry)
{
	uint32_t *at = chain_of(it, it->entries[entry].it.key);

	while (*at != entry)
		at = &it->entries[*at].chain;
	*at = it->entries[entry].chain;
	leave_due(it, entry);
	leave_list(it, entry);
	it->entries[entry].chain = it->free;
	it->free = entry;
	it->n--;
}

static void chain_all(struct referrals *it)
{
	for (size_t i = 0; i < it->room; i++)
		it->chains[i] = NONE;
	for (uint32_t i = 0; i < it->used; i++) { /* room is made when none is free */
		uint32_t *at = chain_of(it, it->entries[i].it.key);

		it->entries[i].chain = *at;
		*at = i;
	}
}

static bool grow(struct referrals *it)
{
	const size_t wanted = it->room ? it->room * 2 : FIRST_ROOM;
	struct entry *entries = realloc(it->entries, wanted * sizeof(*entries));
	uint32_t *chains, *due;

	if (!entries)
		return false;
	it->entries = entries;
	due = realloc(it->due, wanted * sizeof(*due));
	if (!due)
		return false;
	it->due = due;
	chains = realloc(it->chains, wanted * sizeof(*chains));
	if (!chains)
		return false;
	it->chains = chains;
	it->room = wanted;
	chain_all(it);
	return true;
}

/* An entry for this key, in no list; NONE: no memory. */
static uint32_t take(struct referrals *it, const uint8_t key[PERSON_KEY_BYTES])
{
	uint32_t entry, *chain;

	if (it->n == REFERRALS_MAX)
		forget(it, it->over.first != NONE ? it->over.first : it->open.first);
	if (it->free == NONE && it->used == it->room && !grow(it))
		return NONE;
	entry = it->free;
	if (entry == NONE)
		entry = (uint32_t)it->used++;
	else
		it->free = it->entries[entry].chain;
	chain = chain_of(it, key);
	it->entries[entry] = (struct entry){ .chain = *chain, .due_at = NONE };
	*chain = entry;
	it->n++;
	return entry;
}

bool referrals_put(struct referrals *it, const struct referral *as)
{
	uint32_t entry = find(it, as->key);

	assert(as->state > REFERRAL_NONE && as->state < REFERRAL_STATES);
	if (entry == NONE) {
		entry = take(it, as->key);
		if (entry == NONE)
			return false;
	} else {
		leave_due(it, entry);
		leave_list(it, entry);
	}
	it->entries[entry].it = *as;
	enter_list(it, entry);
	enter_due(it, entry);
	return true;
}

void referrals_expire(struct referrals *it, int64_t newest_ns)
{
	while (it->over.first != NONE &&
	       it->entries[it->over.first].it.moved_ns < newest_ns - REFERRALS_KEPT_NS)
		forget(it, it->over.first);
}

const struct referral *referrals_due(const struct referrals *it)
{
	return it->n_due > 0 ? &it->entries[it->due[0]].it : NULL;
}

bool referrals_tell(struct referrals *it, const uint8_t key[PERSON_KEY_BYTES])
{
	const uint32_t entry = find(it, key);

	if (entry == NONE)
		return false;
	it->entries[entry].it.told = true;
	leave_due(it, entry);
	return true;
}

void referrals_pass(struct referrals *it, const uint8_t key[PERSON_KEY_BYTES])
{
	const uint32_t entry = find(it, key);

	if (entry != NONE)
		leave_due(it, entry);
}

void referrals_ask_again(struct referrals *it)
{
	for (uint32_t i = it->open.first; i != NONE; i = it->entries[i].after)
		enter_due(it, i);
}

size_t referrals_bound(const struct referrals *it)
{
	return 16 + it->n * ENTRY_BYTES;
}

static void save(const struct referrals *it, uint32_t first, struct cursor *cursor)
{
	for (uint32_t i = first; i != NONE; i = it->entries[i].after) {
		const struct referral *referral = &it->entries[i].it;

		cursor_put_bytes(cursor, referral->key, sizeof(referral->key));
		cursor_put_u8(cursor, (uint8_t)(referral->state | (referral->told ? TOLD : 0)));
		cursor_put_sized(cursor, referral->provider, strlen(referral->provider) + 1);
		cursor_put_u64(cursor, (uint64_t)referral->moved_ns);
		cursor_put_u64(cursor, (uint64_t)referral->answer_by_ns);
		cursor_put_varint(cursor, referral->sent);
	}
}

void referrals_save(const struct referrals *it, struct cursor *cursor)
{
	cursor_put_varint(cursor, it->n);
	save(it, it->over.first, cursor);
	save(it, it->open.first, cursor);
}

static bool load(struct cursor *cursor, uint64_t sequence, struct referral *out)
{
	const uint8_t *key = cursor_get_bytes(cursor, sizeof(out->key)), *provider;
	const uint8_t state = cursor_get_u8(cursor);
	size_t len = 0;

	*out = (struct referral){ .state = state & (TOLD - 1),
				  .told = !PLANTED(OVERDUE_AGAIN) && state & TOLD };
	provider = cursor_get_sized(cursor, sizeof(out->provider), &len);
	out->moved_ns = (int64_t)cursor_get_u64(cursor);
	out->answer_by_ns = (int64_t)cursor_get_u64(cursor);
	out->sent = cursor_get_varint(cursor);
	if (!cursor_ok(cursor) || len == 0 || memchr(provider, 0, len) != provider + len - 1 ||
	    out->state == REFERRAL_NONE || out->state >= REFERRAL_STATES || out->sent > sequence ||
	    (out->answer_by_ns != 0 && out->sent == 0))
		return false;
	memcpy(out->key, key, sizeof(out->key));
	memcpy(out->provider, provider, len);
	return true;
}

bool referrals_load(struct referrals *it, struct cursor *cursor, uint64_t sequence)
{
	const uint64_t n = cursor_get_varint(cursor);
	struct referral referral;

	if (!cursor_ok(cursor) || n > REFERRALS_MAX)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (!load(cursor, sequence, &referral) || referrals_find(it, referral.key) ||
		    (referral_is_over((enum referral_state)referral.state) && it->open.first != NONE) ||
		    !referrals_put(it, &referral))
			return false;
	}
	return true;
}
