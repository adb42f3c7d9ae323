/*
 * A disk that is really full: the journal lies on a small tmpfs in a mount namespace of this process,
 * which nobody else sees and which goes with it. Where that is not permitted the first test falls back
 * to a quota by configuration, and the second is skipped; which was run is printed.
 */
#include "support/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "support/http.h"
#include "support/wait.h"

#define DISK_BYTES "50331648"
#define LEAVE_BYTES (21 << 20) /* 16 MiB of the disk are for acknowledgements */
#define LARGE_BYTES 40000
#define STORAGE "ttgd_events_refused_total{code=\"refused_storage\"}"

static bool may_mount; /* decided once, before any thread is there */

/* A namespace of our own; as somebody else than root, with a user namespace that has one. */
static bool make_namespace(void)
{
	if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return false;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* The journal's folder becomes a small disk. */
static bool make_disk(struct stage *stage)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "journal");
	if (!may_mount || (mkdir(path, 0700) != 0 && errno != EEXIST))
		return false;
	return mount("tmpfs", path, "tmpfs", 0, "size=" DISK_BYTES ",mode=0700") == 0;
}

static void remove_disk(struct stage *stage)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "journal");
	must_be(umount2(path, MNT_DETACH) == 0, "umount");
}

/* Somebody else fills the disk but for so many bytes. */
static void fill_disk(struct stage *stage, uint64_t leave)
{
	char path[PROCESS_PATH_MAX], folder[PROCESS_PATH_MAX];
	struct statvfs about;

	STAGE_PATH(stage, folder, "journal");
	STAGE_PATH(stage, path, "journal/other");
	must_be(statvfs(folder, &about) == 0, "statvfs");
	const uint64_t left = (uint64_t)about.f_bavail * about.f_frsize;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	must_be(fd >= 0, "a file of somebody else");
	if (left > leave)
		must_be(posix_fallocate(fd, 0, (off_t)(left - leave)) == 0, "fill");
	close(fd);
}

static void free_disk(struct stage *stage)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "journal/other");
	must_be(unlink(path) == 0, "unlink");
}

static bool publish_large(struct peer *police, uint32_t number)
{
	struct made made = must_make(&(struct made_wish){
		.type = "police.arrest", .number = number, .padding_bytes = LARGE_BYTES });
	enum ttg_error error =
		ttg_client_publish(police->client, made.id, made.bytes, made.len, NULL);
	made_free(&made);
	return error == TTG_OK;
}

static uint32_t publish_until_refused(struct stage *stage, struct peer *police)
{
	int64_t deadline_ms = wait_now_ms() + 3 * WAIT_LONG_MS;
	uint32_t sent = 0;

	while (must_read_metric(stage->http_port, STORAGE) < 1) {
		if (publish_large(police, sent + 1))
			sent++;
		peers_poll(stage);
		must_be(wait_now_ms() < deadline_ms, "the disk does not fill up");
	}
	return sent;
}

static void must_all_arrive(struct stage *stage, struct peer *police, struct peer *service,
			    uint32_t sent)
{
	must_get(stage, service, sent);
	for (uint32_t i = 0; i < sent; i++)
		assert_int_equal(made_number(service->got[i].id), i + 1);
	for (size_t i = 0; i < police->n_outcomes; i++)
		assert_int_equal(police->outcomes[i].code, TTG_OK);
}

static void a_full_disk_refuses_for_now_and_goes_on_when_room_comes_back(void **state)
{
	struct stage *stage = *state;
	const bool disk = make_disk(stage);

	if (disk)
		snprintf(stage->journal, sizeof(stage->journal), "\tbuffer_bytes = 2097152L;\n");
	else
		snprintf(stage->journal, sizeof(stage->journal),
			 "\tmax_bytes = 6291456L;\n\tbuffer_bytes = 2097152L;\n");
	print_message("%s\n", disk ? "a tmpfs of " DISK_BYTES " bytes" : "a quota: no mount allowed");
	must_start_broker(stage);
	if (disk)
		fill_disk(stage, LEAVE_BYTES);
	struct peer *police = must_open_peer(stage, "police", "outbox");
	const uint32_t sent = publish_until_refused(stage, police);
	const size_t accepted = police->n_outcomes;
	assert_true(sent > 20 && accepted < sent);
	assert_true(process_running(&stage->broker));

	/* What was accepted is delivered, and its acknowledgement written down, on the full disk. */
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_get(stage, service, police->n_outcomes);
	if (disk) {
		free_disk(stage);
	} else {
		assert_int_equal(must_stop_broker(stage), 0);
		stage->journal[0] = '\0';
		must_start_broker(stage);
	}
	must_all_arrive(stage, police, service, sent);
	tell_figures("disk=%s accepted_before=%zu events=%u lost=0", disk ? "tmpfs" : "quota",
		     accepted, (unsigned)sent);
	json_decref(must_ask(stage, "journal", "verify", NULL));
	must_have_passed(stage);
	if (disk)
		remove_disk(stage);
}

/* Something else takes the last byte at once, so no segment can be made: the daemon may have to end. */
static void a_disk_that_fills_up_behind_the_daemons_back_loses_nothing_accepted(void **state)
{
	struct stage *stage = *state;
	uint32_t sent = 0;

	if (!make_disk(stage)) {
		stage->done = true;
		skip();
	}
	snprintf(stage->journal, sizeof(stage->journal), "\tbuffer_bytes = 2097152L;\n");
	must_start_broker(stage);
	struct peer *police = must_open_peer(stage, "police", "outbox");
	must_accept(stage, police, &(struct made_wish){ .type = "police.arrest", .number = 1 });
	fill_disk(stage, 0);
	for (sent = 1; sent < 120;) {
		must_be(publish_large(police, sent + 1), "the outbox takes it");
		sent++;
		peers_poll(stage);
	}
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;
	while (process_running(&stage->broker) &&
	       must_read_metric(stage->http_port, STORAGE) < 1) {
		peers_poll(stage);
		must_be(wait_now_ms() < deadline_ms, "a full disk goes unnoticed");
	}
	const bool ended = !process_running(&stage->broker);
	print_message("the daemon %s\n", ended ? "ended, as it says" : "refused and went on");
	if (ended)
		must_see(stage, "ttgd.err", "event=failed");
	free_disk(stage);
	if (ended)
		must_start_broker(stage);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_all_arrive(stage, police, service, sent);
	must_have_passed(stage);
	remove_disk(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_full_disk_refuses_for_now_and_goes_on_when_room_comes_back),
		STAGE_TEST(a_disk_that_fills_up_behind_the_daemons_back_loses_nothing_accepted),
	};

	may_mount = make_namespace();
	return cmocka_run_group_tests_name("full", tests, NULL, NULL);
}
