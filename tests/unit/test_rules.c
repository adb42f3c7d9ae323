/* Rules: look-ups, periods, keys and ranges, and a digest that names the meaning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/rules.h"
#include "support/config_case.h"

static void set_id(char *to, const char *id)
{
	strcpy(to, id);
}

/* Two agencies, two mailboxes, two agreements, two types; in the order asked for. */
static struct rules *sample(bool reversed)
{
	struct rules *rules = rules_new();
	uint32_t a = reversed ? 1 : 0, b = reversed ? 0 : 1;

	assert_non_null(rules);
	set_id(rules->broker, "broker");
	rules->agencies = calloc(2, sizeof(*rules->agencies));
	rules->n_agencies = 2;
	set_id(rules->agencies[a].id, "police");
	set_id(rules->agencies[b].id, "prison");
	rules->agencies[b].keys = calloc(2, sizeof(*rules->agencies[b].keys));
	rules->agencies[b].n_keys = 2;
	memset(rules->agencies[b].keys[a].public_z85, 'x', 40);
	memset(rules->agencies[b].keys[b].public_z85, 'y', 40);
	rules->agencies[b].keys[a].to_ns = 100;
	rules->agencies[b].keys[b].to_ns = 100;
	rules->mailboxes = calloc(2, sizeof(*rules->mailboxes));
	rules->n_mailboxes = 2;
	set_id(rules->mailboxes[a].id, "police/in");
	rules->mailboxes[a].agency = a;
	set_id(rules->mailboxes[b].id, "prison/in");
	rules->mailboxes[b].agency = b;
	rules->agreements = calloc(2, sizeof(*rules->agreements));
	rules->n_agreements = 2;
	set_id(rules->agreements[a].id, "always");
	rules->agreements[a].to_ns = RULES_FOREVER;
	set_id(rules->agreements[b].id, "limited");
	rules->agreements[b].from_ns = 10;
	rules->agreements[b].to_ns = 20;
	rules->types = calloc(2, sizeof(*rules->types));
	rules->n_types = 2;
	set_id(rules->types[a], "police.arrest");
	set_id(rules->types[b], "prison.released");
	rules->publish = calloc(2, sizeof(*rules->publish));
	rules->n_publish = 2;
	rules->publish[a] = (struct rules_publish_grant){ a, a, a };
	rules->publish[b] = (struct rules_publish_grant){ b, b, b };
	rules->deliver = calloc(3, sizeof(*rules->deliver));
	rules->n_deliver = 3;
	rules->deliver[a] = (struct rules_deliver_grant){ .type = b, .from = b, .mailbox = a,
							  .agreement = b, .fallback = RULES_NONE };
	rules->deliver[b] = (struct rules_deliver_grant){ .type = a, .from = a, .mailbox = b,
							  .agreement = a, .ack_within_s = 5,
							  .fallback = a };
	rules->deliver[2] = (struct rules_deliver_grant){ .type = b, .from = RULES_NONE,
							  .mailbox = b, .agreement = a,
							  .fallback = RULES_NONE };
	assert_true(rules_finish(rules));
	return rules;
}

static void the_order_of_the_input_changes_neither_indices_nor_digest(void **state)
{
	struct rules *left = sample(false), *right = sample(true);

	(void)state;
	assert_memory_equal(left->digest, right->digest, 32);
	assert_string_equal(right->agencies[0].id, "police");
	assert_string_equal(right->mailboxes[1].id, "prison/in");
	assert_int_equal(right->mailboxes[1].agency, 1);
	assert_int_equal(right->deliver[0].fallback, 0);
	assert_string_equal(right->types[right->publish[1].type], "prison.released");
	rules_free(&left);
	rules_free(&right);
	assert_null(left);
}

static void any_change_changes_the_digest(void **state)
{
	struct rules *left = sample(false), *right = sample(false);

	(void)state;
	right->agreements[0].to_ns = 99;
	assert_true(rules_finish(right));
	assert_memory_not_equal(left->digest, right->digest, 32);
	rules_free(&left);
	rules_free(&right);
}

static void who_may_ask_for_states_changes_the_digest(void **state)
{
	struct rules *plain = sample(false), *asking = sample(false);

	(void)state;
	asking->agencies[0].asks_states = true;
	assert_true(rules_finish(asking));
	assert_memory_not_equal(plain->digest, asking->digest, 32);
	rules_free(&plain);
	rules_free(&asking);
}

static void a_condition_and_whose_links_count_change_the_digest(void **state)
{
	struct rules *plain = sample(false), *linking = sample(false), *limited = sample(false);

	(void)state;
	linking->agencies[0].links = true;
	assert_true(rules_finish(linking));
	assert_memory_not_equal(plain->digest, linking->digest, 32);
	limited->conditions = calloc(1, sizeof(*limited->conditions));
	limited->n_conditions = 1;
	limited->conditions[0].referral = true;
	assert_true(rules_finish(limited)); /* of no grant so far */
	assert_memory_equal(plain->digest, limited->digest, 32);
	limited->deliver[0].condition = 1;
	assert_true(rules_finish(limited));
	assert_memory_not_equal(plain->digest, limited->digest, 32);
	rules_free(&plain);
	rules_free(&linking);
	rules_free(&limited);
}

static void empty_rules_deny_everything(void **state)
{
	struct rules *rules = rules_new();
	const struct rules_deliver_grant *first;
	const uint8_t address[16] = { 0 };
	uint32_t agency, key;

	(void)state;
	(void)address;
	assert_true(rules_finish(rules));
	assert_int_equal(rules_find_agency(rules, "prison"), -1);
	assert_int_equal(rules_find_type(rules, "prison.released"), -1);
	assert_false(rules_may_publish(rules, 0, 0, 1));
	assert_int_equal(rules_deliveries(rules, 0, 0, &first), 0);
	assert_false(config_may_deliver(rules, 0, 0, 0, 1));
	assert_false(rules_find_key(rules, "x", &agency, &key));
	rules_free(&rules);
}

static void a_grant_holds_from_its_first_instant_to_before_its_last(void **state)
{
	struct rules *rules = sample(true);
	uint32_t type = (uint32_t)rules_find_type(rules, "prison.released");
	uint32_t agency = (uint32_t)rules_find_agency(rules, "prison");
	uint32_t mailbox = (uint32_t)rules_find_mailbox(rules, "police/in");

	(void)state;
	assert_false(rules_may_publish(rules, type, agency, 9));
	assert_true(rules_may_publish(rules, type, agency, 10));
	assert_true(rules_may_publish(rules, type, agency, 19));
	assert_false(rules_may_publish(rules, type, agency, 20));
	assert_false(rules_may_publish(rules, type, 1 - agency, 15));
	assert_true(config_may_deliver(rules, type, agency, mailbox, 15));
	assert_false(config_may_deliver(rules, type, agency, mailbox, 20));
	assert_false(config_may_deliver(rules, type, agency, 1 - mailbox, 15));
	assert_false(config_may_deliver(rules, type, RULES_NONE, mailbox, 15));
	assert_true(config_may_deliver(rules, type, RULES_NONE, 1 - mailbox, 15));
	rules_free(&rules);
}

static void the_grants_of_a_type_are_one_slice_and_a_publishers_part_of_it(void **state)
{
	struct rules *rules = sample(false);
	const struct rules_deliver_grant *first;

	(void)state;
	assert_int_equal(rules_type_deliveries(rules, 1, &first), 2);
	assert_int_equal(rules_deliveries(rules, 1, 1, &first), 1);
	assert_int_equal(first->mailbox, 0);
	assert_int_equal(rules_deliveries(rules, 1, RULES_NONE, &first), 1);
	assert_int_equal(first->mailbox, 1);
	assert_int_equal(rules_deliveries(rules, 0, RULES_NONE, &first), 0);
	rules_free(&rules);
}

static void a_key_is_found_whether_valid_or_not(void **state)
{
	struct rules *rules = sample(true);
	char wanted[41] = "";
	uint32_t agency, key;

	(void)state;
	memset(wanted, 'y', 40);
	assert_true(rules_find_key(rules, wanted, &agency, &key));
	assert_string_equal(rules->agencies[agency].id, "prison");
	assert_true(rules_key_valid(&rules->agencies[agency].keys[key], 99));
	assert_false(rules_key_valid(&rules->agencies[agency].keys[key], 100));
	rules->agencies[agency].keys[key].revoked = true;
	assert_false(rules_key_valid(&rules->agencies[agency].keys[key], 99));
	rules_free(&rules);
}

static void ranges_compare_exactly_their_prefix_bits(void **state)
{
	struct rules_range range = { .address = { 0x20, 0x01, 0x0d, 0xb8 }, .prefix_bits = 29 };
	struct rules_agency agency = { .ranges = &range, .n_ranges = 1 };
	uint8_t inside[16] = { 0x20, 0x01, 0x0d, 0xbf, 1 };
	uint8_t outside[16] = { 0x20, 0x01, 0x0d, 0xc0, 1 };

	(void)state;
	assert_true(rules_address_allowed(&agency, inside));
	assert_false(rules_address_allowed(&agency, outside));
	range.prefix_bits = 128;
	assert_false(rules_address_allowed(&agency, inside));
	assert_true(rules_address_allowed(&agency, range.address));
	range.prefix_bits = 0;
	assert_true(rules_address_allowed(&agency, outside));
	agency.n_ranges = 0;
	range.prefix_bits = 128;
	assert_true(rules_address_allowed(&agency, outside));
}

static void hashes_match_published_vectors(void **state)
{
	/* FIPS 180-2 "abc"; RFC 4231 case 2; SipHash-2-4 paper, appendix A. */
	static const uint8_t abc[32] = {
		0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
		0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
		0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad
	};
	static const uint8_t mac_head[4] = { 0x5b, 0xdc, 0xc1, 0x46 };
	uint8_t key[16], data[15], out[32];
	struct digest *digest = digest_new();
	struct hmac *hmac = hmac_new((const uint8_t *)"Jefe", 4);

	(void)state;
	digest_add(digest, "abc", 3);
	assert_true(digest_end(digest, out));
	assert_memory_equal(out, abc, 32);
	digest_free(&digest);
	for (int round = 0; round < 2; round++) {
		assert_true(hmac_sum(hmac, "what do ya want for nothing?", 28, out));
		assert_memory_equal(out, mac_head, 4);
	}
	hmac_free(&hmac);
	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		data[i] = i;
	assert_true(siphash(key, data, sizeof(data)) == UINT64_C(0xa129ca6149be45e5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_the_input_changes_neither_indices_nor_digest),
		cmocka_unit_test(any_change_changes_the_digest),
		cmocka_unit_test(who_may_ask_for_states_changes_the_digest),
		cmocka_unit_test(a_condition_and_whose_links_count_change_the_digest),
		cmocka_unit_test(empty_rules_deny_everything),
		cmocka_unit_test(a_grant_holds_from_its_first_instant_to_before_its_last),
		cmocka_unit_test(the_grants_of_a_type_are_one_slice_and_a_publishers_part_of_it),
		cmocka_unit_test(a_key_is_found_whether_valid_or_not),
		cmocka_unit_test(ranges_compare_exactly_their_prefix_bits),
		cmocka_unit_test(hashes_match_published_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
