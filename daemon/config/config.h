/*
 * ttgd's configuration: etc/ttgd.conf, agencies.d/ and agreements.d/ beside it (libconfig), loaded
 * into a new object, checked whole, then swapped. Every scalar option stands in one table
 * (options.c): name, type, range, default, what it is for; the man page ttgd.conf(5) and the
 * `ttgd --options` list come from it.
 *
 * Errors read "file:line: what, and what would be right"; every error found is reported, not only
 * the first. Unknown keys are errors.
 */
#ifndef TTGD_CONFIG_H
#define TTGD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/log.h"
#include "base/message.h"
#include "core/rules.h"

#define CONFIG_PATH_MAX 4096
#define CONFIG_TEXT_MAX 256
#define CONFIG_WORD_MAX 32

struct config {
	/* broker = { } */
	char agency[RULES_ID_MAX + 1];        /* broker's own agency id; "broker" */
	char agencies_directory[CONFIG_PATH_MAX];   /* "agencies.d" */
	char agreements_directory[CONFIG_PATH_MAX]; /* "agreements.d" */

	/* listen = { } */
	char endpoint[CONFIG_TEXT_MAX];       /* "tcp://127.0.0.1:5700" */
	char key_file[CONFIG_PATH_MAX];       /* broker's CURVE secret key */
	char http_address[CONFIG_TEXT_MAX];   /* metrics and health, loopback only: "127.0.0.1" */
	uint16_t http_port;                   /* 0: off; 5701 */
	char control_socket[CONFIG_PATH_MAX]; /* "/run/ttgd/control" */
	char control_group[64];               /* group whose members may use it beside root and the
						 daemon's own user; "" none */

	/* limits = { } */
	uint32_t max_sessions;                /* 1,024 */
	uint32_t sessions_per_agency;         /* 64; 0: no bound of its own */
	uint32_t max_waiting;                 /* connections without a session; 1,024 */
	uint32_t max_frame_bytes;             /* 1 MiB */
	uint32_t max_event_bytes;             /* 64 KiB */
	uint32_t max_events_per_publish;      /* 1,024 */
	uint32_t publish_window;              /* Publish frames unanswered; 64 */
	uint32_t max_credit;                  /* 4,096 */
	uint32_t heartbeat_ms;                /* 5,000 */
	uint32_t io_threads;                  /* libzmq's; 1 */
	uint32_t max_skew_s;                  /* publisher's clock ahead; 300 */
	uint32_t mailbox_window;              /* 4,096 */
	uint32_t mailbox_max_held;            /* 100,000 */
	uint32_t dedupe_hours;                /* 168 */
	uint64_t dedupe_max;                  /* 10,000,000 */

	/* journal = { } */
	char journal_directory[CONFIG_PATH_MAX]; /* "/var/lib/ttgd/journal" */
	char journal_key_file[CONFIG_PATH_MAX];
	char journal_cipher[CONFIG_WORD_MAX]; /* "aes-256-gcm" or "chacha20-poly1305" */
	uint64_t segment_bytes;               /* 64 MiB */
	uint64_t journal_max_bytes;           /* 0: no limit */
	uint64_t journal_reserve_bytes;       /* 256 MiB left free on the disk */
	uint64_t buffer_bytes;                /* 16 MiB */
	uint32_t retain_days;                 /* age after which acknowledged events go; 30 */
	uint32_t retain_s;                    /* in place of retain_days when not 0 */
	uint64_t retain_bytes;                /* size above which the oldest go; 0: no limit */
	uint32_t retain_every_s;              /* how often that is looked at; 60 */
	uint32_t snapshot_events;             /* a snapshot every so many records; 1,000,000 */

	/* archive = { } */
	char archive_directory[CONFIG_PATH_MAX]; /* "": none is kept */
	uint32_t archive_retain_days;         /* days records are kept in it; 0: for ever */

	/* identity = { } */
	uint32_t look_back_s;                 /* an event waits so long for its person to be known; 259,200 */
	uint32_t look_back_max;               /* events that wait so; 100,000 */

	/* keys = { } */
	char keys_directory[CONFIG_PATH_MAX]; /* of the key store; "": payloads are not sealed by person */
	char keys_master_file[CONFIG_PATH_MAX]; /* what its keys are wrapped by */
	char keys_before_file[CONFIG_PATH_MAX]; /* the master key before, while they still may be; "": none */
	uint32_t keys_lapse_hold_s;             /* the clock must say so long that a payload goes; 3,600 */

	/* seals = { } */
	char signer_socket[CONFIG_PATH_MAX];  /* of ttg-signer; "": no seals are made */
	char seal_public_file[CONFIG_PATH_MAX]; /* PEM, its public key; "": is not compared */

	/* log = { } */
	enum log_target log_target;           /* "stderr" or "journald" */
	enum log_level log_level;             /* "info" */

	struct rules *rules;                  /* from agencies.d and agreements.d; owned */
	char path[CONFIG_PATH_MAX];           /* of ttgd.conf */
};

struct config_errors; /* list of lines for a person */

/*
 * Loads path, and every *.conf (in name order) of agencies.d and agreements.d beside it (or where
 * broker.agencies_directory and broker.agreements_directory say). Relative paths, those of public key
 * files included, are taken from the directory of ttgd.conf; the result holds paths that can be
 * opened as they are. Secret keys are named here, not read. NULL when anything is wrong: then errors
 * has at least one line. Warnings (review dates past, keys about to expire, overlapping grants) do
 * not fail.
 */
struct config *config_load(const char *path, int64_t now_ns, struct config_errors *errors);
void config_free(struct config **config);

/*
 * Where the control socket is by this ttgd.conf, read for itself alone so that a mistake elsewhere
 * does not keep the operator from the daemon. False when the file cannot be read or parsed.
 */
bool config_find_socket(const char *path, char out[CONFIG_PATH_MAX]);

struct config_errors *config_errors_new(void);
void config_errors_free(struct config_errors **errors);
size_t config_errors_count(const struct config_errors *errors);    /* errors, not warnings */
size_t config_errors_lines(const struct config_errors *errors);
const char *config_errors_line(const struct config_errors *errors, size_t index, bool *warning);

/* Puts the values of `running` back into every option of `loaded` that counts only after a restart. */
void config_keep_until_restart(struct config *loaded, const struct config *running);

/* Names of options that differ and need a restart, comma separated; "" when reload is enough. */
void config_restart_needed(const struct config *running, const struct config *loaded,
			   char out[CONFIG_TEXT_MAX]);

/* Prints the option table: name, type, range, default, meaning. */
void config_print_options(FILE *out);

#endif
