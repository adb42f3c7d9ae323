/*
 * The journal: the one place where the broker's memory survives. A sequence of records, numbered
 * from 1 without gaps, appended in batches, each batch durable as a whole.
 *
 * Contract, whatever implements it:
 *   - A record is one kind byte and up to JOURNAL_RECORD_MAX opaque bytes. Numbers are given out by
 *     journal_append() in order of the calls.
 *   - Nothing is durable until journal_durable() has reached its number. What was durable once is
 *     read back unchanged for ever, or until journal_retain() lets it go from the old end.
 *   - What was appended and never became durable may be gone after a crash, but only as a suffix:
 *     no record survives that follows one that did not.
 *   - Fail-stop: after the first failed write or sync journal_failure() is set for good, nothing
 *     becomes durable any more, and the broker must stop.
 *   - One writer: a second open for writing gets TTG_ELOCKED.
 * Nothing above this line may assume local files.
 *
 * The file implementation keeps segments seg-<first sequence, 16 hex digits>.ttj and snapshots
 * snap-<sequence>.tts in one directory; docs/formats.md draws every byte.
 *
 * Threads: append, durable, read, retain and snapshot calls belong to the thread that opened it
 * (the loop). With options.threaded a writer thread owns the segment file; they meet in two bounded
 * buffers and a wake-up. Without it journal_flush() writes and syncs inline: the simulator's way.
 */
#ifndef TTGD_JOURNAL_H
#define TTGD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/message.h"
#include "base/world.h"

#define JOURNAL_RECORD_MAX (1024u * 1024u) /* larger than any frame the session layer takes */
#define JOURNAL_KEY_BYTES  32
#define JOURNAL_HASH_BYTES 32 /* SHA-256 */
#define JOURNAL_ID_BYTES   16
#define JOURNAL_THREADS_MAX 8u /* that prove segments at the same time */

struct journal;
struct journal_reader;

enum journal_cipher {
	JOURNAL_AES_256_GCM = 1,
	JOURNAL_CHACHA20_POLY1305 = 2,
};

struct journal_options {
	const char *directory;          /* made 0700 when missing (its parent must exist) */
	uint8_t key[JOURNAL_KEY_BYTES]; /* master: segments' keys are derived (HKDF-SHA256). The caller
	                                   wipes it after the open */
	enum journal_cipher cipher;
	uint64_t segment_bytes; /* preallocated size of a segment: a multiple of 4096, 64 KiB
	                           (tests; 1 MiB and more in earnest) to 4 GiB */
	uint64_t max_bytes;     /* all segments together, the one made ahead included: two at least;
	                           0: no limit. The first one of a life may exceed it: journal_room() */
	uint64_t reserve_bytes; /* kept free on the disk; below it appends answer ENOSPC */
	size_t buffer_bytes;    /* staged and not yet durable, at most, 16 KiB and up. Half of it,
	                           and the inside of a segment, bounds what one append may hold */
	bool threaded; /* a thread to write, and one for each processor to prove at open */
	/* NULL; or gets, once at most, in the opening thread while others prove, what the next
	   journal_snapshot_load() gives or refuses: until then nothing bears it out. */
	void (*early)(void *arg, uint64_t sequence, const uint8_t *data, size_t len);
	void *early_arg;
};

struct journal_record {
	uint8_t kind; /* 1 to 255; the journal does not look at it */
	const uint8_t *data;
	size_t len;
};

struct journal_stats {
	uint64_t first_sequence; /* oldest record still held, 1 when empty */
	uint64_t next_sequence;
	uint64_t durable_sequence;
	uint64_t segments;
	uint64_t disk_bytes;
	uint64_t batches; /* since open */
	uint64_t syncs;
	uint64_t written_bytes;
	uint64_t sync_ns_total, sync_ns_max;
	size_t staged_bytes;
};

/*
 * Opens for writing, after proving every batch of every segment (CRC, hash chain, authenticated
 * decryption). Damage anywhere but in the unsynced tail of the last segment: TTG_ECORRUPT with
 * file, offset and reason in message, and nothing is changed on disk. TTG_ELOCKED, TTG_EIO,
 * TTG_ENOSPC, TTG_EPERM, TTG_ECRYPTO (wrong key), TTG_EVERSION.
 */
enum ttg_error journal_open(struct journal **out, const struct journal_options *options,
                            const struct world *world, struct message *message);
/* Flushes what is staged, seals the tail, closes. Safe on failure; then nothing more is written. */
void journal_close(struct journal **journal);

/*
 * Stages n records as one unit that is never split over two batches. *first gets the number of the
 * first. TTG_EAGAIN: buffer full, nothing staged, try after the next durable advance.
 * TTG_ENOSPC: max_bytes or reserve_bytes reached, nothing staged. TTG_EIO after a failure.
 * TTG_ELIMIT: can never be staged, a record over JOURNAL_RECORD_MAX or the unit over a batch;
 * TTG_EINVAL: n or a kind is 0. What was staged always has its place on disk already.
 */
enum ttg_error journal_append(struct journal *journal, const struct journal_record *records,
                              size_t n, uint64_t *first);

/* Hands what is staged to the writer: starts the next batch as soon as the one under way is done.
   Never waits (threaded), or writes and syncs inline (not threaded). */
enum ttg_error journal_flush(struct journal *journal);

/* Highest sequence that is durable. Cheap; exact at the moment of the call. */
uint64_t journal_durable(const struct journal *journal);
/* Readable after durable advanced or the journal failed; journal_wake_clear() before looking. */
int journal_wake_fd(const struct journal *journal);
void journal_wake_clear(struct journal *journal);
/* TTG_OK, or what ended it, with the reason in message. */
enum ttg_error journal_failure(const struct journal *journal, struct message *message);

/* Bytes that appends may still take inside max_bytes, reserve_bytes and the disk, about. A broker
   keeps some of it for the records that make room again (acknowledgements). Those may go on beyond
   it into the first segment of a life, which is made while all others are at most one segment over
   max_bytes: so a full journal can always be opened and emptied. */
uint64_t journal_room(struct journal *journal);
/* False: room for the next segment is being made, and an append would be told to come again. The descriptor
   wakes when it is there. True also when there is none to be had: then append says so. */
bool journal_has_place(struct journal *journal);
/* After TTG_ENOSPC: which limit is reached, what is in use, what is needed, what to do. Returns
   TTG_ENOSPC. */
enum ttg_error journal_explain_full(struct journal *journal, struct message *message);

/*
 * A record that is in memory: staged, under way, or among the newest durable ones. TTG_EAGAIN: is
 * not, use a reader; TTG_ENOENT: retained away. The bytes stay valid until the next call that
 * appends, flushes, reads or peeks. What is not durable yet must not leave the process.
 */
enum ttg_error journal_peek(struct journal *journal, uint64_t sequence, struct journal_record *out);

void journal_get_stats(const struct journal *journal, struct journal_stats *out);
/* Hash of the chain up to the last durable batch. */
void journal_chain_head(const struct journal *journal, uint8_t out[JOURNAL_HASH_BYTES]);
/* Random, made with the journal, and for ever its own. */
void journal_get_id(const struct journal *journal, uint8_t out[JOURNAL_ID_BYTES]);

/*
 * Reading, from any held sequence up to the durable one. Several readers may be open. The bytes of
 * a record stay valid until the next call on the same reader. TTG_EAGAIN: end of what is durable.
 * TTG_ENOENT: retained away. TTG_ECORRUPT, TTG_EIO. Reading on is sequential and cheap; a seek
 * costs finding the batch (each segment keeps a sparse index in memory).
 */
enum ttg_error journal_reader_open(struct journal_reader **out, struct journal *journal);
void journal_reader_close(struct journal_reader **reader);
enum ttg_error journal_reader_seek(struct journal_reader *reader, uint64_t sequence);
enum ttg_error journal_reader_next(struct journal_reader *reader, uint64_t *sequence,
                                   struct journal_record *out);
/* Of the batch that the record read last belongs to: its last sequence, the chain's hash behind it. */
void journal_reader_batch(const struct journal_reader *reader, uint64_t *last,
                          uint8_t chain[JOURNAL_HASH_BYTES]);

/* Removes whole segments whose every record is below `keep_from`; the newest one always stays. They
   are gone for readers at once, from the disk when the writer comes to it. *removed may be NULL. */
enum ttg_error journal_retain(struct journal *journal, uint64_t keep_from, uint64_t *removed);
/* The first sequence that would be held then. */
uint64_t journal_retain_first(const struct journal *journal, uint64_t keep_from);
/* The keep_from that lets go of every segment whose batches were all written before before_ns: the
   sequence behind the newest of them; 0: none is that old. */
uint64_t journal_sequence_before(const struct journal *journal, int64_t before_ns);
/* The keep_from that leaves the newest segments which together have at most `bytes`; 0: all fit. */
uint64_t journal_sequence_within(const struct journal *journal, uint64_t bytes);

/*
 * Snapshots: opaque bytes that stand for all records up to and including `sequence`. Kept
 * checksummed and encrypted; the two newest stay. Load gives the newest that verifies and whose
 * sequence is durable; a damaged newest one is skipped with a line in message only if the records
 * it stands for are all still held, else TTG_ECORRUPT, as when one stands for more than is there.
 * TTG_ENOENT: none, and none is needed. *data is malloc'd. Save may run on another thread.
 */
enum ttg_error journal_snapshot_save(struct journal *journal, uint64_t sequence, const void *data,
                                     size_t len, struct message *message);
enum ttg_error journal_snapshot_load(struct journal *journal, uint64_t *sequence, uint8_t **data,
                                     size_t *len, struct message *message);

/*
 * Proves a journal directory without opening it for writing, a running one included (up to what is
 * durable when the call begins). key NULL: CRCs and hash chain only. So many threads, the caller's
 * among them, share the work, and find what one would. progress may be NULL; one calls it at a time.
 */
unsigned journal_processors(void); /* that this process may use, at most JOURNAL_THREADS_MAX */
struct journal_verify_result {
	uint64_t segments, batches, records, bytes;
	uint64_t first_sequence, last_sequence;
	uint8_t chain_head[JOURNAL_HASH_BYTES];
	uint64_t torn_bytes; /* unsynced tail that carries nothing accepted */
};
enum ttg_error journal_verify(const char *directory, const uint8_t *key, const struct world *world,
                              unsigned threads,
                              void (*progress)(void *arg, uint64_t done_bytes, uint64_t all_bytes),
                              void *arg, struct journal_verify_result *out, struct message *message);

/*
 * The same with the key and one thread, showing each batch that was proven, in order. seen gets NULL
 * first, and again when a running journal has to be proven once more from the start. When it gives
 * false the walk ends with TTG_ECLOSED. progress may be NULL.
 */
struct journal_batch;
struct journal_walker {
	bool (*seen)(void *arg, const struct journal_batch *batch);
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t all_bytes);
	void *arg;
};
struct journal_batch {
	const uint8_t *journal_id, *chain; /* the chain's hash behind it */
	uint64_t segment, offset;          /* where it stands: first sequence of its segment; bytes */
	uint64_t first_sequence;
	uint32_t records;
	const uint8_t *body; /* of body_bytes, for journal_batch_next() */
	size_t body_bytes;
};
bool journal_batch_next(const struct journal_batch *batch, size_t *at, struct journal_record *out);
enum ttg_error journal_walk(const char *directory, const uint8_t *key, const struct world *world,
                            const struct journal_walker *walker, struct journal_verify_result *out,
                            struct message *message);

/*
 * A consistent copy (segments up to the durable end, newest snapshots) in an empty or missing
 * directory, taken while the journal runs. begin and end belong to the journal's thread, run to any;
 * until end nothing is retained away, and the journal may not be closed. TTG_EEXIST: not empty.
 * The sequence is the newest the copy holds.
 */
struct journal_backup;
enum ttg_error journal_backup_begin(struct journal_backup **out, struct journal *journal,
                                    const char *directory, struct message *message);
enum ttg_error journal_backup_run(struct journal_backup *backup, struct message *message);
void journal_backup_cancel(struct journal_backup *backup); /* any thread: run ends soon, TTG_ECLOSED */
uint64_t journal_backup_sequence(const struct journal_backup *backup);
void journal_backup_end(struct journal_backup **backup);

#endif
