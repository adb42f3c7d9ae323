/*
 * The signer's state on a disk that tears, forgets and refuses: once a seal was answered there is
 * always one to go on from, and it is never older than the last that was synced.
 */
#include "unit.h"

#include "signer/state.h"
#include "support/memory_world.h"

#include <errno.h>
#include <string.h>

#define PATH "/signer/state"
#define BYTES (SLOTS * SLOT_BYTES)
#define SECOND INT64_C(1000000000)
#define CONTENT 800 /* bytes of a slot; zeros behind */

/* A signer with its state, as the process has them. */
struct life {
	struct memory_world *memory;
	struct signer *signer;
	struct signer_state *state;
	struct message message;
};

static struct signer *signer_of(uint8_t seed_byte)
{
	uint8_t seed[SIGNATURE_SEED];

	memset(seed, seed_byte, sizeof(seed));
	struct sign_key *key = sign_key_from_seed(seed);
	assert_non_null(key);
	struct signer *signer = signer_new(key);
	assert_non_null(signer);
	return signer;
}

static enum ttg_error begin_as(struct life *life, uint8_t seed_byte)
{
	life->signer = signer_of(seed_byte);
	return signer_state_open(&life->state, memory_world_table(life->memory), PATH, life->signer,
				 &life->message);
}

static void must_begin(struct life *life)
{
	if (begin_as(life, 1) != TTG_OK)
		fail_msg("%s", life->message.text);
}

static enum ttg_error end(struct life *life)
{
	const enum ttg_error error = signer_state_close(&life->state, &life->message);

	signer_free(&life->signer);
	return error;
}

/* The process is gone at once, and the machine with it unless it is how it says. */
static void crash(struct life *life, enum memory_crash how)
{
	memory_world_kill(life->memory);
	end(life);
	memory_world_crash(life->memory, how);
}

static uint64_t number_of(const struct life *life)
{
	const struct seal_signed *last = signer_last(life->signer);
	struct seal seal;

	if (!last)
		return 0;
	assert_true(seal_read(last->text, last->len, &seal));
	return seal.number;
}

/* Lets the signer sign the seal that follows its last; what keeping it comes to. */
static enum ttg_error sign_next(struct life *life)
{
	static int64_t now_ns; /* no two seals are the same */
	const struct seal_signed *last = signer_last(life->signer);
	struct seal seal = { .number = 1, .first = 1, .last = 10 };
	struct hasher *hasher = hasher_new();
	char text[SEAL_TEXT_MAX], in[SIGNER_PACKET_MAX], out[SIGNER_PACKET_MAX];
	struct signer_reply reply;

	assert_non_null(hasher);
	if (last) {
		assert_true(seal_read(last->text, last->len, &seal));
		assert_true(hasher_sum(hasher, last->text, last->len, seal.before));
		seal.number++;
		seal.first = seal.last + 1;
		seal.last += 10;
	}
	hasher_free(&hasher);
	seal.sealed_ns = ++now_ns;
	const size_t len = signer_put_sign(text, seal_write(&seal, text), in);
	signer_read_reply(out, signer_answer(life->signer, in, len, out), &reply);
	assert_int_equal(reply.word, SIGNER_SIGNED);
	return signer_state_keep(life->state, &life->message);
}

static void must_sign(struct life *life, int n)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(sign_next(life), TTG_OK);
}

static void must_sync(struct life *life)
{
	assert_int_equal(signer_state_sync(life->state, &life->message), TTG_OK);
}

static int set_up(void **state)
{
	struct life *life = calloc(1, sizeof(*life));

	assert_non_null(life);
	life->memory = memory_world_new(unit_seed("state"));
	*state = life;
	return 0;
}

static int tear_down(void **state)
{
	struct life *life = *state;

	end(life);
	memory_world_free(&life->memory);
	free(life);
	return 0;
}

static void what_was_signed_is_known_after_a_restart(void **state)
{
	struct life *life = *state;
	struct seal_signed last;

	must_begin(life);
	assert_null(signer_last(life->signer));
	for (uint64_t n = 1; n < 12; n++) {
		must_sign(life, 1);
		last = *signer_last(life->signer);
		assert_int_equal(end(life), TTG_OK);
		must_begin(life);
		assert_int_equal(number_of(life), n);
		assert_int_equal(signer_last(life->signer)->len, last.len);
		assert_memory_equal(signer_last(life->signer)->text, last.text, last.len);
		assert_memory_equal(signer_last(life->signer)->signature, last.signature,
				    SEAL_SIGNATURE);
	}
}

static void a_state_that_has_signed_nothing_leaves_no_file(void **state)
{
	struct life *life = *state;
	uint64_t size = 0;

	must_begin(life);
	assert_int_equal(signer_state_keep(life->state, &life->message), TTG_OK);
	assert_int_equal(signer_state_due_ms(life->state), -1);
	assert_int_equal(end(life), TTG_OK);
	assert_null(memory_world_file(life->memory, PATH, &size));
	/* An empty one is the same. */
	memory_world_put(life->memory, PATH, "", 0);
	must_begin(life);
	must_sign(life, 3);
	assert_int_equal(end(life), TTG_OK);
	must_begin(life);
	assert_int_equal(number_of(life), 3);
}

static void a_killed_process_loses_nothing(void **state)
{
	struct life *life = *state;

	for (uint64_t n = 0; n < 30; n += 3) {
		must_begin(life);
		assert_int_equal(number_of(life), n);
		must_sign(life, 3);
		crash(life, MEMORY_CRASH_PROCESS);
	}
}

static void copy_file(struct life *life, uint8_t out[BYTES])
{
	uint64_t size = 0;
	const uint8_t *file = memory_world_file(life->memory, PATH, &size);

	assert_non_null(file);
	assert_int_equal(size, BYTES);
	memcpy(out, file, BYTES);
}

/* A file whose slot 1 holds a newer seal than its slot 0; the newer number. */
static uint64_t make_two(struct life *life, uint8_t out[BYTES])
{
	must_begin(life);
	must_sign(life, 4); /* 1 into slot 0, the others into slot 1 */
	assert_int_equal(end(life), TTG_OK);
	copy_file(life, out);
	return 4;
}

/* Opens a file of these bytes: the number of the seal it goes on from, and that it does go on. */
static uint64_t must_open(struct life *life, const uint8_t *bytes, size_t size)
{
	memory_world_put(life->memory, PATH, bytes, size);
	must_begin(life);
	const uint64_t number = number_of(life);
	must_sign(life, 1);
	assert_int_equal(end(life), TTG_OK);
	must_begin(life);
	assert_int_equal(number_of(life), number + 1);
	assert_int_equal(end(life), TTG_OK);
	return number;
}

static void of_a_newer_slot_cut_anywhere_the_older_or_the_newer_counts(void **state)
{
	struct life *life = *state;
	uint8_t whole[BYTES], torn[BYTES];
	const uint64_t newer = make_two(life, whole);
	unsigned of_newer = 0;

	for (size_t cut = 0; cut <= SLOT_BYTES; cut += cut < CONTENT ? 1 : 59) {
		uint64_t number = 0;

		/* What is behind the cut never came, came as rubbish, or is not in the file. */
		memcpy(torn, whole, sizeof(torn));
		memset(torn + SLOT_BYTES + cut, cut % 2 ? 0 : 0xa5, SLOT_BYTES - cut);
		number = must_open(life, torn, sizeof(torn));
		assert_true(number == 1 || number == newer);
		of_newer += number == newer;
		number = must_open(life, whole, SLOT_BYTES + cut);
		assert_true(number == 1 || number == newer);
		/* What came is the end and not the beginning. */
		memcpy(torn, whole, sizeof(torn));
		memset(torn + SLOT_BYTES, 0, cut);
		number = must_open(life, torn, sizeof(torn));
		assert_int_equal(number, cut == 0 ? newer : 1);
	}
	assert_true(of_newer > 40); /* behind the text it is zeros anyway */
}

static void a_flipped_bit_makes_the_other_slot_count(void **state)
{
	struct life *life = *state;
	uint8_t bytes[BYTES];
	const uint64_t newer = make_two(life, bytes);

	for (size_t at = 0; at < BYTES; at += at % SLOT_BYTES < CONTENT ? 1 : 97) {
		bytes[at] ^= (uint8_t)(1u << at % 8);
		assert_int_equal(must_open(life, bytes, sizeof(bytes)), at < SLOT_BYTES ? newer : 1);
		bytes[at] ^= (uint8_t)(1u << at % 8);
	}
}

static void must_be_refused_unchanged(struct life *life, uint8_t seed_byte, const void *bytes,
				      size_t size)
{
	uint64_t size_now = 0;

	memory_world_put(life->memory, PATH, bytes, size);
	assert_int_equal(begin_as(life, seed_byte), TTG_ECORRUPT);
	assert_null(life->state);
	assert_non_null(strstr(life->message.text, PATH));
	signer_free(&life->signer);
	assert_memory_equal(memory_world_file(life->memory, PATH, &size_now), bytes, size);
	assert_int_equal(size_now, size);
}

static void a_file_without_a_seal_of_this_key_is_refused_and_left_alone(void **state)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/sh\n";
	struct life *life = *state;
	uint8_t bytes[BYTES], zeros[BYTES] = { 0 };

	make_two(life, bytes);
	must_be_refused_unchanged(life, 2, bytes, sizeof(bytes));
	must_be_refused_unchanged(life, 1, text, strlen(text));
	must_be_refused_unchanged(life, 1, zeros, sizeof(zeros));
	must_be_refused_unchanged(life, 1, bytes, 100);
	bytes[3] ^= 1;
	bytes[SLOT_BYTES + 3] ^= 1;
	must_be_refused_unchanged(life, 1, bytes, sizeof(bytes));
}

static void two_signers_never_share_one_state(void **state)
{
	struct life *life = *state;
	struct life second = { .memory = life->memory };

	must_begin(life);
	assert_int_equal(begin_as(&second, 1), TTG_ELOCKED);
	assert_null(second.state);
	assert_non_null(strstr(second.message.text, PATH));
	end(&second);
	must_sign(life, 1);
	assert_int_equal(begin_as(&second, 1), TTG_ELOCKED);
	end(&second);
	assert_int_equal(end(life), TTG_OK);
	assert_int_equal(begin_as(&second, 1), TTG_OK);
	end(&second);
}

static uint64_t syncs(const struct life *life)
{
	return memory_world_calls(life->memory, MEMORY_SYNC);
}

static void it_is_synced_once_a_second_and_at_the_end(void **state)
{
	struct life *life = *state;

	must_begin(life);
	must_sign(life, 1); /* the first with its file, at once */
	assert_int_equal(signer_state_due_ms(life->state), -1);
	const uint64_t before = syncs(life);
	must_sign(life, 50);
	assert_int_equal(syncs(life), before);
	assert_in_range(signer_state_due_ms(life->state), 900, 1000);
	memory_world_advance(life->memory, SECOND / 2);
	must_sign(life, 1);
	assert_in_range(signer_state_due_ms(life->state), 400, 500);
	memory_world_advance(life->memory, SECOND / 2);
	assert_int_equal(signer_state_due_ms(life->state), 0);
	must_sync(life);
	assert_int_equal(syncs(life), before + 1);
	assert_int_equal(signer_state_due_ms(life->state), -1);
	must_sync(life); /* nothing to do */
	assert_int_equal(syncs(life), before + 1);
	/* A lone one after a pause: due at once. */
	memory_world_advance(life->memory, 5 * SECOND);
	must_sign(life, 1);
	assert_int_equal(signer_state_due_ms(life->state), 0);
	assert_int_equal(end(life), TTG_OK);
	assert_int_equal(syncs(life), before + 2);
}

static void nothing_is_written_for_a_seal_that_is_kept(void **state)
{
	struct life *life = *state;

	must_begin(life);
	must_sign(life, 2);
	const uint64_t writes = memory_world_calls(life->memory, MEMORY_WRITE);
	for (int i = 0; i < 5; i++)
		assert_int_equal(signer_state_keep(life->state, &life->message), TTG_OK);
	assert_int_equal(memory_world_calls(life->memory, MEMORY_WRITE), writes);
}

static void a_failed_write_is_told(void **state)
{
	struct life *life = *state;

	must_begin(life);
	must_sign(life, 1);
	memory_world_fail(life->memory, MEMORY_WRITE, 0, ENOSPC, false);
	assert_int_equal(sign_next(life), TTG_ENOSPC);
	assert_non_null(strstr(life->message.text, PATH));
	end(life);
	must_begin(life);
	assert_int_equal(number_of(life), 1);
}

static void a_failed_sync_is_told_and_never_tried_again(void **state)
{
	struct life *life = *state;

	must_begin(life);
	must_sign(life, 2);
	memory_world_fail(life->memory, MEMORY_SYNC, 0, EIO, false);
	assert_int_equal(signer_state_sync(life->state, &life->message), TTG_EIO);
	assert_non_null(strstr(life->message.text, PATH));
	const uint64_t tried = syncs(life);
	assert_int_equal(end(life), TTG_OK);
	assert_int_equal(syncs(life), tried);
	/* At the end it is told as well. */
	must_begin(life);
	must_sign(life, 1);
	memory_world_fail(life->memory, MEMORY_SYNC, 0, EIO, false);
	assert_int_equal(end(life), TTG_EIO);
}

/* The first seal's file fails at each of its steps: there is no seal afterwards, or that one. */
static void a_birth_that_fails_leaves_none_or_the_whole(void **state)
{
	static const enum memory_call calls[] = { MEMORY_WRITE, MEMORY_SYNC, MEMORY_RENAME,
						  MEMORY_SYNC_DIR };
	struct life *life = *state;
	unsigned whole = 0, tries = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (int how = 0; how < 40; how++) {
			memory_world_put(life->memory, PATH, NULL, 0);
			must_begin(life);
			memory_world_fail(life->memory, calls[i], 0, EIO, false);
			assert_int_equal(sign_next(life), TTG_EIO);
			crash(life, MEMORY_CRASH_RANDOM);
			must_begin(life);
			assert_in_range(number_of(life), 0, 1);
			whole += number_of(life) == 1;
			tries++;
			must_sign(life, 1);
			end(life);
		}
	}
	assert_true(whole > 0 && whole < tries);
}

/*
 * Lives of many seals that end in the middle, the machine forgetting any of the sectors that were
 * not synced. At each start there is a seal, not older than the last one that was synced.
 */
static void whatever_a_crash_forgets_the_last_synced_one_is_there(void **state)
{
	struct life *life = *state;
	uint64_t seed = unit_seed("crashes"), synced = 0, lost = 0, kept_more = 0;

	for (int n = 0; n < 1500; n++) {
		must_begin(life);
		const uint64_t number = number_of(life);
		assert_true(number >= synced);
		kept_more += number > synced;
		synced = number; /* it is again, by the start */
		uint64_t last = number;
		for (uint64_t steps = unit_random(&seed) % 12; steps > 0; steps--) {
			if (unit_random(&seed) % 4 > 0) {
				must_sign(life, 1);
				last++;
				if (last == 1) /* it came with its file */
					synced = 1;
			} else {
				must_sync(life);
				synced = last;
			}
		}
		lost += last > synced;
		crash(life, unit_random(&seed) % 4 ? MEMORY_CRASH_RANDOM : MEMORY_CRASH_LOSE);
	}
	assert_true(lost > 100 && kept_more > 10); /* or it was not looked at */
}

static void what_a_start_found_is_on_the_disk_before_it_goes_on(void **state)
{
	struct life *life = *state;

	must_begin(life);
	must_sign(life, 5);
	crash(life, MEMORY_CRASH_PROCESS);
	must_begin(life);
	assert_int_equal(number_of(life), 5);
	crash(life, MEMORY_CRASH_LOSE);
	must_begin(life);
	assert_int_equal(number_of(life), 5);
}

/*
 * The same with tears inside a sector, which a slot's content fits into: of what was written since
 * the last sync any pieces of 16 bytes are on the disk.
 */
static void whatever_pieces_are_written_the_last_synced_one_is_there(void **state)
{
	struct life *life = *state;
	uint64_t seed = unit_seed("pieces"), synced = 1, torn = 0;
	uint8_t on_disk[BYTES], written[BYTES];

	must_begin(life);
	must_sign(life, 1);
	assert_int_equal(end(life), TTG_OK);
	for (int n = 0; n < 500; n++) {
		must_begin(life);
		uint64_t last = number_of(life);
		assert_true(last >= synced);
		copy_file(life, on_disk);
		synced = last;
		for (uint64_t steps = unit_random(&seed) % 8; steps > 0; steps--) {
			if (unit_random(&seed) % 4 > 0) {
				must_sign(life, 1);
				last++;
			} else {
				must_sync(life);
				copy_file(life, on_disk);
				synced = last;
			}
		}
		crash(life, MEMORY_CRASH_PROCESS);
		copy_file(life, written);
		for (size_t at = 0; at < BYTES; at += 16)
			if (unit_random(&seed) % 4 == 0)
				memcpy(written + at, on_disk + at, 16);
		memory_world_put(life->memory, PATH, written, BYTES);
		torn += last > synced;
	}
	assert_true(torn > 100); /* or it was not looked at */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_signed_is_known_after_a_restart),
		TEST(a_state_that_has_signed_nothing_leaves_no_file),
		TEST(a_killed_process_loses_nothing),
		TEST(of_a_newer_slot_cut_anywhere_the_older_or_the_newer_counts),
		TEST(a_flipped_bit_makes_the_other_slot_count),
		TEST(a_file_without_a_seal_of_this_key_is_refused_and_left_alone),
		TEST(two_signers_never_share_one_state),
		TEST(it_is_synced_once_a_second_and_at_the_end),
		TEST(nothing_is_written_for_a_seal_that_is_kept),
		TEST(a_failed_write_is_told),
		TEST(a_failed_sync_is_told_and_never_tried_again),
		TEST(a_birth_that_fails_leaves_none_or_the_whole),
		TEST(whatever_a_crash_forgets_the_last_synced_one_is_there),
		TEST(what_a_start_found_is_on_the_disk_before_it_goes_on),
		TEST(whatever_pieces_are_written_the_last_synced_one_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
