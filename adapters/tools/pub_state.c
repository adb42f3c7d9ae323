/* See pub_state.h. One thread. */
#include "tools/pub_state.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <ttg/event.h>
#include "base/instant.h"

#define POLL_MS 100

struct asking {
	struct tool tool; /* first: callbacks get it */
	size_t left;
	bool all_fine;
};

/* What the numbers come to, in one word. */
static const char *word_of(const struct ttg_event_state *state)
{
	if (state->delivered == 0)
		return "accepted";
	return state->acknowledged < state->delivered ? "delivered" : "acknowledged";
}

static void on_event_state(void *user, const struct ttg_event_state *state)
{
	struct asking *asking = user;
	char id[TTG_UUID_TEXT], at[INSTANT_TEXT];
	json_t *json = json_object();

	ttg_uuid_format(state->id, id);
	json_object_set_new(json, "id", json_string(id));
	if (state->code == TTG_OK) {
		instant_format(state->accepted_ns, at);
		json_object_set_new(json, "state", json_string(word_of(state)));
		json_object_set_new(json, "sequence", json_integer((json_int_t)state->sequence));
		json_object_set_new(json, "accepted_at", json_string(at));
		json_object_set_new(json, "delivered", json_integer(state->delivered));
		json_object_set_new(json, "acknowledged", json_integer(state->acknowledged));
	} else {
		json_object_set_new(json, "code", json_integer(state->code));
		json_object_set_new(json, "name", json_string(ttg_error_name(state->code)));
		json_object_set_new(json, "text", json_string(ttg_error_text(state->code)));
	}
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
	asking->all_fine = asking->all_fine && state->code == TTG_OK;
	asking->left--;
}

static enum tool_exit wait_for_answers(struct asking *asking, int64_t timeout_ms)
{
	const int64_t started_ms = tool_now_ms();

	while (asking->left > 0 && !tool_is_stopped()) {
		if (ttg_client_poll(asking->tool.client, POLL_MS) != TTG_OK)
			return TOOL_REFUSED;
		if (tool_is_unreachable(&asking->tool, started_ms))
			return TOOL_UNREACHABLE;
		if (timeout_ms > 0 && tool_now_ms() - started_ms > timeout_ms)
			return TOOL_REFUSED;
	}
	return asking->left == 0 && asking->all_fine ? TOOL_FINE : TOOL_REFUSED;
}

enum tool_exit pub_state(struct tool *take_tool, char *const *ids, size_t n, int64_t timeout_ms)
{
	const struct ttg_callbacks callbacks = { .on_event_state = on_event_state };
	struct asking asking = { .tool = *take_tool, .left = n, .all_fine = true };
	static uint8_t parsed[PUB_STATE_MAX][TTG_UUID_BYTES];

	if (n == 0 || n > PUB_STATE_MAX)
		tool_usage(&asking.tool, "--state: 1 to %d ids of events follow", PUB_STATE_MAX);
	for (size_t i = 0; i < n; i++)
		if (ttg_uuid_parse(ids[i], parsed[i]) != TTG_OK)
			tool_usage(&asking.tool, "--state: number %zu is no UUID", i + 1);
	tool_catch_signals();
	tool_connect(&asking.tool, &callbacks);
	enum tool_exit result = TOOL_REFUSED;
	if (ttg_client_ask_states(asking.tool.client, (const uint8_t(*)[TTG_UUID_BYTES])parsed, n) ==
	    TTG_OK)
		result = wait_for_answers(&asking, timeout_ms);
	tool_disconnect(&asking.tool);
	return fflush(stdout) == 0 ? result : TOOL_REFUSED;
}
