/*
 * Records as a journal gives them back, hostile: kind u8, length u16, bytes, and so on. A record
 * that is refused leaves the rest unread, as at a start.
 *
 * Broken when state.h says so; when what is stripped of a record for the archive cannot be read there, or
 * is longer than it may be, or has an event's bytes.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "core/record.h"
#include "core/strip.h"
#include "state.h"

#define RECORDS_MAX 200

static void strip(uint8_t kind, const uint8_t *data, size_t len)
{
	uint8_t *bytes = malloc(len + STRIP_MORE);
	struct record_event event;
	struct cursor cursor;

	if (!bytes)
		abort();
	cursor_init_write(&cursor, bytes, len + STRIP_MORE);
	if (record_strip(kind, data, len, &cursor) && record_gives(kind) &&
	    (!record_get_stripped(kind, bytes, cursor_offset(&cursor), &event) || event.n_bytes > 0 ||
	     event.n_sealed > 0 || event.n_changes > 0 || !event.digest))
		abort();
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	struct fuzz_state state;
	struct message message = { "" };
	enum ttg_error error = TTG_OK;

	fuzz_state_init(&state);
	for (int i = 0; i < RECORDS_MAX && input.left > 0 && !error; i++) {
		const uint8_t kind = fuzz_u8(&input);
		size_t record_len = 0;
		char *record = fuzz_sized(&input, &record_len);
		struct core_history history;

		fuzz_state_push(&state, kind, record, record_len);
		free(record);
		const struct fuzz_record *it = &state.records[state.n_records - 1];
		strip(kind, it->data, it->len);
		core_history_read(state.core, state.n_records, kind, it->data, it->len, &history);
		error = core_apply(state.core, state.n_records, kind, it->data, it->len, &message);
	}
	if (!error)
		fuzz_state_use(&state);
	fuzz_state_fini(&state);
	return 0;
}
