/*
 * The bounds of every field of every message that can stand in an event, worked out once: what the
 * walk over an event asks by the number of a message and the index of a field, without comparing
 * names. Read only after it was made.
 */
#ifndef TTGD_CORE_FIELDS_H
#define TTGD_CORE_FIELDS_H

#include <stdint.h>
#include "base/bounds.h"

#define FIELDS_MESSAGES_MAX 256u
#define FIELDS_PER_MESSAGE_MAX 96u
#define FIELDS_EVENT 0u /* number of the message Event */

struct field_rule {
	struct bound bound;
	uint32_t inner; /* number of the message in it, where the field is one */
	bool wanted;    /* a number for which absent, which is 0, is out of bounds */
};

struct message_rule {
	const ProtobufCMessageDescriptor *descriptor;
	const struct field_rule *fields; /* as many, and in the order, as in the descriptor */
	bool any_wanted;
};

struct fields {
	struct message_rule messages[FIELDS_MESSAGES_MAX];
	uint32_t n_messages;
	struct field_rule *all;
};

/* NULL without memory. */
struct fields *fields_new(void);
void fields_free(struct fields **fields);

#endif
