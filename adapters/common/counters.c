/*
 * Counters of an adapter. See counters.h. Owned by the adapter's only thread. A status file that
 * cannot be written is an error for the log, never a reason to stop.
 */
#include "common/counters.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "base/world.h"

static void count_label(struct intake_label *labels, size_t *n, const char *text, uint64_t count)
{
	size_t i;

	for (i = 0; i < *n; i++) {
		if (strcmp(labels[i].text, text) == 0)
			break;
	}
	if (i == COUNTERS_LABELS_MAX) {
		i--;
		strcpy(labels[i].text, "other");
	} else if (i == *n) {
		snprintf(labels[i].text, sizeof(labels[i].text), "%s", text);
		(*n)++;
	}
	labels[i].count += count;
}

void counters_add_intake(struct counters *counters, const struct intake *intake)
{
	counters->lines_rejected += intake->total_problems;
	counters->ignored += intake->ignored;
	for (size_t i = 0; i < intake->n_labels; i++)
		count_label(counters->ignored_by, &counters->n_ignored_by, intake->labels[i].text,
		            intake->labels[i].count);
}

void counters_add_refused(struct counters *counters, const char *type, enum ttg_error code)
{
	char label[INTAKE_LABEL_BYTES];

	counters->refused++;
	snprintf(label, sizeof(label), "%s %s", type, ttg_error_name(code));
	count_label(counters->refused_by, &counters->n_refused_by, label, 1);
}

void counters_set(struct counters *counters, const char *name, uint64_t value)
{
	size_t i = 0;

	while (i < counters->n_more && strcmp(counters->more[i].name, name) != 0)
		i++;
	assert(i < COUNTERS_MORE_MAX);
	if (i == counters->n_more)
		counters->more[counters->n_more++].name = name;
	counters->more[i].value = value;
}

void counters_format(const struct counters *c, char *out, size_t room)
{
	int used = snprintf(out, room,
	                    "taken=%" PRIu64 " done=%" PRIu64 " failed=%" PRIu64
	                    " rejected=%" PRIu64 " published=%" PRIu64 " accepted=%" PRIu64
	                    " duplicate=%" PRIu64 " refused=%" PRIu64 " ignored=%" PRIu64
	                    " received=%" PRIu64 " unwanted=%" PRIu64 " held=%" PRIu64
	                    " http=%" PRIu64 " http_refused=%" PRIu64 " skipped=%" PRIu64,
	                    c->documents_taken, c->documents_done, c->documents_failed,
	                    c->lines_rejected, c->published, c->accepted, c->duplicate, c->refused,
	                    c->ignored, c->received, c->received_unwanted, c->held, c->http_requests,
	                    c->http_refused, c->files_skipped);

	for (size_t i = 0; i < c->n_more && used > 0 && (size_t)used < room; i++)
		used += snprintf(out + used, room - (size_t)used, " %s=%" PRIu64, c->more[i].name,
		                 c->more[i].value);
}

static json_t *labels_json(const struct intake_label *labels, size_t n)
{
	json_t *object = json_object();

	for (size_t i = 0; i < n; i++)
		json_object_set_new(object, labels[i].text,
		                    json_integer((json_int_t)labels[i].count));
	return object;
}

enum ttg_error counters_write(const struct counters *c, const char *path, const char *program,
                              const char *agency, const char *state, uint64_t pending,
                              int64_t now_ns, struct message *message)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "taken", c->documents_taken },
		{ "done", c->documents_done },
		{ "failed", c->documents_failed },
		{ "skipped", c->files_skipped },
		{ "rejected_lines", c->lines_rejected },
		{ "published", c->published },
		{ "accepted", c->accepted },
		{ "duplicate", c->duplicate },
		{ "refused", c->refused },
		{ "ignored", c->ignored },
		{ "received", c->received },
		{ "received_unwanted", c->received_unwanted },
		{ "held", c->held },
		{ "http_requests", c->http_requests },
		{ "http_refused", c->http_refused },
		{ "pending", pending },
	};
	char now[INSTANT_TEXT];
	json_t *root = json_object();
	enum ttg_error error = TTG_OK;

	instant_format(now_ns, now);
	json_object_set_new(root, "program", json_string(program));
	json_object_set_new(root, "agency", json_string(agency));
	json_object_set_new(root, "version", json_string(TTG_VERSION));
	json_object_set_new(root, "state", json_string(state));
	json_object_set_new(root, "written_at", json_string(now));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		json_object_set_new(root, numbers[i].name,
		                    json_integer((json_int_t)numbers[i].value));
	for (size_t i = 0; i < c->n_more; i++)
		json_object_set_new(root, c->more[i].name,
		                    json_integer((json_int_t)c->more[i].value));
	json_object_set_new(root, "ignored_by", labels_json(c->ignored_by, c->n_ignored_by));
	json_object_set_new(root, "refused_by", labels_json(c->refused_by, c->n_refused_by));
	char *text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	if (text == NULL)
		error = message_set(message, TTG_ENOMEM, "no memory");
	else if (world_replace_file(world_real(), path, text, strlen(text)) < 0)
		error = message_set(message, TTG_EIO, "cannot write the status file");
	free(text);
	json_decref(root);
	return error;
}
