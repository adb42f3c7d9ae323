/*
 * What the daemon counts: metrics.c and the control socket tell it. Written by the loop alone.
 */
#ifndef TTGD_NET_COUNTERS_H
#define TTGD_NET_COUNTERS_H

#include <stdint.h>

#define NET_CODES 256 /* refusal and session codes are counted by number */

/* Why a connection got nothing; counted, logged without addresses of people. */
enum net_denial {
	NET_DENIED_UNKNOWN_KEY = 0,
	NET_DENIED_REVOKED,
	NET_DENIED_NOT_VALID_NOW,
	NET_DENIED_ADDRESS,
	NET_DENIED_MECHANISM,
	NET_DENIED_HANDSHAKE, /* no CURVE, wrong server key, or gibberish: never reached ZAP */
	NET_DENIALS,
};

/* Why a connection without a session was cut off; monitor.c. */
enum net_drop {
	NET_DROPPED_CROWDED = 0, /* too many wait, this one longest */
	NET_DROPPED_IDLE,        /* said no Hello in time */
	NET_DROPPED_DESCRIPTORS, /* none left for whoever came next */
	NET_DROPS,
};

struct net_counters {
	uint64_t frames_in, frames_out, bytes_in, bytes_out;
	uint64_t frames_bad;
	uint64_t events_in, accepted, duplicates, refused;
	uint64_t refused_by_code[NET_CODES];
	uint64_t errors_by_code[NET_CODES];
	uint64_t deliveries, acks, nacks;
	uint64_t receipts; /* told to sessions, or why there is none */
	uint64_t states_asked;
	uint64_t denied[NET_DENIALS], dropped[NET_DROPS];
	uint64_t sessions_opened, sessions_closed;
	uint64_t paused_cycles;
	uint64_t slow_cycles;
	uint64_t parked, escalated, expired, stopped, given_up;
	uint64_t answers_overdue; /* told to referrers */
	uint64_t reloads, reloads_failed;
	uint64_t snapshots;
};

#endif
