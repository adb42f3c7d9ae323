/*
 * What a kind looks after itself, in the frame's loop. See struct adapter_end. Owned by the
 * adapter's only thread.
 */
#include <assert.h>
#include "common/adapter_internal.h"

int adapter_sooner(int a_ms, int b_ms)
{
	if (a_ms < 0)
		return b_ms;
	return b_ms < 0 || a_ms < b_ms ? a_ms : b_ms;
}

nfds_t adapter_ends_poll(const struct adapter *adapter, struct pollfd fds[ADAPTER_ENDS_MAX],
                         int *wait_ms)
{
	const struct adapter_kind *kind = adapter->kind;
	nfds_t n = 0;

	assert(kind->n_ends <= ADAPTER_ENDS_MAX);
	for (size_t i = 0; i < kind->n_ends; i++) {
		const struct adapter_end *end = &kind->ends[i];
		int fd = end->fd == NULL ? -1 : end->fd(adapter->reader);

		if (fd >= 0)
			fds[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		*wait_ms = adapter_sooner(*wait_ms, end->wait_ms(adapter->reader));
	}
	return n;
}

enum ttg_error adapter_ends_run(const struct adapter *adapter, struct message *message)
{
	enum ttg_error error = TTG_OK;

	for (size_t i = 0; error == TTG_OK && i < adapter->kind->n_ends; i++)
		error = adapter->kind->ends[i].run(adapter->reader, message);
	return error;
}
