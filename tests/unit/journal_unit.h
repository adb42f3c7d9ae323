/*
 * What the journal's tests share: a journal in a memory world, records whose bytes follow from
 * their sequence, and checks that what is read back is what was accepted.
 */
#ifndef TTG_TESTS_JOURNAL_UNIT_H
#define TTG_TESTS_JOURNAL_UNIT_H

#include "unit.h"

#include <string.h>
#include "journal/journal.h"
#include "support/memory_world.h"

#define BED_DIRECTORY "/j"
#define BED_SEGMENT   (64u * 1024u)

/* A whole backup in one go. */
static inline enum ttg_error unit_backup(struct journal *journal, const char *directory,
                                         struct message *message)
{
	struct journal_backup *backup = NULL;
	enum ttg_error err = journal_backup_begin(&backup, journal, directory, message);

	if (err == TTG_OK)
		err = journal_backup_run(backup, message);
	journal_backup_end(&backup);
	return err;
}

static inline struct journal_options bed_options(void)
{
	struct journal_options options = {
		.directory = BED_DIRECTORY,
		.cipher = JOURNAL_AES_256_GCM,
		.segment_bytes = BED_SEGMENT,
		.buffer_bytes = 64u * 1024u,
	};

	memset(options.key, 0x42, sizeof(options.key));
	return options;
}

/* Record `sequence` of a test: its length and bytes follow from the number and a salt. */
static inline size_t bed_record(uint64_t sequence, uint64_t salt, uint8_t *out, size_t max)
{
	uint64_t state = sequence * 31 + salt;
	size_t len = (size_t)(unit_random(&state) % max);

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)unit_random(&state);
	return len;
}

static inline enum ttg_error bed_append(struct journal *journal, uint64_t salt, size_t max,
                                        uint64_t *sequence)
{
	static _Thread_local uint8_t bytes[JOURNAL_RECORD_MAX];
	struct journal_stats stats;
	struct journal_record record = { .kind = 1, .data = bytes };

	journal_get_stats(journal, &stats);
	record.kind = (uint8_t)(1 + stats.next_sequence % 255);
	record.len = bed_record(stats.next_sequence, salt, bytes, max);
	return journal_append(journal, &record, 1, sequence);
}

/* Appends n records and flushes after every `per_batch`. */
static inline void bed_fill(struct journal *journal, uint64_t n, uint64_t per_batch, uint64_t salt,
                            size_t max)
{
	uint64_t sequence;

	for (uint64_t i = 1; i <= n; i++) {
		assert_int_equal(bed_append(journal, salt, max, &sequence), TTG_OK);
		if (i % per_batch == 0)
			assert_int_equal(journal_flush(journal), TTG_OK);
	}
	assert_int_equal(journal_flush(journal), TTG_OK);
}

static inline bool bed_record_fits(uint64_t sequence, uint64_t salt, size_t max,
                                   const struct journal_record *record)
{
	static _Thread_local uint8_t bytes[JOURNAL_RECORD_MAX];
	size_t len = bed_record(sequence, salt, bytes, max);

	return record->kind == (uint8_t)(1 + sequence % 255) && record->len == len &&
	       memcmp(record->data, bytes, len) == 0;
}

/* Reads from `from` to the end and checks every record; returns the last sequence read. */
static inline uint64_t bed_check(struct journal *journal, uint64_t from, uint64_t salt, size_t max)
{
	struct journal_reader *reader = NULL;
	struct journal_record record;
	uint64_t sequence = 0;
	uint64_t expected = from;
	enum ttg_error err;

	assert_int_equal(journal_reader_open(&reader, journal), TTG_OK);
	assert_int_equal(journal_reader_seek(reader, from), TTG_OK);
	while ((err = journal_reader_next(reader, &sequence, &record)) == TTG_OK) {
		assert_int_equal(sequence, expected);
		assert_true(bed_record_fits(sequence, salt, max, &record));
		expected++;
	}
	assert_int_equal(err, TTG_EAGAIN);
	journal_reader_close(&reader);
	return expected - 1;
}

static inline struct journal *bed_open(struct memory_world *memory,
                                       const struct journal_options *options)
{
	struct journal *journal = NULL;
	struct message message = { "" };
	enum ttg_error err = journal_open(&journal, options, memory_world_table(memory), &message);

	if (err != TTG_OK)
		printf("open: %s: %s\n", ttg_error_name(err), message.text);
	assert_int_equal(err, TTG_OK);
	return journal;
}

/* The process dies as it stands; the object is freed without reaching the disk. */
static inline void bed_die(struct memory_world *memory, struct journal **journal,
                           enum memory_crash how)
{
	memory_world_kill(memory);
	journal_close(journal);
	memory_world_crash(memory, how);
}

#endif
