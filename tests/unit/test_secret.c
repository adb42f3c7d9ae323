/* Memory for keys: what the kernel says of its pages, and what happens at their edges and to their bytes. */
#include "unit.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/secret.h"

#define BYTES 5000u /* more than a page, and no multiple of 16 */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true /* such a build locks nothing */
#else
#define SANITIZED false
#endif

/* What /proc/self/smaps calls the mapping that holds this byte; false: there is none. */
static bool read_flags(const void *at, char *out, size_t room)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long long from, to;
	bool inside = false, found = false;
	char line[512];

	assert_non_null(file);
	while (!found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx-%llx ", &from, &to) == 2)
			inside = from <= (uintptr_t)at && (uintptr_t)at < to;
		found = inside && strncmp(line, "VmFlags:", 8) == 0;
	}
	fclose(file);
	if (found)
		snprintf(out, room, "%s", line);
	return found;
}

static void it_is_locked_not_dumped_and_wiped_in_a_child(void **state)
{
	unsigned char *secret = secret_new(BYTES);
	char flags[512];

	(void)state;
	assert_non_null(secret);
	for (size_t i = 0; i < BYTES; i += BYTES - 1) {
		assert_true(read_flags(secret + i, flags, sizeof(flags)));
		assert_non_null(strstr(flags, " rd wr "));
		assert_non_null(strstr(flags, " dd")); /* not in a core */
		assert_non_null(strstr(flags, " wf")); /* wiped on fork */
		if (!SANITIZED)
			assert_non_null(strstr(flags, " lo")); /* locked */
	}
	secret_free(secret);
}

static void it_holds_zeros_then_what_is_put_there(void **state)
{
	static const size_t lengths[] = { 1, 16, 32, 4064, 4072, 4080, 4096, 4097, BYTES, 200000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		unsigned char *secret = secret_new(lengths[i]), *other = secret_new(lengths[i]);

		assert_non_null(secret);
		assert_non_null(other);
		assert_int_equal((uintptr_t)secret % 16, 0);
		for (size_t n = 0; n < lengths[i]; n++)
			assert_int_equal(secret[n], 0);
		memset(secret, 0x5a, lengths[i]);
		memset(other, 0xa5, lengths[i]);
		for (size_t n = 0; n < lengths[i]; n++)
			assert_int_equal(secret[n], 0x5a);
		secret_free(other);
		secret_free(secret);
	}
	assert_null(secret_new(0));
	assert_null(secret_new(SIZE_MAX));
	secret_free(NULL);
}

/* How a child that does this ends, as waitpid() says. */
static int child(void (*does)(unsigned char *secret), unsigned char *secret)
{
	int status = 0;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr)) /* a sanitizer has much to say here */
			does(secret);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool failed(int status)
{
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void write_behind(unsigned char *secret)
{
	((volatile unsigned char *)secret)[(BYTES + 15) / 16 * 16] = 1;
}

/* It and its head take two pages, and begin less than a page behind the first byte of them. */
static void write_before_all(unsigned char *secret)
{
	((volatile unsigned char *)secret)[-4096] = 1;
}

static void overwrite_head(unsigned char *secret)
{
	memset(secret - 32, 1, 32);
	secret_free(secret);
}

static void nothing(unsigned char *secret)
{
	(void)secret;
}

static void who_leaves_it_on_either_side_is_stopped(void **state)
{
	unsigned char *secret = secret_new(BYTES);

	(void)state;
	assert_false(failed(child(nothing, secret)));
	assert_true(failed(child(write_behind, secret)));
	assert_true(failed(child(write_before_all, secret)));
	assert_true(failed(child(overwrite_head, secret)));
	secret_free(secret);
}

static void expect_zeros(unsigned char *secret)
{
	for (size_t i = 0; i < BYTES; i++)
		if (secret[i] != 0)
			_exit(1);
}

static void a_child_does_not_have_it(void **state)
{
	unsigned char *secret = secret_new(BYTES);

	(void)state;
	memset(secret, 0x5a, BYTES);
	assert_int_equal(child(expect_zeros, secret), 0);
	assert_int_equal(secret[BYTES - 1], 0x5a);
	secret_free(secret);
}

static void what_was_given_back_is_not_there_any_more(void **state)
{
	unsigned char *secret = secret_new(BYTES);
	char flags[512];

	(void)state;
	secret_free(secret);
	assert_true(!read_flags(secret, flags, sizeof(flags)) || !strstr(flags, " wf"));
}

/* Somebody who may lock nothing still gets memory, and is told. Root may lock whatever the limit is. */
static void use_without_a_limit(unsigned char *secret)
{
	const struct rlimit none = { 0, 0 };
	unsigned char *other;

	(void)secret;
	if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0))
		_exit(2);
	if (secret_prepare() && !SANITIZED)
		_exit(3);
	other = secret_new(BYTES);
	if (!other)
		_exit(4);
	other[BYTES - 1] = 1;
	secret_free(other);
}

static void who_may_lock_nothing_is_told_and_goes_on(void **state)
{
	(void)state;
	assert_int_equal(child(use_without_a_limit, NULL), 0);
}

static void openssl_keeps_private_keys_there_too(void **state)
{
	char flags[512];
	void *key;

	(void)state;
	assert_true(secret_prepare());
	key = OPENSSL_secure_malloc(32);
	assert_non_null(key);
	assert_int_equal(CRYPTO_secure_allocated(key), 1);
	assert_true(read_flags(key, flags, sizeof(flags)));
	assert_non_null(strstr(flags, " dd"));
	if (!SANITIZED)
		assert_non_null(strstr(flags, " lo"));
	OPENSSL_secure_clear_free(key, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_locked_not_dumped_and_wiped_in_a_child),
		cmocka_unit_test(it_holds_zeros_then_what_is_put_there),
		cmocka_unit_test(who_leaves_it_on_either_side_is_stopped),
		cmocka_unit_test(a_child_does_not_have_it),
		cmocka_unit_test(what_was_given_back_is_not_there_any_more),
		cmocka_unit_test(who_may_lock_nothing_is_told_and_goes_on),
		cmocka_unit_test(openssl_keeps_private_keys_there_too),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
