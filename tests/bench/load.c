/*
 * The loop of all clients, and the check of what they get. Owner: the program's only thread.
 *
 * Closed loop: each publisher has `window` events unanswered; an answer makes room for the next at
 * once. Open loop: event k is due at a fixed time, and its latency counts from then even when the
 * loop came late, so a broker that stalls cannot make fewer events suffer for it. A broker that does
 * not keep up is given up some time after the last event was due; what is missing then counts as
 * late as it is by then.
 */
#include "bench/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define READY_EVENTS 64
#define PATIENCE_NS (60 * NS_PER_S) /* without any progress */
#define TURN_NS (100 * 1000000LL)
#define GRACE_NS (5 * NS_PER_S)     /* at least, in an open loop, behind the last due event */

static int n_peers(const struct bench *bench)
{
	return bench->n_publishers + bench->n_subscribers;
}

static void publish_next(struct bench *bench, int index)
{
	struct publisher *publisher = &bench->publishers[index];

	publisher->published++;
	bench->published++;
	bench->driver->publish(bench, index, event_make(&publisher->maker, publisher->published));
}

static void fill_window(struct bench *bench, int index)
{
	const struct publisher *publisher = &bench->publishers[index];

	while (bench->closed_loop && bench->published < bench->to_publish &&
	       publisher->published - publisher->accepted < bench->options.numbers.window)
		publish_next(bench, index);
}

/* When event `number` of a publisher was due. Publishers take turns. */
static int64_t due_ns(const struct bench *bench, int publisher, uint64_t number)
{
	const struct publisher *it = &bench->publishers[publisher];
	uint64_t turn = number - 1 - it->before;

	return bench->began_ns +
	       (int64_t)(turn * (uint64_t)bench->n_publishers + (uint64_t)publisher) *
		       bench->interval_ns;
}

static bool in_schedule(const struct bench *bench, int publisher, uint64_t number)
{
	return !bench->closed_loop && number > bench->publishers[publisher].before;
}

void load_accepted(struct bench *bench, int publisher, uint64_t number)
{
	struct publisher *it = &bench->publishers[publisher];

	if (number == 0 || number > it->published)
		bench_die("an answer to an event that was not published");
	it->accepted++;
	bench->accepted++;
	if (in_schedule(bench, publisher, number))
		samples_add(&bench->to_accepted, bench_now_ns() - due_ns(bench, publisher, number));
	fill_window(bench, publisher);
}

void load_delivered(struct bench *bench, int index, const uint8_t *event, size_t len)
{
	struct subscriber *it = &bench->subscribers[index];
	uint32_t publisher;
	uint64_t number;

	if (!event_recognise(event, len, &publisher, &number) ||
	    publisher >= (uint32_t)bench->n_publishers ||
	    len != bench->publishers[publisher].maker.event.len)
		bench_die("a delivery that was not published");
	if (number < it->next[publisher] && bench->driver->may_repeat) {
		bench->repeats++;
		return;
	}
	if (number != it->next[publisher])
		bench_die("publisher %u, subscriber %d: number %llu came instead of %llu", publisher,
			  index, (unsigned long long)number,
			  (unsigned long long)it->next[publisher]);
	it->next[publisher]++;
	it->delivered++;
	it->last_ns = bench_now_ns();
	if (in_schedule(bench, (int)publisher, number))
		samples_add(&bench->to_delivered, it->last_ns - due_ns(bench, (int)publisher, number));
}

bool load_is_answered(const struct bench *bench)
{
	return bench->published == bench->to_publish && bench->accepted == bench->published;
}

bool load_is_delivered(const struct bench *bench)
{
	for (int i = 0; i < bench->n_subscribers; i++)
		if (!bench->subscribers[i].away &&
		    bench->subscribers[i].delivered != bench->published)
			return false;
	return true;
}

/* Publishes what is due; when the next one is, INT64_MAX when none. */
static int64_t publish_due(struct bench *bench)
{
	const uint64_t publishers = (uint64_t)bench->n_publishers;
	const uint64_t from = bench->published - bench->first_due;
	int64_t now_ns = bench_now_ns(), next_ns = INT64_MAX;

	while (bench->published < bench->to_publish) {
		uint64_t turn = bench->published - bench->first_due;

		next_ns = bench->began_ns + (int64_t)turn * bench->interval_ns;
		if (next_ns > now_ns)
			break;
		publish_next(bench, (int)(turn % publishers));
		next_ns = INT64_MAX;
	}
	const uint64_t until = bench->published - bench->first_due;
	for (uint64_t i = from; i < until && i < from + publishers; i++)
		bench->driver->work(bench, (int)(i % publishers));
	return next_ns;
}

void load_turn(struct bench *bench, int64_t timeout_ns)
{
	struct epoll_event ready[READY_EVENTS];

	bench_check_signal();
	if (!bench->closed_loop) {
		int64_t next_ns = publish_due(bench);
		int64_t left_ns = next_ns == INT64_MAX ? timeout_ns : next_ns - bench_now_ns();

		if (left_ns < timeout_ns)
			timeout_ns = left_ns < 0 ? 0 : left_ns;
	}
	struct timespec wait = { timeout_ns / NS_PER_S, timeout_ns % NS_PER_S };
	int n = epoll_pwait2(bench->epoll_fd, ready, READY_EVENTS, &wait, NULL);
	if (n < 0 && errno != EINTR)
		bench_die("epoll: %s", strerror(errno));
	for (int i = 0; i < n; i++)
		bench->driver->work(bench, ready[i].data.fd);
	for (int i = 0; n == 0 && i < n_peers(bench); i++)
		if (bench->opened[i] && timeout_ns >= TURN_NS) /* what was stuck in writing */
			bench->driver->work(bench, i);
}

static void begin(struct bench *bench, uint64_t events, int64_t at_most_ns)
{
	bench->first_due = bench->published;
	bench->to_publish = bench->published + events;
	bench->began_ns = bench_now_ns();
	bench->until_ns = at_most_ns ? bench->began_ns + at_most_ns : INT64_MAX;
	for (int i = 0; i < bench->n_publishers; i++)
		bench->publishers[i].before = bench->publishers[i].published;
}

static uint64_t progress(const struct bench *bench)
{
	uint64_t sum = bench->accepted + bench->published;

	for (int i = 0; i < bench->n_subscribers; i++)
		sum += bench->subscribers[i].delivered;
	return sum;
}

/* From number `first` of a publisher; how many. */
static uint64_t add_missing(struct bench *bench, struct samples *samples, int publisher,
			    uint64_t first, int64_t now_ns)
{
	uint64_t missing = 0;

	for (uint64_t n = first; n <= bench->publishers[publisher].published; n++) {
		if (!in_schedule(bench, publisher, n))
			continue;
		samples_add(samples, now_ns - due_ns(bench, publisher, n));
		missing++;
	}
	return missing;
}

/* What is still missing of an open loop counts as if it came now. */
static void give_up(struct bench *bench)
{
	const int64_t now_ns = bench_now_ns();

	for (int p = 0; p < bench->n_publishers; p++) {
		const struct publisher *from = &bench->publishers[p];

		bench->unfinished += add_missing(bench, &bench->to_accepted, p, from->accepted + 1,
						 now_ns);
		for (int s = 0; s < bench->n_subscribers; s++)
			if (!bench->subscribers[s].away)
				add_missing(bench, &bench->to_delivered, p,
					    bench->subscribers[s].next[p], now_ns);
	}
}

/* True when time is up. A closed loop only publishes no more, and waits for the rest. */
static bool is_over(struct bench *bench)
{
	if (bench_now_ns() < bench->until_ns)
		return false;
	if (bench->closed_loop) {
		bench->to_publish = bench->published;
		return false;
	}
	give_up(bench);
	return true;
}

static void run_to_end(struct bench *bench)
{
	uint64_t seen = 0;
	int64_t seen_ns = bench_now_ns();

	while (!load_is_answered(bench) || !load_is_delivered(bench)) {
		load_turn(bench, TURN_NS);
		if (is_over(bench))
			return;
		if (progress(bench) != seen) {
			seen = progress(bench);
			seen_ns = bench_now_ns();
			continue;
		}
		broker_check(&bench->broker, bench->place);
		if (bench_now_ns() - seen_ns > PATIENCE_NS)
			bench_die("nothing moves: %llu of %llu answered",
				  (unsigned long long)bench->accepted,
				  (unsigned long long)bench->to_publish);
	}
}

void load_run(struct bench *bench, uint64_t events, uint64_t at_most_s)
{
	bench->closed_loop = true;
	begin(bench, events, (int64_t)at_most_s * NS_PER_S);
	for (int i = 0; i < bench->n_publishers; i++) {
		fill_window(bench, i);
		bench->driver->work(bench, i);
	}
	run_to_end(bench);
}

void load_begin_open(struct bench *bench, uint64_t events, uint64_t events_per_s)
{
	bench->closed_loop = false;
	bench->interval_ns = NS_PER_S / (int64_t)events_per_s;
	events -= events % (uint64_t)bench->n_publishers;
	begin(bench, events, 0);
}

void load_run_open(struct bench *bench, uint64_t events, uint64_t events_per_s)
{
	load_begin_open(bench, events, events_per_s);
	const int64_t took_ns = (int64_t)events * bench->interval_ns;
	bench->until_ns = bench->began_ns + took_ns + (took_ns > GRACE_NS ? took_ns : GRACE_NS);
	run_to_end(bench);
}

static void wait_ready(struct bench *bench, int peer)
{
	int64_t until_ns = bench_now_ns() + PATIENCE_NS;

	while (!bench->driver->ready(bench, peer)) {
		bench->driver->work(bench, peer);
		load_turn(bench, 1000000);
		broker_check(&bench->broker, bench->place);
		if (bench_now_ns() > until_ns)
			bench_die("%s: peer %d does not get ready", bench->driver->name, peer);
	}
}

void load_open_peer(struct bench *bench, int peer)
{
	struct epoll_event event = { .events = EPOLLIN };

	bench->driver->open(bench, peer);
	bench->opened[peer] = true;
	event.data.fd = peer;
	if (epoll_ctl(bench->epoll_fd, EPOLL_CTL_ADD, bench->driver->descriptor(bench, peer),
		      &event) != 0)
		bench_die("epoll: %s", strerror(errno));
	wait_ready(bench, peer);
}

/* Subscribers first: some brokers make the mailbox when it is first asked for. */
void load_open(struct bench *bench)
{
	bench->closed_loop = true;
	for (int i = n_peers(bench) - 1; i >= 0; i--) {
		int subscriber = i - bench->n_publishers;

		if (subscriber < 0 || !bench->subscribers[subscriber].away)
			load_open_peer(bench, i);
	}
}

void load_close(struct bench *bench)
{
	for (int i = 0; i < n_peers(bench); i++) {
		if (bench->opened[i])
			bench->driver->close(bench, i);
		bench->opened[i] = false;
	}
}
