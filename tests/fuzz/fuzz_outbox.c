/*
 * The client's outbox after damage of any kind. What opens is read back, written on and opened
 * again.
 *
 * Broken when: after damage that was no forgery an event is given that was never put; or an
 * outbox that opened does not take another event or does not open again.
 */
#include "fuzz.h"

#include "client/outbox.h"
#include "damage.h"

#define EVENTS 6
#define EVENT_BYTES 600

struct seen {
	struct outbox *outbox;
	struct {
		struct outbox_place place;
		uint32_t bytes;
		uint8_t id;
	} events[EVENTS * 4];
	size_t n;
};

static uint32_t event_bytes(uint8_t number, uint8_t out[EVENT_BYTES])
{
	memset(out, number, EVENT_BYTES);
	return (uint32_t)number * 97 % EVENT_BYTES + 1;
}

static enum ttg_error put(struct outbox *outbox, uint8_t number, struct outbox_place *place)
{
	uint8_t bytes[EVENT_BYTES], id[16];

	memset(id, number, sizeof(id));
	const struct ttg_publish_item item = { id, bytes, event_bytes(number, bytes), NULL };
	return outbox_put(outbox, &item, 1, place);
}

static struct memory_world *undamaged(void)
{
	struct memory_world *memory = memory_world_new(12);
	struct outbox *outbox = NULL;
	struct outbox_place place = { 0 };

	MUST(outbox_open(&outbox, memory_world_table(memory), "/o", 1u << 20, NULL) == TTG_OK);
	for (uint8_t i = 1; i <= EVENTS; i++) {
		MUST(put(outbox, i, &place) == TTG_OK);
		if (i == 2) /* a hole in the middle */
			outbox_done(outbox, &place);
	}
	outbox_close(&outbox);
	return memory;
}

/* Made once, never changed. */
static struct memory_world *copy_of_undamaged(void)
{
	static struct memory_world *kept;

	if (!kept)
		kept = undamaged();
	const struct memory_moment now = memory_world_moment(kept);
	struct memory_world *copy = memory_world_clone(kept);
	memory_world_go_back(kept, &now); /* every input sees the same random numbers */
	return copy;
}

static enum ttg_error each(void *arg, const uint8_t id[16], uint32_t bytes,
			   const struct outbox_place *place)
{
	struct seen *seen = arg;

	if (seen->n == sizeof(seen->events) / sizeof(*seen->events))
		return TTG_OK;
	seen->events[seen->n].place = *place;
	seen->events[seen->n].bytes = bytes;
	seen->events[seen->n].id = id[0];
	seen->n++;
	return TTG_OK;
}

static void use(struct outbox *outbox, struct memory_world *memory, bool forged)
{
	struct seen seen = { .outbox = outbox };
	struct outbox_place place;
	uint8_t wanted[EVENT_BYTES];

	MUST(outbox_each(outbox, each, &seen) == TTG_OK);
	for (size_t i = 0; i < seen.n; i++) {
		uint8_t *got = malloc(seen.events[i].bytes + 1);
		MUST(got);
		const enum ttg_error error =
			outbox_read(outbox, &seen.events[i].place, seen.events[i].bytes, got);
		MUST(forged || error == TTG_OK);
		if (!forged)
			MUST(event_bytes(seen.events[i].id, wanted) == seen.events[i].bytes &&
				  memcmp(got, wanted, seen.events[i].bytes) == 0);
		free(got);
		outbox_done(outbox, &seen.events[i].place);
	}
	const enum ttg_error error = put(outbox, 99, &place);
	MUST(forged || error == TTG_OK);
	outbox_close(&outbox);
	struct message message = { "" };
	const enum ttg_error again =
		outbox_open(&outbox, memory_world_table(memory), "/o", 1u << 20, &message);
	MUST(error || again == TTG_OK);
	outbox_close(&outbox);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	struct memory_world *memory = copy_of_undamaged();
	struct outbox *outbox = NULL;
	struct message message = { "" };

	const struct fuzz_damage damage = fuzz_damage(&input, memory);
	if (outbox_open(&outbox, memory_world_table(memory), "/o", 1u << 20, &message) == TTG_OK)
		use(outbox, memory, damage.forged);
	else
		MUST(!outbox && message.text[0] != '\0');
	memory_world_free(&memory);
	return 0;
}
