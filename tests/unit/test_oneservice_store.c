/* The case store: everything once, whatever dies when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <sqlite3.h>
#include <ttg/event.h>
#include "oneservice/store.h"

#define EVENTS    60
#define BATCH_MAX 7
#define MAILBOX   "one-service/duty"
#define OTHER_BOX "one-service/records"
#define LIVES_MAX 2000

struct fixture {
	char directory[64];
	char path[96];
	struct store *store;
	struct message message;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->directory, "/tmp/ttg-store-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	snprintf(fixture->path, sizeof(fixture->path), "%s/case.db", fixture->directory);
	assert_int_equal(store_open(&fixture->store, fixture->path, &fixture->message), TTG_OK);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct fixture *fixture = *state;

	store_close(&fixture->store);
	for (size_t i = 0; i < 3; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", fixture->path, suffixes[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

/* An event about nobody in particular whose id is made of its number. */
static size_t make_event(unsigned number, const char *prison, uint8_t out[512])
{
	uint8_t id[16] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x70 };
	uint8_t earlier[16] = { 9 };
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__PrisonReception reception = TTG__PRISON_RECEPTION__INIT;
	Ttg__Time occurred = TTG__TIME__INIT;
	size_t length;

	id[14] = (uint8_t)(number >> 8);
	id[15] = (uint8_t)number;
	event.id.data = id;
	event.id.len = sizeof(id);
	event.supersedes.data = earlier;
	event.supersedes.len = sizeof(earlier);
	event.type = (char *)(uintptr_t) "prison.reception";
	event.source = (char *)(uintptr_t) "prison";
	event.occurred_at = &occurred;
	occurred.unix_ns = 1000 + number;
	reception.prison_code = (char *)(uintptr_t)prison;
	event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RECEPTION;
	event.prison_reception = &reception;
	length = ttg__event__get_packed_size(&event);
	assert_true(length <= 512);
	return ttg__event__pack(&event, out);
}

static enum ttg_error add(struct store *store, const char *mailbox, unsigned number, bool redacted,
                          enum store_verdict *verdict)
{
	uint8_t bytes[512];
	struct message message;
	struct ttg_delivery delivery = {
		.mailbox = mailbox,
		.position = number + 1,
		.attempt = 1,
		.event = bytes,
		.event_bytes = make_event(number, redacted ? "" : "PBI", bytes),
		.accepted_ns = 2000,
		.redacted = redacted,
	};

	return store_add(store, &delivery, 3000, verdict, &message);
}

static int64_t ask_number(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	int64_t number;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return number;
}

static void a_delivery_is_kept_with_its_columns_and_exact_bytes(void **state)
{
	struct fixture *fixture = *state;
	enum store_verdict verdict;
	uint64_t position;

	assert_int_equal(add(fixture->store, MAILBOX, 4, false, &verdict), TTG_OK);
	assert_int_equal(verdict, STORE_NEW);
	assert_int_equal(store_commit(fixture->store, &fixture->message), TTG_OK);
	assert_int_equal(store_position(fixture->store, MAILBOX, &position, &fixture->message),
	                 TTG_OK);
	assert_int_equal(position, 5);
	assert_int_equal(
	        ask_number(fixture->path,
	                   "SELECT count(*) FROM event WHERE type = 'prison.reception'"
	                   " AND source = 'prison' AND occurred_ns = 1004 AND recorded_ns IS NULL"
	                   " AND accepted_ns = 2000 AND received_ns = 3000 AND person_key IS NULL"
	                   " AND mailbox = 'one-service/duty' AND position = 5"
	                   " AND correlation_id IS NULL AND length(supersedes) = 16"
	                   " AND instr(encoded, CAST('PBI' AS BLOB)) > 0"),
	        1);
}

static void the_same_event_again_is_known_and_not_stored_twice(void **state)
{
	struct fixture *fixture = *state;
	enum store_verdict verdict;
	uint64_t count;

	assert_int_equal(add(fixture->store, MAILBOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(store_commit(fixture->store, &fixture->message), TTG_OK);
	assert_int_equal(add(fixture->store, MAILBOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(verdict, STORE_KNOWN);
	assert_int_equal(add(fixture->store, OTHER_BOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(verdict, STORE_KNOWN);
	assert_int_equal(store_commit(fixture->store, &fixture->message), TTG_OK);
	assert_int_equal(store_count(fixture->store, &count, &fixture->message), TTG_OK);
	assert_int_equal(count, 1);
	assert_int_equal(ask_number(fixture->path, "SELECT count(*) FROM delivery"), 2);
}

static void a_wider_grant_through_another_mailbox_completes_a_redacted_event(void **state)
{
	struct fixture *fixture = *state;
	const char *fuller = "SELECT count(*) FROM event WHERE redacted = 0"
	                     " AND instr(encoded, CAST('PBI' AS BLOB)) > 0";
	enum store_verdict verdict;

	assert_int_equal(add(fixture->store, OTHER_BOX, 1, true, &verdict), TTG_OK);
	assert_int_equal(store_commit(fixture->store, &fixture->message), TTG_OK);
	assert_int_equal(ask_number(fixture->path, fuller), 0);
	assert_int_equal(add(fixture->store, MAILBOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(store_commit(fixture->store, &fixture->message), TTG_OK);
	assert_int_equal(ask_number(fixture->path, fuller), 1);
	assert_int_equal(add(fixture->store, OTHER_BOX, 1, true, &verdict), TTG_OK);
	assert_int_equal(store_commit(fixture->store, &fixture->message), TTG_OK);
	assert_int_equal(ask_number(fixture->path, fuller), 1);
}

static void the_position_never_goes_back(void **state)
{
	struct fixture *fixture = *state;
	enum store_verdict verdict;
	uint64_t position;

	assert_int_equal(add(fixture->store, MAILBOX, 9, false, &verdict), TTG_OK);
	assert_int_equal(add(fixture->store, MAILBOX, 2, false, &verdict), TTG_OK);
	assert_int_equal(store_commit(fixture->store, &fixture->message), TTG_OK);
	assert_int_equal(store_position(fixture->store, MAILBOX, &position, &fixture->message),
	                 TTG_OK);
	assert_int_equal(position, 10);
	assert_int_equal(store_position(fixture->store, "a/b", &position, &fixture->message),
	                 TTG_OK);
	assert_int_equal(position, 0);
}

static void what_is_no_event_is_refused_and_the_rest_of_the_batch_is_kept(void **state)
{
	struct fixture *fixture = *state;
	const uint8_t junk[] = { 0xff, 0xff, 0xff };
	struct ttg_delivery delivery = {
		.mailbox = MAILBOX, .position = 3, .event = junk, .event_bytes = sizeof(junk)
	};
	enum store_verdict verdict;
	uint64_t count;

	assert_int_equal(add(fixture->store, MAILBOX, 0, false, &verdict), TTG_OK);
	assert_int_equal(store_add(fixture->store, &delivery, 1, &verdict, &fixture->message),
	                 TTG_EFORMAT);
	assert_int_equal(add(fixture->store, MAILBOX, 1, false, &verdict), TTG_OK);
	assert_int_equal(store_commit(fixture->store, &fixture->message), TTG_OK);
	assert_int_equal(store_count(fixture->store, &count, &fixture->message), TTG_OK);
	assert_int_equal(count, 2);
}

static void uncommitted_work_is_gone_after_closing(void **state)
{
	struct fixture *fixture = *state;
	enum store_verdict verdict;
	uint64_t count;

	assert_int_equal(add(fixture->store, MAILBOX, 0, false, &verdict), TTG_OK);
	store_close(&fixture->store);
	assert_int_equal(store_open(&fixture->store, fixture->path, &fixture->message), TTG_OK);
	assert_int_equal(store_count(fixture->store, &count, &fixture->message), TTG_OK);
	assert_int_equal(count, 0);
}

static void answers_to_our_own_events_are_kept_with_them(void **state)
{
	struct fixture *fixture = *state;
	struct store *reader = NULL;
	struct store_outcome found;
	uint8_t id[16] = { 7 };
	struct ttg_outcome outcome = { .id = id, .code = TTG_REFUSED_NOT_AGREED, .text = "no" };

	assert_int_equal(store_answer(fixture->store, &outcome, 1, &fixture->message), TTG_ENOENT);
	assert_int_equal(store_add_published(fixture->store, id, "service.enrolled",
	                                     (const uint8_t *)"x", 1, 1, &fixture->message),
	                 TTG_OK);
	assert_int_equal(store_commit(fixture->store, &fixture->message), TTG_OK);
	assert_int_equal(store_open_reader(&reader, fixture->path, &fixture->message), TTG_OK);
	assert_int_equal(store_find_outcome(reader, id, &found, &fixture->message), TTG_OK);
	assert_false(found.answered);
	assert_int_equal(store_answer(fixture->store, &outcome, 2, &fixture->message), TTG_OK);
	assert_int_equal(store_find_outcome(reader, id, &found, &fixture->message), TTG_OK);
	assert_true(found.answered);
	assert_int_equal(found.code, TTG_REFUSED_NOT_AGREED);
	assert_string_equal(found.text, "no");
	id[0] = 8;
	assert_int_equal(store_find_outcome(reader, id, &found, &fixture->message), TTG_ENOENT);
	store_close(&reader);
}

static void a_store_written_by_a_newer_program_is_refused(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *db = NULL;

	store_close(&fixture->store);
	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL),
	                 SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(store_open(&fixture->store, fixture->path, &fixture->message),
	                 TTG_EVERSION);
	assert_null(fixture->store);
}

static void a_file_that_is_no_store_is_refused(void **state)
{
	struct fixture *fixture = *state;
	FILE *file;

	store_close(&fixture->store);
	file = fopen(fixture->path, "w");
	for (int i = 0; i < 200; i++)
		fputs("this is a shopping list and no database\n", file);
	fclose(file);
	assert_int_equal(store_open(&fixture->store, fixture->path, &fixture->message),
	                 TTG_ECORRUPT);
}

static void nobody_else_may_read_the_file(void **state)
{
	struct fixture *fixture = *state;
	struct stat status;

	assert_int_equal(stat(fixture->path, &status), 0);
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

/* One life of the recipient: takes what is unacknowledged in batches, dying anywhere. */
static void live_once(const char *path, struct broker *broker, unsigned seed)
{
	struct message message;
	struct store *store = NULL;
	unsigned batch[BATCH_MAX];
	enum store_verdict verdicts[BATCH_MAX];
	size_t n = 0;

	if (store_open(&store, path, &message) != TTG_OK)
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
		maybe_die(&seed, 6); /* committed, not acknowledged */
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
	struct fixture *fixture = *state;
	struct broker *broker = mmap(NULL, sizeof(*broker), PROT_READ | PROT_WRITE,
	                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *given = getenv("TTG_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
	unsigned killed = 0;
	bool finished = false;
	uint64_t count;

	print_message("seed %u (TTG_SEED repeats it)\n", seed);
	store_close(&fixture->store);
	for (unsigned life = 0; !finished && life < LIVES_MAX; life++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			live_once(fixture->path, broker, seed + life * 7919);
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
	assert_int_equal(store_open(&fixture->store, fixture->path, &fixture->message), TTG_OK);
	assert_int_equal(store_count(fixture->store, &count, &fixture->message), TTG_OK);
	assert_int_equal(count, EVENTS);
	assert_int_equal(ask_number(fixture->path, "SELECT count(*) FROM delivery"), EVENTS);
	for (unsigned i = 0; i < EVENTS; i++) {
		assert_true(broker->acknowledged[i]);
		assert_int_equal(broker->told[i], 1);
	}
	munmap(broker, sizeof(*broker));
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
		STORE_TEST(a_store_written_by_a_newer_program_is_refused),
		STORE_TEST(a_file_that_is_no_store_is_refused),
		STORE_TEST(nobody_else_may_read_the_file),
		STORE_TEST(every_event_is_stored_once_whenever_the_process_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
