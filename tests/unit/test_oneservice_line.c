/* The duty desk's live lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <ttg/event.h>
#include "oneservice/line.h"
#include "oneservice/phrase.h"

#define WORDS(text) ((char *)(uintptr_t)(text))
#define RECEIVED_NS INT64_C(1795428202500000000) /* 2026-11-23T10:03:22.5Z */
#define MS          INT64_C(1000000)

static Ttg__Identifier nobody = TTG__IDENTIFIER__INIT;

static void an_urgent_release_reads_as_one_line(void **state)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__PrisonReleased released = TTG__PRISON_RELEASED__INIT;
	Ttg__Identifier pnc = TTG__IDENTIFIER__INIT;
	Ttg__Identifier noms = TTG__IDENTIFIER__INIT;
	Ttg__Identifier *identifiers[] = { &pnc, &noms };
	Ttg__Person person = TTG__PERSON__INIT;
	Ttg__Time recorded = TTG__TIME__INIT;
	char line[LINE_BYTES];

	(void)state;
	pnc.kind = TTG__IDENTIFIER_KIND__PNC;
	pnc.value = pnc.canonical = WORDS("2002/0073319Z");
	noms.kind = TTG__IDENTIFIER_KIND__NOMS;
	noms.value = noms.canonical = WORDS("A1234BC");
	person.identifiers = identifiers;
	person.n_identifiers = 2;
	event.person = &person;
	event.type = WORDS("prison.released");
	event.urgency = TTG__URGENCY__URGENT;
	recorded.unix_ns = RECEIVED_NS - 12 * MS;
	event.recorded_at = &recorded;
	released.at_liberty = true;
	released.prison_code = WORDS("PBI");
	released.area = WORDS("Luton");
	event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RELEASED;
	event.prison_released = &released;
	line_for_people(line, &event, RECEIVED_NS - MS, RECEIVED_NS);
	assert_string_equal(line, "10:03:22 ! prison.released           A1234BC        "
	                          "RELEASED from Peterborough, goes to Luton  [12 ms]");
	released.at_liberty = false;
	released.reason = TTG__RELEASE_REASON__RELEASE_REASON_TEMPORARY_ABSENCE;
	line_for_people(line, &event, RECEIVED_NS - MS, RECEIVED_NS);
	assert_non_null(strstr(line, "left Peterborough, not at liberty: temporary absence"));
	assert_null(strstr(line, "RELEASED"));
}

static void what_the_service_says_itself_reads_as_a_sentence(void **state)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__ServiceEnrolled enrolled = TTG__SERVICE_ENROLLED__INIT;
	Ttg__ServiceWithdrawn withdrawn = TTG__SERVICE_WITHDRAWN__INIT;
	Ttg__Worker worker = TTG__WORKER__INIT;
	char line[LINE_BYTES];

	(void)state;
	event.source = WORDS("one-service");
	worker.name = WORDS("Ann Example");
	enrolled.scheme = WORDS("pilot");
	enrolled.caseworker = &worker;
	event.payload_case = TTG__EVENT__PAYLOAD_SERVICE_ENROLLED;
	event.service_enrolled = &enrolled;
	line_for_people(line, &event, RECEIVED_NS - MS, RECEIVED_NS);
	assert_non_null(
	        strstr(line, "enrolled by one-service in pilot, works with Ann Example  ["));
	withdrawn.reason = TTG__WITHDRAW_REASON__WITHDRAW_REASON_CONSENT;
	event.payload_case = TTG__EVENT__PAYLOAD_SERVICE_WITHDRAWN;
	event.service_withdrawn = &withdrawn;
	line_for_people(line, &event, RECEIVED_NS - MS, RECEIVED_NS);
	assert_non_null(strstr(line, "WITHDRAWN from every scheme: consent  ["));
}

static void the_time_it_took_is_counted_from_the_best_instant_known(void **state)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__Time occurred = TTG__TIME__INIT;
	Ttg__Time recorded = TTG__TIME__INIT;
	int64_t accepted_ns = RECEIVED_NS - MS;

	(void)state;
	assert_int_equal(line_latency_ns(&event, accepted_ns, RECEIVED_NS), MS);
	event.occurred_at = &occurred;
	occurred.unix_ns = RECEIVED_NS - 5 * MS;
	assert_int_equal(line_latency_ns(&event, accepted_ns, RECEIVED_NS), 5 * MS);
	occurred.unix_ns = RECEIVED_NS - 3600 * 1000 * MS; /* told an hour later */
	assert_int_equal(line_latency_ns(&event, accepted_ns, RECEIVED_NS), MS);
	occurred.unix_ns = RECEIVED_NS / (60000 * MS) * 60000 * MS; /* to the minute */
	assert_int_equal(
	        line_latency_ns(&event, occurred.unix_ns + 5000 * MS, occurred.unix_ns + 5001 * MS),
	        MS);
	event.recorded_at = &recorded;
	recorded.unix_ns = RECEIVED_NS - 7 * MS;
	assert_int_equal(line_latency_ns(&event, accepted_ns, RECEIVED_NS), 7 * MS);
	recorded.unix_ns = INT64_MIN;
	assert_true(line_latency_ns(&event, accepted_ns, RECEIVED_NS) == INT64_MAX);
	event.recorded_at = NULL;
	assert_true(line_latency_ns(&event, INT64_MIN, RECEIVED_NS) == INT64_MAX);
	occurred.unix_ns = INT64_MIN + 1;
	assert_true(line_latency_ns(&event, INT64_MAX, RECEIVED_NS) == RECEIVED_NS - INT64_MAX);
}

static void a_number_that_did_not_check_is_shown_with_a_question_mark(void **state)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__Identifier wrong = TTG__IDENTIFIER__INIT;
	Ttg__Identifier *identifiers[] = { &wrong };
	Ttg__Person person = TTG__PERSON__INIT;
	char line[LINE_BYTES];

	(void)state;
	wrong.kind = TTG__IDENTIFIER_KIND__PNC;
	wrong.value = WORDS("2002/0073319A");
	person.identifiers = identifiers;
	person.n_identifiers = 1;
	event.person = &person;
	event.type = WORDS("police.arrest");
	line_for_people(line, &event, RECEIVED_NS - MS, RECEIVED_NS);
	assert_non_null(strstr(line, "2002/0073319A?"));
}

static void what_could_play_tricks_on_a_terminal_is_taken_out(void **state)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__PoliceEncounter encounter = TTG__POLICE_ENCOUNTER__INIT;
	char line[LINE_BYTES];

	(void)state;
	event.type = WORDS("police.encounter");
	encounter.place = WORDS("\033[2JBridge\nStreet \xc2\x9b"
	                        "31m caf\xc3\xa9 \xe2\x80\xae\xff");
	event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ENCOUNTER;
	event.police_encounter = &encounter;
	line_for_people(line, &event, RECEIVED_NS - MS, RECEIVED_NS);
	for (const char *at = line; *at; at++)
		assert_true((unsigned char)*at >= 0x20);
	assert_null(strstr(line, "\xc2\x9b"));
	assert_null(strstr(line, "\xe2\x80\xae"));
	assert_non_null(strstr(line, "Bridge Street"));
	assert_non_null(strstr(line, "caf\xc3\xa9"));
}

static void a_sentence_longer_than_a_line_is_cut(void **state)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__PoliceEncounter encounter = TTG__POLICE_ENCOUNTER__INIT;
	char line[LINE_BYTES];
	char place[4097];

	(void)state;
	memset(place, 'x', sizeof(place) - 1);
	place[sizeof(place) - 1] = '\0';
	encounter.place = place;
	event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ENCOUNTER;
	event.police_encounter = &encounter;
	line_for_people(line, &event, RECEIVED_NS - MS, RECEIVED_NS);
	assert_true(strlen(line) < LINE_BYTES);
	assert_non_null(strstr(line, " ms]"));
}

static void enumerators_read_as_words_without_their_prefix(void **state)
{
	struct sentence text = { .length = 0 };

	(void)state;
	words_add_enum(&text, &ttg__need_category__descriptor,
	               TTG__NEED_CATEGORY__NEED_FINANCE_BENEFIT_DEBT);
	sentence_add(&text, "; ");
	words_add_enum(&text, &ttg__disposition__descriptor,
	               TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION);
	sentence_add(&text, "; ");
	words_add_enum(&text, &ttg__disposition__descriptor, 9999);
	assert_string_equal(text.bytes, "finance benefit debt; no further action; not said");
}

/* The payload's message with every field at its default, as a sender may leave it. */
static Ttg__Event *empty_event_of(size_t type)
{
	const ProtobufCFieldDescriptor *field =
	        protobuf_c_message_descriptor_get_field_by_name(&ttg__event__descriptor, "id");
	const char *name = ttg_type_name(type);
	uint8_t bytes[8];
	size_t length = 0;
	char field_name[64];
	unsigned tag;

	assert_non_null(field);
	snprintf(field_name, sizeof(field_name), "%s", name);
	*strchr(field_name, '.') = '_';
	field = protobuf_c_message_descriptor_get_field_by_name(&ttg__event__descriptor,
	                                                        field_name);
	assert_non_null(field);
	tag = field->id << 3 | 2;
	bytes[length++] = (uint8_t)(tag | 0x80);
	bytes[length++] = (uint8_t)(tag >> 7);
	bytes[length++] = 0;
	return ttg__event__unpack(NULL, length, bytes);
}

static void every_type_of_the_catalogue_gives_a_line_even_when_empty(void **state)
{
	(void)state;
	for (size_t i = 0; i < ttg_type_count(); i++) {
		Ttg__Event *event = empty_event_of(i);
		struct sentence text = { .length = 0 };
		char line[LINE_BYTES];

		assert_non_null(event);
		phrase_of(&text, event);
		assert_true(text.length > 0);
		line_for_people(line, event, RECEIVED_NS - MS, RECEIVED_NS);
		assert_null(strstr(line, "(null)"));
		ttg__event__free_unpacked(event, NULL);
	}
}

static void a_program_gets_ids_times_and_every_number(void **state)
{
	uint8_t id[16] = { 1, 2, 3, 4, 5, 6, 0x70 };
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__Identifier *identifiers[] = { &nobody };
	Ttg__Person person = TTG__PERSON__INIT;
	struct ttg_delivery delivery = { .mailbox = "one-service/duty", .position = 9 };
	char *line;
	json_t *object;

	(void)state;
	nobody.kind = TTG__IDENTIFIER_KIND__CRN;
	nobody.value = nobody.canonical = WORDS("X123456");
	person.identifiers = identifiers;
	person.n_identifiers = 1;
	event.person = &person;
	event.id.data = id;
	event.id.len = sizeof(id);
	event.type = WORDS("probation.contact");
	line = line_for_programs(&delivery, &event, RECEIVED_NS);
	assert_non_null(line);
	assert_null(strchr(line, '\n'));
	object = json_loads(line, 0, NULL);
	assert_non_null(object);
	assert_string_equal(json_string_value(json_object_get(object, "id")),
	                    "01020304-0506-7000-0000-000000000000");
	assert_string_equal(json_string_value(json_object_get(object, "received")),
	                    "2026-11-23T10:03:22.500Z");
	assert_int_equal(json_integer_value(json_object_get(object, "position")), 9);
	assert_int_equal(json_array_size(json_object_get(object, "identifiers")), 1);
	json_decref(object);
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_urgent_release_reads_as_one_line),
		cmocka_unit_test(what_the_service_says_itself_reads_as_a_sentence),
		cmocka_unit_test(the_time_it_took_is_counted_from_the_best_instant_known),
		cmocka_unit_test(a_number_that_did_not_check_is_shown_with_a_question_mark),
		cmocka_unit_test(what_could_play_tricks_on_a_terminal_is_taken_out),
		cmocka_unit_test(a_sentence_longer_than_a_line_is_cut),
		cmocka_unit_test(enumerators_read_as_words_without_their_prefix),
		cmocka_unit_test(every_type_of_the_catalogue_gives_a_line_even_when_empty),
		cmocka_unit_test(a_program_gets_ids_times_and_every_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
