/* Back-off of what is pushed. See push_retry.h. Pure. */
#include "partner/push_retry.h"

enum push_verdict push_judge(long status)
{
	if (status >= 200 && status < 300)
		return PUSH_DONE;
	return status == PUSH_GONE ? PUSH_STOPPED : PUSH_AGAIN;
}

int64_t push_delay_ms(const struct push_patience *patience, unsigned attempts, int64_t asked_s,
                      uint32_t chance)
{
	int64_t wait_ms = patience->first_ms;

	for (unsigned i = 1; i < attempts && wait_ms < patience->longest_ms; i++)
		wait_ms *= 2;
	if (wait_ms > patience->longest_ms)
		wait_ms = patience->longest_ms;
	wait_ms = wait_ms / 2 + (int64_t)chance % (wait_ms / 2 + 1);
	if (asked_s > patience->longest_ms / 1000)
		return patience->longest_ms;
	return asked_s > 0 && asked_s * 1000 > wait_ms ? asked_s * 1000 : wait_ms;
}

bool push_gives_up(const struct push_patience *patience, unsigned attempts, int64_t first_s,
                   int64_t now_s)
{
	return attempts >= patience->max_attempts || now_s - first_s >= patience->give_up_s;
}
