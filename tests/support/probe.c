/*
 * The probe. Test thread only. Latencies are taken from when an event was due, so that a probe that is
 * itself held up does not hide it.
 */
#include "support/probe.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "support/wait.h"

#define PERSONS 50
#define PATIENCE_MS (3 * WAIT_LONG_MS)

void must_open_probe(struct stage *stage, struct probe *probe)
{
	*probe = (struct probe){ .stage = stage };
	probe->from = must_open_peer(stage, "prison", NULL);
	probe->to = must_open_peer(stage, "probation", NULL);
	must_attach(stage, probe->to, "inbox");
	must_be_ready(stage, probe->from);
}

static void publish_next(struct probe *probe)
{
	const uint32_t number = ++probe->sent;
	char noms[16];

	snprintf(noms, sizeof(noms), "P%04uAA", (unsigned)(number % PERSONS));
	struct made made = must_make(&(struct made_wish){ .number = number, .noms = noms });
	must_be(ttg_client_publish(probe->from->client, made.id, made.bytes, made.len, NULL) ==
			TTG_OK,
		"publish");
	made_free(&made);
}

static void work(struct probe *probe, int wait_ms)
{
	struct pollfd ends[] = { { .fd = ttg_client_fd(probe->from->client), .events = POLLIN },
				 { .fd = ttg_client_fd(probe->to->client), .events = POLLIN } };

	poll(ends, 2, wait_ms > 0 ? wait_ms : 0);
	must_be(ttg_client_poll(probe->from->client, 0) == TTG_OK, "the probe's publisher failed");
	must_be(ttg_client_poll(probe->to->client, 0) == TTG_OK, "the probe's recipient failed");
}

static int by_size(const void *left, const void *right)
{
	const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return a < b ? -1 : a > b;
}

static int64_t now_us(void)
{
	return made_now_ns() / 1000;
}

/* Notes what arrived; repeats after a lost session are passed over. */
static void take(struct probe *probe, uint32_t before, const int64_t *due_us, int64_t *took_us,
		 uint32_t *arrived)
{
	const int64_t now = now_us();

	for (; probe->seen < probe->to->n_got; probe->seen++) {
		const uint32_t number = made_number(probe->to->got[probe->seen].id);

		if (number <= before + *arrived)
			continue;
		if (number != before + *arrived + 1)
			must_fail("event %u after %u", (unsigned)number,
				  (unsigned)(before + *arrived));
		took_us[*arrived] = now - due_us[*arrived];
		(*arrived)++;
	}
}

struct latency must_probe(struct probe *probe, uint32_t n, int every_ms)
{
	const uint32_t before = probe->sent;
	int64_t *due_us = calloc(n, sizeof(*due_us)), *took_us = calloc(n, sizeof(*took_us));
	const int64_t began_us = now_us();
	int64_t deadline_ms = 0;
	uint32_t sent = 0, arrived = 0;

	must_be(due_us && took_us, "no memory");
	while (arrived < n) {
		while (sent < n && now_us() >= began_us + (int64_t)sent * every_ms * 1000) {
			due_us[sent] = began_us + (int64_t)sent * every_ms * 1000;
			publish_next(probe);
			sent++;
			deadline_ms = wait_now_ms() + PATIENCE_MS;
		}
		const int64_t next_us = began_us + (int64_t)sent * every_ms * 1000 - now_us();
		work(probe, sent < n ? (int)(next_us / 1000) + 1 : 5);
		take(probe, before, due_us, took_us, &arrived);
		if (wait_now_ms() > deadline_ms)
			must_fail("%u of %u events arrived", (unsigned)arrived, (unsigned)n);
	}
	qsort(took_us, n, sizeof(*took_us), by_size);
	const struct latency latency = { (double)took_us[n / 2] / 1000,
					 (double)took_us[(uint64_t)n * 99 / 100] / 1000 };
	free(due_us);
	free(took_us);
	return latency;
}

long must_read_memory(const struct process *process, const char *name)
{
	char path[64];
	long kib = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)process->pid);
	char *text = must_read_file(path, NULL);
	const char *at = strstr(text, name);
	if (at)
		kib = strtol(at + strlen(name) + 1, NULL, 10);
	free(text);
	must_be(kib > 0, "nothing is known of the broker's memory");
	return kib;
}

double must_read_cpu(const struct process *process)
{
	char path[64];
	unsigned long long user = 0, system = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)process->pid);
	char *text = must_read_file(path, NULL);
	const char *at = strrchr(text, ')');
	must_be(at && sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
			     &system) == 2,
		"nothing is known of the broker's processor time");
	free(text);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

uint32_t in_long(uint32_t many, uint32_t few)
{
	return getenv("TTG_LONG") ? many : few;
}

void tell_figures(const char *format, ...)
{
	char line[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	print_message("figures: %s\n", line);
}

void must_have_memory_below(const struct process *process, long kib)
{
	const long peak = must_read_memory(process, "VmHWM");

	if (PROBE_MEMORY_COUNTS && peak > kib)
		must_fail("the broker needed %ld KiB, should be at most %ld", peak, kib);
}
