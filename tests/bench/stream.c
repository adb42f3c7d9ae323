/*
 * TLS by OpenSSL, without waiting but for a full socket, and for that not long: a broker that does not
 * read must not stop the clock of the others. Owner: the program's only thread.
 */
#include "bench/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536
#define FULL_MS 50
#define COMMAND_MAX (BENCH_PATH * 4)

void stream_make_certificate(const struct bench *bench)
{
	char command[COMMAND_MAX];

	bench_write(bench, "tls/README", "Made for one measurement.\n");
	snprintf(command, sizeof(command),
		 "cd '%s/tls' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		 "-keyout key.pem -out cert.pem -days 2 -subj /CN=127.0.0.1 "
		 "-addext subjectAltName=IP:127.0.0.1,DNS:localhost 2>/dev/null && chmod 644 key.pem",
		 bench->place);
	if (system(command) != 0)
		bench_die("openssl cannot make a certificate");
}

static bool wait_for(const struct stream *stream, short events)
{
	struct pollfd item = { .fd = stream->fd, .events = events };

	return poll(&item, 1, FULL_MS) > 0;
}

void stream_connect(struct stream *stream, const struct bench *bench)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)bench->port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int one = 1;

	*stream = (struct stream){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	if (stream->fd < 0 ||
	    connect(stream->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		bench_die("cannot connect: %s", strerror(errno));
	setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void stream_secure(struct stream *stream, const struct bench *bench)
{
	char path[BENCH_PATH + 16];

	snprintf(path, sizeof(path), "%s/tls/cert.pem", bench->place);
	stream->context = SSL_CTX_new(TLS_client_method());
	if (!stream->context || SSL_CTX_load_verify_locations(stream->context, path, NULL) != 1)
		bench_die("no certificate to trust");
	SSL_CTX_set_verify(stream->context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(stream->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
						  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	stream->ssl = SSL_new(stream->context);
	if (!stream->ssl || SSL_set_fd(stream->ssl, stream->fd) != 1 ||
	    SSL_connect(stream->ssl) != 1)
		bench_die("the TLS greeting failed");
	fcntl(stream->fd, F_SETFL, O_NONBLOCK);
}

void stream_open(struct stream *stream, const struct bench *bench)
{
	stream_connect(stream, bench);
	stream_secure(stream, bench);
}

void stream_close(struct stream *stream)
{
	SSL_free(stream->ssl);
	SSL_CTX_free(stream->context);
	close(stream->fd);
	free(stream->in);
	free(stream->out);
	*stream = (struct stream){ .fd = -1 };
}

static void reserve(uint8_t **buffer, size_t *room, size_t wanted)
{
	size_t more = *room ? *room : READ_BYTES;

	if (wanted <= *room)
		return;
	while (more < wanted)
		more *= 2;
	*buffer = realloc(*buffer, more);
	if (!*buffer)
		bench_die("no memory");
	*room = more;
}

void stream_put(struct stream *stream, const void *data, size_t len)
{
	reserve(&stream->out, &stream->out_room, stream->out_bytes + len);
	memcpy(stream->out + stream->out_bytes, data, len);
	stream->out_bytes += len;
}

void stream_print(struct stream *stream, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	int len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (len < 0 || (size_t)len >= sizeof(text))
		bench_die("a command is too long");
	stream_put(stream, text, (size_t)len);
}

void stream_flush(struct stream *stream)
{
	size_t sent = 0;

	while (sent < stream->out_bytes) {
		size_t n = 0;

		if (SSL_write_ex(stream->ssl, stream->out + sent, stream->out_bytes - sent, &n) == 1) {
			sent += n;
			continue;
		}
		int why = SSL_get_error(stream->ssl, 0);
		if (why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_WANT_READ)
			bench_die("a connection was lost while writing");
		if (!wait_for(stream, why == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN))
			break;
	}
	stream->out_bytes -= sent;
	memmove(stream->out, stream->out + sent, stream->out_bytes);
}

bool stream_fill(struct stream *stream)
{
	bool any = false;

	for (;;) {
		size_t n = 0;

		reserve(&stream->in, &stream->in_room, stream->in_bytes + READ_BYTES);
		if (SSL_read_ex(stream->ssl, stream->in + stream->in_bytes, READ_BYTES, &n) != 1) {
			int why = SSL_get_error(stream->ssl, 0);

			if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
				bench_die("a connection was lost while reading");
			return any;
		}
		stream->in_bytes += n;
		any = true;
	}
}

void stream_take(struct stream *stream, size_t len)
{
	stream->in_bytes -= len;
	memmove(stream->in, stream->in + len, stream->in_bytes);
}
