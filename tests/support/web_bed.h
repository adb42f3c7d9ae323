/*
 * A server with a small site for the tests of the web end: two roles, a page, a form, a stream, a
 * download; its users' file in the test's folder, and a clock that the test moves.
 *
 * Users: "ann" (duty), "bob" (manager), "cyd" (duty, disabled), "dot", "eve", "fay" (duty);
 * all have PASSWORD.
 */
#ifndef TTG_TEST_WEB_BED_H
#define TTG_TEST_WEB_BED_H

#include "base/world.h"
#include "support/assert.h"
#include "support/browser.h"
#include "support/folder.h"
#include "web/web.h"

#define PASSWORD       "three random words"
#define PASSWORD_SENT  "three+random+words"
#define OTHER_PASSWORD "another+few+words"

enum { DUTY = 1u << 0, MANAGER = 1u << 1 };

struct web_bed {
	const struct folder *folder;
	char users_file[FOLDER_PATH];
	struct web_options options;
	struct world world;
	int64_t ahead_ns; /* of the machine's clocks */
	bool stopped;     /* the clocks: only bed_pass() moves them */
	int64_t stopped_ns[2];
	struct web *web;
	struct browser *browser;
	char note[256];
	unsigned waiting;
	uint64_t newest; /* event of the stream */
	bool standing;   /* the stream ends with how things are, whether there is news or not */
	unsigned asked;  /* how often it was */
};

/* Options for plain HTTP; the test may change them before bed_open(). */
void bed_prepare(struct web_bed *bed, void **state);
void bed_open(struct web_bed *bed, const char *ca);
/* Both. */
void bed_begin(struct web_bed *bed, void **state);
void bed_end(struct web_bed *bed);
void bed_pass(struct web_bed *bed, int64_t seconds);
/* `user VERB NAME`, as an administrator types it. */
void bed_user_command(struct web_bed *bed, const char *verb, const char *name);
const struct web_site *bed_site(struct web_bed *bed);

#endif
