/*
 * A TLS connection to a broker on the loopback, for the drivers of peers whose protocol is written
 * by hand. Whatever goes wrong ends the program.
 */
#ifndef TTG_BENCH_STREAM_H
#define TTG_BENCH_STREAM_H

#include <openssl/ssl.h>
#include "bench/bench.h"

struct stream {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
	uint8_t *in, *out;
	size_t in_bytes, in_room, out_bytes, out_room;
};

/* Key and self-signed certificate of the broker: tls/key.pem and tls/cert.pem in the place. */
void stream_make_certificate(const struct bench *bench);

/* Both of the next; a protocol that greets before TLS does them by itself. */
void stream_open(struct stream *stream, const struct bench *bench);
void stream_connect(struct stream *stream, const struct bench *bench);
void stream_secure(struct stream *stream, const struct bench *bench);
void stream_close(struct stream *stream);
/* Queues; sent by the next flush. */
void stream_put(struct stream *stream, const void *data, size_t len);
__attribute__((format(printf, 2, 3))) void stream_print(struct stream *stream, const char *format,
							 ...);
/* Sends what is queued; what the broker does not take at once stays for the next flush. */
void stream_flush(struct stream *stream);
/* Appends what has arrived to `in`. False when there was nothing. */
bool stream_fill(struct stream *stream);
/* The first bytes of `in` are done with. */
void stream_take(struct stream *stream, size_t len);

#endif
