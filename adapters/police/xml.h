/*
 * Police events as XML: <policeEvents> with one element an event, or one such element alone, in
 * the namespace urn:throughgate:police:1. Each event is validated against the built-in schema by
 * itself and turned into the JSON object of the same members.
 *
 * A document with a document type (and so with entities of any kind) is refused; nothing is ever
 * fetched, expanded or included.
 */
#ifndef ADAPTERS_POLICE_XML_H
#define ADAPTERS_POLICE_XML_H

#include "common/json_items.h"

#define XML_EVENTS_MAX 10000

struct xml_schema;

enum ttg_error xml_schema_new(struct xml_schema **out, struct message *message);
void xml_schema_free(struct xml_schema **schema);

/* As json_items_each(). An event that is no good leaves the whole document in failed/. */
enum ttg_error xml_items_each(const struct xml_schema *schema, const struct document *document,
                              struct intake *intake, json_item_reader *read, void *user);

#endif
