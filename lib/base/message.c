/*
 * The sentence a failing function leaves for a person.
 *
 * Any thread may call this on a message of its own. The text is always terminated and holds no
 * control characters, because it ends up on terminals and in log lines. Nothing here can fail: what
 * does not fit is cut.
 */
#include "base/message.h"

#include <stdio.h>
#include <string.h>

enum ttg_error message_set(struct message *message, enum ttg_error code, const char *format, ...)
{
	/* Formatted aside, so that a message may be an argument of its own replacement. */
	char text[MESSAGE_BYTES];
	va_list args;

	if (!message)
		return code;
	va_start(args, format);
	int length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0)
		text[0] = '\0';
	for (char *at = text; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	memcpy(message->text, text, sizeof(text));
	return code;
}
