/*
 * A hand-over: the last that a signing key signs, and it names the key that signs what follows. It stands
 * in the line of seals with a number of its own, so that seals of two keys are known to be of one line:
 * who trusts the first key trusts the second from here on.
 *
 * The signed bytes are its text, lines as in hash.h:
 *
 *     throughgate hand-over 1
 *     journal <id of the journal, 32 digits>
 *     number <one above that of the seal before>
 *     last <the last sequence of the seal before>
 *     before <64 digits: SHA-256 of the text of the seal before>
 *     from <64 digits: the public key that signs this>
 *     to <64 digits: the one that signs what follows>
 *     signed <ns since 1970>
 *
 * Read, it is a struct seal that covers nothing: hands_over is true, first and last are `last`, and
 * sealed_ns is `signed`.
 *
 * Pure; any thread.
 */
#ifndef TTGD_EVIDENCE_HAND_OVER_H
#define TTGD_EVIDENCE_HAND_OVER_H

#include "evidence/seal.h"

/* Length of the text. */
size_t hand_over_write(const struct seal *it, char out[SEAL_TEXT_MAX]);
/* False: not a text that hand_over_write() gives, or one that no hand-over can have. */
bool hand_over_read(const char *text, size_t len, struct seal *out);
/* A seal or a hand-over. */
bool link_read(const char *text, size_t len, struct seal *out);
/* `it`, read from `with`, is signed by the key that it says it is from. */
bool hand_over_is_signed(const struct seal *it, const struct seal_signed *with);

/*
 * As a file that goes from hand to hand: the signature in base64 on a line, the text. HAND_OVER_FILE_MAX
 * bytes at most. False: not one, or not signed by the key it is from.
 */
#define HAND_OVER_FILE_MAX (SIGNATURE_BASE64 + SEAL_TEXT_MAX)
size_t hand_over_to_file(const struct seal_signed *it, char out[HAND_OVER_FILE_MAX]);
bool hand_over_from_file(const char *bytes, size_t len, struct seal *out);

#endif
