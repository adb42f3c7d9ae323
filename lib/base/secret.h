/*
 * Memory for keys: on pages of its own, kept out of the swap, of core files and of processes that are
 * forked, wiped when it is given back. A page that nobody may touch stands on either side; the secret
 * ends where the one behind it begins.
 *
 * A page is the least that can be locked, so this is for what is kept: one structure for all keys of one
 * owner. What is needed for a moment stands on the stack and is wiped there (keyfile.h).
 *
 * Any thread.
 */
#ifndef TTG_BASE_SECRET_H
#define TTG_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * len bytes, zeros, aligned to 16; NULL: no memory. Where the system lets no more be locked (RLIMIT_MEMLOCK)
 * they may be swapped, and all else holds: secret_prepare() tells.
 */
void *secret_new(size_t len);
void secret_free(void *secret); /* NULL: nothing */

/*
 * For a program, at its start, while there is one thread: it may lock as much as it is allowed at all, and
 * private keys and keys of MACs that OpenSSL holds are in such memory from now on (its secure heap). What
 * OpenSSL makes of a key for a cipher or a hash is not. False: not all that a program of ours needs can
 * be locked.
 */
bool secret_prepare(void);

#endif
