/* See barred.h. */
#include "core/barred.h"

#include <stdlib.h>
#include <string.h>

void barred_fini(struct barred *it)
{
	free(it->items);
	*it = (struct barred){ 0 };
}

/* First item that is not below the key. */
static size_t lower(const struct barred *it, const uint8_t *key)
{
	size_t low = 0, high = it->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (memcmp(it->items[middle].key, key, BARRED_KEY) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct barred_item *find(const struct barred *it, const uint8_t *key)
{
	const size_t at = lower(it, key);

	return at < it->n && memcmp(it->items[at].key, key, BARRED_KEY) == 0 ? &it->items[at] : NULL;
}

/* Finds or makes. */
static enum ttg_error get(struct barred *it, const uint8_t *key, struct barred_item **out)
{
	const size_t at = lower(it, key);

	*out = find(it, key);
	if (*out)
		return TTG_OK;
	if (it->n == BARRED_MAX)
		return TTG_ELIMIT;
	if (it->n == it->room) {
		const size_t wanted = it->room ? it->room * 2 : 16;
		struct barred_item *grown = realloc(it->items, wanted * sizeof(*grown));

		if (!grown)
			return TTG_ENOMEM;
		it->items = grown;
		it->room = wanted;
	}
	*out = &it->items[at];
	memmove(*out + 1, *out, (it->n - at) * sizeof(**out));
	it->n++;
	**out = (struct barred_item){ .before = 0 };
	memcpy((*out)->key, key, BARRED_KEY);
	return TTG_OK;
}

enum ttg_error barred_note(struct barred *it, const uint8_t *key, const uint8_t *supersedes)
{
	struct barred_item *item;
	const enum ttg_error code = get(it, key, &item);

	if (code == TTG_OK)
		memcpy(item->wrong, supersedes, BARRED_KEY);
	return code;
}

enum ttg_error barred_add(struct barred *it, const uint8_t *key, uint64_t before)
{
	static const uint8_t none[BARRED_KEY];
	struct barred_item *item;
	enum ttg_error code = get(it, key, &item);

	if (code != TTG_OK)
		return code;
	item->before = before > item->before ? before : item->before;
	/* Events supersede earlier ones, so this comes to an end; and it does if somebody lied. */
	for (size_t n = 0; n < it->n && memcmp(item->wrong, none, BARRED_KEY) != 0; n++) {
		uint8_t wrong[BARRED_KEY];

		memcpy(wrong, item->wrong, BARRED_KEY);
		code = get(it, wrong, &item);
		if (code != TTG_OK)
			return code;
		item->before = before > item->before ? before : item->before;
	}
	return TTG_OK;
}

bool barred_has(const struct barred *it, const uint8_t *key, uint64_t sequence)
{
	const struct barred_item *item = it->n > 0 ? find(it, key) : NULL;

	return item && sequence < item->before;
}
