/*
 * See memory.h. The linker sends malloc and its kin from all code here (--wrap); the simulator's
 * own sources are compiled to call the real ones (CMakeLists.txt). Pieces that nobody at work
 * allocated are not known here, and freeing them changes nothing: those of libraries, for one.
 */
#include "sim/memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chance.h"

#define SLOTS 65536u /* a power of two; three quarters may be used */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *piece);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *piece);

static struct {
	struct {
		uintptr_t piece; /* 0: free */
		size_t size;
		int owner;
	} slots[SLOTS];
	size_t n;
	int owner;
	size_t held[MEMORY_OWNERS], large[MEMORY_OWNERS];
} memory = { .owner = MEMORY_NOBODY };

static size_t home(uintptr_t piece)
{
	return (size_t)chance_mix(piece) & (SLOTS - 1);
}

static void remember(const void *piece, size_t size, int owner)
{
	size_t i = home((uintptr_t)piece);

	if (!piece || owner == MEMORY_NOBODY)
		return;
	assert(memory.n < SLOTS / 4 * 3);
	while (memory.slots[i].piece)
		i = (i + 1) & (SLOTS - 1);
	memory.slots[i].piece = (uintptr_t)piece;
	memory.slots[i].size = size;
	memory.slots[i].owner = owner;
	memory.n++;
	if (size < MEMORY_LARGE)
		memory.held[owner] += size;
	else
		memory.large[owner]++;
}

static void close_gap(size_t hole)
{
	for (size_t i = (hole + 1) & (SLOTS - 1); memory.slots[i].piece;
	     i = (i + 1) & (SLOTS - 1)) {
		size_t wanted = home(memory.slots[i].piece);

		if (((i - wanted) & (SLOTS - 1)) < ((i - hole) & (SLOTS - 1)))
			continue;
		memory.slots[hole] = memory.slots[i];
		hole = i;
	}
	memory.slots[hole].piece = 0;
}

/* Whose it was; MEMORY_NOBODY: not known. */
static int forget(const void *piece)
{
	int owner;

	if (!piece)
		return MEMORY_NOBODY;
	for (size_t i = home((uintptr_t)piece); memory.slots[i].piece; i = (i + 1) & (SLOTS - 1)) {
		if (memory.slots[i].piece != (uintptr_t)piece)
			continue;
		owner = memory.slots[i].owner;
		if (memory.slots[i].size < MEMORY_LARGE)
			memory.held[owner] -= memory.slots[i].size;
		else
			memory.large[owner]--;
		memory.n--;
		close_gap(i);
		return owner;
	}
	return MEMORY_NOBODY;
}

void *__wrap_malloc(size_t size)
{
	void *piece = __real_malloc(size);

	remember(piece, size, memory.owner);
	return piece;
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *piece = __real_calloc(n, size);

	remember(piece, n * size, memory.owner);
	return piece;
}

void *__wrap_realloc(void *old, size_t size)
{
	int owner = old ? forget(old) : memory.owner;
	void *piece = __real_realloc(old, size);

	assert(piece); /* or the old one would still be held */
	remember(piece, size, owner);
	return piece;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	void *piece = __real_aligned_alloc(alignment, size);

	remember(piece, size, memory.owner);
	return piece;
}

char *__wrap_strdup(const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = __wrap_malloc(len);

	return copy ? memcpy(copy, text, len) : NULL;
}

void __wrap_free(void *piece)
{
	forget(piece);
	__real_free(piece);
}

int memory_work(int owner)
{
	int before = memory.owner;

	memory.owner = owner;
	return before;
}

size_t memory_held(int owner)
{
	return memory.held[owner];
}

size_t memory_large(int owner)
{
	return memory.large[owner];
}

void memory_reset(void)
{
	memset(&memory, 0, sizeof(memory));
	memory.owner = MEMORY_NOBODY;
}
