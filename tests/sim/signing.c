/* See signing.h. */
#include "sim/signing.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/signed.h"
#include "sim/life.h"
#include "sim/memory.h"

bool signing_wanted(const char *agency)
{
	return life_now->plan->sign && (strcmp(agency, "prison") == 0 || strcmp(agency, "police") == 0);
}

struct sign_key *signing_key(const char *agency)
{
	uint8_t seed[SIGNATURE_SEED] = { 0 };
	struct sign_key *key;

	memcpy(seed, agency, strnlen(agency, sizeof(seed)));
	key = sign_key_from_seed(seed);
	assert(key);
	return key;
}

void signing_rules(struct rules_agency *agency)
{
	struct sign_key *key = signing_key(agency->id);
	struct rules_signing_key *it = calloc(1, sizeof(*it));

	assert(it);
	strcpy(it->label, "play");
	sign_key_raw(key, it->public);
	if (!signature_fingerprint(it->public, it->fingerprint))
		abort();
	it->to_ns = RULES_FOREVER;
	agency->signing_keys = it;
	agency->n_signing_keys = 1;
	agency->must_sign = true;
	sign_key_free(&key);
}

static bool is_good(const struct signed_frame *frame)
{
	struct sign_key *secret = signing_key(frame->agency);
	struct verify_key *key = verify_key_of(secret);
	struct hasher *hasher = hasher_new();
	struct tree *tree = tree_new();
	char text[CLAIM_TEXT_MAX];
	struct claim claim;
	bool good;

	assert(key && hasher && tree);
	good = claim_grow(tree, hasher, frame->digests, frame->n) &&
	       claim_make(tree, frame->agency, &claim) &&
	       verify_key_accepts(key, text, claim_write(&claim, text), frame->signature);
	sign_key_free(&secret);
	verify_key_free(&key);
	hasher_free(&hasher);
	tree_free(&tree);
	return good;
}

static bool is_digest(const struct record_event *event, const uint8_t digest[HASH_BYTES])
{
	struct hasher *hasher = hasher_new();
	uint8_t hash[HASH_BYTES];
	bool same;

	assert(hasher);
	same = hasher_sum(hasher, event->bytes, event->n_bytes, hash) &&
	       memcmp(hash, digest, HASH_BYTES) == 0;
	hasher_free(&hasher);
	return same;
}

void signing_check(const struct model *model, const struct record_event *event, uint64_t sequence)
{
	const struct record *record;
	struct signed_frame frame;

	if (!signing_wanted(event->source)) {
		life_check(event->signed_at == 0, "record %" PRIu64 " is signed by nobody", sequence);
		return;
	}
	life_check(event->signed_at > 0 && event->signed_at < sequence,
	           "record %" PRIu64 " has no signature before it", sequence);
	record = &model->records[event->signed_at - 1];
	life_check(record->kind == RECORD_SIGNED &&
	                   record_get_signed(record->data, record->len, &frame) &&
	                   event->signed_as < frame.n && strcmp(frame.agency, event->source) == 0,
	           "record %" PRIu64 " names record %" PRIu64 " for its signature", sequence,
	           event->signed_at);
	life_check(is_digest(event, frame.digests + (size_t)event->signed_as * SIGNED_DIGEST),
	           "record %" PRIu64 " is not what was signed", sequence);
	life_check(is_good(&frame), "record %" PRIu64 " is no signature", event->signed_at);
}

/* It may be without, when that record went. */
void signing_check_receipt(const struct receipt *receipt)
{
	struct sign_key *secret;
	struct verify_key *key;

	if (!receipt->is_claimed)
		return;
	secret = signing_key(receipt->leaf.source);
	key = verify_key_of(secret);
	assert(key);
	life_check(signing_wanted(receipt->leaf.source) &&
	                   strcmp(receipt->publisher.claim.agency, receipt->leaf.source) == 0 &&
	                   receipt_check_publisher(receipt, key) == RECEIPT_GOOD,
	           "the receipt of %" PRIu64 " has another's signature", receipt->leaf.sequence);
	sign_key_free(&secret);
	verify_key_free(&key);
}
