/*
 * See tree.h. The shape is built from below, without recursion: on each level neighbours are hashed in
 * pairs, and one that is left over at the end goes up as it is. That is the shape of RFC 9162, because
 * a left part there is always a whole power of two.
 *
 * The levels above the leaves stand one behind the other in `inner`, for which tree_add() keeps room:
 * once the leaves are in, nothing can fail for lack of memory.
 */
#include "base/tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64u
#define LEAVES_MAX (UINT64_C(1) << TREE_STEPS_MAX)
#define NODE_TEXT  (4u + 2 * (1 + 2 * HASH_BYTES) + 1)

struct node {
	uint8_t hash[HASH_BYTES];
};

struct tree {
	struct hasher *hasher;
	struct node *leaves, *inner;
	size_t n_leaves, room; /* of leaves; inner has inner_room(room) */
	bool built;            /* inner belongs to these leaves */
};

/* Above n leaves are n - 1 hashes of pairs, and on each level at most one that was left over. */
static size_t inner_room(size_t leaves)
{
	return leaves + TREE_STEPS_MAX;
}

static bool hash_pair(struct hasher *hasher, const uint8_t left[HASH_BYTES],
		      const uint8_t right[HASH_BYTES], uint8_t out[HASH_BYTES])
{
	char text[NODE_TEXT];
	struct lines lines = { text, sizeof(text), 0 };

	lines_put_hex(&lines, "node", left, HASH_BYTES);
	lines.used--; /* it is one line */
	lines_put_hex(&lines, "", right, HASH_BYTES);
	assert(lines_fit(&lines) && lines.used == sizeof(text));
	return hasher_sum(hasher, text, sizeof(text), out);
}

static bool build(struct tree *tree)
{
	const struct node *below = tree->leaves;
	struct node *level = tree->inner;

	if (tree->built)
		return true;
	for (size_t n = tree->n_leaves; n > 1; n = (n + 1) / 2) {
		for (size_t i = 0; i + 1 < n; i += 2)
			if (!hash_pair(tree->hasher, below[i].hash, below[i + 1].hash,
				       level[i / 2].hash))
				return false;
		if (n % 2 == 1)
			level[n / 2] = below[n - 1];
		below = level;
		level += (n + 1) / 2;
	}
	assert(level <= tree->inner + inner_room(tree->room));
	tree->built = true;
	return true;
}

bool tree_root(struct tree *tree, uint8_t out[HASH_BYTES])
{
	const struct node *level = tree->leaves;
	const struct node *above = tree->inner;

	if (tree->n_leaves == 0)
		return hasher_sum(tree->hasher, "", 0, out);
	if (!build(tree))
		return false;
	for (size_t n = tree->n_leaves; n > 1; n = (n + 1) / 2) {
		level = above;
		above += (n + 1) / 2;
	}
	memcpy(out, level->hash, HASH_BYTES);
	return true;
}

bool tree_path(struct tree *tree, size_t index, struct tree_step steps[TREE_STEPS_MAX],
	       size_t *n_steps)
{
	const struct node *level = tree->leaves;
	const struct node *above = tree->inner;

	assert(index < tree->n_leaves);
	*n_steps = 0;
	if (!build(tree))
		return false;
	for (size_t n = tree->n_leaves; n > 1; n = (n + 1) / 2) {
		const size_t sibling = index ^ 1;

		if (sibling < n) {
			assert(*n_steps < TREE_STEPS_MAX);
			steps[*n_steps].left = sibling < index;
			memcpy(steps[*n_steps].hash, level[sibling].hash, HASH_BYTES);
			++*n_steps;
		}
		index /= 2;
		level = above;
		above += (n + 1) / 2;
	}
	return true;
}

struct tree *tree_new(void)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	tree->hasher = hasher_new();
	if (!tree->hasher)
		tree_free(&tree);
	return tree;
}

void tree_free(struct tree **tree)
{
	if (!*tree)
		return;
	hasher_free(&(*tree)->hasher);
	free((*tree)->leaves);
	free((*tree)->inner);
	free(*tree);
	*tree = NULL;
}

void tree_clear(struct tree *tree)
{
	tree->n_leaves = 0;
	tree->built = false;
}

static bool grow(struct tree *tree)
{
	const size_t room = tree->room > 0 ? 2 * tree->room : FIRST_ROOM;
	struct node *leaves = NULL, *inner = NULL;

	if (tree->n_leaves >= LEAVES_MAX)
		return false;
	leaves = realloc(tree->leaves, room * sizeof(*leaves)); /* LEAVES_MAX of them are 2^45 bytes */
	if (!leaves)
		return false;
	tree->leaves = leaves; /* longer than room says, if what follows fails */
	inner = realloc(tree->inner, inner_room(room) * sizeof(*inner));
	if (!inner)
		return false;
	tree->inner = inner;
	tree->room = room;
	return true;
}

static_assert(LEAVES_MAX % FIRST_ROOM == 0, "doubled, the room becomes exactly LEAVES_MAX");

bool tree_add(struct tree *tree, const uint8_t leaf[HASH_BYTES])
{
	if (tree->n_leaves == tree->room && !grow(tree))
		return false;
	memcpy(tree->leaves[tree->n_leaves++].hash, leaf, HASH_BYTES);
	tree->built = false;
	return true;
}

size_t tree_leaves(const struct tree *tree)
{
	return tree->n_leaves;
}

bool tree_climb(struct hasher *hasher, const uint8_t leaf[HASH_BYTES],
		const struct tree_step *steps, size_t n_steps, uint8_t out[HASH_BYTES])
{
	uint8_t reached[HASH_BYTES];

	memcpy(reached, leaf, sizeof(reached));
	for (size_t i = 0; i < n_steps; i++)
		if (!(steps[i].left ? hash_pair(hasher, steps[i].hash, reached, reached) :
				      hash_pair(hasher, reached, steps[i].hash, reached)))
			return false;
	memcpy(out, reached, sizeof(reached));
	return true;
}

/* The largest power of two that is smaller than n > 1. */
static uint64_t left_part(uint64_t n)
{
	uint64_t part = 1;

	while (part <= (n - 1) / 2)
		part *= 2;
	return part;
}

/* From the root down: each side says in which part the leaf is, and so how many are left. */
bool tree_sides_fit(const struct tree_step *steps, size_t n_steps, uint64_t leaves)
{
	while (n_steps > 0 && leaves > 1) {
		const uint64_t part = left_part(leaves);

		leaves = steps[--n_steps].left ? leaves - part : part;
	}
	return n_steps == 0 && leaves == 1;
}
