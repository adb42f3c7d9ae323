/* See stretch.h. Of the events only their leaves are kept, of those whose way is asked for the text. */
#include "evidence/stretch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"

_Static_assert(RULES_ID_MAX < LEAF_SOURCE_MAX, "every agency has room in a leaf");
_Static_assert(RECORD_ID == EVIDENCE_ID && RECORD_DIGEST == EVIDENCE_HASH, "ids and digests of events");

#define FIRST_ROOM 16

/* An event whose way to the root is asked for. */
struct watched {
	uint64_t sequence;
	bool found;
	size_t index;     /* in the tree */
	struct leaf leaf;
};

struct stretch {
	uint8_t journal[EVIDENCE_ID];
	uint64_t first, next;
	struct hasher *hasher;
	struct tree *tree;
	struct watched *watched; /* by sequence */
	size_t n_watched, room, n_passed; /* passed: what comes next is behind them */
};

struct stretch *stretch_new(const uint8_t journal[EVIDENCE_ID])
{
	struct stretch *stretch = calloc(1, sizeof(*stretch));

	if (!stretch)
		return NULL;
	memcpy(stretch->journal, journal, EVIDENCE_ID);
	stretch->hasher = hasher_new();
	stretch->tree = tree_new();
	if (!stretch->hasher || !stretch->tree)
		stretch_free(&stretch);
	return stretch;
}

void stretch_free(struct stretch **stretch)
{
	if (!*stretch)
		return;
	hasher_free(&(*stretch)->hasher);
	tree_free(&(*stretch)->tree);
	free((*stretch)->watched);
	free(*stretch);
	*stretch = NULL;
}

void stretch_begin(struct stretch *stretch, uint64_t first)
{
	tree_clear(stretch->tree);
	stretch->first = stretch->next = first;
	stretch->n_watched = stretch->n_passed = 0;
}

bool stretch_watch(struct stretch *stretch, uint64_t sequence)
{
	assert(stretch->n_watched == 0 ||
	       stretch->watched[stretch->n_watched - 1].sequence < sequence);
	if (stretch->n_watched == stretch->room) {
		const size_t room = stretch->room > 0 ? 2 * stretch->room : FIRST_ROOM;
		struct watched *grown = realloc(stretch->watched, room * sizeof(*grown));

		if (!grown)
			return false;
		stretch->watched = grown;
		stretch->room = room;
	}
	stretch->watched[stretch->n_watched++] = (struct watched){ .sequence = sequence };
	return true;
}

static bool leaf_of(struct hasher *hasher, const uint8_t journal[EVIDENCE_ID], uint64_t sequence,
		    const struct record_event *event, struct leaf *out)
{
	static const uint8_t no_salt[EVIDENCE_SALT]; /* of an event that is not sealed */

	/* No leaf tells of a time before 1970: a record that does is not one of a broker's. */
	if (event->accepted_ns < 0)
		return false;
	memcpy(out->journal, journal, EVIDENCE_ID);
	memcpy(out->id, event->id, EVIDENCE_ID);
	out->sequence = sequence;
	out->accepted_ns = event->accepted_ns;
	memcpy(out->source, event->source, strlen(event->source) + 1);
	if (!event->digest)
		return hasher_salted(hasher, no_salt, event->bytes, event->n_bytes, out->sha256);
	memcpy(out->sha256, event->digest, EVIDENCE_HASH);
	return true;
}

bool stretch_leaf(struct hasher *hasher, const uint8_t journal[EVIDENCE_ID], uint64_t sequence,
		  const uint8_t *data, size_t len, struct leaf *out)
{
	struct record_event event;

	return record_get_event(data, len, &event) && leaf_of(hasher, journal, sequence, &event, out);
}

bool stretch_leaf_archived(struct hasher *hasher, const uint8_t journal[EVIDENCE_ID], uint64_t sequence,
			   const uint8_t *data, size_t len, struct leaf *out)
{
	struct record_event event;

	return record_get_stripped(RECORD_EVENT, data, len, &event) &&
	       leaf_of(hasher, journal, sequence, &event, out);
}

/* Sequences come in their order, so the one that is looked out for next is the only one to compare. */
static void keep_watched(struct stretch *stretch, const struct leaf *leaf)
{
	while (stretch->n_passed < stretch->n_watched &&
	       stretch->watched[stretch->n_passed].sequence < leaf->sequence)
		stretch->n_passed++;
	if (stretch->n_passed == stretch->n_watched ||
	    stretch->watched[stretch->n_passed].sequence != leaf->sequence)
		return;
	struct watched *it = &stretch->watched[stretch->n_passed++];
	it->found = true;
	it->leaf = *leaf;
	it->index = tree_leaves(stretch->tree);
}

static enum ttg_error take_event(struct stretch *stretch, uint64_t sequence, const uint8_t *data,
				 size_t len)
{
	uint8_t hash[EVIDENCE_HASH];
	struct leaf leaf;

	if (!stretch_leaf(stretch->hasher, stretch->journal, sequence, data, len, &leaf))
		return TTG_ECORRUPT;
	if (!leaf_hash(stretch->hasher, &leaf, hash))
		return TTG_ECRYPTO;
	keep_watched(stretch, &leaf);
	return tree_add(stretch->tree, hash) ? TTG_OK : TTG_ENOMEM;
}

enum ttg_error stretch_take(struct stretch *stretch, uint64_t sequence, uint8_t kind,
			    const uint8_t *data, size_t len)
{
	enum ttg_error error = TTG_OK;

	if (sequence != stretch->next)
		return TTG_EINVAL;
	if (kind == RECORD_EVENT)
		error = take_event(stretch, sequence, data, len);
	if (!error)
		stretch->next++;
	return error;
}

uint64_t stretch_next(const struct stretch *stretch)
{
	return stretch->next;
}

uint64_t stretch_first(const struct stretch *stretch)
{
	return stretch->first;
}

uint64_t stretch_events(const struct stretch *stretch)
{
	return tree_leaves(stretch->tree);
}

bool stretch_describe(struct stretch *stretch, struct seal *out)
{
	assert(stretch->next > stretch->first);
	memset(out, 0, sizeof(*out));
	memcpy(out->journal, stretch->journal, EVIDENCE_ID);
	out->first = stretch->first;
	out->last = stretch->next - 1;
	out->events = tree_leaves(stretch->tree);
	return tree_root(stretch->tree, out->root);
}

static int by_sequence(const void *key, const void *element)
{
	const uint64_t sequence = *(const uint64_t *)key;
	const struct watched *it = element;

	return (sequence > it->sequence) - (sequence < it->sequence);
}

bool stretch_path(struct stretch *stretch, uint64_t sequence, struct leaf *leaf,
		  struct tree_step steps[TREE_STEPS_MAX], size_t *n_steps)
{
	const struct watched *it = stretch->n_watched == 0 ?
					   NULL :
					   bsearch(&sequence, stretch->watched, stretch->n_watched,
						   sizeof(*it), by_sequence);

	if (!it || !it->found)
		return false;
	*leaf = it->leaf;
	return tree_path(stretch->tree, it->index, steps, n_steps);
}
