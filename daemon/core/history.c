/*
 * Reading records as history, for the operator's trace and tail. What is returned points into the
 * record and into one scratch of the core: it is good until the next call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/state.h"

struct history_scratch {
	struct record_ranges ranges;
	uint64_t *positions;
	size_t capacity;
	struct record_event event;        /* of the last ACCEPTED read */
};

void history_free(struct history_scratch **scratch)
{
	if (!*scratch)
		return;
	record_ranges_fini(&(*scratch)->ranges);
	free((*scratch)->positions);
	free(*scratch);
	*scratch = NULL;
}

static const char *name_of(const struct core *core, uint32_t mailbox)
{
	return mailbox < core->n_mailboxes ? core->mailboxes[mailbox]->id : "";
}

static bool expand(struct history_scratch *scratch, struct core_history *out)
{
	size_t n = scratch->ranges.positions, at = 0;

	if (n > scratch->capacity) {
		uint64_t *grown = realloc(scratch->positions, n * sizeof(*grown));

		if (!grown)
			return false;
		scratch->positions = grown;
		scratch->capacity = n;
	}
	for (size_t i = 0; i < scratch->ranges.n; i++) {
		for (uint64_t k = 0; k < scratch->ranges.items[i].n; k++)
			scratch->positions[at++] = scratch->ranges.items[i].first + k;
	}
	out->positions = scratch->positions;
	out->n_positions = n;
	return true;
}

static bool read_positions(const struct core *core, enum core_history_kind kind,
			   const uint8_t *data, size_t len, struct core_history *out)
{
	struct history_scratch *scratch = core->history;
	struct record_positions it;

	if (!record_get_positions(data, len, &it, &scratch->ranges) || !expand(scratch, out))
		return false;
	out->kind = kind;
	out->at_ns = it.at_ns;
	out->mailbox = name_of(core, it.mailbox);
	out->attempt = kind == CORE_HISTORY_DELIVERED ? (uint32_t)it.value : 0;
	out->up_to = kind == CORE_HISTORY_ACKED ? it.value : 0;
	return true;
}

static bool one_position(const struct core *core, uint64_t position, struct core_history *out)
{
	struct history_scratch *scratch = core->history;

	record_ranges_clear(&scratch->ranges);
	return record_ranges_add(&scratch->ranges, position) && expand(scratch, out);
}

static bool read_one(const struct core *core, enum core_history_kind kind, const uint8_t *data,
		     size_t len, struct core_history *out)
{
	struct record_one it;

	if (!record_get_one(data, len, &it))
		return false;
	out->kind = kind;
	out->at_ns = it.at_ns;
	out->mailbox = name_of(core, it.mailbox);
	out->event_sequence = it.sequence;
	return one_position(core, it.position, out);
}

static bool read_nack(const struct core *core, const uint8_t *data, size_t len,
		      struct core_history *out)
{
	struct record_nack it;

	if (!record_get_nack(data, len, &it))
		return false;
	out->kind = it.parked ? CORE_HISTORY_PARKED : CORE_HISTORY_NACKED;
	out->at_ns = it.at_ns;
	out->mailbox = name_of(core, it.mailbox);
	out->event_sequence = it.sequence;
	out->attempt = it.refusals;
	out->reason = it.reason;
	return one_position(core, it.position, out);
}

static bool read_event(const struct core *core, uint64_t sequence, uint8_t kind, const uint8_t *data,
		       size_t len, struct core_history *out)
{
	struct record_event *it = &core->history->event;
	struct record_recipient to;
	struct cursor recipients;

	if (!record_get_given(kind, data, len, it))
		return false;
	out->kind = kind == RECORD_AGAIN ? CORE_HISTORY_AGAIN :
		    kind == RECORD_LATE	 ? CORE_HISTORY_LATE :
					   CORE_HISTORY_ACCEPTED;
	out->at_ns = it->routed_ns;
	out->event_sequence = it->first ? it->first : sequence;
	out->event_id = it->id;
	out->source = it->source;
	snprintf(out->type, sizeof(out->type), "%s", it->type);
	out->person_key = it->person_key;
	out->signed_at = it->signed_at;
	out->n_recipients = it->n_recipients;
	out->n_waiting = it->n_waiting;
	if (kind == RECORD_AGAIN) {
		recipients = it->recipients;
		record_next_recipient(&recipients, &to);
		out->mailbox = name_of(core, to.mailbox);
	}
	return true;
}

static bool read_decided(const uint8_t *data, size_t len, struct core_history *out)
{
	struct record_decided it;

	if (!record_get_decided(data, len, &it))
		return false;
	out->kind = CORE_HISTORY_DECIDED;
	out->at_ns = it.at_ns;
	out->event_sequence = it.sequence;
	out->who = it.who;
	return true;
}

static bool read_consulted(const uint8_t *data, size_t len, struct core_history *out)
{
	struct record_consulted it;

	if (!record_get_consulted(data, len, &it))
		return false;
	out->kind = CORE_HISTORY_CONSULTED;
	out->at_ns = it.at_ns;
	out->person_key = it.key;
	out->who = it.who;
	return true;
}

static bool read_erased(const uint8_t *data, size_t len, struct core_history *out)
{
	struct record_erased it;

	if (!record_get_erased(data, len, &it))
		return false;
	out->kind = CORE_HISTORY_ERASED;
	out->at_ns = it.at_ns;
	out->person_key = it.key;
	out->who = it.who;
	return true;
}

static bool read_lapsed(const uint8_t *data, size_t len, struct core_history *out)
{
	struct record_lapsed it;

	if (!record_get_lapsed(data, len, &it))
		return false;
	out->kind = CORE_HISTORY_LAPSED;
	out->at_ns = it.at_ns;
	return true;
}

static bool read_redeliver(const struct core *core, const uint8_t *data, size_t len, struct core_history *out)
{
	struct record_redeliver it;

	if (!record_get_redeliver(data, len, &it))
		return false;
	out->kind = CORE_HISTORY_REDELIVER;
	out->at_ns = it.at_ns;
	out->mailbox = name_of(core, it.mailbox);
	out->who = it.who;
	return true;
}

static bool read_rules(const uint8_t *data, size_t len, struct core_history *out)
{
	struct record_rules it;

	if (!record_get_rules(data, len, &it) || it.since != 0)
		return false; /* said again: nothing changed */
	out->kind = CORE_HISTORY_RULES;
	out->at_ns = it.at_ns;
	return true;
}

static bool read_given_up(const uint8_t *data, size_t len, struct core_history *out)
{
	struct record_given_up *items;
	uint64_t sequence;
	int64_t at_ns;
	size_t n;

	if (!record_get_given_up(data, len, &at_ns, &sequence, &items, &n))
		return false;
	free(items);
	out->kind = CORE_HISTORY_GIVEN_UP;
	out->at_ns = at_ns;
	out->up_to = sequence;
	return true;
}

bool core_history_read(const struct core *core, uint64_t sequence, uint8_t kind, const uint8_t *data,
		       size_t len, struct core_history *out)
{
	*out = (struct core_history){ 0 };
	switch ((enum record_kind)kind) {
	case RECORD_EVENT:
	case RECORD_LATE:
	case RECORD_AGAIN:
		return read_event(core, sequence, kind, data, len, out);
	case RECORD_REDELIVER:
		return read_redeliver(core, data, len, out);
	case RECORD_DELIVERED:
		return read_positions(core, CORE_HISTORY_DELIVERED, data, len, out);
	case RECORD_ACK:
		return read_positions(core, CORE_HISTORY_ACKED, data, len, out);
	case RECORD_EXPIRED:
		return read_positions(core, CORE_HISTORY_EXPIRED, data, len, out);
	case RECORD_STOPPED:
		return read_positions(core, CORE_HISTORY_STOPPED, data, len, out);
	case RECORD_NACK:
		return read_nack(core, data, len, out);
	case RECORD_RETRY:
		return read_one(core, CORE_HISTORY_RETRIED, data, len, out);
	case RECORD_DISCARD:
		return read_one(core, CORE_HISTORY_DISCARDED, data, len, out);
	case RECORD_ESCALATED:
		return read_one(core, CORE_HISTORY_ESCALATED, data, len, out);
	case RECORD_RULES:
		return read_rules(data, len, out);
	case RECORD_GIVEN_UP:
		return read_given_up(data, len, out);
	case RECORD_DECIDED:
		return read_decided(data, len, out);
	case RECORD_CONSULTED:
		return read_consulted(data, len, out);
	case RECORD_ERASED:
		return read_erased(data, len, out);
	case RECORD_LAPSED:
		return read_lapsed(data, len, out);
	case RECORD_MAILBOX:
	case RECORD_RULES_TEXT:
	case RECORD_SEAL:
	case RECORD_HAND_OVER:
	case RECORD_REFUSED:
	case RECORD_SIGNED:
	case RECORD_FOREIGN:
	default:
		return false;
	}
}

bool core_history_recipient(const struct core *core, const struct core_history *history, size_t i,
			    const char **mailbox, uint64_t *position)
{
	struct record_recipient recipient;
	struct cursor recipients = core->history->event.recipients;

	if ((history->kind != CORE_HISTORY_ACCEPTED && history->kind != CORE_HISTORY_LATE &&
	     history->kind != CORE_HISTORY_AGAIN) ||
	    i >= history->n_recipients)
		return false;
	for (size_t k = 0; k <= i; k++)
		record_next_recipient(&recipients, &recipient);
	*mailbox = name_of(core, recipient.mailbox);
	*position = recipient.position;
	return true;
}

struct history_scratch *history_new(void)
{
	return calloc(1, sizeof(struct history_scratch));
}
