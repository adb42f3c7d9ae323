/*
 * What libmicrohttpd hands over, collected until a request is whole. What can be told from its head
 * is answered before the first byte of a body is kept. See server.h.
 */
#include "web/server.h"

#include <stdlib.h>
#include <string.h>
#include "base/keyfile.h"

static void free_exchange(struct exchange *exchange)
{
	if (exchange->stream != NULL)
		server_stream_end(exchange->stream);
	if (exchange->body != NULL)
		wipe(exchange->body, exchange->room);
	free(exchange->body);
	free(exchange->target);
	free(exchange->sent);
	wipe(exchange, sizeof(*exchange));
	free(exchange);
}

static struct server_line *line_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info == NULL ? NULL : info->socket_context;
}

/* The library forgets to tell the end of some requests, those it refuses by itself among them. */
static void free_exchange_of(struct server_line *line)
{
	if (line->exchange != NULL)
		free_exchange(line->exchange);
	line->exchange = NULL;
}

/* The first that is heard of a request, path and query as they came. NULL: no memory, which
   server_on_request() sees. */
static void *on_line(void *user, const char *text, struct MHD_Connection *connection)
{
	struct server_line *line = line_of(connection);
	struct exchange *exchange;

	if (line == NULL)
		return NULL;
	free_exchange_of(line);
	exchange = calloc(1, sizeof(*exchange));
	if (exchange == NULL)
		return NULL;
	exchange->web = user;
	exchange->line = line;
	exchange->connection = connection;
	exchange->sent = strdup(text);
	exchange->target = strdup(text);
	line->exchange = exchange;
	return exchange;
}

/* Paths are decoded by us, from what on_line() kept. */
static size_t leave_as_it_is(void *user, struct MHD_Connection *connection, char *text)
{
	(void)user;
	(void)connection;
	return strlen(text);
}

static bool is_method(const char *method, bool *post)
{
	*post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
	return *post || strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
	       strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

/* 0, or the status it is refused with. */
static unsigned check_head(struct exchange *exchange, const char *method)
{
	const char *length = server_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
	unsigned long long bytes = length == NULL ? WEB_BODY_MAX : strtoull(length, NULL, 10);

	if (!is_method(method, &exchange->post))
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	exchange->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	if (exchange->sent == NULL || exchange->target == NULL)
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	if (strlen(exchange->sent) >= REQUEST_TARGET_MAX)
		return MHD_HTTP_URI_TOO_LONG;
	if (!request_read_target(exchange->target, &exchange->parsed))
		return MHD_HTTP_BAD_REQUEST;
	if (!exchange->post)
		return 0;
	if (!request_is_form(server_header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE)))
		return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
	if (bytes > WEB_BODY_MAX)
		return MHD_HTTP_CONTENT_TOO_LARGE;
	exchange->room = (size_t)bytes + 1;
	exchange->body = calloc(1, exchange->room);
	return exchange->body == NULL ? MHD_HTTP_SERVICE_UNAVAILABLE : 0;
}

/* At once as long as it was said to be, so that no copy of a password is left behind by growing. */
static void take_body(struct exchange *exchange, const char *data, size_t len)
{
	if (!exchange->post)
		return;
	if (len > exchange->room - 1 - exchange->len) {
		exchange->too_long = true;
		return;
	}
	memcpy(exchange->body + exchange->len, data, len);
	exchange->len += len;
}

enum MHD_Result server_on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state)
{
	struct exchange *exchange = *state;
	unsigned status;

	(void)user;
	(void)connection;
	(void)url;
	(void)version;
	if (exchange == NULL)
		return MHD_NO;
	if (!exchange->begun) {
		exchange->begun = true;
		status = check_head(exchange, method);
		return status == 0 ? MHD_YES : server_answer_plain(exchange, status);
	}
	if (*len > 0) {
		take_body(exchange, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (exchange->too_long)
		return server_answer_plain(exchange, MHD_HTTP_CONTENT_TOO_LARGE);
	if (exchange->post && !request_read_form(exchange->body, exchange->len, &exchange->form))
		return server_answer_plain(exchange, MHD_HTTP_BAD_REQUEST);
	return server_serve(exchange);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
	struct server_line *line = line_of(connection);

	(void)user;
	(void)why;
	*state = NULL;
	if (line == NULL)
		return;
	free_exchange_of(line);
	http_slow_again(line->slot);
}

/* Called before the TLS handshake, and when the connection is gone. */
static void on_connection(void *user, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode what)
{
	struct web *web = user;
	struct server_line *line = *state;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
		        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		line = calloc(1, sizeof(*line));
		if (line != NULL)
			line->slot = http_slow_begin(&web->slow, info->connect_fd);
		*state = line;
		return;
	}
	if (line != NULL) {
		free_exchange_of(line);
		http_slow_end(line->slot);
	}
	free(line);
	*state = NULL;
}

size_t server_take_options(struct web *web, struct MHD_OptionItem *options)
{
	const struct MHD_OptionItem list[] = {
		{ MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_line, web },
		{ MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_as_it_is, web },
		{ MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, web },
		{ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, web },
	};

	memcpy(options, list, sizeof(list));
	return sizeof(list) / sizeof(*list);
}
