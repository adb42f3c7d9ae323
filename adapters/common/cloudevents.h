/*
 * Events as CloudEvents 1.0 in JSON (structured mode) and back. docs/protocol.md has the table.
 *
 * The envelope's fields are context attributes, the payload is `data`, and the person is
 * data.person: nothing about a person is in a context attribute but the broker's opaque key.
 */
#ifndef ADAPTERS_COMMON_CLOUDEVENTS_H
#define ADAPTERS_COMMON_CLOUDEVENTS_H

#include <jansson.h>
#include <stdint.h>
#include <ttg/event.h>
#include "base/message.h"

/* What a delivery adds: extensions mailbox, sequence, attempt, personkey, partitionkey,
   redacted. */
struct cloudevents_delivery {
	const char *mailbox; /* may be NULL */
	uint64_t position;
	uint32_t attempt;
	const uint8_t *person_key; /* 16 bytes or NULL */
	bool redacted;
};

/*
 * Makes an event of one JSON object; an id is made when it has none, canonical and validity of
 * identifiers are worked out here, whatever the object says. *out is to be freed with
 * ttg__event__free_unpacked(). *ignored counts attributes that are not ours. TTG_EFORMAT,
 * TTG_ELIMIT (also what the broker would refuse for a bound of a field), TTG_ENOMEM; the message
 * names the attribute or the path.
 */
enum ttg_error cloudevents_read(const json_t *json, Ttg__Event **out, unsigned *ignored,
				struct message *message);

/* A new JSON object; delivery may be NULL. NULL without memory. */
json_t *cloudevents_write(const Ttg__Event *event, const struct cloudevents_delivery *delivery);

#endif
