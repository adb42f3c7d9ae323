/* Baselines of the outcome as people write them. Pure; see baselines.h. */
#include "oneservice/baselines.h"

#include <string.h>

#define BASELINE_WHOLE 100000 /* events per 100 men: more is a slip of the pen */

/* "150", "150.5" or "150.525" to thousandths; 0 when it is no such number. */
static int64_t read_frequency(const char *text)
{
	int64_t value = 0;
	int decimals = -1; /* before the point */

	for (; *text != '\0'; text++) {
		if (*text == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (*text < '0' || *text > '9' || decimals == 3 ||
		    value > BASELINE_WHOLE * INT64_C(1000))
			return 0;
		value = value * 10 + (*text - '0');
		decimals += decimals >= 0 ? 1 : 0;
	}
	for (int i = decimals < 0 ? 0 : decimals; i < 3; i++)
		value *= 10;
	return value <= BASELINE_WHOLE * INT64_C(1000) ? value : 0;
}

static bool take_id(char out[FIGURES_ID_BYTES], const char *from, size_t len)
{
	if (len == 0 || len >= FIGURES_ID_BYTES)
		return false;
	memcpy(out, from, len);
	out[len] = '\0';
	return true;
}

bool baselines_add(struct baselines *baselines, const char *text)
{
	struct figures_baseline it = { "", "", 0 };
	const char *equals = strchr(text, '=');
	const char *slash = strchr(text, '/');

	if (baselines->n == BASELINES_MAX)
		return false;
	if (equals != NULL) {
		const char *cohort = slash == NULL ? text : slash + 1;

		if (cohort > equals || !take_id(it.cohort, cohort, (size_t)(equals - cohort)) ||
		    (slash != NULL && !take_id(it.scheme, text, (size_t)(slash - text))))
			return false;
		text = equals + 1;
	}
	it.thousandths = read_frequency(text);
	if (it.thousandths == 0)
		return false;
	baselines->list[baselines->n++] = it;
	return true;
}
