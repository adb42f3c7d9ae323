/*
 * Events of people's lives for tests of the One Service's figures: one function an event, so that a
 * test reads as what happened. The events are handed to whoever wants them.
 */
#ifndef TTG_TEST_CASEFILE_H
#define TTG_TEST_CASEFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <ttg/event.h>

/* person_key is NULL for what the service itself published. */
typedef void casefile_put(void *user, const Ttg__Event *event, const uint8_t *person_key,
                          int64_t kept_ns);

struct casefile {
	casefile_put *put;
	void *user;
	uint32_t number;        /* of the last event; stands in its id */
	uint32_t supersedes;    /* of the next event: the number of an earlier one; 0: none */
	const char *caseworker; /* of the next enrolments; NULL: nobody yet */
	const char *scheme;     /* of the next pieces of work; "": not said */
	const char *referral;   /* of the next contact or appointment; "": none */
};

/* Numbers he goes by in the next events; NULL: not told. key 0: no key of the broker's. */
struct casefile_man {
	const char *noms, *crn;
	uint32_t key;
};

void casefile_init(struct casefile *file, casefile_put *put, void *user);

/* "2012-02-29 09:00", civil time in London. */
int64_t must_at(const char *civil);
/* "2012-02-29" of an instant. */
void casefile_date(int64_t ns, char out[11]);

void casefile_enrolled(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                       const char *scheme, const char *cohort, const char *expected_date);
void casefile_withdrawn(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                        const char *scheme, int reason);
void casefile_reengaged(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                        const char *scheme);
void casefile_released(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                       bool at_liberty, int view);
void casefile_received(struct casefile *file, const struct casefile_man *man, int64_t at_ns);
/* needs: bit n for NeedCategory n; none: bits of what was asked about and not there. */
void casefile_screened(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                       unsigned needs, unsigned none);
/* He did not want to be asked. */
void casefile_not_screened(struct casefile *file, const struct casefile_man *man, int64_t at_ns);
void casefile_assessed(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                       unsigned needs, int kind, int setting);
void casefile_gate(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                   int outcome);
void casefile_contact(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                      bool counts, int setting);
void casefile_appointment(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                          int status);
void casefile_reconvicted(struct casefile *file, const struct casefile_man *man,
                          const char *court_date, const char *court, const char *offence_date);
void casefile_sent(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                   const char *provider);

enum casefile_answer {
	CASEFILE_ACKNOWLEDGED = 0,
	CASEFILE_ACCEPTED,
	CASEFILE_DECLINED,
	CASEFILE_STARTED,
	CASEFILE_ENDED,
	CASEFILE_WITHDRAWN,
};

/* What becomes of file->referral. */
void casefile_answer(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                     enum casefile_answer what);
/* An entry of the prison's release diary; NULL: not said. */
struct casefile_release {
	const char *date, *clock, *gate, *area, *area_code;
	const char *old_date, *old_clock, *old_gate, *old_area; /* of a change */
	int kind;                                               /* Ttg__ReleaseKind */
};

void casefile_scheduled(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                        const struct casefile_release *release);
void casefile_changed(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                      const struct casefile_release *release);
void casefile_cancelled(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                        const struct casefile_release *release);

struct casefile_board {
	int status;
	const char *date, *clock, *place, *release_date, *old_date, *old_clock;
	const char *address, *area_code; /* of the release; NULL: not granted */
	unsigned arranged, unmet;        /* bits as of casefile_screened() */
	const char *owner;               /* of the unmet needs */
};

void casefile_board(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                    const struct casefile_board *board);
/* Probation says that only those assigned may see his case. */
void casefile_limited(struct casefile *file, const struct casefile_man *man, int64_t at_ns);

/* The broker's word that an event is wrong. */
void casefile_correction(struct casefile *file, uint32_t number, const char *publisher);

#endif
