/*
 * Leaving out of an encoded event what a mask does not grant: the only place where the bytes of a
 * publisher are changed, and only for a recipient whose agreements do not grant him the whole event.
 *
 * What stays is copied as it was encoded, in its order. Fields that this catalogue does not know are
 * left out wherever they stand, inside of what is granted too: nobody who wrote the agreement can
 * have meant them.
 */
#ifndef TTGD_CORE_REDACT_H
#define TTGD_CORE_REDACT_H

#include "core/mask.h"
#include "core/wire.h"

/*
 * Writes what is left of an event that event_read() took to out, which has room for event.len bytes
 * (it never becomes longer); *len how many it is. False when the event cannot be walked: nothing of it
 * may go then.
 */
bool redact(const struct mask *mask, struct span event, uint8_t *out, size_t *len);

#endif
