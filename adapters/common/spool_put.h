/*
 * A document put into a spool by a program of ours, beside or inside the adapter that takes it.
 */
#ifndef ADAPTERS_COMMON_SPOOL_PUT_H
#define ADAPTERS_COMMON_SPOOL_PUT_H

#include <stddef.h>
#include "base/message.h"
#include "base/world.h"

/*
 * Writes <prefix>-<a new UUID>.json, whole or not at all and durable; until then it has a name the
 * adapter passes over. From TTG_OK on its events are the adapter's. TTG_EIO, TTG_ENOSPC, TTG_ENOENT
 * (no such folder), TTG_ELIMIT (a path that is too long), TTG_ESYS (no random numbers). Only when the
 * folder cannot be synced may it be there in spite of an error.
 */
enum ttg_error spool_put(const struct world *world, const char *dir, const char *prefix,
                         const void *bytes, size_t len, struct message *message);

/*
 * The same under a name of the caller's, <name>.json, that no other process uses; one that is there
 * already is replaced. Errors as above.
 */
enum ttg_error spool_put_as(const struct world *world, const char *dir, const char *name,
                            const void *bytes, size_t len, struct message *message);

#endif
