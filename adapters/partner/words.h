/* The catalogue's words for people. Pure. */
#ifndef PARTNER_WORDS_H
#define PARTNER_WORDS_H

#include <protobuf-c/protobuf-c.h>
#include "partner/caseload.h"

#define WORDS_BYTES 80

/* "finance benefit debt" for NEED_FINANCE_BENEFIT_DEBT; "not said" for 0 and what is not known. */
void words_of(const ProtobufCEnumDescriptor *list, int value, char out[WORDS_BYTES]);

/* His case number with whoever sent him; "no case number". Control characters become '?'. */
void words_case_number(const struct referral *referral, char out[WORDS_BYTES]);

/* A text from outside on one line of plain text: control characters become '?'; cut to fit. */
void words_line(const char *text, char out[WORDS_BYTES]);

#endif
