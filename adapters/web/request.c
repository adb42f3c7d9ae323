/* What a browser sent, taken apart in place. See request.h. Pure. */
#include "web/request.h"

#include <string.h>
#include <strings.h>
#include "base/utf8.h"

#define FORM_TYPE "application/x-www-form-urlencoded"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%41" to "A", with `plus` "+" to a blank. The text never grows. False: a "%" without digits, or
   a NUL. */
static bool decode(char *text, bool plus)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (*from == '%') {
			int high = hex_digit(from[1]);
			int low = high < 0 ? -1 : hex_digit(from[2]);

			if (low < 0 || high + low == 0)
				return false;
			*to++ = (char)(unsigned char)(high << 4 | low);
			from += 2;
		} else {
			*to++ = plus && *from == '+' ? ' ' : *from;
		}
	}
	*to = '\0';
	return true;
}

/* CR LF and CR alone become LF. */
static void join_lines(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (*from != '\r')
			*to++ = *from;
		else if (from[1] != '\n')
			*to++ = '\n';
	}
	*to = '\0';
}

static bool is_clean(const char *text, bool lines)
{
	return utf8_is_clean(text, strlen(text)) && (lines || strpbrk(text, "\n\t") == NULL);
}

/* "a=b&c=d", ends with a NUL. */
static bool read_fields(char *text, bool lines, struct request_fields *out)
{
	out->n = 0;
	while (text != NULL && *text != '\0') {
		char *field = strsep(&text, "&");
		char *value = strchr(field, '=');

		if (field[0] == '\0')
			continue;
		if (value == NULL)
			value = field + strlen(field);
		else
			*value++ = '\0';
		if (out->n == WEB_FIELDS_MAX || !decode(field, true) || !decode(value, true))
			return false;
		if (lines)
			join_lines(value);
		if (!is_clean(field, false) || !is_clean(value, lines))
			return false;
		out->list[out->n++] = (struct web_field){ .name = field, .value = value };
	}
	return true;
}

static bool read_path(char *path, struct request_target *out)
{
	char *rest = path;

	out->n_parts = 0;
	if (path[0] == '\0')
		return true;
	while (rest != NULL) {
		char *part = strsep(&rest, "/");

		if (out->n_parts == REQUEST_PARTS_MAX || !decode(part, false) ||
		    !is_clean(part, false))
			return false;
		out->parts[out->n_parts++] = part;
	}
	return true;
}

bool request_read_target(char *target, struct request_target *out)
{
	char *query = target;

	for (const char *at = target; *at != '\0'; at++) {
		if (*at <= ' ' || *at > '~')
			return false;
	}
	strsep(&query, "?");
	return target[0] == '/' && read_path(target + 1, out) &&
	       read_fields(query, false, &out->query);
}

bool request_read_form(char *body, size_t len, struct request_fields *out)
{
	return strlen(body) == len && read_fields(body, true, out);
}

bool request_fits(const struct request_target *target, const char *path,
                  const char *parts[WEB_PARTS_MAX])
{
	size_t n_given = 0, i = 0;

	for (size_t part = 0; part < WEB_PARTS_MAX; part++)
		parts[part] = "";
	path++; /* the first "/" */
	if (*path == '\0')
		return target->n_parts == 0;
	for (;; i++) {
		size_t len = strcspn(path, "/");
		const char *given = i < target->n_parts ? target->parts[i] : "";

		if (given[0] == '\0')
			return false;
		if (len == 1 && path[0] == ':') {
			if (n_given == WEB_PARTS_MAX)
				return false;
			parts[n_given++] = given;
		} else if (strlen(given) != len || memcmp(given, path, len) != 0) {
			return false;
		}
		if (path[len] == '\0')
			return i + 1 == target->n_parts;
		path += len + 1;
	}
}

bool request_cookie(const char *header, const char *name, char *out, size_t len)
{
	size_t name_len = strlen(name);

	while (header != NULL && *header != '\0') {
		size_t size;

		header += strspn(header, " \t;");
		size = strcspn(header, ";");
		if (size > name_len && header[name_len] == '=' &&
		    memcmp(header, name, name_len) == 0) {
			if (size - name_len - 1 != len)
				return false;
			memcpy(out, header + name_len + 1, len);
			out[len] = '\0';
			return true;
		}
		header += size;
	}
	return false;
}

bool request_is_form(const char *content_type)
{
	size_t len = content_type == NULL ? 0 : strcspn(content_type, "; \t");

	return len == strlen(FORM_TYPE) && strncasecmp(content_type, FORM_TYPE, len) == 0;
}

bool request_is_foreign(const char *fetch_site, const char *origin, const char *host)
{
	const char *at;

	if (fetch_site != NULL)
		return strcmp(fetch_site, "same-origin") != 0 && strcmp(fetch_site, "none") != 0;
	if (origin == NULL)
		return false;
	at = strstr(origin, "://");
	return at == NULL || host == NULL || strcasecmp(at + 3, host) != 0;
}

bool request_is_local(const char *path)
{
	if (path[0] != '/' || path[1] == '/')
		return false;
	for (; *path != '\0'; path++) {
		if (*path <= ' ' || *path > '~' || *path == '\\')
			return false;
	}
	return true;
}
