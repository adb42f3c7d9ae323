/*
 * Events of alerts and of cases with limited access, for tests of the desk: one function an event, as
 * in casefile.h, but for whatever order a test wants.
 */
#ifndef TTG_TEST_DESK_STORY_H
#define TTG_TEST_DESK_STORY_H

#include "support/casefile.h"

struct story {
	casefile_put *put;
	void *user;
};

struct story_event {
	uint32_t number;     /* stands in its id */
	const char *source;  /* NULL: "cambridgeshire-police"; of the broker's own "broker" */
	const char *noms;    /* NULL: about nobody */
	int64_t at_ns;       /* when it happened, and was kept */
	uint32_t supersedes; /* number of an earlier one; 0: none */
	bool routine;        /* not urgent, where the kind is by itself */
	bool urgent;         /* where the kind is not by itself */
	bool ours;           /* published here, not delivered */
};

void story_id(uint32_t number, uint8_t id[TTG_UUID_BYTES]);
/* "/alerts/..." wants it so. */
void story_id_text(uint32_t number, char out[TTG_UUID_TEXT]);

void story_arrest(const struct story *story, const struct story_event *event, const char *alert_id,
                  const char *station);
void story_update(const struct story *story, const struct story_event *event, const char *alert_id,
                  int disposition);
void story_encounter(const struct story *story, const struct story_event *event,
                     const char *alert_id, const char *place);
/* Of the broker; about: number of an event. */
void story_unacknowledged(const struct story *story, const struct story_event *event,
                          uint32_t about);
void story_correction(const struct story *story, const struct story_event *event, uint32_t about);
/* A contact with probation that makes the case a limited-access one. */
void story_limited(const struct story *story, const struct story_event *event);
void story_enrolled(const struct story *story, const struct story_event *event,
                    const char *caseworker);
void story_referral(const struct story *story, const struct story_event *event, const char *id,
                    const char *provider, int64_t answer_by_ns);

#endif
