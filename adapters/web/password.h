/*
 * Passwords: what is kept of them, and which are refused. Kept is scrypt (RFC 7914) of the password
 * and 16 random bytes; with PASSWORD_LOG_N that takes 32 MiB and about a tenth of a second.
 */
#ifndef WEB_PASSWORD_H
#define WEB_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/hash.h"
#include "base/world.h"

#define PASSWORD_MIN   12  /* characters */
#define PASSWORD_MAX   256 /* bytes, without a NUL */
#define PASSWORD_SALT  16
#define PASSWORD_LOG_N 15 /* N = 2^15, r = 8, p = 1 */

struct password {
	unsigned log_n, r, p;
	uint8_t salt[PASSWORD_SALT];
	uint8_t hash[HASH_BYTES];
};

/* What a users' file may ask for: nothing weaker than ours, nothing that takes minutes. */
bool password_is_bounded(const struct password *password);

/* False: no random bytes, no memory, no cryptography. */
bool password_set(struct password *out, const char *text, const struct world *world);

/* With NULL (nobody has that name) the same time is taken, and the answer is no. */
bool password_is(const struct password *password, const char *text);

/* A sentence when it is too short, too long, the user's own name, or one that everybody tries
   first; NULL: it will do. */
const char *password_fault(const char *text, const char *user, const char *name);

#endif
