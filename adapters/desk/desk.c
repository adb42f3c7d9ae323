/*
 * What the desk knows, kept up with the store; and who may see whom. Owned by the desk's thread.
 *
 * A store that fails in the middle leaves what was taken before: the next call goes on behind it.
 */
#include "desk/desk.h"

#include <inttypes.h>

#define TOLD_EVERY 100000 /* events read at once, until the log is told how far it is */

struct taking {
	struct desk *desk;
	uint64_t n, of;
	enum ttg_error error;
};

bool desk_may_see(const struct web_request *request, const struct person *person)
{
	if (!person->limited)
		return true;
	return request->user != NULL && person_is_assigned(person, request->user->name);
}

static void note_again(struct desk *desk, uint64_t change, uint32_t event)
{
	desk->again[desk->n_again++ % DESK_AGAIN_MAX] = (struct desk_again){ change, event };
	alerts_look_again(desk->alerts, event);
}

static bool take(void *arg, const struct store_event *event)
{
	struct taking *taking = arg;
	struct desk *desk = taking->desk;
	uint32_t known = views_find_event(desk->views, event->id);

	taking->error = views_add(desk->views, event);
	if (taking->error != TTG_OK)
		return false;
	if (known != VIEWS_NOBODY)
		note_again(desk, event->change, known);
	else
		taking->error = alerts_take(desk->alerts, desk->views, event, NULL);
	if (taking->error != TTG_OK)
		return false;
	if (++taking->n % TOLD_EVERY != 0)
		return true;
	log_write(desk->log, LOG_LEVEL_INFO, "reading", "events=%" PRIu64 " of=%" PRIu64, taking->n,
	          taking->of);
	return desk->on_progress == NULL || desk->on_progress(desk);
}

static enum ttg_error take_all(struct desk *desk, struct message *message)
{
	struct taking taking = { .desk = desk, .error = TTG_OK };
	enum ttg_error error = TTG_OK;

	if (views_change(desk->views) == 0)
		error = store_count(desk->store, &taking.of, message);
	if (error == TTG_OK)
		error = store_each_since(desk->store, views_change(desk->views), take, &taking,
		                         message);
	if (error == TTG_OK && taking.error != TTG_OK)
		error = message_set(message, taking.error, "events: %s",
		                    ttg_error_text(taking.error));
	return error;
}

enum ttg_error desk_follow(struct desk *desk, bool *news, struct message *message)
{
	const unsigned alerts = alerts_version(desk->alerts);
	uint64_t last = 0;
	enum ttg_error error = store_last_change(desk->store, &last, message);

	*news = false;
	if (error != TTG_OK)
		return error;
	if (last < views_change(desk->views))
		return message_set(message, TTG_EVERSION,
		                   "the case store is an older one than before: start anew");
	if (last > views_change(desk->views) || desk->unsettled) {
		desk->unsettled = true;
		error = take_all(desk, message);
		if (error == TTG_OK)
			error = views_settle(desk->views, desk->store, message);
		desk->unsettled = error != TTG_OK;
		*news = error == TTG_OK;
	}
	if (error == TTG_OK)
		error = alerts_follow(desk->alerts, desk->views, desk->store, message);
	*news |= alerts_version(desk->alerts) != alerts;
	return error;
}
