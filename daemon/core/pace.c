/*
 * See pace.h. What time brings is bounded by PACE_MOST, what events bring by PACE_OWED_MOST.
 */
#include "core/pace.h"

void pace_event(struct pace *pace, int64_t mono_ns)
{
	pace->live_until_ns = mono_ns + PACE_LIVE_NS;
}

void pace_owe(struct pace *pace)
{
	if (pace->left < PACE_OWED_MOST)
		pace->left += 2;
}

bool pace_holds(const struct pace *pace, int64_t mono_ns)
{
	return mono_ns < pace->live_until_ns;
}

uint64_t pace_take(struct pace *pace, int64_t mono_ns)
{
	const int64_t due = (mono_ns - pace->counted_ns) / PACE_INTERVAL_NS;

	if (pace->left >= PACE_MOST || due < 0 || due >= PACE_MOST) {
		pace->counted_ns = mono_ns;
		if (pace->left < PACE_MOST && due > 0)
			pace->left = PACE_MOST;
	} else {
		pace->counted_ns += due * PACE_INTERVAL_NS;
		pace->left += (uint64_t)due;
		if (pace->left > PACE_MOST)
			pace->left = PACE_MOST;
	}
	if (!pace_holds(pace, mono_ns))
		return UINT64_MAX;
	return pace->left < PACE_LEAST ? 0 : pace->left;
}

void pace_spend(struct pace *pace, uint64_t n)
{
	pace->left -= n < pace->left ? n : pace->left;
}

int64_t pace_next_ns(const struct pace *pace)
{
	if (pace->left >= PACE_LEAST)
		return pace->counted_ns;
	return pace->counted_ns + (int64_t)(PACE_LEAST - pace->left) * PACE_INTERVAL_NS;
}
