/*
 * The archive: the journal's records without what was said, once each and in their order, whatever fails
 * while they are taken over.
 */
#include "support/core_play.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "archive/archive.h"
#include "core/strip.h"
#include "unit.h"
#include "support/memory_world.h"

#define SECRET "QQSECRETQQ"
#define SEGMENT (64u * 1024u)

static char secret[] = SECRET;

struct bed {
	struct memory_world *memory;
	struct play *play; /* whose records are in the journal */
	struct journal *journal;
	struct archive *archive;
};

static struct journal_options options_for(const char *directory)
{
	return (struct journal_options){
		.directory = directory,
		.key = { 0x42 },
		.cipher = JOURNAL_AES_256_GCM,
		.segment_bytes = SEGMENT,
		.buffer_bytes = 64u * 1024u,
	};
}

static enum ttg_error open_archive(struct bed *bed, struct message *message)
{
	const struct journal_options options = options_for("/a");

	return archive_open(&bed->archive, &options, memory_world_table(bed->memory), message);
}

static void must_open(struct bed *bed)
{
	const struct journal_options options = options_for("/j");
	struct message message = { "" };

	if (journal_open(&bed->journal, &options, memory_world_table(bed->memory), &message) ||
	    open_archive(bed, &message))
		fail_msg("%s", message.text);
}

/* Of what was delivered last: it is acknowledged, or refused with words that are not to be kept. */
static void answer(struct play *play, bool refuse)
{
	const uint64_t position = play->deliveries[play->n_deliveries - 1].position;

	if (refuse)
		assert_int_equal(core_nack(play->core, &play->now, 1, position, 1, SECRET, 0), TTG_OK);
	else
		assert_int_equal(core_ack(play->core, &play->now, 1, 0, &position, 1), TTG_OK);
	play_wait(play, PLAY_SECOND);
	play_settle(play);
}

/* Releases with a secret in each, and what becomes of them. */
static struct play *play_of(unsigned events)
{
	struct play *play = play_new(8, 100);

	play_attach(play, BOX_ONESERVICE, 1, 60000);
	for (unsigned i = 0; i < events; i++) {
		struct play_event it;

		play_event(play, &it, TYPE_RELEASED, 1 + i % 5);
		it.released.prison_code = secret;
		assert_int_equal(play_publish(play, &it).kind, CORE_ACCEPTED);
		play_settle(play);
		answer(play, i % 40 == 39);
	}
	return play;
}

static void append(struct bed *bed, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++) {
		const struct play_record *it = &bed->play->records[i - 1];
		const struct journal_record record = { it->kind, it->data, it->len };
		uint64_t sequence = 0;

		assert_int_equal(journal_append(bed->journal, &record, 1, &sequence), TTG_OK);
		assert_int_equal(sequence, i);
		if (i % 20 == 0)
			assert_int_equal(journal_flush(bed->journal), TTG_OK);
	}
	assert_int_equal(journal_flush(bed->journal), TTG_OK);
}

static struct bed *bed_new(unsigned events)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->memory = memory_world_new(5);
	bed->play = play_of(events);
	must_open(bed);
	return bed;
}

static void bed_free(struct bed **bed)
{
	archive_close(&(*bed)->archive);
	journal_close(&(*bed)->journal);
	play_free(&(*bed)->play);
	memory_world_free(&(*bed)->memory);
	free(*bed);
	*bed = NULL;
}

/* Up to `last`, or until something fails. */
static enum ttg_error take(struct bed *bed, uint64_t last)
{
	enum ttg_error error = TTG_OK;

	while (!error && archive_last(bed->archive) < last)
		error = archive_take(bed->archive, bed->journal, last);
	return error;
}

/* It holds these records of the journal, as they should be, and no others. */
static void must_hold(struct bed *bed, uint64_t from, uint64_t to)
{
	struct archive_reader *reader = NULL;
	struct journal_record record;
	uint64_t sequence = 0, expected = from;
	enum ttg_error error;

	assert_int_equal(archive_reader_open(&reader, bed->archive), TTG_OK);
	while (!(error = archive_reader_next(reader, &sequence, &record))) {
		const struct play_record *it = &bed->play->records[sequence - 1];
		uint8_t bytes[4096];
		struct cursor cursor;

		assert_int_equal(sequence, expected);
		expected++;
		cursor_init_write(&cursor, bytes, sizeof(bytes));
		assert_true(record_strip(it->kind, it->data, it->len, &cursor));
		assert_int_equal(record.kind, it->kind);
		assert_int_equal(record.len, cursor_offset(&cursor));
		assert_memory_equal(record.data, bytes, record.len);
		assert_null(memmem(record.data, record.len, SECRET, strlen(SECRET)));
	}
	assert_int_equal(error, TTG_EAGAIN);
	assert_int_equal(expected, to + 1);
	archive_reader_close(&reader);
}

static void what_the_journal_holds_is_in_it_without_what_was_said(void **state)
{
	struct bed *bed = bed_new(600);
	const uint64_t n = bed->play->n_records;
	uint8_t ours[JOURNAL_ID_BYTES], theirs[JOURNAL_ID_BYTES];

	(void)state;
	assert_true(n > 4 * ARCHIVE_UNIT_RECORDS);
	append(bed, 1, n);
	assert_false(archive_journal_id(bed->archive, ours));
	assert_int_equal(archive_last(bed->archive), 0);
	assert_int_equal(take(bed, 100), TTG_OK);
	must_hold(bed, 1, 100);
	assert_int_equal(archive_take(bed->archive, bed->journal, 100), TTG_EAGAIN);
	assert_int_equal(take(bed, n), TTG_OK);
	must_hold(bed, 1, n);
	assert_int_equal(archive_durable(bed->archive), n);
	assert_int_equal(archive_take(bed->archive, bed->journal, n + 5), TTG_EAGAIN);
	journal_get_id(bed->journal, ours);
	assert_true(archive_journal_id(bed->archive, theirs));
	assert_memory_equal(ours, theirs, sizeof(ours));
	bed_free(&bed);
}

static void it_goes_on_behind_what_it_has_however_long_the_last_unit_was(void **state)
{
	struct bed *bed = bed_new(400);
	uint64_t at = 0;

	(void)state;
	append(bed, 1, bed->play->n_records);
	for (uint64_t step = 1; at + step <= bed->play->n_records; step += 1 + step / 2) {
		at += step;
		assert_int_equal(take(bed, at), TTG_OK);
		archive_close(&bed->archive);
		assert_int_equal(open_archive(bed, NULL), TTG_OK);
		assert_int_equal(archive_last(bed->archive), at);
		assert_int_equal(archive_durable(bed->archive), at);
	}
	must_hold(bed, 1, at);
	bed_free(&bed);
}

/* Segments of the journal that are archived go as retention would let them. */
static void let_go(struct bed *bed)
{
	assert_int_equal(journal_retain(bed->journal, archive_durable(bed->archive) + 1, NULL), TTG_OK);
}

/* One life: call number `after` of this kind fails, and so does everything behind; then a new one. */
static bool die_at(enum memory_call call, uint64_t after, enum memory_crash how)
{
	struct bed *bed = bed_new(300);
	const uint64_t n = bed->play->n_records;
	bool died = false;

	append(bed, 1, n);
	memory_world_fail(bed->memory, call, after, EIO, true);
	for (uint64_t last = 50; last < n && !died; last += 170) {
		died = take(bed, last) != TTG_OK;
		if (!died && journal_failure(archive_files(bed->archive), NULL) == TTG_OK)
			journal_retain(bed->journal, archive_durable(bed->archive) + 1, NULL);
		died = died || journal_failure(archive_files(bed->archive), NULL) != TTG_OK ||
		       journal_failure(bed->journal, NULL) != TTG_OK;
	}
	memory_world_kill(bed->memory);
	archive_close(&bed->archive);
	journal_close(&bed->journal);
	memory_world_crash(bed->memory, how);
	memory_world_fail(bed->memory, call, UINT64_MAX, EIO, false);
	must_open(bed);
	assert_true(archive_last(bed->archive) <= n);
	assert_int_equal(take(bed, n), TTG_OK);
	must_hold(bed, 1, n);
	let_go(bed);
	bed_free(&bed);
	return died;
}

static void a_crash_at_any_call_leaves_nothing_out_and_nothing_in_twice(void **state)
{
	static const enum memory_crash crashes[] = { MEMORY_CRASH_PROCESS, MEMORY_CRASH_LOSE,
						     MEMORY_CRASH_RANDOM };
	unsigned lives = 0;

	(void)state;
	for (int call = 0; call < MEMORY_CALLS; call++) {
		for (size_t i = 0; i < 3; i++) {
			uint64_t after = 0;

			while (die_at((enum memory_call)call, after, crashes[i]))
				after++;
			lives += (unsigned)after;
		}
	}
	printf("%u lives ended at a call that failed\n", lives);
	assert_true(lives > 60);
}

static void what_was_gone_before_it_came_there_is_a_gap_that_shows(void **state)
{
	struct bed *bed = bed_new(900);
	const uint64_t n = bed->play->n_records;
	struct archive_reader *reader = NULL;
	struct journal_record record;
	struct journal_stats stats;
	uint64_t sequence = 0, before = 0, gaps = 0;

	(void)state;
	append(bed, 1, n);
	assert_int_equal(take(bed, 40), TTG_OK);
	assert_int_equal(journal_retain(bed->journal, n, NULL), TTG_OK);
	journal_get_stats(bed->journal, &stats);
	assert_true(stats.first_sequence > 41);
	assert_int_equal(take(bed, n), TTG_OK);
	assert_int_equal(archive_reader_open(&reader, bed->archive), TTG_OK);
	while (archive_reader_next(reader, &sequence, &record) == TTG_OK) {
		gaps += sequence != before + 1;
		if (sequence != before + 1) {
			assert_int_equal(before, 40);
			assert_int_equal(sequence, stats.first_sequence);
		}
		before = sequence;
	}
	assert_int_equal(gaps, 1);
	assert_int_equal(before, n);
	archive_reader_close(&reader);
	bed_free(&bed);
}

static void a_full_disk_is_waited_for(void **state)
{
	struct bed *bed = bed_new(600);
	const uint64_t n = bed->play->n_records;
	enum ttg_error error;

	(void)state;
	append(bed, 1, n);
	memory_world_set_free(bed->memory, 0);
	error = take(bed, n);
	assert_int_equal(error, TTG_ENOSPC);
	const uint64_t reached = archive_last(bed->archive);
	assert_true(reached < n);
	memory_world_set_free(bed->memory, UINT64_C(1) << 30);
	memory_world_advance(bed->memory, PLAY_SECOND);
	assert_int_equal(take(bed, n), TTG_OK);
	must_hold(bed, 1, n);
	bed_free(&bed);
}

static void it_lets_go_of_what_came_too_long_ago_and_is_read_from_there(void **state)
{
	struct bed *bed = bed_new(1500);
	const uint64_t n = bed->play->n_records;
	const struct world *world = memory_world_table(bed->memory);
	struct archive_reader *reader = NULL;
	struct journal_record record;
	uint64_t sequence = 0;

	(void)state;
	append(bed, 1, n);
	assert_int_equal(take(bed, n / 2), TTG_OK);
	memory_world_advance(bed->memory, 100 * PLAY_SECOND);
	const int64_t now_ns = world->real_ns(world->self);
	assert_int_equal(archive_retain(bed->archive, now_ns - 200 * PLAY_SECOND), TTG_OK);
	must_hold(bed, 1, n / 2);
	assert_int_equal(take(bed, n), TTG_OK);
	assert_int_equal(archive_retain(bed->archive, now_ns - 50 * PLAY_SECOND), TTG_OK);
	assert_int_equal(archive_reader_open(&reader, bed->archive), TTG_OK);
	assert_int_equal(archive_reader_next(reader, &sequence, &record), TTG_OK);
	archive_reader_close(&reader);
	assert_true(sequence > 1 && sequence <= n / 2 + 1);
	must_hold(bed, sequence, n);
	archive_close(&bed->archive);
	assert_int_equal(open_archive(bed, NULL), TTG_OK);
	must_hold(bed, sequence, n);
	bed_free(&bed);
}

static void what_is_no_archive_is_refused_and_damage_is_named(void **state)
{
	struct bed *bed = bed_new(200);
	struct message message = { "" };
	uint64_t size = 0;
	uint8_t *file;

	(void)state;
	append(bed, 1, bed->play->n_records);
	assert_int_equal(take(bed, bed->play->n_records), TTG_OK);
	archive_close(&bed->archive);
	file = memory_world_file(bed->memory, "/a/seg-0000000000000001.ttj", &size);
	assert_non_null(file);
	file[5000] ^= 4;
	assert_int_equal(open_archive(bed, &message), TTG_ECORRUPT);
	assert_non_null(strstr(message.text, "/a/seg-0000000000000001.ttj: offset 4096"));
	file[5000] ^= 4;
	assert_int_equal(open_archive(bed, &message), TTG_OK);
	archive_close(&bed->archive);
	journal_close(&bed->journal);
	const struct journal_options options = options_for("/j");
	assert_int_equal(archive_open(&bed->archive, &options, memory_world_table(bed->memory), &message),
			 TTG_ECORRUPT);
	assert_non_null(strstr(message.text, "/j"));
	bed_free(&bed);
}

static void a_head_is_read_as_it_is_written_and_nothing_else_is_one(void **state)
{
	uint8_t data[] = { 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 7, 0 };
	struct journal_record record = { ARCHIVE_HEAD, data, 18 };
	uint8_t id[JOURNAL_ID_BYTES];
	uint64_t first = 0;

	(void)state;
	assert_true(archive_read_head(&record, id, &first));
	assert_int_equal(first, 7);
	assert_int_equal(id[15], 9);
	record.len = 19;
	assert_false(archive_read_head(&record, id, &first));
	record.len = 17;
	assert_false(archive_read_head(&record, id, &first));
	record.len = 18;
	data[17] = 0;
	assert_false(archive_read_head(&record, id, &first));
	data[17] = 7;
	data[0] = 2;
	assert_false(archive_read_head(&record, id, &first));
	data[0] = 1;
	record.kind = 3;
	assert_false(archive_read_head(&record, id, &first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_journal_holds_is_in_it_without_what_was_said),
		cmocka_unit_test(it_goes_on_behind_what_it_has_however_long_the_last_unit_was),
		cmocka_unit_test(a_crash_at_any_call_leaves_nothing_out_and_nothing_in_twice),
		cmocka_unit_test(what_was_gone_before_it_came_there_is_a_gap_that_shows),
		cmocka_unit_test(a_full_disk_is_waited_for),
		cmocka_unit_test(it_lets_go_of_what_came_too_long_ago_and_is_read_from_there),
		cmocka_unit_test(what_is_no_archive_is_refused_and_damage_is_named),
		cmocka_unit_test(a_head_is_read_as_it_is_written_and_nothing_else_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
