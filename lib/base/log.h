/*
 * Structured logs: one line an event, key=value, to stderr or to journald. Never personal data:
 * callers pass ids of agencies, mailboxes, types, sequences, codes; identifiers of people have no
 * way in, because there is no key for them and values are checked to be short and printable.
 *
 * Line: 2026-11-21T10:15:00.123Z level=warn event=publish_refused agency=... code=...
 */
#ifndef TTG_BASE_LOG_H
#define TTG_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};
enum log_target { LOG_TO_STDERR = 0, LOG_TO_JOURNALD = 1 };

struct log;

/* program: name in journald. NULL on lack of memory. */
struct log *log_new(const char *program, enum log_target target, enum log_level level);
void log_free(struct log **log);
void log_set_level(struct log *log, enum log_level level);
bool log_level_parse(const char *text, enum log_level *out);

/*
 * event: a fixed snake_case word. Then key, format, value... as one printf format, for example
 *   log_write(log, LOG_LEVEL_WARN, "publish_refused", "agency=%s code=%s", agency, name);
 * Values that may hold spaces are quoted by the caller ("key=\"%s\""). What is not printable ASCII
 * becomes '?', a value beyond 512 bytes is cut and ends in '~', a line beyond 1,023 ends in "...".
 * A NULL log is silent. Any thread. For journald the line goes to stderr behind "<priority>", which
 * systemd understands, with program= in place of the time.
 */
__attribute__((format(printf, 4, 5))) void log_write(struct log *log, enum log_level level,
						      const char *event, const char *format, ...);

#endif
