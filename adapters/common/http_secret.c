/*
 * Secrets of the HTTP intake. See http_secret.h. Buffers are wiped after use; no message quotes
 * what a file holds. Owned by the adapter's only thread.
 */
#include "common/http_secret.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include "base/keyfile.h"
#include "base/secret.h"
#include "common/http_intake.h"
#include "common/secret_file.h"

#define PEM_MAX_BYTES (256u << 10)

enum ttg_error http_token_read(const char *path, char **out, struct message *message)
{
	return secret_file_read_line(path, HTTP_TOKEN_MIN, out, message);
}

enum ttg_error http_pem_read(const char *path, bool secret, char **out, struct message *message)
{
	char *text = malloc(PEM_MAX_BYTES);
	enum ttg_error error;

	if (text == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	error = secret_file_read(path, secret, text, PEM_MAX_BYTES, message);
	*out = error == TTG_OK && !secret ? text : NULL;
	if (error == TTG_OK && secret)
		*out = secret_file_copy(text);
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
