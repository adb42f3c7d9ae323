/*
 * Inside the web end: the server, and one request on its way through it.
 *
 *   server.c         open, run, close
 *   server_take.c    what the library hands over, until a request is whole
 *   server_serve.c   which page; who may
 *   server_answer.c  headers, cookies, assets
 *   server_stream.c  server-sent events
 *   server_users.c   the users' file as it is now, and what that ends
 *
 * Pages (page.c, sign_in.c) see the library nowhere. One thread owns all of it.
 */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include <microhttpd.h>
#include "common/http_slow.h"
#include "web/asset.h"
#include "web/lockout.h"
#include "web/request.h"
#include "web/session.h"
#include "web/users.h"
#include "web/web.h"

#define SERVER_CONNECTIONS (HTTP_CONNECTIONS_MAX + WEB_STREAMS_MAX)
#define SERVER_PER_ADDRESS 96 /* not on loopback; an office may come from one */
#define SERVER_BEAT_S      15 /* a stream that has nothing to say says so */
#define SERVER_COOKIE_NAME 40

struct exchange;

/* A connection that is not closed yet. */
struct server_line {
	struct http_slot *slot;    /* NULL: cut off for silence only */
	struct exchange *exchange; /* NULL: between two requests */
};

struct stream {
	struct exchange *exchange; /* NULL: the place is free */
	const struct web_route *route;
	struct html out;
	size_t sent; /* of out */
	uint64_t cursor;
	int64_t said_ns; /* clock that never goes back */
	bool stale;      /* there may be something new */
	bool waits;      /* suspended */
};

struct web {
	struct MHD_Daemon *daemon;
	struct web_options options;
	const struct web_site *site;
	const struct world *world;
	char *cert, *key; /* PEM texts; the key is a secret */
	char priorities[48];
	char cookie[SERVER_COOKIE_NAME];
	struct http_slow slow;
	struct sessions sessions;
	struct lockout lockout;
	struct users users;
	bool users_are_bad; /* the file as it is now, and it was said */
	struct stream streams[WEB_STREAMS_MAX];
	int64_t beat_ns;          /* when the users' file was looked at for them */
	struct exchange *serving; /* whose page is being written */
	bool woken;               /* a stream was resumed, which the descriptor does not tell */
	bool closing;
};

/* One request, from its first line until its answer is sent. */
struct exchange {
	struct web *web;
	struct server_line *line;
	struct MHD_Connection *connection;
	char *sent;   /* path and query as they came */
	char *target; /* the same, taken apart in place */
	char *body;   /* NULL: none; wiped afterwards */
	size_t len, room;
	bool begun, post, head, too_long;
	struct request_target parsed;
	struct request_fields form;
	struct session *session; /* NULL: nobody is signed in; while it is served only */
	uint8_t session_key[HASH_BYTES];
	struct web_user user;
	char id[SESSION_ID_BYTES];
	bool id_is_new; /* goes into a cookie */
	char form_token[SESSION_ID_BYTES];
	char said[SESSION_SAID_MAX];
	char path[REQUEST_TARGET_MAX];
	struct web_request request;
	struct stream *stream; /* NULL: no stream */
};

int64_t server_mono_ns(const struct web *web);

/* server_serve.c: writes and queues the answer to a whole request. */
enum MHD_Result server_serve(struct exchange *exchange);
/* Puts somebody's session, or a visitor's new id, into the exchange. */
bool server_sign_in(const struct web_request *request, const struct user *user);
void server_sign_out(const struct web_request *request);
/* What was said stands on a page now. */
void server_said(const struct web_request *request);

/* server_answer.c. */
enum MHD_Result server_answer(struct exchange *exchange, struct web_response *response);
enum MHD_Result server_answer_asset(struct exchange *exchange, const struct web_asset *asset);
/* Without a page: what is asked for before anything is known of who asks. */
enum MHD_Result server_answer_plain(struct exchange *exchange, unsigned status);
void server_add_headers(struct exchange *exchange, struct MHD_Response *response);
const char *server_header(const struct exchange *exchange, const char *name);
void server_log_refusal(const struct web *web, unsigned status, const char *why);

/* server_stream.c. */
enum MHD_Result server_stream(struct exchange *exchange, const struct web_route *route);
void server_stream_end(struct stream *stream); /* its connection is gone */
void server_streams_resume(struct web *web);   /* each looks whether it still may */
void server_streams_beat(struct web *web);
int server_streams_wait_ms(const struct web *web);

/* server_users.c. */
void server_look_at_users(struct web *web);
/* Between reading the file anew and writing it: `change` gets the user, or nothing is written when
   it answers false. */
enum ttg_error server_change_user(struct web *web, const char *name,
                                  bool (*change)(void *arg, struct user *user), void *arg,
                                  struct message *message);

/* server_take.c: where the library hands over a request, and what else it is to be told. */
enum MHD_Result server_on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state);
size_t server_take_options(struct web *web, struct MHD_OptionItem *options); /* at most 4 */

#endif
