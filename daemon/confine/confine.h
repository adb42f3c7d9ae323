/*
 * What a process of ours gives away before it opens anything: root's rights, and the system calls it
 * has no use for. A fault in it, or in a library, can then do less.
 *
 * Both are for good, for the process and what it starts. Call them while there is one thread.
 */
#ifndef TTGD_CONFINE_CONFINE_H
#define TTGD_CONFINE_CONFINE_H

#include "base/message.h"

/*
 * Becomes this user with his groups, when we are root; NULL: stays who it is. TTG_ENOENT: no such user;
 * TTG_EPERM: we are not root and not him, or could still go back.
 */
enum ttg_error confine_user(const char *name, struct message *message);

enum confine_calls {
	CONFINE_BROKER, /* files, sockets of the internet too, threads */
	CONFINE_SIGNER, /* files, Unix sockets, no threads */
};
/*
 * From now on calls that are not on the list fail with EPERM: no program is started, no process made,
 * no memory both written and run, no other family of sockets. TTG_ESYS where the kernel cannot. Does
 * nothing in a build with sanitizers, which need more.
 */
enum ttg_error confine_calls(enum confine_calls what, struct message *message);

#endif
