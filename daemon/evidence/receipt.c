/* See receipt.h. What a receipt says is read strictly, and believed only behind receipt_check(). */
#include "evidence/receipt.h"

#include <assert.h>
#include <string.h>

#define TITLE     "throughgate receipt 1"
#define SIGNED    "throughgate receipt 2" /* with the publisher's part */
#define EVENT     "-- event"
#define SALT      "-- salt"
#define PATH      "-- path"
#define SEAL      "-- seal"
#define SIGNATURE "-- signature"
#define CLAIM     "-- publisher"
#define CLAIMED   "-- publisher event"
#define CLAIM_PATH "-- publisher path"
#define CLAIM_KEY "-- publisher key"
#define CLAIM_SIGNATURE "-- publisher signature"
#define LEFT      "left"
#define RIGHT     "right"

#define STEP_TEXT (sizeof(RIGHT " ") - 1 + 2 * EVIDENCE_HASH + 1) /* the longer one */
/* Titles with their line's end for their NUL. */
#define SALT_TEXT (sizeof("salt ") - 1 + 2 * EVIDENCE_SALT + 1)
#define TITLES                                                                                     \
	(sizeof(TITLE) + sizeof(EVENT) + sizeof(SALT) + sizeof(PATH) + sizeof(SEAL) + sizeof(SIGNATURE))
#define CLAIM_TITLES                                                                               \
	(sizeof(CLAIM) + sizeof(CLAIMED) + sizeof(CLAIM_PATH) + sizeof(CLAIM_KEY) + sizeof(CLAIM_SIGNATURE))
static_assert(TITLES + LEAF_TEXT_MAX + SALT_TEXT + TREE_STEPS_MAX * STEP_TEXT + SEAL_TEXT_MAX +
			      SIGNATURE_BASE64 + CLAIM_TITLES + CLAIM_TEXT_MAX +
			      (TREE_STEPS_MAX + 2) * STEP_TEXT + SIGNATURE_BASE64 <=
		      RECEIPT_TEXT_MAX,
	      "the longest receipt has room");

static bool same(const uint8_t *a, const uint8_t *b, size_t len)
{
	return memcmp(a, b, len) == 0;
}

/* All of the publisher's part but who signed it. */
static enum receipt_finding check_claim(struct hasher *hasher, const struct receipt *receipt,
					const void *event, size_t len)
{
	const struct receipt_claim *it = &receipt->publisher;
	uint8_t hash[HASH_BYTES];

	if (event && !hasher_sum(hasher, event, len, hash))
		return RECEIPT_NOT_CHECKED;
	if (event && !same(hash, it->digest, HASH_BYTES))
		return RECEIPT_WRONG_CLAIM;
	if (!claim_leaf(hasher, it->digest, hash) ||
	    !tree_climb(hasher, hash, it->steps, it->n_steps, hash))
		return RECEIPT_NOT_CHECKED;
	if (!same(hash, it->claim.root, HASH_BYTES) ||
	    !tree_sides_fit(it->steps, it->n_steps, it->claim.events) ||
	    strcmp(it->claim.agency, receipt->leaf.source) != 0)
		return RECEIPT_WRONG_CLAIM;
	return RECEIPT_GOOD;
}

enum receipt_finding receipt_check_publisher(const struct receipt *receipt, struct verify_key *publisher)
{
	const struct receipt_claim *it = &receipt->publisher;
	uint8_t public[SIGNATURE_PUBLIC], fingerprint[SIGNATURE_FINGERPRINT];
	char text[CLAIM_TEXT_MAX];

	if (!receipt->is_claimed)
		return RECEIPT_NOT_SIGNED;
	if (!verify_key_raw(publisher, public) || !signature_fingerprint(public, fingerprint))
		return RECEIPT_NOT_CHECKED;
	if (!same(fingerprint, it->key, SIGNATURE_FINGERPRINT) ||
	    !verify_key_accepts(publisher, text, claim_write(&it->claim, text), it->signature))
		return RECEIPT_WRONG_SIGNER;
	return RECEIPT_GOOD;
}

static enum receipt_finding check_with(struct hasher *hasher, const struct receipt *receipt,
				       struct verify_key *key, const void *event, size_t len)
{
	const struct leaf *leaf = &receipt->leaf;
	const struct seal *seal = &receipt->seal;
	uint8_t hash[EVIDENCE_HASH];
	char text[SEAL_TEXT_MAX];

	if (event && !hasher_salted(hasher, receipt->salt, event, len, hash))
		return RECEIPT_NOT_CHECKED;
	if (event && !same(hash, leaf->sha256, EVIDENCE_HASH))
		return RECEIPT_OTHER_EVENT;
	if (!leaf_hash(hasher, leaf, hash) ||
	    !tree_climb(hasher, hash, receipt->steps, receipt->n_steps, hash))
		return RECEIPT_NOT_CHECKED;
	/* The sides refuse a seal of no events, too. */
	if (!same(hash, seal->root, EVIDENCE_HASH) ||
	    !tree_sides_fit(receipt->steps, receipt->n_steps, seal->events))
		return RECEIPT_WRONG_PATH;
	if (!same(leaf->journal, seal->journal, EVIDENCE_ID) || leaf->sequence < seal->first ||
	    leaf->sequence > seal->last)
		return RECEIPT_WRONG_PLACE;
	if (!verify_key_accepts(key, text, seal_write(seal, text), receipt->signature))
		return RECEIPT_WRONG_KEY;
	return receipt->is_claimed ? check_claim(hasher, receipt, event, len) : RECEIPT_GOOD;
}

enum receipt_finding receipt_check(const struct receipt *receipt, struct verify_key *key,
				   const void *event, size_t len)
{
	struct hasher *hasher = hasher_new();
	enum receipt_finding finding = RECEIPT_NOT_CHECKED;

	assert(receipt->n_steps <= TREE_STEPS_MAX);
	if (hasher)
		finding = check_with(hasher, receipt, key, event, len);
	hasher_free(&hasher);
	return finding;
}

const char *receipt_finding_text(enum receipt_finding finding)
{
	switch (finding) {
	case RECEIPT_GOOD:
		return "good";
	case RECEIPT_OTHER_EVENT:
		return "the event's bytes are not the ones that were accepted";
	case RECEIPT_WRONG_PATH:
		return "the path does not lead from this event to the seal's root";
	case RECEIPT_WRONG_PLACE:
		return "journal or sequence of the event are not the seal's";
	case RECEIPT_WRONG_KEY:
		return "the signature is not this key's over this seal";
	case RECEIPT_WRONG_CLAIM:
		return "what the publisher signed is not this event of his";
	case RECEIPT_NOT_SIGNED:
		return "the publisher did not sign it";
	case RECEIPT_WRONG_SIGNER:
		return "the publisher's signature is not this key's";
	case RECEIPT_NOT_CHECKED:
		return "could not be checked: no memory, or cryptography failed";
	}
	return "unknown";
}

static void put_steps(struct lines *lines, const struct tree_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		lines_put_hex(lines, steps[i].left ? LEFT : RIGHT, steps[i].hash, HASH_BYTES);
}

static void put_claim(struct lines *lines, const struct receipt_claim *it)
{
	char text[CLAIM_TEXT_MAX], signature[SIGNATURE_BASE64];

	assert(it->n_steps <= TREE_STEPS_MAX);
	lines_put(lines, CLAIM);
	lines_put_lines(lines, text, claim_write(&it->claim, text));
	lines_put(lines, CLAIMED);
	lines_put_hex(lines, CLAIM_EVENT, it->digest, HASH_BYTES);
	lines_put(lines, CLAIM_PATH);
	put_steps(lines, it->steps, it->n_steps);
	lines_put(lines, CLAIM_KEY);
	lines_put_hex(lines, "key", it->key, SIGNATURE_FINGERPRINT);
	lines_put(lines, CLAIM_SIGNATURE);
	signature_to_base64(it->signature, signature);
	lines_put(lines, signature);
}

size_t receipt_write(const struct receipt *receipt, char out[RECEIPT_TEXT_MAX])
{
	struct lines lines = { out, RECEIPT_TEXT_MAX, 0 };
	char text[SEAL_TEXT_MAX], signature[SIGNATURE_BASE64];

	assert(receipt->n_steps <= TREE_STEPS_MAX);
	lines_put(&lines, receipt->is_claimed ? SIGNED : TITLE);
	lines_put(&lines, EVENT);
	lines_put_lines(&lines, text, leaf_write(&receipt->leaf, text));
	lines_put(&lines, SALT);
	lines_put_hex(&lines, "salt", receipt->salt, EVIDENCE_SALT);
	lines_put(&lines, PATH);
	put_steps(&lines, receipt->steps, receipt->n_steps);
	lines_put(&lines, SEAL);
	lines_put_lines(&lines, text, seal_write(&receipt->seal, text));
	lines_put(&lines, SIGNATURE);
	signature_to_base64(receipt->signature, signature);
	lines_put(&lines, signature);
	if (receipt->is_claimed)
		put_claim(&lines, &receipt->publisher);
	assert(lines_fit(&lines));
	return lines.used;
}

static bool next_is(const struct reading *reading, const char *word)
{
	const size_t len = strlen(word);

	return !reading->failed && (size_t)(reading->end - reading->at) > len &&
	       memcmp(reading->at, word, len) == 0 && reading->at[len] == ' ';
}

static bool take_steps(struct reading *reading, struct tree_step steps[TREE_STEPS_MAX], size_t *n)
{
	bool left = false;

	while ((left = next_is(reading, LEFT)) || next_is(reading, RIGHT)) {
		struct tree_step *step = &steps[*n];

		if (*n == TREE_STEPS_MAX ||
		    !reading_hex(reading, left ? LEFT : RIGHT, step->hash, EVIDENCE_HASH)) {
			reading->failed = true;
			return false;
		}
		step->left = left;
		++*n;
	}
	return true;
}

static bool take_signature(struct reading *reading, uint8_t out[SEAL_SIGNATURE])
{
	const size_t len = SIGNATURE_BASE64 - 1, left = (size_t)(reading->end - reading->at);

	if (left > len && reading->at[len] == '\n' && signature_from_base64(reading->at, len, out))
		reading->at += len + 1;
	else
		reading->failed = true;
	return !reading->failed;
}

/* Which of the two it is; anything else fails at the first line. */
static bool take_title(struct reading *reading, bool *is_claimed)
{
	const size_t len = sizeof(SIGNED); /* its NUL stands for the line's end */

	*is_claimed = (size_t)(reading->end - reading->at) >= len &&
		      memcmp(reading->at, SIGNED "\n", len) == 0;
	return reading_line(reading, *is_claimed ? SIGNED : TITLE);
}

static bool take_claim(struct reading *reading, struct receipt_claim *out)
{
	return reading_line(reading, CLAIM) && claim_take(reading, &out->claim) &&
	       reading_line(reading, CLAIMED) &&
	       reading_hex(reading, CLAIM_EVENT, out->digest, HASH_BYTES) &&
	       reading_line(reading, CLAIM_PATH) && take_steps(reading, out->steps, &out->n_steps) &&
	       reading_line(reading, CLAIM_KEY) &&
	       reading_hex(reading, "key", out->key, SIGNATURE_FINGERPRINT) &&
	       reading_line(reading, CLAIM_SIGNATURE) && take_signature(reading, out->signature);
}

bool receipt_read(const char *text, size_t len, struct receipt *out, size_t *line)
{
	struct reading reading = { text, text + len, false };

	memset(out, 0, sizeof(*out));
	*line = 0;
	if (take_title(&reading, &out->is_claimed) && reading_line(&reading, EVENT) &&
	    leaf_take(&reading, &out->leaf) && reading_line(&reading, SALT) &&
	    reading_hex(&reading, "salt", out->salt, EVIDENCE_SALT) && reading_line(&reading, PATH) &&
	    take_steps(&reading, out->steps, &out->n_steps) && reading_line(&reading, SEAL) &&
	    seal_take(&reading, &out->seal) && reading_line(&reading, SIGNATURE) &&
	    take_signature(&reading, out->signature) &&
	    (!out->is_claimed || take_claim(&reading, &out->publisher)) && reading_done(&reading))
		return true;
	*line = 1;
	for (const char *at = text; at < reading.at; at++)
		*line += *at == '\n';
	return false;
}
