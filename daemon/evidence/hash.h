/*
 * Sizes of what is proven here. How texts are written, read and hashed stands in base/hash.h.
 */
#ifndef TTGD_EVIDENCE_HASH_H
#define TTGD_EVIDENCE_HASH_H

#include "base/hash.h"

#define EVIDENCE_HASH HASH_BYTES
#define EVIDENCE_SALT HASH_SALT
#define EVIDENCE_ID 16u /* of a journal, of an event */
#define EVIDENCE_KEY 32u /* a public key of Ed25519, RFC 8032 */

#endif
