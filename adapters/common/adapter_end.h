/*
 * What a kind of adapter looks after itself, in the frame's loop. See adapter.h.
 */
#ifndef ADAPTERS_COMMON_ADAPTER_END_H
#define ADAPTERS_COMMON_ADAPTER_END_H

#include "base/message.h"

#define ADAPTER_ENDS_MAX 4

/*
 * Something of a kind's own that the loop looks after beside broker, spool and HTTP: a page, other
 * people's servers, an hour of the day. All three get the reader's self.
 */
struct adapter_end {
	/* Polled for reading; an epoll descriptor stands for several. -1: none. May be NULL. */
	int (*fd)(void *self);
	/* Milliseconds until run() has something to do without the descriptor; -1: nothing. */
	int (*wait_ms)(void *self);
	/* Once every round of the loop; does not block. An error ends the adapter. */
	enum ttg_error (*run)(void *self, struct message *message);
};

#endif
