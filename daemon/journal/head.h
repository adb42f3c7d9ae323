/*
 * HEAD: the small file that says how far the journal reached at least. Without it a newest segment
 * that is missing, or an older copy of it, looks like a journal that simply ends earlier. It stands
 * in for a seal behind the last batch: written when the writer falls idle, at each new segment and
 * at close, two slots in turn so that a torn write leaves the other one.
 */
#ifndef TTGD_JOURNAL_HEAD_H
#define TTGD_JOURNAL_HEAD_H

#include "journal/format.h"

#define HEAD_NAME       "HEAD"
#define HEAD_FILE_BYTES (2u * FORMAT_HEAD_SLOT)

/* TTG_ENOENT when there is no such file; TTG_ECORRUPT when neither slot is valid. */
enum ttg_error head_load(const struct world *world, const char *directory, struct format_head *out,
                         struct message *message);
/* Makes the file with both slots saying `head`, durable when it returns. */
enum ttg_error head_create(const struct world *world, const char *directory,
                           struct format_head *head, struct message *message);
/* Counts up, writes the next slot, syncs. 0 or -errno; after a failure no more is to be written. */
int head_write(const struct world *world, int file, struct format_head *head);

#endif
