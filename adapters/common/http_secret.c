/*
 * Secrets of the HTTP intake. See http_secret.h. Buffers are wiped after use; no message quotes
 * what a file holds. Owned by the adapter's only thread.
 */
#include "common/http_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/keyfile.h"
#include "base/secret.h"
#include "common/http_intake.h"

#define PEM_MAX_BYTES (256u << 10)

static enum ttg_error read_small(const char *path, bool secret, char *out, size_t room,
                                 struct message *message)
{
	enum ttg_error error = TTG_OK;
	struct stat info;
	size_t len = 0;
	ssize_t got = 1;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (file < 0)
		return message_set(message, TTG_ENOENT, "%s: %s", path, strerror(errno));
	if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode))
		error = message_set(message, TTG_EFORMAT, "%s: is no regular file", path);
	else if (secret && (info.st_mode & 077) != 0)
		error = message_set(message, TTG_EPERM,
		                    "%s: others may read it; its mode should be 0600", path);
	while (error == TTG_OK && got > 0 && len + 1 < room) {
		got = read(file, out + len, room - 1 - len);
		if (got > 0)
			len += (size_t)got;
	}
	if (error == TTG_OK && (got < 0 || len + 1 >= room))
		error = message_set(message, TTG_EFORMAT, "%s: cannot be read, or is too long",
		                    path);
	out[len] = '\0';
	close(file);
	return error;
}

/* In memory for keys; NULL: no memory. */
static char *secret_copy(const char *text)
{
	const size_t len = strlen(text);
	char *copy = secret_new(len + 1);

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

enum ttg_error http_token_read(const char *path, char **out, struct message *message)
{
	char text[HTTP_TOKEN_MAX + 8];
	enum ttg_error error = read_small(path, true, text, sizeof(text), message);
	size_t len = error == TTG_OK ? strcspn(text, "\r\n") : 0;

	text[len] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			len = 0;
	}
	if (error == TTG_OK && (len < HTTP_TOKEN_MIN || len > HTTP_TOKEN_MAX))
		error = message_set(message, TTG_EFORMAT,
		                    "%s: should be one line of %d to %d printable characters", path,
		                    HTTP_TOKEN_MIN, HTTP_TOKEN_MAX);
	*out = error == TTG_OK ? secret_copy(text) : NULL;
	wipe(text, sizeof(text));
	return error == TTG_OK && *out == NULL ? message_set(message, TTG_ENOMEM, "no memory") : error;
}

enum ttg_error http_pem_read(const char *path, bool secret, char **out, struct message *message)
{
	char *text = malloc(PEM_MAX_BYTES);
	enum ttg_error error;

	if (text == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	error = read_small(path, secret, text, PEM_MAX_BYTES, message);
	*out = error == TTG_OK && !secret ? text : NULL;
	if (error == TTG_OK && secret)
		*out = secret_copy(text);
	if (*out == NULL && error == TTG_OK)
		error = message_set(message, TTG_ENOMEM, "no memory");
	if (*out != text) {
		wipe(text, PEM_MAX_BYTES);
		free(text);
	}
	return error;
}

bool http_secret_equal(const char *given, const char *secret)
{
	size_t given_len = strlen(given), len = strlen(secret);
	volatile unsigned char differs = given_len != len;

	for (size_t i = 0; i < len; i++) {
		unsigned char other = given_len == 0 ? 0 : (unsigned char)given[i % given_len];

		differs = (unsigned char)(differs | (other ^ (unsigned char)secret[i]));
	}
	return differs == 0;
}

bool http_client_certificate_is_good(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st wanted = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
		                         .data = (unsigned char *)purpose };
	unsigned status = 1;

	if (info == NULL || info->tls_session == NULL)
		return false;
	/* Fails when no certificate was shown; status 0 means signed, in date, for clients. */
	return gnutls_certificate_verify_peers(info->tls_session, &wanted, 1, &status) == 0 &&
	       status == 0;
}
