/*
 * The newest durable batches as plaintext, so that what was just accepted is delivered without
 * reading and decrypting it again. A ring, oldest out first, bounded in bytes and in batches; the
 * sequences in it have no gaps unless memory was short. Owned by the loop.
 */
#include "journal/state.h"

#include <assert.h>

static struct plain *item(const struct cache *cache, unsigned i)
{
	return cache->items[(cache->first + i) % JOURNAL_CACHE_BATCHES];
}

static size_t cost(const struct plain *plain)
{
	return sizeof(*plain) + plain->len + plain->count * sizeof(uint32_t);
}

static void drop_oldest(struct cache *cache)
{
	assert(cache->count > 0);
	cache->bytes -= cost(item(cache, 0));
	plain_drop(&cache->items[cache->first]);
	cache->first = (cache->first + 1) % JOURNAL_CACHE_BATCHES;
	cache->count--;
}

void cache_add(struct cache *cache, struct plain *take_plain)
{
	size_t bytes = cost(take_plain);

	if (bytes > JOURNAL_CACHE_BYTES) {
		plain_drop(&take_plain);
		return;
	}
	while (cache->count == JOURNAL_CACHE_BATCHES || cache->bytes + bytes > JOURNAL_CACHE_BYTES)
		drop_oldest(cache);
	cache->items[(cache->first + cache->count) % JOURNAL_CACHE_BATCHES] = take_plain;
	cache->count++;
	cache->bytes += bytes;
}

struct plain *cache_find(const struct cache *cache, uint64_t sequence)
{
	unsigned low = 0;
	unsigned high = cache->count;

	while (low < high) { /* first item above sequence */
		unsigned middle = low + (high - low) / 2;

		if (item(cache, middle)->first_sequence <= sequence)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 ||
	    sequence - item(cache, low - 1)->first_sequence >= item(cache, low - 1)->count)
		return NULL;
	return item(cache, low - 1);
}

void cache_clear(struct cache *cache)
{
	while (cache->count > 0)
		drop_oldest(cache);
}
