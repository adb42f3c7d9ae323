/*
 * Server-sent events. A stream with nothing to say is a suspended connection, which costs nothing
 * and is not looked at; web_wake() and a beat every SERVER_BEAT_S resume it. The beat finds those
 * that are gone, and those whose session is over: they end. See server.h.
 */
#include "web/server.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_S    INT64_C(1000000000)
#define BLOCK_BYTES 8192
#define HELLO       "retry: 1000\n\n"
#define BEAT        ": \n\n"

static bool may_go_on(struct stream *stream)
{
	struct exchange *exchange = stream->exchange;
	struct web *web = exchange->web;

	if (web->closing)
		return false;
	return stream->route->roles == WEB_ANYBODY ||
	       web_session_find_key(&web->sessions, exchange->session_key, server_mono_ns(web)) !=
	               NULL;
}

/* Asks the site for what is new, when all was sent. */
static void refill(struct stream *stream)
{
	struct exchange *exchange = stream->exchange;
	struct web *web = exchange->web;
	const uint64_t before = stream->cursor;

	if (stream->sent < stream->out.len)
		return;
	stream->sent = stream->out.len = 0;
	if (!stream->stale)
		return;
	exchange->request.now_ns = web->world->real_ns(web->world->self);
	web->serving = exchange;
	stream->route->stream(web->site->user, &exchange->request, &stream->cursor, &stream->out);
	web->serving = NULL;
	/* There may be more than it gives at once; where it stood still it said how things are. */
	stream->stale = stream->out.len > 0 && stream->cursor != before;
}

static ssize_t read_stream(void *user, uint64_t position, char *out, size_t room)
{
	struct stream *stream = user;
	size_t len;

	(void)position;
	if (!may_go_on(stream))
		return MHD_CONTENT_READER_END_OF_STREAM;
	refill(stream);
	if (stream->out.failed)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	len = stream->out.len - stream->sent;
	if (len == 0) {
		stream->waits = true;
		MHD_suspend_connection(stream->exchange->connection);
		return 0;
	}
	if (len > room)
		len = room;
	memcpy(out, stream->out.bytes + stream->sent, len);
	stream->sent += len;
	stream->said_ns = server_mono_ns(stream->exchange->web);
	return (ssize_t)len;
}

/* NULL: all are taken, or as many as one user may have. */
static struct stream *free_place(struct web *web, const struct web_user *user)
{
	struct stream *place = NULL;
	size_t own = 0;

	for (size_t i = 0; i < WEB_STREAMS_MAX; i++) {
		const struct exchange *exchange = web->streams[i].exchange;

		if (exchange == NULL)
			place = &web->streams[i];
		else if (user != NULL && exchange->request.user != NULL &&
		         strcmp(exchange->user.user, user->user) == 0)
			own++;
	}
	return own < WEB_STREAMS_EACH ? place : NULL;
}

/* Where it goes on: what the browser has heard last, or from now on. */
static uint64_t cursor_of(const struct exchange *exchange)
{
	const char *last = server_header(exchange, "Last-Event-ID");

	if (last == NULL || last[0] == '\0')
		last = web_field(&exchange->request, "last");
	if (last[0] == '\0' || strlen(last) > 19 || strspn(last, "0123456789") != strlen(last))
		return UINT64_MAX;
	return strtoull(last, NULL, 10);
}

enum MHD_Result server_stream(struct exchange *exchange, const struct web_route *route)
{
	struct stream *stream = free_place(exchange->web, exchange->request.user);
	struct MHD_Response *response;
	enum MHD_Result result;

	if (stream == NULL)
		return server_answer_plain(exchange, MHD_HTTP_SERVICE_UNAVAILABLE);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream,
	                                             stream, NULL);
	if (response == NULL)
		return MHD_NO;
	*stream = (struct stream){ .exchange = exchange,
		                   .route = route,
		                   .cursor = cursor_of(exchange),
		                   .said_ns = server_mono_ns(exchange->web),
		                   .stale = true };
	html_raw(&stream->out, HELLO);
	exchange->stream = stream;
	http_slow_end(exchange->line->slot); /* it owes no further request */
	exchange->line->slot = NULL;
	server_add_headers(exchange, response);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Accel-Buffering", "no");
	result = MHD_queue_response(exchange->connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

void server_stream_end(struct stream *stream)
{
	html_fini(&stream->out);
	*stream = (struct stream){ 0 };
}

static void resume(struct stream *stream)
{
	if (!stream->waits)
		return;
	stream->waits = false;
	stream->exchange->web->woken = true;
	MHD_resume_connection(stream->exchange->connection);
}

void server_streams_resume(struct web *web)
{
	for (size_t i = 0; i < WEB_STREAMS_MAX; i++)
		resume(&web->streams[i]);
}

void web_wake(struct web *web)
{
	for (size_t i = 0; i < WEB_STREAMS_MAX; i++)
		web->streams[i].stale = web->streams[i].exchange != NULL;
	server_streams_resume(web);
}

void server_streams_beat(struct web *web)
{
	int64_t now_ns = server_mono_ns(web);

	if (web_streams(web) > 0 && now_ns - web->beat_ns >= SERVER_BEAT_S * NS_PER_S) {
		web->beat_ns = now_ns;
		server_look_at_users(web);
	}
	for (size_t i = 0; i < WEB_STREAMS_MAX; i++) {
		struct stream *stream = &web->streams[i];

		if (!stream->waits || now_ns - stream->said_ns < SERVER_BEAT_S * NS_PER_S)
			continue;
		stream->said_ns = now_ns;
		if (stream->sent == stream->out.len)
			html_raw(&stream->out, BEAT);
		resume(stream);
	}
}

int server_streams_wait_ms(const struct web *web)
{
	int64_t now_ns = server_mono_ns(web), wait_ns = -1;

	for (size_t i = 0; i < WEB_STREAMS_MAX; i++) {
		const struct stream *stream = &web->streams[i];
		int64_t left_ns = stream->said_ns + SERVER_BEAT_S * NS_PER_S - now_ns;

		if (!stream->waits)
			continue;
		if (left_ns < 0)
			left_ns = 0;
		if (wait_ns < 0 || left_ns < wait_ns)
			wait_ns = left_ns;
	}
	return wait_ns < 0 ? -1 : (int)((wait_ns + NS_PER_MS - 1) / NS_PER_MS);
}

size_t web_streams(const struct web *web)
{
	size_t n = 0;

	for (size_t i = 0; i < WEB_STREAMS_MAX; i++)
		n += web->streams[i].exchange != NULL;
	return n;
}
