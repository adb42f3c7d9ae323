/* See confine.h. The lists were taken from the tests' traces and from what the libraries fall back on. */
#include "confine/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/netlink.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum ttg_error confine_user(const char *name, struct message *message)
{
	const struct passwd *user = name ? getpwnam(name) : NULL;

	if (!name)
		return TTG_OK;
	if (!user)
		return message_set(message, TTG_ENOENT, "there is no user %.64s", name);
	if (geteuid() != 0) {
		if (geteuid() == user->pw_uid)
			return TTG_OK;
		return message_set(message, TTG_EPERM, "only root can become %.64s", name);
	}
	if (initgroups(user->pw_name, user->pw_gid) != 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
		return message_set(message, TTG_EPERM, "cannot become %.64s: %s", name, strerror(errno));
	if (user->pw_uid != 0 && setuid(0) == 0)
		return message_set(message, TTG_EPERM, "root's rights could be had back");
	return TTG_OK;
}

static const int both[] = {
	/* files */
	SCMP_SYS(access), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(fchmod), SCMP_SYS(fchown), SCMP_SYS(fcntl), SCMP_SYS(fdatasync), SCMP_SYS(flock),
	SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(fsync), SCMP_SYS(ftruncate), SCMP_SYS(getcwd),
	SCMP_SYS(getdents64), SCMP_SYS(lseek), SCMP_SYS(lstat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
	SCMP_SYS(newfstatat), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(pread64), SCMP_SYS(preadv),
	SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(read), SCMP_SYS(readlink), SCMP_SYS(readv),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(stat), SCMP_SYS(statfs),
	SCMP_SYS(statx), SCMP_SYS(umask), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(write),
	SCMP_SYS(writev),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(mlockall),
	SCMP_SYS(mremap), SCMP_SYS(munlock), SCMP_SYS(munlockall), SCMP_SYS(munmap),
	/* sockets that are there */
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(bind), SCMP_SYS(connect), SCMP_SYS(getpeername),
	SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(listen), SCMP_SYS(recvfrom),
	SCMP_SYS(recvmmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendmmsg), SCMP_SYS(sendmsg),
	SCMP_SYS(sendto), SCMP_SYS(setsockopt), SCMP_SYS(shutdown),
	/* waiting, time, ourselves */
	SCMP_SYS(clock_getres), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait), SCMP_SYS(eventfd2), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(futex), SCMP_SYS(getegid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getgroups),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getrandom), SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage), SCMP_SYS(gettid), SCMP_SYS(gettimeofday), SCMP_SYS(getuid),
	SCMP_SYS(membarrier), SCMP_SYS(nanosleep), SCMP_SYS(pipe2), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(prctl), SCMP_SYS(prlimit64), SCMP_SYS(pselect6), SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_yield), SCMP_SYS(select),
	SCMP_SYS(set_robust_list), SCMP_SYS(setrlimit), SCMP_SYS(sigaltstack), SCMP_SYS(signalfd4),
	SCMP_SYS(sysinfo), SCMP_SYS(tgkill), SCMP_SYS(time), SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime), SCMP_SYS(uname),
};

/* The journal's segments and backups; libzmq's threads ask how they may run. */
static const int broker_only[] = {
	SCMP_SYS(chmod), SCMP_SYS(copy_file_range), SCMP_SYS(fadvise64), SCMP_SYS(fallocate),
	SCMP_SYS(fchmodat), SCMP_SYS(fchownat), SCMP_SYS(chown), SCMP_SYS(getpriority), SCMP_SYS(rmdir),
	SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler), SCMP_SYS(sched_setscheduler),
	SCMP_SYS(sendfile), SCMP_SYS(setpriority), SCMP_SYS(socketpair), SCMP_SYS(sync_file_range),
};

static bool allow(scmp_filter_ctx filter, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) != 0)
			return false;
	}
	return true;
}

/* Memory is written or run. */
static bool allow_memory(scmp_filter_ctx filter, int call)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_EXEC)) == 0;
}

static bool allow_family(scmp_filter_ctx filter, uint64_t family)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				SCMP_A0(SCMP_CMP_EQ, family)) == 0;
}

/* Of ioctl what sockets and pipes need: a terminal's could put words into somebody's shell. */
static bool allow_ioctl(scmp_filter_ctx filter, uint64_t request)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				SCMP_A1(SCMP_CMP_EQ, request)) == 0;
}

/* libzmq looks for an interface of the name it is to bind, and ends the process when it may not. */
static bool allow_interfaces(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
				SCMP_A2(SCMP_CMP_EQ, NETLINK_ROUTE)) == 0;
}

/* Threads are made, processes are not. What clone3 is asked for cannot be seen from here; without it the
   C library takes clone. */
static bool allow_threads(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

static bool fill(scmp_filter_ctx filter, enum confine_calls what)
{
	bool done = allow(filter, both, sizeof(both) / sizeof(both[0])) &&
		    allow_memory(filter, SCMP_SYS(mmap)) && allow_memory(filter, SCMP_SYS(mprotect)) &&
		    allow_ioctl(filter, FIONBIO) && allow_ioctl(filter, FIONREAD) &&
		    allow_family(filter, AF_UNIX);

	if (!done || what == CONFINE_SIGNER)
		return done;
	return allow(filter, broker_only, sizeof(broker_only) / sizeof(broker_only[0])) &&
	       allow_family(filter, AF_INET) && allow_family(filter, AF_INET6) &&
	       allow_interfaces(filter) && allow_threads(filter);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

enum ttg_error confine_calls(enum confine_calls what, struct message *message)
{
	scmp_filter_ctx filter;
	int code;

	if (SANITIZED)
		return TTG_OK;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return message_set(message, TTG_ENOMEM, "no memory for the filter of system calls");
	code = fill(filter, what) ? seccomp_load(filter) : -EINVAL;
	seccomp_release(filter);
	if (code == 0)
		return TTG_OK;
	return message_set(message, TTG_ESYS, "system calls cannot be filtered: %s", strerror(-code));
}
