/*
 * ttgctl identify: what a number is, its one spelling for matching, and whether it can be right. The
 * value is shown to the person who typed it and goes nowhere else.
 */
#include "ctl/ctl.h"

#include <getopt.h>
#include <jansson.h>
#include <string.h>
#include <time.h>
#include "base/identifier.h"
#include "base/world.h"

static int year_now(void)
{
	const struct world *world = world_real();
	time_t now = (time_t)(world->real_ns(world->self) / 1000000000);
	struct tm civil;

	return gmtime_r(&now, &civil) != NULL ? civil.tm_year + 1900 : 1970;
}

static const char *reason(enum identifier_validity validity)
{
	switch (validity) {
	case IDENTIFIER_VALID:
		return "form and check letter are right";
	case IDENTIFIER_INVALID_FORM:
		return "letters and digits do not stand as they should";
	case IDENTIFIER_INVALID_CHECK:
		return "the check letter does not fit the digits: mistyped?";
	case IDENTIFIER_DUMMY:
		return "well formed, and known to stand for nobody";
	case IDENTIFIER_UNCHECKED:
		break;
	}
	return "nothing to check it by";
}

static void print_result(struct ctl *ctl, enum identifier_kind kind,
			 enum identifier_validity validity, const char *canonical)
{
	bool match = validity == IDENTIFIER_VALID && identifier_is_match_key(kind);
	json_t *item;

	if (!ctl->json) {
		fprintf(ctl->out, "kind       %s\n", identifier_kind_name(kind));
		fprintf(ctl->out, "canonical  %s\n", canonical[0] != '\0' ? canonical : "-");
		fprintf(ctl->out, "validity   %s (%s)\n", identifier_validity_name(validity),
			reason(validity));
		fprintf(ctl->out, "match key  %s\n", match ? "yes" : "no");
		return;
	}
	item = json_pack("{s:s, s:s, s:s, s:s, s:b}", "kind", identifier_kind_name(kind),
			 "canonical", canonical, "validity", identifier_validity_name(validity),
			 "reason", reason(validity), "match_key", match);
	if (item != NULL) {
		json_dumpf(item, ctl->out, JSON_COMPACT);
		fputc('\n', ctl->out);
	}
	json_decref(item);
}

enum ctl_exit ctl_identify(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "kind", required_argument, NULL, 'k' },
						 { NULL, 0, NULL, 0 } };
	enum identifier_kind kind = IDENTIFIER_NONE;
	enum identifier_validity validity;
	char canonical[IDENTIFIER_CANONICAL] = "";
	int option, year = year_now();

	while ((option = getopt_long(argc, argv, "k:", options, NULL)) != -1) {
		if (option != 'k')
			return ctl_say(ctl, CTL_USAGE, "identify: see ttgctl --help");
		kind = identifier_kind_parse(optarg);
		if (kind == IDENTIFIER_NONE)
			return ctl_say(ctl, CTL_USAGE,
				       "--kind must be one of NOMS, PNC, CRO, CRN, ASN, "
				       "CASE_NUMBER, BOOKING, OTHER");
	}
	if (optind + 1 != argc)
		return ctl_say(ctl, CTL_USAGE, "identify wants one value: see ttgctl --help");
	if (kind == IDENTIFIER_NONE)
		kind = identifier_guess(argv[optind], year);
	if (kind == IDENTIFIER_NONE)
		validity = IDENTIFIER_INVALID_FORM;
	else
		validity = identifier_check(kind, argv[optind], year, canonical);
	print_result(ctl, kind, validity, canonical);
	return validity == IDENTIFIER_VALID ? CTL_FINE : CTL_NO;
}
