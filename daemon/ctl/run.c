/*
 * Finds the command, gives it its arguments, turns errors into exit status.
 *
 * Options before the command are for all commands; getopt stops at the first word that is none.
 */
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

struct command {
	const char *name;
	enum ctl_exit (*run)(struct ctl *ctl, int argc, char **argv);
	const char *usage;
	const char *meaning;
};

/* Those that work without a daemon. `journal verify` is one when --directory is given. */
static const struct command commands[] = {
	{ "keygen", ctl_keygen, "keygen --agency NAME | --server | --journal [--out DIR]",
	  "makes NAME.key and NAME.pub, broker.key and broker.pub, or journal.key; also: keygen "
	  "[--server | --journal] PATH" },
	{ "check", ctl_check, "check", "loads the configuration and says what is wrong with it" },
	{ "options", ctl_options, "options", "lists every option of the configuration files" },
	{ "identify", ctl_identify, "identify VALUE [--kind KIND]",
	  "kind, canonical form and validity of a person's number" },
	{ "restore", ctl_restore, "restore BACKUP [--directory DIR] [--key FILE]",
	  "proves a backup and copies it to an empty journal folder" },
};

enum ctl_exit ctl_say(struct ctl *ctl, enum ctl_exit status, const char *format, ...)
{
	va_list arguments;

	fputs("ttgctl: ", ctl->err);
	va_start(arguments, format);
	vfprintf(ctl->err, format, arguments);
	va_end(arguments);
	fputc('\n', ctl->err);
	return status;
}

enum ctl_exit ctl_status(enum ttg_error error)
{
	if (error == TTG_OK)
		return CTL_FINE;
	if (error == TTG_EINVAL)
		return CTL_USAGE;
	return error == TTG_EPERM ? CTL_REFUSED : CTL_NO;
}

static void print_help(FILE *out)
{
	fputs("usage: ttgctl [--json] [--socket PATH] [--config FILE] COMMAND [ARGUMENTS]\n\n"
	      "  --json          one JSON object a line instead of tables\n"
	      "  --socket PATH   control socket of the daemon\n"
	      "  --config FILE   configuration, " CTL_DEFAULT_CONFIG " by default\n"
	      "  --help          this text\n"
	      "  --version       version\n\n"
	      "Commands to the running daemon:\n",
	      out);
	ctl_online_usage(out);
	fputs("\nCommands that need no daemon:\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %s\n        %s\n", commands[i].usage, commands[i].meaning);
	fputs("  journal verify --directory DIR [--key FILE]\n"
	      "        proves a journal folder; without the key checksums and hash chain only\n"
	      "\nExit status: 0 fine, 1 no or failed, 2 usage, 3 daemon not reached, 4 refused\n",
	      out);
}

/* `journal verify` goes to the daemon unless a folder is named. */
static bool is_offline_verify(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[0], "journal") != 0 || strcmp(argv[1], "verify") != 0)
		return false;
	for (int i = 2; i < argc; i++)
		if (strncmp(argv[i], "--directory", strlen("--directory")) == 0)
			return true;
	return false;
}

static enum ctl_exit run_command(struct ctl *ctl, int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, argv[0]) == 0) {
			optind = 0; /* each command reads its own options from the start */
			return commands[i].run(ctl, argc, argv);
		}
	}
	optind = 0;
	if (is_offline_verify(argc, argv))
		return ctl_verify(ctl, argc - 1, argv + 1);
	return ctl_online(ctl, argc, argv);
}

enum ctl_exit ctl_run(int argc, char **argv, FILE *out, FILE *err)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct ctl ctl = { .config = CTL_DEFAULT_CONFIG, .out = out, .err = err };
	int option;

	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+js:c:hV", options, NULL)) != -1) {
		if (option == 'j') {
			ctl.json = true;
		} else if (option == 's') {
			ctl.socket = optarg;
		} else if (option == 'c') {
			ctl.config = optarg;
			ctl.config_given = true;
		} else if (option == 'h') {
			print_help(out);
			return CTL_FINE;
		} else if (option == 'V') {
			fputs("ttgctl " TTG_VERSION "\n", out);
			return CTL_FINE;
		} else {
			return ctl_say(&ctl, CTL_USAGE,
				       "an option is not known or lacks its value, see ttgctl --help");
		}
	}
	if (optind >= argc)
		return ctl_say(&ctl, CTL_USAGE, "which command? see ttgctl --help");
	return run_command(&ctl, argc - optind, argv + optind);
}
