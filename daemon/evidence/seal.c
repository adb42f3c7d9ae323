/* See seal.h. */
#include "evidence/seal.h"

#include <assert.h>
#include <string.h>

#define TITLE "throughgate seal 1"

size_t seal_write(const struct seal *seal, char out[SEAL_TEXT_MAX])
{
	struct lines lines = { out, SEAL_TEXT_MAX, 0 };

	assert(seal->sealed_ns >= 0);
	lines_put(&lines, TITLE);
	lines_put_hex(&lines, "journal", seal->journal, EVIDENCE_ID);
	lines_put_number(&lines, "number", seal->number);
	lines_put_number(&lines, "first", seal->first);
	lines_put_number(&lines, "last", seal->last);
	lines_put_number(&lines, "events", seal->events);
	lines_put_hex(&lines, "root", seal->root, EVIDENCE_HASH);
	lines_put_hex(&lines, "chain", seal->chain, EVIDENCE_HASH);
	lines_put_hex(&lines, "before", seal->before, EVIDENCE_HASH);
	lines_put_number(&lines, "sealed", (uint64_t)seal->sealed_ns);
	assert(lines_fit(&lines));
	return lines.used;
}

static bool can_be(const struct seal *seal)
{
	return seal->sealed_ns >= 0 && seal->number > 0 && seal->first > 0 &&
	       seal->first <= seal->last && seal->events <= seal->last - seal->first + 1;
}

bool seal_take(struct reading *reading, struct seal *out)
{
	const char *start = reading->at;
	uint64_t sealed = 0;

	memset(out, 0, sizeof(*out));
	if (!reading_line(reading, TITLE) ||
	    !reading_hex(reading, "journal", out->journal, EVIDENCE_ID) ||
	    !reading_number(reading, "number", &out->number) ||
	    !reading_number(reading, "first", &out->first) ||
	    !reading_number(reading, "last", &out->last) ||
	    !reading_number(reading, "events", &out->events) ||
	    !reading_hex(reading, "root", out->root, EVIDENCE_HASH) ||
	    !reading_hex(reading, "chain", out->chain, EVIDENCE_HASH) ||
	    !reading_hex(reading, "before", out->before, EVIDENCE_HASH) ||
	    !reading_number(reading, "sealed", &sealed))
		return false;
	out->sealed_ns = sealed <= INT64_MAX ? (int64_t)sealed : -1;
	if (can_be(out))
		return true;
	reading->at = start;
	reading->failed = true;
	return false;
}

bool seal_read(const char *text, size_t len, struct seal *out)
{
	struct reading reading = { text, text + len, false };

	return len <= SEAL_TEXT_MAX && seal_take(&reading, out) && reading_done(&reading);
}

bool seal_follows(const struct seal *before, const uint8_t before_hash[EVIDENCE_HASH],
		  const struct seal *seal, const char **why)
{
	static const uint8_t none[EVIDENCE_HASH];

	*why = NULL;
	if (before && memcmp(seal->journal, before->journal, EVIDENCE_ID) != 0)
		*why = "journal: another one";
	else if (seal->number != (before ? before->number + 1 : 1))
		*why = "number: does not follow";
	else if (seal->hands_over && (!before || seal->last != before->last))
		*why = "last: not where the seal before ends";
	else if (!seal->hands_over && before && seal->first <= before->last)
		*why = "first: is sealed already";
	else if (memcmp(seal->before, before ? before_hash : none, EVIDENCE_HASH) != 0)
		*why = "before: not the hash of the seal before";
	return !*why;
}
