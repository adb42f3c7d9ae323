/* See notary.h. Its chance is its own, so that it changes nothing in what else a seed decides. */
#include "sim/notary.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"
#include "core/sealed.h"
#include "evidence/hand_over.h"
#include "evidence/stretch.h"
#include "sim/chance.h"
#include "sim/life.h"
#include "sim/memory.h"
#include "sim/model.h"

#define KEYS_MAX 4u
#define CHANGE 12u /* one time in so many that it is looked for */

struct notary {
	struct signer *signer;
	uint64_t random;
	bool peace;
	bool connected;
	unsigned n_keys; /* there have been */
	char packet[SIGNER_PACKET_MAX];
	size_t len; /* of the answer that waits; 0: none */
};

static struct sign_key *make_key(unsigned number)
{
	struct sign_key *key = sign_key_from_seed((const uint8_t[SIGNATURE_SEED]){ 9, (uint8_t)number });

	assert(key);
	return key;
}

static void key_bytes(unsigned number, uint8_t out[EVIDENCE_KEY])
{
	struct sign_key *key = make_key(number);

	sign_key_raw(key, out);
	sign_key_free(&key);
}

static void become(struct notary *notary, unsigned number)
{
	signer_free(&notary->signer);
	notary->signer = signer_new(make_key(number));
	assert(notary->signer);
}

/* One time in n, before there is peace. */
static bool happens(struct notary *notary, uint64_t n)
{
	return !notary->peace && chance_below(&notary->random, n) == 0;
}

/* It was stopped, and handed over to a new key. */
static void change_key(struct notary *notary)
{
	const struct seal_signed *last = signer_last(notary->signer);
	uint8_t to[EVIDENCE_KEY];
	struct seal_signed kept, before;
	struct seal seal;

	if (!last || notary->n_keys == KEYS_MAX || !seal_read(last->text, last->len, &seal))
		return;
	before = *last;
	key_bytes(notary->n_keys, to);
	const bool done = signer_hand_over(notary->signer, to, seal.sealed_ns);
	assert(done);
	kept = *signer_last(notary->signer);
	become(notary, notary->n_keys++);
	const bool resumed = signer_resume(notary->signer, &kept) &&
			     signer_resume_before(notary->signer, &before);
	assert(resumed);
}

static bool open_link(void *self)
{
	struct notary *notary = self;

	const int worker = memory_work(MEMORY_NOBODY);

	if (happens(notary, CHANGE))
		change_key(notary);
	memory_work(worker);
	notary->connected = !happens(notary, 3);
	notary->len = 0;
	return notary->connected;
}

/* Without a memory it is started with the key that what the journal holds last is by, or for. */
static size_t answer(struct notary *notary, const char *packet, size_t len)
{
	size_t answered = signer_answer(notary->signer, packet, len, notary->packet);

	for (unsigned i = 0; i < notary->n_keys && !signer_last(notary->signer) &&
			     strncmp(packet, "take\n", 5) == 0; i++) {
		become(notary, i);
		answered = signer_answer(notary->signer, packet, len, notary->packet);
		if (signer_has_ended(notary->signer))
			become(notary, 0);
	}
	return answered;
}

static bool take_packet(void *self, const char *packet, size_t len)
{
	struct notary *notary = self;
	const int worker = memory_work(MEMORY_NOBODY);

	if (happens(notary, 40))
		notary->connected = false;
	if (notary->connected)
		notary->len = answer(notary, packet, len);
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
	struct verify_key *key = NULL;

	for (unsigned i = 0; i < notary->n_keys; i++) {
		uint8_t bytes[EVIDENCE_KEY];

		key_bytes(i, bytes);
		if (!key)
			key = verify_key_of_bytes(bytes);
		assert(key);
		const bool added = verify_key_add(key, bytes);
		assert(added);
	}
	return key;
}

void notary_forget(struct notary *notary)
{
	become(notary, notary->n_keys - 1);
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
	notary->n_keys = 1;
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

/* By the key whose turn it is, in the beginning by any. Behind a hand-over that is another, *key. */
static void check_signature(struct verify_key **key, const struct sealed *it, const struct seal *seal)
{
	uint8_t which[EVIDENCE_KEY];

	life_check(verify_key_which(*key, it->text, it->len, it->signature, which) &&
	                   (!seal->hands_over || memcmp(which, seal->from, EVIDENCE_KEY) == 0),
	           "seal %" PRIu64 " is not signed", seal->number);
	if (!seal->hands_over)
		return;
	verify_key_free(key);
	*key = verify_key_of_bytes(seal->to);
	assert(*key);
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

		if (record->kind != RECORD_SEAL && record->kind != RECORD_HAND_OVER)
			continue;
		life_check(record_get_seal(record->data, record->len, &it) &&
		                   link_read(it.text, it.len, &seal) && seal.last <= i &&
		                   seal.hands_over == (record->kind == RECORD_HAND_OVER),
		           "record %zu is no seal", i + 1);
		if (!stretch) {
			stretch = stretch_new(seal.journal);
			assert(stretch);
			stretch_begin(stretch, seal.first);
		}
		life_check(seal_follows(before.number ? &before : NULL, hash, &seal, &why),
		           "seal %" PRIu64 " does not follow: %s", seal.number, why);
		if (!seal.hands_over)
			check_seal(stretch, &seal);
		/* A signature is over the hash of the seal before, and so over all before it. */
		if (seal.hands_over || before.hands_over)
			check_signature(&key, &it, &seal);
		hasher_sum(hasher, it.text, it.len, hash);
		before = seal;
	}
	if (before.number > 0 && !before.hands_over)
		check_signature(&key, &it, &before);
	for (uint64_t i = before.last; all && i < model->n_records; i++)
		events_behind += model->records[i].kind == RECORD_EVENT;
	life_check(events_behind == 0, "%" PRIu64 " events are not sealed", events_behind);
	stretch_free(&stretch);
	hasher_free(&hasher);
	verify_key_free(&key);
}
