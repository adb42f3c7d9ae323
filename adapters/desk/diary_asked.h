/* What a page of the diary was asked for: the days, a caseworker, an area; and who may see what. */
#ifndef DESK_DIARY_ASKED_H
#define DESK_DIARY_ASKED_H

#include "desk/desk.h"
#include "desk/diary.h"

struct diary_asked {
	const struct desk *desk;
	const struct web_request *request;
	const char *days;              /* "today", "tomorrow", "21" */
	const char *caseworker, *area; /* "": all */
	size_t first;                  /* of the rows that are asked for: those before are left out */
	char from[DATE_BYTES], until[DATE_BYTES];
	struct diary diary; /* of these days, all rows: see diary_is_asked_for() */
};

/* The caller frees the diary with diary_fini(). TTG_ENOMEM. */
enum ttg_error diary_ask(struct diary_asked *asked, const struct desk *desk,
                         const struct web_request *request);

bool diary_may_see(const struct diary_asked *asked, const struct diary_row *row);
/* False also for limited-access cases of which there is nothing to say: nobody comes out then. */
bool diary_is_asked_for(const struct diary_asked *asked, const struct diary_row *row);

/* "/diary?days=21&caseworker=&area=", escaped for an attribute. */
void diary_address(struct html *html, const struct diary_asked *asked, const char *path,
                   const char *days);

#endif
