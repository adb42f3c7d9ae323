/*
 * The durable outbox: what survives a crash, what is recognised as torn and what as damaged.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "client/outbox.h"

#define SECTOR 512

struct stage {
	char dir[UNIT_DIRECTORY];
	char outbox_dir[128];
	char segment[192]; /* the first one's path */
	struct world world;
	struct outbox *outbox;
	struct message message;
	/* What outbox_each() found. */
	size_t n;
	uint64_t tags[512];
	uint32_t bytes[512];
	struct outbox_place places[512];
	/* Faults. */
	int writes_left, syncs_left; /* before they fail; -1: never */
	int write_error;
};

static struct stage *faulty; /* the world's functions find their stage here */

static ssize_t failing_write(void *self, int file, const void *data, size_t len, uint64_t offset)
{
	const struct world *real = world_real();

	(void)self;
	if (faulty->writes_left == 0) {
		/* Part of it is written before the error. */
		real->write_at(real->self, file, data, len / 2, offset);
		return -faulty->write_error;
	}
	if (faulty->writes_left > 0)
		faulty->writes_left--;
	return real->write_at(real->self, file, data, len, offset);
}

static int failing_sync(void *self, int file)
{
	const struct world *real = world_real();

	(void)self;
	if (faulty->syncs_left == 0)
		return -EIO;
	if (faulty->syncs_left > 0)
		faulty->syncs_left--;
	return real->sync(real->self, file);
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	unit_directory_make(stage->dir);
	snprintf(stage->outbox_dir, sizeof(stage->outbox_dir), "%s/outbox", stage->dir);
	snprintf(stage->segment, sizeof(stage->segment), "%s/0000000000000001.out",
		 stage->outbox_dir);
	stage->world = *world_real();
	stage->world.write_at = failing_write;
	stage->world.sync = failing_sync;
	stage->writes_left = stage->syncs_left = -1;
	faulty = stage;
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	outbox_close(&stage->outbox);
	unit_directory_remove(stage->dir);
	free(stage);
	return 0;
}

static enum ttg_error note_found(void *arg, const uint8_t id[16], uint32_t bytes,
				 const struct outbox_place *place)
{
	struct stage *stage = arg;

	assert_true(stage->n < 512);
	memcpy(&stage->tags[stage->n], id, sizeof(uint64_t));
	stage->bytes[stage->n] = bytes;
	stage->places[stage->n++] = *place;
	return TTG_OK;
}

static enum ttg_error open_sized(struct stage *stage, size_t max_bytes)
{
	enum ttg_error code = outbox_open(&stage->outbox, &stage->world, stage->outbox_dir,
					  max_bytes, &stage->message);

	stage->n = 0;
	if (code == TTG_OK)
		assert_int_equal(outbox_each(stage->outbox, note_found, stage), TTG_OK);
	return code;
}

static enum ttg_error open_it(struct stage *stage)
{
	return open_sized(stage, 0);
}

/* A crash: what is in memory only is gone. close() would write the marks of done events. */
static void crash(struct stage *stage)
{
	stage->writes_left = 0;
	stage->write_error = EIO;
	outbox_close(&stage->outbox);
	stage->writes_left = stage->syncs_left = -1;
}

static void fill(uint8_t *out, uint64_t tag, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(tag * 7 + i);
}

/* Stores n events of `bytes` bytes as one batch. */
static enum ttg_error put(struct stage *stage, uint64_t first, size_t n, size_t bytes,
			  struct outbox_place *places)
{
	struct ttg_publish_item items[64];
	struct outbox_place unused[64];
	uint8_t ids[64][16];
	uint8_t *events = calloc(n, bytes);

	assert_true(n <= 64 && events);
	for (size_t i = 0; i < n; i++) {
		uint64_t tag = first + i;

		memset(ids[i], 0xee, sizeof(ids[i]));
		memcpy(ids[i], &tag, sizeof(tag));
		fill(events + i * bytes, tag, bytes);
		items[i] = (struct ttg_publish_item){ ids[i], events + i * bytes, bytes, NULL };
	}
	enum ttg_error code = outbox_put(stage->outbox, items, n, places ? places : unused);
	free(events);
	return code;
}

static void must_hold(struct stage *stage, uint64_t first, size_t n)
{
	uint8_t wanted[4096], got[4096];

	assert_int_equal(stage->n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(stage->tags[i], first + i);
		fill(wanted, first + i, stage->bytes[i]);
		assert_int_equal(outbox_read(stage->outbox, &stage->places[i], stage->bytes[i],
					     got),
				 TTG_OK);
		assert_memory_equal(got, wanted, stage->bytes[i]);
	}
}

static off_t length_of(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? status.st_size : -1;
}

static void overwrite(const char *path, off_t at, const void *data, size_t len)
{
	int file = open(path, O_RDWR);

	assert_true(file >= 0);
	assert_int_equal(pwrite(file, data, len, at), len);
	close(file);
}

static void what_was_put_is_there_after_a_crash(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(open_it(stage), TTG_OK);
	assert_int_equal(put(stage, 1, 3, 100, NULL), TTG_OK);
	assert_int_equal(put(stage, 4, 1, 3000, NULL), TTG_OK);
	assert_int_equal(put(stage, 5, 10, 777, NULL), TTG_OK);
	crash(stage);
	assert_int_equal(open_it(stage), TTG_OK);
	must_hold(stage, 1, 14);
	assert_int_equal(put(stage, 15, 1, 500, NULL), TTG_OK);
	crash(stage);
	assert_int_equal(open_it(stage), TTG_OK);
	must_hold(stage, 1, 15);
}

static void what_is_done_does_not_come_again(void **state)
{
	struct stage *stage = *state;
	struct outbox_place places[10];

	assert_int_equal(open_it(stage), TTG_OK);
	assert_int_equal(put(stage, 1, 10, 50, places), TTG_OK);
	for (size_t i = 0; i < 7; i++)
		outbox_done(stage->outbox, &places[i]);
	assert_true(outbox_has_done(stage->outbox));
	assert_int_equal(outbox_flush_done(stage->outbox), TTG_OK);
	assert_false(outbox_has_done(stage->outbox));
	crash(stage);
	assert_int_equal(open_it(stage), TTG_OK);
	must_hold(stage, 8, 3);
	for (size_t i = 0; i < stage->n; i++)
		outbox_done(stage->outbox, &stage->places[i]);
	outbox_close(&stage->outbox);
	assert_int_equal(length_of(stage->segment), -1);
	assert_int_equal(open_it(stage), TTG_OK);
	must_hold(stage, 0, 0);
}

static void a_mark_that_was_not_written_only_repeats_an_event(void **state)
{
	struct stage *stage = *state;
	struct outbox_place places[2];

	assert_int_equal(open_it(stage), TTG_OK);
	assert_int_equal(put(stage, 1, 2, 50, places), TTG_OK);
	outbox_done(stage->outbox, &places[0]);
	crash(stage);
	assert_int_equal(open_it(stage), TTG_OK);
	must_hold(stage, 1, 2);
}

static void segments_go_when_all_in_them_is_done(void **state)
{
	struct stage *stage = *state;
	struct outbox_place places[200];

	assert_int_equal(open_sized(stage, 1024 * 1024), TTG_OK);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(put(stage, i, 1, 3000, &places[i]), TTG_OK);
	assert_true(places[199].segment >= 5);
	assert_true(length_of(stage->segment) > 0);
	for (size_t i = 0; i < 199; i++)
		outbox_done(stage->outbox, &places[i]);
	assert_int_equal(length_of(stage->segment), -1);
	crash(stage);
	assert_int_equal(open_sized(stage, 1024 * 1024), TTG_OK);
	assert_true(stage->n >= 1 && stage->n < 60);
	assert_int_equal(stage->tags[stage->n - 1], 199);
	must_hold(stage, 200 - stage->n, stage->n);
}

static void a_full_outbox_says_so_and_takes_more_when_something_is_done(void **state)
{
	struct stage *stage = *state;
	struct outbox_place places[200];
	size_t n = 0;

	assert_int_equal(open_sized(stage, 256 * 1024), TTG_OK);
	while (put(stage, n, 1, 3000, &places[n]) == TTG_OK)
		n++;
	assert_true(n > 60 && n < 90);
	assert_int_equal(put(stage, n, 1, 3000, &places[n]), TTG_ENOSPC);
	for (size_t i = 0; i < n; i++)
		outbox_done(stage->outbox, &places[i]);
	assert_int_equal(put(stage, n, 1, 3000, &places[n]), TTG_OK);
}

/* Two batches, the second of several sectors; then the file is damaged, and opened again. */
static off_t two_batches(struct stage *stage)
{
	assert_int_equal(open_it(stage), TTG_OK);
	assert_int_equal(put(stage, 1, 4, 300, NULL), TTG_OK);
	off_t second = length_of(stage->segment);
	assert_int_equal(put(stage, 5, 4, 300, NULL), TTG_OK);
	crash(stage);
	return second;
}

static void a_last_batch_cut_off_anywhere_is_dropped_whole(void **state)
{
	struct stage *stage = *state;
	off_t second = two_batches(stage);
	off_t end = length_of(stage->segment);
	uint8_t whole[16384];

	assert_true(end <= (off_t)sizeof(whole) && end > second + SECTOR);
	int file = open(stage->segment, O_RDONLY);
	assert_int_equal(read(file, whole, sizeof(whole)), end);
	close(file);
	for (off_t cut = second; cut < end; cut += 100) {
		assert_int_equal(truncate(stage->segment, cut), 0);
		assert_int_equal(open_it(stage), TTG_OK);
		must_hold(stage, 1, 4);
		crash(stage);
		assert_int_equal(length_of(stage->segment), second);
		overwrite(stage->segment, 0, whole, (size_t)end);
	}
	assert_int_equal(open_it(stage), TTG_OK);
	must_hold(stage, 1, 8);
}

static void a_last_batch_with_sectors_that_were_not_written_is_dropped_whole(void **state)
{
	struct stage *stage = *state;
	off_t second = two_batches(stage);
	off_t end = length_of(stage->segment);
	static const uint8_t zeros[SECTOR];
	uint8_t whole[16384];
	int sectors = (int)((end - second) / SECTOR);

	int file = open(stage->segment, O_RDONLY);
	assert_int_equal(read(file, whole, sizeof(whole)), end);
	close(file);
	assert_true(sectors >= 3);
	/* Every choice of sectors that did not reach the disk. */
	for (int lost = 1; lost < 1 << sectors; lost++) {
		overwrite(stage->segment, 0, whole, (size_t)end);
		for (int i = 0; i < sectors; i++)
			if (lost & 1 << i)
				overwrite(stage->segment, second + i * SECTOR, zeros, SECTOR);
		assert_int_equal(open_it(stage), TTG_OK);
		must_hold(stage, 1, 4);
		crash(stage);
	}
}

static void a_last_batch_with_a_sector_torn_in_its_middle_is_dropped_whole(void **state)
{
	struct stage *stage = *state;
	off_t second = two_batches(stage);
	off_t end = length_of(stage->segment);
	static const uint8_t zeros[SECTOR];
	uint8_t whole[16384];

	int file = open(stage->segment, O_RDONLY);
	assert_int_equal(read(file, whole, sizeof(whole)), end);
	close(file);
	for (off_t torn = second; torn < end; torn += SECTOR) {
		for (off_t kept = 0; kept <= SECTOR - 12; kept += 50) {
			overwrite(stage->segment, 0, whole, (size_t)end);
			overwrite(stage->segment, torn + kept, zeros, (size_t)(SECTOR - kept));
			assert_int_equal(open_it(stage), TTG_OK);
			must_hold(stage, 1, 4);
			crash(stage);
		}
	}
}

/* A process that was killed, or whose sync failed, left it; nobody else will write or sync it. */
static void the_newest_batch_is_written_again_and_synced_at_the_start(void **state)
{
	struct stage *stage = *state;

	two_batches(stage);
	stage->writes_left = 0;
	stage->write_error = EIO;
	assert_int_equal(open_it(stage), TTG_EIO);
	stage->writes_left = -1;
	stage->syncs_left = 0;
	assert_int_equal(open_it(stage), TTG_EIO);
	stage->syncs_left = -1;
	assert_int_equal(open_it(stage), TTG_OK);
	must_hold(stage, 1, 8);
}

static void a_flipped_bit_anywhere_stops_the_start_and_changes_nothing(void **state)
{
	struct stage *stage = *state;
	uint8_t byte;

	two_batches(stage);
	off_t end = length_of(stage->segment);
	for (off_t at = 0; at < end; at += 13) {
		int file = open(stage->segment, O_RDWR);

		assert_int_equal(pread(file, &byte, 1, at), 1);
		byte ^= (uint8_t)(1 << (at % 8));
		assert_int_equal(pwrite(file, &byte, 1, at), 1);
		assert_int_equal(open_it(stage), TTG_ECORRUPT);
		assert_null(stage->outbox);
		assert_non_null(strstr(stage->message.text, "0000000000000001.out"));
		assert_non_null(strstr(stage->message.text, "offset"));
		assert_int_equal(length_of(stage->segment), end);
		byte ^= (uint8_t)(1 << (at % 8));
		assert_int_equal(pwrite(file, &byte, 1, at), 1);
		close(file);
	}
	assert_int_equal(open_it(stage), TTG_OK);
	must_hold(stage, 1, 8);
}

static void a_hole_before_good_batches_is_damage_and_not_a_tail(void **state)
{
	struct stage *stage = *state;
	static const uint8_t zeros[SECTOR];

	two_batches(stage);
	overwrite(stage->segment, SECTOR, zeros, SECTOR);
	assert_int_equal(open_it(stage), TTG_ECORRUPT);
}

static void a_cut_off_segment_before_the_last_is_damage(void **state)
{
	struct stage *stage = *state;

	off_t second = two_batches(stage);
	assert_int_equal(open_it(stage), TTG_OK); /* begins a second segment */
	assert_int_equal(put(stage, 9, 1, 100, NULL), TTG_OK);
	crash(stage);
	assert_int_equal(truncate(stage->segment, second), 0);
	assert_int_equal(open_it(stage), TTG_ECORRUPT);
	assert_non_null(strstr(stage->message.text, "batches before it are missing"));
}

static void a_missing_segment_is_damage(void **state)
{
	struct stage *stage = *state;
	char middle[192];

	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(open_it(stage), TTG_OK);
		assert_int_equal(put(stage, i, 1, 100, NULL), TTG_OK);
		crash(stage);
	}
	snprintf(middle, sizeof(middle), "%s/0000000000000002.out", stage->outbox_dir);
	assert_int_equal(unlink(middle), 0);
	assert_int_equal(open_it(stage), TTG_ECORRUPT);
	assert_non_null(strstr(stage->message.text, "missing"));
}

static void an_empty_last_segment_is_removed(void **state)
{
	struct stage *stage = *state;
	char next[192];

	two_batches(stage);
	snprintf(next, sizeof(next), "%s/0000000000000002.out", stage->outbox_dir);
	close(open(next, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(open_it(stage), TTG_OK);
	must_hold(stage, 1, 8);
	assert_int_equal(length_of(next), -1);
}

static void a_second_process_is_kept_out(void **state)
{
	struct stage *stage = *state;
	struct outbox *second = NULL;

	assert_int_equal(open_it(stage), TTG_OK);
	assert_int_equal(outbox_open(&second, &stage->world, stage->outbox_dir, 0,
				     &stage->message),
			 TTG_ELOCKED);
	assert_null(second);
}

static void a_full_disk_takes_nothing_and_the_outbox_goes_on(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(open_it(stage), TTG_OK);
	assert_int_equal(put(stage, 1, 1, 2000, NULL), TTG_OK);
	stage->writes_left = 0;
	stage->write_error = ENOSPC;
	assert_int_equal(put(stage, 2, 1, 2000, NULL), TTG_ENOSPC);
	stage->writes_left = -1;
	assert_int_equal(put(stage, 2, 1, 2000, NULL), TTG_OK);
	crash(stage);
	assert_int_equal(open_it(stage), TTG_OK);
	must_hold(stage, 1, 2);
}

static void a_failed_sync_is_final(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(open_it(stage), TTG_OK);
	assert_int_equal(put(stage, 1, 1, 100, NULL), TTG_OK);
	stage->syncs_left = 0;
	assert_int_equal(put(stage, 2, 1, 100, NULL), TTG_EIO);
	stage->syncs_left = -1;
	assert_int_equal(put(stage, 2, 1, 100, NULL), TTG_EIO);
	assert_int_equal(outbox_flush_done(stage->outbox), TTG_EIO);
}

static void a_crash_at_any_write_or_sync_keeps_what_was_confirmed(void **state)
{
	struct stage *stage = *state;

	for (int at = 0; at < 40; at++) {
		struct outbox_place places[8];
		size_t confirmed = 0, finished = 0;

		assert_int_equal(open_sized(stage, 64 * 1024), TTG_OK);
		*(at % 2 ? &stage->writes_left : &stage->syncs_left) = at / 2;
		stage->write_error = EIO;
		for (uint64_t i = 0; i < 8; i++) {
			if (put(stage, i, 1, 400 + 300 * i, &places[confirmed]) != TTG_OK)
				break;
			confirmed++;
			if (i % 3 == 2)
				outbox_done(stage->outbox, &places[finished++]);
		}
		crash(stage);
		assert_int_equal(open_sized(stage, 64 * 1024), TTG_OK);
		/* A mark may be lost, and one event whose sync failed may have come through. */
		assert_true(stage->n >= confirmed - finished && stage->n <= confirmed + 1);
		if (confirmed > 0)
			assert_true(stage->n > 0 && stage->tags[0] <= finished &&
				    stage->tags[stage->n - 1] >= confirmed - 1);
		must_hold(stage, stage->n ? stage->tags[0] : 0, stage->n);
		for (size_t i = 0; i < stage->n; i++)
			outbox_done(stage->outbox, &stage->places[i]);
		outbox_close(&stage->outbox);
	}
}

static void damage_found_while_reading_back_is_told(void **state)
{
	struct stage *stage = *state;
	struct outbox_place place;
	uint8_t out[100];

	assert_int_equal(open_it(stage), TTG_OK);
	assert_int_equal(put(stage, 1, 1, 100, &place), TTG_OK);
	overwrite(stage->segment, SECTOR + 60, "!", 1);
	assert_int_equal(outbox_read(stage->outbox, &place, 100, out), TTG_ECORRUPT);
}

static void random_bytes_as_a_segment_never_do_harm(void **state)
{
	struct stage *stage = *state;
	uint64_t seed = unit_seed("random_bytes_as_a_segment");
	uint8_t bytes[4096];

	two_batches(stage);
	off_t end = length_of(stage->segment);
	for (int round = 0; round < 50; round++) {
		size_t at = SECTOR + unit_random(&seed) % ((size_t)end - SECTOR);
		size_t len = 1 + unit_random(&seed) % 64;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)unit_random(&seed) | 1;
		overwrite(stage->segment, (off_t)at, bytes, len);
		assert_int_equal(open_it(stage), TTG_ECORRUPT);
	}
}

int main(void)
{
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STAGE_TEST(what_was_put_is_there_after_a_crash),
		STAGE_TEST(what_is_done_does_not_come_again),
		STAGE_TEST(a_mark_that_was_not_written_only_repeats_an_event),
		STAGE_TEST(segments_go_when_all_in_them_is_done),
		STAGE_TEST(a_full_outbox_says_so_and_takes_more_when_something_is_done),
		STAGE_TEST(a_last_batch_cut_off_anywhere_is_dropped_whole),
		STAGE_TEST(a_last_batch_with_sectors_that_were_not_written_is_dropped_whole),
		STAGE_TEST(a_last_batch_with_a_sector_torn_in_its_middle_is_dropped_whole),
		STAGE_TEST(the_newest_batch_is_written_again_and_synced_at_the_start),
		STAGE_TEST(a_flipped_bit_anywhere_stops_the_start_and_changes_nothing),
		STAGE_TEST(a_hole_before_good_batches_is_damage_and_not_a_tail),
		STAGE_TEST(a_cut_off_segment_before_the_last_is_damage),
		STAGE_TEST(a_missing_segment_is_damage),
		STAGE_TEST(an_empty_last_segment_is_removed),
		STAGE_TEST(a_second_process_is_kept_out),
		STAGE_TEST(a_full_disk_takes_nothing_and_the_outbox_goes_on),
		STAGE_TEST(a_failed_sync_is_final),
		STAGE_TEST(a_crash_at_any_write_or_sync_keeps_what_was_confirmed),
		STAGE_TEST(damage_found_while_reading_back_is_told),
		STAGE_TEST(random_bytes_as_a_segment_never_do_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
