/*
 * The archive: the journal's records without what events said (core/strip.h), kept after retention has
 * let the journal's go. It answers who was given what, when and under which agreement for as long as the
 * law wants it answered.
 *
 * It is a journal in a directory of its own (journal/journal.h): encrypted, chained, proven at each open,
 * whole after any crash. What is appended to it are units, each of which one batch holds whole:
 *
 *   head     of which journal they are, and the number of the first record behind
 *   records  with their own kinds and in their order, numbered on from there without gaps
 *
 * So it says of itself how far it came. Whoever fills it goes on behind that, and nothing is in it twice
 * or left out, whenever he was interrupted.
 *
 * Owner: the loop; archive_open() may run in another thread.
 */
#ifndef TTGD_ARCHIVE_ARCHIVE_H
#define TTGD_ARCHIVE_ARCHIVE_H

#include "journal/journal.h"

#define ARCHIVE_HEAD 200u /* kind of a unit's head; foreign to the core */
#define ARCHIVE_UNIT_RECORDS 256u

struct archive;

/* As journal_open(). TTG_ECORRUPT also when it is none: it holds something else. */
enum ttg_error archive_open(struct archive **out, const struct journal_options *options,
			    const struct world *world, struct message *message);
void archive_close(struct archive **archive);

/* Of which journal it is, false when it is empty; the last record of that journal in it, 0 for none,
   and the last that is durable here. */
bool archive_journal_id(const struct archive *archive, uint8_t out[JOURNAL_ID_BYTES]);
uint64_t archive_last(const struct archive *archive);
uint64_t archive_durable(struct archive *archive);

/*
 * Takes one unit over: of `journal`, behind the last record here, up to `last`, so many as one unit
 * may have; or from the oldest that is held when those in between are gone. TTG_EAGAIN: nothing for
 * now, the journal has no more or the buffer is full; TTG_ENOSPC; TTG_ECORRUPT: a record cannot be
 * read; errors of journal_append().
 */
enum ttg_error archive_take(struct archive *archive, struct journal *journal, uint64_t last);

/* Lets go of what came here before before_ns, whole segments. */
enum ttg_error archive_retain(struct archive *archive, int64_t before_ns);

/* For its figures, its failure, a copy. Nothing may be appended to it. */
struct journal *archive_files(const struct archive *archive);

/*
 * Reading from the oldest record held. *sequence: its number in the journal. TTG_EAGAIN: no more is
 * durable for now; else as journal_reader_next(). Valid until the next call on the same reader.
 */
struct archive_reader;
enum ttg_error archive_reader_open(struct archive_reader **out, const struct archive *archive);
void archive_reader_close(struct archive_reader **reader);
enum ttg_error archive_reader_next(struct archive_reader *reader, uint64_t *sequence,
				   struct journal_record *out);

/* The head of a unit. False: not one. */
bool archive_read_head(const struct journal_record *record, uint8_t journal_id[JOURNAL_ID_BYTES],
		       uint64_t *first);

#endif
