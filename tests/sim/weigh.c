/*
 * The broker's memory, looked at after every cycle. What it holds is weighed kind by kind, and of
 * each kind there is no more than the configuration allows; bounds.c has those of sessions. What it
 * holds beside is what it held after its first start, when it was empty, and very little more;
 * large buffers are counted: those that come later are of the journal's readers, one each.
 */
#include <inttypes.h>

#include "core/identity_private.h"
#include "core/state.h"
#include "journal/state.h"
#include "keystore/state.h"
#include "net/archiver.h"
#include "net/keys.h"
#include "net/receipts.h"
#include "sim/broker_private.h"
#include "sim/memory.h"

#define ENTRY_BYTES    64 /* of the two hash tables, for each session */
#define ENTRIES_FIRST 16 /* room for so many, when there is the first */
#define SNAPSHOT_BYTES                                                                             \
	(48u * 1024)      /* not yet written: a block of the dedupe window and the rest            \
	                   */
#define LEAF_BYTES  (2u * 2 * 32) /* of what is to be sealed: lists that double, leaves and nodes */
#define TREE_BYTES  (168u * 32)   /* and what they begin with */
#define WATCHED_BYTES 512u  /* of an event whose receipt is made, lists that double */
#define PASS_BYTES  8192u   /* a reader, and what makes receipts */
#define SMALL_BYTES 4096u /* what has no name here */

static size_t weigh_lanes(const struct lanes *lanes)
{
	size_t bytes = lanes->size * sizeof(lanes->slots[0]), cursor = 0;
	const struct lane *lane;

	while ((lane = lanes_next(lanes, &cursor))) {
		bytes += sizeof(*lane) + lane->held_capacity * sizeof(*lane->held) +
		         lane->n_dead * (sizeof(*lane->dead) + RECORD_MAX_TEXT + 1);
	}
	return bytes;
}

static size_t weigh_mailbox(const struct mailbox *mailbox)
{
	return sizeof(*mailbox) + mailbox->window.capacity * sizeof(struct entry) +
	       weigh_lanes(&mailbox->lanes) + mailbox->row.capacity * sizeof(struct record_range) +
	       mailbox->n_consumers * sizeof(struct consumer);
}

static size_t weigh_session(const struct session *session)
{
	size_t bytes = sizeof(*session) + ENTRY_BYTES;

	for (const struct session_reply *it = session->replies; it; it = it->next)
		bytes += sizeof(*it) + it->len;
	bytes += session->answer ? session->answer_bytes : 0;
	for (size_t i = 1; i <= SESSION_HANDLES; i++)
		if (session->consumers[i])
			bytes += sizeof(struct session_consumer) + session->consumers[i]->room;
	return bytes;
}

static size_t weigh_journal(const struct journal *journal)
{
	size_t bytes = journal->cache.bytes + journal->segments.capacity * sizeof(void *);

	for (size_t i = 0; i < journal->segments.count; i++)
		bytes += sizeof(struct segment) + 2 * journal->segments.items[i]->index_count *
		                                          sizeof(struct segment_index_entry);
	return bytes;
}

/* What comes there later, beside what it takes empty. */
static size_t weigh_archive(const struct broker *broker)
{
	const struct archive *archive;
	const char *why;
	bool soon;

	if (!broker->net->archiver)
		return 0;
	archive = archiver_archive(broker->net->archiver, &why, &soon);
	return archive ? weigh_journal(archive_files(archive)) : 0;
}

static size_t weigh_identity(const struct identity *it)
{
	size_t bytes = it->capacity * sizeof(*it->numbers) + it->n_slots * sizeof(*it->slots) +
	               it->capacity_links * sizeof(*it->links) +
	               it->capacity_contested * sizeof(*it->contested);

	for (size_t i = 0; i < it->n; i++) {
		const struct standing *standing = it->numbers[i].standing;

		if (standing)
			bytes += sizeof(*standing) + standing->n_schemes * sizeof(*standing->schemes) +
			         standing->n_referrals * sizeof(*standing->referrals);
	}
	return bytes;
}

static size_t weigh(const struct broker *broker)
{
	const struct core *core = broker->net->core;
	size_t bytes = weigh_journal(broker->journal) + weigh_archive(broker) +
	               dedupe_bytes(core->dedupe) + broker->net->wanted.room * sizeof(struct wish);

	for (const struct session *it = broker->net->sessions.by_number; it;
	     it = it->by_number.next)
		bytes += weigh_session(it);
	for (size_t i = 0; i < core->n_mailboxes; i++)
		bytes += weigh_mailbox(core->mailboxes[i]);
	bytes += core->n_attachments * sizeof(*core->attachments);
	bytes += disclose_held_bytes(core->disclose);
	bytes += weigh_identity(core->identity);
	bytes += referrals_bytes(core->referrals);
	bytes += core->keys.room * sizeof(*core->keys.items) +
	         core->keys.n_index * sizeof(*core->keys.index) +
	         core->keys.room_gone * sizeof(*core->keys.gone);
	if (broker->net->keys)
		bytes += payloads_held_bytes(broker->net->keys->payloads) +
		         broker->net->keys->store->graveyard_bytes;
	bytes += redeliveries_held_bytes(&core->redeliveries);
	bytes += core->waiting.capacity * sizeof(*core->waiting.items);
	bytes += core->timers.capacity * sizeof(*core->timers.items);
	bytes += core->past.capacity * sizeof(*core->past.items);
	bytes += (core->ranges.capacity + core->applied.capacity) * sizeof(struct record_range);
	return bytes;
}

void broker_weigh_first(struct broker *broker)
{
	if (broker->weight != 0 || !broker_archive_ready(broker))
		return;
	life_check(memory_held(MEMORY_BROKER) > weigh(broker), "memory is not counted");
	broker->weight = memory_held(MEMORY_BROKER) - weigh(broker);
	broker->large = memory_large(MEMORY_BROKER);
}

/* How many there are of what grows with what is waiting. */
static void check_mailbox(const struct mailbox *mailbox)
{
	const struct life_plan *plan = life_now->plan;
	/* Dead letters that are retried come on top of the window. */
	const size_t most = plan->window + plan->max_held + 1;

	life_check(mailbox->window.live <= most, "%s: %zu entries in memory, allowed are %zu",
	           mailbox->id, mailbox->window.live, most);
	life_check(mailbox->window.capacity <= ENTRIES_FIRST + 4 * most,
	           "%s: room for %zu entries in memory, for %zu", mailbox->id,
	           mailbox->window.capacity, most);
	life_check(mailbox->lanes.n <= 2 * most, "%s: %zu lanes in memory", mailbox->id,
	           mailbox->lanes.n);
	life_check(mailbox->row.n <= most, "%s: a row of %zu", mailbox->id, mailbox->row.n);
}

/* What a pass over the records of one seal takes: a reader, the tree, and what is looked out for. */
static size_t pass_bytes(const struct wanted *wanted)
{
	const struct seal *seal = wanted->pass ? receipts_seal(wanted->pass) : NULL;

	if (!wanted->pass)
		return 0;
	return PASS_BYTES + TREE_BYTES + 2 * life_now->most_staged +
	       (seal ? (LEAF_BYTES + WATCHED_BYTES) * (seal->last - seal->first + 1) : 0);
}

void broker_weigh(const struct broker *broker)
{
	const struct core *core = broker->net->core;
	const size_t held = memory_held(MEMORY_BROKER), named = weigh(broker);
	/* A reader has one batch, with an offset for each record, that of the archive, too; a
	 * snapshot may wait for its time. */
	const size_t readers = RECORDS_READERS + (life_now->plan->archived ? 2 : 1);
	const size_t spare = SMALL_BYTES + 2 * readers * life_now->most_staged +
	                     TREE_BYTES + LEAF_BYTES * broker->most_unsealed +
	                     pass_bytes(&broker->net->wanted) +
	                     (broker->net->snapshot ? SNAPSHOT_BYTES + identity_bound(core->identity) +
	                                                      waiting_bound(&core->waiting) +
	                                                      referrals_bound(core->referrals)
	                                            : 0);

	for (size_t i = 0; i < core->n_mailboxes; i++)
		check_mailbox(core->mailboxes[i]);
	if (broker->weight == 0) /* its archive could not be opened: nothing to compare with */
		return;
	life_check(life_now->append_refused || core->timers.n <= model_deadlines(life_now->model),
	           "%zu deadlines are remembered of %zu", core->timers.n,
	           model_deadlines(life_now->model));
	life_check(broker->journal->cache.bytes <= JOURNAL_CACHE_BYTES,
	           "%zu bytes of recent batches", broker->journal->cache.bytes);
	life_check(held <= broker->weight + named + spare,
	           "the broker holds %zu bytes, %zu are accounted for", held,
	           broker->weight + named);
	const size_t buffers = readers + (broker->net->wanted.pass ? 1 : 0);
	life_check(memory_large(MEMORY_BROKER) <= broker->large + buffers,
	           "the broker holds %zu large buffers, at first %zu", memory_large(MEMORY_BROKER),
	           broker->large);
}
