/* The case store's schema: from nothing, from every earlier version, and from a newer one not at
 * all. */
#include "store_unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 6
#define GOLDEN    TTG_SOURCE_DIR "/tests/golden/case-store-"

#define STORE_TEST(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, no_sqlite, remove_bed),                              \
	        cmocka_unit_test_setup_teardown(test, no_postgres, remove_bed)

static bool is_postgres(const struct bed *bed)
{
	return bed->at.database[0] != '\0';
}

static int64_t version_of(const struct bed *bed)
{
	return must_ask_bed(&bed->at, is_postgres(bed) ? "SELECT version FROM store_version"
	                                               : "PRAGMA user_version");
}

/* The store as a program of that version left it. */
static void must_find_old_store(struct bed *bed, int version)
{
	char path[FOLDER_PATH];

	snprintf(path, sizeof(path), GOLDEN "%d/%s.sql", version,
	         is_postgres(bed) ? "postgres" : "sqlite");
	must_tell_bed_file(&bed->at, path);
	assert_int_equal(version_of(bed), version);
}

static void an_empty_place_gets_the_newest_schema_and_keeps_it(void **state)
{
	struct bed *bed = *state;
	enum store_verdict verdict;
	uint64_t count;

	bed_open(bed);
	assert_int_equal(version_of(bed), STORE_SCHEMA_VERSION);
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 1 }, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	bed_open(bed);
	assert_int_equal(version_of(bed), STORE_SCHEMA_VERSION);
	assert_int_equal(store_count(bed->store, &count, &bed->message), TTG_OK);
	assert_int_equal(count, 1);
}

static void must_hold_what_version_1_held(struct bed *bed)
{
	struct store_outcome outcome;
	enum store_verdict verdict;
	uint64_t number;
	uint8_t id[16];

	assert_int_equal(store_count(bed->store, &number, &bed->message), TTG_OK);
	assert_int_equal(number, 3);
	assert_int_equal(store_position(bed->store, MAILBOX, &number, &bed->message), TTG_OK);
	assert_int_equal(number, 4);
	for (unsigned i = 1; i <= 3; i++) {
		const struct arrival again = { .number = i };

		assert_int_equal(arrive(bed->store, &again, &verdict), TTG_OK);
		assert_int_equal(verdict, STORE_KNOWN);
	}
	store_rollback(bed->store);
	case_event_id(0x11, id);
	assert_int_equal(store_find_outcome(bed->store, id, &outcome, &bed->message), TTG_OK);
	assert_true(outcome.answered);
	assert_int_equal(outcome.sequence, 71);
	case_event_id(0x12, id);
	assert_int_equal(store_find_outcome(bed->store, id, &outcome, &bed->message), TTG_OK);
	assert_int_equal(outcome.code, TTG_REFUSED_NOT_AGREED);
	assert_string_equal(outcome.text, "no");
	case_event_id(0x13, id);
	assert_int_equal(store_find_outcome(bed->store, id, &outcome, &bed->message), TTG_OK);
	assert_false(outcome.answered);
}

/* The last byte of the id of each, in the order of their times; above 0x10 are ours. */
static void must_be_numbered_by_time(struct bed *bed)
{
	static const uint8_t order[] = { 0x11, 2, 3, 1, 0x13, 0x12 };
	char sql[256];

	for (unsigned i = 0; i < sizeof(order); i++) {
		snprintf(sql, sizeof(sql), "SELECT change FROM %s WHERE %s LIKE '%%%02x'",
		         order[i] > 0x10 ? "published" : "event",
		         is_postgres(bed) ? "encode(id, 'hex')" : "lower(hex(id))", order[i]);
		assert_int_equal(must_ask_bed(&bed->at, sql), i + 1);
	}
	assert_int_equal(must_ask_bed(&bed->at, "SELECT count(*) FROM alert"), 0);
	assert_int_equal(must_ask_bed(&bed->at, "SELECT count(*) FROM published"
	                                        " WHERE delivered IS NULL AND asked_ns IS NULL"),
	                 3);
}

/* Columns and indexes, in a number that differs when they do. */
static const char fingerprint[] =
        "SELECT ('x' || substr(md5(string_agg(line, ';' ORDER BY line)), 1, 15))::bit(60)::bigint"
        " FROM (SELECT table_name || column_name || data_type || is_nullable AS line"
        " FROM information_schema.columns WHERE table_schema = 'public'"
        " UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " UNION ALL SELECT conrelid::regclass || pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace) AS lines";

/* Statements that made what is there and not in the other file, blanks aside. */
#define MADE(schema)                                                                               \
	"SELECT replace(replace(replace(sql, ' ', ''), char(9), ''), char(10), '') FROM " schema   \
	".sqlite_master WHERE sql IS NOT NULL"

static void must_have_the_schema_of_a_new_store(struct bed *bed)
{
	struct bed *new = NULL;
	char sql[1024];

	make_bed((void **)&new, is_postgres(bed) ? &unit_server : NULL);
	bed_open(new);
	if (is_postgres(bed)) {
		assert_true(must_ask_bed(&new->at, fingerprint) > 0);
		assert_int_equal(must_ask_bed(&bed->at, fingerprint),
		                 must_ask_bed(&new->at, fingerprint));
	} else {
		sqlite3 *db = NULL;
		sqlite3_stmt *statement = NULL;

		assert_int_equal(sqlite3_open(bed->at.path, &db), SQLITE_OK);
		snprintf(sql, sizeof(sql), "ATTACH '%s' AS new", new->at.path);
		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(
		        sqlite3_prepare_v2(
		                db,
		                "SELECT (SELECT count(*) FROM (" MADE("main") " EXCEPT " MADE(
		                        "new") ")),"
		                               " (SELECT count(*) FROM (" MADE(
		                                       "new") " EXCEPT " MADE("main") ")),"
		                                                                      " (SELECT "
		                                                                      "count(*) "
		                                                                      "FROM "
		                                                                      "new.sqlite_"
		                                                                      "master)",
		                -1, &statement, NULL),
		        SQLITE_OK);
		assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
		assert_int_equal(sqlite3_column_int(statement, 0), 0);
		assert_int_equal(sqlite3_column_int(statement, 1), 0);
		assert_true(sqlite3_column_int(statement, 2) > 8);
		sqlite3_finalize(statement);
		sqlite3_close(db);
	}
	remove_bed((void **)&new);
}

static void must_come_up_to_date(struct bed *bed, int version)
{
	_Static_assert(STORE_SCHEMA_VERSION == 3,
	               "a newer version: keep a store of version 3, too");
	must_find_old_store(bed, version);
	bed_open(bed);
	assert_int_equal(version_of(bed), STORE_SCHEMA_VERSION);
	must_hold_what_version_1_held(bed);
	must_be_numbered_by_time(bed);
	must_have_the_schema_of_a_new_store(bed);
}

static void a_store_of_version_1_is_brought_up_to_date_with_all_in_it(void **state)
{
	must_come_up_to_date(*state, 1);
}

static void a_store_of_version_2_is_brought_up_to_date_with_all_in_it(void **state)
{
	must_come_up_to_date(*state, 2);
}

static void a_step_that_fails_leaves_the_store_as_it_was(void **state)
{
	struct bed *bed = *state;

	must_find_old_store(bed, 1);
	/* Stands where the second statement of step 2 wants to put its own. */
	must_tell_bed(&bed->at, "CREATE INDEX published_by_time ON published (type)");
	assert_int_not_equal(store_open(&bed->store, &bed->place, &bed->message), TTG_OK);
	assert_null(bed->store);
	assert_int_equal(version_of(bed), 1);
	must_tell_bed(&bed->at, "CREATE INDEX event_by_accepted ON event (type)");
	must_tell_bed(&bed->at, "DROP INDEX event_by_accepted; DROP INDEX published_by_time");
	bed_open(bed);
	must_hold_what_version_1_held(bed);
}

/* Numbers are given before what stands in the way is met. */
static void the_third_step_leaves_no_numbers_when_it_fails(void **state)
{
	struct bed *bed = *state;

	must_find_old_store(bed, 2);
	must_tell_bed(&bed->at, "CREATE INDEX alert_by_about ON event (type)");
	assert_int_not_equal(store_open(&bed->store, &bed->place, &bed->message), TTG_OK);
	assert_int_equal(version_of(bed), 2);
	must_tell_bed(&bed->at, "DROP INDEX alert_by_about; ALTER TABLE event ADD change TEXT;"
	                        "ALTER TABLE event DROP COLUMN change");
	bed_open(bed);
	must_be_numbered_by_time(bed);
}

static void the_desk_waits_for_the_service_to_change_the_schema(void **state)
{
	struct bed *bed = *state;
	struct store *service = NULL;

	assert_int_equal(store_open_desk(&bed->store, &bed->place, &bed->message), TTG_ENOENT);
	assert_null(bed->store);
	must_find_old_store(bed, 2);
	assert_int_equal(store_open_desk(&bed->store, &bed->place, &bed->message), TTG_EVERSION);
	assert_null(bed->store);
	assert_non_null(strstr(bed->message.text, "start ttg-oneservice"));
	assert_int_equal(version_of(bed), 2);
	assert_int_equal(store_open(&service, &bed->place, &bed->message), TTG_OK);
	assert_int_equal(store_open_desk(&bed->store, &bed->place, &bed->message), TTG_OK);
	store_close(&service);
}

static void a_store_written_by_a_newer_program_is_refused(void **state)
{
	struct bed *bed = *state;

	bed_open(bed);
	store_close(&bed->store);
	must_tell_bed(&bed->at, is_postgres(bed) ? "UPDATE store_version SET version = 999"
	                                         : "PRAGMA user_version = 999");
	assert_int_equal(store_open(&bed->store, &bed->place, &bed->message), TTG_EVERSION);
	assert_null(bed->store);
	assert_int_equal(store_open_reader(&bed->store, &bed->place, &bed->message), TTG_EVERSION);
	assert_null(bed->store);
	assert_int_equal(store_open_desk(&bed->store, &bed->place, &bed->message), TTG_EVERSION);
	assert_null(bed->store);
	assert_int_equal(version_of(bed), 999);
}

static void who_reads_makes_nothing_and_changes_nothing(void **state)
{
	struct bed *bed = *state;
	uint64_t count;

	assert_int_equal(store_open_reader(&bed->store, &bed->place, &bed->message), TTG_ENOENT);
	assert_null(bed->store);
	must_find_old_store(bed, 1);
	assert_int_equal(store_open_reader(&bed->store, &bed->place, &bed->message), TTG_OK);
	assert_int_equal(store_count(bed->store, &count, &bed->message), TTG_OK);
	assert_int_equal(count, 3);
	assert_int_equal(version_of(bed), 1);
}

/* One of several that start at the same moment. */
static void open_and_keep(const struct bed *bed, unsigned number)
{
	struct store *store = NULL;
	struct message message = { "" };
	enum store_verdict verdict;

	if (store_open(&store, &bed->place, &message) != TTG_OK ||
	    arrive(store, &(struct arrival){ .number = number }, &verdict) != TTG_OK ||
	    store_commit(store, &message) != TTG_OK) {
		dprintf(2, "%s\n", message.text);
		_exit(1);
	}
	store_close(&store);
	_exit(0);
}

static void processes_that_start_at_once_do_not_collide(void **state)
{
	struct bed *bed = *state;
	pid_t children[PROCESSES];

	for (unsigned i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			open_and_keep(bed, i);
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status = -1;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(version_of(bed), STORE_SCHEMA_VERSION);
	assert_int_equal(must_ask_bed(&bed->at, "SELECT count(*) FROM event"), PROCESSES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(an_empty_place_gets_the_newest_schema_and_keeps_it),
		STORE_TEST(a_store_of_version_1_is_brought_up_to_date_with_all_in_it),
		STORE_TEST(a_store_of_version_2_is_brought_up_to_date_with_all_in_it),
		STORE_TEST(a_step_that_fails_leaves_the_store_as_it_was),
		STORE_TEST(the_third_step_leaves_no_numbers_when_it_fails),
		STORE_TEST(the_desk_waits_for_the_service_to_change_the_schema),
		STORE_TEST(a_store_written_by_a_newer_program_is_refused),
		STORE_TEST(who_reads_makes_nothing_and_changes_nothing),
		STORE_TEST(processes_that_start_at_once_do_not_collide),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
