/* Publishing: each refusal with its code, duplicates, routing. */
#include "support/core_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(struct play *play, const struct play_event *event, enum ttg_error code,
		   const char *text)
{
	struct core_outcome outcome = play_publish(play, event);

	assert_int_equal(outcome.kind, CORE_REFUSED);
	if (outcome.code != code || !strstr(outcome.text, text))
		fail_msg("code %d, text %s", (int)outcome.code, outcome.text);
}

static void what_is_not_an_event_is_malformed(void **state)
{
	struct play *play = play_new(8, 100);
	struct core_outcome outcome;
	uint8_t *large = calloc(1, 70000);

	(void)state;
	core_publish(play->core, &play->now, "prison", (const uint8_t *)"\x0f\xff", 2, &outcome);
	assert_int_equal(outcome.code, TTG_REFUSED_MALFORMED);
	core_publish(play->core, &play->now, "prison", large, 65537, &outcome);
	assert_int_equal(outcome.code, TTG_REFUSED_TOO_LARGE);
	core_publish(play->core, &play->now, "prison", large, 0, &outcome);
	assert_int_equal(outcome.code, TTG_REFUSED_FIELD);
	free(large);
	play_free(&play);
}

static void an_event_says_who_what_and_about_what(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;
	char other[] = "police", type[] = "police.arrest", unknown[] = "no.such_type";

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	event.id[8] = 0;
	expect(play, &event, TTG_REFUSED_FIELD, "id");
	play_event(play, &event, TYPE_RELEASED, 1);
	event.event.id.len = 15;
	expect(play, &event, TTG_REFUSED_FIELD, "id");
	play_event(play, &event, TYPE_RELEASED, 1);
	event.event.type = type;
	expect(play, &event, TTG_REFUSED_MALFORMED, "payload");
	event.event.type = unknown;
	event.event.payload_case = TTG__EVENT__PAYLOAD__NOT_SET;
	expect(play, &event, TTG_REFUSED_TYPE_UNKNOWN, "type");
	play_event(play, &event, TYPE_ARREST, 1);
	event.event.source = other;
	other[0] = 'P';
	expect(play, &event, TTG_REFUSED_FIELD, "source");
	play_free(&play);
}

static void a_forged_source_or_an_unagreed_type_is_refused(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;
	struct core_outcome outcome;
	char prison[] = "prison";
	uint8_t bytes[512];

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	core_publish(play->core, &play->now, "police", bytes,
		     ttg__event__pack(&event.event, bytes), &outcome);
	assert_int_equal(outcome.code, TTG_REFUSED_SOURCE);
	play_event(play, &event, TYPE_ARREST, 1);
	event.event.source = prison;
	expect(play, &event, TTG_REFUSED_NOT_AGREED, "no agreement");
	play_free(&play);
}

static void only_the_broker_speaks_for_the_broker(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;
	Ttg__BrokerLaneParked parked = TTG__BROKER_LANE_PARKED__INIT;
	char type[] = "broker.lane_parked";

	(void)state;
	play_grant_publish(play->rules, TYPE_PARKED, PLAY_PRISON);
	assert_true(rules_finish(play->rules));
	play_event(play, &event, TYPE_RELEASED, 1);
	event.event.type = type;
	event.event.payload_case = TTG__EVENT__PAYLOAD_BROKER_LANE_PARKED;
	event.event.broker_lane_parked = &parked;
	expect(play, &event, TTG_REFUSED_NOT_AGREED, "only the broker");
	play_free(&play);
}

static void a_type_of_the_future_passes_with_all_its_bytes(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;
	char type[] = "future.thing";

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	event.event.type = type;
	event.event.payload_case = TTG__EVENT__PAYLOAD__NOT_SET;
	assert_int_equal(play_publish(play, &event).kind, CORE_ACCEPTED);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 1);
	play_free(&play);
}

static void strings_are_bounded_clean_and_of_their_kind(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;
	char bad[] = "a\x01z", utf8[] = "\xc3\x28", code[] = "no spaces", agency[] = "Charity";
	char date[] = "2026-02-30", nul[] = "ok";
	char *huge = malloc(5000);
	uint8_t bytes[512];
	size_t len;
	struct core_outcome outcome;

	(void)state;
	memset(huge, 'x', 4999);
	huge[4999] = 0;
	play_event(play, &event, TYPE_REFERRAL, 1);
	event.referral.ask = bad;
	expect(play, &event, TTG_REFUSED_FIELD, "referral_sent.ask");
	event.referral.ask = utf8;
	expect(play, &event, TTG_REFUSED_FIELD, "referral_sent.ask");
	event.referral.ask = huge;
	expect(play, &event, TTG_REFUSED_FIELD, "referral_sent.ask");
	event.referral.ask = nul;
	event.referral.service_code = code;
	expect(play, &event, TTG_REFUSED_FIELD, "service_code");
	event.referral.service_code = nul;
	event.referral.wanted_by_date = date;
	expect(play, &event, TTG_REFUSED_FIELD, "wanted_by_date");
	strcpy(date, "2026-02-28");
	event.referral.referrer_agency = agency;
	expect(play, &event, TTG_REFUSED_FIELD, "referrer_agency");
	event.referral.referrer_agency = nul;
	/* A NUL in the middle would hide what follows from C programs. */
	len = ttg__event__pack(&event.event, bytes);
	for (size_t i = 0; i + 2 < len; i++) {
		if (bytes[i] == 2 && memcmp(bytes + i + 1, "ok", 2) == 0)
			bytes[i + 1] = 0;
	}
	core_publish(play->core, &play->now, "oneservice", bytes, len, &outcome);
	assert_int_equal(outcome.code, TTG_REFUSED_FIELD);
	free(huge);
	play_free(&play);
}

static void times_must_be_sane(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;
	Ttg__Time planned = TTG__TIME__INIT;

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	event.event.occurred_at = NULL;
	expect(play, &event, TTG_REFUSED_FIELD, "occurred_at");
	event.event.occurred_at = &event.occurred;
	event.occurred.unix_ns = play->now.real_ns + 301 * PLAY_SECOND;
	expect(play, &event, TTG_REFUSED_TIME, "occurred_at");
	event.occurred.unix_ns = -INT64_C(3000000000) * PLAY_SECOND;
	expect(play, &event, TTG_REFUSED_TIME, "occurred_at");
	event.occurred.unix_ns = play->now.real_ns + 299 * PLAY_SECOND;
	event.expires.unix_ns = play->now.real_ns;
	event.event.expires_at = &event.expires;
	expect(play, &event, TTG_REFUSED_EXPIRED, "expires_at");
	play_event(play, &event, TYPE_REFERRAL, 1);
	planned.unix_ns = INT64_C(8000000000) * PLAY_SECOND;
	event.referral.answer_by_at = &planned;
	expect(play, &event, TTG_REFUSED_TIME, "answer_by_at");
	planned.unix_ns = play->now.real_ns + 86400 * PLAY_SECOND;
	assert_int_equal(play_publish(play, &event).kind, CORE_ACCEPTED);
	play_free(&play);
}

static void a_lie_about_an_identifier_is_refused_and_an_error_is_not(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;
	char canonical[] = "A9999BC";

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	event.identifier.canonical = canonical;
	expect(play, &event, TTG_REFUSED_IDENTIFIER, "person.identifiers[0].canonical");
	play_event(play, &event, TYPE_RELEASED, 1);
	strcpy(event.noms, "wrong");
	event.identifier.validity = TTG__VALIDITY__VALID;
	expect(play, &event, TTG_REFUSED_IDENTIFIER, "validity");
	event.identifier.validity = TTG__VALIDITY__INVALID_FORM;
	assert_int_equal(play_publish(play, &event).kind, CORE_ACCEPTED);
	play_event(play, &event, TYPE_RELEASED, 1);
	event.noms[0] = 0;
	expect(play, &event, TTG_REFUSED_FIELD, "value");
	play_free(&play);
}

static void an_event_said_twice_is_a_duplicate_and_a_reused_id_is_not(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;
	struct core_outcome first, second;

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	first = play_publish(play, &event);
	second = play_publish(play, &event);
	assert_int_equal(second.kind, CORE_DUPLICATE);
	assert_true(second.sequence == first.sequence && second.release_at == first.sequence);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 1);
	event.event.marking = TTG__MARKING__OFFICIAL;
	expect(play, &event, TTG_REFUSED_ID_REUSED, "id");
	play_restart(play, play->n_records, NULL, 0);
	event.event.marking = TTG__MARKING__MARKING_UNSPECIFIED;
	assert_int_equal(play_publish(play, &event).kind, CORE_DUPLICATE);
	/* Retained away: the fingerprint alone decides. */
	free(play->records[first.sequence - 1].data);
	play->records[first.sequence - 1].data = NULL;
	assert_int_equal(play_publish(play, &event).kind, CORE_DUPLICATE);
	play_free(&play);
}

static void an_addressed_event_reaches_whom_it_names_or_is_refused(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;

	(void)state;
	play_event(play, &event, TYPE_REFERRAL, 1);
	assert_int_equal(play_publish(play, &event).kind, CORE_ACCEPTED);
	assert_int_equal(play_view(play, BOX_CHARITY).queued, 1);
	play_event(play, &event, TYPE_REFERRAL, 1);
	strcpy(event.provider, "police");
	expect(play, &event, TTG_REFUSED_RECIPIENT, "provider_agency names an unlisted recipient");
	event.provider[0] = 0;
	expect(play, &event, TTG_REFUSED_RECIPIENT, "no recipient");
	play_free(&play);
}

static void one_mailbox_gets_an_event_once_whatever_many_agreements_say_so(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_grant(play->rules, TYPE_RELEASED, PLAY_PRISON, BOX_ONESERVICE, AGREED_LIMITED);
	assert_true(rules_finish(play->rules));
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_say(play, TYPE_RELEASED, 1);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 1);
	assert_int_equal(play->deliveries[0].n_agreements, 2);
	play_free(&play);
}

static void a_full_mailbox_makes_publishers_wait(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;

	(void)state;
	play->rules->mailboxes[BOX_ONESERVICE].max_queued = 2;
	play_say(play, TYPE_RELEASED, 1);
	play_say(play, TYPE_RELEASED, 1);
	play_event(play, &event, TYPE_RELEASED, 1);
	expect(play, &event, TTG_REFUSED_BUSY, "full");
	play_free(&play);
}

static void the_same_person_has_the_same_key_and_others_another(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_say(play, TYPE_RELEASED, 1);
	play_say(play, TYPE_ARREST, 1);
	play_say(play, TYPE_RELEASED, 2);
	play_say(play, TYPE_RELEASED, 0);
	play_settle(play);
	assert_memory_equal(play->deliveries[0].person, play->deliveries[1].person, 16);
	assert_memory_not_equal(play->deliveries[0].person, play->deliveries[2].person, 16);
	assert_false(play->deliveries[3].has_person);
	play_free(&play);
}

/* Depth of the deepest message below, or -1 when one contains itself. */
static int depth_of(const ProtobufCMessageDescriptor *it, int left)
{
	int deepest = 0;

	if (left == 0)
		return -1;
	for (unsigned int i = 0; i < it->n_fields; i++) {
		int depth;

		if (it->fields[i].type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		depth = depth_of(it->fields[i].descriptor, left - 1);
		if (depth < 0)
			return -1;
		deepest = depth + 1 > deepest ? depth + 1 : deepest;
	}
	return deepest;
}

static void no_message_of_the_catalogue_contains_itself(void **state)
{
	(void)state;
	/* The decoder recurses as deep as the catalogue does; this bounds it. */
	assert_true(depth_of(&ttg__event__descriptor, 11) > 0);
}

/* Any bytes: nothing but an outcome may come of them. */
static void random_bytes_and_damaged_events_do_no_harm(void **state)
{
	struct play *play = play_new(8, 100);
	const char *fixed = getenv("TTG_SEED");
	unsigned int seed = fixed ? (unsigned int)strtoul(fixed, NULL, 10) : 20261121u;
	struct play_event event;
	struct core_outcome outcome;
	uint8_t bytes[1024];

	(void)state;
	print_message("seed %u\n", seed);
	for (int i = 0; i < 20000; i++) {
		size_t len;

		play_event(play, &event, i % 2 ? TYPE_RELEASED : TYPE_REFERRAL, (unsigned int)i % 7);
		len = ttg__event__pack(&event.event, bytes);
		for (int k = 0; k < 1 + i % 4; k++)
			bytes[(size_t)rand_r(&seed) % len] = (uint8_t)rand_r(&seed);
		if (i % 5 == 0)
			len = (size_t)rand_r(&seed) % len;
		core_publish(play->core, &play->now, event.event.source, bytes, len, &outcome);
		assert_true(outcome.kind == CORE_REFUSED ? outcome.code >= 100 && outcome.text[0] :
							   outcome.sequence > 0);
	}
	play_free(&play);
}

/* The agreement is over, the clock goes back behind its end, and comes to it a second time. */
static void an_agreement_that_ends_twice_is_looked_at_twice(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play->now.real_ns = PLAY_NOW + 7200 * PLAY_SECOND;
	play_settle(play);
	play->now.real_ns = PLAY_NOW;
	play_say(play, TYPE_RELEASED, 1);
	play->now.real_ns = PLAY_NOW + 7200 * PLAY_SECOND;
	play_attach(play, BOX_POLICE, 1, 10);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 0);
	assert_int_equal(play_view(play, BOX_POLICE).stopped, 1);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_an_event_is_malformed),
		cmocka_unit_test(an_event_says_who_what_and_about_what),
		cmocka_unit_test(a_forged_source_or_an_unagreed_type_is_refused),
		cmocka_unit_test(only_the_broker_speaks_for_the_broker),
		cmocka_unit_test(a_type_of_the_future_passes_with_all_its_bytes),
		cmocka_unit_test(strings_are_bounded_clean_and_of_their_kind),
		cmocka_unit_test(times_must_be_sane),
		cmocka_unit_test(a_lie_about_an_identifier_is_refused_and_an_error_is_not),
		cmocka_unit_test(an_event_said_twice_is_a_duplicate_and_a_reused_id_is_not),
		cmocka_unit_test(an_addressed_event_reaches_whom_it_names_or_is_refused),
		cmocka_unit_test(one_mailbox_gets_an_event_once_whatever_many_agreements_say_so),
		cmocka_unit_test(a_full_mailbox_makes_publishers_wait),
		cmocka_unit_test(the_same_person_has_the_same_key_and_others_another),
		cmocka_unit_test(no_message_of_the_catalogue_contains_itself),
		cmocka_unit_test(random_bytes_and_damaged_events_do_no_harm),
		cmocka_unit_test(an_agreement_that_ends_twice_is_looked_at_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
