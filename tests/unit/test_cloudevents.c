/*
 * CloudEvents to events of the catalogue and back, by descriptors.
 */
#include "unit.h"

#include <string.h>
#include "common/cloudevents.h"
#include "common/eventjson.h"

#define ID "0196f5a0-0000-7000-8000-000000000001"

static const char released[] =
	"{\"specversion\":\"1.0\",\"id\":\"" ID "\",\"source\":\"hmp-peterborough\","
	"\"type\":\"prison.released\",\"time\":\"2026-11-21T09:05:00Z\","
	"\"recordedtime\":\"2026-11-21T09:06:00.500Z\","
	"\"correlationid\":\"0196f5a0-0000-7000-8000-000000000002\","
	"\"expirytime\":\"2026-11-28T00:00:00Z\",\"traceparent\":\"00-1-2-01\","
	"\"urgency\":\"urgent\",\"dataclassification\":\"OFFICIAL-SENSITIVE\","
	"\"subjectcategory\":\"convicted\",\"assertion\":\"fact\","
	"\"datacontenttype\":\"application/json\","
	"\"data\":{\"at_liberty\":true,\"movement_reason_code\":\"CR\","
	"\"released_at\":\"2026-11-21T09:00:00Z\",\"prison_code\":\"PBI\","
	"\"view\":\"MOVEMENT_VIEW_SETTLED\",\"discharge_grant\":\"ANSWER_YES\","
	"\"person\":{\"identifiers\":[{\"kind\":\"NOMS\",\"value\":\"A1234BC\","
	"\"canonical\":\"A1234BC\",\"validity\":\"VALID\"}]}}}";

static enum ttg_error read_text(const char *text, Ttg__Event **event, struct message *message)
{
	json_error_t error;
	unsigned ignored;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		fail_msg("the test's own JSON: %s in %s", error.text, text);
	enum ttg_error code = cloudevents_read(json, event, &ignored, message);
	json_decref(json);
	return code;
}

static Ttg__Event *must_read(const char *text)
{
	struct message message = { "" };
	Ttg__Event *event = NULL;

	enum ttg_error code = read_text(text, &event, &message);
	if (code != TTG_OK)
		fail_msg("%d: %s", (int)code, message.text);
	return event;
}

/* A prison.released with other data. */
static Ttg__Event *must_read_data(const char *type, const char *data)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "{\"specversion\":\"1.0\",\"source\":\"a\",\"type\":\"%s\","
		 "\"time\":\"2026-11-21T09:05:00Z\",\"data\":%s}",
		 type, data);
	return must_read(text);
}

static void must_refuse(const char *text, const char *wanted)
{
	struct message message = { "" };
	Ttg__Event *event = NULL;

	enum ttg_error code = read_text(text, &event, &message);
	assert_null(event);
	assert_true(code == TTG_EFORMAT || code == TTG_ELIMIT);
	if (!strstr(message.text, wanted))
		fail_msg("\"%s\" is not in \"%s\"", wanted, message.text);
}

static void must_refuse_data(const char *type, const char *data, const char *wanted)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "{\"specversion\":\"1.0\",\"source\":\"a\",\"type\":\"%s\","
		 "\"time\":\"2026-11-21T09:05:00Z\",\"data\":%s}",
		 type, data);
	must_refuse(text, wanted);
}

static void every_attribute_finds_its_field(void **state)
{
	(void)state;
	Ttg__Event *event = must_read(released);

	assert_int_equal(event->id.len, 16);
	assert_string_equal(event->source, "hmp-peterborough");
	assert_string_equal(event->type, "prison.released");
	assert_int_equal(event->occurred_at->unix_ns, INT64_C(1795251900000000000));
	assert_string_equal(event->occurred_at->original, "");
	assert_int_equal(event->recorded_at->unix_ns, INT64_C(1795251960500000000));
	assert_int_equal(event->correlation_id.len, 16);
	assert_int_equal(event->causation_id.len, 0);
	assert_int_equal(event->urgency, TTG__URGENCY__URGENT);
	assert_int_equal(event->marking, TTG__MARKING__OFFICIAL_SENSITIVE);
	assert_int_equal(event->subject_category, TTG__SUBJECT_CATEGORY__CONVICTED);
	assert_int_equal(event->assertion, TTG__ASSERTION__FACT);
	assert_string_equal(event->traceparent, "00-1-2-01");
	assert_int_equal(event->payload_case, TTG__EVENT__PAYLOAD_PRISON_RELEASED);
	assert_true(event->prison_released->at_liberty);
	assert_string_equal(event->prison_released->prison_code, "PBI");
	assert_int_equal(event->person->n_identifiers, 1);
	assert_string_equal(event->person->identifiers[0]->canonical, "A1234BC");
	ttg__event__free_unpacked(event, NULL);
}

static void an_event_written_and_read_again_is_the_same(void **state)
{
	(void)state;
	Ttg__Event *event = must_read(released);
	json_t *json = cloudevents_write(event, NULL);
	json_t *wanted = json_loads(released, 0, NULL);
	uint8_t *first, *second;
	size_t first_len, second_len;

	/* The golden text above holds every attribute in the spelling that is written. */
	assert_true(json_equal(json, wanted));
	char *text = json_dumps(json, 0);
	Ttg__Event *again = must_read(text);
	assert_int_equal(again->nonce.len, 16); /* a new one, and that is all that differs */
	assert_memory_not_equal(again->nonce.data, event->nonce.data, 16);
	memcpy(again->nonce.data, event->nonce.data, 16);
	assert_int_equal(ttg_event_pack(event, &first, &first_len), TTG_OK);
	assert_int_equal(ttg_event_pack(again, &second, &second_len), TTG_OK);
	assert_int_equal(first_len, second_len);
	assert_memory_equal(first, second, first_len);
	free(first);
	free(second);
	free(text);
	json_decref(json);
	json_decref(wanted);
	ttg__event__free_unpacked(event, NULL);
	ttg__event__free_unpacked(again, NULL);
}

static void an_id_is_made_when_there_is_none(void **state)
{
	(void)state;
	Ttg__Event *first = must_read_data("prison.released", "{}");
	Ttg__Event *second = must_read_data("prison.released", "{}");

	assert_int_equal(first->id.len, 16);
	assert_memory_not_equal(first->id.data, second->id.data, 16);
	ttg__event__free_unpacked(first, NULL);
	ttg__event__free_unpacked(second, NULL);
}

static void source_and_type_may_carry_what_others_put_before_them(void **state)
{
	(void)state;
	Ttg__Event *event = must_read(
		"{\"specversion\":\"1.0\",\"source\":\"https://example.org/agencies/hmp-x\","
		"\"type\":\"uk.example.prison.released\",\"time\":\"2026-11-21 09:05:00+00:00\"}");

	assert_string_equal(event->source, "hmp-x");
	assert_string_equal(event->type, "prison.released");
	assert_string_equal(event->occurred_at->original, "2026-11-21 09:05:00+00:00");
	ttg__event__free_unpacked(event, NULL);
	event = must_read("{\"specversion\":\"1.0\",\"source\":\"urn:agency:probation\","
			  "\"type\":\"probation.contact\",\"time\":\"2026-11-21T09:05:00Z\"}");
	assert_string_equal(event->source, "probation");
	ttg__event__free_unpacked(event, NULL);
}

static void names_of_lists_are_taken_with_and_without_what_all_begin_with(void **state)
{
	(void)state;
	Ttg__Event *event = must_read_data(
		"prison.needs_screened",
		"{\"needs\":[{\"category\":\"NEED_LEGAL\",\"level\":\"low\"},"
		"{\"category\":\"health-wellbeing\",\"level\":4},{\"category\":99}],"
		"\"declined\":\"no\"}");
	const Ttg__PrisonNeedsScreened *screened = event->prison_needs_screened;

	assert_int_equal(screened->n_needs, 3);
	assert_int_equal(screened->needs[0]->category, TTG__NEED_CATEGORY__NEED_LEGAL);
	assert_int_equal(screened->needs[0]->level, TTG__NEED_LEVEL__NEED_LEVEL_LOW);
	assert_int_equal(screened->needs[1]->category,
			 TTG__NEED_CATEGORY__NEED_HEALTH_WELLBEING);
	assert_int_equal(screened->needs[1]->level, 4);
	assert_int_equal(screened->needs[2]->category, 99);
	assert_int_equal(screened->declined, TTG__ANSWER__ANSWER_NO);
	ttg__event__free_unpacked(event, NULL);
}

static void lists_numbers_and_bytes_survive(void **state)
{
	(void)state;
	Ttg__Event *event = must_read_data(
		"service.contact",
		"{\"needs\":[\"legal\",1],\"duration_minutes\":4294967295,"
		"\"started_at\":\"2026-06-01T10:00:00+01:00\",\"scheme\":\"\xc3\xa9\"}");
	assert_int_equal(event->service_contact->n_needs, 2);
	assert_int_equal(event->service_contact->duration_minutes, UINT32_MAX);
	assert_string_equal(event->service_contact->started_at->original,
			    "2026-06-01T10:00:00+01:00");
	json_t *json = cloudevents_write(event, NULL);
	const json_t *data = json_object_get(json, "data");
	assert_string_equal(json_string_value(json_object_get(data, "started_at")),
			    "2026-06-01T09:00:00Z");
	assert_int_equal(json_array_size(json_object_get(data, "needs")), 2);
	json_decref(json);
	ttg__event__free_unpacked(event, NULL);

	event = must_read_data("broker.lane_parked",
			       "{\"event_id\":\"" ID "\",\"position\":9223372036854775807}");
	assert_int_equal(event->broker_lane_parked->event_id.len, 16);
	assert_true(event->broker_lane_parked->position == INT64_MAX);
	event->broker_lane_parked->position = UINT64_MAX;
	json = cloudevents_write(event, NULL);
	data = json_object_get(json, "data");
	assert_string_equal(json_string_value(json_object_get(data, "event_id")), ID);
	assert_string_equal(json_string_value(json_object_get(data, "position")),
			    "18446744073709551615");
	json_decref(json);
	ttg__event__free_unpacked(event, NULL);
}

static void what_is_claimed_of_an_identifier_is_worked_out_here(void **state)
{
	(void)state;
	Ttg__Event *event = must_read_data(
		"prison.released",
		"{\"person\":{\"identifiers\":[{\"kind\":\"pnc\",\"value\":\"02/73319Z\","
		"\"canonical\":\"forged\",\"validity\":\"DUMMY\"},"
		"{\"kind\":\"NOMS\",\"value\":\"1\",\"validity\":\"VALID\"}]}}");

	assert_string_equal(event->person->identifiers[0]->canonical, "2002/0073319Z");
	assert_int_equal(event->person->identifiers[0]->validity, TTG__VALIDITY__VALID);
	assert_string_equal(event->person->identifiers[1]->canonical, "");
	assert_int_equal(event->person->identifiers[1]->validity, TTG__VALIDITY__INVALID_FORM);
	ttg__event__free_unpacked(event, NULL);
}

static void a_delivery_adds_its_extensions_and_they_are_ignored_on_the_way_back(void **state)
{
	(void)state;
	const uint8_t key[16] = { 0xab, 1, 2 };
	const struct cloudevents_delivery delivery = { "one-service/inbox", 12, 3, key, true };
	Ttg__Event *event = must_read(released);
	json_t *json = cloudevents_write(event, &delivery);
	Ttg__Event *again = NULL;
	unsigned ignored = 0;

	assert_string_equal(json_string_value(json_object_get(json, "sequence")), "12");
	assert_int_equal(json_integer_value(json_object_get(json, "attempt")), 3);
	assert_string_equal(json_string_value(json_object_get(json, "personkey")),
			    "ab010200000000000000000000000000");
	assert_true(json_is_true(json_object_get(json, "redacted")));
	assert_int_equal(cloudevents_read(json, &again, &ignored, NULL), TTG_OK);
	assert_int_equal(ignored, 6);
	json_decref(json);
	ttg__event__free_unpacked(event, NULL);
	ttg__event__free_unpacked(again, NULL);
}

static void fields_of_a_newer_catalogue_are_counted(void **state)
{
	(void)state;
	/* type, then field 9999 of a later Event */
	const uint8_t bytes[] = { 0x1a, 1, 'x', 0xf8, 0xf0, 0x04, 1 };
	Ttg__Event *event = ttg__event__unpack(NULL, sizeof(bytes), bytes);

	assert_non_null(event);
	json_t *json = cloudevents_write(event, NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "unknownfields")), 1);
	json_decref(json);
	ttg__event__free_unpacked(event, NULL);
}

static void every_type_of_the_catalogue_goes_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ttg_type_count(); i++) {
		/* The one type that has a number which may not be 0. */
		bool counts = strcmp(ttg_type_name(i), "court.reconviction") == 0;
		Ttg__Event *event = must_read_data(ttg_type_name(i),
						   counts ? "{\"offence_count\":1}" : "{}");
		json_t *json = cloudevents_write(event, NULL);

		assert_int_equal(ttg_type_of(event), i);
		assert_string_equal(json_string_value(json_object_get(json, "type")),
				    ttg_type_name(i));
		/* data.person is the envelope's: no payload may have a field of that name. */
		assert_null(protobuf_c_message_descriptor_get_field_by_name(
			ttg_type_descriptor(i), "person"));
		json_decref(json);
		ttg__event__free_unpacked(event, NULL);
	}
	assert_true(ttg_type_count() > 40);
}

static void what_is_missing_or_wrong_in_the_envelope_is_named(void **state)
{
	(void)state;
#define HEAD "{\"specversion\":\"1.0\",\"source\":\"a\",\"type\":\"prison.released\""
	must_refuse("[]", "a JSON object is wanted");
	must_refuse("{}", "specversion: is missing");
	must_refuse("{\"specversion\":\"0.3\"}", "specversion: must be \"1.0\"");
	must_refuse("{\"specversion\":\"1.0\"}", "source: is missing");
	must_refuse("{\"specversion\":\"1.0\",\"source\":\"a\"}", "type: is missing");
	must_refuse(HEAD "}", "time: is missing");
	must_refuse(HEAD ",\"time\":\"yesterday\"}", "time: ");
	must_refuse(HEAD ",\"time\":5}", "time: a string");
	must_refuse(HEAD ",\"id\":\"abc\"}", "id: a UUID");
	must_refuse(HEAD ",\"urgency\":\"now\"}", "urgency: not a word");
	must_refuse(HEAD ",\"Bad_Name\":\"x\"}", "attributes: names");
	must_refuse(HEAD ",\"data_base64\":\"AA==\"}", "data_base64");
	must_refuse(HEAD ",\"datacontenttype\":\"text/xml\"}", "datacontenttype");
	must_refuse("{\"specversion\":\"1.0\",\"source\":\"A B\"}", "source: an agency id");
	must_refuse("{\"specversion\":\"1.0\",\"source\":\"a/\"}", "source: an agency id");
	must_refuse("{\"specversion\":\"1.0\",\"source\":\"a\",\"type\":\"no.such\"}",
		    "type: not in the catalogue");
}

static void what_is_wrong_in_the_data_is_named_by_its_path(void **state)
{
	(void)state;
	must_refuse_data("prison.released", "[]", "data: an object");
	must_refuse_data("prison.released", "{\"nope\":1}", "data.nope: no such field");
	must_refuse_data("prison.released", "{\"at_liberty\":1}", "data.at_liberty: true or");
	must_refuse_data("prison.released", "{\"prison_code\":1}", "data.prison_code: a string");
	must_refuse_data("prison.released", "{\"released_at\":\"x\"}", "data.released_at: a time");
	must_refuse_data("prison.released", "{\"view\":\"x\"}", "data.view: not a name");
	must_refuse_data("prison.released", "{\"view\":-1}", "data.view: out of range");
	must_refuse_data("prison.released", "{\"view\":true}", "data.view: a name");
	must_refuse_data("prison.needs_screened", "{\"needs\":[{},{\"x\\u0007\":1}]}",
			 "data.needs[1].x?: no such field");
	must_refuse_data("prison.needs_screened", "{\"needs\":{}}", "data.needs: an array");
	must_refuse_data("service.contact", "{\"duration_minutes\":4294967296}",
			 "data.duration_minutes: out of range");
	must_refuse_data("service.contact", "{\"duration_minutes\":-1}", "out of range");
	must_refuse_data("service.contact", "{\"duration_minutes\":1.5}", "a whole number");
	must_refuse_data("broker.lane_parked", "{\"event_id\":\"abc\"}", "data.event_id: a UUID");
	must_refuse_data("broker.lane_parked", "{\"event_id\":\"zz\"}", "data.event_id: a UUID");
	must_refuse_data("prison.released", "{\"person\":{\"name\":\"x\"}}",
			 "data.person.name: no such field");
	must_refuse_data("prison.released", "{\"person\":{\"identifiers\":[{\"kind\":\"XX\"}]}}",
			 "data.person.identifiers[0].kind: not a name");
}

static void an_error_never_repeats_a_value(void **state)
{
	(void)state;
	struct message message = { "" };
	Ttg__Event *event = NULL;

	assert_int_equal(read_text(HEAD ",\"time\":\"2026-11-21T09:05:00Z\",\"data\":"
					"{\"released_at\":\"SECRET\",\"prison_code\":7}}",
				   &event, &message),
			 TTG_EFORMAT);
	assert_null(strstr(message.text, "SECRET"));
}

static void what_the_broker_would_refuse_for_a_bound_is_refused_at_once(void **state)
{
	char data[512], note[300];

	(void)state;
	memset(note, 'x', 257);
	note[257] = '\0';
	snprintf(data, sizeof(data), "{\"needs\":[{\"category\":1},{\"note\":\"%s\"}]}", note);
	must_refuse_data("service.needs_assessed", data,
			 "service_needs_assessed.needs[1].note is longer than 256 bytes");
	must_refuse_data("police.encounter", "{\"justification\":\"no\"}",
			 "police_encounter.justification is not 3 to 250 characters");
	must_refuse_data("court.reconviction", "{\"offence_count\":0}",
			 "court_reconviction.offence_count is less than 1");
	must_refuse_data("prison.release_scheduled",
			 "{\"release_address\":{\"lines\":[\"1\",\"2\",\"3\",\"4\",\"5\"]}}",
			 "release_address.lines has more than 4 entries");
}

static void too_long_values_are_refused(void **state)
{
	(void)state;
	static char text[16384];
	size_t n = (size_t)snprintf(text, sizeof(text),
				    HEAD ",\"time\":\"2026-11-21T09:05:00Z\","
					 "\"data\":{\"area\":\"");

	memset(text + n, 'x', 4097);
	strcpy(text + n + 4097, "\"}}");
	must_refuse(text, "data.area: longer than 4096");
	n = (size_t)snprintf(text, sizeof(text),
			     "{\"specversion\":\"1.0\",\"source\":\"a\","
			     "\"type\":\"service.contact\",\"time\":\"2026-11-21T09:05:00Z\","
			     "\"data\":{\"needs\":[0");
	for (int i = 0; i < 256; i++) {
		memcpy(text + n, ",0", 2);
		n += 2;
	}
	strcpy(text + n, "]}}");
	must_refuse(text, "data.needs: more than 256");
}

static void changed_input_never_does_harm(void **state)
{
	(void)state;
	uint64_t seed = unit_seed("changed_input");
	char text[sizeof(released)];
	int parsed = 0;

	for (int round = 0; round < 20000; round++) {
		memcpy(text, released, sizeof(text));
		for (int i = 0; i < 3; i++)
			text[unit_random(&seed) % (sizeof(text) - 1)] =
				"\"{}[]:,0a1.-x"[unit_random(&seed) % 13];
		json_t *json = json_loads(text, 0, NULL);
		if (!json)
			continue;
		struct message message = { "" };
		Ttg__Event *event = NULL;
		unsigned ignored;
		enum ttg_error code = cloudevents_read(json, &event, &ignored, &message);
		assert_true((code == TTG_OK) == (event != NULL));
		assert_true(code == TTG_OK || message.text[0]);
		if (event)
			ttg__event__free_unpacked(event, NULL);
		json_decref(json);
		parsed++;
	}
	assert_true(parsed > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_attribute_finds_its_field),
		cmocka_unit_test(an_event_written_and_read_again_is_the_same),
		cmocka_unit_test(an_id_is_made_when_there_is_none),
		cmocka_unit_test(source_and_type_may_carry_what_others_put_before_them),
		cmocka_unit_test(names_of_lists_are_taken_with_and_without_what_all_begin_with),
		cmocka_unit_test(lists_numbers_and_bytes_survive),
		cmocka_unit_test(what_is_claimed_of_an_identifier_is_worked_out_here),
		cmocka_unit_test(
			a_delivery_adds_its_extensions_and_they_are_ignored_on_the_way_back),
		cmocka_unit_test(fields_of_a_newer_catalogue_are_counted),
		cmocka_unit_test(every_type_of_the_catalogue_goes_both_ways),
		cmocka_unit_test(what_is_missing_or_wrong_in_the_envelope_is_named),
		cmocka_unit_test(what_is_wrong_in_the_data_is_named_by_its_path),
		cmocka_unit_test(an_error_never_repeats_a_value),
		cmocka_unit_test(too_long_values_are_refused),
		cmocka_unit_test(what_the_broker_would_refuse_for_a_bound_is_refused_at_once),
		cmocka_unit_test(changed_input_never_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
