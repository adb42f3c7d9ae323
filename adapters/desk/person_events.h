/* The parts of a person's page that go through his events. */
#ifndef DESK_PERSON_EVENTS_H
#define DESK_PERSON_EVENTS_H

#include "desk/desk.h"

/* The last contacts. */
void person_add_contacts(struct html *html, const struct desk *desk,
                         const struct web_request *request, const struct person *person);

/* Who received what, as the log of disclosures tells it; without one, how many received what was
   told from here. */
void person_add_disclosures(struct html *html, const struct desk *desk,
                            const struct web_request *request, const struct person *person);

/* Everything that was told of him, by when it happened, the newest first, a page at a time. */
void person_add_time_line(struct html *html, const struct desk *desk,
                          const struct web_request *request, const struct person *person);

#endif
