/* What outlives the journal: who got what and when, and nothing of what was said. */
#include "support/core_play.h"

#include <stdlib.h>
#include <string.h>
#include "core/strip.h"
#include "evidence/stretch.h"

#define SECRET "QQSECRETQQ" /* stands in whatever has to go */
#define WORDS "QQWORDSQQ"

static char secret[] = SECRET;
static const uint8_t journal_id[EVIDENCE_ID] = { 0x5e, 0xa1 };

static uint8_t *stripped(const struct play_record *record, size_t *len)
{
	const size_t room = record->len + STRIP_MORE;
	uint8_t *out = malloc(room);
	struct cursor cursor;

	assert_non_null(out);
	cursor_init_write(&cursor, out, room);
	assert_true(record_strip(record->kind, record->data, record->len, &cursor));
	*len = cursor_offset(&cursor);
	return out;
}

static bool holds(const uint8_t *data, size_t len, const void *what, size_t n)
{
	return memmem(data, len, what, n) != NULL;
}

/* A release whose payload has a secret, published. */
static uint64_t say_secret(struct play *play, int type)
{
	struct play_event it;
	struct core_outcome outcome;

	play_event(play, &it, type, 7);
	if (type == TYPE_RELEASED)
		it.released.prison_code = secret;
	else
		it.arrest.station_code = secret;
	outcome = play_publish(play, &it);
	assert_int_equal(outcome.kind, CORE_ACCEPTED);
	return outcome.sequence;
}

static void an_event_keeps_who_and_when_and_loses_what(void **state)
{
	struct play *play = play_new(8, 100);
	const uint64_t sequence = say_secret(play, TYPE_RELEASED);
	const struct play_record *record = &play->records[sequence - 1];
	struct record_event before, after;
	struct record_recipient was, is;
	size_t len;
	uint8_t *bytes = stripped(record, &len);

	(void)state;
	assert_true(holds(record->data, record->len, SECRET, strlen(SECRET)));
	assert_false(holds(bytes, len, SECRET, strlen(SECRET)));
	assert_true(record_get_event(record->data, record->len, &before));
	assert_false(record_get_event(bytes, len, &after)); /* no journal has such a one */
	assert_true(record_get_stripped(RECORD_EVENT, bytes, len, &after));
	assert_null(after.bytes);
	assert_int_equal(after.n_bytes, 0);
	assert_int_equal(after.n_changes, 0);
	assert_int_equal(after.accepted_ns, before.accepted_ns);
	assert_int_equal(after.urgency, before.urgency);
	assert_memory_equal(after.id, before.id, RECORD_ID);
	assert_memory_equal(after.person_key, before.person_key, RECORD_PERSON_KEY);
	assert_string_equal(after.source, before.source);
	assert_string_equal(after.type, before.type);
	assert_int_equal(after.n_recipients, before.n_recipients);
	assert_true(after.n_recipients > 0);
	for (uint32_t i = 0; i < after.n_recipients; i++) {
		record_next_recipient(&before.recipients, &was);
		record_next_recipient(&after.recipients, &is);
		assert_int_equal(is.mailbox, was.mailbox);
		assert_int_equal(is.position, was.position);
		assert_int_equal(is.n_agreements, was.n_agreements);
		assert_string_equal(is.agreements[0], was.agreements[0]);
	}
	free(bytes);
	play_free(&play);
}

static void the_leaf_of_an_event_is_the_same_before_and_after(void **state)
{
	struct play *play = play_new(8, 100);
	const uint64_t sequence = say_secret(play, TYPE_ARREST);
	const struct play_record *record = &play->records[sequence - 1];
	struct hasher *hasher = hasher_new();
	uint8_t one[EVIDENCE_HASH], two[EVIDENCE_HASH];
	struct leaf before, after;
	size_t len;
	uint8_t *bytes = stripped(record, &len);

	(void)state;
	assert_true(stretch_leaf(hasher, journal_id, sequence, record->data, record->len, &before));
	assert_false(stretch_leaf(hasher, journal_id, sequence, bytes, len, &after));
	assert_true(stretch_leaf_archived(hasher, journal_id, sequence, bytes, len, &after));
	assert_true(leaf_hash(hasher, &before, one) && leaf_hash(hasher, &after, two));
	assert_memory_equal(one, two, EVIDENCE_HASH);
	hasher_free(&hasher);
	free(bytes);
	play_free(&play);
}

/* Of a record made by hand: with changes, with those that wait, sealed, late, once more. */
static size_t make(uint8_t *out, size_t room, const struct record_event *event, uint8_t kind)
{
	const struct record_recipient to = { .mailbox = 2, .position = 9, .fallback = RULES_NONE,
					     .n_agreements = 1, .agreements = { "agreed" } };
	struct record_gap gap;
	struct cursor cursor;

	cursor_init_write(&cursor, out, room);
	gap = kind == RECORD_AGAIN ? record_put_again(&cursor, event, &to) :
	      kind == RECORD_LATE  ? record_put_late(&cursor, event, &to) :
				     record_put_event(&cursor, event, &to);
	if (gap.digest)
		memset(gap.digest, 0xd1, RECORD_DIGEST);
	if (gap.sealed)
		memcpy(gap.sealed, SECRET, strlen(SECRET));
	assert_true(cursor_ok(&cursor));
	return cursor_offset(&cursor);
}

static void must_strip(const struct record_event *event, uint8_t kind)
{
	const bool late = kind != RECORD_EVENT; /* or once more */
	uint8_t data[1024];
	const struct play_record record = { kind, data, make(data, sizeof(data), event, kind) };
	struct record_event after;
	size_t len;
	uint8_t *bytes = stripped(&record, &len);

	assert_true(holds(data, record.len, SECRET, strlen(SECRET)));
	assert_false(holds(bytes, len, SECRET, strlen(SECRET)));
	assert_false(holds(bytes, len, "changed", 7));
	assert_true(record_get_stripped(kind, bytes, len, &after));
	assert_int_equal(after.n_changes, 0);
	assert_int_equal(after.n_sealed, 0);
	assert_int_equal(after.n_waiting, late ? 0 : event->n_waiting);
	assert_int_equal(after.key, event->key);
	assert_int_equal(after.first, late ? event->first : 0);
	assert_int_equal(after.given, kind == RECORD_AGAIN ? event->given : 0);
	assert_int_equal(after.routed_ns, late ? event->routed_ns : event->accepted_ns);
	assert_non_null(after.digest);
	if (event->key)
		for (size_t i = 0; i < RECORD_DIGEST; i++)
			assert_int_equal(after.digest[i], 0xd1);
	free(bytes);
}

static void changes_go_and_what_waits_stays_sealed_or_not_late_or_not(void **state)
{
	const uint64_t waiting[] = { 4, 7 };
	const uint8_t id[RECORD_ID] = { 1 }, person[RECORD_PERSON_KEY] = { 2 };
	struct record_event event = {
		.accepted_ns = 5, .id = id, .person_key = person, .source = "police", .type = "police.arrest",
		.n_recipients = 1, .n_waiting = 2, .waiting = waiting, .changes = (const uint8_t *)"changed",
		.n_changes = 7, .bytes = (const uint8_t *)SECRET, .n_bytes = strlen(SECRET), .first = 3,
		.routed_ns = 77, .given = 4,
	};

	(void)state;
	must_strip(&event, RECORD_EVENT);
	must_strip(&event, RECORD_LATE);
	must_strip(&event, RECORD_AGAIN);
	event.key = 4711;
	event.n_sealed = strlen(SECRET);
	must_strip(&event, RECORD_EVENT);
	must_strip(&event, RECORD_LATE);
	must_strip(&event, RECORD_AGAIN);
	event.person_key = NULL;
	event.n_waiting = 0;
	event.n_changes = 0;
	must_strip(&event, RECORD_EVENT);
}

static void the_words_of_a_refusal_go_and_its_reason_stays(void **state)
{
	const struct record_nack nack = { .at_ns = 4, .mailbox = 1, .sequence = 8, .position = 3,
					  .reason = 2, .refusals = 5, .parked = true, .text = WORDS };
	struct record_nack after;
	struct cursor cursor;
	uint8_t data[256];
	size_t len;

	(void)state;
	cursor_init_write(&cursor, data, sizeof(data));
	record_put_nack(&cursor, &nack);
	const struct play_record record = { RECORD_NACK, data, cursor_offset(&cursor) };
	uint8_t *bytes = stripped(&record, &len);
	assert_true(holds(data, record.len, WORDS, strlen(WORDS)));
	assert_false(holds(bytes, len, WORDS, strlen(WORDS)));
	assert_true(record_get_nack(bytes, len, &after));
	assert_int_equal(after.at_ns, 4);
	assert_int_equal(after.sequence, 8);
	assert_int_equal(after.position, 3);
	assert_int_equal(after.reason, 2);
	assert_int_equal(after.refusals, 5);
	assert_true(after.parked);
	assert_string_equal(after.text, "");
	free(bytes);
}

static void every_other_record_is_kept_byte_for_byte(void **state)
{
	struct play *play = play_new(8, 100);
	size_t others = 0, len;

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_settle(play);
	assert_int_equal(core_ack(play->core, &play->now, 1, 1, NULL, 0), TTG_OK);
	for (size_t i = 0; i < play->n_records; i++) {
		uint8_t *bytes = stripped(&play->records[i], &len);

		if (play->records[i].kind != RECORD_EVENT) {
			others++;
			assert_int_equal(len, play->records[i].len);
			assert_memory_equal(bytes, play->records[i].data, len);
		}
		free(bytes);
	}
	assert_true(others > 5);
	for (unsigned kind = 17; kind < 256; kind++) { /* of versions to come, and foreign ones */
		uint8_t data[] = "whatever it is", *bytes;
		const struct play_record record = { (uint8_t)kind, data, sizeof(data) };

		if (kind == RECORD_AGAIN)
			continue;
		bytes = stripped(&record, &len);

		assert_int_equal(len, sizeof(data));
		assert_memory_equal(bytes, data, len);
		free(bytes);
	}
	play_free(&play);
}

static void what_is_damaged_or_has_no_room_is_not_stripped(void **state)
{
	struct play *play = play_new(8, 100);
	const struct play_record *record = &play->records[say_secret(play, TYPE_RELEASED) - 1];
	uint8_t out[4096];
	struct cursor cursor;

	(void)state;
	assert_true(record->len + STRIP_MORE < sizeof(out));
	cursor_init_write(&cursor, out, sizeof(out));
	assert_false(record_strip(RECORD_EVENT, record->data, record->len - 1, &cursor));
	cursor_init_write(&cursor, out, 20);
	assert_false(record_strip(RECORD_EVENT, record->data, record->len, &cursor));
	cursor_init_write(&cursor, out, sizeof(out));
	assert_false(record_strip(RECORD_NACK, record->data, record->len, &cursor));
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_keeps_who_and_when_and_loses_what),
		cmocka_unit_test(the_leaf_of_an_event_is_the_same_before_and_after),
		cmocka_unit_test(changes_go_and_what_waits_stays_sealed_or_not_late_or_not),
		cmocka_unit_test(the_words_of_a_refusal_go_and_its_reason_stays),
		cmocka_unit_test(every_other_record_is_kept_byte_for_byte),
		cmocka_unit_test(what_is_damaged_or_has_no_room_is_not_stripped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
