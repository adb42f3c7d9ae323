/* Text being written, escaped. See html.h. */
#include "web/html.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM   4096
#define NUMBER_BYTES 72 /* a 64-bit number, padded to WIDTH_MAX */
#define WIDTH_MAX    64

static void append(struct html *html, const char *bytes, size_t len)
{
	size_t room = html->room == 0 ? FIRST_ROOM : html->room;
	char *grown;

	if (html->failed)
		return;
	if (len > HTML_MAX_BYTES - html->len) {
		html->failed = true;
		return;
	}
	while (room < html->len + len + 1)
		room *= 2;
	if (room != html->room) {
		grown = realloc(html->bytes, room);
		if (grown == NULL) {
			html->failed = true;
			return;
		}
		html->bytes = grown;
		html->room = room;
	}
	memcpy(html->bytes + html->len, bytes, len);
	html->len += len;
	html->bytes[html->len] = '\0';
}

void html_fini(struct html *html)
{
	free(html->bytes);
	*html = (struct html){ 0 };
}

void html_raw(struct html *html, const char *literal)
{
	append(html, literal, strlen(literal));
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static void escaped(struct html *html, const char *text)
{
	const char *from = text;

	for (; *text != '\0'; text++) {
		const char *instead = entity(*text);

		if (instead == NULL)
			continue;
		append(html, from, (size_t)(text - from));
		append(html, instead, strlen(instead));
		from = text + 1;
	}
	append(html, from, (size_t)(text - from));
}

/* "%02lld" taken apart. */
struct conversion {
	bool zeros;
	int width;
	int longs; /* l, ll */
	bool size; /* z */
	char kind;
};

static const char *read_conversion(const char *at, struct conversion *out)
{
	*out = (struct conversion){ 0 };
	if (*at == '0') {
		out->zeros = true;
		at++;
	}
	for (; *at >= '0' && *at <= '9'; at++)
		out->width = out->width * 10 + (*at - '0');
	for (; *at == 'l'; at++)
		out->longs++;
	if (*at == 'z') {
		out->size = true;
		at++;
	}
	out->kind = *at;
	assert(out->kind != '\0' && out->width <= WIDTH_MAX);
	return at + 1;
}

static void add_number(struct html *html, const struct conversion *how, bool negative,
                       unsigned long long size)
{
	char text[NUMBER_BYTES];
	int width = how->width - (negative ? 1 : 0);
	int len = snprintf(text, sizeof(text), how->zeros ? "%0*llu" : "%*llu",
	                   width > 0 ? width : 1, size);

	if (negative)
		append(html, "-", 1);
	append(html, text, (size_t)len);
}

static long long take_signed(const struct conversion *how, va_list *values)
{
	if (how->longs >= 2)
		return va_arg(*values, long long);
	return how->longs == 1 ? va_arg(*values, long) : va_arg(*values, int);
}

static unsigned long long take_unsigned(const struct conversion *how, va_list *values)
{
	if (how->size)
		return va_arg(*values, size_t);
	if (how->longs >= 2)
		return va_arg(*values, unsigned long long);
	return how->longs == 1 ? va_arg(*values, unsigned long) : va_arg(*values, unsigned);
}

static void add_value(struct html *html, const struct conversion *how, va_list *values)
{
	long long number;
	char one[2] = { '\0', '\0' };

	switch (how->kind) {
	case 's':
		escaped(html, va_arg(*values, const char *));
		break;
	case 'd':
		number = take_signed(how, values);
		add_number(html, how, number < 0,
		           number < 0 ? 0 - (unsigned long long)number
		                      : (unsigned long long)number);
		break;
	case 'u':
		add_number(html, how, false, take_unsigned(how, values));
		break;
	case 'c':
		one[0] = (char)va_arg(*values, int);
		escaped(html, one);
		break;
	case '%':
		append(html, "%", 1);
		break;
	default:
		assert(!"a conversion that html_add() does not know");
	}
}

void html_add(struct html *html, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	while (*format != '\0') {
		size_t plain = strcspn(format, "%");
		struct conversion how;

		append(html, format, plain);
		format += plain;
		if (*format == '\0')
			break;
		format = read_conversion(format + 1, &how);
		add_value(html, &how, &values);
	}
	va_end(values);
}

void html_lines(struct html *html, const char *text)
{
	for (;;) {
		size_t len = strcspn(text, "\n");
		char *line = strndup(text, len);

		if (line == NULL) {
			html->failed = true;
			return;
		}
		escaped(html, line);
		free(line);
		if (text[len] == '\0')
			return;
		append(html, "<br>", 4);
		text += len + 1;
	}
}

void html_url(struct html *html, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                            "0123456789-._~";
	char code[4];

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL) {
			append(html, text, 1);
		} else {
			snprintf(code, sizeof(code), "%%%02X", (unsigned)(unsigned char)*text);
			append(html, code, 3);
		}
	}
}

void html_csv(struct html *html, const char *text)
{
	bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
	bool quoted = formula || strpbrk(text, "\",\r\n;") != NULL;

	if (!quoted) {
		append(html, text, strlen(text));
		return;
	}
	append(html, formula ? "\"'" : "\"", formula ? 2 : 1);
	for (; *text != '\0'; text++)
		append(html, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
	append(html, "\"", 1);
}
