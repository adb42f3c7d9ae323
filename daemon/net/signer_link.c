/*
 * The way to the signer process: a Unix socket that keeps packets whole. Nothing here waits; what the
 * socket does not take at once is a signer that is away.
 *
 * Owner: the loop.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/sealer.h"

struct unix_link {
	int fd;
	struct sockaddr_un address;
};

static void unix_close(void *self)
{
	struct unix_link *link = self;

	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
}

static bool unix_open(void *self)
{
	struct unix_link *link = self;

	link->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (link->fd >= 0 && connect(link->fd, (const struct sockaddr *)&link->address,
				     sizeof link->address) != 0)
		unix_close(link);
	return link->fd >= 0;
}

static bool unix_send(void *self, const char *packet, size_t len)
{
	const struct unix_link *link = self;

	return send(link->fd, packet, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static int unix_receive(void *self, char packet[SIGNER_PACKET_MAX], size_t *len)
{
	const struct unix_link *link = self;
	const ssize_t got = recv(link->fd, packet, SIGNER_PACKET_MAX, 0);

	if (got > 0) {
		*len = (size_t)got;
		return 1;
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static int unix_fd(void *self)
{
	return ((const struct unix_link *)self)->fd;
}

bool signer_link_unix(const char *path, struct signer_link *out)
{
	struct unix_link *link = calloc(1, sizeof *link);

	if (!link)
		return false;
	link->fd = -1;
	link->address.sun_family = AF_UNIX;
	strncpy(link->address.sun_path, path, sizeof link->address.sun_path - 1);
	*out = (struct signer_link){
		.self = link,
		.open = unix_open,
		.send = unix_send,
		.receive = unix_receive,
		.close = unix_close,
		.fd = unix_fd,
		.free = free,
	};
	return true;
}
