/*
 * Loading a configuration: what is right is taken as written, and every mistake of ttgd.conf and of
 * any file as such is told with its place and what would be right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/config_case.h"

#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

static void a_configuration_without_options_has_the_defaults(void **state)
{
	const struct folder *folder = *state;
	struct config_errors *errors;
	struct config *config;
	char path[FOLDER_PATH];

	config_write(folder, "", NULL, NULL);
	config = config_try(folder, &errors);
	assert_non_null(config);
	assert_int_equal(config_errors_lines(errors), 0);
	assert_string_equal(config->agency, "broker");
	assert_string_equal(config->endpoint, "tcp://127.0.0.1:5700");
	folder_path(folder, "keys/broker.key", path);
	assert_string_equal(config->key_file, path);
	assert_string_equal(config->http_address, "127.0.0.1");
	assert_int_equal(config->http_port, 5701);
	assert_string_equal(config->control_socket, "/run/ttgd/control");
	assert_string_equal(config->control_group, "");
	assert_int_equal(config->max_sessions, 1024);
	assert_int_equal(config->max_frame_bytes, 1048576);
	assert_int_equal(config->publish_window, 64);
	assert_int_equal(config->dedupe_max, 10000000);
	assert_string_equal(config->journal_directory, "/var/lib/ttgd/journal");
	assert_string_equal(config->journal_cipher, "aes-256-gcm");
	assert_int_equal(config->segment_bytes, 67108864);
	assert_int_equal(config->retain_days, 30);
	assert_int_equal(config->retain_s, 0);
	assert_int_equal(config->retain_every_s, 60);
	assert_int_equal(config->log_target, LOG_TO_STDERR);
	assert_int_equal(config->log_level, LOG_LEVEL_INFO);
	config_free(&config);
	config_errors_free(&errors);
}

static void options_are_taken_as_written(void **state)
{
	struct config *config;

	config_write(*state,
		  "broker = { agency = \"hub\"; };\n"
		  "listen: { endpoint = \"tcp://*:0\"; key_file = \"/k/b.key\"; http_port = 0; };\n"
		  "limits = { publish_window = 0x10; dedupe_max = 1000000000; };\n"
		  "journal = { segment_bytes = 4294967296; max_bytes = 9000000000000L;\n"
		  "  cipher = \"chacha20-\" \"poly1305\"; };\n"
		  "log = { target = \"journald\"; level = \"debug\"; };\n",
		  NULL, NULL);
	config = config_must_load(*state);
	assert_string_equal(config->agency, "hub");
	assert_string_equal(config->rules->broker, "hub");
	assert_string_equal(config->endpoint, "tcp://*:0");
	assert_string_equal(config->key_file, "/k/b.key");
	assert_int_equal(config->http_port, 0);
	assert_int_equal(config->publish_window, 16);
	assert_int_equal(config->dedupe_max, 1000000000);
	assert_true(config->segment_bytes == 4294967296u);
	assert_true(config->journal_max_bytes == 9000000000000u);
	assert_string_equal(config->journal_cipher, "chacha20-poly1305");
	assert_int_equal(config->log_target, LOG_TO_JOURNALD);
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	config_free(&config);
}

static void wrong_values_are_told_with_what_would_be_right(void **state)
{
	static const struct mistake mistakes[] = {
		{ "limits = {\n\n  publish_window = 0;\n};\n", NULL, NULL,
		  "ttgd.conf:3: limits.publish_window is 0, must be 1 to 1024" },
		{ "limits = { publish_window = -1; };\n", NULL, NULL,
		  "ttgd.conf:1: limits.publish_window is -1, must be 1 to 1024" },
		{ "limits = { max_sessions = 4294967297; };\n", NULL, NULL,
		  "ttgd.conf:1: limits.max_sessions is 4294967297, must be 1 to 65536" },
		{ "limits = { max_sessions = 0x100000001; };\n", NULL, NULL,
		  "ttgd.conf:1: limits.max_sessions is 4294967297, must be 1 to 65536" },
		{ "journal = { max_bytes = 99999999999999999999; };\n", NULL, NULL,
		  "ttgd.conf:1: a number has 20 digits, must have at most 18" },
		{ "limits = { publish_window = \"64\"; };\n", NULL, NULL,
		  "ttgd.conf:1: limits.publish_window is a text, must be 1 to 1024" },
		{ "limits = { publish_window = 1.5; };\n", NULL, NULL,
		  "ttgd.conf:1: limits.publish_window is a number with a fraction, must be 1 to 1024" },
		{ "log = { level = 3; };\n", NULL, NULL,
		  "ttgd.conf:1: log.level is a whole number, must be one of error, warn, notice, "
		  "info, debug" },
		{ "log = { level = \"loud\"; };\n", NULL, NULL,
		  "ttgd.conf:1: log.level is something else, must be one of error, warn, notice, "
		  "info, debug" },
		{ "journal = { cipher = \"aes-256-gcm chacha20-poly1305\"; };\n", NULL, NULL,
		  "ttgd.conf:1: journal.cipher is something else, must be one of aes-256-gcm, "
		  "chacha20-poly1305" },
		{ "broker = { agency = \"The Broker\"; };\n", NULL, NULL,
		  "ttgd.conf:1: broker.agency is not an id, must be an id of 1 to 32 characters a-z, "
		  "0-9 and -" },
		{ "listen = { key_file = \"\"; };\n", NULL, NULL,
		  "ttgd.conf:1: listen.key_file is empty, must be a path of 1 to 4095 bytes" },
		{ "listen = { control_group = \"a\\x01b\"; };\n", NULL, NULL,
		  "ttgd.conf:1: listen.control_group is not UTF-8 or holds a control character, must "
		  "be a text of 0 to 63 bytes" },
		{ "listen = { control_group = \"a\\xc0\\x80b\"; };\n", NULL, NULL,
		  "ttgd.conf:1: listen.control_group is not UTF-8 or holds a control character, must "
		  "be a text of 0 to 63 bytes" },
		{ "listen = 5;\n", NULL, NULL,
		  "ttgd.conf:1: listen is a whole number, must be a group { }" },
	};

	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

static void options_that_contradict_each_other_are_told(void **state)
{
	static const struct mistake mistakes[] = {
		{ "listen = { endpoint = \"udp://1.2.3.4:5\"; };\n", NULL, NULL,
		  "ttgd.conf:1: listen.endpoint is not an endpoint, must read tcp://ADDRESS:PORT" },
		{ "listen = { endpoint = \"tcp://1.2.3.4\"; };\n", NULL, NULL,
		  "ttgd.conf:1: listen.endpoint is not an endpoint, must read tcp://ADDRESS:PORT" },
		{ "listen = {\nhttp_address = \"0.0.0.0\"; };\n", NULL, NULL,
		  "ttgd.conf:2: listen.http_address is no loopback address, must be 127.0.0.1 or ::1" },
		{ "limits = { max_frame_bytes = 8192;\n max_event_bytes = 8192; };\n", NULL, NULL,
		  "ttgd.conf:2: limits.max_event_bytes is 8192, must be at most max_frame_bytes less "
		  "2048, 6144" },
		{ "limits = { mailbox_window = 100; };\n", NULL, NULL,
		  "ttgd.conf: limits.max_credit is 4096, must be at most mailbox_window, 100" },
		{ "journal = {\n\nmax_bytes = 1; };\n", NULL, NULL,
		  "ttgd.conf:3: journal.max_bytes is 1, must be 0 or at least two segments, "
		  "134217728" },
	};

	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

static void unknown_names_are_refused_with_the_nearest_known_one(void **state)
{
	static const struct mistake mistakes[] = {
		{ "limits = { publish_windw = 5; };\n", NULL, NULL,
		  "ttgd.conf:1: limits.publish_windw is not known, did you mean publish_window?" },
		{ "log = { zebra = 5; };\n", NULL, NULL,
		  "ttgd.conf:1: log.zebra is not known, must be one of target, level" },
		{ "limist = { };\n", NULL, NULL,
		  "ttgd.conf:1: limist is not known, did you mean limits?" },
		{ "colours = { };\n", NULL, NULL,
		  "ttgd.conf:1: colours is not known, must be one of broker, listen, limits, "
		  "journal, archive, identity, keys, seals, log" },
		{ NULL, "agency: { id = \"a\"; nmae = \"A\"; };\n", "",
		  "agencies.d/all.conf:1: agency.nmae is not known, did you mean name?" },
		{ NULL, "agencyy: { };\n", "",
		  "agencies.d/all.conf:1: agencyy is a group { }, must be agency: { ... }; or "
		  "agencies: ( { ... }, ... );" },
		{ NULL, NULL, AGREEMENT("fields = [ \"area\" ];\n"),
		  "agreements.d/all.conf:5: agreement.fields is not known, must be one of ..." },
	};

	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

static void broken_files_are_told_with_the_line(void **state)
{
	static const struct mistake mistakes[] = {
		{ "limits = {\n  publish_window 5;\n};\n", NULL, NULL,
		  "ttgd.conf:2: syntax error, must read: name = value; (texts in double quotes)" },
		{ "log = { level = \"info\"; };\nlog = { };\n", NULL, NULL,
		  "ttgd.conf:2: duplicate setting name, must read: ..." },
		{ "\n@include \"/etc/passwd\"\n", NULL, NULL,
		  "ttgd.conf:2: @include is not supported, put the settings into this file" },
		{ "limits = { }; @include \"x\"\n", NULL, NULL,
		  "ttgd.conf:1: @include is not supported, put the settings into this file" },
		{ "log = { level = \"info\n", NULL, NULL, "ttgd.conf:..." },
	};

	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

static void marks_of_comments_and_texts_do_not_confuse_the_first_pass(void **state)
{
	const struct folder *folder = *state;
	struct config *config;

	config_write(folder,
		  "# @include \"x\" 99999999999999999999\n// @include\n/* @include \"y\"\n 5 */\n"
		  "listen = { control_group = \"a\\\"@include 99999999999999999999\"; };\n",
		  NULL, NULL);
	config = config_must_load(folder);
	assert_string_equal(config->control_group, "a\"@include 99999999999999999999");
	config_free(&config);
}

static void every_mistake_is_told_not_only_the_first(void **state)
{
	struct config_errors *errors;
	struct config *config;

	config_write(*state, NULL, "agency: { id = \"a\"; name = \"\"; burst = \"x\"; colour = 1; };\n",
		  "agreement: { id = \"b\"; parties = [ \"nobody\" ]; };\n");
	config = config_try(*state, &errors);
	assert_null(config);
	assert_int_equal(config_errors_count(errors), config_errors_lines(errors));
	/* name, burst, colour; title, purpose, gateway, valid_from, valid_to; the party. */
	assert_int_equal(config_errors_count(errors), 9);
	config_errors_free(&errors);
}

static void files_that_are_not_fit_to_be_read_are_refused(void **state)
{
	static const char with_nul[] = "log = { };\n\0 # hidden\n";
	const struct folder *folder = *state;
	char path[FOLDER_PATH];
	char *large = malloc(1024 * 1024 + 1);

	assert_non_null(large);
	config_write(folder, NULL, NULL, NULL);
	folder_path(folder, "ttgd.conf", path);
	assert_int_equal(chmod(path, 0646), 0);
	must_not_load(folder,
			 "ttgd.conf: may be written by everybody, must not be: chmod o-w it");
	memset(large, '\n', 1024 * 1024 + 1);
	folder_write_bytes(folder, "ttgd.conf", large, 1024 * 1024 + 1);
	free(large);
	must_not_load(folder, "ttgd.conf: is 1048577 bytes, must be at most 1048576");
	folder_write_bytes(folder, "ttgd.conf", with_nul, sizeof(with_nul) - 1);
	must_not_load(folder, "ttgd.conf: holds a NUL byte, must be plain text");
	assert_int_equal(remove(path), 0);
	must_not_load(folder, "ttgd.conf: cannot be opened: No such file or directory");
	assert_int_equal(mkfifo(path, 0600), 0);
	must_not_load(folder, "ttgd.conf: is not a regular file, must be one");
	assert_int_equal(remove(path), 0);
	folder_make(folder, "ttgd.conf");
	must_not_load(folder, "ttgd.conf: is not a regular file, must be one");
}

static void a_missing_folder_is_told(void **state)
{
	const struct folder *folder = *state;

	folder_write(folder, "ttgd.conf", "");
	must_not_load(folder, "agencies.d: cannot be opened: No such file or directory; must be a "
				 "folder");
	must_not_load(folder, "agreements.d: cannot be opened: No such file or directory; must be "
				 "a folder");
}

static void files_of_another_name_are_left_alone(void **state)
{
	const struct folder *folder = *state;
	struct config *config;

	config_write(folder, NULL, NULL, NULL);
	folder_write(folder, "agencies.d/all.conf~", "not a configuration");
	folder_write(folder, "agencies.d/.hidden.conf", "not a configuration");
	folder_write(folder, "agreements.d/README", "not a configuration");
	config = config_must_load(folder);
	assert_int_equal(config->rules->n_agencies, 3);
	config_free(&config);
}

static void a_file_of_too_many_settings_is_refused(void **state)
{
	char *text = malloc(400000), *at = text;

	assert_non_null(text);
	at += sprintf(at, "limits = {\n");
	for (int i = 0; i < 20001; i++)
		at += sprintf(at, "a%d = 1;\n", i);
	sprintf(at, "};\n");
	config_write(*state, text, NULL, NULL);
	free(text);
	must_not_load(*state, "ttgd.conf:20001: more than 20000 settings in one file, must be "
				 "fewer: use several files");
}

/* xorshift64: any bytes at all, the same for the same seed. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void any_bytes_are_refused_or_loaded_and_never_worse(void **state)
{
	const char *given = getenv("TTG_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261121u;
	uint64_t random = seed;
	size_t loaded = 0, refused = 0;

	print_message("TTG_SEED=%llu\n", (unsigned long long)seed);
	for (int life = 0; life < 400; life++) {
		struct config_errors *errors;
		struct config *config;
		char agreement[CONFIG_CASE_MAX], agency[CONFIG_CASE_MAX];

		strcpy(agreement, config_good_agreements);
		strcpy(agency, config_good_agencies);
		for (uint64_t i = next_random(&random) % 3; i > 0; i--)
			agreement[next_random(&random) % strlen(config_good_agreements)] =
				(char)(1 + next_random(&random) % 255);
		for (uint64_t i = next_random(&random) % 3; i > 0; i--)
			agency[next_random(&random) % strlen(config_good_agencies)] =
				(char)(1 + next_random(&random) % 255);
		config_write(*state, NULL, agency, agreement);
		config = config_try(*state, &errors);
		assert_true((config != NULL) == (config_errors_count(errors) == 0));
		if (config != NULL)
			loaded++;
		else
			refused++;
		config_free(&config);
		config_errors_free(&errors);
	}
	assert_true(loaded > 0);
	assert_true(refused > 0);
}

static void only_options_bound_to_the_start_need_a_restart(void **state)
{
	struct config_errors *errors, *again;
	struct config *running, *loaded;
	char names[CONFIG_TEXT_MAX];

	config_write(*state, NULL, NULL, NULL);
	running = config_try(*state, &errors);
	assert_non_null(running);
	config_errors_free(&errors);
	config_write(*state,
		  "limits = { io_threads = 2; };\nlog = { level = \"warn\"; };\n"
		  "journal = { directory = \"/elsewhere\"; retain_days = 1; };\n",
		  NULL, NULL);
	loaded = config_try(*state, &again);
	assert_non_null(loaded);
	config_restart_needed(running, loaded, names);
	assert_string_equal(names, "limits.io_threads, journal.directory");
	config_restart_needed(loaded, loaded, names);
	assert_string_equal(names, "");
	config_free(&running);
	config_free(&loaded);
	config_errors_free(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(a_configuration_without_options_has_the_defaults),
		CONFIG_TEST(options_are_taken_as_written),
		CONFIG_TEST(wrong_values_are_told_with_what_would_be_right),
		CONFIG_TEST(options_that_contradict_each_other_are_told),
		CONFIG_TEST(unknown_names_are_refused_with_the_nearest_known_one),
		CONFIG_TEST(broken_files_are_told_with_the_line),
		CONFIG_TEST(marks_of_comments_and_texts_do_not_confuse_the_first_pass),
		CONFIG_TEST(every_mistake_is_told_not_only_the_first),
		CONFIG_TEST(files_that_are_not_fit_to_be_read_are_refused),
		CONFIG_TEST(a_missing_folder_is_told),
		CONFIG_TEST(files_of_another_name_are_left_alone),
		CONFIG_TEST(a_file_of_too_many_settings_is_refused),
		CONFIG_TEST(any_bytes_are_refused_or_loaded_and_never_worse),
		CONFIG_TEST(only_options_bound_to_the_start_need_a_restart),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
