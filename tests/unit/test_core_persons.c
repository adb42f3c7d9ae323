/*
 * Who may be told what of whom: conditions of grants, links between numbers that come before, after or
 * not at all, contradictions and their decision, withdrawal; and that a restart changes none of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/persons.h"
#include "core/redelivery.h"
#include "support/core_play.h"
#include "unit.h"

#define MOST 64

static char texts[][40] = { "prison", "police", "oneservice", "prison.released", "police.arrest",
			    "service.enrolled", "service.withdrawn", "service.exited", "service.reengaged",
			    "probation.case_merged", "prison.reception", "pilot" };
enum { T_PRISON, T_POLICE, T_SERVICE, T_RELEASED, T_ARREST, T_ENROLLED, T_WITHDRAWN, T_EXITED, T_BACK,
       T_MERGED, T_RECEPTION, T_PILOT };

/* An event with up to three numbers. */
struct said {
	Ttg__Event event;
	Ttg__Time occurred;
	Ttg__Person person;
	Ttg__Identifier numbers[3], *list[3];
	char values[3][24];
	uint8_t id[16];
};

static Ttg__IdentifierKind kind_of(const char *number)
{
	if (strchr(number, '/'))
		return TTG__IDENTIFIER_KIND__PNC;
	return strlen(number) == 7 && number[1] >= '0' && number[1] <= '9' && number[6] >= 'A' ?
		       TTG__IDENTIFIER_KIND__NOMS :
		       TTG__IDENTIFIER_KIND__CRN;
}

static void begin(struct play *play, struct said *it, int source, int type, const char *numbers)
{
	char copy[100], *word, *rest = NULL;

	memset(it, 0, sizeof(*it));
	ttg__event__init(&it->event);
	ttg__time__init(&it->occurred);
	ttg__person__init(&it->person);
	play->next_id++;
	it->id[6] = 0x70;
	it->id[8] = 0x80;
	memcpy(it->id + 9, &play->next_id, 7);
	it->event.id = (ProtobufCBinaryData){ 16, it->id };
	it->occurred.unix_ns = play->now.real_ns;
	it->event.occurred_at = &it->occurred;
	it->event.source = texts[source];
	it->event.type = texts[type];
	it->event.assertion = TTG__ASSERTION__FACT;
	snprintf(copy, sizeof(copy), "%s", numbers);
	for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		const size_t n = it->person.n_identifiers++;

		ttg__identifier__init(&it->numbers[n]);
		snprintf(it->values[n], sizeof(it->values[n]), "%s", word);
		it->numbers[n].kind = kind_of(word);
		it->numbers[n].value = it->values[n];
		it->list[n] = &it->numbers[n];
	}
	it->person.identifiers = it->list;
	it->event.person = it->person.n_identifiers > 0 ? &it->person : NULL;
}

static struct core_outcome say(struct play *play, const struct said *it)
{
	uint8_t bytes[2048];
	struct core_outcome outcome;
	const size_t len = ttg__event__pack(&it->event, bytes);

	core_publish(play->core, &play->now, it->event.source, bytes, len, &outcome);
	if (outcome.kind != CORE_ACCEPTED)
		fail_msg("refused: %d %s", (int)outcome.code, outcome.text);
	return outcome;
}

static uint64_t arrest(struct play *play, const char *numbers)
{
	Ttg__PoliceArrest arrest = TTG__POLICE_ARREST__INIT;
	struct said it;

	begin(play, &it, T_POLICE, T_ARREST, numbers);
	it.event.urgency = TTG__URGENCY__URGENT;
	it.event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
	it.event.police_arrest = &arrest;
	return say(play, &it).sequence;
}

static uint64_t enrol(struct play *play, const char *numbers)
{
	Ttg__ServiceEnrolled enrolled = TTG__SERVICE_ENROLLED__INIT;
	struct said it;

	enrolled.scheme = texts[T_PILOT];
	begin(play, &it, T_SERVICE, T_ENROLLED, numbers);
	it.event.payload_case = TTG__EVENT__PAYLOAD_SERVICE_ENROLLED;
	it.event.service_enrolled = &enrolled;
	return say(play, &it).sequence;
}

static void withdraw(struct play *play, const char *numbers)
{
	Ttg__ServiceWithdrawn withdrawn = TTG__SERVICE_WITHDRAWN__INIT;
	struct said it;

	begin(play, &it, T_SERVICE, T_WITHDRAWN, numbers);
	it.event.payload_case = TTG__EVENT__PAYLOAD_SERVICE_WITHDRAWN;
	it.event.service_withdrawn = &withdrawn;
	say(play, &it);
}

static void leave(struct play *play, const char *numbers)
{
	Ttg__ServiceExited exited = TTG__SERVICE_EXITED__INIT;
	struct said it;

	exited.scheme = texts[T_PILOT];
	begin(play, &it, T_SERVICE, T_EXITED, numbers);
	it.event.payload_case = TTG__EVENT__PAYLOAD_SERVICE_EXITED;
	it.event.service_exited = &exited;
	say(play, &it);
}

static void come_back(struct play *play, const char *numbers)
{
	Ttg__ServiceReengaged back = TTG__SERVICE_REENGAGED__INIT;
	struct said it;

	back.scheme = texts[T_PILOT];
	begin(play, &it, T_SERVICE, T_BACK, numbers);
	it.event.payload_case = TTG__EVENT__PAYLOAD_SERVICE_REENGAGED;
	it.event.service_reengaged = &back;
	say(play, &it);
}

static uint64_t release(struct play *play, const char *numbers)
{
	Ttg__PrisonReleased released = TTG__PRISON_RELEASED__INIT;
	struct said it;

	released.at_liberty = true;
	begin(play, &it, T_PRISON, T_RELEASED, numbers);
	it.event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RELEASED;
	it.event.prison_released = &released;
	return say(play, &it).sequence;
}

/* The prison links numbers by naming them together. */
static uint64_t link_numbers(struct play *play, const char *numbers)
{
	Ttg__PrisonReception reception = TTG__PRISON_RECEPTION__INIT;
	struct said it;

	begin(play, &it, T_PRISON, T_RECEPTION, numbers);
	it.event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RECEPTION;
	it.event.prison_reception = &reception;
	return say(play, &it).sequence;
}

static uint32_t type_of(struct rules *rules, const char *name)
{
	for (uint32_t i = 0; i < rules->n_types; i++) {
		if (strcmp(rules->types[i], name) == 0)
			return i;
	}
	rules->types = realloc(rules->types, (rules->n_types + 1) * sizeof(*rules->types));
	snprintf(rules->types[rules->n_types], RULES_TYPE_MAX + 1, "%s", name);
	return (uint32_t)rules->n_types++;
}

/* Arrests go to the One Service when he is in its pilot; conflicts to its desk. */
static struct rules *gated(uint32_t window_days)
{
	static const char *const own[] = { "service.enrolled", "service.withdrawn", "service.exited",
					   "service.reengaged" };
	struct rules *rules = play_rules(true);
	uint32_t types[4];

	rules->conditions = calloc(1, sizeof(*rules->conditions));
	rules->n_conditions = 1;
	strcpy(rules->conditions[0].scheme, "oneservice/pilot");
	rules->conditions[0].window_days = window_days;
	for (size_t i = 0; i < rules->n_deliver; i++) {
		if (strcmp(rules->types[rules->deliver[i].type], "police.arrest") == 0)
			rules->deliver[i].condition = 1;
	}
	for (size_t i = 0; i < 4; i++) {
		types[i] = type_of(rules, own[i]);
		play_grant_publish(rules, types[i], PLAY_ONESERVICE);
	}
	play_grant_publish(rules, type_of(rules, "prison.reception"), PLAY_PRISON);
	play_grant(rules, type_of(rules, "broker.identity_conflict"), RULES_NONE, BOX_DESK, AGREED_ALWAYS);
	rules->agencies[PLAY_PRISON].links = true;
	rules->agencies[PLAY_POLICE].links = true;
	assert_true(rules_finish(rules));
	return rules;
}

static struct play *stage(uint32_t window_days)
{
	struct play *play = play_new(16, 100);
	struct rules *rules = gated(window_days);

	assert_int_equal(core_set_rules(play->core, &play->now, rules), TTG_OK);
	rules_free(&play->rules);
	play->rules = rules;
	play_attach(play, BOX_ONESERVICE, 1, 1000);
	play_attach(play, BOX_DESK, 2, 1000);
	play_settle(play);
	return play;
}

/* Times the event of this sequence was delivered to the One Service. */
static size_t heard(const struct play *play, uint64_t sequence)
{
	size_t n = 0;

	for (size_t i = 0; i < play->n_deliveries; i++)
		n += play->deliveries[i].consumer == 1 && play->deliveries[i].sequence == sequence;
	return n;
}

static size_t arrests_heard(const struct play *play)
{
	size_t n = 0;

	for (size_t i = 0; i < play->n_deliveries; i++)
		n += play->deliveries[i].consumer == 1 &&
		     strcmp(play->deliveries[i].type, "police.arrest") == 0;
	return n;
}

static void somebody_outside_the_scheme_is_told_to_nobody(void **state)
{
	struct play *play = stage(0);
	const uint64_t before = play_view(play, BOX_ONESERVICE).next_position;

	(void)state;
	arrest(play, "2002/0073319Z");
	arrest(play, "A0001BC");
	play_settle(play);
	assert_int_equal(arrests_heard(play), 0);
	assert_int_equal(play_view(play, BOX_ONESERVICE).next_position, before);
	assert_int_equal(core_waiting_count(play->core), 2);
	play_free(&play);
}

static void the_link_came_before(void **state)
{
	struct play *play = stage(0);
	uint64_t sequence;

	(void)state;
	enrol(play, "A0001BC");
	link_numbers(play, "A0001BC 2002/0073319Z");
	sequence = arrest(play, "2002/0073319Z");
	play_settle(play);
	assert_int_equal(heard(play, sequence), 1);
	assert_int_equal(core_waiting_count(play->core), 0);
	play_free(&play);
}

static void the_link_comes_after(void **state)
{
	for (int restart = 0; restart < 3; restart++) {
		struct play *play = stage(0);
		uint64_t sequence;

		(void)state;
		enrol(play, "A0001BC");
		sequence = arrest(play, "2002/0073319Z");
		play_settle(play);
		assert_int_equal(heard(play, sequence), 0);
		play_wait(play, 71 * 3600 * PLAY_SECOND);
		if (restart == 1)
			play_restart(play, play->n_records, NULL, 0);
		link_numbers(play, "A0001BC 2002/0073319Z");
		if (restart == 2) /* what was learnt was not acted on before the stop */
			play_restart(play, play->n_records, NULL, 0);
		if (restart > 0)
			play_attach(play, BOX_ONESERVICE, 1, 1000);
		play_settle(play);
		assert_int_equal(heard(play, sequence), 1);
		assert_int_equal(core_waiting_count(play->core), 0);
		play_free(&play);
	}
}

static void the_link_comes_too_late(void **state)
{
	struct play *play = stage(0);
	uint64_t sequence;

	(void)state;
	enrol(play, "A0001BC");
	sequence = arrest(play, "2002/0073319Z");
	play_settle(play);
	play_wait(play, 73 * 3600 * PLAY_SECOND);
	link_numbers(play, "A0001BC 2002/0073319Z");
	play_settle(play);
	assert_int_equal(heard(play, sequence), 0);
	assert_int_equal(core_waiting_count(play->core), 0);
	play_free(&play);
}

static void who_is_enrolled_after_the_arrest_does_not_reach_back(void **state)
{
	struct play *play = stage(0);
	uint64_t before, after;

	(void)state;
	before = arrest(play, "2002/0073319Z");
	enrol(play, "A0001BC");
	after = arrest(play, "2002/0073319Z");
	link_numbers(play, "A0001BC 2002/0073319Z");
	play_settle(play);
	assert_int_equal(heard(play, before), 0);
	assert_int_equal(heard(play, after), 1);
	play_free(&play);
}

static void only_the_word_of_those_who_may_links(void **state)
{
	struct play *play = stage(0);
	uint64_t sequence;

	(void)state;
	enrol(play, "A0001BC 2002/0073319Z"); /* the service may not link numbers */
	sequence = arrest(play, "2002/0073319Z");
	play_settle(play);
	assert_int_equal(heard(play, sequence), 0);
	play_free(&play);
}

static void consent_taken_back_stops_what_is_queued(void **state)
{
	struct play *play = stage(0);
	uint64_t sequence, other;

	(void)state;
	enrol(play, "A0001BC");
	enrol(play, "A0002BC");
	play->deliver_room = 0;
	sequence = arrest(play, "A0001BC");
	other = arrest(play, "A0002BC");
	play_settle(play);
	assert_int_equal(play->n_retracted, 0);
	withdraw(play, "A0001BC");
	assert_int_equal(play->n_retracted, 1); /* nor may what has been chosen and has not left */
	play->deliver_room = UINT32_MAX;
	play_settle(play);
	assert_int_equal(heard(play, sequence), 0);
	assert_int_equal(heard(play, other), 1);
	arrest(play, "A0001BC");
	play_settle(play);
	assert_int_equal(arrests_heard(play), 1);
	assert_int_equal(play_view(play, BOX_ONESERVICE).stopped, 1);
	play_free(&play);
}

/* Given while he was in the scheme: once more only of who has not taken that back. */
static void what_consent_was_taken_back_to_is_not_delivered_again(void **state)
{
	struct play *play = stage(0);
	struct core_redeliver order = { "oneservice/in", 1, INT64_MIN, "uid 0", "its store is lost" };
	uint64_t positions[2] = { 1, 2 }, sequence, his, other;

	(void)state;
	enrol(play, "A0001BC");
	enrol(play, "A0002BC");
	his = arrest(play, "A0001BC");
	other = arrest(play, "A0002BC");
	play_settle(play);
	assert_int_equal(core_ack(play->core, &play->now, 1, 0, positions, 2), TTG_OK);
	withdraw(play, "A0001BC");
	assert_int_equal(core_redeliver(play->core, &play->now, &order, &sequence), TTG_OK);
	play_settle(play);
	assert_int_equal(heard(play, his), 1);
	assert_int_equal(heard(play, other), 2);
	play_free(&play);
}

/* What the condition asked was so when it was accepted; a restart asks again, and it is not so any more. */
static void what_was_accepted_goes_though_he_is_out_by_now(void **state)
{
	struct play *play = stage(0);
	uint64_t inside, outside;

	(void)state;
	play->rules->conditions[0] = (struct condition){ .custody = CONDITION_CUSTODY_IN };
	assert_int_equal(core_set_rules(play->core, &play->now, play->rules), TTG_OK);
	link_numbers(play, "A0001BC"); /* a reception */
	play->deliver_room = 0;
	inside = arrest(play, "A0001BC");
	release(play, "A0001BC");
	outside = arrest(play, "A0001BC");
	play_restart(play, play->n_records, NULL, 0);
	play_attach(play, BOX_ONESERVICE, 1, 1000);
	play->deliver_room = UINT32_MAX;
	play_settle(play);
	assert_int_equal(heard(play, inside), 1);
	assert_int_equal(heard(play, outside), 0);
	play_free(&play);
}

static void who_left_and_came_back(void **state)
{
	struct play *play = stage(0);
	uint64_t in, out, again;

	(void)state;
	enrol(play, "A0001BC");
	in = arrest(play, "A0001BC");
	leave(play, "A0001BC");
	out = arrest(play, "A0001BC");
	come_back(play, "A0001BC");
	again = arrest(play, "A0001BC");
	play_settle(play);
	assert_int_equal(heard(play, in), 1);
	assert_int_equal(heard(play, out), 0);
	assert_int_equal(heard(play, again), 1);
	play_free(&play);
}

/* An enrolment that names no scheme puts him in none, and out of none. */
static void an_enrolment_without_a_scheme_changes_nothing(void **state)
{
	Ttg__ServiceEnrolled enrolled = TTG__SERVICE_ENROLLED__INIT;
	Ttg__ServiceReengaged back = TTG__SERVICE_REENGAGED__INIT;
	struct play *play = stage(0);
	struct said it;

	(void)state;
	enrol(play, "A0001BC");
	begin(play, &it, T_SERVICE, T_ENROLLED, "A0001BC");
	it.event.payload_case = TTG__EVENT__PAYLOAD_SERVICE_ENROLLED;
	it.event.service_enrolled = &enrolled;
	say(play, &it);
	begin(play, &it, T_SERVICE, T_BACK, "A0001BC");
	it.event.payload_case = TTG__EVENT__PAYLOAD_SERVICE_REENGAGED;
	it.event.service_reengaged = &back;
	say(play, &it);
	arrest(play, "A0001BC");
	play_settle(play);
	assert_int_equal(arrests_heard(play), 1);
	play_free(&play);
}

static void the_window_is_counted_from_the_release(void **state)
{
	const int64_t day = 24 * 3600 * PLAY_SECOND;
	struct play *play = stage(365);
	uint64_t inside, outside;

	(void)state;
	enrol(play, "A0001BC");
	play_wait(play, 100 * day); /* in prison: not yet begun */
	release(play, "A0001BC");
	play_wait(play, 364 * day);
	inside = arrest(play, "A0001BC");
	play_wait(play, 2 * day);
	outside = arrest(play, "A0001BC");
	play_settle(play);
	assert_int_equal(heard(play, inside), 1);
	assert_int_equal(heard(play, outside), 0);
	play_free(&play);
}

static bool take_conflict(void *arg, const struct core_conflict *conflict)
{
	*(struct core_conflict *)arg = *conflict;
	return true;
}

static void a_contradiction_is_held_until_it_is_decided(void **state)
{
	for (int accept = 0; accept < 2; accept++) {
		struct play *play = stage(0);
		struct core_conflict conflict = { 0 };
		uint64_t first, second;
		size_t told = 0;

		(void)state;
		enrol(play, "A0001BC");
		link_numbers(play, "A0001BC 2002/0073319Z");
		link_numbers(play, "A0001BC 1981/0000034U"); /* a second PNC id */
		first = arrest(play, "2002/0073319Z");
		second = arrest(play, "1981/0000034U");
		play_settle(play);
		assert_int_equal(core_conflict_count(play->core), 1);
		assert_int_equal(arrests_heard(play), 0);
		play_wait(play, 100 * 3600 * PLAY_SECOND); /* longer than the look-back */
		link_numbers(play, "A0009BC 2003/0000003Y");
		play_restart(play, play->n_records, NULL, 0);
		play_attach(play, BOX_ONESERVICE, 1, 1000);
		play_attach(play, BOX_DESK, 2, 1000);
		play_settle(play);
		for (size_t i = 0; i < play->n_deliveries; i++)
			told += strcmp(play->deliveries[i].type, "broker.identity_conflict") == 0 &&
				play->deliveries[i].attempt == 1;
		assert_int_equal(told, 1);
		core_conflicts(play->core, take_conflict, &conflict);
		assert_string_equal(conflict.agencies, "prison");
		assert_int_equal(core_decide(play->core, &play->now, conflict.sequence, 7, accept, "me",
					     "looked it up"), TTG_ENOENT);
		assert_int_equal(core_decide(play->core, &play->now, conflict.sequence, conflict.part,
					     accept, "me", ""), TTG_EINVAL);
		assert_int_equal(core_decide(play->core, &play->now, conflict.sequence, conflict.part,
					     accept, "me", "looked it up"), TTG_OK);
		assert_int_equal(play->n_retracted, 1);
		play_settle(play);
		assert_int_equal(heard(play, first), 1);
		assert_int_equal(heard(play, second), accept);
		assert_int_equal(core_conflict_count(play->core), 0);
		link_numbers(play, "A0001BC 1981/0000034U"); /* said again: it is decided */
		play_settle(play);
		assert_int_equal(core_conflict_count(play->core), 0);
		play_free(&play);
	}
}

static void two_of_a_kind_at_once_are_a_contradiction(void **state)
{
	struct play *play = stage(0);

	(void)state;
	link_numbers(play, "A0001BC A0002BC"); /* nobody knew either */
	play_settle(play);
	assert_int_equal(core_conflict_count(play->core), 1);
	enrol(play, "A0003BC");
	assert_int_equal(core_person_numbers(play->core), 3);
	play_free(&play);
}

/* Held as long as the dispute takes, and then not for ever: its record would be kept as long. */
static void what_was_held_ends_behind_the_decision(void **state)
{
	struct play *play = stage(0);
	struct core_conflict conflict = { 0 };
	uint64_t sequence;

	(void)state;
	link_numbers(play, "A0001BC 2002/0073319Z");
	link_numbers(play, "A0001BC 1981/0000034U");
	sequence = arrest(play, "1981/0000034U"); /* of nobody who is enrolled */
	play_wait(play, 100 * 3600 * PLAY_SECOND);
	core_conflicts(play->core, take_conflict, &conflict);
	assert_int_equal(core_decide(play->core, &play->now, conflict.sequence, conflict.part, false, "me",
				     "looked it up"), TTG_OK);
	play_settle(play);
	assert_int_equal(core_waiting_count(play->core), 1);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(core_low_water(play->core), sequence);
		play_wait(play, 40 * 3600 * PLAY_SECOND); /* the second time more than the look-back */
		release(play, "A0009BC");
	}
	play_restart(play, play->n_records, NULL, 0);
	assert_int_equal(core_waiting_count(play->core), 0);
	assert_true(core_low_water(play->core) > sequence);
	assert_int_equal(heard(play, sequence), 0);
	play_free(&play);
}

static void giving_up_stops_before_what_came_late(void **state)
{
	struct play *play = stage(0);
	uint64_t sequence, given_up;

	(void)state;
	play->deliver_room = 0;
	enrol(play, "A0001BC");
	for (size_t i = 0; i < 20; i++) /* more than the window */
		release(play, "A0009BC");
	sequence = arrest(play, "2002/0073319Z");
	link_numbers(play, "A0001BC 2002/0073319Z");
	play_settle(play);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 21);
	assert_int_equal(core_give_up(play->core, &play->now, play->n_records, &given_up), TTG_OK);
	assert_int_equal(given_up, 40); /* of the police, too */
	play->deliver_room = UINT32_MAX;
	play_settle(play);
	assert_int_equal(heard(play, sequence), 1);
	play_free(&play);
}

/* An older event of the man is a dead letter when it comes out that he is one with who is in flight. */
static void what_a_consumer_has_stays_with_it(void **state)
{
	struct play *play = stage(0);
	uint64_t first, second;

	(void)state;
	enrol(play, "A0001BC");
	enrol(play, "2002/0073319Z");
	first = arrest(play, "A0001BC");
	play_settle(play);
	assert_int_equal(core_nack(play->core, &play->now, 1, 1, TTG__NACK_REASON__NACK_NOT_OURS, "no", 0),
			 TTG_OK);
	second = arrest(play, "2002/0073319Z");
	play_settle(play);
	assert_int_equal(heard(play, second), 1);
	link_numbers(play, "A0001BC 2002/0073319Z");
	play_settle(play);
	assert_int_equal(play_view(play, BOX_ONESERVICE).in_flight, 1);
	assert_int_equal(core_dead_letter_retry(play->core, &play->now, "oneservice/in", first), TTG_OK);
	play_settle(play);
	assert_int_equal(heard(play, second), 1);
	play_free(&play);
}

static void numbers_of_one_man_share_a_lane(void **state)
{
	for (int before = 0; before < 2; before++) {
		struct play *play = stage(0);
		uint64_t first, second;

		(void)state;
		enrol(play, "A0001BC");
		enrol(play, "2002/0073319Z");
		if (before)
			link_numbers(play, "A0001BC 2002/0073319Z");
		first = arrest(play, "A0001BC");
		play_settle(play);
		assert_int_equal(heard(play, first), 1);
		for (unsigned int i = 0; i < 3; i++) { /* it parks */
			const struct play_delivery *it = &play->deliveries[play->n_deliveries - 1];

			assert_int_equal(core_nack(play->core, &play->now, 1, it->position, 1, "no", 0),
					 TTG_OK);
			play_settle(play);
			play_wait(play, 2 * PLAY_SECOND);
			play_settle(play);
		}
		assert_int_equal(play_view(play, BOX_ONESERVICE).parked, 1);
		if (!before)
			link_numbers(play, "A0001BC 2002/0073319Z");
		second = arrest(play, "2002/0073319Z");
		play_settle(play);
		assert_int_equal(heard(play, second), 0);
		assert_int_equal(core_dead_letter_retry(play->core, &play->now, "oneservice/in", first),
				 TTG_OK);
		play_settle(play);
		assert_int_equal(heard(play, second), 1);
		play_free(&play);
	}
}

/* "No further action" supersedes the alert: who had that late must hear of it, consent or not. */
static void who_heard_late_hears_that_it_is_withdrawn(void **state)
{
	for (int restart = 0; restart < 2; restart++) {
		Ttg__PoliceArrest arrest_again = TTG__POLICE_ARREST__INIT;
		struct play *play = stage(0);
		uint8_t alert[16];
		struct said it;
		size_t told = 0;

		(void)state;
		enrol(play, "A0001BC");
		begin(play, &it, T_POLICE, T_ARREST, "2002/0073319Z");
		it.event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
		it.event.police_arrest = &arrest_again;
		memcpy(alert, it.id, sizeof(alert));
		say(play, &it);
		link_numbers(play, "A0001BC 2002/0073319Z");
		play_settle(play);
		assert_int_equal(arrests_heard(play), 1);
		withdraw(play, "A0001BC");
		if (restart) {
			play_restart(play, play->n_records, NULL, 0);
			play_attach(play, BOX_ONESERVICE, 1, 1000);
		}
		begin(play, &it, T_POLICE, T_ARREST, "2002/0073319Z");
		it.event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
		it.event.police_arrest = &arrest_again;
		it.event.supersedes = (ProtobufCBinaryData){ sizeof(alert), alert };
		say(play, &it);
		play_settle(play);
		for (size_t i = 0; i < play->n_deliveries; i++)
			told += strcmp(play->deliveries[i].type, "broker.correction") == 0;
		assert_int_equal(told, 1);
		assert_int_equal(arrests_heard(play), 1); /* consent is gone: not again either */
		play_free(&play);
	}
}

static void when_too_much_waits_publishers_wait_until_the_oldest_is_over(void **state)
{
	Ttg__PoliceArrest again = TTG__POLICE_ARREST__INIT;
	struct play *play = stage(0);
	struct core_outcome outcome;
	uint8_t bytes[2048];
	struct said it;
	size_t len;

	(void)state;
	while (core_waiting_count(play->core) < play->options.max_waiting)
		arrest(play, "2002/0073319Z");
	begin(play, &it, T_POLICE, T_ARREST, "2002/0073319Z");
	it.event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
	it.event.police_arrest = &again;
	len = ttg__event__pack(&it.event, bytes);
	core_publish(play->core, &play->now, "police", bytes, len, &outcome);
	assert_int_equal(outcome.kind, CORE_REFUSED);
	assert_int_equal(outcome.code, TTG_REFUSED_BUSY);
	play_settle(play);
	play_wait(play, 73 * 3600 * PLAY_SECOND);
	core_publish(play->core, &play->now, "police", bytes, len, &outcome);
	assert_int_equal(outcome.kind, CORE_ACCEPTED);
	assert_int_equal(core_waiting_count(play->core), 1);
	play_free(&play);
}

static void a_snapshot_holds_all_of_it(void **state)
{
	struct play *play = stage(365);
	uint8_t *one = NULL, *two = NULL;
	size_t len, again;

	(void)state;
	enrol(play, "A0001BC");
	release(play, "A0001BC");
	link_numbers(play, "A0001BC 2002/0073319Z");
	link_numbers(play, "A0001BC 1981/0000034U");
	link_numbers(play, "A0003BC 2003/0000003Y");
	arrest(play, "1981/0000034U");
	arrest(play, "A0007BC");
	play_settle(play);
	assert_int_equal(core_snapshot(play->core, &one, &len), TTG_OK);
	play_restart(play, play->n_records, one, len);
	assert_int_equal(core_snapshot(play->core, &two, &again), TTG_OK);
	assert_int_equal(len, again);
	assert_memory_equal(one, two, len);
	free(two);
	play_restart(play, play->n_records, NULL, 0);
	assert_int_equal(core_snapshot(play->core, &two, &again), TTG_OK);
	assert_int_equal(len, again);
	assert_memory_equal(one, two, len);
	assert_int_equal(core_conflict_count(play->core), 1);
	assert_int_equal(core_waiting_count(play->core), 2);
	free(one);
	free(two);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(somebody_outside_the_scheme_is_told_to_nobody),
		cmocka_unit_test(the_link_came_before),
		cmocka_unit_test(the_link_comes_after),
		cmocka_unit_test(the_link_comes_too_late),
		cmocka_unit_test(who_is_enrolled_after_the_arrest_does_not_reach_back),
		cmocka_unit_test(only_the_word_of_those_who_may_links),
		cmocka_unit_test(consent_taken_back_stops_what_is_queued),
		cmocka_unit_test(what_consent_was_taken_back_to_is_not_delivered_again),
		cmocka_unit_test(what_was_accepted_goes_though_he_is_out_by_now),
		cmocka_unit_test(who_left_and_came_back),
		cmocka_unit_test(an_enrolment_without_a_scheme_changes_nothing),
		cmocka_unit_test(the_window_is_counted_from_the_release),
		cmocka_unit_test(a_contradiction_is_held_until_it_is_decided),
		cmocka_unit_test(two_of_a_kind_at_once_are_a_contradiction),
		cmocka_unit_test(what_was_held_ends_behind_the_decision),
		cmocka_unit_test(giving_up_stops_before_what_came_late),
		cmocka_unit_test(what_a_consumer_has_stays_with_it),
		cmocka_unit_test(numbers_of_one_man_share_a_lane),
		cmocka_unit_test(who_heard_late_hears_that_it_is_withdrawn),
		cmocka_unit_test(when_too_much_waits_publishers_wait_until_the_oldest_is_over),
		cmocka_unit_test(a_snapshot_holds_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
