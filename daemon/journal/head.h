/*
 * HEAD: the small file that says how far the journal reached at least. Without it a newest segment
 * that is missing, or an older copy of it, looks like a journal that simply ends earlier. It stands
 * in for a seal behind the last batch. Three slots:
 *
 *   two in turn   synced: when the writer falls idle, at each new segment, before files go and at
 *                 close; a torn write leaves the other one
 *   the third     behind every batch, not synced: lost when the machine stops, and then only the
 *                 system knows what was torn; there when merely the process was killed
 *
 * The higher counter holds, and of the same counter the higher sequence: a note has the counter of
 * the mark it adds to.
 */
#ifndef TTGD_JOURNAL_HEAD_H
#define TTGD_JOURNAL_HEAD_H

#include "journal/format.h"

#define HEAD_NAME       "HEAD"
#define HEAD_SLOTS      3u
#define HEAD_FILE_BYTES (HEAD_SLOTS * FORMAT_HEAD_SLOT)

/* TTG_ENOENT when there is no such file; TTG_ECORRUPT when no slot is valid. */
enum ttg_error head_load(const struct world *world, const char *directory, struct format_head *out,
                         struct message *message);
/* Makes the file with all slots saying `head`, durable when it returns. */
enum ttg_error head_create(const struct world *world, const char *directory,
                           struct format_head *head, struct message *message);
/* Counts up, writes the next slot, syncs. 0 or -errno; after a failure no more is to be written. */
int head_write(const struct world *world, int file, struct format_head *head);
/* Writes the third slot. 0 or -errno. */
int head_note(const struct world *world, int file, const struct format_head *head);

#endif
