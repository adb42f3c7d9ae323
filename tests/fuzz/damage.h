/* Damage to files in a memory world, as an input says; for targets that read what a disk gives. */
#ifndef TTG_FUZZ_DAMAGE_H
#define TTG_FUZZ_DAMAGE_H

#include "fuzz.h"
#include "support/memory_world.h"

struct fuzz_damage {
	bool forged; /* checksums were made to fit, or parts were copied: no accident */
	size_t steps;
};

/*
 * Applies the whole input: bytes changed, files cut, removed, replaced, copied over each other, and
 * CRC-32C made to fit at the end of a header or sector.
 */
struct fuzz_damage fuzz_damage(struct fuzz_input *input, struct memory_world *memory);

#endif
