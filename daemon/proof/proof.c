/* See proof.h. */
#include "proof/proof.h"

#include <inttypes.h>
#include <string.h>

#include "archive/archive.h"

struct walk {
	const struct proof_how *how;
	struct check *check;
	bool begun;                /* the journal's id is known */
	bool archive;              /* its first record is a head */
	uint64_t missing;          /* records that are not in the archive */
	uint64_t segment, offset;  /* of the batch that is looked at */
	uint64_t sequence;         /* of its record */
};

/* The first record of all says which it is: in a journal such a one is like any other. */
static void begin(struct walk *walk, const struct journal_batch *batch)
{
	uint8_t journal_id[JOURNAL_ID_BYTES];
	struct journal_record record;
	uint64_t first;
	size_t at = 0;

	walk->begun = true;
	walk->missing = 0;
	walk->archive = journal_batch_next(batch, &at, &record) &&
			archive_read_head(&record, journal_id, &first);
	if (walk->archive)
		check_begin_archive(walk->check, journal_id);
	else
		check_begin(walk->check, batch->journal_id);
	walk->sequence = walk->archive ? first - 1 : batch->first_sequence - 1;
}

/* False: the head of a unit it is not, or one that goes back. */
static bool take_head(struct walk *walk, const struct journal_record *record)
{
	uint8_t journal_id[JOURNAL_ID_BYTES];
	uint64_t first;

	if (!archive_read_head(record, journal_id, &first) || first <= walk->sequence)
		return false;
	if (first > walk->sequence + 1)
		check_skip(walk->check, first);
	walk->missing += first - walk->sequence - 1;
	walk->sequence = first - 1;
	return true;
}

static bool look_at(void *arg, const struct journal_batch *batch)
{
	struct walk *walk = arg;
	struct journal_record record;
	size_t at = 0;

	if (batch == NULL) {
		walk->begun = false;
		return true;
	}
	if (!walk->begun)
		begin(walk, batch);
	walk->segment = batch->segment;
	walk->offset = batch->offset;
	while (journal_batch_next(batch, &at, &record)) {
		if (walk->archive && record.kind == ARCHIVE_HEAD) {
			if (!take_head(walk, &record))
				return false;
			continue;
		}
		walk->sequence++;
		if (!check_record(walk->check, walk->sequence, record.kind, record.data, record.len))
			return false;
	}
	return walk->archive || check_batch_end(walk->check, walk->sequence, batch->chain);
}

static void progress(void *arg, uint64_t done_bytes, uint64_t all_bytes)
{
	const struct walk *walk = arg;

	if (walk->how->progress)
		walk->how->progress(walk->how->arg, done_bytes, all_bytes);
}

enum ttg_error proof_run(const struct proof_how *how, struct check *check, struct proof_result *out,
			 struct message *message)
{
	struct walk walk = { .how = how, .check = check };
	const struct journal_walker walker = { .seen = look_at, .progress = progress, .arg = &walk };
	enum ttg_error error;

	memset(out, 0, sizeof(*out));
	check_set_limit(check, how->max_unsealed);
	error = journal_walk(how->directory, how->key, how->world, &walker, &out->journal, message);
	check_get_result(check, &out->seals);
	out->archive = walk.archive;
	out->last_sequence = walk.archive ? walk.sequence : out->journal.last_sequence;
	out->missing = walk.missing;
	if (error != TTG_ECLOSED)
		return error;
	return message_set(message, error,
			   "%s/seg-%016" PRIx64 ".ttj: offset %" PRIu64 ": record %" PRIu64 ": %s",
			   how->directory, walk.segment, walk.offset, walk.sequence,
			   check_message(check)[0] != '\0' ? check_message(check) :
							     "what follows in the archive cannot be read");
}
