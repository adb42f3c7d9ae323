/* Who is who at the desk. See who.h. */
#include "desk/who.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "desk/person_internal.h"

/* The persons one event names, on its way. */
struct asking {
	struct who *who;
	uint32_t number; /* found so far */
	enum ttg_error error;
};

void who_fini(struct who *who)
{
	for (size_t i = 0; i < who->n; i++) {
		person_fini(who->persons[i]);
		free(who->persons[i]);
	}
	free((void *)who->persons);
	free(who->person_of);
	names_fini(&who->names);
	*who = (struct who){ .n = 0 };
}

struct person *who_person(const struct who *who, uint32_t number)
{
	struct person *person;

	assert(number < who->n);
	do {
		person = who->persons[number];
		number = person->joined;
	} while (number != person->number);
	return person;
}

static uint32_t add_person(struct asking *it)
{
	struct who *who = it->who;
	struct person *person = calloc(1, sizeof(*person));

	if (person != NULL && who->n == who->room) {
		size_t room = who->room == 0 ? 256 : who->room * 2;
		struct person **grown =
		        realloc((void *)who->persons, room * sizeof(struct person *));

		if (grown == NULL) {
			free(person);
			person = NULL;
		} else {
			who->persons = grown;
			who->room = room;
		}
	}
	if (person == NULL || who->n >= WHO_NOBODY - 1) {
		free(person);
		it->error = TTG_ENOMEM;
		return WHO_NOBODY;
	}
	person->number = (uint32_t)who->n;
	person->joined = person->number;
	who->persons[who->n++] = person;
	return person->number;
}

static void add_number(struct person *person, const struct person_number *number)
{
	for (size_t i = 0; i < person->n_numbers; i++) {
		struct person_number *known = &person->numbers[i];

		if (known->kind == number->kind && strcmp(known->value, number->value) == 0 &&
		    strcmp(known->issuer, number->issuer) == 0) {
			known->valid = known->valid || number->valid;
			return;
		}
	}
	if (person->n_numbers < PERSON_NUMBERS_MAX)
		person->numbers[person->n_numbers++] = *number;
}

/* Both lists rise, and no event is in both. */
static bool merge_events(struct person *into, const struct person *from)
{
	size_t n = into->n_events + from->n_events;
	uint32_t *merged = malloc((n + 1) * sizeof(*merged));
	size_t a = 0;
	size_t b = 0;

	if (merged == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool first = b == from->n_events ||
		             (a < into->n_events && into->events[a] < from->events[b]);

		merged[i] = first ? into->events[a++] : from->events[b++];
	}
	free(into->events);
	into->events = merged;
	into->n_events = n;
	into->room_events = n + 1;
	return true;
}

static void join(struct asking *it, uint32_t one, uint32_t other)
{
	struct person *a = who_person(it->who, one);
	struct person *b = who_person(it->who, other);
	struct person *into = a->number < b->number ? a : b;
	struct person *from = a->number < b->number ? b : a;
	const uint32_t number = from->number;

	if (a == b)
		return;
	if (!merge_events(into, from)) {
		it->error = TTG_ENOMEM;
		return;
	}
	for (size_t i = 0; i < from->n_numbers; i++)
		add_number(into, &from->numbers[i]);
	into->stale = true;
	person_fini(from);
	from->number = number;
	from->joined = into->number;
}

/* A name of the person the event is about. */
static void ask(struct asking *it, const void *key, size_t len)
{
	struct who *who = it->who;
	const uint32_t known = who->names.n;
	uint32_t name;

	if (it->error == TTG_OK)
		it->error = names_add(&who->names, key, len, &name);
	if (it->error != TTG_OK)
		return;
	if (name == known) { /* a new one */
		if (name == who->room_names) {
			size_t room = who->room_names == 0 ? 1024 : who->room_names * 2;
			uint32_t *grown = realloc(who->person_of, room * sizeof(*grown));

			if (grown == NULL) {
				it->error = TTG_ENOMEM;
				return;
			}
			who->person_of = grown;
			who->room_names = room;
		}
		if (it->number == WHO_NOBODY)
			it->number = add_person(it);
		who->person_of[name] = it->number;
		return;
	}
	if (it->number == WHO_NOBODY)
		it->number = who->person_of[name];
	else
		join(it, it->number, who->person_of[name]);
}

static void ask_number(struct asking *it, const Ttg__Identifier *identifier)
{
	char key[NAMES_NUMBER_MAX];
	size_t len = names_of_number(identifier, key);

	if (len > 0)
		ask(it, key, len);
}

static void show_number(struct person *person, const Ttg__Identifier *from)
{
	struct person_number number = { .kind = (int)from->kind,
		                        .valid = from->validity == TTG__VALIDITY__VALID &&
		                                 from->canonical[0] != '\0' };

	TAKE_TEXT(number.value, number.valid ? from->canonical : from->value);
	TAKE_TEXT(number.issuer, from->issuer);
	add_number(person, &number);
}

enum ttg_error who_is_it(struct who *who, const Ttg__Event *event, const uint8_t *person_key,
                         uint32_t *number)
{
	struct asking it = { .who = who, .number = WHO_NOBODY };
	const Ttg__Person *person = event->person;
	uint8_t key[1 + TTG_PERSON_KEY_BYTES] = { 'k' };

	if (person_key != NULL) {
		memcpy(key + 1, person_key, TTG_PERSON_KEY_BYTES);
		ask(&it, key, sizeof(key));
	}
	for (size_t i = 0; person != NULL && i < person->n_identifiers; i++)
		ask_number(&it, person->identifiers[i]);
	*number = WHO_NOBODY;
	if (it.error != TTG_OK || it.number == WHO_NOBODY)
		return it.error;
	*number = who_person(who, it.number)->number;
	for (size_t i = 0; person != NULL && i < person->n_identifiers; i++)
		show_number(who_person(who, *number), person->identifiers[i]);
	return TTG_OK;
}
