/*
 * The network: connections between libttg's transport and the broker's router, both stood in for.
 * Within a connection frames keep their order; across connections, and over the end of one, nothing
 * is promised: what was on its way when a side went may arrive in part, and late.
 */
#ifndef TTG_SIM_WIRE_H
#define TTG_SIM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire;

struct wire *wire_new(uint32_t hwm);
void wire_free(struct wire **wire);

/* The broker listens, or is gone: then every connection is too, at once or after a silence. */
void wire_listen(struct wire *wire, bool listening);
/* Frames arrive only with wire_arrive(). */
void wire_slow(struct wire *wire, bool slow);
bool wire_is_slow(const struct wire *wire);
void wire_arrive(struct wire *wire);
/* Some connection breaks, or a frame on its way comes twice. */
void wire_cut(struct wire *wire);
void wire_repeat(struct wire *wire);
/* A frame to a client came twice in this life: it may call that a broken protocol. */
bool wire_has_repeated(const struct wire *wire);
/* Everything on its way is lost and every connection ends. */
void wire_cut_all(struct wire *wire);

#endif
