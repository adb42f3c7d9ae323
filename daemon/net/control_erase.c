/*
 * A person's rights: what is held about him, and erasing it. Who asks says why, and that is in the journal
 * before he is answered. Payloads are shown to nobody but who asks for them, byte for byte as they were
 * published.
 */
#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>

#include "core/erase.h"
#include "core/record.h"
#include "net/control_request.h"
#include "net/keys.h"

#define RECORDS_A_SLICE 2000

struct report {
	struct journal_reader *reader;
	struct core_person person;
	bool payloads; /* wanted */
};

static void free_report(void *arg)
{
	struct report *it = arg;

	journal_reader_close(&it->reader);
	free(it);
}

static void take_fact(void *arg, const char *what, const char *text)
{
	control_item(arg, json_pack("{s:s, s:s}", "what", what, "text", text));
}

static const char *state_of(enum ttg_error error, const struct record_event *event)
{
	if (error == TTG_EPERM)
		return event->n_sealed == 0 ? "left_out" : "destroyed";
	return error ? "unreadable" : "held";
}

static json_t *recipients(const struct control_request *request, const struct record_event *event)
{
	struct cursor cursor = event->recipients;
	json_t *list = json_array();

	for (uint32_t i = 0; i < event->n_recipients; i++) {
		struct record_recipient to;
		struct core_mailbox_view view;

		record_next_recipient(&cursor, &to);
		if (to.mailbox >= core_mailbox_count(request->net->core))
			continue;
		core_mailbox_view(request->net->core, to.mailbox, &view);
		json_array_append_new(list, json_string(view.id));
	}
	return list;
}

static void tell_payload(struct control_request *request, uint64_t sequence, const struct record_event *event)
{
	for (size_t at = 0; at < event->n_bytes; at += CONTROL_HEX_MAX) {
		const size_t left = event->n_bytes - at, n = left < CONTROL_HEX_MAX ? left : CONTROL_HEX_MAX;

		control_item(request, json_pack("{s:s, s:I, s:I, s:o}", "what", "payload", "sequence",
						(json_int_t)sequence, "offset", (json_int_t)at, "text",
						control_hex(event->bytes + at, n)));
	}
}

static void tell_event(struct control_request *request, uint64_t sequence, struct record_event *event)
{
	const struct report *it = request->job;
	const enum ttg_error error = net_keys_bytes(request->net, event);
	char id[TTG_UUID_TEXT];

	ttg_uuid_format(event->id, id);
	control_item(request,
		     json_pack("{s:s, s:o, s:I, s:s, s:s, s:s, s:o, s:s}", "what",
			       event->given != 0 ? "again" : event->first != 0 ? "late" : "event", "at",
			       control_time(event->routed_ns),
			       "sequence", (json_int_t)sequence, "type", event->type, "from", event->source,
			       "event_id", id, "to", recipients(request, event), "payload",
			       state_of(error, event)));
	if (!error && it->payloads && event->first == 0)
		tell_payload(request, sequence, event);
}

static void report_step(struct control_request *request)
{
	struct report *it = request->job;

	for (int i = 0; i < RECORDS_A_SLICE && !control_enough(request); i++) {
		struct journal_record record;
		struct record_event event;
		uint64_t sequence = 0;
		const enum ttg_error error = journal_reader_next(it->reader, &sequence, &record);

		if (error) {
			control_end(request, error == TTG_EAGAIN ? TTG_OK : error, "%s",
				    error == TTG_EAGAIN ? "" : ttg_error_text(error));
			return;
		}
		if (!record_gives(record.kind))
			continue;
		if (!record_get_given(record.kind, record.data, record.len, &event)) {
			control_end(request, TTG_ECORRUPT, "record %llu is damaged",
				    (unsigned long long)sequence);
			return;
		}
		if (event.person_key && core_person_is(request->net->core, &it->person, event.person_key))
			tell_event(request, sequence, &event);
	}
}

void control_report(struct control_request *request)
{
	const char *text = NULL, *reason = NULL;
	struct report *it = calloc(1, sizeof(*it));
	struct journal_stats stats;
	enum ttg_error error;

	if (!it) {
		control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
		return;
	}
	if (!control_string(request, "person", true, &text) ||
	    !control_string(request, "reason", true, &reason) ||
	    !control_bool(request, "payloads", &it->payloads) ||
	    !control_consult(request, text, reason, it->payloads ? "person.report payloads" : "person.report",
			     &it->person)) {
		free(it);
		return;
	}
	error = journal_reader_open(&it->reader, request->net->journal);
	if (!error) {
		journal_get_stats(request->net->journal, &stats);
		error = journal_reader_seek(it->reader, stats.first_sequence);
	}
	if (error && error != TTG_EAGAIN) {
		free_report(it);
		control_end(request, error, "%s", ttg_error_text(error));
		return;
	}
	request->job = it;
	request->free_job = free_report;
	core_person_facts(request->net->core, &it->person, take_fact, request);
	request->step = report_step;
}

/* An erasure that is recorded, on its way to be done. */
static void erase_step(struct control_request *request)
{
	const struct core_erasure *done = request->job;

	if (!net_keys_erased(request->net, done->sequence))
		return;
	control_item(request, json_pack("{s:I, s:I, s:I}", "numbers", (json_int_t)done->numbers, "keys",
					(json_int_t)done->keys, "sequence", (json_int_t)done->sequence));
	control_end(request, TTG_OK, "%s", "");
}

void control_erase(struct control_request *request)
{
	const struct core_now now = net_now(request->net);
	const char *text = NULL, *reason = NULL;
	struct core_person person;
	struct core_erasure *erasure;
	char who[CONTROL_CALLER];
	enum ttg_error error;

	if (!control_string(request, "person", true, &text) ||
	    !control_string(request, "reason", true, &reason))
		return;
	if (!request->net->keys) {
		control_end(request, TTG_EINVAL,
			    "there is no key store: without keys.directory nobody can be erased");
		return;
	}
	if (!control_person_named(request, text, reason, &person))
		return;
	erasure = calloc(1, sizeof(*erasure));
	control_caller(request, who);
	error = erasure ? core_erase(request->net->core, &now, &person, who, reason, erasure) : TTG_ENOMEM;
	if (error) {
		free(erasure);
		control_end(request, error, "%s", ttg_error_text(error));
		return;
	}
	request->job = erasure;
	request->free_job = free;
	request->step = erase_step;
	request->idle = true;
	request->wait_durable = erasure->sequence;
}

void control_keys(struct control_request *request)
{
	struct keystore_view view;

	if (!request->net->keys) {
		control_end(request, TTG_ENOENT, "there is no key store: keys.directory is not given");
		return;
	}
	net_keys_view(request->net, &view);
	control_item(request, json_pack("{s:I, s:I, s:I, s:b}", "made", (json_int_t)view.keys, "in_use",
					(json_int_t)core_live_keys(request->net->core), "destroyed",
					(json_int_t)view.destroyed, "rewrapping", view.rewrapping));
	control_end(request, TTG_OK, "%s", "");
}
