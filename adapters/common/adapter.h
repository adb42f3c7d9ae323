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

#include "common/config.h"
#include "common/intake.h"

/* Exit status of every adapter; the manual lists them. */
enum adapter_exit {
	ADAPTER_FINE = 0,
	ADAPTER_FAILED = 1, /* a runtime error; nothing durable is lost */
	ADAPTER_USAGE = 2,  /* command line or configuration */
};

/* What a reader knows of the frame. */
struct adapter_context {
	const char *agency;
	const char *state_dir;
};

struct adapter_kind {
	const char *program; /* "ttg-prison" */
	const char *summary; /* one line for --help */
	const struct config_option *options;
	size_t n_options;
	size_t settings_bytes; /* of the object the options' offsets are in */
	bool takes_json, takes_xml, takes_csv;
	const char *const *receives; /* types written to out_dir; ends with NULL */

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
};

/* main() of an adapter. Returns the exit status. */
int adapter_main(const struct adapter_kind *kind, int argc, char **argv);

#endif
