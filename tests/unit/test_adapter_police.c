/*
 * The police adapter: arrests and what follows them, as JSON and as XML, hostile XML included.
 * Numbers are invented; those with a check letter are computed to fit.
 */
#include <stdio.h>
#include <stdlib.h>
#include "adapter_unit.h"
#include "police/police.h"

static struct reader reader;

static int set_up(void **state)
{
	if (folder_set_up(state) != 0)
		return -1;
	reader_open(&reader, &police_kind, *state, NULL);
	return 0;
}

static int tear_down(void **state)
{
	reader_close(&reader);
	return folder_tear_down(state);
}

#define POLICE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define PNC               "\"pncId\":\"02/73319Z\""
#define QUERY             "\"query\":{\"reasonCode\":\"9\",\"justification\":\"Custody, identity\"}"
#define MATCH             "\"match\":{\"basis\":\"PNC_ID\"}"

/* An arrest with this person, match and query; extra ends in a comma or is empty. */
static const char *arrest(const char *person, const char *match, const char *query,
                          const char *extra)
{
	static char text[1536];

	snprintf(text, sizeof(text),
	         "{\"kind\":\"arrest\",\"alertId\":\"AL-1\",\"force\":\"35\",%s\"station\":"
	         "{\"code\":\"PB01\",\"name\":\"Thorpe Wood\"},\"arrestedAt\":"
	         "\"2026-10-30T02:10:00Z\",\"person\":{%s},%s,%s}",
	         extra, person, match, query);
	return text;
}

static const Ttg__PoliceArrest *arrest_of(const char *person, const char *match)
{
	return must_read_one(&reader, arrest(person, match, QUERY, ""), "police.arrest")
	        ->police_arrest;
}

static void an_arrest_carries_codes_and_a_match(void **state)
{
	const Ttg__Event *event =
	        must_read_one(&reader,
	                      arrest(PNC, MATCH, QUERY,
	                             "\"offences\":[{\"cjsCode\":\"TH68010\",\"count\":2}],"
	                             "\"warningSignals\":[\"VI\",\"DR\"],"),
	                      "police.arrest");
	const Ttg__PoliceArrest *made = event->police_arrest;

	(void)state;
	assert_string_equal(made->alert_id, "AL-1");
	assert_string_equal(made->force_code, "35");
	assert_string_equal(made->station_name, "Thorpe Wood");
	assert_int_equal(made->offences[0]->category,
	                 TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_THEFT);
	assert_int_equal(made->offences[0]->offence_count, 2);
	assert_int_equal(made->n_warning_signal_code, 2);
	assert_int_equal(made->confidence, TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_CONFIRMED);
	assert_string_equal(made->justification, "Custody, identity");
	assert_int_equal(event->urgency, TTG__URGENCY__URGENT);
	assert_string_equal(event->person->identifiers[0]->canonical, "2002/0073319Z");
	assert_string_equal(event->person->identifiers[0]->value, "02/73319Z");
}

static void a_wrong_check_letter_is_flagged_kept_and_weakens_the_match(void **state)
{
	const Ttg__PoliceArrest *made = arrest_of("\"pncId\":\"02/73319A\"", MATCH);
	const Ttg__Identifier *number = reader.events[0]->person->identifiers[0];

	(void)state;
	assert_string_equal(number->value, "02/73319A");
	assert_int_equal(number->validity, TTG__VALIDITY__INVALID_CHECK);
	assert_int_equal(made->confidence, TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_PROBABLE);
}

static void a_match_by_name_is_never_more_than_possible(void **state)
{
	const Ttg__PoliceArrest *made =
	        arrest_of(PNC, "\"match\":{\"basis\":\"NAME_DOB\",\"confidence\":\"CONFIRMED\"}");

	(void)state;
	assert_int_equal(made->confidence, TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_POSSIBLE);
	assert_int_equal(reader.events[0]->assertion, TTG__ASSERTION__ASSESSMENT);
}

static void an_arrest_summons_number_alone_finds_nobody(void **state)
{
	(void)state;
	must_refuse(&reader, arrest("\"asn\":\"1101ZD0100000448754K\"", MATCH, QUERY, ""),
	            "matched");
}

static void a_query_needs_a_reason_and_a_justification_of_3_to_250_characters(void **state)
{
	char query[512], long_text[300];

	(void)state;
	must_refuse(&reader, arrest(PNC, MATCH, "\"query\":{\"reasonCode\":\"9\"}", ""),
	            "query.justification");
	must_refuse(&reader, arrest(PNC, MATCH, "\"query\":{\"justification\":\"Custody\"}", ""),
	            "query.reasonCode");
	must_refuse(
	        &reader,
	        arrest(PNC, MATCH, "\"query\":{\"reasonCode\":\"9\",\"justification\":\"ab\"}", ""),
	        "3 to 250");
	memset(long_text, 'x', sizeof(long_text));
	long_text[251] = '\0';
	snprintf(query, sizeof(query), "\"query\":{\"reasonCode\":\"9\",\"justification\":\"%s\"}",
	         long_text);
	must_refuse(&reader, arrest(PNC, MATCH, query, ""), "3 to 250");
}

static void unknown_warning_signals_and_forces_are_refused(void **state)
{
	(void)state;
	must_refuse(&reader, arrest(PNC, MATCH, QUERY, "\"warningSignals\":[\"XX\"],"),
	            "warningSignals");
	must_refuse(&reader,
	            "{\"kind\":\"iomStatus\",\"force\":\"3A\",\"recordedAt\":"
	            "\"2026-10-30T02:10:00Z\",\"status\":\"ON\",\"fromDate\":\"2026-10-30\","
	            "\"person\":{" PNC "}}",
	            "force");
}

static void a_refused_entry_of_a_list_refuses_the_document_and_no_more(void **state)
{
	char extra[256], signal[100];

	(void)state;
	memset(signal, 'J', sizeof(signal));
	signal[99] = '\0';
	snprintf(extra, sizeof(extra), "\"warningSignals\":[\"VI\",\"%s\",\"DR\"],", signal);
	must_refuse(&reader, arrest(PNC, MATCH, QUERY, extra), "warningSignals is longer than");
	must_refuse(&reader, arrest(PNC, MATCH, QUERY, "\"warningSignals\":[\"VI\\u0007\"],"),
	            "warningSignals holds control characters");
	an_arrest_carries_codes_and_a_match(state);
}

static const char *update(const char *disposition)
{
	static char text[512];

	snprintf(text, sizeof(text),
	         "{\"kind\":\"custodyUpdate\",\"alertId\":\"AL-1\",\"force\":\"35\","
	         "\"disposition\":\"%s\",\"disposedAt\":\"2026-10-30T11:00:00Z\","
	         "\"person\":{" PNC "}}",
	         disposition);
	return text;
}

static void a_follow_up_names_the_first_alert(void **state)
{
	uint8_t alert[16], id[16];
	const Ttg__Event *event;

	(void)state;
	arrest_of(PNC, MATCH);
	memcpy(alert, reader.events[0]->id.data, 16);
	assert_int_equal(police_alert_id(id, "35", "AL-1"), TTG_OK);
	assert_memory_equal(alert, id, 16);
	event = must_read_one(&reader, update("BAILED"), "police.custody_update");
	assert_memory_equal(event->correlation_id.data, alert, 16);
	assert_memory_equal(event->causation_id.data, alert, 16);
	assert_int_equal(event->supersedes.len, 0);
	assert_string_equal(event->police_custody_update->alert_id, "AL-1");
}

static void no_further_action_takes_back_what_everybody_was_told(void **state)
{
	uint8_t alert[16];
	const Ttg__Event *event = must_read_one(&reader, update("NFA"), "police.custody_update");

	(void)state;
	assert_int_equal(police_alert_id(alert, "35", "AL-1"), TTG_OK);
	assert_int_equal(event->police_custody_update->disposition,
	                 TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION);
	assert_memory_equal(event->supersedes.data, alert, 16);
}

static void an_encounter_asks_somebody_to_come(void **state)
{
	const Ttg__Event *event = must_read_one(
	        &reader,
	        "{\"kind\":\"encounter\",\"force\":\"35\",\"place\":\"Cathedral Square\","
	        "\"concern\":\"rough sleeping\",\"pleaseCollect\":true,\"callBackNumber\":\"101\","
	        "\"encounteredAt\":\"2026-10-30T23:10:00+01:00\",\"person\":{" PNC "}," QUERY "}",
	        "police.encounter");

	(void)state;
	assert_true(event->police_encounter->please_collect);
	assert_int_equal(event->police_encounter->concern,
	                 TTG__ENCOUNTER_CONCERN__ENCOUNTER_CONCERN_ROUGH_SLEEPING);
	assert_int_equal(event->occurred_at->unix_ns, instant_of("2026-10-30T22:10:00Z"));
}

static void an_answer_to_a_flag_request_repeats_its_id(void **state)
{
	const Ttg__Event *event = must_read_one(
	        &reader,
	        "{\"kind\":\"flagAnswer\",\"requestId\":\"R-9\",\"requestEventId\":"
	        "\"0197f2a4-1111-7222-8333-444455556666\",\"force\":\"35\",\"outcome\":\"placed\","
	        "\"flagReference\":\"F1\",\"contactNumber\":\"+44 1733 000000\","
	        "\"doneAt\":\"2026-10-30T12:00:00Z\",\"person\":{" PNC "}}",
	        "police.pnc_flag");

	(void)state;
	assert_string_equal(event->police_pnc_flag->request_id, "R-9");
	assert_int_equal(event->police_pnc_flag->outcome, TTG__FLAG_OUTCOME__FLAG_OUTCOME_PLACED);
	assert_int_equal(event->causation_id.len, 16);
	assert_int_equal(event->causation_id.data[0], 0x01);
}

#define XML_HEAD "<?xml version=\"1.0\"?>"
#define XML_NS   " xmlns=\"urn:throughgate:police:1\""
#define XML_ARREST                                                                                 \
	"<arrest" XML_NS "><alertId>AL-1</alertId><force>35</force><station><code>PB01</code>"     \
	"<name>Thorpe Wood</name></station><arrestedAt>2026-10-30T02:10:00Z</arrestedAt>"          \
	"<person><pncId>02/73319Z</pncId></person><offences><offence><cjsCode>TH68010</cjsCode>"   \
	"<count>2</count></offence></offences><match><basis>PNC_ID</basis></match>"                \
	"<warningSignals><signal>VI</signal><signal>DR</signal></warningSignals>"                  \
	"<query><reasonCode>9</reasonCode><justification>Custody, "                                \
	"identity</justification></query>"                                                         \
	"</arrest>"

/* Their place in the bytes is the same in events that are. */
static void forget_nonce(uint8_t *bytes, size_t len)
{
	static const uint8_t key[] = { 0x82, 0x01, 16 }; /* field 16 of Event, 16 bytes */
	uint8_t *at = memmem(bytes, len, key, sizeof(key));

	assert_non_null(at);
	assert_true(at + sizeof(key) + 16 <= bytes + len);
	memset(at + sizeof(key), 0, 16);
}

static void xml_and_json_of_one_arrest_are_the_same_event(void **state)
{
	static const char json_extra[] = "\"offences\":[{\"cjsCode\":\"TH68010\",\"count\":2}],"
	                                 "\"warningSignals\":[\"VI\",\"DR\"],";
	size_t len;
	uint8_t *bytes;

	(void)state;
	must_read_one(&reader, arrest(PNC, MATCH, QUERY, json_extra), "police.arrest");
	len = reader.intake.events[0].len;
	bytes = malloc(len);
	assert_non_null(bytes);
	memcpy(bytes, reader.intake.events[0].bytes, len);
	must_read_one(&reader, XML_HEAD XML_ARREST, "police.arrest");
	assert_int_equal(reader.intake.events[0].len, len);
	assert_memory_not_equal(reader.intake.events[0].bytes, bytes, len);
	forget_nonce(reader.intake.events[0].bytes, len);
	forget_nonce(bytes, len);
	assert_memory_equal(reader.intake.events[0].bytes, bytes, len);
	free(bytes);
}

static void one_xml_event_that_does_not_fit_the_schema_leaves_the_others_alone(void **state)
{
	(void)state;
	reader_take(&reader, XML_HEAD
	            "<policeEvents" XML_NS ">" XML_ARREST
	            "\n<arrest><alertId>AL-2</alertId><secret>Somebody's name</secret></arrest>"
	            "</policeEvents>");
	assert_int_equal(reader.n, 1);
	assert_int_equal(reader.intake.total_problems, 1);
	assert_int_equal(reader.intake.problems[0].line, 2);
	assert_null(strstr(reader.intake.problems[0].message.text, "Somebody"));
	assert_true(reader.intake.rejected_cut);
}

static void an_external_entity_is_refused_and_never_read(void **state)
{
	(void)state;
	must_refuse(&reader,
	            XML_HEAD "<!DOCTYPE arrest [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
	                     "<arrest" XML_NS "><alertId>&x;</alertId></arrest>",
	            "document type");
	must_refuse(&reader,
	            XML_HEAD "<!DOCTYPE arrest SYSTEM \"http://127.0.0.1:1/x.dtd\">" XML_ARREST,
	            "document type");
}

static void a_billion_laughs_are_refused_quickly(void **state)
{
	(void)state;
	must_refuse(
	        &reader,
	        XML_HEAD
	        "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
	        "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">"
	        "<!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;\">"
	        "<!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;\"><!ENTITY h \"&g;&g;&g;&g;&g;&g;&g;&g;\">]>"
	        "<l>&h;&h;&h;&h;&h;&h;&h;&h;</l>",
	        "");
	assert_true(reader.intake.refused);
}

static void broken_deep_and_foreign_xml_is_refused(void **state)
{
	static char deep[40000];
	char *at = deep + sprintf(deep, XML_HEAD);

	(void)state;
	must_refuse(&reader, "<arrest", "well-formed");
	must_refuse(&reader, "<arrest/>", "namespace");
	must_refuse(&reader, "<policeEvents" XML_NS "/>", "no event");
	for (int i = 0; i < 4000; i++)
		at += sprintf(at, "<a>");
	must_refuse(&reader, deep, "well-formed");
}

static bool schema_has(const json_t *schema, const char *kind, const char *path)
{
	char definition[64], part[64];
	const json_t *at;

	snprintf(definition, sizeof(definition), "%sEvent", kind);
	at = json_object_get(json_object_get(schema, "$defs"), definition);
	while (at != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");
		const char *ref;

		snprintf(part, sizeof(part), "%.*s", (int)len, path);
		at = json_object_get(json_object_get(at, "properties"), part);
		ref = json_string_value(json_object_get(at, "$ref"));
		if (ref != NULL)
			at = json_object_get(json_object_get(schema, "$defs"),
			                     strrchr(ref, '/') + 1);
		path += len + (path[len] == '.');
	}
	return at != NULL;
}

static void the_json_schema_knows_every_member_that_is_read(void **state)
{
	json_t *schema = json_load_file(TTG_SOURCE_DIR "/adapters/police/police-events.schema.json",
	                                0, NULL);

	(void)state;
	assert_non_null(schema);
	assert_false(schema_has(schema, "arrest", "nonsense"));
	for (size_t i = 0; i < police_shapes_n; i++) {
		for (size_t f = 0; f < police_shapes[i].shape.n_fields; f++)
			assert_true(schema_has(schema, police_shapes[i].kind,
			                       police_shapes[i].shape.fields[f].key));
	}
	json_decref(schema);
}

static void unknown_kinds_are_counted(void **state)
{
	(void)state;
	reader_take(&reader, "{\"kind\":\"stopAndSearch\"}");
	assert_int_equal(reader.n, 0);
	assert_int_equal(reader.intake.total_problems, 0);
	assert_int_equal(intake_ignored(&reader.intake, "stopAndSearch"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICE_TEST(an_arrest_carries_codes_and_a_match),
		POLICE_TEST(a_wrong_check_letter_is_flagged_kept_and_weakens_the_match),
		POLICE_TEST(a_match_by_name_is_never_more_than_possible),
		POLICE_TEST(an_arrest_summons_number_alone_finds_nobody),
		POLICE_TEST(a_query_needs_a_reason_and_a_justification_of_3_to_250_characters),
		POLICE_TEST(unknown_warning_signals_and_forces_are_refused),
		POLICE_TEST(a_refused_entry_of_a_list_refuses_the_document_and_no_more),
		POLICE_TEST(a_follow_up_names_the_first_alert),
		POLICE_TEST(no_further_action_takes_back_what_everybody_was_told),
		POLICE_TEST(an_encounter_asks_somebody_to_come),
		POLICE_TEST(an_answer_to_a_flag_request_repeats_its_id),
		POLICE_TEST(xml_and_json_of_one_arrest_are_the_same_event),
		POLICE_TEST(one_xml_event_that_does_not_fit_the_schema_leaves_the_others_alone),
		POLICE_TEST(an_external_entity_is_refused_and_never_read),
		POLICE_TEST(a_billion_laughs_are_refused_quickly),
		POLICE_TEST(broken_deep_and_foreign_xml_is_refused),
		POLICE_TEST(the_json_schema_knows_every_member_that_is_read),
		POLICE_TEST(unknown_kinds_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
