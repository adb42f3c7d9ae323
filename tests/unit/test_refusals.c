/* Refusals on record: counted, bounded, and nothing of what was refused. */
#include "support/core_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "net/net.h"
#include "support/memory_world.h"

struct bed {
	struct memory_world *memory;
	struct play *play;
	struct net *net;
	size_t before; /* records, before the test */
};

static struct bed bed_new(void)
{
	struct bed bed = { .memory = memory_world_new(3), .play = play_new(8, 100) };

	bed.net = calloc(1, sizeof(*bed.net));
	assert_non_null(bed.net);
	bed.net->world = memory_world_table(bed.memory);
	bed.net->core = bed.play->core;
	bed.before = bed.play->n_records;
	return bed;
}

static void bed_free(struct bed *bed)
{
	free(bed->net);
	play_free(&bed->play);
	memory_world_free(&bed->memory);
}

static void note(struct bed *bed, const char *agency, const char *type, enum ttg_error code)
{
	struct core_outcome out = { .kind = CORE_REFUSED, .code = code };

	snprintf(out.type, sizeof(out.type), "%s", type);
	refusals_note(bed->net, agency, &out);
}

static size_t recorded(const struct bed *bed)
{
	return bed->play->n_records - bed->before;
}

static struct record_refused read_at(const struct bed *bed, size_t i)
{
	const struct play_record *record = &bed->play->records[bed->before + i];
	struct record_refused out;

	assert_int_equal(record->kind, RECORD_REFUSED);
	assert_true(record_get_refused(record->data, record->len, &out));
	for (size_t len = 0; len < record->len; len++) {
		struct record_refused other;

		assert_false(record_get_refused(record->data, len, &other));
	}
	return out;
}

static void a_flood_is_one_record_with_a_count(void **state)
{
	struct bed bed = bed_new();

	(void)state;
	for (int i = 0; i < 10000; i++)
		note(&bed, "police", "prison.released", TTG_REFUSED_NOT_AGREED);
	note(&bed, "police", "prison.released", TTG_REFUSED_FIELD);
	note(&bed, "prison", "prison.released", TTG_REFUSED_NOT_AGREED);
	assert_int_equal(recorded(&bed), 0);
	refusals_record(bed.net);
	assert_int_equal(recorded(&bed), 3);
	assert_int_equal(read_at(&bed, 0).count, 10000);
	assert_string_equal(read_at(&bed, 0).agency, "police");
	assert_string_equal(read_at(&bed, 0).type, "prison.released");
	assert_int_equal(read_at(&bed, 0).code, TTG_REFUSED_NOT_AGREED);
	assert_int_equal(read_at(&bed, 1).code, TTG_REFUSED_FIELD);
	assert_string_equal(read_at(&bed, 2).agency, "prison");
	refusals_record(bed.net);
	assert_int_equal(recorded(&bed), 3);
	play_restart(bed.play, bed.play->n_records, NULL, 0); /* a start takes them */
	bed_free(&bed);
}

static void what_may_be_sent_again_is_not_on_record(void **state)
{
	struct bed bed = bed_new();

	(void)state;
	note(&bed, "police", "police.arrest", TTG_REFUSED_RATE);
	note(&bed, "police", "police.arrest", TTG_REFUSED_BUSY);
	note(&bed, "police", "police.arrest", TTG_REFUSED_STORAGE);
	note(&bed, "police", "police.arrest", TTG_REFUSED_STOPPING);
	refusals_record(bed.net);
	assert_int_equal(recorded(&bed), 0);
	bed_free(&bed);
}

static void one_agency_has_so_many_types_and_then_none(void **state)
{
	struct bed bed = bed_new();
	char type[32];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(type, sizeof(type), "some.type%u", i);
		note(&bed, "police", type, TTG_REFUSED_NOT_AGREED);
	}
	note(&bed, "prison", "prison.released", TTG_REFUSED_NOT_AGREED);
	refusals_record(bed.net);
	assert_int_equal(recorded(&bed), REFUSALS_TYPES + 2);
	assert_string_equal(read_at(&bed, REFUSALS_TYPES).type, "");
	assert_int_equal(read_at(&bed, REFUSALS_TYPES).count, 100 - REFUSALS_TYPES);
	assert_string_equal(read_at(&bed, REFUSALS_TYPES + 1).type, "prison.released");
	bed_free(&bed);
}

static void what_the_journal_does_not_take_waits_and_more_of_it_is_dropped(void **state)
{
	struct bed bed = bed_new();
	char agency[32];

	(void)state;
	bed.play->append_fails = TTG_ENOSPC;
	for (unsigned i = 0; i < 2 * REFUSALS_MAX; i++) {
		snprintf(agency, sizeof(agency), "agency-%u", i);
		note(&bed, agency, "", TTG_REFUSED_NOT_AGREED);
	}
	refusals_record(bed.net);
	assert_int_equal(recorded(&bed), 0);
	note(&bed, "agency-0", "", TTG_REFUSED_NOT_AGREED);
	bed.play->append_fails = TTG_OK;
	refusals_record(bed.net);
	assert_int_equal(recorded(&bed), REFUSALS_MAX);
	assert_int_equal(read_at(&bed, 0).count, 2);
	bed_free(&bed);
}

static void a_type_is_named_when_it_is_known_and_else_not(void **state)
{
	struct bed bed = bed_new();
	struct core_outcome out;
	struct play_event it;
	char made_up[] = "mister.smith", police[] = "police";

	(void)state;
	play_event(bed.play, &it, TYPE_RELEASED, 1);
	it.event.source = police; /* its key is the prison's */
	uint8_t bytes[PLAY_EVENT_MAX];
	size_t len = ttg__event__pack(&it.event, bytes);
	core_publish(bed.play->core, &bed.play->now, "prison", bytes, len, &out);
	assert_int_equal(out.code, TTG_REFUSED_SOURCE);
	assert_string_equal(out.type, "prison.released");
	play_event(bed.play, &it, TYPE_FUTURE, 0);
	it.event.type = made_up;
	it.event.payload_case = TTG__EVENT__PAYLOAD__NOT_SET;
	out = play_publish(bed.play, &it);
	assert_int_equal(out.code, TTG_REFUSED_TYPE_UNKNOWN);
	assert_string_equal(out.type, "");
	core_publish(bed.play->core, &bed.play->now, "prison", (const uint8_t *)"gibberish", 9, &out);
	assert_int_equal(out.code, TTG_REFUSED_MALFORMED);
	assert_string_equal(out.type, "");
	bed_free(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_is_one_record_with_a_count),
		cmocka_unit_test(what_may_be_sent_again_is_not_on_record),
		cmocka_unit_test(one_agency_has_so_many_types_and_then_none),
		cmocka_unit_test(what_the_journal_does_not_take_waits_and_more_of_it_is_dropped),
		cmocka_unit_test(a_type_is_named_when_it_is_known_and_else_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
