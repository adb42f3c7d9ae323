/* What a record says, in words for people. See person_words.h. */
#include "desk/person_words.h"

#include "base/instant.h"
#include "web/page.h"

void person_add_date(struct sentence *out, const char *before, const char *date, const char *clock)
{
	char day[PAGE_TIME_BYTES];
	int64_t ns;

	if (date[0] == '\0')
		return;
	if (instant_from_civil(date, NULL, &ns) == TTG_OK) {
		page_day(day, ns);
		sentence_add(out, "%s%s", before, day);
	} else {
		sentence_add(out, "%s%s", before, date);
	}
	words_add_if(out, " at ", clock);
}

void person_add_day(struct sentence *out, const char *before, int64_t ns)
{
	char day[PAGE_TIME_BYTES];

	if (ns == 0)
		return;
	page_day(day, ns);
	sentence_add(out, "%s%s", before, day);
}

void person_custody_words(const struct person *person, struct sentence *out)
{
	*out = (struct sentence){ .length = 0 };
	switch (person->custody) {
	case CUSTODY_INSIDE:
		sentence_add(out, "In prison: %s", words_prison(person->prison_code));
		break;
	case CUSTODY_AWAY:
		sentence_add(out, "Away from prison: at court, in hospital or on transfer");
		break;
	case CUSTODY_OUT:
		sentence_add(out, "At liberty");
		break;
	case CUSTODY_ARRESTED:
		sentence_add(out, "Held by the police");
		break;
	case CUSTODY_UNKNOWN:
		sentence_add(out, "Not known");
		return;
	}
	person_add_day(out, ", since ", person->custody_ns);
	sentence_make_printable(out);
}

void person_release_words(const struct person *person, struct sentence *out)
{
	const struct person_release *release = &person->release;

	*out = (struct sentence){ .length = 0 };
	if (release->released) {
		sentence_add(out, "Released");
		person_add_day(out, " on ", release->released_ns);
	} else if (!release->known) {
		sentence_add(out, "None known");
	} else if (release->cancelled) {
		sentence_add(out, "Cancelled");
		person_add_date(out, ": was ", release->date, release->clock);
	} else {
		person_add_date(out, "", release->date, release->clock);
		words_add_if(out, ", gate ", release->gate);
		words_add_if(out, ", to ", release->area);
		if (release->changed)
			person_add_date(out, ". Was ", release->old_date, release->old_clock);
	}
	sentence_make_printable(out);
}

void person_board_words(const struct person *person, struct sentence *out)
{
	const struct person_board *board = &person->board;

	*out = (struct sentence){ .length = 0 };
	if (!board->known) {
		sentence_add(out, "None known");
		return;
	}
	person_add_date(out, "", board->date, board->clock);
	words_add_if(out, ", ", board->place);
	sentence_add(out, ", ");
	words_add_enum(out, &ttg__board_status__descriptor, board->status);
	sentence_make_printable(out);
}

void person_scheme_words(const struct person_scheme *scheme, struct sentence *out)
{
	*out = (struct sentence){ .length = 0 };
	sentence_add(out, "%s", scheme->scheme[0] == '\0' ? "no scheme named" : scheme->scheme);
	words_add_if(out, ", ", scheme->cohort);
	person_add_date(out, ", from ", scheme->from, "");
	person_add_date(out, ", until ", scheme->until, "");
	person_add_day(out, ", its year ends ", scheme->window_ns);
	if (scheme->withdrawn)
		person_add_day(out, ". Withdrawn ", scheme->ended_ns);
	else if (scheme->exited)
		person_add_day(out, ". Left ", scheme->ended_ns);
	words_add_if(out, ". Caseworker: ", scheme->caseworker);
	words_add_if(out, ". Consent version ", scheme->consent_version);
	if (scheme->consent_version[0] != '\0')
		person_add_day(out, ", signed ", scheme->consent_ns);
	sentence_make_printable(out);
}

void person_flag_words(const struct person *person, struct sentence *out)
{
	*out = (struct sentence){ .length = 0 };
	if (person->flag == 0) {
		sentence_add(out, "None");
		return;
	}
	words_add_enum(out, &ttg__flag_outcome__descriptor, person->flag);
	person_add_date(out, ", until ", person->flag_until, "");
	words_add_if(out, ", reference ", person->flag_reference);
	sentence_make_printable(out);
}

void person_iom_words(const struct person *person, struct sentence *out)
{
	*out = (struct sentence){ .length = 0 };
	if (person->iom_status == 0) {
		sentence_add(out, "Not known");
		return;
	}
	sentence_add(out, person->iom_status == TTG__IOM_STATUS__IOM_STATUS_ON
	                          ? "On the caseload"
	                          : "Not on the caseload");
	if (words_enum_known(&ttg__iom_category__descriptor, person->iom_category)) {
		sentence_add(out, ", ");
		words_add_enum(out, &ttg__iom_category__descriptor, person->iom_category);
	}
	words_add_if(out, ", led by ", person->iom_lead);
	sentence_make_printable(out);
}

const char *person_referral_word(enum referral_state state)
{
	static const char *const words[] = { "Sent",    "Acknowledged", "Accepted", "Assigned",
		                             "Started", "Ended",        "Declined", "Withdrawn" };

	return (unsigned)state < sizeof(words) / sizeof(words[0]) ? words[state] : "Not known";
}
