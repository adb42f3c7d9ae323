/*
 * ttg-signer --hand-over: the last thing a key signs, offline. The state must not be in use; afterwards it
 * belongs to the new key.
 */
#ifndef TTGD_SIGNER_HAND_OVER_H
#define TTGD_SIGNER_HAND_OVER_H

#include "evidence/hand_over.h"
#include "signer/state.h"

/*
 * Durable when it returns TTG_OK; the statement, as a file (hand_over.h), is what the new key is trusted
 * by. Asked again for the same key it gives the same. Both keys are taken. As signer_state_open();
 * TTG_EINVAL: nothing was sealed under the old key, it has handed over to another, or it is the same.
 */
enum ttg_error hand_over_state(const struct world *world, const char *state_path, struct sign_key *take_old,
			       struct sign_key *take_new, char statement[HAND_OVER_FILE_MAX], size_t *len,
			       struct message *message);

#endif
