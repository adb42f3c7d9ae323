/*
 * What the journal keeps: by size, by age, and always what a mailbox has not acknowledged. Every
 * test looks at the files themselves, at ttgctl journal verify, and at what a restart delivers.
 */
#include "support/peer.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "support/http.h"
#include "support/wait.h"

#define DUTY "one-service/duty"
#define INBOX "probation/inbox"
#define LARGE_BYTES 40000
#define BY_SIZE "\tretain_bytes = 3145728L;\n\tretain_every_s = 1;\n"
#define BY_AGE "\tretain_s = 2;\n\tretain_every_s = 1;\n"

static bool is_oldest_gone(void *arg)
{
	const struct stage *stage = arg;
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "journal/seg-0000000000000001.ttj");
	return access(path, F_OK) != 0;
}

static int count_segments(const struct stage *stage)
{
	char path[PROCESS_PATH_MAX];
	int n = 0;

	STAGE_PATH(stage, path, "journal");
	DIR *folder = opendir(path);
	must_be(folder != NULL, "no journal");
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		n += strncmp(entry->d_name, "seg-", 4) == 0;
	closedir(folder);
	return n;
}

static bool is_small(void *arg)
{
	return is_oldest_gone(arg) && count_segments(arg) <= 4;
}

/* Of the police, for the duty desk only; of the prison, for the probation service too. */
static void publish(struct stage *stage, struct peer *peer, const char *type, uint32_t first,
		    uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++)
		must_accept(stage, peer, &(struct made_wish){ .type = type, .number = i,
							      .padding_bytes = LARGE_BYTES });
}

static bool is_held_back(void *arg)
{
	return count_in(arg, "ttgd.err", "event=retention_held_back") > 0;
}

static void must_verify(struct stage *stage)
{
	struct ran ran = must_run(stage, "ttgctl", "journal", "verify", "--directory", "journal",
				  "--key", "keys/journal.key", NULL);

	if (ran.code != 0)
		must_fail("journal verify: %s%s", ran.out, ran.err);
	ran_free(&ran);
}

static void must_restart(struct stage *stage)
{
	assert_int_equal(must_stop_broker(stage), 0);
	must_verify(stage);
	must_start_broker(stage);
}

static void acknowledged_events_go_when_the_journal_is_larger_than_it_should_be(void **state)
{
	struct stage *stage = *state;

	snprintf(stage->journal, sizeof(stage->journal), BY_SIZE);
	must_start_broker(stage);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	publish(stage, police, "police.arrest", 1, 160); /* more than six segments */
	must_get(stage, service, 160);
	must_settle(stage, DUTY, "queued", 0);
	must_be(peers_wait(stage, is_small, stage, WAIT_LONG_MS), "old segments stay");
	must_see(stage, "ttgd.err", "event=retained");
	json_decref(must_ask(stage, "journal", "verify", NULL));
	must_restart(stage);
	publish(stage, police, "police.arrest", 161, 1);
	must_get(stage, service, 161);
	assert_int_equal(made_number(service->got[160].id), 161);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 0);
	must_have_passed(stage);
}

static void what_a_mailbox_has_not_acknowledged_stays_however_large_the_journal_is(void **state)
{
	struct stage *stage = *state;

	snprintf(stage->journal, sizeof(stage->journal), BY_SIZE);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	publish(stage, prison, "prison.released", 1, 10); /* the probation service is away */
	publish(stage, police, "police.arrest", 11, 150);
	must_get(stage, service, 160);
	must_settle(stage, DUTY, "queued", 0);
	must_be(peers_wait(stage, is_held_back, stage, WAIT_LONG_MS), "nothing is held back");
	must_restart(stage); /* looks at once */
	must_accept(stage, prison, &(struct made_wish){ .number = 161 });
	assert_false(is_oldest_gone(stage));
	assert_true(count_segments(stage) > 6);

	/* Back, it gets all of them in order, and then they go. */
	struct peer *probation = must_open_peer(stage, "probation", NULL);
	must_attach(stage, probation, "inbox");
	must_get(stage, probation, 11);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(made_number(probation->got[i].id), i + 1);
	assert_int_equal(made_number(probation->got[10].id), 161);
	must_be(peers_wait(stage, is_oldest_gone, stage, WAIT_LONG_MS), "the oldest segment stays");
	must_restart(stage);
	assert_int_equal(must_ask_mailbox(stage, INBOX, "queued"), 0);
	must_have_passed(stage);
}

static void acknowledged_events_go_by_age_and_others_do_not(void **state)
{
	struct stage *stage = *state;
	int64_t began_ms = wait_now_ms();

	snprintf(stage->journal, sizeof(stage->journal), BY_AGE);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	publish(stage, police, "police.arrest", 1, 60);
	must_get(stage, service, 60);
	must_be(peers_wait(stage, is_oldest_gone, stage, WAIT_LONG_MS), "the oldest segment stays");
	assert_true(wait_now_ms() - began_ms >= 2000);
	publish(stage, prison, "prison.released", 61, 1); /* the probation service is away */
	publish(stage, police, "police.arrest", 62, 60);
	must_get(stage, service, 121);
	must_be(peers_wait(stage, is_held_back, stage, WAIT_LONG_MS), "nothing is held back");
	must_restart(stage);
	struct peer *probation = must_open_peer(stage, "probation", NULL);
	must_attach(stage, probation, "inbox");
	must_get(stage, probation, 1);
	assert_int_equal(made_number(probation->got[0].id), 61);
	must_restart(stage);
	assert_int_equal(must_ask_mailbox(stage, INBOX, "queued"), 0);
	must_have_passed(stage);
}

/* The probation service is told in its mailbox what it lost. */
static void grant_notices(struct stage *stage)
{
	stage->more_grants = "{ mailbox = \"probation/inbox\"; from = [ \"broker\" ];\n"
			     "\t\t  types = [ \"broker.deliveries_given_up\" ]; }";
	must_write_agreement(stage);
}

static int64_t must_give_up(struct stage *stage, uint64_t below)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)below);
	json_t *items = must_ask(stage, "give-up", text, "--yes", NULL);
	int64_t n = json_integer_value(json_object_get(json_array_get(items, 0), "given_up"));
	json_decref(items);
	return n;
}

static void what_the_operator_gives_up_goes_and_its_recipient_is_told(void **state)
{
	struct stage *stage = *state;

	grant_notices(stage);
	snprintf(stage->journal, sizeof(stage->journal), BY_SIZE);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	publish(stage, prison, "prison.released", 1, 10); /* the probation service is away */
	uint64_t below = must_accept(stage, police, &(struct made_wish){ .type = "police.arrest",
									 .number = 11 });
	publish(stage, police, "police.arrest", 12, 149);
	must_get(stage, service, 160);
	must_be(peers_wait(stage, is_held_back, stage, WAIT_LONG_MS), "nothing is held back");
	assert_false(is_oldest_gone(stage));
	assert_int_equal(must_give_up(stage, below), 10);
	assert_true(must_read_metric(stage->http_port, "ttgd_given_up_total") == 10);
	must_see(stage, "ttgd.err", "event=given_up below=");
	must_see(stage, "ttgd.err", "event=deliveries_given_up mailbox=" INBOX);
	assert_int_equal(count_in(stage, "ttgd.err", "event=deliveries_given_up mailbox=" DUTY), 0);
	must_be(peers_wait(stage, is_small, stage, WAIT_LONG_MS), "what was given up stays");
	must_accept(stage, prison, &(struct made_wish){ .number = 161 });
	must_restart(stage);

	struct peer *probation = must_open_peer(stage, "probation", NULL);
	must_attach(stage, probation, "inbox");
	must_get(stage, probation, 2);
	assert_string_equal(probation->got[0].type, "broker.deliveries_given_up");
	assert_string_equal(probation->got[0].source, "broker");
	assert_int_equal(probation->got[0].position, 11);
	assert_int_equal(made_number(probation->got[1].id), 161);
	must_settle(stage, INBOX, "queued", 0);
	must_get(stage, service, 161);
	must_restart(stage);
	must_have_passed(stage);
}

static bool is_refused(void *arg)
{
	const struct stage *stage = arg;

	return must_read_metric(stage->http_port,
				"ttgd_events_refused_total{code=\"refused_storage\"}") >= 1;
}

static void giving_up_makes_room_in_a_full_journal_and_is_told_there_too(void **state)
{
	struct stage *stage = *state;
	uint32_t sent = 0;

	grant_notices(stage);
	snprintf(stage->journal, sizeof(stage->journal),
		 "\tmax_bytes = 4194304L;\n\tretain_bytes = 1048576L;\n\tretain_every_s = 1;\n");
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", "outbox");
	while (!is_refused(stage)) { /* nobody collects */
		struct made made = must_make(&(struct made_wish){ .padding_bytes = LARGE_BYTES,
								  .number = ++sent });
		assert_int_equal(ttg_client_publish(prison->client, made.id, made.bytes, made.len,
						    NULL), TTG_OK);
		made_free(&made);
		peers_poll(stage);
	}
	assert_true(must_give_up(stage, 1000000000) > 100);
	must_be(peers_wait(stage, is_oldest_gone, stage, WAIT_LONG_MS), "what was given up stays");
	struct peer *probation = must_open_peer(stage, "probation", NULL);
	must_attach(stage, probation, "inbox");
	must_get(stage, probation, 2); /* what was refused for now came by itself */
	assert_string_equal(probation->got[0].type, "broker.deliveries_given_up");
	assert_int_equal(count_in(stage, "ttgd.err", "event=give_up_untold"), 0);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(acknowledged_events_go_when_the_journal_is_larger_than_it_should_be),
		STAGE_TEST(what_a_mailbox_has_not_acknowledged_stays_however_large_the_journal_is),
		STAGE_TEST(acknowledged_events_go_by_age_and_others_do_not),
		STAGE_TEST(what_the_operator_gives_up_goes_and_its_recipient_is_told),
		STAGE_TEST(giving_up_makes_room_in_a_full_journal_and_is_told_there_too),
	};

	return cmocka_run_group_tests_name("retain", tests, NULL, NULL);
}
