/* See hand_over.h. */
#include "evidence/hand_over.h"

#include <assert.h>
#include <string.h>

#define TITLE "throughgate hand-over 1"

size_t hand_over_write(const struct seal *it, char out[SEAL_TEXT_MAX])
{
	struct lines lines = { out, SEAL_TEXT_MAX, 0 };

	assert(it->hands_over && it->sealed_ns >= 0);
	lines_put(&lines, TITLE);
	lines_put_hex(&lines, "journal", it->journal, EVIDENCE_ID);
	lines_put_number(&lines, "number", it->number);
	lines_put_number(&lines, "last", it->last);
	lines_put_hex(&lines, "before", it->before, EVIDENCE_HASH);
	lines_put_hex(&lines, "from", it->from, EVIDENCE_KEY);
	lines_put_hex(&lines, "to", it->to, EVIDENCE_KEY);
	lines_put_number(&lines, "signed", (uint64_t)it->sealed_ns);
	assert(lines_fit(&lines));
	return lines.used;
}

bool hand_over_read(const char *text, size_t len, struct seal *out)
{
	struct reading reading = { text, text + len, false };
	uint64_t signed_ns = 0;

	memset(out, 0, sizeof(*out));
	out->hands_over = true;
	if (len > SEAL_TEXT_MAX || !reading_line(&reading, TITLE) ||
	    !reading_hex(&reading, "journal", out->journal, EVIDENCE_ID) ||
	    !reading_number(&reading, "number", &out->number) ||
	    !reading_number(&reading, "last", &out->last) ||
	    !reading_hex(&reading, "before", out->before, EVIDENCE_HASH) ||
	    !reading_hex(&reading, "from", out->from, EVIDENCE_KEY) ||
	    !reading_hex(&reading, "to", out->to, EVIDENCE_KEY) ||
	    !reading_number(&reading, "signed", &signed_ns) || !reading_done(&reading))
		return false;
	out->first = out->last;
	out->sealed_ns = signed_ns <= INT64_MAX ? (int64_t)signed_ns : -1;
	return out->number > 1 && out->last > 0 && out->sealed_ns >= 0 &&
	       memcmp(out->from, out->to, EVIDENCE_KEY) != 0;
}

bool link_read(const char *text, size_t len, struct seal *out)
{
	return seal_read(text, len, out) || hand_over_read(text, len, out);
}

bool hand_over_is_signed(const struct seal *it, const struct seal_signed *with)
{
	struct verify_key *from = verify_key_of_bytes(it->from);
	const bool fine = it->hands_over && from &&
			  verify_key_accepts(from, with->text, with->len, with->signature);

	verify_key_free(&from);
	return fine;
}

size_t hand_over_to_file(const struct seal_signed *it, char out[HAND_OVER_FILE_MAX])
{
	signature_to_base64(it->signature, out);
	out[SIGNATURE_BASE64 - 1] = '\n';
	memcpy(out + SIGNATURE_BASE64, it->text, it->len);
	return SIGNATURE_BASE64 + it->len;
}

bool hand_over_from_file(const char *bytes, size_t len, struct seal *out)
{
	struct seal_signed it = { .len = 0 };

	if (len <= SIGNATURE_BASE64 || len > HAND_OVER_FILE_MAX || bytes[SIGNATURE_BASE64 - 1] != '\n' ||
	    !signature_from_base64(bytes, SIGNATURE_BASE64 - 1, it.signature))
		return false;
	it.len = len - SIGNATURE_BASE64;
	memcpy(it.text, bytes + SIGNATURE_BASE64, it.len);
	return hand_over_read(it.text, it.len, out) && hand_over_is_signed(out, &it);
}
