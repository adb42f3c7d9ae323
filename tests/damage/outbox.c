/*
 * The client's outbox as a subject: three segments, some events done, some not; closed, or left by a
 * process that was killed.
 */
#include "damage/subject.h"

#include <stdlib.h>
#include <string.h>
#include "client/outbox.h"
#include "support/must.h"

#define DIRECTORY   "/o"
#define EVENT_BYTES 700
#define PER_LIFE    4
#define LIVES	    3
#define DONE	    2 /* this one need not come again */

static size_t bytes_of(uint8_t number, uint8_t out[EVENT_BYTES])
{
	for (size_t i = 0; i < EVENT_BYTES; i++)
		out[i] = (uint8_t)(number * 31u + i * i);
	return EVENT_BYTES - (size_t)(number % 7u) * 90;
}

static struct outbox_place put(struct outbox *outbox, uint8_t number)
{
	struct outbox_place place;
	uint8_t bytes[EVENT_BYTES], id[16];

	memset(id, number, sizeof(id));
	const struct ttg_publish_item item = { id, bytes, bytes_of(number, bytes), NULL };
	MUST(outbox_put(outbox, &item, 1, &place) == TTG_OK);
	return place;
}

struct found {
	struct outbox *outbox;
	uint64_t next;
	bool wrong;
};

static enum ttg_error compare(void *arg, const uint8_t id[16], uint32_t bytes,
			      const struct outbox_place *place)
{
	struct found *found = arg;
	uint8_t wanted[EVENT_BYTES], got[EVENT_BYTES];

	if (found->next == DONE)
		found->next++;
	if (id[0] == DONE) /* once more: no harm */
		return TTG_OK;
	found->wrong |= id[0] != found->next || bytes != bytes_of(id[0], wanted) ||
			outbox_read(found->outbox, place, bytes, got) != TTG_OK ||
			memcmp(got, wanted, bytes) != 0;
	found->next++;
	return TTG_OK;
}

static enum verdict judge(const struct subject *subject, struct memory_world *damaged,
			  struct message *message)
{
	uint64_t writes = memory_world_calls(damaged, MEMORY_WRITE);
	struct outbox *outbox = NULL;
	enum ttg_error error =
		outbox_open(&outbox, memory_world_table(damaged), DIRECTORY, 0, message);
	struct found found = { .next = 1 };
	enum verdict verdict = VERDICT_LOST;

	if (error == TTG_OK) {
		found.outbox = outbox;
		if (outbox_each(outbox, compare, &found) == TTG_OK && !found.wrong &&
		    found.next == subject->accepted + 1)
			verdict = VERDICT_WHOLE;
	} else if (error == TTG_ECORRUPT && memory_world_calls(damaged, MEMORY_WRITE) == writes &&
		   subject_message_helps(message)) {
		verdict = VERDICT_FOUND;
	}
	outbox_close(&outbox);
	return verdict;
}

static void live(struct subject *out, bool closed)
{
	struct outbox *outbox = NULL;

	out->world = memory_world_new(2);
	out->judge = judge;
	for (int life = 0; life < LIVES; life++) {
		MUST(outbox_open(&outbox, memory_world_table(out->world), DIRECTORY, 0, NULL) ==
		     TTG_OK);
		for (int i = 0; i < PER_LIFE; i++) {
			struct outbox_place place = put(outbox, (uint8_t)++out->accepted);

			if (out->accepted == DONE)
				outbox_done(outbox, &place);
			if (i + 1 < PER_LIFE)
				out->moments[out->n_moments++] = memory_world_clone(out->world);
		}
		if (!closed && life + 1 == LIVES) {
			memory_world_kill(out->world);
			outbox_close(&outbox);
			memory_world_crash(out->world, MEMORY_CRASH_PROCESS);
		}
		outbox_close(&outbox);
	}
}

void subject_outbox_closed(struct subject *out)
{
	*out = (struct subject){ .name = "outbox, closed" };
	live(out, true);
}

void subject_outbox_killed(struct subject *out)
{
	*out = (struct subject){ .name = "outbox, killed" };
	live(out, false);
}
