/*
 * The measurements with a broker. Owner: the program's only thread.
 */
#include "bench/modes.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include "bench/load.h"

#define MIB (1024.0 * 1024.0)
#define TURN_NS (10 * 1000000LL)
#define CATCH_UP_MAX_S 600

static void start_broker(struct bench *bench)
{
	bench->port = bench_free_port();
	bench->driver->start(bench);
	bench_wait_port(bench, bench->port);
	if (bench->driver->prepare)
		bench->driver->prepare(bench);
}

/* Of the broker with all its processes. */
static struct broker_cost cost(const struct bench *bench)
{
	struct broker_cost sum = broker_cost(&bench->broker);
	const struct broker_cost more = broker_cost(&bench->helper);

	sum.cpu_s += more.cpu_s;
	sum.resident_bytes += more.resident_bytes;
	sum.peak_bytes += more.peak_bytes;
	sum.written_bytes += more.written_bytes;
	return sum;
}

static double own_cpu_s(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void print_head(const struct bench *bench, const char *mode)
{
	const struct bench_numbers *numbers = &bench->options.numbers;

	printf("{\"broker\":\"%s\",\"confirmed\":\"%s\",\"mode\":\"%s\",\"publishers\":%d,"
	       "\"subscribers\":%d,\"window\":%llu,\"bytes\":%zu,\"persons\":%llu,\"agencies\":%llu",
	       bench->driver->name, bench->driver->confirmed, mode, bench->n_publishers,
	       bench->n_subscribers, (unsigned long long)numbers->window,
	       bench->publishers[0].maker.event.len, (unsigned long long)numbers->persons,
	       (unsigned long long)numbers->agencies);
}

static void print_number(const char *name, double value)
{
	printf(",\"%s\":%.*f", name, value < 100 ? 2 : 0, value);
}

static void print_samples(struct samples *samples, const char *what)
{
	static const struct {
		const char *name;
		double part;
	} parts[] = { { "p50", 0.5 }, { "p99", 0.99 }, { "p999", 0.999 }, { "max", 1.0 } };
	char name[64];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(name, sizeof(name), "%s_%s_us", what, parts[i].name);
		print_number(name, samples_part_us(samples, parts[i].part));
	}
}

static void print_end(struct bench *bench)
{
	if (bench->driver->may_repeat)
		print_number("repeats", (double)bench->repeats);
	printf("}\n");
	load_close(bench);
	broker_end(&bench->broker, bench->driver->end_signal);
	broker_end(&bench->helper, SIGTERM);
	for (int i = 0; i < bench->n_publishers; i++)
		event_maker_fini(&bench->publishers[i].maker);
	samples_fini(&bench->to_accepted);
	samples_fini(&bench->to_delivered);
}

/* When the subscriber that was last got its last one. */
static int64_t last_delivery_ns(const struct bench *bench)
{
	int64_t last_ns = 0;

	for (int i = 0; i < bench->n_subscribers; i++)
		if (!bench->subscribers[i].away && bench->subscribers[i].last_ns > last_ns)
			last_ns = bench->subscribers[i].last_ns;
	return last_ns ? last_ns : bench_now_ns();
}

void mode_throughput(struct bench *bench)
{
	const struct bench_numbers *numbers = &bench->options.numbers;

	start_broker(bench);
	load_open(bench);
	load_run(bench, numbers->warm_up, (numbers->at_most_s + 3) / 4);
	const struct broker_cost before = cost(bench);
	const double own_before_s = own_cpu_s();
	const uint64_t warm_up = bench->published;
	load_run(bench, numbers->events, numbers->at_most_s);
	const double took_s = (double)(last_delivery_ns(bench) - bench->began_ns) / 1e9;
	const double own_s = own_cpu_s() - own_before_s;
	const uint64_t events = bench->published - warm_up;
	const struct broker_cost after = cost(bench);
	const double millions = (double)events / 1e6;

	print_head(bench, "throughput");
	print_number("events", (double)events);
	print_number("events_per_s", (double)events / took_s);
	print_number("broker_cpu_s_per_million", (after.cpu_s - before.cpu_s) / millions);
	print_number("clients_cpu_s_per_million", own_s / millions);
	print_number("peak_mb", (double)after.peak_bytes / MIB);
	print_number("written_bytes_per_event",
		     (double)(after.written_bytes - before.written_bytes) / (double)events);
	print_end(bench);
}

void mode_latency(struct bench *bench)
{
	const struct bench_numbers *numbers = &bench->options.numbers;

	start_broker(bench);
	load_open(bench);
	load_run_open(bench, numbers->rate, numbers->rate); /* one second of warm-up */
	samples_clear(&bench->to_accepted);
	samples_clear(&bench->to_delivered);
	bench->unfinished = 0;
	const struct broker_cost before = cost(bench);
	load_run_open(bench, numbers->rate * numbers->seconds, numbers->rate);
	const struct broker_cost after = cost(bench);
	const double took_s = (double)(bench_now_ns() - bench->began_ns) / 1e9;

	print_head(bench, "latency");
	print_number("rate", (double)numbers->rate);
	print_number("seconds", (double)numbers->seconds);
	print_samples(&bench->to_accepted, "accepted");
	print_samples(&bench->to_delivered, "delivered");
	print_number("unfinished", (double)bench->unfinished);
	print_number("broker_cpu_part",
		     (after.cpu_s - before.cpu_s) / took_s);
	print_end(bench);
}

static void send_away(struct bench *bench, int from)
{
	for (int i = from; i < bench->n_subscribers; i++)
		bench->subscribers[i].away = true;
}

void mode_memory(struct bench *bench)
{
	start_broker(bench);
	const struct broker_cost idle = cost(bench);
	send_away(bench, 0);
	load_open(bench);
	load_run(bench, bench->options.numbers.backlog, bench->options.numbers.at_most_s);
	const uint64_t backlog = bench->published;
	const struct broker_cost queued = cost(bench);

	print_head(bench, "memory");
	print_number("backlog", (double)backlog);
	print_number("idle_mb", (double)idle.resident_bytes / MIB);
	print_number("queued_mb", (double)queued.resident_bytes / MIB);
	print_number("peak_mb", (double)queued.peak_bytes / MIB);
	print_number("bytes_per_queued",
		     ((double)queued.resident_bytes - (double)idle.resident_bytes) /
			     (double)(backlog * (uint64_t)bench->n_subscribers));
	print_end(bench);
}

/* Latencies of a load that runs by the clock, one after the other. */
struct live {
	double accepted_p50_us, accepted_p99_us, delivered_p99_us;
};

static struct live take_live(struct bench *bench)
{
	const struct live live = { samples_part_us(&bench->to_accepted, 0.5),
				   samples_part_us(&bench->to_accepted, 0.99),
				   samples_part_us(&bench->to_delivered, 0.99) };

	samples_clear(&bench->to_accepted);
	samples_clear(&bench->to_delivered);
	return live;
}

/* Live traffic while the last mailbox takes all it has missed; seconds until it had it. */
static double catch_up(struct bench *bench, uint64_t behind)
{
	const struct bench_numbers *numbers = &bench->options.numbers;
	const int last = bench->n_subscribers - 1;
	struct subscriber *late = &bench->subscribers[last];

	load_begin_open(bench, numbers->rate * CATCH_UP_MAX_S, numbers->rate);
	const int64_t began_ns = bench_now_ns();
	late->away = false;
	load_open_peer(bench, bench->n_publishers + last);
	while (late->delivered < behind) {
		load_turn(bench, TURN_NS);
		broker_check(&bench->broker, bench->place);
		if (bench_now_ns() - began_ns > CATCH_UP_MAX_S * NS_PER_S)
			bench_die("the mailbox does not catch up");
	}
	const double took_s = (double)(bench_now_ns() - began_ns) / 1e9;
	bench->to_publish = bench->published;
	while (!load_is_answered(bench) || !load_is_delivered(bench))
		load_turn(bench, TURN_NS);
	return took_s;
}

/* The last mailbox is away while the backlog comes in, and while the rest is measured beside it; then
   it catches up beside live traffic. */
void mode_catchup(struct bench *bench)
{
	const struct bench_numbers *numbers = &bench->options.numbers;

	if (bench->n_subscribers < 2)
		bench_die("catchup needs two subscribers");
	start_broker(bench);
	send_away(bench, bench->n_subscribers - 1);
	load_open(bench);
	load_run(bench, numbers->warm_up, (numbers->at_most_s + 3) / 4);
	if (numbers->backlog > 0)
		load_run(bench, numbers->backlog, numbers->at_most_s);
	const struct broker_cost full = cost(bench);
	const uint64_t backlog = bench->published;
	load_run(bench, numbers->events, numbers->at_most_s);
	const double events_took_s = (double)(last_delivery_ns(bench) - bench->began_ns) / 1e9;
	const uint64_t events = bench->published - backlog;
	load_run_open(bench, numbers->rate * 3, numbers->rate);
	const struct live alone = take_live(bench);
	const uint64_t behind = bench->published;
	const double took_s = catch_up(bench, behind);
	const struct live beside = take_live(bench);

	print_head(bench, "catchup");
	print_number("backlog", (double)backlog);
	print_number("full_mb", (double)full.resident_bytes / MIB);
	print_number("full_events_per_s", (double)events / events_took_s);
	print_number("behind", (double)behind);
	print_number("catchup_events_per_s", (double)behind / took_s);
	print_number("rate", (double)numbers->rate);
	print_number("alone_accepted_p50_us", alone.accepted_p50_us);
	print_number("alone_accepted_p99_us", alone.accepted_p99_us);
	print_number("alone_delivered_p99_us", alone.delivered_p99_us);
	print_number("beside_accepted_p50_us", beside.accepted_p50_us);
	print_number("beside_accepted_p99_us", beside.accepted_p99_us);
	print_end(bench);
}

void mode_recovery(struct bench *bench)
{
	const uint64_t backlog = bench->options.numbers.backlog;

	if (!bench->driver->keeps)
		bench_die("%s keeps nothing", bench->driver->name);
	start_broker(bench);
	send_away(bench, 0);
	load_open(bench);
	load_run(bench, backlog, 0);
	const struct broker_cost before = cost(bench);
	broker_end(&bench->broker, SIGKILL);
	const int64_t began_ns = bench_now_ns();
	bench->driver->start(bench);
	bench_wait_port(bench, bench->port);
	const double took_s = (double)(bench_now_ns() - began_ns) / 1e9;
	const struct broker_cost after = cost(bench);

	print_head(bench, "recovery");
	print_number("backlog", (double)backlog);
	print_number("seconds", took_s);
	print_number("journal_mb", (double)before.written_bytes / MIB);
	print_number("resident_mb", (double)after.resident_bytes / MIB);
	print_end(bench);
}
