/*
 * ttgctl without a daemon: keys, configuration, numbers, journals as files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/keyfile.h"
#include "base/signature.h"
#include "ctl/ctl.h"
#include "journal_unit.h"
#include "support/config_case.h"

#define CTL_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)
#define WORDS_MAX      16

struct ran {
	enum ctl_exit status;
	char *out, *err;
};

/* Runs "ttgctl" and these words, NULL at the end. */
static struct ran run(const char *const *words)
{
	struct ran ran = { 0 };
	size_t out_len = 0, err_len = 0;
	FILE *out = open_memstream(&ran.out, &out_len), *err = open_memstream(&ran.err, &err_len);
	char *argv[WORDS_MAX + 2] = { strdup("ttgctl") };
	int argc = 1;

	assert_non_null(out);
	assert_non_null(err);
	for (; words[argc - 1] != NULL && argc <= WORDS_MAX; argc++)
		argv[argc] = strdup(words[argc - 1]);
	ran.status = ctl_run(argc, argv, out, err);
	fclose(out);
	fclose(err);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return ran;
}

#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

static void ran_free(struct ran *ran)
{
	free(ran->out);
	free(ran->err);
}

/* The status, and that the output holds the text; then lets go of both. */
static void must_end_with(struct ran ran, enum ctl_exit status, const char *text)
{
	bool said = strstr(ran.out, text) != NULL || strstr(ran.err, text) != NULL;

	if (ran.status != status || !said)
		print_error("status %d\n%s%s", (int)ran.status, ran.out, ran.err);
	assert_int_equal(ran.status, status);
	must_be(said, text);
	ran_free(&ran);
}

static void help_names_every_command_and_the_exit_status(void **state)
{
	static const char *const names[] = { "status",	"agencies",    "agreements",	 "mailboxes",
					     "tail",	"trace",       "deadletters list", "reload",
					     "backup",	"give-up",     "journal verify", "keygen",
					     "check",	"identify",    "restore",	 "options",
					     "Exit status" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		must_end_with(RUN("--help"), CTL_FINE, names[i]);
	must_end_with(RUN("--version"), CTL_FINE, "ttgctl " TTG_VERSION);
}

static void a_wrong_command_line_is_told_as_usage(void **state)
{
	(void)state;
	must_end_with(RUN("frobnicate"), CTL_USAGE, "no command frobnicate");
	must_end_with(RUN("--frob"), CTL_USAGE, "see ttgctl --help");
	must_end_with(RUN("status", "--socket"), CTL_USAGE, "--socket and --config want a value");
	must_end_with(RUN("deadletters"), CTL_USAGE, "no command deadletters");
	must_end_with(RUN("deadletters", "retry"), CTL_USAGE, "usage: ttgctl deadletters retry");
	must_end_with(RUN("deadletters", "discard", "a/b", "x"), CTL_USAGE, "usage: ttgctl");
	must_end_with(RUN("give-up", "5"), CTL_USAGE, "usage: ttgctl give-up SEQUENCE --yes");
	must_end_with(RUN("tail", "--count"), CTL_USAGE, "usage: ttgctl tail");
	must_end_with(RUN("status", "now"), CTL_USAGE, "usage: ttgctl status");
	must_end_with(RUN("check", "it"), CTL_USAGE, "check takes no arguments");
	must_end_with(RUN("identify"), CTL_USAGE, "identify wants one value");
	must_end_with(RUN("keygen"), CTL_USAGE, "keygen wants --agency NAME");
	must_end_with(RUN("restore"), CTL_USAGE, "restore wants one backup");
	assert_int_equal(ctl_status(TTG_EPERM), CTL_REFUSED);
}

static void a_number_is_identified_and_put_into_its_one_spelling(void **state)
{
	(void)state;
	must_end_with(RUN("identify", "02/73319Z"), CTL_FINE, "canonical  2002/0073319Z");
	must_end_with(RUN("identify", "a1234bc"), CTL_FINE, "kind       NOMS");
	must_end_with(RUN("identify", "02/73319A"), CTL_NO, "wrong check letter");
	must_end_with(RUN("identify", "what is this"), CTL_NO, "wrong form");
	must_end_with(RUN("identify", "--kind", "CRN", "X123456"), CTL_FINE, "kind       CRN");
	must_end_with(RUN("identify", "X123456", "--kind", "NOMS"), CTL_NO, "wrong form");
	must_end_with(RUN("identify", "--kind", "shoe", "X123456"), CTL_USAGE, "--kind must be one of");
	must_end_with(RUN("--json", "identify", "81/34U"), CTL_FINE,
		      "\"canonical\":\"1981/0000034U\",\"validity\":\"valid\"");
}

static void must_have_mode(const char *path, mode_t mode)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, mode);
}

static void a_pair_of_keys_is_made_once_and_never_overwritten(void **state)
{
	char folder[FOLDER_PATH], secret[FOLDER_PATH], public[FOLDER_PATH], z85[KEYFILE_Z85];
	struct key_pair pair;

	folder_path(*state, "keys", folder);
	folder_path(*state, "keys/one-service.key", secret);
	folder_path(*state, "keys/one-service.pub", public);
	must_end_with(RUN("keygen", "--agency", "one-service", "--out", folder), CTL_FINE, secret);
	must_have_mode(secret, 0600);
	must_have_mode(public, 0644);
	assert_int_equal(keyfile_read_secret(secret, &pair, NULL), TTG_OK);
	assert_int_equal(keyfile_read_public(public, z85, NULL), TTG_OK);
	assert_string_equal(pair.public_z85, z85);
	must_end_with(RUN("keygen", "--agency", "one-service", "--out", folder), CTL_NO,
		      "never overwritten");
	assert_int_equal(remove(public), 0);
	must_end_with(RUN("keygen", "--agency", "one-service", "--out", folder), CTL_NO,
		      "never overwritten");
	assert_int_not_equal(access(public, F_OK), 0);
	must_end_with(RUN("keygen", "--agency", "../x", "--out", folder), CTL_USAGE, "keygen wants");
	must_end_with(RUN("keygen", "--agency", "x", "--server"), CTL_USAGE, "keygen makes one key");
}

/* The same rules, and it does not get into the way of the agency's other pair. */
static void a_pair_to_sign_with_stands_beside_the_other(void **state)
{
	char folder[FOLDER_PATH], secret[FOLDER_PATH], public[FOLDER_PATH];
	struct verify_key *key = NULL;
	struct sign_key *signing = NULL;

	folder_path(*state, "keys", folder);
	folder_path(*state, "keys/one-service-signing.key", secret);
	folder_path(*state, "keys/one-service-signing.pub", public);
	must_end_with(RUN("keygen", "--agency", "one-service", "--out", folder), CTL_FINE, "");
	must_end_with(RUN("keygen", "--signing", "one-service", "--out", folder), CTL_FINE, secret);
	must_have_mode(secret, 0600);
	assert_int_equal(sign_key_read(secret, &signing, NULL), TTG_OK);
	assert_int_equal(verify_key_read(public, &key, NULL), TTG_OK);
	sign_key_free(&signing);
	verify_key_free(&key);
	must_end_with(RUN("--json", "keygen", "--signing", "one-service", "--out", folder), CTL_NO,
		      "never overwritten");
	must_end_with(RUN("keygen", "--signing", "../x"), CTL_USAGE, "keygen wants");
}

static void keys_of_broker_and_journal_have_their_names(void **state)
{
	char folder[FOLDER_PATH], path[FOLDER_PATH];
	uint8_t key[KEYFILE_SYMMETRIC];

	folder_path(*state, "keys", folder);
	must_end_with(RUN("--json", "keygen", "--server", "--out", folder), CTL_FINE, "\"public\":\"");
	folder_path(*state, "keys/broker.key", path);
	must_have_mode(path, 0600);
	must_end_with(RUN("keygen", "--journal", "--out", folder), CTL_FINE, "Keep a copy");
	folder_path(*state, "keys/journal.key", path);
	assert_int_equal(keyfile_read_symmetric(path, key, NULL), TTG_OK);
	folder_path(*state, "keys/named", path);
	must_end_with(RUN("keygen", path), CTL_FINE, "named.pub");
	folder_path(*state, "nowhere/named", path);
	must_end_with(RUN("keygen", path), CTL_NO, "No such file");
}

static void check_says_what_is_wrong_and_ends_with_its_status(void **state)
{
	char config[FOLDER_PATH], keys[FOLDER_PATH];

	folder_path(*state, "ttgd.conf", config);
	folder_path(*state, "keys", keys);
	config_write(*state, NULL, NULL, NULL);
	must_end_with(RUN("--config", config, "check"), CTL_NO, "listen.key_file: ");
	must_end_with(RUN("keygen", "--server", "--out", keys), CTL_FINE, "broker.pub");
	must_end_with(RUN("keygen", "--journal", "--out", keys), CTL_FINE, "journal.key");
	must_end_with(RUN("--config", config, "check"), CTL_FINE,
		      "warning: archive.directory: is not given, the log of disclosures goes with what the "
		      "journal lets go\nfine: 3 agencies, 4 mailboxes, 1 agreements; 1 warnings");
	config_write(*state, "archive = { directory = \"archive\"; };\n", NULL, NULL);
	must_end_with(RUN("--config", config, "check"), CTL_FINE,
		      "fine: 3 agencies, 4 mailboxes, 1 agreements; 0 warnings");
	must_end_with(RUN("check", "--json", "--config", config), CTL_FINE,
		      "{\"errors\":0,\"warnings\":0,\"agencies\":3,");
	config_write(*state, "limits = { io_threads = 0; };\n", NULL, NULL);
	must_end_with(RUN("--config", config, "check"), CTL_NO,
		      "ttgd.conf:1: limits.io_threads is 0, must be 1 to 16\n1 errors");
	must_end_with(RUN("--json", "--config", config, "check"), CTL_NO, "\"warning\":false}");
	config_write(*state,
		     "seals = { signer_socket = \"s\"; public_file = \"keys/broker.pub\"; };\n", NULL,
		     NULL); /* a key, but of another kind */
	must_end_with(RUN("--config", config, "check"), CTL_NO, "seals.public_file: ");
	must_end_with(RUN("options"), CTL_FINE, "limits.publish_window\n");
}

/* A journal of some records in FOLDER/journal, its key in FOLDER/journal.key, and a backup. */
static void make_journal(const struct folder *folder)
{
	char directory[FOLDER_PATH], key_file[FOLDER_PATH], backup[FOLDER_PATH];
	struct journal_options options = { .cipher = JOURNAL_AES_256_GCM,
					   .segment_bytes = 1024 * 1024,
					   .buffer_bytes = 1024 * 1024 };
	struct journal *journal = NULL;
	struct message message;
	uint64_t first;

	folder_path(folder, "journal", directory);
	folder_path(folder, "journal.key", key_file);
	folder_path(folder, "backup", backup);
	memset(options.key, 7, sizeof(options.key));
	options.directory = directory;
	assert_int_equal(keyfile_write_symmetric(key_file, options.key, NULL), TTG_OK);
	assert_int_equal(journal_open(&journal, &options, world_real(), &message), TTG_OK);
	for (int i = 0; i < 100; i++) {
		struct journal_record record = { 1, (const uint8_t *)"some bytes", 10 };

		assert_int_equal(journal_append(journal, &record, 1, &first), TTG_OK);
	}
	assert_int_equal(journal_flush(journal), TTG_OK);
	assert_int_equal(unit_backup(journal, backup, &message), TTG_OK);
	journal_close(&journal);
}

static void a_backup_is_proven_and_restored_into_an_empty_folder(void **state)
{
	char backup[FOLDER_PATH], target[FOLDER_PATH], key[FOLDER_PATH], wrong[FOLDER_PATH];
	uint8_t other[KEYFILE_SYMMETRIC] = { 1 };

	make_journal(*state);
	folder_path(*state, "backup", backup);
	folder_path(*state, "restored", target);
	folder_path(*state, "journal.key", key);
	folder_path(*state, "wrong.key", wrong);
	assert_int_equal(keyfile_write_symmetric(wrong, other, NULL), TTG_OK);
	must_end_with(RUN("journal", "verify", "--directory", backup, "--key", key), CTL_FINE,
		      "records         100");
	must_end_with(RUN("journal", "verify", "--directory", backup), CTL_FINE, "Without the key");
	must_end_with(RUN("restore", backup, "--directory", target, "--key", wrong), CTL_NO, "ttgctl: ");
	assert_int_not_equal(access(target, F_OK), 0);
	must_end_with(RUN("--json", "restore", backup, "--directory", target, "--key", key), CTL_FINE,
		      "\"records\":100,");
	must_end_with(RUN("journal", "verify", "--directory", target, "--key", key), CTL_FINE,
		      "last sequence   100");
	must_end_with(RUN("restore", backup, "--directory", target, "--key", key), CTL_NO,
		      "holds something already, must be empty");
}

static void a_damaged_backup_is_not_restored(void **state)
{
	char backup[FOLDER_PATH], target[FOLDER_PATH], key[FOLDER_PATH], path[FOLDER_PATH];
	FILE *file;

	make_journal(*state);
	folder_path(*state, "backup", backup);
	folder_path(*state, "restored", target);
	folder_path(*state, "journal.key", key);
	folder_path(*state, "backup/seg-0000000000000001.ttj", path);
	file = fopen(path, "r+e");
	assert_non_null(file);
	assert_int_equal(fseek(file, 5000, SEEK_SET), 0);
	assert_int_equal(fputs("damage", file) < 0, 0);
	fclose(file);
	must_end_with(RUN("restore", backup, "--directory", target, "--key", key), CTL_NO,
		      "seg-0000000000000001.ttj");
	assert_int_not_equal(access(target, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CTL_TEST(help_names_every_command_and_the_exit_status),
		CTL_TEST(a_wrong_command_line_is_told_as_usage),
		CTL_TEST(a_number_is_identified_and_put_into_its_one_spelling),
		CTL_TEST(a_pair_of_keys_is_made_once_and_never_overwritten),
		CTL_TEST(a_pair_to_sign_with_stands_beside_the_other),
		CTL_TEST(keys_of_broker_and_journal_have_their_names),
		CTL_TEST(check_says_what_is_wrong_and_ends_with_its_status),
		CTL_TEST(a_backup_is_proven_and_restored_into_an_empty_folder),
		CTL_TEST(a_damaged_backup_is_not_restored),
	};

	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
