/*
 * The journal as a subject: three segments of small batches, records whose bytes follow from their
 * number; closed, killed, or stopped with the machine; and one whose beginning only its snapshots
 * stand for.
 */
#include "damage/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "journal/journal.h"
#include "support/must.h"

#define DIRECTORY      "/j"
#define SEGMENT_BYTES  (64u * 1024u)
#define RECORD_BYTES   200
#define PER_BATCH      3
#define SMALL_LIVES    3
#define SMALL_RECORDS  6   /* of one life */
#define LARGE_RECORDS  120 /* fills two segments and more, a block each batch */
#define SNAPSHOT_OLD   60
#define SNAPSHOT_NEW   90

static struct journal_options options(void)
{
	struct journal_options it = {
		.directory = DIRECTORY,
		.cipher = JOURNAL_AES_256_GCM,
		.segment_bytes = SEGMENT_BYTES,
		.buffer_bytes = 64u * 1024u,
	};

	memset(it.key, 0x42, sizeof(it.key));
	return it;
}

static size_t bytes_of(uint64_t sequence, uint8_t out[RECORD_BYTES])
{
	for (size_t i = 0; i < RECORD_BYTES; i++)
		out[i] = (uint8_t)(sequence * 31 + i * i);
	return RECORD_BYTES - (size_t)(sequence % 100);
}

static void append(struct journal *journal, uint64_t sequence)
{
	uint8_t bytes[RECORD_BYTES];
	struct journal_record record = { .kind = 1, .data = bytes };
	uint64_t number;

	record.len = bytes_of(sequence, bytes);
	MUST(journal_append(journal, &record, 1, &number) == TTG_OK && number == sequence);
	if (sequence % PER_BATCH == 0)
		MUST(journal_flush(journal) == TTG_OK);
}

static void save_snapshot(struct journal *journal, uint64_t sequence)
{
	uint8_t bytes[RECORD_BYTES];
	size_t len = bytes_of(sequence, bytes);

	MUST(journal_snapshot_save(journal, sequence, bytes, len, NULL) == TTG_OK);
}

static struct journal *open_good(struct memory_world *world)
{
	struct journal_options it = options();
	struct journal *journal = NULL;

	MUST(journal_open(&journal, &it, memory_world_table(world), NULL) == TTG_OK);
	return journal;
}

static void remember(struct subject *subject)
{
	if (subject->n_moments < SUBJECT_MOMENTS)
		subject->moments[subject->n_moments++] = memory_world_clone(subject->world);
}

/* Every record from `from` on; the newest one's number, or 0 when one is not as it was. */
static uint64_t read_all(struct journal *journal, uint64_t from)
{
	struct journal_reader *reader = NULL;
	struct journal_record record;
	uint8_t wanted[RECORD_BYTES];
	uint64_t sequence, next = from;
	enum ttg_error error;

	MUST(journal_reader_open(&reader, journal) == TTG_OK);
	error = journal_reader_seek(reader, from);
	while (error == TTG_OK) {
		error = journal_reader_next(reader, &sequence, &record);
		if (error != TTG_OK)
			break;
		if (sequence != next || record.len != bytes_of(sequence, wanted) ||
		    memcmp(record.data, wanted, record.len) != 0) {
			error = TTG_ECORRUPT;
			break;
		}
		next++;
	}
	journal_reader_close(&reader);
	return error == TTG_EAGAIN ? next - 1 : 0;
}

/* Where reading must begin: behind the snapshot that was given, or at 1. 0: what was given is wrong. */
static uint64_t begin_at(struct journal *journal, const struct subject *subject,
			 enum ttg_error *error, struct message *message)
{
	uint8_t wanted[RECORD_BYTES], *data = NULL;
	uint64_t sequence = 0;
	size_t len = 0;

	*error = journal_snapshot_load(journal, &sequence, &data, &len, message);
	if (*error == TTG_ENOENT && subject->state_at == 0) {
		*error = TTG_OK;
		return 1;
	}
	bool good = *error == TTG_OK && sequence > 0 && sequence <= subject->accepted &&
		    len == bytes_of(sequence, wanted) && memcmp(data, wanted, len) == 0;
	free(data);
	return good ? sequence + 1 : 0;
}

static enum verdict judge(const struct subject *subject, struct memory_world *damaged,
			  struct message *message)
{
	struct journal_options it = options();
	struct journal_verify_result result;
	struct journal *journal = NULL;
	uint64_t writes = memory_world_calls(damaged, MEMORY_WRITE);
	enum ttg_error verified = journal_verify(DIRECTORY, it.key, memory_world_table(damaged), 1,
						 NULL, NULL, &result, NULL);
	enum ttg_error error = journal_open(&journal, &it, memory_world_table(damaged), message);
	enum verdict verdict = VERDICT_LOST;

	if (error == TTG_OK) {
		uint64_t from = begin_at(journal, subject, &error, message);
		uint64_t last = from == subject->accepted + 1 ? subject->accepted : 0;

		if (from > 0 && last == 0)
			last = read_all(journal, from);
		if (last == subject->accepted && verified == TTG_OK)
			verdict = VERDICT_WHOLE;
		else if (last == subject->before_newest && last > 0 && subject->may_be_torn)
			verdict = VERDICT_TORN;
		else if (error == TTG_ECORRUPT && subject_message_helps(message))
			verdict = VERDICT_FOUND; /* a snapshot that is needed */
	} else if (error == TTG_ECORRUPT && verified == TTG_ECORRUPT &&
		   memory_world_calls(damaged, MEMORY_WRITE) == writes &&
		   subject_message_helps(message)) {
		verdict = VERDICT_FOUND;
	}
	journal_close(&journal);
	return verdict;
}

static void begin(struct subject *out, const char *name)
{
	*out = (struct subject){ .name = name, .world = memory_world_new(1), .judge = judge };
}

/* Several short lives: a segment each, and each cut to its length. */
static void live_shortly(struct subject *out)
{
	for (int life = 0; life < SMALL_LIVES; life++) {
		struct journal *journal = open_good(out->world);

		for (int i = 0; i < SMALL_RECORDS; i++)
			append(journal, ++out->accepted);
		remember(out);
		journal_close(&journal);
		remember(out);
	}
}

static void end_life(struct subject *out, struct journal *journal, enum memory_crash how)
{
	memory_world_kill(out->world);
	journal_close(&journal);
	memory_world_crash(out->world, how);
}

void subject_journal_closed(struct subject *out)
{
	begin(out, "journal, closed");
	live_shortly(out);
}

static void live_and_end(struct subject *out, enum memory_crash how)
{
	live_shortly(out);
	struct journal *journal = open_good(out->world);

	for (int i = 0; i < SMALL_RECORDS; i++) {
		append(journal, ++out->accepted);
		if (out->accepted % PER_BATCH == 0 && i + 1 < SMALL_RECORDS)
			remember(out);
	}
	out->before_newest = out->accepted - PER_BATCH;
	end_life(out, journal, how);
}

void subject_journal_killed(struct subject *out)
{
	begin(out, "journal, killed");
	live_and_end(out, MEMORY_CRASH_PROCESS);
}

void subject_journal_stopped(struct subject *out)
{
	begin(out, "journal, machine stopped");
	out->may_be_torn = true;
	live_and_end(out, MEMORY_CRASH_LOSE);
}

void subject_snapshots(struct subject *out)
{
	begin(out, "journal behind snapshots");
	struct journal *journal = open_good(out->world);

	while (out->accepted < LARGE_RECORDS) {
		append(journal, ++out->accepted);
		if (out->accepted == SNAPSHOT_OLD || out->accepted == SNAPSHOT_NEW) {
			save_snapshot(journal, out->accepted);
			remember(out);
		}
	}
	out->state_at = SNAPSHOT_NEW;
	uint64_t removed = 0;
	MUST(journal_retain(journal, SNAPSHOT_OLD + 1, &removed) == TTG_OK && removed > 0);
	remember(out);
	journal_close(&journal);
}
