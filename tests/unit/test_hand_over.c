/*
 * A signing key hands over to another: what it says, who believes it, and that it signs nothing behind it. On
 * the signer's side; what the broker does of it is in test_sealer.c, what a verification in test_check.c.
 */
#include "unit.h"

#include <string.h>

#include "evidence/hand_over.h"
#include "signer/hand_over.h"
#include "support/memory_world.h"
#include "support/receipts.h"

#define PATH "/signer/state"

static void bytes_of(char letter, uint8_t out[EVIDENCE_KEY])
{
	struct sign_key *key = receipts_key(letter);

	sign_key_raw(key, out);
	sign_key_free(&key);
}

static struct seal some_hand_over(void)
{
	struct seal it = { .number = 8, .first = 1064, .last = 1064, .hands_over = true,
			   .sealed_ns = 1795754301123456789 };

	memset(it.journal, 0x0a, sizeof(it.journal));
	memset(it.before, 0xfd, sizeof(it.before));
	bytes_of('a', it.from);
	bytes_of('b', it.to);
	return it;
}

static struct seal_signed signed_by(char letter, const struct seal *it)
{
	struct sign_key *key = receipts_key(letter);
	struct seal_signed out = { .len = 0 };

	out.len = hand_over_write(it, out.text);
	assert_true(sign_key_sign(key, out.text, out.len, out.signature));
	sign_key_free(&key);
	return out;
}

static void what_was_written_is_read_back_and_is_no_seal(void **state)
{
	const struct seal it = some_hand_over();
	char text[SEAL_TEXT_MAX], again[SEAL_TEXT_MAX];
	const size_t len = hand_over_write(&it, text);
	struct seal back;

	(void)state;
	assert_true(hand_over_read(text, len, &back));
	assert_true(back.hands_over);
	assert_int_equal(back.number, 8);
	assert_int_equal(back.first, 1064);
	assert_int_equal(back.last, 1064);
	assert_memory_equal(back.to, it.to, EVIDENCE_KEY);
	assert_int_equal(hand_over_write(&back, again), len);
	assert_memory_equal(text, again, len);
	assert_false(seal_read(text, len, &back));
	assert_true(link_read(text, len, &back) && back.hands_over);
}

static void a_changed_byte_is_no_other_way_to_say_the_same(void **state)
{
	const struct seal it = some_hand_over();
	char text[SEAL_TEXT_MAX + 1], again[SEAL_TEXT_MAX];
	const size_t len = hand_over_write(&it, text);
	struct seal back;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		const char was = text[i];

		assert_false(hand_over_read(text, i, &back));
		for (int byte = 0; byte < 256; byte++) {
			text[i] = (char)byte;
			if ((char)byte == was || !hand_over_read(text, len, &back))
				continue;
			assert_int_equal(hand_over_write(&back, again), len);
			assert_memory_equal(text, again, len);
		}
		text[i] = was;
	}
	text[len] = '\n';
	assert_false(hand_over_read(text, len + 1, &back));
}

static void what_no_hand_over_can_say_is_refused(void **state)
{
	struct seal them[4] = { some_hand_over(), some_hand_over(), some_hand_over(), some_hand_over() };
	char text[SEAL_TEXT_MAX];
	struct seal back;

	(void)state;
	them[0].number = 1; /* there must be a seal before it */
	them[1].last = 0;
	memcpy(them[2].to, them[2].from, EVIDENCE_KEY);
	them[3].number = 0;
	for (size_t i = 0; i < 4; i++)
		assert_false(hand_over_read(text, hand_over_write(&them[i], text), &back));
}

static void it_stands_where_the_seal_before_ends(void **state)
{
	static const uint8_t hash[EVIDENCE_HASH] = { 0xfd, 0xfd };
	struct seal before = { .number = 7, .first = 1001, .last = 1064 }, it = some_hand_over();
	struct seal after = { .number = 9, .first = 1065, .last = 1070 };
	const char *why = NULL;

	(void)state;
	memcpy(before.journal, it.journal, sizeof(it.journal));
	memcpy(after.journal, it.journal, sizeof(it.journal));
	memcpy(it.before, hash, sizeof(hash));
	memcpy(after.before, hash, sizeof(hash));
	assert_true(seal_follows(&before, hash, &it, &why));
	assert_true(seal_follows(&it, hash, &after, &why));
	assert_false(seal_follows(NULL, hash, &it, &why));
	it.last = 1063;
	assert_false(seal_follows(&before, hash, &it, &why));
	it.last = 1064;
	after.first = 1064; /* sealed before the key was changed */
	assert_false(seal_follows(&it, hash, &after, &why));
}

static void a_file_of_it_is_believed_when_the_key_it_is_from_signed_it(void **state)
{
	const struct seal it = some_hand_over();
	const struct seal_signed right = signed_by('a', &it), wrong = signed_by('b', &it);
	char file[HAND_OVER_FILE_MAX];
	struct seal back;
	size_t len;

	(void)state;
	len = hand_over_to_file(&right, file);
	assert_true(hand_over_from_file(file, len, &back));
	assert_memory_equal(back.to, it.to, EVIDENCE_KEY);
	for (size_t i = 0; i < len; i++) {
		assert_false(hand_over_from_file(file, i, &back));
		file[i] ^= 1;
		assert_false(hand_over_from_file(file, len, &back));
		file[i] ^= 1;
	}
	len = hand_over_to_file(&wrong, file);
	assert_false(hand_over_from_file(file, len, &back));
}

/* The signer's process and its state. */

struct life {
	struct memory_world *memory;
	struct signer *signer;
	struct signer_state *state;
	struct message message;
};

static enum ttg_error begin_as(struct life *life, char letter)
{
	life->signer = signer_new(receipts_key(letter));
	assert_non_null(life->signer);
	return signer_state_open(&life->state, memory_world_table(life->memory), PATH, life->signer,
				 &life->message);
}

static void end(struct life *life)
{
	assert_int_equal(signer_state_close(&life->state, &life->message), TTG_OK);
	signer_free(&life->signer);
}

/* Asks for the seal that follows the last; the word of the answer. */
static enum signer_word ask(struct life *life)
{
	const struct seal_signed *last = signer_last(life->signer);
	struct seal seal = { .number = 1, .first = 1, .last = 10, .sealed_ns = 5 }, before;
	struct hasher *hasher = hasher_new();
	char text[SEAL_TEXT_MAX], in[SIGNER_PACKET_MAX], out[SIGNER_PACKET_MAX];
	struct signer_reply reply;

	if (last) {
		assert_true(link_read(last->text, last->len, &before));
		assert_true(hasher_sum(hasher, last->text, last->len, seal.before));
		seal.number = before.number + 1;
		seal.first = before.last + 1;
		seal.last = before.last + 10;
	}
	hasher_free(&hasher);
	const size_t len = signer_put_sign(text, seal_write(&seal, text), in);
	signer_read_reply(out, signer_answer(life->signer, in, len, out), &reply);
	assert_int_equal(signer_state_keep(life->state, &life->message), TTG_OK);
	return reply.word;
}

static enum ttg_error change(struct life *life, char from, char to, struct seal *out)
{
	char file[HAND_OVER_FILE_MAX];
	size_t len = 0;
	const enum ttg_error error =
		hand_over_state(memory_world_table(life->memory), PATH, receipts_key(from), receipts_key(to),
				file, &len, &life->message);

	if (!error)
		assert_true(hand_over_from_file(file, len, out));
	return error;
}

static struct life new_life(int seals)
{
	struct life life = { .memory = memory_world_new(3) };

	assert_int_equal(begin_as(&life, 'a'), TTG_OK);
	for (int i = 0; i < seals; i++)
		assert_int_equal(ask(&life), SIGNER_SIGNED);
	end(&life);
	return life;
}

/* The number of the seal before, as the broker asks for it; 0: there is none. */
static uint64_t before_of(struct signer *signer)
{
	char in[SIGNER_PACKET_MAX], out[SIGNER_PACKET_MAX];
	struct signer_reply reply;
	struct seal seal;
	const size_t len = signer_put_before(in);

	signer_read_reply(out, signer_answer(signer, in, len, out), &reply);
	if (reply.word == SIGNER_NONE)
		return 0;
	assert_int_equal(reply.word, SIGNER_LAST);
	assert_true(seal_read(reply.seal.text, reply.seal.len, &seal));
	return seal.number;
}

static void the_new_key_goes_on_and_the_old_one_signs_no_more(void **state)
{
	struct life life = new_life(3);
	struct seal it, again, last;

	(void)state;
	assert_int_equal(change(&life, 'a', 'b', &it), TTG_OK);
	assert_int_equal(it.number, 4);
	assert_int_equal(it.last, 30);
	memory_world_crash(life.memory, MEMORY_CRASH_LOSE); /* it was durable before it was said */
	assert_int_equal(change(&life, 'a', 'b', &again), TTG_OK);
	assert_memory_equal(&it, &again, sizeof(it));
	assert_int_equal(begin_as(&life, 'a'), TTG_OK);
	assert_true(signer_has_ended(life.signer));
	assert_int_equal(ask(&life), SIGNER_REFUSED);
	end(&life);
	assert_int_equal(begin_as(&life, 'b'), TTG_OK);
	assert_false(signer_has_ended(life.signer));
	assert_int_equal(before_of(life.signer), 3); /* the broker may have missed it */
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ask(&life), SIGNER_SIGNED);
		end(&life);
		assert_int_equal(begin_as(&life, 'b'), TTG_OK);
	}
	const struct seal_signed *newest = signer_last(life.signer);
	assert_true(seal_read(newest->text, newest->len, &last));
	assert_int_equal(last.number, 9);
	assert_int_equal(before_of(life.signer), 0); /* it was recorded, or there would be no seal by b */
	end(&life);
	assert_int_equal(begin_as(&life, 'a'), TTG_ECORRUPT); /* the state is the new key's */
	end(&life);
	assert_int_equal(begin_as(&life, 'c'), TTG_ECORRUPT);
	end(&life);
	memory_world_free(&life.memory);
}

static void nobody_hands_over_twice_or_for_nothing(void **state)
{
	struct life life = new_life(0);
	struct seal it;

	(void)state;
	assert_int_equal(change(&life, 'a', 'b', &it), TTG_EINVAL); /* nothing was signed */
	assert_int_equal(begin_as(&life, 'a'), TTG_OK);
	assert_int_equal(ask(&life), SIGNER_SIGNED);
	end(&life);
	assert_int_equal(change(&life, 'a', 'a', &it), TTG_EINVAL);
	assert_int_equal(change(&life, 'c', 'b', &it), TTG_ECORRUPT); /* another's state */
	assert_int_equal(change(&life, 'a', 'b', &it), TTG_OK);
	assert_int_equal(change(&life, 'a', 'c', &it), TTG_EINVAL);
	assert_int_equal(change(&life, 'b', 'c', &it), TTG_EINVAL); /* b has sealed nothing */
	assert_int_equal(begin_as(&life, 'b'), TTG_OK);
	assert_int_equal(ask(&life), SIGNER_SIGNED);
	end(&life);
	assert_int_equal(change(&life, 'b', 'c', &it), TTG_OK);
	assert_int_equal(it.number, 4);
	memory_world_free(&life.memory);
}

static enum signer_word offer(struct signer *signer, const struct seal_signed *it)
{
	char in[SIGNER_PACKET_MAX], out[SIGNER_PACKET_MAX];
	struct signer_reply reply;
	const size_t len = signer_put_take(it, in);

	signer_read_reply(out, signer_answer(signer, in, len, out), &reply);
	return reply.word;
}

/* The new signer lost its state: the broker gives the hand-over back. Later it would be a way to move it. */
static void a_hand_over_to_us_is_taken_back_while_there_is_nothing_else(void **state)
{
	const struct seal it = some_hand_over();
	struct seal later = it;
	struct signer *fresh = signer_new(receipts_key('b')), *other = signer_new(receipts_key('c'));
	struct signer *old = signer_new(receipts_key('a'));
	const struct seal_signed right = signed_by('a', &it), forged = signed_by('c', &it);

	(void)state;
	later.number = 100;
	bytes_of('c', later.from);
	const struct seal_signed much_later = signed_by('c', &later);
	assert_int_equal(offer(other, &right), SIGNER_REFUSED);
	assert_int_equal(offer(fresh, &forged), SIGNER_REFUSED);
	assert_int_equal(offer(fresh, &right), SIGNER_TAKEN);
	assert_int_equal(offer(fresh, &much_later), SIGNER_REFUSED);
	assert_int_equal(offer(old, &right), SIGNER_TAKEN); /* and the old one learns that it has ended */
	assert_true(signer_has_ended(old));
	signer_free(&fresh);
	signer_free(&other);
	signer_free(&old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_back_and_is_no_seal),
		cmocka_unit_test(a_changed_byte_is_no_other_way_to_say_the_same),
		cmocka_unit_test(what_no_hand_over_can_say_is_refused),
		cmocka_unit_test(it_stands_where_the_seal_before_ends),
		cmocka_unit_test(a_file_of_it_is_believed_when_the_key_it_is_from_signed_it),
		cmocka_unit_test(the_new_key_goes_on_and_the_old_one_signs_no_more),
		cmocka_unit_test(nobody_hands_over_twice_or_for_nothing),
		cmocka_unit_test(a_hand_over_to_us_is_taken_back_while_there_is_nothing_else),
	};

	return cmocka_run_group_tests_name("hand_over", tests, NULL, NULL);
}
