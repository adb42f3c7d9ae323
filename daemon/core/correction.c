/*
 * Corrections. An event that supersedes another goes to whom it is granted; but whoever was given the
 * first and is not given this one must not go on believing it. He is told "withdrawn" and no more
 * (broker.correction), in the mailbox that had the first, whatever is granted today.
 *
 * The notice goes in front of the record of the superseding event and its id follows from both, so a crash
 * between the two loses nothing and tells nothing twice: the publisher sends the event again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/known.h"
#include "core/notice.h"

#define TYPE_CORRECTION "broker.correction"

/* Whom to tell; the names of agreements are copies, for records are read one after the other. */
struct readers {
	struct record_recipient list[RECORD_MAX_RECIPIENTS];
	char agreements[RECORD_MAX_RECIPIENTS][RULES_ID_MAX + 1];
	uint32_t n;
};

struct readers *core_readers_new(void)
{
	return calloc(1, sizeof(struct readers));
}

static bool gets_it(const struct core *core, uint32_t mailbox, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (core->recipients[i].mailbox == mailbox)
			return true;
	}
	return false;
}

static bool is_listed(const struct readers *readers, uint32_t mailbox)
{
	for (uint32_t i = 0; i < readers->n; i++) {
		if (readers->list[i].mailbox == mailbox)
			return true;
	}
	return false;
}

/* Adds whom this record gave the first event to, but for the n who get the new one. */
static enum ttg_error add_readers(struct core *core, uint64_t sequence, uint32_t n)
{
	struct readers *readers = core->readers;
	struct record_recipient recipient;
	struct record_event event;
	struct cursor recipients;
	enum ttg_error code = core_read_event(core, sequence, 0, &event, NULL);

	if (code != TTG_OK)
		return code;
	recipients = event.recipients;
	for (uint32_t i = 0; i < event.n_recipients && readers->n < RECORD_MAX_RECIPIENTS; i++) {
		record_next_recipient(&recipients, &recipient);
		if (recipient.n_agreements == 0 || gets_it(core, recipient.mailbox, n) ||
		    is_listed(readers, recipient.mailbox))
			continue;
		snprintf(readers->agreements[readers->n], RULES_ID_MAX + 1, "%s",
			 recipient.agreements[0]);
		readers->list[readers->n] = (struct record_recipient){
			.mailbox = recipient.mailbox,
			.position = core->mailboxes[recipient.mailbox]->next_position,
			.fallback = RULES_NONE,
			.n_agreements = 1,
			.agreements = { readers->agreements[readers->n] },
		};
		readers->n++;
	}
	return TTG_OK;
}

static enum ttg_error find_readers(struct core *core, uint64_t first, uint32_t n)
{
	enum ttg_error code;
	uint64_t late;
	size_t at = 0;

	core->readers->n = 0;
	code = add_readers(core, first, n);
	while (code == TTG_OK && (late = lates_next(&core->lates, first, &at)) != 0) {
		code = add_readers(core, late, n);
		code = code == TTG_ENOENT ? TTG_OK : code;
	}
	return code;
}

static enum ttg_error tell(struct core *core, const struct core_now *now, uint64_t first, const uint8_t *by)
{
	Ttg__BrokerCorrection correction = TTG__BROKER_CORRECTION__INIT;
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__Time at = TTG__TIME__INIT;
	uint8_t id[RECORD_ID], wrong[RECORD_ID], key[RECORD_PERSON_KEY];
	char type[RULES_TYPE_MAX + 1], source[RULES_ID_MAX + 1];
	struct record_event original;
	enum ttg_error code = core_read_event(core, first, 0, &original, NULL);
	const uint8_t *person_key = NULL;

	if (code == TTG_OK)
		code = notice_make_id(TYPE_CORRECTION, original.accepted_ns, first, by, id);
	if (code != TTG_OK || notice_was_told(core, id))
		return code;
	memcpy(wrong, original.id, sizeof(wrong));
	snprintf(type, sizeof(type), "%s", original.type);
	snprintf(source, sizeof(source), "%s", original.source);
	if (original.person_key) {
		memcpy(key, original.person_key, sizeof(key));
		person_key = key;
	}
	at.unix_ns = now->real_ns;
	correction.event_id = (ProtobufCBinaryData){ sizeof(wrong), wrong };
	correction.kind = TTG__CORRECTION_KIND__CORRECTION_KIND_WITHDRAWN;
	correction.event_type = type;
	correction.publisher_agency = source;
	correction.corrected_at = &at;
	notice_fill(core, &event, &at, TYPE_CORRECTION, id, wrong);
	event.urgency = TTG__URGENCY__URGENT;
	event.supersedes = (ProtobufCBinaryData){ sizeof(wrong), wrong };
	event.payload_case = TTG__EVENT__PAYLOAD_BROKER_CORRECTION;
	event.broker_correction = &correction;
	return notice_store(core, now, &event, core->readers->list, core->readers->n, person_key,
			    person_key != NULL);
}

enum ttg_error core_correct(struct core *core, const struct core_now *now, const char *agency,
			    const uint8_t *supersedes, const uint8_t *by, uint32_t n_recipients)
{
	const uint64_t first = dedupe_find(core->dedupe, core_fingerprint(core, agency, supersedes));
	struct record_event event;
	enum ttg_error code;

	if (first == 0)
		return TTG_OK;
	code = core_read_event(core, first, 0, &event, NULL);
	if (code == TTG_OK && (memcmp(event.id, supersedes, RECORD_ID) != 0 ||
			       strcmp(event.source, agency) != 0))
		return TTG_OK; /* only the fingerprints are the same */
	if (code == TTG_OK)
		code = find_readers(core, first, n_recipients);
	if (code == TTG_OK && core->readers->n > 0)
		code = tell(core, now, first, by);
	return code == TTG_ENOENT ? TTG_OK : code;
}
