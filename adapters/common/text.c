/*
 * Text of unknown encoding to UTF-8. Pure but for malloc; any thread. Bytes that fit no encoding
 * fail the whole text: half a name is worse than a file the operator has to look at.
 */
#include "common/text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#define GROWTH_MAX 3 /* one byte of Windows-1252 is at most three of UTF-8; UTF-16 grows less */

static enum ttg_error convert(const char *from, const char *bytes, size_t len, char **out,
                              size_t *out_len, struct message *message)
{
	enum ttg_error error = TTG_OK;
	iconv_t state = iconv_open("UTF-8", from);
	size_t room = len * GROWTH_MAX + 1;
	char *made = malloc(room);
	char *in_at = (char *)(size_t)(const void *)bytes; /* iconv() does not write to it */
	char *out_at = made;
	size_t in_left = len, out_left = room - 1;

	if (state == (iconv_t)-1 || made == NULL) {
		error = message_set(message, TTG_ENOMEM, "no memory, or no conversion from %s",
		                    from);
		goto out;
	}
	if (iconv(state, &in_at, &in_left, &out_at, &out_left) == (size_t)-1) {
		error = message_set(message, TTG_EFORMAT,
		                    "byte %zu is no character of UTF-8 nor of %s", len - in_left,
		                    from);
		goto out;
	}
	*out_at = '\0';
	*out_len = (size_t)(out_at - made);
	*out = made;
	made = NULL;
out:
	free(made);
	if (state != (iconv_t)-1)
		iconv_close(state);
	return error;
}

/* Bytes of the UTF-8 sequence at `at`, 0 when it is none (RFC 3629 table of section 4). */
static size_t sequence_length(const unsigned char *at, size_t left)
{
	size_t want;
	unsigned char low = 0x80, high = 0xbf;

	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf)
		want = 2;
	else if (at[0] >= 0xe0 && at[0] <= 0xef)
		want = 3;
	else if (at[0] >= 0xf0 && at[0] <= 0xf4)
		want = 4;
	else
		return 0;
	if (at[0] == 0xe0)
		low = 0xa0;
	if (at[0] == 0xed)
		high = 0x9f;
	if (at[0] == 0xf0)
		low = 0x90;
	if (at[0] == 0xf4)
		high = 0x8f;
	if (left < want || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < want; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return want;
}

bool text_is_utf8(const char *bytes, size_t len)
{
	const unsigned char *at = (const unsigned char *)bytes;

	for (size_t i = 0; i < len;) {
		size_t step = sequence_length(at + i, len - i);

		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

static enum ttg_error copy(const char *bytes, size_t len, char **out, size_t *out_len)
{
	*out = malloc(len + 1);
	if (*out == NULL)
		return TTG_ENOMEM;
	memcpy(*out, bytes, len);
	(*out)[len] = '\0';
	*out_len = len;
	return TTG_OK;
}

enum ttg_error text_to_utf8(const char *bytes, size_t len, char **out, size_t *out_len,
                            enum text_encoding *found, struct message *message)
{
	enum ttg_error error;
	bool marked = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;

	*out = NULL;
	if (len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
		*found = TEXT_UTF16;
		error = convert("UTF-16", bytes, len, out, out_len, message);
	} else if (marked && !text_is_utf8(bytes + 3, len - 3)) {
		return message_set(message, TTG_EFORMAT,
		                   "begins with the mark of UTF-8 and is not UTF-8");
	} else if (marked || text_is_utf8(bytes, len)) {
		*found = marked ? TEXT_UTF8_MARKED : TEXT_UTF8;
		error = copy(marked ? bytes + 3 : bytes, marked ? len - 3 : len, out, out_len);
	} else {
		*found = TEXT_WINDOWS_1252;
		error = convert("CP1252", bytes, len, out, out_len, message);
	}
	if (error == TTG_OK && memchr(*out, '\0', *out_len) != NULL) {
		free(*out);
		*out = NULL;
		error = message_set(message, TTG_EFORMAT, "holds a NUL byte: this is no text");
	}
	return error;
}
