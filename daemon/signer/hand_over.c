/* See hand_over.h. */
#include "signer/hand_over.h"

#include <string.h>

/* What stands in the way of handing over to this key; NULL: nothing, or it has been done. */
static const char *hindrance(const struct signer *signer, const uint8_t from[EVIDENCE_KEY],
			     const uint8_t to[EVIDENCE_KEY], bool *done)
{
	const struct seal_signed *last = signer_last(signer);
	struct seal seal;

	*done = false;
	if (memcmp(from, to, EVIDENCE_KEY) == 0)
		return "it is the same key";
	if (!last || !link_read(last->text, last->len, &seal))
		return "the old key has signed nothing: begin with the new one";
	*done = signer_has_ended(signer) && memcmp(seal.to, to, EVIDENCE_KEY) == 0;
	if (*done)
		return NULL;
	if (signer_has_ended(signer))
		return "the old key has handed over to another one already";
	return seal.hands_over ? "the old key has made no seal yet: start signer and broker with it first" :
				 NULL;
}

static enum ttg_error hand_over(const struct world *world, struct signer_state *state, struct signer *signer,
				const uint8_t to[EVIDENCE_KEY], struct message *message)
{
	const int64_t now_ns = world->real_ns(world->self);
	enum ttg_error error;

	if (!signer_hand_over(signer, to, now_ns > 0 ? now_ns : 0))
		return message_set(message, TTG_ECRYPTO, "cryptography failed");
	error = signer_state_keep(state, message);
	return error ? error : signer_state_sync(state, message);
}

enum ttg_error hand_over_state(const struct world *world, const char *state_path, struct sign_key *take_old,
			       struct sign_key *take_new, char statement[HAND_OVER_FILE_MAX], size_t *len,
			       struct message *message)
{
	uint8_t from[EVIDENCE_KEY], to[EVIDENCE_KEY];
	struct signer_state *state = NULL;
	bool done = false;

	sign_key_raw(take_old, from);
	sign_key_raw(take_new, to);
	sign_key_free(&take_new);
	struct signer *signer = signer_new(take_old);
	if (!signer) {
		sign_key_free(&take_old);
		return message_set(message, TTG_ENOMEM, "no memory for the signer");
	}
	enum ttg_error error = signer_state_open(&state, world, state_path, signer, message);
	const char *why = error ? NULL : hindrance(signer, from, to, &done);
	if (why)
		error = message_set(message, TTG_EINVAL, "%s: %s", state_path, why);
	if (!error && !done)
		error = hand_over(world, state, signer, to, message);
	if (!error)
		*len = hand_over_to_file(signer_last(signer), statement);
	const enum ttg_error closed = signer_state_close(&state, error ? NULL : message);
	signer_free(&signer);
	return error ? error : closed;
}
