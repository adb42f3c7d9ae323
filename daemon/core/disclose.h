/*
 * What of an event a mailbox is given: the union of what the agreements grant that it is delivered
 * under. A mailbox that is granted the whole event gets the publisher's bytes, uncopied. For the others
 * each distinct union is packed once an event, as long as their deliveries come close together: the
 * newest packings are kept.
 *
 * Owner: the loop thread. At most DISCLOSE_KEPT events' bytes and DISCLOSE_UNIONS masks are held.
 */
#ifndef TTGD_CORE_DISCLOSE_H
#define TTGD_CORE_DISCLOSE_H

#include "core/record.h"
#include "core/rules.h"
#include "core/wire.h"

#define DISCLOSE_KEPT 16u   /* a power of two */
#define DISCLOSE_UNIONS 64u

struct disclose;

struct disclose *disclose_new(void);
void disclose_free(struct disclose **it);
/* The rules changed: nothing is remembered of the old ones. */
void disclose_forget(struct disclose *it);

/* What it holds beside itself, for who counts memory. */
size_t disclose_held_bytes(const struct disclose *it);

/*
 * The mask for an event of this type and publisher that goes to a mailbox (index in the rules) under
 * the agreements in `recipient`. TTG_OK with *mask NULL: the whole event. TTG_EPERM: none of them
 * grants it. TTG_ENOMEM.
 */
enum ttg_error disclose_mask(struct disclose *it, const struct rules *rules,
			     const struct record_event *event, uint32_t mailbox,
			     const struct record_recipient *recipient, const struct mask **mask);

/*
 * The bytes that go under a mask; valid until the next call. `sequence` is the event's. TTG_ECORRUPT
 * when they cannot be walked: nothing may go. TTG_ENOMEM.
 */
enum ttg_error disclose_bytes(struct disclose *it, const struct mask *mask, uint64_t sequence,
			      struct span event, struct span *out);

#endif
