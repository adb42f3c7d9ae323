/*
 * Making the core and bringing its state back: the newest snapshot, and the records that follow it.
 * The simulator runs this file as it is.
 *
 * The journal gives the snapshot while its other threads still prove what it stands for, so that the
 * core is made of it in that time. Until net_recover() has asked the journal, that is a guess: nothing
 * of it was said to anybody or written, and when the journal is refused it goes with the process.
 *
 * Owner: the loop's thread.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/keyfile.h"
#include "net/keys.h"
#include "net/net.h"

#define NS_PER_MS 1000000LL
#define PROGRESS_EVERY 1000000u /* records between two log lines */

enum ttg_error net_make_core(struct net *net, const uint8_t *person_secret)
{
	const struct config *config = net->config;
	struct core_options options = {
		.broker = config->agency,
		.max_event_bytes = config->max_event_bytes,
		.max_skew_s = config->max_skew_s,
		.dedupe_window_ns = (uint64_t)config->dedupe_hours * 3600u * 1000000000u,
		.dedupe_max = config->dedupe_max,
		.window = config->mailbox_window,
		.max_held = config->mailbox_max_held,
		.look_back_ns = (uint64_t)config->look_back_s * 1000000000u,
		.max_waiting = config->look_back_max,
		.lapse_hold_ns = (uint64_t)config->keys_lapse_hold_s * 1000000000u,
	};
	memcpy(options.person_secret, person_secret, sizeof options.person_secret);
	struct core_sink sink;
	net_sink_init(net, &sink);
	net->core = core_new(&options, &sink);
	wipe(&options, sizeof options);
	return net->core ? TTG_OK : TTG_ENOMEM;
}

void net_take_early(void *arg, uint64_t sequence, const uint8_t *data, size_t len)
{
	struct net *net = arg;

	net->early.taken = true;
	net->early.sequence = sequence;
	net->early.error = core_restore(net->core, data, len, &net->early.message);
}

/* The state of the snapshot that counts; *from: the last record in it, 0 without one. */
static enum ttg_error load_snapshot(struct net *net, uint64_t *from, struct message *message)
{
	uint8_t *data = NULL;
	size_t len = 0;
	enum ttg_error error = journal_snapshot_load(net->journal, from, &data, &len, message);

	if (error == TTG_ENOENT) {
		assert(!net->early.taken);
		*from = 0;
		return TTG_OK;
	}
	if (!error && !net->early.taken) {
		error = core_restore(net->core, data, len, message);
	} else if (!error) {
		assert(net->early.sequence == *from);
		error = net->early.error;
		if (error && message)
			*message = net->early.message;
	}
	free(data);
	return error;
}

enum ttg_error net_recover(struct net *net, struct message *message)
{
	const int64_t began_ns = net->world->mono_ns(net->world->self);
	struct journal_reader *scan = NULL;
	uint64_t from = 0, applied = 0;
	enum ttg_error error = load_snapshot(net, &from, message);
	if (error)
		return error;
	net->snapshot_saved = net->snapshot_tried = from;
	net->saved_low = core_low_water(net->core); /* at most from + 1 */
	/* applying a record may read earlier ones through net->records */
	error = records_open(&net->records, net->journal);
	if (!error)
		error = journal_reader_open(&scan, net->journal);
	if (error)
		goto out;
	error = journal_reader_seek(scan, from + 1);
	while (!error) {
		uint64_t sequence = 0;
		struct journal_record record;
		error = journal_reader_next(scan, &sequence, &record);
		if (!error)
			error = core_apply(net->core, sequence, record.kind, record.data,
					   record.len, message);
		if (!error && ++applied % PROGRESS_EVERY == 0) {
			sd_notify(0, "EXTEND_TIMEOUT_USEC=60000000");
			log_write(net->log, LOG_LEVEL_NOTICE, "recovering", "sequence=%llu",
				  (unsigned long long)sequence);
		}
	}
	if (error != TTG_EAGAIN)
		goto out;
	error = net_keys_recovered(net, message);
	if (error)
		goto out;
	core_durable(net->core, journal_durable(net->journal));
	log_write(net->log, LOG_LEVEL_NOTICE, "recovered",
		  "snapshot=%llu records=%llu sequence=%llu ms=%lld", (unsigned long long)from,
		  (unsigned long long)applied, (unsigned long long)core_sequence(net->core),
		  (long long)((net->world->mono_ns(net->world->self) - began_ns) / NS_PER_MS));
out:
	journal_reader_close(&scan);
	return error;
}
