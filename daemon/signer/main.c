/*
 * ttg-signer: options, key, state, socket. The process that holds the secret key the broker's seals
 * are signed with, and nothing else: it signs one seal a number (signer.h), and whoever takes the
 * broker over can make it sign no other past.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/secret.h"
#include "confine/confine.h"
#include "signer/hand_over.h"
#include "signer/serve.h"

#define HOME           "/var/lib/ttg-signer"
#define DEFAULT_KEY    HOME "/signer.key"
#define DEFAULT_STATE  HOME "/state"
#define DEFAULT_SOCKET "/run/ttg-signer/socket"

/* Exit statuses, as ttg-signer(8) lists them. */
enum { EXIT_FINE = 0, EXIT_BROKEN = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3, EXIT_LOCKED = 4,
       EXIT_DAMAGED = 5 };

struct arguments {
	const char *key, *state, *socket, *user, *run_as, *make_key, *hand_over;
};

static void usage(FILE *out)
{
	fputs("Usage: ttg-signer [--key FILE] [--state FILE] [--socket PATH] [--user NAME]\n"
	      "                  [--run-as USER]\n"
	      "       ttg-signer --make-key NAME\n"
	      "       ttg-signer [--key FILE] [--state FILE] --hand-over NEW-KEY\n"
	      "Signs the seals of one broker, each number once.\n"
	      "\n"
	      "      --key FILE       secret key (" DEFAULT_KEY ")\n"
	      "      --state FILE     what was signed last (" DEFAULT_STATE ")\n"
	      "      --socket PATH    where the broker asks (" DEFAULT_SOCKET ")\n"
	      "      --user NAME      who may ask beside root and the signer's own user\n"
	      "      --run-as USER    when started by root, become this user first\n"
	      "      --make-key NAME  makes NAME.key and NAME.pub, and exits\n"
	      "      --hand-over FILE the last that --key signs: from now on this secret key signs;\n"
	      "                       prints the statement, and exits\n"
	      "  -h, --help           this text\n"
	      "  -V, --version        version\n"
	      "\n"
	      "SIGTERM stops. Exit status: 0 fine, 1 failed, 2 usage, 3 key or user, 4 another signer\n"
	      "has the state, 5 the state is damaged or another key's.\n",
	      out);
}

static int exit_status(enum ttg_error error)
{
	if (error == TTG_OK)
		return EXIT_FINE;
	if (error == TTG_ELOCKED)
		return EXIT_LOCKED;
	if (error == TTG_ECORRUPT)
		return EXIT_DAMAGED;
	return EXIT_BROKEN;
}

static int make_key(const char *name)
{
	char secret[PATH_MAX], public[PATH_MAX];
	struct message message = { "" };

	if (name[0] == '\0' || snprintf(secret, sizeof(secret), "%s.key", name) >= PATH_MAX ||
	    snprintf(public, sizeof(public), "%s.pub", name) >= PATH_MAX) {
		fputs("ttg-signer: --make-key wants a path without its ending\n", stderr);
		return EXIT_USAGE;
	}
	if (signature_make(secret, public, &message) != TTG_OK) {
		fprintf(stderr, "ttg-signer: %s\n", message.text);
		return EXIT_BROKEN;
	}
	printf("%s\n%s\n", secret, public);
	return EXIT_FINE;
}

static int hand_over(const struct arguments *arguments)
{
	struct sign_key *old = NULL, *new = NULL;
	struct message message = { "" };
	char statement[HAND_OVER_FILE_MAX];
	size_t len = 0;
	enum ttg_error error = sign_key_read(arguments->key, &old, &message);

	if (!error)
		error = sign_key_read(arguments->hand_over, &new, &message);
	if (error) {
		sign_key_free(&old);
		fprintf(stderr, "ttg-signer: %s\n", message.text);
		return EXIT_CONFIG;
	}
	error = hand_over_state(world_real(), arguments->state, old, new, statement, &len, &message);
	if (error)
		fprintf(stderr, "ttg-signer: %s\n", message.text);
	else if (printf("%.*s", (int)len, statement) < 0 || fflush(stdout) != 0)
		error = TTG_EIO; /* it is done: asked again it prints the same */
	return exit_status(error);
}

/* False: there is no such user. */
static bool find_user(const char *name, uid_t *out)
{
	const struct passwd *user = name ? getpwnam(name) : NULL;

	*out = user ? user->pw_uid : SERVE_NOBODY;
	return user || !name;
}

static void prepare_process(void)
{
	const struct rlimit none = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);       /* there is nothing to reload */
	setrlimit(RLIMIT_CORE, &none); /* a core would hold the key */
	prctl(PR_SET_DUMPABLE, 0);     /* nor may our user's other processes look at us */
}

/* What comes later is not locked: it could not be had at all where the limit is low. */
static void lock_memory(struct log *log)
{
	if (mlockall(MCL_CURRENT) != 0)
		log_write(log, LOG_LEVEL_WARN, "memory_not_locked", "reason=\"%s\"", strerror(errno));
}

/* Takes the key. */
static enum ttg_error run(const struct arguments *arguments, struct sign_key *take_key, uid_t user,
			  struct log *log, struct message *message)
{
	struct signer *signer = signer_new(take_key);
	struct signer_state *state = NULL;

	if (!signer) {
		sign_key_free(&take_key);
		return message_set(message, TTG_ENOMEM, "no memory for the signer");
	}
	enum ttg_error error =
		signer_state_open(&state, world_real(), arguments->state, signer, message);
	if (!error && signer_has_ended(signer))
		error = message_set(message, TTG_ECORRUPT,
				    "%s: this key has handed over to another and signs no more: --key has to "
				    "name that one",
				    arguments->state);
	if (!error) {
		lock_memory(log);
		error = serve(&(struct serve_options){ .socket_path = arguments->socket,
						       .user = user,
						       .signer = signer,
						       .state = state,
						       .log = log },
			      message);
	}
	const enum ttg_error closed = signer_state_close(&state, error ? NULL : message);
	signer_free(&signer);
	return error ? error : closed;
}

static int start(const struct arguments *arguments)
{
	/* Set by systemd: its journal has times of its own. */
	const enum log_target target = getenv("JOURNAL_STREAM") ? LOG_TO_JOURNALD : LOG_TO_STDERR;
	struct log *log = log_new("ttg-signer", target, LOG_LEVEL_INFO);
	struct message message = { "" };
	struct sign_key *key = NULL;
	uid_t user = SERVE_NOBODY;
	int status = EXIT_CONFIG;
	enum ttg_error error = TTG_OK;

	log_write(log, LOG_LEVEL_NOTICE, "starting", "version=%s", TTG_VERSION);
	error = confine_user(arguments->run_as, &message);
	if (!error)
		error = confine_calls(CONFINE_SIGNER, &message);
	if (!error && !find_user(arguments->user, &user))
		error = message_set(&message, TTG_ENOENT, "--user: there is no user of that name");
	if (!error && !secret_prepare())
		log_write(log, LOG_LEVEL_WARN, "memory_not_locked", "reason=\"%s\"", strerror(ENOMEM));
	if (!error)
		error = sign_key_read(arguments->key, &key, &message);
	if (!error) {
		error = run(arguments, key, user, log, &message);
		status = exit_status(error);
	}
	if (error)
		log_write(log, LOG_LEVEL_ERROR, "ended", "code=%s reason=\"%s\"",
			  ttg_error_name(error), message.text);
	else
		log_write(log, LOG_LEVEL_NOTICE, "stopped", "code=0");
	log_free(&log);
	return status;
}

/* The status to end with, or -1 to go on. */
static int read_arguments(int argc, char **argv, struct arguments *out)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },    { "state", required_argument, NULL, 's' },
		{ "socket", required_argument, NULL, 'l' }, { "user", required_argument, NULL, 'u' },
		{ "run-as", required_argument, NULL, 'r' },
		{ "make-key", required_argument, NULL, 'm' },
		{ "hand-over", required_argument, NULL, 'o' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	    { NULL, 0, NULL, 0 },
	};
	int option = 0;

	while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		switch (option) {
		case 'k':
			out->key = optarg;
			break;
		case 's':
			out->state = optarg;
			break;
		case 'l':
			out->socket = optarg;
			break;
		case 'u':
			out->user = optarg;
			break;
		case 'r':
			out->run_as = optarg;
			break;
		case 'm':
			out->make_key = optarg;
			break;
		case 'o':
			out->hand_over = optarg;
			break;
		case 'h':
			usage(stdout);
			return EXIT_FINE;
		case 'V':
			puts("ttg-signer " TTG_VERSION);
			return EXIT_FINE;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	usage(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .key = DEFAULT_KEY,
				       .state = DEFAULT_STATE,
				       .socket = DEFAULT_SOCKET };
	const int status = read_arguments(argc, argv, &arguments);

	if (status >= 0)
		return status;
	prepare_process();
	if (arguments.make_key)
		return make_key(arguments.make_key);
	return arguments.hand_over ? hand_over(&arguments) : start(&arguments);
}
