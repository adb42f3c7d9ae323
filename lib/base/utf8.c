/* Looking at text byte by byte; see utf8.h. All of it is hostile. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the character that begins here; 0: not UTF-8, or a control character. */
static size_t character(const unsigned char *at, size_t left)
{
	uint32_t value, least;
	size_t n;

	if (at[0] < 0x80)
		return (at[0] >= 0x20 && at[0] != 0x7f) || at[0] == '\n' || at[0] == '\t';
	if (at[0] >= 0xc2 && at[0] <= 0xdf) {
		n = 2;
		value = at[0] & 0x1fu;
		least = 0xa0; /* what is below are control characters */
	} else if ((at[0] & 0xf0) == 0xe0) {
		n = 3;
		value = at[0] & 0x0fu;
		least = 0x800;
	} else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
		n = 4;
		value = at[0] & 0x07u;
		least = 0x10000;
	} else {
		return 0;
	}
	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (at[i] & 0x3fu);
	}
	if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	return n;
}

#define EVERY_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Eight bytes that are all printable ASCII, which most text is. */
static bool is_plain(const unsigned char *at)
{
	uint64_t word, del;

	memcpy(&word, at, sizeof(word));
	del = word ^ EVERY_BYTE(0x7f);
	/* High bits of bytes: those of the word, of bytes below a blank, of bytes that are DEL. */
	return ((word | (word - EVERY_BYTE(0x20)) | (del - EVERY_BYTE(0x01))) &
		EVERY_BYTE(0x80)) == 0;
}

bool utf8_is_clean(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;

	while (len > 0) {
		size_t n = len >= 8 && is_plain(at) ? 8 : character(at, len);

		if (n == 0)
			return false;
		at += n;
		len -= n;
	}
	return true;
}
