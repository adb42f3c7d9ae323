/*
 * Numbers, links and the rings that hold persons and lanes together; see identity.h. What may be linked
 * is decided in identity_do.c.
 */
#include "core/identity_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mailbox.h"

#define FIRST_SLOTS 64u

struct identity *identity_new(void)
{
	return calloc(1, sizeof(struct identity));
}

void identity_free(struct identity **identity)
{
	struct identity *it = *identity;

	if (!it)
		return;
	for (size_t i = 0; i < it->n; i++) {
		if (it->numbers[i].standing)
			standing_fini(it->numbers[i].standing);
		free(it->numbers[i].standing);
	}
	free(it->numbers);
	free(it->slots);
	free(it->links);
	free(it->contested);
	free(it);
	*identity = NULL;
}

size_t identity_count(const struct identity *it)
{
	return it->n;
}

size_t identity_link_count(const struct identity *it)
{
	return it->n_standing;
}

size_t identity_conflict_count(const struct identity *it)
{
	return it->n_contested;
}

/* Keys are hashes under a secret: any eight bytes of them are spread. */
static size_t home(const struct identity *it, const uint8_t key[PERSON_KEY_BYTES])
{
	uint64_t word;

	memcpy(&word, key + 8, sizeof(word));
	return (size_t)word & (it->n_slots - 1);
}

uint32_t identity_find(const struct identity *it, const uint8_t key[PERSON_KEY_BYTES])
{
	if (it->n == 0)
		return IDENTITY_NONE;
	for (size_t i = home(it, key); it->slots[i]; i = (i + 1) & (it->n_slots - 1)) {
		const uint32_t index = it->slots[i] - 1;

		if (memcmp(it->numbers[index].number.key, key, PERSON_KEY_BYTES) == 0)
			return index;
	}
	return IDENTITY_NONE;
}

static void put(struct identity *it, uint32_t index)
{
	size_t i = home(it, it->numbers[index].number.key);

	while (it->slots[i])
		i = (i + 1) & (it->n_slots - 1);
	it->slots[i] = index + 1;
}

static bool room(struct identity *it)
{
	if ((it->n + 1) * 2 > it->n_slots) {
		size_t wanted = it->n_slots ? it->n_slots * 2 : FIRST_SLOTS;
		uint32_t *slots = calloc(wanted, sizeof(*slots));

		if (!slots)
			return false;
		free(it->slots);
		it->slots = slots;
		it->n_slots = wanted;
		for (uint32_t i = 0; i < it->n; i++)
			put(it, i);
	}
	if (it->n == it->capacity) {
		size_t wanted = it->capacity ? it->capacity * 2 : FIRST_SLOTS / 2;
		struct identity_number *grown = realloc(it->numbers, wanted * sizeof(*grown));

		if (!grown)
			return false;
		it->numbers = grown;
		it->capacity = wanted;
	}
	return true;
}

uint32_t identity_take(struct identity *it, const struct person_number *number)
{
	uint32_t index = identity_find(it, number->key);

	if (index != IDENTITY_NONE)
		return index;
	if (it->n >= IDENTITY_NONE - 1 || !room(it))
		return IDENTITY_NONE;
	index = (uint32_t)it->n;
	it->numbers[it->n++] = (struct identity_number){
		.number = *number, .lead = index, .next = index, .link = IDENTITY_NONE,
		.lane = mailbox_lane(number->key, 0), .lane_next = index,
	};
	put(it, index);
	return index;
}

struct identity_number *identity_number(struct identity *it, uint32_t index)
{
	assert(index < it->n);
	return &it->numbers[index];
}

const struct identity_number *identity_look(const struct identity *it, uint32_t index)
{
	assert(index < it->n);
	return &it->numbers[index];
}

struct standing *identity_standing(struct identity *it, uint32_t index)
{
	assert(index < it->n);
	if (!it->numbers[index].standing)
		it->numbers[index].standing = calloc(1, sizeof(struct standing));
	return it->numbers[index].standing;
}

void identity_forget(struct identity *it, uint32_t index)
{
	assert(index < it->n);
	if (it->numbers[index].standing)
		standing_fini(it->numbers[index].standing);
	free(it->numbers[index].standing);
	it->numbers[index].standing = NULL;
}

const struct identity_link *identity_link_at(const struct identity *it, uint32_t index, size_t i)
{
	uint32_t link = it->numbers[index].link;

	while (link != IDENTITY_NONE && i-- > 0)
		link = identity_next_link(it, link, index);
	return link == IDENTITY_NONE ? NULL : &it->links[link];
}

const uint8_t *identity_person(const struct identity *it, const uint8_t key[PERSON_KEY_BYTES])
{
	const uint32_t index = identity_find(it, key);

	return index == IDENTITY_NONE ? key : it->numbers[it->numbers[index].lead].number.key;
}

uint64_t identity_lane(const struct identity *it, const uint8_t key[PERSON_KEY_BYTES])
{
	const uint32_t index = identity_find(it, key);

	return index == IDENTITY_NONE ? 0 : it->numbers[index].lane;
}

bool identity_is_contested(const struct identity *it, uint32_t index)
{
	uint32_t i = index;

	do {
		if (it->numbers[i].contested > 0)
			return true;
		i = it->numbers[i].next;
	} while (i != index);
	return false;
}

void identity_unite(struct identity *it, uint32_t a, uint32_t b)
{
	struct identity_number *numbers = it->numbers;
	const uint32_t left = numbers[a].lead, right = numbers[b].lead;
	const uint32_t lead = left < right ? left : right, other = left < right ? right : left;
	uint32_t i = other, kept;

	if (left == right)
		return;
	do {
		numbers[i].lead = lead;
		i = numbers[i].next;
	} while (i != other);
	kept = numbers[lead].next;
	numbers[lead].next = numbers[other].next;
	numbers[other].next = kept;
}

void identity_join_lanes(struct identity *it, uint32_t a, uint32_t b, struct identity_joined *joined)
{
	struct identity_number *numbers = it->numbers;
	const uint32_t first = a < b ? a : b, second = a < b ? b : a;
	uint32_t i = second, kept;

	if (numbers[a].lane == numbers[b].lane)
		return;
	*joined = (struct identity_joined){ .from = numbers[second].lane, .to = numbers[first].lane };
	do {
		numbers[i].lane = joined->to;
		i = numbers[i].lane_next;
	} while (i != second);
	kept = numbers[first].lane_next;
	numbers[first].lane_next = numbers[second].lane_next;
	numbers[second].lane_next = kept;
}

uint32_t identity_next_link(const struct identity *it, uint32_t link, uint32_t number)
{
	return it->links[link].a == number ? it->links[link].next_a : it->links[link].next_b;
}

uint32_t identity_between(const struct identity *it, uint32_t a, uint32_t b)
{
	uint32_t i = it->numbers[a].link;

	while (i != IDENTITY_NONE && it->links[i].a != b && it->links[i].b != b)
		i = identity_next_link(it, i, a);
	return i;
}

/* Where the number's list names this link. */
static uint32_t *pointer_to(struct identity *it, uint32_t link, uint32_t number)
{
	uint32_t *at = &it->numbers[number].link;

	while (*at != link)
		at = it->links[*at].a == number ? &it->links[*at].next_a : &it->links[*at].next_b;
	return at;
}

struct identity_link *identity_add_link(struct identity *it, const struct identity_link *link)
{
	const uint32_t index = (uint32_t)it->n_links;
	struct identity_link *added;

	if (it->n_links == it->capacity_links) {
		size_t wanted = it->capacity_links ? it->capacity_links * 2 : FIRST_SLOTS;
		struct identity_link *grown;

		if (wanted >= IDENTITY_NONE)
			return NULL;
		grown = realloc(it->links, wanted * sizeof(*grown));
		if (!grown)
			return NULL;
		it->links = grown;
		it->capacity_links = wanted;
	}
	added = &it->links[it->n_links++];
	*added = *link;
	added->next_a = it->numbers[link->a].link;
	it->numbers[link->a].link = index;
	added->next_b = it->numbers[link->b].link;
	it->numbers[link->b].link = index;
	it->n_standing += link->state == IDENTITY_STANDS;
	return added;
}

static void forget_contested(struct identity *it, uint32_t link)
{
	size_t i = 0;

	while (i < it->n_contested && it->contested[i] != link)
		i++;
	if (i == it->n_contested)
		return;
	it->n_contested--;
	memmove(&it->contested[i], &it->contested[i + 1],
		(it->n_contested - i) * sizeof(*it->contested));
}

void identity_remove_link(struct identity *it, uint32_t link)
{
	const uint32_t last = (uint32_t)it->n_links - 1;

	it->n_standing -= it->links[link].state == IDENTITY_STANDS;
	*pointer_to(it, link, it->links[link].a) = it->links[link].next_a;
	*pointer_to(it, link, it->links[link].b) = it->links[link].next_b;
	forget_contested(it, link);
	if (link != last) {
		/* The last one takes the place, so that equal states have equal lists. */
		*pointer_to(it, last, it->links[last].a) = link;
		*pointer_to(it, last, it->links[last].b) = link;
		it->links[link] = it->links[last];
		for (size_t i = 0; i < it->n_contested; i++) {
			if (it->contested[i] == last)
				it->contested[i] = link;
		}
	}
	it->n_links--;
}

void identity_turn_link(struct identity *it, uint32_t link)
{
	struct identity_link *at = &it->links[link];
	const struct identity_link was = *at;

	at->a = was.b;
	at->b = was.a;
	at->next_a = was.next_b;
	at->next_b = was.next_a;
}

bool identity_add_contested(struct identity *it, uint32_t link)
{
	const struct identity_link *added = &it->links[link];
	size_t at = it->n_contested;

	if (it->n_contested == it->capacity_contested) {
		size_t wanted = it->capacity_contested ? it->capacity_contested * 2 : 16;
		uint32_t *grown = realloc(it->contested, wanted * sizeof(*grown));

		if (!grown)
			return false;
		it->contested = grown;
		it->capacity_contested = wanted;
	}
	while (at > 0) {
		const struct identity_link *before = &it->links[it->contested[at - 1]];

		if (before->sequence < added->sequence ||
		    (before->sequence == added->sequence && before->part < added->part))
			break;
		it->contested[at] = it->contested[at - 1];
		at--;
	}
	it->contested[at] = link;
	it->n_contested++;
	it->numbers[added->a].contested++;
	it->numbers[added->b].contested++;
	return true;
}

struct identity_link *identity_conflict(struct identity *it, size_t i)
{
	return i < it->n_contested ? &it->links[it->contested[i]] : NULL;
}

struct identity_link *identity_find_conflict(struct identity *it, uint64_t sequence, uint8_t part)
{
	for (size_t i = 0; i < it->n_contested; i++) {
		struct identity_link *link = &it->links[it->contested[i]];

		if (link->sequence == sequence && link->part == part)
			return link;
	}
	return NULL;
}

const struct identity_link *identity_link_of(const struct identity *it, uint32_t index)
{
	uint32_t i = it->numbers[index].link;

	while (i != IDENTITY_NONE && it->links[i].state != IDENTITY_STANDS)
		i = identity_next_link(it, i, index);
	return i == IDENTITY_NONE ? NULL : &it->links[i];
}

void identity_sources_text(const struct identity *it, uint64_t sources, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < it->n_sources && len + RULES_ID_MAX + 2 < size; i++) {
		if (sources >> i & 1)
			len += (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? " " : "",
						it->sources[i]);
	}
}
