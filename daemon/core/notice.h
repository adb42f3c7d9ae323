/* What every event of the broker's own has; shared by notice.c, notice_conflict.c, notice_overdue.c. */
#ifndef TTGD_CORE_NOTICE_H
#define TTGD_CORE_NOTICE_H

#include "core/state.h"

/* A protobuf-c string; nothing here writes to it. */
char *notice_text(const char *text);
void notice_fill(const struct core *core, Ttg__Event *event, Ttg__Time *now, const char *type,
		 uint8_t *id, uint8_t *cause);
/* Records an event of our own for these; person_key: of the number whose lane it belongs in, or NULL. */
enum ttg_error notice_store(struct core *core, const struct core_now *now, const Ttg__Event *event,
			    const struct record_recipient *recipients, uint32_t n,
			    const uint8_t *person_key, bool of_persons);
/* The same with what it changes (changes.h), kept until then: 0: without end. */
struct notice_more {
	const uint8_t *person_key;
	bool of_persons;
	uint64_t until_s;
	const uint8_t *changes;
	size_t n_changes;
};
enum ttg_error notice_store_more(struct core *core, const struct core_now *now, const Ttg__Event *event,
				 const struct record_recipient *recipients, uint32_t n,
				 const struct notice_more *more);
/* Id of the event that tells of this conflict (notice_conflict.c). */
enum ttg_error notice_conflict_id(const struct identity_link *conflict, uint8_t id[RECORD_ID]);
/* Id of what two events have to do with each other: the record of one, the id of the other. */
enum ttg_error notice_make_id(const char *what, int64_t time_ns, uint64_t sequence, const uint8_t *other,
			      uint8_t id[RECORD_ID]);
bool notice_was_told(const struct core *core, const uint8_t *id);

#endif
