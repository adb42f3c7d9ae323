/*
 * Building one event. See build.h. Owned by the adapter's only thread; pure but for malloc. After
 * the first error every setter does nothing and build_finish() reports it.
 */
#include "common/build.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bounds.h"
#include "base/instant.h"
#include "base/utf8.h"

#define REPEATED_MAX 256  /* entries of any repeated field (proto/envelope.proto) */
#define PERSON_MAX   16   /* identifiers of a person (proto/common.proto) */
#define BREACH_MAX   160
#define MEANING_MAX  8192 /* bytes of all texts an id is derived from */

/* Finds the field of the oneof that carries payloads of `type`. */
static const ProtobufCFieldDescriptor *payload_field(const ProtobufCMessageDescriptor *type)
{
	const ProtobufCMessageDescriptor *event = &ttg__event__descriptor;

	for (unsigned i = 0; i < event->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &event->fields[i];

		if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 && field->descriptor == type)
			return field;
	}
	return NULL;
}

static void *message_new(const ProtobufCMessageDescriptor *type)
{
	void *made = malloc(type->sizeof_message);

	if (made != NULL)
		protobuf_c_message_init(type, made);
	return made;
}

void *build_begin(struct build *build, const char *type, const char *source, int64_t now_ns)
{
	char date[11], clock[6];
	int index = ttg_type_find(type);

	assert(index >= 0);
	memset(build, 0, sizeof(*build));
	build->type = index;
	instant_to_civil(now_ns, date, clock);
	build->year_now = (int)strtol(date, NULL, 10);
	build->event = message_new(&ttg__event__descriptor);
	if (build->event == NULL) {
		build_fail(build, TTG_ENOMEM, "no memory");
		return NULL;
	}
	const ProtobufCMessageDescriptor *descriptor = ttg_type_descriptor((size_t)index);
	const ProtobufCFieldDescriptor *field = payload_field(descriptor);
	void *payload = message_new(descriptor);
	assert(field != NULL);
	if (payload == NULL) {
		build_fail(build, TTG_ENOMEM, "no memory");
		return NULL;
	}
	char *base = (char *)build->event;
	memcpy(base + field->offset, &payload, sizeof(payload));
	memcpy(base + field->quantifier_offset, &field->id, sizeof(uint32_t));
	build->event->marking = TTG__MARKING__OFFICIAL;
	build->event->assertion = TTG__ASSERTION__FACT;
	build_text(build, &build->event->source, "source", source, BUILD_CODE_MAX);
	build_text(build, &build->event->type, "type", type, BUILD_NAME_MAX);
	return build->error == TTG_OK ? payload : NULL;
}

void build_abandon(struct build *build)
{
	if (build->event != NULL)
		ttg__event__free_unpacked(build->event, NULL);
	build->event = NULL;
}

void build_fail(struct build *build, enum ttg_error error, const char *format, ...)
{
	va_list list;

	if (build->error != TTG_OK)
		return;
	build->error = error;
	va_start(list, format);
	vsnprintf(build->message.text, sizeof(build->message.text), format, list);
	va_end(list);
}

static void replace_text(struct build *build, char **field, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL) {
		build_fail(build, TTG_ENOMEM, "no memory");
		return;
	}
	if (*field != NULL && *field != (char *)protobuf_c_empty_string)
		free(*field);
	*field = copy;
}

void build_text(struct build *build, char **field, const char *what, const char *text, size_t max)
{
	if (build->error != TTG_OK || text == NULL || *text == '\0')
		return;
	if (strlen(text) > max) {
		build_fail(build, TTG_ELIMIT, "%s is longer than %zu bytes", what, max);
		return;
	}
	if (!utf8_is_clean(text, strlen(text))) {
		build_fail(build, TTG_EFORMAT, "%s holds control characters", what);
		return;
	}
	replace_text(build, field, text);
}

void build_code(struct build *build, char **field, const char *what, const char *text)
{
	if (text != NULL && strpbrk(text, " \t\n") != NULL) {
		build_fail(build, TTG_EFORMAT, "%s is a code and holds no spaces", what);
		return;
	}
	build_text(build, field, what, text, BUILD_CODE_MAX);
}

void build_date(struct build *build, char **field, const char *what, const char *text)
{
	char date[11];

	if (build->error != TTG_OK || text == NULL || *text == '\0')
		return;
	if (date_parse(text, date) != TTG_OK) {
		build_fail(build, TTG_EFORMAT, "%s is no date: dd/mm/yyyy or yyyy-mm-dd", what);
		return;
	}
	replace_text(build, field, date);
}

void build_clock(struct build *build, char **field, const char *what, const char *text)
{
	char clock[6];

	if (build->error != TTG_OK || text == NULL || *text == '\0')
		return;
	if (clock_parse(text, clock) != TTG_OK) {
		build_fail(build, TTG_EFORMAT, "%s is no time of day: HH:MM", what);
		return;
	}
	replace_text(build, field, clock);
}

void build_time_ns(struct build *build, Ttg__Time **field, int64_t unix_ns, const char *original)
{
	Ttg__Time *made = build_message(build, field, &ttg__time__descriptor);

	if (made == NULL)
		return;
	made->unix_ns = unix_ns;
	build_text(build, &made->original, "time", original, 64);
}

void build_time(struct build *build, Ttg__Time **field, const char *what, const char *text)
{
	int64_t unix_ns;

	if (build->error != TTG_OK || text == NULL || *text == '\0')
		return;
	if (strlen(text) > 64 || instant_parse(text, &unix_ns) != TTG_OK) {
		build_fail(build, TTG_EFORMAT, "%s is no date and time as in RFC 3339", what);
		return;
	}
	build_time_ns(build, field, unix_ns, text);
}

void build_bytes(struct build *build, ProtobufCBinaryData *field, const uint8_t *data, size_t len)
{
	if (build->error != TTG_OK)
		return;
	uint8_t *copy = malloc(len);

	if (copy == NULL) {
		build_fail(build, TTG_ENOMEM, "no memory");
		return;
	}
	memcpy(copy, data, len);
	free(field->data);
	field->data = copy;
	field->len = len;
}

void *build_message(struct build *build, void *field, const ProtobufCMessageDescriptor *type)
{
	void *made;

	if (build->error != TTG_OK)
		return NULL;
	memcpy(&made, field, sizeof(made));
	if (made != NULL)
		return made;
	made = message_new(type);
	if (made == NULL)
		build_fail(build, TTG_ENOMEM, "no memory");
	memcpy(field, &made, sizeof(made));
	return made;
}

/* Room for one more pointer at the end of a repeated field. */
static bool grow_list(struct build *build, size_t n, void *list)
{
	void *grown;

	if (build->error != TTG_OK)
		return false;
	if (n == REPEATED_MAX) {
		build_fail(build, TTG_ELIMIT, "a list holds more than %d entries", REPEATED_MAX);
		return false;
	}
	memcpy(&grown, list, sizeof(grown));
	grown = realloc(grown, (n + 1) * sizeof(void *));
	if (grown == NULL) {
		build_fail(build, TTG_ENOMEM, "no memory");
		return false;
	}
	memcpy(list, &grown, sizeof(grown));
	return true;
}

void *build_add_message(struct build *build, size_t *n, void *list,
                        const ProtobufCMessageDescriptor *type)
{
	void **entries;
	void *made;

	if (!grow_list(build, *n, list))
		return NULL;
	made = message_new(type);
	if (made == NULL) {
		build_fail(build, TTG_ENOMEM, "no memory");
		return NULL;
	}
	memcpy(&entries, list, sizeof(entries));
	entries[(*n)++] = made;
	return made;
}

void build_add_text(struct build *build, size_t *n, char ***list, const char *what,
                    const char *text, size_t max)
{
	char *entry = NULL; /* never the shared empty string: entries of lists are freed as they are */

	if (text == NULL || *text == '\0' || !grow_list(build, *n, list))
		return;
	build_text(build, &entry, what, text, max);
	if (entry != NULL)
		(*list)[(*n)++] = entry;
}

static void fill_identifier(struct build *build, Ttg__Identifier *made, enum identifier_kind kind,
                            const char *value)
{
	char canonical[IDENTIFIER_CANONICAL];
	enum identifier_validity validity;

	validity = identifier_check(kind, value, build->year_now, canonical);
	made->kind = (Ttg__IdentifierKind)kind;
	made->validity = (Ttg__Validity)validity;
	build_text(build, &made->value, "identifier", value, 64);
	build_text(build, &made->canonical, "identifier", canonical, IDENTIFIER_CANONICAL);
}

void build_identifier(struct build *build, Ttg__Identifier **field, enum identifier_kind kind,
                      const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	Ttg__Identifier *made = build_message(build, field, &ttg__identifier__descriptor);

	if (made != NULL)
		fill_identifier(build, made, kind, value);
}

void build_person(struct build *build, enum identifier_kind kind, const char *value)
{
	if (build->error != TTG_OK || value == NULL || *value == '\0')
		return;
	Ttg__Person *person = build_message(build, &build->event->person, &ttg__person__descriptor);

	if (person == NULL)
		return;
	for (size_t i = 0; i < person->n_identifiers; i++) {
		if ((int)person->identifiers[i]->kind == (int)kind &&
		    strcmp(person->identifiers[i]->value, value) == 0)
			return;
	}
	if (person->n_identifiers == PERSON_MAX) {
		build_fail(build, TTG_ELIMIT, "a person has more than %d identifiers", PERSON_MAX);
		return;
	}
	Ttg__Identifier *made = build_add_message(
	        build, &person->n_identifiers, &person->identifiers, &ttg__identifier__descriptor);

	if (made != NULL)
		fill_identifier(build, made, kind, value);
}

bool build_has_match_key(const struct build *build)
{
	const Ttg__Person *person = build->event == NULL ? NULL : build->event->person;

	for (size_t i = 0; person != NULL && i < person->n_identifiers; i++) {
		if (identifier_is_match_key((enum identifier_kind)person->identifiers[i]->kind))
			return true;
	}
	return false;
}

enum ttg_error build_id(uint8_t out[TTG_UUID_BYTES], int64_t id_ns, const char *const *meaning,
                        size_t n)
{
	char joined[MEANING_MAX];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		const char *text = meaning[i] == NULL ? "" : meaning[i];
		size_t text_len = strlen(text) + 1; /* with its NUL: "a","bc" is not "ab","c" */

		if (text_len > sizeof(joined) - len)
			return TTG_ELIMIT;
		memcpy(joined + len, text, text_len);
		len += text_len;
	}
	return ttg_uuid_from_meaning(out, id_ns, joined, len);
}

/* The setters know what one document may say; this is what the broker takes. */
static void check_bounds(struct build *build)
{
	char breach[BREACH_MAX];

	if (build->error == TTG_OK &&
	    bounds_find_breach(&build->event->base, breach, sizeof(breach)))
		build_fail(build, TTG_ELIMIT, "%s", breach);
}

enum ttg_error build_finish(struct build *build, struct intake *intake, int64_t id_ns,
                            const char *const *meaning, size_t n)
{
	uint8_t id[TTG_UUID_BYTES];
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum ttg_error error = build->error;

	if (error != TTG_OK)
		goto out;
	assert(build->event->occurred_at != NULL);
	error = build_id(id, id_ns, meaning, n);
	if (error != TTG_OK) {
		build_fail(build, error, "the identifying fields are too long");
		goto out;
	}
	build_bytes(build, &build->event->id, id, sizeof(id));
	check_bounds(build);
	error = build->error;
	if (error == TTG_OK)
		error = ttg_event_complete(build->event);
	if (error == TTG_OK)
		error = ttg_event_pack(build->event, &bytes, &len);
	if (error == TTG_OK)
		error = intake_add_event(intake, id, build->type, bytes, len);
	if (error != TTG_OK)
		build_fail(build, error, "%s", ttg_error_text(error));
out:
	build_abandon(build);
	return error;
}
