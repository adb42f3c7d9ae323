/*
 * ttgctl journal verify --directory, and ttgctl restore: journals as files, no daemon running on
 * them. Restoring proves the backup before and the copy afterwards; a copy that was cut short lacks
 * HEAD, which comes last, and is refused by every later start.
 *
 * Nothing that is there is overwritten: the target must be missing or empty.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "archive/archive.h"
#include "base/keyfile.h"
#include "base/world.h"
#include "config/config.h"
#include "journal/journal.h"

#define COPY_BYTES (1024u * 1024u)
#define HEAD_FILE  "HEAD"

struct restore {
	struct ctl *ctl;
	const struct world *world;
	const char *from, *to;
	uint8_t *buffer;
	int error; /* -errno */
	size_t n_files, n_found;
	uid_t owner;
	gid_t group;
};

/* kind: "journal", "archive"; "": not known without the key. */
static void print_result(struct ctl *ctl, const char *kind,
			 const struct journal_verify_result *result)
{
	char head[2 * JOURNAL_HASH_BYTES + 1];

	if (!ctl->json && kind[0] == '\0')
		kind = "-";
	for (size_t i = 0; i < JOURNAL_HASH_BYTES; i++)
		snprintf(head + 2 * i, 3, "%02x", result->chain_head[i]);
	fprintf(ctl->out,
		ctl->json ? "{\"kind\":\"%s\",\"segments\":%" PRIu64
			    ",\"batches\":%" PRIu64 ",\"records\":%" PRIu64
			    ",\"bytes\":%" PRIu64 ",\"first_sequence\":%" PRIu64
			    ",\"last_sequence\":%" PRIu64 ",\"torn_bytes\":%" PRIu64
			    ",\"chain_head\":\"%s\"}\n"
			  : "kind            %s\nsegments        %" PRIu64
			    "\nbatches         %" PRIu64
			    "\nrecords         %" PRIu64 "\nbytes           %" PRIu64
			    "\nfirst sequence  %" PRIu64 "\nlast sequence   %" PRIu64
			    "\ntorn bytes      %" PRIu64 "\nchain head      %s\n",
		kind, result->segments, result->batches, result->records, result->bytes,
		result->first_sequence, result->last_sequence, result->torn_bytes, head);
}

/* A look at the first record. */
static bool see_first(void *arg, const struct journal_batch *batch)
{
	uint8_t journal_id[JOURNAL_ID_BYTES];
	struct journal_record record;
	const char **kind = arg;
	uint64_t first;
	size_t at = 0;

	if (batch == NULL || !journal_batch_next(batch, &at, &record))
		return true;
	*kind = archive_read_head(&record, journal_id, &first) ? "archive" : "journal";
	return false;
}

static const char *kind_of(const char *directory, const char *key_file)
{
	struct journal_verify_result result;
	uint8_t key[KEYFILE_SYMMETRIC];
	const char *kind = "";

	if (key_file != NULL && keyfile_read_symmetric(key_file, key, NULL) == TTG_OK)
		journal_walk(directory, key, world_real(),
			     &(struct journal_walker){ .seen = see_first, .arg = &kind }, &result, NULL);
	wipe(key, sizeof(key));
	return kind;
}

static enum ctl_exit verify(struct ctl *ctl, const char *directory, const char *key_file,
			    struct journal_verify_result *result)
{
	uint8_t key[KEYFILE_SYMMETRIC];
	struct message message = { "" };
	enum ttg_error error = TTG_OK;

	if (key_file != NULL)
		error = keyfile_read_symmetric(key_file, key, &message);
	if (error == TTG_OK)
		error = journal_verify(directory, key_file != NULL ? key : NULL, world_real(),
				       journal_processors(), NULL, NULL, result, &message);
	wipe(key, sizeof(key));
	if (error == TTG_OK)
		return CTL_FINE;
	return ctl_say(ctl, error == TTG_EPERM ? CTL_REFUSED : CTL_NO, "%s",
		       message.text[0] != '\0' ? message.text : ttg_error_text(error));
}

static const struct option options[] = {
	{ "directory", required_argument, NULL, 'd' },
	{ "key", required_argument, NULL, 'k' },
	{ "seals", required_argument, NULL, 's' },
	{ "signer-state", required_argument, NULL, 'g' },
	{ NULL, 0, NULL, 0 },
};

enum ctl_exit ctl_verify(struct ctl *ctl, int argc, char **argv)
{
	const char *directory = NULL, *key_file = NULL, *seals = NULL, *signer = NULL;
	struct journal_verify_result result;
	enum ctl_exit status;
	int option;

	while ((option = getopt_long(argc, argv, "d:k:s:g:", options, NULL)) != -1) {
		if (option == 'd')
			directory = optarg;
		else if (option == 'k')
			key_file = optarg;
		else if (option == 's')
			seals = optarg;
		else if (option == 'g')
			signer = optarg;
		else
			return ctl_say(ctl, CTL_USAGE, "journal verify: see ttgctl --help");
	}
	if (seals != NULL && key_file == NULL)
		return ctl_say(ctl, CTL_USAGE, "journal verify: --seals wants the journal's --key too");
	if (directory != NULL && seals != NULL && optind == argc)
		return ctl_verify_seals(ctl, directory, key_file, seals, signer);
	if (directory == NULL || signer != NULL || optind != argc)
		return ctl_say(ctl, CTL_USAGE, "journal verify: see ttgctl --help");
	status = verify(ctl, directory, key_file, &result);
	if (status != CTL_FINE)
		return status;
	print_result(ctl, kind_of(directory, key_file), &result);
	if (!ctl->json && key_file == NULL)
		fputs("Without the key: checksums and hash chain only.\n", ctl->out);
	return CTL_FINE;
}

static bool copy_bytes(struct restore *restore, int from, int to)
{
	const struct world *world = restore->world;
	int64_t size = world->size(world->self, from);

	if (size < 0) {
		restore->error = (int)size;
		return false;
	}
	for (uint64_t done = 0; done < (uint64_t)size;) {
		uint64_t left = (uint64_t)size - done;
		size_t len = left < COPY_BYTES ? (size_t)left : COPY_BYTES;

		restore->error = world_read_all(world, from, restore->buffer, len, done);
		if (restore->error == 0)
			restore->error = world_write_all(world, to, restore->buffer, len, done);
		if (restore->error < 0)
			return false;
		done += len;
	}
	restore->error = world->sync(world->self, to);
	return restore->error >= 0;
}

static bool copy_file(struct restore *restore, const char *name)
{
	const struct world *world = restore->world;
	char from_path[CONFIG_PATH_MAX], to_path[CONFIG_PATH_MAX];
	int from, to = -1;
	bool fine = false;

	if (snprintf(from_path, sizeof(from_path), "%s/%s", restore->from, name) >= CONFIG_PATH_MAX ||
	    snprintf(to_path, sizeof(to_path), "%s/%s", restore->to, name) >= CONFIG_PATH_MAX) {
		restore->error = -ENAMETOOLONG;
		return false;
	}
	from = world->open(world->self, from_path, WORLD_READ);
	if (from < 0) {
		restore->error = from;
		return false;
	}
	to = world->open(world->self, to_path, WORLD_EXCLUSIVE);
	if (to < 0)
		restore->error = to;
	else
		fine = copy_bytes(restore, from, to);
	if (to >= 0)
		world->close(world->self, to);
	world->close(world->self, from);
	/* Root restores for the user the daemon runs as: the owner of the folder above. */
	if (fine && geteuid() == 0 && chown(to_path, restore->owner, restore->group) != 0) {
		restore->error = -errno;
		fine = false;
	}
	restore->n_files += fine ? 1 : 0;
	return fine;
}

static bool is_journal_file(const char *name)
{
	size_t len = strlen(name);

	if (len < 5)
		return false;
	return (strncmp(name, "seg-", 4) == 0 && strcmp(name + len - 4, ".ttj") == 0) ||
	       (strncmp(name, "snap-", 5) == 0 && strcmp(name + len - 4, ".tts") == 0);
}

static bool copy_each(void *arg, const char *name)
{
	struct restore *restore = arg;

	return !is_journal_file(name) || copy_file(restore, name);
}

static bool count_each(void *arg, const char *name)
{
	struct restore *restore = arg;

	(void)name;
	restore->n_found++;
	return true;
}

/* Makes the target, or finds it empty, and learns whose it is to be. */
static enum ctl_exit prepare_target(struct restore *restore)
{
	const struct world *world = restore->world;
	char above[CONFIG_PATH_MAX];
	struct stat status;
	char *slash;
	int result = world->mkdir(world->self, restore->to);

	if (result >= 0)
		result = world->list(world->self, restore->to, count_each, restore);
	if (result < 0)
		return ctl_say(restore->ctl, result == -EACCES ? CTL_REFUSED : CTL_NO, "%s: %s",
			       restore->to, strerror(-result));
	if (restore->n_found > 0)
		return ctl_say(restore->ctl, CTL_NO,
			       "%s holds something already, must be empty: move it away",
			       restore->to);
	snprintf(above, sizeof(above), "%s", restore->to);
	slash = strrchr(above, '/');
	if (slash != NULL && slash != above)
		*slash = '\0';
	else
		strcpy(above, slash != NULL ? "/" : ".");
	if (stat(above, &status) != 0)
		return ctl_say(restore->ctl, CTL_NO, "%s: %s", above, strerror(errno));
	restore->owner = status.st_uid;
	restore->group = status.st_gid;
	if (geteuid() == 0 && chown(restore->to, restore->owner, restore->group) != 0)
		return ctl_say(restore->ctl, CTL_NO, "%s: %s", restore->to, strerror(errno));
	return CTL_FINE;
}

static enum ctl_exit copy_all(struct restore *restore)
{
	const struct world *world = restore->world;
	enum ctl_exit status = prepare_target(restore);
	int result;

	if (status != CTL_FINE)
		return status;
	restore->buffer = malloc(COPY_BYTES);
	if (restore->buffer == NULL)
		return ctl_say(restore->ctl, CTL_NO, "no memory");
	result = world->list(world->self, restore->from, copy_each, restore);
	if (result >= 0 && restore->error >= 0)
		result = world->sync_dir(world->self, restore->to);
	if (result >= 0 && restore->error >= 0 && copy_file(restore, HEAD_FILE))
		result = world->sync_dir(world->self, restore->to);
	free(restore->buffer);
	if (restore->error < 0)
		result = restore->error;
	if (result < 0)
		return ctl_say(restore->ctl, CTL_NO,
			       "%s is not complete, remove it and try again: %s", restore->to,
			       strerror(-result));
	return CTL_FINE;
}

/* Folder and key from the configuration, where the command line does not say. */
static enum ctl_exit from_config(struct ctl *ctl, struct config **config)
{
	const struct world *world = world_real();
	struct config_errors *errors = config_errors_new();

	if (errors == NULL)
		return ctl_say(ctl, CTL_NO, "no memory");
	*config = config_load(ctl->config, world->real_ns(world->self), errors);
	config_errors_free(&errors);
	if (*config == NULL)
		return ctl_say(ctl, CTL_NO,
			       "%s does not load (ttgctl check): say --directory and --key",
			       ctl->config);
	return CTL_FINE;
}

enum ctl_exit ctl_restore(struct ctl *ctl, int argc, char **argv)
{
	struct restore restore = { .ctl = ctl, .world = world_real() };
	struct journal_verify_result before, after;
	const char *key_file = NULL;
	struct config *config = NULL;
	enum ctl_exit status = CTL_FINE;
	int option;

	while ((option = getopt_long(argc, argv, "d:k:", options, NULL)) != -1) {
		if (option == 'd')
			restore.to = optarg;
		else if (option == 'k')
			key_file = optarg;
		else
			return ctl_say(ctl, CTL_USAGE, "restore: see ttgctl --help");
	}
	if (optind + 1 != argc)
		return ctl_say(ctl, CTL_USAGE, "restore wants one backup: see ttgctl --help");
	restore.from = argv[optind];
	if (restore.to == NULL || key_file == NULL)
		status = from_config(ctl, &config);
	if (status != CTL_FINE)
		return status;
	if (restore.to == NULL)
		restore.to = config->journal_directory;
	if (key_file == NULL)
		key_file = config->journal_key_file;
	status = verify(ctl, restore.from, key_file, &before);
	if (status == CTL_FINE)
		status = copy_all(&restore);
	if (status == CTL_FINE)
		status = verify(ctl, restore.to, key_file, &after);
	if (status == CTL_FINE && (before.last_sequence != after.last_sequence ||
				   memcmp(before.chain_head, after.chain_head, JOURNAL_HASH_BYTES) != 0))
		status = ctl_say(ctl, CTL_NO, "%s is not what was copied: the disk is not to be trusted",
				 restore.to);
	if (status == CTL_FINE)
		print_result(ctl, kind_of(restore.to, key_file), &after);
	config_free(&config);
	return status;
}
