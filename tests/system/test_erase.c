/*
 * Erasing a person, with real processes: what is held of him is shown to who gives a reason, then its keys
 * are destroyed, and nothing brings it back: not a restart, not a backup of the journal, not an older copy
 * of the key store. And the master key is changed under a running broker.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "support/wait.h"

#define HIM "A1234BC"
#define OTHER "A7421BQ"
#define WHY "he asked us to, letter of 3 November"

static void accept(struct stage *stage, struct peer *prison, const char *noms, uint32_t number)
{
	must_accept(stage, prison, &(struct made_wish){ .number = number, .noms = noms });
}

/* Lines of his report whose field `payload` says this; `holds`: some payload has this text in it. */
static size_t report(struct stage *stage, const char *noms, const char *state, const char *holds)
{
	json_t *items = must_ask(stage, "person", "report", noms, "--reason", WHY, "--payloads", NULL);
	char digits[128] = "";
	bool found = false;
	size_t n = 0, i;
	json_t *item;

	for (i = 0; holds && holds[i]; i++)
		snprintf(digits + 2 * i, sizeof(digits) - 2 * i, "%02x", (unsigned char)holds[i]);
	json_array_foreach(items, i, item) {
		const char *payload = json_string_value(json_object_get(item, "payload"));
		const char *text = json_string_value(json_object_get(item, "text"));

		n += payload && strcmp(payload, state) == 0;
		found |= holds && text && strstr(text, digits) != NULL;
	}
	assert_true(!holds || found == (strcmp(state, "held") == 0));
	json_decref(items);
	return n;
}

static int64_t erase(struct stage *stage, const char *noms)
{
	json_t *items = must_ask(stage, "person", "erase", noms, "--reason", WHY, NULL);
	const int64_t keys = json_integer_value(json_object_get(json_array_get(items, 0), "keys"));

	assert_int_equal(json_array_size(items), 1);
	json_decref(items);
	return keys;
}

static size_t disclosed(struct stage *stage, const char *noms)
{
	json_t *items = must_ask(stage, "disclosures", "--person", noms, "--reason", WHY, NULL);
	size_t n = 0, i;
	json_t *item;

	json_array_foreach(items, i, item)
		n += strcmp(json_string_value(json_object_get(item, "what")), "delivered") == 0;
	json_decref(items);
	return n;
}

static void copy(struct stage *stage, const char *from, const char *to)
{
	char source[PROCESS_PATH_MAX], target[PROCESS_PATH_MAX], bytes[4096];
	size_t n;

	STAGE_PATH(stage, source, "%s", from);
	STAGE_PATH(stage, target, "%s", to);
	FILE *in = fopen(source, "rbe"), *out = fopen(target, "wbe");
	must_be(in && out, to);
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		must_be(fwrite(bytes, 1, n, out) == n, to);
	must_be(fclose(in) == 0 && fclose(out) == 0, to);
}

/* Two events of his, one delivered, one not; one of somebody else. */
static void play(struct stage *stage)
{
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	accept(stage, prison, HIM, 1);
	must_get(stage, service, 1);
	must_settle(stage, "one-service/duty", "queued", 0);
	peer_close(stage, &service);
	accept(stage, prison, HIM, 2);
	accept(stage, prison, OTHER, 3);
	peer_close(stage, &prison);
}

static void must_be_gone(struct stage *stage)
{
	assert_int_equal(report(stage, HIM, "held", NULL), 0);
	assert_int_equal(report(stage, HIM, "destroyed", HIM), 2);
	assert_int_equal(report(stage, OTHER, "held", OTHER), 1);
}

static void who_is_erased_is_gone_and_what_was_disclosed_is_not_forgotten(void **state)
{
	struct stage *stage = *state;

	play(stage);
	assert_int_equal(report(stage, HIM, "held", HIM), 2);
	copy(stage, "keystore/keys", "keys.before");
	const size_t before = disclosed(stage, HIM);
	assert_true(before >= 1);
	assert_int_equal(erase(stage, HIM), 1);
	must_be_gone(stage);
	assert_int_equal(erase(stage, HIM), 0);
	assert_int_equal(disclosed(stage, HIM), before);
	/* What was queued of his goes to nobody; what comes now is a new beginning. */
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_attach(stage, service, "duty");
	must_get(stage, service, 1);
	accept(stage, prison, HIM, 4);
	must_get(stage, service, 2);
	must_get_no_more(stage, service, 2, 200);
	assert_int_equal(report(stage, HIM, "held", HIM), 1);
	peer_close(stage, &service);
	peer_close(stage, &prison);
	assert_int_equal(must_stop_broker(stage), 0);
	/* An older copy of the keys is put back. */
	copy(stage, "keys.before", "keystore/keys");
	must_start_broker(stage);
	assert_int_equal(report(stage, HIM, "destroyed", NULL), 2);
	assert_int_equal(disclosed(stage, HIM), before + 1);
	must_have_passed(stage);
}

static void no_backup_of_the_journal_brings_it_back(void **state)
{
	struct stage *stage = *state;
	char backup[PROCESS_PATH_MAX], from[PROCESS_PATH_MAX], to[PROCESS_PATH_MAX];

	play(stage);
	STAGE_PATH(stage, backup, "backup");
	json_t *items = must_ask(stage, "backup", backup, NULL);
	json_decref(items);
	assert_int_equal(erase(stage, HIM), 1);
	must_signal(&stage->broker, SIGKILL);
	must_end(&stage->broker, WAIT_LONG_MS);
	struct ran ran = must_run(stage, "ttgctl", "restore", backup, "--directory", "restored", "--key",
				  "keys/journal.key", NULL);
	if (ran.code != 0)
		must_fail("restore: %s%s", ran.out, ran.err);
	ran_free(&ran);
	STAGE_PATH(stage, from, "journal");
	STAGE_PATH(stage, to, "journal.after");
	must_be(rename(from, to) == 0, "the journal is put away");
	STAGE_PATH(stage, to, "restored");
	must_be(rename(to, from) == 0, "the backup takes its place");
	must_start_broker(stage);
	must_be_gone(stage);
	/* He can be spoken of again, and is delivered. */
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_attach(stage, service, "duty");
	accept(stage, prison, HIM, 5);
	must_get(stage, service, 2);
	must_have_passed(stage);
}

static void killed_while_it_erases_it_goes_on_at_the_next_start(void **state)
{
	struct stage *stage = *state;

	play(stage);
	for (int i = 0; i < 8; i++) {
		must_start_other(stage, 1, "erasing", "ttgctl", "--socket", "control", "person", "erase", HIM,
				 "--reason", WHY, NULL);
		for (int k = 0; k < i; k++)
			peers_poll(stage);
		must_signal(&stage->broker, SIGKILL);
		must_end(&stage->broker, WAIT_LONG_MS);
		must_end(&stage->others[1], WAIT_LONG_MS);
		must_start_broker(stage);
		const size_t held = report(stage, HIM, "held", NULL);
		const size_t destroyed = report(stage, HIM, "destroyed", NULL);
		assert_int_equal(held + destroyed, 2);
		assert_true(held == 0 || destroyed == 0);
	}
	erase(stage, HIM);
	must_be_gone(stage);
	must_have_passed(stage);
}

static size_t told(struct stage *stage, const char *what)
{
	json_t *items = must_ask(stage, "disclosures", "--reason", WHY, NULL);
	size_t n = 0, i;
	json_t *item;

	json_array_foreach(items, i, item)
		n += strcmp(json_string_value(json_object_get(item, "what")), what) == 0;
	json_decref(items);
	return n;
}

static bool has_lapsed(void *arg)
{
	struct stage *stage = arg;

	return report(stage, HIM, "destroyed", NULL) == 2;
}

/* Kept for three seconds; what was disclosed stays on record, and the broker goes on with new keys. */
static void what_is_kept_no_longer_goes_by_itself(void **state)
{
	struct stage *stage = *state;

	stage->agreement_options = "\tretain_s = 3;\n";
	must_write_agreement(stage);
	strcat(stage->keys, "\tlapse_hold_s = 1;\n");
	play(stage);
	must_be(wait_until(has_lapsed, stage, WAIT_LONG_MS), "payloads are let go");
	must_see(stage, "ttgd.err", "event=payloads_lapsed");
	assert_int_equal(report(stage, HIM, "destroyed", HIM), 2);
	assert_int_equal(report(stage, OTHER, "destroyed", OTHER), 1);
	assert_true(disclosed(stage, HIM) >= 1);
	assert_true(told(stage, "lapsed") >= 1);
	must_signal(&stage->broker, SIGKILL);
	must_end(&stage->broker, WAIT_LONG_MS);
	must_start_broker(stage);
	assert_int_equal(report(stage, HIM, "destroyed", HIM), 2);
	/* Who had not taken it does not get it; he gets what comes now. */
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_attach(stage, service, "duty");
	accept(stage, prison, HIM, 4);
	must_get(stage, service, 1);
	must_get_no_more(stage, service, 1, 200);
	must_have_passed(stage);
}

static bool is_rewrapped(void *arg)
{
	json_t *items = must_ask(arg, "keys", NULL);
	const bool done = json_is_false(json_object_get(json_array_get(items, 0), "rewrapping"));

	json_decref(items);
	return done;
}

static void use_master(struct stage *stage, const char *master, const char *before)
{
	snprintf(stage->keys, sizeof(stage->keys),
		 "\tdirectory = \"keystore\";\n\tmaster_file = \"keys/%s.key\";\n%s%s%s", master,
		 before ? "\tbefore_file = \"keys/" : "", before ? before : "", before ? ".key\";\n" : "");
	must_write_configuration(stage);
}

static void the_master_key_is_changed_without_stopping(void **state)
{
	struct stage *stage = *state;
	struct ran ran = must_run(stage, "ttgctl", "keygen", "--master", "keys/next", NULL);

	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	play(stage);
	use_master(stage, "next", NULL); /* a crash now must find the keys under one that is named */
	ran = must_run(stage, "ttgctl", "--socket", "control", "reload", NULL);
	assert_int_equal(ran.code, 1);
	assert_non_null(strstr(ran.out, "keys.before_file must name"));
	ran_free(&ran);
	use_master(stage, "next", "master");
	must_signal(&stage->broker, SIGHUP);
	must_see(stage, "ttgd.err", "event=keys_rewrapped");
	must_be(wait_until(is_rewrapped, stage, WAIT_LONG_MS), "keys are wrapped anew");
	assert_int_equal(report(stage, HIM, "held", HIM), 2);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	accept(stage, prison, "A5678DE", 9);
	peer_close(stage, &prison);
	assert_int_equal(must_stop_broker(stage), 0);
	use_master(stage, "next", NULL); /* the one before is not needed any more */
	must_start_broker(stage);
	assert_int_equal(report(stage, HIM, "held", HIM), 2);
	assert_int_equal(must_stop_broker(stage), 0);
	use_master(stage, "master", NULL);
	must_launch_broker(stage);
	must_end(&stage->broker, WAIT_LONG_MS);
	assert_int_not_equal(stage->broker.status, 0);
	must_see(stage, "ttgd.err", "another master key");
	use_master(stage, "next", NULL);
	must_start_broker(stage);
	must_have_passed(stage);
}

static void must_not_start(struct stage *stage, const char *text)
{
	must_launch_broker(stage);
	must_end(&stage->broker, WAIT_LONG_MS);
	assert_int_not_equal(stage->broker.status, 0);
	must_see(stage, "ttgd.err", text);
}

static void without_its_keys_the_broker_does_not_start(void **state)
{
	struct stage *stage = *state;
	char keys[STAGE_TEXT], from[PROCESS_PATH_MAX], to[PROCESS_PATH_MAX];

	play(stage);
	assert_int_equal(must_stop_broker(stage), 0);
	snprintf(keys, sizeof(keys), "%s", stage->keys);
	stage->keys[0] = '\0';
	must_write_configuration(stage);
	must_not_start(stage, "keys.directory must name it");
	snprintf(stage->keys, sizeof(stage->keys), "%s", keys);
	must_write_configuration(stage);
	STAGE_PATH(stage, from, "keystore");
	STAGE_PATH(stage, to, "keystore.away");
	must_be(rename(from, to) == 0, "the key store is put away");
	must_not_start(stage, "an older copy was put back");
	STAGE_PATH(stage, from, "keystore/keys");
	must_be(unlink(from) == 0, "an empty one was made");
	copy(stage, "keystore.away/keys", "keystore/keys");
	must_start_broker(stage);
	assert_int_equal(report(stage, HIM, "held", HIM), 2);
	must_have_passed(stage);
}

static void no_reason_no_answer(void **state)
{
	struct stage *stage = *state;
	static const char *const reasons[] = { "", "no" };

	play(stage);
	for (size_t i = 0; i < 2; i++) {
		struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "person", "erase", HIM,
					  "--reason", reasons[i], NULL);

		assert_int_not_equal(ran.code, 0);
		ran_free(&ran);
		ran = must_run(stage, "ttgctl", "--socket", "control", "person", "report", HIM, "--reason",
			       reasons[i], NULL);
		assert_int_not_equal(ran.code, 0);
		ran_free(&ran);
	}
	assert_int_equal(report(stage, HIM, "held", HIM), 2);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(who_is_erased_is_gone_and_what_was_disclosed_is_not_forgotten),
		STAGE_TEST(no_backup_of_the_journal_brings_it_back),
		STAGE_TEST(killed_while_it_erases_it_goes_on_at_the_next_start),
		STAGE_TEST(what_is_kept_no_longer_goes_by_itself),
		STAGE_TEST(the_master_key_is_changed_without_stopping),
		STAGE_TEST(without_its_keys_the_broker_does_not_start),
		STAGE_TEST(no_reason_no_answer),
	};

	return cmocka_run_group_tests_name("erase", tests, NULL, NULL);
}
