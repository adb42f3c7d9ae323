/* Masks: names become shares, every wrong name is told apart, and what means the same reads the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/mask.h"
#include "core/redact.h"

static struct mask *mask_of(const char *type)
{
	struct mask *mask = mask_new(ttg_type_find(type));

	assert_non_null(mask);
	return mask;
}

static void must_read(const struct mask *mask, const char *wanted)
{
	char text[512];

	assert_int_equal(mask_text(mask, text, sizeof(text)), strlen(wanted));
	assert_string_equal(text, wanted);
}

static void names_become_one_spelling_whatever_their_order(void **state)
{
	struct mask *one = mask_of("referral.sent"), *two = mask_of("referral.sent");

	(void)state;
	assert_int_equal(mask_add(one, "contact.telephone"), MASK_ADDED);
	assert_int_equal(mask_add(one, "ask"), MASK_ADDED);
	assert_int_equal(mask_add_envelope(one, "recorded_at"), MASK_ADDED);
	assert_int_equal(mask_add_kind(one, (unsigned)mask_kind("CRN")), MASK_ADDED);
	assert_int_equal(mask_add_kind(one, (unsigned)mask_kind("NOMS")), MASK_ADDED);
	assert_int_equal(mask_add_kind(two, (unsigned)mask_kind("NOMS")), MASK_ADDED);
	assert_int_equal(mask_add_kind(two, (unsigned)mask_kind("CRN")), MASK_ADDED);
	assert_int_equal(mask_add_envelope(two, "recorded_at"), MASK_ADDED);
	assert_int_equal(mask_add(two, "ask"), MASK_ADDED);
	assert_int_equal(mask_add(two, "contact.telephone"), MASK_ADDED);
	must_read(one, "ask,contact.telephone;recorded_at;NOMS,CRN");
	must_read(two, "ask,contact.telephone;recorded_at;NOMS,CRN");
	mask_free(&one);
	mask_free(&two);
	assert_null(one);
}

static void a_whole_field_covers_its_parts_and_a_person_his_numbers(void **state)
{
	struct mask *mask = mask_of("referral.sent");

	(void)state;
	assert_int_equal(mask_add(mask, "contact.telephone"), MASK_ADDED);
	assert_int_equal(mask_add(mask, "contact"), MASK_ADDED);
	assert_int_equal(mask_add(mask, "contact.email"), MASK_ALREADY);
	assert_int_equal(mask_add(mask, "contact"), MASK_ALREADY);
	assert_int_equal(mask_add_kind(mask, (unsigned)mask_kind("PNC")), MASK_ADDED);
	assert_int_equal(mask_add_kind(mask, (unsigned)mask_kind("PNC")), MASK_ALREADY);
	must_read(mask, "contact;;PNC");
	assert_int_equal(mask_add_envelope(mask, "person"), MASK_ADDED);
	assert_int_equal(mask_add_kind(mask, (unsigned)mask_kind("CRN")), MASK_ALREADY);
	must_read(mask, "contact;person;");
	mask_free(&mask);
}

static void names_that_are_none_are_told_apart(void **state)
{
	struct mask *mask = mask_of("referral.sent");

	(void)state;
	assert_int_equal(mask_add(mask, "provider"), MASK_NO_FIELD);
	assert_int_equal(mask_add(mask, ""), MASK_NO_FIELD);
	assert_int_equal(mask_add(mask, "."), MASK_NO_FIELD);
	assert_int_equal(mask_add(mask, "contact."), MASK_NO_FIELD);
	assert_int_equal(mask_add(mask, "contact..email"), MASK_NO_FIELD);
	assert_int_equal(mask_add(mask, "contact.number"), MASK_NO_FIELD);
	assert_int_equal(mask_add(mask, "ask.text"), MASK_NO_PARTS);
	assert_int_equal(mask_add_envelope(mask, "referral_sent"), MASK_NO_FIELD);
	assert_int_equal(mask_add_envelope(mask, "referral_sent.ask"), MASK_NO_FIELD);
	assert_int_equal(mask_add_envelope(mask, "nonce"), MASK_NEVER);
	assert_int_equal(mask_add_envelope(mask, "id"), MASK_ALREADY);
	assert_int_equal(mask_kind("NHS"), -1);
	assert_int_equal(mask_kind("IDENTIFIER_KIND_UNSPECIFIED"), -1);
	mask_free(&mask);
}

static void a_union_grants_what_either_does(void **state)
{
	struct mask *a = mask_of("referral.sent"), *b = mask_of("referral.sent"), *both;

	(void)state;
	mask_add(a, "contact.telephone");
	mask_add(a, "referrer");
	mask_add_kind(a, (unsigned)mask_kind("CRN"));
	mask_add(b, "contact.email");
	mask_add(b, "referrer.name");
	mask_add_envelope(b, "person.identifiers.value");
	both = mask_union(a, b);
	assert_non_null(both);
	must_read(both, "contact.telephone,contact.email,referrer;person.identifiers.value;CRN");
	mask_free(&a);
	mask_free(&b);
	mask_free(&both);
}

/* Places in the tree of a message that could be granted in part, itself included. */
static size_t parts_of(const ProtobufCMessageDescriptor *message, int depth)
{
	size_t n = 1;

	assert_true(depth < MASK_DEPTH_MAX);
	for (unsigned i = 0; i < message->n_fields; i++) {
		if (message->fields[i].type == PROTOBUF_C_TYPE_MESSAGE &&
		    !(message->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			n += parts_of(message->fields[i].descriptor, depth + 1);
	}
	return n;
}

/* Or a union of two masks that loaded could have no room, while the daemon runs. */
static void a_mask_has_room_for_every_part_of_any_type(void **state)
{
	const size_t envelope = parts_of(&ttg__event__descriptor, 0);
	size_t most = 0;

	(void)state;
	for (size_t i = 0; i < ttg_type_count(); i++) {
		const size_t n = parts_of(ttg_type_descriptor(i), 1);

		most = n > most ? n : most;
	}
	print_message("%zu parts at most, of %zu\n", envelope + most, (size_t)MASK_NODES_MAX);
	assert_true(envelope + most <= (size_t)MASK_NODES_MAX);
}

static void a_cut_event_is_never_longer_and_bad_bytes_give_nothing(void **state)
{
	/* An Event whose referral has a contact of 200 bytes, of which nothing is granted. */
	uint8_t event[256] = { 0xa2, 0x1f, 0xcb, 0x01, 0x3a, 0xc8, 0x01, 0x12, 0xc5, 0x01 }, out[256];
	struct mask *mask = mask_of("referral.sent");
	size_t len = 99;

	(void)state;
	assert_int_equal(mask_add(mask, "contact.email"), MASK_ADDED);
	assert_true(redact(mask, (struct span){ event, 207 }, out, &len));
	assert_int_equal(len, 3); /* the payload, empty: it says what kind of event it is */
	assert_int_equal(mask_add(mask, "contact.telephone"), MASK_ADDED);
	assert_true(redact(mask, (struct span){ event, 207 }, out, &len));
	assert_int_equal(len, 207);
	assert_memory_equal(out, event, 207);
	assert_false(redact(mask, (struct span){ event, 206 }, out, &len));
	mask_free(&mask);
}

static void a_nonce_is_never_in_a_part(void **state)
{
	uint8_t nonce[16] = "QQNONCEQQNONCEQ", bytes[256], out[256];
	const ProtobufCMessageDescriptor *envelope = &ttg__event__descriptor;
	struct mask *mask = mask_of("referral.sent");
	Ttg__ReferralSent referral = TTG__REFERRAL_SENT__INIT;
	Ttg__Event event = TTG__EVENT__INIT;
	char ask[] = "please";
	size_t len = 0;

	(void)state;
	/* All that an agreement can name. */
	for (unsigned i = 0; i < envelope->n_fields; i++)
		mask_add_envelope(mask, envelope->fields[i].name);
	assert_int_equal(mask_add(mask, "ask"), MASK_ADDED);
	referral.ask = ask;
	event.payload_case = TTG__EVENT__PAYLOAD_REFERRAL_SENT;
	event.referral_sent = &referral;
	event.nonce = (ProtobufCBinaryData){ sizeof(nonce), nonce };
	const size_t n = ttg__event__pack(&event, bytes);
	assert_non_null(memmem(bytes, n, nonce, sizeof(nonce)));
	assert_true(redact(mask, (struct span){ bytes, n }, out, &len));
	assert_non_null(memmem(out, len, "please", 6));
	assert_null(memmem(out, len, nonce, 4));
	mask_free(&mask);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_one_spelling_whatever_their_order),
		cmocka_unit_test(a_whole_field_covers_its_parts_and_a_person_his_numbers),
		cmocka_unit_test(names_that_are_none_are_told_apart),
		cmocka_unit_test(a_union_grants_what_either_does),
		cmocka_unit_test(a_mask_has_room_for_every_part_of_any_type),
		cmocka_unit_test(a_cut_event_is_never_longer_and_bad_bytes_give_nothing),
		cmocka_unit_test(a_nonce_is_never_in_a_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
