/* Connections that never become any. One thread; a connection that is closed is not made again. */
#include "horde.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS 50

struct crowd {
	int n, closed;
	struct pollfd *ends;
};

/* The first bytes of a greeting: its signature is ten. */
static void mumble(int fd)
{
	static const unsigned char part[] = { 0xff, 0, 0, 0, 0 };

	if (send(fd, part, sizeof(part), MSG_NOSIGNAL) < 0 && errno != EAGAIN && errno != EPIPE &&
	    errno != ECONNRESET)
		horde_die("send");
}

static int connect_one(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		horde_die("socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno != EINPROGRESS)
		horde_die("connect");
	return fd;
}

/* Reads what came and closes what is over. */
static void look(struct crowd *crowd, int wait_ms)
{
	char bytes[256];

	if (poll(crowd->ends, (nfds_t)crowd->n, wait_ms) <= 0)
		return;
	for (int i = 0; i < crowd->n; i++) {
		if (crowd->ends[i].fd < 0 || !crowd->ends[i].revents)
			continue;
		if (crowd->ends[i].revents & POLLOUT) { /* connected */
			crowd->ends[i].events = POLLIN;
			if (i % 2 == 0)
				mumble(crowd->ends[i].fd);
			continue;
		}
		if (recv(crowd->ends[i].fd, bytes, sizeof(bytes), 0) > 0)
			continue;
		close(crowd->ends[i].fd);
		crowd->ends[i].fd = -1;
		crowd->closed++;
	}
}

int horde_crowd(char **arguments)
{
	const int port = atoi(arguments[0]), n = atoi(arguments[1]);
	struct crowd crowd = { .ends = calloc((size_t)n, sizeof(struct pollfd)) };

	if (!crowd.ends)
		horde_die("memory");
	for (int i = 0; i < n; i++) {
		crowd.ends[i] = (struct pollfd){ connect_one(port), POLLOUT, 0 };
		crowd.n = i + 1;
		if (i % 64 == 63)
			look(&crowd, 0);
	}
	printf("connected %d\n", n);
	while (crowd.closed < n)
		look(&crowd, LOOK_MS);
	printf("closed %d\n", n);
	for (;;)
		pause();
}
