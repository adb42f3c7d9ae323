/*
 * What a confined process may not do any more; each asked in a child of its own, since it is for good.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/confine.h"
#include "unit.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

enum { HELD = 0, BROKEN = 1, UNCONFINED = 2 };

/* Runs act() in a confined child; its answer. */
static int confined(enum confine_calls what, int (*act)(void))
{
	int status = 0;
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct message message = { "" };

		if (confine_calls(what, &message) != TTG_OK)
			_exit(UNCONFINED);
		_exit(act());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int start_program(void)
{
	char *const arguments[] = { (char[]){ "true" }, NULL };

	execv("/bin/true", arguments);
	return errno == EPERM ? HELD : BROKEN;
}

static int make_process(void)
{
	const pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child < 0 ? HELD : BROKEN;
}

static int write_and_run(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	if (page != MAP_FAILED)
		return BROKEN;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return BROKEN;
	return mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0 ? HELD : BROKEN;
}

static int look_at_others(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) != 0 && errno == EPERM ? HELD : BROKEN;
}

static int other_sockets(void)
{
	if (socket(AF_PACKET, SOCK_RAW, 0) >= 0)
		return BROKEN;
	return socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT) < 0 ? HELD : BROKEN;
}

static int internet_sockets(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM ? HELD : BROKEN;
}

static int become_root(void)
{
	if (setuid(0) == 0 || errno != EPERM)
		return BROKEN;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? HELD : BROKEN;
}

static int type_into_a_terminal(void)
{
	return ioctl(0, TIOCSTI, "x") != 0 && errno == EPERM ? HELD : BROKEN;
}

static void *nothing(void *arg)
{
	return arg;
}

static int its_own_work(void)
{
	char name[] = "/tmp/ttg-confine-XXXXXX";
	const int fd = mkstemp(name), inet = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t thread;

	if (fd < 0 || inet < 0 || write(fd, "x", 1) != 1 || fdatasync(fd) != 0 || unlink(name) != 0)
		return BROKEN;
	if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
		return BROKEN;
	return malloc(64 * 1024 * 1024) ? HELD : BROKEN;
}

static void what_is_not_needed_cannot_be_done(void **state)
{
	static int (*const acts[])(void) = { start_program, make_process, write_and_run, look_at_others,
					     other_sockets, become_root, type_into_a_terminal };

	(void)state;
	if (SANITIZED)
		skip();
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		assert_int_equal(confined(CONFINE_BROKER, acts[i]), HELD);
		assert_int_equal(confined(CONFINE_SIGNER, acts[i]), HELD);
	}
	assert_int_equal(confined(CONFINE_SIGNER, internet_sockets), HELD);
}

static void what_is_needed_can(void **state)
{
	(void)state;
	assert_int_equal(confined(CONFINE_BROKER, its_own_work), HELD);
}

static void a_user_is_taken_or_the_start_refused(void **state)
{
	struct message message = { "" };

	(void)state;
	assert_int_equal(confine_user(NULL, &message), TTG_OK);
	assert_int_equal(confine_user("no-such-user-here", &message), TTG_ENOENT);
	assert_non_null(strstr(message.text, "no-such-user-here"));
	if (geteuid() != 0) {
		assert_int_equal(confine_user("root", &message), TTG_EPERM);
		return;
	}
	const pid_t child = fork();

	if (child == 0)
		_exit(confine_user("nobody", &message) == TTG_OK && geteuid() != 0 && getuid() != 0 &&
				      getegid() != 0 && setuid(0) != 0 ?
			      HELD :
			      BROKEN);
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_needed_cannot_be_done),
		cmocka_unit_test(what_is_needed_can),
		cmocka_unit_test(a_user_is_taken_or_the_start_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
