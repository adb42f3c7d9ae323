/*
 * The durable outbox: what survives a crash, a full disk and a disk that fails.
 */
#include "support/outbox_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void what_was_put_is_there_after_a_crash(void **state)
{
	struct box_stage *stage = *state;

	assert_int_equal(box_open(stage), TTG_OK);
	assert_int_equal(box_put(stage, 1, 3, 100, NULL), TTG_OK);
	assert_int_equal(box_put(stage, 4, 1, 3000, NULL), TTG_OK);
	assert_int_equal(box_put(stage, 5, 10, 777, NULL), TTG_OK);
	box_crash(stage);
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 1, 14);
	assert_int_equal(box_put(stage, 15, 1, 500, NULL), TTG_OK);
	box_crash(stage);
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 1, 15);
}

static void what_is_done_does_not_come_again(void **state)
{
	struct box_stage *stage = *state;
	struct outbox_place places[10];

	assert_int_equal(box_open(stage), TTG_OK);
	assert_int_equal(box_put(stage, 1, 10, 50, places), TTG_OK);
	for (size_t i = 0; i < 7; i++)
		outbox_done(stage->outbox, &places[i]);
	assert_true(outbox_has_done(stage->outbox));
	assert_int_equal(outbox_flush_done(stage->outbox), TTG_OK);
	assert_false(outbox_has_done(stage->outbox));
	box_crash(stage);
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 8, 3);
	for (size_t i = 0; i < stage->n; i++)
		outbox_done(stage->outbox, &stage->places[i]);
	outbox_close(&stage->outbox);
	assert_int_equal(box_length(stage->segment), -1);
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 0, 0);
}

static void a_mark_that_was_not_written_only_repeats_an_event(void **state)
{
	struct box_stage *stage = *state;
	struct outbox_place places[2];

	assert_int_equal(box_open(stage), TTG_OK);
	assert_int_equal(box_put(stage, 1, 2, 50, places), TTG_OK);
	outbox_done(stage->outbox, &places[0]);
	box_crash(stage);
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 1, 2);
}

static void segments_go_when_all_in_them_is_done(void **state)
{
	struct box_stage *stage = *state;
	struct outbox_place places[200];

	assert_int_equal(box_open_sized(stage, 1024 * 1024), TTG_OK);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(box_put(stage, i, 1, 3000, &places[i]), TTG_OK);
	assert_true(places[199].segment >= 5);
	assert_true(box_length(stage->segment) > 0);
	for (size_t i = 0; i < 199; i++)
		outbox_done(stage->outbox, &places[i]);
	assert_int_equal(box_length(stage->segment), -1);
	box_crash(stage);
	assert_int_equal(box_open_sized(stage, 1024 * 1024), TTG_OK);
	assert_true(stage->n >= 1 && stage->n < 60);
	assert_int_equal(stage->tags[stage->n - 1], 199);
	box_must_hold(stage, 200 - stage->n, stage->n);
}

static void a_full_outbox_says_so_and_takes_more_when_something_is_done(void **state)
{
	struct box_stage *stage = *state;
	struct outbox_place places[200];
	size_t n = 0;

	assert_int_equal(box_open_sized(stage, 256 * 1024), TTG_OK);
	while (box_put(stage, n, 1, 3000, &places[n]) == TTG_OK)
		n++;
	assert_true(n > 60 && n < 90);
	assert_int_equal(box_put(stage, n, 1, 3000, &places[n]), TTG_ENOSPC);
	for (size_t i = 0; i < n; i++)
		outbox_done(stage->outbox, &places[i]);
	assert_int_equal(box_put(stage, n, 1, 3000, &places[n]), TTG_OK);
}

static void a_second_process_is_kept_out(void **state)
{
	struct box_stage *stage = *state;
	struct outbox *second = NULL;

	assert_int_equal(box_open(stage), TTG_OK);
	assert_int_equal(outbox_open(&second, &stage->world, stage->outbox_dir, 0, &stage->message),
	                 TTG_ELOCKED);
	assert_null(second);
}

static void a_full_disk_takes_nothing_and_the_outbox_goes_on(void **state)
{
	struct box_stage *stage = *state;

	assert_int_equal(box_open(stage), TTG_OK);
	assert_int_equal(box_put(stage, 1, 1, 2000, NULL), TTG_OK);
	stage->writes_left = 0;
	stage->write_error = ENOSPC;
	assert_int_equal(box_put(stage, 2, 1, 2000, NULL), TTG_ENOSPC);
	stage->writes_left = -1;
	assert_int_equal(box_put(stage, 2, 1, 2000, NULL), TTG_OK);
	box_crash(stage);
	assert_int_equal(box_open(stage), TTG_OK);
	box_must_hold(stage, 1, 2);
}

static void a_failed_sync_is_final(void **state)
{
	struct box_stage *stage = *state;

	assert_int_equal(box_open(stage), TTG_OK);
	assert_int_equal(box_put(stage, 1, 1, 100, NULL), TTG_OK);
	stage->syncs_left = 0;
	assert_int_equal(box_put(stage, 2, 1, 100, NULL), TTG_EIO);
	stage->syncs_left = -1;
	assert_int_equal(box_put(stage, 2, 1, 100, NULL), TTG_EIO);
	assert_int_equal(outbox_flush_done(stage->outbox), TTG_EIO);
}

static void a_crash_at_any_write_or_sync_keeps_what_was_confirmed(void **state)
{
	struct box_stage *stage = *state;

	for (int at = 0; at < 40; at++) {
		struct outbox_place places[8];
		size_t confirmed = 0, finished = 0;

		assert_int_equal(box_open_sized(stage, 64 * 1024), TTG_OK);
		*(at % 2 ? &stage->writes_left : &stage->syncs_left) = at / 2;
		stage->write_error = EIO;
		for (uint64_t i = 0; i < 8; i++) {
			if (box_put(stage, i, 1, 400 + 300 * i, &places[confirmed]) != TTG_OK)
				break;
			confirmed++;
			if (i % 3 == 2)
				outbox_done(stage->outbox, &places[finished++]);
		}
		box_crash(stage);
		assert_int_equal(box_open_sized(stage, 64 * 1024), TTG_OK);
		/* A mark may be lost, and one event whose sync failed may have come through. */
		assert_true(stage->n >= confirmed - finished && stage->n <= confirmed + 1);
		if (confirmed > 0)
			assert_true(stage->n > 0 && stage->tags[0] <= finished &&
			            stage->tags[stage->n - 1] >= confirmed - 1);
		box_must_hold(stage, stage->n ? stage->tags[0] : 0, stage->n);
		for (size_t i = 0; i < stage->n; i++)
			outbox_done(stage->outbox, &stage->places[i]);
		outbox_close(&stage->outbox);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(what_was_put_is_there_after_a_crash),
		STAGE_TEST(what_is_done_does_not_come_again),
		STAGE_TEST(a_mark_that_was_not_written_only_repeats_an_event),
		STAGE_TEST(segments_go_when_all_in_them_is_done),
		STAGE_TEST(a_full_outbox_says_so_and_takes_more_when_something_is_done),
		STAGE_TEST(a_second_process_is_kept_out),
		STAGE_TEST(a_full_disk_takes_nothing_and_the_outbox_goes_on),
		STAGE_TEST(a_failed_sync_is_final),
		STAGE_TEST(a_crash_at_any_write_or_sync_keeps_what_was_confirmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
