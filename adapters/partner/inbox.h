/*
 * The inbox: a page of the organisation's own, where its people see what was sent to them and
 * answer. Whoever may sign in may do everything: who those are is the organisation's own matter.
 *
 * An action is checked by the table of moves, written into the adapter's own spool, durable, and
 * from then on goes the way of every file there. Each form carries the id of the event it makes: a
 * form that is sent twice makes one event.
 */
#ifndef PARTNER_INBOX_H
#define PARTNER_INBOX_H

#include "partner/actions.h"
#include "partner/partner.h"
#include "web/web.h"

#define INBOX_STAFF 1u

/* The site; its user is the partner. NULL for what needs only its roles. */
struct web_site inbox_site(struct partner *partner);

/* Pages; user is the partner. */
void inbox_show_list(void *user, const struct web_request *request, struct web_response *response);
void inbox_show_referral(void *user, const struct web_request *request,
                         struct web_response *response);
void inbox_show_form(void *user, const struct web_request *request, struct web_response *response);
void inbox_take_form(void *user, const struct web_request *request, struct web_response *response);

/* Whether this user may do it to the referral as it stands, here. */
bool inbox_offers(const struct partner *partner, const struct action *action,
                  const struct referral *referral);
/* Which referral a request is about; NULL after a page that says that there is none. */
const struct referral *inbox_find(const struct partner *partner, const struct web_request *request,
                                  struct web_response *response);
/* "/referral/one-service/R1" and behind it "/verb" unless that is NULL; the caller frees it with
 * html_fini(). */
struct html inbox_path(const struct referral *referral, const char *verb);
/* Coloured word for where it stands, and one for overdue. */
void inbox_put_state(struct html *html, const struct referral *referral, int64_t now_ns);

#endif
