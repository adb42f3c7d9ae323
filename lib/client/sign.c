/* See sign.h. What a signature needs is made once: a frame costs its hashes and one signature. */
#include "client/sign.h"

#include <stdlib.h>

#include "base/claim.h"

struct signing {
	struct sign_key *key;
	struct hasher *hasher;
	struct tree *tree;
	uint8_t fingerprint[SIGNATURE_FINGERPRINT];
	uint8_t signature[SIGNATURE_BYTES];
};

static bool add_event(struct signing *it, const ProtobufCBinaryData *event)
{
	uint8_t digest[HASH_BYTES], leaf[HASH_BYTES];

	return hasher_sum(it->hasher, event->data, event->len, digest) &&
	       claim_leaf(it->hasher, digest, leaf) && tree_add(it->tree, leaf);
}

enum ttg_error sign_publish(struct signing *it, const char *agency, Ttg__Publish *publish)
{
	char text[CLAIM_TEXT_MAX];
	struct claim claim;

	tree_clear(it->tree);
	for (size_t i = 0; i < publish->n_events; i++)
		if (!add_event(it, &publish->events[i]))
			return TTG_ENOMEM;
	if (!claim_make(it->tree, agency, &claim) ||
	    !sign_key_sign(it->key, text, claim_write(&claim, text), it->signature))
		return TTG_ECRYPTO;
	publish->signature = (ProtobufCBinaryData){ SIGNATURE_BYTES, it->signature };
	publish->signed_by = (ProtobufCBinaryData){ SIGNATURE_FINGERPRINT, it->fingerprint };
	return TTG_OK;
}

enum ttg_error sign_open(struct signing **out, const char *path, struct message *message)
{
	struct signing *it = calloc(1, sizeof(*it));
	uint8_t public[SIGNATURE_PUBLIC];
	enum ttg_error error = TTG_ENOMEM;

	*out = it;
	if (!it)
		return message_set(message, TTG_ENOMEM, "no memory");
	error = sign_key_read(path, &it->key, message);
	if (error == TTG_OK) {
		it->hasher = hasher_new();
		it->tree = tree_new();
		sign_key_raw(it->key, public);
		if (!it->hasher || !it->tree || !signature_fingerprint(public, it->fingerprint))
			error = message_set(message, TTG_ENOMEM, "%s: no memory for a key", path);
	}
	if (error != TTG_OK)
		sign_close(out);
	return error;
}

void sign_close(struct signing **signing)
{
	struct signing *it = *signing;

	*signing = NULL;
	if (!it)
		return;
	sign_key_free(&it->key);
	hasher_free(&it->hasher);
	tree_free(&it->tree);
	free(it);
}
