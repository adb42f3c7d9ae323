/*
 * The web end of a program for people: a small HTTP server whose pages are written by the program
 * (a site), with sign-in, roles, and streams for what comes live. The desk and the partners' inbox
 * stand on it.
 *
 * One thread: the program polls web_fd(), and every page is written inside web_run(). On a loopback
 * address plain HTTP is allowed, elsewhere TLS 1.2 or 1.3 is needed. Everybody signs in.
 *
 * What the server sees to, so that no page has to: bounded connections, headers and bodies; fields
 * that are UTF-8 without control characters (but newlines), or the request is refused (400);
 * the form token of the session in every POST (403); roles (403); security headers, with a content
 * policy that lets nothing run or load but the files of this server; no caching of pages; a log
 * line for each refusal that names neither path nor field.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/log.h"
#include "base/message.h"
#include "base/world.h"
#include "web/html.h"

#define WEB_PARTS_MAX      3
#define WEB_FIELDS_MAX     128
#define WEB_BODY_MAX       (64u << 10)
#define WEB_LOCATION_BYTES 512
#define WEB_USER_BYTES     33 /* [a-z0-9.-], and a NUL */
#define WEB_NAME_BYTES     65 /* "Ann Example": as colleagues know her, and a NUL */
#define WEB_STREAMS_MAX    64
#define WEB_STREAMS_EACH   16 /* of one user; above either, 503 */
#define WEB_ANYBODY        0u /* roles of a route that asks for no sign-in */
#define WEB_REQUEST_S      60
#define WEB_SILENCE_S      15

struct web;

struct web_user {
	char user[WEB_USER_BYTES];
	char name[WEB_NAME_BYTES];
	unsigned role; /* 1u << index of the site's word for it */
};

struct web_field {
	const char *name;
	const char *value;
};

/* Good while its page is written. */
struct web_request {
	const char *method; /* "GET", "HEAD" reads as "GET", "POST" */
	const char *path;
	const char *parts[WEB_PARTS_MAX]; /* what stood where the route says ":", decoded; or "" */
	const struct web_field *fields;   /* of the query, or of the form; a name may come twice */
	size_t n_fields;
	const struct web_user *user; /* NULL: nobody is signed in */
	const char *form_token;      /* the field "form_token" of every POST; see page_form() */
	const char *said;            /* what web_say() left for this page; "" */
	int64_t now_ns;              /* since 1970, UTC */
	struct web *web;
};

/* The first field of that name; "" when there is none. */
const char *web_field(const struct web_request *request, const char *name);

/* Begins as 200, HTML, empty. */
struct web_response {
	unsigned status;
	const char *type;    /* of a literal */
	const char *save_as; /* of a literal: the name of a download; NULL: none */
	char location[WEB_LOCATION_BYTES];
	struct html body;
};

/* 303 to a path of this site, written as html_add() does but for the escapes: links have theirs. */
__attribute__((format(printf, 2, 3))) void web_redirect(struct web_response *response,
                                                        const char *format, ...);
/* A page that says what is wrong: 400, 403, 404, 409, 429, 503. */
void web_refuse(const struct web_request *request, struct web_response *response, unsigned status,
                const char *text);

/* Said on top of this user's next page: "The contact was sent." A literal, or copied; at most 256
   bytes. */
void web_say(const struct web_request *request, const char *text);

struct web_route {
	const char *method; /* "GET" or "POST" */
	const char *path;   /* "/people/:", where ":" is any one part, not empty */
	unsigned roles;     /* who may; WEB_ANYBODY */
	/* Writes the page. Neither blocks nor keeps what it is given. */
	void (*serve)(void *user, const struct web_request *request, struct web_response *response);
	/*
	 * For a stream of server-sent events instead: adds to `out` what there is behind *cursor, each
	 * as "id: N\nevent: WORD\ndata: LINE\n\n", and moves *cursor to the last N. It begins at the
	 * browser's Last-Event-ID (or the field "last"), or at UINT64_MAX when it has none (take what
	 * is newest). Called when somebody connects and after each web_wake(), until it adds nothing
	 * or *cursor stands still: so it need not add all at once. Whose session is over gets no
	 * stream but a 401: load a page then.
	 */
	void (*stream)(void *user, const struct web_request *request, uint64_t *cursor,
	               struct html *out);
};

struct web_link {
	const char *path;
	const char *label;
	unsigned roles; /* who sees it in the menu */
	/* A number shown beside it when not 0 (alerts that wait); may be NULL. */
	unsigned (*count)(void *user, const struct web_request *request);
};

struct web_site {
	const char *name;               /* "Duty desk" */
	const char *const *role_words;  /* "duty", ...: as in the users' file; ends with NULL */
	const struct web_route *routes; /* the first that fits serves */
	size_t n_routes;
	const struct web_link *menu; /* the first that the user may see is where "/" leads */
	size_t n_menu;
	const char *script; /* "desk.js": of adapters/web/assets, loaded by every page; NULL: none */
	void *user;         /* passed to all of the above */
};

struct web_options {
	const char *listen; /* an address, "127.0.0.1" */
	unsigned port;      /* 0: any free one */
	const char *tls_cert_file;
	const char *tls_key_file;
	const char *users_file; /* 0600; see web/users.h */
	unsigned session_minutes; /* unused for so long, a session ends */
	struct log *log;
	const struct world *world; /* NULL: the machine itself */
	unsigned request_s;        /* for a whole request; 0: WEB_REQUEST_S */
	unsigned silence_s;        /* nothing comes, or is taken; 0: WEB_SILENCE_S */
};

/* Whether the options go together; looks at no file. TTG_EINVAL. */
enum ttg_error web_check(const struct web_options *options, struct message *message);
/* TTG_EINVAL, TTG_ENOENT, TTG_EPERM (others can read a secret), TTG_EFORMAT, TTG_ESYS, TTG_ENOMEM.
 * Site and options stay valid until web_close(). */
enum ttg_error web_open(struct web **out, const struct web_options *options,
                        const struct web_site *site, struct message *message);
void web_close(struct web **web);

unsigned web_port(const struct web *web);
int web_fd(const struct web *web);
/* Milliseconds until web_run() has a timer to look after; 0 after web_wake(); -1: none. */
int web_wait_ms(const struct web *web);
void web_run(struct web *web);
/* There may be something new for the streams. */
void web_wake(struct web *web);
/* Streams that are open. */
size_t web_streams(const struct web *web);

/* The path of a file of adapters/web/assets, "desk.js"; "" when there is none of that name. */
const char *web_asset(const char *name);

/*
 * A secret of this user for links that a calendar program opens by itself, 32 characters; made when
 * there is none, and another when `anew`. "" when it cannot be written.
 */
void web_feed_token(const struct web_request *request, bool anew, char out[33]);
/* Whose token it is, or NULL; takes the same time for every wrong one. */
const struct web_user *web_feed_user(const struct web_request *request, const char *token);

#endif
