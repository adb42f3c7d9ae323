/*
 * What others notice of a calamity: the prison publishes by the clock, probation receives, and the
 * time between is taken. And what the broker needs of the machine meanwhile.
 */
#ifndef TTG_TEST_PROBE_H
#define TTG_TEST_PROBE_H

#include "support/peer.h"

struct probe {
	struct stage *stage;
	struct peer *from, *to; /* prison, probation/inbox */
	uint32_t sent;          /* numbers 1 to this */
	size_t seen;            /* deliveries looked at */
};

struct latency {
	double p50_ms, p99_ms;
};

/* Opens both peers; the broker runs. */
void must_open_probe(struct stage *stage, struct probe *probe);

/* n events, one every every_ms, whatever becomes of those before; all must arrive once, in order.
   From the moment each was due to its arrival. */
struct latency must_probe(struct probe *probe, uint32_t n, int every_ms);

/* Kibibytes that "VmRSS", "VmHWM" (the most there ever was) of the process say. */
long must_read_memory(const struct process *process, const char *name);
/* Processor time it used since its start, seconds. */
double must_read_cpu(const struct process *process);

/* The long form is asked for: TTG_LONG. The first number then, else the second. */
uint32_t in_long(uint32_t many, uint32_t few);

/* Prints one line of figures, which tests/system/long.sh collects. */
__attribute__((format(printf, 1, 2))) void tell_figures(const char *format, ...);

/* Memory figures mean nothing in a sanitizer's build. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PROBE_MEMORY_COUNTS false
#else
#define PROBE_MEMORY_COUNTS true
#endif
void must_have_memory_below(const struct process *process, long kib);

#endif
