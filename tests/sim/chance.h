/* Chance of a life: splitmix64. The same seed gives the same numbers on every machine. */
#ifndef TTG_SIM_CHANCE_H
#define TTG_SIM_CHANCE_H

#include <stdint.h>

static inline uint64_t chance_mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint64_t chance_next(uint64_t *state)
{
	return chance_mix(*state += UINT64_C(0x9e3779b97f4a7c15));
}

/* 0 to n - 1. */
static inline uint64_t chance_below(uint64_t *state, uint64_t n)
{
	return n ? chance_next(state) % n : 0;
}

#endif
