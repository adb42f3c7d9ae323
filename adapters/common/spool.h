/*
 * A spool directory: other systems put files in, the adapter takes them in the order of their
 * names and moves each to done/ or failed/ when what was in it is durable elsewhere.
 *
 * Taken are regular files that are not links, whose names do not begin with "." nor end in ".tmp"
 * or ".part", and that nobody has open for writing. Files that were there before (at the start, or
 * when notices were lost) are taken once they are SPOOL_SETTLE_MS old; those behind them by name wait.
 * A file larger than the bound goes to failed/ unread. Nothing is ever deleted but what lies in
 * done/ beyond its time.
 *
 * Crash: a file is in exactly one of the three places, since it only ever moves by rename; a
 * reason file is written before the file it explains moves. A crash between outbox and move makes
 * the file be read again, which is harmless because ids come from what the events mean.
 *
 * Owned by the adapter's only thread. A directory that cannot be read or written is an error that
 * ends the adapter; the files stay where they are.
 */
#ifndef ADAPTERS_COMMON_SPOOL_H
#define ADAPTERS_COMMON_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/message.h"
#include "base/world.h"

#define SPOOL_NAME_BYTES 200    /* longer names are refused: suffixes must fit behind them */
#define SPOOL_NAMES_MAX  100000 /* known at a time; further ones are found by the next scan */
#define SPOOL_SETTLE_MS  1000

struct spool;

struct spool_file {
	char name[SPOOL_NAME_BYTES + 1];
	int64_t modified_ns;
	char *bytes; /* owned; a NUL stands behind the last */
	size_t len;
};

/* Makes dir, done/ and failed/ where missing. TTG_ESYS, TTG_ENOMEM. */
enum ttg_error spool_open(struct spool **out, const struct world *world, const char *dir,
                          size_t max_bytes, struct message *message);
void spool_close(struct spool **spool);

/* Readable when spool_notice() has something to read. */
int spool_fd(const struct spool *spool);
enum ttg_error spool_notice(struct spool *spool, struct message *message);

/* Looks through the directory again at the next spool_next(). */
void spool_rescan(struct spool *spool);

/* Milliseconds until spool_next() may find something without a notice; -1: only by notice. */
int spool_wait_ms(const struct spool *spool);

/*
 * The next file. TTG_EAGAIN: none is ready. TTG_ELIMIT: one was too large and is in failed/ now,
 * call again. TTG_ESYS, TTG_EIO, TTG_ENOMEM.
 */
enum ttg_error spool_next(struct spool *spool, struct spool_file *out, struct message *message);
void spool_file_fini(struct spool_file *file);

/* Links, folders and the like that were passed over so far. */
uint64_t spool_skipped(const struct spool *spool);

/* Settle a file. TTG_EIO when it cannot be made durable. */
enum ttg_error spool_done(struct spool *spool, const char *name, struct message *message);
enum ttg_error spool_failed(struct spool *spool, const char *name, const char *reason,
                            struct message *message);
/* Keeps the bad part beside its reason in failed/, the file itself goes to done/. */
enum ttg_error spool_partly(struct spool *spool, const char *name, const char *rejected,
                            size_t rejected_len, const char *reason, struct message *message);

/* Deletes files of done/ that were settled before the instant; at most 1,000 a call. */
void spool_prune(struct spool *spool, int64_t before_ns);

#endif
