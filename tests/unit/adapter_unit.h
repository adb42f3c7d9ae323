/*
 * Feeding documents to an adapter's reader without a process around it. The state directory is the
 * test's folder; every read is settled as durable unless the test does it itself.
 */
#ifndef TTG_TESTS_ADAPTER_UNIT_H
#define TTG_TESTS_ADAPTER_UNIT_H

#include <string.h>
#include "base/instant.h"
#include "common/adapter.h"
#include "support/assert.h"
#include "support/folder.h"

#define ADAPTER_AGENCY     "the-agency"
#define ADAPTER_SEEN       "2026-11-02T07:30:00Z"

struct reader {
	const struct adapter_kind *kind;
	void *self;
	struct adapter_context context;
	struct intake intake;
	Ttg__Event *events[64];
	size_t n;
};

static inline int64_t instant_of(const char *text)
{
	int64_t unix_ns = 0;

	assert_int_equal(instant_parse(text, &unix_ns), TTG_OK);
	return unix_ns;
}

static inline void reader_open(struct reader *reader, const struct adapter_kind *kind,
                               const struct folder *folder, const void *settings)
{
	struct message message = { "" };

	memset(reader, 0, sizeof(*reader));
	reader->kind = kind;
	reader->context.agency = ADAPTER_AGENCY;
	reader->context.state_dir = folder->path;
	assert_int_equal(kind->open(&reader->self, &reader->context, settings, &message), TTG_OK);
}

static inline void reader_clear(struct reader *reader)
{
	for (size_t i = 0; i < reader->n; i++)
		ttg__event__free_unpacked(reader->events[i], NULL);
	reader->n = 0;
	intake_fini(&reader->intake);
}

static inline void reader_close(struct reader *reader)
{
	reader_clear(reader);
	reader->kind->close(reader->self);
}

/* Reads one document; its events are in reader->events afterwards. Not settled. */
static inline void reader_read(struct reader *reader, const char *name, const char *bytes,
                               size_t len, const char *seen)
{
	struct message message = { "" };
	const struct document document = { .name = name,
		                           .bytes = bytes,
		                           .len = len,
		                           .form = document_guess(bytes, len),
		                           .seen_ns = instant_of(seen) };

	reader_clear(reader);
	assert_int_equal(reader->kind->read(reader->self, &document, &reader->intake, &message),
	                 TTG_OK);
	for (size_t i = 0; i < reader->intake.n_events && reader->n < 64; i++) {
		const struct intake_event *event = &reader->intake.events[i];

		reader->events[reader->n] = ttg__event__unpack(NULL, event->len, event->bytes);
		assert_non_null(reader->events[reader->n]);
		assert_memory_equal(reader->events[reader->n]->id.data, event->id, 16);
		reader->n++;
	}
}

static inline void reader_settle(struct reader *reader, bool durable)
{
	struct message message = { "" };

	if (reader->kind->settle != NULL)
		assert_int_equal(reader->kind->settle(reader->self, durable, &message), TTG_OK);
}

static inline void reader_take(struct reader *reader, const char *text)
{
	reader_read(reader, "file", text, strlen(text), ADAPTER_SEEN);
	reader_settle(reader, !reader->intake.refused);
}

/* The document gives exactly one event, of this type; its payload union is in the event. */
static inline const Ttg__Event *must_read_one(struct reader *reader, const char *text,
                                            const char *type)
{
	reader_take(reader, text);
	if (reader->intake.n_problems > 0)
		print_error("%s\n", reader->intake.problems[0].message.text);
	assert_int_equal(reader->intake.total_problems, 0);
	assert_int_equal(reader->n, 1);
	assert_string_equal(reader->events[0]->type, type);
	return reader->events[0];
}

/* The document is no good for a reason whose sentence holds this. */
static inline void must_refuse(struct reader *reader, const char *text, const char *why)
{
	reader_take(reader, text);
	assert_int_equal(reader->n, 0);
	assert_true(reader->intake.total_problems > 0);
	if (strstr(reader->intake.problems[0].message.text, why) == NULL)
		print_error("not \"%s\" but: %s\n", why, reader->intake.problems[0].message.text);
	assert_non_null(strstr(reader->intake.problems[0].message.text, why));
}

#endif
