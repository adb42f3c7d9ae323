/* See gate.h. Everything is a walk over the few numbers of one person. */
#include "core/gate.h"

#include <string.h>

#define NS_PER_DAY (INT64_C(86400) * 1000000000)

void gate_find(const struct identity *identity, const struct person_number *numbers, size_t n,
	       struct gate_person *out)
{
	out->n = 0;
	for (size_t i = 0; i < n; i++) {
		const uint32_t index = identity_find(identity, numbers[i].key);
		size_t k = 0;

		if (index == IDENTITY_NONE)
			continue;
		while (k < out->n && identity_look(identity, out->numbers[k])->lead !=
					     identity_look(identity, index)->lead)
			k++;
		if (k == out->n)
			out->numbers[out->n++] = index;
	}
}

/* He was in the scheme when the event was accepted, and nobody has taken that back. */
static bool is_in(const struct standing_scheme *it, const struct condition *condition,
		  const struct gate_moment *when)
{
	const int64_t window_ns = (int64_t)condition->window_days * NS_PER_DAY;
	int64_t since_ns;

	if (it->withdrawn || strcmp(it->scheme, condition->scheme) != 0)
		return false;
	if (when->sequence < it->since || (it->ended != 0 && when->sequence > it->ended) ||
	    when->at_ns < it->from_ns || when->at_ns >= it->until_ns)
		return false;
	if (window_ns == 0 || it->opened_ns == 0 || when->at_ns < it->opened_ns)
		return true;
	/* A record's clock may have stood anywhere. */
	return !__builtin_sub_overflow(when->at_ns, it->opened_ns, &since_ns) && since_ns < window_ns;
}

static bool is_enrolled(const struct identity *identity, uint32_t number,
			const struct condition *condition, const struct gate_moment *when)
{
	uint32_t i = number;

	do {
		const struct standing *it = identity_look(identity, i)->standing;

		for (uint32_t k = 0; it && k < it->n_schemes; k++) {
			if (is_in(&it->schemes[k], condition, when))
				return true;
		}
		i = identity_look(identity, i)->next;
	} while (i != number);
	return false;
}

static bool is_referred(const struct identity *identity, uint32_t number, const char *agency,
			const struct gate_moment *when)
{
	uint32_t i = number;

	do {
		const struct standing *it = identity_look(identity, i)->standing;

		for (uint32_t k = 0; it && k < it->n_referrals; k++) {
			if (it->referrals[k].since <= when->sequence &&
			    strcmp(it->referrals[k].provider, agency) == 0)
				return true;
		}
		i = identity_look(identity, i)->next;
	} while (i != number);
	return false;
}

/* Of the person's numbers the standing in which the sequence at this offset is the highest. */
static const struct standing *latest(const struct identity *identity, uint32_t number, size_t offset)
{
	const struct standing *found = NULL;
	uint64_t best = 0, sequence;
	uint32_t i = number;

	do {
		const struct standing *it = identity_look(identity, i)->standing;

		if (it) {
			memcpy(&sequence, (const uint8_t *)it + offset, sizeof(sequence));
			if (sequence > best) {
				best = sequence;
				found = it;
			}
		}
		i = identity_look(identity, i)->next;
	} while (i != number);
	return found;
}

uint8_t gate_custody(const struct identity *identity, uint32_t number)
{
	const struct standing *it =
		latest(identity, number, offsetof(struct standing, custody_sequence));

	return it ? it->custody : CONDITION_CUSTODY_ANY;
}

uint8_t gate_risk(const struct identity *identity, uint32_t number)
{
	const struct standing *it = latest(identity, number, offsetof(struct standing, risk_sequence));

	return it ? it->risk : 0;
}

const char *gate_area(const struct identity *identity, uint32_t number)
{
	const struct standing *it = latest(identity, number, offsetof(struct standing, area_sequence));

	return it ? it->area : "";
}

static bool is_area(const struct condition *condition, const char *area)
{
	for (uint32_t i = 0; i < condition->n_areas; i++) {
		if (strcmp(condition->areas[i], area) == 0)
			return true;
	}
	return false;
}

static bool holds(const struct identity *identity, uint32_t number, const struct condition *condition,
		  const char *agency, const struct gate_moment *when)
{
	if (condition->scheme[0] && !is_enrolled(identity, number, condition, when))
		return false;
	if (condition->referral && !is_referred(identity, number, agency, when))
		return false;
	if (condition->custody != CONDITION_CUSTODY_ANY &&
	    gate_custody(identity, number) != condition->custody)
		return false;
	if (condition->n_areas > 0 && !is_area(condition, gate_area(identity, number)))
		return false;
	if (condition->risk_at_most > 0) {
		const uint8_t risk = gate_risk(identity, number);

		return risk > 0 && risk <= condition->risk_at_most;
	}
	return true;
}

enum gate gate_ask(const struct identity *identity, const struct gate_person *person,
		   const struct condition *condition, const char *agency, const struct gate_moment *when)
{
	enum gate answer = GATE_SHUT;

	for (size_t i = 0; i < person->n; i++) {
		if (identity_is_contested(identity, person->numbers[i]))
			return GATE_HELD;
		if (holds(identity, person->numbers[i], condition, agency, when))
			answer = GATE_OPEN;
	}
	return answer;
}
