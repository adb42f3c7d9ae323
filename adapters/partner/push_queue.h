/*
 * What is still to be pushed, and what was given up: a file for each event in a folder of the state
 * directory, so that a crash forgets nothing.
 *
 *     push/<order>-<id>.json                                 not tried yet
 *     push/<order>-<id>.<attempts>.<first>.<status>.json     tried, first at <first> (Unix seconds)
 *     push/dead/<as above>                                   given up
 *
 * <order> is the broker's time of acceptance, 20 digits, so that names sort as events came. The
 * file holds the body that is sent. At most PUSH_KNOWN_MAX are known at a time, the first by name;
 * those behind them are found when there is room. One thread; the command `dead` only renames and
 * removes files beside it.
 */
#ifndef PARTNER_PUSH_QUEUE_H
#define PARTNER_PUSH_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/client.h>
#include <ttg/event.h>
#include "base/message.h"
#include "base/world.h"

#define PUSH_KNOWN_MAX  2000
#define PUSH_NAME_BYTES 112
#define PUSH_BODY_MAX   (16u << 20)
#define PUSH_FOLDER     "push" /* in the state directory */

/* What a file's name says. */
struct push_name {
	int64_t order_ns;
	char id[TTG_UUID_TEXT];
	unsigned attempts;
	int64_t first_s; /* of the first attempt; 0: none yet */
	long status;     /* of the last answer; 0: none */
};

struct push_item {
	struct push_name name;
	bool has_person;
	uint8_t person[TTG_PERSON_KEY_BYTES];
	bool sending;
	int64_t next_ms; /* of the monotonic clock; not before */
};

struct push_queue;

void push_name_format(const struct push_name *name, char out[PUSH_NAME_BYTES]);
bool push_name_parse(const char *text, struct push_name *out);

/* dir: of the state. Makes the folders where missing and finds what is there. TTG_ESYS, TTG_ENOMEM. */
enum ttg_error push_queue_open(struct push_queue **out, const struct world *world, const char *dir,
                               struct message *message);
void push_queue_close(struct push_queue **queue);

/* Keeps a body, durable when it returns; one with the same name is replaced. TTG_ENOSPC, TTG_EIO,
 * TTG_ENOMEM. */
enum ttg_error push_queue_put(struct push_queue *queue, const struct push_name *name,
                              const uint8_t *person_key, const char *body, struct message *message);

/* Looks for files that came or went by other hands. */
enum ttg_error push_queue_scan(struct push_queue *queue, struct message *message);

/*
 * The first that may be sent now: its time has come, and nothing earlier about the same person
 * waits or is being sent. NULL: none; *wait_ms is then until one may be, -1: not by waiting.
 */
struct push_item *push_queue_next(struct push_queue *queue, int64_t now_ms, int64_t *wait_ms);

/* Its body, malloc'd. TTG_ENOENT: somebody removed it; forget it. */
enum ttg_error push_queue_read(const struct push_queue *queue, const struct push_item *item,
                               char **body, size_t *len);

/* What became of an item. It is gone after the first two. A file that cannot be moved is an error. */
enum ttg_error push_queue_done(struct push_queue *queue, struct push_item *item,
                               struct message *message);
enum ttg_error push_queue_bury(struct push_queue *queue, struct push_item *item,
                               const struct push_name *now, struct message *message);
enum ttg_error push_queue_again(struct push_queue *queue, struct push_item *item,
                                const struct push_name *now, int64_t next_ms,
                                struct message *message);

size_t push_queue_waiting(const struct push_queue *queue);
size_t push_queue_dead(const struct push_queue *queue); /* both as of the last scan, and since */

#endif
