/*
 * The out directory: what other agencies ask of this one, as files its own systems pick up. Each
 * event becomes two files, <type>-<event id>.json and .csv, that appear whole or not at all. A
 * delivery that is repeated replaces its own files.
 *
 * Owned by the adapter's only thread. The caller acknowledges only after outdir_put() is fine.
 */
#ifndef ADAPTERS_COMMON_OUTDIR_H
#define ADAPTERS_COMMON_OUTDIR_H

#include <ttg/event.h>
#include "base/message.h"
#include "base/world.h"

#define OUTDIR_BYTES_MAX (8u << 20) /* of one file */

/* Makes the directory when it is missing. TTG_ESYS. */
enum ttg_error outdir_prepare(const struct world *world, const char *dir, struct message *message);

/* Writes the JSON text given and the CSV row of the event. TTG_EIO, TTG_ENOSPC, TTG_ENOMEM. */
enum ttg_error outdir_put(const struct world *world, const char *dir, const Ttg__Event *event,
                          const char *json, struct message *message);

/*
 * The event as a CSV header and one row, CRLF, UTF-8: id, type, source, occurred_at, one column
 * for each kind of identifier, then every field of the payload by its name ("contact.telephone"),
 * lists joined with "; ". A field that a spreadsheet would take for a formula gets an apostrophe
 * in front. malloc'd; NULL on lack of memory.
 */
char *outcsv_format(const Ttg__Event *event);

#endif
