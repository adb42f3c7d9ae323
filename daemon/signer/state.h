/*
 * What the signer must not forget: the last seal it signed, in a file of two slots (slot.h).
 *
 * Owner: one thread. FILE.lock beside it is held while it is open: two signers never share one.
 */
#ifndef TTGD_SIGNER_STATE_H
#define TTGD_SIGNER_STATE_H

#include "base/message.h"
#include "base/world.h"
#include "evidence/signer.h"
#include "evidence/slot.h"

struct signer_state;

/*
 * Locks the file, and gives the signer its last seal back. A file that is not there, or empty, is
 * one of a signer that has signed nothing. The signer and the world stay the caller's.
 * TTG_ELOCKED: another process has it; TTG_ECORRUPT: neither slot counts, and nothing was changed;
 * TTG_ENOMEM; else what the system said.
 */
enum ttg_error signer_state_open(struct signer_state **out, const struct world *world,
				 const char *path, struct signer *signer, struct message *message);

/*
 * Writes the signer's last seal when it is not the one that was written before; to be called before
 * the answer goes out that shows it. After a failure the process must end without answering.
 */
enum ttg_error signer_state_keep(struct signer_state *state, struct message *message);

/* Milliseconds until signer_state_sync() is due; 0: now; -1: nothing waits for it. */
int signer_state_due_ms(const struct signer_state *state);
/* Makes durable what was written. A failure is final. */
enum ttg_error signer_state_sync(struct signer_state *state, struct message *message);

/* Syncs what waits for it, gives the lock back. *state is NULL afterwards, whatever it returns. */
enum ttg_error signer_state_close(struct signer_state **state, struct message *message);

#endif
