/*
 * Everything the desk's pages show, made of the events in the case store: a list of the events, the
 * people they are about, and each one's record (person.h). Kept in memory, read once at the start
 * and then followed, so that no page has to ask the database for more than the events it quotes.
 *
 * Who is who: the broker's key of a person and every valid number that an event names stand for one
 * man from then on. Owned by one thread.
 */
#ifndef DESK_VIEWS_H
#define DESK_VIEWS_H

#include "desk/person.h"
#include "store/store.h"

#define VIEWS_NOBODY UINT32_MAX /* a person, an event */

struct views;

struct view_event {
	uint64_t change; /* when it came first: rises through the list */
	int64_t kept_ns;
	int64_t happened_ns;
	uint8_t id[TTG_UUID_BYTES];
	uint32_t person;        /* VIEWS_NOBODY; see views_person() */
	uint32_t superseded_by; /* the event that corrects or withdraws it; VIEWS_NOBODY: it stands
	                         */
	uint32_t supersedes;    /* VIEWS_NOBODY */
	uint32_t source;        /* views_word() */
	int16_t type;           /* ttg_type_name(); -1: one we do not know */
	uint8_t urgency;        /* Ttg__Urgency */
	bool ours;              /* published here */
	bool refused;           /* ours, and the broker said no */
	bool answered;          /* ours, and the broker said yes or no; true for all others */
};

struct views *views_new(void);
void views_free(struct views **views);

/*
 * Takes one event of the store, in the order of `change`. One that is here already was answered or
 * completed: it keeps its place, and its person's record is taken anew where that matters. An event
 * that cannot be read is counted and left out. TTG_ENOMEM, TTG_ELIMIT: of no use any more.
 */
enum ttg_error views_add(struct views *views, const struct store_event *from);
size_t views_unreadable(const struct views *views);
/*
 * Takes anew the records that have to be, reading their events from the store. Before any page.
 * Errors of store_find_event(), TTG_ENOMEM.
 */
enum ttg_error views_settle(struct views *views, struct store *store, struct message *message);

/* The highest change taken. */
uint64_t views_change(const struct views *views);

size_t views_n_events(const struct views *views);
const struct view_event *views_event(const struct views *views, size_t index);
/* VIEWS_NOBODY when it is not here. */
uint32_t views_find_event(const struct views *views, const uint8_t id[TTG_UUID_BYTES]);
const char *views_word(const struct views *views, uint32_t word);

/* All numbers below are persons; those that were joined lead to the record they are part of. */
size_t views_n_persons(const struct views *views);
/* NULL for VIEWS_NOBODY and for what is no number of a person. */
const struct person *views_person(const struct views *views, uint32_t number);
/* True for numbers that stand for themselves: for going through everybody once. */
bool views_is_alone(const struct views *views, uint32_t number);

/*
 * Reads an event from the store and unpacks it: free with ttg__event__free_unpacked(). `facts` (may
 * be NULL) gets the row but its bytes. TTG_ENOENT, TTG_ECORRUPT and those of store_find_event().
 */
enum ttg_error views_read(const struct views *views, struct store *store, uint32_t event,
                          Ttg__Event **out, struct store_event *facts, struct message *message);

#endif
