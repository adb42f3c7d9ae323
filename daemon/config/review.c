/*
 * Doubts: a configuration that loads and is probably not what was meant. Warnings only.
 *
 * Owner: whoever loads.
 */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>

/* The instant until which the keys carry the agency without a gap, from now on; now: no key. */
static int64_t keys_reach(const struct rules_agency *agency, int64_t now_ns)
{
	int64_t reach = now_ns;
	bool moved = true;

	while (moved) {
		moved = false;
		for (size_t i = 0; i < agency->n_keys; i++) {
			const struct rules_key *key = &agency->keys[i];

			if (!key->revoked && key->from_ns <= reach && key->to_ns > reach) {
				reach = key->to_ns;
				moved = true;
			}
		}
	}
	return reach;
}

static void review_keys(const struct builder *builder)
{
	for (size_t i = 0; i < builder->rules->n_agencies; i++) {
		const struct rules_agency *agency = &builder->rules->agencies[i];
		int64_t reach = keys_reach(agency, builder->now_ns);

		if (reach == builder->now_ns)
			errors_warn(builder->errors, builder->agency_places[i],
				    "agency %s has no valid key, it cannot connect", agency->id);
		else if (reach - builder->now_ns < BUILD_KEY_NOTICE_NS)
			errors_warn(builder->errors, builder->agency_places[i],
				    "agency %s has no key from in %lld days on, add its next one",
				    agency->id, (long long)((reach - builder->now_ns) / BUILD_DAY_NS));
	}
}

static bool may_sign(const struct rules_agency *agency, int64_t now_ns)
{
	for (size_t i = 0; i < agency->n_signing_keys; i++)
		if (rules_signing_key_valid(&agency->signing_keys[i], now_ns))
			return true;
	return false;
}

static void review_signing(const struct builder *builder)
{
	for (size_t i = 0; i < builder->rules->n_agencies; i++) {
		const struct rules_agency *agency = &builder->rules->agencies[i];

		if (!agency->must_sign || agency->n_signing_keys == 0)
			continue;
		if (!may_sign(agency, builder->now_ns))
			errors_warn(builder->errors, builder->agency_places[i],
				    "agency %s must sign and has no valid signing key, it cannot publish",
				    agency->id);
		else if (!may_sign(agency, builder->now_ns + BUILD_KEY_NOTICE_NS))
			errors_warn(builder->errors, builder->agency_places[i],
				    "agency %s must sign and has no signing key in %lld days, add its "
				    "next one",
				    agency->id, (long long)(BUILD_KEY_NOTICE_NS / BUILD_DAY_NS));
	}
}

static bool overlap(const struct rules *rules, uint32_t a, uint32_t b)
{
	return rules->agreements[a].from_ns < rules->agreements[b].to_ns &&
	       rules->agreements[b].from_ns < rules->agreements[a].to_ns;
}

/* Grants to receive what nobody may send. */
static void review_publishers(const struct builder *builder)
{
	const struct rules *rules = builder->rules;
	bool *may_publish = calloc(rules->n_types * rules->n_agencies + 1, sizeof(bool));

	if (may_publish == NULL)
		return;
	for (size_t i = 0; i < rules->n_publish; i++)
		may_publish[rules->publish[i].type * rules->n_agencies + rules->publish[i].agency] =
			true;
	for (size_t i = 0; i < rules->n_deliver; i++) {
		const struct rules_deliver_grant *grant = &rules->deliver[i];

		if (grant->from != RULES_NONE &&
		    !may_publish[grant->type * rules->n_agencies + grant->from])
			errors_warn(builder->errors, builder->agreement_places[grant->agreement],
				    "%s is to get %s from %s, which no agreement lets publish it",
				    rules->mailboxes[grant->mailbox].id, rules->types[grant->type],
				    rules->agencies[grant->from].id);
	}
	free(may_publish);
}

static int by_delivery(const void *a, const void *b)
{
	const struct rules_deliver_grant *left = a, *right = b;

	if (left->type != right->type)
		return left->type < right->type ? -1 : 1;
	if (left->from != right->from)
		return left->from < right->from ? -1 : 1;
	if (left->mailbox != right->mailbox)
		return left->mailbox < right->mailbox ? -1 : 1;
	if (left->agreement != right->agreement)
		return left->agreement < right->agreement ? -1 : 1;
	return 0;
}

static bool same_delivery(const struct rules_deliver_grant *one, const struct rules_deliver_grant *two)
{
	return one->type == two->type && one->from == two->from && one->mailbox == two->mailbox;
}

/* One delivery under two agreements: ending one of them does not end it. */
static void review_overlaps(const struct builder *builder, const struct rules_deliver_grant *sorted)
{
	const struct rules *rules = builder->rules;

	for (size_t i = 1; i < rules->n_deliver; i++) {
		const struct rules_deliver_grant *one = &sorted[i - 1], *two = &sorted[i];

		if (same_delivery(one, two) && overlap(rules, one->agreement, two->agreement))
			errors_warn(builder->errors, builder->agreement_places[two->agreement],
				    "%s gets %s under %s as well as under %s in the same time",
				    rules->mailboxes[two->mailbox].id, rules->types[two->type],
				    rules->agreements[two->agreement].id,
				    rules->agreements[one->agreement].id);
	}
}

/* All that `limited` could give is given by `open` whoever the event is about, at some time from now on. */
static bool outdone(const struct builder *builder, const struct rules_deliver_grant *limited,
		    const struct rules_deliver_grant *open)
{
	const struct rules *rules = builder->rules;

	return open->condition == 0 && open->mask == 0 &&
	       (open->addressed_by[0] == '\0' ||
		strcmp(open->addressed_by, limited->addressed_by) == 0) &&
	       (!rules->agreements[open->agreement].official_only ||
		rules->agreements[limited->agreement].official_only) &&
	       rules->agreements[open->agreement].to_ns > builder->now_ns &&
	       rules->agreements[limited->agreement].to_ns > builder->now_ns &&
	       overlap(rules, limited->agreement, open->agreement);
}

/* A limit that another agreement takes away: whoever wrote it believes that it withholds something. */
static void review_conditions(const struct builder *builder,
			      const struct rules_deliver_grant *sorted)
{
	const struct rules *rules = builder->rules;

	for (size_t begin = 0, end; begin < rules->n_deliver; begin = end) {
		for (end = begin + 1; end < rules->n_deliver; end++)
			if (!same_delivery(&sorted[begin], &sorted[end]))
				break;
		for (size_t i = begin; i < end; i++) {
			const struct rules_deliver_grant *limited = &sorted[i], *open = &sorted[begin];

			if (limited->condition == 0)
				continue;
			while (open < &sorted[end] && !outdone(builder, limited, open))
				open++;
			if (open < &sorted[end])
				errors_warn(builder->errors, builder->agreement_places[limited->agreement],
					    "%s gets %s under %s whole and of everybody, the when of %s "
					    "withholds nothing",
					    rules->mailboxes[limited->mailbox].id,
					    rules->types[limited->type],
					    rules->agreements[open->agreement].id,
					    rules->agreements[limited->agreement].id);
		}
	}
}

/* What shows only when deliveries of one kind stand beside each other. */
static void review_deliveries(const struct builder *builder)
{
	const struct rules *rules = builder->rules;
	struct rules_deliver_grant *sorted;

	if (rules->n_deliver < 2)
		return;
	sorted = malloc(rules->n_deliver * sizeof(*sorted));
	if (sorted == NULL)
		return;
	memcpy(sorted, rules->deliver, rules->n_deliver * sizeof(*sorted));
	qsort(sorted, rules->n_deliver, sizeof(*sorted), by_delivery);
	review_overlaps(builder, sorted);
	review_conditions(builder, sorted);
	free(sorted);
}

void build_review(const struct builder *builder)
{
	review_keys(builder);
	review_signing(builder);
	review_publishers(builder);
	review_deliveries(builder);
}
