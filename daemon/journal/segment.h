/*
 * What is known in memory about the journal's files: names, the list of segments with a sparse
 * index each, and decrypted batches. Owned by the loop, or by whoever verifies; not shared.
 */
#ifndef TTGD_JOURNAL_SEGMENT_H
#define TTGD_JOURNAL_SEGMENT_H

#include "journal/format.h"

#define SEGMENT_PATH      4352 /* directory and file name */
#define SEGMENT_DIRECTORY 4096 /* longest directory */
#define SEGMENT_INDEX_MAX                                                                          \
	1024 /* entries a segment; then every other goes and the stride doubles                    \
	      */

struct segment_index_entry {
	uint64_t sequence;
	uint64_t offset;
};

struct segment {
	struct format_segment header;
	uint8_t chain[JOURNAL_HASH_BYTES]; /* at end */
	uint64_t last_sequence;            /* header.first_sequence - 1 when empty */
	uint64_t end;                      /* of the last valid batch */
	uint64_t last_offset;              /* where the newest batch begins */
	uint64_t used_bytes;               /* end, or the last byte of a torn tail behind it */
	uint64_t file_bytes;
	int64_t newest_ns;
	uint32_t batches;
	struct segment_index_entry *index;
	uint32_t index_count;
	uint32_t index_stride;
};

struct segment_list {
	struct segment **items; /* by first sequence */
	size_t count;
	size_t capacity;
};

struct segment *segment_new(const struct format_segment *header);
void segment_free(struct segment **segment);
/* Takes in a batch that follows the ones before. TTG_ENOMEM: the index stays coarser. */
enum ttg_error segment_add_batch(struct segment *segment, const struct format_batch *batch,
                                 uint64_t offset);
/* Where to begin looking for the batch that holds sequence. */
uint64_t segment_seek(const struct segment *segment, uint64_t sequence);

enum ttg_error segment_list_push(struct segment_list *list, struct segment *take_segment);
void segment_list_drop_first(struct segment_list *list);
void segment_list_drop_last(struct segment_list *list);
void segment_list_clear(struct segment_list *list);
struct segment *segment_list_last(const struct segment_list *list);
/* The one that holds sequence, or NULL. */
struct segment *segment_list_find(const struct segment_list *list, uint64_t sequence);

enum segment_file { SEGMENT_FILE, SEGMENT_SNAPSHOT };
void segment_path(char out[SEGMENT_PATH], const char *directory, enum segment_file kind,
                  uint64_t sequence);
void segment_path_named(char out[SEGMENT_PATH], const char *directory, const char *name);
/* All sequences in names of one kind in a directory, sorted; *out is malloc'd. */
enum ttg_error segment_list_names(const struct world *world, const char *directory,
                                  enum segment_file kind, uint64_t **out, size_t *count,
                                  struct message *message);

/* A decrypted batch, shared by cache and readers of one thread. */
struct plain {
	unsigned references;
	uint64_t first_sequence;
	uint32_t count;
	size_t len;
	uint8_t chain[JOURNAL_HASH_BYTES]; /* behind it */
	uint32_t *offsets; /* of each record in data */
	uint8_t *data;
};
/* One allocation; offsets and data are copied when given. NULL on lack of memory. */
struct plain *plain_new(uint64_t first_sequence, uint32_t count, const uint32_t *offsets,
                        const uint8_t *data, size_t len);
struct plain *plain_keep(struct plain *plain);
void plain_drop(struct plain **plain);
/* Fills offsets from data. False: data is not `count` records. */
bool plain_parse(struct plain *plain);
bool plain_get(const struct plain *plain, uint64_t sequence, struct journal_record *out);

#endif
