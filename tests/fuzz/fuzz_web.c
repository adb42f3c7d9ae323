/*
 * What a browser, or somebody who is none, sends to the web end from the first byte of a connection
 * on. As in fuzz_http.c the connection is a pair of sockets that the server is handed when it runs.
 *
 * Broken when a page for who is signed in is written for anybody else, a field is not clean, or an
 * answer is no HTTP or lacks the content policy.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/utf8.h"
#include "web/page.h"
#include "web/web.h"

#define ROUNDS_MAX 50

static void check_request(const struct web_request *request)
{
	MUST(request->path[0] == '/');
	for (size_t i = 0; i < request->n_fields; i++)
		MUST(utf8_is_clean(request->fields[i].name, strlen(request->fields[i].name)) &&
		     utf8_is_clean(request->fields[i].value, strlen(request->fields[i].value)));
}

static void serve_open(void *user, const struct web_request *request,
		       struct web_response *response)
{
	(void)user;
	check_request(request);
	MUST(request->user == NULL);
	page_begin(request, response, "Open", web_field(request, "q"), NULL);
	html_lines(&response->body, request->parts[0]);
	page_end(request, response);
}

static void serve_closed(void *user, const struct web_request *request,
			 struct web_response *response)
{
	(void)user;
	(void)request;
	(void)response;
	MUST(!"nobody can be signed in");
}

static void hear_closed(void *user, const struct web_request *request, uint64_t *cursor,
			struct html *out)
{
	(void)cursor;
	(void)out;
	serve_closed(user, request, NULL);
}

static void hear_open(void *user, const struct web_request *request, uint64_t *cursor,
		      struct html *out)
{
	(void)user;
	check_request(request);
	if (*cursor == UINT64_MAX || *cursor >= 1000)
		*cursor = 0;
	else
		++*cursor;
	if (*cursor < 1000)
		html_add(out, "id: %llu\ndata: x\n\n", (unsigned long long)*cursor);
}

static struct web *open_server(void)
{
	static const char *const roles[] = { "duty", NULL };
	static const struct web_route routes[] = {
		{ .method = "GET", .path = "/open/:", .roles = WEB_ANYBODY, .serve = serve_open },
		{ .method = "POST", .path = "/open", .roles = WEB_ANYBODY, .serve = serve_closed },
		{ .method = "GET", .path = "/closed", .roles = 1, .serve = serve_closed },
		{ .method = "POST", .path = "/closed", .roles = 1, .serve = serve_closed },
		{ .method = "GET", .path = "/hear", .roles = WEB_ANYBODY, .stream = hear_open },
		{ .method = "GET", .path = "/heard", .roles = 1, .stream = hear_closed },
	};
	static struct web_site site = { .name = "Fuzz", .role_words = roles, .routes = routes };
	static char path[512];
	struct message message = { "" };
	struct web *web = NULL;

	site.n_routes = sizeof(routes) / sizeof(*routes);
	fuzz_write("users", "ttg-users v1\n", 13);
	fuzz_path("users", path, sizeof(path));
	const struct web_options options = { .listen = "127.0.0.1",
					     .users_file = path,
					     .session_minutes = 30 };
	MUST(web_open(&web, &options, &site, &message) == TTG_OK);
	return web;
}

/* The server's end of the pair, until it takes it. */
static int *to_hand_over(void)
{
	static int fd = -1;

	return &fd;
}

enum MHD_Result __real_MHD_run(struct MHD_Daemon *daemon);
enum MHD_Result __wrap_MHD_run(struct MHD_Daemon *daemon);

enum MHD_Result __wrap_MHD_run(struct MHD_Daemon *daemon)
{
	const struct sockaddr_in from = { .sin_family = AF_INET,
					  .sin_port = htons(1024),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int *fd = to_hand_over();

	if (*fd >= 0)
		MUST(MHD_add_connection(daemon, *fd, (const struct sockaddr *)&from,
					sizeof(from)) == MHD_YES);
	*fd = -1;
	return __real_MHD_run(daemon);
}

/* Answers that we write; the library's own to what is no HTTP have little in them. */
static void check_answer(const char *answer, size_t len)
{
	MUST(len < 5 || memcmp(answer, "HTTP/", 5) == 0);
	if (len >= 12 && memcmp(answer + 9, "200", 3) == 0)
		MUST(memmem(answer, len, "default-src 'none'", 18) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct web *web; /* listens from the first input on */
	char answer[8192];
	size_t got = 0;
	int ends[2];

	if (!web)
		web = open_server();
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	*to_hand_over() = ends[1];
	ssize_t n = send(ends[0], data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)n;
	shutdown(ends[0], SHUT_WR);
	for (int i = 0; i < ROUNDS_MAX; i++) {
		web_run(web);
		n = recv(ends[0], answer + got, sizeof(answer) - got, MSG_DONTWAIT);
		if (n == 0)
			break;
		got += n > 0 ? (size_t)n : 0;
	}
	check_answer(answer, got);
	close(ends[0]);
	for (int i = 0; i < 3; i++) { /* a stream finds out by writing */
		web_wake(web);
		web_run(web);
	}
	return 0;
}
