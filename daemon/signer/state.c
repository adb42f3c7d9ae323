/*
 * See state.h.
 *
 * Invariants: once a seal was answered there is at every moment a slot on the disk whose write was
 * synced, and it is not the one being written. So the file is born with its first seal, whole or not
 * at all; and the slot that is written next is always the other one than the last that was synced,
 * again and again until the next sync. They take turns with the syncs, not with the writes.
 *
 * Why a sync a second is enough. A killed process loses nothing: what was written is the kernel's. A
 * machine that stops may lose the seals of the last second, and the signer would then sign others
 * with their numbers. But a seal is only shown to anybody by the broker, which makes it durable in
 * its journal before; and it gives the signer back (signer.h, `take`) what the journal holds beyond
 * the signer's last one before it asks for more. What neither of them holds nobody has seen.
 *
 * When a write or a sync fails: the caller ends the process. What the file holds then is at worst
 * one slot short, and the next start finds the other.
 */
#include "signer/state.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYNC_EVERY_NS  INT64_C(1000000000)
#define NS_PER_MS      INT64_C(1000000)
#define NONE           (-1)


struct signer_state {
	const struct world *world;
	struct signer *signer;
	char path[PATH_MAX];
	int lock, file;              /* handles; NONE: not open */
	struct seal_signed kept;     /* what the file holds; of no length: nothing */
	unsigned next;               /* the slot that is written next */
	bool waits;                  /* for a sync */
	bool broken;                 /* a write or a sync failed: nothing is written any more */
	int64_t synced_ns;
};

static enum ttg_error failed(const struct signer_state *state, const char *what, int64_t result,
			     struct message *message)
{
	return message_set(message, world_error(result), "%s: cannot be %s (%s)", state->path, what,
			   strerror((int)-result));
}

static enum ttg_error broke(struct signer_state *state, const char *what, int64_t result,
			    struct message *message)
{
	state->broken = true;
	return failed(state, what, result, message);
}

enum ttg_error signer_state_sync(struct signer_state *state, struct message *message)
{
	const struct world *world = state->world;

	assert(!state->broken);
	if (!state->waits)
		return TTG_OK;
	const int result = world->sync(world->self, state->file);
	if (result < 0)
		return broke(state, "synced", result, message);
	state->waits = false;
	state->next = SLOTS - 1 - state->next;
	state->synced_ns = world->mono_ns(world->self);
	return TTG_OK;
}

static int put_slot(const struct signer_state *state, unsigned slot, const char bytes[SLOT_BYTES])
{
	return world_write_all(state->world, state->file, bytes, SLOT_BYTES,
			       (uint64_t)slot * SLOT_BYTES);
}

static enum ttg_error open_file(struct signer_state *state, struct message *message)
{
	state->file = state->world->open(state->world->self, state->path, WORLD_WRITE);
	if (state->file >= 0)
		return TTG_OK;
	const int result = state->file;
	state->file = NONE;
	return failed(state, "opened", result, message);
}

/* The first seal there is: in slot 0 of a new file, durable when this returns. */
static enum ttg_error be_born(struct signer_state *state, const char slot[SLOT_BYTES],
			      struct message *message)
{
	const struct world *world = state->world;
	char both[SLOTS * SLOT_BYTES] = { 0 };

	memcpy(both, slot, SLOT_BYTES);
	const int result = world_replace_file(world, state->path, both, sizeof(both));
	if (result < 0)
		return broke(state, "made", result, message);
	state->next = 1;
	state->synced_ns = world->mono_ns(world->self);
	const enum ttg_error error = open_file(state, message);
	state->broken = error != TTG_OK;
	return error;
}

enum ttg_error signer_state_keep(struct signer_state *state, struct message *message)
{
	const struct seal_signed *last = signer_last(state->signer);
	char slot[SLOT_BYTES];

	assert(!state->broken);
	if (!last || (last->len == state->kept.len &&
		      memcmp(last->text, state->kept.text, last->len) == 0))
		return TTG_OK;
	slot_write(last, slot);
	if (state->file == NONE) {
		const enum ttg_error error = be_born(state, slot, message);

		if (error)
			return error;
	} else {
		const int result = put_slot(state, state->next, slot);

		if (result < 0)
			return broke(state, "written", result, message);
		state->waits = true;
	}
	state->kept = *last;
	return TTG_OK;
}

int signer_state_due_ms(const struct signer_state *state)
{
	if (!state->waits)
		return -1;
	const int64_t left = state->synced_ns + SYNC_EVERY_NS -
			     state->world->mono_ns(state->world->self);
	return left > 0 ? (int)((left + NS_PER_MS - 1) / NS_PER_MS) : 0;
}

/* Both slots as they are in the file; what it is too short for is zeros. */
static enum ttg_error read_slots(struct signer_state *state, char slots[SLOTS][SLOT_BYTES],
				 size_t *len, struct message *message)
{
	const struct world *world = state->world;
	const size_t size = (size_t)SLOTS * SLOT_BYTES;
	char *all = &slots[0][0];

	memset(all, 0, size);
	for (*len = 0; *len < size;) {
		const ssize_t got = world->read_at(world->self, state->file, all + *len, size - *len,
						   *len);

		if (got < 0)
			return failed(state, "read", got, message);
		if (got == 0)
			break;
		*len += (size_t)got;
	}
	return TTG_OK;
}

/*
 * What was found may not be on the disk yet: its process was killed, or ended with a failed sync,
 * after which the kernel may show what the disk does not have. Written again as it is, and synced.
 */
static enum ttg_error settle(struct signer_state *state, unsigned slot, const char bytes[SLOT_BYTES],
			     struct message *message)
{
	int result = put_slot(state, slot, bytes);

	if (result >= 0)
		result = state->world->sync(state->world->self, state->file);
	if (result < 0)
		return broke(state, "synced", result, message);
	state->kept = *signer_last(state->signer);
	state->next = SLOTS - 1 - slot;
	state->synced_ns = state->world->mono_ns(state->world->self);
	return TTG_OK;
}

static enum ttg_error load(struct signer_state *state, struct message *message)
{
	char slots[SLOTS][SLOT_BYTES];
	struct seal_signed seals[SLOTS];
	uint64_t numbers[SLOTS];
	size_t len = 0;
	const enum ttg_error error = read_slots(state, slots, &len, message);

	if (error)
		return error;
	if (len == 0) { /* to be born yet */
		state->world->close(state->world->self, state->file);
		state->file = NONE;
		return TTG_OK;
	}
	for (unsigned i = 0; i < SLOTS; i++)
		numbers[i] = slot_read(slots[i], &seals[i]);
	const unsigned higher = numbers[1] > numbers[0] ? 1 : 0, lower = 1 - higher;
	if (numbers[higher] > 0 && signer_resume(state->signer, &seals[higher])) {
		if (numbers[lower] > 0)
			(void)signer_resume_before(state->signer, &seals[lower]);
		return settle(state, higher, slots[higher], message);
	}
	if (numbers[lower] > 0 && signer_resume(state->signer, &seals[lower]))
		return settle(state, lower, slots[lower], message);
	return message_set(message, TTG_ECORRUPT,
			   "%s: holds no seal of this key; it is damaged, or belongs to another key. "
			   "It is left as it is",
			   state->path);
}

static enum ttg_error take_lock(struct signer_state *state, struct message *message)
{
	const struct world *world = state->world;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s.lock", state->path) >= PATH_MAX)
		return failed(state, "locked", -ENAMETOOLONG, message);
	const int file = world->open(world->self, path, WORLD_CREATE);
	if (file < 0)
		return failed(state, "locked", file, message);
	state->lock = file;
	const int result = world->lock(world->self, file);
	if (result == -EWOULDBLOCK)
		return message_set(message, TTG_ELOCKED, "%s: another signer has it", state->path);
	return result < 0 ? failed(state, "locked", result, message) : TTG_OK;
}

enum ttg_error signer_state_open(struct signer_state **out, const struct world *world,
				 const char *path, struct signer *signer, struct message *message)
{
	struct signer_state *state = calloc(1, sizeof(*state));
	enum ttg_error error = TTG_OK;

	*out = NULL;
	if (!state)
		return message_set(message, TTG_ENOMEM, "no memory for the signer's state");
	state->world = world;
	state->signer = signer;
	state->lock = state->file = NONE;
	if (snprintf(state->path, sizeof(state->path), "%s", path) >= PATH_MAX)
		error = message_set(message, TTG_ELIMIT, "the path of the state is too long");
	if (!error)
		error = take_lock(state, message);
	if (!error)
		error = open_file(state, message);
	if (!error)
		error = load(state, message);
	else if (error == TTG_ENOENT && state->lock != NONE)
		error = TTG_OK; /* to be born yet */
	if (error)
		signer_state_close(&state, NULL);
	*out = state;
	return error;
}

enum ttg_error signer_state_close(struct signer_state **state, struct message *message)
{
	struct signer_state *old = *state;
	enum ttg_error error = TTG_OK;

	if (!old)
		return TTG_OK;
	if (old->file != NONE) {
		if (!old->broken)
			error = signer_state_sync(old, message);
		old->world->close(old->world->self, old->file);
	}
	if (old->lock != NONE)
		old->world->close(old->world->self, old->lock);
	free(old);
	*state = NULL;
	return error;
}
