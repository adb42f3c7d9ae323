/*
 * What we published ourselves: kept before it goes out, then the broker's answer, and, of what it
 * accepted, to how many recipients it was given and how many acknowledged it. Part of a store, see
 * store.h. Written by the adapter.
 */
#ifndef STORE_PUBLISHED_H
#define STORE_PUBLISHED_H

#include "store/store.h"

#define STORE_TEXT_MAX 256 /* longest refusal text kept */

/* An event whose recipients all acknowledged it is asked for once more when it is this old: until
 * then it may be on its way to others. */
#define STORE_SETTLED_AFTER_S 60

/* The answer to one event this agency published. */
struct store_outcome {
	bool answered;       /* false: waits in the outbox; the rest is then 0 */
	enum ttg_error code; /* TTG_OK or a refusal */
	bool duplicate;
	uint64_t sequence;
	char text[STORE_TEXT_MAX];
};

/*
 * Keeps an event of our own before it goes out: part of the open transaction, as store_add(). Known
 * ids are left alone.
 */
enum ttg_error store_add_published(struct store *store, const uint8_t id[16], const char *type,
                                   const uint8_t *event, size_t event_bytes, int64_t now_ns,
                                   struct message *message);
/* Notes the broker's answer. Commits by itself; TTG_ENOENT when the id was never published here. */
enum ttg_error store_answer(struct store *store, const struct ttg_outcome *outcome, int64_t now_ns,
                            struct message *message);
/* TTG_ENOENT as above. */
enum ttg_error store_find_outcome(struct store *store, const uint8_t id[16],
                                  struct store_outcome *out, struct message *message);

/*
 * Ids of events that were accepted, published since, and not acknowledged by all that got them:
 * the newest, at most max.
 */
enum ttg_error store_find_unsettled(struct store *store, int64_t since_ns, uint8_t (*ids)[16],
                                    size_t max, size_t *n, struct message *message);

/*
 * Notes what the broker said. Part of the open transaction, as store_add(). changed: whether it was
 * not known before. An event that was not published here is left out, without an error.
 */
enum ttg_error store_add_state(struct store *store, const struct ttg_event_state *state,
                               int64_t now_ns, bool *changed, struct message *message);

#endif
