/* See receipt.h. What a receipt says is read strictly, and believed only behind receipt_check(). */
#include "evidence/receipt.h"

#include <assert.h>
#include <string.h>

#define TITLE     "throughgate receipt 1"
#define EVENT     "-- event"
#define SALT      "-- salt"
#define PATH      "-- path"
#define SEAL      "-- seal"
#define SIGNATURE "-- signature"
#define LEFT      "left"
#define RIGHT     "right"

#define STEP_TEXT (sizeof(RIGHT " ") - 1 + 2 * EVIDENCE_HASH + 1) /* the longer one */
/* Titles with their line's end for their NUL. */
#define SALT_TEXT (sizeof("salt ") - 1 + 2 * EVIDENCE_SALT + 1)
#define TITLES                                                                                     \
	(sizeof(TITLE) + sizeof(EVENT) + sizeof(SALT) + sizeof(PATH) + sizeof(SEAL) + sizeof(SIGNATURE))
static_assert(TITLES + LEAF_TEXT_MAX + SALT_TEXT + TREE_STEPS_MAX * STEP_TEXT + SEAL_TEXT_MAX +
			      SIGNATURE_BASE64 <= RECEIPT_TEXT_MAX,
	      "the longest receipt has room");

static bool same(const uint8_t *a, const uint8_t *b, size_t len)
{
	return memcmp(a, b, len) == 0;
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
	return RECEIPT_GOOD;
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
	case RECEIPT_NOT_CHECKED:
		return "could not be checked: no memory, or cryptography failed";
	}
	return "unknown";
}

size_t receipt_write(const struct receipt *receipt, char out[RECEIPT_TEXT_MAX])
{
	struct lines lines = { out, RECEIPT_TEXT_MAX, 0 };
	char text[SEAL_TEXT_MAX], signature[SIGNATURE_BASE64];

	assert(receipt->n_steps <= TREE_STEPS_MAX);
	lines_put(&lines, TITLE);
	lines_put(&lines, EVENT);
	lines_put_lines(&lines, text, leaf_write(&receipt->leaf, text));
	lines_put(&lines, SALT);
	lines_put_hex(&lines, "salt", receipt->salt, EVIDENCE_SALT);
	lines_put(&lines, PATH);
	for (size_t i = 0; i < receipt->n_steps; i++)
		lines_put_hex(&lines, receipt->steps[i].left ? LEFT : RIGHT, receipt->steps[i].hash,
			      EVIDENCE_HASH);
	lines_put(&lines, SEAL);
	lines_put_lines(&lines, text, seal_write(&receipt->seal, text));
	lines_put(&lines, SIGNATURE);
	signature_to_base64(receipt->signature, signature);
	lines_put(&lines, signature);
	assert(lines_fit(&lines));
	return lines.used;
}

static bool next_is(const struct reading *reading, const char *word)
{
	const size_t len = strlen(word);

	return !reading->failed && (size_t)(reading->end - reading->at) > len &&
	       memcmp(reading->at, word, len) == 0 && reading->at[len] == ' ';
}

static bool take_steps(struct reading *reading, struct receipt *out)
{
	bool left = false;

	while ((left = next_is(reading, LEFT)) || next_is(reading, RIGHT)) {
		struct tree_step *step = &out->steps[out->n_steps];

		if (out->n_steps == TREE_STEPS_MAX ||
		    !reading_hex(reading, left ? LEFT : RIGHT, step->hash, EVIDENCE_HASH)) {
			reading->failed = true;
			return false;
		}
		step->left = left;
		out->n_steps++;
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

bool receipt_read(const char *text, size_t len, struct receipt *out, size_t *line)
{
	struct reading reading = { text, text + len, false };

	memset(out, 0, sizeof(*out));
	*line = 0;
	if (reading_line(&reading, TITLE) && reading_line(&reading, EVENT) &&
	    leaf_take(&reading, &out->leaf) && reading_line(&reading, SALT) &&
	    reading_hex(&reading, "salt", out->salt, EVIDENCE_SALT) && reading_line(&reading, PATH) &&
	    take_steps(&reading, out) && reading_line(&reading, SEAL) &&
	    seal_take(&reading, &out->seal) && reading_line(&reading, SIGNATURE) &&
	    take_signature(&reading, out->signature) && reading_done(&reading))
		return true;
	*line = 1;
	for (const char *at = text; at < reading.at; at++)
		*line += *at == '\n';
	return false;
}
