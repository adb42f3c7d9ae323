/*
 * The configuration this project ships as an example is true: it loads without a doubt once keys are
 * made, it shows every option with its default, and it grants what it says.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/keyfile.h"
#include "config/config.h"
#include "support/assert.h"
#include "support/config_case.h"
#include "support/folder.h"

#define SAMPLES  TTG_SOURCE_DIR "/etc"
#define FILE_MAX 65536
#define SAMPLE_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

static int64_t now_ns(void)
{
	int64_t instant = 0;

	assert_int_equal(instant_parse("2026-11-21T10:00:00Z", &instant), TTG_OK);
	return instant;
}

static void read_file(const char *path, char text[FILE_MAX])
{
	FILE *file = fopen(path, "re");
	size_t len;

	must_be(file != NULL, path);
	len = fread(text, 1, FILE_MAX - 1, file);
	fclose(file);
	text[len] = '\0';
}

/* Copies the *.conf files of a sample folder; makes a key for each agency when asked to. */
static void copy_folder(const struct folder *folder, const char *name, bool make_keys)
{
	DIR *directory;
	char path[FOLDER_PATH], text[FILE_MAX];
	const struct dirent *entry;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", SAMPLES, name);
	directory = opendir(path);
	must_be(directory != NULL, path);
	folder_make(folder, name);
	while ((entry = readdir(directory)) != NULL) {
		size_t len = strlen(entry->d_name);
		char public_z85[KEYFILE_Z85], target[FOLDER_PATH];

		if (len < 5 || strcmp(entry->d_name + len - 5, ".conf") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", SAMPLES, name, entry->d_name);
		read_file(path, text);
		snprintf(target, sizeof(target), "%s/%.100s", name, entry->d_name);
		folder_write(folder, target, text);
		if (!make_keys)
			continue;
		snprintf(public_z85, sizeof(public_z85), "%040d", ++n);
		snprintf(path, sizeof(path), "%s/keys/%.*s.pub", folder->path, (int)(len - 5),
			 entry->d_name);
		assert_int_equal(keyfile_write_public(path, public_z85, NULL), TTG_OK);
	}
	closedir(directory);
}

static void copy_samples(const struct folder *folder, char text[FILE_MAX])
{
	read_file(SAMPLES "/ttgd.conf", text);
	folder_write(folder, "ttgd.conf", text);
	folder_make(folder, "keys");
	copy_folder(folder, "agencies.d", true);
	copy_folder(folder, "agreements.d", false);
}

static struct config *load(const struct folder *folder, struct config_errors **errors)
{
	char path[FOLDER_PATH];

	folder_path(folder, "ttgd.conf", path);
	*errors = config_errors_new();
	assert_non_null(*errors);
	return config_load(path, now_ns(), *errors);
}

static struct config *must_load(const struct folder *folder)
{
	struct config_errors *errors;
	struct config *config = load(folder, &errors);

	for (size_t i = 0; i < config_errors_lines(errors); i++)
		print_error("%s\n", config_errors_line(errors, i, NULL));
	assert_int_equal(config_errors_lines(errors), 0);
	assert_non_null(config);
	config_errors_free(&errors);
	return config;
}

static void the_samples_load_without_errors_or_warnings(void **state)
{
	char text[FILE_MAX];
	struct config *config;

	copy_samples(*state, text);
	config = must_load(*state);
	assert_int_equal(config->rules->n_agencies, 15);
	assert_int_equal(config->rules->n_mailboxes, 17);
	assert_true(config->rules->n_agreements >= 20);
	config_free(&config);
}

static void a_sample_without_its_keys_says_what_is_missing(void **state)
{
	const struct folder *folder = *state;
	char text[FILE_MAX], path[FOLDER_PATH];
	struct config_errors *errors;
	const char *line;

	copy_samples(folder, text);
	folder_path(folder, "keys/mind.pub", path);
	assert_int_equal(remove(path), 0);
	assert_null(load(folder, &errors));
	assert_int_equal(config_errors_count(errors), 1);
	line = config_errors_line(errors, 0, NULL);
	assert_non_null(strstr(line, "agencies.d/mind.conf:6: key 2026-a: "));
	assert_non_null(strstr(line, "must be a file from ttgctl keygen"));
	config_errors_free(&errors);
}

/* Turns "# name = value;" lines into settings. */
static void uncomment(const char *text, char out[FILE_MAX])
{
	while (*text != '\0') {
		const char *end = strchr(text, '\n');
		size_t len = end != NULL ? (size_t)(end - text) + 1 : strlen(text);
		size_t skip = strspn(text, "\t");

		if (skip > 0 && strncmp(text + skip, "# ", 2) == 0)
			skip += 2;
		else
			skip = 0;
		memcpy(out, text + skip, len - skip);
		out += len - skip;
		text += len;
	}
	*out = '\0';
}

static void the_sample_shows_every_option_with_its_default(void **state)
{
	const struct folder *folder = *state;
	char text[FILE_MAX], bare[FILE_MAX], *table = NULL, *line, *rest;
	size_t table_len = 0, n_options = 0;
	FILE *stream = open_memstream(&table, &table_len);
	struct config *commented, *taken;
	char names[CONFIG_TEXT_MAX];

	assert_non_null(stream);
	config_print_options(stream);
	fclose(stream);
	copy_samples(folder, text);
	commented = must_load(folder);
	uncomment(text, bare);
	folder_write(folder, "ttgd.conf", bare);
	taken = must_load(folder);
	config_restart_needed(commented, taken, names);
	assert_string_equal(names, "");
	assert_int_equal(commented->retain_days, taken->retain_days);
	assert_int_equal(commented->retain_s, taken->retain_s);
	assert_int_equal(commented->retain_bytes, taken->retain_bytes);
	assert_int_equal(commented->retain_every_s, taken->retain_every_s);
	assert_int_equal(commented->snapshot_events, taken->snapshot_events);
	assert_int_equal(commented->archive_retain_days, taken->archive_retain_days);
	assert_int_equal(commented->log_level, taken->log_level);
	assert_string_equal(commented->agencies_directory, taken->agencies_directory);
	/* Names of the table stand at the left edge, as group.name. */
	for (line = strtok_r(table, "\n", &rest); line != NULL && strcmp(line, "agencies.d/*.conf") != 0;
	     line = strtok_r(NULL, "\n", &rest)) {
		char shown[128];

		if (line[0] == ' ' || strchr(line, '.') == NULL || strcmp(line, "ttgd.conf") == 0)
			continue;
		snprintf(shown, sizeof(shown), "\t# %s = ", strchr(line, '.') + 1);
		if (strstr(text, shown) == NULL)
			must_fail("not in the sample: %s", line);
		n_options++;
	}
	assert_int_equal(n_options, 48);
	free(table);
	config_free(&commented);
	config_free(&taken);
}

/* True when the mailbox gets the type from that agency today. */
static bool gets(const struct rules *rules, const char *mailbox, const char *type, const char *from)
{
	int to = rules_find_mailbox(rules, mailbox), what = rules_find_type(rules, type);
	int publisher = rules_find_agency(rules, from);

	must_be(to >= 0, mailbox);
	must_be(what >= 0, type);
	return config_may_deliver(rules, (uint32_t)what,
				 publisher >= 0 ? (uint32_t)publisher : RULES_NONE, (uint32_t)to,
				 now_ns());
}

static void the_samples_grant_what_the_world_around_the_gate_needs(void **state)
{
	char text[FILE_MAX];
	struct config *config;
	const struct rules *rules;
	const struct rules_deliver_grant *grants;
	size_t n;

	copy_samples(*state, text);
	config = must_load(*state);
	rules = config->rules;
	assert_true(gets(rules, "one-service/duty", "prison.released", "hmp-peterborough"));
	assert_true(gets(rules, "one-service/duty", "probation.contact", "probation"));
	assert_true(gets(rules, "jobcentre-plus/in", "prison.released", "hmp-peterborough"));
	assert_true(gets(rules, "mind/in", "referral.sent", "one-service"));
	assert_true(gets(rules, "one-service/duty", "referral.accepted", "mind"));
	assert_true(gets(rules, "evaluator/in", "court.reconviction", "probation"));
	assert_true(gets(rules, "data-steward/in", "broker.identity_conflict", "broker"));
	assert_false(gets(rules, "mind/in", "prison.released", "hmp-peterborough"));
	assert_false(gets(rules, "mind/in", "prison.risk_information", "hmp-peterborough"));
	assert_false(gets(rules, "one-service/duty", "prison.risk_information", "hmp-peterborough"));
	assert_false(gets(rules, "one-service/duty", "prison.released", "cambridgeshire-police"));
	n = rules_deliveries(rules, (uint32_t)rules_find_type(rules, "police.arrest"),
			     (uint32_t)rules_find_agency(rules, "cambridgeshire-police"), &grants);
	assert_int_equal(n, 2);
	assert_string_equal(rules->mailboxes[grants[0].mailbox].id, "one-service/duty");
	assert_int_equal(grants[0].ack_within_s, 600);
	assert_string_equal(rules->mailboxes[grants[0].fallback].id, "one-service/manager");
	config_free(&config);
}

static void every_referral_grant_is_addressed(void **state)
{
	char text[FILE_MAX];
	struct config *config;
	size_t n_referrals = 0;

	copy_samples(*state, text);
	config = must_load(*state);
	for (size_t i = 0; i < config->rules->n_deliver; i++) {
		const struct rules_deliver_grant *grant = &config->rules->deliver[i];

		if (strncmp(config->rules->types[grant->type], "referral.", 9) != 0)
			continue;
		n_referrals++;
		assert_string_not_equal(grant->addressed_by, "");
	}
	assert_true(n_referrals > 0);
	config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAMPLE_TEST(the_samples_load_without_errors_or_warnings),
		SAMPLE_TEST(a_sample_without_its_keys_says_what_is_missing),
		SAMPLE_TEST(the_sample_shows_every_option_with_its_default),
		SAMPLE_TEST(the_samples_grant_what_the_world_around_the_gate_needs),
		SAMPLE_TEST(every_referral_grant_is_addressed),
	};

	return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
