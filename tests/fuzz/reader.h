/* A document from outside against the reader of an adapter; for the targets of the adapters. */
#ifndef TTG_FUZZ_READER_H
#define TTG_FUZZ_READER_H

#include "common/adapter.h"

struct fuzz_reader {
	const struct adapter_kind *kind;
	void *self;
};

/* Its state lies in fuzz_folder(). Stays open from input to input. */
void fuzz_reader_open(struct fuzz_reader *reader, const struct adapter_kind *kind,
		      const void *settings);

/*
 * Reads the document and forgets what was learnt from it. Broken when an event was made that the
 * core would not decode, whose fields it would refuse, or that has another id than the intake says;
 * or when a problem has no text.
 */
void fuzz_reader_read(const struct fuzz_reader *reader, const char *bytes, size_t len);

#endif
