/*
 * Who is who at the desk: the names of a person (the broker's key, every valid number that may be
 * matched) and which person each belongs to. Pure but for malloc.
 *
 * Names that were once said to be one man's stay his: a link that is taken back parts nobody here.
 */
#ifndef DESK_WHO_H
#define DESK_WHO_H

#include <ttg/client.h>
#include <ttg/event.h>
#include "desk/person.h"
#include "oneservice/figures_names.h"

#define WHO_NOBODY UINT32_MAX

/* Zeroed is empty. */
struct who {
	struct names names;
	uint32_t *person_of; /* of each name */
	size_t room_names;
	struct person **persons; /* by number */
	size_t n, room;
};

void who_fini(struct who *who);

/*
 * The person an event is about, made when none of its names is known; WHO_NOBODY when it has none.
 * Persons that its names show to be one are joined: the one known longest stays, gets the other's
 * numbers and events, and is stale. TTG_ENOMEM, TTG_ELIMIT.
 */
enum ttg_error who_is_it(struct who *who, const Ttg__Event *event, const uint8_t *person_key,
                         uint32_t *number);

/* The person that number leads to; number is below who->n. */
struct person *who_person(const struct who *who, uint32_t number);

#endif
