/* What a record says, in words for people. Printable, not escaped. Pure. */
#ifndef DESK_PERSON_WORDS_H
#define DESK_PERSON_WORDS_H

#include "desk/person.h"
#include "oneservice/words.h"

/* Each sets out anew. */
void person_custody_words(const struct person *person, struct sentence *out);
void person_release_words(const struct person *person, struct sentence *out);
void person_board_words(const struct person *person, struct sentence *out);
void person_scheme_words(const struct person_scheme *scheme, struct sentence *out);
void person_flag_words(const struct person *person, struct sentence *out);
void person_iom_words(const struct person *person, struct sentence *out);

const char *person_referral_word(enum referral_state state);

/* Adds " Friday 12 March 2027" of "2027-03-12", with a clock when there is one; nothing of "". */
void person_add_date(struct sentence *out, const char *before, const char *date, const char *clock);
/* Adds the day of an instant; nothing of 0. */
void person_add_day(struct sentence *out, const char *before, int64_t ns);

#endif
