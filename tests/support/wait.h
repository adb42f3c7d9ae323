/*
 * Waiting for a condition with a deadline: the only place in the tests where time passes without
 * anything being checked.
 */
#ifndef TTG_TEST_WAIT_H
#define TTG_TEST_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#define WAIT_LONG_MS 20000 /* patience for what should take milliseconds, on a loaded machine */

/* Milliseconds of a clock that never goes back. */
int64_t wait_now_ms(void);

/* Lets a few milliseconds pass; false when deadline_ms (of wait_now_ms) is behind us. */
bool wait_step(int64_t deadline_ms);

/* Asks condition(arg) until it says true (then true) or timeout_ms are over (then false). */
bool wait_until(bool (*condition)(void *arg), void *arg, int timeout_ms);

#endif
