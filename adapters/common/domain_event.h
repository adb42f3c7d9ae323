/*
 * HMPPS domain events: one JSON object, bare or inside a notification of the queue it came by.
 *
 * What real senders do and this reader takes in its stride: the person under personReference or
 * under one of several keys of additionalInformation; identifier type NOMS or nomsNumber; version
 * 1, 2 or the text "1.0"; times with 0 to 9 fraction digits, "Z" or an offset, a space for the T,
 * a zone in brackets; detailUrl null or a placeholder. Pure but for malloc.
 */
#ifndef ADAPTERS_COMMON_DOMAIN_EVENT_H
#define ADAPTERS_COMMON_DOMAIN_EVENT_H

#include <jansson.h>
#include "common/build.h"

struct domain_event {
	const char *type;     /* eventType */
	const char *occurred; /* occurredAt as received */
	int64_t occurred_ns;
	const char *detail_url; /* NULL when null, empty or a placeholder */
	const char *noms;       /* NULL when it names nobody by this number */
	const char *crn;
	const json_t *additional; /* additionalInformation, or NULL */
	json_t *inner;            /* owned: the event inside a notification */
	const json_t *root;
};

/* True for an object that is a domain event or a notification around one. */
bool domain_event_is(const json_t *item);

/* Its type alone, for deciding whether it is wanted; NULL when it has none. */
enum ttg_error domain_event_open(struct domain_event *event, const json_t *item,
                                 struct message *message);
void domain_event_close(struct domain_event *event);

/*
 * Reads the rest of a wanted event: version, times, person. TTG_EFORMAT, TTG_EVERSION; `message`
 * names the member.
 */
enum ttg_error domain_event_read(struct domain_event *event, struct message *message);

/* A member of additionalInformation as text; NULL when missing, null or "". */
const char *domain_event_field(const struct domain_event *event, const char *name, char room[32]);

/* Sets occurred_at and the person. */
void domain_event_envelope(const struct domain_event *event, struct build *build);

/*
 * Finishes an event whose id comes from what it means: type, person, instant, reason and, when one
 * message gives several events, their type. Two messages that say the same give the same id.
 */
enum ttg_error domain_event_finish(const struct domain_event *event, struct build *build,
                                   struct intake *intake, const char *reason,
                                   struct message *message);

#endif
