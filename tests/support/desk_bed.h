/*
 * A duty desk for tests of its pages: a case store in a folder of its own, events put into it as
 * ttg-oneservice does, and pages written for a made-up request, without a server.
 */
#ifndef TTG_TEST_DESK_BED_H
#define TTG_TEST_DESK_BED_H

#include "desk/pages.h"
#include "support/casefile.h"
#include "support/folder.h"

#define DESK_BED_FIELDS 128
#define DESK_BED_NOW    "2027-03-12 10:00" /* a Friday; civil time */

struct desk_bed {
	struct folder *folder;
	struct store *writer; /* the adapter's side of the store */
	struct desk desk;
	struct web_user user; /* who asks: at first Ann Example, a manager */
	int64_t now_ns;       /* DESK_BED_NOW at first */
	uint64_t position;    /* of the last delivery */
	char spool[FOLDER_PATH];

	/* Of the last page. */
	struct web_response response;
	char *form; /* the fields, taken apart */
	struct web_field fields[DESK_BED_FIELDS];
	struct desk_bed_web *web; /* what pages ask of a server */
};

void must_make_desk(struct desk_bed *bed);
void desk_bed_remove(struct desk_bed *bed);

/* For requests of the caller's own: a server that was never opened, with the desk's site. */
struct web *desk_bed_server(const struct desk_bed *bed);

/* For casefile_init(): with a person's key it came through the mailbox "duty", else it is ours. */
void desk_bed_put(void *bed, const Ttg__Event *event, const uint8_t *person_key, int64_t kept_ns);
/* The broker's answer to one of ours. */
void must_answer(struct desk_bed *bed, const uint8_t id[TTG_UUID_BYTES], enum ttg_error code);
/* The desk reads what is new. */
void must_follow(struct desk_bed *bed);

typedef void desk_page(void *desk, const struct web_request *request,
                       struct web_response *response);

/*
 * Writes a page: fields as in a query, "q=A1234BC&x=%20"; parts are up to three, or NULL. The text
 * of it, good until the next one.
 */
const char *desk_bed_get(struct desk_bed *bed, desk_page *page, const char *fields,
                         const char *part, const char *part2);
const char *desk_bed_post(struct desk_bed *bed, desk_page *page, const char *fields,
                          const char *part, const char *part2);

/* What the last page said with web_say(); "". */
const char *desk_bed_said(const struct desk_bed *bed);

/* Fails the test with the page when it does not hold the text, or does. */
void must_show(const struct desk_bed *bed, const char *text);
void must_not_show(const struct desk_bed *bed, const char *text);

/* The person with that number, as the desk shows it. */
const struct person *must_find_person(const struct desk_bed *bed, const char *number);

#endif
