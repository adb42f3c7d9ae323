/*
 * A client of an agency: libttg with its outbox on a disk of its own, and an application that
 * publishes or consumes. Its process and its machine end and come back.
 */
#ifndef TTG_SIM_ACTOR_H
#define TTG_SIM_ACTOR_H

#include "sim/life.h"

struct actor;

struct actor *actor_new(int index);
void actor_free(struct actor **actor);
struct disk *actor_disk(struct actor *actor);
bool actor_publishes(const struct actor *actor);

void actor_poll(struct actor *actor);
void actor_publish(struct actor *actor);
/* Answers one or some deliveries; in peace: acknowledges everything. */
void actor_consume(struct actor *actor);
void actor_crash(struct actor *actor, enum disk_crash how);
void actor_leave(struct actor *actor);
void actor_detach(struct actor *actor);
/* Nothing fails any more. */
void actor_peace(struct actor *actor);
void actor_flip(struct actor *actor);
/* Its disk has so much room left; UINT64_MAX: enough. */
void actor_fill(struct actor *actor, uint64_t left);

#endif
