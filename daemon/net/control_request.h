/*
 * One request on the control socket, as the commands see it. Internal to daemon/net/control*.c.
 *
 * A command either answers at once and ends, or sets `step`, which the loop calls once a cycle
 * until it ends the request; or ends with `wait_durable` set, and the answer goes out when that
 * sequence is on disk.
 */
#ifndef TTGD_NET_CONTROL_REQUEST_H
#define TTGD_NET_CONTROL_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/persons.h"
#include "net/net.h"

#define CONTROL_REQUEST_MAX 4096
#define CONTROL_OUTPUT_MAX (1024u * 1024u)
#define CONTROL_TIME_TEXT 32
#define CONTROL_REASON_MIN 3
#define CONTROL_REASON_MAX 250

/* A listing of mailboxes, or of what is in them, in slices. */
struct control_listing {
	char only[RULES_MAILBOX_MAX + 1]; /* mailbox; "": all */
	size_t index;                     /* of the mailbox to go on with */
	uint64_t after;                   /* position in it that was given last */
	bool found;                       /* any mailbox */
};

struct control_request {
	int fd;                     /* -1: free slot */
	struct net *net;
	uid_t uid;
	int64_t opened_ns, moved_ns; /* mono; moved: last time the client took or gave a byte */

	char in[CONTROL_REQUEST_MAX + 1];
	size_t in_len;
	bool started;               /* request complete and dispatched */

	char *out;                  /* bytes not yet taken by the client */
	size_t out_len, out_sent, out_room;
	bool overflowed, ended;
	uint64_t wait_durable;      /* hold `out` until then */

	json_t *arguments;
	bool idle;                  /* step has nothing to do until something becomes durable */
	bool watch;                 /* a thread works for it: look again soon */
	void (*step)(struct control_request *request);
	void *job;                  /* the step's own, freed with free_job */
	void (*free_job)(void *job);
};

/* One item; takes the reference. */
void control_item(struct control_request *request, json_t *take_data);
__attribute__((format(printf, 3, 4))) void control_end(struct control_request *request,
							enum ttg_error code, const char *format,
							...);

/* So much waits for the client that a listing goes on later. */
bool control_enough(const struct control_request *request);
/* Goes on with `step` in slices, for one mailbox or all (NULL). False: ended without memory. */
bool control_list(struct control_request *request, const char *only,
		  void (*step)(struct control_request *request));

/* Arguments. A missing or ill-typed one ends the request and gives false. */
bool control_string(struct control_request *request, const char *name, bool required,
		    const char **out); /* NULL when left out */
bool control_integer(struct control_request *request, const char *name, bool required,
		     int64_t min, int64_t max, int64_t *out); /* untouched when left out */
bool control_bool(struct control_request *request, const char *name, bool *out);
/* Sequence of the event that event_id names; 0: the request was ended. */
uint64_t control_event(struct control_request *request);

/* "2026-11-21T10:15:00.123Z" or null for 0 and beyond the end of time. */
json_t *control_time(int64_t unix_ns);
#define CONTROL_HEX_MAX 8192u
json_t *control_hex(const uint8_t *bytes, size_t len); /* null for NULL */
const char *control_reason(uint32_t nack_reason);

/* control_views.c */
void control_status(struct control_request *request);
void control_agencies(struct control_request *request);
void control_agreements(struct control_request *request);
void control_mailboxes(struct control_request *request);
/* control_explain.c */
void control_explain(struct control_request *request);
/* What a mask grants, as mask_text() spells it; NULL: "*". */
json_t *control_fields(const struct mask *mask);
/* control_person.c */
void control_person(struct control_request *request);
void control_conflicts(struct control_request *request);
void control_resolve(struct control_request *request);
#define CONTROL_CALLER 32u
void control_caller(const struct control_request *request, char out[CONTROL_CALLER]); /* "uid 0" */
/* The reason is one, and text names a person (NULL: nobody). False: the request was ended. */
bool control_person_named(struct control_request *request, const char *text, const char *reason,
			  struct core_person *out);
/* Finds the person and writes down who asked for `what` and why; the answer waits until that is
   durable. text NULL: about everybody. False: the request was ended. */
bool control_consult(struct control_request *request, const char *text, const char *reason,
		     const char *what, struct core_person *out);
/* control_erase.c */
void control_report(struct control_request *request);
void control_erase(struct control_request *request);
void control_keys(struct control_request *request);
/* control_rules.c */
void control_rules(struct control_request *request);
void control_rules_changes(struct control_request *request);
void control_rules_diff(struct control_request *request);
struct rules_version;
/* The text of these rules out of the journal, malloc'd, NUL behind it; *len without that. TTG_EAGAIN: it is
   not durable yet; TTG_ENOENT: not held any more, or never written; TTG_ECORRUPT, TTG_EIO, TTG_ENOMEM. */
enum ttg_error control_rules_text(const struct net *net, const struct rules_version *version, char **text,
				  size_t *len);
/* control_disclosures.c */
void control_disclosures(struct control_request *request);
/* control_dead.c */
void control_dead_list(struct control_request *request);
void control_dead_retry(struct control_request *request);
void control_dead_discard(struct control_request *request);
void control_give_up(struct control_request *request);
/* control_redeliver.c */
void control_redeliver(struct control_request *request);
/* control_history.c */
void control_tail(struct control_request *request);
void control_trace(struct control_request *request);
/* control_receipt.c */
void control_receipt(struct control_request *request);
/* control_work.c */
void control_reload(struct control_request *request);
void control_backup(struct control_request *request);
/* control_verify.c */
void control_verify(struct control_request *request);

#endif
