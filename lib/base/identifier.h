/*
 * The numbers agencies know people by: shape, check letter, canonical form.
 *
 * Rules and their source:
 *   NOMS  one letter, four digits, two letters; no check character (HMPPS prison number)
 *   CRN   one or two letters, six digits (nDelius case reference)
 *   PNC   year (2 or 4 digits), optional slash, serial of 1-7 digits, check letter
 *         "ZABCDEFGHJKLMNPQRTUVWXY"[(YY followed by the serial padded to 7) mod 23];
 *         canonical YYYY/NNNNNNNL; two-digit years above the current one are 19xx
 *   CRO   serial/YYL with serial padded to 6, or SFYY/serialL unpadded; same alphabet over YY
 *         followed by the serial as padded
 *   ASN   year, force and unit, system, 11-digit sequence, check letter; see identifier.c
 * Pure functions; `year_now` (for example 2026) decides two-digit years.
 */
#ifndef TTG_BASE_IDENTIFIER_H
#define TTG_BASE_IDENTIFIER_H

#include <stdbool.h>
#include <stddef.h>

/* Same numbers as ttg.IdentifierKind in proto/common.proto (checked by static assertions). */
enum identifier_kind {
	IDENTIFIER_NONE = 0,
	IDENTIFIER_NOMS = 1,
	IDENTIFIER_PNC = 2,
	IDENTIFIER_CRO = 3,
	IDENTIFIER_CRN = 4,
	IDENTIFIER_ASN = 5,
	IDENTIFIER_CASE_NUMBER = 6,
	IDENTIFIER_BOOKING = 7,
	IDENTIFIER_OTHER = 15,
};

/* Same numbers as ttg.Validity. */
enum identifier_validity {
	IDENTIFIER_UNCHECKED = 0,
	IDENTIFIER_VALID = 1,
	IDENTIFIER_INVALID_FORM = 2,
	IDENTIFIER_INVALID_CHECK = 3,
	IDENTIFIER_DUMMY = 4,
};

#define IDENTIFIER_CANONICAL 72 /* longest canonical form and a NUL */

/*
 * Checks `value` as an identifier of `kind` and writes its canonical form, or "" unless the result
 * is IDENTIFIER_VALID. Blanks around it and lower case are accepted. CASE_NUMBER, BOOKING and OTHER
 * are valid when 1-64 printable characters without blanks inside; canonical is upper case.
 */
enum identifier_validity identifier_check(enum identifier_kind kind, const char *value,
					  int year_now, char canonical[IDENTIFIER_CANONICAL]);

/*
 * Finds the kind from the shape alone: the first of NOMS, PNC, CRO, ASN, CRN that is valid; else
 * the first whose form (not check letter) fits; else IDENTIFIER_NONE. For `ttgctl identify`.
 */
enum identifier_kind identifier_guess(const char *value, int year_now);

/* "NOMS", "PNC", ...; "none" for others. Never NULL. */
const char *identifier_kind_name(enum identifier_kind kind);
/* Accepts those names and the drift of real feeds ("nomsNumber", "prisonerNumber", ...). */
enum identifier_kind identifier_kind_parse(const char *name);
/* "valid", "wrong form", "wrong check letter", "dummy", "unchecked". Never NULL. */
const char *identifier_validity_name(enum identifier_validity validity);
/* True when values of this kind may be matched to find a person (not ASN, not OTHER). */
bool identifier_is_match_key(enum identifier_kind kind);

#endif
