/*
 * What the two kinds of extract (release diary, discharge boards) share: columns, the canonical
 * form of a row, and the comparison with what was seen last. A kind adds its columns and what a
 * difference becomes.
 */
#ifndef ADAPTERS_PRISON_EXTRACT_H
#define ADAPTERS_PRISON_EXTRACT_H

#include <jansson.h>
#include "common/csv_file.h"
#include "common/shape.h"
#include "prison/prison.h"

struct extract_column {
	struct csv_column csv;
	enum shape_type type; /* TEXT, CODE, DATE, CLOCK, ANSWER or WORD */
	const ProtobufCEnumDescriptor *words;
	const struct shape_alias *aliases;
};

/* One difference. Values are canonical texts by column name, without blank ones. */
struct extract_change {
	const struct prison *prison;
	const json_t *before; /* NULL: was not there */
	const json_t *after;  /* NULL: is not there any more */
	const char *key;
	int64_t revision; /* of the entry after this change */
	int64_t seen_ns;  /* when the extract was made */
};

struct extract_kind {
	const char *name; /* in the state */
	const struct extract_column *columns;
	size_t n_columns;
	const char *reference;    /* column that tells several entries of one man apart */
	const char *date, *clock; /* columns that say when it is to happen */
	/* Adds the event of a change; the sentence of an error goes to `message`. */
	enum ttg_error (*publish)(const struct extract_change *change, struct intake *intake,
	                          struct message *message);
	/* True when an entry that vanishes leaves something to cancel. */
	bool (*stands)(const json_t *values);
};

extern const struct extract_kind diary_kind;
extern const struct extract_kind boards_kind;

/* A value of a row, or "". */
const char *extract_value(const json_t *values, const char *column);

/* The instant an entry is to happen; the end of the day when it has no hour. */
int64_t extract_due_ns(const struct extract_kind *kind, const json_t *values);

/* Sets the envelope every extract event shares and finishes it. */
void extract_envelope(const struct extract_change *change, struct build *build);
enum ttg_error extract_finish(const struct extract_change *change, struct build *build,
                              struct intake *intake, struct message *message);

/* The release address of a row, when it has one. */
void extract_address(struct build *build, Ttg__Address **field, const json_t *values);

/* Columns of the address, for both kinds. */
#define EXTRACT_ADDRESS_COLUMNS                                                                    \
	{ { "address_1", "address,address line 1,release address", false },                        \
	  SHAPE_TEXT,                                                                              \
	  NULL,                                                                                    \
	  NULL },                                                                                  \
	        { { "address_2", "address line 2", false }, SHAPE_TEXT, NULL, NULL },              \
	        { { "address_3", "address line 3", false }, SHAPE_TEXT, NULL, NULL },              \
	        { { "address_4", "address line 4", false }, SHAPE_TEXT, NULL, NULL },              \
	        { { "town", "post town,address town", false }, SHAPE_TEXT, NULL, NULL },           \
	        { { "postcode", "post code", false }, SHAPE_TEXT, NULL, NULL },                    \
	        { { "address_kind", "address type,accommodation", false },                         \
		  SHAPE_WORD,                                                                      \
		  &ttg__address_kind__descriptor,                                                  \
		  extract_address_kinds },                                                         \
	{                                                                                          \
		{ "address_confirmed", "confirmed", false }, SHAPE_ANSWER, NULL, NULL              \
	}

extern const struct shape_alias extract_address_kinds[];

#endif
