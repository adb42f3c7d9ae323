/*
 * The key of the segment that one thread is at, kept until it goes to another: in locked memory, and for no
 * more segments than are being read. Private to daemon/journal/.
 */
#ifndef TTGD_JOURNAL_SEGMENT_KEY_H
#define TTGD_JOURNAL_SEGMENT_KEY_H

#include "journal/crypto.h"

struct segment_key;

struct segment_key *segment_key_new(void); /* NULL: no memory */
void segment_key_free(struct segment_key **it);
/* Of the segment with this salt, under one master key all along. Valid until the next call; NULL:
   TTG_ECRYPTO. */
const uint8_t *segment_key_get(struct segment_key *it, const uint8_t master[JOURNAL_KEY_BYTES],
                               const uint8_t salt[FORMAT_SALT]);

#endif
