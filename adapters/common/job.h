/*
 * One document on its way from its bytes to the outbox and out of the spool. Apart from the frame
 * so that every point at which the process can die has a test.
 */
#ifndef ADAPTERS_COMMON_JOB_H
#define ADAPTERS_COMMON_JOB_H

#include <ttg/client.h>
#include "common/adapter.h"
#include "common/counters.h"
#include "common/spool.h"

#define JOB_CHUNK           256  /* events made durable with one sync */
#define JOB_HTTP_EVENTS_MAX 1000 /* of one request, which is all or nothing */

/* Where events become durable: ttg_client_publish_many(), or a test's stand-in. */
struct outlet {
	void *user;
	enum ttg_error (*publish)(void *user, const struct ttg_publish_item *items, size_t n);
};

struct job_world {
	const struct adapter_kind *kind;
	void *reader;
	struct spool *spool;
	struct outlet outlet;
	struct counters *counters;
};

struct job {
	bool active;
	struct spool_file file;
	struct document document;
	struct intake intake;
	size_t next; /* first event that is not durable */
};

/*
 * Takes the next file of the spool and reads it. TTG_EAGAIN: nothing to do. Others end the
 * adapter; the file stays where it is.
 */
enum ttg_error job_begin(struct job *job, const struct job_world *world, struct message *message);

/*
 * Makes events durable and, after the last, settles the file. TTG_OK: finished, job->active is
 * false. TTG_EAGAIN: the outbox is full, call again later. Others end the adapter.
 */
enum ttg_error job_step(struct job *job, const struct job_world *world, struct message *message);
void job_abandon(struct job *job);

/* One document by HTTP: all of it durable, or nothing. Returns the HTTP status; the sentence for
   a refusal is in `message`, its code in *code. */
unsigned job_post(const struct job_world *world, const struct document *document, uint64_t *events,
                  uint64_t *ignored, enum ttg_error *code, struct message *message);

#endif
