/*
 * What the signer process decides, without its socket and files: it signs a seal only when that
 * follows the last one it signed, so that no two seals of one number ever leave it, whatever its
 * broker asks.
 *
 * Packets, text, SIGNER_PACKET_MAX bytes at most, one answer for each:
 *
 *     last\n                                           -> none\n
 *                                                      -> last\n<base64 signature>\n<seal's text>
 *     sign\n<seal's text>                              -> signed\n<base64 signature>\n
 *     take\n<base64 signature>\n<seal's text>          -> taken\n
 *     before\n                                         -> none\n, or as last
 *     public\n                                         -> public\n<PEM>
 *     any                                              -> refused\n<reason, one line>\n
 *
 * sign: TTG seals of one journal, each following the last. The last one itself, byte for byte, is
 * answered again with its signature. take: a seal of our own that we forgot (the machine stopped
 * before our state was on disk): the signature proves that it is ours; its journal must be the last
 * one's and its number higher than that one's; from then on it is the last. What is last, and taken, may
 * be a hand-over (hand_over.h) by our key, which then signs nothing any more, or to it; to it only while
 * it has no last one. before: while a hand-over is the last, the seal before it, which the broker may have
 * missed too.
 *
 * Owner: one thread.
 */
#ifndef TTGD_EVIDENCE_SIGNER_H
#define TTGD_EVIDENCE_SIGNER_H

#include "base/signature.h"
#include "evidence/seal.h"

#define SIGNER_PACKET_MAX 2048u

struct signer;

/* Takes the key over. NULL: no memory, and then the key is still the caller's. */
struct signer *signer_new(struct sign_key *take_key);
void signer_free(struct signer **signer);
/* The answer to a packet, always one; its length. */
size_t signer_answer(struct signer *signer, const char *packet, size_t len,
		     char out[SIGNER_PACKET_MAX]);
/* State: the last seal, to be kept by the process; NULL before the first. Taken back at its start:
   false when the signature is not ours or the text is no seal. */
const struct seal_signed *signer_last(const struct signer *signer);
bool signer_has_ended(const struct signer *signer); /* this key has handed over */
/* Behind the last seal, which there is and which is no hand-over: hands over to that key, and that is the
   last then. False: cryptography failed. */
bool signer_hand_over(struct signer *signer, const uint8_t to[EVIDENCE_KEY], int64_t now_ns);
bool signer_resume(struct signer *signer, const struct seal_signed *last);
/* Behind that, when a hand-over is the last: the seal before it. False: it is not that. */
bool signer_resume_before(struct signer *signer, const struct seal_signed *before);

/* The broker's half: packets to send (their length), and an answer understood. */
size_t signer_put_last(char out[SIGNER_PACKET_MAX]);
size_t signer_put_before(char out[SIGNER_PACKET_MAX]);
size_t signer_put_sign(const char *text, size_t len, char out[SIGNER_PACKET_MAX]);
size_t signer_put_take(const struct seal_signed *seal, char out[SIGNER_PACKET_MAX]);
size_t signer_put_public(char out[SIGNER_PACKET_MAX]);

enum signer_word { SIGNER_NONE, SIGNER_LAST, SIGNER_SIGNED, SIGNER_TAKEN, SIGNER_PUBLIC, SIGNER_REFUSED,
		   SIGNER_GIBBERISH };
struct signer_reply {
	enum signer_word word;
	struct seal_signed seal; /* LAST: all of it; SIGNED: the signature alone */
	char text[SIGNATURE_PEM_MAX]; /* REFUSED: the reason; PUBLIC: the PEM; NUL behind */
};
void signer_read_reply(const char *packet, size_t len, struct signer_reply *out);

#endif
