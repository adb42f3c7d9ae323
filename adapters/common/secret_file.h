/* Files with a secret in them: token, password, TLS key. Only their owner may read them. */
#ifndef ADAPTERS_COMMON_SECRET_FILE_H
#define ADAPTERS_COMMON_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/message.h"

/*
 * The whole of a regular file and a NUL into out. TTG_ENOENT, TTG_EFORMAT (no regular file, or it
 * does not fit), TTG_EPERM (secret, and others may read it). Wipe out afterwards, whatever is
 * returned.
 */
enum ttg_error secret_file_read(const char *path, bool secret, char *out, size_t room,
                                struct message *message);

#define SECRET_LINE_MAX 256

/*
 * First line of a secret file, min to SECRET_LINE_MAX printable characters without blanks. *out is
 * memory for keys (base/secret.h), NULL after an error: those above, TTG_ENOMEM.
 */
enum ttg_error secret_file_read_line(const char *path, size_t min, char **out,
                                     struct message *message);

/* A copy in memory for keys; NULL: no memory. */
char *secret_file_copy(const char *text);

#endif
