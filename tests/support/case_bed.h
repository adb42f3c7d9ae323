/*
 * A place for a case store, in SQLite or in PostgreSQL, and a look at it from beside the store:
 * tests of the store run on both. Events to be kept there.
 */
#ifndef TTG_TEST_CASE_BED_H
#define TTG_TEST_CASE_BED_H

#include <stdbool.h>
#include <stdint.h>
#include "support/folder.h"
#include "support/postgres.h"

#define CASE_EVENT_BYTES 512

struct case_bed {
	struct folder *folder;
	char path[FOLDER_PATH];        /* of SQLite's file, which is not there yet */
	char database[POSTGRES_PLACE]; /* "": SQLite */
	const char *hex;               /* of the column `encoded`, in SQL */
};

/* server: where a database is made; NULL: SQLite. */
void must_make_bed(struct case_bed *bed, struct postgres_server *server);
void case_bed_remove(struct case_bed *bed);

/* Several statements; fails the test when one fails. */
void must_tell_bed(const struct case_bed *bed, const char *sql);
/* The same from a file. */
void must_tell_bed_file(const struct case_bed *bed, const char *path);
/* One number. */
int64_t must_ask_bed(const struct case_bed *bed, const char *sql);

/* An event about nobody in particular, whose id is made of its number: its encoded length. */
void case_event_id(unsigned number, uint8_t id[16]);
size_t case_event(unsigned number, const char *prison, uint8_t out[CASE_EVENT_BYTES]);

#endif
