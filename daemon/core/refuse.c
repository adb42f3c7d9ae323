/*
 * What a refusal does to a person's lane: delay, parking, the way back, giving up. Part of the
 * mailbox; see mailbox.h. Entries before the refused one are never touched: they were in order.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "core/mailbox.h"

/* Takes an entry out of flight. */
static void land(struct mailbox *mailbox, struct entry *entry, enum entry_state state)
{
	if (entry->state == ENTRY_IN_FLIGHT)
		mailbox->in_flight--;
	entry->state = (uint8_t)state;
	if (state == ENTRY_WAITING && entry->position < mailbox->hint)
		mailbox->hint = entry->position;
}

/* Everything of the lane behind this position leaves the window; spare: but what its consumer has. */
static bool hold_behind(struct mailbox *mailbox, struct lane *lane, uint64_t position, bool spare)
{
	struct entry *entry = entries_from(&mailbox->window, position + 1);

	while (entry) {
		const struct held held = { entry->position, entry->sequence, entry->refusals,
					   entry->deliveries };
		uint64_t after = entry->position + 1;

		if (entry->lane == lane->key && !(spare && entry->state == ENTRY_IN_FLIGHT)) {
			if (!lane_hold(&mailbox->lanes, lane, &held))
				return false;
			land(mailbox, entry, ENTRY_WAITING);
			entries_remove(&mailbox->window, entry);
		}
		entry = entries_from(&mailbox->window, after);
	}
	return true;
}

/* Position from which on everything of the lane has to be held; UINT64_MAX: nothing. */
static uint64_t held_from(const struct lane *lane)
{
	const struct held *held = lane_first_held(lane);
	uint64_t position = lane->n_dead > 0 ? lane->dead[0].position : UINT64_MAX;

	return held && held->position < position ? held->position : position;
}

/* Nothing of a lane that is stopped stands in the window behind what stops it, but what its consumer has. */
static bool stand_behind(struct mailbox *mailbox, struct lane *lane)
{
	const uint64_t position = held_from(lane);

	return position == UINT64_MAX || hold_behind(mailbox, lane, position, true);
}

bool mailbox_hold_recalled(struct mailbox *mailbox)
{
	struct lane *lane;
	size_t cursor = 0;

	while ((lane = lanes_next(&mailbox->lanes, &cursor))) {
		if (!stand_behind(mailbox, lane))
			return false;
	}
	return true;
}

bool mailbox_refuse(struct mailbox *mailbox, struct entry *entry, int64_t due_ns)
{
	enum entry_state state = due_ns != 0 ? ENTRY_BLOCKED : ENTRY_WAITING;
	uint64_t key = entry->lane;

	if (due_ns != 0) {
		struct lane *lane = lanes_get(&mailbox->lanes, key);

		if (!lane)
			return false;
		/* A refusal further ahead in the lane may already have set a later time. */
		if (due_ns > lane->due_ns)
			lane_delay(&mailbox->lanes, lane, due_ns);
	}
	entry->refusals++;
	for (; entry; entry = entries_next(&mailbox->window, entry)) {
		if (entry->lane == key)
			land(mailbox, entry, state);
		if (PLANTED(OVERTAKE_REFUSED))
			break;
	}
	/* It was in flight when its lane was joined with one that is stopped. */
	struct lane *lane = lanes_find(&mailbox->lanes, key);

	return !lane || stand_behind(mailbox, lane);
}

/* The delay of a lane is over: what it blocked waits again. */
static void undelay(struct mailbox *mailbox, struct lane *lane)
{
	struct entry *entry = entries_from(&mailbox->window, 0);

	lane_delay(&mailbox->lanes, lane, 0);
	for (; entry; entry = entries_next(&mailbox->window, entry)) {
		if (entry->lane == lane->key && entry->state == ENTRY_BLOCKED)
			land(mailbox, entry, ENTRY_WAITING);
	}
}

bool mailbox_park(struct mailbox *mailbox, struct entry *entry, uint32_t reason, const char *text,
		  int64_t parked_ns)
{
	struct lane *lane = lanes_get(&mailbox->lanes, entry->lane);
	struct dead dead = {
		.position = entry->position, .sequence = entry->sequence,
		.refusals = entry->refusals + 1, .deliveries = entry->deliveries,
		.reason = reason, .parked_ns = parked_ns, .text = strdup(text),
	};

	if (!lane || !dead.text || !lane_park(&mailbox->lanes, lane, &dead)) {
		free(dead.text);
		return false;
	}
	land(mailbox, entry, ENTRY_WAITING);
	entries_remove(&mailbox->window, entry);
	if (!hold_behind(mailbox, lane, dead.position, false))
		return false;
	if (lane->due_ns != 0)
		undelay(mailbox, lane);
	return true;
}

/* The dead letter at `index` of its lane goes back to the window, its refusals forgotten. */
static bool revive(struct mailbox *mailbox, struct lane *lane, size_t index)
{
	struct dead *dead = &lane->dead[index];
	const struct entry entry = {
		.position = dead->position, .sequence = dead->sequence, .lane = lane->key,
		.deliveries = dead->deliveries,
		.state = lane->due_ns != 0 ? ENTRY_BLOCKED : ENTRY_WAITING,
	};

	if (!entries_insert(&mailbox->window, &entry))
		return false;
	if (entry.state == ENTRY_WAITING && entry.position < mailbox->hint)
		mailbox->hint = entry.position;
	lane_unpark(&mailbox->lanes, lane, dead);
	return true;
}

/* What was accepted before a dead letter and is held: lanes were joined, or an answer came late. It goes
   back with it, or the letter could come first when the window is full. */
static bool bring_before(struct mailbox *mailbox, struct lane *lane, uint64_t position)
{
	const struct held *held;
	uint64_t last = 0;
	bool failed = false;

	for (size_t i = 0; i < lane->n_dead && lane->dead[i].position <= position; i++)
		last = lane->dead[i].position;
	while (!failed && (held = lane_first_held(lane)) && held->position < last)
		mailbox_locate(mailbox, held->position, &failed);
	return !failed;
}

bool mailbox_revive(struct mailbox *mailbox, struct lane *lane, uint64_t position)
{
	if (!bring_before(mailbox, lane, position))
		return false;
	/* Those before it in the lane too: a person's events stay in order. */
	while (lane->n_dead > 0 && lane->dead[0].position <= position) {
		if (!revive(mailbox, lane, 0))
			return false;
	}
	lanes_settle(&mailbox->lanes, lane);
	return true;
}

void mailbox_discard(struct mailbox *mailbox, struct lane *lane, struct dead *dead)
{
	assert(mailbox->pending > 0);
	mailbox->pending--;
	lane_unpark(&mailbox->lanes, lane, dead);
	lanes_settle(&mailbox->lanes, lane);
}

int64_t mailbox_release(struct mailbox *mailbox, int64_t mono_ns)
{
	int64_t next = INT64_MAX;
	size_t cursor = 0, ended = 0;
	struct entry *entry;
	struct lane *lane;

	if (mailbox->lanes.n_delayed == 0)
		return next;
	while ((lane = lanes_next(&mailbox->lanes, &cursor))) {
		if (lane->due_ns == 0)
			continue;
		if (lane->due_ns > mono_ns) {
			next = lane->due_ns < next ? lane->due_ns : next;
			continue;
		}
		lane_delay(&mailbox->lanes, lane, 0);
		ended++;
	}
	if (ended == 0)
		return next;
	/* One walk for all of them: many lanes end their delay at once when a consumer refuses much. */
	for (entry = entries_from(&mailbox->window, 0); entry;
	     entry = entries_next(&mailbox->window, entry)) {
		if (entry->state != ENTRY_BLOCKED)
			continue;
		lane = lanes_find(&mailbox->lanes, entry->lane);
		if (!lane || lane->due_ns == 0)
			land(mailbox, entry, ENTRY_WAITING);
		if (lane)
			lanes_settle(&mailbox->lanes, lane);
	}
	return next;
}

/* Dead letters and what is held of one lane move to the other. */
static bool move_lane(struct mailbox *mailbox, struct lane *from, struct lane *to)
{
	const struct held *held;

	while (from->n_dead > 0) {
		const struct dead dead = from->dead[0];

		if (!lane_park(&mailbox->lanes, to, &dead))
			return false;
		from->dead[0].text = NULL;
		lane_unpark(&mailbox->lanes, from, &from->dead[0]);
	}
	while ((held = lane_first_held(from))) {
		if (!lane_hold(&mailbox->lanes, to, held))
			return false;
		lane_unhold(&mailbox->lanes, from, held);
	}
	if (from->due_ns > to->due_ns)
		lane_delay(&mailbox->lanes, to, from->due_ns);
	if (from->due_ns != 0)
		lane_delay(&mailbox->lanes, from, 0);
	lanes_settle(&mailbox->lanes, from);
	return true;
}

bool mailbox_join(struct mailbox *mailbox, uint64_t from, uint64_t to)
{
	struct lane *lane = lanes_find(&mailbox->lanes, to), *old = lanes_find(&mailbox->lanes, from);
	struct entry *entry = entries_from(&mailbox->window, 0);

	for (; entry; entry = entries_next(&mailbox->window, entry)) {
		if (entry->lane == from)
			entry->lane = to;
	}
	if (!lane && !old)
		return true;
	lane = lanes_get(&mailbox->lanes, to);
	if (!lane || (old && !move_lane(mailbox, old, lane)))
		return false;
	/* What is in flight went before anybody knew; nothing tells its consumer to forget it. */
	if (!stand_behind(mailbox, lane))
		return false;
	for (entry = entries_from(&mailbox->window, 0); entry && lane->due_ns != 0;
	     entry = entries_next(&mailbox->window, entry)) {
		if (entry->lane == to && entry->state == ENTRY_WAITING)
			entry->state = ENTRY_BLOCKED;
	}
	if (lane_is_parked(lane) && lane->due_ns != 0)
		undelay(mailbox, lane);
	lanes_settle(&mailbox->lanes, lane);
	return true;
}

static uint64_t give_up_lane(struct mailbox *mailbox, struct lane *lane, uint64_t sequence)
{
	const struct held *held;
	uint64_t n = 0;

	while (lane->n_dead > 0 && lane->dead[0].sequence < sequence) {
		lane_unpark(&mailbox->lanes, lane, &lane->dead[0]);
		n++;
	}
	while ((held = lane_first_held(lane)) && held->sequence < sequence) {
		lane_unhold(&mailbox->lanes, lane, held);
		n++;
	}
	return n;
}

uint64_t mailbox_give_up(struct mailbox *mailbox, uint64_t sequence, uint64_t next_sequence,
			 uint64_t next_position)
{
	uint64_t n = 0;
	size_t cursor = 0;
	struct entry *entry;
	struct lane *lane;

	while ((entry = entries_from(&mailbox->window, 0)) && entry->sequence < sequence) {
		land(mailbox, entry, ENTRY_WAITING);
		entries_remove(&mailbox->window, entry);
		n++;
	}
	while ((lane = lanes_next(&mailbox->lanes, &cursor))) {
		size_t before = mailbox->lanes.n;

		n += give_up_lane(mailbox, lane, sequence);
		lanes_settle(&mailbox->lanes, lane);
		if (mailbox->lanes.n < before)
			cursor--;
	}
	if (mailbox->backlog_from != 0 && next_position > mailbox->fill_position) {
		n += next_position - mailbox->fill_position;
		if (!PLANTED(DELIVER_GIVEN_UP)) {
			mailbox->fill_position = next_position;
			mailbox->backlog_from =
				next_position < mailbox->next_position ? next_sequence : 0;
		}
	}
	assert(n <= mailbox->pending);
	mailbox->pending -= n;
	return n;
}
