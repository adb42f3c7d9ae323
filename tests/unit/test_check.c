/*
 * Seals of a journal against its records: what somebody with the journal's key could write anew,
 * and where it shows.
 */
#include "support/core_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/sealed.h"
#include "core/strip.h"
#include "evidence/check.h"
#include "evidence/hand_over.h"
#include "evidence/signer.h"
#include "evidence/slot.h"
#include "evidence/stretch.h"
#include "support/receipts.h"

#define SEALS 5u
#define PATH  64

static const uint8_t journal_id[EVIDENCE_ID] = { 0xab, 1 };

/* An invented chain; each record is a batch of its own. */
static void chain_at(uint64_t sequence, uint8_t out[EVIDENCE_HASH])
{
	memset(out, 0xc0, EVIDENCE_HASH);
	memcpy(out, &sequence, sizeof(sequence));
}

static void take_up_to(struct stretch *stretch, const struct play *play, uint64_t last)
{
	while (stretch_next(stretch) <= last) {
		const struct play_record *it = &play->records[stretch_next(stretch) - 1];

		assert_int_equal(stretch_take(stretch, stretch_next(stretch), it->kind, it->data, it->len),
				 TTG_OK);
	}
}

/* Seals what is not sealed. */
static void seal_play(struct play *play, struct sign_key *key)
{
	const struct sealed *last = core_last_seal(play->core);
	struct stretch *stretch = stretch_new(journal_id);
	struct hasher *hasher = hasher_new();
	struct sealed it = { 0 };
	struct seal seal;

	play_settle(play);
	stretch_begin(stretch, last->last + 1);
	take_up_to(stretch, play, play->n_records);
	assert_true(stretch_describe(stretch, &seal));
	chain_at(seal.last, seal.chain);
	seal.number = it.number = last->number + 1;
	if (last->number > 0)
		assert_true(hasher_sum(hasher, last->text, last->len, seal.before));
	it.first = seal.first;
	it.last = seal.last;
	it.len = seal_write(&seal, it.text);
	assert_true(sign_key_sign(key, it.text, it.len, it.signature));
	assert_int_equal(core_seal(play->core, &play->now, &it, NULL), TTG_OK);
	stretch_free(&stretch);
	hasher_free(&hasher);
}

static struct play *sealed_play(void)
{
	struct play *play = play_new(8, 100);
	struct sign_key *key = receipts_key('a');

	for (unsigned i = 0; i < SEALS; i++) {
		for (unsigned k = 0; k <= i; k++)
			play_say(play, TYPE_RELEASED, 1 + k);
		seal_play(play, key);
	}
	play_say(play, TYPE_RELEASED, 1); /* not sealed */
	sign_key_free(&key);
	return play;
}

static struct check *check_by(char letter)
{
	struct sign_key *key = receipts_key(letter);
	struct check *check = check_new(verify_key_of(key));

	sign_key_free(&key);
	assert_non_null(check);
	check_begin(check, journal_id);
	return check;
}

/* Records `from` to `to`, as they stand now. False: it was found out. */
static bool feed(struct check *check, const struct play *play, uint64_t from, uint64_t to)
{
	uint8_t chain[EVIDENCE_HASH];

	for (uint64_t i = from; i <= to; i++) {
		const struct play_record *it = &play->records[i - 1];

		chain_at(i, chain);
		if (!check_record(check, i, it->kind, it->data, it->len) ||
		    !check_batch_end(check, i, chain))
			return false;
	}
	return true;
}

static bool holds(const struct play *play)
{
	struct check *check = check_by('a');
	const bool fine = feed(check, play, 1, play->n_records);

	assert_true(fine == (check_message(check)[0] == '\0'));
	check_free(&check);
	return fine;
}

static void a_journal_as_it_was_sealed_holds(void **state)
{
	struct play *play = sealed_play();
	struct check *check = check_by('a');
	struct check_result result;

	(void)state;
	assert_true(feed(check, play, 1, play->n_records));
	check_get_result(check, &result);
	assert_int_equal(result.seals, SEALS);
	assert_int_equal(result.number, SEALS);
	assert_int_equal(result.sealed, core_last_seal(play->core)->last);
	assert_int_equal(result.unsealed_events, 1);
	check_free(&check);
	play_free(&play);
}

static bool is_told_of(const struct play *play, uint64_t sequence)
{
	const uint8_t kind = play->records[sequence - 1].kind;

	return kind == RECORD_EVENT || kind == RECORD_SEAL;
}

/* Whatever byte of a sealed event becomes another, and of the seals themselves. */
static void every_byte_of_events_and_seals_counts(void **state)
{
	struct play *play = sealed_play();
	unsigned tried = 0;

	(void)state;
	for (uint64_t i = 1; i <= core_last_seal(play->core)->last; i++) {
		struct play_record *it = &play->records[i - 1];
		struct record_event event;

		if (!is_told_of(play, i))
			continue;
		/* Recipients are covered by the chain; what the publisher said is at the end. */
		size_t from = 0;
		if (it->kind == RECORD_EVENT) {
			assert_true(record_get_event(it->data, it->len, &event));
			from = it->len - event.n_bytes;
		}
		for (size_t k = from; k < it->len; k += 3) {
			it->data[k] ^= 0x10;
			assert_false(holds(play));
			it->data[k] ^= 0x10;
			tried++;
		}
	}
	assert_true(tried > 500);
	assert_true(holds(play));
	play_free(&play);
}

static void swap(struct play *play, uint64_t a, uint64_t b)
{
	const struct play_record it = play->records[a - 1];

	play->records[a - 1] = play->records[b - 1];
	play->records[b - 1] = it;
}

static void swapped_and_missing_records_are_found(void **state)
{
	struct play *play = sealed_play();
	const uint64_t sealed = core_last_seal(play->core)->last;
	struct check *check;

	(void)state;
	for (uint64_t i = 1; i < sealed; i++) {
		if (!is_told_of(play, i) && !is_told_of(play, i + 1))
			continue; /* mailboxes and rules: the chain has them */
		swap(play, i, i + 1);
		assert_false(holds(play));
		swap(play, i, i + 1);
	}
	for (uint64_t i = 1; i <= sealed; i++) { /* all that follow move up */
		if (!is_told_of(play, i))
			continue;
		const struct play_record gone = play->records[i - 1];
		memmove(&play->records[i - 1], &play->records[i],
			(play->n_records - i) * sizeof(gone));
		play->n_records--;
		assert_false(holds(play));
		memmove(&play->records[i], &play->records[i - 1],
			(play->n_records + 1 - i) * sizeof(gone));
		play->records[i - 1] = gone;
		play->n_records++;
	}
	check = check_by('b');
	assert_false(feed(check, play, 1, play->n_records));
	assert_non_null(strstr(check_message(check), "not signed with this key"));
	check_free(&check);
	play_free(&play);
}

/* Recipients, acknowledgements and rules are not in the tree: for them there is the chain. */
static void another_chain_is_found(void **state)
{
	struct play *play = sealed_play();
	struct check *check = check_by('a');
	uint8_t chain[EVIDENCE_HASH];
	bool fine = true;

	(void)state;
	for (uint64_t i = 1; i <= play->n_records && fine; i++) {
		const struct play_record *it = &play->records[i - 1];

		chain_at(i, chain);
		chain[31] ^= 1;
		fine = check_record(check, i, it->kind, it->data, it->len) &&
		       check_batch_end(check, i, chain);
	}
	assert_false(fine);
	assert_non_null(strstr(check_message(check), "seal 1: the chain"));
	check_free(&check);
	play_free(&play);
}

static void what_retention_took_is_not_missed(void **state)
{
	struct play *play = sealed_play();

	(void)state;
	for (uint64_t from = 2; from <= play->n_records; from++) {
		struct check *check = check_by('a');

		assert_true(feed(check, play, from, play->n_records));
		check_free(&check);
	}
	play_free(&play);
}

static void write_slot(const struct play *play, uint64_t record, char slot[SLOT_BYTES])
{
	struct seal_signed signed_seal = { .len = 0 };
	struct sealed it;

	assert_true(record_get_seal(play->records[record - 1].data, play->records[record - 1].len, &it));
	memcpy(signed_seal.text, it.text, it.len);
	signed_seal.len = it.len;
	memcpy(signed_seal.signature, it.signature, sizeof(it.signature));
	slot_write(&signed_seal, slot);
}

/* The signer's file with the seal that stands in this record, and the one in that before (0: none). */
static void write_state_of_two(const struct play *play, uint64_t record, uint64_t before, char path[PATH])
{
	char bytes[SLOTS_BYTES] = { 0 };

	if (before > 0)
		write_slot(play, before, bytes);
	write_slot(play, record, bytes + SLOT_BYTES);
	strcpy(path, "/tmp/ttg-check-XXXXXX");
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	close(fd);
}

static void write_state(const struct play *play, uint64_t record, char path[PATH])
{
	write_state_of_two(play, record, 0, path);
}

/* Wherever the end is cut off: what is left holds, and what the signer keeps tells of the rest. */
static void a_tail_that_was_cut_off_is_told_by_the_signer(void **state)
{
	struct play *play = sealed_play();
	uint64_t last_record = play->n_records;
	char path[PATH];

	(void)state;
	while (play->records[last_record - 1].kind != RECORD_SEAL)
		last_record--;
	const uint64_t covered = core_last_seal(play->core)->last;
	write_state(play, last_record, path);
	for (uint64_t to = 1; to <= play->n_records; to++) {
		struct check *check = check_by('a');

		assert_true(feed(check, play, 1, to));
		/* One seal ahead the signer may be, when all that it sealed is here. */
		assert_true(check_signer(check, path) == (to >= covered));
		check_free(&check);
	}
	struct check *check = check_by('b'); /* nor is another key's file believed */
	assert_false(check_signer(check, path));
	check_free(&check);
	unlink(path);
	play_free(&play);
}

/* What the archive has of records `from` to `to`, with a bit of byte `bad` (0: none) of their sum turned. */
static bool feed_archive(struct check *check, const struct play *play, uint64_t from, uint64_t to, size_t bad)
{
	size_t sum = 0;

	for (uint64_t i = from; i <= to; i++) {
		const struct play_record *it = &play->records[i - 1];
		uint8_t bytes[4096];
		struct cursor cursor;

		cursor_init_write(&cursor, bytes, sizeof(bytes));
		assert_true(record_strip(it->kind, it->data, it->len, &cursor));
		if (it->kind == RECORD_EVENT) {
			if (bad > sum && bad <= sum + RECORD_DIGEST) /* of the digest it ends with */
				bytes[cursor_offset(&cursor) - (bad - sum)] ^= 0x20;
			sum += RECORD_DIGEST;
		}
		if (!check_record(check, i, it->kind, bytes, cursor_offset(&cursor)))
			return false;
	}
	return true;
}

static void seals_hold_over_the_archive_and_every_digest_in_it_counts(void **state)
{
	struct play *play = sealed_play();
	struct check *check = check_by('a');
	struct check_result result;
	unsigned found = 0;

	(void)state;
	check_begin_archive(check, journal_id);
	assert_true(feed_archive(check, play, 1, play->n_records, 0));
	check_get_result(check, &result);
	assert_int_equal(result.seals, SEALS);
	for (size_t bad = 1; bad <= 15 * RECORD_DIGEST; bad += 5, found++) { /* 1 + 2 + 3 + 4 + 5 events */
		check_begin_archive(check, journal_id);
		assert_false(feed_archive(check, play, 1, play->n_records, bad));
		assert_non_null(strstr(check_message(check), "are not the sealed ones"));
	}
	assert_true(found > 50);
	check_begin(check, journal_id); /* a journal has no such records */
	assert_false(feed_archive(check, play, 1, play->n_records, 0));
	check_free(&check);
	play_free(&play);
}

static void behind_a_gap_of_the_archive_seals_hold_again(void **state)
{
	struct play *play = sealed_play();
	struct check *check = check_by('a');
	struct check_result result;

	(void)state;
	for (uint64_t gap = 1; gap < play->n_records; gap++) {
		check_begin_archive(check, journal_id);
		assert_true(feed_archive(check, play, 1, gap - 1, 0));
		check_skip(check, gap + 1);
		assert_true(feed_archive(check, play, gap + 1, play->n_records, 0));
		check_get_result(check, &result);
		if (gap < core_last_seal(play->core)->last)
			assert_int_equal(result.number, SEALS);
		if (play->records[gap - 1].kind == RECORD_EVENT &&
		    gap < core_last_seal(play->core)->first) {
			check_begin_archive(check, journal_id);
			assert_false(feed_archive(check, play, 1, gap - 1, 0) &&
				     feed_archive(check, play, gap + 1, play->n_records, 0));
		}
	}
	check_free(&check);
	play_free(&play);
}

/* What the key of `from` says of that of `to`, behind the last seal; recorded. */
static void hand_over_play(struct play *play, char from, char to)
{
	const struct sealed *last = core_last_seal(play->core);
	struct sign_key *old = receipts_key(from), *new = receipts_key(to);
	struct seal it = { .hands_over = true, .number = last->number + 1, .first = last->last,
			   .last = last->last, .sealed_ns = 7 };
	struct sealed record = { .number = it.number, .first = it.first, .last = it.last };
	struct hasher *hasher = hasher_new();

	memcpy(it.journal, journal_id, sizeof(it.journal));
	assert_true(hasher_sum(hasher, last->text, last->len, it.before));
	sign_key_raw(old, it.from);
	sign_key_raw(new, it.to);
	record.len = hand_over_write(&it, record.text);
	assert_true(sign_key_sign(old, record.text, record.len, record.signature));
	assert_int_equal(core_hand_over(play->core, &play->now, &record, NULL), TTG_OK);
	hasher_free(&hasher);
	sign_key_free(&old);
	sign_key_free(&new);
}

static void seal_with(struct play *play, char letter)
{
	struct sign_key *key = receipts_key(letter);

	play_say(play, TYPE_RELEASED, 3);
	seal_play(play, key);
	sign_key_free(&key);
}

/* Five seals by a, two by b, one by c. The records of the hand-overs in first and second. */
static struct play *handed_over_play(uint64_t *first, uint64_t *second)
{
	struct play *play = sealed_play();

	hand_over_play(play, 'a', 'b');
	*first = play->n_records;
	seal_with(play, 'b');
	seal_with(play, 'b');
	hand_over_play(play, 'b', 'c');
	*second = play->n_records;
	seal_with(play, 'c');
	return play;
}

static bool holds_by(const struct play *play, const char *letters, uint64_t from, uint64_t seals)
{
	struct check *check;
	struct verify_key *keys = NULL;
	struct check_result result;
	bool fine;

	for (; *letters; letters++) {
		struct sign_key *key = receipts_key(*letters);
		uint8_t bytes[EVIDENCE_KEY];

		sign_key_raw(key, bytes);
		if (!keys)
			keys = verify_key_of_bytes(bytes);
		assert_true(verify_key_add(keys, bytes));
		sign_key_free(&key);
	}
	check = check_new(keys);
	check_begin(check, journal_id);
	fine = feed(check, play, from, play->n_records);
	check_get_result(check, &result);
	if (fine)
		assert_int_equal(result.seals, seals);
	check_free(&check);
	return fine;
}

static void who_trusts_a_key_trusts_those_it_hands_over_to(void **state)
{
	uint64_t first, second;
	struct play *play = handed_over_play(&first, &second);

	(void)state;
	assert_true(holds_by(play, "a", 1, SEALS + 3));
	assert_true(holds_by(play, "ca", 1, SEALS + 3)); /* whatever else is trusted */
	assert_false(holds_by(play, "b", 1, 0));         /* the first seals are not by it */
	assert_false(holds_by(play, "c", 1, 0));
	/* Retention took the first: the key that signs at the beginning has to be named, or the one after. */
	assert_true(holds_by(play, "a", first, 3));
	assert_true(holds_by(play, "b", first, 3));
	assert_true(holds_by(play, "b", first + 1, 3));
	assert_false(holds_by(play, "a", first + 1, 0));
	assert_true(holds_by(play, "c", second, 1));
	play_free(&play);
}

static void every_byte_of_a_hand_over_counts(void **state)
{
	uint64_t first, second;
	struct play *play = handed_over_play(&first, &second);
	struct play_record *it = &play->records[first - 1];

	(void)state;
	for (size_t i = 0; i < it->len; i++) {
		it->data[i] ^= 0x10;
		assert_false(holds_by(play, "a", 1, 0));
		it->data[i] ^= 0x10;
	}
	const struct play_record gone = *it; /* nor can it be left out, or said twice */
	it->kind = RECORD_CONSULTED;
	assert_false(holds_by(play, "ab", 1, 0));
	it->kind = gone.kind;
	assert_true(holds_by(play, "a", 1, SEALS + 3));
	play_free(&play);
}

/* What a key signs behind its hand-over counts for nothing, though it was trusted once. */
static void a_key_that_handed_over_signs_no_more(void **state)
{
	struct play *play = sealed_play();

	(void)state;
	hand_over_play(play, 'a', 'b');
	assert_true(holds_by(play, "a", 1, SEALS));
	seal_with(play, 'a');
	assert_false(holds_by(play, "a", 1, 0));
	assert_false(holds_by(play, "ab", 1, 0));
	play_free(&play);
	play = sealed_play();
	hand_over_play(play, 'c', 'b'); /* and c was never asked */
	assert_false(holds_by(play, "a", 1, 0));
	assert_false(holds_by(play, "abc", 1, 0));
	play_free(&play);
}

static void hand_overs_hold_over_the_archive(void **state)
{
	uint64_t first, second;
	struct play *play = handed_over_play(&first, &second);
	struct check *check = check_by('a');
	struct check_result result;

	(void)state;
	check_begin_archive(check, journal_id);
	assert_true(feed_archive(check, play, 1, play->n_records, 0));
	check_get_result(check, &result);
	assert_int_equal(result.seals, SEALS + 3);
	/* Behind a gap that took the first hand-over away the key it named is still known. */
	check_skip(check, first + 1);
	assert_true(feed_archive(check, play, first + 1, play->n_records, 0));
	check_free(&check);
	check = check_by('a');
	check_begin_archive(check, journal_id);
	assert_true(feed_archive(check, play, 1, first - 1, 0));
	check_skip(check, first + 1);
	assert_false(feed_archive(check, play, first + 1, play->n_records, 0)); /* nobody said so */
	check_free(&check);
	play_free(&play);
}

/* The newest in the signer's file may be the hand-over, in the journal already or not. */
static void a_hand_over_is_told_by_the_signer_too(void **state)
{
	struct play *play = sealed_play();
	char path[PATH];

	(void)state;
	play_settle(play);
	hand_over_play(play, 'a', 'b');
	uint64_t seal = play->n_records;
	write_state(play, play->n_records, path);
	struct check *check = check_by('a');
	assert_true(feed(check, play, 1, play->n_records - 1));
	assert_true(check_signer(check, path));
	check_begin(check, journal_id);
	assert_true(feed(check, play, 1, play->n_records));
	assert_true(check_signer(check, path));
	check_begin(check, journal_id);
	assert_true(feed(check, play, 1, core_last_seal(play->core)->last)); /* without the seal before it */
	assert_false(check_signer(check, path));
	unlink(path);
	while (play->records[seal - 1].kind != RECORD_SEAL)
		seal--;
	write_state_of_two(play, play->n_records, seal, path); /* but where that is told too */
	check_begin(check, journal_id);
	assert_true(feed(check, play, 1, core_last_seal(play->core)->last));
	assert_true(check_signer(check, path));
	check_begin(check, journal_id);
	assert_true(feed(check, play, 1, core_last_seal(play->core)->last - 1)); /* what it covers is gone */
	assert_false(check_signer(check, path));
	check_free(&check);
	unlink(path);
	play_free(&play);
}

/* Seal 5 covers five events, and each record ends a batch here. */
static void no_more_is_kept_than_was_said(void **state)
{
	struct play *play = sealed_play();
	struct check *check = check_by('a');

	(void)state;
	check_set_limit(check, SEALS - 1);
	assert_false(feed(check, play, 1, play->n_records));
	assert_non_null(strstr(check_message(check), "so many"));
	check_set_limit(check, 100);
	check_begin(check, journal_id);
	assert_true(feed(check, play, 1, play->n_records));
	check_free(&check);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_journal_as_it_was_sealed_holds),
		cmocka_unit_test(every_byte_of_events_and_seals_counts),
		cmocka_unit_test(swapped_and_missing_records_are_found),
		cmocka_unit_test(another_chain_is_found),
		cmocka_unit_test(what_retention_took_is_not_missed),
		cmocka_unit_test(no_more_is_kept_than_was_said),
		cmocka_unit_test(who_trusts_a_key_trusts_those_it_hands_over_to),
		cmocka_unit_test(every_byte_of_a_hand_over_counts),
		cmocka_unit_test(a_key_that_handed_over_signs_no_more),
		cmocka_unit_test(hand_overs_hold_over_the_archive),
		cmocka_unit_test(a_hand_over_is_told_by_the_signer_too),
		cmocka_unit_test(a_tail_that_was_cut_off_is_told_by_the_signer),
		cmocka_unit_test(seals_hold_over_the_archive_and_every_digest_in_it_counts),
		cmocka_unit_test(behind_a_gap_of_the_archive_seals_hold_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
