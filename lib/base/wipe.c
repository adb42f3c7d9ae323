/*
 * Wiping of secrets. Any thread; cannot fail. explicit_bzero() is the C library's promise that the
 * stores stay even though nobody reads the memory again.
 */
#include "base/keyfile.h"

#include <string.h>

void wipe(void *secret, size_t len)
{
	if (len > 0)
		explicit_bzero(secret, len);
}
