/* Everything the desk's pages show. See views.h. */
#include "desk/views.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "desk/who.h"

#define FIRST_SLOTS 4096u /* a power of two */
#define EARLY_MAX   1024  /* corrections that came before what they correct; the oldest go */

/* What supersedes an event that is not here yet. */
struct early {
	uint8_t id[TTG_UUID_BYTES];
	uint32_t source; /* who must have said it */
	uint32_t by;
};

struct views {
	struct view_event *events;
	size_t n_events, room_events;
	uint32_t *slots; /* open addressing over ids: index of an event + 1, 0: free */
	size_t n_slots;
	uint64_t seed;
	struct names words; /* agencies */
	struct who who;
	uint32_t *stale; /* persons whose records are to be taken anew; some perhaps twice */
	size_t n_stale, room_stale;
	struct early early[EARLY_MAX];
	size_t n_early, next_early;
	uint64_t change;
	size_t unreadable;
};

struct views *views_new(void)
{
	struct views *views = calloc(1, sizeof(*views));

	if (views == NULL)
		return NULL;
	views->slots = calloc(FIRST_SLOTS, sizeof(*views->slots));
	views->n_slots = FIRST_SLOTS;
	if (views->slots == NULL ||
	    getrandom(&views->seed, sizeof(views->seed), 0) != sizeof(views->seed))
		views_free(&views);
	return views;
}

void views_free(struct views **views)
{
	struct views *it = *views;

	if (it == NULL)
		return;
	who_fini(&it->who);
	names_fini(&it->words);
	free(it->events);
	free(it->slots);
	free(it->stale);
	free(it);
	*views = NULL;
}

/* Publishers choose their ids, so where one lands depends on a seed of this run, too. */
static size_t slot_of(const struct views *views, const uint8_t id[TTG_UUID_BYTES])
{
	uint64_t halves[2];
	uint64_t hash;

	memcpy(halves, id, sizeof(halves));
	hash = (halves[0] ^ views->seed) * UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ (hash >> 32) ^ halves[1]) * UINT64_C(0xd6e8feb86659fd93);
	return (size_t)(hash ^ (hash >> 32)) & (views->n_slots - 1);
}

uint32_t views_find_event(const struct views *views, const uint8_t id[TTG_UUID_BYTES])
{
	for (size_t i = slot_of(views, id); views->slots[i] != 0;
	     i = (i + 1) & (views->n_slots - 1))
		if (memcmp(views->events[views->slots[i] - 1].id, id, TTG_UUID_BYTES) == 0)
			return views->slots[i] - 1;
	return VIEWS_NOBODY;
}

static void put_in_slot(struct views *views, uint32_t index)
{
	size_t i = slot_of(views, views->events[index].id);

	while (views->slots[i] != 0)
		i = (i + 1) & (views->n_slots - 1);
	views->slots[i] = index + 1;
}

static bool make_room(struct views *views)
{
	if (views->n_events == views->room_events) {
		size_t room = views->room_events == 0 ? 1024 : views->room_events * 2;
		struct view_event *grown;

		if (room >= VIEWS_NOBODY)
			return false;
		grown = realloc(views->events, room * sizeof(*grown));
		if (grown == NULL)
			return false;
		views->events = grown;
		views->room_events = room;
	}
	if (views->n_events + 1 > views->n_slots / 2) {
		uint32_t *slots = calloc(views->n_slots * 2, sizeof(*slots));

		if (slots == NULL)
			return false;
		free(views->slots);
		views->slots = slots;
		views->n_slots *= 2;
		for (size_t i = 0; i < views->n_events; i++)
			put_in_slot(views, (uint32_t)i);
	}
	return true;
}

static bool note_stale(struct views *views, uint32_t number)
{
	if (number == VIEWS_NOBODY)
		return true;
	if (views->n_stale == views->room_stale) {
		size_t room = views->room_stale == 0 ? 64 : views->room_stale * 2;
		uint32_t *grown = realloc(views->stale, room * sizeof(*grown));

		if (grown == NULL)
			return false;
		views->stale = grown;
		views->room_stale = room;
	}
	who_person(&views->who, number)->stale = true;
	views->stale[views->n_stale++] = number;
	return true;
}

static bool add_to_person(struct views *views, uint32_t number, uint32_t index)
{
	struct person *person = who_person(&views->who, number);

	if (person->n_events == person->room_events) {
		size_t room = person->room_events == 0 ? 8 : person->room_events * 2;
		uint32_t *grown = realloc(person->events, room * sizeof(*grown));

		if (grown == NULL)
			return false;
		person->events = grown;
		person->room_events = room;
	}
	person->events[person->n_events++] = index;
	return true;
}

static enum ttg_error supersede(struct views *views, uint32_t old, uint32_t by)
{
	struct view_event *event = &views->events[old];

	event->superseded_by = by;
	if (views->events[by].supersedes == VIEWS_NOBODY)
		views->events[by].supersedes = old;
	return note_stale(views, event->person) ? TTG_OK : TTG_ENOMEM;
}

/* Only its publisher, or the broker in his name, takes back what somebody said. */
static enum ttg_error take_back(struct views *views, const ProtobufCBinaryData *id,
                                const char *source, uint32_t by)
{
	uint32_t old;
	uint32_t word;
	enum ttg_error error;

	if (id->len != TTG_UUID_BYTES)
		return TTG_OK;
	error = names_add(&views->words, source, strlen(source), &word);
	if (error != TTG_OK)
		return error;
	old = views_find_event(views, id->data);
	if (old != VIEWS_NOBODY)
		return views->events[old].source == word ? supersede(views, old, by) : TTG_OK;
	memcpy(views->early[views->next_early].id, id->data, TTG_UUID_BYTES);
	views->early[views->next_early].source = word;
	views->early[views->next_early].by = by;
	views->next_early = (views->next_early + 1) % EARLY_MAX;
	views->n_early += views->n_early < EARLY_MAX ? 1 : 0;
	return TTG_OK;
}

static enum ttg_error take_corrections(struct views *views, const Ttg__Event *event, uint32_t index)
{
	enum ttg_error error = TTG_OK;

	for (size_t i = 0; i < views->n_early && error == TTG_OK; i++)
		if (views->early[i].source == views->events[index].source &&
		    memcmp(views->early[i].id, views->events[index].id, TTG_UUID_BYTES) == 0)
			error = supersede(views, index, views->early[i].by);
	if (error == TTG_OK)
		error = take_back(views, &event->supersedes, event->source, index);
	if (error == TTG_OK && event->payload_case == TTG__EVENT__PAYLOAD_BROKER_CORRECTION)
		error = take_back(views, &event->broker_correction->event_id,
		                  event->broker_correction->publisher_agency, index);
	return error;
}

static int64_t happened(const Ttg__Event *event, int64_t kept_ns)
{
	if (event->occurred_at != NULL)
		return event->occurred_at->unix_ns;
	return event->recorded_at != NULL ? event->recorded_at->unix_ns : kept_ns;
}

static bool counts(const struct view_event *event)
{
	return event->superseded_by == VIEWS_NOBODY && !event->refused;
}

static struct telling telling_of(const struct views *views, uint32_t index, const Ttg__Event *event)
{
	const struct view_event *it = &views->events[index];

	return (struct telling){ .event = event,
		                 .index = index,
		                 .kept_ns = it->kept_ns,
		                 .happened_ns = it->happened_ns,
		                 .ours = it->ours };
}

static void set_answer(struct view_event *event, const struct store_event *from)
{
	event->answered = !from->published || from->answered;
	event->refused = from->published && from->answered && from->code != TTG_OK;
}

static enum ttg_error add_new(struct views *views, const struct store_event *from,
                              const Ttg__Event *event)
{
	const uint32_t index = (uint32_t)views->n_events;
	struct view_event *it;
	struct telling telling;
	struct person *person;
	enum ttg_error error;
	uint32_t source;

	if (!make_room(views))
		return TTG_ENOMEM;
	error = names_add(&views->words, event->source, strlen(event->source), &source);
	if (error != TTG_OK)
		return error;
	it = &views->events[index];
	*it = (struct view_event){ .change = from->change,
		                   .kept_ns = from->kept_ns,
		                   .happened_ns = happened(event, from->kept_ns),
		                   .superseded_by = VIEWS_NOBODY,
		                   .supersedes = VIEWS_NOBODY,
		                   .source = source,
		                   .type = (int16_t)ttg_type_of(event),
		                   .urgency = (uint8_t)event->urgency,
		                   .ours = from->published };
	memcpy(it->id, from->id, TTG_UUID_BYTES);
	set_answer(it, from);
	error = who_is_it(&views->who, event, from->person_key, &it->person);
	if (error != TTG_OK)
		return error;
	views->n_events++;
	put_in_slot(views, index);
	if (it->person == VIEWS_NOBODY)
		return take_corrections(views, event, index);
	if (!add_to_person(views, it->person, index))
		return TTG_ENOMEM;
	error = take_corrections(views, event, index);
	it = &views->events[index];
	person = who_person(&views->who, it->person);
	if (error != TTG_OK || !counts(it))
		return error;
	if (person->stale)
		return note_stale(views, it->person) ? TTG_OK : TTG_ENOMEM;
	telling = telling_of(views, index, event);
	return person_take(person, &telling);
}

/* What an answer or a wider grant changes of an event that is here. */
static enum ttg_error add_again(struct views *views, uint32_t index, const struct store_event *from,
                                const Ttg__Event *event)
{
	struct view_event *it = &views->events[index];
	const bool refused = it->refused;
	const bool ours = it->ours;
	uint32_t person = it->person;
	enum ttg_error error;

	it->ours = from->published;
	set_answer(it, from);
	if (ours && from->published)
		return it->refused == refused || note_stale(views, person) ? TTG_OK : TTG_ENOMEM;
	error = who_is_it(&views->who, event, from->person_key, &person);
	if (error != TTG_OK || person == VIEWS_NOBODY)
		return error;
	if (it->person == VIEWS_NOBODY) {
		/* Its list rises no more, so it is put where it belongs by taking it anew. */
		it->person = person;
		if (!add_to_person(views, person, index))
			return TTG_ENOMEM;
	}
	return note_stale(views, it->person) ? TTG_OK : TTG_ENOMEM;
}

enum ttg_error views_add(struct views *views, const struct store_event *from)
{
	Ttg__Event *event = ttg__event__unpack(NULL, from->encoded_bytes, from->encoded);
	uint32_t index;
	enum ttg_error error;

	if (event == NULL) {
		views->unreadable++;
		views->change = from->change;
		return TTG_OK;
	}
	index = views_find_event(views, from->id);
	error = index == VIEWS_NOBODY ? add_new(views, from, event)
	                              : add_again(views, index, from, event);
	ttg__event__free_unpacked(event, NULL);
	if (error == TTG_OK)
		views->change = from->change;
	return error;
}

/* A row of the store on its way into somebody's hands. */
struct reading {
	Ttg__Event *event;
	struct store_event *facts;
	bool bad;
};

static bool take_row(void *arg, const struct store_event *from)
{
	struct reading *reading = arg;

	reading->event = ttg__event__unpack(NULL, from->encoded_bytes, from->encoded);
	reading->bad = reading->event == NULL;
	if (reading->facts != NULL) {
		*reading->facts = *from;
		reading->facts->encoded = NULL;
		reading->facts->encoded_bytes = 0;
		reading->facts->type = "";
		reading->facts->mailbox = NULL;
		reading->facts->person_key = NULL;
		reading->facts->text = "";
	}
	return false;
}

enum ttg_error views_read(const struct views *views, struct store *store, uint32_t event,
                          Ttg__Event **out, struct store_event *facts, struct message *message)
{
	struct reading reading = { .facts = facts };
	enum ttg_error error;

	*out = NULL;
	if (event >= views->n_events)
		return message_set(message, TTG_ENOENT, "there is no such event");
	error = store_find_event(store, views->events[event].id, take_row, &reading, message);
	if (error == TTG_OK && reading.bad)
		return message_set(message, TTG_ECORRUPT, "an event of the case store is damaged");
	*out = reading.event;
	return error;
}

static int compare_indices(const void *left, const void *right)
{
	const uint32_t *a = left;
	const uint32_t *b = right;

	return (*a > *b) - (*a < *b);
}

static enum ttg_error take_anew(struct views *views, struct person *person, struct store *store,
                                struct message *message)
{
	person_clear(person);
	if (person->n_events > 1)
		qsort(person->events, person->n_events, sizeof(*person->events), compare_indices);
	for (size_t i = 0; i < person->n_events; i++) {
		const uint32_t index = person->events[i];
		struct telling telling;
		Ttg__Event *event;
		enum ttg_error error;

		if (!counts(&views->events[index]))
			continue;
		error = views_read(views, store, index, &event, NULL, message);
		if (error != TTG_OK)
			return error;
		telling = telling_of(views, index, event);
		error = person_take(person, &telling);
		ttg__event__free_unpacked(event, NULL);
		if (error != TTG_OK)
			return message_set(message, error, "no memory for a person's record");
	}
	person->stale = false;
	return TTG_OK;
}

enum ttg_error views_settle(struct views *views, struct store *store, struct message *message)
{
	enum ttg_error error = TTG_OK;

	while (views->n_stale > 0 && error == TTG_OK) {
		struct person *person = who_person(&views->who, views->stale[views->n_stale - 1]);

		if (person->stale)
			error = take_anew(views, person, store, message);
		if (error == TTG_OK)
			views->n_stale--;
		else
			person->stale = true;
	}
	return error;
}

size_t views_unreadable(const struct views *views)
{
	return views->unreadable;
}

uint64_t views_change(const struct views *views)
{
	return views->change;
}

size_t views_n_events(const struct views *views)
{
	return views->n_events;
}

const struct view_event *views_event(const struct views *views, size_t index)
{
	assert(index < views->n_events);
	return &views->events[index];
}

const char *views_word(const struct views *views, uint32_t word)
{
	return names_text(&views->words, word);
}

size_t views_n_persons(const struct views *views)
{
	return views->who.n;
}

const struct person *views_person(const struct views *views, uint32_t number)
{
	return number < views->who.n ? who_person(&views->who, number) : NULL;
}

bool views_is_alone(const struct views *views, uint32_t number)
{
	return number < views->who.n && views->who.persons[number]->joined == number;
}
