/*
 * SIGKILL at random moments during a publish stream, many times in a row: every event that was
 * accepted is delivered to every mailbox, in order per person, without a gap, and nothing that was
 * told to the publisher is taken back.
 *
 * TTG_SEED repeats a run, TTG_KILLS sets how many (50).
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "support/wait.h"

#define KILLS 50
#define PERSONS 13
#define IN_FLIGHT 100        /* unanswered events at most: the stream never waits for one answer */
#define LIFE_MAX_MS 60       /* of one life after its first answer */
#define EVENTS_MAX 1000000 /* more than 200 lives can say: without one left there is no answer */
#define RECEIVERS 2

struct story {
	struct stage *stage;
	unsigned seed;
	uint32_t published;           /* numbers 1 to this */
	uint32_t answered;
	uint64_t sequence[EVENTS_MAX + 1]; /* by number, 0: not accepted yet */
	struct peer *prison;
	struct peer *receivers[RECEIVERS];
};

static uint32_t person_of(uint32_t number)
{
	return number * 2654435761u % PERSONS;
}

/* Own generator: the same seed gives the same run everywhere. */
static uint32_t draw(struct story *story, uint32_t below)
{
	story->seed = story->seed * 1103515245u + 12345u;
	return (story->seed >> 8) % below;
}

static void publish_one(struct story *story)
{
	char noms[16];
	uint32_t number = story->published + 1;

	snprintf(noms, sizeof(noms), "K%04uAA", (unsigned)person_of(number));
	struct made made = must_make(&(struct made_wish){ .noms = noms, .number = number });
	enum ttg_error error = ttg_client_publish(story->prison->client, made.id, made.bytes,
						  made.len, NULL);
	made_free(&made);
	if (error == TTG_EAGAIN)
		return;
	must_be(error == TTG_OK, "publish");
	story->published = number;
}

/* Notes new answers: each event is accepted once, and never under another sequence. */
static void take_answers(struct story *story)
{
	for (; story->answered < story->prison->n_outcomes; story->answered++) {
		const struct peer_outcome *outcome = &story->prison->outcomes[story->answered];
		uint32_t number = made_number(outcome->id);

		if (outcome->code != TTG_OK)
			must_fail("event %u was refused: %s", (unsigned)number, outcome->text);
		must_be(number >= 1 && number <= story->published, "an answer about no event");
		must_be(story->sequence[number] == 0, "two answers about one event");
		story->sequence[number] = outcome->sequence;
	}
}

static void play(struct story *story)
{
	while (story->published - story->answered < IN_FLIGHT && story->published < EVENTS_MAX)
		publish_one(story);
	peers_poll(story->stage);
	take_answers(story);
}

/* One life of the broker, ended at a random moment in the middle of its work. */
static void live_and_die(struct story *story)
{
	uint32_t before = story->answered;
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;

	must_launch_broker(story->stage);
	while (story->answered == before) {
		must_be(wait_now_ms() < deadline_ms, "no answer after a restart");
		must_be(process_running(&story->stage->broker), "the broker does not start again");
		play(story);
	}
	int64_t end_ms = wait_now_ms() + draw(story, LIFE_MAX_MS);
	while (wait_now_ms() < end_ms)
		play(story);
	process_kill(&story->stage->broker);
}

static bool is_answered(void *arg)
{
	struct story *story = arg;

	take_answers(story);
	return story->answered == story->published;
}

/* First sight of each event: all there, in order per person, positions without a gap. */
static void check_receiver(const struct story *story, const struct peer *peer)
{
	uint64_t *seen = calloc(story->published + 1, sizeof(*seen));
	uint64_t last_position[PERSONS] = { 0 };
	uint32_t last[PERSONS] = { 0 }, distinct = 0;
	uint64_t highest = 0;

	must_be(seen != NULL, "no memory");
	for (size_t i = 0; i < peer->n_got; i++) {
		const struct peer_delivery *got = &peer->got[i];
		uint32_t number = made_number(got->id), person = person_of(number);

		must_be(number >= 1 && number <= story->published, "an event nobody published");
		if (seen[number]) { /* a repeat: the same event under the same position */
			assert_int_equal(seen[number], got->position);
			continue;
		}
		seen[number] = got->position;
		distinct++;
		if (number <= last[person] || got->position <= last_position[person])
			must_fail("event %u of person %u after %u", (unsigned)number,
				  (unsigned)person, (unsigned)last[person]);
		last[person] = number;
		last_position[person] = got->position;
		highest = got->position > highest ? got->position : highest;
	}
	assert_int_equal(distinct, story->published);
	assert_int_equal(highest, story->published);
	free(seen);
}

static void every_accepted_event_survives_any_number_of_kills(void **state)
{
	struct stage *stage = *state;
	struct story *story = calloc(1, sizeof(*story));
	const char *seed = getenv("TTG_SEED"), *kills = getenv("TTG_KILLS");
	int n = kills ? atoi(kills) : KILLS;

	must_be(story != NULL, "no memory");
	story->stage = stage;
	story->seed = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
	print_message("TTG_SEED=%u\n", story->seed);
	snprintf(stage->journal, sizeof(stage->journal), "\tsnapshot_events = 1000;\n");
	must_write_configuration(stage);
	story->prison = must_open_peer(stage, "prison", NULL);
	story->receivers[0] = must_open_peer(stage, "one-service", NULL);
	story->receivers[1] = must_open_peer(stage, "probation", NULL);
	must_be(ttg_client_attach(story->receivers[0]->client, "duty", 0) == TTG_OK, "attach");
	must_be(ttg_client_attach(story->receivers[1]->client, "inbox", 0) == TTG_OK, "attach");
	for (int i = 0; i < n; i++)
		live_and_die(story);
	must_launch_broker(stage);
	must_wait_until_ready(stage);
	must_be(peers_wait(stage, is_answered, story, 2 * WAIT_LONG_MS), "all are answered");
	must_settle(stage, "one-service/duty", "queued", 0);
	must_settle(stage, "probation/inbox", "queued", 0);
	print_message("%d kills, %u events\n", n, (unsigned)story->published);
	assert_true(story->published > (uint32_t)n);
	for (int i = 0; i < RECEIVERS; i++)
		check_receiver(story, story->receivers[i]);
	json_decref(must_ask(stage, "journal", "verify", NULL));
	must_have_passed(stage);
	free(story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(every_accepted_event_survives_any_number_of_kills),
	};

	return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}
