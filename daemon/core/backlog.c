/*
 * Finding the part of a mailbox that is not in memory, by reading the journal on. Positions are
 * dense, so the next record that names the mailbox must carry exactly the position that is due:
 * nothing can be skipped or taken twice where memory and journal meet.
 *
 * A record that has to be fetched first (TTG_EAGAIN) or is gone (TTG_ENOENT) leaves the mailbox as
 * it was; the next pump tries again from the same place.
 */
#include <assert.h>
#include <string.h>

#include "base/planted.h"
#include "core/known.h"

bool core_mailbox_has_room(const struct core *core, const struct mailbox *mailbox)
{
	return PLANTED(FILL_UNBOUNDED) ||
	       mailbox_has_room(mailbox, core->options.window, core->options.max_held);
}

bool core_find_recipient(const struct record_event *event, uint32_t mailbox, struct record_recipient *out)
{
	struct cursor recipients = event->recipients;

	for (uint32_t i = 0; i < event->n_recipients; i++) {
		record_next_recipient(&recipients, out);
		if (out->mailbox == mailbox)
			return true;
	}
	return false;
}

enum ttg_error core_read_event(const struct core *core, uint64_t sequence, uint32_t mailbox,
			       struct record_event *event, struct record_recipient *recipient)
{
	const uint8_t *data;
	uint8_t kind;
	size_t len;
	enum ttg_error code = core->sink.read(core->sink.self, sequence, &kind, &data, &len);

	if (code != TTG_OK)
		return code;
	if (!record_get_given(kind, data, len, event))
		return TTG_ECORRUPT;
	if (recipient && !core_find_recipient(event, mailbox, recipient))
		return TTG_ECORRUPT;
	return TTG_OK;
}

enum ttg_error core_recipient_of(uint8_t kind, const uint8_t *data, size_t len, uint32_t mailbox,
				 struct record_recipient *out)
{
	struct record_event event;

	if (!record_get_given(kind, data, len, &event))
		return TTG_ECORRUPT;
	return core_find_recipient(&event, mailbox, out) ? TTG_OK : TTG_ENOENT;
}

/* Looks at the record the backlog points to, and steps over it. */
static enum ttg_error step(struct core *core, struct mailbox *mailbox)
{
	uint64_t sequence = mailbox->backlog_from;
	struct record_recipient recipient;
	struct record_event event;
	const uint8_t *data;
	uint8_t kind;
	size_t len;
	enum ttg_error code;

	if (sequence > core->sequence)
		return TTG_ECORRUPT; /* positions were given out that no record names */
	code = core->sink.read(core->sink.self, sequence, &kind, &data, &len);
	if (code != TTG_OK)
		return code;
	if (record_gives(kind)) {
		if (!record_get_given(kind, data, len, &event))
			return TTG_ECORRUPT;
		if (core_find_recipient(&event, mailbox->number, &recipient)) {
			if (recipient.position != mailbox->fill_position)
				return TTG_ECORRUPT;
			return mailbox_fill(mailbox, sequence,
					    core_lane(core, event.person_key, recipient.position)) ?
				       TTG_OK :
				       TTG_ENOMEM;
		}
	}
	mailbox->backlog_from++;
	return TTG_OK;
}

enum ttg_error core_fill(struct core *core, struct mailbox *mailbox, uint64_t until,
			 uint64_t *budget)
{
	while (mailbox->backlog_from != 0) {
		enum ttg_error code;

		if (until != 0 ? mailbox->fill_position > until :
				 !core_mailbox_has_room(core, mailbox))
			break;
		if (*budget == 0)
			return TTG_EAGAIN;
		--*budget;
		code = step(core, mailbox);
		if (code != TTG_OK)
			return code;
	}
	return TTG_OK;
}
