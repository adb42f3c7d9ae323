/*
 * One event on its way to facts: figures_add.c knows whom it is about and keeps what is found,
 * figures_take.c finds it, type by type.
 */
#ifndef ONESERVICE_FIGURES_TAKE_H
#define ONESERVICE_FIGURES_TAKE_H

#include "oneservice/figures_internal.h"

struct entry {
	struct figures *figures;
	const Ttg__Event *event;
	int64_t happened_ns; /* occurred, else recorded, else kept */
	uint32_t person;     /* a node, or NAMES_NONE */
	bool noted;          /* figures.told[n_told - 1] is this event */
	enum ttg_error error;
};

/* Keeps what the event's payload says for the figures. */
void figures_take(struct entry *it);

/* The number of a text; NO_WORD without memory, noted in the entry. */
uint32_t entry_word(struct entry *it, const char *text);

/* Keeps a fact as coming from this event. */
void entry_add(struct entry *it, struct fact fact);
/* The same of the man it is about, said by its publisher; nothing when it is about nobody. */
void entry_add_of_person(struct entry *it, struct fact fact);

/* The event of that publisher does not stand. */
void entry_supersede(struct entry *it, const char *source, const ProtobufCBinaryData *id);

#endif
