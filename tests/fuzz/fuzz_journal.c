/*
 * The journal's files - segments, HEAD, snapshot - after damage of any kind, forged checksums
 * included. The damaged directory is opened for writing and proved.
 *
 * Broken when: a record is read that is not the one once written under its number; the files of a
 * journal that was refused are not as they were; one that was opened cannot be written on, or does
 * not open again.
 */
#include "fuzz.h"

#include "damage.h"
#include "journal/journal.h"

#define RECORDS 8
#define RECORDS_FULL 20 /* a batch each: more than a segment holds */
#define RECORD_BYTES 40

static struct journal_options options(void)
{
	struct journal_options it = {
		.directory = "/j",
		.cipher = JOURNAL_CHACHA20_POLY1305,
		.segment_bytes = 64u * 1024u,
		.buffer_bytes = 64u * 1024u,
	};

	memset(it.key, 0x42, sizeof(it.key));
	return it;
}

static size_t record_bytes(uint64_t sequence, uint8_t out[RECORD_BYTES])
{
	memset(out, (int)(sequence & 0xff), RECORD_BYTES);
	return (size_t)(sequence % RECORD_BYTES);
}

static void append(struct journal *journal, uint64_t number)
{
	uint8_t bytes[RECORD_BYTES];
	uint64_t sequence = 0;
	const struct journal_record record = { .kind = 1,
					       .data = bytes,
					       .len = record_bytes(number, bytes) };

	MUST(journal_append(journal, &record, 1, &sequence) == TTG_OK);
	MUST(sequence == number && journal_flush(journal) == TTG_OK);
}

/* Which undamaged journal an input begins with: two segments and a snapshot in the middle. */
struct kind {
	bool killed; /* not closed, but as a killed process leaves it */
	bool full;   /* the first segment was filled, or else a second life began the next one */
};

static struct memory_world *undamaged(struct kind kind)
{
	const uint64_t records = kind.full ? RECORDS_FULL : RECORDS;
	struct memory_world *memory = memory_world_new(11);
	struct journal *journal = NULL;
	const struct journal_options how = options();

	MUST(journal_open(&journal, &how, memory_world_table(memory), NULL) == TTG_OK);
	for (uint64_t i = 1; i <= records; i++) {
		append(journal, i);
		if (i != records / 2)
			continue;
		MUST(journal_snapshot_save(journal, i, "state", 5, NULL) == TTG_OK);
		if (kind.full)
			continue;
		journal_close(&journal);
		MUST(journal_open(&journal, &how, memory_world_table(memory), NULL) == TTG_OK);
	}
	if (kind.killed)
		memory_world_kill(memory);
	journal_close(&journal);
	if (kind.killed)
		memory_world_crash(memory, MEMORY_CRASH_PROCESS);
	return memory;
}

/* Kept between inputs, never changed: it costs a thousand times what one input does. */
static struct memory_world *copy_of_undamaged(struct kind kind)
{
	static struct memory_world *kept[2][2];
	struct memory_world **it = &kept[kind.killed][kind.full];

	if (!*it)
		*it = undamaged(kind);
	const struct memory_moment now = memory_world_moment(*it);
	struct memory_world *copy = memory_world_clone(*it);
	memory_world_go_back(*it, &now); /* every input sees the same random numbers */
	return copy;
}

/* Reads all there is; the last number. */
static uint64_t check_records(struct journal *journal)
{
	struct journal_reader *reader = NULL;
	struct journal_record record;
	struct journal_stats stats;
	uint64_t sequence = 0, expected;
	uint8_t bytes[RECORD_BYTES];

	journal_get_stats(journal, &stats);
	expected = stats.first_sequence;
	MUST(journal_reader_open(&reader, journal) == TTG_OK);
	enum ttg_error error = journal_reader_seek(reader, expected);
	while (!error && !(error = journal_reader_next(reader, &sequence, &record))) {
		MUST(sequence == expected && record.len == record_bytes(sequence, bytes));
		MUST(record.kind == 1 && memcmp(record.data, bytes, record.len) == 0);
		expected++;
	}
	MUST(error == TTG_EAGAIN && expected == stats.next_sequence);
	journal_reader_close(&reader);
	return expected - 1;
}

static void use(struct journal *journal, struct memory_world *memory)
{
	const struct journal_options how = options();
	struct message message = { "" };
	uint8_t *snapshot = NULL;
	size_t snapshot_bytes = 0;
	uint64_t from = 0;

	const uint64_t last = check_records(journal);
	if (journal_snapshot_load(journal, &from, &snapshot, &snapshot_bytes, &message) == TTG_OK)
		MUST(snapshot_bytes == 5 && memcmp(snapshot, "state", 5) == 0);
	free(snapshot);
	append(journal, last + 1);
	journal_close(&journal);
	MUST(journal_open(&journal, &how, memory_world_table(memory), &message) == TTG_OK);
	MUST(check_records(journal) == last + 1);
	journal_close(&journal);
}

static bool is_there(struct memory_world *memory, const char *path)
{
	const char *name = NULL;

	for (size_t i = 0; (name = memory_world_name(memory, i)); i++)
		if (strcmp(name, path) == 0)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	const struct journal_options how = options();
	const uint8_t first = fuzz_u8(&input);
	const struct kind kind = { .killed = first & 1, .full = (first & 6) == 6 };
	struct memory_world *memory = copy_of_undamaged(kind);
	struct journal *journal = NULL;
	struct journal_verify_result result;
	struct message message = { "" };

	fuzz_damage(&input, memory);
	const uint64_t changes = memory_world_changes(memory);
	journal_verify("/j", how.key, memory_world_table(memory), 1, NULL, NULL, &result, &message);
	journal_verify("/j", NULL, memory_world_table(memory), 1, NULL, NULL, &result, &message);
	MUST(memory_world_changes(memory) == changes);
	const uint64_t lock_made = is_there(memory, "/j/LOCK") ? 0 : 1;
	const enum ttg_error error =
		journal_open(&journal, &how, memory_world_table(memory), &message);
	if (error) {
		MUST(!journal && message.text[0] != '\0');
		MUST(memory_world_changes(memory) == changes + lock_made); /* files stay as they are */
	} else {
		use(journal, memory);
	}
	memory_world_free(&memory);
	return 0;
}
