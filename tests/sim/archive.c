/*
 * The archive of a life: what the journal let go is in it before, stripped, once and in order; whatever
 * happened to the disk meanwhile.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/strip.h"
#include "net/archiver.h"
#include "sim/broker_private.h"

enum ttg_error broker_start_archive(struct broker *broker)
{
	const struct journal_options options = {
		.directory = BROKER_ARCHIVE,
		.key = "a key for a world of play",
		.cipher = JOURNAL_AES_256_GCM,
		.segment_bytes = BROKER_SEGMENT_BYTES,
		.buffer_bytes = 32u * 1024,
	};

	if (!life_now->plan->archived)
		return TTG_OK;
	return archiver_new(&broker->net->archiver, broker->net, &options);
}

bool broker_archive_ready(const struct broker *broker)
{
	struct archiver_view view;

	if (!broker->net->archiver)
		return true;
	archiver_get_view(broker->net->archiver, &view);
	return view.ready;
}

void broker_check_let_go(const struct broker *broker, uint64_t first_before)
{
	struct archiver_view view;
	struct journal_stats stats;

	journal_get_stats(broker->journal, &stats);
	if (!broker->net->archiver || stats.first_sequence == first_before)
		return;
	archiver_get_view(broker->net->archiver, &view);
	life_check(view.archived_sequence + 1 >= stats.first_sequence,
	           "the journal let go of everything below %" PRIu64 ", archived is %" PRIu64,
	           stats.first_sequence, view.archived_sequence);
}

static void check_record(uint64_t sequence, const struct journal_record *record)
{
	const struct record *it = &life_now->model->records[sequence - 1];
	uint8_t *bytes = malloc(it->len + STRIP_MORE);
	struct cursor cursor;

	assert(bytes);
	cursor_init_write(&cursor, bytes, it->len + STRIP_MORE);
	life_check(record_strip(it->kind, it->data, it->len, &cursor) && record->kind == it->kind &&
	                   record->len == cursor_offset(&cursor) &&
	                   memcmp(record->data, bytes, record->len) == 0,
	           "record %" PRIu64 " is another one in the archive", sequence);
	free(bytes);
}

/* In peace: it is there, and it and the journal have everything from the first record on. */
void broker_check_archive(const struct broker *broker)
{
	struct archive_reader *reader = NULL;
	struct journal_record record;
	struct journal_stats stats;
	uint64_t sequence = 0, next = broker->restored_once ? 0 : 1;
	const char *why = "";
	bool soon;

	if (!life_now->plan->archived || !broker->net)
		return;
	life_check(broker_archive_ready(broker), "there is no archive in the end");
	life_check(archive_reader_open(&reader, archiver_archive(broker->net->archiver, &why, &soon)) ==
	                   TTG_OK, "the archive cannot be read: %s", why);
	while (archive_reader_next(reader, &sequence, &record) == TTG_OK) {
		life_check(next == 0 || sequence == next,
		           "record %" PRIu64 " follows in the archive, %" PRIu64 " should", sequence, next);
		check_record(sequence, &record);
		next = sequence + 1;
	}
	archive_reader_close(&reader);
	journal_get_stats(broker->journal, &stats);
	life_check(next == 0 || stats.first_sequence <= next,
	           "records %" PRIu64 " to %" PRIu64 " are nowhere", next, stats.first_sequence - 1);
	life_trace("archive: %" PRIu64 " records", sequence);
}
