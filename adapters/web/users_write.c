/*
 * The users' file, written. See users.h. Who changes it holds the lock from before reading until
 * after writing, so that no change is lost between a server and an administrator's command.
 */
#include "web/users.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/keyfile.h"

enum ttg_error users_lock(const char *path, const struct world *world, int *lock,
                          struct message *message)
{
	char name[PATH_MAX];
	int result;

	*lock = -1;
	if (snprintf(name, sizeof(name), "%s.lock", path) >= PATH_MAX)
		return message_set(message, TTG_EINVAL, "the name of the users' file is too long");
	*lock = world->open(world->self, name, WORLD_CREATE);
	if (*lock < 0)
		return message_set(message, world_error(*lock), "%s: %s", name, strerror(-*lock));
	result = world->lock(world->self, *lock);
	if (result >= 0)
		return TTG_OK;
	users_unlock(world, *lock);
	*lock = -1;
	return message_set(message, TTG_ELOCKED, "%s is being changed by somebody else: try again",
	                   path);
}

void users_unlock(const struct world *world, int lock)
{
	world->close(world->self, lock);
}

static size_t put_hex(char *out, size_t room, const uint8_t *bytes, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len && used + 2 < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%02x", (unsigned)bytes[i]);
	return used;
}

static size_t put_user(char *out, size_t room, const struct user *user,
                       const char *const *role_words)
{
	char salt[2 * PASSWORD_SALT + 1] = "", hash[2 * HASH_BYTES + 1] = "";
	const struct password *password = &user->password;
	unsigned role = 0;
	int len;

	while (role_words[role + 1] != NULL && user->who.role != 1u << role)
		role++;
	put_hex(salt, sizeof(salt), password->salt, PASSWORD_SALT);
	put_hex(hash, sizeof(hash), password->hash, HASH_BYTES);
	len = snprintf(out, room, "%s:%s:%s:scrypt:%u:%u:%u:%s:%s:%s:%u:%s\n", user->who.user,
	               role_words[role], user->disabled ? "disabled" : "enabled", password->log_n,
	               password->r, password->p, salt, hash,
	               user->feed[0] == '\0' ? "-" : user->feed, user->unlocks, user->who.name);
	wipe(hash, sizeof(hash));
	return len < 0 ? room : (size_t)len;
}

enum ttg_error users_write(const struct users *users, const char *path,
                           const char *const *role_words, const struct world *world,
                           struct message *message)
{
	char *text = malloc(USERS_FILE_BYTES);
	size_t used;
	int result;

	if (text == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	used = (size_t)snprintf(text, USERS_FILE_BYTES, "ttg-users v1\n");
	for (size_t i = 0; i < users->n && used < USERS_FILE_BYTES; i++)
		used += put_user(text + used, USERS_FILE_BYTES - used, &users->list[i], role_words);
	result = used < USERS_FILE_BYTES ? world_replace_file(world, path, text, used) : 0;
	wipe(text, USERS_FILE_BYTES);
	free(text);
	if (used >= USERS_FILE_BYTES)
		return message_set(message, TTG_ELIMIT, "%s would be too long", path);
	return result >= 0 ? TTG_OK
	                   : message_set(message, world_error(result), "%s: %s", path,
	                                 strerror(-result));
}
