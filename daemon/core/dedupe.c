/*
 * The dedupe window; see dedupe.h.
 *
 * Entries stand in blocks, in order of acceptance, and are named by a 32-bit number that counts up
 * and wraps. The index is an open-addressing table of these numbers. It grows a few slots at a
 * time: while it does, entries are in the old table or in the new one, the new one takes all
 * additions, and each addition moves some slots across, so that no event waits for a whole table.
 * A slot of a table of millions is in no cache: an addition only asks for it, and is put there a few
 * additions later. Until then it is found in its block.
 *
 * Ages are kept for a block, not for an entry: a block goes when its youngest entry is due, so an
 * entry may stay a little longer than the window, never shorter.
 *
 * An image shares the blocks that are full, and copies the one that is not: taking one costs a
 * pointer for each 1024 entries, whatever happens to the window afterwards.
 *
 * Owner: the loop thread; an image belongs to whoever has it. Without memory an addition fails and
 * nothing has changed.
 */
#include "core/dedupe.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ENTRIES 1024u
#define MOVES_PER_ADD 8u
#define LATE_ENTRIES 4u /* in their block and not in the index yet */
#define FIRST_SLOTS 1024u
#define SLOT_EMPTY 0u
#define SLOT_GONE UINT32_MAX /* only in an old table */
#define NUMBERS (UINT32_MAX - 1) /* entry numbers are 1 to this, then begin again */

struct entry {
	uint64_t fingerprint, sequence;
};

/* Changes no more when the next one has begun; then images hold it too. */
struct block {
	atomic_uint holders;
	int64_t newest_ns;
	struct entry entries[BLOCK_ENTRIES];
};

struct table {
	uint32_t *slots;
	uint8_t *tags; /* of each slot in use: high bits of its fingerprint, to look no further */
	uint64_t size; /* a power of two; 0: not there */
};

struct dedupe {
	uint64_t max;
	int64_t window_ns;
	struct block **blocks;     /* ring of block pointers, oldest at first_block */
	uint64_t capacity_blocks, first_block, n_blocks;
	uint64_t oldest;           /* absolute count of the oldest entry, from 0 */
	uint64_t next;             /* absolute count of the next entry */
	uint64_t indexed;          /* absolute count of the first one that is not in the index */
	uint64_t base;             /* absolute count of entry 0 of the first block */
	struct table table, old;
	uint64_t moved;            /* slots of old already carried over */
};

struct dedupe_image {
	uint64_t gone, count;  /* entries left out at the front of the first block; in the image */
	struct block **blocks; /* shared with the window, all but the last */
	uint64_t n_blocks;
	struct block *last;    /* a copy; NULL: there are none */
};

static struct block *block_new(void)
{
	struct block *block = malloc(sizeof(*block));

	if (!block)
		return NULL;
	atomic_init(&block->holders, 1);
	block->newest_ns = INT64_MIN;
	return block;
}

static void block_let_go(struct block *block)
{
	if (atomic_fetch_sub_explicit(&block->holders, 1, memory_order_acq_rel) == 1)
		free(block);
}

static uint32_t number_of(uint64_t absolute)
{
	return (uint32_t)(absolute % NUMBERS) + 1;
}

/* Absolute count of a number that is held. */
static uint64_t absolute_of(const struct dedupe *it, uint32_t number)
{
	uint64_t offset = ((uint64_t)number - 1 + NUMBERS - it->oldest % NUMBERS) % NUMBERS;

	return it->oldest + offset;
}

static struct block *block_of(const struct dedupe *it, uint64_t absolute)
{
	uint64_t index = (absolute - it->base) / BLOCK_ENTRIES;

	assert(index < it->n_blocks);
	return it->blocks[(it->first_block + index) % it->capacity_blocks];
}

static struct entry *entry_of(const struct dedupe *it, uint64_t absolute)
{
	return &block_of(it, absolute)->entries[(absolute - it->base) % BLOCK_ENTRIES];
}

static uint64_t home(const struct table *table, uint64_t fingerprint)
{
	return fingerprint & (table->size - 1);
}

static uint8_t tag(uint64_t fingerprint)
{
	return (uint8_t)(fingerprint >> 56);
}

static uint64_t find_in(const struct dedupe *it, const struct table *table, uint64_t fingerprint)
{
	uint64_t best = 0;

	if (table->size == 0)
		return 0;
	for (uint64_t i = home(table, fingerprint); table->slots[i] != SLOT_EMPTY;
	     i = (i + 1) & (table->size - 1)) {
		const struct entry *entry;

		if (table->tags[i] != tag(fingerprint) || table->slots[i] == SLOT_GONE)
			continue;
		entry = entry_of(it, absolute_of(it, table->slots[i]));
		if (entry->fingerprint == fingerprint && entry->sequence > best)
			best = entry->sequence;
	}
	return best;
}

uint64_t dedupe_find(const struct dedupe *it, uint64_t fingerprint)
{
	uint64_t newer = find_in(it, &it->table, fingerprint);
	uint64_t older = find_in(it, &it->old, fingerprint);
	uint64_t best = newer > older ? newer : older;

	for (uint64_t i = it->indexed; i < it->next; i++) {
		const struct entry *entry = entry_of(it, i);

		if (entry->fingerprint == fingerprint && entry->sequence > best)
			best = entry->sequence;
	}
	return best;
}

static void put(struct table *table, uint64_t fingerprint, uint32_t number)
{
	uint64_t i = home(table, fingerprint);

	while (table->slots[i] != SLOT_EMPTY)
		i = (i + 1) & (table->size - 1);
	table->slots[i] = number;
	table->tags[i] = tag(fingerprint);
}

static void index_one(struct dedupe *it)
{
	put(&it->table, entry_of(it, it->indexed)->fingerprint, number_of(it->indexed));
	it->indexed++;
}

static void ask_for_slot(const struct table *table, uint64_t fingerprint)
{
	__builtin_prefetch(&table->slots[home(table, fingerprint)], 1);
	__builtin_prefetch(&table->tags[home(table, fingerprint)], 1);
}

/* Slot that holds this number, or size. */
static uint64_t slot_of(const struct table *table, uint64_t fingerprint, uint32_t number)
{
	if (table->size == 0)
		return 0;
	for (uint64_t i = home(table, fingerprint); table->slots[i] != SLOT_EMPTY;
	     i = (i + 1) & (table->size - 1)) {
		if (table->slots[i] == number)
			return i;
	}
	return table->size;
}

/* Takes a slot out and closes the gap, so that every other entry is still found from its home. */
static void close_gap(struct dedupe *it, uint64_t hole)
{
	struct table *table = &it->table;
	uint64_t mask = table->size - 1;

	for (uint64_t i = (hole + 1) & mask; table->slots[i] != SLOT_EMPTY; i = (i + 1) & mask) {
		const struct entry *entry = entry_of(it, absolute_of(it, table->slots[i]));
		uint64_t wanted = home(table, entry->fingerprint);

		if (((i - wanted) & mask) < ((i - hole) & mask))
			continue;
		table->slots[hole] = table->slots[i];
		table->tags[hole] = table->tags[i];
		hole = i;
	}
	table->slots[hole] = SLOT_EMPTY;
}

static void table_fini(struct table *table)
{
	free(table->slots);
	free(table->tags);
	*table = (struct table){ 0 };
}

static void move_some(struct dedupe *it, uint64_t n)
{
	for (; n > 0 && it->moved < it->old.size; n--, it->moved++) {
		uint32_t number = it->old.slots[it->moved];

		if (number == SLOT_EMPTY || number == SLOT_GONE)
			continue;
		put(&it->table, entry_of(it, absolute_of(it, number))->fingerprint, number);
		it->old.slots[it->moved] = SLOT_GONE;
	}
	if (it->old.size > 0 && it->moved == it->old.size) {
		table_fini(&it->old);
	}
}

static bool grow_table(struct dedupe *it)
{
	uint64_t size = it->table.size ? it->table.size * 2 : FIRST_SLOTS;
	struct table table = { calloc(size, sizeof(uint32_t)), calloc(size, 1), size };

	if (!table.slots || !table.tags) {
		table_fini(&table);
		return false;
	}
	move_some(it, UINT64_MAX);
	it->old = it->table;
	it->moved = 0;
	it->table = table;
	return true;
}

static bool grow_ring(struct dedupe *it)
{
	uint64_t capacity = it->capacity_blocks ? it->capacity_blocks * 2 : 16;
	struct block **blocks = calloc(capacity, sizeof(struct block *));

	if (!blocks)
		return false;
	for (uint64_t i = 0; i < it->n_blocks; i++)
		blocks[i] = it->blocks[(it->first_block + i) % it->capacity_blocks];
	free(it->blocks);
	it->blocks = blocks;
	it->capacity_blocks = capacity;
	it->first_block = 0;
	return true;
}

static bool add_block(struct dedupe *it)
{
	struct block *block;

	if (it->n_blocks == it->capacity_blocks && !grow_ring(it))
		return false;
	block = block_new();
	if (!block)
		return false;
	it->blocks[(it->first_block + it->n_blocks) % it->capacity_blocks] = block;
	it->n_blocks++;
	return true;
}

static void drop_oldest(struct dedupe *it)
{
	uint64_t fingerprint = entry_of(it, it->oldest)->fingerprint, slot;
	uint32_t number = number_of(it->oldest);

	assert(it->oldest < it->next);
	if (it->oldest == it->indexed)
		index_one(it);
	slot = slot_of(&it->table, fingerprint, number);
	if (slot < it->table.size) {
		close_gap(it, slot);
	} else {
		slot = slot_of(&it->old, fingerprint, number);
		assert(slot < it->old.size);
		it->old.slots[slot] = SLOT_GONE;
	}
	it->oldest++;
	if (it->oldest - it->base == BLOCK_ENTRIES) {
		block_let_go(it->blocks[it->first_block]);
		it->first_block = (it->first_block + 1) % it->capacity_blocks;
		it->n_blocks--;
		it->base += BLOCK_ENTRIES;
	}
}

static void expire(struct dedupe *it, int64_t now_ns)
{
	int64_t horizon = now_ns < INT64_MIN + it->window_ns ? INT64_MIN : now_ns - it->window_ns;

	while (it->next - it->oldest > it->max)
		drop_oldest(it);
	/* Only whole blocks, and never the one that is being filled. */
	while (it->n_blocks > 1 &&
	       it->blocks[it->first_block]->newest_ns < horizon) {
		uint64_t end = it->base + BLOCK_ENTRIES;

		while (it->oldest < end)
			drop_oldest(it);
	}
}

bool dedupe_add(struct dedupe *it, uint64_t fingerprint, uint64_t sequence, int64_t accepted_ns)
{
	struct block *block;

	if (it->next - it->base == it->n_blocks * BLOCK_ENTRIES && !add_block(it))
		return false;
	if ((it->next - it->oldest + 1) * 4 > it->table.size * 3 && !grow_table(it))
		return false;
	block = block_of(it, it->next);
	if (accepted_ns > block->newest_ns)
		block->newest_ns = accepted_ns;
	*entry_of(it, it->next) = (struct entry){ fingerprint, sequence };
	it->next++;
	ask_for_slot(&it->table, fingerprint);
	while (it->next - it->indexed > LATE_ENTRIES)
		index_one(it);
	move_some(it, MOVES_PER_ADD);
	expire(it, accepted_ns);
	return true;
}

struct dedupe *dedupe_new(uint64_t max, uint64_t window_ns)
{
	struct dedupe *it;

	assert(max > 0 && max <= DEDUPE_MAX);
	it = calloc(1, sizeof(*it));
	if (!it)
		return NULL;
	it->max = max;
	it->window_ns = window_ns > INT64_MAX ? INT64_MAX : (int64_t)window_ns;
	return it;
}

static void empty(struct dedupe *it)
{
	for (uint64_t i = 0; i < it->n_blocks; i++)
		block_let_go(it->blocks[(it->first_block + i) % it->capacity_blocks]);
	free(it->blocks);
	table_fini(&it->table);
	table_fini(&it->old);
	*it = (struct dedupe){ .max = it->max, .window_ns = it->window_ns };
}

void dedupe_free(struct dedupe **dedupe)
{
	if (!*dedupe)
		return;
	empty(*dedupe);
	free(*dedupe);
	*dedupe = NULL;
}

uint64_t dedupe_count(const struct dedupe *it)
{
	return it->next - it->oldest;
}

size_t dedupe_bytes(const struct dedupe *it)
{
	return sizeof(*it) + it->n_blocks * sizeof(struct block) +
	       it->capacity_blocks * sizeof(struct block *) +
	       (it->table.size + it->old.size) * (sizeof(uint32_t) + 1);
}

struct dedupe_image *dedupe_freeze(const struct dedupe *it)
{
	struct dedupe_image *image = calloc(1, sizeof(*image));

	if (image)
		image->blocks = malloc((it->n_blocks + 1) * sizeof(*image->blocks));
	if (!image || !image->blocks) {
		free(image);
		return NULL;
	}
	image->gone = it->oldest - it->base;
	image->count = dedupe_count(it);
	image->last = it->n_blocks > 0 ? block_new() : NULL;
	if (it->n_blocks > 0 && !image->last) {
		dedupe_image_free(&image);
		return NULL;
	}
	for (uint64_t i = 0; i < it->n_blocks; i++) {
		struct block *block = it->blocks[(it->first_block + i) % it->capacity_blocks];

		if (i + 1 < it->n_blocks) {
			atomic_fetch_add_explicit(&block->holders, 1, memory_order_relaxed);
			image->blocks[image->n_blocks++] = block;
		} else { /* is still written to */
			image->last->newest_ns = block->newest_ns;
			memcpy(image->last->entries, block->entries, sizeof(block->entries));
		}
	}
	return image;
}

void dedupe_image_free(struct dedupe_image **image)
{
	struct dedupe_image *old = *image;

	*image = NULL;
	if (!old)
		return;
	for (uint64_t i = 0; i < old->n_blocks; i++)
		block_let_go(old->blocks[i]);
	free(old->last);
	free(old->blocks);
	free(old);
}

/* Header, then for each block its newest time, then entries: fingerprint u64, sequence gap. */
size_t dedupe_image_bytes(const struct dedupe_image *image)
{
	return 32 + (image->n_blocks + 1) * 8 + image->count * 18;
}

void dedupe_image_save(const struct dedupe_image *image, struct cursor *cursor)
{
	uint64_t before = 0;

	cursor_put_varint(cursor, image->gone); /* from the first block */
	cursor_put_varint(cursor, image->count);
	for (uint64_t i = image->gone; i < image->gone + image->count; i++) {
		const uint64_t number = i / BLOCK_ENTRIES;
		const struct block *block =
			number < image->n_blocks ? image->blocks[number] : image->last;
		const struct entry *entry = &block->entries[i % BLOCK_ENTRIES];

		if (i == image->gone || i % BLOCK_ENTRIES == 0)
			cursor_put_u64(cursor, (uint64_t)block->newest_ns);
		cursor_put_u64(cursor, entry->fingerprint);
		cursor_put_varint(cursor, entry->sequence - before);
		before = entry->sequence;
	}
}

/*
 * Loading puts entries into the index region by region, because a table of millions is in no cache:
 * they are read, then sorted by region, then put. A part is one entry on that way: its number, the
 * place in its region, its tag.
 */
#define REGION_SLOTS 65536u
#define PART(number, at, tag) ((uint64_t)(number) << 32 | (uint64_t)(at) << 8 | (tag))
#define PART_NUMBER(part) ((uint32_t)((part) >> 32))
#define PART_AT(part) ((part) >> 8 & (REGION_SLOTS - 1))
#define PART_TAG(part) ((uint8_t)(part))

/* Entries oldest first, in blocks; nothing is indexed yet. */
static bool load_entries(struct dedupe *it, struct cursor *cursor, uint64_t n)
{
	uint64_t sequence = 0;

	for (uint64_t i = 0; i < n; i++, it->next++) {
		struct block *block;

		if (it->next == it->n_blocks * BLOCK_ENTRIES && !add_block(it))
			return false;
		block = block_of(it, it->next);
		if (i == 0 || it->next % BLOCK_ENTRIES == 0)
			block->newest_ns = (int64_t)cursor_get_u64(cursor);
		struct entry *entry = &block->entries[it->next % BLOCK_ENTRIES];
		entry->fingerprint = cursor_get_u64(cursor);
		entry->sequence = sequence += cursor_get_varint(cursor);
		if (!cursor_ok(cursor))
			return false;
	}
	return true;
}

/* All parts, by region, and where each region ends. */
static void sort_parts(const struct dedupe *it, uint64_t *parts, uint64_t *ends, uint64_t regions)
{
	uint64_t before = 0;

	for (uint64_t i = it->oldest; i < it->next; i++)
		ends[home(&it->table, entry_of(it, i)->fingerprint) / REGION_SLOTS]++;
	for (uint64_t i = 0; i < regions; i++) {
		uint64_t begin = before;

		before += ends[i];
		ends[i] = begin;
	}
	for (uint64_t i = it->oldest; i < it->next; i++) {
		uint64_t fingerprint = entry_of(it, i)->fingerprint;
		uint64_t at = home(&it->table, fingerprint);

		parts[ends[at / REGION_SLOTS]++] =
			PART(number_of(i), at % REGION_SLOTS, tag(fingerprint));
	}
}

static void put_parts(struct table *table, const uint64_t *parts, const uint64_t *ends,
		      uint64_t regions)
{
	for (uint64_t region = 0, k = 0; region < regions; region++) {
		for (; k < ends[region]; k++) {
			uint64_t i = region * REGION_SLOTS + PART_AT(parts[k]);

			while (table->slots[i] != SLOT_EMPTY)
				i = (i + 1) & (table->size - 1);
			table->slots[i] = PART_NUMBER(parts[k]);
			table->tags[i] = PART_TAG(parts[k]);
		}
	}
}

/* The table that the entries would have filled by and by, at once. */
static bool index_all(struct dedupe *it)
{
	uint64_t n = dedupe_count(it), size = FIRST_SLOTS, regions;
	uint64_t *parts, *ends;
	bool done = false;

	while (n * 4 > size * 3)
		size *= 2;
	regions = (size + REGION_SLOTS - 1) / REGION_SLOTS;
	it->table = (struct table){ malloc(size * sizeof(uint32_t)), calloc(size, 1), size };
	parts = calloc(n + 1, sizeof(*parts));
	ends = calloc(regions, sizeof(*ends));
	if (it->table.slots && it->table.tags && parts && ends) {
		/* Not calloc: a page that is read first is mapped twice, and every thread feels it. */
		memset(it->table.slots, SLOT_EMPTY, size * sizeof(uint32_t));
		sort_parts(it, parts, ends, regions);
		put_parts(&it->table, parts, ends, regions);
		it->indexed = it->next;
		done = true;
	} else {
		table_fini(&it->table);
	}
	free(parts);
	free(ends);
	return done;
}

bool dedupe_load(struct dedupe *it, struct cursor *cursor)
{
	uint64_t gone = cursor_get_varint(cursor), n = cursor_get_varint(cursor);

	empty(it);
	if (!cursor_ok(cursor) || gone >= BLOCK_ENTRIES || n > DEDUPE_MAX)
		return false;
	/* The first block begins with entries that are gone already. */
	if (gone > 0 && !add_block(it))
		return false;
	it->oldest = gone;
	it->next = gone;
	if (!load_entries(it, cursor, n) || !index_all(it))
		return false;
	expire(it, INT64_MIN); /* fewer may be wanted than were saved; nothing is due by age */
	return true;
}
