/*
 * Which events were accepted lately: a keyed 64-bit fingerprint of (source, id) to the sequence.
 * The oldest go first: when there are more than max, or when they are older than the window.
 *
 * Owner: the loop thread. Memory: 16 bytes an entry and 7 to 13 of index (8 at 10 million), for a
 * moment half as much again while the index grows.
 */
#ifndef TTGD_CORE_DEDUPE_H
#define TTGD_CORE_DEDUPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"

#define DEDUPE_MAX UINT64_C(1000000000) /* entries; numbers of entries are 32 bits */

struct dedupe;
struct dedupe_image;

/* max: entries held; window_ns: age kept. NULL without memory. */
struct dedupe *dedupe_new(uint64_t max, uint64_t window_ns);
void dedupe_free(struct dedupe **dedupe);

/* Sequence of the newest entry with this fingerprint, 0: none. */
uint64_t dedupe_find(const struct dedupe *dedupe, uint64_t fingerprint);
/* Adds (sequences ascend) and lets go what is due at accepted_ns. False without memory. */
bool dedupe_add(struct dedupe *dedupe, uint64_t fingerprint, uint64_t sequence, int64_t accepted_ns);
uint64_t dedupe_count(const struct dedupe *dedupe);
size_t dedupe_bytes(const struct dedupe *dedupe);

/* The window as it stands, to be saved later or by another thread. NULL without memory. */
struct dedupe_image *dedupe_freeze(const struct dedupe *dedupe);
void dedupe_image_free(struct dedupe_image **image); /* any thread */
/* Bytes that saving writes at most; saving and loading, oldest first. False: damaged, no memory. */
size_t dedupe_image_bytes(const struct dedupe_image *image);
void dedupe_image_save(const struct dedupe_image *image, struct cursor *cursor);
bool dedupe_load(struct dedupe *dedupe, struct cursor *cursor);

#endif
