/*
 * A desk whose forms are tested: a man who is known or enrolled, forms opened and sent as a browser
 * does, and the event that came of it, read as ttg-oneservice will read it.
 */
#ifndef TTG_TEST_ACTING_H
#define TTG_TEST_ACTING_H

#include "support/desk_bed.h"

#define FIELDS_BYTES 8192

/* The fields of a moment, this morning. */
#define WHEN(name) "&" name "-day=12&" name "-month=3&" name "-year=2027&" name "-time=09:30"

struct acting {
	struct desk_bed bed;
	struct casefile file;
	char number[12]; /* of the man in addresses of pages */
	char id[TTG_UUID_TEXT];
	Ttg__Event *event; /* that was sent last */
};

extern const struct casefile_man tom;

/* Set-up and tear-down of cmocka: *state is the acting. */
int act_set_up(void **state);
int act_tear_down(void **state);

/* Known, by two numbers, and in prison; and enrolled in the scheme "pilot". */
void must_know(struct acting *acting);
void must_enrol(struct acting *acting);

/* Opens a form; its id is acting->id. must_find_id(): that of the form that was shown last. */
void must_open(struct acting *acting, desk_page *page, const char *part2);
void must_find_id(struct acting *acting);

/* Sends the fields under the id of the form that was opened last. The status. */
unsigned act_send(struct acting *acting, desk_page *page, const char *fields, const char *part2);
/* Sends a form that is in order; the event that came of it. */
Ttg__Event *must_send(struct acting *acting, desk_page *page, const char *fields,
                      const char *part2);

/* Files in the spool, parts of files included. */
size_t spool_files(const struct acting *acting);
/* The one event in the spool, through the reader of ttg-oneservice. */
Ttg__Event *must_read_spool(struct acting *acting);
/* As ttg-oneservice does once it has the file: into the store, and the file is moved away. */
void must_take(struct acting *acting);

/* The envelope every form gives. occurred: "2027-03-12 09:30"; NULL: when it was sent. */
void assert_envelope(const struct acting *acting, const char *type, const char *occurred);
void assert_is_tom(const Ttg__Event *event);

#endif
