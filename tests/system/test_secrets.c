/* Where keys stand in the memory of a running broker and of a client: it is looked through, as root could. */
#include "support/peer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/keyfile.h"
#include "support/probe.h"

#define READ_BYTES (1u << 20)
#define KEY_MAX 40u
#define HALF (KEYFILE_SYMMETRIC / 2) /* what is made of a key for a cipher may hold the first half of it */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true /* such a build locks nothing, and remembers what was freed */
#else
#define SANITIZED false
#endif

struct secret {
	const char *name;
	uint8_t bytes[KEY_MAX];
	size_t len;
	size_t kept, loose; /* times it stands in locked memory that is not dumped, and elsewhere */
};

struct place {
	unsigned long long from, to;
	char rights[8];
	bool locked;
};

/* The part may begin in one piece of memory that is read at once and end in the next. */
static void look_through(int memory, const struct place *place, struct secret *secrets, size_t n)
{
	uint8_t *bytes = malloc(READ_BYTES + KEY_MAX);
	size_t held = 0;

	assert_non_null(bytes);
	for (unsigned long long at = place->from; at < place->to;) {
		/* No further than the mapping: the next one may be locked, or another's. */
		const unsigned long long left = place->to - at;
		const ssize_t got = pread(memory, bytes + held, left < READ_BYTES ? left : READ_BYTES,
					  (off_t)at);

		if (got <= 0)
			break;
		at += (unsigned long long)got;
		const size_t len = held + (size_t)got;
		for (size_t i = 0; i < n; i++) {
			const uint8_t *from = bytes;

			while ((from = memmem(from, len - (size_t)(from - bytes), secrets[i].bytes,
					      secrets[i].len)) != NULL) {
				*(place->locked ? &secrets[i].kept : &secrets[i].loose) += 1;
				from++;
			}
		}
		held = len < KEY_MAX - 1 ? len : KEY_MAX - 1;
		memmove(bytes, bytes + len - held, held);
	}
	explicit_bzero(bytes, READ_BYTES + KEY_MAX);
	free(bytes);
}

/* Each mapping that can be written to. False: the kernel does not let us read there. */
static bool search(pid_t pid, struct secret *secrets, size_t n)
{
	struct place place = { .from = 0 };
	char path[64], line[512];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	const int memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	FILE *maps = fopen(path, "r");
	const bool can = memory >= 0 && maps;

	while (can && fgets(line, sizeof(line), maps)) {
		struct place next;

		if (sscanf(line, "%llx-%llx %7s ", &next.from, &next.to, next.rights) == 3)
			place = next;
		if (strncmp(line, "VmFlags:", 8) != 0 || strncmp(place.rights, "rw", 2) != 0)
			continue;
		place.locked = strstr(line, " lo") && strstr(line, " dd");
		look_through(memory, &place, secrets, n);
	}
	if (maps)
		fclose(maps);
	if (memory >= 0)
		close(memory);
	return can;
}

static void read_secrets(const struct stage *stage, struct secret secrets[3])
{
	char path[PROCESS_PATH_MAX];
	struct key_pair pair;

	secrets[0] = (struct secret){ .name = "journal.key_file", .len = HALF };
	STAGE_PATH(stage, path, "keys/journal.key");
	assert_int_equal(keyfile_read_symmetric(path, secrets[0].bytes, NULL), TTG_OK);
	secrets[1] = (struct secret){ .name = "keys.master_file", .len = HALF };
	STAGE_PATH(stage, path, "keys/master.key");
	assert_int_equal(keyfile_read_symmetric(path, secrets[1].bytes, NULL), TTG_OK);
	secrets[2] = (struct secret){ .name = "listen.key_file", .len = KEYFILE_Z85 - 1 };
	STAGE_PATH(stage, path, "keys/broker.key");
	assert_int_equal(keyfile_read_secret(path, &pair, NULL), TTG_OK);
	memcpy(secrets[2].bytes, pair.secret_z85, KEYFILE_Z85 - 1);
}

/* Everything that takes a key in hand: events sealed and opened, a verification, a reload. */
static void use_the_keys(struct stage *stage)
{
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);

	must_be(ttg_client_attach(service->client, "duty", 0) == TTG_OK, "attach");
	must_accept(stage, prison, &(struct made_wish){ 0 });
	must_get(stage, service, 1);
	json_decref(must_ask(stage, "journal", "verify", NULL));
	json_decref(must_ask(stage, "reload", NULL));
}

static void keys_of_the_broker_stand_in_locked_memory_only(void **state)
{
	struct stage *stage = *state;
	struct secret secrets[3];

	if (SANITIZED) {
		stage->done = true;
		skip();
	}
	must_start_broker(stage);
	use_the_keys(stage);
	assert_true(must_read_memory(&stage->broker, "VmLck") > 0);
	read_secrets(stage, secrets);
	if (!search(stage->broker.pid, secrets, 3)) {
		stage->done = true;
		skip(); /* nobody but root may look */
	}
	for (size_t i = 0; i < 3; i++)
		if (secrets[i].loose > 0)
			must_fail("the key of %s stands in ordinary memory, %zu times", secrets[i].name,
				  secrets[i].loose);
	/* And this looks where it says: they are there. The third is libzmq's, in a form of its own. */
	assert_true(secrets[0].kept > 0);
	assert_true(secrets[1].kept > 0);
	must_have_passed(stage);
}

/* libzmq has a form of its own of it, which is not looked for. */
static void the_key_of_a_client_stands_in_locked_memory_only(void **state)
{
	struct stage *stage = *state;
	struct secret secret = { .name = "--key", .len = KEYFILE_Z85 - 1 };
	char path[PROCESS_PATH_MAX];
	struct key_pair pair;

	if (SANITIZED) {
		stage->done = true;
		skip();
	}
	must_start_broker(stage);
	must_start_other(stage, 0, "sub", "ttg-sub", "--broker", stage->endpoint, "--server-key",
			 "keys/broker.pub", "--key", "keys/one-service.key", "--mailbox", "duty", NULL);
	must_accept(stage, must_open_peer(stage, "prison", NULL), &(struct made_wish){ 0 });
	must_see(stage, "sub.out", "prison.released"); /* it has connected and works */
	STAGE_PATH(stage, path, "keys/one-service.key");
	assert_int_equal(keyfile_read_secret(path, &pair, NULL), TTG_OK);
	memcpy(secret.bytes, pair.secret_z85, secret.len);
	if (!search(stage->others[0].pid, &secret, 1)) {
		stage->done = true;
		skip(); /* nobody but root may look */
	}
	assert_int_equal(secret.loose, 0);
	assert_true(secret.kept > 0);
	must_have_passed(stage);
}

static void the_broker_leaves_no_core(void **state)
{
	struct stage *stage = *state;
	char path[64];

	must_start_broker(stage);
	snprintf(path, sizeof(path), "/proc/%d/limits", (int)stage->broker.pid);
	char *limits = must_read_file(path, NULL);
	const char *core = strstr(limits, "Max core file size");
	unsigned long long soft = 1, hard = 1;
	assert_non_null(core);
	assert_int_equal(sscanf(core, "Max core file size %llu %llu", &soft, &hard), 2);
	assert_int_equal(soft, 0);
	assert_int_equal(hard, 0);
	free(limits);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(keys_of_the_broker_stand_in_locked_memory_only),
		STAGE_TEST(the_key_of_a_client_stands_in_locked_memory_only),
		STAGE_TEST(the_broker_leaves_no_core),
	};

	return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
