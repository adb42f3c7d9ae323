/*
 * Which rules were in force when: their text is in the journal before the record of the change, recovery
 * knows what the living core knew, and retention lets no text go that is needed.
 */
#include "support/core_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/keys.h"
#include "core/redelivery.h"
#include "core/rules_past.h"
#include "core/rules_text.h"

#define MANY_AGENCIES 200
#define MANY_GRANTS 2000

static void change(struct play *play, struct rules *rules)
{
	play_wait(play, PLAY_SECOND);
	assert_int_equal(core_set_rules(play->core, &play->now, rules), TTG_OK);
	rules_free(&play->rules);
	play->rules = rules;
}

static void settle(struct play *play)
{
	play->durable = play->n_records;
	core_durable(play->core, play->durable);
}

/* Rules of which one number differs. */
static struct rules *other_rules(uint32_t max_attempts)
{
	struct rules *rules = play_rules(true);

	rules->mailboxes[BOX_DESK].max_attempts = max_attempts;
	assert_true(rules_finish(rules));
	return rules;
}

/* As the journal holds it now, malloc'd; NULL when it does not. */
static char *text_of(const struct play *play, const struct rules_version *version)
{
	char *text = calloc(1, version->parts * (size_t)RECORD_RULES_PART + 1);

	assert_non_null(text);
	for (uint32_t i = 0; i < version->parts; i++) {
		const struct play_record *it = &play->records[version->text - 1 + i];
		struct record_rules_text part;

		if (!it->data) {
			free(text);
			return NULL;
		}
		assert_int_equal(it->kind, RECORD_RULES_TEXT);
		assert_true(record_get_rules_text(it->data, it->len, &part));
		assert_int_equal(part.part, i);
		assert_int_equal(part.n_parts, version->parts);
		strncat(text, part.lines, part.len);
	}
	return text;
}

struct expected {
	const char *at;
};

static bool same_line(void *arg, const char *line, size_t len)
{
	struct expected *expected = arg;

	if (strncmp(expected->at, line, len) != 0 || expected->at[len] != '\n')
		return false;
	expected->at += len + 1;
	return true;
}

/* The journal holds exactly the lines of these rules for this version. */
static void must_hold(const struct play *play, size_t index, const struct rules *rules)
{
	const struct rules_version *version = core_rules_version(play->core, index);
	char *text = text_of(play, version);
	struct expected expected = { text };

	assert_non_null(text);
	assert_true(rules_text(rules, same_line, &expected));
	assert_string_equal(expected.at, "");
	assert_memory_equal(version->digest, rules->digest, DIGEST_BYTES);
	assert_int_equal(version->n_grants, rules->n_publish + rules->n_deliver);
	free(text);
}

/* The living core, one of its records, and one of its snapshot say the same to the byte. */
static void must_recover(struct play *play)
{
	uint8_t *live, *replayed, *restored;
	size_t live_len, replayed_len, restored_len;

	assert_int_equal(core_snapshot(play->core, &live, &live_len), TTG_OK);
	play_restart(play, play->n_records, NULL, 0);
	assert_int_equal(core_snapshot(play->core, &replayed, &replayed_len), TTG_OK);
	play_restart(play, play->n_records, live, live_len);
	assert_int_equal(core_snapshot(play->core, &restored, &restored_len), TTG_OK);
	assert_int_equal(replayed_len, live_len);
	assert_int_equal(restored_len, live_len);
	assert_memory_equal(replayed, live, live_len);
	assert_memory_equal(restored, live, live_len);
	free(live);
	free(replayed);
	free(restored);
}

static void the_text_of_rules_stands_before_the_record_that_they_changed(void **state)
{
	struct play *play = play_new(8, 100);
	const struct rules_version *version = core_rules_version(play->core, 0);
	const uint64_t first = play->n_records;

	(void)state;
	assert_int_equal(core_rules_count(play->core), 1);
	assert_int_equal(version->since, first);
	assert_int_equal(version->since_ns, PLAY_NOW);
	assert_int_equal(version->text + version->parts, first);
	assert_int_equal(play->records[first - 1].kind, RECORD_RULES);
	must_hold(play, 0, play->rules);
	assert_int_equal(core_set_rules(play->core, &play->now, play->rules), TTG_OK);
	assert_int_equal(play->n_records, first); /* nothing changed, nothing to say */
	play_free(&play);
}

static void it_is_known_which_rules_were_in_force_at_any_moment(void **state)
{
	struct play *play = play_new(8, 100);
	const uint64_t first = play->n_records;

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	change(play, other_rules(7));
	const uint64_t second = play->n_records;
	play_say(play, TYPE_RELEASED, 2);
	change(play, other_rules(9));
	assert_int_equal(core_rules_count(play->core), 3);
	assert_null(core_rules_of(play->core, first - 1));
	assert_ptr_equal(core_rules_of(play->core, first), core_rules_version(play->core, 0));
	assert_ptr_equal(core_rules_of(play->core, second - 1), core_rules_version(play->core, 0));
	assert_ptr_equal(core_rules_of(play->core, second), core_rules_version(play->core, 1));
	assert_ptr_equal(core_rules_of(play->core, UINT64_MAX), core_rules_version(play->core, 2));
	assert_null(core_rules_at(play->core, PLAY_NOW - 1));
	assert_ptr_equal(core_rules_at(play->core, PLAY_NOW), core_rules_version(play->core, 0));
	assert_ptr_equal(core_rules_at(play->core, PLAY_NOW + PLAY_SECOND),
			 core_rules_version(play->core, 1));
	assert_ptr_equal(core_rules_at(play->core, INT64_MAX), core_rules_version(play->core, 2));
	must_hold(play, 2, play->rules);
	must_recover(play);
	assert_int_equal(core_rules_count(play->core), 3);
	must_hold(play, 2, play->rules);
	play_free(&play);
}

/* A crash keeps the records that were appended as one, or none; here worse disks are played, too. */
static void a_crash_inside_of_a_text_leaves_the_old_rules_and_a_start_says_the_new(void **state)
{
	(void)state;
	for (unsigned lost = 1; lost <= 2; lost++) {
		struct play *play = play_new(8, 100);
		const uint64_t before = play->n_records;

		change(play, other_rules(7));
		assert_int_equal(play->n_records, before + 2); /* one part, and the change */
		play_restart(play, play->n_records - lost, NULL, 0);
		assert_int_equal(core_rules_count(play->core), 2);
		assert_int_equal(core_rules_version(play->core, 1)->since, play->n_records);
		must_hold(play, 1, play->rules);
		must_recover(play);
		play_free(&play);
	}
}

static void rules_that_find_no_room_change_nothing(void **state)
{
	struct play *play = play_new(8, 100);
	const uint64_t before = play->n_records;
	struct rules *rules = other_rules(7);

	(void)state;
	for (int i = 0; i < 2; i++) {
		play->append_fails = i ? TTG_EAGAIN : TTG_ENOSPC;
		assert_int_equal(core_set_rules(play->core, &play->now, rules), play->append_fails);
	}
	play->append_fails = TTG_OK;
	assert_int_equal(play->n_records, before);
	assert_int_equal(core_rules_count(play->core), 1);
	change(play, rules);
	must_hold(play, 1, play->rules);
	play_free(&play);
}

/* Its record found no room when it was made. */
static void what_left_under_the_old_rules_is_recorded_before_they_change(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_say(play, TYPE_RELEASED, 1);
	settle(play);
	const uint64_t before = play->n_records;
	play->append_fails = TTG_EAGAIN;
	core_pump(play->core, &play->now);
	assert_int_equal(play->n_deliveries, 1);
	play->append_fails = TTG_OK;
	assert_int_equal(play->n_records, before);
	change(play, other_rules(7));
	assert_int_equal(play->n_records, before + 3);
	assert_int_equal(play->records[before].kind, RECORD_DELIVERED);
	assert_int_equal(play->records[before + 2].kind, RECORD_RULES);
	play_free(&play);
}

static struct rules *many_rules(void)
{
	struct rules *rules = play_rules(true);

	rules->agencies = realloc(rules->agencies, (5 + MANY_AGENCIES) * sizeof(*rules->agencies));
	rules->mailboxes = realloc(rules->mailboxes, (N_BOXES + MANY_AGENCIES) * sizeof(*rules->mailboxes));
	assert_non_null(rules->agencies);
	assert_non_null(rules->mailboxes);
	for (uint32_t i = 0; i < MANY_AGENCIES; i++) {
		struct rules_agency *agency = &rules->agencies[5 + i];
		struct rules_mailbox *box = &rules->mailboxes[N_BOXES + i];

		memset(agency, 0, sizeof(*agency));
		memset(box, 0, sizeof(*box));
		snprintf(agency->id, sizeof(agency->id), "z-agency-of-a-partnership-%03u", i);
		snprintf(agency->name, sizeof(agency->name), "Agency %u of a large partnership", i);
		snprintf(box->id, sizeof(box->id), "%s/referrals-inbox", agency->id);
		box->agency = 5 + i;
		box->max_attempts = 1;
	}
	rules->n_agencies += MANY_AGENCIES;
	rules->n_mailboxes += MANY_AGENCIES;
	for (uint32_t i = 0; i < MANY_GRANTS; i++)
		play_grant(rules, i % 2 ? TYPE_RELEASED : TYPE_FUTURE, i % (5 + MANY_AGENCIES),
			   N_BOXES + i % MANY_AGENCIES, AGREED_ALWAYS);
	assert_true(rules_finish(rules));
	return rules;
}

static void the_rules_of_two_hundred_agencies_take_several_parts(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	change(play, many_rules());
	assert_in_range(core_rules_version(play->core, 1)->parts, 2, 8);
	must_hold(play, 1, play->rules);
	for (unsigned i = 0; i < core_rules_version(play->core, 1)->parts; i++)
		assert_true(play->records[core_rules_version(play->core, 1)->text - 1 + i].len <=
			    RECORD_RULES_PART + 64);
	must_recover(play);
	play_free(&play);
}

/* What retention takes. */
static void forget_below(struct play *play, uint64_t first)
{
	for (uint64_t i = 1; i < first; i++) {
		free(play->records[i - 1].data);
		play->records[i - 1].data = NULL;
	}
}

static void a_text_that_is_needed_is_said_again_before_it_goes(void **state)
{
	struct play *play = play_new(8, 100);
	const struct rules_version *version;
	struct rules *first = play_rules(true);
	uint64_t middle, since;

	(void)state;
	middle = play_say(play, TYPE_FUTURE, 0); /* nobody has to read it again */
	change(play, other_rules(7));
	settle(play);
	since = core_rules_version(play->core, 0)->since;
	/* Former rules: out of the journal. */
	assert_int_equal(core_keep_rules(play->core, &play->now, 1), TTG_OK);
	assert_int_equal(core_keep_rules(play->core, &play->now, middle), TTG_EAGAIN);
	version = core_rules_version(play->core, 0);
	assert_int_equal(version->text + version->parts, play->n_records);
	assert_int_equal(core_keep_rules(play->core, &play->now, middle), TTG_EAGAIN); /* not durable */
	settle(play);
	assert_int_equal(core_keep_rules(play->core, &play->now, middle), TTG_OK);
	forget_below(play, middle);
	must_hold(play, 0, first);
	assert_int_equal(version->since, since);
	assert_int_equal(version->since_ns, PLAY_NOW);
	assert_int_equal(core_rules_count(play->core), 2);
	/* Those in force now: whatever became of the journal. */
	forget_below(play, play->n_records);
	assert_int_equal(core_keep_rules(play->core, &play->now, play->n_records), TTG_EAGAIN);
	must_hold(play, 1, play->rules);
	assert_int_equal(play_noted(play, "rules_said_again"), 2);
	rules_free(&first);
	play_free(&play);
}

static void what_was_said_again_outlives_a_restart_and_is_no_change(void **state)
{
	struct play *play = play_new(8, 100);
	struct core_history history;

	(void)state;
	change(play, other_rules(7));
	settle(play);
	const uint64_t records = play->n_records;
	assert_int_equal(core_keep_rules(play->core, &play->now, records - 2), TTG_EAGAIN);
	assert_int_equal(play->n_records, records + 2);
	must_recover(play);
	assert_int_equal(play->n_records, records + 2);
	for (uint64_t i = records; i <= records + 2; i++) {
		const struct play_record *it = &play->records[i - 1];

		assert_int_equal(core_history_read(play->core, i, it->kind, it->data, it->len, &history),
				 i == records);
	}
	play_free(&play);
}

static void a_text_that_is_gone_or_finds_no_room_stops_nothing(void **state)
{
	struct play *play = play_new(8, 100);
	uint64_t middle;

	(void)state;
	middle = play_say(play, TYPE_FUTURE, 0);
	change(play, other_rules(7));
	settle(play);
	play->append_fails = TTG_ENOSPC;
	assert_int_equal(core_keep_rules(play->core, &play->now, middle), TTG_ENOSPC);
	play->append_fails = TTG_OK;
	play->read_fails = TTG_EAGAIN;
	assert_int_equal(core_keep_rules(play->core, &play->now, middle), TTG_EAGAIN);
	play->read_fails = TTG_OK;
	forget_below(play, middle);
	const uint64_t records = play->n_records;
	assert_int_equal(core_keep_rules(play->core, &play->now, middle), TTG_OK);
	assert_int_equal(play->n_records, records);
	play_free(&play);
}

/* The record as versions before this one wrote it. */
static void rules_recorded_without_a_text_get_one_at_the_next_start(void **state)
{
	struct play *play = play_new(8, 100);
	uint64_t since;

	(void)state;
	for (uint64_t i = 1; i <= play->n_records; i++) {
		struct play_record *it = &play->records[i - 1];

		if (it->kind == RECORD_RULES_TEXT)
			it->kind = RECORD_FOREIGN;
		if (it->kind != RECORD_RULES)
			continue;
		it->data[0] = 1;
		it->len -= 2; /* parts and since, a byte each */
	}
	since = play->n_records;
	play_restart(play, since, NULL, 0);
	assert_int_equal(core_rules_count(play->core), 1);
	assert_int_equal(core_rules_version(play->core, 0)->since, since);
	assert_int_equal(play->n_records, since + 2);
	must_hold(play, 0, play->rules);
	must_recover(play);
	play_free(&play);
}

/* Cuts keys, past rules, redeliveries and referrals out of a snapshot, which is then of the version
 * before. */
static void make_older(const struct play *play, uint8_t *snapshot, size_t *len)
{
	const struct rules_version *version = core_rules_version(play->core, 0);
	struct rules_past past = { .n = 0 };
	uint8_t bytes[256], *found;
	struct cursor cursor;

	assert_true(rules_past_add(&past, version));
	cursor_init_write(&cursor, bytes, sizeof(bytes));
	keys_save(&(struct keys){ .n = 0 }, &cursor); /* nothing is sealed here */
	rules_past_save(&past, &cursor);
	redeliveries_save(&(struct redeliveries){ .n = 0 }, &cursor);
	rules_past_fini(&past);
	cursor_put_varint(&cursor, 0); /* no referral is followed */
	found = memmem(snapshot, *len, bytes, cursor_offset(&cursor));
	assert_non_null(found);
	*len -= cursor_offset(&cursor);
	memmove(found, found + cursor_offset(&cursor), *len - (size_t)(found - snapshot));
	snapshot[7] = 3;
	cursor_init_write(&cursor, snapshot + 8, 8);
	cursor_put_u64(&cursor, *len);
}

static void an_older_snapshot_knows_no_rules_and_the_next_start_says_them(void **state)
{
	struct play *play = play_new(8, 100);
	uint8_t *snapshot;
	size_t len;

	(void)state;
	assert_int_equal(core_snapshot(play->core, &snapshot, &len), TTG_OK);
	make_older(play, snapshot, &len);
	const uint64_t before = play->n_records;
	play_restart(play, before, snapshot, len);
	assert_int_equal(core_rules_count(play->core), 1);
	assert_int_equal(core_rules_version(play->core, 0)->since, before + 2);
	assert_null(core_rules_of(play->core, before));
	must_hold(play, 0, play->rules);
	free(snapshot);
	play_free(&play);
}

static struct record_rules_text some_part(const uint8_t *digest, uint32_t part, uint32_t n)
{
	static const char lines[] = "one line\nanother one\n";

	return (struct record_rules_text){ digest, part, n, lines, sizeof(lines) - 1 };
}

static size_t encode(const struct record_rules_text *it, uint8_t out[512])
{
	struct cursor cursor;

	cursor_init_write(&cursor, out, 512);
	record_put_rules_text(&cursor, it);
	assert_true(cursor_ok(&cursor));
	return cursor_offset(&cursor);
}

static void a_part_reads_as_it_was_written_and_every_other_length_is_damage(void **state)
{
	const uint8_t digest[RECORD_DIGEST] = { 9, 8, 7 };
	const struct record_rules_text it = some_part(digest, 3, 5);
	struct record_rules_text read;
	uint8_t bytes[512];
	const size_t len = encode(&it, bytes);

	(void)state;
	assert_true(record_get_rules_text(bytes, len, &read));
	assert_int_equal(read.part, 3);
	assert_int_equal(read.n_parts, 5);
	assert_int_equal(read.len, it.len);
	assert_memory_equal(read.lines, it.lines, it.len);
	assert_memory_equal(read.digest, digest, sizeof(digest));
	for (size_t i = 0; i <= len + 1; i++) {
		uint8_t *copy = calloc(1, i + 1); /* exactly so long, for the sanitizer */

		memcpy(copy, bytes, i < len ? i : len);
		assert_int_equal(record_get_rules_text(copy, i, &read), i == len);
		free(copy);
	}
}

static void parts_that_cannot_be_are_damage(void **state)
{
	const uint8_t digest[RECORD_DIGEST] = { 1 };
	static const char *const bad[] = { "", "no end", "\n", "a\n\nb\n", "a\tb\n", "\na\n", "a\001\n" };
	struct record_rules_text it = some_part(digest, 5, 5), read;
	uint8_t bytes[512];

	(void)state;
	assert_false(record_get_rules_text(bytes, encode(&it, bytes), &read));
	it = some_part(digest, 0, RECORD_MAX_PARTS + 1);
	assert_false(record_get_rules_text(bytes, encode(&it, bytes), &read));
	it = some_part(digest, 0, RECORD_MAX_PARTS);
	assert_true(record_get_rules_text(bytes, encode(&it, bytes), &read));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		it = (struct record_rules_text){ digest, 0, 1, bad[i], strlen(bad[i]) };
		assert_false(record_get_rules_text(bytes, encode(&it, bytes), &read));
	}
}

/* Applied as the next record. */
static enum ttg_error apply_part(struct play *play, const uint8_t *digest, uint32_t part, uint32_t n)
{
	const struct record_rules_text it = some_part(digest, part, n);
	uint8_t bytes[512];
	const size_t len = encode(&it, bytes);

	return core_apply(play->core, core_sequence(play->core) + 1, RECORD_RULES_TEXT, bytes, len, NULL);
}

static enum ttg_error apply_rules(struct play *play, const uint8_t *digest, uint32_t parts, uint64_t since)
{
	const struct record_rules it = { PLAY_NOW, digest, 1, parts, since };
	struct cursor cursor;
	uint8_t bytes[512];

	cursor_init_write(&cursor, bytes, sizeof(bytes));
	record_put_rules(&cursor, &it);
	return core_apply(play->core, core_sequence(play->core) + 1, RECORD_RULES, bytes,
			  cursor_offset(&cursor), NULL);
}

static void parts_and_change_must_fit_each_other(void **state)
{
	struct play *play = play_new(8, 100);
	struct digest *sum = digest_new();
	uint8_t digest[DIGEST_BYTES], other[DIGEST_BYTES] = { 1 };

	(void)state;
	assert_non_null(sum);
	for (int i = 0; i < 2; i++) {
		rules_text_digest(sum, "one line", 8);
		rules_text_digest(sum, "another one", 11);
	}
	assert_true(digest_end(sum, digest));
	digest_free(&sum);
	assert_int_equal(apply_rules(play, digest, 2, 0), TTG_ECORRUPT);   /* no text */
	assert_int_equal(apply_part(play, digest, 1, 2), TTG_ECORRUPT);    /* not the first */
	assert_int_equal(apply_part(play, digest, 0, 2), TTG_OK);
	assert_int_equal(apply_rules(play, digest, 2, 0), TTG_ECORRUPT);   /* not whole */
	assert_int_equal(apply_part(play, digest, 1, 3), TTG_ECORRUPT);    /* of another text */
	assert_int_equal(apply_part(play, other, 1, 2), TTG_ECORRUPT);
	assert_int_equal(apply_part(play, digest, 1, 2), TTG_OK);
	assert_int_equal(apply_rules(play, digest, 1, 0), TTG_ECORRUPT);
	assert_int_equal(apply_part(play, digest, 0, 2), TTG_OK);          /* again, from the start */
	assert_int_equal(apply_part(play, digest, 1, 2), TTG_OK);
	assert_int_equal(apply_rules(play, other, 2, 0), TTG_ECORRUPT);    /* another digest */
	assert_int_equal(apply_part(play, digest, 0, 2), TTG_OK);
	assert_int_equal(apply_part(play, digest, 1, 2), TTG_OK);
	assert_int_equal(apply_rules(play, digest, 2, 77), TTG_ECORRUPT);  /* never in force */
	assert_int_equal(apply_part(play, digest, 0, 2), TTG_OK);
	assert_int_equal(apply_part(play, digest, 1, 2), TTG_OK);
	assert_int_equal(apply_rules(play, digest, 2, 0), TTG_OK);
	assert_int_equal(core_rules_count(play->core), 2);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_of_rules_stands_before_the_record_that_they_changed),
		cmocka_unit_test(it_is_known_which_rules_were_in_force_at_any_moment),
		cmocka_unit_test(a_crash_inside_of_a_text_leaves_the_old_rules_and_a_start_says_the_new),
		cmocka_unit_test(rules_that_find_no_room_change_nothing),
		cmocka_unit_test(what_left_under_the_old_rules_is_recorded_before_they_change),
		cmocka_unit_test(the_rules_of_two_hundred_agencies_take_several_parts),
		cmocka_unit_test(a_text_that_is_needed_is_said_again_before_it_goes),
		cmocka_unit_test(what_was_said_again_outlives_a_restart_and_is_no_change),
		cmocka_unit_test(a_text_that_is_gone_or_finds_no_room_stops_nothing),
		cmocka_unit_test(rules_recorded_without_a_text_get_one_at_the_next_start),
		cmocka_unit_test(an_older_snapshot_knows_no_rules_and_the_next_start_says_them),
		cmocka_unit_test(a_part_reads_as_it_was_written_and_every_other_length_is_damage),
		cmocka_unit_test(parts_that_cannot_be_are_damage),
		cmocka_unit_test(parts_and_change_must_fit_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
