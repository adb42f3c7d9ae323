/*
 * A stage: a temporary directory with a broker's configuration and keys in it, and the processes
 * that play there. Every system test gets one of its own, with free ports.
 *
 * Default cast: agencies prison, police, probation, one-service, housing, each with one key of its
 * own name (keys/NAME.key, keys/NAME.pub); mailboxes one-service/duty, one-service/desk,
 * probation/inbox, housing/referrals. The agreement `sample` lets prison publish prison.released
 * and prison.reception, police police.arrest, probation probation.contact, one-service
 * referral.sent; duty gets what prison and police publish, probation/inbox what the prison does,
 * desk gets probation's contacts, housing/referrals the referrals addressed to it.
 *
 * A test that ends without stage_done() failed: its logs are printed and its directory stays.
 */
#ifndef TTG_TEST_STAGE_H
#define TTG_TEST_STAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "support/assert.h"
#include "support/process.h"

#define STAGE_TEXT 4096
#define STAGE_PROCESSES 8
#define STAGE_PEERS 16

struct peer;

struct stage {
	char directory[PROCESS_PATH_MAX - 128];
	char bin[PROCESS_PATH_MAX - 128]; /* where the programs are: $TTG_BIN */
	char endpoint[64];                /* tcp://127.0.0.1:PORT */
	int http_port;
	struct process broker;
	struct process others[STAGE_PROCESSES]; /* adapters and tools a test starts */
	char slow_text[2][PROCESS_PATH_MAX + 32];
	const char *slow[4];              /* what slow_the_disk() puts there */
	const char *const *environment;   /* of the broker, beside ours; NULL at the end */
	struct peer *peers[STAGE_PEERS];  /* see peer.h; closed with the stage */
	int commands;                     /* run so far: numbers their output files */
	bool done;

	/* Text of the groups of ttgd.conf, changed by a test before it starts the broker. */
	char listen[STAGE_TEXT], limits[STAGE_TEXT], journal[STAGE_TEXT], seals[STAGE_TEXT];
	char keys[STAGE_TEXT];  /* a store in keystore/ under keys/master.key */
	char archive[STAGE_TEXT];
	unsigned segment_bytes; /* 1 MiB, so that tests see many */
	char box_options[256];  /* of every mailbox */
	/* Of the agreement; NULL: in force, no more than said above. */
	const char *valid_from, *valid_to;
	const char *agreement_options; /* lines of it */
	const char *duty_options; /* of the grants to one-service/duty */
	const char *more_grants;  /* further deliver grants */
};

/* cmocka's set-up and tear-down of a test that plays on a stage: *state is the stage. */
int stage_set_up(void **state);
int stage_tear_down(void **state);
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)

/* Last line of every test: it passed. Fails it when the broker died unasked or the sanitizer or an
   assertion of a process said something. */
void must_have_passed(struct stage *stage);

/* Path of a name in the directory, into out. */
#define STAGE_PATH(stage, out, ...) stage_path(stage, out, sizeof(out), __VA_ARGS__)
__attribute__((format(printf, 4, 5))) void stage_path(const struct stage *stage, char *out,
						       size_t room, const char *format, ...);

/* Writes a file in the directory (folders are made), whole and then renamed into place. */
__attribute__((format(printf, 3, 4))) void must_write(const struct stage *stage, const char *name,
						       const char *format, ...);

/* Makes keys/NAME.key and keys/NAME.pub. */
void must_make_key(struct stage *stage, const char *name);

/* Writes agreements.d/sample.conf from the texts above. */
void must_write_agreement(const struct stage *stage);

/* Writes agencies.d/AGENCY.conf: keys goes on behind the first key's public_file, for example
   "revoked = true; }"; options are lines of the agency. NULL: none. */
void must_write_agency(const struct stage *stage, const char *agency, const char *keys,
		       const char *options);

/* Writes ttgd.conf from the texts above. */
void must_write_configuration(struct stage *stage);

/* A port on the loopback nobody listens on. */
int must_find_port(void);

/* Writes ttgd.conf, starts ttgd and waits until it says it is ready. */
void must_start_broker(struct stage *stage);

/* Starts it on the configuration there is, without waiting. */
void must_launch_broker(struct stage *stage);
void must_wait_until_ready(struct stage *stage);

/* SIGTERM, and waits: the exit code. */
int must_stop_broker(struct stage *stage);

/* What a command printed; freed by the caller with ran_free(). */
struct ran {
	int code;
	char *out, *err;
};

/* Runs a program of ours to its end. Arguments after its name, NULL at the end. */
struct ran must_run(struct stage *stage, const char *program, ...);
/* The same with a file of the directory as standard input. */
struct ran must_run_fed(struct stage *stage, const char *input, const char *program, ...);
void ran_free(struct ran *ran);

/* Starts a program of ours into slot others[index], output in NAME.out and NAME.err. */
void must_start_other(struct stage *stage, int index, const char *name, const char *program, ...);

/* The same with tests/ttg_horde beside the programs, see tests/system/horde/horde.h. */
void must_start_horde(struct stage *stage, int index, const char *name, ...);

/* Every sync of the broker takes this much longer from its next start on. */
void slow_the_disk(struct stage *stage, int delay_ms);

/* ttgctl --json on the running broker: an array of the answer's items, owned by the caller. Fails
   the test when it does not end with 0. Arguments, NULL at the end. */
json_t *must_ask(struct stage *stage, ...);
/* One number of the only item, by "name" or "group.name". */
int64_t must_ask_number(struct stage *stage, const char *command, const char *path);
/* One number of one mailbox. */
int64_t must_ask_mailbox(struct stage *stage, const char *mailbox, const char *name);

/* Waits until a file of the directory holds the text, or fails the test. */
void must_see(const struct stage *stage, const char *file, const char *text);
/* How many times it holds it now. */
int count_in(const struct stage *stage, const char *file, const char *text);
/* Turns one bit of the byte at an offset of a file of the directory; once more turns it back. */
void must_flip(const struct stage *stage, const char *name, off_t offset);

#endif
