/*
 * ttg-signer as a process: what it signs over its socket, what it remembers when it is killed, who
 * may talk to it, and how it ends.
 */
#include "support/stage.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evidence/signer.h"
#include "support/wait.h"

#define SIGNER 0 /* slot of stage->others */
#define CALLERS 8 /* connections it serves at a time */

static struct process *signer_of(struct stage *stage)
{
	return &stage->others[SIGNER];
}

static void must_make_signer_key(struct stage *stage)
{
	struct ran ran = must_run(stage, "ttg-signer", "--make-key", "signer", NULL);

	if (ran.code != 0)
		must_fail("--make-key: %s", ran.err);
	ran_free(&ran);
}

/* Option and value are one more pair, or NULL. */
static void must_start_signer(struct stage *stage, const char *option, const char *value)
{
	must_start_other(stage, SIGNER, "signer", "ttg-signer", "--key", "signer.key", "--state",
			 "signer.state", "--socket", "signer.socket", option, value, NULL);
}

/* Connected, or -1 and errno. No assertions: strangers call it too. */
static int call(const struct stage *stage)
{
	const struct timeval patience = { .tv_sec = WAIT_LONG_MS / 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || snprintf(address.sun_path, sizeof(address.sun_path), "%s/signer.socket",
			       stage->directory) >= (int)sizeof(address.sun_path))
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

struct calling {
	struct stage *stage;
	int fd;
};

static bool connected(void *arg)
{
	struct calling *calling = arg;

	calling->fd = call(calling->stage);
	return calling->fd >= 0 || !process_running(signer_of(calling->stage));
}

static int must_call(struct stage *stage)
{
	struct calling calling = { .stage = stage, .fd = -1 };

	wait_until(connected, &calling, WAIT_LONG_MS);
	if (calling.fd < 0)
		must_fail("cannot call the signer");
	return calling.fd;
}

/* Sends a packet; false when there is no answer, because it hung up. */
static bool ask(int fd, const char *packet, size_t len, struct signer_reply *reply)
{
	char answer[SIGNER_PACKET_MAX];

	if (send(fd, packet, len, MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	const ssize_t got = recv(fd, answer, sizeof(answer), 0);
	if (got < 0 && errno == EAGAIN)
		must_fail("the signer does not answer");
	if (got <= 0)
		return false;
	signer_read_reply(answer, (size_t)got, reply);
	return true;
}

static enum signer_word must_ask_last(int fd, struct signer_reply *reply)
{
	char packet[SIGNER_PACKET_MAX];

	if (!ask(fd, packet, signer_put_last(packet), reply))
		must_fail("no answer");
	return reply->word;
}

/* The seal that follows what the signer says is its last. */
static struct seal must_know_next(int fd)
{
	struct seal seal = { .number = 1, .first = 1, .last = 10, .sealed_ns = 1 };
	struct signer_reply reply;
	struct hasher *hasher = hasher_new();

	if (must_ask_last(fd, &reply) == SIGNER_LAST) {
		assert_true(seal_read(reply.seal.text, reply.seal.len, &seal));
		assert_true(hasher_sum(hasher, reply.seal.text, reply.seal.len, seal.before));
		seal.number++;
		seal.first = seal.last + 1;
		seal.last += 10;
		seal.sealed_ns++;
	}
	hasher_free(&hasher);
	return seal;
}

static enum signer_word must_ask_sign(int fd, const struct seal *seal, struct signer_reply *reply)
{
	char text[SEAL_TEXT_MAX], packet[SIGNER_PACKET_MAX];

	if (!ask(fd, packet, signer_put_sign(text, seal_write(seal, text), packet), reply))
		must_fail("no answer");
	return reply->word;
}

/* Has n seals signed; the last of them. */
static struct seal must_sign(int fd, int n)
{
	struct signer_reply reply;
	struct seal seal = { .number = 0 };

	for (int i = 0; i < n; i++) {
		seal = must_know_next(fd);
		if (must_ask_sign(fd, &seal, &reply) != SIGNER_SIGNED)
			must_fail("refused: %s", reply.text);
	}
	return seal;
}

static void must_stop_signer(struct stage *stage)
{
	must_signal(signer_of(stage), SIGTERM);
	assert_int_equal(must_end(signer_of(stage), WAIT_LONG_MS), 0);
}

static void it_signs_what_its_public_key_accepts(void **state)
{
	struct stage *stage = *state;
	struct verify_key *key = NULL;
	struct message message = { "" };
	struct signer_reply reply;
	char text[SEAL_TEXT_MAX], path[PROCESS_PATH_MAX], packet[SIGNER_PACKET_MAX];

	must_make_signer_key(stage);
	must_start_signer(stage, NULL, NULL);
	const int fd = must_call(stage);
	STAGE_PATH(stage, path, "signer.pub");
	if (verify_key_read(path, &key, &message) != TTG_OK)
		must_fail("%s", message.text);
	assert_int_equal(must_ask_last(fd, &reply), SIGNER_NONE);
	for (uint64_t n = 1; n <= 20; n++) {
		const struct seal seal = must_know_next(fd);

		assert_int_equal(seal.number, n);
		assert_int_equal(must_ask_sign(fd, &seal, &reply), SIGNER_SIGNED);
		assert_true(verify_key_accepts(key, text, seal_write(&seal, text),
					       reply.seal.signature));
	}
	assert_true(ask(fd, packet, signer_put_public(packet), &reply));
	char *file = must_read_file(path, NULL);
	assert_string_equal(reply.text, file);
	free(file);
	verify_key_free(&key);
	close(fd);
	must_stop_signer(stage);
	must_have_passed(stage);
}

static void killed_it_goes_on_with_the_next_number_and_signs_no_old_one(void **state)
{
	struct stage *stage = *state;
	struct signer_reply reply;

	must_make_signer_key(stage);
	for (uint64_t life = 1; life <= 4; life++) {
		must_start_signer(stage, NULL, NULL);
		int fd = must_call(stage);
		struct seal seal = must_sign(fd, 5);
		assert_int_equal(seal.number, 5 * life);
		process_kill(signer_of(stage));
		close(fd);

		must_start_signer(stage, NULL, NULL);
		fd = must_call(stage);
		assert_int_equal(must_ask_sign(fd, &seal, &reply), SIGNER_SIGNED); /* the same */
		seal.sealed_ns++;
		assert_int_equal(must_ask_sign(fd, &seal, &reply), SIGNER_REFUSED); /* another */
		close(fd);
		process_kill(signer_of(stage));
	}
	must_have_passed(stage);
}

static void a_second_signer_on_the_same_state_is_refused(void **state)
{
	struct stage *stage = *state;

	must_make_signer_key(stage);
	must_start_signer(stage, NULL, NULL);
	const int fd = must_call(stage);
	must_sign(fd, 1);
	struct ran ran = must_run(stage, "ttg-signer", "--key", "signer.key", "--state",
				  "signer.state", "--socket", "other.socket", NULL);
	assert_int_equal(ran.code, 4);
	assert_non_null(strstr(ran.err, "signer.state"));
	ran_free(&ran);
	assert_int_equal(must_sign(fd, 1).number, 2);
	close(fd);
	must_stop_signer(stage);
	must_have_passed(stage);
}

static void asked_to_stop_it_ends_with_zero_and_takes_its_socket_along(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX];

	must_make_signer_key(stage);
	for (uint64_t life = 1; life <= 3; life++) {
		must_start_signer(stage, NULL, NULL);
		const int fd = must_call(stage);
		assert_int_equal(must_sign(fd, 1).number, life);
		must_stop_signer(stage);
		close(fd);
		STAGE_PATH(stage, path, "signer.socket");
		assert_int_not_equal(access(path, F_OK), 0);
	}
	assert_int_equal(count_in(stage, "signer.err", "event=stopped"), 3);
	must_have_passed(stage);
}

static void what_cannot_be_a_start_is_told_with_its_status(void **state)
{
	struct stage *stage = *state;
	static const struct {
		const char *key, *state, *option, *value;
		int code;
		const char *told;
	} starts[] = {
		{ "nowhere.key", "new", NULL, NULL, 3, "nowhere.key" },
		{ "signer.pub", "new", NULL, NULL, 3, "signer.pub" },
		{ "signer.key", "new", "--user", "no-such-user", 3, "no user" },
		{ "signer.key", "notes", NULL, NULL, 5, "notes" },
		{ "other.key", "signer.state", NULL, NULL, 5, "signer.state" },
		{ "signer.key", "nowhere/state", NULL, NULL, 1, "nowhere/state" },
		{ "signer.key", "new", "--socket", "notes", 1, "notes" },
		{ "signer.key", "new", "--sokcet", "x", 2, "Usage" },
		{ "signer.key", "new", "more", NULL, 2, "Usage" },
	};

	must_make_signer_key(stage);
	must_write(stage, "notes", "not a state\n");
	struct ran made = must_run(stage, "ttg-signer", "--make-key", "other", NULL);
	assert_int_equal(made.code, 0);
	ran_free(&made);
	must_start_signer(stage, NULL, NULL);
	const int fd = must_call(stage);
	must_sign(fd, 1);
	close(fd);
	must_stop_signer(stage);
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct ran ran = must_run(stage, "ttg-signer", "--socket", "signer.socket", "--key",
					  starts[i].key, "--state", starts[i].state,
					  starts[i].option, starts[i].value, NULL);

		if (ran.code != starts[i].code || !strstr(ran.err, starts[i].told))
			must_fail("start %zu: status %d, \"%s\"", i, ran.code, ran.err);
		ran_free(&ran);
	}
	assert_int_equal(count_in(stage, "notes", "not a state"), 1);
	must_have_passed(stage);
}

static void a_key_is_never_overwritten(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX];
	struct stat status;

	must_make_signer_key(stage);
	STAGE_PATH(stage, path, "signer.key");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	char *before = must_read_file(path, NULL);
	struct ran ran = must_run(stage, "ttg-signer", "--make-key", "signer", NULL);
	assert_int_equal(ran.code, 1);
	assert_non_null(strstr(ran.err, "never overwritten"));
	ran_free(&ran);
	char *after = must_read_file(path, NULL);
	assert_string_equal(before, after);
	free(before);
	free(after);
	must_have_passed(stage);
}

/* In a child that is `uid`: 0 when it was answered, 1 when it was hung up on. */
static int ask_as(const struct stage *stage, uid_t uid)
{
	int status = -1;
	char packet[SIGNER_PACKET_MAX];
	struct signer_reply reply;

	fflush(NULL);
	const pid_t pid = fork();
	must_be(pid >= 0, "cannot fork");
	if (pid == 0) {
		if (setgid((gid_t)uid) != 0 || setuid(uid) != 0)
			_exit(2);
		const int fd = call(stage);
		if (fd < 0)
			_exit(3);
		_exit(ask(fd, packet, signer_put_last(packet), &reply) ? 0 : 1);
	}
	must_be(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "the child died");
	return WEXITSTATUS(status);
}

static void only_root_its_own_user_and_the_one_named_may_talk_to_it(void **state)
{
	struct stage *stage = *state;
	const struct passwd *nobody = getpwnam("nobody");
	struct signer_reply reply;

	if (geteuid() != 0 || !nobody)
		skip(); /* nobody else to be */
	const uid_t stranger = nobody->pw_uid;
	assert_int_equal(chmod(stage->directory, 0711), 0); /* so that he gets to the socket */
	must_make_signer_key(stage);
	must_start_signer(stage, NULL, NULL);
	int fd = must_call(stage);
	for (int i = 0; i < 3 * CALLERS; i++) /* he takes nobody's place */
		assert_int_equal(ask_as(stage, stranger), 1);
	must_see(stage, "signer.err", "event=caller_refused");
	assert_int_equal(must_ask_last(fd, &reply), SIGNER_NONE);
	assert_int_equal(ask_as(stage, 0), 0);
	close(fd);
	must_stop_signer(stage);

	must_start_signer(stage, "--user", "nobody");
	fd = must_call(stage);
	assert_int_equal(ask_as(stage, stranger), 0);
	assert_int_equal(ask_as(stage, stranger + 1), 1);
	close(fd);
	must_stop_signer(stage);
	must_have_passed(stage);
}

static void one_more_caller_than_it_serves_waits_for_his_turn(void **state)
{
	struct stage *stage = *state;
	int fds[CALLERS + 1];
	char packet[SIGNER_PACKET_MAX], answer[SIGNER_PACKET_MAX];
	struct signer_reply reply;

	must_make_signer_key(stage);
	must_start_signer(stage, NULL, NULL);
	for (int i = 0; i < CALLERS; i++) {
		fds[i] = must_call(stage);
		assert_int_equal(must_ask_last(fds[i], &reply), SIGNER_NONE);
	}
	fds[CALLERS] = must_call(stage);
	const size_t len = signer_put_last(packet);
	assert_int_equal(send(fds[CALLERS], packet, len, MSG_NOSIGNAL), (ssize_t)len);
	for (int i = 0; i < CALLERS; i++) /* they are answered all the while, and he is not */
		assert_int_equal(must_ask_last(fds[i], &reply), SIGNER_NONE);
	assert_true(recv(fds[CALLERS], answer, sizeof(answer), MSG_DONTWAIT) < 0 && errno == EAGAIN);
	close(fds[3]);
	assert_true(recv(fds[CALLERS], answer, sizeof(answer), 0) > 0);
	for (int i = 0; i <= CALLERS; i++)
		if (i != 3)
			close(fds[i]);
	must_stop_signer(stage);
	must_have_passed(stage);
}

static void nonsense_and_who_never_reads_harm_nobody(void **state)
{
	struct stage *stage = *state;
	char large[4 * SIGNER_PACKET_MAX], packet[SIGNER_PACKET_MAX];
	struct signer_reply reply;
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;

	must_make_signer_key(stage);
	must_start_signer(stage, NULL, NULL);
	const int fd = must_call(stage), deaf = must_call(stage);
	memset(large, 'x', sizeof(large));
	assert_true(ask(fd, large, sizeof(large), &reply)); /* longer than a packet: refused whole */
	assert_int_equal(reply.word, SIGNER_REFUSED);
	assert_true(ask(fd, "last", 4, &reply));
	assert_int_equal(reply.word, SIGNER_REFUSED);
	/* Asks and asks: in the end it is hung up on. */
	const size_t len = signer_put_public(packet);
	while (send(deaf, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len ||
	       errno == EAGAIN)
		if (wait_now_ms() > deadline_ms)
			must_fail("it holds on to one who never reads");
	assert_int_equal(must_sign(fd, 1).number, 1);
	close(deaf);
	close(fd);
	must_stop_signer(stage);
	must_have_passed(stage);
}

static void when_its_state_cannot_be_written_it_ends_without_an_answer(void **state)
{
	struct stage *stage = *state;
	const struct rlimit little = { SIGNER_PACKET_MAX, SIGNER_PACKET_MAX };
	struct signer_reply reply;
	char text[SEAL_TEXT_MAX], packet[SIGNER_PACKET_MAX];

	must_make_signer_key(stage);
	signal(SIGXFSZ, SIG_IGN); /* what is too large for the limit fails then, as on a full disk */
	must_start_signer(stage, NULL, NULL);
	signal(SIGXFSZ, SIG_DFL);
	int fd = must_call(stage);
	must_sign(fd, 1);
	const struct seal seal = must_know_next(fd);
	must_be(prlimit(signer_of(stage)->pid, RLIMIT_FSIZE, &little, NULL) == 0, "no limit");
	assert_false(ask(fd, packet, signer_put_sign(text, seal_write(&seal, text), packet), &reply));
	close(fd);
	assert_int_equal(must_end(signer_of(stage), WAIT_LONG_MS), 1);
	assert_int_equal(count_in(stage, "signer.err", "event=ended"), 1);
	/* What nobody heard of may become another seal. */
	must_start_signer(stage, NULL, NULL);
	fd = must_call(stage);
	assert_int_equal(must_sign(fd, 1).number, 2);
	close(fd);
	must_stop_signer(stage);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(it_signs_what_its_public_key_accepts),
		STAGE_TEST(killed_it_goes_on_with_the_next_number_and_signs_no_old_one),
		STAGE_TEST(a_second_signer_on_the_same_state_is_refused),
		STAGE_TEST(asked_to_stop_it_ends_with_zero_and_takes_its_socket_along),
		STAGE_TEST(what_cannot_be_a_start_is_told_with_its_status),
		STAGE_TEST(a_key_is_never_overwritten),
		STAGE_TEST(only_root_its_own_user_and_the_one_named_may_talk_to_it),
		STAGE_TEST(one_more_caller_than_it_serves_waits_for_his_turn),
		STAGE_TEST(nonsense_and_who_never_reads_harm_nobody),
		STAGE_TEST(when_its_state_cannot_be_written_it_ends_without_an_answer),
	};

	return cmocka_run_group_tests_name("signer", tests, NULL, NULL);
}
