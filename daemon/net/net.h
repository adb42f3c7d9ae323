/*
 * The network side of ttgd: one thread, the loop, that owns sockets, sessions and the core.
 * Internal to daemon/net; broker.c sees server.h.
 *
 * A cycle of the loop: take signals, learn what became durable and say what waited for it, answer
 * ZAP, read frames (not while the journal's buffer is filling up: that is the back-pressure), let
 * the core deliver, hand the staged records to the journal writer.
 */
#ifndef TTGD_NET_NET_H
#define TTGD_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>
#include "base/arena.h"
#include "base/log.h"
#include "base/world.h"
#include "config/config.h"
#include "core/core.h"
#include "journal/journal.h"
#include "net/counters.h"
#include "net/limiter.h"
#include "net/records.h"
#include "net/refusals.h"
#include "net/session.h"
#include "net/states.h"
#include "net/wanted.h"

#define NET_FRAMES_A_CYCLE 256
#define NET_MAX_ASKED 64 /* events in an AskReceipt or AskState */

struct archiver;
struct control;
struct http;
struct net_keys;
struct net_snapshot;
struct monitor;
struct sealer;
struct verify_job;
struct zap;

struct net {
	const struct world *world;
	struct log *log;
	struct config *config; /* owned; replaced as a whole at reload */
	struct core *core;
	struct journal *journal;
	struct sealer *sealer;   /* NULL: no seals are made */
	struct net_keys *keys;   /* keys of persons' payloads, keys.h; NULL: they are not sealed */
	struct archiver *archiver; /* NULL: no archive is kept */
	struct records *records; /* read back from the journal; what is in memory is not */

	void *zmq, *router;
	int router_fd, zap_fd; /* of these sockets: readable at a change, once */
	bool zap_waits;         /* requests are left over from the cycle before */
	char endpoint[CONFIG_TEXT_MAX]; /* as bound */
	struct zap *zap;
	struct monitor *monitor; /* NULL: nothing is known of connections */
	struct sessions sessions;
	struct wanted wanted;
	struct states states;
	struct limiter *limiter; /* one bucket an agency */
	struct control *control;
	struct verify_job *verify; /* the last that was begun, or NULL; control_work.c */
	struct http *http;

	int signal_fd;
	bool stopping;          /* no new events; drain */
	int64_t stop_at_mono_ns;
	enum ttg_error failure; /* why the loop ended, TTG_OK after a signal */
	bool reload_wanted;

	bool flush_now;         /* a staged record is waited for */
	int64_t flush_at_ns;    /* others go to disk then at the latest; 0: none are staged */
	int64_t started_real_ns, started_mono_ns;
	int64_t next_core_ns, next_second_ns, next_retain_ns, next_watchdog_ns;
	int64_t watchdog_ns;    /* 0: systemd did not ask */
	uint64_t durable_seen;
	int64_t durable_moved_ns;

	struct { /* the snapshot that the core was made of before the journal was open */
		bool taken;
		uint64_t sequence;
		enum ttg_error error; /* and why that failed */
		struct message message;
	} early;
	bool threaded;          /* a snapshot is written by a thread of its own */
	struct net_snapshot *snapshot; /* taken, waiting to be durable, or being written */
	uint64_t snapshot_tried;    /* newest that was to be written, whatever became of it */
	uint64_t snapshot_saved;    /* newest on disk */
	uint64_t saved_low;         /* lowest sequence that a start from the newest on disk reads */
	bool retain_waits;          /* for the next snapshot: only that holds retention back */

	struct arena frame; /* the frame that is being read */
	struct net_counters counters;
	struct refusals refusals; /* since the last second */
	struct log_quota refusal_quota, denial_quota;
	/* Lines about sessions, by the agency's place in the rules: a peer hides no lines but its own. */
	struct log_quota session_quotas[RULES_MAX_AGENCIES];
};

struct core_now net_now(const struct net *net);
/* A line about a session of this agency may be written; *suppressed as for log_quota_take(). */
bool net_may_log_session(struct net *net, const char *agency, uint64_t *suppressed);

/* recover.c: makes the core; brings its state back from the journal. Rules are set afterwards. */
enum ttg_error net_make_core(struct net *net, const uint8_t *person_secret);
enum ttg_error net_recover(struct net *net, struct message *message);
/* journal_options.early, arg the net: its core is there, its journal is not yet. */
void net_take_early(void *arg, uint64_t sequence, const uint8_t *data, size_t len);

/* step.c: says what became durable, reads frames if asked to, delivers, hands over to the writer. The time
   it delivered at; net->failure is set when the loop must end. */
struct core_now net_step(struct net *net, bool read);
/* The journal's buffer has room for what frames may bring. */
bool net_has_room(struct net *net);

/* sink.c: the core's view of this world. */
void net_sink_init(struct net *net, struct core_sink *sink);
/* Says everything that waited for durability up to `durable`, or for room in the socket. */
void net_release(struct net *net, uint64_t durable);

/* Who sent a frame, by what libzmq says of his connection. */
struct net_peer {
	const uint8_t *routing;
	size_t routing_bytes;
	const char *key;          /* public, Z85; NULL: none */
	const zmq_msg_t *message; /* what else is known; NULL: nothing */
};

/* dispatch.c: one frame from a peer; the message's metadata says who. */
void net_dispatch(struct net *net, const uint8_t *routing, size_t routing_bytes, zmq_msg_t *message);
/* The same with the frame's bytes in hand. */
void net_take_frame(struct net *net, const struct net_peer *peer, const uint8_t *data, size_t len);
/* Ends sessions that are silent, or whose key or address is no longer good; sends heartbeats. */
void net_sweep_sessions(struct net *net);
/* Goodbye to everybody. */
void net_goodbye_all(struct net *net, enum ttg_error code);
void net_close_session(struct net *net, struct session *session, const char *why);
/* All of them, without a word: the process ends. */
void net_drop_sessions(struct net *net);

/* upkeep.c: reload, snapshot, retention, watchdog; why core_set_rules() failed, for the operator. */
void net_explain_rules(struct net *net, enum ttg_error error, struct message *message);
void net_reload(struct net *net);
/* restart: names of changed options that only count after a restart. */
bool net_reload_now(struct net *net, struct config_errors *errors, char restart[CONFIG_TEXT_MAX]);
void net_upkeep(struct net *net, const struct core_now *now);

/* snapshot.c: takes one after so many records; true: one is under way. Goes on with it, if there is one. */
bool net_take_snapshot(struct net *net, uint64_t after_records);
void net_save_snapshot(struct net *net);
/* Before the end: of everything that is durable, written when it returns. */
void net_save_last_snapshot(struct net *net);
/* Waits for one that is being written, and forgets it. */
void net_drop_snapshot(struct net *net);

#endif
