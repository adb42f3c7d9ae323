/*
 * Deliveries that are kept and not acknowledged, because a person has to see them first. See struct
 * adapter_keeper.
 *
 * The broker counts time and escalates while they are held. They live in memory only: after a
 * restart the broker delivers them again, and the keeper says anew whether they wait. What is
 * released is durably so before it is acknowledged, so that a crash between the two makes it come
 * again and be acknowledged then. Owned by the adapter's only thread.
 *
 * Each takes a credit of its mailbox. At most HELD_MAX are held, the oldest giving way, so that of
 * HOLD_CREDIT enough are left for everything else.
 */
#include <stdlib.h>
#include <string.h>
#include "common/adapter_internal.h"

#define HELD_MAX     2048
#define HOLD_CREDIT  4096 /* limits.max_credit of a broker, where nothing else is said */
#define RELEASED_MAX 256  /* looked at in one go */
#define MAILBOX_ROOM 80   /* "agency/box", 32 bytes each */

_Static_assert(HELD_MAX <= HOLD_CREDIT / 2, "what is held leaves credit for the rest");

struct held {
	char mailbox[MAILBOX_ROOM];
	uint64_t position;
	uint8_t id[ADAPTER_ID_BYTES];
};

struct hold {
	struct held held[HELD_MAX]; /* oldest first */
	size_t n;
};

uint32_t adapter_hold_credit(const struct adapter *adapter)
{
	return adapter->hold != NULL ? HOLD_CREDIT : 0;
}

enum ttg_error adapter_hold_open(struct adapter *adapter, struct message *message)
{
	const struct adapter_keeper *keeper = adapter->kind->keeper;

	if (keeper->may_hold == NULL || !keeper->may_hold(adapter->reader))
		return TTG_OK;
	adapter->hold = calloc(1, sizeof(*adapter->hold));
	return adapter->hold != NULL ? TTG_OK : message_set(message, TTG_ENOMEM, "no memory");
}

void adapter_hold_close(struct adapter *adapter)
{
	free(adapter->hold);
	adapter->hold = NULL;
}

/* Acknowledges it, and forgets it. */
static void let_go(struct adapter *adapter, size_t at)
{
	struct hold *hold = adapter->hold;

	ttg_client_ack(adapter->client, hold->held[at].mailbox, hold->held[at].position);
	hold->n--;
	memmove(&hold->held[at], &hold->held[at + 1], (hold->n - at) * sizeof(*hold->held));
}

/* Every mailbox it came through. */
static void let_go_of(struct adapter *adapter, const uint8_t id[ADAPTER_ID_BYTES])
{
	const struct hold *hold = adapter->hold;

	for (size_t i = hold->n; i > 0; i--) {
		if (memcmp(hold->held[i - 1].id, id, ADAPTER_ID_BYTES) == 0)
			let_go(adapter, i - 1);
	}
	adapter->counters.held = hold->n;
}

static enum ttg_error make_room(struct adapter *adapter, struct message *message)
{
	struct held oldest;
	enum ttg_error error;

	if (adapter->hold->n < HELD_MAX)
		return TTG_OK;
	oldest = adapter->hold->held[0];
	error = adapter->kind->keeper->gives_up(adapter->reader, oldest.id, message);
	if (error != TTG_OK)
		return error;
	log_write(adapter->log, LOG_LEVEL_WARN, "not_held_any_more", "mailbox=%s position=%llu",
	          oldest.mailbox, (unsigned long long)oldest.position);
	let_go_of(adapter, oldest.id);
	return TTG_OK;
}

static bool is_held(const struct hold *hold, const char *mailbox, uint64_t position)
{
	for (size_t i = 0; i < hold->n; i++) {
		if (hold->held[i].position == position &&
		    strcmp(hold->held[i].mailbox, mailbox) == 0)
			return true;
	}
	return false;
}

enum ttg_error adapter_hold_put(struct adapter *adapter, const char *mailbox,
                                const struct kept *kept, struct message *message)
{
	struct hold *hold = adapter->hold;
	enum ttg_error error;
	struct held *held;

	if (is_held(hold, mailbox, kept->position))
		return TTG_OK;
	error = make_room(adapter, message);
	if (error != TTG_OK)
		return error;
	held = &hold->held[hold->n++];
	*held = (struct held){ .position = kept->position };
	strncpy(held->mailbox, mailbox, sizeof(held->mailbox) - 1);
	memcpy(held->id, kept->id, sizeof(held->id));
	adapter->counters.held = hold->n;
	return TTG_OK;
}

enum ttg_error adapter_hold_look(struct adapter *adapter, struct message *message)
{
	uint8_t ids[RELEASED_MAX][ADAPTER_ID_BYTES];
	enum ttg_error error = TTG_OK;
	size_t n = RELEASED_MAX;

	while (adapter->hold != NULL && error == TTG_OK && n == RELEASED_MAX) {
		error = adapter->kind->keeper->released(adapter->reader, ids, RELEASED_MAX, &n,
		                                        message);
		for (size_t i = 0; error == TTG_OK && i < n; i++)
			let_go_of(adapter, ids[i]);
	}
	return error;
}
