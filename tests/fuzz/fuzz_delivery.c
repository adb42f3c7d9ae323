/*
 * The bytes of a delivered event, as a recipient's programs show and keep them: CloudEvents JSON,
 * the live line of the duty desk, the case store.
 *
 * Broken when a line holds what would move a terminal's cursor, or JSON cannot be written.
 */
#include "fuzz.h"

#include "common/cloudevents.h"
#include "oneservice/line.h"
#include "oneservice/store.h"

#define RECEIVED_NS (INT64_C(1795000000) * 1000000000)

/* One line: of JSON, whatever a program may read, or of text that a terminal shows as it is. */
static void check_line(const char *line, bool for_people)
{
	for (size_t i = 0; line[i]; i++) {
		const unsigned char c = (unsigned char)line[i];

		MUST(c >= 0x20);
		if (for_people)
			MUST(c != 0x7f && !(c == 0xc2 && (line[i + 1] & 0xe0) == 0x80));
	}
}

static void show(const struct ttg_delivery *delivery, const Ttg__Event *event)
{
	const struct cloudevents_delivery how = { .mailbox = delivery->mailbox,
						  .position = delivery->position,
						  .attempt = delivery->attempt };
	json_t *json = cloudevents_write(event, &how);
	char line[LINE_BYTES];

	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	if (text)
		check_line(text, false);
	free(text);
	json_decref(json);
	line_for_people(line, event, delivery->accepted_ns, RECEIVED_NS);
	MUST(memchr(line, '\0', sizeof(line)));
	check_line(line, true);
	text = line_for_programs(delivery, event, RECEIVED_NS);
	if (text)
		check_line(text, false);
	free(text);
}

static void keep(const struct ttg_delivery *delivery)
{
	static struct store *store; /* opened once; every input is rolled back */
	struct message message = { "" };
	enum store_verdict verdict;
	char path[512];

	fuzz_path("cases.db", path, sizeof(path));
	if (!store)
		MUST(store_open(&store, &(struct store_place){ .path = path }, &message) == TTG_OK);
	const enum ttg_error error = store_add(store, delivery, RECEIVED_NS, &verdict, &message);
	MUST(error == TTG_OK || error == TTG_EFORMAT);
	store_rollback(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	char *bytes = fuzz_rest(&input, &len);
	const struct ttg_delivery delivery = {
		.mailbox = "one-service/in",
		.position = 7,
		.attempt = 1,
		.event = (const uint8_t *)bytes,
		.event_bytes = len,
		.accepted_ns = RECEIVED_NS - 12000000,
	};
	Ttg__Event *event = ttg__event__unpack(NULL, len, delivery.event);

	if (event)
		show(&delivery, event);
	ttg__event__free_unpacked(event, NULL);
	keep(&delivery);
	free(bytes);
	return 0;
}
