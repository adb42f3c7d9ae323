/*
 * The command `PROGRAM user ...`: who may sign in. Works on the file while the server runs, which
 * sees the change at the next request. A password comes from the terminal, without echo and twice,
 * or as the first line of standard input; never from the command line, where others could see it.
 *
 * Exit status: 0 done, 1 not done (standard error says why), 2 used wrongly.
 */
#include "web/users.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include "base/keyfile.h"

#define LINE_BYTES (PASSWORD_MAX + 2)

struct command {
	const char *program;
	const struct web_site *site;
	const struct world *world;
	const char *verb, *user;
	const char *role, *name, *file; /* NULL: not given */
	struct users users;
	struct password password; /* the new one */
	struct message message;
};

static int usage(const struct command *command)
{
	const char *const *role = command->site->role_words;

	fprintf(stderr,
	        "usage: %s user add NAME --role ROLE --name \"FULL NAME\" --file FILE\n"
	        "       %s user set-password|disable|enable|remove|unlock NAME --file FILE\n"
	        "       %s user list --file FILE\n"
	        "Roles:",
	        command->program, command->program, command->program);
	for (; *role != NULL; role++)
		fprintf(stderr, " %s", *role);
	fprintf(stderr, "\n");
	return 2;
}

static int fail(const struct command *command)
{
	fprintf(stderr, "%s: %s\n", command->program, command->message.text);
	return 1;
}

/* One line without its end. False: none, or longer than a password may be. */
static bool read_line(const char *prompt, char out[LINE_BYTES])
{
	struct termios before, quiet;
	bool terminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before) == 0;
	size_t len = 0;
	char c = '\0';

	if (terminal) {
		fprintf(stderr, "%s: ", prompt);
		quiet = before;
		/* No signals either, or the terminal would be left without echo. */
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	/* Byte by byte, past stdio's buffer, which nobody wipes. */
	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n') {
		if (len + 1 < LINE_BYTES)
			out[len++] = c;
	}
	out[len] = '\0';
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fprintf(stderr, "\n");
	}
	return c == '\n' || len > 0;
}

/* Asks for a new password of that user and keeps what is to be kept of it. */
static bool read_password(struct command *command, const char *name)
{
	char first[LINE_BYTES] = "", again[LINE_BYTES] = "";
	const char *fault = "there is no password on standard input";

	if (read_line("New password", first)) {
		fault = password_fault(first, command->user, name);
		if (fault == NULL && isatty(STDIN_FILENO) == 1 &&
		    (!read_line("New password again", again) || strcmp(first, again) != 0))
			fault = "the passwords are not the same";
	}
	if (fault == NULL && !password_set(&command->password, first, command->world))
		fault = "no memory, or no random bytes";
	wipe(first, sizeof(first));
	wipe(again, sizeof(again));
	if (fault != NULL)
		message_set(&command->message, TTG_EINVAL, "%s", fault);
	return fault == NULL;
}

static bool find_role(const struct command *command, unsigned *out)
{
	for (unsigned i = 0; command->site->role_words[i] != NULL; i++) {
		if (strcmp(command->site->role_words[i], command->role) == 0) {
			*out = 1u << i;
			return true;
		}
	}
	return false;
}

static bool add_user(struct command *command)
{
	struct user *user;
	unsigned role = 0;

	if (!user_name_is_valid(command->user))
		message_set(&command->message, TTG_EINVAL,
		            "a user name has at most %d of a-z, 0-9, \".\" and \"-\"",
		            WEB_USER_BYTES - 1);
	else if (!user_full_name_is_valid(command->name))
		message_set(&command->message, TTG_EINVAL,
		            "a full name has at most %d bytes of text", WEB_NAME_BYTES - 1);
	else if (!find_role(command, &role))
		message_set(&command->message, TTG_EINVAL, "there is no role %s", command->role);
	else if (users_find(&command->users, command->user) != NULL)
		message_set(&command->message, TTG_EEXIST, "%s is there already", command->user);
	else if ((user = users_add(&command->users)) == NULL)
		message_set(&command->message, TTG_ELIMIT, "there is no room for more than %d",
		            USERS_MAX);
	else {
		strcpy(user->who.user, command->user);
		strcpy(user->who.name, command->name);
		user->who.role = role;
		user->password = command->password;
		return true;
	}
	return false;
}

/* Does what is asked to the users in memory. False: not done; the message says why. */
static bool change(struct command *command)
{
	struct user *user = users_find(&command->users, command->user);

	if (strcmp(command->verb, "add") == 0)
		return add_user(command);
	if (user == NULL) {
		message_set(&command->message, TTG_ENOENT, "there is no user %s", command->user);
		return false;
	}
	if (strcmp(command->verb, "remove") == 0) {
		users_remove(&command->users, user);
	} else if (strcmp(command->verb, "disable") == 0) {
		user->disabled = true;
	} else if (strcmp(command->verb, "enable") == 0) {
		user->disabled = false;
	} else { /* "unlock", which a new password does too */
		user->unlocks++;
		if (strcmp(command->verb, "set-password") == 0)
			user->password = command->password;
	}
	return true;
}

/* A file that is not there yet is one without users. */
static enum ttg_error read_users(struct command *command)
{
	enum ttg_error error = users_read(&command->users, command->file, command->site->role_words,
	                                  &command->message);

	if (error == TTG_ENOENT && strcmp(command->verb, "add") == 0 &&
	    access(command->file, F_OK) != 0)
		return TTG_OK;
	return error;
}

/* A file that is written anew is its writer's; one that the server cannot read helps nobody. */
static bool is_ours(struct command *command)
{
	char copy[PATH_MAX];
	struct stat info;
	bool there = stat(command->file, &info) == 0;

	snprintf(copy, sizeof(copy), "%s", command->file);
	if (!there && stat(dirname(copy), &info) != 0)
		return true; /* writing will say why not */
	if (info.st_uid == geteuid() || (!there && geteuid() != 0))
		return true;
	message_set(&command->message, TTG_EPERM,
	            "%s %s to another user: run this as that user (sudo -u)", command->file,
	            there ? "belongs" : "would belong");
	return false;
}

/* Once without a lock, to see whether it can be done: who types a password keeps nobody waiting. */
static bool prepare(struct command *command)
{
	bool fine = read_users(command) == TTG_OK && change(command);
	const struct user *user = fine ? users_find(&command->users, command->user) : NULL;
	char name[WEB_NAME_BYTES] = "";

	if (user != NULL)
		strcpy(name, user->who.name);
	users_fini(&command->users);
	if (fine &&
	    (strcmp(command->verb, "add") == 0 || strcmp(command->verb, "set-password") == 0))
		fine = read_password(command, name);
	return fine;
}

static int change_file(struct command *command)
{
	int lock, status = 1;

	if (!is_ours(command) || !prepare(command) ||
	    users_lock(command->file, command->world, &lock, &command->message) != TTG_OK)
		return fail(command);
	if (read_users(command) == TTG_OK && change(command) &&
	    users_write(&command->users, command->file, command->site->role_words, command->world,
	                &command->message) == TTG_OK)
		status = 0;
	users_unlock(command->world, lock);
	users_fini(&command->users);
	wipe(&command->password, sizeof(command->password));
	return status == 0 ? 0 : fail(command);
}

static int list(struct command *command)
{
	if (users_read(&command->users, command->file, command->site->role_words,
	               &command->message) != TTG_OK)
		return fail(command);
	for (size_t i = 0; i < command->users.n; i++) {
		const struct user *user = &command->users.list[i];
		unsigned role = 0;

		while (user->who.role != 1u << role)
			role++;
		printf("%-32s  %-12s  %-8s  %s\n", user->who.user, command->site->role_words[role],
		       user->disabled ? "disabled" : "enabled", user->who.name);
	}
	users_fini(&command->users);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* False: not as usage() says. */
static bool read_arguments(struct command *command, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char **to = NULL;

		if (strcmp(argv[i], "--role") == 0)
			to = &command->role;
		else if (strcmp(argv[i], "--name") == 0)
			to = &command->name;
		else if (strcmp(argv[i], "--file") == 0)
			to = &command->file;
		if (to != NULL && i + 1 < argc)
			*to = argv[++i];
		else if (argv[i][0] == '-')
			return false;
		else if (command->verb == NULL)
			command->verb = argv[i];
		else if (command->user == NULL)
			command->user = argv[i];
		else
			return false;
	}
	return command->verb != NULL && command->file != NULL;
}

int web_users_main(int argc, char **argv, const char *program, const struct web_site *site)
{
	static const char *const verbs[] = { "set-password", "disable", "enable", "remove",
		                             "unlock" };
	struct command command = { .program = program, .site = site, .world = world_real() };

	if (!read_arguments(&command, argc, argv))
		return usage(&command);
	if (strcmp(command.verb, "list") == 0)
		return command.user == NULL ? list(&command) : usage(&command);
	if (command.user == NULL)
		return usage(&command);
	if (strcmp(command.verb, "add") == 0)
		return command.role != NULL && command.name != NULL ? change_file(&command)
		                                                    : usage(&command);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(command.verb, verbs[i]) == 0)
			return change_file(&command);
	}
	return usage(&command);
}
