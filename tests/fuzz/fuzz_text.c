/*
 * Small texts: identifiers of people, instants, dates, clock times, UUIDs, names of types.
 *
 * Broken when a canonical form does not check as itself, an instant does not survive being written,
 * or a date or UUID that was read is not valid.
 */
#include "fuzz.h"

#include <ttg/event.h>
#include "base/identifier.h"
#include "base/instant.h"

#define YEAR 2026

static void identifiers(const char *text)
{
	for (int kind = 0; kind <= IDENTIFIER_OTHER; kind++) {
		char canonical[IDENTIFIER_CANONICAL], again[IDENTIFIER_CANONICAL];
		const enum identifier_validity validity =
			identifier_check((enum identifier_kind)kind, text, YEAR, canonical);

		MUST(memchr(canonical, '\0', sizeof(canonical)));
		if (validity != IDENTIFIER_VALID) {
			MUST(canonical[0] == '\0');
			continue;
		}
		MUST(identifier_check((enum identifier_kind)kind, canonical, YEAR, again) ==
			  IDENTIFIER_VALID);
		MUST(strcmp(canonical, again) == 0);
	}
	MUST(identifier_kind_name(identifier_guess(text, YEAR)));
	identifier_kind_parse(text);
}

static void instants(const char *text)
{
	char date[11], clock[6], written[INSTANT_TEXT];
	int64_t unix_ns = 0, again = 0;

	if (instant_parse(text, &unix_ns) == TTG_OK) {
		instant_format(unix_ns, written);
		MUST(instant_parse(written, &again) == TTG_OK && again == unix_ns);
		instant_to_civil(unix_ns, date, clock);
		MUST(date_is_valid(date) && clock_is_valid(clock));
	}
	if (date_parse(text, date) == TTG_OK)
		MUST(date_is_valid(date));
	if (clock_parse(text, clock) == TTG_OK)
		MUST(clock_is_valid(clock));
	instant_from_civil(text, NULL, &unix_ns);
	instant_from_civil("2026-11-21", text, &unix_ns);
}

static void uuids(const char *text)
{
	uint8_t id[TTG_UUID_BYTES], again[TTG_UUID_BYTES];
	char written[TTG_UUID_TEXT];

	if (ttg_uuid_parse(text, id) != TTG_OK)
		return;
	ttg_uuid_format(id, written);
	MUST(ttg_uuid_parse(written, again) == TTG_OK);
	MUST(memcmp(id, again, sizeof(id)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	char *text = fuzz_rest(&input, &len);
	int64_t any = 0;
	char written[INSTANT_TEXT];

	identifiers(text);
	instants(text);
	uuids(text);
	ttg_type_find(text);
	if (len >= sizeof(any)) {
		memcpy(&any, text, sizeof(any));
		instant_format(any, written);
	}
	free(text);
	return 0;
}
