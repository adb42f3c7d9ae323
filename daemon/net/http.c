/*
 * The HTTP end. Requests are answered from the loop's own state, in one go; there is nothing to
 * wait for. Only GET and HEAD, at most HTTP_CONNECTIONS at once, idle ones closed after a few
 * seconds. Addresses other than loopback are refused by the configuration and here again.
 */
#include "net/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "net/metrics.h"
#include "net/net.h"

#define HTTP_CONNECTIONS 32
#define HTTP_IDLE_S 10
#define HTTP_MEMORY_BYTES 16384 /* per connection: request line and headers */

struct http {
	struct MHD_Daemon *daemon;
	struct net *net;
	int fd;
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type,
			     char *take_body, size_t len)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, take_body, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(take_body);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	const enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result reply_text(struct MHD_Connection *connection, unsigned status,
				  const char *text)
{
	char *copy = strdup(text);
	if (!copy)
		return MHD_NO;
	return reply(connection, status, "text/plain; charset=utf-8", copy, strlen(copy));
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_bytes, void **state)
{
	(void)version, (void)upload, (void)state;
	struct http *http = self;
	if (*upload_bytes > 0)
		return MHD_NO;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return reply_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or HEAD only\n");
	if (strcmp(url, "/health") == 0)
		return http->net->failure ? reply_text(connection, 503, "failed\n") :
					    reply_text(connection, 200, "ok\n");
	if (strcmp(url, "/ready") == 0)
		return http->net->stopping ? reply_text(connection, 503, "stopping\n") :
					     reply_text(connection, 200, "ready\n");
	if (strcmp(url, "/metrics") == 0) {
		size_t len = 0;
		char *text = metrics_text(http->net, &len);
		return text ? reply(connection, 200, "text/plain; version=0.0.4; charset=utf-8",
				    text, len) :
			      MHD_NO;
	}
	return reply_text(connection, 404, "/metrics, /health or /ready\n");
}

static bool address_of(const struct config *config, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	if (inet_pton(AF_INET, config->http_address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(config->http_port);
		return (ntohl(four->sin_addr.s_addr) >> 24) == 127;
	}
	if (inet_pton(AF_INET6, config->http_address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(config->http_port);
		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	}
	return false;
}

enum ttg_error http_open(struct http **out, struct net *net, struct message *message)
{
	struct http *http = calloc(1, sizeof *http);
	if (!http)
		return message_set(message, TTG_ENOMEM, "no memory for the metrics server");
	http->net = net;
	http->fd = -1;
	*out = http;
	const struct config *config = net->config;
	if (config->http_port == 0)
		return TTG_OK;
	struct sockaddr_storage address;
	if (!address_of(config, &address))
		return message_set(message, TTG_EINVAL,
				   "listen.http_address must be a loopback address");
	unsigned flags = MHD_USE_EPOLL;
	if (address.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	http->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, http,
					MHD_OPTION_SOCK_ADDR, &address,
					MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS,
					MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
					MHD_OPTION_CONNECTION_MEMORY_LIMIT,
					(size_t)HTTP_MEMORY_BYTES, MHD_OPTION_END);
	if (!http->daemon)
		return message_set(message, TTG_ESYS, "cannot serve metrics on %s port %u",
				   config->http_address, config->http_port);
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	http->fd = info ? info->epoll_fd : -1;
	return TTG_OK;
}

void http_close(struct http **http)
{
	if (!*http)
		return;
	if ((*http)->daemon)
		MHD_stop_daemon((*http)->daemon);
	free(*http);
	*http = NULL;
}

int http_fd(const struct http *http)
{
	return http->fd;
}

bool http_is_due(const struct http *http)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;
	return http->daemon && MHD_get_timeout(http->daemon, &ms) == MHD_YES && ms == 0;
}

void http_serve(struct http *http)
{
	if (http->daemon)
		MHD_run(http->daemon);
}
