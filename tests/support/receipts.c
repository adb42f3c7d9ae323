/* See receipts.h. */
#include "support/receipts.h"

#include <string.h>

#include "support/must.h"

#define FIRST_SEQUENCE 1001u
#define ACCEPTED_NS    INT64_C(1795754301123456789)

struct sign_key *receipts_key(char letter)
{
	uint8_t seed[SIGNATURE_SEED];

	memset(seed, letter, sizeof(seed));
	struct sign_key *key = sign_key_from_seed(seed);
	MUST(key);
	return key;
}

void receipts_event(size_t index, uint8_t out[RECEIPTS_EVENT])
{
	for (size_t i = 0; i < RECEIPTS_EVENT; i++)
		out[i] = (uint8_t)(index >> i % 8 * 8 ^ i * 7);
}

/* Every second event has a salt, as one about somebody does. */
static void make_salt(size_t index, uint8_t out[EVIDENCE_SALT])
{
	memset(out, index % 2 == 0 ? 0 : (int)(index & 0xff), EVIDENCE_SALT);
}

static void make_leaf(struct hasher *hasher, size_t index, struct leaf *out)
{
	uint8_t event[RECEIPTS_EVENT], salt[EVIDENCE_SALT];

	*out = (struct leaf){ .sequence = FIRST_SEQUENCE + 2 * index,
			      .accepted_ns = ACCEPTED_NS + (int64_t)index * 1000,
			      .source = "hmp-peterborough" };
	memset(out->journal, 0x0a, sizeof(out->journal));
	memset(out->id, 0x5e, sizeof(out->id));
	memcpy(out->id, &index, sizeof(index));
	receipts_event(index, event);
	make_salt(index, salt);
	MUST(hasher_salted(hasher, salt, event, sizeof(event), out->sha256));
}

void receipts_sign(struct sign_key *key, struct receipt *receipt)
{
	char text[SEAL_TEXT_MAX];

	MUST(sign_key_sign(key, text, seal_write(&receipt->seal, text), receipt->signature));
}

void receipts_make(struct sign_key *key, size_t events, size_t index, struct receipt *out)
{
	struct hasher *hasher = hasher_new();
	struct tree *tree = tree_new();

	MUST(hasher && tree);
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < events; i++) {
		struct leaf leaf;
		uint8_t hash[EVIDENCE_HASH];

		make_leaf(hasher, i, &leaf);
		MUST(leaf_hash(hasher, &leaf, hash) && tree_add(tree, hash));
		if (i == index)
			out->leaf = leaf;
	}
	make_salt(index, out->salt);
	out->seal = (struct seal){ .number = 17,
				   .first = FIRST_SEQUENCE,
				   .last = FIRST_SEQUENCE + 2 * events,
				   .events = events,
				   .sealed_ns = ACCEPTED_NS + INT64_C(60000000000) };
	memcpy(out->seal.journal, out->leaf.journal, sizeof(out->seal.journal));
	memset(out->seal.chain, 0x2c, sizeof(out->seal.chain));
	memset(out->seal.before, 0xfd, sizeof(out->seal.before));
	MUST(tree_root(tree, out->seal.root) && tree_path(tree, index, out->steps, &out->n_steps));
	receipts_sign(key, out);
	tree_free(&tree);
	hasher_free(&hasher);
}

void receipts_sign_claim(struct sign_key *publisher, struct receipt *receipt)
{
	struct receipt_claim *it = &receipt->publisher;
	uint8_t public[SIGNATURE_PUBLIC];
	char text[CLAIM_TEXT_MAX];

	sign_key_raw(publisher, public);
	MUST(signature_fingerprint(public, it->key));
	MUST(sign_key_sign(publisher, text, claim_write(&it->claim, text), it->signature));
}

void receipts_claim(struct sign_key *publisher, size_t events, size_t index, size_t of,
		    struct receipt *receipt)
{
	struct receipt_claim *it = &receipt->publisher;
	uint8_t event[RECEIPTS_EVENT], leaf[HASH_BYTES], digest[HASH_BYTES];
	struct hasher *hasher = hasher_new();
	struct tree *tree = tree_new();

	MUST(hasher && tree && index < events);
	memset(it, 0, sizeof(*it));
	for (size_t i = 0; i < events; i++) {
		receipts_event(i == index ? of : 1000 + i, event);
		MUST(hasher_sum(hasher, event, sizeof(event), digest));
		MUST(claim_leaf(hasher, digest, leaf) && tree_add(tree, leaf));
		if (i == index)
			memcpy(it->digest, digest, HASH_BYTES);
	}
	MUST(claim_make(tree, receipt->leaf.source, &it->claim));
	MUST(tree_path(tree, index, it->steps, &it->n_steps));
	receipt->is_claimed = true;
	receipts_sign_claim(publisher, receipt);
	tree_free(&tree);
	hasher_free(&hasher);
}
