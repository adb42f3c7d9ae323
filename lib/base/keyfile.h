/*
 * Key files: CURVE key pairs of agencies and broker, and 32-byte secrets (journal encryption).
 *
 * Public:  "ttg-public-key v1\n<40 characters Z85>\n"          mode 0644
 * Secret:  "ttg-secret-key v1\n<public Z85>\n<secret Z85>\n"   mode 0600
 * Symmetric: "ttg-symmetric-key v1\n<64 hex digits>\n"         mode 0600
 * A secret file that group or others may read is refused. Buffers are wiped after use.
 */
#ifndef TTG_BASE_KEYFILE_H
#define TTG_BASE_KEYFILE_H

#include <stddef.h>
#include <stdint.h>
#include "base/message.h"

#define KEYFILE_Z85 41
#define KEYFILE_SYMMETRIC 32

struct key_pair {
	char public_z85[KEYFILE_Z85];
	char secret_z85[KEYFILE_Z85];
};

enum ttg_error keyfile_read_public(const char *path, char out[KEYFILE_Z85], struct message *message);
enum ttg_error keyfile_read_secret(const char *path, struct key_pair *out, struct message *message);
/* Neither overwrites: TTG_EEXIST. */
enum ttg_error keyfile_write_public(const char *path, const char *z85, struct message *message);
enum ttg_error keyfile_write_secret(const char *path, const struct key_pair *pair,
				    struct message *message);
enum ttg_error keyfile_read_symmetric(const char *path, uint8_t out[KEYFILE_SYMMETRIC],
				      struct message *message);
enum ttg_error keyfile_write_symmetric(const char *path, const uint8_t key[KEYFILE_SYMMETRIC],
				       struct message *message);

/* Overwrites len bytes in a way the compiler may not leave out. */
void wipe(void *secret, size_t len);

#endif
