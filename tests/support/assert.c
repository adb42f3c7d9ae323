/*
 * must_fail(): prints the sentence and leaves the test through cmocka. Test thread only.
 */
#include "support/assert.h"

#include <stdio.h>
#include <stdlib.h>

void must_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	fail();
	abort(); /* cmocka's fail() jumps away */
}
