/*
 * The web server over libmicrohttpd with its external epoll. See web.h, and server.h for the parts.
 * Owned by the program's only thread.
 */
#include "web/server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/secret.h"
#include "common/http_secret.h"

#define WAIT_MAX_MS 60000
#define MINUTES_MAX 720
/* TLS 1.2 and 1.3; what GnuTLS calls normal still has the versions before. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

int64_t server_mono_ns(const struct web *web)
{
	return web->world->mono_ns(web->world->self);
}

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)address;

		return ntohl(in4->sin_addr.s_addr) >> 24 == 127;
	}
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(
	               &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

/* The caller frees it. NULL: no numeric address. */
static struct addrinfo *read_address(const struct web_options *options)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		                        .ai_socktype = SOCK_STREAM };
	struct addrinfo *address = NULL;
	char port[8];

	snprintf(port, sizeof(port), "%u", options->port);
	if (!is_set(options->listen) || getaddrinfo(options->listen, port, &hints, &address) != 0)
		return NULL;
	return address;
}

enum ttg_error web_check(const struct web_options *options, struct message *message)
{
	bool tls = is_set(options->tls_cert_file);
	struct addrinfo *address;
	bool loopback;

	if (tls != is_set(options->tls_key_file))
		return message_set(message, TTG_EINVAL,
		                   "web needs both tls_cert_file and tls_key_file, or neither");
	if (!is_set(options->users_file))
		return message_set(message, TTG_EINVAL, "web needs a users_file");
	if (options->session_minutes == 0 || options->session_minutes > MINUTES_MAX)
		return message_set(message, TTG_EINVAL, "web.session_minutes must be 1 to %d",
		                   MINUTES_MAX);
	if (options->port > UINT16_MAX)
		return message_set(message, TTG_EINVAL, "web.port must be 0 to %d", UINT16_MAX);
	address = read_address(options);
	if (address == NULL)
		return message_set(message, TTG_EINVAL, "web.listen is no numeric address");
	loopback = is_loopback(address->ai_addr);
	freeaddrinfo(address);
	if (!loopback && !tls)
		return message_set(message, TTG_EINVAL,
		                   "web.listen must be 127.0.0.1 or ::1 without TLS");
	return TTG_OK;
}

static enum ttg_error read_files(struct web *web, struct message *message)
{
	const struct web_options *options = &web->options;
	enum ttg_error error = TTG_OK;

	if (is_set(options->tls_cert_file)) {
		error = http_pem_read(options->tls_cert_file, false, &web->cert, message);
		if (error == TTG_OK)
			error = http_pem_read(options->tls_key_file, true, &web->key, message);
	}
	if (error == TTG_OK)
		error = users_read(&web->users, options->users_file, web->site->role_words,
		                   message);
	return error;
}

/* Fills what TLS asks for; gives how many. */
static size_t tls_options(struct web *web, struct MHD_OptionItem *options)
{
	size_t n = 0;

	if (web->cert == NULL)
		return 0;
	options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, web->cert };
	options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, web->key };
	options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, web->priorities };
	return n;
}

static enum ttg_error listen_on(struct web *web, const struct addrinfo *address,
                                struct message *message)
{
	unsigned flags =
	        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (web->cert != NULL ? MHD_USE_TLS : 0u);
	unsigned silence_s = web->options.silence_s == 0 ? WEB_SILENCE_S : web->options.silence_s;
	struct MHD_OptionItem options[16];
	size_t n = 0;

	if (address->ai_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	options[n++] = (struct MHD_OptionItem){ MHD_OPTION_SOCK_ADDR, 0, address->ai_addr };
	options[n++] =
	        (struct MHD_OptionItem){ MHD_OPTION_CONNECTION_LIMIT, SERVER_CONNECTIONS, NULL };
	options[n++] = (struct MHD_OptionItem){ MHD_OPTION_CONNECTION_TIMEOUT, silence_s, NULL };
	if (!is_loopback(address->ai_addr))
		options[n++] = (struct MHD_OptionItem){ MHD_OPTION_PER_IP_CONNECTION_LIMIT,
			                                SERVER_PER_ADDRESS, NULL };
	n += tls_options(web, options + n);
	n += server_take_options(web, options + n);
	options[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	web->daemon =
	        MHD_start_daemon(flags, (uint16_t)web->options.port, NULL, NULL, server_on_request,
	                         web, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
	if (web->daemon == NULL)
		return message_set(message, TTG_ESYS, "cannot listen on %s port %u%s: %s",
		                   web->options.listen, web->options.port,
		                   web->cert != NULL ? " with TLS" : "", strerror(errno));
	/* Cookies know no ports: two of us on one address each have their own. */
	snprintf(web->cookie, sizeof(web->cookie), "%sttg_session_%u",
	         web->cert != NULL ? "__Host-" : "", web_port(web));
	return TTG_OK;
}

static enum ttg_error open_parts(struct web *web, struct message *message)
{
	const struct web_options *options = &web->options;
	struct addrinfo *address;
	enum ttg_error error = web_check(options, message);

	if (error == TTG_OK)
		error = read_files(web, message);
	if (error != TTG_OK)
		return error;
	if (!web_sessions_init(&web->sessions, web->world, options->session_minutes) ||
	    !lockout_init(&web->lockout, web->world))
		return message_set(message, TTG_ENOMEM, "no memory, or no random bytes");
	address = read_address(options);
	if (address == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	error = listen_on(web, address, message);
	freeaddrinfo(address);
	return error;
}

enum ttg_error web_open(struct web **out, const struct web_options *options,
                        const struct web_site *site, struct message *message)
{
	struct web *web = calloc(1, sizeof(*web));
	enum ttg_error error;

	*out = NULL;
	if (web == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	web->options = *options;
	web->site = site;
	web->world = options->world == NULL ? world_real() : options->world;
	strcpy(web->priorities, TLS_PRIORITIES);
	http_slow_init(&web->slow, options->request_s == 0 ? WEB_REQUEST_S : options->request_s);
	error = open_parts(web, message);
	if (error != TTG_OK)
		web_close(&web);
	*out = web;
	return error;
}

void web_close(struct web **closed)
{
	struct web *web = *closed;

	if (web == NULL)
		return;
	if (web->daemon != NULL) {
		/* The library cannot stop while connections are suspended. */
		web->closing = true;
		server_streams_resume(web);
		MHD_run(web->daemon);
		MHD_stop_daemon(web->daemon);
	}
	web_sessions_fini(&web->sessions);
	lockout_fini(&web->lockout);
	users_fini(&web->users);
	secret_free(web->key);
	free(web->cert);
	free(web);
	*closed = NULL;
}

unsigned web_port(const struct web *web)
{
	const union MHD_DaemonInfo *info =
	        MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info == NULL ? 0 : info->port;
}

int web_fd(const struct web *web)
{
	const union MHD_DaemonInfo *info =
	        MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	return info == NULL ? -1 : info->epoll_fd;
}

static int sooner(int wait_ms, int other_ms)
{
	if (wait_ms < 0)
		return other_ms;
	return other_ms >= 0 && other_ms < wait_ms ? other_ms : wait_ms;
}

int web_wait_ms(const struct web *web)
{
	MHD_UNSIGNED_LONG_LONG silence_ms;
	int wait_ms = sooner(http_slow_wait_ms(&web->slow), server_streams_wait_ms(web));

	if (web->woken)
		return 0;
	if (MHD_get_timeout(web->daemon, &silence_ms) == MHD_YES)
		wait_ms = sooner(wait_ms, silence_ms > WAIT_MAX_MS ? WAIT_MAX_MS : (int)silence_ms);
	return wait_ms;
}

void web_run(struct web *web)
{
	for (size_t left = http_slow_cut(&web->slow); left > 0; left--)
		server_log_refusal(web, MHD_HTTP_REQUEST_TIMEOUT, "slow");
	server_streams_beat(web);
	web->woken = false;
	MHD_run(web->daemon);
}
