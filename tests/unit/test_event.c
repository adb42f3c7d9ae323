/* Events: type names from the catalogue, ids, completion of identifiers. */
#include "unit.h"

#include <string.h>
#include <ttg/event.h>

static void every_payload_of_the_catalogue_has_a_name_that_finds_it(void **state)
{
	size_t count = ttg_type_count();

	(void)state;
	assert_true(count >= 50);
	for (size_t i = 0; i < count; i++) {
		const char *name = ttg_type_name(i);

		assert_non_null(strchr(name, '.'));
		assert_int_equal(ttg_type_find(name), (int)i);
		assert_non_null(ttg_type_descriptor(i));
	}
	assert_null(ttg_type_name(count));
	assert_null(ttg_type_descriptor(count));
	assert_string_equal(ttg_type_name(0), "prison.reception");
	assert_int_equal(ttg_type_find("prison.release_scheduled"), 1);
	assert_ptr_equal(ttg_type_descriptor(1), &ttg__prison_release_scheduled__descriptor);
}

static void names_that_are_not_quite_types_are_not_found(void **state)
{
	static const char *const wrong[] = { "",
		                             "prison",
		                             "prison_released",
		                             "prison.nothing",
		                             "Prison.released",
		                             "id",
		                             "occurred.at",
		                             "prison.released ",
		                             "correlation.id",
		                             "prison_release.scheduled",
		                             "prison.release.scheduled",
		                             ".prison_released" };
	char long_name[200];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(ttg_type_find(wrong[i]), -1);
	memset(long_name, 'a', sizeof(long_name));
	long_name[7] = '.';
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(ttg_type_find(long_name), -1);
	assert_int_equal(ttg_type_find(NULL), -1);
}

static void the_type_of_an_event_is_that_of_its_payload(void **state)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__PoliceArrest arrest = TTG__POLICE_ARREST__INIT;

	(void)state;
	assert_int_equal(ttg_type_of(&event), -1);
	event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
	assert_int_equal(ttg_type_of(&event), -1); /* said to be there, but is not */
	event.police_arrest = &arrest;
	assert_int_equal(ttg_type_of(&event), ttg_type_find("police.arrest"));
	event.payload_case = (Ttg__Event__PayloadCase)9999;
	assert_int_equal(ttg_type_of(&event), -1);
	event.payload_case = (Ttg__Event__PayloadCase)1;
	assert_int_equal(ttg_type_of(&event), -1);
}

/* An event made by unpacking, as ttg_event_complete() wants it. */
static Ttg__Event *unpacked_event(const char *type, int kind, const char *value,
                                  const char *canonical, bool payload)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__PrisonReleased released = TTG__PRISON_RELEASED__INIT;
	Ttg__Person person = TTG__PERSON__INIT;
	Ttg__Identifier identifier = TTG__IDENTIFIER__INIT;
	Ttg__Identifier *identifiers[] = { &identifier };
	char type_text[64];
	char value_text[64];
	char canonical_text[64];
	uint8_t *bytes;
	size_t len;

	snprintf(type_text, sizeof(type_text), "%s", type);
	snprintf(value_text, sizeof(value_text), "%s", value);
	snprintf(canonical_text, sizeof(canonical_text), "%s", canonical);
	event.type = type_text;
	identifier.kind = (Ttg__IdentifierKind)kind;
	identifier.value = value_text;
	identifier.canonical = canonical_text;
	person.identifiers = identifiers;
	person.n_identifiers = 1;
	event.person = &person;
	if (payload) {
		event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RELEASED;
		event.prison_released = &released;
	}
	assert_int_equal(ttg_event_pack(&event, &bytes, &len), TTG_OK);
	assert_int_equal(len, ttg__event__get_packed_size(&event));
	Ttg__Event *out = ttg__event__unpack(NULL, len, bytes);
	assert_non_null(out);
	free(bytes);
	return out;
}

static void completing_fills_type_canonical_and_validity(void **state)
{
	Ttg__Event *event = unpacked_event("", TTG__IDENTIFIER_KIND__PNC, "02/73319z", "", true);

	(void)state;
	assert_int_equal(ttg_event_complete(event), TTG_OK);
	assert_string_equal(event->type, "prison.released");
	assert_string_equal(event->person->identifiers[0]->value, "02/73319z");
	assert_string_equal(event->person->identifiers[0]->canonical, "2002/0073319Z");
	assert_int_equal(event->person->identifiers[0]->validity, TTG__VALIDITY__VALID);
	/* Again changes nothing, and leaks nothing. */
	assert_int_equal(ttg_event_complete(event), TTG_OK);
	assert_string_equal(event->person->identifiers[0]->canonical, "2002/0073319Z");
	ttg__event__free_unpacked(event, NULL);
}

static void completing_corrects_a_wrong_claim_and_keeps_the_value(void **state)
{
	Ttg__Event *event = unpacked_event("prison.released", TTG__IDENTIFIER_KIND__PNC,
	                                   "02/73319A", "2002/0073319Z", true);

	(void)state;
	event->person->identifiers[0]->validity = TTG__VALIDITY__VALID;
	assert_int_equal(ttg_event_complete(event), TTG_OK);
	assert_string_equal(event->person->identifiers[0]->value, "02/73319A");
	assert_string_equal(event->person->identifiers[0]->canonical, "");
	assert_int_equal(event->person->identifiers[0]->validity, TTG__VALIDITY__INVALID_CHECK);
	ttg__event__free_unpacked(event, NULL);
}

static void a_type_of_a_newer_catalogue_is_left_alone(void **state)
{
	Ttg__Event *event = unpacked_event("prison.teleported", 99, "x", "", false);

	(void)state;
	assert_int_equal(ttg_event_complete(event), TTG_OK);
	assert_string_equal(event->type, "prison.teleported");
	assert_int_equal(event->person->identifiers[0]->validity,
	                 TTG__VALIDITY__VALIDITY_UNSPECIFIED);
	ttg__event__free_unpacked(event, NULL);
}

static void an_event_with_neither_payload_nor_type_cannot_be_completed(void **state)
{
	Ttg__Event *event = unpacked_event("", TTG__IDENTIFIER_KIND__NOMS, "A1234BC", "", false);

	(void)state;
	assert_int_equal(ttg_event_complete(event), TTG_EINVAL);
	ttg__event__free_unpacked(event, NULL);
}

static void new_ids_are_version_7_of_now_and_all_different(void **state)
{
	uint8_t ids[64][TTG_UUID_BYTES];

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		uint64_t ms = 0;

		assert_int_equal(ttg_uuid_new(ids[i]), TTG_OK);
		for (int byte = 0; byte < 6; byte++)
			ms = ms << 8 | ids[i][byte];
		assert_true(llabs((long long)ms / 1000 - (long long)time(NULL)) <= 2);
		assert_int_equal(ids[i][6] >> 4, 7);
		assert_int_equal(ids[i][8] >> 6, 2);
		for (size_t other = 0; other < i; other++)
			assert_memory_not_equal(ids[i], ids[other], TTG_UUID_BYTES);
	}
}

static void the_same_meaning_and_time_give_the_same_id(void **state)
{
	static const uint8_t empty_1970[TTG_UUID_BYTES] = {
		/* SHA-256 of nothing is e3b0c442 98fc1c14 9afbf4c8 996fb924 ... */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x7c, 0x14,
		0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24
	};
	uint8_t first[TTG_UUID_BYTES];
	uint8_t second[TTG_UUID_BYTES];

	(void)state;
	assert_int_equal(ttg_uuid_from_meaning(first, 1999999, "", 0), TTG_OK);
	assert_memory_equal(first, empty_1970, sizeof(first));
	assert_int_equal(ttg_uuid_from_meaning(first, 1728914940000000000, "abc", 3), TTG_OK);
	assert_int_equal(ttg_uuid_from_meaning(second, 1728914940000000000, "abc", 3), TTG_OK);
	assert_memory_equal(first, second, sizeof(first));
	assert_int_equal(ttg_uuid_from_meaning(second, 1728914940000000000, "abd", 3), TTG_OK);
	assert_memory_equal(first, second, 6);
	assert_memory_not_equal(first, second, sizeof(first));
	assert_int_equal(ttg_uuid_from_meaning(second, 1728914941000000000, "abc", 3), TTG_OK);
	assert_memory_not_equal(first, second, 6);
	assert_int_equal(ttg_uuid_from_meaning(second, -5, "abc", 3), TTG_OK);
	assert_int_equal(second[6] >> 4, 7);
}

static void ids_are_written_and_read_as_text(void **state)
{
	static const char *const wrong[] = { "",
		                             "00000000-0000-0000-0000-000000000000",
		                             "0192a5b8c3d47e5f8a9b0c1d2e3f4a5b",
		                             "0192a5b8-c3d4-7e5f-8a9b-0c1d2e3f4a5",
		                             "0192a5b8-c3d4-7e5f-8a9b-0c1d2e3f4a5bb",
		                             "0192a5b8-c3d4-7e5f-8a9b-0c1d2e3f4a5g",
		                             "0192a5b8_c3d4-7e5f-8a9b-0c1d2e3f4a5b",
		                             "0192a5b-8c3d4-7e5f-8a9b-0c1d2e3f4a5b",
		                             "{192a5b8-c3d4-7e5f-8a9b-0c1d2e3f4a5}" };
	uint64_t seed = unit_seed(__func__);
	uint8_t id[TTG_UUID_BYTES];
	uint8_t back[TTG_UUID_BYTES];
	char text[TTG_UUID_TEXT];

	(void)state;
	assert_int_equal(ttg_uuid_parse("0192A5B8-c3d4-7e5f-8a9b-0c1d2e3f4a5b", id), TTG_OK);
	ttg_uuid_format(id, text);
	assert_string_equal(text, "0192a5b8-c3d4-7e5f-8a9b-0c1d2e3f4a5b");
	for (int round = 0; round < 1000; round++) {
		for (size_t i = 0; i < sizeof(id); i++)
			id[i] = (uint8_t)unit_random(&seed);
		ttg_uuid_format(id, text);
		assert_int_equal(ttg_uuid_parse(text, back), TTG_OK);
		assert_memory_equal(id, back, sizeof(id));
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(ttg_uuid_parse(wrong[i], back), TTG_EFORMAT);
	assert_int_equal(ttg_uuid_parse(NULL, back), TTG_EFORMAT);
	assert_memory_equal(id, back, sizeof(id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_payload_of_the_catalogue_has_a_name_that_finds_it),
		cmocka_unit_test(names_that_are_not_quite_types_are_not_found),
		cmocka_unit_test(the_type_of_an_event_is_that_of_its_payload),
		cmocka_unit_test(completing_fills_type_canonical_and_validity),
		cmocka_unit_test(completing_corrects_a_wrong_claim_and_keeps_the_value),
		cmocka_unit_test(a_type_of_a_newer_catalogue_is_left_alone),
		cmocka_unit_test(an_event_with_neither_payload_nor_type_cannot_be_completed),
		cmocka_unit_test(new_ids_are_version_7_of_now_and_all_different),
		cmocka_unit_test(the_same_meaning_and_time_give_the_same_id),
		cmocka_unit_test(ids_are_written_and_read_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
