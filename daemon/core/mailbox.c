/*
 * Moving entries between the places of a mailbox; see mailbox.h. The refusals stand in refuse.c of
 * the same module.
 */
#include "core/mailbox.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"

struct mailbox *mailbox_new(uint32_t number, const char *id)
{
	struct mailbox *it = calloc(1, sizeof(*it));

	if (!it)
		return NULL;
	snprintf(it->id, sizeof(it->id), "%s", id);
	it->number = number;
	it->rule = -1;
	it->next_position = 1;
	it->fill_position = 1;
	it->hint = 1;
	return it;
}

void mailbox_free(struct mailbox **mailbox)
{
	struct mailbox *it = *mailbox;

	if (!it)
		return;
	entries_fini(&it->window);
	lanes_fini(&it->lanes);
	record_ranges_fini(&it->row);
	free(it->consumers);
	free(it);
	*mailbox = NULL;
}

static int by_position(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* Positions of all that is in memory, in the order found. */
static size_t positions_of(const struct mailbox *it, uint64_t *out)
{
	const struct lane *lane;
	size_t n = 0, cursor = 0;

	for (const struct entry *entry = entries_from(&it->window, 0); entry;
	     entry = entries_next(&it->window, entry))
		out[n++] = entry->position;
	while ((lane = lanes_next(&it->lanes, &cursor))) {
		for (size_t i = 0; i < lane->n_dead; i++)
			out[n++] = lane->dead[i].position;
		for (size_t i = lane->first_held; i < lane->n_held; i++)
			out[n++] = lane->held[i].position;
	}
	return n;
}

enum ttg_error mailbox_check(const struct mailbox *it)
{
	const uint64_t backlog = it->next_position - it->fill_position;
	const size_t in_memory = it->window.live + it->lanes.n_held + it->lanes.n_dead;
	bool sound = it->fill_position >= 1 && it->fill_position <= it->next_position &&
		     (backlog == 0) == (it->backlog_from == 0) && it->pending == backlog + in_memory;
	uint64_t *positions, before = 0;

	if (!sound)
		return TTG_ECORRUPT;
	positions = malloc((in_memory + 1) * sizeof(*positions));
	if (!positions)
		return TTG_ENOMEM;
	const size_t n = positions_of(it, positions);
	qsort(positions, n, sizeof(*positions), by_position);
	for (size_t i = 0; i < n; before = positions[i++])
		sound = sound && positions[i] > before && positions[i] < it->fill_position;
	free(positions);
	return sound ? TTG_OK : TTG_ECORRUPT;
}

uint64_t mailbox_lane(const uint8_t *person_key, uint64_t position)
{
	uint64_t lane = 0;

	if (person_key) {
		for (unsigned int i = 0; i < 8; i++)
			lane |= (uint64_t)person_key[i] << (8 * i);
	} else {
		/* Spreads neighbouring positions over all 64 bits; different ones stay different. */
		lane = position * UINT64_C(0x9e3779b97f4a7c15);
		lane = (lane ^ lane >> 32) * UINT64_C(0xd6e8feb86659fd93);
		lane ^= lane >> 32;
	}
	return lane ? lane : 1;
}

bool mailbox_has_room(const struct mailbox *mailbox, size_t window, size_t max_held)
{
	return mailbox->window.live < window &&
	       mailbox->lanes.n_held + mailbox->lanes.n_dead < max_held;
}

static bool insert(struct mailbox *mailbox, const struct entry *entry)
{
	if (!entries_insert(&mailbox->window, entry))
		return false;
	if (entry->state == ENTRY_WAITING && entry->position < mailbox->hint)
		mailbox->hint = entry->position;
	return true;
}

/* Puts an entry that comes into memory where its lane wants it. */
static bool take(struct mailbox *mailbox, uint64_t position, uint64_t sequence, uint64_t key)
{
	struct entry entry = { .position = position, .sequence = sequence, .lane = key,
			       .state = ENTRY_WAITING };
	struct lane *lane = lanes_find(&mailbox->lanes, key);

	if (lane && (lane_is_parked(lane) || lane_is_draining(lane))) {
		const struct held held = { .position = position, .sequence = sequence };

		return PLANTED(DROP_PARKED_LANE) || lane_hold(&mailbox->lanes, lane, &held);
	}
	if (lane && lane->due_ns != 0)
		entry.state = ENTRY_BLOCKED;
	return insert(mailbox, &entry);
}

bool mailbox_accept(struct mailbox *mailbox, uint64_t sequence, uint64_t lane, bool room)
{
	uint64_t position = mailbox->next_position++;

	mailbox->pending++;
	if (mailbox->backlog_from != 0)
		return true;
	assert(mailbox->fill_position == position);
	if (!room) {
		mailbox->backlog_from = sequence;
		return true;
	}
	mailbox->fill_position++;
	return take(mailbox, position, sequence, lane);
}

bool mailbox_fill(struct mailbox *mailbox, uint64_t sequence, uint64_t lane)
{
	uint64_t position = mailbox->fill_position++;

	assert(mailbox->backlog_from != 0 && position < mailbox->next_position);
	mailbox->backlog_from = mailbox->fill_position < mailbox->next_position ? sequence + 1 : 0;
	return take(mailbox, position, sequence, lane);
}

static bool unhold(struct mailbox *mailbox, struct lane *lane, const struct held *held)
{
	const struct entry entry = {
		.position = held->position, .sequence = held->sequence, .lane = lane->key,
		.refusals = held->refusals, .deliveries = held->deliveries,
		.state = lane->due_ns != 0 ? ENTRY_BLOCKED : ENTRY_WAITING,
	};

	if (!insert(mailbox, &entry))
		return false;
	lane_unhold(&mailbox->lanes, lane, held);
	return true;
}

bool mailbox_drain(struct mailbox *mailbox, size_t window)
{
	size_t cursor = 0;

	while (mailbox->lanes.n_draining > 0 && mailbox->window.live < window) {
		struct lane *lane = lanes_next(&mailbox->lanes, &cursor);
		const struct held *held;

		if (!lane) {
			cursor = 0; /* one that was moved over by a removal */
			continue;
		}
		while (lane_is_draining(lane) && mailbox->window.live < window) {
			held = lane_first_held(lane);
			if (!unhold(mailbox, lane, held))
				return false;
		}
		lanes_settle(&mailbox->lanes, lane);
	}
	return true;
}

/* Lane that holds the position, and the entry there; NULL: not held. */
static const struct held *find_held(const struct mailbox *mailbox, uint64_t position,
				    struct lane **found)
{
	size_t cursor = 0;
	struct lane *lane;

	if (mailbox->lanes.n_held == 0)
		return NULL;
	while ((lane = lanes_next(&mailbox->lanes, &cursor))) {
		const struct held *held = lane_find_held(lane, position);

		if (held) {
			*found = lane;
			return held;
		}
	}
	return NULL;
}

struct entry *mailbox_locate(struct mailbox *mailbox, uint64_t position, bool *failed)
{
	struct entry *entry = entries_find(&mailbox->window, position);
	const struct held *held;
	struct lane *lane;

	if (entry)
		return entry;
	held = find_held(mailbox, position, &lane);
	if (!held)
		return NULL;
	if (!unhold(mailbox, lane, held)) {
		*failed = true;
		return NULL;
	}
	lanes_settle(&mailbox->lanes, lane);
	return entries_find(&mailbox->window, position);
}

struct dead *mailbox_find_dead(const struct mailbox *mailbox, uint64_t sequence, uint64_t position,
			       struct lane **found)
{
	size_t cursor = 0;
	struct lane *lane;

	if (mailbox->lanes.n_dead == 0)
		return NULL;
	while ((lane = lanes_next(&mailbox->lanes, &cursor))) {
		for (size_t i = 0; i < lane->n_dead; i++) {
			if (lane->dead[i].sequence != sequence &&
			    lane->dead[i].position != position)
				continue;
			*found = lane;
			return &lane->dead[i];
		}
	}
	return NULL;
}

bool mailbox_is_pending(const struct mailbox *mailbox, uint64_t position)
{
	struct lane *lane;

	if (position >= mailbox->fill_position)
		return position < mailbox->next_position;
	return entries_find(&mailbox->window, position) || find_held(mailbox, position, &lane) ||
	       mailbox_find_dead(mailbox, 0, position, &lane);
}

void mailbox_settle(struct mailbox *mailbox, struct entry *entry)
{
	if (entry->state == ENTRY_IN_FLIGHT)
		mailbox->in_flight--;
	assert(mailbox->pending > 0);
	mailbox->pending--;
	entries_remove(&mailbox->window, entry);
}

struct entry *mailbox_next_waiting(struct mailbox *mailbox)
{
	struct entry *entry = entries_from(&mailbox->window, mailbox->hint);

	while (entry && entry->state != ENTRY_WAITING)
		entry = entries_next(&mailbox->window, entry);
	mailbox->hint = entry ? entry->position : mailbox->fill_position;
	return entry;
}

void mailbox_recall(struct mailbox *mailbox)
{
	struct entry *entry = entries_from(&mailbox->window, 0);

	for (; entry && mailbox->in_flight > 0; entry = entries_next(&mailbox->window, entry)) {
		if (entry->state != ENTRY_IN_FLIGHT)
			continue;
		entry->state = ENTRY_WAITING;
		mailbox->in_flight--;
		if (entry->position < mailbox->hint)
			mailbox->hint = entry->position;
	}
	assert(mailbox->in_flight == 0);
}

static void lower(uint64_t position, uint64_t sequence, uint64_t best[2])
{
	if (position < best[0]) {
		best[0] = position;
		best[1] = sequence;
	}
}

bool mailbox_lowest(const struct mailbox *mailbox, uint64_t *position, uint64_t *sequence)
{
	const struct entry *entry = entries_from(&mailbox->window, 0);
	uint64_t best[2] = { UINT64_MAX, 0 };
	size_t cursor = 0;
	struct lane *lane;

	if (entry)
		lower(entry->position, entry->sequence, best);
	while ((lane = lanes_next(&mailbox->lanes, &cursor))) {
		const struct held *held = lane_first_held(lane);

		if (held)
			lower(held->position, held->sequence, best);
		if (lane->n_dead > 0)
			lower(lane->dead[0].position, lane->dead[0].sequence, best);
	}
	if (mailbox->backlog_from != 0)
		lower(mailbox->fill_position, mailbox->backlog_from, best);
	*position = best[0];
	*sequence = best[1];
	return best[0] != UINT64_MAX;
}

uint64_t mailbox_low_water(const struct mailbox *mailbox)
{
	uint64_t position, sequence;

	/* Sequences ascend with positions, so the lowest position has the lowest sequence. */
	return mailbox_lowest(mailbox, &position, &sequence) ? sequence : UINT64_MAX;
}
