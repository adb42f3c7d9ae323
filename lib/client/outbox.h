/*
 * The durable outbox: a directory of segment files that holds every event from the moment
 * ttg_client_publish() returns until the broker has accepted or finally refused it.
 *
 * Layout (integers little-endian). A segment file is a row of sectors of 512 bytes:
 *
 *   0            500        504         508        512
 *   | data bytes  | batch u32 | part u32 | crc32c u32 |      crc over the 508 bytes before it
 *
 * Sector 0 is the head: "TTGOUTB1", version u32, segment number u64, first batch u64.
 * Then come batches, each of whole sectors, numbered on through all segments; `part` counts the
 * sectors of a batch from 0. The data of a batch: length u32 (of all its data), records u32, then
 *
 *   1 PUT   index u64, id 16 bytes, length u32, event       index counts up by one for ever
 *   2 DONE  first u64, count u64                            these indexes need not be sent again
 *
 * and zeros to the end of the last sector. One batch is one write and one sync, and the next is
 * not begun before that sync came back. Hence after a crash only the last batch may be torn, and a
 * disk that writes sectors from front to back shows it: each of its sectors is there, or ends with
 * zeros where its trailer should be, or lies behind the end of the file. Such a tail is dropped.
 * Anything else that does not verify is damage, and outbox_open() refuses with TTG_ECORRUPT, naming
 * file and offset, rather than lose an event. HEAD (outbox_mark.c) knows what must be there at
 * least, so a newest batch that is missing or damaged is found too, unless the machine itself
 * stopped within seconds after it.
 *
 * A segment is removed when it is the oldest and all its events are done. Events that were finally
 * refused are kept as refused/<uuid>.event beside refused/<uuid>.reason.
 *
 * Events lie here as published, in clear: the directory is 0700 and belongs on a disk that is
 * encrypted as a whole.
 */
#ifndef TTG_CLIENT_OUTBOX_H
#define TTG_CLIENT_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/client.h>
#include "base/message.h"
#include "base/world.h"

#define OUTBOX_MAX_EVENTS 1000000 /* not done; each costs memory for its place */
#define OUTBOX_MAX_BATCH_BYTES (16u * 1024 * 1024)
#define OUTBOX_DEFAULT_MAX_BYTES ((size_t)1 << 30)

struct outbox;

/* Where an event lies. */
struct outbox_place {
	uint64_t index;
	uint64_t segment;
	uint64_t offset;  /* of its batch in the segment file */
	uint32_t data_at; /* of the event in the batch's data */
};

/*
 * Opens or makes the directory. max_bytes 0: 1 GiB. TTG_ELOCKED, TTG_ECORRUPT, TTG_EVERSION,
 * TTG_ENOMEM, or what the disk says; the message names the file.
 */
enum ttg_error outbox_open(struct outbox **out, const struct world *world, const char *dir,
			   size_t max_bytes, struct message *message);
/* Writes what is known to be done, and closes. */
void outbox_close(struct outbox **outbox);

/* Calls each() in order for every event that an earlier process left; once, after opening. */
typedef enum ttg_error (*outbox_each_fn)(void *arg, const uint8_t id[16], uint32_t bytes,
					 const struct outbox_place *place);
enum ttg_error outbox_each(struct outbox *outbox, outbox_each_fn each, void *arg);

/*
 * Stores n events with one sync; places[i] is where. TTG_ENOSPC (nothing stored, still usable),
 * TTG_ELIMIT (more than OUTBOX_MAX_BATCH_BYTES at once), TTG_ENOMEM, TTG_EIO (unusable from now on).
 */
enum ttg_error outbox_put(struct outbox *outbox, const struct ttg_publish_item *items, size_t n,
			  struct outbox_place *places);

/* Reads an event back, verified. TTG_EIO, TTG_ECORRUPT, TTG_ENOMEM. */
enum ttg_error outbox_read(struct outbox *outbox, const struct outbox_place *place,
			   uint32_t bytes, uint8_t *out);

/*
 * Keeps a refused event and why it was. To be called before outbox_done(). TTG_ENOSPC (try again
 * later), TTG_EIO.
 */
enum ttg_error outbox_refuse(struct outbox *outbox, const uint8_t id[16], const uint8_t *event,
			     uint32_t bytes, enum ttg_error code, const char *text);

/* The event needs no sending any more. Noted in memory; on disk with the next batch. */
void outbox_done(struct outbox *outbox, const struct outbox_place *place);

/* Writes what outbox_done() noted, if there is anything. TTG_ENOSPC is harmless. TTG_EIO. */
enum ttg_error outbox_flush_done(struct outbox *outbox);
bool outbox_has_done(const struct outbox *outbox); /* something for outbox_flush_done() */

#endif
