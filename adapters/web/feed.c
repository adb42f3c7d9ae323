/*
 * Secrets in links that a calendar program opens by itself. They stand in the users' file as they
 * are, since the page that has the link shows it again; they open nothing but what the site serves
 * for them.
 */
#include "web/server.h"

#include <stdio.h>
#include <string.h>
#include "common/http_secret.h"

struct feed_change {
	const struct world *world;
	bool anew;
	char token[USERS_FEED_BYTES];
};

static bool change_feed(void *arg, struct user *user)
{
	struct feed_change *change = arg;
	uint8_t bytes[(USERS_FEED_BYTES - 1) / 2];

	if (user->feed[0] == '\0' || change->anew) {
		if (change->world->random(change->world->self, bytes, sizeof(bytes)) < 0)
			return false;
		for (size_t i = 0; i < sizeof(bytes); i++)
			snprintf(user->feed + 2 * i, 3, "%02x", (unsigned)bytes[i]);
	}
	strcpy(change->token, user->feed);
	return true;
}

void web_feed_token(const struct web_request *request, bool anew, char out[33])
{
	struct web *web = request->web;
	struct feed_change change = { .world = web->world, .anew = anew };
	const struct user *user =
	        request->user == NULL ? NULL : users_find(&web->users, request->user->user);

	out[0] = '\0';
	if (user == NULL)
		return;
	if (user->feed[0] != '\0' && !anew)
		strcpy(out, user->feed);
	else if (server_change_user(web, user->who.user, change_feed, &change, NULL) == TTG_OK)
		strcpy(out, change.token);
}

const struct web_user *web_feed_user(const struct web_request *request, const char *token)
{
	const struct users *users = &request->web->users;
	const struct web_user *found = NULL;

	if (strlen(token) != USERS_FEED_BYTES - 1)
		return NULL;
	for (size_t i = 0; i < users->n; i++) {
		const struct user *user = &users->list[i];
		bool same = http_secret_equal(token, user->feed); /* of "" nothing is equal */

		if (same && !user->disabled)
			found = &user->who;
	}
	return found;
}
