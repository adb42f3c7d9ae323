/* The users' file, read and looked up. See users.h. Owned by the program's only thread. */
#include "web/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/keyfile.h"
#include "base/utf8.h"
#include "common/secret_file.h"

#define HEADER   "ttg-users v1"
#define N_PARTS  12
#define NS_PER_S INT64_C(1000000000)

bool user_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < WEB_USER_BYTES && name[0] != '-' && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == len;
}

bool user_full_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < WEB_NAME_BYTES && name[0] != ' ' && utf8_is_clean(name, len) &&
	       strpbrk(name, "\n\t") == NULL;
}

static bool read_number(const char *text, unsigned *out)
{
	size_t len = strlen(text);

	if (len == 0 || len > 9 || strspn(text, "0123456789") != len)
		return false;
	*out = (unsigned)strtoul(text, NULL, 10);
	return true;
}

static bool read_hex(const char *text, uint8_t *out, size_t len)
{
	if (strlen(text) != 2 * len || strspn(text, "0123456789abcdef") != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		char digits[3] = { text[2 * i], text[2 * i + 1], '\0' };

		out[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return true;
}

static bool read_role(const char *text, const char *const *role_words, unsigned *out)
{
	for (unsigned i = 0; role_words[i] != NULL; i++) {
		if (strcmp(text, role_words[i]) == 0) {
			*out = 1u << i;
			return true;
		}
	}
	return false;
}

static bool read_feed(const char *text, char out[USERS_FEED_BYTES])
{
	uint8_t bytes[(USERS_FEED_BYTES - 1) / 2];

	out[0] = '\0';
	if (strcmp(text, "-") == 0)
		return true;
	if (!read_hex(text, bytes, sizeof(bytes)))
		return false;
	strcpy(out, text);
	return true;
}

/* What is wrong with a line; NULL: nothing. */
static const char *read_line(char *line, const char *const *role_words, struct user *out)
{
	char *part[N_PARTS];
	struct password *password = &out->password;

	*out = (struct user){ 0 };
	for (size_t i = 0; i < N_PARTS; i++) {
		part[i] = i + 1 < N_PARTS ? strsep(&line, ":") : line;
		if (part[i] == NULL)
			return "has too few fields";
	}
	if (!user_name_is_valid(part[0]))
		return "begins with no user name";
	strcpy(out->who.user, part[0]);
	if (!read_role(part[1], role_words, &out->who.role))
		return "has a role that is not known here";
	out->disabled = strcmp(part[2], "disabled") == 0;
	if (!out->disabled && strcmp(part[2], "enabled") != 0)
		return "is neither enabled nor disabled";
	if (strcmp(part[3], "scrypt") != 0 || !read_number(part[4], &password->log_n) ||
	    !read_number(part[5], &password->r) || !read_number(part[6], &password->p) ||
	    !password_is_bounded(password) || !read_hex(part[7], password->salt, PASSWORD_SALT) ||
	    !read_hex(part[8], password->hash, HASH_BYTES))
		return "has no password that is kept as it should be";
	if (!read_feed(part[9], out->feed) || !read_number(part[10], &out->unlocks))
		return "has a wrong token or number";
	if (!user_full_name_is_valid(part[11]))
		return "has no full name";
	strcpy(out->who.name, part[11]);
	return NULL;
}

static enum ttg_error read_lines(struct users *out, const char *path, char *text,
                                 const char *const *role_words, struct message *message)
{
	unsigned number = 1;
	char *line = strsep(&text, "\n");

	if (strcmp(line, HEADER) != 0)
		return message_set(message, TTG_EFORMAT, "%s: does not begin with \"%s\"", path,
		                   HEADER);
	while (text != NULL) {
		const char *wrong;
		struct user *user;

		line = strsep(&text, "\n");
		number++;
		if (line[0] == '\0' || line[0] == '#')
			continue;
		user = users_add(out);
		if (user == NULL)
			return message_set(message, TTG_ELIMIT, "%s: has more than %d users", path,
			                   USERS_MAX);
		wrong = read_line(line, role_words, user);
		if (wrong == NULL && users_find(out, user->who.user) != user)
			wrong = "names a user that stands above";
		if (wrong != NULL)
			return message_set(message, TTG_EFORMAT, "%s: line %u %s", path, number,
			                   wrong);
	}
	return TTG_OK;
}

static bool look_at(const char *path, struct users *out)
{
	struct stat info;

	if (stat(path, &info) != 0)
		return false;
	out->device = info.st_dev;
	out->inode = info.st_ino;
	out->bytes = (uint64_t)info.st_size;
	out->modified_ns = (int64_t)info.st_mtim.tv_sec * NS_PER_S + info.st_mtim.tv_nsec;
	return true;
}

enum ttg_error users_read(struct users *out, const char *path, const char *const *role_words,
                          struct message *message)
{
	char *text = malloc(USERS_FILE_BYTES);
	enum ttg_error error;

	*out = (struct users){ 0 };
	if (text == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	look_at(path, out); /* before it is read: a change in between is then seen next time */
	error = secret_file_read(path, true, text, USERS_FILE_BYTES, message);
	if (error == TTG_OK)
		error = read_lines(out, path, text, role_words, message);
	wipe(text, USERS_FILE_BYTES);
	free(text);
	if (error != TTG_OK)
		users_fini(out);
	return error;
}

void users_fini(struct users *users)
{
	if (users->list != NULL)
		wipe(users->list, users->n * sizeof(*users->list));
	free(users->list);
	*users = (struct users){ 0 };
}

bool users_have_changed(const struct users *users, const char *path)
{
	struct users now = { 0 };

	return !look_at(path, &now) || now.device != users->device || now.inode != users->inode ||
	       now.bytes != users->bytes || now.modified_ns != users->modified_ns;
}

struct user *users_find(const struct users *users, const char *name)
{
	for (size_t i = 0; i < users->n; i++) {
		if (strcmp(users->list[i].who.user, name) == 0)
			return &users->list[i];
	}
	return NULL;
}

struct user *users_add(struct users *users)
{
	if (users->list == NULL)
		users->list = calloc(USERS_MAX, sizeof(*users->list));
	if (users->list == NULL || users->n == USERS_MAX)
		return NULL;
	users->list[users->n] = (struct user){ 0 };
	return &users->list[users->n++];
}

void users_remove(struct users *users, struct user *user)
{
	size_t i = (size_t)(user - users->list);

	memmove(user, user + 1, (users->n - i - 1) * sizeof(*user));
	users->n--;
	wipe(&users->list[users->n], sizeof(*user));
}
