/*
 * See secret.h. From the first page nobody may touch to the second:
 *
 *   no access | zeros, head, secret | no access
 *
 * The head stands right before the secret and says what is to be unmapped. Whoever writes in front of the
 * secret ends in secret_free(), whoever writes behind it at once.
 */
#include "base/secret.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/keyfile.h"

#define ALIGNMENT    16u
#define MARK         UINT64_C(0x746572636573)
#define NEEDED_BYTES (512u * 1024u) /* a broker with a key store: 170 KiB, and a page for each reader */
#define HEAP_BYTES   (128u * 1024u) /* OpenSSL's; a power of two, as is the least piece */
#define HEAP_LEAST   32

struct head {
	alignas(ALIGNMENT) uint64_t mark;
	unsigned char *pages; /* that may be touched */
	size_t bytes;         /* of them */
};

static_assert(sizeof(struct head) % ALIGNMENT == 0, "the secret behind it is aligned");

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t round_up(size_t len, size_t to)
{
	return (len + to - 1) / to * to;
}

/* Between two pages that nobody may touch; NULL: no memory. */
static unsigned char *map_pages(size_t bytes)
{
	const size_t page = page_bytes();
	unsigned char *all = mmap(NULL, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED)
		return NULL;
	if (mprotect(all + page, bytes, PROT_READ | PROT_WRITE) == 0)
		return all + page;
	(void)munmap(all, bytes + 2 * page);
	return NULL;
}

static void unmap_pages(unsigned char *pages, size_t bytes)
{
	const size_t page = page_bytes();

	(void)munmap(pages - page, bytes + 2 * page);
}

void *secret_new(size_t len)
{
	const size_t room = round_up(len, ALIGNMENT);
	const size_t bytes = round_up(room + sizeof(struct head), page_bytes());
	unsigned char *pages = len > 0 && len <= SIZE_MAX / 2 ? map_pages(bytes) : NULL;
	struct head *head;

	if (!pages)
		return NULL;
	(void)mlock(pages, bytes);
	(void)madvise(pages, bytes, MADV_DONTDUMP);
	(void)madvise(pages, bytes, MADV_WIPEONFORK);
	head = (struct head *)(void *)(pages + bytes - room) - 1;
	*head = (struct head){ MARK, pages, bytes };
	return head + 1;
}

void secret_free(void *secret)
{
	struct head *head = secret;

	if (!secret)
		return;
	head--;
	assert(head->mark == MARK);
	unsigned char *pages = head->pages;
	const size_t bytes = head->bytes;
	wipe(pages, bytes);
	unmap_pages(pages, bytes);
}

static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* As much as will be asked for, once, and given back. */
static bool can_lock(size_t bytes)
{
	unsigned char *pages = map_pages(bytes);
	const bool can = pages && mlock(pages, bytes) == 0;

	if (pages)
		unmap_pages(pages, bytes);
	return can;
}

bool secret_prepare(void)
{
	raise_limit();
	return CRYPTO_secure_malloc_init(HEAP_BYTES, HEAP_LEAST) == 1 && can_lock(NEEDED_BYTES);
}
