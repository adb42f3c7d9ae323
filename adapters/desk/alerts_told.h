/* What a page says of one alert: in a line, and as its whole story. */
#ifndef DESK_ALERTS_TOLD_H
#define DESK_ALERTS_TOLD_H

#include "desk/desk.h"
#include "oneservice/words.h"

/* "2 hours 5 minutes"; "less than a minute". */
void alerts_add_span(struct sentence *out, int64_t ns);

/* Whom it is about: a link, or that the case has limited access. */
void alerts_tell_person(struct html *html, const struct desk *desk,
                        const struct web_request *request, const struct view_event *event);

/*
 * Tags and the sentence, inside a paragraph; struck through, with what to do, when it is undone. For
 * who may not see the case: whom to ask.
 */
void alerts_tell(struct html *html, const struct desk *desk, const struct web_request *request,
                 const struct alert *alert);

/* Its history as a list, oldest first: raised, escalated, acknowledged, and every event of it. */
void alerts_tell_story(struct html *html, const struct desk *desk,
                       const struct web_request *request, const struct alert *alert);

#endif
