/*
 * cmocka's assertions for helpers: a must_* function of this folder fails the running test with a
 * sentence. cmocka.h wants these headers before itself; including this one is enough.
 */
#ifndef TTG_TEST_ASSERT_H
#define TTG_TEST_ASSERT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* Fails the running test with this text. Does not come back. */
__attribute__((format(printf, 1, 2), noreturn)) void must_fail(const char *format, ...);

/* Fails the running test unless it holds; text says what does not. */
#define must_be(holds, text)                                                                       \
	do {                                                                                       \
		if (!(holds))                                                                      \
			must_fail("%s:%d: %s", __FILE__, __LINE__, (text));                        \
	} while (0)

#endif
