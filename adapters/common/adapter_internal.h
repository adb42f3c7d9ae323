/*
 * Shared by the files of the frame: adapter.c (start), adapter_run.c (loop), adapter_mailbox.c
 * (deliveries to out_dir), adapter_keep.c (deliveries to a keeper), adapter_hold.c (those that wait
 * for a person), adapter_ends.c (a kind's own).
 */
#ifndef ADAPTERS_COMMON_ADAPTER_INTERNAL_H
#define ADAPTERS_COMMON_ADAPTER_INTERNAL_H

#include <poll.h>
#include "common/adapter.h"
#include "common/http_intake.h"
#include "common/job.h"

struct adapter_settings {
	char agency[CONFIG_TEXT_BYTES];
	char broker[CONFIG_TEXT_BYTES];
	char server_key_file[CONFIG_TEXT_BYTES];
	char key_file[CONFIG_TEXT_BYTES];
	char signing_key_file[CONFIG_TEXT_BYTES]; /* "": what is published is not signed */
	char state_dir[CONFIG_TEXT_BYTES];
	int64_t outbox_max_bytes;
	int64_t drain_ms;
	char out_dir[CONFIG_TEXT_BYTES];
	char mailbox[CONFIG_TEXT_BYTES];
	char spool_dir[CONFIG_TEXT_BYTES];
	int64_t spool_max_bytes;
	int64_t spool_keep_done_days;
	char http_listen[CONFIG_TEXT_BYTES];
	int64_t http_port;
	int64_t http_max_body_bytes;
	char http_token_file[CONFIG_TEXT_BYTES];
	char http_tls_cert_file[CONFIG_TEXT_BYTES];
	char http_tls_key_file[CONFIG_TEXT_BYTES];
	char http_tls_client_ca_file[CONFIG_TEXT_BYTES];
	int log_level;  /* enum log_level */
	int log_target; /* enum log_target */
};

struct kept {
	uint64_t position;
	bool held;
	uint8_t id[ADAPTER_ID_BYTES]; /* of what is held */
};

struct adapter {
	const struct adapter_kind *kind;
	struct adapter_settings settings;
	void *kind_settings;
	struct adapter_context context;
	void *reader;
	bool once;

	struct log *log;
	struct ttg_client *client;
	struct spool *spool;
	struct http_intake *http;
	int signals; /* signalfd */

	struct kept *kept; /* taken since the last commit, for a keeper */
	size_t n_kept;
	struct hold *hold; /* NULL: nothing is ever held */
	struct ask *ask;   /* NULL: nothing is ever asked */

	struct job_world world;
	struct job job;
	struct counters counters;
	struct message answer_message; /* text of the HTTP answer being given */
	bool stopping, stop_now;
	enum ttg_error failure;                             /* what ends the loop */
	int64_t status_at_ns, minute_at_ns, drain_until_ns; /* monotonic */
	uint64_t status_hash;                               /* of the numbers written last */
};

/* Opens spool, HTTP and client, runs until stopped. Returns the exit status. */
int adapter_run(struct adapter *adapter);

/* Callback of the client: one delivery. */
void adapter_on_delivery(void *user, const struct ttg_delivery *delivery);

/* The kind's own ends: adds what is to be polled, shortens the wait (-1: for ever); runs them. */
nfds_t adapter_ends_poll(const struct adapter *adapter, struct pollfd fds[ADAPTER_ENDS_MAX],
                         int *wait_ms);
enum ttg_error adapter_ends_run(const struct adapter *adapter, struct message *message);

/* The sooner of two waits; -1 is never. */
int adapter_sooner(int a_ms, int b_ms);

/* For a kind with a keeper: sets the callbacks, attaches the mailboxes, passes answers on. */
void adapter_keep_callbacks(struct ttg_callbacks *callbacks);
enum ttg_error adapter_keep_attach(struct adapter *adapter, struct message *message);
void adapter_keep_answer(struct adapter *adapter, const struct ttg_outcome *outcome);

/* Deliveries that wait for a person. Credit to attach with; 0: the usual. */
enum ttg_error adapter_hold_open(struct adapter *adapter, struct message *message);
void adapter_hold_close(struct adapter *adapter);
uint32_t adapter_hold_credit(const struct adapter *adapter);
/* Holds one that is durable; an error is the store's. */
enum ttg_error adapter_hold_put(struct adapter *adapter, const char *mailbox,
                                const struct kept *kept, struct message *message);
/* Acknowledges what need not wait any more. Between batches. */
enum ttg_error adapter_hold_look(struct adapter *adapter, struct message *message);

/* What became of events published. Of monotonic time. */
enum ttg_error adapter_ask_open(struct adapter *adapter, struct message *message);
void adapter_ask_close(struct adapter *adapter);
/* Callback of the client: one answer. */
void adapter_on_event_state(void *user, const struct ttg_event_state *state);
/* An event was accepted: there is something to ask for. */
void adapter_ask_soon(struct adapter *adapter, int64_t now_ns);
/* Asks, or passes on what was answered. Between batches; an error is the store's. */
enum ttg_error adapter_ask_look(struct adapter *adapter, int64_t now_ns, struct message *message);

#endif
