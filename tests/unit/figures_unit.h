/*
 * Shared by the tests of the figures (test_figures*.c): a man with a life to tell, and looking for
 * rows in the tables that come of it. Each program uses some of it.
 */
#ifndef TTG_TEST_FIGURES_UNIT_H
#define TTG_TEST_FIGURES_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "oneservice/figures.h"
#include "oneservice/report.h"
#include "support/casefile.h"

#define SETTLED   TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_SETTLED
#define IMMEDIATE TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_IMMEDIATE
#define FULL      TTG__ASSESSMENT_KIND__ASSESSMENT_KIND_FULL
#define REVIEW    TTG__ASSESSMENT_KIND__ASSESSMENT_KIND_REVIEW
#define PRISON    TTG__SETTING__SETTING_PRISON
#define COMMUNITY TTG__SETTING__SETTING_COMMUNITY
#define MET       TTG__GATE_MEETING_OUTCOME__GATE_MEETING_OUTCOME_MET
#define KEPT      TTG__APPOINTMENT_STATUS__APPOINTMENT_STATUS_KEPT
#define CONSENT   TTG__WITHDRAW_REASON__WITHDRAW_REASON_CONSENT
#define MISTAKE   TTG__WITHDRAW_REASON__WITHDRAW_REASON_MISTAKE
#define DIED      TTG__WITHDRAW_REASON__WITHDRAW_REASON_DIED
#define LATER     "2030-01-01 00:00"

/* In the prison, the court and our own books: three ways to name one man. */
static const struct casefile_man inside = { "A1234BC", "X123456", 7 };
static const struct casefile_man court = { NULL, "X123456", 0 };
static const struct casefile_man ours = { "A1234BC", NULL, 0 };
static const struct casefile_man other = { "A9999BC", NULL, 9 };

struct fixture {
	struct figures *figures;
	struct casefile file;
};

static inline void add(void *user, const Ttg__Event *event, const uint8_t *person_key,
                       int64_t kept_ns)
{
	const struct figures_event it = { event, person_key, kept_ns };

	assert_int_equal(figures_add(user, &it), TTG_OK);
}

static inline int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->figures = figures_new();
	assert_non_null(fixture->figures);
	casefile_init(&fixture->file, add, fixture->figures);
	*state = fixture;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;

	figures_free(&fixture->figures);
	free(fixture);
	return 0;
}

static inline void must_have_row(const struct table *table, const char *row)
{
	char wanted[256];
	char *text = report_format(table, REPORT_CSV);

	snprintf(wanted, sizeof(wanted), "\r\n%s\r\n", row);
	assert_non_null(text);
	if (strstr(text, wanted) == NULL)
		fail_msg("no row %s in\n%s", row, text);
	free(text);
}

typedef enum ttg_error make_table(const struct figures *figures, struct table *out);

/* Settles, if that was not done, and looks for the rows. */
static inline void must_say(struct fixture *fixture, make_table *make, const char *const *rows)
{
	struct table table;

	assert_int_equal(make(fixture->figures, &table), TTG_OK);
	for (; *rows != NULL; rows++)
		must_have_row(&table, *rows);
	table_fini(&table);
}

#define MUST_SAY(make, ...) must_say(fixture, make, (const char *const[]){ __VA_ARGS__, NULL })

static inline void settle(struct fixture *fixture, const char *as_at)
{
	assert_int_equal(figures_settle(fixture->figures, must_at(as_at)), TTG_OK);
}

static inline void enrol(struct fixture *fixture, const char *at)
{
	casefile_enrolled(&fixture->file, &ours, must_at(at), "gateway", "c1", "");
}

static inline void let_out(struct fixture *fixture, const char *at)
{
	casefile_released(&fixture->file, &inside, must_at(at), true, SETTLED);
}

static inline void be_active(struct fixture *fixture, const char *at)
{
	casefile_contact(&fixture->file, &ours, must_at(at), true, COMMUNITY);
}

static inline enum ttg_error outcome_unpaid(const struct figures *figures, struct table *out)
{
	return figures_outcome(figures, &(struct figures_baselines){ NULL, 0 }, out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
