/*
 * Letting go from the old end, whole segments at a time. The loop forgets them at once; the writer
 * first raises the oldest sequence in HEAD, durably, and then unlinks. A crash in between leaves
 * files that the next open removes; a missing file above that sequence is still told as damage.
 *
 * The newest segment always stays: it says which sequence comes next.
 */
#include "journal/state.h"

#include <stdlib.h>

static enum ttg_error hand_over(struct journal *journal, const struct segment *segment,
                                uint64_t first_held)
{
	struct shared *shared = &journal->shared;
	struct removal *removal = calloc(1, sizeof(*removal));

	if (removal == NULL)
		return TTG_ENOMEM;
	removal->first_sequence = segment->header.first_sequence;
	removal->file_bytes = segment->file_bytes;
	pthread_mutex_lock(&shared->lock);
	*shared->removals_end = removal;
	shared->removals_end = &removal->next;
	shared->first_held = first_held;
	shared->segments--;
	pthread_mutex_unlock(&shared->lock);
	return TTG_OK;
}

enum ttg_error journal_retain(struct journal *journal, uint64_t keep_from, uint64_t *removed)
{
	struct segment_list *list = &journal->segments;
	struct shared *shared = &journal->shared;
	enum ttg_error err = TTG_OK;
	uint64_t count = 0;

	if (removed != NULL)
		*removed = 0;
	if (atomic_load_explicit(&journal->failed, memory_order_acquire))
		return TTG_EIO;
	if (journal->backups > 0)
		return TTG_OK; /* its files are being read: next time */
	journal_collect(journal);
	while (list->count > 1 && list->items[0]->last_sequence < keep_from) {
		uint64_t first_held = list->items[1]->header.first_sequence;

		err = hand_over(journal, list->items[0], first_held);
		if (err != TTG_OK)
			break;
		segment_list_drop_first(list);
		journal->first_sequence = first_held;
		count++;
	}
	if (removed != NULL)
		*removed = count;
	if (count == 0)
		return err;
	pthread_mutex_lock(&shared->lock);
	if (journal->has_thread) {
		pthread_cond_signal(&shared->work);
	} else {
		while (writer_round(journal))
			;
	}
	if (shared->failure != TTG_OK)
		err = TTG_EIO;
	pthread_mutex_unlock(&shared->lock);
	return err;
}

uint64_t journal_retain_first(const struct journal *journal, uint64_t keep_from)
{
	const struct segment_list *list = &journal->segments;
	size_t i = 0;

	while (i + 1 < list->count && list->items[i]->last_sequence < keep_from)
		i++;
	return i > 0 ? list->items[i]->header.first_sequence : journal->first_sequence;
}

uint64_t journal_sequence_before(const struct journal *journal, int64_t before_ns)
{
	uint64_t sequence = 0;

	for (size_t i = 0; i < journal->segments.count; i++) {
		const struct segment *segment = journal->segments.items[i];

		if (segment->newest_ns >= before_ns)
			break;
		sequence = segment->last_sequence + 1;
	}
	return sequence;
}

uint64_t journal_sequence_within(const struct journal *journal, uint64_t bytes)
{
	uint64_t sum = 0;

	for (size_t i = journal->segments.count; i > 0; i--) {
		const struct segment *segment = journal->segments.items[i - 1];

		sum += segment->file_bytes;
		if (sum > bytes)
			return segment->last_sequence + 1;
	}
	return 0;
}
