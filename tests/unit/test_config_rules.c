/*
 * Agencies and agreements: what the files say becomes rules, every mistake is told with its place and
 * what would be right, and what is probably not meant is a warning.
 */
#include <string.h>
#include <ttg/event.h>

#include "base/instant.h"
#include "support/config_case.h"

#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

static void mistakes_of_agencies_are_told(void **state)
{
	static const struct mistake mistakes[] = {
		{ NULL, "agency: {\n name = \"A\"; };\n", "",
		  "agencies.d/all.conf:1: agency.id is missing, must be an id of 1 to 32 characters "
		  "a-z, 0-9 and -" },
		{ NULL, "agency: { id = \"-a\"; name = \"A\"; };\n", "",
		  "agencies.d/all.conf:1: agency.id is not an id, must be an id of 1 to 32 characters "
		  "a-z, 0-9 and -" },
		{ NULL, "agencies: ( { id = \"a\"; name = \"A\"; },\n{ id = \"a\"; name = \"B\"; } );\n",
		  "", "agencies.d/all.conf:2: agency a stands already at ..." },
		{ NULL, "agency: { id = \"broker\"; name = \"A\"; };\n", "",
		  "agencies.d/all.conf:1: agency broker is the broker itself (broker.agency), must be "
		  "another id" },
		{ NULL,
		  "agency: { id = \"a\"; name = \"A\"; keys = ( { label = \"x\"; public = \"" KEY_A
		  "\"; },\n{ label = \"y\"; public = \"" KEY_A "\"; } ); };\n",
		  "", "agencies.d/all.conf:2: key y is the one at ..." },
		{ NULL,
		  "agency: { id = \"a\"; name = \"A\"; keys = ( { label = \"x\"; public = \"" KEY_A
		  "\"; },\n{ label = \"x\"; public = \"" KEY_B "\"; } ); };\n",
		  "", "agencies.d/all.conf:2: keys.label x stands twice in a, must be told apart" },
		{ NULL, "agency: { id = \"a\"; name = \"A\"; keys = ( { label = \"x\"; } ); };\n", "",
		  "agencies.d/all.conf:1: key x has neither, must have public or public_file" },
		{ NULL,
		  "agency: { id = \"a\"; name = \"A\"; keys = ( { label = \"x\"; public = \"" KEY_A
		  "\"; public_file = \"f\"; } ); };\n",
		  "", "agencies.d/all.conf:1: key x has both, must have public or public_file" },
		{ NULL,
		  "agency: { id = \"a\"; name = \"A\"; keys = ( { label = \"x\";\n"
		  "public = \"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\"; } ); };\n",
		  "", "agencies.d/all.conf:1: key x is no public key, must be 40 characters Z85" },
		{ NULL,
		  "agency: { id = \"a\"; name = \"A\"; keys = ( { label = \"x\"; public_file = \"f\"; "
		  "} ); };\n",
		  "", "agencies.d/all.conf:1: key x: ..." },
		{ NULL,
		  "agency: { id = \"a\"; name = \"A\"; keys = ( { label = \"x\"; public = \"" KEY_A
		  "\"; from = \"2026-02-30\"; } ); };\n",
		  "", "agencies.d/all.conf:1: keys.from is no date, must be a date \"yyyy-mm-dd\"" },
		{ NULL,
		  "agency: { id = \"a\"; name = \"A\"; keys = ( { label = \"x\"; public = \"" KEY_A
		  "\"; from = \"2026-02-03\"; to = \"2026-02-03\"; } ); };\n",
		  "",
		  "agencies.d/all.conf:1: key x: from is not before to, must be: to is the first day "
		  "it is not good" },
		{ NULL, "agency: { id = \"a\"; name = \"A\"; addresses = [ \"10.0.0.1/8\" ]; };\n", "",
		  "agencies.d/all.conf:1: agency.addresses: the range goes beyond its prefix, must be "
		  "\"10.0.0.0/8\"" },
		{ NULL, "agency: { id = \"a\"; name = \"A\"; addresses = [ \"::1\",\n\"localhost\" ]; };\n",
		  "",
		  "agencies.d/all.conf:2: agency.addresses: not an address range, must be for example "
		  "\"192.0.2.0/24\" or \"2001:db8::/32\"" },
		{ NULL, "agency: { id = \"a\"; name = \"A\"; addresses = [ 5 ]; };\n", "",
		  "agencies.d/all.conf:1: agency.addresses is a list of other things, must be an array "
		  "[ ] of 0 to 64 texts" },
		{ NULL, "agency: { id = \"a\"; name = \"A\"; burst = 5; };\n", "",
		  "agencies.d/all.conf:1: agency.burst is 5 without a rate_per_s, must be left out" },
		{ NULL,
		  "agency: { id = \"a\"; name = \"A\"; mailboxes = ( { box = \"x\"; },\n"
		  "{ box = \"x\"; } ); };\n",
		  "", "agencies.d/all.conf:2: mailbox a/x stands twice, must stand once" },
		{ NULL,
		  "agency: { id = \"a\"; name = \"A\"; mailboxes = ( { box = \"x\"; retry_ms = 100;\n"
		  "retry_max_ms = 50; } ); };\n",
		  "",
		  "agencies.d/all.conf:1: mailbox a/x: retry_max_ms is 50, must be at least retry_ms, "
		  "100" },
	};

	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

static void mistakes_of_fields_are_told(void **state)
{
	static const struct mistake mistakes[] = {
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "fields = [\n\"at_libery\" ];")),
		  "agreements.d/all.conf:6: fields: at_libery is no field of prison.released, did you "
		  "mean at_liberty?" },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "fields = [\n\"release_address.twn\" ];")),
		  "agreements.d/all.conf:6: fields: release_address.twn is no field of prison.released, "
		  "did you mean town?" },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "fields = [\n\"conviction\" ];")),
		  "agreements.d/all.conf:6: fields: conviction is no field of prison.released, must be "
		  "a path of names in the catalogue" },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "fields = [\n\"area.town\" ];")),
		  "agreements.d/all.conf:6: fields: area.town goes into a field that has no parts, must "
		  "end before" },
		{ NULL, NULL,
		  AGREEMENT(DELIVER(TO_DUTY "fields = [ ]; envelope = [\n\"prison_released\" ];")),
		  "agreements.d/all.conf:6: envelope: prison_released is no field of the envelope, ..." },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "fields = [ ]; envelope = [\n\"nonce\" ];")),
		  "agreements.d/all.conf:6: envelope: nonce goes with whole events only, must be left "
		  "out" },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "fields = [ ]; identifiers = [\n\"NOM\" ];")),
		  "agreements.d/all.conf:6: identifiers: NOM is no kind of number, must be one of NOMS, "
		  "PNC, CRO, CRN, ASN, CASE_NUMBER, BOOKING, OTHER; did you mean NOMS" },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "envelope = [ \"person\" ];")),
		  "agreements.d/all.conf:5: deliver.envelope without fields, must have fields too, or "
		  "neither" },
	};

	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

static void mistakes_of_agreements_are_told(void **state)
{
	static const struct mistake mistakes[] = {
		{ NULL, NULL, AGREEMENT_HEAD "parties = [ \"prison\",\n\"dsek\" ]; };\n",
		  "agreements.d/all.conf:4: party dsek is no agency, did you mean desk?" },
		{ NULL, NULL, AGREEMENT_HEAD "parties = [ \"prison\", \"prison\" ]; };\n",
		  "agreements.d/all.conf:3: party prison stands twice, must stand once" },
		{ NULL, NULL, "agreement: { id = \"x\"; };\n",
		  "agreements.d/all.conf:1: agreement.parties is missing, must be an array [ ] of 1 to "
		  "64 texts" },
		{ NULL, NULL,
		  "agreement: { id = \"x\"; title = \"t\"; purpose = \"p\"; gateway = \"g\"; " PARTIES
		  "valid_from = \"2027-01-01\"; valid_to = \"2026-01-01\"; };\n",
		  "agreements.d/all.conf:1: agreement x: valid_from 2027-01-01 is not before valid_to "
		  "2026-01-01, must be" },
		{ NULL, NULL,
		  AGREEMENT_HEAD PARTIES
		  "publish = ( { agency = \"other\";\ntypes = [ \"prison.released\" ]; } ); };\n",
		  "agreements.d/all.conf:4: publish.agency other is not a party of agreement gate, must "
		  "be" },
		{ NULL, NULL,
		  AGREEMENT_HEAD PARTIES
		  "publish = ( { agency = \"prison\"; types = [\n\"prison.relaesed\" ]; } ); };\n",
		  "agreements.d/all.conf:5: type prison.relaesed is not in the catalogue, did you mean "
		  "prison.released?" },
		{ NULL, NULL,
		  AGREEMENT_HEAD PARTIES
		  "publish = ( { agency = \"prison\"; types = [ \"broker.correction\" ]; } ); };\n",
		  "agreements.d/all.conf:4: type broker.correction is published by the broker alone, "
		  "must not be granted" },
		{ NULL, NULL,
		  AGREEMENT_HEAD PARTIES "publish = ( { agency = \"prison\"; types = [ "
					 "\"prison.released\", \"prison.released\" ]; } ); };\n",
		  "agreements.d/all.conf:4: prison may publish prison.released twice in agreement gate, "
		  "must stand once" },
		{ NULL, NULL,
		  AGREEMENT(DELIVER("mailbox = \"desk/dutty\"; from = [ \"prison\" ]; types = [ "
				    "\"prison.released\" ];")),
		  "agreements.d/all.conf:5: deliver.mailbox desk/dutty is no mailbox, did you mean "
		  "desk/duty?" },
		{ NULL, NULL,
		  AGREEMENT(DELIVER("mailbox = \"other/in\"; from = [ \"prison\" ]; types = [ "
				    "\"prison.released\" ];")),
		  "agreements.d/all.conf:5: deliver.mailbox other/in belongs to other, which must be a "
		  "party of agreement gate" },
		{ NULL, NULL,
		"agreements: (\n{ id = \"x\"; title = \"t\"; purpose = \"p\"; gateway = \"g\"; " PARTIES
		"valid_from = \"2026-01-01\"; valid_to = \"2027-01-01\"; },\n"
		"{ id = \"x\"; title = \"t\"; purpose = \"p\"; gateway = \"g\"; " PARTIES
		"valid_from = \"2026-01-01\"; valid_to = \"2027-01-01\"; } );\n",
		"agreements.d/all.conf:4: agreement x stands already at ..." },
	};

	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

static void mistakes_of_grants_to_receive_are_told(void **state)
{
	static const struct mistake mistakes[] = {
		{ NULL, NULL,
		  AGREEMENT(DELIVER("mailbox = \"desk/duty\"; from = [ \"other\" ]; types = [ "
				    "\"prison.released\" ];")),
		  "agreements.d/all.conf:5: deliver.from other is not a party of agreement gate, must "
		  "be" },
		{ NULL, NULL,
		  AGREEMENT(DELIVER("mailbox = \"desk/duty\"; from = [ \"broker\" ]; types = [ "
				    "\"prison.released\" ];")),
		  "agreements.d/all.conf:5: type prison.released from broker, must be broker.* types "
		  "from broker and others from agencies" },
		{ NULL, NULL,
		  AGREEMENT(DELIVER("mailbox = \"desk/duty\"; from = [ \"prison\" ]; types = [ "
				    "\"broker.correction\" ];")),
		  "agreements.d/all.conf:5: type broker.correction from prison, must be broker.* types "
		  "from broker and others from agencies" },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "addressed_by = \"provider_agency\";")),
		  "agreements.d/all.conf:5: addressed_by provider_agency is no text field of "
		  "prison.released, must be one that holds an agency id" },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "retain_days = 30;")),
		  "agreements.d/all.conf:5: retain_days without keys.directory in ttgd.conf, must have it: "
		  "only what is sealed can be let go by itself" },
		{ NULL, NULL, AGREEMENT("retain_s = 30;\n"),
		  "agreements.d/all.conf:1: retain_days without keys.directory in ttgd.conf, must have it: "
		  "only what is sealed can be let go by itself" },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "ack_within_s = 600;")),
		  "agreements.d/all.conf:5: deliver.ack_within_s without a fallback, must have both or "
		  "neither" },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "fallback = \"desk/boss\";")),
		  "agreements.d/all.conf:5: deliver.fallback without an ack_within_s, must have both or "
		  "neither" },
		{ NULL, NULL,
		  AGREEMENT(DELIVER(TO_DUTY "ack_within_s = 600; fallback = \"other/in\";")),
		  "agreements.d/all.conf:5: deliver.fallback other/in belongs to other, which must be a "
		  "party of agreement gate" },
		{ NULL, NULL,
		  AGREEMENT(DELIVER(TO_DUTY "ack_within_s = 600; fallback = \"desk/duty\";")),
		  "agreements.d/all.conf:5: deliver.fallback is the mailbox itself, must be another" },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY " },\n{ " TO_DUTY)),
		  "agreements.d/all.conf:6: desk/duty gets prison.released from prison twice in "
		  "agreement gate, must stand once" },
		{ NULL, NULL, AGREEMENT("future_types = [ \"Prison.New\" ];\n"),
		  "agreements.d/all.conf:5: future_types: Prison.New cannot be a type, must read "
		  "family.name in a-z, 0-9 and _" },
	};

	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

/* Of one line, the sixth: the group stands behind the delivery's fifth. */
#define WHEN(text) AGREEMENT(DELIVER(TO_DUTY "\nwhen = { " text " };"))
#define TOLD(text) "agreements.d/all.conf:6: " text
#define ONE_AREA "\"E06000031\""

static void mistakes_of_conditions_are_told(void **state)
{
	static const struct mistake mistakes[] = {
		{ NULL, NULL, WHEN(""),
		  TOLD("deliver.when asks for nothing, must have at least one of enrolled, referral, "
		       "risk_at_most, custody, areas") },
		{ NULL, NULL, WHEN("referral = false;"), TOLD("deliver.when asks for nothing, ...") },
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "\nwhen = \"enrolled\";")),
		  TOLD("deliver.when is a text, must be a group { }") },
		{ NULL, NULL, WHEN("enroled = \"desk/pilot\";"),
		  TOLD("when.enroled is not known, did you mean enrolled?") },
		{ NULL, NULL, WHEN("enrolled = \"desk\";"),
		  TOLD("when.enrolled: desk is no scheme, must be \"agency/scheme\", the scheme 1 to 32 "
		       "characters a-z, 0-9 and -") },
		{ NULL, NULL, WHEN("enrolled = \"/pilot\";"),
		  TOLD("when.enrolled: /pilot is no scheme, ...") },
		{ NULL, NULL, WHEN("enrolled = \"desk/\";"), TOLD("when.enrolled: desk/ is no scheme, ...") },
		{ NULL, NULL, WHEN("enrolled = \"desk/Pilot\";"),
		  TOLD("when.enrolled: desk/Pilot is no scheme, ...") },
		{ NULL, NULL, WHEN("enrolled = \"desk/a-scheme-of-more-than-32-characters\";"),
		  TOLD("when.enrolled: desk/a-scheme-of-more-than-32-characters is no scheme, ...") },
		{ NULL, NULL, WHEN("enrolled = \"dsek/pilot\";"),
		  TOLD("when.enrolled: dsek is no agency, did you mean desk?") },
		{ NULL, NULL, WHEN("enrolled = \"broker/pilot\";"),
		  TOLD("when.enrolled: broker is no agency, must be one of agencies.d") },
		{ NULL, NULL, WHEN("custody = \"in\"; window_days = 365;"),
		  TOLD("when.window_days is 365 without enrolled, must be left out") },
		{ NULL, NULL, WHEN("enrolled = \"desk/pilot\"; window_days = 0;"),
		  TOLD("when.window_days is 0, must be 1 to 3650") },
		{ NULL, NULL, WHEN("enrolled = \"desk/pilot\"; window_days = 3651;"),
		  TOLD("when.window_days is 3651, must be 1 to 3650") },
		{ NULL, NULL, WHEN("referral = \"true\";"),
		  TOLD("when.referral is a text, must be true or false") },
		{ NULL, NULL, WHEN("risk_at_most = \"none\";"),
		  TOLD("when.risk_at_most is something else, must be one of low, medium, high, very-high") },
		{ NULL, NULL, WHEN("custody = \"\";"),
		  TOLD("when.custody is empty, must be one of in, out") },
		{ NULL, NULL,
		  AGREEMENT_HEAD PARTIES DELIVER("mailbox = \"desk/duty\"; from = [ \"broker\" ]; types = [\n"
						 "\"broker.correction\" ]; when = { custody = \"in\"; };")
		  "};\n",
		  "agreements.d/all.conf:5: type broker.correction with a when, must be without: the "
		  "broker's own notices are about no enrolled person" },
	};

	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

static void mistakes_of_areas_are_told(void **state)
{
	static const struct mistake mistakes[] = {
		{ NULL, NULL, WHEN("areas = [ ];"),
		  TOLD("when.areas is a list of 0, must be an array [ ] of 1 to 32 texts") },
		{ NULL, NULL, WHEN("areas = " ONE_AREA ";"),
		  TOLD("when.areas is a text, must be an array [ ] of 1 to 32 texts") },
		{ NULL, NULL, WHEN("areas = [ " ONE_AREA ", " ONE_AREA " ];"),
		  TOLD("when.areas: E06000031 stands twice, must stand once") },
		{ NULL, NULL, WHEN("areas = [ \"E0600003\" ];"),
		  TOLD("when.areas: E0600003 is no area, must be an ONS code, a letter A-Z and 8 digits") },
		{ NULL, NULL, WHEN("areas = [ \"E060000312\" ];"),
		  TOLD("when.areas: E060000312 is no area, ...") },
		{ NULL, NULL, WHEN("areas = [ \"e06000031\" ];"),
		  TOLD("when.areas: e06000031 is no area, ...") },
		{ NULL, NULL, WHEN("areas = [ \"E0600003X\" ];"),
		  TOLD("when.areas: E0600003X is no area, ...") },
	};

	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

/* Deliveries limited to n areas, the highest first. */
static void write_areas(const struct folder *folder, unsigned n)
{
	char text[CONFIG_CASE_MAX], areas[1024] = "";

	for (unsigned i = n; i > 0; i--)
		snprintf(areas + strlen(areas), sizeof(areas) - strlen(areas), "%s\"E%08u\"",
			 i < n ? ", " : "", i);
	snprintf(text, sizeof(text), WHEN("areas = [ %s ];"), areas);
	config_write(folder, NULL, NULL, text);
}

static void areas_are_sorted_and_at_most_thirty_two(void **state)
{
	struct config *config;
	const struct condition *condition;

	write_areas(*state, CONDITION_AREAS_MAX);
	config = config_must_load(*state);
	condition = &config->rules->conditions[config->rules->deliver[0].condition - 1];
	assert_int_equal(condition->n_areas, CONDITION_AREAS_MAX);
	assert_string_equal(condition->areas[0], "E00000001");
	assert_string_equal(condition->areas[9], "E00000010");
	assert_string_equal(condition->areas[CONDITION_AREAS_MAX - 1], "E00000032");
	config_free(&config);
	write_areas(*state, CONDITION_AREAS_MAX + 1);
	must_not_load(*state, TOLD("when.areas is a list of 33, must be an array [ ] of 1 to 32 texts"));
}

static void doubts_are_warnings(void **state)
{
	static const struct mistake mistakes[] = {
		{ NULL, NULL, AGREEMENT(DELIVER(TO_DUTY "fields = [ \"area\",\n\"area\" ];")),
		  "agreements.d/all.conf:6: fields: area goes already by another of its names, leave one "
		  "out" },
		{ NULL, NULL, AGREEMENT("review = \"2026-11-01\";\n" DELIVER(TO_DUTY)),
		  "agreements.d/all.conf:1: agreement gate was to be reviewed by 2026-11-01" },
		{ NULL, NULL,
		  "agreement: { id = \"x\"; title = \"t\"; purpose = \"p\"; gateway = \"g\"; " PARTIES
		  "valid_from = \"2024-01-01\"; valid_to = \"2026-11-21\"; };\n",
		  "agreements.d/all.conf:1: agreement x ended on 2026-11-21, renew it or take it away" },
		{ NULL, "agency: { id = \"a\"; name = \"A\"; };\n", "",
		  "agencies.d/all.conf:1: agency a has no valid key, it cannot connect" },
		{ NULL,
		  "agency: { id = \"a\"; name = \"A\"; keys = ( { label = \"x\"; public = \"" KEY_A
		  "\"; revoked = true; } ); };\n",
		  "", "agencies.d/all.conf:1: agency a has no valid key, it cannot connect" },
		{ NULL,
		  "agency: { id = \"a\"; name = \"A\"; keys = ( { label = \"x\"; public = \"" KEY_A
		  "\"; to = \"2026-12-01\"; } ); };\n",
		  "",
		  "agencies.d/all.conf:1: agency a has no key from in 9 days on, add its next one" },
		{ NULL, NULL,
		  AGREEMENT(DELIVER("mailbox = \"desk/duty\"; from = [ \"prison\" ]; types = [ "
				    "\"prison.reception\" ];")),
		  "agreements.d/all.conf:1: desk/duty is to get prison.reception from prison, which no "
		  "agreement lets publish it" },
		{ NULL, NULL, "", "agreements.d/all.conf: holds nothing, expected agreement: { ... };" },
		{ NULL, NULL, AGREEMENT("future_types = [ \"prison.released\" ];\n"),
		  "agreements.d/all.conf:5: future_types: prison.released is in the catalogue by now, "
		  "leave it out" },
	};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		must_tell(*state, &mistakes[i], true);
}

static void overlapping_grants_of_two_agreements_are_a_doubt(void **state)
{
	struct config_errors *errors;
	struct config *config;

	config_write(*state, NULL, NULL, NULL);
	folder_write(*state, "agreements.d/second.conf",
		     "agreement: { id = \"again\"; title = \"t\"; purpose = \"p\"; gateway = \"g\";\n"
		     "valid_from = \"2026-06-01\"; valid_to = \"2028-01-01\";\n" PARTIES
			     DELIVER(TO_DUTY) "};\n");
	config = config_try(*state, &errors);
	assert_non_null(config);
	assert_true(config_told(*state, errors,
			     "agreements.d/second.conf:1: desk/duty gets prison.released under again "
			     "as well as under gate in the same time",
			     true));
	config_free(&config);
	config_errors_free(&errors);
}

static void the_rules_say_what_the_files_say(void **state)
{
	struct config *config;
	const struct rules_deliver_grant *grants;
	const struct rules *rules;
	uint8_t inside[16] = { [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 9 };
	uint8_t outside[16] = { [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 3, [15] = 9 };
	uint32_t prison, type;
	int64_t begin, end;

	config_write(*state, NULL,
		  "agencies: ( { id = \"prison\"; name = \"P\"; rate_per_s = 50;\n"
		  "addresses = [ \"192.0.2.0/24\", \"2001:db8::/32\" ];\n"
		  "keys = ( { label = \"a\"; public = \"" KEY_A
		  "\"; from = \"2026-07-01\"; to = \"2036-01-01\"; } ); },\n"
		  "{ id = \"desk\"; name = \"D\"; keys = ( { label = \"b\"; public = \"" KEY_B "\"; } );\n"
		  "mailboxes = ( { box = \"duty\"; max_attempts = 3; retry_ms = 10; retry_max_ms = 20;\n"
		  "max_queued = 7; }, { box = \"boss\"; } ); } );\n",
		  AGREEMENT(DELIVER(TO_DUTY "ack_within_s = 600; fallback = \"desk/boss\";")));
	config = config_must_load(*state);
	rules = config->rules;
	prison = (uint32_t)rules_find_agency(rules, "prison");
	type = (uint32_t)rules_find_type(rules, "prison.released");
	assert_int_equal(rules->agencies[prison].rate_per_s, 50);
	assert_int_equal(rules->agencies[prison].burst, 100);
	assert_true(rules_address_allowed(&rules->agencies[prison], inside));
	assert_false(rules_address_allowed(&rules->agencies[prison], outside));
	/* Midnight of the first of July in London is 23:00 UTC: summer time. */
	assert_int_equal(instant_parse("2026-06-30T23:00:00Z", &begin), TTG_OK);
	assert_int_equal(instant_parse("2036-01-01T00:00:00Z", &end), TTG_OK);
	assert_true(rules_key_valid(&rules->agencies[prison].keys[0], begin));
	assert_false(rules_key_valid(&rules->agencies[prison].keys[0], begin - 1));
	assert_false(rules_key_valid(&rules->agencies[prison].keys[0], end));
	assert_true(rules_may_publish(rules, type, prison, config_now_ns()));
	assert_int_equal(rules_deliveries(rules, type, prison, &grants), 1);
	assert_string_equal(rules->mailboxes[grants[0].mailbox].id, "desk/duty");
	assert_string_equal(rules->mailboxes[grants[0].fallback].id, "desk/boss");
	assert_int_equal(grants[0].ack_within_s, 600);
	assert_int_equal(rules->mailboxes[grants[0].mailbox].max_attempts, 3);
	assert_int_equal(rules->mailboxes[grants[0].mailbox].retry_max_ms, 20);
	assert_int_equal(rules->mailboxes[grants[0].mailbox].max_queued, 7);
	config_free(&config);
}

/* The condition of what desk/duty gets of this type from the prison; NULL: none. */
static const struct condition *condition_of(const struct rules *rules, const char *type)
{
	const struct rules_deliver_grant *grant = NULL;

	assert_int_equal(rules_deliveries(rules, (uint32_t)rules_find_type(rules, type),
					  (uint32_t)rules_find_agency(rules, "prison"), &grant),
			 1);
	return grant->condition > 0 ? &rules->conditions[grant->condition - 1] : NULL;
}

#define THREE_GROUPS                                                                               \
	"deliver = ( { mailbox = \"desk/duty\"; from = [ \"prison\" ];\n"                           \
	"types = [ \"prison.released\", \"prison.weather\" ];\n"                                    \
	"when = { enrolled = \"other/-pilot-\"; window_days = 365; referral = true;\n"              \
	"risk_at_most = \"medium\"; custody = \"in\"; areas = [ \"W06000015\", " ONE_AREA " ]; }; },\n" \
	"{ mailbox = \"desk/duty\"; from = [ \"prison\" ]; types = [ \"prison.reception\" ];\n"     \
	"when = { risk_at_most = \"very-high\"; custody = \"out\"; }; },\n"                         \
	"{ mailbox = \"desk/duty\"; from = [ \"prison\" ]; types = [ \"prison.absence\" ]; } );\n"

static void a_when_becomes_the_condition_of_every_grant_of_its_group(void **state)
{
	struct config *config;
	const struct condition *all, *some;
	const struct rules *rules;
	char text[CONDITION_TEXT_MAX];

	config_write(*state, NULL, NULL,
		     AGREEMENT("future_types = [ \"prison.weather\" ];\n" THREE_GROUPS));
	config = config_must_load(*state);
	rules = config->rules;
	assert_int_equal(rules->n_conditions, 2);
	all = condition_of(rules, "prison.released");
	assert_ptr_equal(condition_of(rules, "prison.weather"), all);
	assert_string_equal(all->scheme, "other/-pilot-"); /* not a party, and as events may name it */
	assert_int_equal(all->window_days, 365);
	assert_true(all->referral);
	assert_int_equal(all->risk_at_most, TTG__RISK_LEVEL__RISK_LEVEL_MEDIUM);
	assert_int_equal(all->custody, CONDITION_CUSTODY_IN);
	assert_int_equal(all->n_areas, 2);
	condition_text(all, text);
	assert_string_equal(text, "enrolled=other/-pilot- window_days=365 referral risk_at_most=medium "
				  "custody=in area=E06000031 area=W06000015");
	some = condition_of(rules, "prison.reception");
	assert_string_equal(some->scheme, "");
	assert_int_equal(some->window_days, 0);
	assert_false(some->referral);
	assert_int_equal(some->risk_at_most, TTG__RISK_LEVEL__RISK_LEVEL_VERY_HIGH);
	assert_int_equal(some->custody, CONDITION_CUSTODY_OUT);
	assert_int_equal(some->n_areas, 0);
	assert_null(condition_of(rules, "prison.absence"));
	config_free(&config);
}

#define SECOND(id, dates, deliver)                                                                  \
	"agreement: { id = \"" id "\"; title = \"t\"; purpose = \"p\"; gateway = \"g\";\n" dates "\n" \
	PARTIES DELIVER(deliver) "};\n"
#define ALL_YEAR  "valid_from = \"2026-01-01\"; valid_to = \"2027-01-01\";"
#define THIS_YEAR "valid_from = \"2026-01-01\"; valid_to = \"2026-11-21\";"

static void a_limit_that_another_agreement_takes_away_is_a_doubt(void **state)
{
	static const char line[] = "agreements.d/all.conf:1: desk/duty gets prison.released under open "
				   "whole and of everybody, the when of gate withholds nothing";
	static const struct {
		const char *limited, *open;
		bool doubted;
	} cases[] = {
		{ WHEN("referral = true;"), SECOND("open", ALL_YEAR, TO_DUTY), true },
		{ WHEN("referral = true;"), SECOND("open", ALL_YEAR, TO_DUTY "fields = [ \"area\" ];"),
		  false },
		{ WHEN("referral = true;"), SECOND("open", ALL_YEAR, TO_DUTY "when = { custody = \"in\"; };"),
		  false },
		{ WHEN("referral = true;"), SECOND("open", ALL_YEAR "marking = \"official\";", TO_DUTY),
		  false },
		{ WHEN("referral = true;"), SECOND("open", THIS_YEAR, TO_DUTY), false },
		{ AGREEMENT(DELIVER(TO_DUTY)), SECOND("open", ALL_YEAR, TO_DUTY), false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_errors *errors;
		struct config *config;

		config_write(*state, NULL, NULL, cases[i].limited);
		folder_write(*state, "agreements.d/second.conf", cases[i].open);
		config = config_try(*state, &errors);
		assert_non_null(config);
		assert_int_equal(config_told(*state, errors, line, true), cases[i].doubted);
		config_free(&config);
		config_errors_free(&errors);
	}
}

static void whose_word_on_numbers_counts_is_said_of_each_agency(void **state)
{
	struct config *config;

	config_write(*state, NULL,
		     "agencies: ( { id = \"a\"; name = \"A\"; links = true; },\n"
		     "{ id = \"b\"; name = \"B\"; } );\n",
		     "");
	config = config_must_load(*state);
	assert_true(config->rules->agencies[0].links);
	assert_false(config->rules->agencies[1].links);
	config_free(&config);
	config_write(*state, NULL, "agency: { id = \"a\"; name = \"A\"; links = 1; };\n", "");
	must_not_load(*state,
		      "agencies.d/all.conf:1: agency.links is a whole number, must be true or false");
}

static void who_may_ask_what_became_of_events_is_said_of_each_agency(void **state)
{
	struct config *config;

	config_write(*state, NULL,
		     "agencies: ( { id = \"a\"; name = \"A\"; asks_states = true; },\n"
		     "{ id = \"b\"; name = \"B\"; } );\n",
		     "");
	config = config_must_load(*state);
	assert_true(config->rules->agencies[0].asks_states);
	assert_false(config->rules->agencies[1].asks_states);
	config_free(&config);
}

static void an_agreement_may_name_types_of_the_future(void **state)
{
	struct config *config;

	config_write(*state, NULL, NULL,
		  AGREEMENT_HEAD PARTIES
		  "future_types = [ \"prison.weather\" ];\n"
		  "publish = ( { agency = \"prison\"; types = [ \"prison.weather\" ]; } );\n"
		  "deliver = ( { mailbox = \"desk/duty\"; from = [ \"prison\" ];\n"
		  "types = [ \"prison.weather\" ]; } ); };\n");
	config = config_must_load(*state);
	assert_true(rules_find_type(config->rules, "prison.weather") >= 0);
	config_free(&config);
}

static void what_a_mailbox_says_of_keeping_goes_before_its_agreement(void **state)
{
	struct config *config;
	const struct rules *rules;

	config_write(*state,
		     "listen = { endpoint = \"tcp://127.0.0.1:5700\"; };\n"
		     "keys = { directory = \"keys\"; master_file = \"master\"; lapse_hold_s = 7; };\n",
		     NULL,
		     AGREEMENT("retain_days = 400;\n"
			       DELIVER(TO_DUTY "retain_days = 30; },\n{ mailbox = \"desk/boss\"; "
				       "from = [ \"prison\" ]; types = [ \"prison.released\" ];")));
	config = config_must_load(*state);
	rules = config->rules;
	assert_int_equal(config->keys_lapse_hold_s, 7);
	assert_int_equal(rules->agreements[0].retain_s, 400 * 86400);
	assert_int_equal(rules->n_deliver, 2);
	assert_string_equal(rules->mailboxes[rules->deliver[0].mailbox].id, "desk/boss");
	assert_int_equal(rules->deliver[0].retain_s, 400 * 86400);
	assert_int_equal(rules->deliver[1].retain_s, 30 * 86400);
	config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(mistakes_of_agencies_are_told),
		CONFIG_TEST(mistakes_of_fields_are_told),
		CONFIG_TEST(mistakes_of_agreements_are_told),
		CONFIG_TEST(mistakes_of_grants_to_receive_are_told),
		CONFIG_TEST(mistakes_of_conditions_are_told),
		CONFIG_TEST(mistakes_of_areas_are_told),
		CONFIG_TEST(areas_are_sorted_and_at_most_thirty_two),
		CONFIG_TEST(doubts_are_warnings),
		CONFIG_TEST(overlapping_grants_of_two_agreements_are_a_doubt),
		CONFIG_TEST(the_rules_say_what_the_files_say),
		CONFIG_TEST(a_when_becomes_the_condition_of_every_grant_of_its_group),
		CONFIG_TEST(a_limit_that_another_agreement_takes_away_is_a_doubt),
		CONFIG_TEST(whose_word_on_numbers_counts_is_said_of_each_agency),
		CONFIG_TEST(who_may_ask_what_became_of_events_is_said_of_each_agency),
		CONFIG_TEST(an_agreement_may_name_types_of_the_future),
		CONFIG_TEST(what_a_mailbox_says_of_keeping_goes_before_its_agreement),
	};

	return cmocka_run_group_tests_name("config rules", tests, NULL, NULL);
}
