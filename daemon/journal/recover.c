/*
 * Opening what is there: the proof of scan.c, and then the few writes that make its result last.
 *
 * Everything found valid counts as durable from now on, so it is synced once more before anybody is
 * told: a process that was killed may have left whole batches in the page cache whose sync never
 * returned. Nothing is written before the whole directory is proven; leftovers of a retention that
 * was cut short go last.
 *
 * No segment of an earlier life is written to again, so those that a crash left at their allocated
 * size are cut (cut.c) before the room is counted. The next one is made when the first batch needs
 * it, and its header records where its predecessor ends, torn tail or not.
 */
#include "journal/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "journal/scan.h"

static enum ttg_error failed(struct message *message, const char *path, const char *what,
                             int result)
{
	return message_set(message, world_error(result), "%s: %s: %s", path, what,
	                   strerror(-result));
}

/* The names of a directory that was just made last only when its parent is synced. */
static enum ttg_error sync_parent(struct journal *journal, struct message *message)
{
	char parent[SEGMENT_DIRECTORY];
	char *slash;
	size_t len = strlen(journal->directory);
	int result;

	memcpy(parent, journal->directory, len + 1);
	while (len > 1 && parent[len - 1] == '/')
		parent[--len] = '\0';
	slash = strrchr(parent, '/');
	if (slash == NULL)
		memcpy(parent, ".", 2);
	else
		slash[slash == parent ? 1 : 0] = '\0';
	result = journal->world->sync_dir(journal->world->self, parent);
	if (result < 0 && result != -EACCES && result != -EPERM) /* not ours to open: best effort */
		return failed(message, parent, "cannot be synced", result);
	return TTG_OK;
}

/* Snapshots without a journal: it was there, and is lost. */
static enum ttg_error refuse_remains(struct journal *journal, struct message *message)
{
	uint64_t *names;
	size_t count;
	enum ttg_error err = segment_list_names(journal->world, journal->directory,
	                                        SEGMENT_SNAPSHOT, &names, &count, message);

	free(names);
	if (err == TTG_OK && count > 0)
		return message_set(message, TTG_ECORRUPT,
		                   "%s/" HEAD_NAME
		                   ": offset 0: is missing, but snapshots are there",
		                   journal->directory);
	return err;
}

static enum ttg_error make_new(struct journal *journal, struct format_head *head,
                               struct message *message)
{
	const struct world *world = journal->world;
	int result;
	enum ttg_error err = sync_parent(journal, message);

	if (err != TTG_OK)
		return err;
	err = refuse_remains(journal, message);
	if (err != TTG_OK)
		return err;
	memset(head, 0, sizeof(*head));
	result = world->random(world->self, head->journal_id, FORMAT_ID);
	if (result < 0)
		return failed(message, journal->directory, "no random bytes", result);
	return head_create(world, journal->directory, head, message);
}

/*
 * Writes the last batch again, as it was read. When its sync failed in an earlier life, the kernel may
 * take its pages for written though they are not: they can be read, and no sync would write them.
 * It is the only one in doubt, because nothing follows a failed sync.
 */
static int write_again(struct journal *journal, int file, const struct segment *last)
{
	const struct world *world = journal->world;
	uint64_t offset = last->batches > 0 ? last->last_offset : 0;
	uint64_t end = last->batches > 0 ? last->end : FORMAT_BLOCK;
	int result = 0;

	for (; offset < end && result >= 0; offset += FORMAT_BLOCK) {
		uint8_t block[FORMAT_BLOCK];

		result = world_read_all(world, file, block, sizeof(block), offset);
		if (result >= 0)
			result = world_write_all(world, file, block, sizeof(block), offset);
	}
	return result;
}

/* What was read back may never have been synced. */
static enum ttg_error sync_found(struct journal *journal, const struct segment *last,
                                 struct message *message)
{
	const struct world *world = journal->world;
	char path[SEGMENT_PATH];
	int file;
	int result;

	segment_path(path, journal->directory, SEGMENT_FILE, last->header.first_sequence);
	file = world->open(world->self, path, WORLD_WRITE);
	if (file < 0)
		return failed(message, path, "cannot be opened for writing", file);
	result = write_again(journal, file, last);
	if (result >= 0)
		result = world->sync(world->self, file);
	(void)world->close(world->self, file);
	if (result >= 0)
		result = world->sync_dir(world->self, journal->directory);
	return result < 0 ? failed(message, path, "cannot be synced", result) : TTG_OK;
}

static void adopt_last(struct journal *journal, const struct segment *last)
{
	struct writer *writer = &journal->writer;

	writer->epoch = last->header.epoch > writer->epoch ? last->header.epoch : writer->epoch;
	if (last->batches == 0) { /* made, and then a crash: the next one takes its name */
		writer->link = last->header.previous;
		return;
	}
	writer->link.segment = last->header.first_sequence;
	writer->link.end = last->end;
	memcpy(writer->link.chain, last->chain, JOURNAL_HASH_BYTES);
}

/* After the cut: what each file takes, and what the next segment will give back. */
static void adopt_sizes(struct journal *journal, const struct segment *last)
{
	struct writer *writer = &journal->writer;

	for (size_t i = 0; i < journal->segments.count; i++)
		journal->shared.disk_bytes += journal->segments.items[i]->file_bytes;
	if (last->batches == 0) {
		writer->replaced_bytes = last->file_bytes;
	} else if (last->used_bytes < last->file_bytes) { /* torn, or it could not be cut */
		writer->recovered_used = last->used_bytes;
		writer->recovered_bytes = last->file_bytes;
	}
}

/*
 * HEAD as it was read may never have been synced: before files go because of it, or the newest
 * segment is cut, it is made to last. Before a cut it says "closed", in both slots as after a clean
 * end, whatever was read: that may stand in memory only, after a sync that failed.
 */
static enum ttg_error mark_found(struct journal *journal, const struct segment *last,
                                 bool leftovers, struct message *message)
{
	struct format_head *head = &journal->writer.head;
	bool same = head->end.segment == last->header.first_sequence &&
	            head->end.end == last->end &&
	            memcmp(head->salt, last->header.salt, FORMAT_SALT) == 0;
	bool close = cut_newest_wanted(last);
	int result;

	if (same && !leftovers && !close)
		return TTG_OK;
	if (head->first_held == 0) /* an old slot, the newer one being damaged */
		head->first_held = journal->segments.items[0]->header.first_sequence;
	head->closed = close || (same && head->closed);
	head->epoch = journal->writer.epoch;
	head->sequence = last->last_sequence;
	head->end.segment = last->header.first_sequence;
	head->end.end = last->end;
	memcpy(head->end.chain, last->chain, JOURNAL_HASH_BYTES);
	memcpy(head->salt, last->header.salt, FORMAT_SALT);
	result = head_write(journal->world, journal->writer.head_file, head);
	if (result >= 0 && close)
		result = head_write(journal->world, journal->writer.head_file, head);
	return result < 0 ? failed(message, HEAD_NAME, "cannot be written", result) : TTG_OK;
}

static void remove_leftovers(struct journal *journal, const struct scan *scan)
{
	const struct world *world = journal->world;
	char path[SEGMENT_PATH];

	for (size_t i = 0; i < scan->n_leftovers; i++) {
		segment_path(path, journal->directory, SEGMENT_FILE, scan->leftovers[i]);
		(void)world->unlink(world->self, path);
	}
	segment_path_named(path, journal->directory, SPARE_NAME);
	(void)world->unlink(world->self, path);
}

static void adopt_numbers(struct journal *journal, const struct scan *scan)
{
	struct shared *shared = &journal->shared;

	journal->next_sequence = scan->last_sequence + 1;
	journal->collected = scan->last_sequence;
	journal->writer.sequence = scan->last_sequence;
	journal->first_sequence = 1;
	if (journal->segments.count > 0)
		journal->first_sequence = journal->segments.items[0]->header.first_sequence;
	atomic_store(&journal->durable, scan->last_sequence);
	memcpy(shared->chain, scan->chain, JOURNAL_HASH_BYTES);
	shared->segments = journal->segments.count;
}

static enum ttg_error adopt(struct journal *journal, struct scan *scan, struct message *message)
{
	struct segment *last;
	enum ttg_error err;

	journal->segments = scan->segments;
	memset(&scan->segments, 0, sizeof(scan->segments));
	last = segment_list_last(&journal->segments);
	memcpy(journal->journal_id, scan->head.journal_id, FORMAT_ID);
	journal->writer.head = scan->head;
	journal->writer.epoch = scan->head.epoch;
	adopt_numbers(journal, scan);
	err = writer_init(journal, message);
	if (err != TTG_OK)
		return err;
	if (last != NULL) {
		err = sync_found(journal, last, message);
		adopt_last(journal, last);
		if (err == TTG_OK)
			err = mark_found(journal, last, scan->n_leftovers > 0, message);
		if (err == TTG_OK)
			err = cut_found(journal, message);
		adopt_sizes(journal, last);
	}
	journal->writer.epoch++;
	if (err == TTG_OK)
		remove_leftovers(journal, scan);
	return err;
}

static void read_early(void *arg, const struct format_head *head)
{
	snapshot_read_early(arg, head);
}

enum ttg_error recover_run(struct journal *journal, struct message *message)
{
	struct scan scan = {
		.world = journal->world,
		.directory = journal->directory,
		.key = journal->master,
		.threads = journal->options.threaded ? journal_processors() : 1,
		.message = message,
		.meanwhile = journal->options.early != NULL ? read_early : NULL,
		.meanwhile_arg = journal,
	};
	enum ttg_error err = scan_run(&scan);

	if (err == TTG_ENOENT)
		err = make_new(journal, &scan.head, message);
	if (err == TTG_OK)
		err = adopt(journal, &scan, message);
	scan_fini(&scan);
	return err;
}
