/*
 * The list of segments, their names and their sparse indexes; decrypted batches. Memory only, but
 * for segment_list_names(). An index entry is lost rather than a batch refused when memory is
 * short: it only makes a seek walk further.
 */
#include "journal/segment.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_DIGITS 16

struct segment *segment_new(const struct format_segment *header)
{
	struct segment *segment = calloc(1, sizeof(*segment));

	if (segment == NULL)
		return NULL;
	segment->header = *header;
	segment->last_sequence = header->first_sequence - 1;
	segment->end = FORMAT_BLOCK;
	segment->used_bytes = FORMAT_BLOCK;
	segment->file_bytes = header->allocated_bytes;
	segment->newest_ns = header->created_ns;
	segment->index_stride = 1;
	return segment;
}

void segment_free(struct segment **segment)
{
	if (*segment == NULL)
		return;
	free((*segment)->index);
	free(*segment);
	*segment = NULL;
}

static void thin_out(struct segment *segment)
{
	for (uint32_t i = 0; i < segment->index_count / 2; i++)
		segment->index[i] = segment->index[2 * i];
	segment->index_count /= 2;
	segment->index_stride *= 2;
}

enum ttg_error segment_add_batch(struct segment *segment, const struct format_batch *batch,
                                 uint64_t offset)
{
	uint32_t number = segment->batches++;
	uint32_t count = segment->index_count;

	assert(batch->first_sequence == segment->last_sequence + 1);
	segment->last_sequence += batch->records;
	segment->last_offset = offset;
	segment->end = offset + format_batch_bytes(batch->body_bytes);
	segment->used_bytes = segment->end;
	if (batch->written_ns > segment->newest_ns)
		segment->newest_ns = batch->written_ns;
	if (number % segment->index_stride != 0)
		return TTG_OK;
	if ((count & (count - 1)) == 0) { /* full at powers of two */
		uint32_t more = count == 0 ? 1 : 2 * count;
		struct segment_index_entry *index = realloc(segment->index, more * sizeof(*index));

		if (index == NULL)
			return TTG_ENOMEM;
		segment->index = index;
	}
	segment->index[count].sequence = batch->first_sequence;
	segment->index[count].offset = offset;
	segment->index_count = count + 1;
	if (segment->index_count == SEGMENT_INDEX_MAX)
		thin_out(segment);
	return TTG_OK;
}

uint64_t segment_seek(const struct segment *segment, uint64_t sequence)
{
	uint32_t low = 0;
	uint32_t high = segment->index_count;

	while (low < high) { /* first entry above sequence */
		uint32_t middle = low + (high - low) / 2;

		if (segment->index[middle].sequence <= sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? FORMAT_BLOCK : segment->index[low - 1].offset;
}

enum ttg_error segment_list_push(struct segment_list *list, struct segment *take_segment)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
		struct segment **items = realloc(list->items, capacity * sizeof(*items));

		if (items == NULL) {
			segment_free(&take_segment);
			return TTG_ENOMEM;
		}
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = take_segment;
	return TTG_OK;
}

void segment_list_drop_first(struct segment_list *list)
{
	assert(list->count > 0);
	segment_free(&list->items[0]);
	list->count--;
	memmove(list->items, list->items + 1, list->count * sizeof(*list->items));
}

void segment_list_drop_last(struct segment_list *list)
{
	assert(list->count > 0);
	segment_free(&list->items[--list->count]);
}

void segment_list_clear(struct segment_list *list)
{
	while (list->count > 0)
		segment_list_drop_last(list);
	free(list->items);
	list->items = NULL;
	list->capacity = 0;
}

struct segment *segment_list_last(const struct segment_list *list)
{
	return list->count > 0 ? list->items[list->count - 1] : NULL;
}

struct segment *segment_list_find(const struct segment_list *list, uint64_t sequence)
{
	size_t low = 0;
	size_t high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->items[middle]->header.first_sequence <= sequence)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || list->items[low - 1]->last_sequence < sequence)
		return NULL;
	return list->items[low - 1];
}

void segment_path(char out[SEGMENT_PATH], const char *directory, enum segment_file kind,
                  uint64_t sequence)
{
	const char *format = kind == SEGMENT_FILE ? "seg-" : "snap-";
	const char *ending = kind == SEGMENT_FILE ? "ttj" : "tts";

	(void)snprintf(out, SEGMENT_PATH, "%s/%s%016" PRIx64 ".%s", directory, format, sequence,
	               ending);
}

void segment_path_named(char out[SEGMENT_PATH], const char *directory, const char *name)
{
	(void)snprintf(out, SEGMENT_PATH, "%s/%s", directory, name);
}

struct names {
	enum segment_file kind;
	uint64_t *items;
	size_t count;
	size_t capacity;
	bool no_memory;
};

/* Exactly the names segment_path() makes; everything else in the directory is not ours. */
static bool parse_name(const char *name, enum segment_file kind, uint64_t *sequence)
{
	const char *prefix = kind == SEGMENT_FILE ? "seg-" : "snap-";
	const char *ending = kind == SEGMENT_FILE ? ".ttj" : ".tts";
	size_t prefix_len = strlen(prefix);
	uint64_t value = 0;

	if (strlen(name) != prefix_len + NAME_DIGITS + 4 ||
	    strncmp(name, prefix, prefix_len) != 0 ||
	    strcmp(name + prefix_len + NAME_DIGITS, ending) != 0)
		return false;
	for (size_t i = 0; i < NAME_DIGITS; i++) {
		char c = name[prefix_len + i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*sequence = value;
	return true;
}

static bool collect_name(void *arg, const char *name)
{
	struct names *names = arg;
	uint64_t sequence;

	if (!parse_name(name, names->kind, &sequence))
		return true;
	if (names->count == names->capacity) {
		size_t capacity = names->capacity == 0 ? 64 : 2 * names->capacity;
		uint64_t *items = realloc(names->items, capacity * sizeof(*items));

		if (items == NULL) {
			names->no_memory = true;
			return false;
		}
		names->items = items;
		names->capacity = capacity;
	}
	names->items[names->count++] = sequence;
	return true;
}

static int compare_sequences(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left > *right) - (*left < *right);
}

enum ttg_error segment_list_names(const struct world *world, const char *directory,
                                  enum segment_file kind, uint64_t **out, size_t *count,
                                  struct message *message)
{
	struct names names = { .kind = kind };
	int result = world->list(world->self, directory, collect_name, &names);

	*out = NULL;
	*count = 0;
	if (result < 0 || names.no_memory) {
		free(names.items);
		if (result >= 0)
			return message_set(message, TTG_ENOMEM, "no memory to list the journal");
		return message_set(message, world_error(result), "%s: cannot be listed: %s",
		                   directory, strerror(-result));
	}
	if (names.count > 1)
		qsort(names.items, names.count, sizeof(*names.items), compare_sequences);
	*out = names.items;
	*count = names.count;
	return TTG_OK;
}

struct plain *plain_new(uint64_t first_sequence, uint32_t count, const uint32_t *offsets,
                        const uint8_t *data, size_t len)
{
	size_t offsets_bytes = count * sizeof(uint32_t);
	struct plain *plain = malloc(sizeof(*plain) + offsets_bytes + len);

	if (plain == NULL)
		return NULL;
	plain->references = 1;
	plain->first_sequence = first_sequence;
	plain->count = count;
	plain->len = len;
	plain->offsets = (uint32_t *)(plain + 1);
	plain->data = (uint8_t *)(plain + 1) + offsets_bytes;
	if (offsets != NULL)
		memcpy(plain->offsets, offsets, offsets_bytes);
	if (data != NULL)
		memcpy(plain->data, data, len);
	return plain;
}

struct plain *plain_keep(struct plain *plain)
{
	plain->references++;
	return plain;
}

void plain_drop(struct plain **plain)
{
	struct plain *old = *plain;

	*plain = NULL;
	if (old != NULL && --old->references == 0)
		free(old);
}

bool plain_parse(struct plain *plain)
{
	struct journal_record record;
	size_t offset = 0;

	for (uint32_t i = 0; i < plain->count; i++) {
		plain->offsets[i] = (uint32_t)offset;
		if (!format_record_decode(plain->data, plain->len, &offset, &record))
			return false;
	}
	return offset == plain->len;
}

bool plain_get(const struct plain *plain, uint64_t sequence, struct journal_record *out)
{
	size_t offset;

	if (sequence < plain->first_sequence || sequence - plain->first_sequence >= plain->count)
		return false;
	offset = plain->offsets[sequence - plain->first_sequence];
	return format_record_decode(plain->data, plain->len, &offset, out);
}
