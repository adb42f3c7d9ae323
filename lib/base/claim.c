/* See claim.h. */
#include "base/claim.h"

#include <assert.h>
#include <string.h>

#define TITLE "throughgate publish 1"
#define LEAF_TEXT (sizeof(CLAIM_EVENT " ") - 1 + 2 * HASH_BYTES + 1)

size_t claim_write(const struct claim *claim, char out[CLAIM_TEXT_MAX])
{
	struct lines lines = { out, CLAIM_TEXT_MAX, 0 };

	lines_put(&lines, TITLE);
	lines_put_text(&lines, "agency", claim->agency);
	lines_put_number(&lines, "events", claim->events);
	lines_put_hex(&lines, "root", claim->root, HASH_BYTES);
	assert(lines_fit(&lines));
	return lines.used;
}

bool claim_take(struct reading *reading, struct claim *out)
{
	const char *start = reading->at;

	memset(out, 0, sizeof(*out));
	if (!reading_line(reading, TITLE) ||
	    !reading_text(reading, "agency", out->agency, sizeof(out->agency)) ||
	    !reading_number(reading, "events", &out->events) ||
	    !reading_hex(reading, "root", out->root, HASH_BYTES))
		return false;
	if (out->events > 0)
		return true;
	reading->at = start;
	reading->failed = true;
	return false;
}

bool claim_leaf(struct hasher *hasher, const uint8_t digest[HASH_BYTES], uint8_t out[HASH_BYTES])
{
	char text[LEAF_TEXT];
	struct lines lines = { text, sizeof(text), 0 };

	lines_put_hex(&lines, CLAIM_EVENT, digest, HASH_BYTES);
	assert(lines_fit(&lines) && lines.used == sizeof(text));
	return hasher_sum(hasher, text, sizeof(text), out);
}

bool claim_grow(struct tree *tree, struct hasher *hasher, const uint8_t *digests, size_t n)
{
	uint8_t leaf[HASH_BYTES];

	tree_clear(tree);
	for (size_t i = 0; i < n; i++)
		if (!claim_leaf(hasher, digests + i * HASH_BYTES, leaf) || !tree_add(tree, leaf))
			return false;
	return true;
}

bool claim_make(struct tree *tree, const char *agency, struct claim *out)
{
	const size_t len = strlen(agency);

	assert(len > 0 && len < sizeof(out->agency));
	memset(out, 0, sizeof(*out));
	memcpy(out->agency, agency, len);
	out->events = tree_leaves(tree);
	return tree_root(tree, out->root);
}
