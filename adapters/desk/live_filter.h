/* What somebody wants to see of the live page, as it stands in the page's address. */
#ifndef DESK_LIVE_FILTER_H
#define DESK_LIVE_FILTER_H

#include "desk/search.h"

struct live_filter {
	char kind[64];       /* a family, "police", or a type, "police.arrest"; "": all */
	char caseworker[65]; /* "": all */
	char person[72];     /* a number as it was typed; "": all */
	bool urgent;         /* nothing else */
	struct search people; /* who has that number */
};

void live_filter_read(const struct desk *desk, const struct web_request *request,
                      struct live_filter *out);

/*
 * Whether the request's user is shown it. A case he may not see is left out as soon as the filter
 * would tell what it is about: only the caseworker is known of it.
 */
bool live_filter_takes(const struct live_filter *filter, const struct desk *desk,
                       const struct web_request *request, const struct view_event *event);

/* "kind=police&urgent=yes": ready for an address; "" when nothing is asked for. */
void live_filter_write(const struct live_filter *filter, struct html *out);

/* The form: kinds, caseworkers, number, urgency. */
void live_filter_form(const struct live_filter *filter, const struct desk *desk,
                      const struct web_request *request, struct html *html);

#endif
