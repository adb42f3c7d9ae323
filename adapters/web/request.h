/*
 * What a browser sent, taken apart: path, fields of a query or a form, cookies. All of it is
 * hostile. Pure: every text is taken apart where it stands, and what is given out points into it.
 */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include "web/web.h"

#define REQUEST_PARTS_MAX  8
#define REQUEST_TARGET_MAX 4096

struct request_fields {
	struct web_field list[WEB_FIELDS_MAX];
	size_t n;
};

struct request_target {
	/* Of "/people/12/notes": "people", "12", "notes", decoded; none for "/". */
	const char *parts[REQUEST_PARTS_MAX];
	size_t n_parts;
	struct request_fields query;
};

/*
 * Path and query, "/a/b?c=d". False when it is none, holds a control character or what is not
 * UTF-8 (after decoding), or has too many parts or fields; *out is then of no use.
 */
bool request_read_target(char *target, struct request_target *out);

/*
 * A body of type application/x-www-form-urlencoded, len bytes and a NUL. In values a newline and a
 * tab are allowed, and every end of a line becomes a newline. False as above.
 */
bool request_read_form(char *body, size_t len, struct request_fields *out);

/* Whether a route's path fits; fills `parts` with what stands for each ":", the rest with "". */
bool request_fits(const struct request_target *target, const char *path,
                  const char *parts[WEB_PARTS_MAX]);

/* The value of a cookie in a Cookie header; false when it is not there or has not len bytes. Of
   several the first counts. out has room for len + 1. */
bool request_cookie(const char *header, const char *name, char *out, size_t len);

/* Whether a Content-Type is that of a form. */
bool request_is_form(const char *content_type);

/* Whether a browser says itself that another site made it send this: by Sec-Fetch-Site, or else
   by an Origin that is not this Host. Each may be NULL. */
bool request_is_foreign(const char *fetch_site, const char *origin, const char *host);

/* A path of this site, safe to send a browser to: "/...", not "//...". */
bool request_is_local(const char *path);

#endif
