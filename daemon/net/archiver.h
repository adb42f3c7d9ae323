/*
 * The loop's end of the archive (archive/archive.h): fills it from the journal, a little in each cycle,
 * and holds retention back until what it wants to let go is durable there. The archive is opened, which
 * proves all of it, by a thread of its own, so that a start does not take longer with the years.
 *
 * Events are accepted and delivered whether the archive can be written or not. While it cannot, nothing is
 * let go from the journal.
 *
 * Owner: the loop. All of them do nothing when no archive is kept (NULL).
 */
#ifndef TTGD_NET_ARCHIVER_H
#define TTGD_NET_ARCHIVER_H

#include "archive/archive.h"
#include "net/net.h"

/* Begins to open it, or has it open when it returns (net->threaded). The journal was recovered; options
   are copied, directory and key included. */
enum ttg_error archiver_new(struct archiver **out, struct net *net, const struct journal_options *options);
/* Waits until it was opened. Nobody may read it any more. */
void archiver_free(struct archiver **archiver);

void archiver_step(struct archiver *archiver, struct net *net);
/* When it wants its next step (mono). */
int64_t archiver_next_ns(const struct archiver *archiver);

/* Retention wants to let go of everything below keep_from: how far it may, for now. */
uint64_t archiver_allows(struct archiver *archiver, uint64_t keep_from);
/* And what the archive itself need not keep any longer. */
void archiver_retain(struct archiver *archiver, const struct net *net);

/* To be read; NULL while it cannot be: *why says why not, *soon whether it is only being opened. */
struct archive *archiver_archive(const struct archiver *archiver, const char **why, bool *soon);

struct archiver_view {
	bool ready;
	char why[MESSAGE_BYTES];      /* it is not */
	uint64_t archived_sequence;   /* last record of the journal that is durable in it */
	uint64_t disk_bytes;
	uint64_t missing;             /* records that were gone before they came here, since the start */
};
void archiver_get_view(const struct archiver *archiver, struct archiver_view *out);

#endif
