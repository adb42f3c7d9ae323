/* Dead letters and the operator's force. What changes state is answered when it is durable. */
#include <string.h>

#include <ttg/event.h>
#include "net/control_request.h"

/* Answers at a mailbox nobody knows. */
static bool mailbox_known(struct control_request *request, const char *mailbox)
{
	for (size_t i = 0; i < core_mailbox_count(request->net->core); i++) {
		struct core_mailbox_view view;
		core_mailbox_view(request->net->core, i, &view);
		if (strcmp(view.id, mailbox) == 0)
			return true;
	}
	control_end(request, TTG_ENOENT, "no such mailbox");
	return false;
}

/* The request ends with one number; the line waits for what was appended so far. */
static void end_durable(struct control_request *request, const char *word, uint64_t number)
{
	request->wait_durable = core_sequence(request->net->core);
	control_item(request, json_pack("{s:I}", word, (json_int_t)number));
	control_end(request, TTG_OK, "%s", "");
}

static bool list_one(void *arg, const struct core_dead_letter *letter)
{
	struct control_request *request = arg;
	struct control_listing *listing = request->job;
	char id[TTG_UUID_TEXT];
	if (control_enough(request))
		return false;
	listing->after = letter->position;
	ttg_uuid_format(letter->event_id, id);
	json_t *data = json_object();
	json_object_set_new(data, "mailbox", json_string(letter->mailbox));
	json_object_set_new(data, "sequence", json_integer((json_int_t)letter->sequence));
	json_object_set_new(data, "position", json_integer((json_int_t)letter->position));
	json_object_set_new(data, "event_id", json_string(id));
	json_object_set_new(data, "type", json_string(letter->type));
	json_object_set_new(data, "attempts", json_integer(letter->attempts));
	json_object_set_new(data, "reason", json_string(control_reason(letter->reason)));
	json_object_set_new(data, "text", json_string(letter->text ? letter->text : ""));
	json_object_set_new(data, "parked_at", control_time(letter->parked_ns));
	json_object_set_new(data, "behind", json_integer((json_int_t)letter->behind));
	control_item(request, data);
	return !request->overflowed;
}

static void list_step(struct control_request *request)
{
	struct control_listing *listing = request->job;
	struct core *core = request->net->core;
	while (listing->index < core_mailbox_count(core)) {
		struct core_mailbox_view view;
		core_mailbox_view(core, listing->index, &view);
		if (!listing->only[0] || strcmp(listing->only, view.id) == 0)
			core_dead_letters(core, view.id, listing->after, list_one, request);
		if (control_enough(request) || request->overflowed)
			return; /* goes on behind listing->after when the client took some */
		listing->index++;
		listing->after = 0;
	}
	control_end(request, TTG_OK, "%s", "");
}

void control_dead_list(struct control_request *request)
{
	const char *mailbox = NULL;
	if (!control_string(request, "mailbox", false, &mailbox) ||
	    (mailbox && !mailbox_known(request, mailbox)))
		return;
	control_list(request, mailbox, list_step);
}

#define RETRY_AT_ONCE 1024 /* dead letters collected before any is retried */

struct collected {
	uint64_t sequence[RETRY_AT_ONCE];
	size_t n;
};

static bool collect(void *arg, const struct core_dead_letter *letter)
{
	struct collected *collected = arg;
	collected->sequence[collected->n++] = letter->sequence;
	return collected->n < RETRY_AT_ONCE;
}

void control_dead_retry(struct control_request *request)
{
	const char *mailbox = NULL;
	int64_t sequence = 0;
	if (!control_string(request, "mailbox", true, &mailbox) ||
	    !control_integer(request, "sequence", false, 1, INT64_MAX, &sequence) ||
	    !mailbox_known(request, mailbox))
		return;
	const struct core_now now = net_now(request->net);
	struct collected collected = { .n = 0 };
	uint64_t retried = 0;
	enum ttg_error error = TTG_OK;
	if (sequence > 0)
		collected.sequence[collected.n++] = (uint64_t)sequence;
	else
		core_dead_letters(request->net->core, mailbox, 0, collect, &collected);
	for (size_t i = 0; i < collected.n && !error; i++) {
		error = core_dead_letter_retry(request->net->core, &now, mailbox,
					       collected.sequence[i]);
		retried += error == TTG_OK;
	}
	if (error || retried == 0) {
		control_end(request, error ? error : TTG_ENOENT, "%s",
			    error && error != TTG_ENOENT ? ttg_error_text(error) :
							   "no such dead letter");
		return;
	}
	end_durable(request, "retried", retried);
}

void control_dead_discard(struct control_request *request)
{
	const char *mailbox = NULL;
	int64_t sequence = 0;
	if (!control_string(request, "mailbox", true, &mailbox) ||
	    !control_integer(request, "sequence", true, 1, INT64_MAX, &sequence) ||
	    !mailbox_known(request, mailbox))
		return;
	const struct core_now now = net_now(request->net);
	const enum ttg_error error = core_dead_letter_discard(request->net->core, &now, mailbox,
							      (uint64_t)sequence);
	if (error) {
		control_end(request, error, "%s",
			    error == TTG_ENOENT ? "no such dead letter" : ttg_error_text(error));
		return;
	}
	log_write(request->net->log, LOG_LEVEL_NOTICE, "dead_letter_discarded",
		  "mailbox=%s sequence=%lld uid=%u", mailbox, (long long)sequence, request->uid);
	end_durable(request, "discarded", 1);
}

void control_give_up(struct control_request *request)
{
	int64_t sequence = 0;
	bool confirm = false;
	if (!control_integer(request, "sequence", true, 1, INT64_MAX, &sequence) ||
	    !control_bool(request, "confirm", &confirm))
		return;
	if (!confirm) {
		control_end(request, TTG_EINVAL, "confirm must be true");
		return;
	}
	const struct core_now now = net_now(request->net);
	uint64_t given_up = 0;
	const enum ttg_error error =
		core_give_up(request->net->core, &now, (uint64_t)sequence, &given_up);
	if (error) {
		control_end(request, error, "%s", ttg_error_text(error));
		return;
	}
	request->net->counters.given_up += given_up;
	log_write(request->net->log, LOG_LEVEL_WARN, "given_up",
		  "below=%lld deliveries=%llu uid=%u", (long long)sequence,
		  (unsigned long long)given_up, request->uid);
	end_durable(request, "given_up", given_up);
}
