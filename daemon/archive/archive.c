/*
 * See archive.h. A unit is put together in one buffer and appended as one; its records are known to be
 * durable when the last that was appended is.
 */
#include "archive/archive.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "core/strip.h"

#define HEAD_VERSION 1
#define HEAD_BYTES 64u
#define UNIT_BYTES (256u * 1024u) /* of the journal are enough for a unit; its last record may go beyond */
#define UNIT_OF_SEGMENT 16u       /* nor has it more than this part of a segment, for the same reason */

struct archive {
	struct journal *journal;       /* its own */
	bool begun;                    /* it is known of which journal it is */
	uint8_t journal_id[JOURNAL_ID_BYTES];
	uint64_t last, durable;        /* of that journal */
	uint64_t appended;             /* number here of the last that was appended */

	struct journal_reader *from;   /* of the journal it is filled from; NULL: not yet */
	uint64_t from_next;            /* that `from` gives next, 0: it has to seek */
	size_t unit_bytes;
	uint8_t *buffer;               /* unit_bytes and the largest record */
	struct journal_record records[1 + ARCHIVE_UNIT_RECORDS];
};

struct archive_reader {
	struct journal_reader *reader;
	uint64_t next; /* sequence of the record behind, 0: no head was read yet */
};

bool archive_read_head(const struct journal_record *record, uint8_t journal_id[JOURNAL_ID_BYTES],
		       uint64_t *first)
{
	const uint8_t *id;
	struct cursor cursor;

	if (record->kind != ARCHIVE_HEAD)
		return false;
	cursor_init_read(&cursor, record->data, record->len);
	if (cursor_get_u8(&cursor) != HEAD_VERSION)
		return false;
	id = cursor_get_bytes(&cursor, JOURNAL_ID_BYTES);
	*first = cursor_get_varint(&cursor);
	if (!cursor_ok(&cursor) || cursor_left(&cursor) > 0 || *first == 0)
		return false;
	memcpy(journal_id, id, JOURNAL_ID_BYTES);
	return true;
}

static size_t put_head(const struct archive *archive, uint64_t first, uint8_t out[HEAD_BYTES])
{
	struct cursor cursor;

	cursor_init_write(&cursor, out, HEAD_BYTES);
	cursor_put_u8(&cursor, HEAD_VERSION);
	cursor_put_bytes(&cursor, archive->journal_id, JOURNAL_ID_BYTES);
	cursor_put_varint(&cursor, first);
	return cursor_offset(&cursor);
}

/* The end tells how far it came: a head is never further from it than a unit is long. */
static enum ttg_error find_end(struct archive *archive)
{
	struct journal_reader *reader = NULL;
	struct journal_record record;
	struct journal_stats stats;
	uint64_t at = 0, next = 0, from;
	enum ttg_error error;

	journal_get_stats(archive->journal, &stats);
	archive->appended = stats.durable_sequence;
	if (stats.durable_sequence < stats.first_sequence)
		return TTG_OK;
	from = stats.first_sequence;
	if (stats.durable_sequence - from > ARCHIVE_UNIT_RECORDS)
		from = stats.durable_sequence - ARCHIVE_UNIT_RECORDS;
	error = journal_reader_open(&reader, archive->journal);
	if (!error)
		error = journal_reader_seek(reader, from);
	while (!error) {
		error = journal_reader_next(reader, &at, &record);
		if (!error && record.kind == ARCHIVE_HEAD)
			error = archive_read_head(&record, archive->journal_id, &next) ? TTG_OK :
											 TTG_ECORRUPT;
		else if (!error && next != 0)
			next++;
	}
	journal_reader_close(&reader);
	if (error != TTG_EAGAIN || next < 2)
		return error == TTG_EAGAIN ? TTG_ECORRUPT : error;
	archive->begun = true;
	archive->last = archive->durable = next - 1;
	return TTG_OK;
}

enum ttg_error archive_open(struct archive **out, const struct journal_options *options,
			    const struct world *world, struct message *message)
{
	struct archive *archive = calloc(1, sizeof(*archive));
	enum ttg_error error;

	*out = archive;
	if (!archive)
		return message_set(message, TTG_ENOMEM, "no memory for the archive");
	archive->unit_bytes = options->segment_bytes / UNIT_OF_SEGMENT < UNIT_BYTES ?
				      (size_t)options->segment_bytes / UNIT_OF_SEGMENT :
				      UNIT_BYTES;
	archive->buffer = malloc(archive->unit_bytes + JOURNAL_RECORD_MAX + STRIP_MORE);
	error = archive->buffer ? journal_open(&archive->journal, options, world, message) :
				  message_set(message, TTG_ENOMEM, "no memory for the archive");
	if (!error) {
		error = find_end(archive);
		if (error)
			message_set(message, error, "%s: does not end as an archive does: %s",
				    options->directory, ttg_error_text(error));
	}
	if (error)
		archive_close(out);
	return error;
}

void archive_close(struct archive **archive)
{
	struct archive *old = *archive;

	*archive = NULL;
	if (!old)
		return;
	journal_reader_close(&old->from);
	journal_close(&old->journal);
	free(old->buffer);
	free(old);
}

bool archive_journal_id(const struct archive *archive, uint8_t out[JOURNAL_ID_BYTES])
{
	memcpy(out, archive->journal_id, JOURNAL_ID_BYTES);
	return archive->begun;
}

uint64_t archive_last(const struct archive *archive)
{
	return archive->last;
}

uint64_t archive_durable(struct archive *archive)
{
	if (journal_durable(archive->journal) >= archive->appended)
		archive->durable = archive->last;
	return archive->durable;
}

struct journal *archive_files(const struct archive *archive)
{
	return archive->journal;
}

/* Reads `first` next, whatever was read last. */
static enum ttg_error seek(struct archive *archive, struct journal *journal, uint64_t first)
{
	enum ttg_error error = TTG_OK;

	if (!archive->from)
		error = journal_reader_open(&archive->from, journal);
	if (!error && archive->from_next != first)
		error = journal_reader_seek(archive->from, first);
	archive->from_next = error ? 0 : first;
	return error;
}

/* Puts records from `first` on behind the head; how many: *n. */
static enum ttg_error gather(struct archive *archive, uint64_t first, uint64_t last, size_t *n)
{
	enum ttg_error error = TTG_OK;
	struct journal_record record;
	uint64_t sequence = 0;
	size_t used = 0, seen = 0; /* bytes: kept; looked at, which takes the loop's time */

	*n = 0;
	while (*n < ARCHIVE_UNIT_RECORDS && used < archive->unit_bytes && seen < archive->unit_bytes &&
	       first + *n <= last) {
		struct cursor cursor;

		error = journal_reader_next(archive->from, &sequence, &record);
		if (error)
			break;
		archive->from_next = sequence + 1;
		cursor_init_write(&cursor, archive->buffer + used, record.len + STRIP_MORE);
		if (!record_strip(record.kind, record.data, record.len, &cursor))
			return TTG_ECORRUPT;
		archive->records[1 + (*n)++] = (struct journal_record){
			.kind = record.kind,
			.data = archive->buffer + used,
			.len = cursor_offset(&cursor),
		};
		used += cursor_offset(&cursor);
		seen += record.len;
	}
	return error == TTG_EAGAIN && *n > 0 ? TTG_OK : error;
}

enum ttg_error archive_take(struct archive *archive, struct journal *journal, uint64_t last)
{
	struct journal_stats stats;
	uint8_t head[HEAD_BYTES];
	uint64_t first = archive->last + 1, number = 0;
	size_t n = 0;
	enum ttg_error error;

	journal_get_stats(journal, &stats);
	if (first < stats.first_sequence)
		first = stats.first_sequence;
	if (first > last)
		return TTG_EAGAIN;
	error = seek(archive, journal, first);
	if (!error)
		error = gather(archive, first, last, &n);
	if (!error) {
		if (!archive->begun)
			journal_get_id(journal, archive->journal_id);
		archive->records[0] = (struct journal_record){ .kind = ARCHIVE_HEAD, .data = head,
							       .len = put_head(archive, first, head) };
		error = journal_append(archive->journal, archive->records, n + 1, &number);
	}
	if (error) {
		archive->from_next = 0; /* what was read is read again */
		return error;
	}
	archive->begun = true;
	archive->last = first + n - 1;
	archive->appended = number + n;
	return journal_flush(archive->journal);
}

enum ttg_error archive_retain(struct archive *archive, int64_t before_ns)
{
	return journal_retain(archive->journal, journal_sequence_before(archive->journal, before_ns), NULL);
}

enum ttg_error archive_reader_open(struct archive_reader **out, const struct archive *archive)
{
	struct archive_reader *reader = calloc(1, sizeof(*reader));
	enum ttg_error error;

	*out = reader;
	if (!reader)
		return TTG_ENOMEM;
	error = journal_reader_open(&reader->reader, archive->journal);
	if (error)
		archive_reader_close(out);
	return error;
}

void archive_reader_close(struct archive_reader **reader)
{
	struct archive_reader *old = *reader;

	*reader = NULL;
	if (!old)
		return;
	journal_reader_close(&old->reader);
	free(old);
}

enum ttg_error archive_reader_next(struct archive_reader *reader, uint64_t *sequence,
				   struct journal_record *out)
{
	uint8_t journal_id[JOURNAL_ID_BYTES];
	uint64_t number = 0;
	enum ttg_error error;

	for (;;) {
		error = journal_reader_next(reader->reader, &number, out);
		if (error)
			return error;
		if (out->kind != ARCHIVE_HEAD)
			break;
		if (!archive_read_head(out, journal_id, &reader->next))
			return TTG_ECORRUPT;
	}
	if (reader->next == 0)
		return TTG_ECORRUPT;
	*sequence = reader->next++;
	return TTG_OK;
}
