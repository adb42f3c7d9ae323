/*
 * A line of CloudEvents JSON to an event and back, as ttg-pub and the catalogue readers do.
 *
 * Broken when what was read cannot be packed, written and read again to the same event.
 */
#include "fuzz.h"

#include "common/cloudevents.h"

/* Written and read again; the spelling of a time in the envelope is all that may be lost, and the nonce,
   which is made anew. */
static Ttg__Event *again(const Ttg__Event *event)
{
	Ttg__Event *out = NULL;
	unsigned ignored = 0;
	struct message message = { "" };
	json_t *json = cloudevents_write(event, NULL);

	MUST(json);
	if (cloudevents_read(json, &out, &ignored, &message) != TTG_OK) {
		fprintf(stderr, "not read again: %s\n", message.text);
		abort();
	}
	json_decref(json);
	return out;
}

static void check_round_trip(const Ttg__Event *event)
{
	uint8_t *first = NULL, *second = NULL;
	size_t first_len = 0, second_len = 0;
	Ttg__Event *once = again(event), *twice = again(once);

	MUST(once->nonce.len == twice->nonce.len);
	memcpy(twice->nonce.data, once->nonce.data, once->nonce.len);
	MUST(ttg_event_pack(once, &first, &first_len) == TTG_OK);
	MUST(ttg_event_pack(twice, &second, &second_len) == TTG_OK);
	MUST(first_len == second_len && memcmp(first, second, first_len) == 0);
	ttg__event__free_unpacked(once, NULL);
	ttg__event__free_unpacked(twice, NULL);
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	char *text = fuzz_rest(&input, &len);
	json_error_t where;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	Ttg__Event *event = NULL;
	unsigned ignored = 0;
	struct message message = { "" };

	if (json && cloudevents_read(json, &event, &ignored, &message) == TTG_OK) {
		check_round_trip(event);
		ttg__event__free_unpacked(event, NULL);
	} else if (json) {
		MUST(!event && message.text[0] != '\0');
	}
	json_decref(json);
	free(text);
	return 0;
}
