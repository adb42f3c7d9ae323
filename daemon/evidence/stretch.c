/* See stretch.h. Of the events only their leaves are kept, of those whose way is asked for the text. */
#include "evidence/stretch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"

_Static_assert(RULES_ID_MAX < LEAF_SOURCE_MAX, "every agency has room in a leaf");
_Static_assert(RECORD_ID == EVIDENCE_ID, "ids of events");
_Static_assert(RECORD_DIGEST == EVIDENCE_HASH, "digests of events stand in leaves");

struct stretch {
	uint8_t journal[EVIDENCE_ID];
	uint64_t first, next;
	struct hasher *hasher;
	struct tree *tree;
	uint64_t watched;        /* sequence whose leaf is kept; 0: none */
	bool found;
	struct leaf leaf;        /* of the watched one */
	size_t index;
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
	free(*stretch);
	*stretch = NULL;
}

void stretch_begin(struct stretch *stretch, uint64_t first)
{
	tree_clear(stretch->tree);
	stretch->first = stretch->next = first;
	stretch->watched = 0;
	stretch->found = false;
}

void stretch_watch(struct stretch *stretch, uint64_t sequence)
{
	stretch->watched = sequence;
}

static bool leaf_of(struct hasher *hasher, const uint8_t journal[EVIDENCE_ID], uint64_t sequence,
		    const struct record_event *event, struct leaf *out)
{
	/* No leaf tells of a time before 1970: a record that does is not one of a broker's. */
	if (event->accepted_ns < 0)
		return false;
	memcpy(out->journal, journal, EVIDENCE_ID);
	memcpy(out->id, event->id, EVIDENCE_ID);
	out->sequence = sequence;
	out->accepted_ns = event->accepted_ns;
	memcpy(out->source, event->source, strlen(event->source) + 1);
	if (!event->digest)
		return hasher_sum(hasher, event->bytes, event->n_bytes, out->sha256);
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

static enum ttg_error take_event(struct stretch *stretch, uint64_t sequence, const uint8_t *data,
				 size_t len)
{
	uint8_t hash[EVIDENCE_HASH];
	struct leaf leaf;

	if (!stretch_leaf(stretch->hasher, stretch->journal, sequence, data, len, &leaf))
		return TTG_ECORRUPT;
	if (!leaf_hash(stretch->hasher, &leaf, hash))
		return TTG_ECRYPTO;
	if (sequence == stretch->watched) {
		stretch->found = true;
		stretch->leaf = leaf;
		stretch->index = tree_leaves(stretch->tree);
	}
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

bool stretch_path(struct stretch *stretch, struct leaf *leaf,
		  struct tree_step steps[TREE_STEPS_MAX], size_t *n_steps)
{
	if (!stretch->found)
		return false;
	*leaf = stretch->leaf;
	return tree_path(stretch->tree, stretch->index, steps, n_steps);
}
