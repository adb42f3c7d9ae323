/*
 * ttg-demo: plays the demonstration's invented days into the adapters' spools, answers referrals as
 * a provider would, and checks afterwards that nothing was lost. Part of the demonstration only;
 * never installed.
 *
 * One thread; ends at SIGTERM or SIGINT after the day it is at. Exit status: 0 done (check: nothing
 * lost), 1 something was lost or could not be done, 2 wrong use.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/world.h"
#include "check.h"
#include "drop.h"
#include "provider.h"

#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_S    INT64_C(1000000000)
#define EXPLAIN_MAX 20
#define PORTS_MAX   16

static volatile sig_atomic_t stopping;

static const char usage[] =
        "usage: ttg-demo play --prison DIR --police DIR --probation DIR --oneservice DIR\n"
        "                     --expected FILE [--seed N] [--day-ms N] [--seconds N | --days N]\n"
        "       ttg-demo answer --expected FILE --provider AGENCY\n"
        "       ttg-demo check --store FILE --expected FILE... --status FILE...\n"
        "                      [--outcomes FILE] [--tail FILE --grants FILE] [--mailboxes FILE]\n"
        "                      [--explain]\n"
        "       ttg-demo ports N\n"
        "\n"
        "play    writes the days of an invented cohort into the adapters' spools\n"
        "answer  reads referrals as CloudEvents lines and writes a provider's answers\n"
        "ports   names N free ports of this machine\n"
        "check   compares what was to arrive with the case store; status 0 if nothing was lost\n";

struct arguments {
	struct drop drop;
	const char *expected_path; /* play and answer: written */
	struct check_sources sources;
	const char *provider;
	uint64_t seed;
	int64_t day_ms;
	int64_t seconds;
	int64_t days;
	bool explain;
};

enum argument {
	OPTION_PRISON = 1,
	OPTION_POLICE,
	OPTION_PROBATION,
	OPTION_ONESERVICE,
	OPTION_EXPECTED,
	OPTION_STATUS,
	OPTION_STORE,
	OPTION_OUTCOMES,
	OPTION_TAIL,
	OPTION_GRANTS,
	OPTION_MAILBOXES,
	OPTION_EXPLAIN,
	OPTION_PROVIDER,
	OPTION_SEED,
	OPTION_DAY_MS,
	OPTION_SECONDS,
	OPTION_DAYS,
};

static const struct option options[] = {
	{ "prison", required_argument, NULL, OPTION_PRISON },
	{ "police", required_argument, NULL, OPTION_POLICE },
	{ "probation", required_argument, NULL, OPTION_PROBATION },
	{ "oneservice", required_argument, NULL, OPTION_ONESERVICE },
	{ "expected", required_argument, NULL, OPTION_EXPECTED },
	{ "status", required_argument, NULL, OPTION_STATUS },
	{ "store", required_argument, NULL, OPTION_STORE },
	{ "outcomes", required_argument, NULL, OPTION_OUTCOMES },
	{ "tail", required_argument, NULL, OPTION_TAIL },
	{ "grants", required_argument, NULL, OPTION_GRANTS },
	{ "mailboxes", required_argument, NULL, OPTION_MAILBOXES },
	{ "explain", no_argument, NULL, OPTION_EXPLAIN },
	{ "provider", required_argument, NULL, OPTION_PROVIDER },
	{ "seed", required_argument, NULL, OPTION_SEED },
	{ "day-ms", required_argument, NULL, OPTION_DAY_MS },
	{ "seconds", required_argument, NULL, OPTION_SECONDS },
	{ "days", required_argument, NULL, OPTION_DAYS },
	{ NULL, 0, NULL, 0 },
};

static bool parse_count(const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *out >= 0;
}

static bool take_spool(struct arguments *arguments, enum feed feed, const char *path)
{
	if (strlen(path) >= sizeof(arguments->drop.spools[feed]))
		return false;
	strcpy(arguments->drop.spools[feed], path);
	return true;
}

static bool take_path(const char **paths, size_t *n, size_t max, const char *path)
{
	if (*n == max)
		return false;
	paths[(*n)++] = path;
	return true;
}

static bool take_option(struct arguments *arguments, int option, const char *value)
{
	struct check_sources *sources = &arguments->sources;
	int64_t number;

	switch (option) {
	case OPTION_PRISON:
	case OPTION_POLICE:
	case OPTION_PROBATION:
	case OPTION_ONESERVICE:
		return take_spool(arguments, (enum feed)(option - OPTION_PRISON), value);
	case OPTION_EXPECTED:
		arguments->expected_path = value;
		return take_path(sources->expected, &sources->n_expected, CHECK_EXPECTED_MAX,
		                 value);
	case OPTION_STATUS:
		return take_path(sources->statuses, &sources->n_statuses, CHECK_STATUSES_MAX,
		                 value);
	case OPTION_STORE:
		sources->store = value;
		return true;
	case OPTION_OUTCOMES:
		sources->outcomes = value;
		return true;
	case OPTION_TAIL:
		sources->tail = value;
		return true;
	case OPTION_GRANTS:
		sources->grants = value;
		return true;
	case OPTION_MAILBOXES:
		sources->mailboxes = value;
		return true;
	case OPTION_EXPLAIN:
		arguments->explain = true;
		return true;
	case OPTION_PROVIDER:
		arguments->provider = value;
		return true;
	case OPTION_SEED:
		if (!parse_count(value, &number))
			return false;
		arguments->seed = (uint64_t)number;
		return true;
	case OPTION_DAY_MS:
		return parse_count(value, &arguments->day_ms);
	case OPTION_SECONDS:
		return parse_count(value, &arguments->seconds);
	case OPTION_DAYS:
		return parse_count(value, &arguments->days);
	default:
		return false;
	}
}

static void stop(int signal_number)
{
	(void)signal_number;
	stopping = 1;
}

static int64_t mono_ns(void)
{
	const struct world *world = world_real();

	return world->mono_ns(world->self);
}

/* Until the instant of the steady clock, or until somebody wants us to stop. */
static void wait_until(int64_t when_ns)
{
	struct timespec when = { .tv_sec = when_ns / NS_PER_S, .tv_nsec = when_ns % NS_PER_S };

	while (!stopping && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
		;
}

static bool play_days_until(const struct arguments *arguments, struct story *story)
{
	const struct world *world = world_real();
	int64_t begin = mono_ns();
	int64_t next = begin;

	while (!stopping) {
		if (arguments->seconds > 0 && next - begin >= arguments->seconds * NS_PER_S)
			break;
		if (arguments->days > 0 && story_days(story) >= arguments->days)
			break;
		if (!story_day(story, world->real_ns(world->self)))
			return false;
		next += arguments->day_ms * NS_PER_MS;
		wait_until(next);
	}
	return true;
}

static int run_play(struct arguments *arguments)
{
	const struct stage stage = {
		.user = &arguments->drop,
		.put = drop_put,
		.expect = drop_expect,
		.expect_withheld = drop_expect_withheld,
		.expect_elsewhere = drop_expect_elsewhere,
		.expect_own = drop_expect_own,
		.expect_failed = drop_expect_failed,
	};
	struct story *story = story_new(arguments->seed, &stage);
	bool fine;

	if (!story) {
		fprintf(stderr, "ttg-demo: no memory\n");
		return 1;
	}
	fine = play_days_until(arguments, story);
	if (fine)
		printf("played %u days with %u files\n", story_days(story), arguments->drop.files);
	else
		fprintf(stderr, "ttg-demo: %s\n",
		        arguments->drop.problem[0] ? arguments->drop.problem : "no memory");
	story_free(&story);
	return fine ? 0 : 1;
}

static void print_check(const struct check *check)
{
	printf("sent %ld, accepted %ld (%ld of them repeats), delivered %ld, withheld %ld,"
	       " refused %ld, turned away at the door %ld, lost %ld\n",
	       check->sent, check->accepted, check->duplicates, check->delivered, check->withheld,
	       check->refused, check->turned_away, check_lost(check));
	printf("from publish to the case store: median %ld ms, worst %ld ms\n",
	       check->latency_ms_median, check->latency_ms_worst);
	if (check_settled(check))
		return;
	printf("to be withheld %ld, of them delivered all the same %ld, accepted twice %ld,"
	       " not arrived %ld, accepted by id and not arrived %ld, our own unanswered %ld,"
	       " our own refused %ld, still in outboxes %ld, still in mailboxes %ld,"
	       " unreadable and not put aside %ld\n",
	       check->to_withhold, check->leaked, check->doubled, check->missing,
	       check->lost_by_id, check->unanswered, check->own_refused, check->pending,
	       check->queued, check->not_put_aside);
}

static int run_check(const struct arguments *arguments)
{
	char problem[CHECK_PROBLEM] = "";
	struct check check;
	bool fine = check_run(&arguments->sources, &check, problem);

	if (fine)
		print_check(&check);
	if (fine && arguments->explain && check_lost(&check) > 0)
		fine = check_explain(&arguments->sources, EXPLAIN_MAX, problem);
	if (!fine)
		fprintf(stderr, "ttg-demo: %s\n", problem);
	return fine && check_settled(&check) ? 0 : 1;
}

static bool open_expected(struct arguments *arguments)
{
	arguments->drop.expected = fopen(arguments->expected_path, "we");
	if (!arguments->drop.expected)
		fprintf(stderr, "ttg-demo: %s: %s\n", arguments->expected_path, strerror(errno));
	return arguments->drop.expected != NULL;
}

static bool has_spools(const struct arguments *arguments)
{
	for (size_t i = 0; i < FEEDS; i++)
		if (!arguments->drop.spools[i][0])
			return false;
	return true;
}

/* All are held before the first is named, so that they differ. */
static int run_ports(const char *operand)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int64_t wanted;
	int files[PORTS_MAX];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!parse_count(operand, &wanted) || wanted < 1 || wanted > PORTS_MAX)
		return 2;
	for (int i = 0; i < wanted; i++) {
		address.sin_port = 0;
		files[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (files[i] < 0 ||
		    bind(files[i], (const struct sockaddr *)&address, sizeof(address)) != 0 ||
		    getsockname(files[i], (struct sockaddr *)&address, &length) != 0)
			return 1;
		printf("%s%u", i == 0 ? "" : " ", ntohs(address.sin_port));
	}
	printf("\n");
	for (int i = 0; i < wanted; i++)
		close(files[i]);
	return 0;
}

static int run_command(const char *command, struct arguments *arguments, const char *operand)
{
	int status = 2;

	if (strcmp(command, "play") == 0 && has_spools(arguments) && arguments->expected_path) {
		status = open_expected(arguments) ? run_play(arguments) : 1;
	} else if (strcmp(command, "answer") == 0 && arguments->provider &&
	           arguments->expected_path) {
		status = 1;
		if (open_expected(arguments))
			status = provider_answer(arguments->provider, stdin, stdout,
			                         &arguments->drop)
			                 ? 0
			                 : 1;
	} else if (strcmp(command, "check") == 0 && arguments->sources.store &&
	           arguments->sources.n_expected > 0) {
		status = run_check(arguments);
	} else if (strcmp(command, "ports") == 0 && operand) {
		status = run_ports(operand);
	} else {
		fputs(usage, stderr);
	}
	if (arguments->drop.expected)
		fclose(arguments->drop.expected);
	return status;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	struct arguments *arguments = calloc(1, sizeof(*arguments));
	int status = 2;
	int option;

	if (!arguments)
		return 1;
	arguments->seed = 1;
	arguments->day_ms = 2000;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		fputs(usage, argc < 2 ? stderr : stdout);
		status = argc < 2 ? 2 : 0;
		goto out;
	}
	while ((option = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1)
		if (!take_option(arguments, option, optarg)) {
			fputs(usage, stderr);
			goto out;
		}
	status = run_command(argv[1], arguments, argv[optind + 1]);
out:
	free(arguments);
	return status;
}
