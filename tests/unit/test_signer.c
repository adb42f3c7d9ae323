/*
 * The signer: no two seals of one number ever leave it, whatever comes in; what the broker's half
 * writes it understands, and the other way round.
 */
#include "unit.h"

#include "evidence/signer.h"

#include <string.h>

struct fixture {
	struct signer *signer;
	struct hasher *hasher;
	struct seal seal; /* the next one to ask for */
	char in[SIGNER_PACKET_MAX], out[SIGNER_PACKET_MAX];
	struct signer_reply reply;
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

static struct seal first_seal(void)
{
	struct seal seal = { .number = 1, .first = 5, .last = 9, .events = 3, .sealed_ns = 1 };

	memset(seal.journal, 0x0a, sizeof(seal.journal));
	return seal;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->signer = signer_of(1);
	f->hasher = hasher_new();
	assert_non_null(f->hasher);
	f->seal = first_seal();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	signer_free(&f->signer);
	hasher_free(&f->hasher);
	free(f);
	return 0;
}

/* Gives the packet of f->in to a signer; the word it answers with. */
static enum signer_word tell(struct fixture *f, struct signer *signer, size_t len)
{
	const size_t answered = signer_answer(signer, f->in, len, f->out);

	assert_in_range(answered, 1, SIGNER_PACKET_MAX);
	signer_read_reply(f->out, answered, &f->reply);
	assert_int_not_equal(f->reply.word, SIGNER_GIBBERISH);
	return f->reply.word;
}

static enum signer_word ask_sign(struct fixture *f, struct signer *signer, const struct seal *seal,
				 struct seal_signed *out)
{
	out->len = seal_write(seal, out->text);
	const enum signer_word word = tell(f, signer, signer_put_sign(out->text, out->len, f->in));

	memcpy(out->signature, f->reply.seal.signature, SEAL_SIGNATURE);
	return word;
}

static void must_be_refused(struct fixture *f, const struct seal *seal, const char *reason)
{
	struct seal_signed tried;

	assert_int_equal(ask_sign(f, f->signer, seal, &tried), SIGNER_REFUSED);
	if (!strstr(f->reply.text, reason))
		fail_msg("no \"%s\" in \"%s\"", reason, f->reply.text);
}

/* Makes f->seal the one that follows `before`. */
static void go_on(struct fixture *f, const struct seal_signed *before)
{
	f->seal.number++;
	f->seal.first = f->seal.last + 1;
	f->seal.last += 10;
	assert_true(hasher_sum(f->hasher, before->text, before->len, f->seal.before));
}

/* Signs n seals; the last of them in out. */
static void must_sign(struct fixture *f, struct signer *signer, int n, struct seal_signed *out)
{
	for (int i = 0; i < n; i++) {
		if (ask_sign(f, signer, &f->seal, out) != SIGNER_SIGNED)
			fail_msg("seal %llu: %s", (unsigned long long)f->seal.number, f->reply.text);
		go_on(f, out);
	}
}

static void must_have_last(struct signer *signer, const struct seal_signed *expected)
{
	const struct seal_signed *last = signer_last(signer);

	assert_non_null(last);
	assert_int_equal(last->len, expected->len);
	assert_memory_equal(last->text, expected->text, expected->len);
	assert_memory_equal(last->signature, expected->signature, SEAL_SIGNATURE);
}

static void a_seal_that_follows_is_signed_with_our_key(void **state)
{
	struct fixture *f = *state;
	uint8_t seed[SIGNATURE_SEED];
	struct seal_signed seal;

	memset(seed, 1, sizeof(seed));
	struct sign_key *key = sign_key_from_seed(seed);
	struct verify_key *public = verify_key_of(key);
	assert_null(signer_last(f->signer));
	for (int i = 0; i < 20; i++) {
		must_sign(f, f->signer, 1, &seal);
		assert_true(verify_key_accepts(public, seal.text, seal.len, seal.signature));
		must_have_last(f->signer, &seal);
	}
	verify_key_free(&public);
	sign_key_free(&key);
}

static void the_same_seal_again_gets_the_same_signature(void **state)
{
	struct fixture *f = *state;
	struct seal_signed seal, again;
	struct seal same;

	must_sign(f, f->signer, 2, &seal);
	assert_true(seal_read(seal.text, seal.len, &same));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask_sign(f, f->signer, &same, &again), SIGNER_SIGNED);
		assert_memory_equal(again.signature, seal.signature, SEAL_SIGNATURE);
		must_have_last(f->signer, &seal);
	}
}

static void no_number_is_signed_twice(void **state)
{
	struct fixture *f = *state;
	struct seal_signed first, second;
	struct seal of_first = f->seal, of_second, other;

	must_sign(f, f->signer, 1, &first);
	of_second = f->seal;
	must_sign(f, f->signer, 1, &second);
	must_be_refused(f, &of_first, "number"); /* even one that was signed, once others are */
	other = of_second;
	other.sealed_ns++;
	must_be_refused(f, &other, "number");
	other = of_second;
	other.root[31] ^= 1;
	must_be_refused(f, &other, "number");
	other = of_first;
	other.chain[0] ^= 1;
	must_be_refused(f, &other, "number");
	must_have_last(f->signer, &second);
}

static void what_does_not_follow_is_refused_with_the_reason(void **state)
{
	struct fixture *f = *state;
	struct seal_signed last;
	struct seal wrong = f->seal;

	wrong.number = 2;
	must_be_refused(f, &wrong, "number");
	wrong = f->seal;
	wrong.before[0] = 1;
	must_be_refused(f, &wrong, "before");
	assert_null(signer_last(f->signer));
	must_sign(f, f->signer, 3, &last);
	wrong = f->seal;
	wrong.number++;
	must_be_refused(f, &wrong, "number");
	wrong = f->seal;
	wrong.first--;
	must_be_refused(f, &wrong, "first");
	wrong = f->seal;
	wrong.before[5] ^= 4;
	must_be_refused(f, &wrong, "before");
	wrong = f->seal;
	wrong.journal[5] ^= 4;
	must_be_refused(f, &wrong, "journal");
	must_have_last(f->signer, &last);
	must_sign(f, f->signer, 1, &last);
}

static void the_last_seal_is_told(void **state)
{
	struct fixture *f = *state;
	struct seal_signed seal;

	assert_int_equal(tell(f, f->signer, signer_put_last(f->in)), SIGNER_NONE);
	must_sign(f, f->signer, 2, &seal);
	assert_int_equal(tell(f, f->signer, signer_put_last(f->in)), SIGNER_LAST);
	assert_int_equal(f->reply.seal.len, seal.len);
	assert_memory_equal(f->reply.seal.text, seal.text, seal.len);
	assert_memory_equal(f->reply.seal.signature, seal.signature, SEAL_SIGNATURE);
}

static void the_public_key_is_told(void **state)
{
	struct fixture *f = *state;
	uint8_t seed[SIGNATURE_SEED];
	char pem[SIGNATURE_PEM_MAX];

	memset(seed, 1, sizeof(seed));
	struct sign_key *key = sign_key_from_seed(seed);
	assert_true(sign_key_public(key, pem));
	assert_int_equal(tell(f, f->signer, signer_put_public(f->in)), SIGNER_PUBLIC);
	assert_string_equal(f->reply.text, pem);
	sign_key_free(&key);
}

static void a_forgotten_seal_is_taken_back_and_followed(void **state)
{
	struct fixture *f = *state;
	struct signer *forgetful = signer_of(1);
	struct seal_signed early, late, next;

	must_sign(f, f->signer, 2, &early);
	must_sign(f, f->signer, 3, &late);
	/* From nothing, and from an older one. */
	assert_int_equal(tell(f, forgetful, signer_put_take(&early, f->in)), SIGNER_TAKEN);
	must_have_last(forgetful, &early);
	assert_int_equal(tell(f, forgetful, signer_put_take(&late, f->in)), SIGNER_TAKEN);
	must_have_last(forgetful, &late);
	must_sign(f, forgetful, 1, &next);
	signer_free(&forgetful);
}

static void only_a_later_seal_of_ours_is_taken(void **state)
{
	struct fixture *f = *state;
	struct signer *stranger = signer_of(2), *elsewhere = signer_of(1);
	struct seal_signed early, last, other;
	struct seal seal = first_seal();

	must_sign(f, f->signer, 1, &early);
	must_sign(f, f->signer, 1, &last);
	assert_int_equal(tell(f, f->signer, signer_put_take(&early, f->in)), SIGNER_REFUSED);
	assert_int_equal(tell(f, f->signer, signer_put_take(&last, f->in)), SIGNER_REFUSED);
	assert_non_null(strstr(f->reply.text, "number"));

	assert_int_equal(ask_sign(f, stranger, &seal, &other), SIGNER_SIGNED);
	assert_int_equal(tell(f, elsewhere, signer_put_take(&other, f->in)), SIGNER_REFUSED);
	assert_non_null(strstr(f->reply.text, "not ours"));
	assert_null(signer_last(elsewhere));

	/* Our key's, of another journal, further on. */
	f->seal = first_seal();
	f->seal.journal[0] ^= 1;
	must_sign(f, elsewhere, 5, &other);
	assert_int_equal(tell(f, f->signer, signer_put_take(&other, f->in)), SIGNER_REFUSED);
	assert_non_null(strstr(f->reply.text, "journal"));
	must_have_last(f->signer, &last);
	signer_free(&stranger);
	signer_free(&elsewhere);
}

static void a_resumed_signer_goes_on_where_it_was(void **state)
{
	struct fixture *f = *state;
	struct signer *resumed = signer_of(1);
	struct seal_signed last, next, old;
	struct seal of_last;

	must_sign(f, f->signer, 4, &last);
	assert_true(signer_resume(resumed, signer_last(f->signer)));
	must_have_last(resumed, &last);
	assert_true(seal_read(last.text, last.len, &of_last));
	of_last.sealed_ns++;
	assert_int_equal(ask_sign(f, resumed, &of_last, &old), SIGNER_REFUSED);
	must_sign(f, resumed, 1, &next);
	signer_free(&resumed);
}

static void what_is_not_ours_is_not_resumed(void **state)
{
	struct fixture *f = *state;
	struct signer *stranger = signer_of(2), *resumed = signer_of(1);
	struct seal_signed last, wrong;

	must_sign(f, f->signer, 1, &last);
	assert_false(signer_resume(stranger, &last));
	for (size_t bit = 0; bit < 8 * last.len; bit++) {
		wrong = last;
		wrong.text[bit / 8] = (char)(wrong.text[bit / 8] ^ (1 << bit % 8));
		assert_false(signer_resume(resumed, &wrong));
	}
	for (size_t len = 0; len < last.len; len++) {
		wrong = last;
		wrong.len = len;
		assert_false(signer_resume(resumed, &wrong));
	}
	assert_null(signer_last(resumed));
	assert_true(signer_resume(resumed, &last));
	signer_free(&stranger);
	signer_free(&resumed);
}

/* Is what was answered right for a signer that knew `before` and knows its last one now? */
static void must_have_kept_its_word(struct fixture *f, const struct signer *signer, size_t before)
{
	const struct seal_signed *last = signer_last(signer);
	struct seal seal;

	if (f->reply.word == SIGNER_REFUSED || f->reply.word == SIGNER_NONE ||
	    f->reply.word == SIGNER_LAST || f->reply.word == SIGNER_PUBLIC) {
		assert_true(before == 0 ? !last : last != NULL);
	}
	if (last) {
		assert_true(seal_read(last->text, last->len, &seal));
		assert_true(seal.number == before ||
			    (seal.number == before + 1 && f->reply.word == SIGNER_SIGNED));
	}
}

/*
 * Every prefix and every flipped bit of each packet: refused, or a seal that follows as well. A take
 * with a flipped bit is never taken.
 */
static void a_damaged_packet_never_moves_it_but_by_one_rightly_signed(void **state)
{
	struct fixture *f = *state;
	struct seal_signed last, later, text;
	char packets[4][SIGNER_PACKET_MAX];
	size_t lens[4], signed_others = 0;

	must_sign(f, f->signer, 2, &last);
	text.len = seal_write(&f->seal, text.text);
	lens[0] = signer_put_sign(text.text, text.len, packets[0]);
	must_sign(f, f->signer, 1, &later);
	lens[1] = signer_put_take(&later, packets[1]);
	lens[2] = signer_put_last(packets[2]);
	lens[3] = signer_put_public(packets[3]);
	for (int i = 0; i < 4; i++) {
		for (size_t n = 0; n < lens[i] + 8 * lens[i]; n++) {
			const bool cut = n < lens[i];
			const size_t bit = n - lens[i];
			struct signer *signer = NULL;

			memcpy(f->in, packets[i], lens[i]);
			if (!cut)
				f->in[bit / 8] = (char)(f->in[bit / 8] ^ (1 << bit % 8));
			signer = signer_of(1);
			assert_true(signer_resume(signer, &last));
			tell(f, signer, cut ? n : lens[i]);
			assert_int_not_equal(f->reply.word, SIGNER_TAKEN);
			must_have_kept_its_word(f, signer, 2);
			if (f->reply.word == SIGNER_SIGNED)
				signed_others++;
			else
				must_have_last(signer, &last);
			signer_free(&signer);
		}
	}
	assert_true(signed_others > 100); /* other roots, chains, times: all for number 3 */
}

static void garbage_is_refused_and_changes_nothing(void **state)
{
	static const char *const words[] = { "",	  "\n",	     "last",	   "LAST\n",
					     "last\n\n",  "last\npublic\n", "public\nlast\n",
					     "sign\n",	  "take\n",  "sign\nlast\n", "signed\n",
					     "refused\n", "none\n",  "take\n\n\n" };
	struct fixture *f = *state;
	uint64_t seed = unit_seed("garbage");
	struct seal_signed last;

	must_sign(f, f->signer, 1, &last);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		memcpy(f->in, words[i], strlen(words[i]));
		assert_int_equal(tell(f, f->signer, strlen(words[i])), SIGNER_REFUSED);
	}
	for (int i = 0; i < 20000; i++) {
		const size_t len = unit_random(&seed) % (SIGNER_PACKET_MAX + 1);

		for (size_t at = 0; at < len; at++)
			f->in[at] = (char)unit_random(&seed);
		if (i % 3 == 0 && len > 5)
			memcpy(f->in, i % 2 ? "sign\n" : "take\n", 5);
		assert_int_equal(tell(f, f->signer, len), SIGNER_REFUSED);
	}
	/* Longer than a packet may be: not looked at. */
	assert_int_equal(tell(f, f->signer, SIGNER_PACKET_MAX + 1), SIGNER_REFUSED);
	must_have_last(f->signer, &last);
}

/* The broker's half: what no signer says is gibberish, and nothing of it is believed. */
static void no_part_of_an_answer_is_one(void **state)
{
	struct fixture *f = *state;
	static const struct signer_reply nothing = { .word = SIGNER_GIBBERISH };
	struct seal_signed last;
	struct signer_reply reply;

	must_sign(f, f->signer, 2, &last);
	for (int i = 0; i < 3; i++) {
		const size_t asked = i == 0 ? signer_put_last(f->in) :
				     i == 1 ? signer_put_sign(last.text, last.len, f->in) :
					      signer_put_take(&last, f->in);
		const size_t len = signer_answer(f->signer, f->in, asked, f->out);

		for (size_t cut = 0; cut < len; cut++) {
			signer_read_reply(f->out, cut, &reply);
			assert_memory_equal(&reply, &nothing, sizeof(reply));
		}
		signer_read_reply(f->out, len, &reply);
		assert_int_not_equal(reply.word, SIGNER_GIBBERISH);
		f->out[len] = '\n';
		signer_read_reply(f->out, len + 1, &reply);
		assert_int_equal(reply.word, SIGNER_GIBBERISH);
		f->out[len] = '\0';
		signer_read_reply(f->out, len + 1, &reply);
		assert_int_equal(reply.word, SIGNER_GIBBERISH);
	}
}

static void an_answer_of_another_form_is_gibberish(void **state)
{
	static const char *const wrong[] = {
		"",		"none",		   "none\nnone\n",   "taken",	  "taken\n\n",
		"refused\n",	"refused\n\n",	   "refused\na\nb\n", "refused\na\tb\n",
		"public\n",	"public\nPEM\n",   "signed\n",	      "signed\nAAAA\n", "last\n",
		"public\n-----BEGIN PRIVATE KEY-----\nx\n", "public\n-----BEGIN PUBLIC KEY-----\n",
	};
	char longest[SIGNER_PACKET_MAX] = "refused\n";
	struct signer_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		signer_read_reply(wrong[i], strlen(wrong[i]), &reply);
		if (reply.word != SIGNER_GIBBERISH)
			fail_msg("number %zu is understood: %s", i, wrong[i]);
	}
	signer_read_reply("refused\nwhy\n", 12, &reply);
	assert_int_equal(reply.word, SIGNER_REFUSED);
	assert_string_equal(reply.text, "why");
	/* A reason has room for so much. */
	memset(longest + 8, 'x', sizeof(longest) - 8);
	longest[8 + SIGNATURE_PEM_MAX - 2] = '\n';
	signer_read_reply(longest, 8 + SIGNATURE_PEM_MAX - 1, &reply);
	assert_int_equal(reply.word, SIGNER_REFUSED);
	assert_int_equal(strlen(reply.text), SIGNATURE_PEM_MAX - 2);
	longest[8 + SIGNATURE_PEM_MAX - 2] = 'x';
	longest[8 + SIGNATURE_PEM_MAX - 1] = '\n';
	signer_read_reply(longest, 8 + SIGNATURE_PEM_MAX, &reply);
	assert_int_equal(reply.word, SIGNER_GIBBERISH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_seal_that_follows_is_signed_with_our_key),
		TEST(the_same_seal_again_gets_the_same_signature),
		TEST(no_number_is_signed_twice),
		TEST(what_does_not_follow_is_refused_with_the_reason),
		TEST(the_last_seal_is_told),
		TEST(the_public_key_is_told),
		TEST(a_forgotten_seal_is_taken_back_and_followed),
		TEST(only_a_later_seal_of_ours_is_taken),
		TEST(a_resumed_signer_goes_on_where_it_was),
		TEST(what_is_not_ours_is_not_resumed),
		TEST(a_damaged_packet_never_moves_it_but_by_one_rightly_signed),
		TEST(garbage_is_refused_and_changes_nothing),
		TEST(no_part_of_an_answer_is_one),
		TEST(an_answer_of_another_form_is_gibberish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
