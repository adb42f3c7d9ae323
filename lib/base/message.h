/*
 * A sentence for a person, filled by functions that fail. Bounded, always terminated, and never
 * holding personal data or secrets.
 */
#ifndef TTG_BASE_MESSAGE_H
#define TTG_BASE_MESSAGE_H

#include <stdarg.h>
#include <ttg/error.h>

#define MESSAGE_BYTES 512

struct message {
	char text[MESSAGE_BYTES];
};

/* Sets the text (message may be NULL) and returns code, so that callers can return the result. */
__attribute__((format(printf, 3, 4))) enum ttg_error message_set(struct message *message,
								  enum ttg_error code,
								  const char *format, ...);

#endif
