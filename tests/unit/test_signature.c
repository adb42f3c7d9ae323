/*
 * Ed25519 signatures are those of RFC 8032, and key files are what the openssl command writes and
 * reads; anything else is refused with a sentence.
 */
#include "unit.h"

#include "base/signature.h"
#include "support/folder.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND_MAX (3 * FOLDER_PATH)

/* RFC 8032, 7.1: TEST 1, TEST 2, TEST 3, TEST SHA(abc). */
static const struct {
	const char *seed, *public, *message, *signature;
} vectors[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	  "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	{ "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
	  "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	  "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
	  "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704" },
};

static size_t from_hex(const char *hex, uint8_t out[128])
{
	const size_t len = strlen(hex) / 2;

	assert_true(len <= 128);
	for (size_t i = 0; i < len; i++) {
		const char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		out[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return len;
}

static struct sign_key *some_key(void)
{
	uint8_t seed[128];
	struct sign_key *key = NULL;

	from_hex(vectors[0].seed, seed);
	key = sign_key_from_seed(seed);
	assert_non_null(key);
	return key;
}

static unsigned int mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static size_t read_all(const char *path, char *out, size_t max)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	const size_t len = fread(out, 1, max - 1, file);
	fclose(file);
	out[len] = '\0';
	return len;
}

/* Runs a shell command; true when it ended with 0. */
__attribute__((format(printf, 1, 2))) static bool ran(const char *format, ...)
{
	char command[COMMAND_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return system(command) == 0;
}

static void signatures_are_those_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		uint8_t seed[128], message[128], expected[128], signature[SIGNATURE_BYTES];
		const size_t len = from_hex(vectors[i].message, message);

		from_hex(vectors[i].seed, seed);
		from_hex(vectors[i].signature, expected);
		struct sign_key *key = sign_key_from_seed(seed);
		struct verify_key *public = verify_key_of(key);
		assert_non_null(public);
		for (int time = 0; time < 2; time++) {
			assert_true(sign_key_sign(key, message, len, signature));
			assert_memory_equal(signature, expected, SIGNATURE_BYTES);
			assert_true(verify_key_accepts(public, message, len, signature));
		}
		verify_key_free(&public);
		sign_key_free(&key);
		assert_null(public);
		assert_null(key);
	}
}

/* The public half of each vector, as the file the openssl command would make of it. */
static void the_public_half_is_the_one_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		uint8_t seed[128], public[128];
		char pem[SIGNATURE_PEM_MAX], path[FOLDER_PATH], raw[64];

		from_hex(vectors[i].seed, seed);
		from_hex(vectors[i].public, public);
		struct sign_key *key = sign_key_from_seed(seed);
		assert_true(sign_key_public(key, pem));
		sign_key_free(&key);
		folder_write(*state, "pub", pem);
		folder_path(*state, "pub", path);
		assert_true(ran("openssl pkey -pubin -in %s -outform DER | tail -c 32 >%s.raw", path,
				path));
		folder_path(*state, "pub.raw", path);
		assert_int_equal(read_all(path, raw, sizeof(raw)), 32);
		assert_memory_equal(raw, public, 32);
	}
}

static void a_changed_bit_of_message_or_signature_is_noticed(void **state)
{
	static const char text[] = "all of it counts";
	uint8_t signature[SIGNATURE_BYTES];
	char changed[sizeof(text)];
	struct sign_key *key = some_key();
	struct verify_key *public = verify_key_of(key);

	(void)state;
	assert_true(sign_key_sign(key, text, sizeof(text), signature));
	for (size_t bit = 0; bit < 8 * sizeof(text); bit++) {
		memcpy(changed, text, sizeof(text));
		changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
		assert_false(verify_key_accepts(public, changed, sizeof(text), signature));
	}
	for (size_t bit = 0; bit < (size_t)8 * SIGNATURE_BYTES; bit++) {
		signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(verify_key_accepts(public, text, sizeof(text), signature));
		signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_false(verify_key_accepts(public, text, sizeof(text) - 1, signature));
	assert_true(verify_key_accepts(public, text, sizeof(text), signature));
	verify_key_free(&public);
	sign_key_free(&key);
}

static void another_key_does_not_accept_it(void **state)
{
	uint8_t seed[SIGNATURE_SEED] = { 1 }, signature[SIGNATURE_BYTES];
	struct sign_key *key = some_key(), *other = sign_key_from_seed(seed);
	struct verify_key *public = verify_key_of(other);

	(void)state;
	assert_true(sign_key_sign(key, "x", 1, signature));
	assert_false(verify_key_accepts(public, "x", 1, signature));
	verify_key_free(&public);
	sign_key_free(&other);
	sign_key_free(&key);
}

static void a_pair_that_was_made_signs_and_accepts_and_openssl_reads_it(void **state)
{
	char secret[FOLDER_PATH], public[FOLDER_PATH], ours[512], theirs[512];
	uint8_t signature[SIGNATURE_BYTES];
	struct message message = { "" };
	struct sign_key *key = NULL;
	struct verify_key *accepts = NULL;

	folder_path(*state, "pair.key", secret);
	folder_path(*state, "pair.pub", public);
	assert_int_equal(signature_make(secret, public, &message), TTG_OK);
	assert_int_equal(mode_of(secret), 0600);
	assert_int_equal(mode_of(public), 0644);
	assert_int_equal(sign_key_read(secret, &key, &message), TTG_OK);
	assert_int_equal(verify_key_read(public, &accepts, &message), TTG_OK);
	assert_true(sign_key_sign(key, "abc", 3, signature));
	assert_true(verify_key_accepts(accepts, "abc", 3, signature));
	sign_key_free(&key);
	verify_key_free(&accepts);

	assert_true(ran("openssl pkey -in %s -pubout >%s.again", secret, public));
	read_all(public, ours, sizeof(ours));
	folder_path(*state, "pair.pub.again", public);
	read_all(public, theirs, sizeof(theirs));
	assert_string_equal(ours, theirs);
}

static void two_pairs_are_two_keys(void **state)
{
	char secret[2][FOLDER_PATH], public[FOLDER_PATH], text[2][512];
	struct message message = { "" };

	for (int i = 0; i < 2; i++) {
		folder_path(*state, i ? "two.key" : "one.key", secret[i]);
		folder_path(*state, i ? "two.pub" : "one.pub", public);
		assert_int_equal(signature_make(secret[i], public, &message), TTG_OK);
		read_all(public, text[i], sizeof(text[i]));
	}
	assert_string_not_equal(text[0], text[1]);
}

static void a_pair_of_the_openssl_command_is_read(void **state)
{
	char secret[FOLDER_PATH], public[FOLDER_PATH];
	uint8_t signature[SIGNATURE_BYTES];
	struct message message = { "" };
	struct sign_key *key = NULL;
	struct verify_key *accepts = NULL;

	folder_path(*state, "their.key", secret);
	folder_path(*state, "their.pub", public);
	assert_true(ran("openssl genpkey -algorithm ed25519 -out %s && chmod 600 %s", secret, secret));
	assert_true(ran("openssl pkey -in %s -pubout -out %s", secret, public));
	if (sign_key_read(secret, &key, &message) != TTG_OK ||
	    verify_key_read(public, &accepts, &message) != TTG_OK)
		must_fail("%s", message.text);
	assert_true(sign_key_sign(key, "abc", 3, signature));
	assert_true(verify_key_accepts(accepts, "abc", 3, signature));
	sign_key_free(&key);
	verify_key_free(&accepts);
}

static void must_refuse_secret(const char *path, const char *reason)
{
	struct message message = { "" };
	struct sign_key *key = NULL;

	assert_int_equal(sign_key_read(path, &key, &message), TTG_EFORMAT);
	assert_null(key);
	assert_non_null(strstr(message.text, path));
	if (!strstr(message.text, reason))
		must_fail("no \"%s\" in: %s", reason, message.text);
}

static void a_key_of_another_kind_is_refused(void **state)
{
	static const char *const kinds[] = { "-algorithm x25519", "-algorithm ed448",
					     "-algorithm EC -pkeyopt ec_paramgen_curve:P-256" };
	struct message message = { "" };
	struct verify_key *key = NULL;
	char path[FOLDER_PATH], public[FOLDER_PATH];

	folder_path(*state, "key", path);
	folder_path(*state, "pub", public);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		assert_true(ran("openssl genpkey %s -out %s", kinds[i], path));
		assert_int_equal(chmod(path, 0600), 0);
		must_refuse_secret(path, "another kind");
		assert_true(ran("openssl pkey -in %s -pubout -out %s", path, public));
		assert_int_equal(verify_key_read(public, &key, &message), TTG_EFORMAT);
		assert_non_null(strstr(message.text, "another kind"));
	}
}

static void an_encrypted_key_is_refused_and_nobody_is_asked(void **state)
{
	char path[FOLDER_PATH];

	folder_path(*state, "key", path);
	assert_true(ran("openssl genpkey -algorithm ed25519 -aes256 -pass pass:word -out %s", path));
	assert_int_equal(chmod(path, 0600), 0);
	must_refuse_secret(path, "encrypted");
	assert_true(ran("openssl genpkey -algorithm ed25519 | openssl pkcs8 -topk8 -passout pass: -out %s",
			path));
	assert_int_equal(chmod(path, 0600), 0);
	must_refuse_secret(path, "encrypted");
}

static void the_halves_are_not_taken_for_each_other(void **state)
{
	char secret[FOLDER_PATH], public[FOLDER_PATH];
	struct message message = { "" };
	struct verify_key *key = NULL;

	folder_path(*state, "pair.key", secret);
	folder_path(*state, "pair.pub", public);
	assert_int_equal(signature_make(secret, public, &message), TTG_OK);
	assert_int_equal(verify_key_read(secret, &key, &message), TTG_EFORMAT);
	assert_null(key);
	assert_non_null(strstr(message.text, "secret"));
	assert_int_equal(chmod(public, 0600), 0);
	must_refuse_secret(public, "not a secret");
}

static void nothing_is_ever_overwritten(void **state)
{
	char secret[FOLDER_PATH], public[FOLDER_PATH], text[64];
	struct message message = { "" };

	folder_path(*state, "pair.key", secret);
	folder_path(*state, "pair.pub", public);
	folder_write(*state, "pair.pub", "mine");
	assert_int_equal(signature_make(secret, public, &message), TTG_EEXIST);
	assert_non_null(strstr(message.text, public));
	assert_int_not_equal(access(secret, F_OK), 0);
	assert_int_equal(unlink(public), 0);

	folder_write(*state, "pair.key", "mine");
	assert_int_equal(signature_make(secret, public, &message), TTG_EEXIST);
	assert_non_null(strstr(message.text, secret));
	assert_int_not_equal(access(public, F_OK), 0);
	assert_int_equal(read_all(secret, text, sizeof(text)), 4);
}

static void a_pair_that_cannot_be_whole_is_not_there(void **state)
{
	char secret[FOLDER_PATH], public[FOLDER_PATH];
	struct message message = { "" };

	folder_path(*state, "pair.key", secret);
	folder_path(*state, "no-such-folder/pair.pub", public);
	assert_int_equal(signature_make(secret, public, &message), TTG_ENOENT);
	assert_non_null(strstr(message.text, public));
	assert_int_not_equal(access(secret, F_OK), 0);
	/* Nor where both have one name. */
	assert_int_equal(signature_make(secret, secret, &message), TTG_EEXIST);
	assert_int_not_equal(access(secret, F_OK), 0);
}

static void a_secret_that_others_may_read_is_refused(void **state)
{
	static const mode_t wrong[] = { 0640, 0604, 0660, 0601, 0620, 0644, 0777 };
	char secret[FOLDER_PATH], public[FOLDER_PATH];
	struct message message = { "" };
	struct sign_key *key = NULL;

	folder_path(*state, "pair.key", secret);
	folder_path(*state, "pair.pub", public);
	assert_int_equal(signature_make(secret, public, &message), TTG_OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(chmod(secret, wrong[i]), 0);
		assert_int_equal(sign_key_read(secret, &key, &message), TTG_EPERM);
		assert_null(key);
		assert_non_null(strstr(message.text, secret));
		assert_non_null(strstr(message.text, "0600"));
	}
	assert_int_equal(chmod(secret, 0400), 0);
	assert_int_equal(sign_key_read(secret, &key, &message), TTG_OK);
	sign_key_free(&key);
}

/* Cut anywhere, any bit changed, something behind it: refused, or the file of another key. */
static void damaged_files_are_refused_without_showing_their_bytes(void **state)
{
	char path[FOLDER_PATH], public[FOLDER_PATH], good[512], bad[512], secret_part[9];
	struct message message = { "" };
	struct sign_key *key = NULL;
	unsigned refused = 0;

	folder_path(*state, "pair.key", path);
	folder_path(*state, "pair.pub", public);
	assert_int_equal(signature_make(path, public, &message), TTG_OK);
	const size_t len = read_all(path, good, sizeof(good));
	memcpy(secret_part, good + 60, 8);
	secret_part[8] = '\0';
	for (size_t cut = 0; cut < len; cut++) {
		folder_write_bytes(*state, "pair.key", good, cut);
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(sign_key_read(path, &key, &message), TTG_EFORMAT);
		assert_null(strstr(message.text, secret_part));
	}
	for (size_t bit = 0; bit < 8 * len; bit++) {
		memcpy(bad, good, len);
		bad[bit / 8] = (char)(bad[bit / 8] ^ (1 << bit % 8));
		folder_write_bytes(*state, "pair.key", bad, len);
		assert_int_equal(chmod(path, 0600), 0);
		if (sign_key_read(path, &key, &message) != TTG_OK)
			refused++;
		assert_null(strstr(message.text, secret_part));
		sign_key_free(&key);
	}
	assert_true(refused > 8 * 55 + 8 * 20); /* what is no digit of the secret */
	memcpy(bad, good, len);
	bad[len] = '\n';
	folder_write_bytes(*state, "pair.key", bad, len + 1);
	assert_int_equal(chmod(path, 0600), 0);
	must_refuse_secret(path, "not a secret");
}

static void append_file(const char *to, const char *from)
{
	assert_true(ran("cat %s >>%s", from, to));
}

/* NUMBER.key and NUMBER.pub; the key. */
static struct sign_key *made_key(const struct folder *folder, int number, char public[FOLDER_PATH])
{
	char name[16], secret[FOLDER_PATH];
	struct sign_key *key = NULL;
	struct message message = { "" };

	snprintf(name, sizeof(name), "%d.key", number);
	folder_path(folder, name, secret);
	snprintf(name, sizeof(name), "%d.pub", number);
	folder_path(folder, name, public);
	assert_int_equal(signature_make(secret, public, &message), TTG_OK);
	assert_int_equal(sign_key_read(secret, &key, &message), TTG_OK);
	return key;
}

/* One behind the other: what one of them accepts is accepted, and which it was is known. */
static void a_file_may_hold_several_public_keys(void **state)
{
	struct verify_key *keys = NULL;
	struct sign_key *signer[3];
	uint8_t signature[SIGNATURE_BYTES], which[SIGNATURE_PUBLIC], own[SIGNATURE_PUBLIC];
	char all[FOLDER_PATH], public[FOLDER_PATH];
	struct message message = { "" };

	folder_path(*state, "all", all);
	for (int i = 0; i < 3; i++) {
		signer[i] = made_key(*state, i, public);
		if (i < 2)
			append_file(all, public);
	}
	assert_int_equal(verify_key_read(all, &keys, &message), TTG_OK);
	for (int i = 0; i < 3; i++) {
		assert_true(sign_key_sign(signer[i], "said", 4, signature));
		sign_key_raw(signer[i], own);
		assert_true(verify_key_has(keys, own) == (i < 2));
		assert_true(verify_key_accepts(keys, "said", 4, signature) == (i < 2));
		assert_true(verify_key_which(keys, "said", 4, signature, which) == (i < 2));
		if (i < 2)
			assert_memory_equal(which, own, SIGNATURE_PUBLIC);
		sign_key_free(&signer[i]);
	}
	verify_key_free(&keys);
}

/* Each is as strictly read as one alone, and there may not be more than there is room for. */
static void several_public_keys_are_read_like_one(void **state)
{
	char all[FOLDER_PATH], public[FOLDER_PATH], secret[FOLDER_PATH];
	struct verify_key *keys = NULL;
	struct message message = { "" };
	struct stat first;

	folder_path(*state, "all", all);
	for (int i = 0; i <= (int)VERIFY_KEYS_MAX; i++) {
		struct sign_key *key = made_key(*state, i, public);

		sign_key_free(&key);
		append_file(all, public);
		if (i == 0)
			assert_int_equal(stat(all, &first), 0);
		assert_int_equal(verify_key_read(all, &keys, &message),
				 i < (int)VERIFY_KEYS_MAX ? TTG_OK : TTG_ENOMEM);
		verify_key_free(&keys);
	}
	for (off_t bytes = 2 * first.st_size - 1; bytes > first.st_size; bytes--) {
		assert_int_equal(truncate(all, bytes), 0);
		assert_int_equal(verify_key_read(all, &keys, &message), TTG_EFORMAT);
		assert_null(keys);
	}
	assert_int_equal(truncate(all, first.st_size), 0);
	assert_int_equal(verify_key_read(all, &keys, &message), TTG_OK);
	verify_key_free(&keys);
	folder_path(*state, "0.key", secret);
	append_file(all, secret);
	assert_int_equal(verify_key_read(all, &keys, &message), TTG_EFORMAT);
}

static void what_is_not_a_small_regular_file_is_refused(void **state)
{
	char path[FOLDER_PATH], large[8192];
	struct message message = { "" };
	struct sign_key *key = NULL;
	struct verify_key *public = NULL;

	folder_path(*state, "key", path);
	assert_int_equal(sign_key_read(path, &key, &message), TTG_ENOENT);
	assert_int_equal(verify_key_read(path, &public, NULL), TTG_ENOENT);
	/* A pipe must neither be taken nor block the start. */
	assert_int_equal(mkfifo(path, 0600), 0);
	must_refuse_secret(path, "regular");
	assert_int_equal(unlink(path), 0);
	memset(large, 'a', sizeof(large));
	folder_write_bytes(*state, "key", large, sizeof(large));
	assert_int_equal(chmod(path, 0600), 0);
	must_refuse_secret(path, "too long");
	assert_int_equal(verify_key_read(path, &public, &message), TTG_EFORMAT);
	folder_write(*state, "key", "");
	assert_int_equal(chmod(path, 0600), 0);
	must_refuse_secret(path, "not a secret");
	assert_int_equal(verify_key_read(path, &public, &message), TTG_EFORMAT);
	assert_null(public);
}

/* One text for one signature, and the other way round. */
static void base64_has_one_form(void **state)
{
	uint8_t bytes[SIGNATURE_BYTES], back[SIGNATURE_BYTES];
	char text[SIGNATURE_BASE64], again[SIGNATURE_BASE64], longer[SIGNATURE_BASE64 + 4];
	unsigned taken = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 251);
	signature_to_base64(bytes, text);
	assert_int_equal(strlen(text), SIGNATURE_BASE64 - 1);
	assert_true(signature_from_base64(text, strlen(text), back));
	assert_memory_equal(back, bytes, sizeof(bytes));
	for (size_t i = 0; i < strlen(text); i++) {
		const char was = text[i];

		assert_false(signature_from_base64(text, i, back));
		for (int byte = 0; byte < 256; byte++) {
			text[i] = (char)byte;
			if ((char)byte == was || !signature_from_base64(text, strlen(text), back))
				continue;
			taken++;
			signature_to_base64(back, again);
			assert_string_equal(again, text);
		}
		text[i] = was;
	}
	assert_int_equal(taken, 85 * 63 + 3); /* the last digit but the padding holds two bits */
	snprintf(longer, sizeof(longer), "%s\n", text);
	assert_false(signature_from_base64(longer, strlen(longer), back));
	snprintf(longer, sizeof(longer), " %s", text);
	assert_false(signature_from_base64(longer, SIGNATURE_BASE64 - 1, back));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_those_of_the_rfc),
		TEST(the_public_half_is_the_one_of_the_rfc),
		cmocka_unit_test(a_changed_bit_of_message_or_signature_is_noticed),
		cmocka_unit_test(another_key_does_not_accept_it),
		TEST(a_pair_that_was_made_signs_and_accepts_and_openssl_reads_it),
		TEST(two_pairs_are_two_keys),
		TEST(a_pair_of_the_openssl_command_is_read),
		TEST(a_key_of_another_kind_is_refused),
		TEST(an_encrypted_key_is_refused_and_nobody_is_asked),
		TEST(the_halves_are_not_taken_for_each_other),
		TEST(nothing_is_ever_overwritten),
		TEST(a_pair_that_cannot_be_whole_is_not_there),
		TEST(a_secret_that_others_may_read_is_refused),
		TEST(damaged_files_are_refused_without_showing_their_bytes),
		TEST(a_file_may_hold_several_public_keys),
		TEST(several_public_keys_are_read_like_one),
		TEST(what_is_not_a_small_regular_file_is_refused),
		cmocka_unit_test(base64_has_one_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
