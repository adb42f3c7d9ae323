/* Signatures of publishers read back from a journal: right, missing, and not what they should be. */
#include "journal_unit.h"

#include "core/record.h"
#include "core/signed.h"
#include "net/claims.h"

#define EVENTS 5u

struct bed {
	struct memory_world *memory;
	struct journal *journal;
	struct journal_reader *reader;
	struct claims *claims;
	uint8_t digests[EVENTS * HASH_BYTES];
};

static uint64_t append(struct bed *bed, const char *agency, uint8_t first)
{
	const uint8_t key[SIGNED_KEY] = { first }, signature[SIGNED_SIGNATURE] = { first, 1 };
	struct signed_frame frame = { .agency = agency, .key = key, .signature = signature,
				      .n = EVENTS, .digests = bed->digests };
	uint8_t bytes[512];
	struct cursor cursor;
	uint64_t sequence = 0;

	for (size_t i = 0; i < sizeof(bed->digests); i++)
		bed->digests[i] = (uint8_t)(first + i);
	cursor_init_write(&cursor, bytes, sizeof(bytes));
	record_put_signed(&cursor, &frame);
	assert_true(cursor_ok(&cursor));
	const struct journal_record record = { RECORD_SIGNED, bytes, cursor_offset(&cursor) };
	assert_int_equal(journal_append(bed->journal, &record, 1, &sequence), TTG_OK);
	assert_int_equal(journal_flush(bed->journal), TTG_OK);
	return sequence;
}

static int set_up(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct journal_options options = bed_options();

	assert_non_null(bed);
	bed->memory = memory_world_new(1);
	bed->journal = bed_open(bed->memory, &options);
	bed->claims = claims_new();
	assert_non_null(bed->claims);
	assert_int_equal(journal_reader_open(&bed->reader, bed->journal), TTG_OK);
	*state = bed;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *bed = *state;

	claims_free(&bed->claims);
	journal_reader_close(&bed->reader);
	journal_close(&bed->journal);
	memory_world_free(&bed->memory);
	free(bed);
	return 0;
}

static void must_lead_to_the_root(const struct receipt_claim *it)
{
	struct hasher *hasher = hasher_new();
	uint8_t hash[HASH_BYTES];

	assert_non_null(hasher);
	assert_true(claim_leaf(hasher, it->digest, hash));
	assert_true(tree_climb(hasher, hash, it->steps, it->n_steps, hash));
	assert_memory_equal(hash, it->claim.root, HASH_BYTES);
	assert_true(tree_sides_fit(it->steps, it->n_steps, it->claim.events));
	hasher_free(&hasher);
}

static void each_event_gets_its_own_way_also_by_turns(void **state)
{
	struct bed *bed = *state;
	const uint64_t one = append(bed, "prison", 1), two = append(bed, "police", 100);
	struct receipt_claim it;

	for (uint32_t i = 0; i < EVENTS; i++) {
		assert_int_equal(claims_get(bed->claims, bed->reader, one, i, &it), TTG_OK);
		assert_string_equal(it.claim.agency, "prison");
		assert_int_equal(it.digest[0], (uint8_t)(1 + i * HASH_BYTES));
		assert_int_equal(it.key[0], 1);
		must_lead_to_the_root(&it);
		assert_int_equal(claims_get(bed->claims, bed->reader, two, i, &it), TTG_OK);
		assert_string_equal(it.claim.agency, "police");
		assert_int_equal(it.signature[0], 100);
		must_lead_to_the_root(&it);
	}
}

static void what_is_gone_is_told_apart_from_what_is_wrong(void **state)
{
	struct bed *bed = *state;
	const uint64_t sequence = append(bed, "prison", 1);
	const struct journal_record other = { RECORD_EVENT, (const uint8_t *)"x", 1 };
	struct receipt_claim it;
	uint64_t another = 0, removed = 0;

	assert_int_equal(journal_append(bed->journal, &other, 1, &another), TTG_OK);
	assert_int_equal(journal_flush(bed->journal), TTG_OK);
	assert_int_equal(claims_get(bed->claims, bed->reader, another, 0, &it), TTG_ECORRUPT);
	assert_int_equal(claims_get(bed->claims, bed->reader, sequence, EVENTS, &it), TTG_ECORRUPT);
	bed_fill(bed->journal, 2000, 20, 5, 300);
	assert_int_equal(journal_retain(bed->journal, 1500, &removed), TTG_OK);
	assert_true(removed > 0);
	/* What was read last is kept; another has to be read. */
	assert_int_equal(claims_get(bed->claims, bed->reader, sequence, 0, &it), TTG_OK);
	assert_int_equal(claims_get(bed->claims, bed->reader, another, 0, &it), TTG_ENOENT);
	assert_int_equal(claims_get(bed->claims, bed->reader, sequence, 0, &it), TTG_ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_event_gets_its_own_way_also_by_turns),
		TEST(what_is_gone_is_told_apart_from_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
