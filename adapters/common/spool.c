/*
 * Finding and reading the files of a spool directory. See spool.h for what is taken and for what
 * happens in a crash. Names are data here: they appear in no message.
 */
#include "common/spool_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS_PER_MS     INT64_C(1000000)
#define NOTICE_BUFFER 16384

static enum ttg_error read_file(struct spool *spool, const char *name, struct spool_file *out,
                                struct message *message);

void spool_path(const struct spool *spool, char out[SPOOL_PATH_BYTES], const char *sub,
                const char *name, const char *suffix)
{
	snprintf(out, SPOOL_PATH_BYTES, "%s/%s%s%s", spool->dir, sub, name, suffix);
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static bool is_wanted(const char *name)
{
	return name[0] != '.' && name[0] != '\0' && strcmp(name, "done") != 0 &&
	       strcmp(name, "failed") != 0 && !ends_with(name, ".tmp") && !ends_with(name, ".part");
}

enum ttg_error spool_open(struct spool **out, const struct world *world, const char *dir,
                          size_t max_bytes, struct message *message)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	char path[SPOOL_PATH_BYTES];
	enum ttg_error error = TTG_OK;

	*out = NULL;
	if (spool == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	spool->world = world;
	spool->max_bytes = max_bytes;
	spool->rescan = true;
	spool->notices = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (strlen(dir) >= sizeof(spool->dir)) {
		error = message_set(message, TTG_ELIMIT, "the path of the spool is too long");
		goto out;
	}
	strcpy(spool->dir, dir);
	for (int i = 0; i < 3; i++) {
		static const char *const parts[] = { "", "done", "failed" };

		spool_path(spool, path, "", parts[i], "");
		int made = world->mkdir(world->self, path);
		if (made < 0 && made != -EEXIST) {
			error = message_set(message, TTG_ESYS, "cannot make the directory %s: %s",
			                    path, strerror(-made));
			goto out;
		}
	}
	if (spool->notices < 0 ||
	    inotify_add_watch(spool->notices, dir, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		error = message_set(message, TTG_ESYS, "cannot watch %s: %s", dir, strerror(errno));
out:
	if (error != TTG_OK)
		spool_close(&spool);
	*out = spool;
	return error;
}

static void forget_names(struct spool *spool)
{
	for (size_t i = spool->next_name; i < spool->n_names; i++)
		free(spool->names[i]);
	spool->n_names = spool->next_name = 0;
}

void spool_close(struct spool **spool)
{
	if (*spool == NULL)
		return;
	forget_names(*spool);
	free((*spool)->names);
	if ((*spool)->notices >= 0)
		close((*spool)->notices);
	free(*spool);
	*spool = NULL;
}

int spool_fd(const struct spool *spool)
{
	return spool->notices;
}

void spool_rescan(struct spool *spool)
{
	spool->rescan = true;
}

uint64_t spool_skipped(const struct spool *spool)
{
	return spool->skipped;
}

int spool_wait_ms(const struct spool *spool)
{
	if (spool->rescan || (spool->next_name < spool->n_names && spool->held[0] == '\0'))
		return 0;
	if (spool->settle_at_ns == 0)
		return -1;
	int64_t left = spool->settle_at_ns - spool->world->mono_ns(spool->world->self);

	return left <= 0 ? 0 : (int)(left / NS_PER_MS) + 1;
}

/* Puts a name into its place among those still to be tried, once. */
static enum ttg_error add_name(struct spool *spool, const char *name)
{
	size_t low = spool->next_name, high = spool->n_names;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, spool->names[middle]);

		if (order == 0)
			return TTG_OK;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	if (spool->n_names - spool->next_name >= SPOOL_NAMES_MAX) {
		spool->rescan = true;
		return TTG_OK;
	}
	if (spool->n_names == spool->room_names) {
		size_t room = spool->room_names == 0 ? 64 : spool->room_names * 2;
		char **grown = realloc(spool->names, room * sizeof(*grown));

		if (grown == NULL)
			return TTG_ENOMEM;
		spool->names = grown;
		spool->room_names = room;
	}
	char *copy = strdup(name);
	if (copy == NULL)
		return TTG_ENOMEM;
	memmove(&spool->names[low + 1], &spool->names[low],
	        (spool->n_names - low) * sizeof(*spool->names));
	spool->names[low] = copy;
	spool->n_names++;
	return TTG_OK;
}

enum ttg_error spool_notice(struct spool *spool, struct message *message)
{
	_Alignas(struct inotify_event) char buffer[NOTICE_BUFFER];
	enum ttg_error error = TTG_OK;
	ssize_t got;

	while (error == TTG_OK && (got = read(spool->notices, buffer, sizeof(buffer))) > 0) {
		const struct inotify_event *event;

		for (char *at = buffer; at < buffer + got; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)(const void *)at;
			if ((event->mask & IN_Q_OVERFLOW) != 0)
				spool->rescan = true;
			else if (event->len > 0 && is_wanted(event->name))
				error = add_name(spool, event->name);
			if (error != TTG_OK)
				return message_set(message, error, "no memory");
		}
	}
	return TTG_OK;
}

static int compare_names(const void *name, const void *entry)
{
	return strcmp(name, *(char *const *)entry);
}

static bool is_known(const struct spool *spool, const char *name)
{
	return spool->next_name < spool->n_names &&
	       bsearch(name, spool->names + spool->next_name, spool->n_names - spool->next_name,
	               sizeof(*spool->names), compare_names) != NULL;
}

/* Not old enough to be taken for whole: whatever comes behind its name waits for it. */
static void hold(struct spool *spool, const char *name)
{
	if (spool->held[0] != '\0' && strcmp(name, spool->held) >= 0)
		return;
	snprintf(spool->held, sizeof(spool->held), "%s", name);
}

/* Adds what lies in the directory and is old enough to be whole. */
static enum ttg_error scan(struct spool *spool, struct message *message)
{
	DIR *dir = opendir(spool->dir);
	int64_t now_ns = spool->world->real_ns(spool->world->self);
	enum ttg_error error = TTG_OK;
	const struct dirent *entry;

	if (dir == NULL)
		return message_set(message, TTG_ESYS, "cannot read the spool: %s", strerror(errno));
	spool->rescan = false;
	spool->settle_at_ns = 0;
	spool->held[0] = '\0';
	while (error == TTG_OK && (entry = readdir(dir)) != NULL) {
		struct stat info;

		if (!is_wanted(entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (!S_ISREG(info.st_mode)) {
			spool->skipped++;
			continue;
		}
		int64_t age_ns =
		        now_ns - (info.st_mtim.tv_sec * INT64_C(1000000000) + info.st_mtim.tv_nsec);
		if (age_ns < 0 || age_ns >= SPOOL_SETTLE_MS * NS_PER_MS) {
			error = add_name(spool, entry->d_name);
		} else if (!is_known(spool, entry->d_name)) {
			spool->settle_at_ns = spool->world->mono_ns(spool->world->self) +
			                      SPOOL_SETTLE_MS * NS_PER_MS;
			hold(spool, entry->d_name);
		}
	}
	closedir(dir);
	return error == TTG_OK ? TTG_OK : message_set(message, error, "no memory");
}

/* A notice may have come for the one that is held meanwhile: it is whole then. */
static bool is_behind_held(struct spool *spool, const char *name)
{
	if (spool->held[0] == '\0')
		return false;
	if (is_known(spool, spool->held))
		spool->held[0] = '\0';
	return spool->held[0] != '\0' && strcmp(name, spool->held) > 0;
}

enum ttg_error spool_next(struct spool *spool, struct spool_file *out, struct message *message)
{
	enum ttg_error error;

	memset(out, 0, sizeof(*out));
	if (spool->settle_at_ns != 0 &&
	    spool->world->mono_ns(spool->world->self) >= spool->settle_at_ns)
		spool->rescan = true;
	if (spool->rescan) {
		error = scan(spool, message);
		if (error != TTG_OK)
			return error;
	}
	while (spool->next_name < spool->n_names) {
		char *name = spool->names[spool->next_name];

		if (is_behind_held(spool, name))
			return TTG_EAGAIN;
		spool->next_name++;
		if (spool->next_name == spool->n_names)
			spool->next_name = spool->n_names = 0;
		error = read_file(spool, name, out, message);
		free(name);
		if (error != TTG_EAGAIN)
			return error;
	}
	return TTG_EAGAIN;
}

void spool_file_fini(struct spool_file *file)
{
	free(file->bytes);
	memset(file, 0, sizeof(*file));
}

/*
 * A read lease is only given while nobody has the file open for writing. Where leases are not to
 * be had (another owner, some network file systems) the notice of its closing has to do.
 */
static bool is_being_written(int file)
{
	if (fcntl(file, F_SETSIG, SIGURG) != 0) /* a broken lease must not kill us */
		return false;
	if (fcntl(file, F_SETLEASE, F_RDLCK) != 0)
		return errno == EAGAIN;
	fcntl(file, F_SETLEASE, F_UNLCK);
	return false;
}

static enum ttg_error read_bytes(int file, struct spool_file *out, size_t max_bytes)
{
	size_t room = out->len + 1;

	out->bytes = malloc(room);
	out->len = 0;
	while (out->bytes != NULL) {
		ssize_t got = read(file, out->bytes + out->len, room - out->len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return TTG_EIO;
		out->len += (size_t)got;
		if (out->len > max_bytes)
			return TTG_ELIMIT;
		if (got == 0) {
			out->bytes[out->len] = '\0';
			return TTG_OK;
		}
		if (out->len == room) { /* it grew */
			char *grown = realloc(out->bytes, room + 4096);

			if (grown == NULL)
				break;
			out->bytes = grown;
			room += 4096;
		}
	}
	return TTG_ENOMEM;
}

/* TTG_EAGAIN: not to be taken, now or ever. */
static enum ttg_error read_file(struct spool *spool, const char *name, struct spool_file *out,
                                struct message *message)
{
	char path[SPOOL_PATH_BYTES];
	enum ttg_error error = TTG_EAGAIN;
	struct stat info;

	spool_path(spool, path, "", name, "");
	int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file < 0 && errno == ENOENT)
		return TTG_EAGAIN;
	if (file < 0 && (errno == ELOOP || errno == ENXIO)) {
		spool->skipped++;
		return TTG_EAGAIN;
	}
	if (file < 0) /* not ours to read: it is put where the operator sees it */
		return spool_failed(spool, name, "code=13 name=esys text=\"cannot be opened\"\n",
		                    message) == TTG_OK
		               ? TTG_ELIMIT
		               : TTG_EIO;
	if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
		spool->skipped++;
		goto out;
	}
	if (is_being_written(file)) {
		spool->settle_at_ns =
		        spool->world->mono_ns(spool->world->self) + SPOOL_SETTLE_MS * NS_PER_MS;
		goto out;
	}
	out->modified_ns = info.st_mtim.tv_sec * INT64_C(1000000000) + info.st_mtim.tv_nsec;
	out->len = info.st_size < 0 ? 0 : (size_t)info.st_size;
	error = strlen(name) > SPOOL_NAME_BYTES || out->len > spool->max_bytes
	                ? TTG_ELIMIT
	                : read_bytes(file, out, spool->max_bytes);
	if (error == TTG_OK)
		strcpy(out->name, name);
	if (error == TTG_ELIMIT) {
		enum ttg_error moved = spool_failed(
		        spool, name,
		        "code=10 name=elimit text=\"larger than spool.max_bytes, or its name is too "
		        "long\"\n",
		        message);

		error = moved == TTG_OK ? TTG_ELIMIT : moved;
	} else if (error != TTG_OK) {
		message_set(message, error, "cannot read a file of the spool");
	}
out:
	close(file);
	if (error != TTG_OK)
		spool_file_fini(out);
	return error;
}
