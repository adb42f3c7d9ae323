/* When the daily summary is due, and writing it. See summary.h. Owned by the adapter's thread. */
#include "partner/summary.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "common/outdir.h"

#define DAY_FILE  "summary.day" /* in state_dir: the date of the last one */
#define NS_PER_MS INT64_C(1000000)
#define AGAIN_MS  60000

bool summary_is_address(const char *text)
{
	const char *at = strrchr(text, '@');
	size_t len = strlen(text);

	if (at == NULL || at == text || at[1] == '\0' || len > SUMMARY_ADDRESS_BYTES)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~' || strchr("<>,;:()\"\\", text[i]) != NULL)
			return false;
	}
	return true;
}

bool summary_is_due(const struct summary_plan *plan, int64_t now_ns, char day[11])
{
	char clock[6];

	instant_to_civil(now_ns, day, clock);
	return strcmp(clock, plan->at) >= 0 && strcmp(plan->last, day) < 0;
}

static void day_path(const struct summary_plan *plan, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/" DAY_FILE, plan->state_dir);
}

enum ttg_error summary_open(struct summary_plan *plan, const struct world *world,
                            struct message *message)
{
	char path[PATH_MAX];
	char day[11] = "";
	int file;

	day_path(plan, path);
	file = world->open(world->self, path, WORLD_READ);
	if (file >= 0 && world_read_all(world, file, day, 10, 0) == 0 && date_is_valid(day))
		memcpy(plan->last, day, sizeof(plan->last));
	if (file >= 0)
		world->close(world->self, file);
	return outdir_prepare(world, plan->dir, message);
}

static enum ttg_error put(const struct world *world, const char *path, const char *text,
                          struct message *message)
{
	int put_bytes = world_replace_file(world, path, text, strlen(text));

	return put_bytes < 0 ? message_set(message, world_error(put_bytes), "cannot write to %s: %s",
	                                   path, strerror(-put_bytes))
	                     : TTG_OK;
}

static enum ttg_error write_message(struct summary_plan *plan, const struct world *world,
                                    const struct caseload *referrals, const char day[11],
                                    struct message *message)
{
	char path[PATH_MAX];
	char *text = summary_text(plan, referrals, world->real_ns(world->self));
	enum ttg_error error;

	if (text == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	snprintf(path, sizeof(path), "%s/%s-%s.eml", plan->dir, plan->agency, day);
	error = put(world, path, text, message);
	free(text);
	if (error != TTG_OK)
		return error;
	day_path(plan, path);
	error = put(world, path, day, message);
	if (error == TTG_OK)
		memcpy(plan->last, day, sizeof(plan->last));
	return error;
}

enum ttg_error summary_write_if_due(struct summary_plan *plan, const struct world *world,
                                    const struct caseload *referrals, struct message *message)
{
	int64_t now_ms = world->mono_ns(world->self) / NS_PER_MS;
	char day[11];
	enum ttg_error error = TTG_OK;

	if (now_ms < plan->look_ms)
		return TTG_OK;
	plan->look_ms = now_ms + SUMMARY_LOOK_MS;
	if (summary_is_due(plan, world->real_ns(world->self), day))
		error = write_message(plan, world, referrals, day, message);
	if (error != TTG_OK)
		plan->look_ms = now_ms + AGAIN_MS;
	return error;
}
