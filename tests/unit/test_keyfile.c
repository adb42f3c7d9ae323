/* Key files: what is written is read, and everything else is refused with a useful sentence. */
#include "unit.h"

#include "base/keyfile.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES (UNIT_DIRECTORY + 32)

/* The example of ZeroMQ RFC 26's test vectors. */
static const char public_z85[] = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
static const char secret_z85[] = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

struct fixture {
	char directory[UNIT_DIRECTORY];
	char path[PATH_BYTES];
	struct message message;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	unit_directory_make(fixture->directory);
	snprintf(fixture->path, sizeof(fixture->path), "%s/key", fixture->directory);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unit_directory_remove(fixture->directory);
	free(fixture);
	return 0;
}

static void put_file(const char *path, const char *text, size_t len, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static struct key_pair sample_pair(void)
{
	struct key_pair pair;

	memcpy(pair.public_z85, public_z85, sizeof(public_z85));
	memcpy(pair.secret_z85, secret_z85, sizeof(secret_z85));
	return pair;
}

static unsigned int mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void keys_come_back_and_their_files_have_the_right_mode(void **state)
{
	struct fixture *f = *state;
	struct key_pair pair = sample_pair();
	struct key_pair back;
	char z85[KEYFILE_Z85];
	uint8_t key[KEYFILE_SYMMETRIC];
	uint8_t key_back[KEYFILE_SYMMETRIC];

	assert_int_equal(keyfile_write_public(f->path, public_z85, &f->message), TTG_OK);
	assert_int_equal(mode_of(f->path), 0644);
	assert_int_equal(keyfile_read_public(f->path, z85, &f->message), TTG_OK);
	assert_string_equal(z85, public_z85);
	unlink(f->path);

	assert_int_equal(keyfile_write_secret(f->path, &pair, &f->message), TTG_OK);
	assert_int_equal(mode_of(f->path), 0600);
	assert_int_equal(keyfile_read_secret(f->path, &back, &f->message), TTG_OK);
	assert_memory_equal(&pair, &back, sizeof(pair));
	unlink(f->path);

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 37 + 5);
	assert_int_equal(keyfile_write_symmetric(f->path, key, &f->message), TTG_OK);
	assert_int_equal(mode_of(f->path), 0600);
	assert_int_equal(keyfile_read_symmetric(f->path, key_back, &f->message), TTG_OK);
	assert_memory_equal(key, key_back, sizeof(key));
}

static void the_bytes_of_a_secret_file_are_the_documented_ones(void **state)
{
	struct fixture *f = *state;
	struct key_pair pair = sample_pair();
	char expected[160];
	char text[160] = "";

	assert_int_equal(keyfile_write_secret(f->path, &pair, &f->message), TTG_OK);
	snprintf(expected, sizeof(expected), "ttg-secret-key v1\n%s\n%s\n", public_z85, secret_z85);
	FILE *file = fopen(f->path, "r");
	assert_non_null(file);
	assert_int_equal(fread(text, 1, sizeof(text) - 1, file), strlen(expected));
	fclose(file);
	assert_string_equal(text, expected);
}

static void a_key_is_never_overwritten(void **state)
{
	struct fixture *f = *state;
	struct key_pair pair = sample_pair();
	uint8_t key[KEYFILE_SYMMETRIC] = { 1 };
	char z85[KEYFILE_Z85];

	assert_int_equal(keyfile_write_public(f->path, public_z85, &f->message), TTG_OK);
	assert_int_equal(keyfile_write_public(f->path, secret_z85, &f->message), TTG_EEXIST);
	assert_int_equal(keyfile_write_secret(f->path, &pair, &f->message), TTG_EEXIST);
	assert_int_equal(keyfile_write_symmetric(f->path, key, &f->message), TTG_EEXIST);
	assert_non_null(strstr(f->message.text, f->path));
	assert_int_equal(keyfile_read_public(f->path, z85, &f->message), TTG_OK);
	assert_string_equal(z85, public_z85);
}

static void a_secret_that_others_may_read_is_refused(void **state)
{
	static const mode_t wrong[] = { 0640, 0604, 0660, 0601, 0620, 0644, 0777 };
	struct fixture *f = *state;
	struct key_pair pair = sample_pair();
	struct key_pair back;
	uint8_t key[KEYFILE_SYMMETRIC];

	assert_int_equal(keyfile_write_secret(f->path, &pair, &f->message), TTG_OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(chmod(f->path, wrong[i]), 0);
		assert_int_equal(keyfile_read_secret(f->path, &back, &f->message), TTG_EPERM);
		assert_non_null(strstr(f->message.text, f->path));
		assert_non_null(strstr(f->message.text, "0600"));
		assert_int_equal(keyfile_read_symmetric(f->path, key, &f->message), TTG_EPERM);
	}
	assert_int_equal(chmod(f->path, 0400), 0);
	assert_int_equal(keyfile_read_secret(f->path, &back, &f->message), TTG_OK);
}

static void damaged_files_are_refused_without_showing_their_bytes(void **state)
{
	struct fixture *f = *state;
	struct key_pair back;
	char good[160];
	char bad[160];
	int len =
	        snprintf(good, sizeof(good), "ttg-secret-key v1\n%s\n%s\n", public_z85, secret_z85);

	/* Cut anywhere. */
	for (int cut = 0; cut < len; cut++) {
		put_file(f->path, good, (size_t)cut, 0600);
		assert_int_equal(keyfile_read_secret(f->path, &back, &f->message), TTG_EFORMAT);
		assert_null(strstr(f->message.text, "D:)Q"));
	}
	/* Any byte changed to one that no key has. */
	for (int at = 0; at < len; at++) {
		memcpy(bad, good, (size_t)len);
		bad[at] = at % 2 ? '"' : '\0';
		put_file(f->path, bad, (size_t)len, 0600);
		assert_int_equal(keyfile_read_secret(f->path, &back, &f->message), TTG_EFORMAT);
	}
	/* Something behind it. */
	memcpy(bad, good, (size_t)len);
	bad[len] = '\n';
	put_file(f->path, bad, (size_t)len + 1, 0600);
	assert_int_equal(keyfile_read_secret(f->path, &back, &f->message), TTG_EFORMAT);
	put_file(f->path, good, (size_t)len, 0600);
	assert_int_equal(keyfile_read_secret(f->path, &back, &f->message), TTG_OK);
}

static void a_key_of_the_wrong_kind_is_refused(void **state)
{
	struct fixture *f = *state;
	struct key_pair pair = sample_pair();
	struct key_pair back;
	char z85[KEYFILE_Z85];
	uint8_t key[KEYFILE_SYMMETRIC];

	assert_int_equal(keyfile_write_secret(f->path, &pair, &f->message), TTG_OK);
	assert_int_equal(keyfile_read_public(f->path, z85, &f->message), TTG_EFORMAT);
	assert_non_null(strstr(f->message.text, "ttg-public-key v1"));
	assert_int_equal(keyfile_read_symmetric(f->path, key, &f->message), TTG_EFORMAT);
	unlink(f->path);
	assert_int_equal(keyfile_write_public(f->path, public_z85, &f->message), TTG_OK);
	assert_int_equal(chmod(f->path, 0600), 0);
	assert_int_equal(keyfile_read_secret(f->path, &back, &f->message), TTG_EFORMAT);
}

static void what_is_not_a_small_regular_file_is_refused(void **state)
{
	struct fixture *f = *state;
	char large[4096];
	char z85[KEYFILE_Z85];

	assert_int_equal(keyfile_read_public(f->path, z85, &f->message), TTG_ENOENT);
	assert_non_null(strstr(f->message.text, f->path));
	assert_int_equal(keyfile_read_public(f->directory, z85, &f->message), TTG_EFORMAT);
	/* A pipe must neither be taken nor block the start. */
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_int_equal(keyfile_read_public(f->path, z85, &f->message), TTG_EFORMAT);
	unlink(f->path);
	memset(large, 'a', sizeof(large));
	put_file(f->path, large, sizeof(large), 0600);
	assert_int_equal(keyfile_read_public(f->path, z85, &f->message), TTG_EFORMAT);
	put_file(f->path, "", 0, 0600);
	assert_int_equal(keyfile_read_public(f->path, z85, NULL), TTG_EFORMAT);
}

static void text_that_is_no_key_is_not_written(void **state)
{
	struct fixture *f = *state;
	char z85[KEYFILE_Z85];

	assert_int_equal(keyfile_write_public(f->path, "short", &f->message), TTG_EINVAL);
	memset(z85, '#', sizeof(z85) - 1); /* every group above 32 bits */
	z85[sizeof(z85) - 1] = '\0';
	assert_int_equal(keyfile_write_public(f->path, z85, &f->message), TTG_EINVAL);
	assert_int_not_equal(access(f->path, F_OK), 0);
}

static void wiping_leaves_zeros(void **state)
{
	uint8_t secret[5] = { 1, 2, 3, 4, 5 };
	static const uint8_t expected[5] = { 1, 0, 0, 0, 5 };

	(void)state;
	wipe(secret + 1, 3);
	assert_memory_equal(secret, expected, sizeof(secret));
	wipe(NULL, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_come_back_and_their_files_have_the_right_mode),
		TEST(the_bytes_of_a_secret_file_are_the_documented_ones),
		TEST(a_key_is_never_overwritten),
		TEST(a_secret_that_others_may_read_is_refused),
		TEST(damaged_files_are_refused_without_showing_their_bytes),
		TEST(a_key_of_the_wrong_kind_is_refused),
		TEST(what_is_not_a_small_regular_file_is_refused),
		TEST(text_that_is_no_key_is_not_written),
		cmocka_unit_test(wiping_leaves_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
