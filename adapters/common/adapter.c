/*
 * Starting an adapter: command line, configuration, log. See adapter.h. Everything a person got
 * wrong is told on stderr in one line, with exit status 2, before anything is opened.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/keyfile.h"
#include "base/signature.h"
#include "common/adapter_internal.h"

#define SETTING(name) offsetof(struct adapter_settings, name)
#define MEBI          "1048576"

static const char *const log_levels[] = { "error", "warn", "notice", "info", "debug", NULL };
static const char *const log_targets[] = { "stderr", "journald", NULL };

static const struct config_option common_options[] = {
	{ "agency", CONFIG_STRING, SETTING(agency), .required = true,
	  .right = "the agency id of this adapter's key, for example \"hmp-peterborough\"" },
	{ "broker", CONFIG_STRING, SETTING(broker), .required = true,
	  .right = "the broker's address, for example \"tcp://127.0.0.1:5700\"" },
	{ "server_key_file", CONFIG_STRING, SETTING(server_key_file), .required = true,
	  .right = "the path of the broker's public key file" },
	{ "key_file", CONFIG_STRING, SETTING(key_file), .required = true,
	  .right = "the path of this agency's secret key file" },
	{ "signing_key_file", CONFIG_STRING, SETTING(signing_key_file),
	  .right = "the path of the secret key this agency signs with, or \"\" for none" },
	{ "state_dir", CONFIG_STRING, SETTING(state_dir), .required = true,
	  .right = "a directory for outbox, state and status.json" },
	{ "outbox_max_bytes", CONFIG_INTEGER, SETTING(outbox_max_bytes), .fallback = "1073741824",
	  .min = 1048576, .max = INT64_C(1) << 40, .right = "bytes between 1048576 and 2^40" },
	{ "drain_ms", CONFIG_INTEGER, SETTING(drain_ms), .fallback = "5000", .max = 600000,
	  .right = "milliseconds between 0 and 600000" },
	{ "out_dir", CONFIG_STRING, SETTING(out_dir),
	  .right = "a directory for what is received, or \"\" for none" },
	{ "mailbox", CONFIG_STRING, SETTING(mailbox), .fallback = "in",
	  .right = "the name of a mailbox of this agency" },
	{ "spool.dir", CONFIG_STRING, SETTING(spool_dir),
	  .right = "a directory this agency's systems put files into, or \"\" for none" },
	{ "spool.max_bytes", CONFIG_INTEGER, SETTING(spool_max_bytes), .fallback = "10485760",
	  .min = 1024, .max = INT64_C(1) << 30, .right = "bytes between 1024 and 2^30" },
	{ "spool.keep_done_days", CONFIG_INTEGER, SETTING(spool_keep_done_days), .fallback = "30",
	  .max = 36500, .right = "days; 0 keeps files in done/ for ever" },
	{ "http.listen", CONFIG_STRING, SETTING(http_listen), .fallback = "127.0.0.1",
	  .right = "a numeric address; other than loopback only with TLS" },
	{ "http.port", CONFIG_INTEGER, SETTING(http_port), .fallback = "0", .max = 65535,
	  .right = "a port, or 0 for no HTTP" },
	{ "http.max_body_bytes", CONFIG_INTEGER, SETTING(http_max_body_bytes), .fallback = MEBI,
	  .min = 1024, .max = 64 << 20, .right = "bytes between 1024 and 67108864" },
	{ "http.token_file", CONFIG_STRING, SETTING(http_token_file),
	  .right = "the path of a file of mode 0600 with the bearer token in its first line" },
	{ "http.tls_cert_file", CONFIG_STRING, SETTING(http_tls_cert_file),
	  .right = "the path of a PEM file" },
	{ "http.tls_key_file", CONFIG_STRING, SETTING(http_tls_key_file),
	  .right = "the path of a PEM file of mode 0600" },
	{ "http.tls_client_ca_file", CONFIG_STRING, SETTING(http_tls_client_ca_file),
	  .right = "the path of a PEM file: who signs client certificates" },
	{ "log.level", CONFIG_CHOICE, SETTING(log_level), .fallback = "info", .words = log_levels,
	  .right = "error, warn, notice, info or debug" },
	{ "log.target", CONFIG_CHOICE, SETTING(log_target), .fallback = "stderr",
	  .words = log_targets, .right = "stderr or journald" },
};

struct arguments {
	const char *config;
	bool check, once;
};

static void print_help(const struct adapter_kind *kind)
{
	printf("%s - %s\n\n"
	       "usage: %s --config FILE [--once | -t]\n\n"
	       "  -c, --config FILE  configuration\n"
	       "  -t, --check        check the configuration and end\n"
	       "      --once         take what is there, wait until the broker has it, end\n"
	       "  -h, --help         this text\n"
	       "  -V, --version      version\n\n"
	       "%s"
	       "exit status: 0 fine, 1 runtime error, 2 usage or configuration\n",
	       kind->program, kind->summary, kind->program,
	       kind->more_help == NULL ? "" : kind->more_help);
}

/* -1: go on; else the exit status. */
static int read_arguments(const struct adapter_kind *kind, int argc, char **argv,
                          struct arguments *arguments)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' }, { "check", no_argument, NULL, 't' },
		{ "once", no_argument, NULL, 'o' },         { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },      { NULL, 0, NULL, 0 },
	};
	int found;

	while ((found = getopt_long(argc, argv, "c:thV", known, NULL)) != -1) {
		switch (found) {
		case 'c':
			arguments->config = optarg;
			break;
		case 't':
			arguments->check = true;
			break;
		case 'o':
			arguments->once = true;
			break;
		case 'h':
			print_help(kind);
			return ADAPTER_FINE;
		case 'V':
			printf("%s %s\n", kind->program, ttg_version());
			return ADAPTER_FINE;
		default:
			return ADAPTER_USAGE;
		}
	}
	if (arguments->config != NULL && optind == argc)
		return -1;
	fprintf(stderr, "%s: --config FILE is needed, and nothing else; see --help\n",
	        kind->program);
	return ADAPTER_USAGE;
}

static enum ttg_error check_keys(const struct adapter_settings *settings, struct message *message)
{
	char public_z85[KEYFILE_Z85];
	struct key_pair pair;
	struct sign_key *signing = NULL;
	enum ttg_error error;

	error = keyfile_read_public(settings->server_key_file, public_z85, message);
	if (error == TTG_OK)
		error = keyfile_read_secret(settings->key_file, &pair, message);
	wipe(&pair, sizeof(pair));
	if (error == TTG_OK && settings->signing_key_file[0] != '\0')
		error = sign_key_read(settings->signing_key_file, &signing, message);
	sign_key_free(&signing);
	return error;
}

static enum ttg_error check_http(const struct adapter_settings *settings, struct message *message)
{
	const struct http_options options = {
		.token_file = settings->http_token_file,
		.tls_cert_file = settings->http_tls_cert_file,
		.tls_key_file = settings->http_tls_key_file,
		.tls_client_ca_file = settings->http_tls_client_ca_file,
	};

	return settings->http_port == 0 ? TTG_OK : http_intake_check(&options, message);
}

static enum ttg_error load(struct adapter *adapter, const char *path, struct message *message)
{
	const struct config_table tables[] = {
		{ common_options, sizeof(common_options) / sizeof(*common_options),
		  &adapter->settings },
		{ adapter->kind->options, adapter->kind->n_options, adapter->kind_settings },
	};

	enum ttg_error error = adapter_config_load(path, tables, 2, message);

	adapter->context = (struct adapter_context){ .agency = adapter->settings.agency,
		                                     .state_dir = adapter->settings.state_dir,
		                                     .mailbox = adapter->settings.mailbox,
		                                     .out_dir = adapter->settings.out_dir,
		                                     .spool_dir = adapter->settings.spool_dir };
	if (error == TTG_OK && adapter->kind->check != NULL)
		error = adapter->kind->check(adapter->kind_settings, message);
	if (error == TTG_OK && adapter->kind->check_context != NULL)
		error = adapter->kind->check_context(adapter->kind_settings, &adapter->context,
		                                     message);
	return error;
}

static int start(struct adapter *adapter, const struct arguments *arguments)
{
	const char *program = adapter->kind->program;
	struct message message = { "" };
	enum ttg_error error = load(adapter, arguments->config, &message);
	int status;

	if (error == TTG_OK)
		error = check_http(&adapter->settings, &message);
	if (error == TTG_OK && arguments->check)
		error = check_keys(&adapter->settings, &message);
	if (error != TTG_OK) {
		fprintf(stderr, "%s: %s\n", program, message.text);
		return ADAPTER_USAGE;
	}
	if (arguments->check) {
		printf("%s: fine\n", arguments->config);
		return ADAPTER_FINE;
	}
	adapter->once = arguments->once;
	adapter->log = log_new(program, (enum log_target)adapter->settings.log_target,
	                       (enum log_level)adapter->settings.log_level);
	adapter->context.log = adapter->log;
	status = adapter_run(adapter);
	log_free(&adapter->log);
	return status;
}

enum ttg_error adapter_find_places(const struct adapter_kind *kind, const char *config,
                                   struct adapter_places *out, void *settings,
                                   struct message *message)
{
	struct adapter adapter = { .kind = kind, .kind_settings = settings };
	enum ttg_error error = load(&adapter, config, message);

	if (error == TTG_OK) {
		memcpy(out->agency, adapter.settings.agency, sizeof(out->agency));
		memcpy(out->state_dir, adapter.settings.state_dir, sizeof(out->state_dir));
		memcpy(out->spool_dir, adapter.settings.spool_dir, sizeof(out->spool_dir));
		out->spool_max_bytes = (size_t)adapter.settings.spool_max_bytes;
	}
	return error;
}

int adapter_main(const struct adapter_kind *kind, int argc, char **argv)
{
	struct arguments arguments = { NULL, false, false };
	struct adapter *adapter;
	int status = read_arguments(kind, argc, argv, &arguments);

	if (status >= 0)
		return status;
	adapter = calloc(1, sizeof(*adapter));
	if (adapter == NULL)
		return ADAPTER_FAILED;
	adapter->kind = kind;
	adapter->signals = -1;
	adapter->kind_settings = calloc(1, kind->settings_bytes == 0 ? 1 : kind->settings_bytes);
	status = adapter->kind_settings == NULL ? ADAPTER_FAILED : start(adapter, &arguments);
	free(adapter->kind_settings);
	free(adapter);
	return status;
}
