/*
 * What people do on the inbox page, as tables of fields and as events of this agency. Pure: a form's
 * fields in, a CloudEvent out.
 */
#ifndef PARTNER_ACTIONS_H
#define PARTNER_ACTIONS_H

#include <jansson.h>
#include "partner/caseload.h"
#include "web/page.h"

enum action_field_kind {
	ACTION_TEXT,   /* one line */
	ACTION_AREA,   /* several */
	ACTION_DATE,   /* a civil date */
	ACTION_MOMENT, /* date and time of day: NAME and NAME_clock; an instant */
	ACTION_NUMBER,
	ACTION_CHOICE, /* of an enumeration */
};

struct action_field {
	const char *name; /* in the form, and in the payload but for "worker_" */
	const char *label;
	const char *hint; /* "" */
	enum action_field_kind kind;
	bool required;
	size_t max; /* bytes of a text; of a number the greatest */
	const ProtobufCEnumDescriptor *choices;
};

#define ACTION_FIELDS_MAX 7

struct action {
	const char *verb; /* in links: "accept" */
	const char *type;
	const char *title;     /* of its page, and its button */
	const char *said;      /* when it is on its way */
	const char *moment;    /* payload field that gets the time of the click; NULL */
	const char *about_whom; /* member with the name of who clicked: "handler"; NULL */
	struct action_field fields[ACTION_FIELDS_MAX];
	size_t n_fields;
};

extern const struct action actions[];
extern const size_t n_actions;

const struct action *action_find(const char *verb);

/*
 * Whether it can be done to the referral as it stands: a move of the table, or something told of one
 * that is open or was just accepted.
 */
bool action_is_possible(const struct action *action, const struct referral *referral);

/* Who does what to which referral, and when. */
struct action_made {
	const struct action *action;
	const struct referral *referral; /* its sending is known */
	const char *agency;
	const char *event_id;
	const char *appointment_id; /* of appointments */
	int64_t now_ns;
};

/*
 * The event that the form says; NULL with errors about its fields, or without memory (then without
 * errors).
 */
json_t *action_build(const struct action_made *made, const struct web_request *request,
                     struct page_errors *errors);

#endif
