/*
 * Bytes of the journal's files, and nothing else: no file, no key, no clock. Pure functions; any
 * thread. format.c draws the layouts above their encoders.
 *
 * Decoders take bytes nobody vouches for and answer TTG_ECORRUPT or TTG_EVERSION with a reason, a
 * constant sentence without file names.
 */
#ifndef TTGD_JOURNAL_FORMAT_H
#define TTGD_JOURNAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "journal/journal.h"

#define FORMAT_VERSION         1u
#define FORMAT_BLOCK           4096u /* batches begin at multiples; a synced block is never rewritten */
#define FORMAT_SECTOR          512u /* what a disk writes whole or not at all */
#define FORMAT_SALT            32u
#define FORMAT_ID              16u
#define FORMAT_TAG             16u
#define FORMAT_KEY_CHECK       16u
#define FORMAT_BATCH_HEADER    64u
#define FORMAT_BATCH_TRAILER   (JOURNAL_HASH_BYTES + 4u)
#define FORMAT_SNAPSHOT_HEADER 192u
#define FORMAT_HEAD_SLOT       FORMAT_BLOCK
#define FORMAT_HEAD_BYTES      FORMAT_SECTOR /* of a slot: one sector, so that it is never torn */
#define FORMAT_BODY_MAX        (64u * 1024u * 1024u)
#define FORMAT_RECORDS_MAX     65536u /* in a batch */
#define FORMAT_RECORD_OVERHEAD 6u     /* kind, and the varint of JOURNAL_RECORD_MAX at most */
#define FORMAT_PADDING         0x5au  /* behind a batch up to the block; never 0, see scan.c */

/* Where a segment ends: which one, at which byte, with which chain. segment 0: there is none. */
struct format_link {
	uint64_t segment; /* its first sequence */
	uint64_t end;
	uint8_t chain[JOURNAL_HASH_BYTES];
};

struct format_segment {
	uint32_t cipher;
	uint64_t epoch;
	uint64_t first_sequence;
	uint64_t allocated_bytes;
	int64_t created_ns;
	uint8_t journal_id[FORMAT_ID];
	uint8_t salt[FORMAT_SALT];
	uint8_t key_check[FORMAT_KEY_CHECK];
	struct format_link previous;
};

struct format_batch {
	uint64_t segment_tag; /* first 8 bytes of the segment's salt */
	uint32_t number;      /* in its segment, from 0 */
	uint32_t records;
	uint64_t first_sequence;
	int64_t written_ns;
	uint32_t body_bytes;
};

struct format_head {
	bool closed; /* the newest segment was closed and may be shorter than allocated */
	uint64_t counter;
	uint64_t epoch;
	uint64_t first_held; /* first sequence of the oldest segment; 0: none yet */
	uint8_t journal_id[FORMAT_ID];
	uint8_t salt[FORMAT_SALT]; /* of the newest segment */
	struct format_link end;    /* newest segment and how far it reached at least */
	uint64_t sequence;         /* durable at least */
};

struct format_snapshot {
	uint32_t cipher;
	uint64_t sequence;
	uint64_t body_bytes;
	int64_t created_ns;
	uint8_t journal_id[FORMAT_ID];
	uint8_t salt[FORMAT_SALT];
	uint8_t key_check[FORMAT_KEY_CHECK];
};

/* Bytes on disk of a batch with this body, padding included. */
uint64_t format_batch_bytes(uint64_t body_bytes);
/* The same without padding. */
uint64_t format_batch_used(uint64_t body_bytes);

void format_segment_encode(const struct format_segment *segment, uint8_t out[FORMAT_BLOCK]);
enum ttg_error format_segment_decode(const uint8_t in[FORMAT_BLOCK], struct format_segment *out,
                                     const char **reason);
uint64_t format_segment_tag(const struct format_segment *segment);

void format_batch_encode(const struct format_batch *batch, uint8_t out[FORMAT_BATCH_HEADER]);
enum ttg_error format_batch_decode(const uint8_t in[FORMAT_BATCH_HEADER], struct format_batch *out,
                                   const char **reason);

void format_head_encode(const struct format_head *head, uint8_t out[FORMAT_HEAD_BYTES]);
enum ttg_error format_head_decode(const uint8_t in[FORMAT_HEAD_BYTES], struct format_head *out,
                                  const char **reason);

void format_snapshot_encode(const struct format_snapshot *snapshot,
                            uint8_t out[FORMAT_SNAPSHOT_HEADER]);
enum ttg_error format_snapshot_decode(const uint8_t in[FORMAT_SNAPSHOT_HEADER],
                                      struct format_snapshot *out, const char **reason);

/* Writes one record at out, which has room for len + FORMAT_RECORD_OVERHEAD; bytes written. */
size_t format_record_encode(const struct journal_record *record, uint8_t *out);
/* Reads the record at *offset and moves it on. False: no record can be there. */
bool format_record_decode(const uint8_t *body, size_t body_bytes, size_t *offset,
                          struct journal_record *out);

uint32_t format_get_u32(const uint8_t *in);
void format_put_u32(uint8_t *out, uint32_t value);

/* All bytes have this value. */
bool format_filled(const uint8_t *at, size_t len, uint8_t value);

#endif
