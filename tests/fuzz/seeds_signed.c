/*
 * First inputs of what publishers signed: frames with a signature that is good and with one that is not, the
 * records of such a life, and receipts.
 */
#include "seeds.h"

#include <string.h>
#include "base/claim.h"
#include "base/signature.h"
#include "core/signed.h"
#include "fuzz.h"
#include "support/core_play.h"
#include "support/receipts.h"

#define EVENTS 3u

/* Three releases; the last has no nonce. */
struct batch {
	uint8_t bytes[EVENTS][PLAY_EVENT_MAX];
	ProtobufCBinaryData events[EVENTS];
	uint8_t digests[EVENTS * HASH_BYTES];
	uint8_t signature[SIGNATURE_BYTES], fingerprint[SIGNATURE_FINGERPRINT];
};

static void make(struct batch *it, struct play *play)
{
	struct hasher *hasher = hasher_new();
	struct tree *tree = tree_new();
	struct sign_key *key = receipts_key('p');
	uint8_t nonce[CLAIM_NONCE] = { 0x4e }, public[SIGNATURE_PUBLIC];
	char text[CLAIM_TEXT_MAX];
	struct play_event event;
	struct claim claim;

	MUST(hasher && tree);
	for (unsigned i = 0; i < EVENTS; i++) {
		play_event(play, &event, TYPE_RELEASED, i);
		event.event.nonce = (ProtobufCBinaryData){ i + 1 < EVENTS ? sizeof(nonce) : 0, nonce };
		it->events[i] = (ProtobufCBinaryData){ ttg__event__pack(&event.event, it->bytes[i]),
						       it->bytes[i] };
		MUST(hasher_sum(hasher, it->bytes[i], it->events[i].len, it->digests + i * HASH_BYTES));
	}
	MUST(claim_grow(tree, hasher, it->digests, EVENTS) && claim_make(tree, "prison", &claim));
	MUST(sign_key_sign(key, text, claim_write(&claim, text), it->signature));
	sign_key_raw(key, public);
	MUST(signature_fingerprint(public, it->fingerprint));
	sign_key_free(&key);
	tree_free(&tree);
	hasher_free(&hasher);
}

static void put_signed(struct seed *seed, unsigned step, uint64_t number, bool good)
{
	struct play play = { .now = { PLAY_NOW, 0 }, .next_id = number * 100 };
	Ttg__Publish publish = TTG__PUBLISH__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;
	struct batch batch;

	make(&batch, &play);
	batch.signature[0] ^= !good;
	publish.frame = number;
	publish.events = batch.events;
	publish.n_events = EVENTS;
	publish.signature = (ProtobufCBinaryData){ SIGNATURE_BYTES, batch.signature };
	publish.signed_by = (ProtobufCBinaryData){ SIGNATURE_FINGERPRINT, batch.fingerprint };
	frame.body_case = TTG__FRAME__BODY_PUBLISH;
	frame.publish = &publish;
	put_frame(seed, step, &frame);
}

static void frame_seed(const char *folder)
{
	struct seed seed = { .len = 0 };
	const unsigned prison = 0 | 3 << 3 | 3 << 5;

	put_hello(&seed, prison);
	put_signed(&seed, prison, 1, true);
	put_u8(&seed, 2); /* a cycle */
	put_signed(&seed, prison, 2, false);
	put_u8(&seed, 2);
	write_seed(folder, "frame", "signed", &seed);
}

static void core_seed(const char *folder)
{
	struct play *play = play_new(4, 8);
	struct seed seed = { .len = 0 };
	struct core_outcome outcome;
	struct batch batch;

	make(&batch, play);
	struct signed_frame frame = { .agency = "prison", .key = batch.fingerprint,
				      .signature = batch.signature, .n = EVENTS,
				      .digests = batch.digests };
	for (uint32_t i = 0; i < EVENTS; i++)
		core_publish_signed(play->core, &play->now, &frame, i, batch.bytes[i],
				    batch.events[i].len, &outcome);
	MUST(frame.sequence > 0);
	for (size_t i = 0; i < play->n_records; i++) {
		put_u8(&seed, play->records[i].kind);
		put_u16(&seed, play->records[i].len);
		put(&seed, play->records[i].data, play->records[i].len);
	}
	write_seed(folder, "core_apply", "signed", &seed);
	play_free(&play);
}

static void receipt_seed(const char *folder)
{
	struct sign_key *key = receipts_key('a'), *publisher = receipts_key('p');
	struct seed seed = { .len = 0 };
	struct receipt receipt;
	char text[RECEIPT_TEXT_MAX];

	receipts_make(key, 11, 6, &receipt);
	receipts_claim(publisher, 5, 3, 6, &receipt);
	put(&seed, text, receipt_write(&receipt, text));
	write_seed(folder, "receipt", "claimed", &seed);
	sign_key_free(&key);
	sign_key_free(&publisher);
}

void signed_seeds(const char *folder)
{
	frame_seed(folder);
	core_seed(folder);
	receipt_seed(folder);
}
