/*
 * Text as the broker takes it: UTF-8 (RFC 3629) without control characters but newline and tab. The
 * controls U+0080 to U+009F count as such, too. Pure function; every sender asks what the broker asks.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool utf8_is_clean(const char *text, size_t len);

#endif
