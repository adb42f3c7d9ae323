/*
 * The Merkle tree of a seal: from the hashes of its leaves (leaf.h), in order of sequence, to one.
 *
 * A tree of one leaf is its hash. A tree of n > 1 leaves is the hash of the text
 *
 *     node <hash of the left part, 64 digits> <hash of the right part, 64 digits>\n
 *
 * where the left part is a tree of the largest power of two leaves that is smaller than n (the shape
 * of RFC 9162, 2.1.1). A tree of no leaves is the SHA-256 of no bytes. No leaf's text begins with
 * "node", so neither can be taken for the other.
 *
 * Owner: a tree belongs to one thread.
 */
#ifndef TTG_BASE_TREE_H
#define TTG_BASE_TREE_H

#include "base/hash.h"

#define TREE_STEPS_MAX 40u /* of a path: 2^40 leaves */

struct tree;

/* What stands beside a leaf's branch, from the leaf up. */
struct tree_step {
	bool left; /* the sibling is the left one */
	uint8_t hash[HASH_BYTES];
};

struct tree *tree_new(void); /* NULL without memory or cryptography */
void tree_free(struct tree **tree);
void tree_clear(struct tree *tree);
/* False: no memory, or 2^TREE_STEPS_MAX leaves are in it. */
bool tree_add(struct tree *tree, const uint8_t leaf[HASH_BYTES]);
size_t tree_leaves(const struct tree *tree);
/* The inner hashes are made at the first root or path behind a change, and then kept: all paths of a
   tree together cost as much hashing as one. False: cryptography failed. */
bool tree_root(struct tree *tree, uint8_t out[HASH_BYTES]);
/* Steps of leaf `index` (from 0, one that is there) to the root. */
bool tree_path(struct tree *tree, size_t index, struct tree_step steps[TREE_STEPS_MAX],
	       size_t *n_steps);

/* The hash a leaf's steps lead to. */
bool tree_climb(struct hasher *hasher, const uint8_t leaf[HASH_BYTES],
		const struct tree_step *steps, size_t n_steps, uint8_t out[HASH_BYTES]);
/* Are these the sides of the path of some leaf in a tree of `leaves`? What a path proves beside its
   hash; they belong to one leaf at most. */
bool tree_sides_fit(const struct tree_step *steps, size_t n_steps, uint64_t leaves);

#endif
