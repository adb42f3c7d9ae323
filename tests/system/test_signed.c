/*
 * Agencies that sign: what is not signed as it must be is refused and nothing else is, keys are changed
 * at a reload, and a receipt proves afterwards who signed, to anybody.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "support/steps.h"
#include "support/wait.h"

#define SIGNING(file, more) "{ label = \"" file "\"; public_file = \"keys/" file ".pub\"; " more "}"

static void must_make_signing_key(struct stage *stage, const char *name)
{
	struct ran ran = must_run(stage, "ttgctl", "keygen", "--signing", name, "--out", "keys", NULL);

	if (ran.code != 0)
		must_fail("ttgctl keygen --signing: %s", ran.err);
	ran_free(&ran);
}

static void must_reload(struct stage *stage)
{
	const int before = count_in(stage, "ttgd.err", "event=reloaded");

	must_signal(&stage->broker, SIGHUP);
	for (int64_t until_ms = wait_now_ms() + WAIT_LONG_MS;
	     count_in(stage, "ttgd.err", "event=reloaded") == before; peers_poll(stage))
		must_be(wait_now_ms() < until_ms, "no reload");
}

static void must_be_refused_saying(struct stage *stage, struct peer *peer, uint32_t number,
				   const char *text)
{
	must_be_refused(stage, peer, &(struct made_wish){ .number = number }, TTG_REFUSED_SIGNATURE);
	if (!strstr(peer->outcomes[peer->n_outcomes - 1].text, text))
		must_fail("%s", peer->outcomes[peer->n_outcomes - 1].text);
}

static void what_is_not_signed_as_it_must_be_is_refused_and_the_session_goes_on(void **state)
{
	struct stage *stage = *state;

	must_make_signing_key(stage, "prison");
	must_make_signing_key(stage, "other");
	must_write_agency(stage, "prison", NULL,
			  "\tmust_sign = true;\n\tsigning_keys = ( " SIGNING("prison-signing", "") " );\n");
	must_start_broker(stage);
	struct peer *plain = must_open_peer(stage, "prison", NULL);
	struct peer *forged = must_open_signing_peer(stage, "prison", "keys/other-signing.key");
	struct peer *prison = must_open_signing_peer(stage, "prison", "keys/prison-signing.key");
	struct peer *police = must_open_signing_peer(stage, "police", "keys/prison-signing.key");
	struct peer *desk = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, desk, "duty");
	must_be_refused_saying(stage, plain, 1, "must sign");
	must_be_refused_saying(stage, plain, 2, "must sign");
	must_be_refused_saying(stage, forged, 3, "is no signing key");
	must_accept(stage, prison, &(struct made_wish){ .number = 4 });
	/* One that nobody could look at. */
	must_be_refused(stage, police, &(struct made_wish){ .number = 5, .type = "police.arrest" },
			TTG_REFUSED_SIGNATURE);
	must_accept(stage, prison, &(struct made_wish){ .number = 6 });
	must_get(stage, desk, 2);
	assert_int_equal(made_number(desk->got[0].id), 4);
	assert_int_equal(made_number(desk->got[1].id), 6);
	assert_int_equal(must_ask_number(stage, "status", "sessions.opened"), 5);
	assert_true(count_in(stage, "ttgd.err", "code=refused_signature") > 0);
	must_have_passed(stage);
}

static void a_key_is_changed_at_a_reload(void **state)
{
	struct stage *stage = *state;

	must_make_signing_key(stage, "prison");
	must_make_signing_key(stage, "next");
	must_write_agency(stage, "prison", NULL,
			  "\tmust_sign = true;\n\tsigning_keys = ( " SIGNING("prison-signing", "") " );\n");
	must_start_broker(stage);
	struct peer *first = must_open_signing_peer(stage, "prison", "keys/prison-signing.key");
	struct peer *next = must_open_signing_peer(stage, "prison", "keys/next-signing.key");
	must_accept(stage, first, &(struct made_wish){ .number = 1 });
	must_be_refused_saying(stage, next, 2, "is no signing key");
	must_write_agency(stage, "prison", NULL,
			  "\tmust_sign = true;\n\tsigning_keys = ( " SIGNING("prison-signing", "") ", "
			  SIGNING("next-signing", "") " );\n");
	must_reload(stage);
	must_accept(stage, first, &(struct made_wish){ .number = 3 });
	must_accept(stage, next, &(struct made_wish){ .number = 4 });
	must_write_agency(stage, "prison", NULL,
			  "\tmust_sign = true;\n\tsigning_keys = ( "
			  SIGNING("prison-signing", "revoked = true; ") ", " SIGNING("next-signing", "")
			  " );\n");
	must_reload(stage);
	json_t *items = must_ask(stage, "agencies", "prison", NULL);
	const json_t *keys = json_object_get(json_array_get(items, 0), "signing_keys");
	assert_true(json_is_true(json_object_get(json_array_get(items, 0), "must_sign")));
	assert_int_equal(json_array_size(keys), 2);
	assert_string_not_equal(
		json_string_value(json_object_get(json_array_get(keys, 0), "state")),
		json_string_value(json_object_get(json_array_get(keys, 1), "state")));
	json_decref(items);
	must_be_refused_saying(stage, first, 5, "revoked");
	must_accept(stage, next, &(struct made_wish){ .number = 6 });
	/* What is wrong with a key is told, and the rules that were stay. */
	must_write_agency(stage, "prison", NULL, "\tmust_sign = true;\n");
	must_signal(&stage->broker, SIGHUP);
	must_see(stage, "ttgd.err", "must_sign is true without signing_keys");
	must_accept(stage, next, &(struct made_wish){ .number = 7 });
	must_have_passed(stage);
}

static void must_sign_events(struct stage *stage)
{
	must_make_signing_key(stage, "prison");
	must_make_signing_key(stage, "other");
	must_write_agency(stage, "prison", NULL,
			  "\tmust_sign = true;\n\tsigning_keys = ( " SIGNING("prison-signing", "") " );\n");
	struct ran ran = must_run(stage, "ttg-signer", "--make-key", "seal", NULL);
	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	snprintf(stage->seals, sizeof(stage->seals),
		 "\tsigner_socket = \"seal.socket\";\n\tpublic_file = \"seal.pub\";\n");
	must_start_other(stage, 0, "signer", "ttg-signer", "--key", "seal.key", "--state", "seal.state",
			 "--socket", "seal.socket", NULL);
}

/* Publishes one event and leaves its bytes and its receipt in NAME.event and NAME.receipt. */
static void must_keep(struct stage *stage, struct peer *peer, uint32_t number, const char *name)
{
	struct made made = must_make(&(struct made_wish){ .number = number });
	char path[PROCESS_PATH_MAX], receipt[64];
	uint8_t id[16];

	memcpy(id, made.id, sizeof(id));
	STAGE_PATH(stage, path, "%s.event", name);
	FILE *file = fopen(path, "wb");
	must_be(file && fwrite(made.bytes, 1, made.len, file) == made.len && fclose(file) == 0, path);
	const struct peer_outcome outcome = must_publish(stage, peer, made);
	assert_int_equal(outcome.code, TTG_OK);
	assert_int_equal(must_ask_receipt(stage, peer, id), TTG_OK);
	snprintf(receipt, sizeof(receipt), "%s.receipt", name);
	must_write(stage, receipt, "%s", peer->receipt);
}

static void must_verify(struct stage *stage, const char *publisher, const char *event, const char *receipt,
			int code, const char *text)
{
	struct ran ran = must_run(stage, "ttg-verify", "--key", "seal.pub", "--event", event, receipt,
				  publisher ? "--publisher-key" : NULL, publisher, NULL);

	if (ran.code != code || !strstr(ran.out, text))
		must_fail("%s: %d %s%s", receipt, ran.code, ran.out, ran.err);
	ran_free(&ran);
}

static bool by_hand(struct stage *stage, const char *name, const char *publisher)
{
	char receipt[PROCESS_PATH_MAX], event[PROCESS_PATH_MAX], key[PROCESS_PATH_MAX];
	char signing[PROCESS_PATH_MAX];

	STAGE_PATH(stage, receipt, "%s.receipt", name);
	STAGE_PATH(stage, event, "%s.event", name);
	STAGE_PATH(stage, key, "seal.pub");
	STAGE_PATH(stage, signing, "keys/%s.pub", publisher);
	return steps_say_good(stage, receipt, event, key, signing);
}

static void a_receipt_proves_who_signed_also_after_a_crash_and_another_key(void **state)
{
	struct stage *stage = *state;

	must_sign_events(stage);
	must_write_steps(stage, TTG_SOURCE_DIR "/docs/formats.md");
	must_start_broker(stage);
	struct peer *prison = must_open_signing_peer(stage, "prison", "keys/prison-signing.key");
	must_keep(stage, prison, 1, "one");
	must_keep(stage, prison, 2, "two");
	must_verify(stage, "keys/prison-signing.pub", "one.event", "one.receipt", 0, "signed    by prison");
	must_verify(stage, NULL, "one.event", "one.receipt", 0, "NOT CHECKED");
	must_verify(stage, "keys/other-signing.pub", "one.event", "one.receipt", 1,
		    "the publisher's signature is not this key's");
	must_verify(stage, "keys/prison-signing.pub", "two.event", "one.receipt", 1, "NOT GOOD");
	assert_true(by_hand(stage, "one", "prison-signing"));
	assert_true(by_hand(stage, "two", "prison-signing"));
	assert_false(by_hand(stage, "one", "other-signing"));
	process_kill(&stage->broker);
	must_write_agency(stage, "prison", NULL,
			  "\tmust_sign = true;\n\tsigning_keys = ( "
			  SIGNING("prison-signing", "revoked = true; ") ", " SIGNING("other-signing", "")
			  " );\n");
	must_start_broker(stage);
	struct peer *later = must_open_signing_peer(stage, "prison", "keys/other-signing.key");
	must_keep(stage, later, 3, "three");
	assert_int_equal(must_ask_receipt(stage, later, prison->outcomes[0].id), TTG_OK);
	must_write(stage, "again.receipt", "%s", later->receipt);
	must_verify(stage, "keys/prison-signing.pub", "one.event", "again.receipt", 0, "signed    by prison");
	must_verify(stage, "keys/other-signing.pub", "three.event", "three.receipt", 0,
		    "signed    by prison");
	assert_true(by_hand(stage, "three", "other-signing"));
	must_have_passed(stage);
}

static void the_operator_sees_who_signed(void **state)
{
	struct stage *stage = *state;
	char id[TTG_UUID_TEXT];

	must_sign_events(stage);
	must_start_broker(stage);
	struct peer *prison = must_open_signing_peer(stage, "prison", "keys/prison-signing.key");
	struct peer *police = must_open_peer(stage, "police", NULL);
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_accept(stage, police, &(struct made_wish){ .number = 2, .type = "police.arrest" });
	ttg_uuid_format(prison->outcomes[0].id, id);
	json_t *items = must_ask(stage, "trace", id, NULL);
	const json_t *by = json_object_get(json_array_get(items, 0), "signed_by");
	assert_int_equal(json_string_length(by), 64);
	struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "receipt", id, NULL);
	if (ran.code != 0 || !strstr(ran.out, json_string_value(by)))
		must_fail("ttgctl receipt: %s%s", ran.out, ran.err);
	ran_free(&ran);
	json_decref(items);
	ttg_uuid_format(police->outcomes[0].id, id);
	items = must_ask(stage, "trace", id, NULL);
	assert_null(json_object_get(json_array_get(items, 0), "signed_by"));
	json_decref(items);
	must_have_passed(stage);
}

#define EVENT(id)                                                                                  \
	"{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"prison\",\"type\":\"prison."      \
	"released\",\"time\":\"2026-01-05T09:05:00Z\",\"data\":{\"prison_code\":\"PBI\"}}\n"

static void the_tool_signs_and_says_the_same_twice(void **state)
{
	struct stage *stage = *state;

	must_make_signing_key(stage, "prison");
	must_write_agency(stage, "prison", NULL,
			  "\tmust_sign = true;\n\tsigning_keys = ( " SIGNING("prison-signing", "") " );\n");
	must_start_broker(stage);
	must_write(stage, "events.json", "%s", EVENT("0196f5a0-0000-7000-8000-000000000001"));
	for (int i = 0; i < 2; i++) {
		struct ran ran = must_run_fed(stage, "events.json", "ttg-pub", "--broker", stage->endpoint,
					      "--server-key", "keys/broker.pub", "--key",
					      "keys/prison.key", "--signing-key",
					      "keys/prison-signing.key", NULL);

		if (ran.code != 0 || !strstr(ran.out, i == 0 ? "\"accepted\"" : "\"duplicate\""))
			must_fail("ttg-pub: %d %s%s", ran.code, ran.out, ran.err);
		ran_free(&ran);
	}
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(what_is_not_signed_as_it_must_be_is_refused_and_the_session_goes_on),
		STAGE_TEST(a_key_is_changed_at_a_reload),
		STAGE_TEST(a_receipt_proves_who_signed_also_after_a_crash_and_another_key),
		STAGE_TEST(the_operator_sees_who_signed),
		STAGE_TEST(the_tool_signs_and_says_the_same_twice),
	};

	return cmocka_run_group_tests_name("signed", tests, NULL, NULL);
}
