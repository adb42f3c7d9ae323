/* Events of signed frames in the core: the record in front of them, and what stands in it. */
#include "support/core_play.h"

#include <stdlib.h>
#include <string.h>

#include "core/signed.h"
#include "core/strip.h"

static const uint8_t fingerprint[SIGNED_KEY] = { 0xf1 }, signature[SIGNED_SIGNATURE] = { 0x51 };
static const uint8_t digests[3 * SIGNED_DIGEST] = { 0xd1 };
static uint8_t nonce[16] = { 0x4e };

static struct signed_frame frame_of(const char *agency)
{
	return (struct signed_frame){ .agency = agency, .key = fingerprint, .signature = signature,
				      .n = 3, .digests = digests };
}

/* Event `index` of the frame; with_nonce: as a signed one has to be. */
static struct core_outcome say(struct play *play, struct signed_frame *frame, uint32_t index,
			       struct play_event *event, bool with_nonce)
{
	struct core_outcome outcome;
	uint8_t bytes[PLAY_EVENT_MAX];

	event->event.nonce = (ProtobufCBinaryData){ with_nonce ? sizeof(nonce) : 0, nonce };
	core_publish_signed(play->core, &play->now, frame, index, bytes,
			    ttg__event__pack(&event->event, bytes), &outcome);
	return outcome;
}

static const struct play_record *record_at(const struct play *play, uint64_t sequence)
{
	assert_true(sequence > 0 && sequence <= play->n_records);
	return &play->records[sequence - 1];
}

static void one_record_stands_before_the_events_of_a_frame(void **state)
{
	struct play *play = play_new(8, 100);
	struct signed_frame frame = frame_of("prison"), read;
	const size_t before = play->n_records;
	struct play_event event;
	struct record_event record;

	(void)state;
	for (uint32_t i = 0; i < 3; i += 2) {
		play_event(play, &event, TYPE_RELEASED, 1);
		const struct core_outcome outcome = say(play, &frame, i, &event, true);
		assert_int_equal(outcome.kind, CORE_ACCEPTED);
		assert_int_equal(frame.sequence, before + 1);
		const struct play_record *it = record_at(play, outcome.sequence);
		assert_true(record_get_event(it->data, it->len, &record));
		assert_int_equal(record.signed_at, frame.sequence);
		assert_int_equal(record.signed_as, i);
	}
	assert_int_equal(play->n_records, before + 3);
	const struct play_record *it = record_at(play, frame.sequence);
	assert_int_equal(it->kind, RECORD_SIGNED);
	assert_true(record_get_signed(it->data, it->len, &read));
	assert_string_equal(read.agency, "prison");
	assert_int_equal(read.at_ns, play->now.real_ns);
	assert_int_equal(read.n, 3);
	assert_memory_equal(read.key, fingerprint, SIGNED_KEY);
	assert_memory_equal(read.signature, signature, SIGNED_SIGNATURE);
	assert_memory_equal(read.digests, digests, sizeof(digests));
	play_free(&play);
}

static void an_event_that_is_not_signed_names_no_record(void **state)
{
	struct play *play = play_new(8, 100);
	const struct play_record *it = record_at(play, play_say(play, TYPE_RELEASED, 1));
	struct record_event record;

	(void)state;
	assert_true(record_get_event(it->data, it->len, &record));
	assert_int_equal(record.signed_at, 0);
	for (size_t i = 0; i < play->n_records; i++)
		assert_int_not_equal(play->records[i].kind, RECORD_SIGNED);
	play_free(&play);
}

static void one_without_a_nonce_is_refused_and_leaves_no_record(void **state)
{
	struct play *play = play_new(8, 100);
	struct signed_frame frame = frame_of("prison");
	const size_t before = play->n_records;
	struct play_event event;

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	const struct core_outcome outcome = say(play, &frame, 0, &event, false);
	assert_int_equal(outcome.kind, CORE_REFUSED);
	assert_int_equal(outcome.code, TTG_REFUSED_SIGNATURE);
	assert_non_null(strstr(outcome.text, "nonce"));
	assert_int_equal(frame.sequence, 0);
	assert_int_equal(play->n_records, before);
	play_free(&play);
}

/* What came first keeps its signature; its publisher may have made the event again. */
static void a_duplicate_may_have_another_nonce_and_nothing_else(void **state)
{
	struct play *play = play_new(8, 100);
	struct signed_frame first = frame_of("prison"), second = frame_of("prison");
	struct core_outcome one, two;
	struct play_event event;
	char other[] = "OTHER";

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	one = say(play, &first, 0, &event, true);
	const size_t before = play->n_records;
	nonce[3] ^= 1;
	two = say(play, &second, 0, &event, true);
	assert_int_equal(two.kind, CORE_DUPLICATE);
	assert_int_equal(two.sequence, one.sequence);
	assert_int_equal(say(play, &second, 0, &event, false).kind, CORE_DUPLICATE);
	assert_int_equal(second.sequence, 0);
	assert_int_equal(play->n_records, before);
	event.released.prison_code = other;
	two = say(play, &second, 0, &event, true);
	assert_int_equal(two.code, TTG_REFUSED_ID_REUSED);
	play_free(&play);
}

static void a_full_journal_refuses_for_now_and_says_nothing(void **state)
{
	struct play *play = play_new(8, 100);
	struct signed_frame frame = frame_of("prison");
	const size_t before = play->n_records;
	struct play_event event;

	(void)state;
	play->append_fails = TTG_ENOSPC;
	play_event(play, &event, TYPE_RELEASED, 1);
	assert_int_equal(say(play, &frame, 0, &event, true).code, TTG_REFUSED_STORAGE);
	assert_int_equal(frame.sequence, 0);
	assert_int_equal(play->n_records, before);
	play->append_fails = TTG_OK;
	assert_int_equal(say(play, &frame, 0, &event, true).kind, CORE_ACCEPTED);
	play_free(&play);
}

static void a_restart_takes_such_records_and_the_archive_keeps_them(void **state)
{
	struct play *play = play_new(8, 100);
	struct signed_frame frame = frame_of("prison");
	struct play_event event;
	struct record_event record;
	struct cursor cursor;

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	const uint64_t sequence = say(play, &frame, 1, &event, true).sequence;
	play_restart(play, play->n_records, NULL, 0);
	assert_int_equal(core_sequence(play->core), play->n_records);
	for (uint64_t i = frame.sequence; i <= sequence; i++) {
		const struct play_record *it = record_at(play, i);
		uint8_t *kept = malloc(it->len + STRIP_MORE);

		assert_non_null(kept);
		cursor_init_write(&cursor, kept, it->len + STRIP_MORE);
		assert_true(record_strip(it->kind, it->data, it->len, &cursor));
		if (i == frame.sequence) {
			assert_int_equal(cursor_offset(&cursor), it->len);
			assert_memory_equal(kept, it->data, it->len);
		} else {
			assert_true(record_get_stripped(it->kind, kept, cursor_offset(&cursor), &record));
			assert_int_equal(record.signed_at, frame.sequence);
			assert_int_equal(record.signed_as, 1);
		}
		free(kept);
	}
	play_free(&play);
}

static void a_record_that_is_cut_or_names_what_comes_later_is_damage(void **state)
{
	struct play *play = play_new(8, 100);
	struct signed_frame frame = frame_of("prison"), read;
	struct play_event event;
	struct message message;

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	const uint64_t sequence = say(play, &frame, 0, &event, true).sequence;
	const struct play_record *it = record_at(play, frame.sequence);
	for (size_t len = 0; len < it->len; len++)
		assert_false(record_get_signed(it->data, len, &read));
	struct core *core = play->core;
	assert_int_equal(play_make_core(play), TTG_OK);
	for (uint64_t i = 1; i < frame.sequence; i++)
		assert_int_equal(core_apply(play->core, i, play->records[i - 1].kind,
					    play->records[i - 1].data, play->records[i - 1].len, &message),
				 TTG_OK);
	/* The event's record, where its SIGNED should stand. */
	it = record_at(play, sequence);
	assert_int_equal(core_apply(play->core, frame.sequence, it->kind, it->data, it->len, &message),
			 TTG_ECORRUPT);
	core_free(&core);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_record_stands_before_the_events_of_a_frame),
		cmocka_unit_test(an_event_that_is_not_signed_names_no_record),
		cmocka_unit_test(one_without_a_nonce_is_refused_and_leaves_no_record),
		cmocka_unit_test(a_duplicate_may_have_another_nonce_and_nothing_else),
		cmocka_unit_test(a_full_journal_refuses_for_now_and_says_nothing),
		cmocka_unit_test(a_restart_takes_such_records_and_the_archive_keeps_them),
		cmocka_unit_test(a_record_that_is_cut_or_names_what_comes_later_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
