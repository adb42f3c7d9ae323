/*
 * Encoders and decoders of segment headers, batches, HEAD and snapshots. All integers are
 * little-endian, all checksums CRC-32C. A file is only read when magic, checksum and version fit,
 * in this order, so that a flipped bit is told as damage and not as a strange version.
 */
#include "journal/format.h"

#include <assert.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/cursor.h"

_Static_assert(FORMAT_BLOCK % FORMAT_SECTOR == 0, "blocks are whole sectors");
_Static_assert(JOURNAL_RECORD_MAX < FORMAT_BODY_MAX, "a record fits into a batch");

static const uint8_t SEGMENT_MAGIC[8] = "TTGJSEG1";
static const uint8_t BATCH_MAGIC[4] = "TTGB";
static const uint8_t HEAD_MAGIC[8] = "TTGJHED1";
static const uint8_t SNAPSHOT_MAGIC[8] = "TTGJSNP1";

uint32_t format_get_u32(const uint8_t *in)
{
	return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 |
	       (uint32_t)in[3] << 24;
}

void format_put_u32(uint8_t *out, uint32_t value)
{
	out[0] = (uint8_t)value;
	out[1] = (uint8_t)(value >> 8);
	out[2] = (uint8_t)(value >> 16);
	out[3] = (uint8_t)(value >> 24);
}

uint64_t format_batch_used(uint64_t body_bytes)
{
	return FORMAT_BATCH_HEADER + body_bytes + FORMAT_TAG + FORMAT_BATCH_TRAILER;
}

uint64_t format_batch_bytes(uint64_t body_bytes)
{
	return (format_batch_used(body_bytes) + FORMAT_BLOCK - 1) / FORMAT_BLOCK * FORMAT_BLOCK;
}

/* Ends a header: zeroes from the cursor on, the checksum of everything before in the last 4. */
static void finish(struct cursor *cursor, uint8_t *out, size_t len)
{
	assert(cursor_ok(cursor) && cursor_offset(cursor) <= len - 4);
	format_put_u32(out + len - 4, crc32c(0, out, len - 4));
}

/* Magic, checksum, version: what every header has in common. Leaves the cursor behind them. */
static enum ttg_error begin(struct cursor *cursor, const uint8_t *in, size_t len,
                            const uint8_t *magic, size_t magic_bytes, const char **reason)
{
	if (memcmp(in, magic, magic_bytes) != 0) {
		*reason = "wrong magic";
		return TTG_ECORRUPT;
	}
	if (crc32c(0, in, len - 4) != format_get_u32(in + len - 4)) {
		*reason = "wrong checksum of the header";
		return TTG_ECORRUPT;
	}
	cursor_init_read(cursor, in, len - 4);
	(void)cursor_get_bytes(cursor, magic_bytes);
	if (cursor_get_u32(cursor) != FORMAT_VERSION) {
		*reason = "format version not known";
		return TTG_EVERSION;
	}
	return TTG_OK;
}

static void get_bytes(struct cursor *cursor, uint8_t *out, size_t len)
{
	const uint8_t *in = cursor_get_bytes(cursor, len);

	if (in != NULL)
		memcpy(out, in, len);
	else
		memset(out, 0, len);
}

static void put_link(struct cursor *cursor, const struct format_link *link)
{
	cursor_put_u64(cursor, link->segment);
	cursor_put_u64(cursor, link->end);
	cursor_put_bytes(cursor, link->chain, sizeof(link->chain));
}

static void get_link(struct cursor *cursor, struct format_link *link)
{
	link->segment = cursor_get_u64(cursor);
	link->end = cursor_get_u64(cursor);
	get_bytes(cursor, link->chain, sizeof(link->chain));
}

static bool cipher_known(uint32_t cipher)
{
	return cipher == JOURNAL_AES_256_GCM || cipher == JOURNAL_CHACHA20_POLY1305;
}

/*
 * Segment header, the first block of seg-<first sequence>.ttj:
 *
 *     0   8  "TTGJSEG1"
 *     8   4  format version, 1
 *    12   4  cipher: 1 AES-256-GCM, 2 ChaCha20-Poly1305
 *    16   4  block size, 4096
 *    20   4  0
 *    24   8  epoch: one more with each process that opened the journal for writing
 *    32   8  sequence of its first record
 *    40   8  bytes allocated; the file is at least as long until it is closed
 *    48   8  when it was made, ns since 1970
 *    56  16  id of the journal
 *    72  32  salt of the segment key
 *   104  16  key check: tells a wrong key from damage
 *   120   8  previous segment: its first sequence, 0 for none
 *   128   8  ... the offset at which it ends; what follows there is nothing
 *   136  32  ... chain hash of its last batch (or of its header when it has none)
 *   168      zeroes
 *  4092   4  CRC of bytes 0 to 4091
 */
void format_segment_encode(const struct format_segment *segment, uint8_t out[FORMAT_BLOCK])
{
	struct cursor cursor;

	memset(out, 0, FORMAT_BLOCK);
	cursor_init_write(&cursor, out, FORMAT_BLOCK);
	cursor_put_bytes(&cursor, SEGMENT_MAGIC, sizeof(SEGMENT_MAGIC));
	cursor_put_u32(&cursor, FORMAT_VERSION);
	cursor_put_u32(&cursor, segment->cipher);
	cursor_put_u32(&cursor, FORMAT_BLOCK);
	cursor_put_u32(&cursor, 0);
	cursor_put_u64(&cursor, segment->epoch);
	cursor_put_u64(&cursor, segment->first_sequence);
	cursor_put_u64(&cursor, segment->allocated_bytes);
	cursor_put_u64(&cursor, (uint64_t)segment->created_ns);
	cursor_put_bytes(&cursor, segment->journal_id, FORMAT_ID);
	cursor_put_bytes(&cursor, segment->salt, FORMAT_SALT);
	cursor_put_bytes(&cursor, segment->key_check, FORMAT_KEY_CHECK);
	put_link(&cursor, &segment->previous);
	finish(&cursor, out, FORMAT_BLOCK);
}

enum ttg_error format_segment_decode(const uint8_t in[FORMAT_BLOCK], struct format_segment *out,
                                     const char **reason)
{
	struct cursor cursor;
	enum ttg_error err =
	        begin(&cursor, in, FORMAT_BLOCK, SEGMENT_MAGIC, sizeof(SEGMENT_MAGIC), reason);

	if (err != TTG_OK)
		return err;
	out->cipher = cursor_get_u32(&cursor);
	uint32_t block = cursor_get_u32(&cursor);
	(void)cursor_get_u32(&cursor);
	out->epoch = cursor_get_u64(&cursor);
	out->first_sequence = cursor_get_u64(&cursor);
	out->allocated_bytes = cursor_get_u64(&cursor);
	out->created_ns = (int64_t)cursor_get_u64(&cursor);
	get_bytes(&cursor, out->journal_id, FORMAT_ID);
	get_bytes(&cursor, out->salt, FORMAT_SALT);
	get_bytes(&cursor, out->key_check, FORMAT_KEY_CHECK);
	get_link(&cursor, &out->previous);
	if (!cipher_known(out->cipher) || block != FORMAT_BLOCK) {
		*reason = "cipher or block size not known";
		return TTG_EVERSION;
	}
	if (!cursor_ok(&cursor) || out->first_sequence == 0) {
		*reason = "impossible value in the header";
		return TTG_ECORRUPT;
	}
	return TTG_OK;
}

uint64_t format_segment_tag(const struct format_segment *segment)
{
	return (uint64_t)format_get_u32(segment->salt) | (uint64_t)format_get_u32(segment->salt + 4)
	                                                         << 32;
}

/*
 * Batch, at a multiple of 4096 in its segment; n is the body's length:
 *
 *     0   4  "TTGB"
 *     4   4  format version, 1
 *     8   8  first 8 bytes of the segment's salt: a batch belongs to one segment
 *    16   4  number of the batch in its segment, from 0
 *    20   4  how many records, 1 to 65,536
 *    24   8  sequence of the first
 *    32   8  when it was written, ns since 1970
 *    40   4  n
 *    44  16  zeroes
 *    60   4  CRC of bytes 0 to 59
 *    64   n  body, encrypted: per record kind (1), length (LEB128 varint), bytes
 *  64+n  16  tag of the AEAD; key: the segment's; nonce: four 0, then the batch number as u64;
 *            associated data: bytes 0 to 63
 *  80+n  32  chain hash: SHA-256 of (chain hash before, bytes 0 to 79+n)
 * 112+n   4  CRC of bytes 64 to 111+n
 * 116+n      0x5a up to the next multiple of 4096
 *
 * Valid when both checksums, salt, number, sequence, chain hash, padding and tag fit.
 */
void format_batch_encode(const struct format_batch *batch, uint8_t out[FORMAT_BATCH_HEADER])
{
	struct cursor cursor;

	memset(out, 0, FORMAT_BATCH_HEADER);
	cursor_init_write(&cursor, out, FORMAT_BATCH_HEADER);
	cursor_put_bytes(&cursor, BATCH_MAGIC, sizeof(BATCH_MAGIC));
	cursor_put_u32(&cursor, FORMAT_VERSION);
	cursor_put_u64(&cursor, batch->segment_tag);
	cursor_put_u32(&cursor, batch->number);
	cursor_put_u32(&cursor, batch->records);
	cursor_put_u64(&cursor, batch->first_sequence);
	cursor_put_u64(&cursor, (uint64_t)batch->written_ns);
	cursor_put_u32(&cursor, batch->body_bytes);
	finish(&cursor, out, FORMAT_BATCH_HEADER);
}

enum ttg_error format_batch_decode(const uint8_t in[FORMAT_BATCH_HEADER], struct format_batch *out,
                                   const char **reason)
{
	struct cursor cursor;
	enum ttg_error err =
	        begin(&cursor, in, FORMAT_BATCH_HEADER, BATCH_MAGIC, sizeof(BATCH_MAGIC), reason);

	if (err != TTG_OK)
		return err;
	out->segment_tag = cursor_get_u64(&cursor);
	out->number = cursor_get_u32(&cursor);
	out->records = cursor_get_u32(&cursor);
	out->first_sequence = cursor_get_u64(&cursor);
	out->written_ns = (int64_t)cursor_get_u64(&cursor);
	out->body_bytes = cursor_get_u32(&cursor);
	if (!cursor_ok(&cursor) || out->records == 0 || out->records > FORMAT_RECORDS_MAX ||
	    out->body_bytes > FORMAT_BODY_MAX || out->first_sequence == 0) {
		*reason = "impossible value in the header";
		return TTG_ECORRUPT;
	}
	return TTG_OK;
}

/*
 * HEAD, two slots at 0 and 4096, written in turn (counter modulo 2); the valid one with the higher
 * counter counts. It only ever says "at least": what it names must be there.
 *
 *     0   8  "TTGJHED1"
 *     8   4  format version, 1
 *    12   4  flags; 1: the newest segment was closed
 *    16   8  counter
 *    24   8  epoch
 *    32   8  first sequence of the oldest segment kept; older files are leftovers; 0: none yet
 *    40  16  id of the journal
 *    56  32  salt of the newest segment
 *    88   8  first sequence of the newest segment, 0 for none
 *    96   8  ... offset up to which it is durable
 *   104  32  ... chain hash there
 *   136   8  last sequence durable then
 *   144      zeroes
 *   508   4  CRC of bytes 0 to 507
 */
void format_head_encode(const struct format_head *head, uint8_t out[FORMAT_HEAD_BYTES])
{
	struct cursor cursor;

	memset(out, 0, FORMAT_HEAD_BYTES);
	cursor_init_write(&cursor, out, FORMAT_HEAD_BYTES);
	cursor_put_bytes(&cursor, HEAD_MAGIC, sizeof(HEAD_MAGIC));
	cursor_put_u32(&cursor, FORMAT_VERSION);
	cursor_put_u32(&cursor, head->closed ? 1 : 0);
	cursor_put_u64(&cursor, head->counter);
	cursor_put_u64(&cursor, head->epoch);
	cursor_put_u64(&cursor, head->first_held);
	cursor_put_bytes(&cursor, head->journal_id, FORMAT_ID);
	cursor_put_bytes(&cursor, head->salt, FORMAT_SALT);
	put_link(&cursor, &head->end);
	cursor_put_u64(&cursor, head->sequence);
	finish(&cursor, out, FORMAT_HEAD_BYTES);
}

enum ttg_error format_head_decode(const uint8_t in[FORMAT_HEAD_BYTES], struct format_head *out,
                                  const char **reason)
{
	struct cursor cursor;
	enum ttg_error err =
	        begin(&cursor, in, FORMAT_HEAD_BYTES, HEAD_MAGIC, sizeof(HEAD_MAGIC), reason);

	if (err != TTG_OK)
		return err;
	out->closed = (cursor_get_u32(&cursor) & 1) != 0;
	out->counter = cursor_get_u64(&cursor);
	out->epoch = cursor_get_u64(&cursor);
	out->first_held = cursor_get_u64(&cursor);
	get_bytes(&cursor, out->journal_id, FORMAT_ID);
	get_bytes(&cursor, out->salt, FORMAT_SALT);
	get_link(&cursor, &out->end);
	out->sequence = cursor_get_u64(&cursor);
	return TTG_OK;
}

/*
 * Snapshot, snap-<sequence>.tts; n is the body's length:
 *
 *     0   8  "TTGJSNP1"
 *     8   4  format version, 1
 *    12   4  cipher
 *    16   8  sequence it stands for
 *    24   8  n
 *    32   8  when it was made, ns since 1970
 *    40  16  id of the journal
 *    56  32  salt of its key
 *    88  16  key check
 *   104      zeroes
 *   188   4  CRC of bytes 0 to 187
 *   192   n  body, encrypted; nonce: twelve 0; associated data: bytes 0 to 191
 * 192+n  16  tag of the AEAD
 * 208+n  32  SHA-256 of bytes 0 to 207+n
 * 240+n   4  CRC of bytes 192 to 239+n; the file ends here
 */
void format_snapshot_encode(const struct format_snapshot *snapshot,
                            uint8_t out[FORMAT_SNAPSHOT_HEADER])
{
	struct cursor cursor;

	memset(out, 0, FORMAT_SNAPSHOT_HEADER);
	cursor_init_write(&cursor, out, FORMAT_SNAPSHOT_HEADER);
	cursor_put_bytes(&cursor, SNAPSHOT_MAGIC, sizeof(SNAPSHOT_MAGIC));
	cursor_put_u32(&cursor, FORMAT_VERSION);
	cursor_put_u32(&cursor, snapshot->cipher);
	cursor_put_u64(&cursor, snapshot->sequence);
	cursor_put_u64(&cursor, snapshot->body_bytes);
	cursor_put_u64(&cursor, (uint64_t)snapshot->created_ns);
	cursor_put_bytes(&cursor, snapshot->journal_id, FORMAT_ID);
	cursor_put_bytes(&cursor, snapshot->salt, FORMAT_SALT);
	cursor_put_bytes(&cursor, snapshot->key_check, FORMAT_KEY_CHECK);
	finish(&cursor, out, FORMAT_SNAPSHOT_HEADER);
}

enum ttg_error format_snapshot_decode(const uint8_t in[FORMAT_SNAPSHOT_HEADER],
                                      struct format_snapshot *out, const char **reason)
{
	struct cursor cursor;
	enum ttg_error err = begin(&cursor, in, FORMAT_SNAPSHOT_HEADER, SNAPSHOT_MAGIC,
	                           sizeof(SNAPSHOT_MAGIC), reason);

	if (err != TTG_OK)
		return err;
	out->cipher = cursor_get_u32(&cursor);
	out->sequence = cursor_get_u64(&cursor);
	out->body_bytes = cursor_get_u64(&cursor);
	out->created_ns = (int64_t)cursor_get_u64(&cursor);
	get_bytes(&cursor, out->journal_id, FORMAT_ID);
	get_bytes(&cursor, out->salt, FORMAT_SALT);
	get_bytes(&cursor, out->key_check, FORMAT_KEY_CHECK);
	if (!cipher_known(out->cipher)) {
		*reason = "cipher not known";
		return TTG_EVERSION;
	}
	return TTG_OK;
}

size_t format_record_encode(const struct journal_record *record, uint8_t *out)
{
	struct cursor cursor;

	assert(record->len <= JOURNAL_RECORD_MAX && record->kind != 0);
	cursor_init_write(&cursor, out, record->len + FORMAT_RECORD_OVERHEAD);
	cursor_put_u8(&cursor, record->kind);
	cursor_put_sized(&cursor, record->data, record->len);
	assert(cursor_ok(&cursor));
	return cursor_offset(&cursor);
}

bool format_record_decode(const uint8_t *body, size_t body_bytes, size_t *offset,
                          struct journal_record *out)
{
	struct cursor cursor;

	if (*offset >= body_bytes)
		return false;
	cursor_init_read(&cursor, body + *offset, body_bytes - *offset);
	out->kind = cursor_get_u8(&cursor);
	out->data = cursor_get_sized(&cursor, JOURNAL_RECORD_MAX, &out->len);
	*offset += cursor_offset(&cursor);
	return cursor_ok(&cursor) && out->kind != 0;
}

bool format_filled(const uint8_t *at, size_t len, uint8_t value)
{
	return len == 0 || (at[0] == value && memcmp(at, at + 1, len - 1) == 0);
}
