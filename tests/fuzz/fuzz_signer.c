/*
 * What goes between broker and signer, what the signer keeps, and records on their way into the check
 * of seals, all hostile. Input: steps of a byte that says what, a length (u16) and bytes.
 *
 * Broken when the signer gives an answer that the broker cannot read, when its last seal goes back or
 * is not signed, when two slots that differ hold the same seal, or when something is found wrong
 * without a word.
 */
#include "fuzz.h"

#include "core/record.h"
#include "evidence/check.h"
#include "evidence/hand_over.h"
#include "evidence/signer.h"
#include "evidence/slot.h"
#include "support/receipts.h"

#define STEPS_MAX 32

enum { STEP_PACKET, STEP_REPLY, STEP_SLOT, STEP_EVENT, STEP_SEAL, STEP_OTHER, STEPS };

struct stage {
	struct signer *signer;
	struct verify_key *key;
	struct check *check;
	bool wrong; /* the check has found something, and is fed no more */
	uint64_t sequence, last;
};

static void stage_init(struct stage *stage)
{
	struct sign_key *key = receipts_key('f');

	*stage = (struct stage){ .key = verify_key_of(key), .check = check_new(verify_key_of(key)),
				 .signer = signer_new(key) };
	MUST(stage->key && stage->check && stage->signer);
	check_begin(stage->check, (const uint8_t[EVIDENCE_ID]){ 1 });
}

static void try_packet(struct stage *stage, const char *packet, size_t len)
{
	char answer[SIGNER_PACKET_MAX];
	struct signer_reply reply;
	struct seal seal;

	signer_read_reply(answer, signer_answer(stage->signer, packet, len, answer), &reply);
	MUST(reply.word != SIGNER_GIBBERISH);
	const struct seal_signed *last = signer_last(stage->signer);
	MUST(last || stage->last == 0);
	if (!last)
		return;
	MUST(link_read(last->text, last->len, &seal) && seal.number >= stage->last);
	if (seal.number > stage->last)
		MUST(hand_over_is_signed(&seal, last) ||
		     verify_key_accepts(stage->key, last->text, last->len, last->signature));
	stage->last = seal.number;
}

static void try_reply(const char *bytes, size_t len)
{
	struct signer_reply reply;

	signer_read_reply(bytes, len, &reply);
	MUST(reply.seal.len <= SEAL_TEXT_MAX && memchr(reply.text, '\0', sizeof(reply.text)));
}

static void try_slot(const char *bytes, size_t len)
{
	char slot[SLOT_BYTES] = { 0 }, again[SLOT_BYTES];
	struct seal_signed seal = { .len = 0 };

	memcpy(slot, bytes, len < sizeof(slot) ? len : sizeof(slot));
	if (slot_read(slot, &seal) == 0)
		return;
	slot_write(&seal, again);
	MUST(memcmp(slot, again, sizeof(slot)) == 0);
}

static void try_record(struct stage *stage, uint8_t kind, const char *bytes, size_t len)
{
	uint8_t chain[EVIDENCE_HASH] = { 0 };

	if (stage->wrong)
		return;
	chain[0] = (uint8_t)++stage->sequence;
	stage->wrong = !check_record(stage->check, stage->sequence, kind, (const uint8_t *)bytes, len) ||
		       !check_batch_end(stage->check, stage->sequence, chain);
	MUST(stage->wrong == (check_message(stage->check)[0] != '\0'));
}

static void step(struct stage *stage, unsigned what, const char *bytes, size_t len)
{
	if (what == STEP_PACKET)
		try_packet(stage, bytes, len);
	else if (what == STEP_REPLY)
		try_reply(bytes, len);
	else if (what == STEP_SLOT)
		try_slot(bytes, len);
	else
		try_record(stage,
			   what == STEP_EVENT ? RECORD_EVENT :
			   what == STEP_SEAL  ? RECORD_SEAL :
						RECORD_ACK,
			   bytes, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	struct stage stage;

	stage_init(&stage);
	for (int i = 0; i < STEPS_MAX && input.left > 0; i++) {
		const unsigned what = fuzz_u8(&input) % STEPS;
		size_t n = 0;
		char *bytes = fuzz_sized(&input, &n);

		step(&stage, what, bytes, n);
		free(bytes);
	}
	check_free(&stage.check);
	verify_key_free(&stage.key);
	signer_free(&stage.signer);
	return 0;
}
