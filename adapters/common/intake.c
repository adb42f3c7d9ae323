/*
 * The result of reading one document. See intake.h for owner, invariants and bounds. A lack of
 * memory is the only failure of the adding functions besides their bounds; the caller gives the
 * document up for now and it stays in the spool.
 */
#include "common/intake.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum document_form document_guess(const char *bytes, size_t len)
{
	size_t at = 0;

	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (at < len && isspace((unsigned char)bytes[at]))
		at++;
	if (at == len)
		return DOCUMENT_UNKNOWN;
	if (bytes[at] == '{' || bytes[at] == '[')
		return DOCUMENT_JSON;
	return bytes[at] == '<' ? DOCUMENT_XML : DOCUMENT_CSV;
}

void intake_init(struct intake *intake)
{
	memset(intake, 0, sizeof(*intake));
}

void intake_fini(struct intake *intake)
{
	for (size_t i = 0; i < intake->n_events; i++)
		free(intake->events[i].bytes);
	free(intake->events);
	free(intake->problems);
	free(intake->rejected);
	memset(intake, 0, sizeof(*intake));
}

enum ttg_error intake_add_event(struct intake *intake, const uint8_t id[TTG_UUID_BYTES], int type,
                                uint8_t *take_bytes, size_t len)
{
	enum ttg_error error = TTG_ELIMIT;

	if (intake->n_events == INTAKE_EVENTS_MAX)
		goto out;
	if (intake->n_events == intake->room_events) {
		size_t room = intake->room_events ? intake->room_events * 2 : 16;
		struct intake_event *grown = realloc(intake->events, room * sizeof(*grown));

		error = TTG_ENOMEM;
		if (grown == NULL)
			goto out;
		intake->events = grown;
		intake->room_events = room;
	}
	struct intake_event *event = &intake->events[intake->n_events++];
	memcpy(event->id, id, TTG_UUID_BYTES);
	event->type = type;
	event->bytes = take_bytes;
	event->len = len;
	return TTG_OK;
out:
	free(take_bytes);
	return error;
}

static enum ttg_error keep_rejected(struct intake *intake, const char *raw, size_t raw_len)
{
	if (intake->rejected_cut)
		return TTG_OK;
	if (intake->rejected_len + raw_len + 1 > INTAKE_REJECTED_BYTES) {
		intake->rejected_cut = true;
		return TTG_OK;
	}
	char *grown = realloc(intake->rejected, intake->rejected_len + raw_len + 2);

	if (grown == NULL)
		return TTG_ENOMEM;
	memcpy(grown + intake->rejected_len, raw, raw_len);
	intake->rejected_len += raw_len;
	if (raw_len == 0 || raw[raw_len - 1] != '\n')
		grown[intake->rejected_len++] = '\n';
	grown[intake->rejected_len] = '\0';
	intake->rejected = grown;
	return TTG_OK;
}

enum ttg_error intake_add_problem(struct intake *intake, unsigned line, enum ttg_error code,
                                  const char *text, const char *raw, size_t raw_len)
{
	intake->total_problems++;
	if (intake->n_problems < INTAKE_PROBLEMS_MAX) {
		if (intake->problems == NULL)
			intake->problems = calloc(INTAKE_PROBLEMS_MAX, sizeof(*intake->problems));
		if (intake->problems == NULL)
			return TTG_ENOMEM;
		struct intake_problem *problem = &intake->problems[intake->n_problems++];
		problem->line = line;
		problem->code = code;
		snprintf(problem->message.text, sizeof(problem->message.text), "%s", text);
	}
	return raw == NULL ? TTG_OK : keep_rejected(intake, raw, raw_len);
}

enum ttg_error intake_refuse(struct intake *intake, enum ttg_error code, const char *format, ...)
{
	struct message message;
	va_list list;

	va_start(list, format);
	vsnprintf(message.text, sizeof(message.text), format, list);
	va_end(list);
	intake->refused = true;
	if (intake_add_problem(intake, 0, code, message.text, NULL, 0) != TTG_OK)
		return TTG_ENOMEM;
	return code;
}

static const char *clean_label(const char *label)
{
	size_t len = label == NULL ? 0 : strlen(label);

	if (len == 0 || len >= INTAKE_LABEL_BYTES)
		return "malformed";
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)label[i]) && strchr("._-", label[i]) == NULL)
			return "malformed";
	}
	return label;
}

void intake_ignore(struct intake *intake, const char *label)
{
	size_t i;

	label = clean_label(label);
	intake->ignored++;
	for (i = 0; i < intake->n_labels; i++) {
		if (strcmp(intake->labels[i].text, label) == 0)
			break;
	}
	if (i == INTAKE_LABELS_MAX) {
		i = INTAKE_LABELS_MAX - 1; /* the last one gathers the rest */
		strcpy(intake->labels[i].text, "other");
	} else if (i == intake->n_labels) {
		snprintf(intake->labels[i].text, sizeof(intake->labels[i].text), "%s", label);
		intake->n_labels++;
	}
	intake->labels[i].count++;
}

uint64_t intake_ignored(const struct intake *intake, const char *label)
{
	for (size_t i = 0; i < intake->n_labels; i++) {
		if (strcmp(intake->labels[i].text, label) == 0)
			return intake->labels[i].count;
	}
	return 0;
}

char *intake_reason_text(const struct intake *intake)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	if (!intake->refused && intake->n_events > 0)
		fprintf(out, "# %zu events were published; these lines were not\n",
		        intake->n_events);
	for (size_t i = 0; i < intake->n_problems; i++) {
		const struct intake_problem *problem = &intake->problems[i];

		fprintf(out, "code=%d name=%s", (int)problem->code, ttg_error_name(problem->code));
		if (problem->line != 0)
			fprintf(out, " line=%u", problem->line);
		fprintf(out, " text=\"%s\"\n", problem->message.text);
	}
	if (intake->total_problems > intake->n_problems)
		fprintf(out, "# and %zu more\n", intake->total_problems - intake->n_problems);
	if (ferror(out) != 0 || fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
