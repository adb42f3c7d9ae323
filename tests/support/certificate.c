/*
 * Making certificates; see certificate.h. P-256 keys, SHA-256, version 3. Test thread only; every
 * failure ends the test.
 */
#include "support/certificate.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "support/assert.h"

#define PATH_MAX_BYTES 512
#define AUTHORITY_NAME "The test's authority"

static FILE *open_file(const char *folder, const char *name, const char *end, bool writes)
{
	char path[PATH_MAX_BYTES];
	int len = snprintf(path, sizeof(path), "%s/%s.%s", folder, name, end);
	int file;

	must_be(len > 0 && (size_t)len < sizeof(path), "path too long");
	file = writes ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
		      : open(path, O_RDONLY | O_CLOEXEC);
	must_be(file >= 0, "cannot open a certificate's file");
	return fdopen(file, writes ? "w" : "r");
}

static void add_extension(X509 *certificate, X509 *issuer, int what, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, what, value);
	must_be(extension != NULL && X509_add_ext(certificate, extension, -1) == 1,
		"cannot add an extension");
	X509_EXTENSION_free(extension);
}

static void add_use(X509 *certificate, X509 *issuer, enum certificate_use use)
{
	if (use == CERTIFICATE_AUTHORITY) {
		add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
		add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
		return;
	}
	add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature");
	if (use == CERTIFICATE_SERVER) {
		add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth");
		add_extension(certificate, issuer, NID_subject_alt_name,
			      "IP:127.0.0.1,DNS:localhost");
	} else {
		add_extension(certificate, issuer, NID_ext_key_usage, "clientAuth");
	}
}

static void set_name(X509 *certificate, const struct certificate_plan *plan)
{
	const char *common = plan->use == CERTIFICATE_AUTHORITY ? AUTHORITY_NAME : plan->name;
	X509_NAME *name = X509_get_subject_name(certificate);

	must_be(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common,
					   -1, -1, 0) == 1,
		"cannot name a certificate");
}

static X509 *make_unsigned(const struct certificate_plan *plan, EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	unsigned char serial[8];

	must_be(certificate != NULL && RAND_bytes(serial, sizeof(serial)) == 1, "no certificate");
	X509_set_version(certificate, X509_VERSION_3);
	BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
	BN_clear_bit(number, 63);
	BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	X509_gmtime_adj(X509_getm_notBefore(certificate), plan->from_s);
	X509_gmtime_adj(X509_getm_notAfter(certificate), plan->to_s);
	X509_set_pubkey(certificate, key);
	set_name(certificate, plan);
	return certificate;
}

void must_make_certificate(const char *folder, const struct certificate_plan *plan)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *issuer_key = key;
	X509 *certificate, *issuer;
	FILE *file;

	must_be(key != NULL, "cannot make a key");
	certificate = issuer = make_unsigned(plan, key);
	if (plan->issuer != NULL) {
		file = open_file(folder, plan->issuer, "pem", false);
		issuer = PEM_read_X509(file, NULL, NULL, NULL);
		fclose(file);
		file = open_file(folder, plan->issuer, "key", false);
		issuer_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
		fclose(file);
		must_be(issuer != NULL && issuer_key != NULL, "cannot read the issuer");
	}
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	add_use(certificate, issuer, plan->use);
	must_be(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "cannot sign");
	file = open_file(folder, plan->name, "pem", true);
	must_be(PEM_write_X509(file, certificate) == 1 && fclose(file) == 0, "cannot write");
	file = open_file(folder, plan->name, "key", true);
	must_be(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 &&
			fclose(file) == 0,
		"cannot write");
	if (issuer != certificate) {
		X509_free(issuer);
		EVP_PKEY_free(issuer_key);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
}

void must_make_certificates(const char *folder)
{
	const long day_s = CERTIFICATE_DAY_S;
	const struct certificate_plan plans[] = {
		{ "ca", NULL, CERTIFICATE_AUTHORITY, -30 * day_s, day_s },
		{ "foreign-ca", NULL, CERTIFICATE_AUTHORITY, -30 * day_s, day_s },
		{ "server", "ca", CERTIFICATE_SERVER, -day_s, day_s },
		{ "client", "ca", CERTIFICATE_CLIENT, -day_s, day_s },
		{ "expired", "ca", CERTIFICATE_CLIENT, -2 * day_s, -60 },
		{ "early", "ca", CERTIFICATE_CLIENT, 3600, day_s },
		{ "foreign", "foreign-ca", CERTIFICATE_CLIENT, -day_s, day_s },
		{ "self", NULL, CERTIFICATE_CLIENT, -day_s, day_s },
	};

	for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); i++)
		must_make_certificate(folder, &plans[i]);
}
