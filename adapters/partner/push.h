/*
 * Delivered events to a receiver of the agency's own, by HTTP POST, each as a signed CloudEvent.
 * docs/protocol.md tells what a receiver sees.
 *
 * At least once, in order for each person: an event that is tried again holds back those about the
 * same person that came after it, and nobody else's. What waits is on the disk (push_queue.h).
 * One thread, nothing blocks; libcurl looks up names in a thread of its own.
 */
#ifndef PARTNER_PUSH_H
#define PARTNER_PUSH_H

#include "base/log.h"
#include "partner/push_queue.h"
#include "partner/push_retry.h"

#define PUSH_PARALLEL      4 /* requests at a time */
#define PUSH_ANSWER_MAX    (64u << 10) /* of an answer's body, which is not looked at */
#define PUSH_RETRY_AFTER_S 86400

struct push_options {
	const char *url;
	const char *secret_file;
	const char *ca_file; /* "": the system's */
	const char *state_dir;
	int64_t timeout_ms; /* of one request */
	struct push_patience patience;
	struct log *log;
};

struct push;

/*
 * What can be wrong with the options before anything is opened: https, or http to this machine
 * only; no user or password in the URL. TTG_EFORMAT, and those of secret_file_read_line().
 */
enum ttg_error push_check(const struct push_options *options, struct message *message);

/* Options stay the caller's, and valid. Those of push_check() and push_queue_open(). */
enum ttg_error push_open(struct push **out, const struct push_options *options,
                         struct message *message);
/* What is under way is given up, and sent again by the next process. */
void push_close(struct push **push);

/* An event to be sent; durable when it returns. As push_queue_put(). */
enum ttg_error push_put(struct push *push, const Ttg__Event *event,
                        const struct ttg_delivery *delivery, struct message *message);

/* For the frame's loop, see struct adapter_end. */
int push_fd(const struct push *push);
int push_wait_ms(const struct push *push);
enum ttg_error push_run(struct push *push, struct message *message);

struct push_counts {
	uint64_t waiting, dead;
	uint64_t sent;   /* since the start */
	uint64_t failed; /* attempts */
	bool stopped;    /* the receiver said 410 */
};
struct push_counts push_count(const struct push *push);

#endif
