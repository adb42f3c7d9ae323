/*
 * The users' file as it is now. It is looked at before each request and at each beat, so that what
 * an administrator changes holds at once: sessions of who is gone, disabled, or has another role,
 * name or password end. A file that cannot be read changes nothing, and the log says so. See
 * server.h.
 */
#include "web/server.h"

#include <stdio.h>
#include <string.h>

static bool still_holds(const struct session *session, const struct user *user)
{
	return user != NULL && !user->disabled && user->who.role == session->user.role &&
	       strcmp(user->who.name, session->user.name) == 0 &&
	       memcmp(user->password.hash, session->proof, HASH_BYTES) == 0;
}

static void end_sessions(struct web *web)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &web->sessions.list[i];

		if (session->since_ns != 0 &&
		    !still_holds(session, users_find(&web->users, session->user.user)))
			web_session_close(session);
	}
	server_streams_resume(web);
}

/* Names that an administrator has unlocked since. */
static void unlock(struct web *web, const struct users *before)
{
	for (size_t i = 0; i < web->users.n; i++) {
		const struct user *now = &web->users.list[i];
		const struct user *then = users_find(before, now->who.user);

		if (then == NULL || then->unlocks != now->unlocks)
			lockout_forget(&web->lockout, now->who.user);
	}
}

static void take(struct web *web, struct users *anew)
{
	struct users before = web->users;

	web->users = *anew;
	unlock(web, &before);
	end_sessions(web);
	users_fini(&before);
}

void server_look_at_users(struct web *web)
{
	const struct web_options *options = &web->options;
	struct message message = { "" };
	struct users anew;
	enum ttg_error error;

	if (!users_have_changed(&web->users, options->users_file))
		return;
	error = users_read(&anew, options->users_file, web->site->role_words, &message);
	if (error == TTG_OK) {
		take(web, &anew);
		web->users_are_bad = false;
		return;
	}
	if (!web->users_are_bad)
		log_write(options->log, LOG_LEVEL_ERROR, "web_users_unreadable", "code=%s",
		          ttg_error_name(error));
	web->users_are_bad = true;
}

enum ttg_error server_change_user(struct web *web, const char *name,
                                  bool (*change)(void *arg, struct user *user), void *arg,
                                  struct message *message)
{
	const char *path = web->options.users_file;
	const char *const *role_words = web->site->role_words;
	struct users anew = { 0 };
	struct user *user;
	int lock;
	enum ttg_error error = users_lock(path, web->world, &lock, message);

	if (error != TTG_OK)
		return error;
	error = users_read(&anew, path, role_words, message);
	user = error == TTG_OK ? users_find(&anew, name) : NULL;
	if (error == TTG_OK && (user == NULL || !change(arg, user)))
		error = message_set(message, TTG_ENOENT, "the user is not there any more");
	if (error == TTG_OK)
		error = users_write(&anew, path, role_words, web->world, message);
	users_fini(&anew);
	users_unlock(web->world, lock);
	server_look_at_users(web);
	return error;
}
