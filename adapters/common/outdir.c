/*
 * Writing received events to files. See outdir.h. Every file is written beside its name, synced,
 * renamed, and the directory synced (world_replace_file). On a full disk nothing is acknowledged
 * and the broker keeps the event.
 */
#include "common/outdir.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum ttg_error outdir_prepare(const struct world *world, const char *dir, struct message *message)
{
	int made = world->mkdir(world->self, dir);

	if (made < 0 && made != -EEXIST)
		return message_set(message, TTG_ESYS, "cannot make the directory %s: %s", dir,
		                   strerror(-made));
	return TTG_OK;
}

static enum ttg_error put_file(const struct world *world, const char *dir, const char *name,
                               const char *end, const char *text, struct message *message)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, end);
	int put = world_replace_file(world, path, text, strlen(text));

	if (put == -ENOSPC || put == -EDQUOT)
		return message_set(message, TTG_ENOSPC, "no room in %s", dir);
	if (put < 0)
		return message_set(message, TTG_EIO, "cannot write to %s: %s", dir, strerror(-put));
	return TTG_OK;
}

enum ttg_error outdir_put(const struct world *world, const char *dir, const Ttg__Event *event,
                          const char *json, struct message *message)
{
	char id[TTG_UUID_TEXT], name[128];
	int type = ttg_type_of(event);
	char *csv;
	enum ttg_error error;

	if (type < 0 || event->id.len != TTG_UUID_BYTES)
		return message_set(message, TTG_EINVAL, "event of unknown type or without id");
	ttg_uuid_format(event->id.data, id);
	snprintf(name, sizeof(name), "%s-%s", ttg_type_name((size_t)type), id);
	csv = outcsv_format(event);
	if (csv == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	error = put_file(world, dir, name, "csv", csv, message);
	if (error == TTG_OK)
		error = put_file(world, dir, name, "json", json, message);
	free(csv);
	return error;
}
