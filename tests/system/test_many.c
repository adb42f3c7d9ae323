/*
 * Many agencies at once: each has a key, an agreement and a mailbox, publishes to the next and hears
 * from the one before, while two others keep their latency.
 *
 * TTG_LONG=1: 500 agencies; else 60.
 */
#include "support/probe.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>
#include "base/keyfile.h"
#include "support/http.h"
#include "support/wait.h"

#define AGENCIES_LONG 500
#define AGENCIES 60
#define AT_ONCE 100 /* in one process of the horde */
#define EVENTS 20
#define MEMORY_MAX_KIB (256 * 1024)

static void make_key(const struct stage *stage, const char *name)
{
	char path[PROCESS_PATH_MAX];
	struct key_pair pair;
	struct message message = { "" };

	must_be(zmq_curve_keypair(pair.public_z85, pair.secret_z85) == 0, "keypair");
	STAGE_PATH(stage, path, "keys/%s.pub", name);
	must_be(keyfile_write_public(path, pair.public_z85, &message) == TTG_OK, message.text);
	STAGE_PATH(stage, path, "keys/%s.key", name);
	must_be(keyfile_write_secret(path, &pair, &message) == TTG_OK, message.text);
}

static void make_agency(struct stage *stage, uint32_t number, uint32_t of)
{
	const unsigned me = (unsigned)number, next = (unsigned)((number + 1) % of);
	char name[64];

	snprintf(name, sizeof(name), "a%03u", me);
	make_key(stage, name);
	snprintf(name, sizeof(name), "agencies.d/a%03u.conf", me);
	must_write(stage, name,
		   "agency: {\n\tid = \"a%03u\";\n\tname = \"Agency %u\";\n"
		   "\tkeys = ( { label = \"first\"; public_file = \"keys/a%03u.pub\"; } );\n"
		   "\tmailboxes = ( { box = \"in\"; } );\n};\n",
		   me, me, me);
	snprintf(name, sizeof(name), "agreements.d/a%03u.conf", me);
	must_write(stage, name,
		   "agreement: {\n\tid = \"a%03u\";\n\ttitle = \"To the next\";\n"
		   "\tvalid_from = \"2020-01-01\";\n\tvalid_to = \"2099-01-01\";\n"
		   "\tpurpose = \"tests\";\n\tgateway = \"consent\";\n"
		   "\tparties = [ \"a%03u\", \"a%03u\" ];\n"
		   "\tpublish = ( { agency = \"a%03u\"; types = [ \"prison.released\" ]; } );\n"
		   "\tdeliver = ( { mailbox = \"a%03u/in\"; from = [ \"a%03u\" ];\n"
		   "\t\ttypes = [ \"prison.released\" ]; } );\n};\n",
		   me, me, next, me, next, me);
}

/* Probes until each process of the horde has said the word. */
static struct latency must_hear(struct stage *stage, struct probe *probe, uint32_t n,
				const char *word)
{
	int64_t deadline_ms = wait_now_ms() + 6 * WAIT_LONG_MS;
	struct latency worst = { 0, 0 };

	for (uint32_t at = 0; at < n;) {
		const uint32_t here = n - at < AT_ONCE ? n - at : AT_ONCE;
		char file[32], said[32];

		snprintf(file, sizeof(file), "horde%u.out", (unsigned)(at / AT_ONCE));
		snprintf(said, sizeof(said), "%s %u\n", word, (unsigned)here);
		if (count_in(stage, file, said) > 0) {
			at += here;
			continue;
		}
		const struct latency now = must_probe(probe, 100, 10);
		if (now.p99_ms > worst.p99_ms)
			worst = now;
		if (wait_now_ms() > deadline_ms)
			must_fail("%s does not say %s", file, said);
	}
	return worst;
}

static void many_agencies_publish_and_receive_at_once_and_others_go_on(void **state)
{
	struct stage *stage = *state;
	const uint32_t n = in_long(AGENCIES_LONG, AGENCIES);
	struct probe probe;
	char server[PROCESS_PATH_MAX], first[16], here[16], events[16];

	for (uint32_t i = 0; i < n; i++)
		make_agency(stage, i, n);
	must_start_broker(stage);
	must_open_probe(stage, &probe);
	const struct latency calm = must_probe(&probe, 200, 10);
	const long before_kib = must_read_memory(&stage->broker, "VmRSS");
	STAGE_PATH(stage, server, "keys/broker.pub");
	snprintf(events, sizeof(events), "%d", EVENTS);
	for (uint32_t at = 0; at < n; at += AT_ONCE) {
		char name[16];

		snprintf(name, sizeof(name), "horde%u", (unsigned)(at / AT_ONCE));
		snprintf(first, sizeof(first), "%u", (unsigned)at);
		snprintf(here, sizeof(here), "%u", (unsigned)(n - at < AT_ONCE ? n - at : AT_ONCE));
		must_start_horde(stage, (int)(at / AT_ONCE), name, "agencies", stage->endpoint,
				 server, stage->directory, first, here, events, NULL);
	}
	const struct latency coming = must_hear(stage, &probe, n, "ready");
	const struct latency busy = must_hear(stage, &probe, n, "done");
	const struct latency quiet = must_probe(&probe, 200, 10);
	assert_int_equal((int)must_read_metric(stage->http_port, "ttgd_sessions"), n + 2);
	/* Everybody connected once and stayed. */
	assert_int_equal(must_ask_number(stage, "status", "sessions.opened"), n + 2);
	assert_int_equal(must_ask_number(stage, "status", "events.accepted"),
			 n * EVENTS + probe.sent);
	must_have_memory_below(&stage->broker, MEMORY_MAX_KIB);
	tell_figures("agencies=%u events=%u before_mib=%.1f peak_mib=%.1f calm_p99_ms=%.1f "
		     "connecting=%.2f publishing=%.2f connected=%.2f",
		     (unsigned)n, (unsigned)(n * EVENTS), (double)before_kib / 1024,
		     (double)must_read_memory(&stage->broker, "VmHWM") / 1024, calm.p99_ms,
		     coming.p99_ms / calm.p99_ms, busy.p99_ms / calm.p99_ms,
		     quiet.p99_ms / calm.p99_ms);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(many_agencies_publish_and_receive_at_once_and_others_go_on),
	};

	return cmocka_run_group_tests_name("many", tests, NULL, NULL);
}
