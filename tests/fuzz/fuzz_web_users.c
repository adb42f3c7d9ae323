/*
 * The file of those who may sign in to pages.
 *
 * Broken when what was read is not what is read again after it was written, when two users have one
 * name, or when a refused file leaves a user behind or its message quotes it.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "web/users.h"

static const char *const roles[] = { "duty", "manager", NULL };

static void check_user(const struct users *users, const struct user *user)
{
	MUST(users_find(users, user->who.user) == user);
	MUST(user_name_is_valid(user->who.user));
	MUST(user_full_name_is_valid(user->who.name));
	MUST(user->who.role == 1 || user->who.role == 2);
	MUST(password_is_bounded(&user->password));
	MUST(user->feed[0] == '\0' || strlen(user->feed) == USERS_FEED_BYTES - 1);
}

static void check_again(const struct users *users, const char *path)
{
	struct message message = { "" };
	struct users again;

	MUST(users_write(users, path, roles, world_real(), &message) == TTG_OK);
	MUST(users_read(&again, path, roles, &message) == TTG_OK);
	MUST(again.n == users->n);
	MUST(users->n == 0 ||
	     memcmp(again.list, users->list, users->n * sizeof(*users->list)) == 0);
	users_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char path[512];
	struct message message = { "" };
	struct users users;

	fuzz_write("users", data, len);
	fuzz_path("users", path, sizeof(path));
	if (users_read(&users, path, roles, &message) != TTG_OK) {
		MUST(users.list == NULL && users.n == 0 && message.text[0] != '\0');
		MUST(utf8_is_clean(message.text, strlen(message.text)));
		return 0;
	}
	for (size_t i = 0; i < users.n; i++)
		check_user(&users, &users.list[i]);
	check_again(&users, path);
	users_fini(&users);
	return 0;
}
