/* See notary.h. Its chance is its own, so that it changes nothing in what else a seed decides. */
#include "sim/notary.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"
#include "core/sealed.h"
#include "evidence/stretch.h"
#include "sim/chance.h"
#include "sim/life.h"
#include "sim/memory.h"
#include "sim/model.h"

struct notary {
	struct signer *signer;
	uint64_t random;
	bool peace;
	bool connected;
	char packet[SIGNER_PACKET_MAX];
	size_t len; /* of the answer that waits; 0: none */
};

static struct sign_key *make_key(void)
{
	struct sign_key *key = sign_key_from_seed((const uint8_t[SIGNATURE_SEED]){ 9 });

	assert(key);
	return key;
}

/* One time in n, before there is peace. */
static bool happens(struct notary *notary, uint64_t n)
{
	return !notary->peace && chance_below(&notary->random, n) == 0;
}

static bool open_link(void *self)
{
	struct notary *notary = self;

	notary->connected = !happens(notary, 3);
	notary->len = 0;
	return notary->connected;
}

static bool take_packet(void *self, const char *packet, size_t len)
{
	struct notary *notary = self;
	const int worker = memory_work(MEMORY_NOBODY);

	if (happens(notary, 40))
		notary->connected = false;
	if (notary->connected)
		notary->len = signer_answer(notary->signer, packet, len, notary->packet);
	if (happens(notary, 20)) /* it did as it was told, and nobody hears of it */
		notary->len = 0;
	memory_work(worker);
	return notary->connected;
}

static int give_packet(void *self, char packet[SIGNER_PACKET_MAX], size_t *len)
{
	struct notary *notary = self;

	if (happens(notary, 60))
		notary->connected = false;
	if (!notary->connected)
		return -1;
	if (notary->len == 0 || happens(notary, 3)) /* later */
		return 0;
	memcpy(packet, notary->packet, notary->len);
	*len = notary->len;
	notary->len = 0;
	return 1;
}

static void end_link(void *self)
{
	struct notary *notary = self;

	notary->connected = false;
	notary->len = 0;
}

static int no_descriptor(void *self)
{
	(void)self;
	return -1;
}

struct signer_link notary_link(struct notary *notary)
{
	return (struct signer_link){ notary,	open_link,     take_packet, give_packet,
		                     end_link, no_descriptor, end_link };
}

struct verify_key *notary_key(const struct notary *notary)
{
	struct sign_key *secret = make_key();
	struct verify_key *key = verify_key_of(secret);

	(void)notary;
	assert(key);
	sign_key_free(&secret);
	return key;
}

void notary_forget(struct notary *notary)
{
	signer_free(&notary->signer);
	notary->signer = signer_new(make_key());
	assert(notary->signer);
	end_link(notary);
}

void notary_peace(struct notary *notary)
{
	notary->peace = true;
}

struct notary *notary_new(uint64_t seed)
{
	struct notary *notary = calloc(1, sizeof(*notary));

	assert(notary);
	notary->random = chance_mix(seed ^ 0x5ea1);
	notary_forget(notary);
	return notary;
}

void notary_free(struct notary **notary)
{
	signer_free(&(*notary)->signer);
	free(*notary);
	*notary = NULL;
}

/* Takes the records up to `last` and compares. */
static void check_seal(struct stretch *stretch, const struct seal *seal)
{
	const struct model *model = life_now->model;
	struct seal ours;

	life_check(stretch_next(stretch) == seal->first, "seal %" PRIu64 " leaves records out",
	           seal->number);
	while (stretch_next(stretch) <= seal->last) {
		const uint64_t next = stretch_next(stretch);
		const struct record *it = &model->records[next - 1];
		const enum ttg_error error =
		        stretch_take(stretch, next, it->kind, it->data, it->len);

		life_check(!error, "record %" PRIu64 " cannot be sealed", next);
		if (error)
			return;
	}
	life_check(stretch_describe(stretch, &ours) && ours.events == seal->events &&
	                   memcmp(ours.root, seal->root, EVIDENCE_HASH) == 0,
	           "seal %" PRIu64 " is not of the records it covers", seal->number);
	stretch_begin(stretch, seal->last + 1);
}

void notary_check(const struct notary *notary, bool all)
{
	const struct model *model = life_now->model;
	struct verify_key *key = notary_key(notary);
	struct hasher *hasher = hasher_new();
	struct stretch *stretch = NULL;
	struct seal before = { 0 }, seal;
	uint8_t hash[EVIDENCE_HASH] = { 0 };
	uint64_t events_behind = 0;
	struct sealed it = { 0 };
	const char *why = "";

	assert(hasher);
	for (size_t i = 0; i < model->n_records; i++) {
		const struct record *record = &model->records[i];

		if (record->kind != RECORD_SEAL)
			continue;
		life_check(record_get_seal(record->data, record->len, &it) &&
		                   seal_read(it.text, it.len, &seal) && seal.last <= i,
		           "record %zu is no seal", i + 1);
		if (!stretch) {
			stretch = stretch_new(seal.journal);
			assert(stretch);
			stretch_begin(stretch, seal.first);
		}
		life_check(seal_follows(before.number ? &before : NULL, hash, &seal, &why),
		           "seal %" PRIu64 " does not follow: %s", seal.number, why);
		check_seal(stretch, &seal);
		hasher_sum(hasher, it.text, it.len, hash);
		before = seal;
	}
	/* The one signature is over the hash of the seal before, and so over all of them. */
	life_check(before.number == 0 ||
	                   verify_key_accepts(key, it.text, it.len, it.signature),
	           "seal %" PRIu64 " is not signed", before.number);
	for (uint64_t i = before.last; all && i < model->n_records; i++)
		events_behind += model->records[i].kind == RECORD_EVENT;
	life_check(events_behind == 0, "%" PRIu64 " events are not sealed", events_behind);
	stretch_free(&stretch);
	hasher_free(&hasher);
	verify_key_free(&key);
}
