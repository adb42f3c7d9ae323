/* The case store: everything once, whatever dies when; in SQLite and in PostgreSQL alike. */
#include "store_unit.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EVENTS    60
#define BATCH_MAX 7
#define LIVES_MAX 2000

#define ON_SQLITE(test) cmocka_unit_test_setup_teardown(test, new_sqlite, remove_bed)
#define STORE_TEST(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, new_sqlite, remove_bed),                             \
	        cmocka_unit_test_setup_teardown(test, new_postgres, remove_bed)

static enum ttg_error add(struct store *store, const char *mailbox, unsigned number, bool redacted,
                          enum store_verdict *verdict)
{
	return arrive(
	        store,
	        &(struct arrival){ .mailbox = mailbox, .number = number, .redacted = redacted },
	        verdict);
}

/* Events of which all parts are here. */
static int64_t ask_full(const struct bed *bed)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
	         "SELECT count(*) FROM event WHERE redacted = 0 AND %s LIKE '%%504249%%'",
	         bed->at.hex);
	return must_ask_bed(&bed->at, sql);
}

static void a_delivery_is_kept_with_its_columns_and_exact_bytes(void **state)
{
	struct bed *bed = *state;
	enum store_verdict verdict;
	uint64_t position;

	assert_int_equal(add(bed->store, MAILBOX, 4, false, &verdict), TTG_OK);
	assert_int_equal(verdict, STORE_NEW);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(store_position(bed->store, MAILBOX, &position, &bed->message), TTG_OK);
	assert_int_equal(position, 5);
	assert_int_equal(
	        must_ask_bed(&bed->at,
	                     "SELECT count(*) FROM event WHERE type = 'prison.reception'"
	                     " AND source = 'prison' AND occurred_ns = 1004 AND recorded_ns IS NULL"
	                     " AND accepted_ns = 2000 AND received_ns = 3000 AND person_key IS NULL"
	                     " AND mailbox = 'one-service/duty' AND position = 5"
	                     " AND correlation_id IS NULL AND length(supersedes) = 16"),
	        1);
	assert_int_equal(ask_full(bed), 1);
}

static void the_same_event_again_is_known_and_not_stored_twice(void **state)
{
	struct bed *bed = *state;
	enum store_verdict verdict;
	uint64_t count;

	assert_int_equal(add(bed->store, MAILBOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(add(bed->store, MAILBOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(verdict, STORE_KNOWN);
	assert_int_equal(add(bed->store, OTHER_BOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(verdict, STORE_KNOWN);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(store_count(bed->store, &count, &bed->message), TTG_OK);
	assert_int_equal(count, 1);
	assert_int_equal(must_ask_bed(&bed->at, "SELECT count(*) FROM delivery"), 2);
}

static void a_wider_grant_through_another_mailbox_completes_a_redacted_event(void **state)
{
	struct bed *bed = *state;
	enum store_verdict verdict;

	assert_int_equal(add(bed->store, OTHER_BOX, 1, true, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(ask_full(bed), 0);
	assert_int_equal(add(bed->store, MAILBOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(ask_full(bed), 1);
	assert_int_equal(add(bed->store, OTHER_BOX, 1, true, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(ask_full(bed), 1);
}

static void the_position_never_goes_back(void **state)
{
	struct bed *bed = *state;
	enum store_verdict verdict;
	uint64_t position;

	assert_int_equal(add(bed->store, MAILBOX, 9, false, &verdict), TTG_OK);
	assert_int_equal(add(bed->store, MAILBOX, 2, false, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(store_position(bed->store, MAILBOX, &position, &bed->message), TTG_OK);
	assert_int_equal(position, 10);
	assert_int_equal(store_position(bed->store, "a/b", &position, &bed->message), TTG_OK);
	assert_int_equal(position, 0);
}

static void what_is_no_event_is_refused_and_the_rest_of_the_batch_is_kept(void **state)
{
	struct bed *bed = *state;
	const uint8_t junk[] = { 0xff, 0xff, 0xff };
	uint8_t unclean[CASE_EVENT_BYTES];
	struct ttg_delivery delivery = {
		.mailbox = MAILBOX, .position = 3, .event = junk, .event_bytes = sizeof(junk)
	};
	enum store_verdict verdict;
	uint64_t count;

	assert_int_equal(add(bed->store, MAILBOX, 0, false, &verdict), TTG_OK);
	assert_int_equal(store_add(bed->store, &delivery, 1, &verdict, &bed->message), TTG_EFORMAT);
	delivery.event = unclean;
	delivery.event_bytes = case_event(7, "PBI", unclean);
	memcpy(memmem(unclean, delivery.event_bytes, "prison.rec", 10), "\xc3\x28", 2);
	assert_int_equal(store_add(bed->store, &delivery, 1, &verdict, &bed->message), TTG_EFORMAT);
	assert_int_equal(add(bed->store, MAILBOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(store_count(bed->store, &count, &bed->message), TTG_OK);
	assert_int_equal(count, 2);
}

static void uncommitted_work_is_gone_after_closing(void **state)
{
	struct bed *bed = *state;
	enum store_verdict verdict;
	uint64_t count;

	assert_int_equal(add(bed->store, MAILBOX, 0, false, &verdict), TTG_OK);
	store_close(&bed->store);
	assert_int_equal(store_open(&bed->store, &bed->place, &bed->message), TTG_OK);
	assert_int_equal(store_count(bed->store, &count, &bed->message), TTG_OK);
	assert_int_equal(count, 0);
}

static void answers_to_our_own_events_are_kept_with_them(void **state)
{
	struct bed *bed = *state;
	struct store *reader = NULL;
	struct store_outcome found;
	uint8_t id[16] = { 7 };
	struct ttg_outcome outcome = { .id = id, .code = TTG_REFUSED_NOT_AGREED, .text = "no" };

	assert_int_equal(store_answer(bed->store, &outcome, 1, &bed->message), TTG_ENOENT);
	assert_int_equal(store_add_published(bed->store, id, "service.enrolled",
	                                     (const uint8_t *)"x", 1, 1, &bed->message),
	                 TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(store_open_reader(&reader, &bed->place, &bed->message), TTG_OK);
	assert_int_equal(store_find_outcome(reader, id, &found, &bed->message), TTG_OK);
	assert_false(found.answered);
	assert_int_equal(store_answer(bed->store, &outcome, 2, &bed->message), TTG_OK);
	assert_int_equal(store_find_outcome(reader, id, &found, &bed->message), TTG_OK);
	assert_true(found.answered);
	assert_int_equal(found.code, TTG_REFUSED_NOT_AGREED);
	assert_string_equal(found.text, "no");
	id[0] = 8;
	assert_int_equal(store_find_outcome(reader, id, &found, &bed->message), TTG_ENOENT);
	store_close(&reader);
}

static void another_writer_waits_and_then_gives_up(void **state)
{
	struct bed *bed = *state;
	struct store *other = NULL;
	enum store_verdict verdict;

	assert_int_equal(store_open(&other, &bed->place, &bed->message), TTG_OK);
	assert_int_equal(add(bed->store, MAILBOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(add(other, MAILBOX, 2, false, &verdict), TTG_ETIMEOUT);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(add(other, MAILBOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(verdict, STORE_KNOWN);
	store_close(&other);
}

static void a_file_that_is_no_store_is_refused(void **state)
{
	struct bed *bed = *state;
	FILE *file;

	store_close(&bed->store);
	file = fopen(bed->at.path, "w");
	for (int i = 0; i < 200; i++)
		fputs("this is a shopping list and no database\n", file);
	fclose(file);
	assert_int_equal(store_open(&bed->store, &bed->place, &bed->message), TTG_ECORRUPT);
}

static void nobody_else_may_read_the_file(void **state)
{
	struct bed *bed = *state;
	struct stat status;

	assert_int_equal(stat(bed->at.path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

/* What a broker remembers while the recipient dies again and again. */
struct broker {
	bool acknowledged[EVENTS];
	unsigned told[EVENTS]; /* live lines printed after a commit */
};

static void maybe_die(unsigned *seed, unsigned one_in)
{
	if ((unsigned)rand_r(seed) % one_in == 0)
		kill(getpid(), SIGKILL);
}

/*
 * One life of the recipient: takes what is unacknowledged in batches, dying anywhere; the first one
 * between its first commit and the acknowledgement, if nowhere before.
 */
static void live_once(const struct store_place *place, struct broker *broker, unsigned life,
                      unsigned seed)
{
	struct message message;
	struct store *store = NULL;
	unsigned batch[BATCH_MAX];
	enum store_verdict verdicts[BATCH_MAX];
	size_t n = 0;

	if (store_open(&store, place, &message) != TTG_OK)
		_exit(2);
	for (unsigned i = 0; i < EVENTS; i++) {
		if (!broker->acknowledged[i]) {
			if (add(store, MAILBOX, i, false, &verdicts[n]) != TTG_OK)
				_exit(3);
			batch[n++] = i;
			maybe_die(&seed, 40);
		}
		if (n < 1 + (unsigned)rand_r(&seed) % BATCH_MAX && i + 1 < EVENTS)
			continue;
		if (store_commit(store, &message) != TTG_OK)
			_exit(4);
		for (size_t k = 0; k < n; k++)
			if (verdicts[k] == STORE_NEW)
				broker->told[batch[k]]++;
		maybe_die(&seed, life == 0 ? 1 : 6); /* committed, not acknowledged */
		for (size_t k = 0; k < n; k++) {
			broker->acknowledged[batch[k]] = true;
			maybe_die(&seed, 60);
		}
		n = 0;
	}
	store_close(&store);
	_exit(0);
}

static void every_event_is_stored_once_whenever_the_process_is_killed(void **state)
{
	struct bed *bed = *state;
	struct broker *broker = mmap(NULL, sizeof(*broker), PROT_READ | PROT_WRITE,
	                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *given = getenv("TTG_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
	unsigned killed = 0;
	bool finished = false;
	uint64_t count;

	print_message("seed %u (TTG_SEED repeats it)\n", seed);
	store_close(&bed->store);
	for (unsigned life = 0; !finished && life < LIVES_MAX; life++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			live_once(&bed->place, broker, life, seed + life * 7919);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFSIGNALED(status)) {
			assert_int_equal(WTERMSIG(status), SIGKILL);
			killed++;
		} else {
			assert_int_equal(WEXITSTATUS(status), 0);
			finished = true;
		}
	}
	assert_true(finished);
	assert_true(killed > 0);
	assert_int_equal(store_open(&bed->store, &bed->place, &bed->message), TTG_OK);
	assert_int_equal(store_count(bed->store, &count, &bed->message), TTG_OK);
	assert_int_equal(count, EVENTS);
	assert_int_equal(must_ask_bed(&bed->at, "SELECT count(*) FROM delivery"), EVENTS);
	for (unsigned i = 0; i < EVENTS; i++) {
		assert_true(broker->acknowledged[i]);
		assert_int_equal(broker->told[i], 1);
	}
	munmap(broker, sizeof(*broker));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_delivery_is_kept_with_its_columns_and_exact_bytes),
		STORE_TEST(the_same_event_again_is_known_and_not_stored_twice),
		STORE_TEST(a_wider_grant_through_another_mailbox_completes_a_redacted_event),
		STORE_TEST(the_position_never_goes_back),
		STORE_TEST(what_is_no_event_is_refused_and_the_rest_of_the_batch_is_kept),
		STORE_TEST(uncommitted_work_is_gone_after_closing),
		STORE_TEST(answers_to_our_own_events_are_kept_with_them),
		STORE_TEST(another_writer_waits_and_then_gives_up),
		ON_SQLITE(a_file_that_is_no_store_is_refused),
		ON_SQLITE(nobody_else_may_read_the_file),
		STORE_TEST(every_event_is_stored_once_whenever_the_process_is_killed),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
