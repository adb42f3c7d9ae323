/*
 * ttg-sub: prints what arrives in mailboxes as CloudEvents, one JSON object a line.
 *
 * One thread. A delivery is acknowledged only after its line was written to standard output and
 * flushed; when that fails nothing more is acknowledged and the program ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <ttg/proto/session.pb-c.h>
#include "common/cloudevents.h"
#include "tools/tool.h"

#define MAX_MAILBOXES 64
#define MAX_CREDIT    65536
#define POLL_MS	      100

static const char help[] =
	"ttg-sub: prints what arrives in mailboxes as CloudEvents, one JSON object a line\n"
	"usage: ttg-sub --broker tcp://HOST:PORT --server-key FILE --key FILE --mailbox BOX...\n"
	"  --mailbox BOX             \"box\" or \"agency/box\"; may be given again\n"
	"  --count N                 end after N events\n"
	"  --timeout S               end after S seconds\n"
	"  --credit N                deliveries that may be unacknowledged, a mailbox (256)\n"
	"  --no-ack                  acknowledge nothing: what is printed comes again\n"
	"  --nack REASON             refuse each: temporary, unreadable, invalid, unknown-type,\n"
	"                            not-ours\n"
	TOOL_HELP
	"Extensions of each event: mailbox, sequence (position in the mailbox), attempt, personkey\n"
	"(the same person, the same key), redacted when something was left out.\n"
	"Exit status: 0 as asked, 1 fewer than --count came or a mailbox is not ours, 2 usage,\n"
	"3 no session.\n";

struct subscriber_state {
	struct tool tool; /* first: callbacks get it */
	const char *mailboxes[MAX_MAILBOXES];
	size_t n_mailboxes;
	uint64_t count, seen;
	int64_t timeout_ms;
	uint32_t credit;
	bool no_ack;
	int nack; /* -1: none */
	bool failed, done;
};

/* False when it could not be written. */
static bool print_event(const Ttg__Event *event, const struct ttg_delivery *delivery)
{
	struct cloudevents_delivery about = { delivery->mailbox, delivery->position,
					      delivery->attempt, delivery->person_key,
					      delivery->redacted };
	json_t *json = cloudevents_write(event, &about);
	bool fine = json && json_dumpf(json, stdout, JSON_COMPACT) == 0 &&
		    putchar('\n') != EOF && fflush(stdout) == 0;

	json_decref(json);
	return fine;
}

static enum ttg_error settle(const struct subscriber_state *state,
			     const struct ttg_delivery *delivery)
{
	if (state->no_ack)
		return TTG_OK;
	if (state->nack >= 0)
		return ttg_client_nack(state->tool.client, delivery->mailbox, delivery->position,
				       state->nack, "refused by ttg-sub", 0);
	return ttg_client_ack(state->tool.client, delivery->mailbox, delivery->position);
}

static void on_delivery(void *user, const struct ttg_delivery *delivery)
{
	struct subscriber_state *state = user;

	if (state->done || state->failed)
		return; /* stays unacknowledged: it comes to whoever is next */
	Ttg__Event *event = ttg__event__unpack(NULL, delivery->event_bytes, delivery->event);
	if (!event) {
		ttg_client_nack(state->tool.client, delivery->mailbox, delivery->position,
				TTG__NACK_REASON__NACK_UNREADABLE, "not an Event", 0);
		return;
	}
	if (print_event(event, delivery) && settle(state, delivery) == TTG_OK)
		state->seen++;
	else
		state->failed = true;
	ttg__event__free_unpacked(event, NULL);
	state->done = state->count > 0 && state->seen >= state->count;
}

static void on_state(void *user, enum ttg_state now, enum ttg_error code, const char *text)
{
	struct subscriber_state *state = user;

	if (now == TTG_STATE_READY)
		state->tool.connected = true;
	if (code == TTG_OK)
		return;
	if (state->tool.connected)
		fprintf(stderr, "ttg-sub: %s (%s)\n", text, ttg_error_name(code));
	snprintf(state->tool.trouble, sizeof(state->tool.trouble), "%s (%s)", text,
		 ttg_error_name(code));
	if (code == TTG_SESSION_MAILBOX)
		state->failed = true;
}

static int parse_reason(const struct tool *tool, const char *word)
{
	static const char *const words[] = { NULL, "temporary", "unreadable", "invalid",
					     "unknown-type", "not-ours" };

	for (int i = 1; i < (int)(sizeof(words) / sizeof(words[0])); i++)
		if (strcasecmp(words[i], word) == 0)
			return i;
	tool_usage(tool, "--nack: temporary, unreadable, invalid, unknown-type or not-ours");
}

static void take_option(struct subscriber_state *state, int option)
{
	switch (option) {
	case 'm':
		if (state->n_mailboxes == MAX_MAILBOXES)
			tool_usage(&state->tool, "--mailbox: at most %d", MAX_MAILBOXES);
		state->mailboxes[state->n_mailboxes++] = optarg;
		return;
	case 'c':
		state->count = tool_number(&state->tool, "--count", optarg, 1, INT64_MAX);
		return;
	case 't':
		state->timeout_ms = tool_seconds(&state->tool, "--timeout", optarg);
		return;
	case 'r':
		state->credit =
			(uint32_t)tool_number(&state->tool, "--credit", optarg, 1, MAX_CREDIT);
		return;
	case 'n':
		state->no_ack = true;
		return;
	case 'k':
		state->nack = parse_reason(&state->tool, optarg);
		return;
	default:
		tool_option(&state->tool, option, help);
	}
}

static void parse(struct subscriber_state *state, int argc, char **argv)
{
	static const struct option options[] = {
		TOOL_OPTIONS,
		{ "mailbox", required_argument, NULL, 'm' },
		{ "count", required_argument, NULL, 'c' },
		{ "timeout", required_argument, NULL, 't' },
		{ "credit", required_argument, NULL, 'r' },
		{ "no-ack", no_argument, NULL, 'n' },
		{ "nack", required_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	state->nack = -1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(state, option);
	if (optind < argc)
		tool_usage(&state->tool, "%s: no such option", argv[optind]);
	if (state->n_mailboxes == 0)
		tool_usage(&state->tool, "--mailbox is needed");
	if (state->no_ack && state->nack >= 0)
		tool_usage(&state->tool, "--no-ack and --nack exclude each other");
}

static void attach_all(struct subscriber_state *state)
{
	for (size_t i = 0; i < state->n_mailboxes; i++) {
		enum ttg_error code = ttg_client_attach(state->tool.client, state->mailboxes[i],
							state->credit);

		if (code != TTG_OK)
			tool_usage(&state->tool, "--mailbox %s: %s", state->mailboxes[i],
				   code == TTG_EEXIST ? "given twice" : "not a mailbox's name");
	}
}

static enum tool_exit run(struct subscriber_state *state)
{
	int64_t started_ms = tool_now_ms();

	while (!tool_is_stopped() && !state->done && !state->failed) {
		int64_t left_ms = POLL_MS;

		if (state->timeout_ms > 0) {
			left_ms = started_ms + state->timeout_ms - tool_now_ms();
			if (left_ms <= 0)
				break;
		}
		if (ttg_client_poll(state->tool.client, left_ms < POLL_MS ? (int)left_ms :
									    POLL_MS) != TTG_OK)
			state->failed = true;
		if (tool_is_unreachable(&state->tool, started_ms))
			return TOOL_UNREACHABLE;
	}
	if (!state->tool.connected && !tool_is_stopped())
		return TOOL_UNREACHABLE;
	return state->failed || (state->count > 0 && !state->done) ? TOOL_REFUSED : TOOL_FINE;
}

int main(int argc, char **argv)
{
	struct subscriber_state state = { .tool = { .program = "ttg-sub" } };
	struct ttg_callbacks callbacks = { .on_delivery = on_delivery, .on_state = on_state };

	parse(&state, argc, argv);
	tool_catch_signals();
	tool_connect(&state.tool, &callbacks);
	attach_all(&state);
	enum tool_exit result = run(&state);
	tool_disconnect(&state.tool);
	return (int)result;
}
