/* Live lines. Pure; owned by the adapter's one thread. See line.h. */
#include "oneservice/line.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "base/identifier.h"
#include "base/instant.h"
#include "oneservice/phrase.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

/* The broker's and the publisher's instants may be any number: the farthest that can be told. */
static int64_t apart_ns(int64_t later_ns, int64_t earlier_ns)
{
	int64_t apart;

	if (!__builtin_sub_overflow(later_ns, earlier_ns, &apart))
		return apart;
	return later_ns > earlier_ns ? INT64_MAX : INT64_MIN;
}

int64_t line_latency_ns(const Ttg__Event *event, int64_t accepted_ns, int64_t received_ns)
{
	int64_t from_ns = accepted_ns;

	if (event->recorded_at)
		from_ns = event->recorded_at->unix_ns;
	else if (event->occurred_at && event->occurred_at->unix_ns % LINE_COARSE_NS != 0 &&
	         event->occurred_at->unix_ns <= accepted_ns &&
	         apart_ns(accepted_ns, event->occurred_at->unix_ns) <= LINE_PROMPT_NS)
		from_ns = event->occurred_at->unix_ns;
	return apart_ns(received_ns, from_ns);
}

/* The desk knows people by prison number first, then probation's, the police's, anything. */
static const Ttg__Identifier *best_identifier(const Ttg__Person *person)
{
	static const Ttg__IdentifierKind order[] = { TTG__IDENTIFIER_KIND__NOMS,
		                                     TTG__IDENTIFIER_KIND__CRN,
		                                     TTG__IDENTIFIER_KIND__PNC,
		                                     TTG__IDENTIFIER_KIND__CRO };

	if (!person || person->n_identifiers == 0)
		return NULL;
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
		for (size_t i = 0; i < person->n_identifiers; i++)
			if (person->identifiers[i]->kind == order[k] &&
			    person->identifiers[i]->canonical[0])
				return person->identifiers[i];
	return person->identifiers[0];
}

static void add_person(struct sentence *out, const Ttg__Person *person)
{
	const Ttg__Identifier *identifier = best_identifier(person);
	char shown[80];

	if (!identifier)
		snprintf(shown, sizeof(shown), "-");
	else if (identifier->canonical[0])
		snprintf(shown, sizeof(shown), "%s", identifier->canonical);
	else
		snprintf(shown, sizeof(shown), "%s?", identifier->value);
	sentence_add(out, "%-14s", shown);
}

void line_for_people(char out[LINE_BYTES], const Ttg__Event *event, int64_t accepted_ns,
                     int64_t received_ns)
{
	struct sentence text = { .length = 0 };
	char date[11];
	char clock[6];

	sentence_add(&text, "%c %-25s ", event->urgency == TTG__URGENCY__URGENT ? '!' : ' ',
	             event->type);
	add_person(&text, event->person);
	sentence_add(&text, " ");
	phrase_of(&text, event);
	sentence_make_printable(&text);
	instant_to_civil(received_ns, date, clock);
	snprintf(out, LINE_BYTES, "%s:%02d %s  [%" PRId64 " ms]", clock,
	         (int)(received_ns / NS_PER_S % 60), text.bytes,
	         line_latency_ns(event, accepted_ns, received_ns) / NS_PER_MS);
}

static void set_id(json_t *object, const char *name, const ProtobufCBinaryData *id)
{
	char text[TTG_UUID_TEXT];

	if (id->len != TTG_UUID_BYTES)
		return;
	ttg_uuid_format(id->data, text);
	json_object_set_new(object, name, json_string(text));
}

static void set_time(json_t *object, const char *name, int64_t unix_ns)
{
	char text[INSTANT_TEXT];

	instant_format(unix_ns, text);
	json_object_set_new(object, name, json_string(text));
}

static void set_identifiers(json_t *object, const Ttg__Person *person)
{
	json_t *list = json_array();

	for (size_t i = 0; person && i < person->n_identifiers; i++) {
		const Ttg__Identifier *from = person->identifiers[i];
		json_t *entry = json_object();

		json_object_set_new(
		        entry, "kind",
		        json_string(identifier_kind_name((enum identifier_kind)from->kind)));
		json_object_set_new(entry, "value", json_string(from->value));
		json_object_set_new(entry, "valid", json_boolean(from->canonical[0] != '\0'));
		json_array_append_new(list, entry);
	}
	json_object_set_new(object, "identifiers", list);
}

char *line_for_programs(const struct ttg_delivery *delivery, const Ttg__Event *event,
                        int64_t received_ns)
{
	json_t *object = json_object();
	struct sentence text = { .length = 0 };
	char *line;

	phrase_of(&text, event);
	sentence_make_printable(&text);
	set_time(object, "received", received_ns);
	set_time(object, "accepted", delivery->accepted_ns);
	if (event->occurred_at)
		set_time(object, "occurred", event->occurred_at->unix_ns);
	if (event->recorded_at)
		set_time(object, "recorded", event->recorded_at->unix_ns);
	set_id(object, "id", &event->id);
	set_id(object, "correlation", &event->correlation_id);
	set_id(object, "supersedes", &event->supersedes);
	json_object_set_new(object, "type", json_string(event->type));
	json_object_set_new(object, "source", json_string(event->source));
	json_object_set_new(object, "urgent", json_boolean(event->urgency == TTG__URGENCY__URGENT));
	json_object_set_new(object, "mailbox", json_string(delivery->mailbox));
	json_object_set_new(object, "position", json_integer((json_int_t)delivery->position));
	json_object_set_new(object, "attempt", json_integer(delivery->attempt));
	set_identifiers(object, event->person);
	json_object_set_new(object, "text", json_string(text.bytes));
	json_object_set_new(
	        object, "latency_ms",
	        json_real((double)line_latency_ns(event, delivery->accepted_ns, received_ns) /
	                  1e6));
	line = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
	json_decref(object);
	return line;
}
