/* Outcome, referral flow, and all figures of generated cohorts in any order. */
#include "figures_unit.h"

#include "support/cohorts.h"

static void a_day_in_court_counts_once_however_often_it_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct casefile *file = &fixture->file;

	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-03-01 09:00");
	casefile_reconvicted(file, &court, "2011-02-28", "B01CY", "");           /* before */
	casefile_reconvicted(file, &court, "2011-05-01", "B01CY", "2010-12-01"); /* old offence */
	casefile_reconvicted(file, &court, "2011-06-01", "B44AB", "2011-05-01");
	casefile_reconvicted(file, &court, "2011-06-01", "", "");
	casefile_reconvicted(file, &inside, "2011-06-01", "B44AB", "2011-05-02");
	casefile_reconvicted(file, &court, "2011-06-01", "B01CY", "2011-05-01");
	casefile_reconvicted(file, &court, "2011-07-01", "", "");
	casefile_reconvicted(file, &inside, "2011-07-01", "", "");
	casefile_reconvicted(file, &court, "2012-03-01", "B01CY", ""); /* the year is over */
	settle(fixture, LATER);
	MUST_SAY(outcome_unpaid, "gateway,c1,1,0,0,1,100.0,3,300.0,,,,");
}

/* men of a cohort, so many of them reconvicted once. */
static void fill_cohort(struct fixture *fixture, const char *cohort, unsigned men, unsigned events)
{
	static unsigned number;
	char noms[16];
	const struct casefile_man man = { noms, NULL, 0 };

	for (unsigned i = 0; i < men; i++) {
		snprintf(noms, sizeof(noms), "A%04uZZ", number++ % 10000);
		casefile_enrolled(&fixture->file, &man, must_at("2011-01-05 10:00"), "gateway",
		                  cohort, "");
		casefile_released(&fixture->file, &man, must_at("2011-03-01 09:00"), true, SETTLED);
		if (i < events)
			casefile_reconvicted(&fixture->file, &man, "2011-06-01", "B01CY", "");
	}
}

static const struct figures_baseline baselines[] = {
	{ "gateway", "c3", 50000 },
	{ "elsewhere", "c4", 1 },
	{ "", "", 100000 },
};

static enum ttg_error outcome_paid(const struct figures *figures, struct table *out)
{
	return figures_outcome(figures, &(struct figures_baselines){ baselines, 3 }, out);
}

static void thresholds_are_met_at_their_very_edge(void **state)
{
	struct fixture *fixture = *state;

	fill_cohort(fixture, "c1", 200, 180); /* 10 % */
	fill_cohort(fixture, "c2", 200, 181);
	fill_cohort(fixture, "c3", 200, 94); /* 6 % under 50 */
	fill_cohort(fixture, "c4", 200, 190);
	settle(fixture, LATER);
	MUST_SAY(outcome_paid, "gateway,c1,200,0,0,180,90.0,180,90.0,100.0,10.0,10.0,yes",
	         "gateway,c2,200,0,0,181,90.5,181,90.5,100.0,9.5,10.0,no",
	         "gateway,c3,200,0,0,94,47.0,94,47.0,50.0,6.0,10.0,no",
	         "gateway,c4,200,0,0,190,95.0,190,95.0,100.0,5.0,10.0,no",
	         "gateway,MISSED,600,0,0,465,77.5,465,77.5,83.3,7.0,7.5,no");
}

static void cohorts_that_missed_are_paid_together_from_7_5_on(void **state)
{
	struct fixture *fixture = *state;

	fill_cohort(fixture, "c1", 200, 183); /* 8.5 and 6.5 */
	fill_cohort(fixture, "c2", 200, 187);
	fill_cohort(fixture, "c5", 200, 200);
	settle(fixture, LATER);
	MUST_SAY(outcome_paid, "gateway,c1,200,0,0,183,91.5,183,91.5,100.0,8.5,10.0,no",
	         "gateway,c5,200,0,0,200,100.0,200,100.0,100.0,0.0,10.0,no");
	tear_down(state);
	set_up(state);
	fixture = *state;
	fill_cohort(fixture, "c1", 200, 183);
	fill_cohort(fixture, "c2", 200, 187);
	settle(fixture, LATER);
	MUST_SAY(outcome_paid, "gateway,MISSED,400,0,0,370,92.5,370,92.5,100.0,7.5,7.5,yes");
}

static void a_rise_is_a_reduction_below_zero(void **state)
{
	struct fixture *fixture = *state;
	struct casefile *file = &fixture->file;

	fill_cohort(fixture, "c1", 2, 2);
	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-03-01 09:00");
	casefile_reconvicted(file, &court, "2011-06-01", "B44AB", "");
	casefile_reconvicted(file, &court, "2011-06-02", "B44AB", "");
	settle(fixture, LATER);
	MUST_SAY(outcome_paid, "gateway,c1,3,0,0,3,100.0,4,133.3,100.0,-33.3,10.0,no");
}

static void answers_to_referrals_are_timed_from_the_sending(void **state)
{
	static const struct {
		const char *id, *answered;
		enum casefile_answer answer;
	} cases[] = {
		{ "r-1", "2011-03-02 12:00", CASEFILE_ACCEPTED },     /* 2 hours */
		{ "r-2", "2011-03-02 16:00", CASEFILE_DECLINED },     /* 6 */
		{ "r-3", "2011-03-03 10:00", CASEFILE_ACCEPTED },     /* 24 */
		{ "r-4", "2011-03-02 09:00", CASEFILE_ACCEPTED },     /* before: 0 */
		{ "r-5", "2011-03-02 13:00", CASEFILE_ACKNOWLEDGED }, /* no answer */
	};
	struct fixture *fixture = *state;
	struct casefile *file = &fixture->file;

	enrol(fixture, "2011-01-05 10:00");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		file->referral = cases[i].id; /* the answer is known before the question */
		casefile_answer(file, &inside, must_at(cases[i].answered), cases[i].answer);
		casefile_sent(file, &ours, must_at("2011-03-02 10:00"), "mind");
	}
	casefile_answer(file, &ours, must_at("2011-03-04 10:00"), CASEFILE_WITHDRAWN);
	casefile_answer(file, &inside, must_at("2011-03-04 10:00"), CASEFILE_STARTED);
	casefile_answer(file, &inside, must_at("2011-03-04 10:00"), CASEFILE_ENDED);
	casefile_sent(file, &ours, must_at("2011-03-09 10:00"), "mind"); /* once more */
	file->referral = "nobody-sent-it";
	casefile_answer(file, &inside, must_at("2011-03-04 10:00"), CASEFILE_ACCEPTED);
	file->referral = "r-3"; /* 30 minutes before, in an event that names nobody */
	casefile_sent(file, NULL, must_at("2011-03-02 09:30"), "mind");
	file->referral = "r-9";
	casefile_sent(file, &other, must_at("2011-03-02 10:00"), "mind");
	settle(fixture, LATER);
	MUST_SAY(figures_referrals, "gateway,c1,mind,5,1,3,1,1,1,1,4,4.0,24.5",
	         "gateway,ALL,mind,5,1,3,1,1,1,1,4,4.0,24.5", "-,-,mind,1,0,0,0,0,0,0,0,,");
}

/* One life told by broken clocks. */
static void live_at(struct fixture *fixture, int64_t at_ns)
{
	struct casefile *file = &fixture->file;

	casefile_enrolled(file, &ours, at_ns, "gateway", "c1", "9999-12-31");
	casefile_screened(file, &inside, at_ns, ~0u, ~0u);
	casefile_released(file, &inside, at_ns, true, SETTLED);
	casefile_gate(file, &ours, at_ns, MET);
	casefile_contact(file, &ours, at_ns, true, COMMUNITY);
	casefile_withdrawn(file, &ours, at_ns, "", CONSENT);
	casefile_reengaged(file, &ours, at_ns, "");
	file->referral = at_ns < 0 ? "r-0" : "r-1";
	casefile_sent(file, &ours, at_ns, "mind");
	casefile_answer(file, &inside, -at_ns, CASEFILE_DECLINED);
}

static void no_clock_is_too_wrong_to_be_counted_with(void **state)
{
	const int64_t far_ns = INT64_MAX - 2000000000;
	struct fixture *fixture = *state;

	live_at(fixture, far_ns);
	live_at(fixture, -far_ns);
	casefile_reconvicted(&fixture->file, &court, "2200-12-31", "B01CY", "0001-01-01");
	assert_int_equal(figures_settle(fixture->figures, INT64_MAX), TTG_OK);
	MUST_SAY(figures_engagement, "gateway,c1,met_at_gate,1,1,100.0");
	MUST_SAY(figures_needs, "gateway,ALL,legal,1,0,0.0");
	MUST_SAY(outcome_unpaid, "gateway,c1,1,0,0,0,0.0,0,0.0,,,,");
	MUST_SAY(figures_referrals, "gateway,ALL,mind,2,0,0,2,0,0,0,2,1281023.9,2562047.8");
}

/* The generated cohorts, each event encoded. */
struct heap {
	struct kept {
		uint8_t *bytes;
		size_t len;
		bool has_key;
		uint8_t key[16];
		int64_t kept_ns;
	} * events;
	size_t n, room;
};

static void keep(void *user, const Ttg__Event *event, const uint8_t *person_key, int64_t kept_ns)
{
	struct heap *heap = user;
	struct kept *kept;

	if (heap->n == heap->room) {
		heap->room = heap->room ? heap->room * 2 : 1024;
		heap->events = realloc(heap->events, heap->room * sizeof(*heap->events));
		assert_non_null(heap->events);
	}
	kept = &heap->events[heap->n++];
	*kept = (struct kept){ .has_key = person_key != NULL, .kept_ns = kept_ns };
	if (person_key)
		memcpy(kept->key, person_key, sizeof(kept->key));
	assert_int_equal(ttg_event_pack(event, &kept->bytes, &kept->len), TTG_OK);
}

static char *tables_of(const struct heap *heap, unsigned seed)
{
	static make_table *const makes[] = { figures_engagement, figures_needs, outcome_paid,
		                             figures_referrals };
	struct figures *figures = figures_new();
	char *all = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&all, &len);

	for (size_t i = heap->n - 1; seed && i > 0; i--) {
		const size_t k = (size_t)rand_r(&seed) % (i + 1);
		const struct kept swap = heap->events[i];

		heap->events[i] = heap->events[k];
		heap->events[k] = swap;
	}
	for (size_t i = 0; i < heap->n; i++) {
		const struct kept *kept = &heap->events[i];
		Ttg__Event *event = ttg__event__unpack(NULL, kept->len, kept->bytes);

		assert_non_null(event);
		for (int twice = 0; twice < (seed && i % 3 == 0 ? 2 : 1); twice++)
			add(figures, event, kept->has_key ? kept->key : NULL, kept->kept_ns);
		ttg__event__free_unpacked(event, NULL);
	}
	assert_int_equal(figures_settle(figures, must_at(LATER)), TTG_OK);
	for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
		struct table table;

		assert_int_equal(makes[i](figures, &table), TTG_OK);
		char *text = report_format(&table, REPORT_CSV);
		fputs(text, out);
		free(text);
		table_fini(&table);
	}
	fclose(out);
	figures_free(&figures);
	return all;
}

static void neither_order_nor_repetition_changes_any_figure(void **state)
{
	struct heap heap = { .events = NULL };
	struct casefile file;

	(void)state;
	casefile_init(&file, keep, &heap);
	cohorts_play(&file, 1000, 0);
	char *first = tables_of(&heap, 0);
	assert_non_null(strstr(first, "gateway,cohort-1,engaged_1_month,1000,370,37.0\r\n"));
	for (unsigned seed = 1; seed <= 2; seed++) {
		char *again = tables_of(&heap, seed);

		assert_string_equal(first, again);
		free(again);
	}
	free(first);
	for (size_t i = 0; i < heap.n; i++)
		free(heap.events[i].bytes);
	free(heap.events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_day_in_court_counts_once_however_often_it_is_told),
		TEST(thresholds_are_met_at_their_very_edge),
		TEST(cohorts_that_missed_are_paid_together_from_7_5_on),
		TEST(a_rise_is_a_reduction_below_zero),
		TEST(answers_to_referrals_are_timed_from_the_sending),
		TEST(no_clock_is_too_wrong_to_be_counted_with),
		cmocka_unit_test(neither_order_nor_repetition_changes_any_figure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
