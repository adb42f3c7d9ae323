/*
 * A shape: how the members of a JSON object become the fields of a message, as a table.
 *
 * XML is turned into the same JSON objects (police) and CSV rows into flat ones, so that a format
 * has one table and no second spelling. Keys may be paths ("officer.team.code"); an object that
 * has the whole path as one member name is taken first, which is how CSV rows look.
 */
#ifndef ADAPTERS_COMMON_SHAPE_H
#define ADAPTERS_COMMON_SHAPE_H

#include <jansson.h>
#include "common/build.h"

enum shape_type {
	SHAPE_TEXT,
	SHAPE_CODE,
	SHAPE_DATE,
	SHAPE_CLOCK,
	SHAPE_TIME,
	SHAPE_COUNT,     /* uint32 */
	SHAPE_FLAG,      /* bool: true/false, Y/N, yes/no, 1/0 */
	SHAPE_ANSWER,    /* Ttg__Answer, the same spellings */
	SHAPE_WORD,      /* an enum: the constant without its common beginning, or an alias */
	SHAPE_MESSAGE,   /* a nested object with a shape of its own */
	SHAPE_MESSAGES,  /* a list of such */
	SHAPE_CODES,     /* a list of codes; in CSV one text with ";" between */
	SHAPE_TEXTS,     /* a list of texts */
	SHAPE_ELSEWHERE, /* known, and read by other code */
};

struct shape_alias {
	const char *word;
	int value;
};

struct shape;

struct shape_field {
	const char *key;
	enum shape_type type;
	bool required;
	size_t offset;       /* in the message */
	size_t count_offset; /* lists: of the n_ field */
	size_t max;          /* texts: bytes, 0 for BUILD_TEXT_MAX */
	const ProtobufCEnumDescriptor *words;
	const struct shape_alias *aliases; /* ends with a NULL word; may be NULL */
	const struct shape *shape;
};

struct shape {
	const ProtobufCMessageDescriptor *type; /* of nested messages */
	const struct shape_field *fields;
	size_t n_fields;
};

#define SHAPE_OF(message, field) offsetof(message, field)

/*
 * Sets the fields of `payload` from `object`. Unknown members are passed over; a known one of the
 * wrong kind or a missing required one fails the build, with its key named.
 */
void shape_apply(struct build *build, void *payload, const json_t *object,
                 const struct shape *shape);

/* The member at a path, or NULL; JSON null counts as not there. */
const json_t *shape_member(const json_t *object, const char *path);

/* The member as text, or NULL: strings, and numbers as digits in `room`. */
const char *shape_text(const json_t *object, const char *path, char room[32]);

/* Finds `text` among the constants of an enum or the aliases; case, "-" and " " do not matter. */
bool shape_word(const ProtobufCEnumDescriptor *words, const struct shape_alias *aliases,
                const char *text, int *value);

/* 1 yes, 0 no, -1 neither. */
int shape_yes_no(const json_t *value);

#endif
