/* Secrets of the HTTP intake: token, TLS key, and the check of a client's certificate. */
#ifndef ADAPTERS_COMMON_HTTP_SECRET_H
#define ADAPTERS_COMMON_HTTP_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include "base/message.h"

struct MHD_Connection;

/*
 * First line of a file that only its owner may read, 16 to 256 printable characters. TTG_EPERM,
 * TTG_EFORMAT, TTG_ENOENT, TTG_ENOMEM. *out is memory for keys (base/secret.h).
 */
enum ttg_error http_token_read(const char *path, char **out, struct message *message);

/* A PEM file, malloc'd; a secret one only its owner may read, and it stands in memory for keys. */
enum ttg_error http_pem_read(const char *path, bool secret, char **out, struct message *message);

/* Takes the same time whatever the texts are, for their lengths. */
bool http_secret_equal(const char *given, const char *secret);

/* The peer showed a certificate that the configured CA signed, that is in date, and that is not
   restricted to another use than a client's. */
bool http_client_certificate_is_good(struct MHD_Connection *connection);

#endif
