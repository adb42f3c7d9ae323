/*
 * Payloads in records: sealed with the key of their owner on the way in, opened on the way out. The
 * cryptography is the sink's; without one payloads stand in the records as they were published.
 */
#include "core/payload.h"

#include <string.h>

const uint8_t *payload_owner(const struct record_event *event)
{
	return event->person_key ? event->person_key : event->id;
}

/* A key that was taken for an event which then was not recorded is still nobody's. */
static enum ttg_error find_key(struct core *core, const struct record_event *event, uint64_t *key)
{
	enum ttg_error code = TTG_OK;

	*key = keys_find(&core->keys, payload_owner(event), event->until_s);
	if (*key != 0)
		return TTG_OK;
	if (core->key_at_hand <= core->keys.highest)
		code = core->sink.take_key(core->sink.self, &core->key_at_hand);
	*key = core->key_at_hand;
	return code;
}

static enum ttg_error fill(struct core *core, const struct record_event *event, struct record_gap gap)
{
	if (!gap.sealed)
		return TTG_OK; /* it did not fit: core_commit() says so */
	return core->sink.seal(core->sink.self, event, gap.digest, gap.sealed);
}

enum ttg_error core_put_event(struct core *core, struct cursor *cursor, struct record_event *event,
			      const struct record_recipient *recipients, bool of_persons)
{
	enum ttg_error code;

	if (!core->sink.seal || !of_persons) {
		record_put_event(cursor, event, recipients);
		return TTG_OK;
	}
	event->n_sealed = event->n_bytes + RECORD_SEAL_BYTES;
	code = find_key(core, event, &event->key);
	return code == TTG_OK ? fill(core, event, record_put_event(cursor, event, recipients)) : code;
}

enum ttg_error core_put_late(struct core *core, struct cursor *cursor, struct record_event *event,
			     const struct record_recipient *recipients)
{
	event->n_sealed = event->n_bytes + RECORD_SEAL_BYTES;
	return fill(core, event, record_put_late(cursor, event, recipients));
}

enum ttg_error core_put_again(struct core *core, struct cursor *cursor, struct record_event *event,
			      const struct record_recipient *recipients)
{
	event->n_sealed = event->n_bytes + RECORD_SEAL_BYTES;
	return fill(core, event, record_put_again(cursor, event, recipients));
}

enum ttg_error core_open_event(const struct core *core, struct record_event *event)
{
	if (event->key == 0)
		return TTG_OK;
	return core->sink.open ? core->sink.open(core->sink.self, event) : TTG_EPERM;
}

enum ttg_error payload_apply(struct core *core, const struct record_event *event)
{
	const uint8_t *owner = payload_owner(event);
	uint64_t known;

	if (event->key == 0)
		return TTG_OK;
	known = keys_find(&core->keys, owner, event->until_s);
	if (known == event->key)
		return TTG_OK;
	if (!keys_fits(&core->keys, owner, event->until_s, event->key))
		return TTG_ECORRUPT;
	return keys_give(&core->keys, owner, event->until_s, event->key) ? TTG_OK : TTG_ENOMEM;
}
