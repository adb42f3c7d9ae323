/*
 * Completing rules: sorting every table, carrying the indices along, and the digest that names
 * them. Two configurations that mean the same have the same digest, whatever the order of their
 * files.
 *
 * Owner: whoever builds the rules, once; afterwards they are read only. False is lack of memory,
 * and the rules may then only be freed.
 */
#include "core/rules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/rules_text.h"

struct rules *rules_new(void)
{
	return calloc(1, sizeof(struct rules));
}

void rules_free(struct rules **rules)
{
	struct rules *it = *rules;

	if (!it)
		return;
	for (size_t i = 0; i < it->n_agencies; i++) {
		free(it->agencies[i].keys);
		free(it->agencies[i].signing_keys);
		free(it->agencies[i].ranges);
	}
	free(it->agencies);
	free(it->mailboxes);
	for (size_t i = 0; i < it->n_agreements; i++)
		free(it->agreements[i].parties);
	free(it->agreements);
	free(it->types);
	free(it->publish);
	free(it->deliver);
	for (size_t i = 0; i < it->n_masks; i++)
		mask_free(&it->masks[i]);
	free(it->masks);
	free(it->conditions);
	free(it->by_key);
	free(it);
	*rules = NULL;
}

/* One table of ids being sorted: pointers into a copy of the old order. */
struct slot {
	const char *id;
	size_t old;
};

static int by_id(const void *a, const void *b)
{
	const struct slot *left = a, *right = b;

	return strcmp(left->id, right->id);
}

/*
 * Sorts `n` items of `size` bytes that begin with their id; *moved becomes a malloc'd table from
 * old to new index, NULL when there is nothing to sort.
 */
static bool sort_ids(void *base, size_t n, size_t size, uint32_t **moved)
{
	struct slot *slots = NULL;
	char *copy = NULL;
	bool done = false;

	*moved = NULL;
	if (n == 0)
		return true;
	slots = calloc(n, sizeof(*slots));
	copy = malloc(n * size);
	*moved = calloc(n, sizeof(**moved));
	if (!slots || !copy || !*moved)
		goto out;
	memcpy(copy, base, n * size);
	for (size_t i = 0; i < n; i++)
		slots[i] = (struct slot){ copy + i * size, i };
	qsort(slots, n, sizeof(*slots), by_id);
	for (size_t i = 0; i < n; i++) {
		memcpy((char *)base + i * size, slots[i].id, size);
		(*moved)[slots[i].old] = (uint32_t)i;
	}
	done = true;
out:
	free(copy);
	free(slots);
	return done;
}

static uint32_t follow(const uint32_t *moved, size_t n, uint32_t old)
{
	if (old == RULES_NONE)
		return old;
	assert(old < n);
	return moved[old];
}

struct moves {
	uint32_t *agency, *mailbox, *agreement, *type;
};

static void remap(struct rules *rules, const struct moves *moves)
{
	for (size_t i = 0; i < rules->n_mailboxes; i++) {
		struct rules_mailbox *it = &rules->mailboxes[i];

		it->agency = follow(moves->agency, rules->n_agencies, it->agency);
	}
	for (size_t i = 0; i < rules->n_agreements; i++) {
		const struct rules_agreement *it = &rules->agreements[i];

		for (size_t k = 0; k < it->n_parties; k++)
			it->parties[k].agency = follow(moves->agency, rules->n_agencies,
						       it->parties[k].agency);
	}
	for (size_t i = 0; i < rules->n_publish; i++) {
		struct rules_publish_grant *it = &rules->publish[i];

		it->type = follow(moves->type, rules->n_types, it->type);
		it->agency = follow(moves->agency, rules->n_agencies, it->agency);
		it->agreement = follow(moves->agreement, rules->n_agreements, it->agreement);
	}
	for (size_t i = 0; i < rules->n_deliver; i++) {
		struct rules_deliver_grant *it = &rules->deliver[i];

		it->type = follow(moves->type, rules->n_types, it->type);
		it->from = follow(moves->agency, rules->n_agencies, it->from);
		it->mailbox = follow(moves->mailbox, rules->n_mailboxes, it->mailbox);
		it->agreement = follow(moves->agreement, rules->n_agreements, it->agreement);
		it->fallback = follow(moves->mailbox, rules->n_mailboxes, it->fallback);
	}
}

static int compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int by_publish(const void *a, const void *b)
{
	const struct rules_publish_grant *left = a, *right = b;
	int order = compare(left->type, right->type);

	if (order == 0)
		order = compare(left->agency, right->agency);
	return order ? order : compare(left->agreement, right->agreement);
}

static int by_deliver(const void *a, const void *b)
{
	const struct rules_deliver_grant *left = a, *right = b;
	int order = compare(left->type, right->type);

	if (order == 0)
		order = compare(left->from, right->from);
	if (order == 0)
		order = compare(left->mailbox, right->mailbox);
	if (order == 0)
		order = compare(left->agreement, right->agreement);
	if (order == 0)
		order = strcmp(left->addressed_by, right->addressed_by);
	if (order == 0)
		order = compare(left->mask, right->mask);
	if (order == 0)
		order = compare(left->ack_within_s, right->ack_within_s);
	return order ? order : compare(left->fallback, right->fallback);
}

static int by_key(const void *a, const void *b)
{
	const struct rules_key *left = a, *right = b;
	int order = strcmp(left->public_z85, right->public_z85);

	return order ? order : (left->from_ns > right->from_ns) - (left->from_ns < right->from_ns);
}

static int by_fingerprint(const void *a, const void *b)
{
	const struct rules_signing_key *left = a, *right = b;

	return memcmp(left->fingerprint, right->fingerprint, sizeof(left->fingerprint));
}

static int by_range(const void *a, const void *b)
{
	const struct rules_range *left = a, *right = b;
	int order = memcmp(left->address, right->address, sizeof(left->address));

	return order ? order : compare(left->prefix_bits, right->prefix_bits);
}

static int by_party(const void *a, const void *b)
{
	return compare(((const struct rules_party *)a)->agency, ((const struct rules_party *)b)->agency);
}

static void sort_rest(struct rules *rules)
{
	for (size_t i = 0; i < rules->n_agencies; i++) {
		struct rules_agency *it = &rules->agencies[i];

		if (it->n_keys > 1)
			qsort(it->keys, it->n_keys, sizeof(*it->keys), by_key);
		if (it->n_signing_keys > 1)
			qsort(it->signing_keys, it->n_signing_keys, sizeof(*it->signing_keys),
			      by_fingerprint);
		if (it->n_ranges > 1)
			qsort(it->ranges, it->n_ranges, sizeof(*it->ranges), by_range);
	}
	for (size_t i = 0; i < rules->n_agreements; i++) {
		struct rules_agreement *it = &rules->agreements[i];

		if (it->n_parties > 1)
			qsort(it->parties, it->n_parties, sizeof(*it->parties), by_party);
	}
	if (rules->n_publish > 1)
		qsort(rules->publish, rules->n_publish, sizeof(*rules->publish), by_publish);
	if (rules->n_deliver > 1)
		qsort(rules->deliver, rules->n_deliver, sizeof(*rules->deliver), by_deliver);
}

static int by_place(const void *a, const void *b)
{
	const struct rules_key_place *left = a, *right = b;
	int order = strcmp(left->public_z85, right->public_z85);

	if (order == 0)
		order = compare(left->agency, right->agency);
	return order ? order : compare(left->key, right->key);
}

/* Every frame asks for its key, so this must not take longer with more agencies. */
static bool index_keys(struct rules *rules)
{
	size_t n = 0;

	free(rules->by_key);
	rules->n_by_key = 0;
	for (size_t i = 0; i < rules->n_agencies; i++)
		n += rules->agencies[i].n_keys;
	rules->by_key = calloc(n ? n : 1, sizeof(*rules->by_key));
	if (!rules->by_key)
		return false;
	for (uint32_t i = 0; i < rules->n_agencies; i++) {
		const struct rules_agency *it = &rules->agencies[i];

		for (uint32_t k = 0; k < it->n_keys; k++)
			rules->by_key[rules->n_by_key++] =
				(struct rules_key_place){ it->keys[k].public_z85, i, k };
	}
	qsort(rules->by_key, rules->n_by_key, sizeof(*rules->by_key), by_place);
	return true;
}

struct spelled {
	struct mask *mask;
	char *text;
	size_t old;
};

static int by_spelling(const void *a, const void *b)
{
	const struct spelled *left = a, *right = b;

	if (left->mask->type != right->mask->type)
		return left->mask->type < right->mask->type ? -1 : 1;
	return strcmp(left->text, right->text);
}

static char *spell(const struct mask *mask)
{
	const size_t len = mask_text(mask, NULL, 0);
	char *text = malloc(len + 1);

	if (text)
		mask_text(mask, text, len + 1);
	return text;
}

/* Masks by type and spelling, each once; grants follow. */
static bool sort_masks(struct rules *rules)
{
	const size_t n = rules->n_masks;
	struct spelled *all = calloc(n + 1, sizeof(*all));
	uint32_t *moved = calloc(n + 1, sizeof(*moved));
	bool done = all && moved;

	for (size_t i = 0; i < n && done; i++) {
		all[i] = (struct spelled){ rules->masks[i], spell(rules->masks[i]), i };
		done = all[i].text != NULL;
	}
	if (done && n > 1)
		qsort(all, n, sizeof(*all), by_spelling);
	rules->n_masks = done ? 0 : n;
	for (size_t i = 0; i < n && done; i++) {
		if (i > 0 && by_spelling(&all[i - 1], &all[i]) == 0)
			mask_free(&all[i].mask);
		else
			rules->masks[rules->n_masks++] = all[i].mask;
		moved[all[i].old] = (uint32_t)rules->n_masks - 1;
		all[i].mask = rules->masks[rules->n_masks - 1];
	}
	for (size_t i = 0; i < rules->n_deliver && done; i++) {
		struct rules_deliver_grant *it = &rules->deliver[i];

		if (it->mask > 0)
			it->mask = follow(moved, n, it->mask - 1) + 1;
	}
	for (size_t i = 0; i < n && all; i++)
		free(all[i].text);
	free(all);
	free(moved);
	return done;
}

static bool digest_line(void *arg, const char *text, size_t len)
{
	rules_text_digest(arg, text, len);
	return true;
}

static bool digest_rules(struct rules *rules)
{
	struct digest *digest = digest_new();
	bool done = digest && rules_text(rules, digest_line, digest) &&
		    digest_end(digest, rules->digest);

	digest_free(&digest);
	return done;
}

bool rules_finish(struct rules *rules)
{
	struct moves moves = { 0 };
	bool done;

	assert(rules->n_agencies <= RULES_MAX_AGENCIES && rules->n_mailboxes <= RULES_MAX_MAILBOXES);
	assert(rules->n_agreements <= RULES_MAX_AGREEMENTS);
	assert(rules->n_publish <= RULES_MAX_GRANTS && rules->n_deliver <= RULES_MAX_GRANTS);
	done = sort_ids(rules->agencies, rules->n_agencies, sizeof(*rules->agencies),
			&moves.agency) &&
	       sort_ids(rules->mailboxes, rules->n_mailboxes, sizeof(*rules->mailboxes),
			&moves.mailbox) &&
	       sort_ids(rules->agreements, rules->n_agreements, sizeof(*rules->agreements),
			&moves.agreement) &&
	       sort_ids(rules->types, rules->n_types, sizeof(*rules->types), &moves.type);
	if (done) {
		remap(rules, &moves);
		done = sort_masks(rules);
	}
	if (done) {
		sort_rest(rules);
		done = index_keys(rules) && digest_rules(rules);
	}
	free(moves.agency);
	free(moves.mailbox);
	free(moves.agreement);
	free(moves.type);
	return done;
}
