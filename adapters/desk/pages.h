/* The desk's pages, file by file; desk_routes (routes.c) says which path leads to which. */
#ifndef DESK_PAGES_H
#define DESK_PAGES_H

#include "desk/desk.h"

#define PAGE(name)                                                                                 \
	void name(void *desk, const struct web_request *request, struct web_response *response)

/* live_page.c: what arrives, as it arrives. */
PAGE(page_live);
void stream_live(void *desk, const struct web_request *request, uint64_t *cursor, struct html *out);

/* alerts_page.c */
PAGE(page_alerts);
PAGE(page_alert); /* /alerts/:event-id */
PAGE(page_alert_acknowledge);

/* people_page.c, person_page.c */
PAGE(page_people); /* search */
PAGE(page_person); /* /people/:number */

/* diary_page.c, diary_calendar.c */
PAGE(page_diary);
PAGE(page_diary_print);
PAGE(page_diary_calendar); /* /diary.ics */
PAGE(page_diary_feed);     /* /diary/feed/:token, for calendar programs */
PAGE(page_diary_feed_make);

/* boards_page.c */
PAGE(page_boards);

/* figures_page.c, figures_plot.c */
PAGE(page_figures);      /* /figures/:kind */
PAGE(page_figures_csv);  /* /figures/:kind/csv */
PAGE(page_figures_plot); /* /figures/:kind/plot.svg */
/* The figures of all events take seconds to make: kept, and made anew beside the loop. */
struct figures_cache *figures_cache_new(const struct desk_settings *settings);
void figures_cache_free(struct figures_cache **cache);

/* act_*.c: forms about one person, /people/:number/WHAT; POST sends the event. */
PAGE(page_enrol);
PAGE(page_enrol_send);
PAGE(page_contact);
PAGE(page_contact_send);
PAGE(page_needs);
PAGE(page_needs_send);
PAGE(page_gate_meeting);
PAGE(page_gate_meeting_send);
PAGE(page_exit);
PAGE(page_exit_send);
PAGE(page_return);
PAGE(page_return_send);
PAGE(page_withdraw);
PAGE(page_withdraw_send);
PAGE(page_referral);
PAGE(page_referral_send);
PAGE(page_referral_withdraw); /* /people/:number/referrals/:id/withdraw */
PAGE(page_referral_withdraw_send);
PAGE(page_flag);
PAGE(page_flag_send);
/* Somebody the desk has not heard of yet: /people/new asks for a number, and enrols. */
PAGE(page_enrol_new);
PAGE(page_enrol_new_send);
/* About a worker or volunteer, not a person: /access. */
PAGE(page_access);
PAGE(page_access_send);
/* sent_page.c: what was sent from here and what became of it. */
PAGE(page_sent);
PAGE(page_sent_one); /* /sent/:event-id */

extern const struct web_site desk_site; /* its user is set by desk.c */

#endif
