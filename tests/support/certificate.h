/*
 * Certificates of a test's own authorities, made when they are needed: NAME.pem and NAME.key (mode
 * 0600) in a folder.
 */
#ifndef TTG_TEST_CERTIFICATE_H
#define TTG_TEST_CERTIFICATE_H

enum certificate_use {
	CERTIFICATE_AUTHORITY, /* signs itself and others */
	CERTIFICATE_SERVER,    /* for 127.0.0.1 and localhost */
	CERTIFICATE_CLIENT,
};

struct certificate_plan {
	const char *name;
	const char *issuer; /* name of an authority in the same folder; NULL: signs itself */
	enum certificate_use use;
	long from_s, to_s;  /* valid, counted from now */
};

#define CERTIFICATE_DAY_S 86400L

void must_make_certificate(const char *folder, const struct certificate_plan *plan);

/* An authority "ca", its "server" and "client", and what must be refused: "expired" and "early" of
   that authority, "foreign" of another one that has the same name, "self" of nobody. */
void must_make_certificates(const char *folder);

#endif
