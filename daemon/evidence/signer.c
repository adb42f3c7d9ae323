/*
 * See signer.h.
 *
 * Invariant: `last` is the newest seal this key is known to have signed, or the hand-over to it or by it.
 * It changes in one place, move_to(), and only to one with a higher number: one that follows it,
 * signed here, or one taken back. A packet that is refused changes nothing. Behind a hand-over by it
 * this key signs nothing any more.
 */
#include "evidence/signer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/hand_over.h"

#define ASK_LAST     "last\n"
#define ASK_SIGN     "sign\n"
#define ASK_TAKE     "take\n"
#define ASK_BEFORE   "before\n"
#define ASK_PUBLIC   "public\n"
#define SAY_NONE     "none\n"
#define SAY_SIGNED   "signed\n"
#define SAY_TAKEN    "taken\n"
#define SAY_REFUSED  "refused\n"
#define PEM_TITLE    "-----BEGIN PUBLIC KEY-----\n"
#define SIGNATURE_LINE SIGNATURE_BASE64 /* its end instead of the NUL */

static_assert(sizeof(ASK_TAKE) + SIGNATURE_LINE + SEAL_TEXT_MAX <= SIGNER_PACKET_MAX,
	      "a packet holds a signed seal");
static_assert(sizeof(ASK_PUBLIC) + SIGNATURE_PEM_MAX <= SIGNER_PACKET_MAX, "and a public key");

struct signer {
	struct sign_key *key;
	struct verify_key *public;
	uint8_t bytes[EVIDENCE_KEY];   /* of the public key */
	struct hasher *hasher;
	bool has_last;
	struct seal_signed last;
	struct seal seal;              /* last's text, read */
	struct seal_signed before;     /* a hand-over that is the last; no length: not known */
	uint8_t hash[EVIDENCE_HASH];   /* of last's text */
};

/* A packet being written; all there is to write fits, as is asserted above. */
struct packet {
	char *bytes;
	size_t len;
};

static void put(struct packet *packet, const void *bytes, size_t len)
{
	assert(len <= SIGNER_PACKET_MAX - packet->len);
	memcpy(packet->bytes + packet->len, bytes, len);
	packet->len += len;
}

static void put_text(struct packet *packet, const char *text)
{
	put(packet, text, strlen(text));
}

static void put_signature(struct packet *packet, const uint8_t signature[SEAL_SIGNATURE])
{
	char line[SIGNATURE_LINE];

	signature_to_base64(signature, line);
	line[SIGNATURE_LINE - 1] = '\n';
	put(packet, line, sizeof(line));
}

static void put_seal(struct packet *packet, const char *word, const struct seal_signed *seal)
{
	put_text(packet, word);
	put_signature(packet, seal->signature);
	put(packet, seal->text, seal->len);
}

static size_t refuse(const char *why, char out[SIGNER_PACKET_MAX])
{
	struct packet packet = { out, 0 };

	put_text(&packet, SAY_REFUSED);
	put_text(&packet, why);
	put_text(&packet, "\n");
	return packet.len;
}

/* Takes the line of a word off the front. */
static bool take_word(const char **at, size_t *len, const char *word)
{
	const size_t n = strlen(word);

	if (*len < n || memcmp(*at, word, n) != 0)
		return false;
	*at += n;
	*len -= n;
	return true;
}

static bool take_signature(const char **at, size_t *len, uint8_t out[SEAL_SIGNATURE])
{
	if (*len < SIGNATURE_LINE || (*at)[SIGNATURE_LINE - 1] != '\n' ||
	    !signature_from_base64(*at, SIGNATURE_LINE - 1, out))
		return false;
	*at += SIGNATURE_LINE;
	*len -= SIGNATURE_LINE;
	return true;
}

/* A signature's line, then the text of a seal or a hand-over and nothing more. */
static bool read_signed(const char *at, size_t len, struct seal_signed *out, struct seal *seal)
{
	if (!take_signature(&at, &len, out->signature) || !link_read(at, len, seal))
		return false;
	memcpy(out->text, at, len);
	out->len = len;
	return true;
}

/* Our key signed it, or it hands over to our key. */
static bool is_ours(struct signer *signer, const struct seal_signed *last, const struct seal *seal)
{
	if (seal->hands_over && memcmp(seal->to, signer->bytes, EVIDENCE_KEY) == 0)
		return hand_over_is_signed(seal, last);
	return verify_key_accepts(signer->public, last->text, last->len, last->signature);
}

bool signer_has_ended(const struct signer *signer)
{
	return signer->has_last && signer->seal.hands_over &&
	       memcmp(signer->seal.from, signer->bytes, EVIDENCE_KEY) == 0;
}

/* False: cryptography failed, and nothing has changed. */
static bool move_to(struct signer *signer, const struct seal_signed *last, const struct seal *seal)
{
	uint8_t hash[EVIDENCE_HASH];

	assert(last->len > 0 && last->len <= SEAL_TEXT_MAX);
	if (!hasher_sum(signer->hasher, last->text, last->len, hash))
		return false;
	memcpy(signer->hash, hash, sizeof(hash));
	signer->last = *last;
	signer->seal = *seal;
	signer->before.len = 0;
	signer->has_last = true;
	return true;
}

static size_t answer_signed(const struct signer *signer, char out[SIGNER_PACKET_MAX])
{
	struct packet packet = { out, 0 };

	put_text(&packet, SAY_SIGNED);
	put_signature(&packet, signer->last.signature);
	return packet.len;
}

static size_t answer_sign(struct signer *signer, const char *text, size_t len,
			  char out[SIGNER_PACKET_MAX])
{
	const char *why = NULL;
	struct seal_signed next = { .len = len };
	struct seal seal;

	if (signer->has_last && len == signer->last.len &&
	    memcmp(text, signer->last.text, len) == 0)
		return answer_signed(signer, out);
	if (signer_has_ended(signer))
		return refuse("this key has handed over to another", out);
	if (!seal_read(text, len, &seal))
		return refuse("not the text of a seal", out);
	if (!seal_follows(signer->has_last ? &signer->seal : NULL, signer->hash, &seal, &why))
		return refuse(why, out);
	memcpy(next.text, text, len);
	/* Looked at again: what a failing machine signs wrongly may give the key away. */
	if (!sign_key_sign(signer->key, text, len, next.signature) || !is_ours(signer, &next, &seal) ||
	    !move_to(signer, &next, &seal))
		return refuse("cryptography failed", out);
	return answer_signed(signer, out);
}

static size_t answer_take(struct signer *signer, const char *at, size_t len,
			  char out[SIGNER_PACKET_MAX])
{
	struct packet packet = { out, 0 };
	struct seal_signed last = { .len = 0 };
	struct seal seal;

	if (!read_signed(at, len, &last, &seal))
		return refuse("not a signature and the text of a seal", out);
	if (!is_ours(signer, &last, &seal))
		return refuse("the signature is not ours", out);
	/* Anybody could make such a one, and move us on with it. Who has no last one signs any first. */
	if (signer->has_last && seal.hands_over && memcmp(seal.to, signer->bytes, EVIDENCE_KEY) == 0)
		return refuse("a hand-over to us, and we have signed before", out);
	/* Ours, but of another journal: this key signs for one. */
	if (signer->has_last && memcmp(seal.journal, signer->seal.journal, EVIDENCE_ID) != 0)
		return refuse("journal: another one", out);
	if (signer->has_last && seal.number <= signer->seal.number)
		return refuse("number: not above the last one's", out);
	if (!move_to(signer, &last, &seal))
		return refuse("cryptography failed", out);
	put_text(&packet, SAY_TAKEN);
	return packet.len;
}

static size_t answer_last(const struct signer *signer, char out[SIGNER_PACKET_MAX])
{
	struct packet packet = { out, 0 };

	if (signer->has_last)
		put_seal(&packet, ASK_LAST, &signer->last);
	else
		put_text(&packet, SAY_NONE);
	return packet.len;
}

static size_t answer_before(const struct signer *signer, char out[SIGNER_PACKET_MAX])
{
	struct packet packet = { out, 0 };

	if (signer->before.len > 0)
		put_seal(&packet, ASK_LAST, &signer->before);
	else
		put_text(&packet, SAY_NONE);
	return packet.len;
}

static size_t answer_public(const struct signer *signer, char out[SIGNER_PACKET_MAX])
{
	struct packet packet = { out, 0 };
	char pem[SIGNATURE_PEM_MAX];

	if (!sign_key_public(signer->key, pem))
		return refuse("cryptography failed", out);
	put_text(&packet, ASK_PUBLIC);
	put_text(&packet, pem);
	return packet.len;
}

size_t signer_answer(struct signer *signer, const char *packet, size_t len,
		     char out[SIGNER_PACKET_MAX])
{
	if (len > SIGNER_PACKET_MAX)
		return refuse("too long a packet", out);
	if (take_word(&packet, &len, ASK_SIGN))
		return answer_sign(signer, packet, len, out);
	if (take_word(&packet, &len, ASK_TAKE))
		return answer_take(signer, packet, len, out);
	if (len == strlen(ASK_LAST) && take_word(&packet, &len, ASK_LAST))
		return answer_last(signer, out);
	if (len == strlen(ASK_BEFORE) && take_word(&packet, &len, ASK_BEFORE))
		return answer_before(signer, out);
	if (len == strlen(ASK_PUBLIC) && take_word(&packet, &len, ASK_PUBLIC))
		return answer_public(signer, out);
	return refuse("not a packet of this protocol", out);
}

const struct seal_signed *signer_last(const struct signer *signer)
{
	return signer->has_last ? &signer->last : NULL;
}

bool signer_resume(struct signer *signer, const struct seal_signed *last)
{
	struct seal seal;

	return link_read(last->text, last->len, &seal) && is_ours(signer, last, &seal) &&
	       move_to(signer, last, &seal);
}

bool signer_resume_before(struct signer *signer, const struct seal_signed *before)
{
	struct verify_key *from = verify_key_of_bytes(signer->seal.from);
	uint8_t hash[EVIDENCE_HASH];
	struct seal seal;
	const bool fine = signer->has_last && signer->seal.hands_over && from &&
			  link_read(before->text, before->len, &seal) &&
			  hasher_sum(signer->hasher, before->text, before->len, hash) &&
			  seal_follows(&seal, hash, &signer->seal, &(const char *){ NULL }) &&
			  verify_key_accepts(from, before->text, before->len, before->signature);

	verify_key_free(&from);
	if (fine)
		signer->before = *before;
	return fine;
}

bool signer_hand_over(struct signer *signer, const uint8_t to[EVIDENCE_KEY], int64_t now_ns)
{
	const struct seal_signed before = signer->last;
	struct seal_signed next = { .len = 0 };
	struct seal it = { .hands_over = true, .sealed_ns = now_ns };

	assert(signer->has_last && !signer->seal.hands_over && now_ns >= 0);
	memcpy(it.journal, signer->seal.journal, EVIDENCE_ID);
	it.number = signer->seal.number + 1;
	it.first = it.last = signer->seal.last;
	memcpy(it.before, signer->hash, EVIDENCE_HASH);
	memcpy(it.from, signer->bytes, EVIDENCE_KEY);
	memcpy(it.to, to, EVIDENCE_KEY);
	next.len = hand_over_write(&it, next.text);
	if (!sign_key_sign(signer->key, next.text, next.len, next.signature) ||
	    !hand_over_is_signed(&it, &next) || !move_to(signer, &next, &it))
		return false;
	signer->before = before;
	return true;
}

struct signer *signer_new(struct sign_key *take_key)
{
	struct signer *signer = calloc(1, sizeof(*signer));

	if (!signer)
		return NULL;
	sign_key_raw(take_key, signer->bytes);
	signer->public = verify_key_of(take_key);
	signer->hasher = hasher_new();
	if (signer->public && signer->hasher)
		signer->key = take_key;
	else
		signer_free(&signer);
	return signer;
}

void signer_free(struct signer **signer)
{
	if (!*signer)
		return;
	sign_key_free(&(*signer)->key);
	verify_key_free(&(*signer)->public);
	hasher_free(&(*signer)->hasher);
	free(*signer);
	*signer = NULL;
}

size_t signer_put_last(char out[SIGNER_PACKET_MAX])
{
	struct packet packet = { out, 0 };

	put_text(&packet, ASK_LAST);
	return packet.len;
}

size_t signer_put_before(char out[SIGNER_PACKET_MAX])
{
	struct packet packet = { out, 0 };

	put_text(&packet, ASK_BEFORE);
	return packet.len;
}

size_t signer_put_public(char out[SIGNER_PACKET_MAX])
{
	struct packet packet = { out, 0 };

	put_text(&packet, ASK_PUBLIC);
	return packet.len;
}

size_t signer_put_sign(const char *text, size_t len, char out[SIGNER_PACKET_MAX])
{
	struct packet packet = { out, 0 };

	assert(len <= SEAL_TEXT_MAX);
	put_text(&packet, ASK_SIGN);
	put(&packet, text, len);
	return packet.len;
}

size_t signer_put_take(const struct seal_signed *seal, char out[SIGNER_PACKET_MAX])
{
	struct packet packet = { out, 0 };

	assert(seal->len <= SEAL_TEXT_MAX);
	put_seal(&packet, ASK_TAKE, seal);
	return packet.len;
}

/* Printable lines with their ends, n at most; NUL behind. */
static bool read_text(const char *at, size_t len, size_t n, char out[SIGNATURE_PEM_MAX])
{
	size_t lines = 0;

	if (len < 2 || len >= SIGNATURE_PEM_MAX || at[len - 1] != '\n')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (at[i] == '\n')
			lines++;
		else if (at[i] < ' ' || at[i] > '~')
			return false;
	}
	if (lines > n)
		return false;
	memcpy(out, at, len);
	out[len] = '\0';
	return true;
}

static enum signer_word read_reply(const char *at, size_t len, struct signer_reply *out)
{
	struct seal seal;

	if (take_word(&at, &len, SAY_NONE))
		return len == 0 ? SIGNER_NONE : SIGNER_GIBBERISH;
	if (take_word(&at, &len, SAY_TAKEN))
		return len == 0 ? SIGNER_TAKEN : SIGNER_GIBBERISH;
	if (take_word(&at, &len, ASK_LAST))
		return read_signed(at, len, &out->seal, &seal) ? SIGNER_LAST : SIGNER_GIBBERISH;
	if (take_word(&at, &len, SAY_SIGNED))
		return take_signature(&at, &len, out->seal.signature) && len == 0 ? SIGNER_SIGNED :
										     SIGNER_GIBBERISH;
	if (take_word(&at, &len, ASK_PUBLIC)) {
		const bool fine = len > strlen(PEM_TITLE) &&
				  memcmp(at, PEM_TITLE, strlen(PEM_TITLE)) == 0 &&
				  read_text(at, len, len, out->text);

		return fine ? SIGNER_PUBLIC : SIGNER_GIBBERISH;
	}
	if (take_word(&at, &len, SAY_REFUSED) && read_text(at, len, 1, out->text)) {
		out->text[len - 1] = '\0';
		return SIGNER_REFUSED;
	}
	return SIGNER_GIBBERISH;
}

void signer_read_reply(const char *packet, size_t len, struct signer_reply *out)
{
	memset(out, 0, sizeof(*out));
	out->word = len <= SIGNER_PACKET_MAX ? read_reply(packet, len, out) : SIGNER_GIBBERISH;
	if (out->word == SIGNER_GIBBERISH) /* nothing of what was half read */
		*out = (struct signer_reply){ .word = SIGNER_GIBBERISH };
}
