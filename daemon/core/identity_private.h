/* Inside of identity.c, identity_do.c and identity_save.c. */
#ifndef TTGD_CORE_IDENTITY_PRIVATE_H
#define TTGD_CORE_IDENTITY_PRIVATE_H

#include "core/identity.h"

struct identity {
	struct identity_number *numbers;
	size_t n, capacity;
	uint32_t *slots;     /* index + 1 of a number, by key; open addressing; 0: free */
	size_t n_slots;      /* a power of two, or 0 */
	struct identity_link *links; /* without gaps */
	size_t n_links, capacity_links;
	size_t n_standing;
	uint32_t *contested; /* links, oldest conflict first */
	size_t n_contested, capacity_contested;
	char sources[IDENTITY_SOURCES_MAX][RULES_ID_MAX + 1];
	size_t n_sources;
};

/* The link between two numbers, whatever its state; IDENTITY_NONE. */
uint32_t identity_between(const struct identity *it, uint32_t a, uint32_t b);
/* Adds a link between numbers that have none; persons are not touched. NULL: no memory. */
struct identity_link *identity_add_link(struct identity *it, const struct identity_link *link);
void identity_remove_link(struct identity *it, uint32_t link);
/* The first of the link is its second from now on. */
void identity_turn_link(struct identity *it, uint32_t link);
/* Next link of this number behind `link`. */
uint32_t identity_next_link(const struct identity *it, uint32_t link, uint32_t number);
bool identity_add_contested(struct identity *it, uint32_t link);
/* One person from now on; lanes are left alone. */
void identity_unite(struct identity *it, uint32_t a, uint32_t b);
void identity_join_lanes(struct identity *it, uint32_t a, uint32_t b, struct identity_joined *joined);

#endif
