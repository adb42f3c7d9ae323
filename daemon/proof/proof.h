/*
 * The proof of a whole journal, seals included: that it is whole, and that every seal in it covers what
 * it covered when it was made. What a thief of the journal's key could write anew, he cannot seal. An
 * archive, too: what is left of its events is what was sealed. Reads only, a running journal as well.
 *
 * Any thread; shares nothing with anybody.
 */
#ifndef TTGD_PROOF_PROOF_H
#define TTGD_PROOF_PROOF_H

#include "evidence/check.h"
#include "journal/journal.h"

struct proof_how {
	const char *directory;
	const uint8_t *key; /* the journal's, JOURNAL_KEY_BYTES */
	const struct world *world;
	size_t max_unsealed; /* events between two seals that memory is taken for; 0: any number */
	/* NULL, or told how far it is, as by journal_verify(). */
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t all_bytes);
	void *arg;
};

struct proof_result {
	struct journal_verify_result journal;
	struct check_result seals;
	bool archive;
	uint64_t last_sequence; /* of an archive that of the journal it was copied from */
	uint64_t missing;       /* records that an archive does not have */
};

/*
 * Feeds the check with it, from its beginning; behind that it may be asked for more (check_signer()). As
 * journal_walk(); TTG_ECLOSED: whole, but not what was sealed, and the message names file, offset and record.
 */
enum ttg_error proof_run(const struct proof_how *how, struct check *check, struct proof_result *out,
			 struct message *message);

#endif
