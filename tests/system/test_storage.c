/*
 * The journal from outside: its configured share of the disk is full, it is damaged. Nothing that
 * was accepted is ever lost, and every no has its code.
 */
#include "support/peer.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "support/http.h"
#include "support/wait.h"

#define DUTY "one-service/duty"
#define LARGE_BYTES 40000
#define STORAGE "ttgd_events_refused_total{code=\"refused_storage\"}"

/* Publishes large events until the broker has no room: how many were sent. */
static uint32_t fill_up(struct stage *stage, struct peer *police)
{
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;
	uint32_t sent = 0;

	while (must_read_metric(stage->http_port, STORAGE) < 1) {
		struct made made = must_make(&(struct made_wish){ .type = "police.arrest",
								  .padding_bytes = LARGE_BYTES,
								  .number = sent + 1 });
		enum ttg_error error = ttg_client_publish(police->client, made.id, made.bytes,
							  made.len, NULL);
		made_free(&made);
		if (error == TTG_OK)
			sent++;
		peers_poll(stage);
		must_be(wait_now_ms() < deadline_ms, "the journal does not fill up");
	}
	return sent;
}

static bool is_logged(void *arg)
{
	return count_in(arg, "ttgd.err", "code=refused_storage number=112") > 0;
}

static bool is_refused(void *arg)
{
	const struct stage *stage = arg;

	return must_read_metric(stage->http_port, STORAGE) >= 1;
}

static void a_full_journal_refuses_for_now_and_loses_nothing(void **state)
{
	struct stage *stage = *state;

	snprintf(stage->journal, sizeof(stage->journal),
		 "\tmax_bytes = 6291456L;\n\tbuffer_bytes = 2097152L;\n");
	must_start_broker(stage);
	struct peer *police = must_open_peer(stage, "police", "outbox");
	uint32_t sent = fill_up(stage, police);
	assert_true(sent > 20);
	/* Told in the log too; other refusals may have used up the log's quota of this second. */
	must_be(peers_wait(stage, is_logged, stage, WAIT_LONG_MS), "the refusal is not logged");
	assert_true(process_running(&stage->broker));
	for (size_t i = 0; i < police->n_outcomes; i++) /* nobody was told a final no */
		assert_int_equal(police->outcomes[i].code, TTG_OK);
	assert_true(police->n_outcomes < sent);

	/* Consumers go on: what they acknowledge is still written down. */
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_get(stage, service, police->n_outcomes);
	must_settle(stage, DUTY, "queued", 0);

	/* With room again, everything goes through by itself. */
	assert_int_equal(must_stop_broker(stage), 0);
	stage->journal[0] = '\0';
	must_start_broker(stage);
	must_get(stage, service, sent);
	for (uint32_t i = 0; i < sent; i++)
		assert_int_equal(made_number(service->got[i].id), i + 1);
	must_have_passed(stage);
}

/* Bytes of all segments as the file system has them. */
static int64_t segments_bytes(const struct stage *stage)
{
	char path[PROCESS_PATH_MAX];
	int64_t sum = 0;

	STAGE_PATH(stage, path, "journal");
	DIR *folder = opendir(path);
	must_be(folder != NULL, "no journal");
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		struct stat about;

		if (strncmp(entry->d_name, "seg-", 4) == 0 &&
		    fstatat(dirfd(folder), entry->d_name, &about, 0) == 0)
			sum += about.st_size;
	}
	closedir(folder);
	return sum;
}

static void a_full_journal_starts_with_changed_rules_after_every_crash(void **state)
{
	static const char *const ends[] = { "2099-01-02", "2099-01-03", "2099-01-04", "2099-01-05" };
	struct stage *stage = *state;
	const char *limit = "\tmax_bytes = 2097152L;\n\tbuffer_bytes = 2097152L;\n";

	snprintf(stage->journal, sizeof(stage->journal), "%s", limit);
	must_start_broker(stage);
	struct peer *police = must_open_peer(stage, "police", "outbox");
	uint32_t sent = fill_up(stage, police);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		must_signal(&stage->broker, SIGKILL);
		must_end(&stage->broker, WAIT_LONG_MS);
		stage->valid_to = ends[i];
		must_write_agreement(stage);
		must_start_broker(stage);
		/* Only the segment that is being written is as long as it was allocated. */
		assert_true(segments_bytes(stage) <= 2097152 + 1048576);
	}
	/* Events have no room still; what is acknowledged has. */
	must_be(peers_wait(stage, is_refused, stage, WAIT_LONG_MS), "nothing is refused");
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_get(stage, service, police->n_outcomes);
	must_settle(stage, DUTY, "queued", 0);
	stage->journal[0] = '\0';
	assert_int_equal(must_stop_broker(stage), 0);
	must_start_broker(stage);
	must_get(stage, service, sent);
	for (uint32_t i = 0; i < sent; i++)
		assert_int_equal(made_number(service->got[i].id), i + 1);
	must_have_passed(stage);
}

static void a_start_without_room_for_changed_rules_says_which_limit_and_what_to_do(void **state)
{
	struct stage *stage = *state;
	char in_use[64];

	snprintf(stage->journal, sizeof(stage->journal), "\tmax_bytes = 8388608L;\n");
	must_start_broker(stage);
	struct peer *police = must_open_peer(stage, "police", "outbox");
	uint32_t sent = fill_up(stage, police);
	assert_int_equal(must_stop_broker(stage), 0);
	snprintf(in_use, sizeof(in_use), "%lld bytes are in use, a segment of 1048576 is needed",
		 (long long)segments_bytes(stage));
	snprintf(stage->journal, sizeof(stage->journal), "\tmax_bytes = 2097152L;\n");
	stage->valid_to = "2098-01-01";
	must_write_agreement(stage);
	must_write_configuration(stage);
	must_launch_broker(stage);
	assert_int_equal(must_end(&stage->broker, WAIT_LONG_MS), 1);
	must_see(stage, "ttgd.err", "event=ended code=enospc");
	must_see(stage, "ttgd.err", "no room below journal.max_bytes, 2097152");
	must_see(stage, "ttgd.err", in_use);
	must_see(stage, "ttgd.err", "raise journal.max_bytes");

	/* The rules it knows need no room; others are refused while it runs, too. */
	stage->valid_to = NULL;
	must_write_agreement(stage);
	must_start_broker(stage);
	stage->valid_to = "2096-01-01";
	must_write_agreement(stage);
	struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "reload", NULL);
	assert_int_equal(ran.code, 1);
	if (!strstr(ran.out, "raise journal.max_bytes") && !strstr(ran.err, "raise journal.max_bytes"))
		must_fail("the reload does not say why: %s%s", ran.out, ran.err);
	ran_free(&ran);
	assert_int_equal(must_stop_broker(stage), 0);

	/* With room again nothing is lost. */
	stage->journal[0] = '\0';
	must_start_broker(stage);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_get(stage, service, sent);
	must_have_passed(stage);
}

/* The largest file below journal/. */
static void find_segment(const struct stage *stage, char name[256])
{
	char path[PROCESS_PATH_MAX];
	off_t largest = -1;

	STAGE_PATH(stage, path, "journal");
	DIR *folder = opendir(path);
	must_be(folder != NULL, "no journal");
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		struct stat about;

		if (fstatat(dirfd(folder), entry->d_name, &about, 0) == 0 &&
		    S_ISREG(about.st_mode) && about.st_size > largest) {
			largest = about.st_size;
			snprintf(name, 256, "%s", entry->d_name);
		}
	}
	closedir(folder);
	must_be(largest > 0, "an empty journal");
}

static void damage_is_named_by_file_and_place_and_the_daemon_does_not_start(void **state)
{
	struct stage *stage = *state;
	char name[256], file[sizeof(name) + sizeof("journal/")];

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	for (uint32_t i = 1; i <= 50; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	json_decref(must_ask(stage, "journal", "verify", NULL));
	assert_int_equal(must_stop_broker(stage), 0);
	struct ran ran = must_run(stage, "ttgctl", "journal", "verify", "--directory", "journal",
				  "--key", "keys/journal.key", NULL);
	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	find_segment(stage, name);
	snprintf(file, sizeof(file), "journal/%s", name);
	must_flip(stage, file, 3 * 4096 + 200); /* inside a batch, well before the tail */

	ran = must_run(stage, "ttgctl", "journal", "verify", "--directory", "journal", "--key",
		       "keys/journal.key", NULL);
	assert_int_equal(ran.code, 1);
	if (!strstr(ran.err, name) && !strstr(ran.out, name))
		must_fail("the damaged file is not named: %s%s", ran.out, ran.err);
	ran_free(&ran);
	must_launch_broker(stage);
	assert_int_equal(must_end(&stage->broker, WAIT_LONG_MS), 5);
	must_see(stage, "ttgd.err", name);

	/* Nothing was cut off or repaired behind the operator's back: put back, all is there. */
	must_flip(stage, file, 3 * 4096 + 200);
	must_start_broker(stage);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 50);
	must_have_passed(stage);
}

static void another_journal_key_is_refused_and_spoils_nothing(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	assert_int_equal(must_stop_broker(stage), 0);
	struct ran ran = must_run(stage, "ttgctl", "keygen", "--journal", "keys/other", NULL);
	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	char right[PROCESS_PATH_MAX], kept[PROCESS_PATH_MAX], other[PROCESS_PATH_MAX];
	STAGE_PATH(stage, right, "keys/journal.key");
	STAGE_PATH(stage, kept, "keys/kept.key");
	STAGE_PATH(stage, other, "keys/other.key");
	must_be(rename(right, kept) == 0 && rename(other, right) == 0, "rename");
	must_launch_broker(stage);
	assert_int_equal(must_end(&stage->broker, WAIT_LONG_MS), 3);
	must_see(stage, "ttgd.err", "key");
	must_be(rename(kept, right) == 0, "rename");
	must_start_broker(stage);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 1);
	must_have_passed(stage);
}

static void no_event_can_be_read_in_the_journals_files(void **state)
{
	struct stage *stage = *state;
	char name[256], path[PROCESS_PATH_MAX + 256];
	size_t len = 0;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ .noms = "Z9876YX", .area = "Quuxtown" });
	assert_int_equal(must_stop_broker(stage), 0);
	find_segment(stage, name);
	snprintf(path, sizeof(path), "%s/journal/%s", stage->directory, name);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	char *bytes = malloc(1 << 20);
	assert_non_null(bytes);
	len = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	assert_true(len > 4096);
	assert_null(memmem(bytes, len, "Z9876YX", 7));
	assert_null(memmem(bytes, len, "Quuxtown", 8));
	free(bytes);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_full_journal_refuses_for_now_and_loses_nothing),
		STAGE_TEST(a_full_journal_starts_with_changed_rules_after_every_crash),
		STAGE_TEST(a_start_without_room_for_changed_rules_says_which_limit_and_what_to_do),
		STAGE_TEST(damage_is_named_by_file_and_place_and_the_daemon_does_not_start),
		STAGE_TEST(another_journal_key_is_refused_and_spoils_nothing),
		STAGE_TEST(no_event_can_be_read_in_the_journals_files),
	};

	return cmocka_run_group_tests_name("storage", tests, NULL, NULL);
}
