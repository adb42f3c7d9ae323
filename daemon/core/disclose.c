/* Choosing and packing what goes; see disclose.h. */
#include "core/disclose.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/redact.h"

#define ALERT_TYPE "broker.alert_unacknowledged"
#define CORRECTION_TYPE "broker.correction"
#define OVERDUE_TYPE "broker.referral_overdue"

/* Masks of one route that go together, and their union. */
struct join {
	uint32_t masks[RECORD_MAX_AGREEMENTS]; /* indices in the rules, ascending */
	uint32_t n;
	struct mask *both;
};

struct packing {
	uint64_t sequence;       /* 0: nothing is kept here */
	const struct mask *mask;
	uint8_t *bytes;
	size_t len, room;
};

struct disclose {
	struct join joins[DISCLOSE_UNIONS];
	size_t next_join; /* the oldest, to be taken next */
	struct packing kept[DISCLOSE_KEPT];
};

struct disclose *disclose_new(void)
{
	return calloc(1, sizeof(struct disclose));
}

void disclose_forget(struct disclose *it)
{
	for (size_t i = 0; i < DISCLOSE_UNIONS; i++)
		mask_free(&it->joins[i].both);
	for (size_t i = 0; i < DISCLOSE_KEPT; i++)
		it->kept[i].sequence = 0;
}

void disclose_free(struct disclose **it)
{
	if (!*it)
		return;
	disclose_forget(*it);
	for (size_t i = 0; i < DISCLOSE_KEPT; i++)
		free((*it)->kept[i].bytes);
	free(*it);
	*it = NULL;
}

size_t disclose_held_bytes(const struct disclose *it)
{
	size_t bytes = 0;

	for (size_t i = 0; i < DISCLOSE_KEPT; i++)
		bytes += it->kept[i].room;
	for (size_t i = 0; i < DISCLOSE_UNIONS; i++) {
		if (it->joins[i].both)
			bytes += sizeof(struct mask) +
				 it->joins[i].both->n_nodes * sizeof(struct mask_node);
	}
	return bytes;
}

/* Puts a mask among those of a join. */
static void add_mask(struct join *join, uint32_t mask)
{
	uint32_t at = 0;

	while (at < join->n && join->masks[at] < mask)
		at++;
	if (at < join->n && join->masks[at] == mask)
		return;
	assert(join->n < RECORD_MAX_AGREEMENTS);
	memmove(&join->masks[at + 1], &join->masks[at], (join->n - at) * sizeof(mask));
	join->masks[at] = mask;
	join->n++;
}

static struct mask *unite(const struct rules *rules, const struct join *join)
{
	struct mask *both = mask_union(rules->masks[join->masks[0]], rules->masks[join->masks[1]]);

	for (uint32_t i = 2; i < join->n && both; i++) {
		struct mask *more = mask_union(both, rules->masks[join->masks[i]]);

		mask_free(&both);
		both = more;
	}
	return both;
}

/* A packing names the union it was made for; with the union it goes. */
static void drop_join(struct disclose *it, struct join *join)
{
	for (size_t i = 0; i < DISCLOSE_KEPT && join->both; i++) {
		if (it->kept[i].mask == join->both)
			it->kept[i].sequence = 0;
	}
	mask_free(&join->both);
}

static const struct mask *union_of(struct disclose *it, const struct rules *rules,
				   const struct join *wanted)
{
	struct join *join;

	for (size_t i = 0; i < DISCLOSE_UNIONS; i++) {
		join = &it->joins[i];
		if (join->both && join->n == wanted->n &&
		    memcmp(join->masks, wanted->masks, wanted->n * sizeof(wanted->masks[0])) == 0)
			return join->both;
	}
	join = &it->joins[it->next_join];
	it->next_join = (it->next_join + 1) % DISCLOSE_UNIONS;
	drop_join(it, join);
	*join = *wanted;
	join->both = unite(rules, wanted);
	return join->both;
}

/* Collects the masks of all grants that hold. False: one of them gives the whole event. */
static bool collect(const struct rules *rules, const struct record_event *event, uint32_t mailbox,
		    const struct record_recipient *recipient, struct join *join)
{
	const bool own = strcmp(event->source, rules->broker) == 0;
	const int type = rules_find_type(rules, event->type);
	const int from = own ? 0 : rules_find_agency(rules, event->source);

	for (uint32_t i = 0; i < recipient->n_agreements && type >= 0 && from >= 0; i++) {
		const int agreement = rules_find_agreement(rules, recipient->agreements[i]);
		const struct rules_deliver_grant *grant = NULL;

		if (agreement >= 0)
			grant = rules_grant(rules, (uint32_t)type,
					    own ? RULES_NONE : (uint32_t)from, mailbox,
					    (uint32_t)agreement);
		if (grant && grant->mask == 0)
			return false;
		if (grant)
			add_mask(join, grant->mask - 1);
	}
	return true;
}

enum ttg_error disclose_mask(struct disclose *it, const struct rules *rules,
			     const struct record_event *event, uint32_t mailbox,
			     const struct record_recipient *recipient, const struct mask **mask)
{
	struct join join = { .n = 0 };

	*mask = NULL;
	if (rules->n_masks == 0 || strcmp(event->type, ALERT_TYPE) == 0 ||
	    strcmp(event->type, CORRECTION_TYPE) == 0 || strcmp(event->type, OVERDUE_TYPE) == 0 ||
	    !collect(rules, event, mailbox, recipient, &join))
		return TTG_OK;
	if (join.n == 0)
		return TTG_EPERM;
	*mask = join.n == 1 ? rules->masks[join.masks[0]] : union_of(it, rules, &join);
	return *mask ? TTG_OK : TTG_ENOMEM;
}

static struct packing *place_of(struct disclose *it, const struct mask *mask, uint64_t sequence)
{
	const uint64_t mixed = (sequence ^ ((uintptr_t)mask >> 4)) * UINT64_C(0x9e3779b97f4a7c15);

	return &it->kept[mixed >> 32 & (DISCLOSE_KEPT - 1)];
}

enum ttg_error disclose_bytes(struct disclose *it, const struct mask *mask, uint64_t sequence,
			      struct span event, struct span *out)
{
	struct packing *place = place_of(it, mask, sequence);

	if (place->sequence != sequence || place->mask != mask) {
		place->sequence = 0;
		if (place->room < event.len) {
			uint8_t *grown = realloc(place->bytes, event.len);

			if (!grown)
				return TTG_ENOMEM;
			place->bytes = grown;
			place->room = event.len;
		}
		if (!redact(mask, event, place->bytes, &place->len))
			return TTG_ECORRUPT;
		place->sequence = sequence;
		place->mask = mask;
	}
	*out = (struct span){ place->bytes, place->len };
	return TTG_OK;
}
