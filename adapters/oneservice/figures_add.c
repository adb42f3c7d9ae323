/*
 * From events to facts. Pure but for malloc; see figures.h.
 *
 * Whether an event stands is known only when all are there, so each leaves its facts and the links
 * between names of one man, with a note of the event they are from. An event that tells no time
 * gets the time it was kept. What is of no use for any figure leaves nothing behind.
 *
 * Superseded is an event that another of the same publisher supersedes, or that the broker told
 * to be wrong; nobody can take back what somebody else has said.
 */
#include "oneservice/figures_take.h"

#include <stdlib.h>
#include <string.h>
#include <ttg/client.h>

void *figures_grown(void *list, size_t n, size_t *room, size_t bytes)
{
	size_t wanted = *room == 0 ? 64 : *room * 2;
	void *grown;

	if (n < *room)
		return list;
	grown = wanted < UINT32_MAX ? realloc(list, wanted * bytes) : NULL;
	if (grown != NULL)
		*room = wanted;
	return grown;
}

size_t figures_superseded_key(uint8_t out[SUPERSEDED_KEY_MAX], const char *source,
                              const uint8_t id[TTG_UUID_BYTES])
{
	size_t len = strnlen(source, SUPERSEDED_KEY_MAX - TTG_UUID_BYTES);

	memcpy(out, id, TTG_UUID_BYTES);
	memcpy(out + TTG_UUID_BYTES, source, len);
	return TTG_UUID_BYTES + len;
}

static void fail(struct entry *it, enum ttg_error error)
{
	if (it->error == TTG_OK)
		it->error = error;
}

uint32_t entry_word(struct entry *it, const char *text)
{
	uint32_t index = NO_WORD;

	fail(it, names_add(&it->figures->words, text, strlen(text), &index));
	return index;
}

/* The number of this event among those that left something. */
static uint32_t note(struct entry *it)
{
	struct figures *figures = it->figures;
	struct told *told;

	if (it->noted)
		return (uint32_t)figures->n_told - 1;
	told = figures_grown(figures->told, figures->n_told, &figures->room_told, sizeof(*told));
	if (told == NULL) {
		fail(it, TTG_ENOMEM);
		return 0;
	}
	figures->told = told;
	told = &figures->told[figures->n_told++];
	*told = (struct told){ .source = entry_word(it, it->event->source) };
	if (it->event->id.len == TTG_UUID_BYTES)
		memcpy(told->id, it->event->id.data, TTG_UUID_BYTES);
	it->noted = true;
	return (uint32_t)figures->n_told - 1;
}

static void add_link(struct entry *it, uint32_t a, uint32_t b)
{
	struct figures *figures = it->figures;
	struct link *links;
	uint32_t told;

	if (a == b)
		return;
	told = note(it);
	links = figures_grown(figures->links, figures->n_links, &figures->room_links,
	                      sizeof(*links));
	if (links == NULL) {
		fail(it, TTG_ENOMEM);
		return;
	}
	figures->links = links;
	figures->links[figures->n_links++] = (struct link){ a, b, told };
}

/* One more name of the man the event is about. */
static void add_node(struct entry *it, const void *key, size_t len)
{
	uint32_t node = NAMES_NONE;

	fail(it, names_add(&it->figures->people, key, len, &node));
	if (it->error != TTG_OK)
		return;
	if (it->person == NAMES_NONE)
		it->person = node;
	else
		add_link(it, it->person, node);
}

static void add_identifier(struct entry *it, const Ttg__Identifier *identifier)
{
	char key[NAMES_NUMBER_MAX];
	size_t len = names_of_number(identifier, key);

	if (len > 0)
		add_node(it, key, len);
}

static void add_person(struct entry *it, const uint8_t *person_key)
{
	const Ttg__Person *person = it->event->person;
	uint8_t key[1 + TTG_PERSON_KEY_BYTES] = { 'k' };

	if (person_key != NULL) {
		memcpy(key + 1, person_key, TTG_PERSON_KEY_BYTES);
		add_node(it, key, sizeof(key));
	}
	for (size_t i = 0; person != NULL && i < person->n_identifiers; i++)
		add_identifier(it, person->identifiers[i]);
}

void entry_supersede(struct entry *it, const char *source, const ProtobufCBinaryData *id)
{
	uint8_t key[SUPERSEDED_KEY_MAX];
	uint32_t index;

	if (id->len != TTG_UUID_BYTES)
		return;
	fail(it, names_add(&it->figures->superseded, key,
	                   figures_superseded_key(key, source, id->data), &index));
}

void entry_add(struct entry *it, struct fact fact)
{
	struct figures *figures = it->figures;
	struct fact *facts;

	fact.person = it->person;
	fact.told = note(it);
	facts = figures_grown(figures->facts, figures->n_facts, &figures->room_facts,
	                      sizeof(*facts));
	if (facts == NULL) {
		fail(it, TTG_ENOMEM);
		return;
	}
	figures->facts = facts;
	figures->facts[figures->n_facts++] = fact;
}

void entry_add_of_person(struct entry *it, struct fact fact)
{
	if (it->person == NAMES_NONE)
		return;
	fact.source = entry_word(it, it->event->source);
	entry_add(it, fact);
}

static int64_t happened(const struct figures_event *from)
{
	if (from->event->occurred_at != NULL)
		return from->event->occurred_at->unix_ns;
	return from->event->recorded_at != NULL ? from->event->recorded_at->unix_ns : from->kept_ns;
}

enum ttg_error figures_add(struct figures *figures, const struct figures_event *event)
{
	struct entry it = { .figures = figures,
		            .event = event->event,
		            .happened_ns = happened(event),
		            .person = NAMES_NONE };

	entry_supersede(&it, it.event->source, &it.event->supersedes);
	add_person(&it, event->person_key);
	figures_take(&it);
	return it.error;
}

struct figures *figures_new(void)
{
	struct figures *figures = calloc(1, sizeof(*figures));
	uint32_t none;

	if (figures != NULL && names_add(&figures->words, "", 0, &none) != TTG_OK)
		figures_free(&figures);
	return figures;
}

void figures_free(struct figures **figures)
{
	struct figures *it = *figures;

	if (it == NULL)
		return;
	names_fini(&it->words);
	names_fini(&it->people);
	names_fini(&it->superseded);
	free(it->told);
	free(it->facts);
	free(it->links);
	free(it->members);
	free((void *)it->by_cohort);
	free(it->cohorts);
	free(it);
	*figures = NULL;
}

size_t figures_left_out(const struct figures *figures)
{
	return figures->left_out;
}
