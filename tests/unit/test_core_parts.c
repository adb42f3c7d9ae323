/* The parts of the core by themselves: dedupe window, window, lanes, deadlines, records, calendar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "core/dedupe.h"
#include "core/event.h"
#include "core/mailbox.h"
#include "core/record.h"
#include "core/timer.h"
#include "core/entries.h"

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void the_dedupe_window_keeps_the_newest_by_count(void **state)
{
	struct dedupe *dedupe = dedupe_new(5000, UINT64_MAX);

	(void)state;
	for (uint64_t i = 1; i <= 20000; i++) {
		assert_true(dedupe_add(dedupe, mix(i), i, (int64_t)i));
		if (i % 997 == 0) {
			for (uint64_t k = 1; k <= i; k++)
				assert_true(dedupe_find(dedupe, mix(k)) ==
					    (k + 5000 > i ? k : 0));
		}
	}
	assert_int_equal(dedupe_count(dedupe), 5000);
	dedupe_free(&dedupe);
}

/* The newest few are not in the index yet, which is nobody else's business, however few are kept. */
static void the_dedupe_window_knows_an_entry_at_once(void **state)
{
	(void)state;
	for (uint64_t max = 1; max < 9; max++) {
		struct dedupe *dedupe = dedupe_new(max, UINT64_MAX);

		assert_non_null(dedupe);
		for (uint64_t i = 1; i < 5000; i++) {
			assert_true(dedupe_add(dedupe, mix(i), i, (int64_t)i));
			assert_int_equal(dedupe_find(dedupe, mix(i + 1)), 0);
			for (uint64_t k = 0; k < max + 2 && k < i; k++)
				assert_int_equal(dedupe_find(dedupe, mix(i - k)),
						 k < max ? i - k : 0);
		}
		assert_true(dedupe_add(dedupe, mix(4999), 5000, 5000)); /* the newest counts */
		assert_int_equal(dedupe_find(dedupe, mix(4999)), 5000);
		dedupe_free(&dedupe);
	}
}

static void the_dedupe_window_never_forgets_before_the_age(void **state)
{
	struct dedupe *dedupe = dedupe_new(1000000, 1000);

	(void)state;
	for (uint64_t i = 1; i <= 20000; i++) {
		assert_true(dedupe_add(dedupe, mix(i), i, (int64_t)i));
		if (i > 1000)
			assert_true(dedupe_find(dedupe, mix(i - 1000)) == i - 1000);
	}
	/* At most one block more than the window. */
	assert_true(dedupe_count(dedupe) <= 1000 + 2 * 1024);
	assert_true(dedupe_find(dedupe, mix(1)) == 0);
	dedupe_free(&dedupe);
}

static void the_dedupe_window_takes_a_bounded_number_of_bytes_an_entry(void **state)
{
	struct dedupe *dedupe = dedupe_new(1000000, UINT64_MAX);

	(void)state;
	for (uint64_t i = 1; i <= 300000; i++) {
		assert_true(dedupe_add(dedupe, mix(i), i, 0));
		/* While the index grows the old one is there too, half its size. */
		assert_true(dedupe_bytes(dedupe) <= 36 * i + 65536);
	}
	dedupe_free(&dedupe);
}

/* An image's bytes, malloc'd. */
static uint8_t *image_bytes(const struct dedupe_image *image, size_t *len)
{
	size_t size = dedupe_image_bytes(image);
	uint8_t *bytes = malloc(size);
	struct cursor cursor;

	assert_non_null(bytes);
	cursor_init_write(&cursor, bytes, size);
	dedupe_image_save(image, &cursor);
	assert_true(cursor_ok(&cursor));
	*len = cursor_offset(&cursor);
	return bytes;
}

static uint8_t *saved(const struct dedupe *dedupe, size_t *len)
{
	struct dedupe_image *image = dedupe_freeze(dedupe);

	assert_non_null(image);
	uint8_t *bytes = image_bytes(image, len);
	dedupe_image_free(&image);
	return bytes;
}

static void a_saved_dedupe_window_loads_the_same_even_when_cut_inside_a_block(void **state)
{
	struct dedupe *dedupe = dedupe_new(1500, UINT64_MAX), *again = dedupe_new(1500, UINT64_MAX);
	uint8_t *first, *second;
	struct cursor reader;
	size_t len, again_len;

	(void)state;
	for (uint64_t i = 1; i <= 3333; i++)
		assert_true(dedupe_add(dedupe, mix(i), i * 3, (int64_t)i));
	first = saved(dedupe, &len);
	cursor_init_read(&reader, first, len);
	assert_true(dedupe_load(again, &reader));
	assert_int_equal(cursor_left(&reader), 0);
	second = saved(again, &again_len);
	assert_int_equal(again_len, len);
	assert_memory_equal(first, second, len);
	assert_true(dedupe_find(again, mix(3333)) == 3333 * 3);
	assert_true(dedupe_find(again, mix(1833)) == 0);
	assert_true(dedupe_find(again, mix(1834)) == 1834 * 3);
	free(first);
	free(second);
	dedupe_free(&dedupe);
	dedupe_free(&again);
}

/* Over several regions of the index, and around every end of a block. */
static void a_loaded_dedupe_window_finds_all_and_goes_on(void **state)
{
	static const uint64_t counts[] = { 0, 1, 1023, 1024, 1025, 49152, 49153, 150000 };

	(void)state;
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		struct dedupe *dedupe = dedupe_new(150000, UINT64_MAX);
		struct dedupe *again = dedupe_new(150000, UINT64_MAX);
		const uint64_t n = counts[c];
		struct cursor reader;
		size_t len;

		for (uint64_t i = 1; i <= n; i++)
			assert_true(dedupe_add(dedupe, mix(i), i, (int64_t)i));
		uint8_t *bytes = saved(dedupe, &len);
		cursor_init_read(&reader, bytes, len);
		assert_true(dedupe_load(again, &reader));
		assert_int_equal(dedupe_count(again), n);
		assert_true(dedupe_bytes(again) <= dedupe_bytes(dedupe) + 8192);
		for (uint64_t i = n + 1; i <= n + 3000; i++)
			assert_true(dedupe_add(again, mix(i), i, (int64_t)i));
		for (uint64_t i = 1; i <= n + 3000; i++)
			assert_true(dedupe_find(again, mix(i)) ==
				    (i + 150000 > n + 3000 ? i : 0));
		free(bytes);
		dedupe_free(&dedupe);
		dedupe_free(&again);
	}
}

static void fewer_entries_may_be_wanted_than_were_saved(void **state)
{
	struct dedupe *dedupe = dedupe_new(5000, UINT64_MAX), *again = dedupe_new(100, UINT64_MAX);
	struct cursor reader;
	size_t len;

	(void)state;
	for (uint64_t i = 1; i <= 5000; i++)
		assert_true(dedupe_add(dedupe, mix(i), i, (int64_t)i));
	uint8_t *bytes = saved(dedupe, &len);
	cursor_init_read(&reader, bytes, len);
	assert_true(dedupe_load(again, &reader));
	assert_int_equal(dedupe_count(again), 100);
	assert_true(dedupe_find(again, mix(4900)) == 0);
	assert_true(dedupe_find(again, mix(4901)) == 4901);
	free(bytes);
	dedupe_free(&dedupe);
	dedupe_free(&again);
}

static void an_image_of_the_dedupe_window_stays_what_it_was(void **state)
{
	struct dedupe *dedupe = dedupe_new(3000, UINT64_MAX);
	struct dedupe_image *image;
	size_t before_len, after_len;

	(void)state;
	for (uint64_t i = 1; i <= 4321; i++)
		assert_true(dedupe_add(dedupe, mix(i), i, (int64_t)i));
	image = dedupe_freeze(dedupe);
	assert_non_null(image);
	uint8_t *before = image_bytes(image, &before_len);
	for (uint64_t i = 4322; i <= 6000; i++)
		assert_true(dedupe_add(dedupe, mix(i), i, (int64_t)i));
	uint8_t *during = image_bytes(image, &after_len);
	assert_int_equal(after_len, before_len);
	assert_memory_equal(during, before, before_len);
	free(during);
	for (uint64_t i = 6001; i <= 20000; i++) /* nothing that the image holds is left there */
		assert_true(dedupe_add(dedupe, mix(i), i, (int64_t)i));
	dedupe_free(&dedupe);
	uint8_t *after = image_bytes(image, &after_len);
	assert_int_equal(after_len, before_len);
	assert_memory_equal(after, before, before_len);
	free(after);
	free(before);
	dedupe_image_free(&image);
}

/* Against a plain array: what is in, and in which order. */
static void a_window_stays_sorted_whatever_goes_in_and_out(void **state)
{
	struct entries window = { 0 };
	bool in[400] = { false };
	uint64_t seed = 5;

	(void)state;
	for (int i = 0; i < 40000; i++) {
		uint64_t position = 1 + mix(seed++) % 399;
		struct entry *entry = entries_find(&window, position);
		const struct entry fresh = { .position = position, .state = ENTRY_WAITING };
		size_t live = 0;

		assert_true((entry != NULL) == in[position]);
		if (entry)
			entries_remove(&window, entry);
		else
			assert_true(entries_insert(&window, &fresh));
		in[position] = !in[position];
		if (i % 100 != 0)
			continue;
		entry = entries_from(&window, 0);
		for (uint64_t p = 1; p < 400; p++) {
			if (!in[p])
				continue;
			assert_non_null(entry);
			assert_true(entry->position == p);
			entry = entries_next(&window, entry);
			live++;
		}
		assert_null(entry);
		assert_int_equal(window.live, live);
	}
	assert_true(window.capacity <= 2048);
	entries_fini(&window);
}

static void lanes_count_what_is_in_them(void **state)
{
	struct lanes lanes = { 0 };
	struct lane *lane;

	(void)state;
	for (uint64_t key = 1; key <= 100; key++) {
		const struct held held = { .position = 200 + key };
		const struct dead dead = { .position = key, .text = strdup("x") };

		lane = lanes_get(&lanes, key * 8); /* neighbours in the table */
		assert_non_null(lane);
		assert_true(lane_park(&lanes, lane, &dead));
		assert_true(lane_hold(&lanes, lane, &held));
	}
	assert_int_equal(lanes.n, 100);
	assert_int_equal(lanes.n_dead, 100);
	for (uint64_t key = 1; key <= 100; key += 2) {
		lane = lanes_find(&lanes, key * 8);
		lane_unpark(&lanes, lane, lane_find_dead(lane, key));
		assert_true(lane_is_draining(lane));
		lane_unhold(&lanes, lane, lane_first_held(lane));
		lanes_settle(&lanes, lane);
		assert_null(lanes_find(&lanes, key * 8));
		assert_non_null(lanes_find(&lanes, (key + 1) * 8));
	}
	assert_int_equal(lanes.n, 50);
	assert_int_equal(lanes.n_held, 50);
	assert_int_equal(lanes.n_draining, 0);
	lanes_fini(&lanes);
}

static void held_entries_stay_in_order_of_position(void **state)
{
	static const uint64_t positions[] = { 9, 3, 7, 1, 5 };
	struct lanes lanes = { 0 };
	struct lane *lane = lanes_get(&lanes, 1);
	uint64_t before = 0;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		const struct held held = { .position = positions[i] };

		assert_true(lane_hold(&lanes, lane, &held));
	}
	lane_unhold(&lanes, lane, lane_find_held(lane, 5));
	assert_null(lane_find_held(lane, 5));
	for (int i = 0; i < 4; i++) {
		const struct held *held = lane_first_held(lane);

		assert_true(held->position > before);
		before = held->position;
		lane_unhold(&lanes, lane, held);
	}
	assert_null(lane_first_held(lane));
	lanes_settle(&lanes, lane);
	assert_int_equal(lanes.n, 0);
	lanes_fini(&lanes);
}

static void a_mailbox_from_outside_has_each_position_in_one_place(void **state)
{
	struct mailbox *mailbox = mailbox_new(0, "agency/in");
	const struct held held = { .position = 3, .sequence = 30 };
	struct lane *lane;
	struct dead dead = { .position = 2, .sequence = 20 };

	(void)state;
	assert_non_null(mailbox);
	for (uint64_t sequence = 10; sequence <= 30; sequence += 10)
		assert_true(mailbox_accept(mailbox, sequence, sequence, true));
	assert_int_equal(mailbox_check(mailbox), TTG_OK);

	lane = lanes_get(&mailbox->lanes, 7);
	assert_non_null(lane);
	mailbox->pending++;
	assert_true(lane_hold(&mailbox->lanes, lane, &held));
	assert_int_equal(mailbox_check(mailbox), TTG_ECORRUPT);
	mailbox_settle(mailbox, entries_find(&mailbox->window, 3));
	assert_int_equal(mailbox_check(mailbox), TTG_OK);

	mailbox->pending++;
	dead.text = strdup("why");
	assert_non_null(dead.text);
	assert_true(lane_park(&mailbox->lanes, lane, &dead));
	assert_int_equal(mailbox_check(mailbox), TTG_ECORRUPT);
	mailbox_settle(mailbox, entries_find(&mailbox->window, 2));
	assert_int_equal(mailbox_check(mailbox), TTG_OK);
	mailbox->pending++;
	assert_int_equal(mailbox_check(mailbox), TTG_ECORRUPT);
	mailbox_free(&mailbox);
}

static void deadlines_come_in_order(void **state)
{
	struct timers timers = { 0 };
	struct timer before = { .deadline_ns = INT64_MIN };

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		const struct timer timer = { .deadline_ns = (int64_t)(mix(i) % 50),
					     .sequence = i };

		assert_true(timers_add(&timers, &timer));
	}
	for (int i = 0; i < 1000; i++) {
		const struct timer *first = timers_first(&timers);

		assert_true(timer_before(&before, first));
		before = *first;
		timers_drop_first(&timers);
	}
	assert_null(timers_first(&timers));
	timers_fini(&timers);
}

static void an_event_record_reads_back_and_no_other_length_does(void **state)
{
	uint8_t id[16] = { 1 }, key[16] = { 2 }, buffer[512];
	const struct record_recipient to[2] = {
		{ .mailbox = 3, .position = 77, .ack_within_ms = 60000, .fallback = 0,
		  .n_agreements = 2, .agreements = { "one", "two" } },
		{ .mailbox = 4, .position = 1, .fallback = RULES_NONE, .n_agreements = 0 },
	};
	const struct record_event event = {
		.accepted_ns = -5, .expires_ns = 6, .id = id, .person_key = key, .urgency = 2,
		.source = "prison", .type = "prison.released", .n_recipients = 2,
		.bytes = (const uint8_t *)"abc", .n_bytes = 3,
	};
	struct record_event out;
	struct record_recipient recipient;
	struct cursor cursor;
	size_t len;

	(void)state;
	cursor_init_write(&cursor, buffer, sizeof(buffer));
	record_put_event(&cursor, &event, to);
	len = cursor_offset(&cursor);
	assert_true(record_get_event(buffer, len, &out));
	assert_true(out.accepted_ns == -5 && out.expires_ns == 6 && out.urgency == 2);
	assert_memory_equal(out.person_key, key, 16);
	assert_string_equal(out.type, "prison.released");
	assert_int_equal(out.n_bytes, 3);
	record_next_recipient(&out.recipients, &recipient);
	assert_true(recipient.position == 77 && recipient.fallback == 0);
	assert_string_equal(recipient.agreements[1], "two");
	record_next_recipient(&out.recipients, &recipient);
	assert_true(recipient.fallback == RULES_NONE && recipient.n_agreements == 0);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + 1);

		memcpy(part, buffer, cut);
		assert_false(record_get_event(part, cut, &out));
		free(part);
	}
	assert_false(record_get_event(buffer, len + 1, &out));
}

static void ranges_join_neighbours_and_read_back(void **state)
{
	static const uint64_t positions[] = { 1, 2, 3, 10, 12, 13 };
	const struct record_positions it = { 9, 2, 7 };
	struct record_ranges ranges = { 0 }, again = { 0 };
	struct record_positions out;
	uint8_t buffer[128];
	struct cursor cursor;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_true(record_ranges_add(&ranges, positions[i]));
	assert_int_equal(ranges.n, 3);
	cursor_init_write(&cursor, buffer, sizeof(buffer));
	record_put_positions(&cursor, &it, &ranges);
	assert_true(record_get_positions(buffer, cursor_offset(&cursor), &out, &again));
	assert_int_equal(again.positions, 6);
	assert_memory_equal(again.items, ranges.items, 3 * sizeof(ranges.items[0]));
	assert_true(out.at_ns == 9 && out.mailbox == 2 && out.value == 7);
	record_ranges_fini(&ranges);
	record_ranges_fini(&again);
}

static void years_follow_the_calendar(void **state)
{
	(void)state;
	assert_int_equal(event_year(0), 1970);
	assert_int_equal(event_year(-1), 1969);
	assert_int_equal(event_year(INT64_C(951782400) * 1000000000), 2000);  /* 29 February */
	assert_int_equal(event_year(INT64_C(1798761599) * 1000000000), 2026); /* last second */
	assert_int_equal(event_year(INT64_C(1798761600) * 1000000000), 2027);
	assert_int_equal(event_year(EVENT_FIRST_NS), 1900);
	assert_int_equal(event_year(EVENT_LAST_NS), 2200);
	assert_int_equal(event_year(EVENT_LAST_NS - 1), 2199);
}

static void clean_text_is_utf8_without_control_characters(void **state)
{
	static const char *const good[] = { "", "a\n\tb", "\xc3\xa9", "\xe2\x82\xac",
					    "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x01", "\x7f", "\r", "\x80", "\xc2\x85", "\xc0\x80",
					   "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff",
					   "\xc1\xbf", "\xe0\x80\x80", "\xf0\x80\x80\x80" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(utf8_is_clean(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(utf8_is_clean(bad[i], strlen(bad[i])));
	assert_false(utf8_is_clean("a\0b", 3));
	/* Any one byte in the middle of plain text is judged as it is alone. */
	for (int value = 0; value < 256; value++) {
		char text[] = "plain text, sixteen";
		bool fine = (value >= ' ' && value < 0x7f) || value == '\n' || value == '\t';

		for (size_t at = 0; at + 1 < sizeof(text); at++) {
			char kept = text[at];

			text[at] = (char)value;
			assert_int_equal(utf8_is_clean(text, sizeof(text) - 1), fine);
			text[at] = kept;
		}
	}
	assert_true(event_agency_is_valid("st-giles", 8));
	assert_false(event_agency_is_valid("St", 2));
	assert_false(event_agency_is_valid("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dedupe_window_keeps_the_newest_by_count),
		cmocka_unit_test(the_dedupe_window_knows_an_entry_at_once),
		cmocka_unit_test(the_dedupe_window_never_forgets_before_the_age),
		cmocka_unit_test(the_dedupe_window_takes_a_bounded_number_of_bytes_an_entry),
		cmocka_unit_test(a_saved_dedupe_window_loads_the_same_even_when_cut_inside_a_block),
		cmocka_unit_test(a_loaded_dedupe_window_finds_all_and_goes_on),
		cmocka_unit_test(fewer_entries_may_be_wanted_than_were_saved),
		cmocka_unit_test(an_image_of_the_dedupe_window_stays_what_it_was),
		cmocka_unit_test(a_window_stays_sorted_whatever_goes_in_and_out),
		cmocka_unit_test(lanes_count_what_is_in_them),
		cmocka_unit_test(held_entries_stay_in_order_of_position),
		cmocka_unit_test(a_mailbox_from_outside_has_each_position_in_one_place),
		cmocka_unit_test(deadlines_come_in_order),
		cmocka_unit_test(an_event_record_reads_back_and_no_other_length_does),
		cmocka_unit_test(ranges_join_neighbours_and_read_back),
		cmocka_unit_test(years_follow_the_calendar),
		cmocka_unit_test(clean_text_is_utf8_without_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
