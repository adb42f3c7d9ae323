/*
 * Two lanes of a mailbox that turn out to be one person's: random lives of four lanes, then a join, against
 * what mailbox.h and refuse.c promise of it. The seed is fixed, TTG_SEED=N tries another.
 */
#include <string.h>

#include "core/mailbox.h"
#include "unit.h"

#define LANES 4
#define LIVES 6000
#define POSITIONS 64
#define WINDOW 12

/* Where a position is, and with what. */
struct place {
	enum { NOWHERE, WINDOWED, HELD, DEAD } where;
	uint64_t lane, sequence;
	uint32_t refusals, deliveries;
	uint8_t state;
	char text[8];
};

struct picture {
	struct place places[POSITIONS];
	int64_t due_ns[LANES + 1];
	uint64_t pending;
};

/* How often each kind of lane met a join. */
static size_t seen[4][4];

enum lane_kind { ORDINARY, DELAYED, DRAINING, PARKED };

static uint32_t below(uint64_t *seed, uint32_t bound)
{
	return (uint32_t)(unit_random(seed) % bound);
}

static void look(const struct mailbox *it, struct picture *out)
{
	memset(out, 0, sizeof(*out));
	out->pending = it->pending;
	for (const struct entry *entry = entries_from(&it->window, 0); entry;
	     entry = entries_next(&it->window, entry))
		out->places[entry->position] = (struct place){ WINDOWED, entry->lane, entry->sequence,
							       entry->refusals, entry->deliveries,
							       entry->state, "" };
	for (uint64_t key = 1; key <= LANES; key++) {
		const struct lane *lane = lanes_find(&it->lanes, key);

		out->due_ns[key] = lane ? lane->due_ns : 0;
		for (size_t i = 0; lane && i < lane->n_dead; i++) {
			const struct dead *dead = &lane->dead[i];
			struct place *place = &out->places[dead->position];

			*place = (struct place){ DEAD, key, dead->sequence, dead->refusals,
						 dead->deliveries, 0, "" };
			snprintf(place->text, sizeof(place->text), "%s", dead->text);
			assert_true(i == 0 || dead[-1].position < dead->position);
		}
		for (size_t i = lane ? lane->first_held : 0; lane && i < lane->n_held; i++) {
			const struct held *held = &lane->held[i];

			out->places[held->position] = (struct place){ HELD, key, held->sequence,
								      held->refusals, held->deliveries,
								      0, "" };
			assert_true(i == lane->first_held || held[-1].position < held->position);
		}
	}
}

/* What the mailbox counts is what is in it. */
static void counts_must_agree(struct mailbox *it)
{
	size_t n_dead = 0, n_held = 0, n_delayed = 0, n_draining = 0, n = 0, in_flight = 0;
	const struct entry *waiting = NULL;

	assert_int_equal(mailbox_check(it), TTG_OK);
	for (uint64_t key = 1; key <= LANES; key++) {
		const struct lane *lane = lanes_find(&it->lanes, key);

		n += lane != NULL;
		n_dead += lane ? lane->n_dead : 0;
		n_held += lane ? lane->n_held - lane->first_held : 0;
		n_delayed += lane && lane->due_ns != 0;
		n_draining += lane && lane_is_draining(lane);
	}
	assert_int_equal(it->lanes.n, n);
	assert_int_equal(it->lanes.n_dead, n_dead);
	assert_int_equal(it->lanes.n_held, n_held);
	assert_int_equal(it->lanes.n_delayed, n_delayed);
	assert_int_equal(it->lanes.n_draining, n_draining);
	for (const struct entry *entry = entries_from(&it->window, 0); entry;
	     entry = entries_next(&it->window, entry)) {
		in_flight += entry->state == ENTRY_IN_FLIGHT;
		if (!waiting && entry->state == ENTRY_WAITING)
			waiting = entry;
	}
	assert_int_equal(it->in_flight, in_flight);
	assert_ptr_equal(mailbox_next_waiting(it), waiting);
}

static struct entry *some_entry(struct mailbox *it, uint64_t *seed)
{
	struct entry *entry = entries_from(&it->window, 1 + below(seed, POSITIONS));

	return entry ? entry : entries_from(&it->window, 0);
}

static void deliver_next(struct mailbox *it)
{
	struct entry *entry = mailbox_next_waiting(it);

	if (!entry)
		return;
	entry->state = ENTRY_IN_FLIGHT;
	entry->deliveries++;
	it->in_flight++;
}

static void live(struct mailbox *it, uint64_t *seed)
{
	struct entry *entry = some_entry(it, seed);
	struct lane *lane = lanes_find(&it->lanes, 1 + below(seed, LANES));

	switch (below(seed, 8)) {
	case 0:
	case 1:
		if (it->next_position < POSITIONS - 1)
			assert_true(mailbox_accept(it, it->next_position * 10, 1 + below(seed, LANES), true));
		break;
	case 2:
	case 3:
		deliver_next(it);
		break;
	case 4:
		if (entry && entry->state == ENTRY_IN_FLIGHT)
			mailbox_settle(it, entry);
		break;
	case 5:
		if (entry && entry->state == ENTRY_IN_FLIGHT)
			assert_true(mailbox_refuse(it, entry, below(seed, 3) * 100));
		break;
	case 6:
		if (entry && entry->state == ENTRY_IN_FLIGHT)
			assert_true(mailbox_park(it, entry, 1, entry->position % 2 ? "odd" : "even", 5));
		break;
	case 7:
		if (lane && lane_is_parked(lane))
			assert_true(mailbox_revive(it, lane, lane->dead[below(seed, (uint32_t)lane->n_dead)]
								     .position));
		else if (below(seed, 3) == 0)
			assert_true(mailbox_drain(it, it->window.live + 1));
		break;
	}
}

static enum lane_kind kind_of(const struct mailbox *it, uint64_t key)
{
	const struct lane *lane = lanes_find(&it->lanes, key);

	if (!lane)
		return ORDINARY;
	return lane_is_parked(lane) ? PARKED : lane_is_draining(lane) ? DRAINING : DELAYED;
}

/* From here on everything of the one lane is behind what stops either; POSITIONS: nothing stops it. */
static uint64_t stop_of(const struct picture *before, uint64_t from, uint64_t to)
{
	for (uint64_t i = 0; i < POSITIONS; i++) {
		const struct place *place = &before->places[i];

		if ((place->lane == from || place->lane == to) &&
		    (place->where == HELD || place->where == DEAD))
			return i;
	}
	return POSITIONS;
}

static void place_must_be(const struct place *was, const struct place *is, uint64_t to, bool behind,
			  bool delayed, bool parked)
{
	assert_true(is->lane == to && is->sequence == was->sequence && is->refusals == was->refusals &&
		    is->deliveries == was->deliveries);
	assert_string_equal(is->text, was->text);
	/* What is out was given before anybody knew, and stays out. */
	if (was->where != WINDOWED || (behind && was->state != ENTRY_IN_FLIGHT)) {
		assert_int_equal(is->where, was->where == DEAD ? DEAD : HELD);
		return;
	}
	/* Before what stops the lane it stays where it was; a delay keeps it until it is over, but not what
	   was delivered already. */
	assert_int_equal(is->where, WINDOWED);
	if (was->state == ENTRY_IN_FLIGHT)
		assert_int_equal(is->state, ENTRY_IN_FLIGHT);
	else if (parked)
		assert_int_equal(is->state, ENTRY_WAITING);
	else
		assert_int_equal(is->state, delayed ? ENTRY_BLOCKED : ENTRY_WAITING);
}

static void join_must_keep_its_promises(struct mailbox *it, uint64_t from, uint64_t to)
{
	const enum lane_kind left = kind_of(it, from), right = kind_of(it, to);
	const bool parked = left == PARKED || right == PARKED;
	struct picture before, after;
	int64_t due_ns;
	uint64_t stop;

	look(it, &before);
	seen[left][right]++;
	assert_true(mailbox_join(it, from, to));
	look(it, &after);
	counts_must_agree(it);
	stop = stop_of(&before, from, to);
	due_ns = before.due_ns[from] > before.due_ns[to] ? before.due_ns[from] : before.due_ns[to];
	assert_true(after.pending == before.pending);
	assert_null(lanes_find(&it->lanes, from));
	assert_true(after.due_ns[to] == (parked ? 0 : due_ns));
	for (uint64_t i = 0; i < POSITIONS; i++) {
		const struct place *was = &before.places[i];

		if (was->where != NOWHERE && (was->lane == from || was->lane == to))
			place_must_be(was, &after.places[i], to, i > stop, due_ns != 0, parked);
		else
			assert_memory_equal(was, &after.places[i], sizeof(*was));
	}
}

/* Revived, drained and delivered, nothing of the lane comes before what was accepted earlier. */
static void what_comes_out_is_in_order(struct mailbox *it, uint64_t lane_key)
{
	uint64_t before = 0;

	mailbox_recall(it);
	assert_true(mailbox_hold_recalled(it));
	while (it->pending > 0) {
		struct lane *lane = lanes_find(&it->lanes, lane_key);
		struct entry *entry;

		for (uint64_t key = 1; key <= LANES; key++) {
			lane = lanes_find(&it->lanes, key);
			if (lane && lane_is_parked(lane))
				assert_true(mailbox_revive(it, lane, UINT64_MAX));
		}
		mailbox_release(it, INT64_MAX);
		assert_true(mailbox_drain(it, it->window.live + 2));
		entry = mailbox_next_waiting(it);
		assert_non_null(entry);
		if (entry->lane == lane_key) {
			assert_true(entry->position > before);
			before = entry->position;
		}
		mailbox_settle(it, entry);
	}
}

static void two_lanes_become_one(void **state)
{
	const char *given = getenv("TTG_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 20261127;

	(void)state;
	print_message("TTG_SEED=%llu\n", (unsigned long long)seed);
	for (int i = 0; i < LIVES; i++) {
		struct mailbox *it = mailbox_new(0, "agency/in");
		const uint64_t from = 1 + below(&seed, LANES);
		const uint64_t to = 1 + (from + below(&seed, LANES - 1)) % LANES;
		const uint32_t steps = 10 + below(&seed, 150);

		assert_non_null(it);
		for (uint32_t k = 0; k < steps; k++)
			live(it, &seed);
		counts_must_agree(it);
		join_must_keep_its_promises(it, from, to);
		for (uint32_t k = 0; k < 10; k++)
			live(it, &seed);
		what_comes_out_is_in_order(it, to);
		mailbox_free(&it);
	}
	for (int left = ORDINARY; left <= PARKED; left++) {
		for (int right = ORDINARY; right <= PARKED; right++)
			assert_true(seen[left][right] > 10);
	}
}

static void two_ordinary_lanes_stay_ordinary(void **state)
{
	struct mailbox *it = mailbox_new(0, "agency/in");

	(void)state;
	assert_non_null(it);
	for (uint64_t i = 1; i <= 4; i++)
		assert_true(mailbox_accept(it, i, 1 + i % 2, true));
	assert_true(mailbox_join(it, 1, 2));
	assert_int_equal(it->lanes.n, 0);
	for (uint64_t i = 1; i <= 4; i++)
		assert_true(entries_find(&it->window, i)->lane == 2);
	assert_true(mailbox_join(it, 1, 2)); /* nothing is there any more */
	assert_int_equal(it->lanes.n, 0);
	mailbox_free(&it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_lanes_become_one),
		cmocka_unit_test(two_ordinary_lanes_stay_ordinary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
