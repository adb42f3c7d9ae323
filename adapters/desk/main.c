/* ttg-desk: command line. What a person got wrong is told in one line, with exit status 2. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "desk/desk_config.h"
#include "desk/desk_run.h"
#include "desk/pages.h"
#include "web/users.h"

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct arguments {
	const char *config;
	bool check;
};

static void print_help(void)
{
	fputs("ttg-desk - the One Service's duty desk, in a browser\n\n"
	      "usage: ttg-desk --config FILE [-t]\n"
	      "       ttg-desk user add NAME --role ROLE --name \"FULL NAME\" --file FILE\n"
	      "       ttg-desk user set-password|disable|enable|remove|unlock NAME --file FILE\n"
	      "       ttg-desk user list --file FILE\n\n"
	      "  -c, --config FILE  configuration\n"
	      "  -t, --check        check the configuration and end\n"
	      "  -h, --help         this text\n"
	      "  -V, --version      version\n\n"
	      "  user keeps the file of those who may sign in; roles: duty, caseworker, manager,\n"
	      "  evaluator. A password is asked for, or read from standard input.\n\n"
	      "exit status: 0 fine, 1 runtime error, 2 usage or configuration\n",
	      stdout);
}

/* -1: go on; else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' }, { "check", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },         { "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
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
		case 'h':
			print_help();
			return EXIT_FINE;
		case 'V':
			printf("ttg-desk %s\n", ttg_version());
			return EXIT_FINE;
		default:
			return EXIT_USAGE;
		}
	}
	if (arguments->config != NULL && optind == argc)
		return -1;
	fputs("ttg-desk: --config FILE is needed, and nothing else; see --help\n", stderr);
	return EXIT_USAGE;
}

static int run(const struct desk_settings *settings)
{
	struct log *log = log_new("ttg-desk", (enum log_target)settings->log_target,
	                          (enum log_level)settings->log_level);
	int status = desk_run(settings, log);

	log_free(&log);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { NULL, false };
	struct message message = { "" };
	struct desk_settings *settings;
	int status;

	if (argc > 1 && strcmp(argv[1], "user") == 0)
		return web_users_main(argc - 1, argv + 1, "ttg-desk", &desk_site);
	status = read_arguments(argc, argv, &arguments);
	if (status >= 0)
		return status;
	settings = malloc(sizeof(*settings));
	if (settings == NULL)
		return EXIT_FAILED;
	if (desk_config_load(arguments.config, settings, &message) != TTG_OK) {
		fprintf(stderr, "ttg-desk: %s\n", message.text);
		status = EXIT_USAGE;
	} else if (arguments.check) {
		printf("%s: fine\n", arguments.config);
		status = EXIT_FINE;
	} else {
		status = run(settings);
	}
	free(settings);
	return status;
}
