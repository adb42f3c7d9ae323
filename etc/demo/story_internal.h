/*
 * The story as its own files see it: story.c has the plan, feed_*.c write what each agency's system
 * would. Feed functions give false when the stage refused or memory ran out.
 */
#ifndef DEMO_STORY_INTERNAL_H
#define DEMO_STORY_INTERNAL_H

#include <jansson.h>
#include "story.h"

#define MEN_MAX      2000 /* then nobody new is received, and those here go on */
#define INSTANT_ROOM 40
#define NAME_ROOM    96

/* A line in the prison's release diary, and the discharge board before it. */
struct diary {
	bool listed;
	char release_date[11]; /* yyyy-mm-dd */
	char release_clock[6];
	const char *gate;
	bool board_listed;
	bool board_held;
	char board_date[11];
	char board_clock[6];
};

struct life {
	struct man man;
	unsigned first_day;
	bool enrolled; /* in the One Service's scheme */
	bool out;      /* released at liberty */
	struct diary diary;
	char alert_id[37];
	char flag_request[37];
	char referral[37];
};

struct story {
	struct stage stage;
	uint64_t seed;
	struct dice dice;
	struct life *lives;
	size_t n_lives;
	unsigned day;   /* days played */
	unsigned files; /* written so far, part of every name */
	int64_t now_ns;
	char now[INSTANT_ROOM];
	char today[11];
	bool diary_dirty;
	bool boards_dirty;
};

/* Puts an object as "<kind>-<number>.json"; takes the reference. */
bool put_json(struct story *story, enum feed feed, const char *kind, json_t *take_object);
bool put_text(struct story *story, enum feed feed, const char *kind, const char *ending,
              const char *text, size_t len);
void expect(struct story *story, const char *type, const char *who);
/* The same for what the One Service is told of those it has enrolled, and of nobody else. */
void expect_if_enrolled(struct story *story, const struct life *life, const char *type,
                        const char *who);
void expect_elsewhere(struct story *story);
/* Civil date `days` after today. */
void day_after(const struct story *story, unsigned days, char out[11]);

/* HMPPS domain events, bare or as a queue wraps them. */
bool prison_movement(struct story *story, const struct life *life, bool in, const char *reason,
                     const char *code, bool wrapped);
/* The fast feed's version of a release, before the settled one. */
bool prison_released_at_once(struct story *story, const struct life *life);
bool prison_unknown_type(struct story *story, const struct life *life);
bool prison_broken_file(struct story *story);
bool prison_extracts(struct story *story);

bool police_arrest(struct story *story, struct life *life, bool xml);
bool police_update(struct story *story, const struct life *life, bool charged, bool xml);
bool police_encounter(struct story *story, const struct life *life);
bool police_flag(struct story *story, const struct life *life);
bool police_iom(struct story *story, const struct life *life);

bool probation_linked(struct story *story, const struct life *life);
bool probation_registered(struct story *story, const struct life *life);
bool probation_contact_json(struct story *story, const struct life *life);
bool probation_contacts_csv(struct story *story);

bool service_enrolled(struct story *story, const struct life *life);
bool service_needs(struct story *story, const struct life *life);
bool service_flag(struct story *story, struct life *life);
bool service_access(struct story *story);
bool service_referral(struct story *story, struct life *life);
bool service_gate(struct story *story, const struct life *life);
bool service_contact(struct story *story, const struct life *life);
bool service_exited(struct story *story, const struct life *life);

/* A contact is listed in probation's CSV on the third day after release. */
bool life_has_contact_today(const struct story *story, const struct life *life);

#endif
