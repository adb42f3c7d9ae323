/* Reading every event of the case store: once, in order, and no more of it in memory than one. */
#include "store_unit.h"

#include <stdio.h>
#include <unistd.h>

#define SHOWN_MAX 16
#define MANY      200000 /* TTG_MANY says another number */
#define MEBI      (1 << 20)

#define STORE_TEST(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, new_sqlite, remove_bed),                             \
	        cmocka_unit_test_setup_teardown(test, new_postgres, remove_bed)

struct shown {
	struct {
		int64_t kept_ns;
		bool published;
		bool has_person;
		uint8_t person_key[TTG_PERSON_KEY_BYTES];
		uint8_t encoded[CASE_EVENT_BYTES];
		size_t encoded_bytes;
	} events[SHOWN_MAX];
	size_t n;
	size_t stop_at;      /* 0: never */
	struct store *other; /* writes one event more while this is read */
};

static bool show(void *arg, const struct store_event *event)
{
	struct shown *shown = arg;
	struct message message;
	enum store_verdict verdict;
	size_t i = shown->n++;

	assert_true(i < SHOWN_MAX && event->encoded_bytes <= CASE_EVENT_BYTES);
	shown->events[i].kept_ns = event->kept_ns;
	shown->events[i].published = event->published;
	shown->events[i].encoded_bytes = event->encoded_bytes;
	memcpy(shown->events[i].encoded, event->encoded, event->encoded_bytes);
	shown->events[i].has_person = event->person_key != NULL;
	if (event->person_key != NULL)
		memcpy(shown->events[i].person_key, event->person_key, TTG_PERSON_KEY_BYTES);
	if (shown->other != NULL) {
		const struct arrival late = { .number = 90, .accepted_ns = 99000 };

		assert_int_equal(arrive(shown->other, &late, &verdict), TTG_OK);
		assert_int_equal(store_commit(shown->other, &message), TTG_OK);
		shown->other = NULL;
	}
	return shown->n != shown->stop_at;
}

static void must_add(struct bed *bed, const struct arrival *arrival)
{
	enum store_verdict verdict;

	assert_int_equal(arrive(bed->store, arrival, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
}

/* code: of the answer; -1: none yet. */
static void must_say(struct bed *bed, unsigned number, int64_t now_ns, int code)
{
	uint8_t id[16];
	struct ttg_outcome outcome = { .id = id, .code = (enum ttg_error)code };

	case_event_id(number, id);
	assert_int_equal(store_add_published(bed->store, id, "service.enrolled",
	                                     (const uint8_t *)"xyz", 3, now_ns, &bed->message),
	                 TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	if (code >= 0)
		assert_int_equal(store_answer(bed->store, &outcome, now_ns + 1, &bed->message),
		                 TTG_OK);
}

static void must_read(struct bed *bed, struct shown *shown)
{
	shown->n = 0;
	if (store_each(bed->store, show, shown, &bed->message) != TTG_OK)
		must_fail("%s", bed->message.text);
}

static void an_empty_store_shows_nothing(void **state)
{
	struct shown shown = { 0 };

	must_read(*state, &shown);
	assert_int_equal(shown.n, 0);
}

static void every_event_is_shown_once_in_the_order_it_was_kept(void **state)
{
	struct bed *bed = *state;
	struct shown shown = { 0 };
	uint8_t key[TTG_PERSON_KEY_BYTES] = { 5, 6, 7 };
	uint8_t bytes[CASE_EVENT_BYTES];
	static const int64_t order[] = { 1500, 1700, 2000, 2000, 2600, 3000 };

	must_add(bed, &(struct arrival){ .number = 3, .accepted_ns = 3000 });
	must_add(bed, &(struct arrival){ .number = 3, .accepted_ns = 3000, .mailbox = OTHER_BOX });
	must_add(bed, &(struct arrival){ .number = 2, .accepted_ns = 2000, .person_key = key });
	must_add(bed, &(struct arrival){ .number = 1, .accepted_ns = 2000, .redacted = true });
	must_say(bed, 20, 2500, TTG_REFUSED_NOT_AGREED);
	must_say(bed, 21, 2600, 0);
	must_say(bed, 22, 1500, -1);
	must_say(bed, 23, 1700, 0);
	must_add(bed, &(struct arrival){ .number = 23, .accepted_ns = 1800 }); /* ours came back */
	must_read(bed, &shown);
	assert_int_equal(shown.n, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(shown.events[i].kept_ns, order[i]);
		assert_int_equal(shown.events[i].published, i < 2 || i == 4);
		assert_int_equal(shown.events[i].has_person, i == 3);
	}
	/* Of the two at 2000 the lower id comes first, and its bytes are those delivered. */
	assert_int_equal(shown.events[2].encoded_bytes, case_event(1, "", bytes));
	assert_memory_equal(shown.events[2].encoded, bytes, shown.events[2].encoded_bytes);
	assert_memory_equal(shown.events[3].person_key, key, sizeof(key));
	assert_int_equal(shown.events[3].encoded_bytes, case_event(2, "PBI", bytes));
	assert_memory_equal(shown.events[3].encoded, bytes, shown.events[3].encoded_bytes);
	assert_memory_equal(shown.events[4].encoded, "xyz", 3);
}

static void who_has_seen_enough_stops_and_the_store_goes_on(void **state)
{
	struct bed *bed = *state;
	struct shown shown = { .stop_at = 2 };
	enum store_verdict verdict;

	for (unsigned i = 0; i < 8; i++)
		must_add(bed, &(struct arrival){ .number = i, .accepted_ns = 1000 + i });
	must_read(bed, &shown);
	assert_int_equal(shown.n, 2);
	/* In the middle of a transaction, too, which then is kept. */
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 8 }, &verdict), TTG_OK);
	must_read(bed, &shown);
	assert_int_equal(shown.n, 2);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	shown.stop_at = 0;
	must_read(bed, &shown);
	assert_int_equal(shown.n, 9);
}

static void what_is_written_meanwhile_is_shown_the_next_time(void **state)
{
	struct bed *bed = *state;
	struct shown shown = { 0 };

	must_add(bed, &(struct arrival){ .number = 1, .accepted_ns = 1000 });
	must_add(bed, &(struct arrival){ .number = 2, .accepted_ns = 2000 });
	assert_int_equal(store_open(&shown.other, &bed->place, &bed->message), TTG_OK);
	struct store *other = shown.other;
	must_read(bed, &shown);
	assert_int_equal(shown.n, 2);
	must_read(bed, &shown);
	assert_int_equal(shown.n, 3);
	store_close(&other);
}

static void a_key_of_no_person_is_damage(void **state)
{
	struct bed *bed = *state;
	struct shown shown = { 0 };

	must_add(bed, &(struct arrival){ .number = 1 });
	must_tell_bed(&bed->at, "UPDATE event SET person_key = encoded");
	assert_int_equal(store_each(bed->store, show, &shown, &bed->message), TTG_ECORRUPT);
	assert_int_equal(shown.n, 0);
}

/* KiB of memory this process has now. */
static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0, resident = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld %ld", &pages, &resident), 2);
	fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

struct walk {
	unsigned long n;
	int64_t last_ns;
	long most_kib;
};

static bool walk(void *arg, const struct store_event *event)
{
	struct walk *walk = arg;

	assert_true(event->kept_ns > walk->last_ns);
	walk->last_ns = event->kept_ns;
	if (walk->n++ % 1000 == 0) {
		long now_kib = resident_kib();

		walk->most_kib = now_kib > walk->most_kib ? now_kib : walk->most_kib;
	}
	return true;
}

/* Written in no order of time, a few hundred bytes each. */
static void must_write_many(struct bed *bed, unsigned long many)
{
	const bool postgres = bed->at.database[0] != '\0';
	char sql[1024];

	snprintf(
	        sql, sizeof(sql),
	        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %lu)"
	        " INSERT INTO event (id, type, source, accepted_ns, received_ns, mailbox, position,"
	        " urgency, redacted, encoded, change) SELECT %s, 'prison.released', 'prison',"
	        " (i * CAST(7919 AS BIGINT)) %% 15485863 + 1, i, 'one-service/duty', i, 0, 0, %s, i"
	        " FROM n",
	        many,
	        postgres ? "decode(lpad(to_hex(i), 32, '0'), 'hex')"
	                 : "CAST(printf('%016d', i) AS BLOB)",
	        postgres ? "decode(repeat('ab', 300), 'hex')" : "zeroblob(300)");
	must_tell_bed(&bed->at, sql);
}

static void many_are_read_without_having_them_in_memory(void **state)
{
	struct bed *bed = *state;
	const char *given = getenv("TTG_MANY");
	const unsigned long many = given != NULL ? strtoul(given, NULL, 10) : MANY;
	struct walk walked = { 0 };
	long before_kib;

	must_write_many(bed, many);
	bed_open(bed);
	before_kib = resident_kib();
	if (store_each(bed->store, walk, &walked, &bed->message) != TTG_OK)
		must_fail("%s", bed->message.text);
	assert_int_equal(walked.n, many);
	print_message("%lu events: %ld KiB more\n", many, walked.most_kib - before_kib);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what is given back for a while */
	assert_true(walked.most_kib - before_kib < 16L * MEBI / 1024);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(an_empty_store_shows_nothing),
		STORE_TEST(every_event_is_shown_once_in_the_order_it_was_kept),
		STORE_TEST(who_has_seen_enough_stops_and_the_store_goes_on),
		STORE_TEST(what_is_written_meanwhile_is_shown_the_next_time),
		STORE_TEST(a_key_of_no_person_is_damage),
		STORE_TEST(many_are_read_without_having_them_in_memory),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
