/*
 * Following the case store: what changed since, one event, and what became of those we published;
 * in SQLite and in PostgreSQL alike.
 */
#include "store_unit.h"

#include <stdio.h>
#include <time.h>

#define SHOWN_MAX 16
#define MANY      20000 /* TTG_MANY says another number */
#define NS_PER_S  INT64_C(1000000000)
#define ASKS      1000

#define STORE_TEST(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, new_sqlite, remove_bed),                             \
	        cmocka_unit_test_setup_teardown(test, new_postgres, remove_bed)

struct shown {
	struct {
		struct store_event event; /* pointers are NULL */
		unsigned number;          /* of which the id is made */
		char mailbox[STORE_MAILBOX_MAX + 1];
		char type[64];
		char text[64];
	} rows[SHOWN_MAX];
	size_t n;
};

static bool show(void *arg, const struct store_event *event)
{
	struct shown *shown = arg;
	size_t i = shown->n++;

	assert_true(i < SHOWN_MAX);
	shown->rows[i].event = *event;
	shown->rows[i].number = event->id[15];
	snprintf(shown->rows[i].mailbox, sizeof(shown->rows[i].mailbox), "%s",
	         event->mailbox != NULL ? event->mailbox : "");
	snprintf(shown->rows[i].type, sizeof(shown->rows[i].type), "%s", event->type);
	snprintf(shown->rows[i].text, sizeof(shown->rows[i].text), "%s", event->text);
	return true;
}

static void must_add(struct bed *bed, const struct arrival *arrival)
{
	enum store_verdict verdict;

	assert_int_equal(arrive(bed->store, arrival, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
}

static void must_publish(struct bed *bed, unsigned number, int64_t now_ns)
{
	uint8_t id[16];

	case_event_id(number, id);
	assert_int_equal(store_add_published(bed->store, id, "service.enrolled",
	                                     (const uint8_t *)"xyz", 3, now_ns, &bed->message),
	                 TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
}

static void must_answer(struct bed *bed, unsigned number, int code)
{
	uint8_t id[16];
	const struct ttg_outcome outcome = { .id = id,
		                             .code = (enum ttg_error)code,
		                             .sequence = code == 0 ? 70 + number : 0,
		                             .text = code == 0 ? "" : "no" };

	case_event_id(number, id);
	assert_int_equal(store_answer(bed->store, &outcome, 5000, &bed->message), TTG_OK);
}

static uint64_t last_change(struct store *store)
{
	struct message message;
	uint64_t change = 99;

	assert_int_equal(store_last_change(store, &change, &message), TTG_OK);
	return change;
}

/* numbers: in order, ends with 0. */
static void must_see_since(struct store *store, uint64_t after, struct shown *shown,
                           const unsigned *numbers)
{
	struct message message;
	size_t n = 0;

	shown->n = 0;
	assert_int_equal(store_each_since(store, after, show, shown, &message), TTG_OK);
	for (; numbers[n] != 0; n++) {
		assert_true(n < shown->n);
		assert_int_equal(shown->rows[n].number, numbers[n]);
		assert_true(shown->rows[n].event.change >
		            (n > 0 ? shown->rows[n - 1].event.change : after));
	}
	assert_int_equal(shown->n, n);
}

#define SEE(store, after, shown, ...)                                                              \
	must_see_since(store, after, shown, (const unsigned[]){ __VA_ARGS__, 0 })

static void who_follows_sees_each_new_row_in_the_order_it_came(void **state)
{
	struct bed *bed = *state;
	struct shown shown = { .n = 0 };
	struct store *desk = NULL;

	assert_int_equal(store_open_desk(&desk, &bed->place, &bed->message), TTG_OK);
	assert_int_equal(last_change(desk), 0);
	SEE(desk, 0, &shown, 0);
	must_add(bed, &(struct arrival){ .number = 3, .accepted_ns = 9000 });
	must_add(bed, &(struct arrival){ .number = 2, .accepted_ns = 1000 });
	must_publish(bed, 0x21, 500);
	SEE(desk, 0, &shown, 3, 2, 0x21);
	assert_int_equal(last_change(desk), shown.rows[2].event.change);
	SEE(desk, shown.rows[0].event.change, &shown, 2, 0x21);
	SEE(desk, last_change(desk), &shown, 0);
	/* What was known is not new. */
	must_add(bed, &(struct arrival){ .number = 2, .mailbox = OTHER_BOX });
	SEE(desk, last_change(desk), &shown, 0);
	SEE(desk, UINT64_MAX, &shown, 0);
	store_close(&desk);
}

static void a_row_tells_what_is_kept_of_it(void **state)
{
	struct bed *bed = *state;
	struct shown shown = { .n = 0 };
	uint8_t key[TTG_PERSON_KEY_BYTES] = { 5 };

	must_add(bed, &(struct arrival){ .number = 3, .person_key = key, .redacted = true });
	must_publish(bed, 0x21, 500);
	must_publish(bed, 0x22, 600);
	must_answer(bed, 0x22, TTG_REFUSED_NOT_AGREED);
	SEE(bed->store, 0, &shown, 3, 0x21, 0x22);
	assert_string_equal(shown.rows[0].mailbox, MAILBOX);
	assert_string_equal(shown.rows[0].type, "prison.reception");
	assert_int_equal(shown.rows[0].event.received_ns, 3000);
	assert_int_equal(shown.rows[0].event.kept_ns, 2000);
	assert_true(shown.rows[0].event.redacted);
	assert_false(shown.rows[0].event.published);
	assert_non_null(shown.rows[0].event.person_key);
	assert_string_equal(shown.rows[1].mailbox, "");
	assert_string_equal(shown.rows[1].type, "service.enrolled");
	assert_int_equal(shown.rows[1].event.kept_ns, 500);
	assert_true(shown.rows[1].event.published);
	assert_false(shown.rows[1].event.answered);
	assert_int_equal(shown.rows[1].event.delivered, STORE_UNKNOWN);
	assert_int_equal(shown.rows[1].event.acknowledged, STORE_UNKNOWN);
	assert_true(shown.rows[2].event.answered);
	assert_int_equal(shown.rows[2].event.code, TTG_REFUSED_NOT_AGREED);
	assert_string_equal(shown.rows[2].text, "no");
}

static void an_answer_and_fuller_bytes_make_a_row_new_again(void **state)
{
	struct bed *bed = *state;
	struct shown shown = { .n = 0 };
	uint64_t seen;

	must_add(bed, &(struct arrival){ .number = 3, .redacted = true });
	must_publish(bed, 0x21, 500);
	seen = last_change(bed->store);
	must_answer(bed, 0x21, 0);
	SEE(bed->store, seen, &shown, 0x21);
	assert_int_equal(shown.rows[0].event.sequence, 70 + 0x21);
	seen = last_change(bed->store);
	must_add(bed, &(struct arrival){ .number = 3, .mailbox = OTHER_BOX });
	SEE(bed->store, seen, &shown, 3);
	assert_false(shown.rows[0].event.redacted);
	seen = last_change(bed->store);
	must_add(bed, &(struct arrival){ .number = 3, .mailbox = OTHER_BOX });
	SEE(bed->store, seen, &shown, 0);
	SEE(bed->store, 0, &shown, 0x21, 3);
}

static void ours_that_came_back_is_shown_once_as_ours(void **state)
{
	struct bed *bed = *state;
	struct shown shown = { .n = 0 };
	uint64_t seen;
	uint8_t id[16];

	must_publish(bed, 0x21, 500);
	must_answer(bed, 0x21, 0);
	seen = last_change(bed->store);
	must_add(bed, &(struct arrival){ .number = 0x21 });
	SEE(bed->store, seen, &shown, 0);
	SEE(bed->store, 0, &shown, 0x21);
	assert_true(shown.rows[0].event.published);
	case_event_id(0x21, id);
	shown.n = 0;
	assert_int_equal(store_find_event(bed->store, id, show, &shown, &bed->message), TTG_OK);
	assert_int_equal(shown.n, 1);
	assert_true(shown.rows[0].event.published);
}

static void one_event_is_found_in_either_table(void **state)
{
	struct bed *bed = *state;
	struct shown shown = { .n = 0 };
	uint8_t id[16];

	must_add(bed, &(struct arrival){ .number = 3 });
	must_publish(bed, 0x21, 500);
	must_answer(bed, 0x21, TTG_REFUSED_TIME);
	case_event_id(3, id);
	assert_int_equal(store_find_event(bed->store, id, show, &shown, &bed->message), TTG_OK);
	case_event_id(0x21, id);
	assert_int_equal(store_find_event(bed->store, id, show, &shown, &bed->message), TTG_OK);
	assert_int_equal(shown.n, 2);
	assert_int_equal(shown.rows[0].number, 3);
	assert_int_equal(shown.rows[1].number, 0x21);
	assert_int_equal(shown.rows[1].event.code, TTG_REFUSED_TIME);
	case_event_id(4, id);
	assert_int_equal(store_find_event(bed->store, id, show, &shown, &bed->message), TTG_ENOENT);
	assert_int_equal(shown.n, 2);
}

static void several_writers_give_no_number_twice(void **state)
{
	struct bed *bed = *state;
	struct store *other = NULL;
	enum store_verdict verdict;
	struct shown shown = { .n = 0 };

	assert_int_equal(store_open(&other, &bed->place, &bed->message), TTG_OK);
	must_add(bed, &(struct arrival){ .number = 1 });
	assert_int_equal(arrive(other, &(struct arrival){ .number = 2 }, &verdict), TTG_OK);
	assert_int_equal(store_commit(other, &bed->message), TTG_OK);
	must_add(bed, &(struct arrival){ .number = 3 });
	assert_int_equal(arrive(other, &(struct arrival){ .number = 4 }, &verdict), TTG_OK);
	store_rollback(other);
	must_publish(bed, 5, 500);
	SEE(bed->store, 0, &shown, 1, 2, 3, 5);
	store_close(&other);
}

/* What waits for its recipients, newest first; ends with 0. */
static void must_wait_for(struct bed *bed, int64_t since_ns, const unsigned *numbers)
{
	uint8_t ids[4][16];
	size_t n = 0;

	assert_int_equal(store_find_unsettled(bed->store, since_ns, ids, 4, &n, &bed->message),
	                 TTG_OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ids[i][15], numbers[i]);
	assert_int_equal(numbers[n], 0);
}

static void must_tell(struct bed *bed, unsigned number, uint32_t delivered, uint32_t acknowledged,
                      int64_t now_ns, bool expected)
{
	uint8_t id[16];
	const struct ttg_event_state state = { .id = id,
		                               .delivered = delivered,
		                               .acknowledged = acknowledged };
	bool changed = !expected;

	case_event_id(number, id);
	assert_int_equal(store_add_state(bed->store, &state, now_ns, &changed, &bed->message),
	                 TTG_OK);
	assert_int_equal(changed, expected);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
}

static void counts_of_recipients_are_kept_until_all_have_acknowledged(void **state)
{
	struct bed *bed = *state;
	struct shown shown = { .n = 0 };
	const int64_t hour_ns = 3600 * NS_PER_S;
	uint64_t seen;
	uint8_t id[16];

	for (unsigned i = 1; i <= 6; i++)
		must_publish(bed, i, (int64_t)i * hour_ns);
	for (unsigned i = 1; i <= 4; i++)
		must_answer(bed, i, 0);
	must_answer(bed, 5, TTG_REFUSED_TIME);
	must_wait_for(bed, 0, (const unsigned[]){ 4, 3, 2, 1, 0 });
	must_wait_for(bed, 3 * hour_ns, (const unsigned[]){ 4, 3, 0 });
	seen = last_change(bed->store);
	must_tell(bed, 4, 0, 0, 9 * hour_ns, true);
	must_tell(bed, 3, 2, 1, 9 * hour_ns, true);
	must_tell(bed, 3, 2, 1, 9 * hour_ns, false);
	must_tell(bed, 2, 2, 2, 9 * hour_ns, true);
	must_tell(bed, 1, 1, 1, 1 * hour_ns + NS_PER_S, true); /* others may still get it */
	must_tell(bed, 77, 1, 1, 9 * hour_ns, false);
	must_wait_for(bed, 0, (const unsigned[]){ 4, 3, 1, 0 });
	must_tell(bed, 1, 1, 1, 2 * hour_ns, false);
	must_wait_for(bed, 0, (const unsigned[]){ 4, 3, 0 });
	assert_int_equal(last_change(bed->store), seen);
	case_event_id(3, id);
	assert_int_equal(store_find_event(bed->store, id, show, &shown, &bed->message), TTG_OK);
	assert_int_equal(shown.rows[0].event.delivered, 2);
	assert_int_equal(shown.rows[0].event.acknowledged, 1);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool count(void *arg, const struct store_event *event)
{
	uint64_t *n = arg;

	assert_int_equal(event->change, ++*n);
	return true;
}

static bool look(void *arg, const struct store_event *event)
{
	(void)event;
	++*(unsigned *)arg;
	return true;
}

/* As they come from many sources: in no order of ids. */
static void must_write_many(struct bed *bed, unsigned long many)
{
	const bool postgres = bed->at.database[0] != '\0';
	char sql[1024];

	snprintf(
	        sql, sizeof(sql),
	        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %lu)"
	        " INSERT INTO event (id, type, source, accepted_ns, received_ns, mailbox, position,"
	        " urgency, redacted, encoded, change) SELECT %s, 'prison.released', 'prison',"
	        " i, i, 'one-service/duty', i, 0, 0, %s, (i * CAST(7919 AS BIGINT)) %% %lu + 1"
	        " FROM n",
	        many,
	        postgres ? "decode(lpad(to_hex(i), 32, '0'), 'hex')"
	                 : "CAST(printf('%016d', i) AS BLOB)",
	        postgres ? "decode(repeat('ab', 300), 'hex')" : "zeroblob(300)", many);
	must_tell_bed(&bed->at, sql);
}

static void many_are_followed_in_order_and_quickly(void **state)
{
	struct bed *bed = *state;
	const char *given = getenv("TTG_MANY");
	const unsigned long many = given != NULL ? strtoul(given, NULL, 10) : MANY;
	double began, all, last, one;
	uint64_t n = 0, change = 0;
	unsigned looks = 0;

	must_write_many(bed, many);
	bed_open(bed);
	began = seconds();
	assert_int_equal(store_each_since(bed->store, 0, count, &n, &bed->message), TTG_OK);
	all = seconds() - began;
	assert_int_equal(n, many);
	began = seconds();
	for (unsigned i = 0; i < ASKS; i++)
		assert_int_equal(store_last_change(bed->store, &change, &bed->message), TTG_OK);
	last = (seconds() - began) / ASKS;
	assert_int_equal(change, many);
	began = seconds();
	for (unsigned i = 0; i < ASKS; i++) {
		uint8_t id[17];

		snprintf((char *)id, sizeof(id), "%016lu", (i * 7907UL) % many + 1);
		store_find_event(bed->store, id, look, &looks, &bed->message);
	}
	one = (seconds() - began) / ASKS;
	if (bed->at.database[0] == '\0')
		assert_int_equal(looks, ASKS);
	print_message("%lu events: all %.2f s, last change %.1f us, one event %.1f us\n", many, all,
	              last * 1e6, one * 1e6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(who_follows_sees_each_new_row_in_the_order_it_came),
		STORE_TEST(a_row_tells_what_is_kept_of_it),
		STORE_TEST(an_answer_and_fuller_bytes_make_a_row_new_again),
		STORE_TEST(ours_that_came_back_is_shown_once_as_ours),
		STORE_TEST(one_event_is_found_in_either_table),
		STORE_TEST(several_writers_give_no_number_twice),
		STORE_TEST(counts_of_recipients_are_kept_until_all_have_acknowledged),
		STORE_TEST(many_are_followed_in_order_and_quickly),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
