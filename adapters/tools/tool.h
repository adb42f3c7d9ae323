/*
 * What ttg-pub and ttg-sub share: options of the connection, signals, time, exit codes.
 */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <ttg/client.h>

/* Exit codes. */
enum tool_exit {
	TOOL_FINE = 0,
	TOOL_REFUSED = 1,     /* something was refused, unanswered, or did not come in time */
	TOOL_USAGE = 2,       /* options or files that cannot be right */
	TOOL_UNREACHABLE = 3, /* no session within --connect-timeout */
};

struct tool {
	const char *program;
	struct ttg_client_options options;
	int64_t connect_timeout_ms; /* 10 s by default */
	struct ttg_client *client;
	bool connected;             /* there was a session once */
	char trouble[TTG_MESSAGE_TEXT]; /* last thing on_state said that was no success */
};

/* The options every tool has, for getopt_long(); their values are beyond those of characters. */
#define TOOL_OPTIONS                                                                               \
	{ "broker", required_argument, NULL, 1001 },                                               \
	{ "server-key", required_argument, NULL, 1002 },                                           \
	{ "key", required_argument, NULL, 1003 },                                                  \
	{ "connect-timeout", required_argument, NULL, 1004 }, { "help", no_argument, NULL, 1005 }, \
	{ "version", no_argument, NULL, 1006 }

#define TOOL_HELP                                                                                  \
	"  --broker tcp://HOST:PORT  where the broker listens\n"                                   \
	"  --server-key FILE         the broker's public key\n"                                    \
	"  --key FILE                our secret key, mode 0600\n"                                  \
	"  --connect-timeout S       give up when there is no session after S seconds (10)\n"      \
	"  --help, --version\n"

/* Takes one option of getopt_long(); prints help or version and exits when asked to. An option that
   is neither ours nor the caller's ends the program with TOOL_USAGE. */
void tool_option(struct tool *tool, int option, const char *help);
/* Seconds as milliseconds, 0 to a day; anything else ends the program with TOOL_USAGE. */
int64_t tool_seconds(const struct tool *tool, const char *name, const char *value);
/* A whole number; anything else ends the program with TOOL_USAGE. */
uint64_t tool_number(const struct tool *tool, const char *name, const char *value, uint64_t least,
		     uint64_t most);
/* Ends the program with TOOL_USAGE and a sentence on stderr. */
__attribute__((format(printf, 2, 3), noreturn)) void tool_usage(const struct tool *tool,
								const char *format, ...);

/* An on_state: remembers trouble, and prints what comes once there was a session. */
void tool_note_state(void *user, enum ttg_state state, enum ttg_error code, const char *text);
/* Connects with callbacks.on_state set to remember trouble; ends the program on bad options. */
void tool_connect(struct tool *tool, const struct ttg_callbacks *callbacks);
/* True when there never was a session and it is too late; says why on stderr. */
bool tool_is_unreachable(const struct tool *tool, int64_t started_ms);
/* Closes politely, waiting at most two seconds, and frees. */
void tool_disconnect(struct tool *tool);

/* SIGINT and SIGTERM end the loop. */
void tool_catch_signals(void);
bool tool_is_stopped(void);

int64_t tool_now_ms(void);

#endif
