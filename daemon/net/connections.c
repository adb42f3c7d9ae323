/*
 * The table of connections. Owner: the loop. Invariants: who waits is in the list, in the order of
 * since_ns, and nobody else is; n_waiting counts the list.
 */
#include "net/connections.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static struct connection *find(const struct connections *connections, int fd)
{
	struct connection *connection = NULL;

	HASH_FIND_INT(connections->by_fd, &fd, connection);
	return connection;
}

static void stop_waiting(struct connections *connections, struct connection *connection)
{
	if (connection->state != CONNECTION_WAITS)
		return;
	DL_DELETE(connections->waiting, connection);
	assert(connections->n_waiting > 0);
	connections->n_waiting--;
}

static void start_waiting(struct connections *connections, struct connection *connection,
			  int64_t mono_ns)
{
	connection->state = CONNECTION_WAITS;
	connection->since_ns = mono_ns;
	DL_APPEND(connections->waiting, connection);
	connections->n_waiting++;
}

bool connections_add(struct connections *connections, int fd, const void *end, size_t end_bytes,
		     int64_t mono_ns)
{
	struct connection *connection = NULL;

	assert(fd >= 0 && end_bytes <= CONNECTION_END_BYTES);
	connections_remove(connections, fd);
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		return false;
	connection->fd = fd;
	connection->number = ++connections->last_number;
	memcpy(connection->end, end, end_bytes);
	connection->end_bytes = end_bytes;
	HASH_ADD_INT(connections->by_fd, fd, connection);
	connections->n++;
	start_waiting(connections, connection, mono_ns);
	return true;
}

void connections_remove(struct connections *connections, int fd)
{
	struct connection *connection = find(connections, fd);

	if (!connection)
		return;
	stop_waiting(connections, connection);
	HASH_DEL(connections->by_fd, connection);
	connections->n--;
	free(connection);
}

void connections_clear(struct connections *connections)
{
	while (connections->by_fd)
		connections_remove(connections, connections->by_fd->fd);
}

uint64_t connections_take(struct connections *connections, int fd)
{
	struct connection *connection = find(connections, fd);

	if (!connection || connection->state != CONNECTION_WAITS)
		return 0;
	stop_waiting(connections, connection);
	connection->state = CONNECTION_SERVES;
	return connection->number;
}

void connections_give_back(struct connections *connections, int fd, uint64_t number,
			   int64_t mono_ns)
{
	struct connection *connection = find(connections, fd);

	if (connection && connection->number == number && connection->state == CONNECTION_SERVES)
		start_waiting(connections, connection, mono_ns);
}

bool connections_is_open(const struct connections *connections, int fd, uint64_t number)
{
	const struct connection *connection = find(connections, fd);

	return number == 0 || (connection && connection->number == number);
}

const struct connection *connections_oldest(const struct connections *connections)
{
	return connections->waiting;
}

void connections_drop(struct connections *connections, int fd)
{
	struct connection *connection = find(connections, fd);

	if (!connection)
		return;
	stop_waiting(connections, connection);
	connection->state = CONNECTION_DROPPED;
}
