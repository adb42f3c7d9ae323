/*
 * Opening, giving out, reading and destroying keys. `keys` is a header and one slot for each number; slots
 * are made many at a time, synced, and only then given out. A process begins behind everything it finds, so
 * that no number is given twice whatever happened to the journal that remembers them; what a crash left half
 * made is never given out.
 */
#include "keystore/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/keyfile.h"
#include "base/planted.h"
#include "base/secret.h"

#define KEYS_NAME "keys"
#define LOCK_NAME "LOCK"
#define PROVEN_AT_ONCE 256u
#define OBEYED_AT_ONCE 256u
#define DESTROYED_AT_ONCE 1024u

void store_path(const struct keystore *store, const char *name, char out[STORE_PATH])
{
	snprintf(out, STORE_PATH, "%s/%s", store->directory, name);
}

uint64_t slot_offset(uint64_t number)
{
	return STORE_HEADER + (number - 1) * STORE_SLOT;
}

enum ttg_error store_fail(struct keystore *store, int result)
{
	store->failed = true;
	return result == -ENOMEM ? TTG_ENOMEM : TTG_EIO;
}

enum ttg_error store_read(const struct keystore *store, uint64_t number, uint8_t slot[STORE_SLOT])
{
	const int result = world_read_all(store->world, store->file, slot, STORE_SLOT, slot_offset(number));

	return result < 0 ? TTG_EIO : TTG_OK;
}

/* An empty one. */
static enum ttg_error make_file(const struct keystore *store, const uint8_t *master, const char *path)
{
	uint8_t block[STORE_HEADER], check[STORE_CHECK];

	if (!wrapper_check(master, check))
		return TTG_ECRYPTO;
	header_encode(check, block);
	return world_error(world_replace_file(store->world, path, block, sizeof(block)));
}

static enum ttg_error open_keys(struct keystore *store, const struct keystore_options *options,
				struct message *message)
{
	const struct world *world = store->world;
	uint8_t block[STORE_HEADER], check[STORE_CHECK], mine[STORE_CHECK], before[STORE_CHECK];
	char path[STORE_PATH];
	int64_t bytes;

	store_path(store, KEYS_NAME, path);
	store->file = world->open(world->self, path, WORLD_WRITE);
	if (store->file == -ENOENT) {
		const enum ttg_error error = make_file(store, options->master, path);

		if (error)
			return message_set(message, error, "%s: cannot be made", path);
		store->file = world->open(world->self, path, WORLD_WRITE);
	}
	if (store->file < 0)
		return message_set(message, world_error(store->file), "%s: cannot be opened", path);
	bytes = world->size(world->self, store->file);
	if (bytes < (int64_t)STORE_HEADER ||
	    world_read_all(world, store->file, block, sizeof(block), 0) < 0 || !header_decode(block, check))
		return message_set(message, TTG_ECORRUPT, "%s: damaged at offset 0, or no key store", path);
	if (!wrapper_check(options->master, mine) || !wrapper_check(options->before, before))
		return message_set(message, TTG_ECRYPTO, "the check of a master key cannot be computed");
	memcpy(store->secrets->master, options->master, KEYSTORE_KEY);
	if (memcmp(check, mine, STORE_CHECK) != 0) {
		if (!options->has_before || memcmp(check, before, STORE_CHECK) != 0)
			return message_set(message, TTG_ECRYPTO,
					   "%s: the keys are wrapped by another master key", path);
		memcpy(store->secrets->master, options->before, KEYSTORE_KEY);
	}
	/* Behind the last whole one is what a crash left of slots that were given to nobody. */
	store->count = ((uint64_t)bytes - STORE_HEADER) / STORE_SLOT;
	store->next = store->count + 1;
	return TTG_OK;
}

static enum ttg_error lock(struct keystore *store, struct message *message)
{
	const struct world *world = store->world;
	char path[STORE_PATH];
	int result = world->mkdir(world->self, store->directory);

	if (result < 0)
		return message_set(message, world_error(result), "%s: cannot be made", store->directory);
	store_path(store, LOCK_NAME, path);
	store->lock = world->open(world->self, path, WORLD_CREATE);
	if (store->lock < 0)
		return message_set(message, world_error(store->lock), "%s: cannot be opened", path);
	result = world->lock(world->self, store->lock);
	if (result < 0)
		return message_set(message, TTG_ELOCKED, "%s: another process has it open", path);
	return TTG_OK;
}

/* Writes over these keys, of `file` which holds `count` slots, and syncs it. 0 or -errno. */
static int overwrite(struct keystore *store, int file, uint64_t count, const uint64_t *numbers, size_t n)
{
	const struct world *world = store->world;
	uint8_t slot[STORE_SLOT];
	int result = 0;

	for (size_t i = 0; i < n && result >= 0; i++) {
		if (numbers[i] == 0 || numbers[i] > count)
			continue;
		slot_encode_destroyed(numbers[i], slot);
		result = world_write_all(world, file, slot, STORE_SLOT, slot_offset(numbers[i]));
	}
	return result < 0 ? result : world->sync(world->self, file);
}

/* The next that has a tombstone and not been written over, behind `number`; 0: none. */
static uint64_t next_wanted(const struct keystore *store, uint64_t number)
{
	uint8_t slot[STORE_SLOT];

	while (++number <= store->count) {
		if (graves_has(store, number) && (store_read(store, number, slot) != TTG_OK ||
						  slot_state(slot, number) != SLOT_DESTROYED))
			return number;
	}
	return 0;
}

/* What the tombstones say holds for whatever `keys` was put here. */
static enum ttg_error obey_graves(struct keystore *store, struct message *message)
{
	uint64_t numbers[OBEYED_AT_ONCE], number = 0;

	do {
		size_t n = 0;

		while (n < OBEYED_AT_ONCE && (number = next_wanted(store, number)) != 0)
			numbers[n++] = number;
		if (n > 0 && overwrite(store, store->file, store->count, numbers, n) < 0)
			return message_set(message, TTG_EIO, "%s: destroyed keys cannot be written over",
					   store->directory);
	} while (number != 0);
	return TTG_OK;
}

static enum ttg_error open_all(struct keystore *store, const struct keystore_options *options,
			       struct message *message)
{
	enum ttg_error error = lock(store, message);

	if (!error)
		error = open_keys(store, options, message);
	if (!error)
		error = graves_open(store, message);
	if (!error)
		error = obey_graves(store, message);
	if (!error && store->world->sync_dir(store->world->self, store->directory) < 0)
		error = message_set(message, TTG_EIO, "%s: cannot be synced", store->directory);
	if (!error && memcmp(store->secrets->master, options->master, KEYSTORE_KEY) != 0)
		error = keystore_set_master(store, options->master);
	return error;
}

enum ttg_error keystore_open(struct keystore **out, const struct keystore_options *options,
			     const struct world *world, struct message *message)
{
	struct keystore *store = calloc(1, sizeof(*store));
	enum ttg_error error;

	*out = NULL;
	if (!store)
		return message_set(message, TTG_ENOMEM, "no memory for the key store");
	store->world = world;
	store->make = options->first > 0 ? options->first : KEYSTORE_FIRST;
	store->lock = store->file = store->graves = store->wanted_file = -1;
	store->wrapper = wrapper_new();
	store->secrets = secret_new(sizeof(*store->secrets));
	if (!store->wrapper || !store->secrets) {
		keystore_close(&store);
		return message_set(message, TTG_ENOMEM, "no memory for the key store");
	}
	if (strlen(options->directory) >= sizeof(store->directory)) {
		keystore_close(&store);
		return message_set(message, TTG_ELIMIT, "%s: too long", options->directory);
	}
	strcpy(store->directory, options->directory);
	error = open_all(store, options, message);
	if (error)
		keystore_close(&store);
	*out = store;
	return error;
}

void keystore_close(struct keystore **handle)
{
	struct keystore *store = *handle;

	*handle = NULL;
	if (!store)
		return;
	if (store->secrets)
		rewrap_drop(store);
	if (store->file >= 0)
		(void)store->world->close(store->world->self, store->file);
	if (store->graves >= 0)
		(void)store->world->close(store->world->self, store->graves);
	if (store->lock >= 0)
		(void)store->world->close(store->world->self, store->lock);
	secret_free(store->secrets);
	free(store->graveyard);
	wrapper_free(&store->wrapper);
	free(store);
}

/* A slot that is none, and was given to nobody: what a crash left of keys that were being made. */
static enum ttg_error put_away(struct keystore *store, uint64_t number, bool *wrote)
{
	uint8_t slot[STORE_SLOT];

	slot_encode_destroyed(number, slot);
	*wrote = true;
	return world_error(world_write_all(store->world, store->file, slot, STORE_SLOT, slot_offset(number)));
}

static bool is_used(const struct keystore_used *used, uint64_t number)
{
	return number <= used->newest && used->bits[(number - 1) / 8] >> ((number - 1) % 8) & 1;
}

/* All slots from the first on; *damaged: the first that is none though it is used. Others are put away. */
static enum ttg_error look_through(struct keystore *store, const struct keystore_used *used,
				   uint64_t *damaged)
{
	uint8_t slots[PROVEN_AT_ONCE * STORE_SLOT];
	enum ttg_error error = TTG_OK;
	bool wrote = false;

	*damaged = 0;
	for (uint64_t number = 1; number <= store->count && !error && *damaged == 0;) {
		const uint64_t left = store->count - number + 1;
		const size_t n = (size_t)(left < PROVEN_AT_ONCE ? left : PROVEN_AT_ONCE);

		if (world_read_all(store->world, store->file, slots, n * STORE_SLOT, slot_offset(number)) < 0)
			return TTG_EIO;
		for (size_t i = 0; i < n && !error && *damaged == 0; i++, number++) {
			if (slot_state(slots + i * STORE_SLOT, number) != 0)
				continue;
			if (is_used(used, number))
				*damaged = number;
			else
				error = put_away(store, number, &wrote);
		}
	}
	if (!error && wrote && store->world->sync(store->world->self, store->file) < 0)
		error = TTG_EIO;
	return error;
}

enum ttg_error keystore_prove(struct keystore *store, const struct keystore_used *used,
			      struct message *message)
{
	enum ttg_error error;
	uint64_t damaged;

	if (used->newest > store->count)
		return message_set(message, TTG_ECORRUPT,
				   "%s: has %llu keys and the journal needs %llu: an older copy was put "
				   "back, or another one",
				   store->directory, (unsigned long long)store->count,
				   (unsigned long long)used->newest);
	error = look_through(store, used, &damaged);
	if (error)
		return message_set(message, error, "%s/%s: cannot be read, or put in order", store->directory,
				   KEYS_NAME);
	if (damaged != 0)
		return message_set(message, TTG_ECORRUPT, "%s/%s: damaged at offset %llu", store->directory,
				   KEYS_NAME, (unsigned long long)slot_offset(damaged));
	return TTG_OK;
}

/* More keys, durable. */
static enum ttg_error make_keys(struct keystore *store)
{
	const struct world *world = store->world;
	const size_t bytes = (size_t)store->make * STORE_SLOT;
	uint8_t *slots = malloc(bytes);
	uint8_t key[KEYSTORE_KEY];
	bool fine = slots != NULL;
	int result;

	for (uint32_t i = 0; i < store->make && fine; i++)
		fine = world->random(world->self, key, sizeof(key)) >= 0 &&
		       slot_encode(store->wrapper, store->secrets->master, store->count + 1 + i, key,
				   slots + (size_t)i * STORE_SLOT);
	wipe(key, sizeof(key));
	if (!fine) {
		free(slots);
		return slots ? TTG_ECRYPTO : TTG_ENOMEM;
	}
	result = world_write_all(world, store->file, slots, bytes, slot_offset(store->count + 1));
	free(slots);
	if (world_error(result) == TTG_ENOSPC)
		return TTG_ENOSPC; /* what was written of it was given to nobody */
	if (result >= 0 && !PLANTED(KEYS_UNSYNCED))
		result = world->sync(world->self, store->file);
	if (result < 0)
		return store_fail(store, result);
	store->count += store->make;
	if (store->make < KEYSTORE_MAKE)
		store->make *= 2;
	return TTG_OK;
}

enum ttg_error keystore_take(struct keystore *store, uint64_t *number)
{
	enum ttg_error error = store->failed ? TTG_EIO : TTG_OK;

	if (!error && store->next > store->count)
		error = make_keys(store);
	if (!error)
		*number = store->next++;
	return error;
}

enum ttg_error keystore_get(struct keystore *store, uint64_t number, uint8_t key[KEYSTORE_KEY])
{
	struct cached_key *cached = &store->secrets->cache[number & (STORE_CACHE - 1)];
	uint8_t slot[STORE_SLOT];
	enum ttg_error error;

	if (store->failed)
		return TTG_EIO;
	if (number == 0 || number > store->count)
		return graves_has(store, number) ? TTG_EPERM : TTG_ENOENT;
	if (cached->number != number) {
		if (graves_has(store, number))
			return TTG_EPERM;
		error = store_read(store, number, slot);
		if (error)
			return error;
		if (slot_state(slot, number) != SLOT_KEY)
			return slot_state(slot, number) == SLOT_DESTROYED ? TTG_EPERM : TTG_ECORRUPT;
		cached->number = 0;
		if (!slot_decode(store->wrapper, store->secrets->master, slot, cached->key))
			return TTG_ECRYPTO;
		cached->number = number;
	}
	memcpy(key, cached->key, KEYSTORE_KEY);
	return TTG_OK;
}

bool keystore_is_destroyed(const struct keystore *store, uint64_t number)
{
	return graves_has(store, number);
}

static void forget(struct keystore *store, const uint64_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cached_key *cached = &store->secrets->cache[numbers[i] & (STORE_CACHE - 1)];

		if (cached->number == numbers[i])
			wipe(cached, sizeof(*cached));
	}
}

enum ttg_error keystore_destroy(struct keystore *store, const uint64_t *numbers, size_t n)
{
	enum ttg_error error = store->failed ? TTG_EIO : TTG_OK;
	bool wanted = false;
	int result;

	for (size_t i = 0; i < n; i++)
		wanted |= !graves_has(store, numbers[i]);
	if (error || !wanted)
		return error;
	error = graves_dig(store, numbers, n);
	if (error)
		return error;
	forget(store, numbers, n);
	result = overwrite(store, store->file, store->count, numbers, n);
	if (result >= 0 && store->rewrapping)
		result = overwrite(store, store->wanted_file, store->wanted_count, numbers, n);
	return result < 0 ? store_fail(store, result) : TTG_OK;
}

enum ttg_error keystore_destroy_unused(struct keystore *store, const struct keystore_used *used)
{
	enum ttg_error error = TTG_OK;
	uint64_t number = 1;

	while (number <= used->newest && !error) {
		uint64_t numbers[DESTROYED_AT_ONCE];
		size_t n = 0;

		for (; number <= used->newest && n < DESTROYED_AT_ONCE; number++) {
			if (!is_used(used, number) && !graves_has(store, number))
				numbers[n++] = number;
		}
		error = n > 0 ? keystore_destroy(store, numbers, n) : TTG_OK;
	}
	return error;
}

void keystore_get_view(const struct keystore *store, struct keystore_view *out)
{
	*out = (struct keystore_view){
		.keys = store->count,
		.destroyed = store->n_graves,
		.rewrapping = store->rewrapping,
	};
}
