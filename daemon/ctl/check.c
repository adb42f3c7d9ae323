/*
 * ttgctl check and ttgctl options: the configuration, without a daemon.
 *
 * check also tries the secret keys the configuration names, unless they belong to another user: then
 * it says so, and `ttgd -t` run by that user has the last word.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>
#include "base/keyfile.h"
#include "base/world.h"
#include "config/config.h"
#include "base/signature.h"

struct tally {
	size_t errors, warnings;
};

static void print_line(struct ctl *ctl, struct tally *tally, const char *line, bool warning)
{
	if (warning)
		tally->warnings++;
	else
		tally->errors++;
	if (ctl->json) {
		json_t *item = json_pack("{s:s, s:b}", "message", line, "warning", warning);

		if (item != NULL) {
			json_dumpf(item, ctl->out, JSON_COMPACT);
			fputc('\n', ctl->out);
		}
		json_decref(item);
	} else {
		fprintf(ctl->out, "%s%s\n", warning ? "warning: " : "", line);
	}
}

static void check_key(struct ctl *ctl, struct tally *tally, const char *option, const char *path,
		      bool symmetric)
{
	uint8_t secret[KEYFILE_SYMMETRIC];
	struct key_pair pair;
	struct message message = { "" };
	char line[MESSAGE_BYTES + 64];
	enum ttg_error error;

	if (access(path, R_OK) != 0 && errno == EACCES) {
		snprintf(line, sizeof(line), "%s: not yours to read, not checked", option);
		print_line(ctl, tally, line, true);
		return;
	}
	error = symmetric ? keyfile_read_symmetric(path, secret, &message)
			  : keyfile_read_secret(path, &pair, &message);
	wipe(secret, sizeof(secret));
	wipe(&pair, sizeof(pair));
	if (error == TTG_OK)
		return;
	snprintf(line, sizeof(line), "%s: %s", option, message.text);
	print_line(ctl, tally, line, false);
}

/* No secret, so nobody may be kept from it; without a signer it is not read. */
static void check_seal_key(struct ctl *ctl, struct tally *tally, const struct config *config)
{
	struct verify_key *key = NULL;
	struct message message = { "" };
	char line[MESSAGE_BYTES + 64];

	if (config->signer_socket[0] == '\0' || config->seal_public_file[0] == '\0')
		return;
	if (verify_key_read(config->seal_public_file, &key, &message) != TTG_OK) {
		snprintf(line, sizeof(line), "seals.public_file: %s", message.text);
		print_line(ctl, tally, line, false);
		return;
	}
	verify_key_free(&key);
}

/* The law wants the log kept, and for longer than payloads. */
static void check_archive(struct ctl *ctl, struct tally *tally, const struct config *config)
{
	const bool keeps_all = config->retain_days == 0 && config->retain_s == 0 &&
			       config->retain_bytes == 0;

	if (config->archive_directory[0] == '\0' && !keeps_all)
		print_line(ctl, tally,
			   "archive.directory: is not given, the log of disclosures goes with what the "
			   "journal lets go",
			   true);
}

static void print_sum(struct ctl *ctl, const struct tally *tally, const struct config *config)
{
	const struct rules *rules = config != NULL ? config->rules : NULL;

	if (ctl->json)
		fprintf(ctl->out,
			"{\"errors\":%zu,\"warnings\":%zu,\"agencies\":%zu,\"mailboxes\":%zu,"
			"\"agreements\":%zu}\n",
			tally->errors, tally->warnings, rules != NULL ? rules->n_agencies : 0,
			rules != NULL ? rules->n_mailboxes : 0,
			rules != NULL ? rules->n_agreements : 0);
	else if (tally->errors > 0)
		fprintf(ctl->out, "%zu errors, %zu warnings\n", tally->errors, tally->warnings);
	else if (rules != NULL)
		fprintf(ctl->out, "fine: %zu agencies, %zu mailboxes, %zu agreements; %zu warnings\n",
			rules->n_agencies, rules->n_mailboxes, rules->n_agreements,
			tally->warnings);
}

enum ctl_exit ctl_check(struct ctl *ctl, int argc, char **argv)
{
	const struct world *world = world_real();
	struct config_errors *errors;
	struct config *config;
	struct tally tally = { 0, 0 };

	if (argc > 1)
		return ctl_say(ctl, CTL_USAGE, "check takes no arguments, not %s: see ttgctl --help",
			       argv[1]);
	errors = config_errors_new();
	if (errors == NULL)
		return ctl_say(ctl, CTL_NO, "no memory");
	config = config_load(ctl->config, world->real_ns(world->self), errors);
	for (size_t i = 0; i < config_errors_lines(errors); i++) {
		bool warning;
		const char *line = config_errors_line(errors, i, &warning);

		print_line(ctl, &tally, line, warning);
	}
	if (config != NULL) {
		check_key(ctl, &tally, "listen.key_file", config->key_file, false);
		check_key(ctl, &tally, "journal.key_file", config->journal_key_file, true);
		if (config->keys_directory[0] != '\0')
			check_key(ctl, &tally, "keys.master_file", config->keys_master_file, true);
		if (config->keys_before_file[0] != '\0')
			check_key(ctl, &tally, "keys.before_file", config->keys_before_file, true);
		check_seal_key(ctl, &tally, config);
		check_archive(ctl, &tally, config);
	} else {
		tally.errors = config_errors_count(errors);
	}
	print_sum(ctl, &tally, config);
	config_free(&config);
	config_errors_free(&errors);
	return tally.errors == 0 ? CTL_FINE : CTL_NO;
}

enum ctl_exit ctl_options(struct ctl *ctl, int argc, char **argv)
{
	if (argc > 1)
		return ctl_say(ctl, CTL_USAGE, "options takes no arguments, not %s", argv[1]);
	config_print_options(ctl->out);
	return CTL_FINE;
}
