/*
 * Small files that hold keys, as bytes: regular, never overwritten, closed to others when they hold a
 * secret, durable with their name. No message holds a byte of them. Any thread.
 */
#ifndef TTG_BASE_SMALLFILE_H
#define TTG_BASE_SMALLFILE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/message.h"

/*
 * The whole file, shorter than max; a NUL behind it, which *len does not count. The caller wipes out,
 * whatever comes back. TTG_EPERM: a secret that group or others may use; TTG_EFORMAT: not regular, or
 * as long as max; else what the system said.
 */
enum ttg_error smallfile_read(const char *path, bool secret, char *out, size_t max, size_t *len,
			      struct message *message);
/* Makes it, mode 0600 or 0644. TTG_EEXIST; nothing is left after a failure. */
enum ttg_error smallfile_write(const char *path, bool secret, const char *text, size_t len,
			       struct message *message);
/* Takes back what smallfile_write() made. */
void smallfile_remove(const char *path);

#endif
