/*
 * Texts of evidence: receipts, leaves, seals, hand-overs. Broken when two texts say the same, when a receipt
 * that is no proof is found good, or when the line that is wrong is not there.
 */
#include "fuzz.h"

#include "evidence/hand_over.h"
#include "support/receipts.h"

static size_t lines_of(const char *text, size_t len)
{
	size_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

/* A key that signed nothing. Made once: it is the same for all inputs. */
static struct verify_key *some_key(void)
{
	static struct verify_key *key;

	if (!key) {
		struct sign_key *secret = receipts_key('f');
		key = verify_key_of(secret);
		sign_key_free(&secret);
		MUST(key);
	}
	return key;
}

static void try_receipt(const char *text, size_t len)
{
	struct receipt receipt;
	char again[RECEIPT_TEXT_MAX];
	size_t line = 0;

	if (!receipt_read(text, len, &receipt, &line)) {
		MUST(line >= 1 && line <= lines_of(text, len) + 1);
		return;
	}
	MUST(receipt_write(&receipt, again) == len && memcmp(again, text, len) == 0);
	const enum receipt_finding finding = receipt_check(&receipt, some_key(), NULL, 0);
	MUST(finding != RECEIPT_GOOD && finding != RECEIPT_NOT_CHECKED);
	MUST(receipt_check(&receipt, some_key(), text, len) != RECEIPT_GOOD);
	const enum receipt_finding signer = receipt_check_publisher(&receipt, some_key());
	MUST(signer == (receipt.is_claimed ? RECEIPT_WRONG_SIGNER : RECEIPT_NOT_SIGNED));
}

static void try_leaf(const char *text, size_t len)
{
	struct leaf leaf;
	char again[LEAF_TEXT_MAX];

	if (leaf_read(text, len, &leaf))
		MUST(leaf_write(&leaf, again) == len && memcmp(again, text, len) == 0);
}

static void try_seal(const char *text, size_t len)
{
	struct seal seal;
	char again[SEAL_TEXT_MAX];

	if (seal_read(text, len, &seal))
		MUST(seal_write(&seal, again) == len && memcmp(again, text, len) == 0);
}

static void try_hand_over(const char *text, size_t len)
{
	struct seal it;
	char again[SEAL_TEXT_MAX];

	if (hand_over_read(text, len, &it))
		MUST(hand_over_write(&it, again) == len && memcmp(again, text, len) == 0);
	if (hand_over_from_file(text, len, &it))
		MUST(hand_over_write(&it, again) == len - SIGNATURE_BASE64 &&
		     memcmp(again, text + SIGNATURE_BASE64, len - SIGNATURE_BASE64) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	char *text = fuzz_rest(&input, &len);

	try_receipt(text, len);
	try_leaf(text, len);
	try_seal(text, len);
	try_hand_over(text, len);
	free(text);
	return 0;
}
