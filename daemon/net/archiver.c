/* See archiver.h. */
#include "net/archiver.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "base/secret.h"

#define NS_PER_MS 1000000LL
#define LOOK_NS (10 * NS_PER_MS)       /* the archive's writer is at work: look again */
#define AGAIN_NS (60 * 1000 * NS_PER_MS) /* between two tries after it could not be written or opened */
#define UNITS_A_STEP 2

enum phase {
	AWAY,     /* to be opened at again_ns */
	OPENING,
	OPEN,
	FAILED,   /* somebody has to act, and start again */
};

struct archiver {
	struct journal_options *options; /* a secret (base/secret.h): the key is in it */
	char directory[CONFIG_PATH_MAX];
	const struct world *world;
	enum phase phase;
	int64_t again_ns;       /* AWAY, and OPEN when it could not take more */
	struct archive *archive;
	uint64_t recovered;     /* last record of the journal when the daemon began */
	uint64_t wanted;        /* records below it are wanted in the archive */
	bool awaited;           /* by retention */
	uint64_t missing;
	char why[MESSAGE_BYTES];

	pthread_t thread;       /* OPENING; it has archive and the result until `opened` */
	bool has_thread;
	atomic_bool opened;
	enum ttg_error error;
	struct message message;
};

static int64_t mono_ns(const struct archiver *archiver)
{
	return archiver->world->mono_ns(archiver->world->self);
}

/* Said once for each reason. */
static void tell_away(struct archiver *archiver, const struct net *net, enum ttg_error code, const char *why)
{
	if (strcmp(archiver->why, why) == 0)
		return;
	snprintf(archiver->why, sizeof archiver->why, "%s", why);
	log_write(net->log, LOG_LEVEL_ERROR, "archive_away", "code=%s reason=\"%s\"", ttg_error_name(code),
		  why);
}

/* For good when waiting does not mend it. */
static void fail(struct archiver *archiver, const struct net *net, enum phase phase, enum ttg_error code,
		 const char *why)
{
	archiver->phase = phase;
	archiver->again_ns = mono_ns(archiver) + AGAIN_NS;
	tell_away(archiver, net, code, why);
}

static void *open_thread(void *arg)
{
	struct archiver *archiver = arg;

	archiver->error = archive_open(&archiver->archive, archiver->options, archiver->world,
				       &archiver->message);
	atomic_store(&archiver->opened, true);
	return NULL;
}

static void begin_to_open(struct archiver *archiver, const struct net *net)
{
	archiver->phase = OPENING;
	atomic_store(&archiver->opened, false);
	archiver->has_thread = net->threaded &&
			       pthread_create(&archiver->thread, NULL, open_thread, archiver) == 0;
	if (!archiver->has_thread)
		open_thread(archiver);
}

/* What is in it comes from this journal as it stands: else records of another past would be in between. */
static const char *contradiction(const struct archiver *archiver, const struct net *net)
{
	uint8_t theirs[JOURNAL_ID_BYTES], ours[JOURNAL_ID_BYTES];

	if (!archive_journal_id(archiver->archive, theirs))
		return NULL;
	journal_get_id(net->journal, ours);
	if (memcmp(theirs, ours, sizeof ours) != 0)
		return "it is the archive of another journal";
	if (archive_last(archiver->archive) > archiver->recovered)
		return "it holds records that the journal does not have: an older copy of the journal was "
		       "put back";
	return NULL;
}

/* What retention let go while no archive was kept. */
static void note_gap(struct archiver *archiver, const struct net *net)
{
	const uint64_t next = archive_last(archiver->archive) + 1;
	struct journal_stats stats;

	journal_get_stats(net->journal, &stats);
	if (next == 1 || stats.first_sequence <= next)
		return;
	archiver->missing = stats.first_sequence - next;
	log_write(net->log, LOG_LEVEL_ERROR, "archive_gap", "from=%llu to=%llu", (unsigned long long)next,
		  (unsigned long long)(stats.first_sequence - 1));
}

static void on_opened(struct archiver *archiver, const struct net *net)
{
	const enum ttg_error error = archiver->error;
	const char *why;

	if (archiver->has_thread)
		pthread_join(archiver->thread, NULL);
	archiver->has_thread = false;
	if (error) {
		const bool lasts = error == TTG_ECORRUPT || error == TTG_ECRYPTO || error == TTG_EVERSION;

		fail(archiver, net, lasts ? FAILED : AWAY, error, archiver->message.text);
		return;
	}
	why = contradiction(archiver, net);
	if (why) {
		archive_close(&archiver->archive);
		fail(archiver, net, FAILED, TTG_ECORRUPT, why);
		return;
	}
	archiver->phase = OPEN;
	archiver->again_ns = 0;
	archiver->why[0] = '\0';
	log_write(net->log, LOG_LEVEL_NOTICE, "archive_ready", "archived=%llu",
		  (unsigned long long)archive_last(archiver->archive));
	note_gap(archiver, net);
}

/* A full disk may have room again; a write that failed is for good, as it is for the journal. */
static void on_refused(struct archiver *archiver, struct net *net, enum ttg_error error)
{
	struct message message = { "" };

	if (error == TTG_EAGAIN) {
		archiver->again_ns = mono_ns(archiver) + LOOK_NS;
		return;
	}
	if (error == TTG_ENOSPC)
		journal_explain_full(archive_files(archiver->archive), &message);
	else if (journal_failure(archive_files(archiver->archive), &message) == TTG_OK)
		message_set(&message, error, "record %llu of the journal cannot be archived: %s",
			    (unsigned long long)archive_last(archiver->archive) + 1, ttg_error_text(error));
	fail(archiver, net, journal_failure(archive_files(archiver->archive), NULL) ? FAILED : OPEN, error,
	     message.text);
}

static void fill(struct archiver *archiver, struct net *net)
{
	for (int i = 0; i < UNITS_A_STEP && archive_last(archiver->archive) + 1 < archiver->wanted; i++) {
		const enum ttg_error error =
			archive_take(archiver->archive, net->journal, archiver->wanted - 1);

		if (error) {
			on_refused(archiver, net, error);
			return;
		}
		archiver->why[0] = '\0';
	}
}

void archiver_step(struct archiver *archiver, struct net *net)
{
	enum ttg_error error;

	if (!archiver)
		return;
	if (archiver->phase == AWAY && mono_ns(archiver) >= archiver->again_ns)
		begin_to_open(archiver, net);
	if (archiver->phase == OPENING && atomic_load(&archiver->opened))
		on_opened(archiver, net);
	if (archiver->phase != OPEN)
		return;
	error = journal_failure(archive_files(archiver->archive), NULL);
	if (error)
		on_refused(archiver, net, error);
	else if (archive_last(archiver->archive) + 1 < archiver->wanted &&
		 mono_ns(archiver) >= archiver->again_ns)
		fill(archiver, net);
	if (archiver->awaited && archive_durable(archiver->archive) + 1 >= archiver->wanted) {
		archiver->awaited = false;
		net->next_retain_ns = mono_ns(archiver);
	}
}

int64_t archiver_next_ns(const struct archiver *archiver)
{
	if (!archiver || archiver->phase != OPEN || !archiver->awaited)
		return INT64_MAX; /* what takes longer is looked after once a second */
	if (archive_last(archiver->archive) + 1 < archiver->wanted)
		return archiver->again_ns;
	return mono_ns(archiver) + LOOK_NS; /* its writer is at work */
}

uint64_t archiver_allows(struct archiver *archiver, uint64_t keep_from)
{
	uint64_t durable;

	if (!archiver || PLANTED(RETAIN_UNARCHIVED))
		return keep_from;
	if (keep_from > archiver->wanted)
		archiver->wanted = keep_from;
	durable = archiver->phase == OPEN ? archive_durable(archiver->archive) : 0;
	if (durable + 1 >= keep_from)
		return keep_from;
	archiver->awaited = true;
	return durable + 1;
}

void archiver_retain(struct archiver *archiver, const struct net *net)
{
	const int64_t age_ns = (int64_t)net->config->archive_retain_days * 86400 * 1000 * NS_PER_MS;

	if (archiver && archiver->phase == OPEN && age_ns > 0)
		archive_retain(archiver->archive, net->world->real_ns(net->world->self) - age_ns);
}

struct archive *archiver_archive(const struct archiver *archiver, const char **why, bool *soon)
{
	*soon = archiver->phase == OPENING;
	*why = archiver->why;
	return archiver->phase == OPENING ? NULL : archiver->archive;
}

void archiver_get_view(const struct archiver *archiver, struct archiver_view *out)
{
	struct journal_stats stats;

	memset(out, 0, sizeof *out);
	snprintf(out->why, sizeof out->why, "%s",
		 archiver->phase == OPENING ? "it is being proven" : archiver->why);
	out->missing = archiver->missing;
	out->ready = archiver->phase == OPEN && archiver->why[0] == '\0';
	if (archiver->phase == OPENING || !archiver->archive)
		return;
	out->archived_sequence = archive_durable(archiver->archive);
	journal_get_stats(archive_files(archiver->archive), &stats);
	out->disk_bytes = stats.disk_bytes;
}

enum ttg_error archiver_new(struct archiver **out, struct net *net, const struct journal_options *options)
{
	struct archiver *archiver = calloc(1, sizeof *archiver);

	*out = archiver;
	if (!archiver)
		return TTG_ENOMEM;
	archiver->options = secret_new(sizeof *archiver->options);
	if (!archiver->options) {
		archiver_free(out);
		return TTG_ENOMEM;
	}
	*archiver->options = *options;
	snprintf(archiver->directory, sizeof archiver->directory, "%s", options->directory);
	archiver->options->directory = archiver->directory;
	archiver->world = net->world;
	archiver->recovered = journal_durable(net->journal);
	begin_to_open(archiver, net);
	archiver_step(archiver, net);
	return TTG_OK;
}

void archiver_free(struct archiver **archiver)
{
	struct archiver *old = *archiver;

	*archiver = NULL;
	if (!old)
		return;
	if (old->has_thread)
		pthread_join(old->thread, NULL);
	archive_close(&old->archive);
	secret_free(old->options);
	free(old);
}
