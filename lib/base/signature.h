/*
 * Ed25519 (RFC 8032) keys as PEM files that the openssl command reads too: secret PKCS #8, mode
 * 0600, unencrypted; public SubjectPublicKeyInfo, mode 0644.
 *
 * A key object belongs to one thread. The secret one keeps its bytes in locked memory where the
 * system lets it, and they are wiped when it is freed.
 */
#ifndef TTG_BASE_SIGNATURE_H
#define TTG_BASE_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/message.h"

#define SIGNATURE_BYTES 64u
#define SIGNATURE_SEED 32u   /* bytes an Ed25519 secret key is made of */
#define SIGNATURE_PUBLIC 32u /* bytes of a public one */
#define SIGNATURE_FINGERPRINT 32u
#define SIGNATURE_PEM_MAX 256u /* text of a public key, with NUL */

struct sign_key;
/* One public key or several: what one of them accepts is accepted. */
struct verify_key;
#define VERIFY_KEYS_MAX 8u

/* TTG_EEXIST: neither file is ever overwritten; a pair is made whole or not at all. */
enum ttg_error signature_make(const char *secret_path, const char *public_path,
			      struct message *message);
/* TTG_EPERM also when group or others may read it; TTG_EFORMAT, TTG_EIO, TTG_ENOENT, TTG_ENOMEM. */
enum ttg_error sign_key_read(const char *path, struct sign_key **out, struct message *message);
struct sign_key *sign_key_from_seed(const uint8_t seed[SIGNATURE_SEED]); /* NULL: no memory */
void sign_key_free(struct sign_key **key);
bool sign_key_sign(struct sign_key *key, const void *data, size_t len,
		   uint8_t out[SIGNATURE_BYTES]);
/* The public half, as the PEM text, and as its bytes. */
bool sign_key_public(const struct sign_key *key, char out[SIGNATURE_PEM_MAX]);
void sign_key_raw(const struct sign_key *key, uint8_t out[SIGNATURE_PUBLIC]);

/* A file of one PEM text, or of up to VERIFY_KEYS_MAX one behind the other. */
enum ttg_error verify_key_read(const char *path, struct verify_key **out, struct message *message);
struct verify_key *verify_key_of(const struct sign_key *key);                 /* NULL: no memory */
struct verify_key *verify_key_of_bytes(const uint8_t public[SIGNATURE_PUBLIC]); /* or no key */
/* Of the one key; false: there are several. */
bool verify_key_raw(const struct verify_key *key, uint8_t out[SIGNATURE_PUBLIC]);
/* Names a public key: the SHA-256 of its bytes. */
bool signature_fingerprint(const uint8_t public[SIGNATURE_PUBLIC], uint8_t out[SIGNATURE_FINGERPRINT]);
void verify_key_free(struct verify_key **key);
bool verify_key_accepts(struct verify_key *key, const void *data, size_t len,
			const uint8_t signature[SIGNATURE_BYTES]);
/* The bytes of the one that accepts. False: none does. */
bool verify_key_which(struct verify_key *key, const void *data, size_t len,
		      const uint8_t signature[SIGNATURE_BYTES], uint8_t out[SIGNATURE_PUBLIC]);
bool verify_key_has(const struct verify_key *key, const uint8_t public[SIGNATURE_PUBLIC]);
/* One more; nothing when it is there. False: there are VERIFY_KEYS_MAX, or no memory. */
bool verify_key_add(struct verify_key *key, const uint8_t public[SIGNATURE_PUBLIC]);

/* One line of base64, without its end, 88 characters for a signature; NUL behind. */
#define SIGNATURE_BASE64 89u
void signature_to_base64(const uint8_t signature[SIGNATURE_BYTES], char out[SIGNATURE_BASE64]);
bool signature_from_base64(const char *text, size_t len, uint8_t out[SIGNATURE_BYTES]);

#endif
