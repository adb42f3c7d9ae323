/*
 * One request to the daemon's control socket and the lines of its answer; docs/control.md.
 */
#ifndef TTGCTL_CLIENT_H
#define TTGCTL_CLIENT_H

#include <jansson.h>
#include "base/message.h"

#define CLIENT_LINE_MAX 65536 /* longest line of an answer, its newline included */

enum client_result {
	CLIENT_ENDED,       /* the end line came: code and message tell */
	CLIENT_UNREACHABLE, /* nobody answers, or the answer was cut off */
	CLIENT_REFUSED,     /* the file system does not let us to the socket */
};

struct client_answer {
	enum client_result result;
	enum ttg_error code;    /* of the end line */
	struct message message; /* for a person; "" when fine */
};

/*
 * Sends {"command":...,"arguments":...} and calls item(arg, data) for each item in turn; data is the
 * daemon's and gone afterwards. Waits silence_ms for each line, for ever when that is negative.
 */
void client_ask(const char *socket_path, const char *command, json_t *arguments, int silence_ms,
		void (*item)(void *arg, json_t *data), void *arg, struct client_answer *answer);

#endif
