/*
 * Files into spools: written under a name that starts with a dot, which adapters pass over, synced,
 * then renamed. On failure the part is removed and `problem` says why. One thread.
 */
#include "drop.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PATH_ROOM 768

static bool fail(struct drop *drop, const char *path, FILE *file)
{
	snprintf(drop->problem, sizeof(drop->problem), "%.500s: %s", path, strerror(errno));
	if (file)
		fclose(file);
	unlink(path);
	return false;
}

bool drop_put(void *user, enum feed feed, const char *name, const char *bytes, size_t len)
{
	struct drop *drop = user;
	char part[PATH_ROOM];
	char path[PATH_ROOM];
	FILE *file;

	snprintf(part, sizeof(part), "%s/.%s.part", drop->spools[feed], name);
	snprintf(path, sizeof(path), "%s/%s", drop->spools[feed], name);
	file = fopen(part, "wxe");
	if (!file)
		return fail(drop, part, NULL);
	if (fwrite(bytes, 1, len, file) != len || fflush(file) != 0 || fsync(fileno(file)) != 0)
		return fail(drop, part, file);
	if (fclose(file) != 0 || rename(part, path) != 0)
		return fail(drop, part, NULL);
	drop->files++;
	return true;
}

void drop_expect(void *user, const char *type, const char *who)
{
	struct drop *drop = user;

	fprintf(drop->expected, "{\"type\":\"%s\",\"who\":\"%s\"}\n", type, who);
	fflush(drop->expected);
}

void drop_expect_withheld(void *user, const char *type, const char *who)
{
	struct drop *drop = user;

	fprintf(drop->expected, "{\"type\":\"%s\",\"who\":\"%s\",\"withheld\":true}\n", type, who);
	fflush(drop->expected);
}

void drop_expect_elsewhere(void *user)
{
	struct drop *drop = user;

	fputs("{\"elsewhere\":true}\n", drop->expected);
	fflush(drop->expected);
}

void drop_expect_own(void *user, const char *id, const char *type, const char *who)
{
	struct drop *drop = user;

	fprintf(drop->expected, "{\"own\":\"%s\"}\n", id);
	if (type)
		fprintf(drop->expected, "{\"type\":\"%s\",\"who\":\"%s\",\"counted\":true}\n", type,
		        who);
	fflush(drop->expected);
}

void drop_expect_failed(void *user, enum feed feed, const char *name)
{
	struct drop *drop = user;

	fprintf(drop->expected, "{\"failed\":\"%s\",\"feed\":\"%s\"}\n", name,
	        drop_feed_name(feed));
	fflush(drop->expected);
}

const char *drop_feed_name(enum feed feed)
{
	static const char *const names[FEEDS] = { "prison", "police", "probation", "oneservice" };

	return names[feed];
}
