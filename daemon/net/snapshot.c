/*
 * Snapshots of the core. The loop takes an image, which costs it little, and a thread makes it bytes,
 * encrypts, writes and syncs them, so that no event waits for that; without net->threaded the loop
 * does it all itself, which is the simulator's way and that of the daemon's last moment.
 *
 * An image is taken of the state as it stands and written only when the last record in it is durable;
 * otherwise a crash could leave a snapshot of records that were never there. One at a time, from
 * taking to the end of writing. A failure is logged, and costs the next start a longer replay.
 *
 * Owner: the loop. The thread has the image, the journal's save, and the result until `finished`.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/planted.h"
#include "net/net.h"

struct net_snapshot {
	struct journal *journal;
	struct core_image *image;
	uint64_t sequence;
	uint64_t low; /* lowest sequence that a start from it reads */
	pthread_t thread;
	bool started;
	atomic_bool finished;
	/* Of the thread, readable after finished. */
	enum ttg_error error;
	struct message message;
	size_t bytes;
};

static void save(struct net_snapshot *it)
{
	uint8_t *data = NULL;

	it->error = core_image_bytes(it->image, &data, &it->bytes);
	if (it->error)
		message_set(&it->message, it->error, "%s", ttg_error_text(it->error));
	else
		it->error = journal_snapshot_save(it->journal, it->sequence, data, it->bytes,
						  &it->message);
	free(data);
}

static void *snapshot_thread(void *arg)
{
	struct net_snapshot *it = arg;

	save(it);
	atomic_store(&it->finished, true);
	return NULL;
}

void net_drop_snapshot(struct net *net)
{
	struct net_snapshot *it = net->snapshot;

	net->snapshot = NULL;
	if (!it)
		return;
	if (it->started)
		pthread_join(it->thread, NULL);
	core_image_free(&it->image);
	free(it);
}

bool net_take_snapshot(struct net *net, uint64_t after_records)
{
	const uint64_t sequence = core_sequence(net->core);
	struct net_snapshot *it;

	if (net->snapshot || sequence < net->snapshot_tried + after_records)
		return net->snapshot != NULL;
	it = calloc(1, sizeof(*it));
	if (!it || core_image_take(net->core, &it->image) != TTG_OK) {
		free(it);
		log_write(net->log, LOG_LEVEL_ERROR, "snapshot_failed", "code=%s",
			  ttg_error_name(TTG_ENOMEM));
		return false;
	}
	it->journal = net->journal;
	it->sequence = sequence;
	it->low = core_low_water(net->core);
	net->snapshot = it;
	return true;
}

/* It is written, or will not be. */
static void conclude(struct net *net)
{
	const struct net_snapshot *it = net->snapshot;

	if (it->error) {
		log_write(net->log, LOG_LEVEL_ERROR, "snapshot_failed", "code=%s reason=\"%s\"",
			  ttg_error_name(it->error), it->message.text);
	} else {
		net->counters.snapshots++;
		net->snapshot_saved = it->sequence;
		net->saved_low = it->low < it->sequence + 1 ? it->low : it->sequence + 1;
		if (net->retain_waits)
			net->next_retain_ns = 0;
		net->retain_waits = false;
		log_write(net->log, LOG_LEVEL_INFO, "snapshot_saved", "sequence=%llu bytes=%zu",
			  (unsigned long long)it->sequence, it->bytes);
	}
	net->snapshot_tried = it->sequence; /* after a failure: not again at once */
	net_drop_snapshot(net);
}

static bool may_be_written(const struct net *net)
{
	return journal_durable(net->journal) >= net->snapshot->sequence || PLANTED(SNAPSHOT_EARLY);
}

void net_save_snapshot(struct net *net)
{
	struct net_snapshot *it = net->snapshot;

	if (!it || (it->started ? !atomic_load(&it->finished) : !may_be_written(net)))
		return;
	if (!it->started) {
		it->started = net->threaded &&
			      pthread_create(&it->thread, NULL, snapshot_thread, it) == 0;
		if (it->started)
			return;
		save(it);
	}
	conclude(net);
}

void net_save_last_snapshot(struct net *net)
{
	if (net->snapshot && net->snapshot->started) {
		pthread_join(net->snapshot->thread, NULL);
		net->snapshot->started = false;
		conclude(net);
	}
	net_drop_snapshot(net); /* an image older than the state */
	if (core_sequence(net->core) <= net->snapshot_saved || !net_take_snapshot(net, 0) ||
	    !may_be_written(net))
		return;
	save(net->snapshot);
	conclude(net);
}
