/* A stretch of the journal: records in their order, of which the events become leaves. */
#include "support/core_play.h"

#include <string.h>
#include "evidence/stretch.h"

static const uint8_t journal_id[EVIDENCE_ID] = { 0x5e, 0xa1 };

static enum ttg_error take(struct stretch *stretch, const struct play *play, uint64_t sequence)
{
	const struct play_record *it = &play->records[sequence - 1];

	return stretch_take(stretch, sequence, it->kind, it->data, it->len);
}

static struct play *play_of(unsigned events)
{
	struct play *play = play_new(8, 100);

	for (unsigned i = 0; i < events; i++)
		play_say(play, TYPE_RELEASED, 1 + i);
	play_settle(play);
	return play;
}

static void events_count_and_other_records_only_pass(void **state)
{
	struct play *play = play_of(9);
	struct stretch *stretch = stretch_new(journal_id);
	struct seal seal;

	(void)state;
	stretch_begin(stretch, 1);
	for (uint64_t i = 1; i <= play->n_records; i++)
		assert_int_equal(take(stretch, play, i), TTG_OK);
	assert_true(play->n_records > 9);
	assert_int_equal(stretch_events(stretch), 9);
	assert_true(stretch_describe(stretch, &seal));
	assert_int_equal(seal.first, 1);
	assert_int_equal(seal.last, play->n_records);
	assert_int_equal(seal.events, 9);
	assert_memory_equal(seal.journal, journal_id, sizeof(journal_id));
	stretch_free(&stretch);
	play_free(&play);
}

static void only_the_next_record_is_taken(void **state)
{
	struct play *play = play_of(3);
	struct stretch *stretch = stretch_new(journal_id);

	(void)state;
	stretch_begin(stretch, 2);
	assert_int_equal(take(stretch, play, 1), TTG_EINVAL);
	assert_int_equal(take(stretch, play, 3), TTG_EINVAL);
	assert_int_equal(take(stretch, play, 2), TTG_OK);
	assert_int_equal(take(stretch, play, 2), TTG_EINVAL);
	assert_int_equal(stretch_next(stretch), 3);
	stretch_free(&stretch);
	play_free(&play);
}

static void every_event_finds_its_way_to_the_root(void **state)
{
	struct play *play = play_of(7);
	struct stretch *stretch = stretch_new(journal_id);
	struct hasher *hasher = hasher_new();
	unsigned ways = 0;

	(void)state;
	for (uint64_t watched = 1; watched <= play->n_records; watched++) {
		struct tree_step steps[TREE_STEPS_MAX];
		size_t n_steps = 0;
		struct record_event event;
		struct leaf leaf;
		struct seal seal;
		uint8_t hash[EVIDENCE_HASH];

		stretch_begin(stretch, 1);
		assert_true(stretch_watch(stretch, watched));
		for (uint64_t i = 1; i <= play->n_records; i++)
			assert_int_equal(take(stretch, play, i), TTG_OK);
		const struct play_record *it = &play->records[watched - 1];
		const bool is_event = it->kind == RECORD_EVENT;
		assert_true(stretch_path(stretch, watched, &leaf, steps,
					 &n_steps) == is_event);
		if (!is_event)
			continue;
		ways++;
		assert_true(record_get_event(it->data, it->len, &event));
		assert_int_equal(leaf.sequence, watched);
		assert_memory_equal(leaf.id, event.id, EVIDENCE_ID);
		assert_string_equal(leaf.source, event.source);
		assert_true(leaf.accepted_ns == event.accepted_ns);
		assert_true(hasher_salted(hasher, (const uint8_t[EVIDENCE_SALT]){ 0 }, event.bytes,
					  event.n_bytes, hash));
		assert_memory_equal(hash, leaf.sha256, sizeof(hash));
		assert_true(stretch_describe(stretch, &seal));
		assert_true(leaf_hash(hasher, &leaf, hash));
		assert_true(tree_climb(hasher, hash, steps, n_steps, hash));
		assert_memory_equal(hash, seal.root, sizeof(hash));
	}
	assert_int_equal(ways, 7);
	hasher_free(&hasher);
	stretch_free(&stretch);
	play_free(&play);
}

/* One pass over the records is enough for all that are asked for. */
static void several_ways_are_found_at_once(void **state)
{
	struct play *play = play_of(40);
	struct stretch *stretch = stretch_new(journal_id);
	struct hasher *hasher = hasher_new();
	struct tree_step steps[TREE_STEPS_MAX];
	size_t n_steps = 0;
	unsigned ways = 0;
	struct leaf leaf = { .sequence = 0 };
	struct seal seal;
	uint8_t hash[EVIDENCE_HASH];

	(void)state;
	stretch_begin(stretch, 1);
	for (uint64_t i = 1; i <= play->n_records; i += 2)
		assert_true(stretch_watch(stretch, i));
	for (uint64_t i = 1; i <= play->n_records; i++)
		assert_int_equal(take(stretch, play, i), TTG_OK);
	assert_true(stretch_describe(stretch, &seal));
	for (uint64_t i = 1; i <= play->n_records; i++) {
		const bool wanted = i % 2 == 1 && play->records[i - 1].kind == RECORD_EVENT;

		assert_true(stretch_path(stretch, i, &leaf, steps, &n_steps) == wanted);
		if (!wanted)
			continue;
		ways++;
		assert_int_equal(leaf.sequence, i);
		assert_true(leaf_hash(hasher, &leaf, hash));
		assert_true(tree_climb(hasher, hash, steps, n_steps, hash));
		assert_memory_equal(hash, seal.root, sizeof(hash));
	}
	assert_true(ways > 10);
	stretch_begin(stretch, 1); /* and nothing is left of it */
	assert_false(stretch_path(stretch, leaf.sequence, &leaf, steps, &n_steps));
	hasher_free(&hasher);
	stretch_free(&stretch);
	play_free(&play);
}

/* Bytes of a journal that nobody has proven yet: an error, never an assertion. */
static void a_record_that_no_broker_made_is_refused(void **state)
{
	struct play *play = play_of(1);
	struct stretch *stretch = stretch_new(journal_id);
	struct play_record *it = &play->records[play->n_records - 1];

	(void)state;
	while (it->kind != RECORD_EVENT)
		it--;
	const uint64_t sequence = (uint64_t)(it - play->records) + 1;
	stretch_begin(stretch, sequence);
	for (size_t len = 0; len < it->len; len++)
		assert_int_equal(stretch_take(stretch, sequence, RECORD_EVENT, it->data, len),
				 TTG_ECORRUPT);
	it->data[8] |= 0x80; /* accepted before 1970 */
	assert_int_equal(take(stretch, play, sequence), TTG_ECORRUPT);
	it->data[8] &= 0x7f;
	assert_int_equal(take(stretch, play, sequence), TTG_OK);
	stretch_free(&stretch);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_count_and_other_records_only_pass),
		cmocka_unit_test(only_the_next_record_is_taken),
		cmocka_unit_test(every_event_finds_its_way_to_the_root),
		cmocka_unit_test(several_ways_are_found_at_once),
		cmocka_unit_test(a_record_that_no_broker_made_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
