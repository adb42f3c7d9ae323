/*
 * ttgctl journal verify --seals: the journal as a whole, and every seal in it against what it covers.
 * What a thief of the journal's key could write anew, he cannot seal. An archive, too: what is left of
 * its events is what was sealed.
 */
#include "ctl/ctl.h"

#include <inttypes.h>

#include "archive/archive.h"
#include "base/instant.h"
#include "base/keyfile.h"
#include "base/world.h"
#include "evidence/check.h"
#include "journal/journal.h"

struct walk {
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

static void print(struct ctl *ctl, const struct walk *walk, const struct journal_verify_result *result)
{
	struct check_result seals;
	char at[INSTANT_TEXT] = "-";

	check_get_result(walk->check, &seals);
	if (seals.number > 0)
		instant_format(seals.sealed_ns, at);
	fprintf(ctl->out,
		ctl->json ? "{\"kind\":\"%s\",\"records\":%" PRIu64 ",\"last_sequence\":%" PRIu64
			    ",\"seals\":%" PRIu64 ",\"last_seal\":%" PRIu64 ",\"sealed_sequence\":%" PRIu64
			    ",\"sealed_at\":\"%s\",\"unsealed_events\":%" PRIu64
			    ",\"missing_records\":%" PRIu64 "}\n"
			  : "kind             %s\nrecords          %" PRIu64 "\nlast sequence    %" PRIu64
			    "\nseals that hold  %" PRIu64 "\nlast seal        %" PRIu64
			    "\nsealed up to     %" PRIu64 "\nsealed at        %s"
			    "\nunsealed events  %" PRIu64 "\nmissing records  %" PRIu64 "\n",
		walk->archive ? "archive" : "journal", result->records,
		walk->archive ? walk->sequence : result->last_sequence, seals.seals, seals.number,
		seals.sealed, at, seals.unsealed_events, walk->missing);
}

enum ctl_exit ctl_verify_seals(struct ctl *ctl, const char *directory, const char *key_file,
			       const char *public_file, const char *state)
{
	struct journal_verify_result result = { 0 };
	struct message message = { "" };
	uint8_t key[KEYFILE_SYMMETRIC];
	struct verify_key *public = NULL;
	struct walk walk = { .check = NULL };
	enum ctl_exit status = CTL_NO;
	enum ttg_error error;

	if (verify_key_read(public_file, &public, &message) != TTG_OK)
		return ctl_say(ctl, CTL_NO, "%s", message.text);
	walk.check = check_new(public);
	if (walk.check == NULL)
		return ctl_say(ctl, CTL_NO, "no memory");
	error = keyfile_read_symmetric(key_file, key, &message);
	if (error == TTG_OK)
		error = journal_walk(directory, key, world_real(), look_at, &walk, &result, &message);
	wipe(key, sizeof(key));
	if (error == TTG_ECLOSED)
		ctl_say(ctl, CTL_NO, "%s/seg-%016" PRIx64 ".ttj: offset %" PRIu64 ": record %" PRIu64 ": %s",
			directory, walk.segment, walk.offset, walk.sequence,
			check_message(walk.check)[0] != '\0' ? check_message(walk.check) :
								"what follows in the archive cannot be read");
	else if (error != TTG_OK)
		status = ctl_say(ctl, error == TTG_EPERM ? CTL_REFUSED : CTL_NO, "%s",
				 message.text[0] != '\0' ? message.text : ttg_error_text(error));
	else if (state != NULL && walk.archive)
		ctl_say(ctl, CTL_NO, "%s: an archive ends before the journal: --signer-state is for that",
			directory);
	else if (state != NULL && !check_signer(walk.check, state))
		ctl_say(ctl, CTL_NO, "%s", check_message(walk.check));
	else
		status = CTL_FINE;
	if (status == CTL_FINE)
		print(ctl, &walk, &result);
	check_free(&walk.check);
	return status;
}
