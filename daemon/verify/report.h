/* What ttg-verify found out about one receipt, for people and as JSON. */
#ifndef TTGD_VERIFY_REPORT_H
#define TTGD_VERIFY_REPORT_H

#include "evidence/receipt.h"

struct report {
	const char *path;              /* of the receipt */
	const char *event_path;        /* whose bytes were compared; NULL: none were */
	const char *publisher_path;    /* whose key the publisher signed with; NULL: not asked */
	const struct receipt *receipt; /* what it proves; NULL unless it is good */
	const char *word;              /* "good", or a stable name of what is wrong */
	const char *text;              /* a sentence that says so */
	size_t line;                   /* of the receipt, that is wrong; 0: no single one */
};

/* A receipt that was read, and what receipt_check() said. */
struct report report_finding(const struct receipt *receipt, enum receipt_finding finding);

/* To standard output: some lines, or one object on one line. */
void report_print(const struct report *report);
void report_print_json(const struct report *report);

#endif
