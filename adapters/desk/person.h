/*
 * One man's record as the desk shows it: what his events, taken in the order they came, leave.
 *
 * Pure but for malloc. Nothing is taken back out of a record: when an event is superseded, or two
 * records turn out to be one man's, views.c empties it and takes all of his events that stand once
 * more. Texts are cut at their bound, between characters.
 */
#ifndef DESK_PERSON_H
#define DESK_PERSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/event.h>

#define PERSON_NUMBERS_MAX   24 /* further ones are left out */
#define PERSON_SCHEMES_MAX   8
#define PERSON_REFERRALS_MAX 64 /* the newest are kept */
#define PERSON_REQUESTS_MAX  16
#define PERSON_NEEDS         12 /* NeedCategory 1 to 11 */
#define DATE_BYTES           11
#define CLOCK_BYTES          6
#define ID_BYTES             33 /* an agency, a scheme, a cohort, and a NUL */
#define WORD_BYTES           65 /* a person's name at work, a gate, an area */

/* One event on its way into a record. */
struct telling {
	const Ttg__Event *event;
	uint32_t index; /* in the views' list of events */
	int64_t kept_ns;
	int64_t happened_ns; /* occurred, else recorded, else kept */
	bool ours;
};

struct person_number {
	int kind; /* Ttg__IdentifierKind */
	bool valid;
	char value[66]; /* canonical, or as given when it did not check */
	char issuer[ID_BYTES];
};

enum custody {
	CUSTODY_UNKNOWN = 0,
	CUSTODY_INSIDE,
	CUSTODY_AWAY,    /* court, hospital, transfer: still the prison's */
	CUSTODY_OUT,     /* at liberty */
	CUSTODY_ARRESTED /* held by the police */
};

struct person_release {
	bool known;
	bool cancelled;
	bool changed; /* old_date and old_clock say from what */
	char date[DATE_BYTES];
	char clock[CLOCK_BYTES]; /* "" when no hour is known */
	char old_date[DATE_BYTES];
	char old_clock[CLOCK_BYTES];
	char old_gate[WORD_BYTES];
	char old_area[WORD_BYTES];
	int64_t changed_ns;
	int reason; /* Ttg__ReleaseChangeReason, of the last change or of the end */
	int kind;   /* Ttg__ReleaseKind */
	int certainty;
	char prison_code[ID_BYTES];
	char gate[WORD_BYTES];
	char area[WORD_BYTES];
	char area_code[16];
	char address[161];                   /* one line; "" when not told */
	int address_kind;                    /* Ttg__AddressKind */
	int discharge_grant, travel_warrant; /* Ttg__Answer */
	bool released;                       /* he left, at released_ns */
	int64_t released_ns;
	uint32_t first; /* event that began this release's story */
	uint32_t event; /* that said so last */
};

struct person_board {
	bool known;
	int status; /* Ttg__BoardStatus */
	char date[DATE_BYTES];
	char clock[CLOCK_BYTES];
	char old_date[DATE_BYTES];
	char old_clock[CLOCK_BYTES];
	char place[WORD_BYTES];
	char prison_code[ID_BYTES];
	char release_date[DATE_BYTES];
	char address[161];
	int address_kind;
	char reference[WORD_BYTES];
	uint8_t state[PERSON_NEEDS]; /* Ttg__BoardNeedState of each need */
	char owner[PERSON_NEEDS][WORD_BYTES];
	uint32_t event;
};

struct person_scheme {
	char scheme[ID_BYTES];
	char cohort[ID_BYTES];
	char from[DATE_BYTES];
	char until[DATE_BYTES]; /* "": the window after release */
	char consent_version[WORD_BYTES];
	int64_t consent_ns; /* 0: not said */
	char caseworker[WORD_BYTES];
	char source[ID_BYTES]; /* who enrolled him */
	bool exited, withdrawn;
	int64_t ended_ns;
	int64_t window_ns; /* end of the twelve months from his release; 0: not released */
};

enum referral_state {
	REFERRAL_SENT = 0,
	REFERRAL_ACKNOWLEDGED,
	REFERRAL_ACCEPTED,
	REFERRAL_ASSIGNED,
	REFERRAL_STARTED,
	REFERRAL_ENDED,
	REFERRAL_DECLINED,
	REFERRAL_WITHDRAWN,
};

struct person_referral {
	char id[66];
	char referrer[ID_BYTES];
	char provider[ID_BYTES];
	int need; /* Ttg__NeedCategory */
	enum referral_state state;
	int64_t sent_ns;
	int64_t answer_by_ns; /* 0: no limit */
	int64_t answered_ns;  /* accepted or declined; 0: not yet */
	int64_t state_ns;
	int decline_reason;
	char worker[WORD_BYTES];
	uint32_t sent_event, last_event; /* UINT32_MAX: not seen */
};

/* A flag or an access that was asked for. */
struct person_request {
	char id[66];
	int action;  /* Ttg__FlagAction */
	int outcome; /* Ttg__FlagOutcome; 0: no answer yet */
	int64_t asked_ns, done_ns;
	char reference[WORD_BYTES];
	char contact_number[33];
	char until[DATE_BYTES];
	uint32_t asked_event, answer_event;
};

struct person {
	uint32_t number; /* counts from 0 in the order of first mention: stands in addresses of
	                    pages */
	uint32_t joined; /* the record this one is part of; itself when it stands alone */
	bool stale;      /* to be taken anew */

	/* Kept by views.c; numbers and events survive person_clear(). */
	struct person_number numbers[PERSON_NUMBERS_MAX];
	size_t n_numbers;
	uint32_t *events; /* in the order they came, those that do not stand included */
	size_t n_events, room_events;

	/* What person_take() makes of the events. */
	enum custody custody;
	int64_t custody_ns;
	char prison_code[ID_BYTES];
	struct person_release release;
	struct person_board board;
	struct person_scheme schemes[PERSON_SCHEMES_MAX];
	size_t n_schemes;
	uint8_t needs[PERSON_NEEDS]; /* Ttg__NeedLevel + 1 of the last assessment; 0: not a need */
	int64_t needs_ns;            /* 0: never assessed or screened */
	bool assessed;               /* by a caseworker, not only screened */
	char needs_by[WORD_BYTES];
	struct person_referral *referrals;
	size_t n_referrals, room_referrals;
	struct person_request flags[PERSON_REQUESTS_MAX];
	size_t n_flags;
	int flag; /* Ttg__FlagOutcome that holds: placed, lifted ...; 0: none */
	char flag_reference[WORD_BYTES];
	char flag_until[DATE_BYTES];
	int iom_status, iom_category;
	char iom_lead[WORD_BYTES];
	char supervisor[WORD_BYTES]; /* community offender manager */
	bool supervised;
	int meeting; /* Ttg__GateMeetingOutcome of the last release */
	int64_t last_contact_ns;
	int risk_level; /* Ttg__RiskLevel, as last told */
	bool limited;   /* limited access: for those assigned only */
};

void person_clear(struct person *person); /* what person_take() made; the rest stays */
void person_fini(struct person *person);

/* TTG_ENOMEM. */
enum ttg_error person_take(struct person *person, const struct telling *telling);

/* The number the desk knows him by best: prison's, probation's, the police's; NULL when he has
 * none. */
const struct person_number *person_best_number(const struct person *person);
/* His scheme that was last opened and is not ended, else the last one; NULL: he was never enrolled.
 */
const struct person_scheme *person_scheme(const struct person *person);
/* Enrolled now: not exited, not withdrawn, inside the window. */
bool person_is_enrolled(const struct person *person, int64_t now_ns);
/* Works with him: his caseworker by name, in any scheme that is not ended. */
bool person_is_assigned(const struct person *person, const char *name);
const struct person_referral *person_find_referral(const struct person *person, const char *id);

#endif
