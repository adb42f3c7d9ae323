/* What applications publish: whom an event is about and how it names him, how long it is, when it expires. */
#ifndef TTG_SIM_WORDS_H
#define TTG_SIM_WORDS_H

#include "sim/life.h"

/* The next event of an actor that publishes this type, as the model knows it from here on; its number. */
int words_say(struct play *play, int type, int actor);

#endif
