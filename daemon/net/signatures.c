/* See signatures.h. Frames that are not signed, of an agency that need not sign, cost two comparisons. */
#include "net/signatures.h"

#include <assert.h>
#include <stdlib.h>

#include "base/claim.h"
#include "base/signature.h"

static_assert(SIGNED_KEY == SIGNATURE_FINGERPRINT, "a record names keys as a frame does");
static_assert(RULES_SIGNING_KEY == SIGNATURE_FINGERPRINT, "and rules do");
static_assert(RULES_SIGNING_KEY == SIGNATURE_PUBLIC, "keys in rules are whole");
static_assert(SIGNED_SIGNATURE == SIGNATURE_BYTES, "signatures in records are whole");
static_assert(SIGNED_DIGEST == HASH_BYTES, "digests in records are whole");
static_assert(RULES_ID_MAX < CLAIM_AGENCY_MAX, "every agency can sign");

static void refuse(struct signature_check *check, enum ttg_error code, const char *text)
{
	check->code = code;
	check->text = text;
}

static void no_memory(struct signature_check *check)
{
	refuse(check, TTG_REFUSED_BUSY, "the broker has no memory for the signature");
}

/* The claim's text as it follows from the events; its length, 0: no memory, or cryptography failed. */
static size_t claim_of(const Ttg__Publish *publish, const char *agency, uint8_t *digests,
		       char text[CLAIM_TEXT_MAX])
{
	struct hasher *hasher = hasher_new();
	struct tree *tree = tree_new();
	struct claim claim;
	bool fine = hasher && tree;

	for (size_t i = 0; i < publish->n_events && fine; i++)
		fine = hasher_sum(hasher, publish->events[i].data, publish->events[i].len,
				  digests + i * HASH_BYTES);
	fine = fine && claim_grow(tree, hasher, digests, publish->n_events) &&
	       claim_make(tree, agency, &claim);
	hasher_free(&hasher);
	tree_free(&tree);
	return fine ? claim_write(&claim, text) : 0;
}

static void verify(const struct rules_agency *agency, const struct rules_signing_key *key,
		   const Ttg__Publish *publish, struct signature_check *check)
{
	struct verify_key *public = verify_key_of_bytes(key->public);
	char text[CLAIM_TEXT_MAX];
	size_t len = 0;

	check->digests = malloc(publish->n_events * HASH_BYTES);
	if (public && check->digests)
		len = claim_of(publish, agency->id, check->digests, text);
	if (len == 0) {
		no_memory(check);
	} else if (!verify_key_accepts(public, text, len, publish->signature.data)) {
		refuse(check, TTG_REFUSED_SIGNATURE, "the signature is not this key's over these events");
	} else {
		check->is_signed = true;
		check->frame = (struct signed_frame){ .agency = agency->id,
						      .key = key->fingerprint,
						      .signature = publish->signature.data,
						      .n = (uint32_t)publish->n_events,
						      .digests = check->digests };
	}
	verify_key_free(&public);
}

void signature_check(const struct rules_agency *agency, const Ttg__Publish *publish,
		     const struct core_now *now, struct signature_check *out)
{
	const struct rules_signing_key *key;

	*out = (struct signature_check){ .code = TTG_OK };
	if (publish->signature.len == 0 && publish->signed_by.len == 0) {
		if (agency->must_sign)
			refuse(out, TTG_REFUSED_SIGNATURE, "is not signed, and this agency must sign");
		return;
	}
	if (agency->n_signing_keys == 0) {
		refuse(out, TTG_REFUSED_SIGNATURE, "is signed, and no signing key of this agency is known");
		return;
	}
	if (publish->signature.len != SIGNATURE_BYTES || publish->signed_by.len != SIGNATURE_FINGERPRINT) {
		refuse(out, TTG_REFUSED_SIGNATURE,
		       "signature must have 64 bytes, signed_by the 32 of a fingerprint");
		return;
	}
	if (publish->n_events > SIGNED_EVENTS_MAX) {
		refuse(out, TTG_REFUSED_SIGNATURE, "more than 16,384 events under one signature");
		return;
	}
	key = rules_find_signing_key(agency, publish->signed_by.data);
	if (!key)
		refuse(out, TTG_REFUSED_SIGNATURE, "signed_by is no signing key of this agency");
	else if (!rules_signing_key_valid(key, now->real_ns))
		refuse(out, TTG_REFUSED_SIGNATURE, "the signing key is revoked, or not valid now");
	else
		verify(agency, key, publish, out);
}

void signature_check_fini(struct signature_check *check)
{
	free(check->digests);
	*check = (struct signature_check){ .code = TTG_OK };
}
