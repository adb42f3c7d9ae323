/*
 * Documents by HTTP POST: one request, one document, answered when its events are durable.
 *
 *   202  durable in the outbox; body {"events": N, "ignored": N}
 *   400  malformed; body {"code": N, "name": "...", "text": "..."}; nothing of it was published
 *   401  no or wrong bearer token, or no good client certificate: whichever of the two is
 *        configured must be there, both when both are
 *   404  another path than /events      405  not POST
 *   413  longer than the bound          415  a Content-Type this adapter does not read
 *   429  outbox full (Retry-After)      503  busy or stopping (Retry-After)
 *
 * Runs inside the adapter's loop, without a thread of its own. Listens on loopback addresses;
 * others only with TLS (1.2 or 1.3), which asks for a client certificate where a CA is configured.
 * It must be signed by that CA, in date, and fit for clients. Every connection and body is bounded:
 * a silent client is cut off after HTTP_SILENCE_S, one whose request is not whole after
 * HTTP_REQUEST_S however busy it looks (handshake included). Further clients wait to be let in.
 */
#ifndef ADAPTERS_COMMON_HTTP_INTAKE_H
#define ADAPTERS_COMMON_HTTP_INTAKE_H

#include "base/log.h"
#include "common/intake.h"

#define HTTP_CONNECTIONS_PER_ADDRESS 32 /* not on loopback; HTTP_CONNECTIONS_MAX in all */
#define HTTP_SILENCE_S               15
#define HTTP_REQUEST_S               120
#define HTTP_TOKEN_MIN               16

struct http_intake;

struct http_reply {
	unsigned status;
	enum ttg_error code; /* for the body of a refusal */
	const char *text;
	uint64_t events, ignored;
};

struct http_options {
	const char *listen; /* address, "127.0.0.1" or "::1" */
	unsigned port;      /* 0: any free one */
	size_t max_body_bytes;
	unsigned silence_s;        /* 0: HTTP_SILENCE_S */
	unsigned request_s;        /* 0: HTTP_REQUEST_S */
	const char *token_file;    /* "" when client certificates do */
	const char *tls_cert_file; /* "" for none */
	const char *tls_key_file;
	const char *tls_client_ca_file;
	bool takes_json, takes_xml, takes_csv;
	/* Reads, makes durable and says what to answer. Runs inside http_intake_run(). */
	void *user;
	void (*on_document)(void *user, const struct document *document, struct http_reply *answer);
	void (*on_refused)(void *user, unsigned status); /* before a document was whole */
	int64_t (*now_ns)(void *user);
};

/* Whether token and TLS files named go together; looks at no file. TTG_EINVAL. */
enum ttg_error http_intake_check(const struct http_options *options, struct message *message);

/* TTG_EINVAL, TTG_EPERM (token file readable by others), TTG_EFORMAT, TTG_ESYS, TTG_ENOMEM. */
enum ttg_error http_intake_open(struct http_intake **out, const struct http_options *options,
                                struct message *message);
void http_intake_close(struct http_intake **intake);

unsigned http_intake_port(const struct http_intake *intake);
int http_intake_fd(const struct http_intake *intake);
/* Milliseconds until http_intake_run() has a timer to look after; -1: none. */
int http_intake_wait_ms(const struct http_intake *intake);
void http_intake_run(struct http_intake *intake);

#endif
