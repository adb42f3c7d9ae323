/* See refusals.h. */
#include "net/refusals.h"

#include <stdio.h>
#include <string.h>

#include "net/net.h"

static struct core_refusal *find(struct refusals *refusals, const char *agency, const char *type,
				 enum ttg_error code)
{
	for (size_t i = 0; i < refusals->n; i++) {
		struct core_refusal *it = &refusals->items[i];

		if (it->code == code && strcmp(it->type, type) == 0 && strcmp(it->agency, agency) == 0)
			return it;
	}
	return NULL;
}

static size_t count_of(const struct refusals *refusals, const char *agency)
{
	size_t n = 0;

	for (size_t i = 0; i < refusals->n; i++)
		n += strcmp(refusals->items[i].agency, agency) == 0;
	return n;
}

void refusals_note(struct net *net, const char *agency, const struct core_outcome *out)
{
	struct refusals *refusals = &net->refusals;
	const char *type = out->type;
	struct core_refusal *it;

	if (ttg_error_retryable(out->code))
		return;
	it = find(refusals, agency, type, out->code);
	if (!it && count_of(refusals, agency) >= REFUSALS_TYPES) {
		type = "";
		it = find(refusals, agency, type, out->code);
	}
	if (!it && refusals->n == REFUSALS_MAX)
		refusals_record(net);
	if (!it && refusals->n < REFUSALS_MAX) {
		it = &refusals->items[refusals->n++];
		it->code = out->code;
		it->count = 0;
		snprintf(it->agency, sizeof it->agency, "%s", agency);
		snprintf(it->type, sizeof it->type, "%s", type);
	}
	if (it) /* else the journal is full, and so is this: the metrics have it */
		it->count++;
}

void refusals_record(struct net *net)
{
	struct refusals *refusals = &net->refusals;
	const struct core_now now = net_now(net);
	size_t done = 0;

	while (done < refusals->n &&
	       core_record_refusal(net->core, &now, &refusals->items[done]) == TTG_OK)
		done++;
	refusals->n -= done;
	memmove(refusals->items, refusals->items + done, refusals->n * sizeof(refusals->items[0]));
}
