/*
 * Records read back from the journal, by number. A mailbox that catches up reads in two places, where it
 * looks for what comes next and where it delivers, and several may catch up at once: so there are several
 * readers, and each goes on from where it was.
 *
 * Owner: the loop.
 */
#ifndef TTGD_NET_RECORDS_H
#define TTGD_NET_RECORDS_H

#include "journal/journal.h"

#define RECORDS_READERS 4 /* each keeps a batch and a piece of a file, once it was needed */

struct records;

enum ttg_error records_open(struct records **out, struct journal *journal);
void records_close(struct records **records);

/* Valid until the next call. TTG_EAGAIN: not durable yet; else as journal_reader_next(). */
enum ttg_error records_read(struct records *records, uint64_t sequence, struct journal_record *out);
/* Segments have gone: nothing is known of where readers are. */
void records_forget(struct records *records);

#endif
