/* What every event of the broker's own has; shared by notice.c and notice_conflict.c. */
#ifndef TTGD_CORE_NOTICE_H
#define TTGD_CORE_NOTICE_H

#include "core/state.h"

/* A protobuf-c string; nothing here writes to it. */
char *notice_text(const char *text);
void notice_fill(const struct core *core, Ttg__Event *event, Ttg__Time *now, const char *type,
		 uint8_t *id, uint8_t *cause);
/* Records an event of our own for core->recipients[0..n). */
enum ttg_error notice_store(struct core *core, const struct core_now *now, const Ttg__Event *event,
			    uint32_t n);
bool notice_was_told(const struct core *core, const uint8_t *id);

#endif
