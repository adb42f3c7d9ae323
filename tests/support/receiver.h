/*
 * An HTTP server that takes what is pushed to it, in a thread of the test process: it remembers
 * every request, and answers as the test wants.
 */
#ifndef TTG_TEST_RECEIVER_H
#define TTG_TEST_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>

#define RECEIVER_SILENT 0 /* instead of a status: no answer at all */
#define RECEIVER_MAX    10000

struct receiver;

struct receiver_request {
	char id[64];        /* Webhook-Id */
	char timestamp[24]; /* Webhook-Timestamp */
	char signature[80];
	char type[64]; /* Content-Type */
	int status;    /* answered */
	char *body;    /* owned by the receiver, until it is closed */
};

/* Listens on the loopback from now on and answers 204. */
struct receiver *must_open_receiver(void);
void receiver_close(struct receiver **receiver);
int receiver_port(const struct receiver *receiver);

/* What everybody gets from now on; headers: complete lines, or NULL. */
void receiver_answer(struct receiver *receiver, int status, const char *headers);
/* What the next n requests get instead. */
void receiver_answer_next(struct receiver *receiver, unsigned n, int status);
/* What those get whose body holds the text; NULL: nobody. A literal. */
void receiver_answer_those(struct receiver *receiver, const char *text, int status);

size_t receiver_count(struct receiver *receiver);
/* One of them, by its index from 0. */
struct receiver_request receiver_get(struct receiver *receiver, size_t index);
/* How many were answered with this status. */
size_t receiver_count_status(struct receiver *receiver, int status);

#endif
