/*
 * Who holds how much memory: what journal, core, daemon and client allocate and free is counted for
 * whoever is at work, the broker or one of the clients. The simulator's own memory is not.
 */
#ifndef TTG_SIM_MEMORY_H
#define TTG_SIM_MEMORY_H

#include <stddef.h>
#include "sim/life.h"

#define MEMORY_NOBODY        (-1)
#define MEMORY_BROKER        0
#define MEMORY_CLIENT(index) (1 + (index))
#define MEMORY_OWNERS        (1 + LIFE_ACTORS)

#define MEMORY_LARGE (192u * 1024)

/* Who is at work from here on; gives who was before. */
int memory_work(int owner);
/* Bytes held now in pieces below MEMORY_LARGE; number of the others. */
size_t memory_held(int owner);
size_t memory_large(int owner);
/* Forgets everything: another life begins. */
void memory_reset(void);

#endif
