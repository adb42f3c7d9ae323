/*
 * HTTP intake over libmicrohttpd with its external epoll. See http_intake.h for the answers. All
 * of a request is hostile until its token or certificate was checked, and that happens before the
 * first byte of the body is kept. Owned by the adapter's only thread.
 */
#include "common/http_intake.h"

#include <errno.h>
#include <jansson.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include "base/secret.h"
#include "common/http_secret.h"
#include "common/http_slow.h"

#define PATH_EVENTS     "/events"
#define RETRY_AFTER_S   "5"
#define WAIT_MAX_MS     60000
#define BODY_FIRST_ROOM 4096
/* TLS 1.2 and 1.3; what GnuTLS calls normal still has the versions before. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct http_intake {
	struct MHD_Daemon *daemon;
	struct http_options options;
	char *token; /* a secret (base/secret.h), as is key; NULL: none is asked for */
	char *cert, *key, *client_ca; /* PEM texts */
	char priorities[sizeof(TLS_PRIORITIES)];
	struct http_slow slow;
};

struct request {
	char *body;
	size_t len, room;
	enum document_form form;
	unsigned refused; /* status decided before the body was whole; 0: none */
};

static enum MHD_Result answer(struct http_intake *intake, struct MHD_Connection *connection,
                              const struct http_reply *what)
{
	json_t *object = what->status == MHD_HTTP_ACCEPTED
	                         ? json_pack("{s:I,s:I}", "events", (json_int_t)what->events,
	                                     "ignored", (json_int_t)what->ignored)
	                         : json_pack("{s:i,s:s,s:s}", "code", (int)what->code, "name",
	                                     ttg_error_name(what->code), "text",
	                                     what->text == NULL ? "" : what->text);
	char *text = json_dumps(object, JSON_COMPACT);
	struct MHD_Response *response;
	enum MHD_Result result = MHD_NO;

	(void)intake;
	json_decref(object);
	if (text == NULL)
		return MHD_NO;
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (response == NULL) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	if (what->status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (what->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "POST");
	if (what->status == MHD_HTTP_TOO_MANY_REQUESTS ||
	    what->status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, RETRY_AFTER_S);
	result = MHD_queue_response(connection, what->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct http_intake *intake, struct MHD_Connection *connection,
                              unsigned status)
{
	static const struct {
		unsigned status;
		enum ttg_error code;
		const char *text;
	} words[] = {
		{ MHD_HTTP_UNAUTHORIZED, TTG_EPERM,
		  "a bearer token or client certificate is needed" },
		{ MHD_HTTP_NOT_FOUND, TTG_ENOENT, "documents are posted to " PATH_EVENTS },
		{ MHD_HTTP_METHOD_NOT_ALLOWED, TTG_EINVAL, "only POST is understood" },
		{ MHD_HTTP_CONTENT_TOO_LARGE, TTG_ELIMIT, "the body is longer than allowed" },
		{ MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, TTG_EFORMAT,
		  "this Content-Type is not read here" },
		{ MHD_HTTP_SERVICE_UNAVAILABLE, TTG_ENOMEM, "no memory" },
	};
	struct http_reply what = { .status = status, .code = TTG_EINVAL };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (words[i].status == status) {
			what.code = words[i].code;
			what.text = words[i].text;
		}
	}
	intake->options.on_refused(intake->options.user, status);
	return answer(intake, connection, &what);
}

static enum document_form form_of(const struct http_options *options, const char *content_type)
{
	static const struct {
		const char *type;
		enum document_form form;
	} known[] = {
		{ "application/json", DOCUMENT_JSON },
		{ "application/x-ndjson", DOCUMENT_JSON },
		{ "application/cloudevents+json", DOCUMENT_JSON },
		{ "application/cloudevents-batch+json", DOCUMENT_JSON },
		{ "application/xml", DOCUMENT_XML },
		{ "text/xml", DOCUMENT_XML },
		{ "text/csv", DOCUMENT_CSV },
	};
	size_t len = content_type == NULL ? 0 : strcspn(content_type, "; \t");

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (len != strlen(known[i].type) ||
		    strncasecmp(content_type, known[i].type, len) != 0)
			continue;
		if ((known[i].form == DOCUMENT_JSON && options->takes_json) ||
		    (known[i].form == DOCUMENT_XML && options->takes_xml) ||
		    (known[i].form == DOCUMENT_CSV && options->takes_csv))
			return known[i].form;
	}
	return DOCUMENT_UNKNOWN;
}

/* All that is configured must hold. A client without a good certificate does get through the
   handshake, which asks for one and does not insist: it is told 401, as with a wrong token. */
static bool is_known(const struct http_intake *intake, struct MHD_Connection *connection)
{
	const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
	                                                MHD_HTTP_HEADER_AUTHORIZATION);

	if (intake->client_ca != NULL && !http_client_certificate_is_good(connection))
		return false;
	if (intake->token == NULL)
		return intake->client_ca != NULL;
	return given != NULL && strncasecmp(given, "Bearer ", 7) == 0 &&
	       http_secret_equal(given + 7, intake->token);
}

/* Everything that can be told from the head of a request. 0, or the status to refuse it with. */
static unsigned check_head(struct http_intake *intake, struct MHD_Connection *connection,
                           const char *url, const char *method, struct request *request)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
	                                                 MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (!is_known(intake, connection))
		return MHD_HTTP_UNAUTHORIZED;
	if (strcmp(url, PATH_EVENTS) != 0)
		return MHD_HTTP_NOT_FOUND;
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	request->form = form_of(&intake->options,
	                        MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
	                                                    MHD_HTTP_HEADER_CONTENT_TYPE));
	if (request->form == DOCUMENT_UNKNOWN)
		return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
	if (length != NULL && strtoull(length, NULL, 10) > intake->options.max_body_bytes)
		return MHD_HTTP_CONTENT_TOO_LARGE;
	return 0;
}

static void take_body(const struct http_intake *intake, struct request *request, const char *data,
                      size_t len)
{
	if (request->refused != 0)
		return;
	if (len > intake->options.max_body_bytes - request->len) {
		request->refused = MHD_HTTP_CONTENT_TOO_LARGE;
		return;
	}
	if (request->len + len + 1 > request->room) {
		size_t room = request->room == 0 ? BODY_FIRST_ROOM : request->room;

		while (room < request->len + len + 1)
			room *= 2;
		char *grown = realloc(request->body, room);
		if (grown == NULL) {
			request->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
			return;
		}
		request->body = grown;
		request->room = room;
	}
	memcpy(request->body + request->len, data, len);
	request->len += len;
	request->body[request->len] = '\0';
}

/* libmicrohttpd: called for the head, for each piece of the body, and once more at its end. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state)
{
	struct http_intake *intake = user;
	struct request *request = *state;
	struct http_reply what = { .status = MHD_HTTP_SERVICE_UNAVAILABLE, .code = TTG_EAGAIN };

	(void)version;
	if (request == NULL) {
		request = calloc(1, sizeof(*request));
		if (request == NULL)
			return MHD_NO;
		*state = request;
		request->refused = check_head(intake, connection, url, method, request);
		return request->refused == 0 ? MHD_YES
		                             : refuse(intake, connection, request->refused);
	}
	if (*len > 0) {
		take_body(intake, request, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (request->refused != 0)
		return refuse(intake, connection, request->refused);
	struct document document = { .name = "",
		                     .bytes = request->body == NULL ? "" : request->body,
		                     .len = request->len,
		                     .form = request->form,
		                     .seen_ns = intake->options.now_ns(intake->options.user) };
	intake->options.on_document(intake->options.user, &document, &what);
	return answer(intake, connection, &what);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
	struct request *request = *state;

	(void)user;
	(void)why;
	if (request != NULL)
		free(request->body);
	free(request);
	*state = NULL;
	http_slow_again(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
	                        ->socket_context);
}

/* Called before the TLS handshake, and when the connection is gone. */
static void on_connection(void *user, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
	struct http_intake *intake = user;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
		        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		*slot = http_slow_begin(&intake->slow, info->connect_fd);
	} else {
		http_slow_end(*slot);
		*slot = NULL;
	}
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

enum ttg_error http_intake_check(const struct http_options *options, struct message *message)
{
	bool tls = options->tls_cert_file[0] != '\0';

	if (tls != (options->tls_key_file[0] != '\0'))
		return message_set(message, TTG_EINVAL,
		                   "http needs both tls_cert_file and tls_key_file, or neither");
	if (!tls && options->tls_client_ca_file[0] != '\0')
		return message_set(message, TTG_EINVAL,
		                   "http.tls_client_ca_file means nothing without tls_cert_file");
	if (options->token_file[0] == '\0' && options->tls_client_ca_file[0] == '\0')
		return message_set(message, TTG_EINVAL,
		                   "http needs token_file, or TLS with tls_client_ca_file");
	return TTG_OK;
}

static enum ttg_error read_secrets(struct http_intake *intake, struct message *message)
{
	const struct http_options *options = &intake->options;
	bool tls = options->tls_cert_file[0] != '\0';
	enum ttg_error error = http_intake_check(options, message);

	if (error == TTG_OK && options->token_file[0] != '\0')
		error = http_token_read(options->token_file, &intake->token, message);
	if (error == TTG_OK && tls)
		error = http_pem_read(options->tls_cert_file, false, &intake->cert, message);
	if (error == TTG_OK && tls)
		error = http_pem_read(options->tls_key_file, true, &intake->key, message);
	if (error == TTG_OK && options->tls_client_ca_file[0] != '\0')
		error = http_pem_read(options->tls_client_ca_file, false, &intake->client_ca,
		                      message);
	return error;
}

/* Fills what TLS asks for; gives how many. */
static size_t tls_options(struct http_intake *intake, struct MHD_OptionItem *options)
{
	size_t n = 0;

	if (intake->cert == NULL)
		return 0;
	options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, intake->cert };
	options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, intake->key };
	options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
		                                intake->priorities };
	if (intake->client_ca != NULL)
		options[n++] =
		        (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST, 0, intake->client_ca };
	return n;
}

static enum ttg_error listen_on(struct http_intake *intake, const struct addrinfo *address,
                                struct message *message)
{
	unsigned flags = MHD_USE_EPOLL | (intake->cert != NULL ? MHD_USE_TLS : 0u);
	struct MHD_OptionItem options[12];
	size_t n = 0;

	if (address->ai_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	options[n++] = (struct MHD_OptionItem){ MHD_OPTION_SOCK_ADDR, 0, address->ai_addr };
	options[n++] =
	        (struct MHD_OptionItem){ MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX, NULL };
	options[n++] = (struct MHD_OptionItem){ MHD_OPTION_CONNECTION_TIMEOUT,
		                                intake->options.silence_s, NULL };
	if (!is_loopback(address->ai_addr))
		options[n++] = (struct MHD_OptionItem){ MHD_OPTION_PER_IP_CONNECTION_LIMIT,
			                                HTTP_CONNECTIONS_PER_ADDRESS, NULL };
	n += tls_options(intake, options + n);
	options[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	intake->daemon = MHD_start_daemon(flags, (uint16_t)intake->options.port, NULL, NULL,
	                                  on_request, intake, MHD_OPTION_ARRAY, options,
	                                  MHD_OPTION_NOTIFY_COMPLETED, on_completed, intake,
	                                  MHD_OPTION_NOTIFY_CONNECTION, on_connection, intake,
	                                  MHD_OPTION_END);
	if (intake->daemon == NULL)
		return message_set(message, TTG_ESYS, "cannot listen on %s port %u%s: %s",
		                   intake->options.listen, intake->options.port,
		                   intake->cert != NULL ? " with TLS" : "", strerror(errno));
	return TTG_OK;
}

enum ttg_error http_intake_open(struct http_intake **out, const struct http_options *options,
                                struct message *message)
{
	struct http_intake *intake = calloc(1, sizeof(*intake));
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		                  .ai_socktype = SOCK_STREAM };
	struct addrinfo *address = NULL;
	char port[8];
	enum ttg_error error = TTG_OK;

	*out = NULL;
	if (intake == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	intake->options = *options;
	strcpy(intake->priorities, TLS_PRIORITIES);
	if (options->silence_s == 0)
		intake->options.silence_s = HTTP_SILENCE_S;
	http_slow_init(&intake->slow, options->request_s == 0 ? HTTP_REQUEST_S : options->request_s);
	snprintf(port, sizeof(port), "%u", options->port);
	if (getaddrinfo(options->listen, port, &hints, &address) != 0)
		error = message_set(message, TTG_EINVAL, "http.listen is no numeric address: %s",
		                    options->listen);
	else if (!is_loopback(address->ai_addr) && options->tls_cert_file[0] == '\0')
		error = message_set(message, TTG_EINVAL,
		                    "http.listen must be 127.0.0.1 or ::1 without TLS");
	if (error == TTG_OK)
		error = read_secrets(intake, message);
	if (error == TTG_OK)
		error = listen_on(intake, address, message);
	if (address != NULL)
		freeaddrinfo(address);
	if (error != TTG_OK)
		http_intake_close(&intake);
	*out = intake;
	return error;
}

void http_intake_close(struct http_intake **intake)
{
	if (*intake == NULL)
		return;
	if ((*intake)->daemon != NULL)
		MHD_stop_daemon((*intake)->daemon);
	secret_free((*intake)->key);
	free((*intake)->cert);
	free((*intake)->client_ca);
	secret_free((*intake)->token);
	free(*intake);
	*intake = NULL;
}

unsigned http_intake_port(const struct http_intake *intake)
{
	const union MHD_DaemonInfo *info =
	        MHD_get_daemon_info(intake->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info == NULL ? 0 : info->port;
}

int http_intake_fd(const struct http_intake *intake)
{
	const union MHD_DaemonInfo *info =
	        MHD_get_daemon_info(intake->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	return info == NULL ? -1 : info->epoll_fd;
}

int http_intake_wait_ms(const struct http_intake *intake)
{
	MHD_UNSIGNED_LONG_LONG silence_ms;
	int wait_ms = http_slow_wait_ms(&intake->slow);

	if (MHD_get_timeout(intake->daemon, &silence_ms) == MHD_YES &&
	    (wait_ms < 0 || silence_ms < (unsigned)wait_ms))
		wait_ms = silence_ms > WAIT_MAX_MS ? WAIT_MAX_MS : (int)silence_ms;
	return wait_ms;
}

void http_intake_run(struct http_intake *intake)
{
	for (size_t left = http_slow_cut(&intake->slow); left > 0; left--)
		intake->options.on_refused(intake->options.user, MHD_HTTP_REQUEST_TIMEOUT);
	MHD_run(intake->daemon);
}
