/*
 * A snapshot's bytes, hostile. The length field and the check of the secret are made to fit when the
 * first byte is odd, or hardly any input would come further. Broken when state.h says so.
 */
#include "fuzz.h"

#include "state.h"

#define LENGTH_AT 8 /* behind magic and version */
#define CHECK_AT 16
#define SEQUENCE_MAX 2000

/* Takes the check from a snapshot of an empty core. */
static void make_fit(const struct fuzz_state *state, uint8_t *bytes, size_t len)
{
	uint8_t *empty = NULL;
	size_t empty_len = 0;

	MUST(core_snapshot(state->core, &empty, &empty_len) == TTG_OK);
	if (len >= CHECK_AT + 8) {
		memcpy(bytes, empty, LENGTH_AT);
		for (unsigned i = 0; i < 8; i++)
			bytes[LENGTH_AT + i] = (uint8_t)((uint64_t)len >> (8 * i));
		memcpy(bytes + CHECK_AT, empty + CHECK_AT, 8);
	}
	free(empty);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	struct fuzz_state state;
	struct message message = { "" };

	fuzz_state_init(&state);
	const bool fit = fuzz_u8(&input) & 1;
	char *bytes = fuzz_rest(&input, &len);
	if (fit)
		make_fit(&state, (uint8_t *)bytes, len);
	const enum ttg_error error =
		core_restore(state.core, (const uint8_t *)bytes, len, &message);
	if (error) {
		MUST(message.text[0] != '\0');
	} else if (core_sequence(state.core) < SEQUENCE_MAX) {
		while (state.n_records < core_sequence(state.core))
			state.records[state.n_records++].data = NULL; /* retained away */
		fuzz_state_use(&state);
	}
	free(bytes);
	fuzz_state_fini(&state);
	return 0;
}
