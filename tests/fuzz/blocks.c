/*
 * Large blocks stay mapped between two inputs. AddressSanitizer maps and unmaps every block over
 * 128 KiB anew, and the page faults of a broker's buffers cost many times what an input does. In the
 * fuzz build the linker sends calls of malloc() and its like here (--wrap); small blocks go on to
 * the sanitizer as they came.
 *
 * What is found stays the same: a block that was freed, and its end behind what was asked for, are
 * poisoned; its beginning is filled as the sanitizer does, so that an input reads nothing of the one
 * before; and one that nobody freed is a leak, since the table keeps a pointer only to those that
 * were. Any thread.
 */
#include <pthread.h>
#include <sanitizer/allocator_interface.h>
#include <sanitizer/asan_interface.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BLOCK_MIN_BYTES (32u * 1024u)
#define BLOCK_MAX_BYTES (4u * 1024u * 1024u)
#define KEPT_MAX_BYTES  (256u * 1024u * 1024u)
#define SLOTS 1024u /* a power of two */
#define SLOTS_USED_MAX 512u
#define FILL_BYTES 4096u
#define FILL 0xbe

struct slot {
	_Atomic uintptr_t hidden; /* the address turned over, so that nobody takes it for a pointer */
	size_t room, size;
	void *kept; /* the address while it is free */
};

static struct {
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
	struct slot *used[SLOTS_USED_MAX]; /* in the order they were made */
	size_t n_used, bytes;
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

/* A quarter of a power of two: a few sizes serve all. */
static size_t room_for(size_t size)
{
	size_t step = BLOCK_MIN_BYTES / 4;

	while (step * 8 < size)
		step *= 2;
	return (size + step - 1) / step * step;
}

static size_t place_of(const void *block)
{
	return ((uintptr_t)block >> 12) * 0x9e3779b1u % SLOTS;
}

static struct slot *find(const void *block)
{
	const uintptr_t hidden = ~(uintptr_t)block;

	for (size_t i = place_of(block);; i = (i + 1) % SLOTS) {
		const uintptr_t here = atomic_load_explicit(&table.slots[i].hidden,
							    memory_order_acquire);
		if (here == hidden)
			return &table.slots[i];
		if (here == 0)
			return NULL;
	}
}

static void *take_kept(size_t room, size_t size)
{
	for (size_t i = 0; i < table.n_used; i++) {
		struct slot *slot = table.used[i];
		void *block = slot->kept;

		if (!block || slot->room != room)
			continue;
		slot->kept = NULL;
		slot->size = size;
		__asan_unpoison_memory_region(block, size);
		return block;
	}
	return NULL;
}

static void *make(size_t room, size_t size)
{
	if (table.n_used >= SLOTS_USED_MAX || table.bytes + room > KEPT_MAX_BYTES)
		return NULL;
	void *block = __real_malloc(room);
	if (!block)
		return NULL;
	size_t i = place_of(block);
	while (atomic_load(&table.slots[i].hidden) != 0)
		i = (i + 1) % SLOTS;
	table.slots[i].room = room;
	table.slots[i].size = size;
	atomic_store_explicit(&table.slots[i].hidden, ~(uintptr_t)block, memory_order_release);
	table.used[table.n_used++] = &table.slots[i];
	table.bytes += room;
	__asan_poison_memory_region((char *)block + size, room - size);
	return block;
}

static void *large(size_t size)
{
	const size_t room = room_for(size);

	pthread_mutex_lock(&table.lock);
	void *block = take_kept(room, size);
	if (!block)
		block = make(room, size);
	pthread_mutex_unlock(&table.lock);
	return block;
}

static bool is_large(size_t size)
{
	return size >= BLOCK_MIN_BYTES && size <= BLOCK_MAX_BYTES;
}

void *__wrap_malloc(size_t size)
{
	void *block = is_large(size) ? large(size) : NULL;

	if (!block)
		return __real_malloc(size);
	memset(block, FILL, FILL_BYTES);
	return block;
}

void *__wrap_calloc(size_t n, size_t size)
{
	size_t bytes = 0;
	void *block = NULL;

	if (!__builtin_mul_overflow(n, size, &bytes) && is_large(bytes))
		block = large(bytes);
	return block ? memset(block, 0, bytes) : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	if (!old)
		return __wrap_malloc(size);
	const struct slot *slot = find(old);
	if (size == 0 || (!slot && !is_large(size)))
		return slot ? (__wrap_free(old), NULL) : __real_realloc(old, size);
	const size_t before = slot ? slot->size : __sanitizer_get_allocated_size(old);
	void *block = __wrap_malloc(size);
	if (!block)
		return NULL;
	memcpy(block, old, before < size ? before : size);
	__wrap_free(old);
	return block;
}

void __wrap_free(void *block)
{
	struct slot *slot = block ? find(block) : NULL;

	if (!slot || slot->kept) { /* freed twice: the sanitizer says so */
		__real_free(block);
		if (slot)
			__builtin_trap();
		return;
	}
	pthread_mutex_lock(&table.lock);
	__asan_poison_memory_region(block, slot->room);
	slot->kept = block;
	pthread_mutex_unlock(&table.lock);
}
