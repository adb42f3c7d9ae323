/*
 * What of a record outlives the journal. Who got what, when, under which agreement, who asked and who
 * decided stays as it is; what an event said goes: its payload, plain or sealed, what it changed in the
 * knowledge of persons, and what a recipient wrote when he refused it. In place of an event's bytes stands
 * their digest, so that its leaf (evidence/leaf.h) and the seals over it can still be proven.
 *
 * Pure; any thread.
 */
#ifndef TTGD_CORE_STRIP_H
#define TTGD_CORE_STRIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"

#define STRIP_MORE 64u /* a stripped record may be longer than it was, by less than this */

/* Writes what is kept. Kinds that are not known here are kept byte for byte. False: damaged, there is no
   room, or cryptography failed. */
bool record_strip(uint8_t kind, const uint8_t *data, size_t len, struct cursor *out);

#endif
