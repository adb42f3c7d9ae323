/* Shared by the files that take events into a person's record: person.c says which takes what. */
#ifndef DESK_PERSON_INTERNAL_H
#define DESK_PERSON_INTERNAL_H

#include "desk/person.h"

/* Copies a text as far as it fits, cut between characters of UTF-8; NULL reads as "". */
void person_text(char *to, size_t bytes, const char *from);
#define TAKE_TEXT(to, from) person_text(to, sizeof(to), from)

/* The time's instant, or when the event happened. */
int64_t person_when(const struct telling *telling, const Ttg__Time *time);
/* "12 High Street, Peterborough, PE1 1AA"; "" when there is none. */
void person_address(char *to, size_t bytes, int *kind, const Ttg__Address *from);

void person_take_scheduled(struct person *person, const struct telling *telling);
void person_take_changed(struct person *person, const struct telling *telling);
void person_take_cancelled(struct person *person, const struct telling *telling);
void person_take_released(struct person *person, const struct telling *telling);
void person_take_reception(struct person *person, const struct telling *telling);
void person_take_absence(struct person *person, const struct telling *telling);
void person_take_absence_ended(struct person *person, const struct telling *telling);
void person_take_board(struct person *person, const struct telling *telling);

void person_take_arrest(struct person *person, const struct telling *telling);
void person_take_custody_update(struct person *person, const struct telling *telling);
void person_take_flag(struct person *person, const struct telling *telling);
void person_take_iom(struct person *person, const struct telling *telling);
void person_take_case(struct person *person, const struct telling *telling);
void person_take_probation_contact(struct person *person, const struct telling *telling);
void person_take_risk(struct person *person, const struct telling *telling);

void person_take_enrolled(struct person *person, const struct telling *telling);
void person_take_exited(struct person *person, const struct telling *telling);
void person_take_reengaged(struct person *person, const struct telling *telling);
void person_take_withdrawn(struct person *person, const struct telling *telling);
void person_take_screened(struct person *person, const struct telling *telling);
void person_take_assessed(struct person *person, const struct telling *telling);
void person_take_contact(struct person *person, const struct telling *telling);
void person_take_meeting(struct person *person, const struct telling *telling);
void person_take_flag_requested(struct person *person, const struct telling *telling);

/* Any event of the referral family. TTG_ENOMEM. */
enum ttg_error person_take_referral(struct person *person, const struct telling *telling);

#endif
