/* Payloads in records, see payload.c. Inside of the core. */
#ifndef TTGD_CORE_PAYLOAD_H
#define TTGD_CORE_PAYLOAD_H

#include "core/state.h"

/* Its bytes, when it is sealed. TTG_EPERM: they are gone for good. */
enum ttg_error core_open_event(const struct core *core, struct record_event *event);
/* As record_put_event(), record_put_late() and record_put_again(), sealed if the sink does that and
   it is about somebody. TTG_EAGAIN, TTG_ENOSPC, TTG_EIO, TTG_ECRYPTO of the sink. */
enum ttg_error core_put_event(struct core *core, struct cursor *cursor, struct record_event *event,
			      const struct record_recipient *recipients, bool of_persons);
enum ttg_error core_put_late(struct core *core, struct cursor *cursor, struct record_event *event,
			     const struct record_recipient *recipients);
enum ttg_error core_put_again(struct core *core, struct cursor *cursor, struct record_event *event,
			      const struct record_recipient *recipients);

/* Whose key it is sealed with (keys.h). */
const uint8_t *payload_owner(const struct record_event *event);
/* Applying an EVENT: an owner that had no key until then has this one from now on. */
enum ttg_error payload_apply(struct core *core, const struct record_event *event);
/* erase.c */
enum ttg_error core_apply_erased(struct core *core, uint64_t sequence, const uint8_t *data, size_t len);

#endif
