/*
 * The signer's socket and its loop. One packet, one answer (signer.h); who may ask is the kernel's
 * word on the caller: root, the signer's own user, and one user more, the broker's.
 *
 * Owner: the process's only thread.
 */
#ifndef TTGD_SIGNER_SERVE_H
#define TTGD_SIGNER_SERVE_H

#include <sys/types.h>

#include "base/log.h"
#include "base/message.h"
#include "signer/state.h"

#define SERVE_CONNECTIONS 8u
#define SERVE_NOBODY ((uid_t)-1) /* no user more */

struct serve_options {
	const char *socket_path; /* a socket that is there is replaced: the state's lock is held */
	uid_t user;
	struct signer *signer;
	struct signer_state *state;
	struct log *log;
};

/*
 * Answers until SIGTERM or SIGINT, then TTG_OK; both must be blocked. Else what ended it: a write or
 * a sync of the state failed (nothing is answered after that), or the socket cannot be made.
 */
enum ttg_error serve(const struct serve_options *options, struct message *message);

#endif
