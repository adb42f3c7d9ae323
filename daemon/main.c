/* ttgd: options, configuration, signals; everything else is broker.c. */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "broker.h"
#include "confine/confine.h"

#define DEFAULT_CONFIG "/etc/ttgd/ttgd.conf"
#define NS_PER_S 1000000000LL
#define MAPPED_BYTES (32 * 1024 * 1024) /* single pieces from here on are mapped by themselves */
#define DESCRIPTORS_MAX 262144
#define KEPT_BYTES   (8 * 1024 * 1024)  /* free at the end of the heap before it is given back */

/* Exit statuses, as ttgd(8) lists them. */
enum { EXIT_FINE = 0, EXIT_BROKEN = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3, EXIT_LOCKED = 4,
       EXIT_DAMAGED = 5 };

static void usage(FILE *out)
{
	fputs("Usage: ttgd [--config FILE] [-t] [--run-as USER]\n"
	      "The broker that carries events between agencies.\n"
	      "\n"
	      "  -c, --config FILE   configuration (" DEFAULT_CONFIG ")\n"
	      "  -t, --test          check the configuration and exit\n"
	      "      --run-as USER   when started by root, become this user first\n"
	      "      --options       list every option: type, range, default, meaning\n"
	      "  -h, --help          this text\n"
	      "  -V, --version       version\n"
	      "\n"
	      "SIGHUP reloads agencies, agreements and what does not need a restart; SIGTERM drains\n"
	      "and stops. Exit status: 0 fine, 1 failed, 2 usage, 3 configuration or keys,\n"
	      "4 another ttgd holds the journal, 5 the journal is damaged.\n",
	      out);
}

static struct config *load(const char *path)
{
	struct config_errors *errors = config_errors_new();
	if (!errors) {
		fputs("ttgd: no memory\n", stderr);
		return NULL;
	}
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct config *config =
		config_load(path, (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec, errors);
	for (size_t i = 0; i < config_errors_lines(errors); i++) {
		bool warning = false;
		const char *line = config_errors_line(errors, i, &warning);
		fprintf(stderr, "ttgd: %s%s\n", warning ? "warning: " : "", line);
	}
	config_errors_free(&errors);
	return config;
}

static int exit_status(enum ttg_error error)
{
	if (error == TTG_OK)
		return EXIT_FINE;
	if (error == TTG_ELOCKED)
		return EXIT_LOCKED;
	if (error == TTG_ECORRUPT || error == TTG_EVERSION)
		return EXIT_DAMAGED;
	if (error == TTG_EPERM || error == TTG_EFORMAT || error == TTG_ECRYPTO)
		return EXIT_CONFIG;
	return EXIT_BROKEN;
}

/*
 * Frames and batches are large and short-lived. Without this glibc maps each anew, and the kernel
 * clears its pages each time; kept in the heap they are used again.
 */
static void prepare_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_TOP_PAD, 256 * 1024);
}

/* Each connection is a descriptor: all that we may have. What that is, monitor.c looks at. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max ||
	    limit.rlim_cur >= DESCRIPTORS_MAX)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void prepare_process(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	const struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none); /* a core would hold keys and events */
	prctl(PR_SET_DUMPABLE, 0);     /* nor may our user's other processes look at us */
	raise_descriptors();
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "test", no_argument, NULL, 't' },
		{ "run-as", required_argument, NULL, 'r' },
		{ "options", no_argument, NULL, 'o' },	    { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	    { NULL, 0, NULL, 0 },
	};
	const char *path = DEFAULT_CONFIG, *user = NULL;
	bool test = false;
	int option = 0;
	while ((option = getopt_long(argc, argv, "c:thV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'r':
			user = optarg;
			break;
		case 't':
			test = true;
			break;
		case 'o':
			config_print_options(stdout);
			return EXIT_FINE;
		case 'h':
			usage(stdout);
			return EXIT_FINE;
		case 'V':
			puts("ttgd " TTG_VERSION);
			return EXIT_FINE;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	prepare_memory();
	prepare_process();
	struct message message = { "" };
	if (confine_user(user, &message) != TTG_OK ||
	    confine_calls(CONFINE_BROKER, &message) != TTG_OK) {
		fprintf(stderr, "ttgd: %s\n", message.text);
		return EXIT_BROKEN;
	}
	struct config *config = load(path);
	if (!config)
		return EXIT_CONFIG;
	if (test) {
		printf("%s: fine, %zu agencies, %zu mailboxes, %zu agreements\n", path,
		       config->rules->n_agencies, config->rules->n_mailboxes,
		       config->rules->n_agreements);
		config_free(&config);
		return EXIT_FINE;
	}
	return exit_status(broker_run(config, &message));
}
