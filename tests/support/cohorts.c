/*
 * Generated cohorts. Test thread only; see cohorts.h.
 *
 * A share is taken by a step that is prime to any number of men: (i * step) mod men runs through
 * all of them once, so that exactly as many lie below a bound as the bound says, and different
 * steps choose different men.
 */
#include "support/cohorts.h"

#include <stdio.h>
#include "support/assert.h"

#define COHORTS 2
#define DAY_NS  INT64_C(86400000000000)
#define HOUR_NS INT64_C(3600000000000)
#define NEEDS   11

enum {
	MET = TTG__GATE_MEETING_OUTCOME__GATE_MEETING_OUTCOME_MET,
	MISSED = TTG__GATE_MEETING_OUTCOME__GATE_MEETING_OUTCOME_MISSED,
	SETTLED = TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_SETTLED,
	IMMEDIATE = TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_IMMEDIATE,
	FULL = TTG__ASSESSMENT_KIND__ASSESSMENT_KIND_FULL,
	REVIEW = TTG__ASSESSMENT_KIND__ASSESSMENT_KIND_REVIEW,
	PRISON = TTG__SETTING__SETTING_PRISON,
	COMMUNITY = TTG__SETTING__SETTING_COMMUNITY,
	KEPT = TTG__APPOINTMENT_STATUS__APPOINTMENT_STATUS_KEPT,
	NOT_KEPT = TTG__APPOINTMENT_STATUS__APPOINTMENT_STATUS_MISSED,
	IMMIGRATION = TTG__NEED_CATEGORY__NEED_IMMIGRATION,
};

/* Per mille, but where it says otherwise. */
static const struct shares {
	const char *cohort, *first_release;
	unsigned screened, assessed, met;
	unsigned engaged[3]; /* one month, three, six */
	unsigned thrice;     /* reconvicted a third time */
} shares[COHORTS] = {
	{ "cohort-1", "2010-09-09 09:00", 740, 500, 640, { 370, 100, 50 }, 174 },
	{ "cohort-2", "2012-07-02 09:00", 870, 700, 860, { 550, 200, 130 }, 140 },
};

#define RECONVICTED 600

/* By NeedCategory, over both cohorts. */
static const struct {
	unsigned share, step;
} needs[NEEDS + 1] = {
	{ 0, 0 },    { 400, 7 },  { 390, 11 }, { 360, 13 }, { 250, 17 }, { 190, 19 },
	{ 150, 23 }, { 120, 29 }, { 100, 31 }, { 80, 37 },  { 30, 41 },  { 10, 43 },
};

/* One man, and what becomes of him. */
struct life {
	struct casefile *file;
	const struct shares *shares;
	unsigned i, men, cohort;
	int64_t release_ns;
	char noms[16], crn[16];
	struct casefile_man inside; /* as the prison knows him */
	struct casefile_man court;  /* as the police do */
	struct casefile_man ours;   /* in what the service publishes */
	bool two_schemes;
};

static unsigned rank(const struct life *life, unsigned step)
{
	return life->i * step % life->men;
}

static bool is_in(const struct life *life, unsigned step, unsigned per_mille)
{
	return rank(life, step) < per_mille * (life->men / 1000);
}

static int64_t days(const struct life *life, int n)
{
	return life->release_ns + n * DAY_NS;
}

static unsigned needs_of(const struct life *life)
{
	const unsigned both = COHORTS * life->men;
	const unsigned number = life->cohort * life->men + life->i;
	unsigned bits = 0;

	for (unsigned n = 1; n <= NEEDS; n++)
		if (number * needs[n].step % both < needs[n].share * (both / 1000))
			bits |= 1u << n;
	return bits;
}

static void enrol(struct life *life)
{
	char date[11] = "";

	if (life->i % 2)
		casefile_date(life->release_ns, date);
	casefile_enrolled(life->file, &life->ours, days(life, -50), COHORTS_SCHEME,
	                  life->shares->cohort, date);
	if (life->two_schemes)
		casefile_enrolled(life->file, &life->ours, days(life, -40), "other-scheme",
		                  "cohort-1", "");
}

/* In prison; an absence is no release, and the fast feed is no evidence. */
static void go_inside(struct life *life)
{
	const bool screened = is_in(life, 7, life->shares->screened);
	const bool assessed = is_in(life, 11, life->shares->assessed);
	const unsigned bits = needs_of(life);

	casefile_received(life->file, &life->inside, days(life, -61));
	if (screened)
		casefile_screened(life->file, &life->inside, days(life, -60),
		                  assessed ? bits & 0x555u : bits, ~bits & 1u << IMMIGRATION);
	if (assessed)
		casefile_assessed(life->file, &life->ours, days(life, -30), bits, FULL, PRISON);
	if (!screened && !assessed)
		casefile_assessed(life->file, &life->ours, days(life, 10), bits, REVIEW, COMMUNITY);
	if (life->i % 3 == 0)
		casefile_released(life->file, &life->inside, days(life, -20), false, SETTLED);
}

/* Some releases are told wrong first, and put right. */
static void let_out(struct life *life)
{
	struct casefile *file = life->file;

	if (life->i % 50 == 0) {
		casefile_released(file, &life->inside, days(life, -3), true, SETTLED);
		file->supersedes = file->number;
	} else if (life->i % 50 == 1) {
		casefile_released(file, &life->inside, days(life, -3), true, IMMEDIATE);
	}
	casefile_released(file, &life->inside, life->release_ns, true, SETTLED);
	if (is_in(life, 13, life->shares->met)) {
		casefile_gate(file, &life->ours, life->release_ns - HOUR_NS / 2, MET);
	} else if (life->i % 4 == 0) {
		casefile_gate(file, &life->ours, days(life, 1), MET); /* a day late */
	} else if (life->i % 4 == 1) {
		casefile_gate(file, &life->ours, life->release_ns, MET);
		file->supersedes = file->number;
		casefile_gate(file, &life->ours, life->release_ns, MISSED);
	}
	if (life->i % 10 == 0) {
		casefile_received(file, &life->inside, days(life, 15));
		casefile_released(file, &life->inside, days(life, 40), true, SETTLED);
	}
}

static void be_active(struct life *life, int day)
{
	if (life->two_schemes || (life->i + (unsigned)day) % 3 != 0)
		casefile_contact(life->file, &life->ours, days(life, day), true, COMMUNITY);
	else
		casefile_appointment(life->file, &life->inside, days(life, day), KEPT);
}

static void engage(struct life *life)
{
	const struct shares *of = life->shares;

	if (is_in(life, 17, of->engaged[0])) {
		be_active(life, 5);
		be_active(life, 20);
		if (is_in(life, 17, of->engaged[1]))
			be_active(life, 70);
		if (is_in(life, 17, of->engaged[2]))
			be_active(life, 130);
	} else if (life->i % 4 == 0) { /* twice, and both in the first half */
		be_active(life, 3);
		be_active(life, 9);
	} else if (life->i % 4 == 1) {
		casefile_contact(life->file, &life->ours, days(life, 5), true, COMMUNITY);
		casefile_contact(life->file, &life->ours, days(life, 20), false, COMMUNITY);
	} else if (life->i % 4 == 2) {
		casefile_appointment(life->file, &life->inside, days(life, 5), NOT_KEPT);
		casefile_appointment(life->file, &life->inside, days(life, 20), NOT_KEPT);
	}
}

static void reconvict_on(struct life *life, int day, const char *court, int offence_day)
{
	char date[11];
	char offence[11];

	casefile_date(days(life, day), date);
	casefile_date(days(life, offence_day), offence);
	casefile_reconvicted(life->file, &life->court, date, court, offence);
}

static void reconvict(struct life *life)
{
	if (is_in(life, 19, RECONVICTED)) {
		reconvict_on(life, 40, "B01CY", 20);
		reconvict_on(life, 130, "B01CY", 100);
		reconvict_on(life, 130, "B01CY", 110); /* a second report */
	}
	if (is_in(life, 19, life->shares->thrice))
		reconvict_on(life, 250, "B44AB", 240);
	if (life->i % 5 == 0)
		reconvict_on(life, 400, "B01CY", 370);
	if (life->i % 7 == 0)
		reconvict_on(life, 60, "B01CY", -100);
}

static void refer(struct life *life)
{
	struct casefile *file = life->file;
	const struct casefile_man *man = &life->inside;
	char id[24];
	unsigned place = rank(life, 7) / (life->men / 1000);

	if (place >= 100)
		return;
	snprintf(id, sizeof(id), "r-%u-%u", life->cohort, life->i);
	file->referral = id;
	casefile_sent(file, &life->ours, days(life, 1), "mind");
	casefile_answer(file, man, days(life, 1) + 2 * HOUR_NS, CASEFILE_ACKNOWLEDGED);
	if (place < 70)
		casefile_answer(file, man, days(life, 2), CASEFILE_ACCEPTED);
	else if (place < 90)
		casefile_answer(file, man, days(life, 4), CASEFILE_DECLINED);
	else
		casefile_answer(file, &life->ours, days(life, 3), CASEFILE_WITHDRAWN);
	if (place < 50)
		casefile_answer(file, man, days(life, 11), CASEFILE_STARTED);
	if (place < 30)
		casefile_answer(file, man, days(life, 31), CASEFILE_ENDED);
	file->referral = "";
}

static void live(struct life *life, unsigned extra)
{
	life->file->scheme = life->two_schemes || life->i % 2 ? COHORTS_SCHEME : "";
	enrol(life);
	go_inside(life);
	let_out(life);
	engage(life);
	reconvict(life);
	refer(life);
	for (unsigned k = 0; k < extra; k++)
		casefile_contact(life->file, &life->ours, days(life, 1) + (int)k * HOUR_NS, false,
		                 COMMUNITY);
}

static void begin(struct life *life)
{
	const unsigned number = life->cohort * life->men + life->i;

	life->release_ns = must_at(life->shares->first_release) +
	                   (int64_t)(life->i % 600) * DAY_NS + (life->i % 7) * (HOUR_NS / 6);
	snprintf(life->noms, sizeof(life->noms), "A%04u%c%c", number % 10000,
	         (char)('B' + number / 10000 % 20), 'C');
	snprintf(life->crn, sizeof(life->crn), "X%06u", number % 1000000);
	life->inside = (struct casefile_man){ life->noms, life->crn, number + 1 };
	life->court = (struct casefile_man){ NULL, life->crn, number % 3 == 0 ? 0 : number + 1 };
	life->ours = (struct casefile_man){ life->noms, NULL, 0 };
	life->two_schemes = life->i % 20 == 0;
}

void cohorts_play(struct casefile *file, unsigned men, unsigned extra)
{
	must_be(men > 0 && men % 1000 == 0, "thousands of men");
	for (unsigned cohort = 0; cohort < COHORTS; cohort++)
		for (unsigned i = 0; i < men; i++) {
			struct life life = { .file = file,
				             .shares = &shares[cohort],
				             .i = i,
				             .men = men,
				             .cohort = cohort };

			begin(&life);
			live(&life, extra);
		}
}
