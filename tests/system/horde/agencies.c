/*
 * Many agencies in one process, each a client of its own: publishes some events and receives as many
 * in its mailbox, in order. One thread polls them all.
 */
#include "horde.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/client.h>
#include <ttg/event.h>
#include <unistd.h>
#include "support/made.h"

#define PATH_BYTES 512
#define LOOK_MS 20

struct agency {
	struct ttg_client *client;
	char name[16];
	uint32_t events, published, accepted, received;
	bool attached;
};

static void note_outcome(void *user, const struct ttg_outcome *outcome)
{
	struct agency *agency = user;

	if (outcome->code != TTG_OK)
		horde_die(ttg_error_name(outcome->code));
	agency->accepted++;
}

static void note_delivery(void *user, const struct ttg_delivery *delivery)
{
	struct agency *agency = user;
	Ttg__Event *event = ttg__event__unpack(NULL, delivery->event_bytes, delivery->event);

	if (!event || event->id.len != 16)
		horde_die("an event that cannot be decoded");
	const uint32_t number = made_number(event->id.data);
	ttg__event__free_unpacked(event, NULL);
	if (number > agency->received + 1)
		horde_die("an event before another");
	if (number == agency->received + 1)
		agency->received++;
	if (ttg_client_ack(agency->client, delivery->mailbox, delivery->position) != TTG_OK)
		horde_die("acknowledge");
}

static void note_attached(void *user, const char *mailbox, bool active, uint64_t acknowledged)
{
	struct agency *agency = user;

	(void)mailbox;
	(void)acknowledged;
	agency->attached = active;
}

static void open_agency(struct agency *agency, char **arguments, int number)
{
	char key[PATH_BYTES], message[TTG_MESSAGE_TEXT] = "";

	snprintf(agency->name, sizeof(agency->name), "a%03d", number);
	snprintf(key, sizeof(key), "%s/keys/%s.key", arguments[2], agency->name);
	const struct ttg_client_options options = {
		.broker = arguments[0],
		.server_key_file = arguments[1],
		.key_file = key,
		.software = "horde/1",
		.callbacks = { .user = agency,
			       .on_outcome = note_outcome,
			       .on_delivery = note_delivery,
			       .on_attached = note_attached },
	};
	if (ttg_client_new(&agency->client, &options, message) != TTG_OK ||
	    ttg_client_attach(agency->client, "in", 0) != TTG_OK)
		horde_die(message);
}

static void publish(struct agency *agency)
{
	if (!agency->attached || agency->published == agency->events)
		return;
	struct made made = must_make(&(struct made_wish){ .source = agency->name,
							  .number = agency->published + 1 });
	if (ttg_client_publish(agency->client, made.id, made.bytes, made.len, NULL) == TTG_OK)
		agency->published++;
	made_free(&made);
}

static void work(struct agency *agencies, struct pollfd *ends, int n)
{
	poll(ends, (nfds_t)n, LOOK_MS);
	for (int i = 0; i < n; i++) {
		publish(&agencies[i]);
		if (ttg_client_poll(agencies[i].client, 0) != TTG_OK)
			horde_die("a session is over for good");
	}
}

int horde_agencies(char **arguments)
{
	const int first = atoi(arguments[3]), n = atoi(arguments[4]), events = atoi(arguments[5]);
	struct agency *agencies = calloc((size_t)n, sizeof(*agencies));
	struct pollfd *ends = calloc((size_t)n, sizeof(*ends));
	bool told = false;

	if (!agencies || !ends)
		horde_die("memory");
	for (int i = 0; i < n; i++) {
		open_agency(&agencies[i], arguments, first + i);
		ends[i] = (struct pollfd){ ttg_client_fd(agencies[i].client), POLLIN, 0 };
	}
	for (;;) {
		int ready = 0, done = 0;

		work(agencies, ends, n);
		for (int i = 0; i < n; i++) {
			ready += agencies[i].attached;
			done += agencies[i].accepted >= (uint32_t)events &&
				agencies[i].received >= (uint32_t)events;
		}
		if (ready == n && !told) {
			printf("ready %d\n", n);
			told = true;
			for (int i = 0; i < n; i++)
				agencies[i].events = (uint32_t)events;
		}
		if (told && done == n)
			break;
	}
	printf("done %d\n", n);
	for (;;)
		work(agencies, ends, n);
}
