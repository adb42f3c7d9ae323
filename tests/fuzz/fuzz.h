/*
 * What the fuzz targets share. A target is one file fuzz_<what>.c that defines the entry point
 * below; the fuzzer feeds it what it invents, replay.c feeds it what is kept in corpus/ and crashes/.
 *
 * A target finds fault in three ways: the sanitizers stop it, an assertion of the product stops
 * it, or one of its own MUST does. It leaves nothing behind between two inputs, so that every
 * finding is one file.
 */
#ifndef TTG_FUZZ_H
#define TTG_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "support/must.h" /* a promise that is broken: the fuzzer keeps the input, ctest reports it */

/* The fuzzer's name for it. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* An input taken apart. Past its end every number is 0 and every piece empty. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

uint8_t fuzz_u8(struct fuzz_input *input);
uint16_t fuzz_u16(struct fuzz_input *input); /* little-endian, as below */
uint32_t fuzz_u32(struct fuzz_input *input);
uint64_t fuzz_u64(struct fuzz_input *input);

/*
 * The next `len` bytes, or what is left: a copy of exactly that size, so that reading past it is
 * noticed. With a NUL behind it, which *len does not count. The caller frees it; never NULL.
 */
char *fuzz_piece(struct fuzz_input *input, size_t *len);
/* A piece whose length comes first, as u16. */
char *fuzz_sized(struct fuzz_input *input, size_t *len);
/* All the rest. */
char *fuzz_rest(struct fuzz_input *input, size_t *len);

/* An empty folder of this process, removed with what is in it when the process ends. */
const char *fuzz_folder(void);
/* Writes `name` in it, mode 0600; the folder of the name must be there. */
void fuzz_write(const char *name, const void *bytes, size_t len);
/* Complete path of a name in it. */
void fuzz_path(const char *name, char *out, size_t room);

#endif
