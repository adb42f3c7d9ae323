/*
 * Damage to files; see damage.h. A step: what u8, file u8 (by name, modulo the number of files),
 * offset u32 (modulo the file's size), and what it takes besides. One thread.
 */
#include "damage.h"

#include "base/crc32c.h"

#define STEPS_MAX 24
#define FILE_MAX (160u * 1024u)
#define CRC_BYTES 4u
#define BLOCK 512u

enum { PATCH, FLIP, CUT, DROP, REPLACE, COPY_BLOCK, COPY_FILE, SIGN, KINDS };

struct target {
	struct memory_world *memory;
	char path[256];
	uint8_t *bytes;
	uint64_t size, offset;
};

static bool choose(struct target *target, uint8_t index)
{
	size_t n = 0;

	while (memory_world_name(target->memory, n))
		n++;
	if (n == 0)
		return false;
	snprintf(target->path, sizeof(target->path), "%s",
		 memory_world_name(target->memory, index % n));
	target->bytes = memory_world_file(target->memory, target->path, &target->size);
	return target->bytes != NULL || target->size == 0;
}

static void patch(struct target *target, struct fuzz_input *input)
{
	size_t len = fuzz_u8(input);
	char *piece = fuzz_piece(input, &len);

	if (len > target->size - target->offset)
		len = target->size - target->offset;
	if (len > 0)
		memcpy(target->bytes + target->offset, piece, len);
	free(piece);
}

static void replace(struct target *target, struct fuzz_input *input)
{
	size_t len = 0;
	char *piece = fuzz_sized(input, &len);

	memory_world_put(target->memory, target->path, piece, len);
	free(piece);
}

static void cut(struct target *target, uint64_t size)
{
	uint8_t *copy = calloc(1, size + 1);

	MUST(copy);
	if (size > 0 && target->bytes)
		memcpy(copy, target->bytes, size < target->size ? size : target->size);
	memory_world_put(target->memory, target->path, copy, size);
	free(copy);
}

static void copy_block(struct target *target, uint64_t from)
{
	const uint64_t blocks = target->size / BLOCK;

	if (blocks > 0)
		memmove(target->bytes + target->offset / BLOCK % blocks * BLOCK,
			target->bytes + from % blocks * BLOCK, BLOCK);
}

static void copy_file(struct target *target, uint8_t to)
{
	uint8_t *copy = malloc(target->size + 1);
	const uint64_t size = target->size;

	MUST(copy);
	if (size > 0)
		memcpy(copy, target->bytes, size);
	if (choose(target, to))
		memory_world_put(target->memory, target->path, copy, size);
	free(copy);
}

/* The checksum at the end of a piece whose bytes before it were changed. */
static void sign(struct target *target, uint8_t which)
{
	static const uint32_t lengths[] = { 64, 192, 512, 4096 };
	const uint32_t len = lengths[which % 4];
	const uint64_t at = target->offset / 64 * 64;

	if (at + len > target->size)
		return;
	const uint32_t crc = crc32c(0, target->bytes + at, len - CRC_BYTES);
	for (unsigned i = 0; i < CRC_BYTES; i++)
		target->bytes[at + len - CRC_BYTES + i] = (uint8_t)(crc >> (8 * i));
}

static void one_step(struct fuzz_input *input, struct target *target, struct fuzz_damage *damage)
{
	const uint8_t kind = fuzz_u8(input) % KINDS;
	const bool found = choose(target, fuzz_u8(input));
	const uint64_t offset = fuzz_u32(input);

	if (!found)
		return;
	target->offset = target->size > 0 ? offset % target->size : 0;
	damage->forged = damage->forged || kind == REPLACE || kind >= COPY_BLOCK;
	damage->steps++;
	if (kind == PATCH)
		patch(target, input);
	else if (kind == FLIP && target->size > 0)
		target->bytes[target->offset] ^= (uint8_t)(1u << (fuzz_u8(input) & 7));
	else if (kind == CUT)
		cut(target, offset % FILE_MAX);
	else if (kind == DROP)
		memory_world_put(target->memory, target->path, NULL, 0);
	else if (kind == REPLACE)
		replace(target, input);
	else if (kind == COPY_BLOCK)
		copy_block(target, fuzz_u16(input));
	else if (kind == COPY_FILE)
		copy_file(target, fuzz_u8(input));
	else if (kind == SIGN)
		sign(target, fuzz_u8(input));
}

struct fuzz_damage fuzz_damage(struct fuzz_input *input, struct memory_world *memory)
{
	struct fuzz_damage damage = { 0 };
	struct target target = { .memory = memory };

	for (int i = 0; i < STEPS_MAX && input->left > 0; i++)
		one_step(input, &target, &damage);
	return damage;
}
