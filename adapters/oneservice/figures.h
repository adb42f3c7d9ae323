/*
 * The One Service's figures out of its events: engagement, needs, outcome, referral flow.
 * docs/figures.md defines each of them.
 *
 * Pure: no store, no file, no clock. Events are added in any order, each once or more often with
 * the same result; figures_settle() puts them together; then tables are made. One thread.
 */
#ifndef ONESERVICE_FIGURES_H
#define ONESERVICE_FIGURES_H

#include <stddef.h>
#include <stdint.h>
#include <ttg/error.h>
#include <ttg/event.h>
#include "oneservice/figures_table.h"

/* Rows of more than one cohort; ids have no capitals, so that none can be called so. */
#define FIGURES_ALL    "ALL"
#define FIGURES_MISSED "MISSED"

#define FIGURES_ID_BYTES 33 /* scheme or cohort and a NUL */

struct figures;

struct figures_event {
	const Ttg__Event *event;   /* only looked at during the call */
	const uint8_t *person_key; /* TTG_PERSON_KEY_BYTES of the broker's, or NULL */
	int64_t kept_ns;           /* stands in for the time of an event that tells none */
};

/* How often a comparable group was reconvicted, against which a cohort is paid. */
struct figures_baseline {
	char scheme[FIGURES_ID_BYTES]; /* "": any */
	char cohort[FIGURES_ID_BYTES]; /* "": any */
	int64_t thousandths;           /* of events per 100 men; more than 0 */
};

struct figures_baselines {
	const struct figures_baseline *list; /* the first that fits is taken */
	size_t n;
};

/* NULL without memory. */
struct figures *figures_new(void);
void figures_free(struct figures **figures);

/* TTG_ENOMEM, TTG_ELIMIT (more than can be numbered): the figures are of no use any more. */
enum ttg_error figures_add(struct figures *figures, const struct figures_event *event);

/* Once, after the last event: who is who, who belongs where, as things stood at that instant.
 * TTG_ENOMEM. */
enum ttg_error figures_settle(struct figures *figures, int64_t as_at_ns);

/* Enrolments, after settling, that name no scheme or no cohort, or nobody: they count nowhere. */
size_t figures_left_out(const struct figures *figures);

/*
 * The tables; texts in them live as long as the figures. The caller frees them with table_fini(),
 * also after a failure. TTG_ENOMEM.
 */
enum ttg_error figures_engagement(const struct figures *figures, struct table *out);
enum ttg_error figures_needs(const struct figures *figures, struct table *out);
enum ttg_error figures_outcome(const struct figures *figures,
                               const struct figures_baselines *baselines, struct table *out);
enum ttg_error figures_referrals(const struct figures *figures, struct table *out);

#endif
