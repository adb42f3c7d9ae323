/*
 * Looking things up in the rules: who is this key, may this agency publish that type, which
 * mailboxes get it. Everything is sorted by rules_finish(), so a decision is a binary search and a
 * walk over the few grants that match.
 *
 * Owner: the loop, read only. Nothing here fails; what is not found is denied.
 */
#include "core/rules.h"

#include <assert.h>
#include <string.h>

static bool in_force(const struct rules *rules, uint32_t agreement, int64_t now_ns)
{
	const struct rules_agreement *it;

	assert(agreement < rules->n_agreements);
	it = &rules->agreements[agreement];
	return it->from_ns <= now_ns && now_ns < it->to_ns;
}

bool rules_in_force(const struct rules *rules, uint32_t agreement, int64_t now_ns)
{
	return in_force(rules, agreement, now_ns);
}

/* First publish grant that is not before (type, agency). */
static size_t publish_lower(const struct rules *rules, uint32_t type, uint32_t agency)
{
	size_t low = 0, high = rules->n_publish;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct rules_publish_grant *it = &rules->publish[middle];

		if (it->type < type || (it->type == type && it->agency < agency))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t rules_publishings(const struct rules *rules, uint32_t type, uint32_t agency,
			 const struct rules_publish_grant **first)
{
	const size_t low = publish_lower(rules, type, agency);
	size_t n = 0;

	*first = rules->publish + low;
	while (low + n < rules->n_publish && (*first)[n].type == type && (*first)[n].agency == agency)
		n++;
	return n;
}

bool rules_may_publish(const struct rules *rules, uint32_t type, uint32_t agency, int64_t now_ns)
{
	const struct rules_publish_grant *first;
	const size_t n = rules_publishings(rules, type, agency, &first);

	for (size_t i = 0; i < n; i++) {
		if (in_force(rules, first[i].agreement, now_ns))
			return true;
	}
	return false;
}

/* First deliver grant that is not before (type, from). */
static size_t deliver_lower(const struct rules *rules, uint64_t type, uint64_t from)
{
	size_t low = 0, high = rules->n_deliver;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct rules_deliver_grant *it = &rules->deliver[middle];

		if (it->type < type || (it->type == type && it->from < from))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t rules_deliveries(const struct rules *rules, uint32_t type, uint32_t from,
			const struct rules_deliver_grant **first)
{
	size_t begin = deliver_lower(rules, type, from);
	size_t end = deliver_lower(rules, type, (uint64_t)from + 1);

	*first = rules->deliver ? rules->deliver + begin : NULL;
	return end - begin;
}

size_t rules_type_deliveries(const struct rules *rules, uint32_t type,
			     const struct rules_deliver_grant **first)
{
	size_t begin = deliver_lower(rules, type, 0);
	size_t end = deliver_lower(rules, (uint64_t)type + 1, 0);

	*first = rules->deliver ? rules->deliver + begin : NULL;
	return end - begin;
}

const struct rules_deliver_grant *rules_grant(const struct rules *rules, uint32_t type,
					      uint32_t from, uint32_t mailbox, uint32_t agreement)
{
	const struct rules_deliver_grant *grants;
	size_t low = 0, high = rules_deliveries(rules, type, from, &grants), n = high;

	if (!grants)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct rules_deliver_grant *it = &grants[middle];

		if (it->mailbox < mailbox || (it->mailbox == mailbox && it->agreement < agreement))
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && grants[low].mailbox == mailbox && grants[low].agreement == agreement ?
		       &grants[low] :
		       NULL;
}

/* Binary search over n ids, `stride` bytes apart, each the first member of its struct. */
static int find_id(const void *base, size_t n, size_t stride, const char *id)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp((const char *)base + middle * stride, id);

		if (order == 0)
			return (int)middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

int rules_find_agency(const struct rules *rules, const char *id)
{
	return find_id(rules->agencies, rules->n_agencies, sizeof(*rules->agencies), id);
}

int rules_find_mailbox(const struct rules *rules, const char *id)
{
	return find_id(rules->mailboxes, rules->n_mailboxes, sizeof(*rules->mailboxes), id);
}

int rules_find_agreement(const struct rules *rules, const char *id)
{
	return find_id(rules->agreements, rules->n_agreements, sizeof(*rules->agreements), id);
}

int rules_find_type(const struct rules *rules, const char *type)
{
	return find_id(rules->types, rules->n_types, sizeof(*rules->types), type);
}

bool rules_find_key(const struct rules *rules, const char *public_z85, uint32_t *agency,
		    uint32_t *key)
{
	size_t low = 0, high = rules->n_by_key;

	while (low < high) { /* the first that is not below */
		size_t middle = low + (high - low) / 2;

		if (strcmp(rules->by_key[middle].public_z85, public_z85) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == rules->n_by_key || strcmp(rules->by_key[low].public_z85, public_z85) != 0)
		return false;
	*agency = rules->by_key[low].agency;
	*key = rules->by_key[low].key;
	return true;
}

const char *rules_role_word(enum rules_role role)
{
	static const char *const words[RULES_ROLES] = {
		[RULES_NO_ROLE] = "unstated",
		[RULES_CONTROLLER] = "controller",
		[RULES_JOINT_CONTROLLER] = "joint-controller",
		[RULES_PROCESSOR] = "processor",
	};

	assert(role < RULES_ROLES);
	return words[role];
}

bool rules_key_valid(const struct rules_key *key, int64_t now_ns)
{
	return !key->revoked && key->from_ns <= now_ns && now_ns < key->to_ns;
}

const struct rules_signing_key *rules_find_signing_key(const struct rules_agency *agency,
						       const uint8_t fingerprint[RULES_SIGNING_KEY])
{
	for (size_t i = 0; i < agency->n_signing_keys; i++)
		if (memcmp(agency->signing_keys[i].fingerprint, fingerprint, RULES_SIGNING_KEY) == 0)
			return &agency->signing_keys[i];
	return NULL;
}

bool rules_signing_key_valid(const struct rules_signing_key *key, int64_t now_ns)
{
	return !key->revoked && key->from_ns <= now_ns && now_ns < key->to_ns;
}

static bool range_covers(const struct rules_range *range, const uint8_t address[16])
{
	size_t whole = range->prefix_bits / 8;
	unsigned int rest = range->prefix_bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	assert(range->prefix_bits <= 128);
	if (memcmp(range->address, address, whole) != 0)
		return false;
	return rest == 0 || ((range->address[whole] ^ address[whole]) & mask) == 0;
}

bool rules_address_allowed(const struct rules_agency *agency, const uint8_t address[16])
{
	if (agency->n_ranges == 0)
		return true;
	for (size_t i = 0; i < agency->n_ranges; i++) {
		if (range_covers(&agency->ranges[i], address))
			return true;
	}
	return false;
}
