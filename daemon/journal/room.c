/*
 * How much room there is, and why there is none. Loop.
 *
 * Three things end it: max_bytes, the reserve that stays free on the disk, and a file system that
 * gives no more whatever it says (a quota). Room is told for events, which leave what lies beyond
 * max_bytes to the records that make room again: see limit_of_next() in rotate.c.
 */
#include "journal/state.h"

#include <inttypes.h>

/* Asks the file system at most each JOURNAL_RETRY_NS. */
bool room_below_reserve(struct journal *journal)
{
	const struct world *world = journal->world;
	int64_t now = world->mono_ns(world->self);

	if (!journal->free_known || now - journal->free_asked_ns >= JOURNAL_RETRY_NS) {
		int64_t left = world->free_bytes(world->self, journal->directory);

		journal->free_bytes = left < 0 ? UINT64_MAX : (uint64_t)left;
		journal->free_asked_ns = now;
		journal->free_known = true;
	}
	return journal->free_bytes < journal->options.reserve_bytes;
}

static uint64_t segments_on_disk(const struct journal *journal)
{
	const struct journal_options *options = &journal->options;

	if (journal->free_bytes == UINT64_MAX)
		return UINT64_MAX;
	return (journal->free_bytes - options->reserve_bytes) / options->segment_bytes;
}

uint64_t journal_room(struct journal *journal)
{
	const struct journal_options *options = &journal->options;
	struct shared *shared = &journal->shared;
	uint64_t segments, used, room;

	if (room_below_reserve(journal))
		return 0;
	pthread_mutex_lock(&shared->lock);
	used = shared->disk_bytes;
	room = shared->active_left;
	if (shared->spare_ready)
		room += options->segment_bytes;
	pthread_mutex_unlock(&shared->lock);
	segments = segments_on_disk(journal);
	if (options->max_bytes != 0 && used > options->max_bytes) {
		uint64_t beyond = used - options->max_bytes;

		return room > beyond ? room - beyond : 0;
	}
	if (options->max_bytes != 0 &&
	    (options->max_bytes - used) / options->segment_bytes < segments)
		segments = (options->max_bytes - used) / options->segment_bytes;
	if (segments > (UINT64_MAX - room) / options->segment_bytes)
		return UINT64_MAX;
	return room + segments * options->segment_bytes;
}

/* For what is staged and one of the largest records, or half of what a batch holds in a small segment: a
   whole one would have to wait for the next segment's room nearly always. */
bool journal_has_place(struct journal *journal)
{
	struct shared *shared = &journal->shared;
	bool placed;
	size_t bytes;

	if (!journal->has_thread)
		return true; /* an append makes it while it waits */
	pthread_mutex_lock(&shared->lock);
	bytes = shared->buffers[shared->fill].len;
	bytes += journal->stage_max / 2 < JOURNAL_RECORD_MAX ? journal->stage_max / 2 : JOURNAL_RECORD_MAX;
	if (bytes > journal->stage_max)
		bytes = journal->stage_max;
	placed = shared->spare_ready || shared->spare_refused ||
	         format_batch_bytes(bytes) <= shared->active_left;
	if (!placed && !shared->spare_wanted) {
		shared->spare_wanted = true;
		pthread_cond_signal(&shared->work);
	}
	pthread_mutex_unlock(&shared->lock);
	return placed;
}

enum ttg_error journal_explain_full(struct journal *journal, struct message *message)
{
	const struct journal_options *options = &journal->options;
	struct journal_stats stats;
	bool below = room_below_reserve(journal);

	journal_get_stats(journal, &stats);
	if (below || journal->free_bytes - options->reserve_bytes < options->segment_bytes)
		return message_set(message, TTG_ENOSPC,
		                   "%s: no room on the disk: %" PRIu64
		                   " bytes are free, a segment of %" PRIu64
		                   " is needed and journal.reserve_bytes keeps %" PRIu64
		                   " free; free or enlarge the disk, or lower journal.reserve_bytes",
		                   journal->directory, journal->free_bytes, options->segment_bytes,
		                   options->reserve_bytes);
	if (options->max_bytes != 0 &&
	    stats.disk_bytes + options->segment_bytes > options->max_bytes)
		return message_set(message, TTG_ENOSPC,
		                   "%s: no room below journal.max_bytes, %" PRIu64 ": %" PRIu64
		                   " bytes are in use, a segment of %" PRIu64
		                   " is needed; raise journal.max_bytes, then acknowledge or give up "
		                   "what waits and shorten retention",
		                   journal->directory, options->max_bytes, stats.disk_bytes,
		                   options->segment_bytes);
	return message_set(message, TTG_ENOSPC,
	                   "%s: the file system gives no segment of %" PRIu64
	                   " bytes though it tells of %" PRIu64
	                   " free ones; look for a quota, and at the disk",
	                   journal->directory, options->segment_bytes, journal->free_bytes);
}
