/*
 * What every unit test includes: cmocka with the headers it forgot, a seeded random source, and a
 * scratch directory. Random tests print their seed; TTG_SEED=N runs them again with it.
 */
#ifndef TTG_TESTS_UNIT_H
#define TTG_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define UNIT_DIRECTORY 64

/* splitmix64: small, and good enough to find bugs. */
static inline uint64_t unit_random(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint64_t unit_seed(const char *test)
{
	const char *given = getenv("TTG_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	printf("%s: TTG_SEED=%llu\n", test, (unsigned long long)seed);
	return seed;
}

static inline void unit_directory_make(char path[UNIT_DIRECTORY])
{
	snprintf(path, UNIT_DIRECTORY, "/tmp/ttg-unit-XXXXXX");
	assert_non_null(mkdtemp(path));
}

static inline int unit_remove_entry(const char *path, const struct stat *status, int flag,
                                    struct FTW *place)
{
	(void)status;
	(void)flag;
	(void)place;
	return remove(path);
}

static inline void unit_directory_remove(const char *path)
{
	assert_int_equal(nftw(path, unit_remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
