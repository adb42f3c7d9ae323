/*
 * The broker's process: started, killed, and asked what it costs by way of /proc.
 */
#ifndef TTG_BENCH_BROKER_H
#define TTG_BENCH_BROKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct broker {
	pid_t pid; /* 0: not running */
};

/* What it and all processes below it used since they started. */
struct broker_cost {
	double cpu_s;
	uint64_t resident_bytes, peak_bytes, written_bytes;
};

/* Output goes to NAME.log in the folder, which is also its working directory. */
void broker_start(struct broker *broker, const char *folder, const char *const *arguments);
/* Dies unless the signal ends it in time. */
void broker_end(struct broker *broker, int number);
/* Dies when it is not there any more. */
void broker_check(struct broker *broker, const char *folder);
struct broker_cost broker_cost(const struct broker *broker);

#endif
