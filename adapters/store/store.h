/*
 * A case store: every event its agency was delivered, and what became of every event it
 * published (store/published.h), and the alerts among them (store/alert.h), in one SQLite file or
 * in a PostgreSQL database. Tables, columns and their meaning are the same in both, and so is what
 * is promised here.
 *
 * Exactly once: an event's row, the note that it came through a mailbox, and the mailbox's position
 * go in one transaction; the caller acknowledges only after store_commit() returned TTG_OK.
 * Whatever is cut short between the two is delivered again and found to be here already
 * (STORE_KNOWN).
 *
 * One thread of one process writes; others that would wait for it, and then give up (TTG_ETIMEOUT).
 * Another process may read meanwhile. Messages never hold what is stored.
 *
 * A store that fails stays failed: close it. What a server that goes away cut off is delivered
 * again, like what a crash cut off.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/client.h>
#include "base/message.h"

#define STORE_SCHEMA_VERSION 3
#define STORE_MAILBOX_MAX    65 /* "agency/box", 32 bytes each */
#define STORE_USER_MAX       64 /* bytes of the name of who acknowledged */
#define STORE_UNKNOWN        INT64_C(-1)

struct store;

enum store_verdict {
	STORE_NEW = 0,   /* kept now */
	STORE_KNOWN = 1, /* was here already: nothing new to tell anybody */
};

/* Where a store is: either path or postgres is given, the other is NULL or "". */
struct store_place {
	const char *path;          /* SQLite's file, made if missing (mode 0600) */
	const char *postgres;      /* libpq's connection string, without a password */
	const char *password_file; /* with postgres, mode 0600; NULL or "": libpq's own ways */
};

/*
 * What can be wrong with a place before anything is opened. TTG_EFORMAT (neither or both of path
 * and postgres, a string that libpq does not understand or with a password in it), TTG_EPERM
 * (others may read the password), TTG_ENOENT, TTG_ENOMEM.
 */
enum ttg_error store_check(const struct store_place *place, struct message *message);

/*
 * Opens the store and brings its schema up to date. TTG_EVERSION when a newer program wrote it;
 * TTG_EIO (the server does not answer, too), TTG_ENOENT (it has no such database), TTG_EPERM,
 * TTG_ETIMEOUT, TTG_ECORRUPT, TTG_ENOSPC, TTG_ENOMEM, and those of store_check().
 */
enum ttg_error store_open(struct store **out, const struct store_place *place,
                          struct message *message);
/* The same for reading beside the running service; TTG_ENOENT when it is not there yet. */
enum ttg_error store_open_reader(struct store **out, const struct store_place *place,
                                 struct message *message);
/*
 * The same for a program beside the service that also acknowledges alerts (store/alert.h) and
 * writes nothing else. The schema is the service's to change: TTG_EVERSION, too, when it has not
 * brought it up to ours yet; trying again later helps.
 */
enum ttg_error store_open_desk(struct store **out, const struct store_place *place,
                               struct message *message);
/* Uncommitted work is lost, as after a crash. */
void store_close(struct store **store);

/*
 * Adds one delivery to the open transaction, beginning one when there is none. TTG_EFORMAT when the
 * bytes are no event, its id is not 16 bytes or its type or source no clean text (the transaction
 * goes on without it); otherwise as store_commit().
 */
enum ttg_error store_add(struct store *store, const struct ttg_delivery *delivery,
                         int64_t received_ns, enum store_verdict *verdict, struct message *message);
/*
 * Makes everything added durable. On TTG_ENOSPC, TTG_EIO, TTG_ECORRUPT, TTG_ENOMEM, TTG_EPERM or
 * TTG_ETIMEOUT (another process holds it, or the server does not answer) acknowledge none: nothing
 * of the transaction is kept, or, when the server went away just then, nobody knows yet.
 */
enum ttg_error store_commit(struct store *store, struct message *message);
/* Forgets the open transaction. */
void store_rollback(struct store *store);

/* Highest position kept for the mailbox, 0 when none. */
enum ttg_error store_position(struct store *store, const char *mailbox, uint64_t *position,
                              struct message *message);
/* Events kept, whatever mailboxes they came through. */
enum ttg_error store_count(struct store *store, uint64_t *events, struct message *message);

/* One row. What it points to is good during the call that shows it. */
struct store_event {
	uint64_t change; /* see store_each_since(); 0 from store_each() */
	uint8_t id[16];
	const char *type;
	const uint8_t *encoded; /* an encoded ttg.Event, as kept */
	size_t encoded_bytes;
	int64_t kept_ns; /* accepted by the broker; of ours: published */
	bool published;  /* by us */

	/* Of what was delivered. */
	const char *mailbox;       /* it first came through; NULL: published here */
	int64_t received_ns;       /* first; 0: published here */
	const uint8_t *person_key; /* TTG_PERSON_KEY_BYTES, or NULL: about nobody, or ours */
	bool redacted;             /* we were not granted all of it */

	/* Of what we published. */
	bool answered;        /* by the broker; false: the rest is zeros and unknown */
	enum ttg_error code;  /* TTG_OK or a refusal */
	uint64_t sequence;    /* it was accepted under */
	const char *text;     /* why it was refused; "" */
	int64_t delivered;    /* recipients it was given to, or STORE_UNKNOWN */
	int64_t acknowledged; /* of those, that acknowledged it, or STORE_UNKNOWN */
};

/* False: enough. Must not use the store. */
typedef bool store_event_fn(void *arg, const struct store_event *event);

/*
 * Every event once, in the order of kept_ns, then id: as of now, whatever is written meanwhile, and
 * one at a time in memory. One that was published here and came back counts as published; those of
 * ours that were refused are left out.
 */
enum ttg_error store_each(struct store *store, store_event_fn *each, void *arg,
                          struct message *message);

/*
 * Every row whose change is above `after`, in the order of change; otherwise as store_each(), but
 * those of ours that were refused are shown, with their code. Change numbers count up over
 * everything kept, with gaps, in the order in which it became visible. A row that is completed (the
 * fuller bytes of a wider grant) or answered gets a new one and so is shown again, under the same
 * id; a new count of recipients gives none.
 */
enum ttg_error store_each_since(struct store *store, uint64_t after, store_event_fn *each,
                                void *arg, struct message *message);
/* The highest change, 0 when nothing is kept. Cheap: may be asked several times a second. */
enum ttg_error store_last_change(struct store *store, uint64_t *change, struct message *message);
/* One event; what is both delivered and ours is shown as store_each_since() does. TTG_ENOENT. */
enum ttg_error store_find_event(struct store *store, const uint8_t id[16], store_event_fn *each,
                                void *arg, struct message *message);

#endif
