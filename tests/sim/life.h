/*
 * One life: a broker, the agencies' clients, their disks, the network between them and the clock,
 * driven by a list of steps that is drawn from the seed before the life begins. What chance decides
 * within a step comes from that step's own number, so that a life with steps left out is still a
 * life, and the same list always gives the same life.
 */
#ifndef TTG_SIM_LIFE_H
#define TTG_SIM_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sim/disk.h"
#include "support/core_play.h"

struct actor;
struct broker;
struct model;
struct wire;

#define LIFE_ACTORS    9
#define LIFE_STEPS_MAX 1024

enum step_kind {
	STEP_TURN,        /* a broker's cycle, then every client polls */
	STEP_BROKER,      /* one cycle of the broker */
	STEP_POLL,        /* one client polls */
	STEP_PUBLISH,     /* an application publishes */
	STEP_CONSUME,     /* an application answers some of what it was given */
	STEP_WAIT,        /* time passes */
	STEP_CLOCK,       /* the wall clock jumps */
	STEP_SLOW,        /* the network delays from here on, or no more */
	STEP_ARRIVE,      /* some of the delayed frames arrive */
	STEP_CUT,         /* a connection breaks */
	STEP_REPEAT,      /* a frame comes twice */
	STEP_ACTOR_CRASH, /* a client's process or machine ends and comes back */
	STEP_ACTOR_LEAVE, /* a client says goodbye, and another takes its place */
	STEP_DETACH,      /* a consumer detaches, or attaches again */
	STEP_RULES,       /* other rules */
	STEP_LETTER,      /* the operator retries or discards a dead letter */
	STEP_GIVE_UP,     /* the operator gives up what is old */
	STEP_FAULT,       /* a call of some disk will fail */
	STEP_FULL,        /* a disk is full, or no more */
	STEP_KILL,        /* the broker's machine will stop at one of its next calls */
	STEP_CRASH,       /* the broker's process or machine ends at once, and comes back */
	STEP_RESTART,     /* the broker is stopped in order, and started */
	STEP_FLIP,        /* a bit of some disk turns over */
	STEP_BACKUP,      /* a copy of the journal is made */
	STEP_RESTORE,     /* the broker comes back with that copy */
	STEP_ERASE,       /* the operator erases a person */
	STEP_MASTER,      /* the keys are to be wrapped by another master key */
	STEP_REDELIVER,   /* a mailbox is delivered again, or that is stopped */
	STEP_KINDS
};
extern const char *const step_names[STEP_KINDS];

struct step {
	enum step_kind kind;
	uint32_t number; /* in the list as it was drawn */
	uint64_t chance;
};

/* What a seed decides before the first step. */
struct life_plan {
	uint64_t seed;
	uint32_t window, max_held, publish_window, max_events, snapshot_records, buffer_kib;
	uint32_t credit, hwm, persons;
	uint32_t frame_kib;
	uint32_t large; /* of 16 events so many are long */
	uint64_t retain_bytes, max_bytes;
	uint32_t retain_days;
	uint32_t busy; /* of 4 times that the writer should write, it is busy so often */
	bool outbox[LIFE_ACTORS];
	bool gated; /* arrests go to the One Service only of who is enrolled; persons have two numbers */
	uint32_t look_back_s;
	bool keys; /* payloads of persons are sealed */
	uint32_t retain_s, lapse_hold_s; /* and kept so long; 0: without end */
	bool archived; /* an archive is kept */
	bool referred; /* referrals are sent, and answered, in and out of order */
	bool sign; /* prison and police sign what they publish, and have to */
	size_t n_steps;
	struct step steps[LIFE_STEPS_MAX];
};

struct life {
	const struct life_plan *plan;
	struct sim_clock clock;
	struct wire *wire;
	struct model *model;
	struct broker *broker;
	struct actor *actors[LIFE_ACTORS];
	uint64_t random;     /* of the step under way */
	bool peaceful;       /* the end: nothing fails any more */
	bool append_refused; /* the journal took no record since the last step began */
	bool read_refused;   /* nor gave one back */
	bool rules_refused;  /* nor, ever, the text of rules */
	bool in_cycle;       /* the broker is in its loop */
	size_t most_staged;  /* bytes for the journal's next batches, ever */
	const struct step *step;
};

/* The life under way: what stands in for libzmq and the linker's wraps have no other way to it. */
extern struct life *life_now;

void life_plan(struct life_plan *plan, uint64_t seed);
/* Lives it to the end. Does not return from a failure. A fingerprint of everything recorded. */
uint64_t life_run(const struct life_plan *plan);

uint64_t life_draw(uint64_t n);
/* Ends the process with status 1 after telling what did not hold. */
__attribute__((format(printf, 1, 2), noreturn)) void life_fail(const char *format, ...);
#define life_check(condition, ...)                                                                 \
	do {                                                                                       \
		if (!(condition))                                                                  \
			life_fail(__VA_ARGS__);                                                    \
	} while (0)
/* Set by --trace: lines about what happens. */
extern bool life_tracing;
__attribute__((format(printf, 1, 2))) void life_trace(const char *format, ...);
/* Where life_fail() puts its text, beside stderr; NULL: nowhere. */
extern char *life_failure;
#define LIFE_FAILURE_TEXT 512

#endif
