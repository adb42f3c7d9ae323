/*
 * What a client of the adapters' HTTP intake sends, from the first byte of its connection on. The
 * connection is a pair of sockets that the server is handed when it runs (--wrap at link time): of
 * real ones a run of millions uses up the ports.
 *
 * Broken when a document is handed over without the token, is longer than allowed, or came under a
 * form that was not asked for; or an answer is no HTTP.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "common/http_intake.h"

#define TOKEN "0123456789abcdef-token"
#define BODY_MAX 1024
#define ROUNDS_MAX 50

struct talk {
	struct http_intake *intake;
	bool knows_token;
};

static void on_document(void *user, const struct document *document, struct http_reply *reply)
{
	const struct talk *talk = user;

	MUST(talk->knows_token);
	MUST(document->len <= BODY_MAX && document->bytes[document->len] == '\0');
	MUST(document->form == DOCUMENT_JSON || document->form == DOCUMENT_CSV);
	*reply = (struct http_reply){ .status = 202, .events = 1 };
}

static void on_refused(void *user, unsigned status)
{
	(void)user;
	MUST(status >= 400 && status < 600);
}

static int64_t now_ns(void *user)
{
	(void)user;
	return 1;
}

static void open_intake(struct talk *talk)
{
	static char path[512];
	struct message message = { "" };

	fuzz_write("token", TOKEN "\n", sizeof(TOKEN));
	fuzz_path("token", path, sizeof(path));
	const struct http_options options = { .listen = "127.0.0.1",
					      .max_body_bytes = BODY_MAX,
					      .token_file = path,
					      .tls_cert_file = "",
					      .tls_key_file = "",
					      .tls_client_ca_file = "",
					      .takes_json = true,
					      .takes_csv = true,
					      .user = talk,
					      .on_document = on_document,
					      .on_refused = on_refused,
					      .now_ns = now_ns };
	MUST(http_intake_open(&talk->intake, &options, &message) == TTG_OK);
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

static int connect_to_intake(void)
{
	int ends[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	*to_hand_over() = ends[1];
	return ends[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct talk talk; /* listens from the first input on */
	char answer[4096];
	size_t got = 0;

	if (!talk.intake)
		open_intake(&talk);
	talk.knows_token = memmem(data, len, TOKEN, sizeof(TOKEN) - 1) != NULL;
	const int fd = connect_to_intake();
	ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)n;
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < ROUNDS_MAX; i++) {
		http_intake_run(talk.intake);
		n = recv(fd, answer + got, sizeof(answer) - got, MSG_DONTWAIT);
		if (n == 0)
			break;
		got += n > 0 ? (size_t)n : 0;
	}
	MUST(got < 5 || memcmp(answer, "HTTP/", 5) == 0);
	close(fd);
	http_intake_run(talk.intake);
	return 0;
}
