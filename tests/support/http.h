/*
 * A small HTTP client for loopback: metrics, health, and the adapters' intake.
 */
#ifndef TTG_TEST_HTTP_H
#define TTG_TEST_HTTP_H

#include <stddef.h>
#include <stdint.h>

struct http_answer {
	int status; /* 0: nobody answered */
	char *body; /* text, owned by the caller */
};

/* One request; headers: whole lines each ended by \r\n, or NULL; body may be NULL. */
struct http_answer http_ask(int port, const char *method, const char *path, const char *headers,
			    const char *body, size_t body_bytes);

/* Value of one line of the broker's metrics, name with its labels; -1 when it is not there. */
double must_read_metric(int port, const char *name);

/* Waits until the metric is at least this. Fails the test otherwise. */
void must_reach_metric(int port, const char *name, double least);

#endif
