/*
 * Shapes, check letters and canonical forms of the numbers that agencies know people by.
 *
 * Pure; any thread. A value is judged, never repaired beyond blanks around it and lower case: what
 * is not valid has no canonical form, and whoever calls keeps the string as received. Nothing
 * fails; every text has an answer.
 *
 * Readings that the sources leave open, decided here:
 *   PNC without a slash: the digits are read with a two-digit year and, when they begin with a
 *       four-digit year from 1900 to the current one, with that as well; the serial has 1 to 7
 *       digits in either. The reading whose check letter is right counts. When both are right the
 *       value could be two people's and is IDENTIFIER_INVALID_FORM. A year of three digits is none.
 *   CRO in the SF form: zeros in front of the serial are dropped before checking.
 *   ASN: two digits of year; force, unit and system of two characters each, with one more in front
 *       of the force when there are seven; 11 digits; check letter. The letter is that of the
 * number made of force, system, year and sequence, where a force or system with a letter in it, and
 *       the extra character, are left out. Accepted packed or as displayed, YY/FFUU/SS/nL, where n
 *       has no zeros in front; the displayed form is the canonical one.
 *   Dummies: a serial or sequence of nothing but zeros, and the units that court and police systems
 *       put into an ASN when there is none (is_dummy_asn() lists them). A dummy is reported as one
 *       whatever its letter, since it must not be matched either way.
 */
#include "base/identifier.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX     64
#define CHECK_LETTERS 23
#define SERIAL_DIGITS 7 /* PNC */
#define PNC_YEAR_MIN  1900
#define CRO_DIGITS    6
#define ASN_SEQUENCE  11
#define ASN_SHORT     20 /* YY FFUU SS, 11 digits, letter */
#define ASN_LONG      21

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* How many digits text begins with. */
static size_t digits_at(const char *text)
{
	size_t n = 0;

	while (is_digit(text[n]))
		n++;
	return n;
}

/* The number of the first n characters, which are at most 11 digits. */
static uint64_t number_of(const char *text, size_t n)
{
	uint64_t value = 0;

	assert(n <= ASN_SEQUENCE);
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	return value;
}

/* The letter of a number written in decimal. */
static char check_letter(const char *digits)
{
	static const char alphabet[CHECK_LETTERS + 1] = "ZABCDEFGHJKLMNPQRTUVWXY";
	unsigned int rest = 0;

	for (; *digits; digits++)
		rest = (rest * 10 + (unsigned int)(*digits - '0')) % CHECK_LETTERS;
	return alphabet[rest];
}

/* Upper case without the blanks around; false when empty, too long or not printable ASCII. */
static bool normalise(const char *value, char out[VALUE_MAX + 1])
{
	static const char blanks[] = " \t\r\n";

	if (!value)
		return false;
	value += strspn(value, blanks);
	size_t len = strnlen(value, VALUE_MAX * 2);
	while (len > 0 && strchr(blanks, value[len - 1]))
		len--;
	if (len == 0 || len > VALUE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = value[i];

		if (c <= ' ' || c > '~')
			return false;
		out[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	out[len] = '\0';
	return true;
}

static enum identifier_validity accept(const char *text, char canonical[IDENTIFIER_CANONICAL])
{
	snprintf(canonical, IDENTIFIER_CANONICAL, "%s", text);
	return IDENTIFIER_VALID;
}

static enum identifier_validity check_noms(const char *text, char canonical[IDENTIFIER_CANONICAL])
{
	if (strlen(text) != 7 || !is_upper(text[0]) || digits_at(text + 1) != 4 ||
	    !is_upper(text[5]) || !is_upper(text[6]))
		return IDENTIFIER_INVALID_FORM;
	return accept(text, canonical);
}

static enum identifier_validity check_crn(const char *text, char canonical[IDENTIFIER_CANONICAL])
{
	size_t letters = is_upper(text[0]) && is_upper(text[1]) ? 2 : 1;

	if (!is_upper(text[0]) || digits_at(text + letters) != 6 || text[letters + 6])
		return IDENTIFIER_INVALID_FORM;
	return accept(text, canonical);
}

/* One reading of a PNC id: the year's digits, the serial's digits, the letter. */
static enum identifier_validity read_pnc(const char *year_text, size_t year_digits,
                                         const char *serial_text, size_t serial_digits, char letter,
                                         int year_now, char canonical[IDENTIFIER_CANONICAL])
{
	char number[32];

	if ((year_digits != 2 && year_digits != 4) || serial_digits < 1 ||
	    serial_digits > SERIAL_DIGITS)
		return IDENTIFIER_INVALID_FORM;
	int year = (int)number_of(year_text, year_digits);
	if (year_digits == 2)
		year += year > year_now % 100 ? year_now / 100 * 100 - 100 : year_now / 100 * 100;
	else if (year < PNC_YEAR_MIN || year > year_now)
		return IDENTIFIER_INVALID_FORM;
	uint64_t serial = number_of(serial_text, serial_digits);
	if (serial == 0)
		return IDENTIFIER_DUMMY;
	snprintf(number, sizeof(number), "%02d%07llu", year % 100, (unsigned long long)serial);
	if (check_letter(number) != letter)
		return IDENTIFIER_INVALID_CHECK;
	snprintf(canonical, IDENTIFIER_CANONICAL, "%04d/%07llu%c", year, (unsigned long long)serial,
	         letter);
	return IDENTIFIER_VALID;
}

static enum identifier_validity check_pnc_without_slash(const char *text, size_t digits, int now,
                                                        char canonical[IDENTIFIER_CANONICAL])
{
	char with_century[IDENTIFIER_CANONICAL];
	enum identifier_validity two;
	enum identifier_validity four;

	if (digits < 3)
		return IDENTIFIER_INVALID_FORM;
	two = read_pnc(text, 2, text + 2, digits - 2, text[digits], now, canonical);
	if (digits < 5)
		return two;
	four = read_pnc(text, 4, text + 4, digits - 4, text[digits], now, with_century);
	if (four == IDENTIFIER_INVALID_FORM || (two == IDENTIFIER_VALID && four != two))
		return two;
	if (two == IDENTIFIER_VALID)
		return IDENTIFIER_INVALID_FORM; /* two people's */
	return four == IDENTIFIER_VALID ? accept(with_century, canonical) : four;
}

static enum identifier_validity check_pnc(const char *text, int year_now,
                                          char canonical[IDENTIFIER_CANONICAL])
{
	size_t digits = digits_at(text);
	const char *serial = text + digits + 1;

	if (text[digits] == '/') {
		size_t serial_digits = digits_at(serial);

		if (!is_upper(serial[serial_digits]) || serial[serial_digits + 1])
			return IDENTIFIER_INVALID_FORM;
		return read_pnc(text, digits, serial, serial_digits, serial[serial_digits],
		                year_now, canonical);
	}
	if (!is_upper(text[digits]) || text[digits + 1])
		return IDENTIFIER_INVALID_FORM;
	return check_pnc_without_slash(text, digits, year_now, canonical);
}

/* serial/YYL */
static enum identifier_validity check_cro_standard(const char *text,
                                                   char canonical[IDENTIFIER_CANONICAL])
{
	char number[32];
	size_t digits = digits_at(text);

	if (digits < 1 || digits > CRO_DIGITS || text[digits] != '/')
		return IDENTIFIER_INVALID_FORM;
	const char *year = text + digits + 1;
	if (digits_at(year) != 2 || !is_upper(year[2]) || year[3])
		return IDENTIFIER_INVALID_FORM;
	unsigned int serial = (unsigned int)number_of(text, digits);
	if (serial == 0)
		return IDENTIFIER_DUMMY;
	snprintf(number, sizeof(number), "%.2s%06u", year, serial);
	if (check_letter(number) != year[2])
		return IDENTIFIER_INVALID_CHECK;
	snprintf(canonical, IDENTIFIER_CANONICAL, "%06u/%.3s", serial, year);
	return IDENTIFIER_VALID;
}

/* SFYY/serialL */
static enum identifier_validity check_cro_small(const char *text,
                                                char canonical[IDENTIFIER_CANONICAL])
{
	char number[32];
	const char *year = text + 2;

	if (digits_at(year) != 2 || year[2] != '/')
		return IDENTIFIER_INVALID_FORM;
	const char *serial_text = year + 3;
	size_t digits = digits_at(serial_text);
	if (digits < 1 || digits > CRO_DIGITS || !is_upper(serial_text[digits]) ||
	    serial_text[digits + 1])
		return IDENTIFIER_INVALID_FORM;
	unsigned int serial = (unsigned int)number_of(serial_text, digits);
	if (serial == 0)
		return IDENTIFIER_DUMMY;
	snprintf(number, sizeof(number), "%.2s%u", year, serial);
	if (check_letter(number) != serial_text[digits])
		return IDENTIFIER_INVALID_CHECK;
	snprintf(canonical, IDENTIFIER_CANONICAL, "SF%.2s/%u%c", year, serial, serial_text[digits]);
	return IDENTIFIER_VALID;
}

static enum identifier_validity check_cro(const char *text, char canonical[IDENTIFIER_CANONICAL])
{
	if (text[0] == 'S' && text[1] == 'F')
		return check_cro_small(text, canonical);
	return check_cro_standard(text, canonical);
}

/*
 * Turns the displayed form into the packed one: no slashes, sequence padded to 11 digits. False
 * when the slashes are not where they belong.
 */
static bool pack_asn(const char *text, char out[ASN_LONG + 1])
{
	if (!strchr(text, '/'))
		return snprintf(out, ASN_LONG + 1, "%s", text) <= ASN_LONG;
	if (strcspn(text, "/") != 2)
		return false;
	const char *unit = text + 3;
	size_t unit_len = strcspn(unit, "/");
	if ((unit_len != 4 && unit_len != 5) || unit[unit_len] != '/')
		return false;
	const char *system = unit + unit_len + 1;
	if (strcspn(system, "/") != 2 || system[2] != '/')
		return false;
	const char *sequence = system + 3;
	size_t digits = digits_at(sequence);
	if (digits < 1 || digits > ASN_SEQUENCE || !is_upper(sequence[digits]) ||
	    sequence[digits + 1])
		return false;
	snprintf(out, ASN_LONG + 1, "%.2s%.*s%.2s%011llu%c", text, (int)unit_len, unit, system,
	         (unsigned long long)number_of(sequence, digits), sequence[digits]);
	return true;
}

static bool asn_has_form(const char *packed, size_t len)
{
	static const char letters[] = "ABCDEFGHJKLMNPQRTUVWXYZ"; /* no I, O or S */
	size_t codes = len - ASN_SEQUENCE - 1;

	if (len != ASN_SHORT && len != ASN_LONG)
		return false;
	for (size_t i = 0; i < codes; i++) {
		if (!is_digit(packed[i]) && (i < 2 || !is_upper(packed[i])))
			return false;
	}
	return digits_at(packed + codes) == ASN_SEQUENCE && strchr(letters, packed[len - 1]);
}

/* '.' stands for any character. */
static bool matches(const char *text, const char *pattern)
{
	for (; *pattern; pattern++, text++) {
		if (*pattern != '.' && *pattern != *text)
			return false;
	}
	return true;
}

/*
 * Force, unit and system that stand for "no arrest summons number": courts' and prosecutors' case
 * systems fill them in, and the criminal justice exchange treats them so.
 */
static bool is_dummy_asn(const char *packed, size_t len)
{
	static const char *const units[] = {
		"0800NP01", "0800PP01", "..12LN00", "..00NP00", "..6300..", "..06SS..",
		"..00XX..", "..5011..", "..5012..", "..5021..", "..5041..", "..5042..",
		"..5043..", "..50OF..", "..50SJ..", "....NRPR",
	};

	if (number_of(packed + len - 1 - ASN_SEQUENCE, ASN_SEQUENCE) == 0)
		return true;
	for (size_t i = 0; len == ASN_SHORT && i < sizeof(units) / sizeof(units[0]); i++) {
		if (matches(packed, units[i]))
			return true;
	}
	return false;
}

static enum identifier_validity check_asn(const char *text, char canonical[IDENTIFIER_CANONICAL])
{
	char packed[ASN_LONG + 1];
	char number[32];

	if (!pack_asn(text, packed))
		return IDENTIFIER_INVALID_FORM;
	size_t len = strlen(packed);
	if (len < ASN_SHORT || !asn_has_form(packed, len))
		return IDENTIFIER_INVALID_FORM;
	if (is_dummy_asn(packed, len))
		return IDENTIFIER_DUMMY;

	const char *force = packed + (len - ASN_SHORT) + 2;
	const char *system = force + 4;
	const char *sequence = force + 6;
	int force_digits = is_digit(force[0]) && is_digit(force[1]) ? 2 : 0;
	int system_digits = is_digit(system[0]) && is_digit(system[1]) ? 2 : 0;
	snprintf(number, sizeof(number), "%.*s%.*s%.2s%.11s", force_digits, force, system_digits,
	         system, packed, sequence);
	if (check_letter(number) != packed[len - 1])
		return IDENTIFIER_INVALID_CHECK;
	snprintf(canonical, IDENTIFIER_CANONICAL, "%.2s/%.*s/%.2s/%llu%c", packed,
	         (int)(system - packed - 2), packed + 2, system,
	         (unsigned long long)number_of(sequence, ASN_SEQUENCE), packed[len - 1]);
	return IDENTIFIER_VALID;
}

enum identifier_validity identifier_check(enum identifier_kind kind, const char *value,
                                          int year_now, char canonical[IDENTIFIER_CANONICAL])
{
	enum identifier_validity validity;
	char text[VALUE_MAX + 1];

	canonical[0] = '\0';
	if (strcmp(identifier_kind_name(kind), "none") == 0)
		return IDENTIFIER_UNCHECKED; /* also a kind of a newer catalogue */
	if (!normalise(value, text))
		return IDENTIFIER_INVALID_FORM;
	switch (kind) {
	case IDENTIFIER_NOMS:
		validity = check_noms(text, canonical);
		break;
	case IDENTIFIER_PNC:
		validity = check_pnc(text, year_now, canonical);
		break;
	case IDENTIFIER_CRO:
		validity = check_cro(text, canonical);
		break;
	case IDENTIFIER_CRN:
		validity = check_crn(text, canonical);
		break;
	case IDENTIFIER_ASN:
		validity = check_asn(text, canonical);
		break;
	case IDENTIFIER_CASE_NUMBER:
	case IDENTIFIER_BOOKING:
	case IDENTIFIER_OTHER:
		validity = accept(text, canonical);
		break;
	case IDENTIFIER_NONE:
	default:
		validity = IDENTIFIER_UNCHECKED;
		break;
	}
	/* A reading given up half way may have written one. */
	if (validity != IDENTIFIER_VALID)
		canonical[0] = '\0';
	return validity;
}

enum identifier_kind identifier_guess(const char *value, int year_now)
{
	static const enum identifier_kind order[] = { IDENTIFIER_NOMS, IDENTIFIER_PNC,
		                                      IDENTIFIER_CRO, IDENTIFIER_ASN,
		                                      IDENTIFIER_CRN };
	enum identifier_kind of_form = IDENTIFIER_NONE;
	char canonical[IDENTIFIER_CANONICAL];

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		enum identifier_validity validity =
		        identifier_check(order[i], value, year_now, canonical);

		if (validity == IDENTIFIER_VALID)
			return order[i];
		if (validity != IDENTIFIER_INVALID_FORM && of_form == IDENTIFIER_NONE)
			of_form = order[i];
	}
	return of_form;
}

bool identifier_is_match_key(enum identifier_kind kind)
{
	/* An ASN names an arrest, and OTHER is anybody's. */
	return kind == IDENTIFIER_NOMS || kind == IDENTIFIER_PNC || kind == IDENTIFIER_CRO ||
	       kind == IDENTIFIER_CRN || kind == IDENTIFIER_CASE_NUMBER ||
	       kind == IDENTIFIER_BOOKING;
}
