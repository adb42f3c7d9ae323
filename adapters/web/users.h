/*
 * The file of those who may sign in, and what it says of each. One user a line, mode 0600:
 *
 *     ttg-users v1
 *     ann.example:duty:enabled:scrypt:15:8:1:SALT:HASH:FEED:UNLOCKS:Ann Example
 *
 * name, role, "enabled" or "disabled", how the password is kept and with what costs, 32 and 64
 * hexadecimal digits, the token for calendar programs (32 digits, or "-"), how often an
 * administrator has unlocked the name, and what colleagues know the user as. Written whole and
 * renamed over the old one; whoever changes it holds a lock on FILE.lock. Read again when it has
 * changed.
 */
#ifndef WEB_USERS_H
#define WEB_USERS_H

#include "base/world.h"
#include "web/password.h"
#include "web/web.h"

#define USERS_MAX        1000
#define USERS_FEED_BYTES 33
#define USERS_FILE_BYTES (512u << 10)

struct user {
	struct web_user who;
	struct password password;
	bool disabled;
	char feed[USERS_FEED_BYTES]; /* "": none */
	unsigned unlocks;
};

struct users {
	struct user *list;
	size_t n;
	/* The file that was read, to see a change by. */
	uint64_t device, inode, bytes;
	int64_t modified_ns;
};

bool user_name_is_valid(const char *name);      /* [a-z0-9.-], begins with a letter or digit */
bool user_full_name_is_valid(const char *name); /* clean UTF-8, not empty */

/* TTG_ENOENT, TTG_EPERM (others may read it), TTG_EFORMAT, TTG_ENOMEM; *out is empty then. */
enum ttg_error users_read(struct users *out, const char *path, const char *const *role_words,
                          struct message *message);
void users_fini(struct users *users);
/* Whether the file is another than the one that was read; a missing one is. */
bool users_have_changed(const struct users *users, const char *path);
struct user *users_find(const struct users *users, const char *name); /* NULL: nobody */
/* A place for one more, zeros; its name is for the caller to set. NULL: full, or no memory. */
struct user *users_add(struct users *users);
void users_remove(struct users *users, struct user *user);

/*
 * Changing the file: lock, read, change, write, unlock. TTG_ELOCKED: somebody else does, at this
 * moment.
 */
enum ttg_error users_lock(const char *path, const struct world *world, int *lock,
                          struct message *message);
void users_unlock(const struct world *world, int lock);
enum ttg_error users_write(const struct users *users, const char *path,
                           const char *const *role_words, const struct world *world,
                           struct message *message);

/*
 * The part "user" of a program's command line: `PROGRAM user add NAME --role ROLE ...`; argv[0] is
 * "user". Gives the program's exit status. See the programs' pages.
 */
int web_users_main(int argc, char **argv, const char *program, const struct web_site *site);

#endif
