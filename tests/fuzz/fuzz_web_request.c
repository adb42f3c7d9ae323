/*
 * What a browser sends to the web end, taken apart: its path and query, a form, its cookies, and
 * what it says of other sites. The first four pieces have their length first; the form is the rest.
 *
 * Broken when something comes out that is not clean, lies outside the text it was taken from, or is
 * more than was sent.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "web/request.h"

static void check_text(const char *text, const char *from, size_t len, bool lines)
{
	const size_t size = strlen(text);

	MUST(text >= from && text + size <= from + len);
	MUST(utf8_is_clean(text, size));
	MUST(strchr(text, '\r') == NULL);
	MUST(lines || strpbrk(text, "\n\t") == NULL);
}

static void check_fields(const struct request_fields *fields, const char *from, size_t len,
			 bool lines)
{
	MUST(fields->n <= WEB_FIELDS_MAX);
	for (size_t i = 0; i < fields->n; i++) {
		check_text(fields->list[i].name, from, len, false);
		check_text(fields->list[i].value, from, len, lines);
	}
}

static void check_routes(const struct request_target *target)
{
	static const char *const routes[] = { "/", "/:", "/people/:", "/people/:/notes/:", "/a/b/c",
					      "/:/:/:" };
	const char *parts[WEB_PARTS_MAX];

	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
		size_t n = 0;

		if (!request_fits(target, routes[i], parts))
			continue;
		for (const char *at = routes[i]; *at != '\0'; at++)
			if (*at == ':')
				MUST(parts[n++][0] != '\0');
		for (; n < WEB_PARTS_MAX; n++)
			MUST(parts[n][0] == '\0');
	}
}

static void check_target(char *text, size_t len)
{
	struct request_target target;

	if (!request_read_target(text, &target))
		return;
	MUST(target.n_parts <= REQUEST_PARTS_MAX);
	for (size_t i = 0; i < target.n_parts; i++)
		check_text(target.parts[i], text, len, false);
	check_fields(&target.query, text, len, false);
	check_routes(&target);
}

static void check_cookie(const char *header, size_t len)
{
	char out[65];

	if (request_cookie(header, "ttg_session_1", out, sizeof(out) - 1)) {
		MUST(strlen(out) == sizeof(out) - 1);
		MUST(memmem(header, len, out, sizeof(out) - 1) != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	size_t target_len, cookie_len, origin_len, host_len, form_len;
	char *target = fuzz_sized(&input, &target_len);
	char *cookie = fuzz_sized(&input, &cookie_len);
	char *origin = fuzz_sized(&input, &origin_len);
	char *host = fuzz_sized(&input, &host_len);
	char *form = fuzz_rest(&input, &form_len);
	struct request_fields fields;

	if (request_is_local(target))
		MUST(target[0] == '/' && target[1] != '/' && strpbrk(target, "\\\r\n ") == NULL);
	check_target(target, target_len);
	check_cookie(cookie, cookie_len);
	if (!request_is_foreign(NULL, origin, host))
		MUST(strstr(origin, "://") != NULL && strlen(origin) > strlen(host));
	if (request_is_form(origin))
		MUST(strncasecmp(origin, "application/x-www-form-urlencoded", 33) == 0);
	if (request_read_form(form, form_len, &fields))
		check_fields(&fields, form, form_len, true);
	free(target);
	free(cookie);
	free(origin);
	free(host);
	free(form);
	return 0;
}
