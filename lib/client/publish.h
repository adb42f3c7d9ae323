/*
 * Events on their way to the broker: a queue in the order of the calls, a window of unanswered
 * Publish frames over its front, and the answers.
 *
 * An entry is QUEUED, SENT in a frame, or DONE. Entries are numbered for ever (`head` is the oldest
 * kept, `tail` the next to come); a frame remembers the numbers it carries, so that an answer finds
 * them whatever was queued meanwhile.
 */
#ifndef TTG_CLIENT_PUBLISH_H
#define TTG_CLIENT_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/client.h>
#include <ttg/proto/session.pb-c.h>
#include "client/outbox.h"

#define PUBLISH_MAX_WINDOW 256	 /* frames; what a broker announces is cut to it */
#define PUBLISH_MAX_EVENTS 16384 /* in one frame; likewise */
#define PUBLISH_MAX_EVENT_BYTES (1024u * 1024)
#define PUBLISH_MAX_MEMORY (256u * 1024 * 1024)

enum publish_state { PUBLISH_QUEUED = 0, PUBLISH_SENT = 1, PUBLISH_DONE = 2 };

struct publish_entry {
	uint8_t id[16];
	void *tag;
	uint8_t *event; /* malloc'd; NULL when it is on disk only, or DONE */
	uint32_t bytes;
	enum publish_state state;
	struct outbox_place place; /* with an outbox */
};

struct publish_frame {
	uint64_t number;   /* Publish.frame */
	size_t n;
	uint64_t *entries; /* numbers of entries, rising */
};

struct publisher {
	struct publish_entry *entries; /* ring, capacity a power of two */
	size_t capacity;
	uint64_t head, tail;
	uint64_t cursor;               /* nothing QUEUED below it */
	size_t open;                   /* not DONE */
	size_t in_memory, memory_bytes; /* entries with `event` set */
	size_t max_pending;

	struct publish_frame *frames;  /* PUBLISH_MAX_WINDOW, oldest first */
	size_t n_frames;
	uint64_t next_frame;
	uint64_t answered; /* newest frame an answer was read for */
	enum ttg_error no_receipts; /* why none come for the frame that is being answered */

	/* After a refusal that asks to try later: one event at a time, twice as many each time it
	   goes well, so that later events do not overtake the refused one. 0: no such limit. */
	uint32_t probe_events;
	uint32_t backoff_ms;
	int64_t resume_ns;
};

enum ttg_error publish_init(struct publisher *publisher, size_t max_pending);
void publish_fini(struct publisher *publisher);

/* Takes what an earlier process left in the outbox. TTG_ENOMEM. */
enum ttg_error publish_recover(struct ttg_client *client);

/* See ttg_client_publish_many(). */
enum ttg_error publish_take(struct ttg_client *client, const struct ttg_publish_item *items,
			    size_t n);

/* Sends what window and broker allow. */
void publish_flush(struct ttg_client *client);
/* An answer. False: the broker broke the protocol, *why says how. */
bool publish_answered(struct ttg_client *client, const Ttg__Published *published,
		      const char **why);
/* The session is gone: all unanswered entries are QUEUED again. */
void publish_rewind(struct publisher *publisher);

/* True when publish_flush() would send if the socket took it. */
bool publish_wants_to_send(const struct ttg_client *client);
int64_t publish_next_ns(const struct ttg_client *client);

#endif
