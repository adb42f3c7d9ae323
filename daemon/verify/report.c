/*
 * See report.h. What a receipt says is printed only when it is proven. JSON is written by hand: the
 * numbers use all their 64 bits, and whoever checks a receipt needs one library less.
 */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ttg/event.h>

#include "base/instant.h"
#include "base/utf8.h"

/* Lines of a receipt, from 1. */
enum { LINE_JOURNAL = 4, LINE_SEQUENCE = 5, LINE_SHA256 = 9, LINE_PATH = 10 };
enum { LINES_BESIDE_STEPS = 23, LINES_OF_CLAIM = 12 };

static const char *word_of(enum receipt_finding finding)
{
	switch (finding) {
	case RECEIPT_GOOD:
		return "good";
	case RECEIPT_OTHER_EVENT:
		return "other_event";
	case RECEIPT_WRONG_PATH:
		return "wrong_path";
	case RECEIPT_WRONG_PLACE:
		return "wrong_place";
	case RECEIPT_WRONG_KEY:
		return "wrong_key";
	case RECEIPT_WRONG_CLAIM:
		return "wrong_claim";
	case RECEIPT_NOT_SIGNED:
		return "not_signed";
	case RECEIPT_WRONG_SIGNER:
		return "wrong_signer";
	case RECEIPT_NOT_CHECKED:
		break;
	}
	return "not_checked";
}

static size_t line_of(const struct receipt *receipt, enum receipt_finding finding)
{
	const bool same = memcmp(receipt->leaf.journal, receipt->seal.journal, EVIDENCE_ID) == 0;

	switch (finding) {
	case RECEIPT_OTHER_EVENT:
		return LINE_SHA256;
	case RECEIPT_WRONG_PATH:
		return LINE_PATH;
	case RECEIPT_WRONG_PLACE:
		return same ? LINE_SEQUENCE : LINE_JOURNAL;
	case RECEIPT_WRONG_KEY:
		return LINES_BESIDE_STEPS + receipt->n_steps;
	case RECEIPT_WRONG_CLAIM: /* where the publisher's part begins */
		return LINES_BESIDE_STEPS + receipt->n_steps + 1;
	case RECEIPT_WRONG_SIGNER:
		return LINES_BESIDE_STEPS + receipt->n_steps + LINES_OF_CLAIM + receipt->publisher.n_steps;
	case RECEIPT_NOT_SIGNED:
	case RECEIPT_GOOD:
	case RECEIPT_NOT_CHECKED:
		break;
	}
	return 0;
}

struct report report_finding(const struct receipt *receipt, enum receipt_finding finding)
{
	return (struct report){ .receipt = finding == RECEIPT_GOOD ? receipt : NULL,
				.word = word_of(finding),
				.text = receipt_finding_text(finding),
				.line = line_of(receipt, finding) };
}

struct words {
	char id[TTG_UUID_TEXT], journal[2 * EVIDENCE_ID + 1];
	char accepted[INSTANT_TEXT], sealed[INSTANT_TEXT];
	char key[2 * SIGNATURE_FINGERPRINT + 1];
};

static void digits(const uint8_t *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static struct words words_of(const struct receipt *receipt)
{
	struct words words = { .id = "" };

	ttg_uuid_format(receipt->leaf.id, words.id);
	digits(receipt->leaf.journal, EVIDENCE_ID, words.journal);
	digits(receipt->publisher.key, SIGNATURE_FINGERPRINT, words.key);
	instant_format(receipt->leaf.accepted_ns, words.accepted);
	instant_format(receipt->seal.sealed_ns, words.sealed);
	return words;
}

void report_print(const struct report *report)
{
	if (!report->receipt) {
		printf("%s: NOT GOOD: %s", report->path, report->text);
		printf(report->line > 0 ? ", line %zu\n" : "\n", report->line);
		return;
	}
	const struct leaf *leaf = &report->receipt->leaf;
	const struct seal *seal = &report->receipt->seal;
	const struct words words = words_of(report->receipt);

	printf("%s: good\n", report->path);
	printf("  event     %s\n", words.id);
	printf("  source    %s\n", leaf->source);
	printf("  sequence  %" PRIu64 " of journal %s\n", leaf->sequence, words.journal);
	printf("  accepted  %s\n", words.accepted);
	printf("  seal      %" PRIu64 ", sealed %s\n", seal->number, words.sealed);
	if (report->receipt->is_claimed && report->publisher_path)
		printf("  signed    by %s, with the key of %s, %.16s\n", leaf->source,
		       report->publisher_path, words.key);
	else if (report->receipt->is_claimed)
		printf("  signed    NOT CHECKED: without --publisher-key; the receipt names key %.16s\n",
		       words.key);
	if (report->event_path)
		printf("  bytes     compared: they are those of %s\n", report->event_path);
	else
		printf("  bytes     NOT COMPARED: without --event nothing is said of what it holds\n");
}

/* As a JSON string. Of what is not UTF-8, each byte beyond ASCII as a character of that number. */
static void print_string(const char *text)
{
	const bool clean = utf8_is_clean(text, strlen(text));

	putchar('"');
	for (; *text; text++) {
		const unsigned char byte = (unsigned char)*text;

		if (byte < ' ' || byte == 0x7f || (byte > 0x7f && !clean))
			printf("\\u%04x", byte);
		else if (byte == '"' || byte == '\\')
			printf("\\%c", byte);
		else
			putchar(byte);
	}
	putchar('"');
}

static void print_field(const char *name, const char *text)
{
	printf(",\"%s\":", name);
	print_string(text);
}

static void print_claims(const struct receipt *receipt)
{
	const struct words words = words_of(receipt);

	print_field("id", words.id);
	print_field("source", receipt->leaf.source);
	printf(",\"sequence\":%" PRIu64, receipt->leaf.sequence);
	print_field("journal", words.journal);
	print_field("accepted", words.accepted);
	printf(",\"seal\":%" PRIu64, receipt->seal.number);
	print_field("sealed", words.sealed);
}

static void print_publisher(const struct report *report)
{
	const struct words words = words_of(report->receipt);

	printf(",\"signature_checked\":%s", report->publisher_path ? "true" : "false");
	print_field("signed_by", words.key);
}

void report_print_json(const struct report *report)
{
	printf("{\"file\":");
	print_string(report->path);
	printf(",\"good\":%s", report->receipt ? "true" : "false");
	print_field("finding", report->word);
	if (report->receipt) {
		printf(",\"event_compared\":%s", report->event_path ? "true" : "false");
		print_claims(report->receipt);
		if (report->receipt->is_claimed)
			print_publisher(report);
	} else {
		print_field("text", report->text);
		if (report->line > 0)
			printf(",\"line\":%zu", report->line);
	}
	printf("}\n");
}
