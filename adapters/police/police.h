/*
 * The police adapter's reader. JSON objects and XML elements of the same names go through the same
 * shapes (shapes.c) and become catalogue events (events.c). Owned by the adapter's only thread.
 */
#ifndef ADAPTERS_POLICE_POLICE_H
#define ADAPTERS_POLICE_POLICE_H

#include <jansson.h>
#include "common/adapter.h"
#include "common/shape.h"

struct xml_schema;

struct police {
	char agency[CONFIG_TEXT_BYTES];
	struct xml_schema *schema;
};

extern const struct adapter_kind police_kind;

/* Shapes of the five kinds of event, by the name of their kind. */
struct police_shape {
	const char *kind;     /* "arrest": JSON member "kind", XML element name */
	const char *type;     /* "police.arrest" */
	const char *occurred; /* key of the instant or date it happened */
	Ttg__Urgency urgency;
	struct shape shape;
};
extern const struct police_shape police_shapes[];
extern const size_t police_shapes_n;
extern const struct shape_field police_person_fields[];
extern const size_t police_person_fields_n;
extern const struct shape police_offence_shape;

/* Reads one event. The reader of json_items_each(). */
enum ttg_error police_event_read(const struct police *police, const json_t *item,
                                 struct intake *intake, struct message *message);

/* The id that the first alert of an arrest has, for everything that follows it. */
enum ttg_error police_alert_id(uint8_t out[TTG_UUID_BYTES], const char *force,
                               const char *alert_id);

#endif
