/*
 * Names of identifier kinds and validities, ours and those that feeds use. Pure; any thread; an
 * unknown name is IDENTIFIER_NONE.
 */
#include "base/identifier.h"

#include <stddef.h>
#include <strings.h>

struct kind_name {
	const char *name;
	enum identifier_kind kind;
};

/* The first entry of a kind is its own name; the others are spellings seen in the field. */
static const struct kind_name kind_names[] = {
	{ "NOMS", IDENTIFIER_NOMS },
	{ "nomsNumber", IDENTIFIER_NOMS },
	{ "nomsId", IDENTIFIER_NOMS },
	{ "noms_number", IDENTIFIER_NOMS },
	{ "prisonNumber", IDENTIFIER_NOMS },
	{ "prison_number", IDENTIFIER_NOMS },
	{ "prisonerNumber", IDENTIFIER_NOMS },
	{ "prisonerId", IDENTIFIER_NOMS },
	{ "offenderNo", IDENTIFIER_NOMS },
	{ "PNC", IDENTIFIER_PNC },
	{ "pncId", IDENTIFIER_PNC },
	{ "pncNumber", IDENTIFIER_PNC },
	{ "pnc_id", IDENTIFIER_PNC },
	{ "CRO", IDENTIFIER_CRO },
	{ "croNumber", IDENTIFIER_CRO },
	{ "cro_number", IDENTIFIER_CRO },
	{ "CRN", IDENTIFIER_CRN },
	{ "crnNumber", IDENTIFIER_CRN },
	{ "ASN", IDENTIFIER_ASN },
	{ "arrestSummonsNumber", IDENTIFIER_ASN },
	{ "arrest_summons_number", IDENTIFIER_ASN },
	{ "CASE_NUMBER", IDENTIFIER_CASE_NUMBER },
	{ "caseNumber", IDENTIFIER_CASE_NUMBER },
	{ "BOOKING", IDENTIFIER_BOOKING },
	{ "bookingNumber", IDENTIFIER_BOOKING },
	{ "bookingNo", IDENTIFIER_BOOKING },
	{ "bookNumber", IDENTIFIER_BOOKING },
	{ "OTHER", IDENTIFIER_OTHER },
};

#define KIND_NAMES (sizeof(kind_names) / sizeof(kind_names[0]))

const char *identifier_kind_name(enum identifier_kind kind)
{
	for (size_t i = 0; i < KIND_NAMES; i++) {
		if (kind_names[i].kind == kind)
			return kind_names[i].name;
	}
	return "none";
}

enum identifier_kind identifier_kind_parse(const char *name)
{
	for (size_t i = 0; name && i < KIND_NAMES; i++) {
		if (strcasecmp(kind_names[i].name, name) == 0)
			return kind_names[i].kind;
	}
	return IDENTIFIER_NONE;
}

const char *identifier_validity_name(enum identifier_validity validity)
{
	switch (validity) {
	case IDENTIFIER_VALID:
		return "valid";
	case IDENTIFIER_INVALID_FORM:
		return "wrong form";
	case IDENTIFIER_INVALID_CHECK:
		return "wrong check letter";
	case IDENTIFIER_DUMMY:
		return "dummy";
	case IDENTIFIER_UNCHECKED:
	default:
		return "unchecked";
	}
}
