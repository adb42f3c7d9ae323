/* See strip.h. The layout of what is left is drawn in record.h. */
#include "core/strip.h"

#include "core/digest.h"
#include "core/record.h"

/* The salt of what is not sealed is zeros, and stands in front of it as a line (base/hash.h). */
static const char no_salt[] = "salt 00000000000000000000000000000000\n";

static bool sum(const uint8_t *data, size_t len, uint8_t out[DIGEST_BYTES])
{
	struct digest *digest = digest_new();
	bool done;

	if (!digest)
		return false;
	digest_add(digest, no_salt, sizeof(no_salt) - 1);
	digest_add(digest, data, len);
	done = digest_end(digest, out);
	digest_free(&digest);
	return done;
}

static bool strip_event(uint8_t kind, const uint8_t *data, size_t len, struct cursor *out)
{
	uint8_t digest[DIGEST_BYTES];
	struct record_event event;

	if (!record_get_given(kind, data, len, &event))
		return false;
	if (!event.digest && !sum(event.bytes, event.n_bytes, digest))
		return false;
	record_put_stripped(out, data, &event, event.digest ? event.digest : digest);
	return cursor_ok(out);
}

/* Its words are the recipient's own. */
static bool strip_nack(const uint8_t *data, size_t len, struct cursor *out)
{
	struct record_nack nack;

	if (!record_get_nack(data, len, &nack))
		return false;
	nack.text = "";
	record_put_nack(out, &nack);
	return cursor_ok(out);
}

bool record_strip(uint8_t kind, const uint8_t *data, size_t len, struct cursor *out)
{
	if (record_gives(kind))
		return strip_event(kind, data, len, out);
	if (kind == RECORD_NACK)
		return strip_nack(data, len, out);
	cursor_put_bytes(out, data, len);
	return cursor_ok(out);
}
