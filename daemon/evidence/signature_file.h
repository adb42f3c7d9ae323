/*
 * The files of signature.h as bytes: small, regular, never overwritten, closed to others when they
 * hold a secret. Any thread.
 */
#ifndef TTGD_EVIDENCE_SIGNATURE_FILE_H
#define TTGD_EVIDENCE_SIGNATURE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/message.h"

#define SIGNATURE_FILE_MAX 1024u /* bytes; the longest form has 119 */

/*
 * The whole file. The caller wipes out, whatever comes back. TTG_EPERM: a secret that group or others
 * may use; TTG_EFORMAT: not regular, or longer than SIGNATURE_FILE_MAX; else what the system said.
 */
enum ttg_error signature_file_read(const char *path, bool secret, char out[SIGNATURE_FILE_MAX],
				   size_t *len, struct message *message);
/* Makes it, durable with its name, mode 0600 or 0644. TTG_EEXIST; nothing is left after a failure. */
enum ttg_error signature_file_write(const char *path, bool secret, const char *text, size_t len,
				    struct message *message);
/* Takes back what signature_file_write() made. */
void signature_file_remove(const char *path);

#endif
