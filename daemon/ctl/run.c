/*
 * Finds the command, gives it its arguments, turns errors into exit status.
 *
 * Options that are for all commands may stand before or behind the command.
 */
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct command {
	const char *name;
	enum ctl_exit (*run)(struct ctl *ctl, int argc, char **argv);
	const char *usage;
	const char *meaning;
};

/* Those that work without a daemon. `journal verify` is one when --directory is given. */
static const struct command commands[] = {
	{ "keygen", ctl_keygen,
	  "keygen --agency NAME | --signing NAME | --server | --journal | --master [--out DIR]",
	  "makes NAME.key and NAME.pub, NAME-signing.key and .pub, broker.key and broker.pub, journal.key or "
	  "master.key; also: keygen [--server | --journal | --master] PATH" },
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
	fputs("usage: ttgctl [--json | --csv] [--socket PATH] [--config FILE] COMMAND [ARGUMENTS]\n\n"
	      "  --json          one JSON object a line instead of tables\n"
	      "  --csv           tables as comma-separated values, with a line of names\n"
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
	fputs("  journal verify --directory DIR [--key FILE [--seals FILE [--signer-state FILE]]]\n"
	      "        proves a journal folder; without the key checksums and hash chain only\n"
	      "\nExit status: 0 fine, 1 no or failed, 2 usage, 3 daemon not reached, 4 refused\n",
	      out);
}

static void print_version(FILE *out)
{
	fputs("ttgctl " TTG_VERSION "\n", out);
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

/* True when word is this option; *value gets what follows it, NULL when it lacks. */
static bool takes_value(const char *name, int argc, char **argv, int *at, const char **value)
{
	size_t len = strlen(name);

	if (strncmp(argv[*at], name, len) != 0)
		return false;
	if (argv[*at][len] == '=') {
		*value = argv[*at] + len + 1;
		return true;
	}
	if (argv[*at][len] != '\0')
		return false;
	*value = *at + 1 < argc ? argv[*at + 1] : NULL;
	(*at)++;
	return true;
}

/* Takes the options that are for all commands, wherever they stand, out of the command line. */
static enum ctl_exit take_options(struct ctl *ctl, int argc, char **argv, char **words,
				  int *n_words, void (**print)(FILE *out))
{
	for (int i = 1; i < argc; i++) {
		const char *value = "";

		if (strcmp(argv[i], "--json") == 0)
			ctl->json = true;
		else if (strcmp(argv[i], "--csv") == 0)
			ctl->csv = true;
		else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			*print = print_help;
		else if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0)
			*print = print_version;
		else if (takes_value("--socket", argc, argv, &i, &value))
			ctl->socket = value;
		else if (takes_value("--config", argc, argv, &i, &value)) {
			ctl->config = value;
			ctl->config_given = true;
		} else
			words[(*n_words)++] = argv[i];
		if (value == NULL)
			return ctl_say(ctl, CTL_USAGE, "--socket and --config want a value");
	}
	return CTL_FINE;
}

enum ctl_exit ctl_run(int argc, char **argv, FILE *out, FILE *err)
{
	struct ctl ctl = { .config = CTL_DEFAULT_CONFIG, .out = out, .err = err };
	char **words = calloc((size_t)argc + 1, sizeof(*words));
	void (*print)(FILE *out) = NULL;
	enum ctl_exit status;
	int n_words = 0;

	if (words == NULL)
		return ctl_say(&ctl, CTL_NO, "no memory");
	opterr = 0;
	status = take_options(&ctl, argc, argv, words, &n_words, &print);
	if (status == CTL_FINE && print != NULL)
		print(out);
	else if (status == CTL_FINE && n_words == 0)
		status = ctl_say(&ctl, CTL_USAGE, "which command? see ttgctl --help");
	else if (status == CTL_FINE && words[0][0] == '-')
		status = ctl_say(&ctl, CTL_USAGE, "no option %.32s, see ttgctl --help", words[0]);
	else if (status == CTL_FINE)
		status = run_command(&ctl, n_words, words);
	free(words);
	return status;
}
