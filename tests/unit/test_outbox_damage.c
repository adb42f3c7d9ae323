/*
 * The durable outbox after a crash or damage: what is recognised as torn and what as damaged.
 */
#include "support/outbox_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define WHOLE_MAX 16384

static void read_file(const char *path, uint8_t *out, off_t len)
{
	int file = open(path, O_RDONLY);

	assert_true(file >= 0 && len <= WHOLE_MAX);
	assert_int_equal(pread(file, out, (size_t)len, 0), len);
	close(file);
}

/* The machine stopped before HEAD of the second batch reached the disk. */
static void machine_stopped(struct box_stage *stage)
{
	box_overwrite(stage->head, 0, stage->first_head, sizeof(stage->first_head));
}

/* Two batches, the second of several sectors; then the file is damaged, and opened again. */
static off_t two_batches(struct box_stage *stage)
{
	assert_int_equal(box_open(stage), TTG_OK);
	assert_int_equal(box_put(stage, 1, 4, 300, NULL), TTG_OK);
	off_t second = box_length(stage->segment);
	read_file(stage->head, stage->first_head, 3 * BOX_SECTOR);
	assert_int_equal(box_put(stage, 5, 4, 300, NULL), TTG_OK);
	read_file(stage->head, stage->second_head, 3 * BOX_SECTOR);
	box_crash(stage);
	return second;
}

static void a_last_batch_cut_off_anywhere_is_dropped_whole(void **state)
{
	struct box_stage *stage = *state;
	off_t second = two_batches(stage);
	off_t end = box_length(stage->segment);
	uint8_t whole[WHOLE_MAX];

	assert_true(end <= (off_t)sizeof(whole) && end > second + BOX_SECTOR);
	read_file(stage->segment, whole, end);
	for (off_t cut = second; cut < end; cut += 100) {
		assert_int_equal(truncate(stage->segment, cut), 0);
		machine_stopped(stage);
		assert_int_equal(box_open(stage), TTG_OK);
		box_must_hold(stage, 1, 4);
		box_crash(stage);
		assert_int_equal(box_length(stage->segment), second);
		box_overwrite(stage->segment, 0, whole, (size_t)end);
	}
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 1, 8);
}

static void a_last_batch_with_sectors_that_were_not_written_is_dropped_whole(void **state)
{
	struct box_stage *stage = *state;
	off_t second = two_batches(stage);
	off_t end = box_length(stage->segment);
	static const uint8_t zeros[BOX_SECTOR];
	uint8_t whole[WHOLE_MAX];
	int sectors = (int)((end - second) / BOX_SECTOR);

	read_file(stage->segment, whole, end);
	assert_true(sectors >= 3);
	/* Every choice of sectors that did not reach the disk. */
	for (int lost = 1; lost < 1 << sectors; lost++) {
		box_overwrite(stage->segment, 0, whole, (size_t)end);
		for (int i = 0; i < sectors; i++)
			if (lost & 1 << i)
				box_overwrite(stage->segment, second + i * BOX_SECTOR, zeros,
				              BOX_SECTOR);
		machine_stopped(stage);
		assert_int_equal(box_open(stage), TTG_OK);
		box_must_hold(stage, 1, 4);
		box_crash(stage);
	}
}

static void a_last_batch_with_a_sector_torn_in_its_middle_is_dropped_whole(void **state)
{
	struct box_stage *stage = *state;
	off_t second = two_batches(stage);
	off_t end = box_length(stage->segment);
	static const uint8_t zeros[BOX_SECTOR];
	uint8_t whole[WHOLE_MAX];

	read_file(stage->segment, whole, end);
	for (off_t torn = second; torn < end; torn += BOX_SECTOR) {
		for (off_t kept = 0; kept <= BOX_SECTOR - 12; kept += 50) {
			box_overwrite(stage->segment, 0, whole, (size_t)end);
			box_overwrite(stage->segment, torn + kept, zeros,
			              (size_t)(BOX_SECTOR - kept));
			machine_stopped(stage);
			assert_int_equal(box_open(stage), TTG_OK);
			box_must_hold(stage, 1, 4);
			box_crash(stage);
		}
	}
}

/* The process was killed but the machine went on: HEAD knows of the last batch. */
static void a_last_batch_missing_while_the_machine_ran_is_damage(void **state)
{
	struct box_stage *stage = *state;
	off_t second = two_batches(stage);
	off_t end = box_length(stage->segment);
	static const uint8_t zeros[BOX_SECTOR];
	uint8_t whole[WHOLE_MAX];

	read_file(stage->segment, whole, end);
	for (off_t at = 0; at < end; at += 100) {
		assert_int_equal(truncate(stage->segment, at), 0);
		assert_int_equal(box_open(stage), TTG_ECORRUPT);
		assert_non_null(strstr(stage->message.text, "0000000000000001.out"));
		assert_non_null(strstr(stage->message.text, "offset"));
		box_overwrite(stage->segment, 0, whole, (size_t)end);
	}
	for (off_t at = second; at < end; at += BOX_SECTOR) {
		box_overwrite(stage->segment, at, zeros, BOX_SECTOR);
		assert_int_equal(box_open(stage), TTG_ECORRUPT);
		box_overwrite(stage->segment, 0, whole, (size_t)end);
	}
	box_overwrite(stage->segment, second, zeros, BOX_SECTOR); /* and an older copy */
	assert_int_equal(truncate(stage->segment, second), 0);
	assert_int_equal(box_open(stage), TTG_ECORRUPT);
	box_overwrite(stage->segment, 0, whole, (size_t)end);
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 1, 8);
}

/* Each of its two sectors may be lost; what it says is believed only whole. */
static void damage_to_head_is_found_or_does_no_harm(void **state)
{
	struct box_stage *stage = *state;
	const uint8_t *head = stage->second_head;
	static const uint8_t zeros[3 * BOX_SECTOR];

	two_batches(stage);
	for (size_t at = 0; at < 3 * BOX_SECTOR; at++) {
		uint8_t byte = (uint8_t)(head[at] ^ 1 << at % 8);

		box_overwrite(stage->head, 0, head, 3 * BOX_SECTOR);
		box_overwrite(stage->head, (off_t)at, &byte, 1);
		assert_int_equal(box_open(stage), TTG_OK);
		box_must_hold(stage, 1, 8);
		box_crash(stage);
	}
	box_overwrite(stage->head, 0, zeros, sizeof(zeros));
	assert_int_equal(box_open(stage), TTG_ECORRUPT);
	assert_non_null(strstr(stage->message.text, "HEAD"));
	assert_int_equal(truncate(stage->head, BOX_SECTOR), 0);
	assert_int_equal(box_open(stage), TTG_ECORRUPT);
	assert_int_equal(unlink(stage->head), 0);
	assert_int_equal(box_open(stage), TTG_ECORRUPT);
	assert_non_null(strstr(stage->message.text, "HEAD"));
}

static void a_flipped_bit_anywhere_stops_the_start_and_changes_nothing(void **state)
{
	struct box_stage *stage = *state;
	uint8_t byte;

	two_batches(stage);
	off_t end = box_length(stage->segment);
	for (off_t at = 0; at < end; at += 13) {
		int file = open(stage->segment, O_RDWR);

		assert_int_equal(pread(file, &byte, 1, at), 1);
		byte ^= (uint8_t)(1 << (at % 8));
		assert_int_equal(pwrite(file, &byte, 1, at), 1);
		assert_int_equal(box_open(stage), TTG_ECORRUPT);
		assert_null(stage->outbox);
		assert_non_null(strstr(stage->message.text, "0000000000000001.out"));
		assert_non_null(strstr(stage->message.text, "offset"));
		assert_int_equal(box_length(stage->segment), end);
		byte ^= (uint8_t)(1 << (at % 8));
		assert_int_equal(pwrite(file, &byte, 1, at), 1);
		close(file);
	}
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 1, 8);
}

static void a_hole_before_good_batches_is_damage_and_not_a_tail(void **state)
{
	struct box_stage *stage = *state;
	static const uint8_t zeros[BOX_SECTOR];

	two_batches(stage);
	box_overwrite(stage->segment, BOX_SECTOR, zeros, BOX_SECTOR);
	assert_int_equal(box_open(stage), TTG_ECORRUPT);
}

static void a_cut_off_segment_before_the_last_is_damage(void **state)
{
	struct box_stage *stage = *state;

	off_t second = two_batches(stage);
	assert_int_equal(box_open(stage), TTG_OK); /* begins a second segment */
	assert_int_equal(box_put(stage, 9, 1, 100, NULL), TTG_OK);
	box_crash(stage);
	assert_int_equal(truncate(stage->segment, second), 0);
	assert_int_equal(box_open(stage), TTG_ECORRUPT);
	assert_non_null(strstr(stage->message.text, "batches before it are missing"));
}

static void a_missing_segment_is_damage(void **state)
{
	struct box_stage *stage = *state;
	char path[192], aside[192];

	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(box_open(stage), TTG_OK);
		assert_int_equal(box_put(stage, i, 1, 100, NULL), TTG_OK);
		box_crash(stage);
	}
	snprintf(aside, sizeof(aside), "%s/aside", stage->outbox_dir);
	for (int i = 1; i <= 3; i++) {
		snprintf(path, sizeof(path), "%s/000000000000000%d.out", stage->outbox_dir, i);
		assert_int_equal(rename(path, aside), 0);
		assert_int_equal(box_open(stage), TTG_ECORRUPT);
		assert_non_null(strstr(stage->message.text, "missing"));
		assert_int_equal(rename(aside, path), 0);
	}
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 0, 3);
}

static void an_empty_last_segment_is_removed(void **state)
{
	struct box_stage *stage = *state;
	char next[192];

	two_batches(stage);
	snprintf(next, sizeof(next), "%s/0000000000000002.out", stage->outbox_dir);
	close(open(next, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 1, 8);
	assert_int_equal(box_length(next), -1);
}

static void damage_found_while_reading_back_is_told(void **state)
{
	struct box_stage *stage = *state;
	struct outbox_place place;
	uint8_t out[100];

	assert_int_equal(box_open(stage), TTG_OK);
	assert_int_equal(box_put(stage, 1, 1, 100, &place), TTG_OK);
	box_overwrite(stage->segment, BOX_SECTOR + 60, "!", 1);
	assert_int_equal(outbox_read(stage->outbox, &place, 100, out), TTG_ECORRUPT);
}

static void random_bytes_as_a_segment_never_do_harm(void **state)
{
	struct box_stage *stage = *state;
	uint64_t seed = unit_seed("random_bytes_as_a_segment");
	uint8_t bytes[4096];

	two_batches(stage);
	off_t end = box_length(stage->segment);
	for (int round = 0; round < 50; round++) {
		size_t at = BOX_SECTOR + unit_random(&seed) % ((size_t)end - BOX_SECTOR);
		size_t len = 1 + unit_random(&seed) % 64;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)unit_random(&seed) | 1;
		box_overwrite(stage->segment, (off_t)at, bytes, len);
		assert_int_equal(box_open(stage), TTG_ECORRUPT);
	}
}

/* A process that was killed, or whose sync failed, left it; nobody else will write or sync it. */
static void the_newest_batch_is_written_again_and_synced_at_the_start(void **state)
{
	struct box_stage *stage = *state;

	two_batches(stage);
	stage->writes_left = 0;
	stage->write_error = EIO;
	assert_int_equal(box_open(stage), TTG_EIO);
	stage->writes_left = -1;
	stage->syncs_left = 0;
	assert_int_equal(box_open(stage), TTG_EIO);
	stage->syncs_left = -1;
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 1, 8);
}

static void a_segment_whose_removal_was_cut_short_goes_at_the_start(void **state)
{
	struct box_stage *stage = *state;
	struct outbox_place place;
	char aside[192];

	snprintf(aside, sizeof(aside), "%s/aside", stage->outbox_dir);
	assert_int_equal(box_open(stage), TTG_OK);
	assert_int_equal(box_put(stage, 1, 1, 100, &place), TTG_OK);
	assert_int_equal(link(stage->segment, aside), 0);
	outbox_done(stage->outbox, &place);
	outbox_close(&stage->outbox); /* removes it */
	assert_int_equal(box_length(stage->segment), -1);
	assert_int_equal(rename(aside, stage->segment), 0); /* its unlink was not durable */
	assert_int_equal(box_open(stage), TTG_OK);
	assert_int_equal(stage->n, 0);
	assert_int_equal(box_length(stage->segment), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_last_batch_cut_off_anywhere_is_dropped_whole),
		STAGE_TEST(a_last_batch_with_sectors_that_were_not_written_is_dropped_whole),
		STAGE_TEST(a_last_batch_with_a_sector_torn_in_its_middle_is_dropped_whole),
		STAGE_TEST(a_last_batch_missing_while_the_machine_ran_is_damage),
		STAGE_TEST(damage_to_head_is_found_or_does_no_harm),
		STAGE_TEST(a_flipped_bit_anywhere_stops_the_start_and_changes_nothing),
		STAGE_TEST(a_hole_before_good_batches_is_damage_and_not_a_tail),
		STAGE_TEST(a_cut_off_segment_before_the_last_is_damage),
		STAGE_TEST(a_missing_segment_is_damage),
		STAGE_TEST(an_empty_last_segment_is_removed),
		STAGE_TEST(damage_found_while_reading_back_is_told),
		STAGE_TEST(random_bytes_as_a_segment_never_do_harm),
		STAGE_TEST(the_newest_batch_is_written_again_and_synced_at_the_start),
		STAGE_TEST(a_segment_whose_removal_was_cut_short_goes_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
