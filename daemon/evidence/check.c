/* See check.h. Kept are the leaves and the batch ends that no seal covers yet. */
#include "evidence/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/world.h"
#include "core/record.h"
#include "core/sealed.h"
#include "evidence/hand_over.h"
#include "evidence/slot.h"
#include "evidence/stretch.h"

struct mark { /* the hash of an event's leaf, or of the chain behind a batch */
	uint64_t sequence;
	uint8_t hash[EVIDENCE_HASH];
};

struct marks {
	struct mark *items;
	size_t n, room;
};

struct check {
	struct verify_key *key;     /* trusted: as given, and what those handed over to */
	struct verify_key *current; /* the one of them that signs here; NULL: not known yet */
	struct hasher *hasher;
	struct tree *tree;
	uint8_t journal[EVIDENCE_ID];
	bool archive;
	uint64_t first;           /* sequence held; 0: none yet */
	struct marks leaves, ends;
	size_t max_unsealed;      /* of each; 0: any number */
	struct seal last;         /* number 0: none yet */
	uint8_t last_hash[EVIDENCE_HASH];
	char last_text[SEAL_TEXT_MAX];
	size_t last_len;
	uint64_t seals;
	struct message message;
};

static bool add(struct marks *marks, uint64_t sequence, const uint8_t hash[EVIDENCE_HASH])
{
	if (marks->n == marks->room) {
		const size_t room = marks->room ? 2 * marks->room : 1024;
		struct mark *items = realloc(marks->items, room * sizeof(*items));

		if (!items)
			return false;
		marks->items = items;
		marks->room = room;
	}
	marks->items[marks->n].sequence = sequence;
	memcpy(marks->items[marks->n++].hash, hash, EVIDENCE_HASH);
	return true;
}

/* Forgets those up to a sequence. */
static void drop(struct marks *marks, uint64_t last)
{
	size_t n = 0;

	while (n < marks->n && marks->items[n].sequence <= last)
		n++;
	if (n == 0)
		return;
	memmove(marks->items, marks->items + n, (marks->n - n) * sizeof(*marks->items));
	marks->n -= n;
}

__attribute__((format(printf, 2, 3))) static bool wrong(struct check *check, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(check->message.text, sizeof(check->message.text), format, list);
	va_end(list);
	return false;
}

static bool check_chain(struct check *check, const struct seal *seal)
{
	for (size_t i = 0; i < check->ends.n; i++)
		if (check->ends.items[i].sequence == seal->last)
			return memcmp(check->ends.items[i].hash, seal->chain, EVIDENCE_HASH) == 0 ||
			       wrong(check, "seal %llu: the chain up to record %llu is not the one that "
					    "was sealed", (unsigned long long)seal->number,
				     (unsigned long long)seal->last);
	if (seal->last < check->first)
		return true;
	return wrong(check, "seal %llu: no batch ends with record %llu",
		     (unsigned long long)seal->number, (unsigned long long)seal->last);
}

static bool check_root(struct check *check, const struct seal *seal)
{
	uint8_t root[EVIDENCE_HASH];

	if (seal->first < check->first) /* partly let go */
		return true;
	tree_clear(check->tree);
	for (size_t i = 0; i < check->leaves.n && check->leaves.items[i].sequence <= seal->last; i++)
		if (check->leaves.items[i].sequence >= seal->first &&
		    !tree_add(check->tree, check->leaves.items[i].hash))
			return wrong(check, "no memory");
	if (!tree_root(check->tree, root))
		return wrong(check, "cryptography failed");
	return (tree_leaves(check->tree) == seal->events &&
		memcmp(root, seal->root, EVIDENCE_HASH) == 0) ||
	       wrong(check, "seal %llu: the events from record %llu to %llu are not the sealed ones",
		     (unsigned long long)seal->number, (unsigned long long)seal->first,
		     (unsigned long long)seal->last);
}

static bool check_order(struct check *check, const struct seal *seal)
{
	const bool first_held = check->last.number == 0 && check->first > 1;
	const char *why = NULL;

	if (memcmp(seal->journal, check->journal, EVIDENCE_ID) != 0)
		return wrong(check, "seal %llu: is of another journal", (unsigned long long)seal->number);
	if (first_held || seal_follows(check->last.number ? &check->last : NULL, check->last_hash, seal,
				       &why))
		return true;
	return wrong(check, "seal %llu: %s", (unsigned long long)seal->number, why);
}

/* From here on this one signs. */
static bool move_to_key(struct check *check, const uint8_t public[EVIDENCE_KEY])
{
	verify_key_free(&check->current);
	check->current = verify_key_of_bytes(public);
	return check->current || wrong(check, "no memory");
}

static bool is_signed(struct check *check, const struct sealed *it)
{
	uint8_t which[EVIDENCE_KEY];

	if (check->current)
		return verify_key_accepts(check->current, it->text, it->len, it->signature);
	return verify_key_which(check->key, it->text, it->len, it->signature, which) &&
	       move_to_key(check, which);
}

/* It is the last one now. */
static bool keep(struct check *check, const struct sealed *it, const struct seal *seal)
{
	if (!hasher_sum(check->hasher, it->text, it->len, check->last_hash))
		return wrong(check, "cryptography failed");
	check->last = *seal;
	memcpy(check->last_text, it->text, it->len);
	check->last_len = it->len;
	return true;
}

static bool read_record(struct check *check, const uint8_t *data, size_t len, struct sealed *it,
			struct seal *seal)
{
	if (record_get_seal(data, len, it) && link_read(it->text, it->len, seal) &&
	    it->number == seal->number && it->first == seal->first && it->last == seal->last)
		return true;
	wrong(check, "the record of a seal cannot be read");
	return false;
}

static bool check_seal(struct check *check, const uint8_t *data, size_t len)
{
	struct sealed it;
	struct seal seal;

	if (!read_record(check, data, len, &it, &seal))
		return false;
	if (seal.hands_over || !is_signed(check, &it))
		return wrong(check, "seal %llu: is not signed with this key",
			     (unsigned long long)seal.number);
	if (!check_order(check, &seal) || (!check->archive && !check_chain(check, &seal)) ||
	    !check_root(check, &seal) || !keep(check, &it, &seal))
		return false;
	check->seals++;
	drop(&check->leaves, seal.last);
	drop(&check->ends, seal.last);
	return true;
}

/* The key that signs here, or, before the first seal, one that is trusted; or to one that is. */
static bool may_hand_over(const struct check *check, const struct seal *seal)
{
	if (check->current)
		return verify_key_has(check->current, seal->from);
	return verify_key_has(check->key, seal->from) || verify_key_has(check->key, seal->to);
}

static bool check_hand_over(struct check *check, const uint8_t *data, size_t len)
{
	struct seal_signed with;
	struct sealed it;
	struct seal seal;

	if (!read_record(check, data, len, &it, &seal))
		return false;
	with.len = it.len;
	memcpy(with.text, it.text, it.len);
	memcpy(with.signature, it.signature, SEAL_SIGNATURE);
	if (!hand_over_is_signed(&seal, &with) || !may_hand_over(check, &seal))
		return wrong(check, "hand-over %llu: is not signed with this key",
			     (unsigned long long)seal.number);
	if (!check_order(check, &seal) || !keep(check, &it, &seal))
		return false;
	(void)verify_key_add(check->key, seal.to); /* for behind a gap; where there are many, for no more */
	return move_to_key(check, seal.to);
}

static bool has_room(struct check *check, const struct marks *marks)
{
	return check->max_unsealed == 0 || marks->n < check->max_unsealed ||
	       wrong(check, "no seal covers so many events before it: ttgctl journal verify --directory "
			    "can tell more");
}

bool check_record(struct check *check, uint64_t sequence, uint8_t kind, const uint8_t *data,
		  size_t len)
{
	uint8_t hash[EVIDENCE_HASH];
	struct leaf leaf;
	bool known;

	if (check->first == 0)
		check->first = sequence;
	if (kind == RECORD_SEAL)
		return check_seal(check, data, len);
	if (kind == RECORD_HAND_OVER)
		return check_hand_over(check, data, len);
	if (kind != RECORD_EVENT)
		return true;
	if (!has_room(check, &check->leaves))
		return false;
	known = check->archive ?
			stretch_leaf_archived(check->hasher, check->journal, sequence, data, len, &leaf) :
			stretch_leaf(check->hasher, check->journal, sequence, data, len, &leaf);
	if (!known || !leaf_hash(check->hasher, &leaf, hash))
		return wrong(check, "the event of record %llu cannot be read",
			     (unsigned long long)sequence);
	return add(&check->leaves, sequence, hash) || wrong(check, "no memory");
}

bool check_batch_end(struct check *check, uint64_t last, const uint8_t chain[EVIDENCE_HASH])
{
	return has_room(check, &check->ends) && (add(&check->ends, last, chain) || wrong(check, "no memory"));
}

/* It is the last one of the journal, or somebody who is trusted signed it. */
static bool is_believed(struct check *check, const struct seal_signed *it, const struct seal *seal)
{
	if (check->last.number > 0 && it->len == check->last_len &&
	    memcmp(it->text, check->last_text, it->len) == 0)
		return true;
	if (seal->hands_over)
		return hand_over_is_signed(seal, it) && may_hand_over(check, seal);
	return verify_key_accepts(check->key, it->text, it->len, it->signature) ||
	       (check->current && verify_key_accepts(check->current, it->text, it->len, it->signature));
}

/* The newest seal in the file that is signed with the key. */
static bool newest_of(struct check *check, const char bytes[SLOTS_BYTES], struct seal *out,
		      struct seal_signed *with)
{
	struct seal_signed it;
	struct seal seal;

	out->number = 0;
	for (unsigned i = 0; i < SLOTS; i++)
		if (slot_read(bytes + (size_t)i * SLOT_BYTES, &it) > out->number &&
		    link_read(it.text, it.len, &seal) && is_believed(check, &it, &seal)) {
			*out = seal;
			*with = it;
		}
	return out->number > 0;
}

static bool read_state(const char *path, char bytes[SLOTS_BYTES])
{
	const struct world *world = world_real();
	const int file = world->open(world->self, path, WORLD_READ);
	const int result = file < 0 ? file : world_read_all(world, file, bytes, SLOTS_BYTES, 0);

	if (file >= 0)
		world->close(world->self, file);
	return result >= 0;
}

/* Behind a seal that the journal does not have the signer handed over: that seal is in the other slot. */
static void step_back(struct check *check, const char bytes[SLOTS_BYTES], struct seal *seal,
		      struct seal_signed *with)
{
	struct seal_signed it;
	uint8_t hash[EVIDENCE_HASH];

	for (unsigned i = 0; i < SLOTS; i++)
		if (slot_read(bytes + (size_t)i * SLOT_BYTES, &it) == seal->number - 1 &&
		    hasher_sum(check->hasher, it.text, it.len, hash) &&
		    memcmp(hash, seal->before, EVIDENCE_HASH) == 0 && link_read(it.text, it.len, seal)) {
			*with = it;
			return;
		}
}

/* The signer may be one ahead: then the records must be there, and the same. */
bool check_signer(struct check *check, const char *state_file)
{
	char bytes[SLOTS_BYTES];
	struct seal_signed with;
	struct seal seal;

	if (!read_state(state_file, bytes) || !newest_of(check, bytes, &seal, &with))
		return wrong(check, "%s: holds no seal of this key", state_file);
	if (seal.hands_over && seal.number == check->last.number + 2)
		step_back(check, bytes, &seal, &with);
	if (seal.number <= check->last.number) {
		if (seal.number < check->last.number ||
		    (with.len == check->last_len &&
		     memcmp(with.text, check->last_text, with.len) == 0))
			return true;
		return wrong(check, "seal %llu is not the one that the signer made",
			     (unsigned long long)seal.number);
	}
	if (seal.number > check->last.number + 1 || (check->ends.n == 0 && seal.last >= check->first) ||
	    (check->ends.n > 0 && seal.last > check->ends.items[check->ends.n - 1].sequence))
		return wrong(check, "the signer made seal %llu, up to record %llu: the end of the journal "
				    "is missing, or an older copy was put back",
			     (unsigned long long)seal.number, (unsigned long long)seal.last);
	return check_order(check, &seal) &&
	       (seal.hands_over || (check_chain(check, &seal) && check_root(check, &seal)));
}

struct check *check_new(struct verify_key *take_key)
{
	struct check *check = calloc(1, sizeof(*check));

	if (!check) {
		verify_key_free(&take_key);
		return NULL;
	}
	check->key = take_key;
	check->hasher = hasher_new();
	check->tree = tree_new();
	if (!check->hasher || !check->tree)
		check_free(&check);
	return check;
}

void check_free(struct check **check)
{
	struct check *old = *check;

	*check = NULL;
	if (!old)
		return;
	verify_key_free(&old->key);
	verify_key_free(&old->current);
	hasher_free(&old->hasher);
	tree_free(&old->tree);
	free(old->leaves.items);
	free(old->ends.items);
	free(old);
}

void check_set_limit(struct check *check, size_t max_unsealed)
{
	check->max_unsealed = max_unsealed;
}

void check_begin(struct check *check, const uint8_t journal[EVIDENCE_ID])
{
	memcpy(check->journal, journal, EVIDENCE_ID);
	check->archive = false;
	check->seals = 0;
	check_skip(check, 0);
	check->message.text[0] = '\0';
}

void check_begin_archive(struct check *check, const uint8_t journal[EVIDENCE_ID])
{
	check_begin(check, journal);
	check->archive = true;
}

void check_skip(struct check *check, uint64_t sequence)
{
	check->first = sequence;
	check->leaves.n = check->ends.n = 0;
	check->last.number = 0;
	verify_key_free(&check->current);
}

void check_get_result(const struct check *check, struct check_result *out)
{
	*out = (struct check_result){ .seals = check->seals,
				      .number = check->last.number,
				      .sealed = check->last.last,
				      .sealed_ns = check->last.sealed_ns,
				      .unsealed_events = check->leaves.n };
}

const char *check_message(const struct check *check)
{
	return check->message.text;
}
