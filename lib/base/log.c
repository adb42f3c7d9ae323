/*
 * The log: one line an event, written with one call so that lines of several threads do not mix.
 *
 * Any thread may write; the level may be changed meanwhile. A line is ASCII without control
 * characters, whatever the values were, and no value is longer than LOG_VALUE_MAX. For journald the
 * line goes to stderr too, with the "<priority>" prefix that systemd reads from a service's stderr
 * (SyslogLevelPrefix=, on by default), so that nothing here needs a library. Failing to write is
 * not an error of the caller: there is nowhere to tell it.
 */
#include "base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOG_LINE_BYTES 1024 /* newline and NUL included */
#define LOG_VALUE_MAX  512
#define PROGRAM_BYTES  32
#define TAIL_BYTES     8 /* room kept for "...", a closing quote, newline and NUL */

struct log {
	char program[PROGRAM_BYTES];
	enum log_target target;
	atomic_int level;
};

struct level_name {
	const char *name;
	int priority; /* syslog's number (RFC 5424, table 2) */
};

static const struct level_name level_names[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },   [LOG_LEVEL_WARN] = { "warn", 4 },
	[LOG_LEVEL_NOTICE] = { "notice", 5 }, [LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

#define LEVELS (sizeof(level_names) / sizeof(level_names[0]))

struct log *log_new(const char *program, enum log_target target, enum log_level level)
{
	struct log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	snprintf(log->program, sizeof(log->program), "%s", program);
	log->target = target;
	atomic_init(&log->level, (int)level);
	return log;
}

void log_free(struct log **log)
{
	free(*log);
	*log = NULL;
}

void log_set_level(struct log *log, enum log_level level)
{
	if (log)
		atomic_store(&log->level, (int)level);
}

bool log_level_parse(const char *text, enum log_level *out)
{
	for (size_t i = 0; text && i < LEVELS; i++) {
		if (strcmp(text, level_names[i].name) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* What stands before the caller's keys. Returns its length. */
static size_t begin_line(const struct log *log, enum log_level level, const char *event,
                         char out[LOG_LINE_BYTES])
{
	const struct level_name *name = &level_names[level];
	char stamp[32];
	struct timespec now;
	struct tm utc;
	int len;

	if (log->target == LOG_TO_JOURNALD) {
		len = snprintf(out, LOG_LINE_BYTES / 2, "<%d>program=%s level=%s event=%s",
		               name->priority, log->program, name->name, event);
	} else {
		clock_gettime(CLOCK_REALTIME, &now);
		gmtime_r(&now.tv_sec, &utc);
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
		len = snprintf(out, LOG_LINE_BYTES / 2, "%s.%03ldZ level=%s event=%s", stamp,
		               now.tv_nsec / 1000000, name->name, event);
	}
	if (len < 0)
		return 0;
	return len < LOG_LINE_BYTES / 2 ? (size_t)len : LOG_LINE_BYTES / 2 - 1;
}

/*
 * Copies text behind the len bytes of out: bytes that could steer a terminal or forge a line become
 * '?', and a value that is too long is cut and marked. Returns the new length.
 */
static size_t append_clean(char out[LOG_LINE_BYTES], size_t len, const char *text)
{
	bool quoted = false;
	size_t value_len = 0;

	for (; *text; text++) {
		char c = *text < ' ' || *text > '~' ? '?' : *text;

		if (len + TAIL_BYTES >= LOG_LINE_BYTES) {
			memcpy(out + len, "...", 3);
			len += 3;
			if (quoted)
				out[len++] = '"';
			return len;
		}
		if (c == '"')
			quoted = !quoted;
		if (c == '"' || (c == ' ' && !quoted))
			value_len = 0;
		else
			value_len++;
		if (value_len > LOG_VALUE_MAX)
			continue;
		out[len++] = value_len == LOG_VALUE_MAX ? '~' : c;
	}
	return len;
}

void log_write(struct log *log, enum log_level level, const char *event, const char *format, ...)
{
	/* Longer than a line, so that cutting is append_clean()'s business alone. */
	char values[2 * LOG_LINE_BYTES];
	char line[LOG_LINE_BYTES];
	va_list args;

	assert(event);
	assert((size_t)level < LEVELS);
	if (!log || (int)level > atomic_load(&log->level))
		return;
	va_start(args, format);
	int formatted = vsnprintf(values, sizeof(values), format, args);
	va_end(args);
	size_t len = begin_line(log, level, event, line);
	if (formatted > 0) {
		line[len++] = ' ';
		len = append_clean(line, len, values);
	}
	assert(len + 1 < sizeof(line));
	line[len++] = '\n';
	/* stderr is unbuffered: one call, one write. */
	fwrite(line, 1, len, stderr);
}
