/* Places for case stores. Owner: the test's only thread. Every failure fails the test. */
#include "support/case_bed.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include "support/wait.h"

void must_make_bed(struct case_bed *bed, struct postgres_server *server)
{
	memset(bed, 0, sizeof(*bed));
	must_be(folder_set_up((void **)&bed->folder) == 0, "no folder");
	folder_path(bed->folder, "case.db", bed->path);
	bed->hex = server != NULL ? "upper(encode(encoded, 'hex'))" : "hex(encoded)";
	if (server != NULL)
		must_make_database(server, bed->database);
}

void case_bed_remove(struct case_bed *bed)
{
	folder_tear_down((void **)&bed->folder);
}

static sqlite3 *must_open_file(const struct case_bed *bed)
{
	sqlite3 *db = NULL;

	must_be(sqlite3_open(bed->path, &db) == SQLITE_OK, "cannot open the store");
	sqlite3_busy_timeout(db, WAIT_LONG_MS);
	return db;
}

void must_tell_bed(const struct case_bed *bed, const char *sql)
{
	sqlite3 *db;

	if (bed->database[0] != '\0') {
		must_tell_postgres(bed->database, sql);
		return;
	}
	db = must_open_file(bed);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		must_fail("SQLite: %s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

void must_tell_bed_file(const struct case_bed *bed, const char *path)
{
	char *sql = must_read_file(path, NULL);

	must_be(sql[0] != '\0', "no such file");
	must_tell_bed(bed, sql);
	free(sql);
}

int64_t must_ask_bed(const struct case_bed *bed, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *statement = NULL;
	int64_t number;

	if (bed->database[0] != '\0')
		return postgres_ask(bed->database, sql);
	db = must_open_file(bed);
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_ROW)
		must_fail("SQLite: %s", sqlite3_errmsg(db));
	number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return number;
}

void case_event_id(unsigned number, uint8_t id[16])
{
	const uint8_t same[16] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x70 };

	memcpy(id, same, sizeof(same));
	id[14] = (uint8_t)(number >> 8);
	id[15] = (uint8_t)number;
}

size_t case_event(unsigned number, const char *prison, uint8_t out[CASE_EVENT_BYTES])
{
	uint8_t id[16];
	uint8_t earlier[16] = { 9 };
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__PrisonReception reception = TTG__PRISON_RECEPTION__INIT;
	Ttg__Time occurred = TTG__TIME__INIT;

	case_event_id(number, id);
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
	must_be(ttg__event__get_packed_size(&event) <= CASE_EVENT_BYTES, "too long");
	return ttg__event__pack(&event, out);
}
