/*
 * One event as a line of a list, and one man as a link: what the live page, the alerts and a
 * person's page show alike. All of it is written for the user of the request: of a case he may not
 * see no more than that there is one, and who works with him.
 */
#ifndef DESK_ROWS_H
#define DESK_ROWS_H

#include "desk/desk.h"
#include "oneservice/words.h"

/* The person an event is about, or NULL. */
const struct person *row_person(const struct desk *desk, const struct view_event *event);
/* Whether the request's user may see it; what is about nobody everybody may. */
bool row_may_see(const struct desk *desk, const struct web_request *request,
                 const struct view_event *event);

/* What an event tells, printable; that it cannot be read, when it cannot. */
void row_sentence(const struct desk *desk, uint32_t event, struct sentence *out);

/* A text that came with an event: made printable, one line, escaped. */
void row_text(struct html *html, const char *text);

/* "Custody update" of "police.custody_update"; "Unknown kind". */
void row_kind(struct sentence *out, int type);
/* The same as a coloured tag. */
void row_kind_tag(struct html *html, int type);
/* The colour of a type's family, as page_tag() takes it. */
const char *row_colour(int type);

/* His number as a link to his page; "Limited-access case" for who may not see him. NULL: "-". */
void row_person_link(struct html *html, const struct desk *desk, const struct web_request *request,
                     const struct person *person);
/* "Limited-access case. Ask Ann Example." */
void row_limited(struct html *html, const struct person *person);
/* Who works with him, in his scheme; "". */
const char *row_caseworker(const struct person *person);

/* The sentence, struck where it does not stand, and tags that say why. */
void row_told(struct html *html, const struct desk *desk, uint32_t event);

/* "14:03" today, else with the day: in a <time> element. */
void row_time(struct html *html, int64_t at_ns, int64_t now_ns);

/* "Friday 12 March 2027" of "2027-03-12"; what is no day as it is. */
void row_day(struct html *html, const char *date);

/* On top of a page while the store cannot be read: what stands here may be old. */
void rows_warn_away(struct html *html, const struct desk *desk, const struct web_request *request);

/* The kinds of identifiers as people call them: "Prison number". */
const char *row_number_name(int kind);

#endif
