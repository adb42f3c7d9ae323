/*
 * Comparing an extract with what was seen last. See extract.h. Owned by the adapter's only thread.
 *
 * A row is brought into a canonical form first, so that another order of columns or another way of
 * writing a date is no change. New rows, changed rows and, for full extracts, vanished rows become
 * events; all of it happens in one transaction of the state that the frame commits later.
 *
 * What guards against a broken extract cancelling everybody:
 *   - a full extract speaks only for the prisons that are named in it;
 *   - a bad line means somebody could be on it: nothing is cancelled by that file;
 *   - an empty extract, or one in which more than a configured share vanished, is refused whole,
 *     unless its name begins with "force-", which is how the operator says that it is right;
 *   - what was due before the extract was made has happened and is forgotten, not cancelled.
 */
#include "prison/extract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "common/text.h"
#include "prison/state.h"

#define FORCE_PREFIX "force-"
#define KEY_BYTES    160
#define CANON_BYTES  (CSV_FIELD_MAX + 1)
#define NS_PER_DAY   (INT64_C(86400) * 1000000000)

struct comparing {
	struct prison *prison;
	const struct extract_kind *kind;
	const struct document *document;
	struct intake *intake;
	struct message *message;
	json_t *seen;   /* keys of this extract */
	json_t *scopes; /* prisons of this extract */
	size_t rows;
	/* Vanishing. */
	size_t known; /* entries still ahead */
	json_t *gone; /* those of them that are not in the extract: [key, scope, values, revision]
	               */
};

const char *extract_value(const json_t *values, const char *column)
{
	const char *text = json_string_value(json_object_get(values, column));

	return text == NULL ? "" : text;
}

int64_t extract_due_ns(const struct extract_kind *kind, const json_t *values)
{
	const char *date = extract_value(values, kind->date);
	const char *clock = extract_value(values, kind->clock);
	int64_t due_ns = 0;

	if (instant_from_civil(date, *clock == '\0' ? NULL : clock, &due_ns) != TTG_OK)
		return 0;
	return *clock == '\0' ? due_ns + NS_PER_DAY : due_ns;
}

/* Brings one field into its canonical text. */
static enum ttg_error canonical(const struct extract_column *column, const char *text,
                                char out[CANON_BYTES], struct message *message)
{
	enum ttg_error error = TTG_OK;
	int word;

	if (column->type == SHAPE_DATE) {
		error = date_parse(text, out);
	} else if (column->type == SHAPE_CLOCK) {
		error = clock_parse(text, out);
	} else if (column->type == SHAPE_ANSWER) {
		json_t *value = json_string(text);
		int yes = shape_yes_no(value);

		json_decref(value);
		error = yes < 0 ? TTG_EFORMAT : TTG_OK;
		strcpy(out, yes > 0 ? "yes" : "no");
	} else if (column->type == SHAPE_WORD) {
		error = shape_word(column->words, column->aliases, text, &word) ? TTG_OK
		                                                                : TTG_EFORMAT;
		if (error == TTG_OK)
			strcpy(out,
			       protobuf_c_enum_descriptor_get_value(column->words, word)->name);
	} else {
		snprintf(out, CANON_BYTES, "%s", text);
	}
	if (error != TTG_OK)
		return message_set(message, error, "%s cannot be read", column->csv.name);
	return TTG_OK;
}

static enum ttg_error canonical_row(const struct extract_kind *kind, const struct csv_row *row,
                                    json_t **out, struct message *message)
{
	char text[CANON_BYTES];
	json_t *values = json_object();
	enum ttg_error error = values == NULL ? TTG_ENOMEM : TTG_OK;

	for (size_t i = 0; i < kind->n_columns && error == TTG_OK; i++) {
		if (row->values[i][0] == '\0')
			continue;
		error = canonical(&kind->columns[i], row->values[i], text, message);
		if (error == TTG_OK &&
		    json_object_set_new(values, kind->columns[i].csv.name, json_string(text)) != 0)
			error = TTG_ENOMEM;
	}
	if (error != TTG_OK) {
		json_decref(values);
		values = NULL;
	}
	*out = values;
	return error;
}

static void make_key(const struct extract_kind *kind, const json_t *values, int64_t seen_ns,
                     char out[KEY_BYTES])
{
	char canonical_number[IDENTIFIER_CANONICAL], date[11], clock[6];
	const char *number = extract_value(values, "prison_number");

	instant_to_civil(seen_ns, date, clock);
	if (identifier_check(IDENTIFIER_NOMS, number, (int)strtol(date, NULL, 10), canonical_number) ==
	    IDENTIFIER_VALID)
		number = canonical_number;
	snprintf(out, KEY_BYTES, "%.64s|%.64s", number, extract_value(values, kind->reference));
}

static enum ttg_error bad_row(struct comparing *comparing, const struct csv_row *row,
                              enum ttg_error error, const struct message *why)
{
	if (error == TTG_ENOMEM)
		return error;
	return intake_add_problem(comparing->intake, row->line, error, why->text, row->raw,
	                          row->raw_len);
}

/* Publishes and remembers one change. The state is written only when the event is fine. */
static enum ttg_error apply_change(struct comparing *comparing, const struct state_entry *old,
                                   const char *key, const json_t *after, struct message *why)
{
	json_t *before = old != NULL && old->present ? json_loads(old->values, 0, NULL) : NULL;
	char *values = NULL;
	struct extract_change change = {
		.prison = comparing->prison,
		.before = before,
		.after = after,
		.key = key,
		.revision = old == NULL ? 1 : old->revision + 1,
		.seen_ns = comparing->document->seen_ns,
	};
	enum ttg_error error = comparing->kind->publish(&change, comparing->intake, why);

	if (error != TTG_OK)
		goto out;
	values = json_dumps(after == NULL ? before : after, JSON_COMPACT | JSON_SORT_KEYS);
	if (values == NULL) {
		error = TTG_ENOMEM;
		goto out;
	}
	struct state_entry entry = {
		.key = key,
		.scope = extract_value(after == NULL ? before : after, "prison_code"),
		.values = values,
		.revision = change.revision,
		.present = after != NULL,
	};
	if (state_put(comparing->prison->state, comparing->kind->name, &entry, change.seen_ns,
	              comparing->message) != TTG_OK)
		error = TTG_EIO;
out:
	free(values);
	json_decref(before);
	return error;
}

static enum ttg_error compare_row(struct comparing *comparing, const struct csv_row *row,
                                  const json_t *values)
{
	const struct extract_kind *kind = comparing->kind;
	struct message why = { "" };
	struct state_entry old;
	char key[KEY_BYTES];
	enum ttg_error error;
	char *text;
	bool same;

	make_key(kind, values, comparing->document->seen_ns, key);
	if (json_object_get(comparing->seen, key) != NULL) {
		message_set(&why, TTG_EFORMAT, "the same entry stands on an earlier line");
		return bad_row(comparing, row, TTG_EFORMAT, &why);
	}
	json_object_set_new(comparing->seen, key, json_true());
	json_object_set_new(comparing->scopes, extract_value(values, "prison_code"), json_true());
	error = state_get(comparing->prison->state, kind->name, key, &old, comparing->message);
	if (error != TTG_OK && error != TTG_ENOENT)
		return TTG_EIO;
	text = json_dumps(values, JSON_COMPACT | JSON_SORT_KEYS);
	if (text == NULL)
		return TTG_ENOMEM;
	same = error == TTG_OK && old.present && strcmp(old.values, text) == 0;
	free(text);
	if (same)
		return TTG_OK;
	error = apply_change(comparing, error == TTG_OK ? &old : NULL, key, values, &why);
	if (error == TTG_OK || error == TTG_EIO)
		return error;
	return bad_row(comparing, row, error, &why);
}

static enum ttg_error on_row(void *user, const struct csv_row *row)
{
	struct comparing *comparing = user;
	struct message why = { "" };
	json_t *values = NULL;
	enum ttg_error error = canonical_row(comparing->kind, row, &values, &why);

	comparing->rows++;
	if (error != TTG_OK)
		return bad_row(comparing, row, error, &why);
	error = compare_row(comparing, row, values);
	json_decref(values);
	return error;
}

static enum ttg_error on_bad(void *user, unsigned line, const char *text, const char *raw,
                             size_t raw_len)
{
	const struct comparing *comparing = user;

	return intake_add_problem(comparing->intake, line, TTG_EFORMAT, text, raw, raw_len);
}

/* The rejected lines must be a CSV file of their own. */
static enum ttg_error on_header(void *user, const char *raw, size_t raw_len)
{
	struct comparing *comparing = user;
	struct intake *intake = comparing->intake;

	intake->rejected = strndup(raw, raw_len);
	intake->rejected_len = raw_len;
	return intake->rejected == NULL ? TTG_ENOMEM : TTG_OK;
}

/* One entry that was there: counted, and remembered when it is not in the extract. */
static enum ttg_error on_known(void *arg, const struct state_entry *entry)
{
	struct comparing *comparing = arg;
	const struct extract_kind *kind = comparing->kind;
	enum ttg_error error = TTG_OK;
	json_t *values;

	if (comparing->rows > 0 && json_object_get(comparing->scopes, entry->scope) == NULL)
		return TTG_OK; /* of a prison this extract says nothing about */
	values = json_loads(entry->values, 0, NULL);
	if (extract_due_ns(kind, values) > comparing->document->seen_ns && kind->stands(values)) {
		comparing->known++;
		if (json_object_get(comparing->seen, entry->key) == NULL &&
		    json_array_append_new(comparing->gone,
		                          json_pack("[s,s,s,I]", entry->key, entry->scope,
		                                    entry->values, (json_int_t)entry->revision)) !=
		            0)
			error = TTG_ENOMEM;
	}
	json_decref(values);
	return error;
}

static enum ttg_error cancel_one(struct comparing *comparing, json_t *gone)
{
	struct message why = { "" };
	struct state_entry entry = { .present = true };
	json_int_t revision;
	enum ttg_error error;

	if (json_unpack(gone, "[s,s,s,I]", &entry.key, &entry.scope, &entry.values, &revision) != 0)
		return TTG_ENOMEM;
	entry.revision = revision;
	error = apply_change(comparing, &entry, entry.key, NULL, &why);
	if (error == TTG_OK || error == TTG_ENOMEM || error == TTG_EIO)
		return error;
	return intake_add_problem(comparing->intake, 0, error, why.text, NULL, 0);
}

static enum ttg_error cancel_vanished(struct comparing *comparing)
{
	const struct prison_settings *settings = &comparing->prison->settings;
	bool forced = strncmp(comparing->document->name, FORCE_PREFIX, strlen(FORCE_PREFIX)) == 0;
	size_t allowed, gone;
	enum ttg_error error = state_each(comparing->prison->state, comparing->kind->name, on_known,
	                                  comparing, comparing->message);

	gone = json_array_size(comparing->gone);
	allowed = comparing->known * (size_t)settings->max_vanish_percent / 100;
	if (allowed < (size_t)settings->max_vanish_count)
		allowed = (size_t)settings->max_vanish_count;
	if (error == TTG_OK && gone > 0 && !forced && (gone > allowed || comparing->rows == 0)) {
		intake_refuse(comparing->intake, TTG_ELIMIT,
		              "%zu of %zu entries would be cancelled; if that is right, put the "
		              "file in again under a name that begins with " FORCE_PREFIX,
		              gone, comparing->known);
		return TTG_OK;
	}
	for (size_t i = 0; i < gone && error == TTG_OK; i++)
		error = cancel_one(comparing, json_array_get(comparing->gone, i));
	return error;
}

static enum ttg_error compare(struct comparing *comparing, const char *text, size_t len)
{
	const struct extract_kind *kind = comparing->kind;
	struct csv_column columns[CSV_COLUMNS_MAX];
	struct message why = { "" };
	const struct csv_reader reader = { .columns = columns,
		                           .n_columns = kind->n_columns,
		                           .user = comparing,
		                           .on_header = on_header,
		                           .on_row = on_row,
		                           .on_bad = on_bad };
	int extent = kind == &diary_kind ? comparing->prison->settings.diary_extent
	                                 : comparing->prison->settings.boards_extent;
	enum ttg_error error;

	for (size_t i = 0; i < kind->n_columns; i++)
		columns[i] = kind->columns[i].csv;
	error = csv_read(&reader, text, len, &why);
	if (error == TTG_EFORMAT || error == TTG_ELIMIT) {
		intake_refuse(comparing->intake, error, "%s", why.text);
		return TTG_OK;
	}
	if (error == TTG_OK && extent == PRISON_EXTRACT_FULL &&
	    comparing->intake->total_problems == 0)
		error = cancel_vanished(comparing);
	return error;
}

enum ttg_error extract_read(struct prison *prison, const struct document *document,
                            struct intake *intake, struct message *message)
{
	struct comparing comparing = { .prison = prison,
		                       .document = document,
		                       .intake = intake,
		                       .message = message,
		                       .seen = json_object(),
		                       .scopes = json_object(),
		                       .gone = json_array() };
	struct message why = { "" };
	enum text_encoding encoding;
	char *text = NULL;
	size_t len = 0;
	enum ttg_error error =
	        text_to_utf8(document->bytes, document->len, &text, &len, &encoding, &why);

	if (error == TTG_EFORMAT) {
		intake_refuse(intake, error, "%s", why.text);
		error = TTG_OK;
		goto out;
	}
	if (error == TTG_OK)
		error = state_begin(prison->state, message);
	if (error != TTG_OK)
		goto out;
	prison->state_open = true;
	comparing.kind =
	        csv_has_column(text, len, &boards_kind.columns[1].csv) ? &boards_kind : &diary_kind;
	error = compare(&comparing, text, len);
	if (intake->total_problems == 0) { /* only the header stands there */
		free(intake->rejected);
		intake->rejected = NULL;
		intake->rejected_len = 0;
	}
	if (error != TTG_OK) {
		state_rollback(prison->state);
		prison->state_open = false;
	}
out:
	free(text);
	json_decref(comparing.seen);
	json_decref(comparing.scopes);
	json_decref(comparing.gone);
	return error;
}
