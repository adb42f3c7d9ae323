/*
 * Fields of forms: controls that are filled with what was typed or offered, and what was typed read
 * into a message of the event. See act.h.
 */
#ifndef DESK_ACT_FIELD_H
#define DESK_ACT_FIELD_H

#include "desk/act.h"

/* act_value.c: what was typed, into a message of the event. Mistakes go to act->errors. */

#define ACT_REQUIRED 1u
#define ACT_LINES    2u /* of a text: may have several lines */
#define ACT_PAST     4u /* not after now, or today */
#define ACT_FUTURE   8u /* not before now, or today */

/* What a control shows: what was typed, or what is offered when the form is new. */
const char *act_value(const struct act *act, const char *name, const char *offered);
bool act_ticked(const struct act *act, const char *name, bool offered);

__attribute__((format(printf, 3, 4))) void act_wrong(struct act *act, const char *name,
                                                     const char *format, ...);

/*
 * Each reads the control `name`, judges it by the bounds of `field` (base/bounds.h) and sets that
 * field of `message`, which may be NULL after a lack of memory. `label` begins the sentence of a
 * mistake. What is empty is left alone.
 */
void act_text(struct act *act, void *message, const char *field, const char *name,
              const char *label, unsigned how);
void act_date(struct act *act, void *message, const char *field, const char *name,
              const char *label, unsigned how);
/* A date and a time of day. The instant; 0 when there is none. */
int64_t act_moment(struct act *act, void *message, const char *field, const char *name,
                   const char *label, unsigned how);
/* One value of the field's enum, by its number. 0 when there is none. */
int act_choice(struct act *act, void *message, const char *field, const char *name,
               const char *label, unsigned how);
void act_number(struct act *act, void *message, const char *field, const char *name,
                const char *label, uint32_t most);
/* A text that is not typed: from the record or the settings. Cut at nothing, judged all the same.
 */
void act_set(struct act *act, char **field, const char *what, const char *text);
/* The signed-in user. */
void act_worker(struct act *act, Ttg__Worker **field);
void *act_part(struct act *act, void *field, const ProtobufCMessageDescriptor *type);

/* act_control.c: the controls, filled with act_value(). */

void act_input(const struct act *act, struct html *html, const char *name, const char *label,
               const char *hint, const char *offered, unsigned width);
void act_textarea(const struct act *act, struct html *html, const char *name, const char *label,
                  const char *hint);
/* offered: "2027-03-12" or "" */
void act_date_input(const struct act *act, struct html *html, const char *name, const char *label,
                    const char *hint, const char *offered);
/* offered_ns: 0 for nothing */
void act_moment_input(const struct act *act, struct html *html, const char *name, const char *label,
                      const char *hint, int64_t offered_ns);
/* Values of an enum; offered: 0 for none. */
void act_radios(const struct act *act, struct html *html, const char *name, const char *label,
                const char *hint, const ProtobufCEnumDescriptor *kind, int offered);
void act_select(const struct act *act, struct html *html, const char *name, const char *label,
                const char *hint, const ProtobufCEnumDescriptor *kind, int offered);
void act_checkbox(const struct act *act, struct html *html, const char *name, const char *label,
                  bool offered);

/* "Finance, benefit and debt"; "Not said" for what is no need. */
const char *act_need_label(int category);
/* The words of an enum's value with a capital letter: "Face to face". */
#define ACT_WORD_BYTES 80
void act_word(char out[ACT_WORD_BYTES], const ProtobufCEnumDescriptor *kind, int value);

/* His scheme (person_scheme()), or the settings' when he has none; never NULL. */
const char *act_scheme(const struct act *act);
const char *act_consent(const struct act *act);
/* The prison he is in or left, else the settings'. */
const char *act_prison(const struct act *act);

#endif
