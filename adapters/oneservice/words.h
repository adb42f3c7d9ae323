/*
 * Words for people: bounded text, and the catalogue's enumerations, codes and needs in plain
 * English. Pure; owned by whoever calls.
 */
#ifndef ONESERVICE_WORDS_H
#define ONESERVICE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <ttg/event.h>

#define SENTENCE_BYTES 640 /* longest sentence and a NUL; the rest is cut off at a character */

/* A sentence that grows to its bound and then stays; always terminated. */
struct sentence {
	char bytes[SENTENCE_BYTES];
	size_t length;
};

__attribute__((format(printf, 2, 3))) void sentence_add(struct sentence *text, const char *format,
                                                        ...);

/*
 * Takes out what could play tricks on a terminal: C0 and C1 control characters, DEL, and the
 * characters that turn the direction of writing. Bytes that are no UTF-8 become '?'.
 */
void sentence_make_printable(struct sentence *text);

/* Adds the name of an enumerator: "RELEASE_CHANGE_NEW_CHARGE" gives "new charge". */
void words_add_enum(struct sentence *text, const ProtobufCEnumDescriptor *kind, int value);
/* True when value is neither unspecified nor beyond what we know. */
bool words_enum_known(const ProtobufCEnumDescriptor *kind, int value);

/* "Peterborough" for PBI, else the code itself; "an unnamed prison" when empty. */
const char *words_prison(const char *code);
/* "Cambridgeshire" for 35, else the code itself; "a force" when empty. */
const char *words_force(const char *code);
/* " 2026-11-27 09:00", without what is empty. */
void words_add_day(struct sentence *text, const char *date, const char *clock);
/* "HH:MM" today's way, or with the day before it; nothing when time is NULL. */
void words_add_time(struct sentence *text, const char *before, const Ttg__Time *time);
/* Adds before and value when value is not empty. */
void words_add_if(struct sentence *text, const char *before, const char *value);
/* "conditions: accommodation, health", or nothing for no needs. */
void words_add_needs(struct sentence *text, const char *before, Ttg__Need *const *needs, size_t n);

#endif
