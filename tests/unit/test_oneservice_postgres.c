/* The case store in PostgreSQL: what the configuration may say, and a server that is not well. */
#include "store_unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include "store/alert.h"

#define ON_POSTGRES(test) cmocka_unit_test_setup_teardown(test, new_postgres, remove_bed)
#define SECRET            POSTGRES_PASSWORD

static void must_refuse(const struct store_place *place, enum ttg_error error, const char *says)
{
	struct message message = { "" };
	struct store *store = NULL;

	assert_int_equal(store_check(place, &message), error);
	if (strstr(message.text, says) == NULL)
		must_fail("not \"%s\" but: %s", says, message.text);
	assert_null(strstr(message.text, SECRET));
	assert_int_equal(store_open(&store, place, &message), error);
	assert_null(store);
}

static void what_the_configuration_may_not_say_is_refused(void **state)
{
	const struct {
		struct store_place place;
		const char *says;
	} wrong[] = {
		{ { .path = "" }, "either path or postgres" },
		{ { .path = "/tmp/a.db", .postgres = "dbname=a" }, "either path or postgres" },
		{ { .path = "/tmp/a.db", .password_file = "/tmp/a" }, "password_file" },
		{ { .postgres = "dbname=a password=" SECRET }, "holds a password" },
		{ { .postgres = "postgresql://me:" SECRET "@localhost/a" }, "holds a password" },
		{ { .postgres = "dbname=a " SECRET }, "connection string" },
		{ { .postgres = "dbname=a nonsense=1" }, "connection string" },
		{ { .postgres = "host=192.0.2.1 dbname=a" }, "verify-full" },
		{ { .postgres = "host=/run,db.example dbname=a sslmode=require" }, "verify-full" },
		{ { .postgres = "hostaddr=192.0.2.1 host=localhost" }, "verify-full" },
	};
	struct message message;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		must_refuse(&wrong[i].place, TTG_EFORMAT, wrong[i].says);
	assert_int_equal(
	        store_check(&(struct store_place){ .postgres = "host=::1,localhost dbname=a" },
	                    &message),
	        TTG_OK);
	assert_int_equal(
	        store_check(
	                &(struct store_place){ .postgres = "host=db.example sslmode=verify-full" },
	                &message),
	        TTG_OK);
}

static void must_write_password(struct bed *bed, const char *text, mode_t mode,
                                char path[FOLDER_PATH])
{
	folder_path(bed->at.folder, "password", path);
	folder_write(bed->at.folder, "password", text);
	assert_int_equal(chmod(path, mode), 0);
}

static void a_password_comes_from_a_file_that_only_its_owner_reads(void **state)
{
	struct bed *bed = *state;
	char place[POSTGRES_PLACE + 16];
	char path[FOLDER_PATH];
	struct store *store = NULL;

	must_tell_bed(&bed->at, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO guarded");
	snprintf(place, sizeof(place), "%s user=guarded", bed->at.database);
	bed->place = (struct store_place){ .postgres = place, .password_file = path };
	must_write_password(bed, SECRET "\n", 0644, path);
	must_refuse(&bed->place, TTG_EPERM, "0600");
	must_write_password(bed, "two words\n", 0600, path);
	must_refuse(&bed->place, TTG_EFORMAT, "printable");
	must_write_password(bed, "wrong\n", 0600, path);
	assert_int_equal(store_open_reader(&store, &bed->place, &bed->message), TTG_EIO);
	assert_non_null(strstr(bed->message.text, "password authentication failed"));
	must_write_password(bed, SECRET "\n", 0600, path);
	assert_int_equal(store_open_reader(&store, &bed->place, &bed->message), TTG_OK);
	store_close(&store);
	bed->place.password_file = "";
	assert_int_equal(store_open_reader(&store, &bed->place, &bed->message), TTG_EIO);
}

static void who_may_not_write_is_told_so(void **state)
{
	struct bed *bed = *state;
	enum store_verdict verdict;

	must_tell_bed(&bed->at, "REVOKE INSERT ON event FROM ttg");
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 1 }, &verdict), TTG_EPERM);
	must_tell_bed(&bed->at, "GRANT INSERT ON event TO ttg");
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 1 }, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
}

static void a_desk_with_a_role_of_its_own_acknowledges_and_writes_nothing_else(void **state)
{
	struct bed *bed = *state;
	char place[POSTGRES_PLACE + 16], path[FOLDER_PATH];
	struct store_place desk_place = { .postgres = place, .password_file = path };
	enum store_verdict verdict;
	struct store *desk = NULL;
	uint8_t id[16];

	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 1 }, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	must_tell_bed(&bed->at,
	              "INSERT INTO alert (id, mailbox, position, raised_ns, released)"
	              " SELECT id, mailbox, position, 3000, 0 FROM event;"
	              "GRANT SELECT ON ALL TABLES IN SCHEMA public TO guarded;"
	              "GRANT UPDATE (acknowledged_ns, acknowledged_by) ON alert TO guarded");
	snprintf(place, sizeof(place), "%s user=guarded", bed->at.database);
	must_write_password(bed, SECRET "\n", 0600, path);
	assert_int_equal(store_open_desk(&desk, &desk_place, &bed->message), TTG_OK);
	case_event_id(1, id);
	assert_int_equal(store_acknowledge(desk, id, "ann", 5000, NULL, &bed->message), TTG_OK);
	assert_int_equal(store_release(desk, id, &bed->message), TTG_EPERM);
	assert_int_equal(arrive(desk, &(struct arrival){ .number = 2 }, &verdict), TTG_EPERM);
	assert_int_equal(must_ask_bed(&bed->at, "SELECT count(*) FROM alert"
	                                        " WHERE acknowledged_by = 'ann' AND released = 0"),
	                 1);
	store_close(&desk);
}

static void a_database_of_another_encoding_is_refused(void **state)
{
	struct bed *bed = *state;
	char place[POSTGRES_PLACE];
	struct store *store = NULL;

	snprintf(place, sizeof(place), "host=%s user=postgres dbname=postgres",
	         unit_server.directory);
	must_tell_postgres(place, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0"
	                          " LC_COLLATE 'C' LC_CTYPE 'C'");
	snprintf(place, sizeof(place), "host=%s user=ttg dbname=latin", unit_server.directory);
	bed->place.postgres = place;
	assert_int_equal(store_open(&store, &bed->place, &bed->message), TTG_EFORMAT);
	assert_non_null(strstr(bed->message.text, "UTF8"));
}

static void a_commit_waits_for_the_disk_whatever_the_role_is_set_to(void **state)
{
	struct bed *bed = *state;
	enum store_verdict verdict;

	must_tell_bed(&bed->at,
	              "CREATE TABLE seen (setting TEXT);"
	              "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
	              " INSERT INTO seen VALUES (current_setting('synchronous_commit'));"
	              " RETURN NULL; END $$;"
	              "CREATE TRIGGER look AFTER INSERT ON event EXECUTE FUNCTION look();"
	              "ALTER ROLE ttg SET synchronous_commit = off;");
	bed_open(bed);
	must_tell_bed(&bed->at, "ALTER ROLE ttg RESET synchronous_commit");
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 1 }, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(must_ask_bed(&bed->at, "SELECT count(*) FROM seen"), 1);
	assert_int_equal(must_ask_bed(&bed->at, "SELECT count(*) FROM seen WHERE setting = 'on'"),
	                 1);
}

static void must_cut_off(struct bed *bed)
{
	must_tell_bed(&bed->at, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
	                        " WHERE application_name = 'ttg-oneservice'");
}

static void must_be_new_after(struct bed *bed)
{
	enum store_verdict verdict;
	uint64_t position;

	bed_open(bed);
	assert_int_equal(store_position(bed->store, MAILBOX, &position, &bed->message), TTG_OK);
	assert_int_equal(position, 0);
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 1 }, &verdict), TTG_OK);
	assert_int_equal(verdict, STORE_NEW);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
}

static void a_connection_cut_before_the_commit_keeps_nothing_and_says_so(void **state)
{
	struct bed *bed = *state;
	enum store_verdict verdict;

	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 1 }, &verdict), TTG_OK);
	must_cut_off(bed);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_EIO);
	assert_non_null(strstr(bed->message.text, "case store: committing failed"));
	/* It stays failed: nothing is written without a transaction around it. */
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 2 }, &verdict), TTG_EIO);
	must_be_new_after(bed);
	assert_int_equal(must_ask_bed(&bed->at, "SELECT count(*) FROM event"), 1);
}

static void a_transaction_the_server_gave_up_is_not_taken_for_committed(void **state)
{
	struct bed *bed = *state;
	enum store_verdict verdict;
	uint8_t id[16] = { 1 };
	const struct ttg_outcome outcome = { .id = id, .code = TTG_OK };

	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 1 }, &verdict), TTG_OK);
	must_tell_bed(&bed->at, "REVOKE UPDATE ON published FROM ttg");
	assert_int_equal(store_answer(bed->store, &outcome, 1, &bed->message), TTG_EPERM);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_EIO);
	assert_non_null(strstr(bed->message.text, "rolled back"));
	must_be_new_after(bed);
}

static void a_server_that_stops_is_an_error_and_loses_nothing_committed(void **state)
{
	struct bed *bed = *state;
	enum store_verdict verdict;
	struct store *store = NULL;

	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 1 }, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 2 }, &verdict), TTG_OK);
	must_stop_postgres(&unit_server, SIGQUIT);
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 3 }, &verdict), TTG_EIO);
	assert_int_equal(store_open(&store, &bed->place, &bed->message), TTG_EIO);
	assert_non_null(strstr(bed->message.text, "case store: connecting failed"));
	must_start_postgres(&unit_server);
	bed_open(bed);
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 1 }, &verdict), TTG_OK);
	assert_int_equal(verdict, STORE_KNOWN);
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 2 }, &verdict), TTG_OK);
	assert_int_equal(verdict, STORE_NEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_configuration_may_not_say_is_refused),
		ON_POSTGRES(a_password_comes_from_a_file_that_only_its_owner_reads),
		ON_POSTGRES(who_may_not_write_is_told_so),
		ON_POSTGRES(a_desk_with_a_role_of_its_own_acknowledges_and_writes_nothing_else),
		ON_POSTGRES(a_database_of_another_encoding_is_refused),
		ON_POSTGRES(a_commit_waits_for_the_disk_whatever_the_role_is_set_to),
		ON_POSTGRES(a_connection_cut_before_the_commit_keeps_nothing_and_says_so),
		ON_POSTGRES(a_transaction_the_server_gave_up_is_not_taken_for_committed),
		ON_POSTGRES(a_server_that_stops_is_an_error_and_loses_nothing_committed),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
