/* What seeds.c and its like share: an input being made, and the folder it goes to. */
#ifndef TTG_FUZZ_SEEDS_H
#define TTG_FUZZ_SEEDS_H

#include <stddef.h>
#include <stdint.h>
#include <ttg/proto/session.pb-c.h>

#define SEED_MAX 16384

struct seed {
	uint8_t bytes[SEED_MAX];
	size_t len;
};

void put(struct seed *seed, const void *bytes, size_t len);
void put_u8(struct seed *seed, unsigned value);
void put_u16(struct seed *seed, size_t value);
/* A step of fuzz_frame.c or fuzz_client.c: kind byte, length, frame. */
void put_frame(struct seed *seed, unsigned step, const Ttg__Frame *frame);
void put_hello(struct seed *seed, unsigned step);
void write_seed(const char *folder, const char *what, const char *name, const struct seed *seed);

/* seeds_core.c: records and snapshots of short lives. */
void core_seeds(const char *folder);
/* seeds_signed.c: what publishers signed, as frames, as records, as receipts. */
void signed_seeds(const char *folder);

#endif
