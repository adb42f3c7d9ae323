/* See slot.h. */
#include "evidence/slot.h"

#include <assert.h>
#include <string.h>

#include "evidence/hand_over.h"

#define SIGNATURE_LINE SIGNATURE_BASE64 /* its end instead of the NUL */

static_assert(SIGNATURE_LINE + SEAL_TEXT_MAX < SLOT_BYTES, "a slot holds a seal, and ends in zeros");

void slot_write(const struct seal_signed *seal, char out[SLOT_BYTES])
{
	memset(out, 0, SLOT_BYTES);
	signature_to_base64(seal->signature, out);
	out[SIGNATURE_LINE - 1] = '\n';
	memcpy(out + SIGNATURE_LINE, seal->text, seal->len);
}

uint64_t slot_read(const char slot[SLOT_BYTES], struct seal_signed *out)
{
	const char *text = slot + SIGNATURE_LINE;
	const size_t len = strnlen(text, SLOT_BYTES - SIGNATURE_LINE);
	struct seal seal;

	for (size_t i = SIGNATURE_LINE + len; i < SLOT_BYTES; i++)
		if (slot[i] != '\0')
			return 0;
	if (slot[SIGNATURE_LINE - 1] != '\n' ||
	    !signature_from_base64(slot, SIGNATURE_LINE - 1, out->signature) ||
	    !link_read(text, len, &seal))
		return 0;
	memcpy(out->text, text, len);
	out->len = len;
	return seal.number;
}
