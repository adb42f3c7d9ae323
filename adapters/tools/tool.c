/*
 * See tool.h. One thread. Bad options end the program at once; everything after the connection was
 * begun comes back to main().
 */
#include "tools/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/world.h"

#define DAY_S		   86400
#define DEFAULT_CONNECT_MS 10000
#define GOODBYE_MS	   2000
#define NS_PER_MS	   INT64_C(1000000)

static volatile sig_atomic_t stopped;

void tool_usage(const struct tool *tool, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s: ", tool->program);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "; see %s --help\n", tool->program);
	exit(TOOL_USAGE);
}

uint64_t tool_number(const struct tool *tool, const char *name, const char *value, uint64_t least,
		     uint64_t most)
{
	char *end = NULL;

	errno = 0;
	unsigned long long number = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno || number < least || number > most)
		tool_usage(tool, "%s: a whole number from %llu to %llu would be right", name,
			   (unsigned long long)least, (unsigned long long)most);
	return number;
}

int64_t tool_seconds(const struct tool *tool, const char *name, const char *value)
{
	return (int64_t)tool_number(tool, name, value, 0, DAY_S) * 1000;
}

void tool_option(struct tool *tool, int option, const char *help)
{
	switch (option) {
	case 1001:
		tool->options.broker = optarg;
		return;
	case 1002:
		tool->options.server_key_file = optarg;
		return;
	case 1003:
		tool->options.key_file = optarg;
		return;
	case 1004:
		tool->connect_timeout_ms = tool_seconds(tool, "--connect-timeout", optarg);
		return;
	case 1005:
		fputs(help, stdout);
		exit(TOOL_FINE);
	case 1006:
		printf("%s %s\n", tool->program, ttg_version());
		exit(TOOL_FINE);
	default: /* getopt_long() has said what is wrong */
		fprintf(stderr, "%s: see %s --help\n", tool->program, tool->program);
		exit(TOOL_USAGE);
	}
}

void tool_note_state(void *user, enum ttg_state state, enum ttg_error code, const char *text)
{
	struct tool *tool = user;

	if (state == TTG_STATE_READY)
		tool->connected = true;
	if (code == TTG_OK)
		return;
	if (tool->connected)
		fprintf(stderr, "%s: %s (%s)\n", tool->program, text, ttg_error_name(code));
	snprintf(tool->trouble, sizeof(tool->trouble), "%s (%s)", text, ttg_error_name(code));
}

void tool_connect(struct tool *tool, const struct ttg_callbacks *callbacks)
{
	char message[TTG_MESSAGE_TEXT] = "";

	if (!tool->options.broker || !tool->options.server_key_file || !tool->options.key_file)
		tool_usage(tool, "--broker, --server-key and --key are needed");
	if (tool->connect_timeout_ms == 0)
		tool->connect_timeout_ms = DEFAULT_CONNECT_MS;
	tool->options.software = tool->program;
	tool->options.reconnect_max_ms = 2000;
	tool->options.callbacks = *callbacks;
	tool->options.callbacks.user = tool;
	if (!tool->options.callbacks.on_state)
		tool->options.callbacks.on_state = tool_note_state;
	if (ttg_client_new(&tool->client, &tool->options, message) == TTG_OK)
		return;
	fprintf(stderr, "%s: %s\n", tool->program, message);
	exit(TOOL_USAGE);
}

bool tool_is_unreachable(const struct tool *tool, int64_t started_ms)
{
	if (tool->connected || tool_now_ms() - started_ms < tool->connect_timeout_ms)
		return false;
	fprintf(stderr, "%s: no session with %s: %s\n", tool->program, tool->options.broker,
		tool->trouble[0] ? tool->trouble : "no answer");
	return true;
}

void tool_disconnect(struct tool *tool)
{
	int64_t until_ms = tool_now_ms() + GOODBYE_MS;

	ttg_client_close_begin(tool->client);
	while (!ttg_client_closed(tool->client) && tool_now_ms() < until_ms)
		ttg_client_poll(tool->client, 50);
	ttg_client_free(&tool->client);
}

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

void tool_catch_signals(void)
{
	struct sigaction action = { .sa_handler = stop };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool tool_is_stopped(void)
{
	return stopped != 0;
}

int64_t tool_now_ms(void)
{
	const struct world *world = world_real();

	return world->mono_ns(world->self) / NS_PER_MS;
}
