/*
 * Asking the broker what became of the events this agency published: how many recipients got each
 * and how many acknowledged it. See struct adapter_keeper.
 *
 * One round at a time: the keeper names the events, the client asks, and when every answer is in,
 * all go to the keeper together and are committed. The next round comes after FIRST_WAIT when
 * anything was new, or when another event was accepted; after rounds that told nothing new ever
 * later, LAST_WAIT at most. A broker that does not let this agency ask, or does not know the
 * question, is not asked again before a restart. Owned by the adapter's only thread.
 */
#include <stdlib.h>
#include <string.h>
#include "common/adapter_internal.h"

#define ASKED_MAX     1024
#define NS_PER_S      INT64_C(1000000000)
#define FIRST_WAIT_NS (5 * NS_PER_S)
#define LAST_WAIT_NS  (300 * NS_PER_S)

struct answer {
	uint8_t id[ADAPTER_ID_BYTES];
	struct ttg_event_state state; /* its id is the one above */
};

struct ask {
	uint8_t ids[ASKED_MAX][ADAPTER_ID_BYTES];
	struct answer answers[ASKED_MAX];
	size_t n_open; /* asked for and not answered */
	size_t n_answers;
	int64_t at_ns, wait_ns; /* monotonic; of the next round */
	bool in_round;
	bool is_over;
};

enum ttg_error adapter_ask_open(struct adapter *adapter, struct message *message)
{
	if (adapter->kind->keeper == NULL || adapter->kind->keeper->asks == NULL)
		return TTG_OK;
	adapter->ask = calloc(1, sizeof(*adapter->ask));
	if (adapter->ask == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	adapter->ask->wait_ns = FIRST_WAIT_NS;
	return TTG_OK;
}

void adapter_ask_close(struct adapter *adapter)
{
	free(adapter->ask);
	adapter->ask = NULL;
}

void adapter_ask_soon(struct adapter *adapter, int64_t now_ns)
{
	struct ask *ask = adapter->ask;

	if (ask == NULL || ask->wait_ns == FIRST_WAIT_NS)
		return;
	ask->wait_ns = FIRST_WAIT_NS;
	if (ask->at_ns > now_ns + FIRST_WAIT_NS)
		ask->at_ns = now_ns + FIRST_WAIT_NS;
}

static void give_up(struct adapter *adapter, enum ttg_error code)
{
	if (!adapter->ask->is_over)
		log_write(adapter->log, LOG_LEVEL_NOTICE, "states_not_told", "code=%d name=%s",
		          (int)code, ttg_error_name(code));
	adapter->ask->is_over = true;
}

/* Of codes: only what ends it all matters; the rest is asked for again. */
void adapter_on_event_state(void *user, const struct ttg_event_state *state)
{
	struct adapter *adapter = user;
	struct ask *ask = adapter->ask;
	struct answer *answer;

	if (ask->n_open > 0)
		ask->n_open--;
	if (state->code == TTG_ASKED_NOT_GRANTED || state->code == TTG_EVERSION)
		give_up(adapter, state->code);
	if (state->code != TTG_OK || ask->n_answers == ASKED_MAX)
		return;
	answer = &ask->answers[ask->n_answers++];
	memcpy(answer->id, state->id, sizeof(answer->id));
	answer->state = *state;
	answer->state.id = answer->id;
}

/* All of a round's answers, in one transaction. */
static enum ttg_error settle(struct adapter *adapter, bool *news, struct message *message)
{
	const struct adapter_keeper *keeper = adapter->kind->keeper;
	struct ask *ask = adapter->ask;
	enum ttg_error error = TTG_OK;

	for (size_t i = 0; error == TTG_OK && i < ask->n_answers; i++) {
		bool changed = false;

		error = keeper->told(adapter->reader, &ask->answers[i].state, &changed, message);
		*news = *news || changed;
	}
	ask->n_answers = 0;
	return error == TTG_OK ? keeper->commit(adapter->reader, message) : error;
}

static enum ttg_error end_round(struct adapter *adapter, int64_t now_ns, struct message *message)
{
	struct ask *ask = adapter->ask;
	bool news = false;
	enum ttg_error error = settle(adapter, &news, message);

	ask->in_round = false;
	ask->wait_ns = news ? FIRST_WAIT_NS : ask->wait_ns * 2;
	if (ask->wait_ns > LAST_WAIT_NS)
		ask->wait_ns = LAST_WAIT_NS;
	ask->at_ns = now_ns + ask->wait_ns;
	return error;
}

static enum ttg_error begin_round(struct adapter *adapter, struct message *message)
{
	struct ask *ask = adapter->ask;
	size_t n = 0;
	enum ttg_error error =
	        adapter->kind->keeper->asks(adapter->reader, ask->ids, ASKED_MAX, &n, message);

	ask->in_round = true;
	/* What the client cannot take now is asked for in a later round. */
	if (error == TTG_OK && n > 0 &&
	    ttg_client_ask_states(adapter->client, (const uint8_t(*)[16])ask->ids, n) == TTG_OK)
		ask->n_open = n;
	return error;
}

enum ttg_error adapter_ask_look(struct adapter *adapter, int64_t now_ns, struct message *message)
{
	struct ask *ask = adapter->ask;

	if (ask == NULL || ask->n_open > 0)
		return TTG_OK;
	if (ask->in_round)
		return end_round(adapter, now_ns, message);
	if (ask->is_over || now_ns < ask->at_ns ||
	    ttg_client_state(adapter->client) != TTG_STATE_READY)
		return TTG_OK;
	return begin_round(adapter, message);
}
