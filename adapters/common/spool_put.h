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
 * (no such folder), TTG_ESYS (no random numbers).
 */
enum ttg_error spool_put(const struct world *world, const char *dir, const char *prefix,
                         const void *bytes, size_t len, struct message *message);

#endif
