/*
 * What the extracts said last, in SQLite: one row for every entry ever seen, so that the next
 * extract can be compared with it. Changes stand in one transaction from state_begin() to
 * state_commit(), which the frame calls when the events they gave are durable; a crash before it
 * leaves the state as it was and the extract is compared again, with the same result.
 *
 * The file holds personal data and lies in the adapter's state directory (mode 0700).
 */
#ifndef ADAPTERS_PRISON_STATE_H
#define ADAPTERS_PRISON_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/message.h"

struct state;

/* One entry; texts are valid during the callback only, or until the next call. */
struct state_entry {
	const char *key;
	const char *scope;  /* prison the entry belongs to */
	const char *values; /* canonical JSON */
	int64_t revision;   /* counts the changes of the entry from 1 */
	bool present;       /* false: it vanished, or was cancelled */
};

/* TTG_ESYS, TTG_ECORRUPT, TTG_ELOCKED, TTG_EVERSION. */
enum ttg_error state_open(struct state **out, const char *path, struct message *message);
void state_close(struct state **state);

enum ttg_error state_begin(struct state *state, struct message *message);
enum ttg_error state_commit(struct state *state, struct message *message);
void state_rollback(struct state *state);

/* TTG_ENOENT: never seen. */
enum ttg_error state_get(struct state *state, const char *extract, const char *key,
                         struct state_entry *out, struct message *message);
enum ttg_error state_put(struct state *state, const char *extract, const struct state_entry *entry,
                         int64_t seen_ns, struct message *message);

/* Calls each(arg, entry) for every entry that is present, in the order of keys. */
enum ttg_error state_each(struct state *state, const char *extract,
                          enum ttg_error (*each)(void *arg, const struct state_entry *entry),
                          void *arg, struct message *message);

#endif
