/*
 * Files on their way through the spool: what is taken, where it ends, and what is left when the
 * process dies between any two steps. The outbox is a list in memory here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "adapter_unit.h"
#include "common/job.h"
#include "prison/prison.h"
#include "support/wait.h"

#define SENT_MAX 64

/* An outbox in memory that can be full or broken. */
struct outbox {
	uint8_t ids[SENT_MAX][16];
	size_t n;
	enum ttg_error answer;  /* what it says instead of taking anything */
	size_t fine_before;     /* how many more it takes before it answers so */
	size_t too_large_bytes; /* events longer than this are refused as too large; 0: none */
};

struct play {
	const struct folder *folder;
	struct outbox outbox;
	struct counters counters;
	struct spool *spool;
	struct job_world world;
	struct job job;
	void *reader;
	char spool_dir[FOLDER_PATH];
};

static const struct prison_settings settings = { .views = PRISON_VIEW_SETTLED,
	                                         .max_vanish_count = 2,
	                                         .max_vanish_percent = 20,
	                                         .urgent_hours = 72 };

static enum ttg_error take(void *user, const struct ttg_publish_item *items, size_t n)
{
	struct outbox *outbox = user;

	for (size_t i = 0; i < n; i++) {
		if (outbox->too_large_bytes != 0 && items[i].event_bytes > outbox->too_large_bytes)
			return TTG_ELIMIT;
	}
	if (outbox->answer != TTG_OK && outbox->fine_before < n)
		return outbox->answer;
	outbox->fine_before -= outbox->answer != TTG_OK ? n : 0;
	for (size_t i = 0; i < n && outbox->n < SENT_MAX; i++)
		memcpy(outbox->ids[outbox->n++], items[i].id, 16);
	return TTG_OK;
}

static struct play *play_start(struct play *play, const struct folder *folder)
{
	static struct adapter_context context;
	struct message message = { "" };

	play->folder = folder;
	context.agency = ADAPTER_AGENCY;
	context.state_dir = folder->path;
	folder_path(folder, "spool", play->spool_dir);
	assert_int_equal(prison_kind.open(&play->reader, &context, &settings, &message), TTG_OK);
	assert_int_equal(spool_open(&play->spool, world_real(), play->spool_dir, 4096, &message),
	                 TTG_OK);
	play->world = (struct job_world){ .kind = &prison_kind,
		                          .reader = play->reader,
		                          .spool = play->spool,
		                          .outlet = { &play->outbox, take },
		                          .counters = &play->counters };
	return play;
}

/* As a kill at this point would leave things: no settling, no goodbye. */
static void play_die(struct play *play)
{
	if (play->job.active)
		job_abandon(&play->job);
	prison_kind.close(play->reader);
	spool_close(&play->spool);
}

/* A file that is old enough to be taken by a scan. */
static void put(const struct play *play, const char *name, const char *text)
{
	char path[FOLDER_PATH], in_spool[128];
	const struct timespec old[2] = { { 1730000000, 0 }, { 1730000000, 0 } };

	snprintf(in_spool, sizeof(in_spool), "spool/%s", name);
	folder_write(play->folder, in_spool, text);
	folder_path(play->folder, in_spool, path);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	spool_rescan(play->spool);
}

static bool there(const struct play *play, const char *name)
{
	char path[FOLDER_PATH], in_spool[128];

	snprintf(in_spool, sizeof(in_spool), "spool/%s", name);
	folder_path(play->folder, in_spool, path);
	return access(path, F_OK) == 0;
}

static void must_hold(const struct play *play, const char *name, const char *text)
{
	char path[FOLDER_PATH], in_spool[128], bytes[4096];
	FILE *file;
	size_t len;

	snprintf(in_spool, sizeof(in_spool), "spool/%s", name);
	folder_path(play->folder, in_spool, path);
	file = fopen(path, "re");
	must_be(file != NULL, name);
	len = fread(bytes, 1, sizeof(bytes) - 1, file);
	fclose(file);
	bytes[len] = '\0';
	if (strstr(bytes, text) == NULL)
		must_fail("%s does not hold \"%s\" but:\n%s", name, text, bytes);
}

/* Takes files until there are none. */
static void work(struct play *play)
{
	struct message message = { "" };
	enum ttg_error error;

	while ((error = job_begin(&play->job, &play->world, &message)) == TTG_OK)
		assert_int_equal(job_step(&play->job, &play->world, &message), TTG_OK);
	assert_int_equal(error, TTG_EAGAIN);
}

static const char released[] =
        "{\"eventType\":\"prison-offender-events.prisoner.released\",\"version\":1,"
        "\"occurredAt\":\"2026-10-30T09:12:00Z\",\"additionalInformation\":"
        "{\"nomsNumber\":\"A7421BQ\",\"prisonId\":\"PBI\",\"reason\":\"RELEASED\"}}\n";

#define DIARY "Prison No,Release Date,Prison\n"

static void a_good_file_ends_in_done(void **state)
{
	struct play play = { 0 };

	put(play_start(&play, *state), "a.json", released);
	work(&play);
	assert_int_equal(play.outbox.n, 1);
	assert_true(there(&play, "done/a.json"));
	assert_false(there(&play, "a.json"));
	assert_int_equal(play.counters.documents_done, 1);
	assert_int_equal(play.counters.published, 1);
	play_die(&play);
}

static void a_malformed_file_ends_in_failed_with_a_reason_that_quotes_nothing(void **state)
{
	struct play play = { 0 };

	put(play_start(&play, *state), "a.json", "{\"eventType\": \"A7421BQ");
	work(&play);
	assert_int_equal(play.outbox.n, 0);
	must_hold(&play, "failed/a.json.reason", "code=9 name=eformat line=1");
	must_hold(&play, "failed/a.json", "A7421BQ");
	assert_false(there(&play, "done/a.json.reason"));
	play_die(&play);
}

static void the_good_lines_of_a_half_good_file_are_published_and_the_bad_ones_kept(void **state)
{
	struct play play = { 0 };

	put(play_start(&play, *state), "diary.csv",
	    DIARY "A7421BQ,20/11/2030,PBI\nA7422BQ,99/11/2030,PBI\n");
	work(&play);
	assert_int_equal(play.outbox.n, 1);
	must_hold(&play, "done/diary.csv", "A7421BQ");
	must_hold(&play, "failed/diary.csv", DIARY "A7422BQ,99/11/2030,PBI\n");
	must_hold(&play, "failed/diary.csv.reason", "line=3");
	play_die(&play);
}

static void dot_files_temporary_files_links_and_folders_are_left_alone(void **state)
{
	struct play play = { 0 };
	char target[FOLDER_PATH], link[FOLDER_PATH];

	play_start(&play, *state);
	put(&play, ".hidden.json", released);
	put(&play, "a.json.tmp", released);
	put(&play, "a.json.part", released);
	folder_make(play.folder, "spool/folder.json");
	folder_write(play.folder, "outside.json", released);
	folder_path(play.folder, "outside.json", target);
	folder_path(play.folder, "spool/link.json", link);
	assert_int_equal(symlink(target, link), 0);
	assert_int_equal(mkfifo(strcat(link, ".fifo"), 0600), 0);
	work(&play);
	assert_int_equal(play.outbox.n, 0);
	assert_int_equal(play.counters.documents_taken, 0);
	assert_true(there(&play, "a.json.part"));
	assert_true(there(&play, "link.json"));
	assert_true(spool_skipped(play.spool) >= 3);
	play_die(&play);
}

static void a_file_over_the_bound_goes_to_failed_unread(void **state)
{
	struct play play = { 0 };
	char big[5000];

	memset(big, ' ', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	put(play_start(&play, *state), "big.json", big);
	put(&play, "z.json", released);
	work(&play);
	assert_int_equal(play.outbox.n, 1);
	must_hold(&play, "failed/big.json.reason", "code=10");
	assert_int_equal(play.counters.documents_failed, 1);
	play_die(&play);
}

static void a_file_that_somebody_still_writes_waits(void **state)
{
	struct play play = { 0 };
	char path[FOLDER_PATH];
	int writer;

	put(play_start(&play, *state), "a.json", released);
	folder_path(play.folder, "spool/a.json", path);
	writer = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(writer >= 0);
	work(&play);
	assert_int_equal(play.outbox.n, 0);
	assert_true(spool_wait_ms(play.spool) >= 0);
	close(writer);
	spool_rescan(play.spool);
	work(&play);
	assert_int_equal(play.outbox.n, 1);
	play_die(&play);
}

static bool notice_and_work(void *arg)
{
	struct play *play = arg;
	struct message message;

	assert_int_equal(spool_notice(play->spool, &message), TTG_OK);
	work(play);
	return play->outbox.n == 1;
}

static void a_new_file_is_noticed_without_a_scan(void **state)
{
	struct play play = { 0 };

	work(play_start(&play, *state));
	folder_write(play.folder, "spool/a.json", released);
	assert_true(wait_until(notice_and_work, &play, WAIT_LONG_MS));
	play_die(&play);
}

static void files_are_taken_in_the_order_of_their_names(void **state)
{
	struct play play = { 0 };
	struct message message = { "" };

	play_start(&play, *state);
	put(&play, "c.json", released);
	put(&play, "a.json", released);
	put(&play, "b.json", released);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(job_begin(&play.job, &play.world, &message), TTG_OK);
		assert_int_equal(play.job.file.name[0], "abc"[i]);
		assert_int_equal(job_step(&play.job, &play.world, &message), TTG_OK);
	}
	play_die(&play);
}

static bool count_name(void *arg, const char *name)
{
	(void)name;
	(*(int *)arg)++;
	return true;
}

static void the_same_name_again_overwrites_nothing(void **state)
{
	struct play play = { 0 };
	char path[FOLDER_PATH];
	int n = 0;

	put(play_start(&play, *state), "diary.csv", DIARY "A7421BQ,20/11/2030,PBI\n");
	work(&play);
	put(&play, "diary.csv", DIARY "A7421BQ,21/11/2030,PBI\n");
	work(&play);
	must_hold(&play, "done/diary.csv", "20/11/2030");
	folder_path(play.folder, "spool/done", path);
	assert_int_equal(world_real()->list(world_real()->self, path, count_name, &n), 0);
	assert_int_equal(n, 2);
	assert_false(there(&play, "diary.csv"));
	assert_int_equal(play.outbox.n, 2);
	play_die(&play);
}

static void dying_before_the_outbox_leaves_the_file(void **state)
{
	struct play play = { 0 };
	struct message message = { "" };

	put(play_start(&play, *state), "a.json", released);
	assert_int_equal(job_begin(&play.job, &play.world, &message), TTG_OK);
	play_die(&play);
	assert_true(there(&play, "a.json"));
	work(play_start(&play, *state));
	assert_int_equal(play.outbox.n, 1);
	play_die(&play);
}

static void dying_between_outbox_and_move_publishes_the_same_ids_again(void **state)
{
	struct play play = { 0 };
	struct message message = { "" };

	put(play_start(&play, *state), "d.csv",
	    DIARY "A7421BQ,20/11/2030,PBI\nA7422BQ,21/11/2030,PBI\n");
	assert_int_equal(job_begin(&play.job, &play.world, &message), TTG_OK);
	play.outbox.answer = TTG_EIO; /* after two events, at nothing more */
	play.outbox.fine_before = 2;
	for (size_t i = 0; i < play.job.intake.n_events; i++) {
		const struct intake_event *event = &play.job.intake.events[i];
		const struct ttg_publish_item item = { event->id, event->bytes, event->len, NULL };

		assert_int_equal(take(&play.outbox, &item, 1), TTG_OK);
	}
	play_die(&play); /* durable, but neither state nor file settled */
	assert_true(there(&play, "d.csv"));
	play.outbox.answer = TTG_OK;
	work(play_start(&play, *state));
	assert_int_equal(play.outbox.n, 4);
	assert_memory_equal(play.outbox.ids[0], play.outbox.ids[2], 16);
	assert_memory_equal(play.outbox.ids[1], play.outbox.ids[3], 16);
	assert_true(there(&play, "done/d.csv"));
	play_die(&play);
}

static void dying_between_state_and_move_publishes_nothing_twice(void **state)
{
	struct play play = { 0 };
	struct message message = { "" };

	put(play_start(&play, *state), "d.csv", DIARY "A7421BQ,20/11/2030,PBI\n");
	assert_int_equal(job_begin(&play.job, &play.world, &message), TTG_OK);
	assert_int_equal(prison_kind.settle(play.reader, true, &message), TTG_OK);
	play_die(&play);
	work(play_start(&play, *state));
	assert_int_equal(play.outbox.n, 0); /* it was durable before, and the state knows */
	assert_true(there(&play, "done/d.csv"));
	play_die(&play);
}

static void a_full_outbox_keeps_the_file_until_there_is_room(void **state)
{
	struct play play = { 0 };
	struct message message = { "" };

	put(play_start(&play, *state), "a.json", released);
	play.outbox.answer = TTG_ENOSPC;
	assert_int_equal(job_begin(&play.job, &play.world, &message), TTG_OK);
	assert_int_equal(job_step(&play.job, &play.world, &message), TTG_EAGAIN);
	assert_true(there(&play, "a.json"));
	play.outbox.answer = TTG_OK;
	assert_int_equal(job_step(&play.job, &play.world, &message), TTG_OK);
	assert_true(there(&play, "done/a.json"));
	play_die(&play);
}

static void a_broken_outbox_ends_the_work_and_keeps_the_file(void **state)
{
	struct play play = { 0 };
	struct message message = { "" };

	put(play_start(&play, *state), "a.json", released);
	play.outbox.answer = TTG_EIO;
	assert_int_equal(job_begin(&play.job, &play.world, &message), TTG_OK);
	assert_int_equal(job_step(&play.job, &play.world, &message), TTG_EIO);
	play_die(&play);
	assert_true(there(&play, "a.json"));
}

static void an_event_that_is_too_large_does_not_hold_up_the_others(void **state)
{
	struct play play = { 0 };
	char text[1600], gate[240];

	memset(gate, 'g', sizeof(gate) - 1);
	gate[sizeof(gate) - 1] = '\0';
	snprintf(text, sizeof(text),
	         "Prison No,Release Date,Prison,Gate\nA7421BQ,20/11/2030,PBI,%s\n"
	         "A7422BQ,21/11/2030,PBI,Main\n",
	         gate);
	put(play_start(&play, *state), "d.csv", text);
	play.outbox.too_large_bytes = 240;
	work(&play);
	assert_int_equal(play.outbox.n, 1);
	must_hold(&play, "failed/d.csv.reason", "code=10");
	assert_true(there(&play, "failed/d.csv"));
	play_die(&play);
}

static void old_files_of_done_are_deleted_and_no_others(void **state)
{
	struct play play = { 0 };

	put(play_start(&play, *state), "a.json", released);
	work(&play);
	spool_prune(play.spool, 0);
	assert_true(there(&play, "done/a.json"));
	put(&play, "b.json", "nothing");
	spool_prune(play.spool, INT64_MAX);
	assert_false(there(&play, "done/a.json"));
	assert_true(there(&play, "b.json"));
	play_die(&play);
}

static void a_request_is_all_or_nothing(void **state)
{
	struct play play = { 0 };
	struct message message = { "" };
	uint64_t events = 0, ignored = 0;
	enum ttg_error code = TTG_OK;
	char text[1024];
	struct document document = { .name = "",
		                     .form = DOCUMENT_JSON,
		                     .seen_ns = instant_of(ADAPTER_SEEN) };

	play_start(&play, *state);
	snprintf(text, sizeof(text), "%s{\"broken\":", released);
	document.bytes = text;
	document.len = strlen(text);
	assert_int_equal(job_post(&play.world, &document, &events, &ignored, &code, &message), 400);
	assert_int_equal(play.outbox.n, 0);
	document.bytes = released;
	document.len = strlen(released);
	play.outbox.answer = TTG_ENOSPC;
	assert_int_equal(job_post(&play.world, &document, &events, &ignored, &code, &message), 429);
	play.outbox.answer = TTG_EAGAIN;
	assert_int_equal(job_post(&play.world, &document, &events, &ignored, &code, &message), 503);
	play.outbox.answer = TTG_OK;
	assert_int_equal(job_post(&play.world, &document, &events, &ignored, &code, &message), 202);
	assert_int_equal(play.outbox.n, 1);
	assert_int_equal(events, 1);
	play_die(&play);
}

#define SPOOL_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(a_good_file_ends_in_done),
		SPOOL_TEST(a_malformed_file_ends_in_failed_with_a_reason_that_quotes_nothing),
		SPOOL_TEST(the_good_lines_of_a_half_good_file_are_published_and_the_bad_ones_kept),
		SPOOL_TEST(dot_files_temporary_files_links_and_folders_are_left_alone),
		SPOOL_TEST(a_file_over_the_bound_goes_to_failed_unread),
		SPOOL_TEST(a_file_that_somebody_still_writes_waits),
		SPOOL_TEST(a_new_file_is_noticed_without_a_scan),
		SPOOL_TEST(files_are_taken_in_the_order_of_their_names),
		SPOOL_TEST(the_same_name_again_overwrites_nothing),
		SPOOL_TEST(dying_before_the_outbox_leaves_the_file),
		SPOOL_TEST(dying_between_outbox_and_move_publishes_the_same_ids_again),
		SPOOL_TEST(dying_between_state_and_move_publishes_nothing_twice),
		SPOOL_TEST(a_full_outbox_keeps_the_file_until_there_is_room),
		SPOOL_TEST(a_broken_outbox_ends_the_work_and_keeps_the_file),
		SPOOL_TEST(an_event_that_is_too_large_does_not_hold_up_the_others),
		SPOOL_TEST(old_files_of_done_are_deleted_and_no_others),
		SPOOL_TEST(a_request_is_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
