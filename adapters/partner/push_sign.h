/*
 * The signature of what is pushed, as docs/protocol.md describes it (the Standard Webhooks scheme,
 * version 1): HMAC-SHA256 over id, timestamp and body. One thread.
 */
#ifndef PARTNER_PUSH_SIGN_H
#define PARTNER_PUSH_SIGN_H

#include <stddef.h>
#include <stdint.h>
#include "base/message.h"

#define PUSH_SECRET_MIN      16 /* characters of the file's line */
#define PUSH_SIGNATURE_BYTES 52 /* "v1,", 44 characters of base64, a NUL, and room */

/* Key of the MAC; keep it in memory for keys. */
struct push_secret {
	uint8_t key[256];
	size_t len;
};

/* From the file's line: the characters themselves, or behind "whsec_" their base64. TTG_EFORMAT. */
enum ttg_error push_secret_read(struct push_secret *secret, const char *line,
                                struct message *message);

/* "v1,<base64>". TTG_ESYS: no cryptography. */
enum ttg_error push_sign(const struct push_secret *secret, const char *id, int64_t timestamp_s,
                         const char *body, size_t len, char out[PUSH_SIGNATURE_BYTES]);

#endif
