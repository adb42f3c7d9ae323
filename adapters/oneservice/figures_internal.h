/*
 * Shared by the files of the figures: what an event comes down to (a fact), and what a man's facts
 * come down to in one scheme (a member).
 */
#ifndef ONESERVICE_FIGURES_INTERNAL_H
#define ONESERVICE_FIGURES_INTERNAL_H

#include <stdbool.h>
#include "oneservice/figures.h"
#include "oneservice/figures_names.h"

#define NO_WORD 0 /* the number of "" in figures.words */

/* In the order in which facts of the same instant are looked at. */
enum fact_kind {
	FACT_WITHDRAWN = 0, /* nothing counts from here on, until he is back */
	FACT_VOID,          /* he should never have been enrolled */
	FACT_ENROLLED,      /* word: cohort */
	FACT_BACK,
	FACT_RELEASED, /* at liberty */
	FACT_SCREENED,
	FACT_ASSESSED,
	FACT_MET,
	FACT_ACTIVE,      /* word: referral */
	FACT_RECONVICTED, /* word: court */
	FACT_SENT,        /* word: referral; more: provider */
	FACT_ACKNOWLEDGED,
	FACT_ACCEPTED,
	FACT_DECLINED,
	FACT_STARTED,
	FACT_ENDED,
	FACT_REFERRAL_WITHDRAWN,
};

struct fact {
	int64_t at_ns;
	uint32_t told;   /* the event it is from */
	uint32_t person; /* a node; after settling the man's root node; NAMES_NONE: nobody */
	uint32_t scheme; /* words, NO_WORD when not said */
	uint32_t source; /* of a referral's facts: the referrer */
	uint32_t word;
	uint32_t more;
	int32_t day;    /* enrolled: the first day; reconvicted: the day in court */
	int32_t other;  /* enrolled: day of the release it is for; reconvicted: of the offence; 0 */
	uint16_t needs; /* bit n: NeedCategory n */
	uint8_t kind;   /* enum fact_kind */
	bool inside;    /* assessed: fully, in prison */
};

/* An event facts or links come from. */
struct told {
	uint8_t id[TTG_UUID_BYTES];
	uint32_t source;
	bool dead; /* superseded */
};

/* Two names of one man, if the event that says so stands. */
struct link {
	uint32_t a, b;
	uint32_t told;
};

enum period {
	PERIOD_DAY = 0, /* the rest of the civil day of release */
	PERIOD_ONE_MONTH,
	PERIOD_THREE_MONTHS,
	PERIOD_SIX_MONTHS,
	PERIOD_YEAR,
	PERIODS,
};

/* A man in one scheme. What is below released is set only if he was. */
struct member {
	const struct fact *enrolled;
	uint32_t person, scheme, source, cohort; /* source: who enrolled him */
	bool released;
	int64_t release_ns;
	int64_t ends_ns[PERIODS];
	bool screened, assessed, met;
	bool unseen;   /* withdrawn for some of the year: nobody knows what became of him */
	uint8_t first; /* bit p: active in the first half of period p */
	uint8_t second;
	uint16_t needs;
	uint32_t occasions; /* reconviction events of the year */
};

/* Members of one cohort: figures.by_cohort[from], n of them. */
struct cohort {
	uint32_t scheme, cohort;
	size_t from, n;
};

struct figures {
	struct names words;      /* schemes, cohorts, agencies, courts, referrals */
	struct names people;     /* nodes: person keys and numbers */
	struct names superseded; /* see figures_add.c */
	struct told *told;
	size_t n_told, room_told;
	struct fact *facts; /* after settling by person, then time */
	size_t n_facts, room_facts;
	struct link *links;
	size_t n_links, room_links;
	size_t left_out;

	/* Made by figures_settle(). */
	int64_t as_at_ns;
	struct member *members; /* by person */
	size_t n_members, room_members;
	const struct member **by_cohort; /* by scheme and cohort, in the order of their ids */
	struct cohort *cohorts;          /* the same order */
	size_t n_cohorts;
};

/* The list with room for one more of `bytes` each; NULL without memory, and the list stays. */
void *figures_grown(void *list, size_t n, size_t *room, size_t bytes);

/* Key of an event in figures.superseded: its publisher and its id. The length. */
#define SUPERSEDED_KEY_MAX 96
size_t figures_superseded_key(uint8_t out[SUPERSEDED_KEY_MAX], const char *source,
                              const uint8_t id[TTG_UUID_BYTES]);

/* Adds one man's memberships, from his facts in order of time. TTG_ENOMEM. */
enum ttg_error figures_weigh(struct figures *figures, const struct fact *facts, size_t n);

/* His membership of the scheme, or NULL; with NO_WORD his only one. */
const struct member *figures_member(const struct figures *figures, uint32_t person,
                                    uint32_t scheme);

/* strcmp() of two words. */
int figures_compare_words(const struct figures *figures, uint32_t a, uint32_t b);

#endif
