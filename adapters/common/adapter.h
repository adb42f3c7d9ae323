/*
 * The frame every adapter stands in: command line, configuration, signals, the loop over broker,
 * spool and HTTP, counters, and what is received. An adapter adds a reader of documents and a list
 * of the types it writes to its out directory.
 *
 * One process, one thread. A document's way: read (pure) -> all its events durable in the outbox
 * -> the reader's own state committed -> the file moved, or the HTTP request answered. A crash
 * between any two of these makes the document be read again, with the same ids.
 */
#ifndef ADAPTERS_COMMON_ADAPTER_H
#define ADAPTERS_COMMON_ADAPTER_H

#include <ttg/client.h>
#include "common/adapter_context.h"
#include "common/adapter_end.h"
#include "common/config.h"
#include "common/counters.h"
#include "common/intake.h"

#define ADAPTER_ID_BYTES 16 /* of an event */

/* Exit status of every adapter; the manual lists them. */
enum adapter_exit {
	ADAPTER_FINE = 0,
	ADAPTER_FAILED = 1, /* a runtime error; nothing durable is lost */
	ADAPTER_USAGE = 2,  /* command line or configuration */
};

/*
 * An adapter that keeps what it receives in a store of its own instead of writing files to
 * out_dir. A delivery's way: keep() -> commit(), durable -> acknowledged. Called by the loop's
 * thread with the reader's self; an error other than those named ends the adapter with nothing of
 * the open batch acknowledged.
 */
struct adapter_keeper {
	/* Name of the mailbox to attach, by its index from 0; NULL after the last. */
	const char *(*mailbox)(void *self, size_t index);

	/* Takes one delivery. TTG_EFORMAT: it cannot be read and is refused, the rest goes on. */
	enum ttg_error (*keep)(void *self, const struct ttg_delivery *delivery,
	                       struct message *message);

	/* Makes everything taken since the last call durable. */
	enum ttg_error (*commit)(void *self, struct message *message);

	/* The broker's final answer to an event this agency published. May be NULL. */
	enum ttg_error (*answered)(void *self, const struct ttg_outcome *outcome,
	                           struct message *message);

	/*
	 * For deliveries that are not acknowledged as soon as they are durable, because a person
	 * has to see them first: whether there are any. NULL: no, and the next three are not
	 * called.
	 */
	bool (*may_hold)(void *self);

	/* Whether what keep() took last is to be held, and under which event's id. */
	bool (*holds)(void *self, uint8_t id[ADAPTER_ID_BYTES]);

	/*
	 * At most max of those that need not be held any more, durably so, each told once. Asked
	 * twice a second, between batches.
	 */
	enum ttg_error (*released)(void *self, uint8_t (*ids)[ADAPTER_ID_BYTES], size_t max,
	                           size_t *n, struct message *message);

	/* Too many are held: this one is not any more, durably so. */
	enum ttg_error (*gives_up)(void *self, const uint8_t id[ADAPTER_ID_BYTES],
	                           struct message *message);

	/*
	 * At most max events this agency published of which it wants to know how many recipients
	 * acknowledged them; n 0: none now. NULL: never, and the next is not called.
	 */
	enum ttg_error (*asks)(void *self, uint8_t (*ids)[ADAPTER_ID_BYTES], size_t max, size_t *n,
	                       struct message *message);

	/* The answer for one of them, durable with commit(). changed: it was another before. */
	enum ttg_error (*told)(void *self, const struct ttg_event_state *state, bool *changed,
	                       struct message *message);
};

struct adapter_kind {
	const char *program; /* "ttg-prison" */
	const char *summary; /* one line for --help */
	const struct config_option *options;
	size_t n_options;
	size_t settings_bytes; /* of the object the options' offsets are in */
	bool takes_json, takes_xml, takes_csv;
	const char *const *receives; /* types written to out_dir; ends with NULL; may be NULL */
	const struct adapter_keeper *keeper; /* NULL: deliveries go to out_dir */
	const char *more_help;               /* further lines for --help; may be NULL */
	const struct adapter_end *ends;      /* n_ends of them, ADAPTER_ENDS_MAX at most */
	size_t n_ends;

	/* What the table of options cannot say of the settings. May be NULL. Opens nothing. */
	enum ttg_error (*check)(const void *settings, struct message *message);

	/* What the kind's settings ask of the frame's. May be NULL. Opens nothing. */
	enum ttg_error (*check_context)(const void *settings, const struct adapter_context *context,
	                                struct message *message);

	/* Both pointers stay valid until close(). */
	enum ttg_error (*open)(void **self, const struct adapter_context *context,
	                       const void *settings, struct message *message);
	void (*close)(void *self);

	/*
	 * Fills the intake. Anything but TTG_OK means that the document could not be looked at
	 * (memory, disk) and stays; what is wrong with the document itself goes into the intake.
	 */
	enum ttg_error (*read)(void *self, const struct document *document, struct intake *intake,
	                       struct message *message);

	/*
	 * After the last event of a document is durable (durable), or after the document was
	 * refused (not durable): keep or drop what read() learnt. May be NULL.
	 */
	enum ttg_error (*settle)(void *self, bool durable, struct message *message);

	/* Numbers of the kind's own for status.json, by counters_set(). May be NULL. */
	void (*count)(void *self, struct counters *counters);
};

/* Where a document of an agency's own systems goes, for a program beside the running adapter. */
struct adapter_places {
	char agency[CONFIG_TEXT_BYTES];
	char state_dir[CONFIG_TEXT_BYTES];
	char spool_dir[CONFIG_TEXT_BYTES]; /* "": none */
	size_t spool_max_bytes;
};

/*
 * Loads and checks the configuration as adapter_main() does. settings: zeros, becomes the kind's
 * own (settings_bytes). TTG_ENOENT, TTG_EFORMAT, TTG_ENOMEM, and those of the kind's check().
 */
enum ttg_error adapter_find_places(const struct adapter_kind *kind, const char *config,
                                   struct adapter_places *out, void *settings,
                                   struct message *message);

/* main() of an adapter. Returns the exit status. */
int adapter_main(const struct adapter_kind *kind, int argc, char **argv);

#endif
