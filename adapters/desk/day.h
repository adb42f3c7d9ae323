/* Civil days as "2027-03-12", in Europe/London. Pure. */
#ifndef DESK_DAY_H
#define DESK_DAY_H

#include <stdbool.h>
#include "desk/person.h"

/* The day of an instant. */
void day_of(int64_t ns, char out[DATE_BYTES]);
/* So many days later, or before; "" for what is no day. */
void day_add(const char *day, int days, char out[DATE_BYTES]);
/* Days compare as texts. False when any of them is none. */
bool day_is_between(const char *day, const char *from, const char *until);
/* Noon of the day, for page_day(); 0 for what is no day. */
int64_t day_noon(const char *day);

#endif
