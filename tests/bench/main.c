/*
 * ttg-bench MODE [options]: measures one thing and prints one line of JSON. tests/bench/run.sh calls
 * it often and makes tables; docs/performance.md explains the figures.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <ttg/event.h>
#include "bench/bench.h"
#include "bench/modes.h"

static const struct driver *const drivers[] = {
	&driver_ttgd, &driver_redis, &driver_zmq, &driver_nats, &driver_nats_synced,
	&driver_mosquitto,
#ifdef BENCH_HAS_RABBITMQ
	&driver_rabbitmq,
#endif
};

static const struct {
	const char *name, *what;
	void (*run)(struct bench *bench);
	bool needs_broker;
} modes[] = {
	{ "throughput", "as fast as it goes with a full window", mode_throughput, true },
	{ "latency", "publish to accepted and to delivered, by the clock", mode_latency, true },
	{ "memory", "resident memory, idle and with events queued", mode_memory, true },
	{ "catchup", "beside a mailbox that is away, and while it catches up", mode_catchup, true },
	{ "recovery", "SIGKILL, and the time until it listens again", mode_recovery, true },
	{ "disk", "fdatasync of a preallocated file", mode_disk, false },
	{ "decide", "who gets what: the core alone, 200 agencies, 2,000 grants", mode_decide, false },
};

enum { OPTION_FIRST = 256, PUBLISHERS, SUBSCRIBERS, WINDOW, SIZE, EVENTS, WARM_UP, PERSONS,
       AGENCIES, RATE, SECONDS, AT_MOST, BACKLOG, SEGMENT, IO_THREADS, SEALED,
       BIN, PLACE, BROKER, KEEP, HELP };

static const struct option options[] = {
	{ "broker", required_argument, NULL, BROKER },
	{ "publishers", required_argument, NULL, PUBLISHERS },
	{ "subscribers", required_argument, NULL, SUBSCRIBERS },
	{ "window", required_argument, NULL, WINDOW },
	{ "bytes", required_argument, NULL, SIZE },
	{ "events", required_argument, NULL, EVENTS },
	{ "warm-up", required_argument, NULL, WARM_UP },
	{ "persons", required_argument, NULL, PERSONS },
	{ "agencies", required_argument, NULL, AGENCIES },
	{ "rate", required_argument, NULL, RATE },
	{ "seconds", required_argument, NULL, SECONDS },
	{ "at-most", required_argument, NULL, AT_MOST },
	{ "backlog", required_argument, NULL, BACKLOG },
	{ "segment-bytes", required_argument, NULL, SEGMENT },
	{ "io-threads", required_argument, NULL, IO_THREADS },
	{ "sealed", required_argument, NULL, SEALED },
	{ "bin", required_argument, NULL, BIN },
	{ "place", required_argument, NULL, PLACE },
	{ "keep", no_argument, NULL, KEEP },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};

static const struct {
	int option;
	size_t offset;
	uint64_t least, most;
	const char *what;
} numbers[] = {
#define NUMBER(option, field, least, most, what)                                                   \
	{ option, offsetof(struct bench_numbers, field), least, most, what }
	NUMBER(PUBLISHERS, publishers, 1, BENCH_PUBLISHERS, "that publish"),
	NUMBER(SUBSCRIBERS, subscribers, 0, BENCH_SUBSCRIBERS, "each with a mailbox"),
	NUMBER(WINDOW, window, 1, 100000, "events a publisher keeps unanswered"),
	NUMBER(SIZE, bytes, EVENT_SMALLEST, EVENT_LARGEST, "of an encoded event"),
	NUMBER(EVENTS, events, 1, 100000000, "measured"),
	NUMBER(WARM_UP, warm_up, 0, 100000000, "events before that"),
	NUMBER(PERSONS, persons, 1, 1000000, "events are about"),
	NUMBER(AGENCIES, agencies, 2, BENCH_PUBLISHERS, "in the configuration"),
	NUMBER(RATE, rate, 1, 1000000, "events a second, by the clock"),
	NUMBER(SECONDS, seconds, 1, 3600, "to measure"),
	NUMBER(AT_MOST, at_most_s, 0, 3600,
	       "seconds, then fewer events must do; 0: however long it takes"),
	NUMBER(BACKLOG, backlog, 0, 100000000, "events queued"),
	NUMBER(SEGMENT, segment_bytes, 1048576, 1073741824, "of a segment of ttgd's journal"),
	NUMBER(IO_THREADS, io_threads, 1, 16, "of ttgd"),
	NUMBER(SEALED, sealed, 0, 1, "1: ttgd seals payloads about persons"),
#undef NUMBER
};
#define N_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static struct bench *on_the_run; /* for the end by exit() only */

static void clean_up(void)
{
	struct bench *bench = on_the_run;

	if (!bench)
		return;
	if (bench->broker.pid != 0)
		broker_end(&bench->broker, SIGKILL);
	if (bench->helper.pid != 0)
		broker_end(&bench->helper, SIGKILL);
	if (bench->place[0] && !bench->options.keep)
		bench_remove(bench->place);
}

static void usage(void)
{
	printf("usage: ttg-bench MODE [options]\n\nModes:\n");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		printf("  %-12s %s\n", modes[i].name, modes[i].what);
	printf("\nOptions:\n  --broker NAME (");
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		printf("%s%s", i ? ", " : "", drivers[i]->name);
	printf(")\n  --bin FOLDER of ttgd (as built), --place FOLDER to work in (/var/tmp)\n"
	       "  --keep what was made there\n");
	for (size_t i = 0; i < N_NUMBERS; i++) {
		const struct option *option = options;

		while (option->val != numbers[i].option)
			option++;
		printf("  --%s %llu to %llu %s\n", option->name,
		       (unsigned long long)numbers[i].least, (unsigned long long)numbers[i].most,
		       numbers[i].what);
	}
}

static void take_number(struct bench *bench, int option, const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	for (size_t i = 0; i < N_NUMBERS; i++) {
		if (numbers[i].option != option)
			continue;
		if (!*text || *end || value < numbers[i].least || value > numbers[i].most)
			bench_die("%s: must be %llu to %llu", text,
				  (unsigned long long)numbers[i].least,
				  (unsigned long long)numbers[i].most);
		memcpy((char *)&bench->options.numbers + numbers[i].offset, &value, sizeof(value));
	}
}

static const struct driver *find_driver(const char *name)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	bench_die("%s: no such broker", name);
}

/* Brokers run in a folder of their own. */
static const char *whole_path(const char *path, char whole[PATH_MAX])
{
	if (!realpath(path, whole))
		bench_die("%s: %s", path, strerror(errno));
	return whole;
}

/* Where a build puts ttgd, seen from this program. */
static const char *built_bin(char whole[PATH_MAX])
{
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - sizeof("/../bin"));
	char *slash;

	program[len > 0 ? len : 0] = '\0';
	slash = strrchr(program, '/');
	if (!slash)
		return ".";
	memcpy(slash, "/../bin", sizeof("/../bin"));
	return realpath(program, whole) ? whole : ".";
}

static void take_options(struct bench *bench, int argc, char **argv)
{
	static char bin[PATH_MAX], place[PATH_MAX];
	int option;

	bench->options.bin = built_bin(bin);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == HELP) {
			usage();
			exit(0);
		}
		if (option == BROKER)
			bench->driver = find_driver(optarg);
		else if (option == BIN)
			bench->options.bin = whole_path(optarg, bin);
		else if (option == PLACE)
			bench->options.place = whole_path(optarg, place);
		else if (option == KEEP)
			bench->options.keep = true;
		else if (option > OPTION_FIRST)
			take_number(bench, option, optarg);
		else
			exit(2);
	}
}

/* Room for the descriptors of many clients. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	prctl(PR_SET_TIMERSLACK, 1);
	bench_catch_signals();
}

static void make_place(struct bench *bench)
{
	snprintf(bench->place, sizeof(bench->place), "%s/ttg-bench-XXXXXX", bench->options.place);
	if (!mkdtemp(bench->place)) {
		bench->place[0] = '\0';
		bench_die("%s: %s", bench->options.place, strerror(errno));
	}
	bench->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (bench->epoll_fd < 0)
		bench_die("epoll: %s", strerror(errno));
}

static void make_publishers(struct bench *bench)
{
	const struct bench_numbers *wanted = &bench->options.numbers;
	uint8_t random[16];
	uint64_t run = 0;
	int left = bench->options.numbers.agencies > wanted->subscribers ?
			   (int)(wanted->agencies - wanted->subscribers) :
			   1;

	if (ttg_uuid_new(random) != TTG_OK)
		bench_die("no random bytes");
	memcpy(&run, random + 10, 6);
	for (uint64_t i = 0; i < wanted->publishers; i++) {
		char source[32];

		snprintf(source, sizeof(source), "p%d", (int)i % left);
		const struct event_wish wish = { source, wanted->bytes, (uint32_t)i,
						 (uint32_t)wanted->publishers, wanted->persons, run };
		event_maker_init(&bench->publishers[i].maker, &wish);
	}
	for (uint64_t i = 0; i < wanted->subscribers; i++)
		for (uint64_t k = 0; k < wanted->publishers; k++)
			bench->subscribers[i].next[k] = 1;
}

int main(int argc, char **argv)
{
	static struct bench bench = {
		.driver = &driver_ttgd,
		.options = { .place = "/var/tmp", .numbers = {
			.publishers = 4, .subscribers = 2, .window = 256, .bytes = 512,
			.events = 200000, .warm_up = 20000, .persons = 1000, .agencies = 6,
			.rate = 2000, .seconds = 10, .backlog = 200000,
			.segment_bytes = 64 * 1024 * 1024, .io_threads = 1 } },
	};

	if (argc < 2 || argv[1][0] == '-') {
		usage();
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
	}
	on_the_run = &bench;
	atexit(clean_up);
	raise_limits();
	take_options(&bench, argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, argv[1]) != 0)
			continue;
		make_place(&bench);
		bench.n_publishers = (int)bench.options.numbers.publishers;
		bench.n_subscribers = (int)bench.options.numbers.subscribers;
		if (modes[i].needs_broker)
			make_publishers(&bench);
		modes[i].run(&bench);
		return 0;
	}
	bench_die("%s: no such mode", argv[1]);
}
