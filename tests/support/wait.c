/*
 * Waiting by asking again: a few milliseconds between two questions, a deadline over all. Threads:
 * any; there is no state.
 */
#include "support/wait.h"

#include <time.h>

#define STEP_NS 5000000L

int64_t wait_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool wait_step(int64_t deadline_ms)
{
	const struct timespec step = { 0, STEP_NS };

	if (wait_now_ms() >= deadline_ms)
		return false;
	nanosleep(&step, NULL);
	return true;
}

bool wait_until(bool (*condition)(void *arg), void *arg, int timeout_ms)
{
	int64_t deadline_ms = wait_now_ms() + timeout_ms;

	do {
		if (condition(arg))
			return true;
	} while (wait_step(deadline_ms));
	return condition(arg);
}
