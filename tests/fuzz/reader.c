/* Documents against an adapter's reader; see reader.h. One thread. */
#include "reader.h"

#include "core/event.h"
#include "fuzz.h"

#define SEEN_NS (INT64_C(1795000000) * 1000000000) /* in November 2026 */
#define SKEW_S 300

void fuzz_reader_open(struct fuzz_reader *reader, const struct adapter_kind *kind,
		      const void *settings)
{
	const struct adapter_context context = { .agency = "the-agency",
						 .state_dir = fuzz_folder() };
	struct message message = { "" };

	reader->kind = kind;
	MUST(kind->open(&reader->self, &context, settings, &message) == TTG_OK);
}

static void check_event(const struct intake_event *it)
{
	const struct event_clock clock = { .now_ns = SEEN_NS, .max_skew_s = SKEW_S };
	static struct fields *fields; /* made for the first event */
	struct event event;
	char text[EVENT_TEXT_MAX] = "";

	if (!fields)
		fields = fields_new();
	MUST(fields != NULL);
	enum ttg_error error = event_read(it->bytes, it->len, fields, &clock, &event, text);
	if (!error)
		MUST(memcmp(event.id, it->id, TTG_UUID_BYTES) == 0);
	if (error || event.fault == TTG_REFUSED_FIELD) {
		fprintf(stderr, "the broker would refuse: %s\n", error ? text : event.fault_text);
		abort();
	}
}

void fuzz_reader_read(const struct fuzz_reader *reader, const char *bytes, size_t len)
{
	const struct document document = { .name = "document",
					   .bytes = bytes,
					   .len = len,
					   .form = document_guess(bytes, len),
					   .seen_ns = SEEN_NS };
	struct message message = { "" };
	struct intake intake;

	intake_init(&intake);
	MUST(reader->kind->read(reader->self, &document, &intake, &message) == TTG_OK);
	for (size_t i = 0; i < intake.n_events; i++)
		check_event(&intake.events[i]);
	for (size_t i = 0; i < intake.n_problems; i++)
		MUST(intake.problems[i].message.text[0] != '\0');
	free(intake_reason_text(&intake));
	if (reader->kind->settle)
		MUST(reader->kind->settle(reader->self, false, &message) == TTG_OK);
	intake_fini(&intake);
}
