/*
 * What every command of ttgctl gets, and what it may end with.
 */
#ifndef TTGCTL_CTL_H
#define TTGCTL_CTL_H

#include <stdbool.h>
#include <stdio.h>
#include "base/message.h"

#define CTL_DEFAULT_CONFIG "/etc/ttgd/ttgd.conf"
#define CTL_DEFAULT_SOCKET "/run/ttgd/control"

/* Exit status; docs/control.md. */
enum ctl_exit {
	CTL_FINE = 0,
	CTL_NO = 1,          /* the answer is no, or it did not work */
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3, /* no daemon, or it went away in the middle */
	CTL_REFUSED = 4,     /* not permitted */
};

struct ctl {
	bool json, csv;
	const char *socket; /* NULL: as the configuration says */
	const char *config;
	bool config_given;
	FILE *out, *err;
};

/* One command; argv[0] is its name. Declared here, one file each. */
enum ctl_exit ctl_keygen(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_check(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_options(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_identify(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_verify(struct ctl *ctl, int argc, char **argv);
/* seals.c: the same with the journal's key, and the seals by the signer's public key; state: the file
   that ttg-signer keeps, or NULL. */
enum ctl_exit ctl_verify_seals(struct ctl *ctl, const char *directory, const char *key_file,
			       const char *public_file, const char *state);
enum ctl_exit ctl_restore(struct ctl *ctl, int argc, char **argv);
/* A command the daemon answers; argv starts at its first word. */
enum ctl_exit ctl_online(struct ctl *ctl, int argc, char **argv);
/* Writes how those are called, a line each. */
void ctl_online_usage(FILE *out);

/* "ttgctl: text" to err; returns status. */
__attribute__((format(printf, 3, 4))) enum ctl_exit ctl_say(struct ctl *ctl, enum ctl_exit status,
							     const char *format, ...);

/* The status an error ends with. */
enum ctl_exit ctl_status(enum ttg_error error);

/* The whole program but exit(): options before the command, then the command. */
enum ctl_exit ctl_run(int argc, char **argv, FILE *out, FILE *err);

#endif
