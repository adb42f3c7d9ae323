/*
 * Proves one segment: every batch of it, and that it ends where its neighbour or HEAD says. A prover
 * is what one thread needs for that, one segment after the other; several work on one journal at the
 * same time (scan.c). Reads only. Private to daemon/journal/.
 */
#ifndef TTGD_JOURNAL_PROVE_H
#define TTGD_JOURNAL_PROVE_H

#include "journal/crypto.h"
#include "journal/segment.h"
#include "journal/segment_key.h"
#include "journal/window.h"

struct prover {
	/* Given; shared by all provers of a journal, and only read. */
	const struct world *world;
	const char *directory;
	const uint8_t *key; /* NULL: checksums and chain only */
	const struct format_head *head;
	/* Told how many bytes are done, after each batch; false: no need to go on. */
	bool (*moved)(void *arg, size_t segment, uint64_t bytes);
	void *moved_arg;
	/* NULL, or shown each batch that was proven, with a key; false: no need to go on. */
	bool (*seen)(void *arg, const struct journal_batch *batch);
	void *seen_arg;

	/* This one's own. */
	struct file_window window;
	struct crypto *crypto;
	struct segment_key *segment_key;
	uint8_t *scratch; /* decrypted bodies */
	size_t scratch_bytes;
};

/* What came out for one segment. */
struct proof {
	enum ttg_error err; /* TTG_ECLOSED: was told to stop */
	struct message message;
	uint64_t batches, records, torn_bytes;
	bool head_reached; /* the end that HEAD names was met */
	size_t number;     /* of the segment in the list */
};

/* The given part is set already. TTG_ECRYPTO, TTG_ENOMEM. */
enum ttg_error prover_init(struct prover *prover);
void prover_fini(struct prover *prover); /* also of one that is all zeroes */

/* Segment `number` of the list; fills what is known of it in there, and nothing of the others. */
void prove_segment(struct prover *prover, const struct segment_list *list, size_t number,
                   struct proof *out);

/* Opens the file of a segment in the prover's window. */
enum ttg_error prove_open(struct prover *prover, uint64_t first_sequence, struct message *message);
/* Sets the message: the segment's file, offset and reason. */
enum ttg_error prove_damage(const char *directory, struct message *message, uint64_t first_sequence,
                            uint64_t offset, enum ttg_error code, const char *reason);

/*
 * One batch at offset, proven against what must come before it: everything format.c demands, and
 * decryption when there is a key. TTG_ECORRUPT with a reason; TTG_EIO, TTG_ENOMEM.
 */
struct prove_place {
	struct segment *segment; /* number, sequence and chain expected next */
	uint64_t offset;
	uint64_t limit; /* nothing of the segment lies at or behind */
};

/*
 * tail.c: decides what the invalid bytes at place of the newest segment are. TTG_OK: the end, or a
 * torn write that nothing was acknowledged from (*used_bytes is where it ends). TTG_ECORRUPT:
 * damage.
 */
enum ttg_error tail_judge(struct prover *prover, const struct prove_place *place,
                          uint64_t *used_bytes, const char **reason);

#endif
