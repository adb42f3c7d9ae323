/*
 * main() of a fuzz target in the normal builds: gives it every input that is kept.
 *
 *     fuzz_<what> <what> corpus/<what> crashes/<what>
 *
 * One test for the corpus as a whole, which must not be empty, and one for each input that once
 * found a fault, by the name of its file: fixed faults stay fixed.
 */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define INPUT_MAX_BYTES (1u << 20)
#define PATH_BYTES      1024

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay_file(const char *path)
{
	struct stat info;
	const int file = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(file >= 0);
	assert_int_equal(fstat(file, &info), 0);
	assert_true(S_ISREG(info.st_mode) && info.st_size <= INPUT_MAX_BYTES);
	const size_t len = (size_t)info.st_size;
	uint8_t *bytes = malloc(len > 0 ? len : 1); /* exactly: an overrun is noticed */
	assert_non_null(bytes);
	assert_int_equal(read(file, bytes, len), len);
	close(file);
	assert_int_equal(LLVMFuzzerTestOneInput(bytes, len), 0);
	free(bytes);
}

/* Sorted names; none when the folder is missing. */
static int names_in(const char *folder, struct dirent ***names)
{
	const int n = scandir(folder, names, is_visible, alphasort);

	return n < 0 ? 0 : n;
}

static void free_names(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	if (n > 0)
		free(names);
}

static void the_corpus_is_read_without_a_fault(void **state)
{
	const char *folder = *state;
	struct dirent **names = NULL;
	const int n = names_in(folder, &names);

	for (int i = 0; i < n; i++) {
		char path[PATH_BYTES];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		replay_file(path);
	}
	free_names(names, n);
	assert_true(n > 0);
}

static void a_fault_that_was_found_stays_fixed(void **state)
{
	replay_file(*state);
}

int main(int argc, char **argv)
{
	struct dirent **names = NULL;

	if (argc != 4) {
		fprintf(stderr, "usage: %s NAME CORPUS-FOLDER CRASHES-FOLDER\n", argv[0]);
		return 2;
	}
	const int n = names_in(argv[3], &names);
	struct CMUnitTest *tests = calloc((size_t)n + 1, sizeof(*tests));
	char(*paths)[PATH_BYTES] = calloc((size_t)n + 1, sizeof(*paths));
	if (!tests || !paths)
		return 1;
	tests[0] = (struct CMUnitTest)cmocka_unit_test_prestate(the_corpus_is_read_without_a_fault,
								argv[2]);
	for (int i = 0; i < n; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", argv[3], names[i]->d_name);
		tests[i + 1] = (struct CMUnitTest)cmocka_unit_test_prestate(
			a_fault_that_was_found_stays_fixed, paths[i]);
		tests[i + 1].name = names[i]->d_name;
	}
	const int failed = _cmocka_run_group_tests(argv[1], tests, (size_t)n + 1, NULL, NULL);
	free_names(names, n);
	free(tests);
	free(paths);
	return failed;
}
