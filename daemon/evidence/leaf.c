/* See leaf.h. Written once for every event that is accepted: no formatting but hash.h's. */
#include "evidence/leaf.h"

#include <assert.h>
#include <string.h>

#include <ttg/event.h>

#define TITLE "throughgate event 1"

static_assert(EVIDENCE_ID == TTG_UUID_BYTES, "an event's id is a UUID");

size_t leaf_write(const struct leaf *leaf, char out[LEAF_TEXT_MAX])
{
	struct lines lines = { out, LEAF_TEXT_MAX, 0 };
	char id[TTG_UUID_TEXT];

	assert(leaf->accepted_ns >= 0);
	ttg_uuid_format(leaf->id, id);
	lines_put(&lines, TITLE);
	lines_put_hex(&lines, "journal", leaf->journal, EVIDENCE_ID);
	lines_put_number(&lines, "sequence", leaf->sequence);
	lines_put_number(&lines, "accepted", (uint64_t)leaf->accepted_ns);
	lines_put_text(&lines, "source", leaf->source);
	lines_put_text(&lines, "id", id);
	lines_put_hex(&lines, "sha256", leaf->sha256, EVIDENCE_HASH);
	assert(lines_fit(&lines));
	return lines.used;
}

/* Only as ttg_uuid_format() writes it, which is less than ttg_uuid_parse() takes. */
static bool take_id(struct reading *reading, uint8_t out[EVIDENCE_ID])
{
	const char *start = reading->at;
	char id[TTG_UUID_TEXT], again[TTG_UUID_TEXT];

	if (!reading_text(reading, "id", id, sizeof(id)))
		return false;
	if (ttg_uuid_parse(id, out) == TTG_OK) {
		ttg_uuid_format(out, again);
		if (strcmp(id, again) == 0)
			return true;
	}
	reading->at = start;
	reading->failed = true;
	return false;
}

bool leaf_take(struct reading *reading, struct leaf *out)
{
	const char *start = reading->at;
	uint64_t accepted = 0;

	memset(out, 0, sizeof(*out));
	if (!reading_line(reading, TITLE) ||
	    !reading_hex(reading, "journal", out->journal, EVIDENCE_ID) ||
	    !reading_number(reading, "sequence", &out->sequence) ||
	    !reading_number(reading, "accepted", &accepted) ||
	    !reading_text(reading, "source", out->source, sizeof(out->source)) ||
	    !take_id(reading, out->id) ||
	    !reading_hex(reading, "sha256", out->sha256, EVIDENCE_HASH))
		return false;
	out->accepted_ns = (int64_t)accepted;
	if (out->sequence > 0 && accepted <= INT64_MAX)
		return true;
	reading->at = start;
	reading->failed = true;
	return false;
}

bool leaf_read(const char *text, size_t len, struct leaf *out)
{
	struct reading reading = { text, text + len, false };

	return len <= LEAF_TEXT_MAX && leaf_take(&reading, out) && reading_done(&reading);
}

bool leaf_hash(struct hasher *hasher, const struct leaf *leaf, uint8_t out[EVIDENCE_HASH])
{
	char text[LEAF_TEXT_MAX];

	return hasher_sum(hasher, text, leaf_write(leaf, text), out);
}
