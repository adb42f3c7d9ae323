/*
 * See records.h. A reader keeps one decrypted batch and a piece of the file, so that sending it back and
 * forth between two places would read and decrypt a batch for every few records.
 */
#include "net/records.h"

#include <stdlib.h>

#define NEAR 1024 /* records ahead of a reader that are worth going on for */

struct place {
	struct journal_reader *reader;
	uint64_t next;    /* sequence it would give next; 0: it has to seek */
	uint64_t used_at; /* count of reads at its last */
};

struct records {
	struct journal *journal;
	uint64_t reads;
	struct place places[RECORDS_READERS];
};

enum ttg_error records_open(struct records **out, struct journal *journal)
{
	struct records *records = calloc(1, sizeof *records);

	*out = records;
	if (!records)
		return TTG_ENOMEM;
	records->journal = journal;
	return TTG_OK;
}

void records_close(struct records **records)
{
	if (!*records)
		return;
	for (size_t i = 0; i < RECORDS_READERS; i++)
		journal_reader_close(&(*records)->places[i].reader);
	free(*records);
	*records = NULL;
}

/* Who was nearest before this record, else who was not needed for longest. */
static struct place *choose(struct records *records, uint64_t sequence)
{
	struct place *oldest = &records->places[0], *nearest = NULL;

	for (size_t i = 0; i < RECORDS_READERS; i++) {
		struct place *place = &records->places[i];

		if (place->used_at < oldest->used_at)
			oldest = place;
		if (place->next != 0 && place->next <= sequence && sequence - place->next < NEAR &&
		    (!nearest || place->next > nearest->next))
			nearest = place;
	}
	return nearest ? nearest : oldest;
}

static enum ttg_error read_at(const struct records *records, struct place *place, uint64_t sequence,
			      struct journal_record *out)
{
	const bool goes_on = place->next == sequence;
	uint64_t got = 0;
	enum ttg_error error = TTG_OK;

	place->next = 0;
	if (!place->reader)
		error = journal_reader_open(&place->reader, records->journal);
	if (!error && !goes_on)
		error = journal_reader_seek(place->reader, sequence);
	if (!error)
		error = journal_reader_next(place->reader, &got, out);
	if (!error && got != sequence)
		error = TTG_ENOENT;
	if (!error)
		place->next = sequence + 1;
	return error;
}

enum ttg_error records_read(struct records *records, uint64_t sequence, struct journal_record *out)
{
	struct place *place = choose(records, sequence);

	place->used_at = ++records->reads;
	return read_at(records, place, sequence, out);
}

void records_forget(struct records *records)
{
	for (size_t i = 0; i < RECORDS_READERS; i++)
		records->places[i].next = 0;
}
