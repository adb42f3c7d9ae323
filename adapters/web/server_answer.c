/*
 * Answers on their way out: the headers that keep a page to itself, the cookie, and files for
 * browsers. See server.h.
 */
#include "web/server.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CACHE_NEVER  "no-store"
#define CACHE_EVER   "public, max-age=31536000, immutable"
#define RETRY_S      "5"
#define COOKIE_BYTES 256

/* Nothing runs or loads but the files of this server; no other page may frame ours. */
#define CONTENT_POLICY                                                                             \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "                \
	"media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "       \
	"base-uri 'none'"

static const struct {
	const char *name, *value;
} security[] = {
	{ "Content-Security-Policy", CONTENT_POLICY },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	/* Not "no-referrer": the Origin of a form would be "null" then. */
	{ "Referrer-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
	{ "X-Robots-Tag", "noindex, nofollow" },
};

const char *server_header(const struct exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

void server_log_refusal(const struct web *web, unsigned status, const char *why)
{
	log_write(web->options.log, LOG_LEVEL_NOTICE, "web_refused", "status=%u reason=%s", status,
	          why);
}

static void add_cookie(const struct exchange *exchange, struct MHD_Response *response)
{
	const struct web *web = exchange->web;
	char text[COOKIE_BYTES];

	if (!exchange->id_is_new)
		return;
	snprintf(text, sizeof(text), "%s=%s; Path=/; HttpOnly; SameSite=Lax%s", web->cookie,
	         exchange->id, web->cert != NULL ? "; Secure" : "");
	MHD_add_response_header(response, "Set-Cookie", text);
}

void server_add_headers(struct exchange *exchange, struct MHD_Response *response)
{
	for (size_t i = 0; i < sizeof(security) / sizeof(*security); i++)
		MHD_add_response_header(response, security[i].name, security[i].value);
	if (exchange->web->cert != NULL)
		MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
	add_cookie(exchange, response);
}

static enum MHD_Result queue(struct exchange *exchange, unsigned status,
                             struct MHD_Response *response)
{
	enum MHD_Result result = MHD_queue_response(exchange->connection, status, response);

	MHD_destroy_response(response);
	return result;
}

enum MHD_Result server_answer_plain(struct exchange *exchange, unsigned status)
{
	static const struct {
		unsigned status;
		const char *why;
		const char *text;
	} words[] = {
		{ MHD_HTTP_BAD_REQUEST, "malformed", "The request is malformed.\n" },
		{ MHD_HTTP_METHOD_NOT_ALLOWED, "method", "Not with this method.\n" },
		{ MHD_HTTP_CONTENT_TOO_LARGE, "body", "The form is too long.\n" },
		{ MHD_HTTP_URI_TOO_LONG, "address", "The address is too long.\n" },
		{ MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "type", "Only forms are read here.\n" },
		{ MHD_HTTP_UNAUTHORIZED, "session", "Sign in first.\n" },
		{ MHD_HTTP_FORBIDDEN, "role", "This is for others.\n" },
		{ MHD_HTTP_SERVICE_UNAVAILABLE, "busy", "Too busy: try again later.\n" },
	};
	const char *text = "Something went wrong.\n", *why = "fault";
	struct MHD_Response *response;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (words[i].status == status) {
			text = words[i].text;
			why = words[i].why;
		}
	}
	server_log_refusal(exchange->web, status, why);
	response = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
	                                           MHD_RESPMEM_PERSISTENT);
	if (response == NULL)
		return MHD_NO;
	server_add_headers(exchange, response);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, CACHE_NEVER);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, RETRY_S);
	return queue(exchange, status, response);
}

static void add_download(struct MHD_Response *response, const char *save_as)
{
	char text[128];

	snprintf(text, sizeof(text), "attachment; filename=\"%.96s\"", save_as);
	MHD_add_response_header(response, "Content-Disposition", text);
}

enum MHD_Result server_answer(struct exchange *exchange, struct web_response *response)
{
	struct html *body = &response->body;
	struct MHD_Response *out;

	if (body->failed) {
		html_fini(body);
		return server_answer_plain(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR);
	}
	if (body->bytes == NULL)
		out = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	else
		out = MHD_create_response_from_buffer(body->len, body->bytes,
		                                      MHD_RESPMEM_MUST_FREE);
	if (out == NULL) {
		html_fini(body);
		return MHD_NO;
	}
	*body = (struct html){ 0 }; /* the library's now */
	server_add_headers(exchange, out);
	MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE, response->type);
	MHD_add_response_header(out, MHD_HTTP_HEADER_CACHE_CONTROL, CACHE_NEVER);
	if (response->save_as != NULL)
		add_download(out, response->save_as);
	if (response->location[0] != '\0')
		MHD_add_response_header(out, MHD_HTTP_HEADER_LOCATION, response->location);
	if (response->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(out, MHD_HTTP_HEADER_ALLOW,
		                        exchange->post ? "GET, HEAD" : "POST");
	if (response->status == MHD_HTTP_TOO_MANY_REQUESTS ||
	    response->status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(out, MHD_HTTP_HEADER_RETRY_AFTER, RETRY_S);
	return queue(exchange, response->status, out);
}

/* "gzip, br;q=0.5": whether gzip stands there and is not forbidden by "q=0". */
static bool takes_gzip(const char *header)
{
	while (header != NULL && *header != '\0') {
		size_t len;

		header += strspn(header, " \t,");
		len = strcspn(header, ",");
		if (len >= 4 && strncasecmp(header, "gzip", 4) == 0)
			return len == 4 || memmem(header, len, "q=0", 3) == NULL ||
			       memmem(header, len, "q=0.", 4) != NULL;
		header += len;
	}
	return false;
}

enum MHD_Result server_answer_asset(struct exchange *exchange, const struct web_asset *asset)
{
	bool small = asset->gzip_len != 0 &&
	             takes_gzip(server_header(exchange, MHD_HTTP_HEADER_ACCEPT_ENCODING));
	const unsigned char *bytes = small ? asset->gzip : asset->bytes;
	struct MHD_Response *response =
	        MHD_create_response_from_buffer(small ? asset->gzip_len : asset->len,
	                                        (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT);

	if (response == NULL)
		return MHD_NO;
	server_add_headers(exchange, response);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, asset->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, CACHE_EVER);
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
	if (small)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	return queue(exchange, MHD_HTTP_OK, response);
}
