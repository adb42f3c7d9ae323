/*
 * Who takes more than his share: sessions without end, connections without a handshake, connections
 * without a Hello. He is bounded, and nobody else notices.
 */
#include "support/peer.h"

#include <string.h>
#include "support/http.h"
#include "support/wait.h"

#define SHARE 3

static bool is_turned_away(void *arg)
{
	return ((struct peer *)arg)->state_code == TTG_SESSION_LIMIT;
}

static void an_agency_has_its_share_of_the_sessions_and_others_theirs(void **state)
{
	struct stage *stage = *state;
	struct peer *prisons[SHARE];

	snprintf(stage->limits, sizeof(stage->limits), "\tsessions_per_agency = %d;\n", SHARE);
	must_start_broker(stage);
	for (int i = 0; i < SHARE; i++) {
		prisons[i] = must_open_peer(stage, "prison", NULL);
		must_be_ready(stage, prisons[i]);
	}
	struct peer *one_more = must_open_peer(stage, "prison", NULL);
	must_be(peers_wait(stage, is_turned_away, one_more, WAIT_LONG_MS), "one more is told why");
	must_see(stage, "ttgd.err", "event=hello_refused agency=prison code=session_limit");
	assert_non_null(strstr(one_more->state_text, "as many sessions"));

	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_accept(stage, prisons[0], &(struct made_wish){ .number = 1 });
	must_get(stage, service, 1);

	/* One that goes makes room, without a word as well. */
	peer_close(stage, &prisons[1]);
	must_be_ready(stage, one_more);
	must_accept(stage, one_more, &(struct made_wish){ .number = 2 });
	must_have_passed(stage);
}

static void a_larger_share_counts_from_the_reload_on(void **state)
{
	struct stage *stage = *state;

	snprintf(stage->limits, sizeof(stage->limits), "\tsessions_per_agency = 1;\n");
	must_start_broker(stage);
	struct peer *first = must_open_peer(stage, "prison", NULL);
	must_be_ready(stage, first);
	struct peer *second = must_open_peer(stage, "prison", NULL);
	must_be(peers_wait(stage, is_turned_away, second, WAIT_LONG_MS), "one more is told why");
	snprintf(stage->limits, sizeof(stage->limits), "\tsessions_per_agency = 2;\n");
	must_write_configuration(stage);
	json_decref(must_ask(stage, "reload", NULL));
	must_be_ready(stage, second);
	must_accept(stage, first, &(struct made_wish){ .number = 1 });
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(an_agency_has_its_share_of_the_sessions_and_others_theirs),
		STAGE_TEST(a_larger_share_counts_from_the_reload_on),
	};

	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
