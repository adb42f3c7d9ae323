/*
 * Text of unknown encoding to UTF-8, as older systems' extracts need it.
 */
#ifndef ADAPTERS_COMMON_TEXT_H
#define ADAPTERS_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/message.h"

enum text_encoding {
	TEXT_UTF8 = 0,
	TEXT_UTF8_MARKED, /* with a byte order mark, left out of the result */
	TEXT_UTF16,       /* by its byte order mark */
	TEXT_WINDOWS_1252,
};

/*
 * Gives the text as UTF-8, malloc'd and with a NUL behind it that *out_len does not count. A byte
 * order mark decides; else valid UTF-8 is taken for what it is; everything else is read as
 * Windows-1252. TTG_EFORMAT (a NUL inside, or bytes that no encoding of these has), TTG_ENOMEM.
 */
enum ttg_error text_to_utf8(const char *bytes, size_t len, char **out, size_t *out_len,
                            enum text_encoding *found, struct message *message);

bool text_is_utf8(const char *bytes, size_t len);

#endif
