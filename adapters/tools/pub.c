/*
 * ttg-pub: publishes CloudEvents, one JSON object a line, and prints one line of outcome for each
 * in the order of the input.
 *
 * One thread. A line is a slot in a ring from the moment it was read until its outcome is printed;
 * when the ring is full no more is read. Lines that cannot be sent get an outcome at once, with a
 * local code, and do not stop the others. With --receipts the outcome of an event waits for its receipt,
 * which is asked for when a lost session took it away.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/world.h"
#include "common/cloudevents.h"
#include "tools/pub_state.h"

#define MAX_SLOTS	   4096
#define MAX_LINE	   (256 * 1024)
#define CHUNK_BYTES	   65536
#define DEFAULT_TIMEOUT_MS 60000
#define POLL_MS		   100

static const char help[] =
	"ttg-pub: publishes events given as CloudEvents, one JSON object a line\n"
	"usage: ttg-pub --broker tcp://HOST:PORT --server-key FILE --key FILE [--file FILE]\n"
	"       ttg-pub --broker tcp://HOST:PORT --server-key FILE --key FILE --state ID...\n"
	"  --file FILE               read this instead of standard input\n"
	"  --signing-key FILE        sign what is published with this secret key, mode 0600\n"
	"  --receipts FOLDER         write ID.receipt there for each event that is accepted\n"
	"  --state                   publish nothing: ask what became of events\n"
	"  --timeout S               give up when no answer came for S seconds (60; 0: never)\n"
	TOOL_HELP
	"For each line one line comes out, in order:\n"
	"  {\"id\": ..., \"outcome\": \"accepted\"|\"duplicate\", \"sequence\": N}\n"
	"  {\"id\": ..., \"outcome\": \"refused\", \"code\": N, \"name\": ..., \"text\": ...}\n"
	"With --receipts: \"receipt\": the file's name or null, then with code and name why.\n"
	"Of --state: {\"id\": ..., \"state\": \"accepted\"|\"delivered\"|\"acknowledged\", \"sequence\": N,\n"
	"  \"accepted_at\": ..., \"delivered\": N, \"acknowledged\": N}, or with code, name, text\n"
	"Exit status: 0 all accepted or duplicate, 1 something refused or unanswered, 2 usage,\n"
	"3 no session.\n";

enum receipt { RECEIPT_NONE = 0, RECEIPT_AWAITED, RECEIPT_WRITTEN, RECEIPT_MISSING };

struct slot {
	struct publisher_state *state;
	char id[TTG_UUID_TEXT];
	bool done;
	enum ttg_error code;
	bool duplicate;
	uint64_t sequence;
	enum receipt receipt;
	enum ttg_error receipt_code; /* RECEIPT_MISSING: why */
	bool asked;                  /* for the receipt */
	char text[MESSAGE_BYTES];
};

struct publisher_state {
	struct tool tool; /* first: callbacks get it */
	struct slot *slots;
	uint64_t first, next; /* numbers of the oldest slot in use and of the next to come */
	bool all_fine;
	const char *receipts; /* folder; NULL: none are wanted */
	bool asks_states;
	int input;
	bool input_ended;
	char *line;       /* MAX_LINE + 1 bytes, the line being read */
	size_t line_len;
	bool line_too_long;
	char chunk[CHUNK_BYTES]; /* read and not yet taken: chunk_at to chunk_len */
	size_t chunk_at, chunk_len;
	int64_t timeout_ms, progress_ms;
};

static struct slot *slot_at(struct publisher_state *state, uint64_t number)
{
	return &state->slots[number % MAX_SLOTS];
}

static void set_receipt(json_t *json, const struct slot *slot)
{
	if (slot->receipt == RECEIPT_WRITTEN) {
		json_object_set_new(json, "receipt", json_sprintf("%s.receipt", slot->id));
	} else if (slot->receipt == RECEIPT_MISSING) {
		json_object_set_new(json, "receipt", json_null());
		json_object_set_new(json, "code", json_integer(slot->receipt_code));
		json_object_set_new(json, "name", json_string(ttg_error_name(slot->receipt_code)));
	}
}

static void print_outcome(const struct slot *slot)
{
	json_t *json = json_object();
	const char *word = slot->code != TTG_OK ? "refused" :
			   slot->duplicate	? "duplicate" : "accepted";

	if (slot->id[0])
		json_object_set_new(json, "id", json_string(slot->id));
	else
		json_object_set_new(json, "id", json_null());
	json_object_set_new(json, "outcome", json_string(word));
	if (slot->code == TTG_OK) {
		json_object_set_new(json, "sequence", json_integer((json_int_t)slot->sequence));
		set_receipt(json, slot);
	} else {
		json_object_set_new(json, "code", json_integer(slot->code));
		json_object_set_new(json, "name", json_string(ttg_error_name(slot->code)));
		json_object_set_new(json, "text", json_string(slot->text));
	}
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
}

static void print_finished(struct publisher_state *state)
{
	bool any = false;

	for (; state->first < state->next && slot_at(state, state->first)->done; state->first++) {
		print_outcome(slot_at(state, state->first));
		any = true;
	}
	if (any)
		fflush(stdout);
}

static void finish_slot(struct slot *slot, enum ttg_error code, const char *text)
{
	slot->done = true;
	slot->code = code;
	snprintf(slot->text, sizeof(slot->text), "%s", text);
	if (code != TTG_OK)
		slot->state->all_fine = false;
}

static void on_outcome(void *user, const struct ttg_outcome *outcome)
{
	struct slot *slot = outcome->tag;
	struct publisher_state *state = user;

	slot->duplicate = outcome->duplicate;
	slot->sequence = outcome->sequence;
	state->progress_ms = tool_now_ms();
	if (outcome->code == TTG_OK && state->receipts)
		slot->receipt = RECEIPT_AWAITED;
	else
		finish_slot(slot, outcome->code, outcome->text);
}

static void miss_receipt(struct slot *slot, enum ttg_error code)
{
	slot->receipt = RECEIPT_MISSING;
	slot->receipt_code = code;
	slot->state->all_fine = false;
	finish_slot(slot, TTG_OK, "");
}

/* Whole and on the disk, or not there. */
static enum ttg_error write_receipt(const struct publisher_state *state, const char *id,
				    const struct ttg_receipt *receipt)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s.receipt", state->receipts, id) >=
	    sizeof(path))
		return TTG_ELIMIT;
	const int put = world_replace_file(world_real(), path, receipt->text, receipt->text_bytes);
	if (put < 0)
		fprintf(stderr, "ttg-pub: %s: %s\n", path, strerror(-put));
	return world_error(put);
}

/* Of the oldest event with this id that waits for one. */
static void on_receipt(void *user, const struct ttg_receipt *receipt)
{
	struct publisher_state *state = user;
	enum ttg_error code = receipt->code;
	char id[TTG_UUID_TEXT];

	ttg_uuid_format(receipt->id, id);
	for (uint64_t i = state->first; i < state->next; i++) {
		struct slot *slot = slot_at(state, i);

		if (slot->done || slot->receipt != RECEIPT_AWAITED || strcmp(slot->id, id) != 0)
			continue;
		state->progress_ms = tool_now_ms();
		if (code == TTG_OK)
			code = write_receipt(state, id, receipt);
		if (code == TTG_OK) {
			slot->receipt = RECEIPT_WRITTEN;
			finish_slot(slot, TTG_OK, "");
		} else {
			miss_receipt(slot, code);
		}
		return;
	}
}

/* A session that ended took its receipts along: they are asked for in the next. */
static void on_state(void *user, enum ttg_state now, enum ttg_error code, const char *text)
{
	struct publisher_state *state = user;
	uint8_t id[TTG_UUID_BYTES];

	tool_note_state(user, now, code, text);
	for (uint64_t i = state->first; now == TTG_STATE_READY && i < state->next; i++) {
		struct slot *slot = slot_at(state, i);

		if (slot->receipt == RECEIPT_AWAITED && !slot->asked &&
		    ttg_uuid_parse(slot->id, id) == TTG_OK)
			slot->asked = ttg_client_ask_receipt(state->tool.client, id) == TTG_OK;
	}
}

/* Publishes an event; with a full client, polls until there is room. */
static enum ttg_error send_event(struct publisher_state *state, struct slot *slot,
				 const Ttg__Event *event)
{
	uint8_t *bytes = NULL;
	size_t len = 0;

	enum ttg_error code = ttg_event_pack(event, &bytes, &len);
	if (code != TTG_OK)
		return code;
	code = ttg_client_publish(state->tool.client, event->id.data, bytes, len, slot);
	while (code == TTG_EAGAIN && !tool_is_stopped()) {
		ttg_client_poll(state->tool.client, POLL_MS);
		code = ttg_client_publish(state->tool.client, event->id.data, bytes, len, slot);
	}
	free(bytes);
	return code;
}

static enum ttg_error take_json(struct publisher_state *state, struct slot *slot,
				struct message *message)
{
	json_error_t error;
	Ttg__Event *event = NULL;
	unsigned ignored;

	json_t *json = json_loadb(state->line, state->line_len, JSON_REJECT_DUPLICATES, &error);
	/* jansson's own sentence may quote the input. */
	if (!json)
		return message_set(message, TTG_EFORMAT, "not JSON at column %d", error.column);
	enum ttg_error code = cloudevents_read(json, &event, &ignored, message);
	json_decref(json);
	if (code != TTG_OK)
		return code;
	ttg_uuid_format(event->id.data, slot->id);
	code = send_event(state, slot, event);
	if (code != TTG_OK)
		message_set(message, code, "%s", ttg_error_text(code));
	ttg__event__free_unpacked(event, NULL);
	return code;
}

static bool is_blank(const struct publisher_state *state)
{
	for (size_t i = 0; i < state->line_len; i++)
		if (!strchr(" \t\r", state->line[i]))
			return false;
	return !state->line_too_long;
}

static void take_line(struct publisher_state *state)
{
	struct message message = { "" };
	enum ttg_error code;

	if (is_blank(state))
		return;
	struct slot *slot = slot_at(state, state->next++);
	*slot = (struct slot){ .state = state };
	state->progress_ms = tool_now_ms();
	if (state->line_too_long)
		code = message_set(&message, TTG_ELIMIT, "a line of more than %d bytes", MAX_LINE);
	else
		code = take_json(state, slot, &message);
	if (code != TTG_OK)
		finish_slot(slot, code, message.text);
}

static void take_byte(struct publisher_state *state, char c)
{
	if (c == '\n') {
		take_line(state);
		state->line_len = 0;
		state->line_too_long = false;
	} else if (state->line_len < MAX_LINE) {
		state->line[state->line_len++] = c;
	} else {
		state->line_too_long = true;
	}
}

static bool has_room(const struct publisher_state *state)
{
	return state->next - state->first < MAX_SLOTS;
}

/* Takes lines out of what was read, as long as there are slots. */
static void take_chunk(struct publisher_state *state)
{
	while (state->chunk_at < state->chunk_len && has_room(state))
		take_byte(state, state->chunk[state->chunk_at++]);
}

static void read_input(struct publisher_state *state)
{
	ssize_t got = read(state->input, state->chunk, sizeof(state->chunk));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got < 0)
		fprintf(stderr, "ttg-pub: reading failed: %s\n", strerror(errno));
	state->chunk_at = 0;
	state->chunk_len = got > 0 ? (size_t)got : 0;
	if (got > 0)
		return;
	state->input_ended = true;
	state->all_fine = state->all_fine && got == 0;
	if (state->line_len > 0 || state->line_too_long)
		take_byte(state, '\n');
}

static void wait_for_something(struct publisher_state *state)
{
	bool empty = state->chunk_at == state->chunk_len;
	struct pollfd waits[2] = {
		{ .fd = ttg_client_fd(state->tool.client), .events = POLLIN },
		{ .fd = empty && has_room(state) && !state->input_ended ? state->input : -1,
		  .events = POLLIN },
	};

	if (poll(waits, 2, empty || !has_room(state) ? POLL_MS : 0) > 0 && waits[1].revents)
		read_input(state);
	take_chunk(state);
}

static bool is_too_late(struct publisher_state *state)
{
	if (state->first == state->next)
		state->progress_ms = tool_now_ms();
	return state->timeout_ms > 0 && tool_now_ms() - state->progress_ms > state->timeout_ms;
}

static enum tool_exit run(struct publisher_state *state)
{
	int64_t started_ms = tool_now_ms();

	while (!tool_is_stopped() && !(state->input_ended && state->first == state->next)) {
		wait_for_something(state);
		enum ttg_error code = ttg_client_poll(state->tool.client, 0);
		print_finished(state);
		if (tool_is_unreachable(&state->tool, started_ms))
			return TOOL_UNREACHABLE;
		if (code != TTG_OK || is_too_late(state))
			break;
	}
	return state->all_fine && state->first == state->next ? TOOL_FINE : TOOL_REFUSED;
}

/* What is still open gets a line too, so that every line of input has one. */
static void give_up(struct publisher_state *state)
{
	for (uint64_t i = state->first; i < state->next; i++)
		if (slot_at(state, i)->receipt == RECEIPT_AWAITED)
			miss_receipt(slot_at(state, i), TTG_ETIMEOUT);
		else if (!slot_at(state, i)->done)
			finish_slot(slot_at(state, i), TTG_ETIMEOUT,
				    state->tool.connected ?
					    "no answer came; it may have been accepted" :
					    "not sent: there was no session");
	print_finished(state);
}

static void parse(struct publisher_state *state, int argc, char **argv)
{
	static const struct option options[] = {
		TOOL_OPTIONS,
		{ "file", required_argument, NULL, 'f' },
		{ "timeout", required_argument, NULL, 't' },
		{ "receipts", required_argument, NULL, 'r' },
		{ "signing-key", required_argument, NULL, 'k' },
		{ "state", no_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = NULL;
	int option;

	state->timeout_ms = DEFAULT_TIMEOUT_MS;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			file = optarg;
		else if (option == 't')
			state->timeout_ms = tool_seconds(&state->tool, "--timeout", optarg);
		else if (option == 'r')
			state->receipts = optarg;
		else if (option == 'k')
			state->tool.options.signing_key_file = optarg;
		else if (option == 's')
			state->asks_states = true;
		else
			tool_option(&state->tool, option, help);
	}
	state->tool.options.want_receipts = state->receipts != NULL;
	if (state->asks_states && (file || state->receipts))
		tool_usage(&state->tool, "--state publishes nothing: without --file and --receipts");
	if (state->asks_states)
		return;
	if (optind < argc)
		tool_usage(&state->tool, "%s: events come from --file or standard input",
			   argv[optind]);
	state->input = file ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (state->input < 0)
		tool_usage(&state->tool, "%s: %s", file, strerror(errno));
}

static int publish_all(struct publisher_state *state)
{
	struct ttg_callbacks callbacks = { .on_outcome = on_outcome, .on_state = on_state,
					   .on_receipt = on_receipt };

	tool_catch_signals();
	tool_connect(&state->tool, &callbacks);
	enum tool_exit result = run(state);
	if (state->first < state->next)
		ttg_client_free(&state->tool.client);
	else
		tool_disconnect(&state->tool);
	give_up(state);
	if (fflush(stdout) != 0)
		result = TOOL_REFUSED;
	return (int)result;
}

int main(int argc, char **argv)
{
	struct publisher_state *state = calloc(1, sizeof(*state));
	int result = TOOL_REFUSED;

	if (!state)
		return result;
	state->tool.program = "ttg-pub";
	state->all_fine = true;
	parse(state, argc, argv);
	if (state->asks_states) {
		result = (int)pub_state(&state->tool, argv + optind, (size_t)(argc - optind),
					state->timeout_ms);
		free(state);
		return result;
	}
	state->slots = calloc(MAX_SLOTS, sizeof(*state->slots));
	state->line = malloc(MAX_LINE + 1);
	if (state->slots && state->line)
		result = publish_all(state);
	free(state->slots);
	free(state->line);
	free(state);
	return result;
}
