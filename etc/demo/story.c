/*
 * The plan of the story. See story.h; the feeds write the files.
 *
 * Each man lives by the same table of acts, counted in days from his reception; an act is for every
 * man or for those whose number leaves a given remainder, so that all of it is seen soon. Pure but
 * for the stage.
 */
#include "story_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"

#define NS_PER_DAY (INT64_C(86400) * 1000000000)

/* Men who want no support: nothing is asked for them, and the police's news of them is not for the
   One Service. */
#define DECLINE_MODULUS   6
#define DECLINE_REMAINDER 1

/* Everybody: modulus 1, remainder 0. */
struct act {
	unsigned day;
	unsigned modulus;
	unsigned remainder;
	bool (*perform)(struct story *story, struct life *life);
};

static bool receive(struct story *story, struct life *life)
{
	bool fine =
	        prison_movement(story, life, true, "ADMISSION", "24", life->man.number % 2 == 0);

	expect(story, "prison.reception", life->man.noms);
	/* Real queues deliver some notices twice, under another message number. */
	if (fine && life->man.number % 4 == 0) {
		expect_elsewhere(story);
		fine = prison_movement(story, life, true, "ADMISSION", "24", true);
	}
	return fine;
}

static bool link_numbers(struct story *story, struct life *life)
{
	expect_elsewhere(story);
	return probation_linked(story, life);
}

static bool enrol(struct story *story, struct life *life)
{
	if (life->man.number % DECLINE_MODULUS == DECLINE_REMAINDER)
		return true;
	life->enrolled = true;
	return service_enrolled(story, life) && service_needs(story, life);
}

static bool ask_for_flag(struct story *story, struct life *life)
{
	return !life->enrolled || service_flag(story, life);
}

static bool place_flag(struct story *story, struct life *life)
{
	return !life->enrolled || police_flag(story, life);
}

static bool schedule_release(struct story *story, struct life *life)
{
	static const char *const clocks[] = { "08:15", "09:00", "09:30", "10:45" };
	struct diary *diary = &life->diary;

	diary->listed = true;
	diary->gate = life->man.number % 2 == 0 ? "Main gate" : "North gate";
	day_after(story, 6, diary->release_date);
	strcpy(diary->release_clock, clocks[life->man.number % 4]);
	story->diary_dirty = true;
	expect(story, "prison.release_scheduled", life->man.noms);
	return true;
}

static bool change_release(struct story *story, struct life *life)
{
	day_after(story, 2, life->diary.release_date);
	strcpy(life->diary.release_clock, "08:45");
	story->diary_dirty = true;
	expect(story, "prison.release_changed", life->man.noms);
	return true;
}

static bool cancel_release(struct story *story, struct life *life)
{
	life->diary.listed = false;
	story->diary_dirty = true;
	expect(story, "prison.release_cancelled", life->man.noms);
	return true;
}

static bool set_board(struct story *story, struct life *life)
{
	life->diary.board_listed = true;
	day_after(story, 1, life->diary.board_date);
	strcpy(life->diary.board_clock, "14:00");
	story->boards_dirty = true;
	expect(story, "prison.discharge_board", life->man.noms);
	return true;
}

static bool hold_board(struct story *story, struct life *life)
{
	life->diary.board_held = true;
	story->boards_dirty = true;
	expect(story, "prison.discharge_board", life->man.noms);
	return true;
}

static bool refer(struct story *story, struct life *life)
{
	return !life->enrolled || service_referral(story, life);
}

static bool go_to_court(struct story *story, struct life *life)
{
	expect(story, "prison.absence", life->man.noms);
	return prison_movement(story, life, false, "SENT_TO_COURT", "CRT", false);
}

static bool come_back_from_court(struct story *story, struct life *life)
{
	expect(story, "prison.absence_ended", life->man.noms);
	return prison_movement(story, life, true, "RETURN_FROM_COURT", "CRT", true);
}

static bool go_to_hospital(struct story *story, struct life *life)
{
	expect(story, "prison.absence", life->man.noms);
	return prison_movement(story, life, false, "RELEASED_TO_HOSPITAL", "HP", false);
}

static bool release(struct story *story, struct life *life)
{
	if (!life->diary.listed)
		return true;
	life->out = true;
	expect(story, "prison.released", life->man.noms);
	return prison_released_at_once(story, life);
}

/* The feed that waits until a movement stands tells it again. */
static bool release_settles(struct story *story, struct life *life)
{
	if (!life->out)
		return true;
	expect(story, "prison.released", life->man.noms);
	return prison_movement(story, life, false, "RELEASED", "CR", life->man.number % 2 == 0);
}

static bool meet(struct story *story, struct life *life)
{
	return !life->out || !life->enrolled ||
	       (service_gate(story, life) && service_contact(story, life));
}

static bool attend_probation(struct story *story, struct life *life)
{
	return !life->out || probation_contact_json(story, life);
}

static bool be_registered(struct story *story, struct life *life)
{
	return probation_registered(story, life);
}

static bool be_arrested(struct story *story, struct life *life)
{
	return !life->out || police_arrest(story, life, life->man.number % 2 == 0);
}

static bool be_cleared(struct story *story, struct life *life)
{
	return !life->out ||
	       police_update(story, life, life->man.number % 4 >= 2, life->man.number % 2 == 0);
}

static bool be_met_by_police(struct story *story, struct life *life)
{
	return !life->out || police_encounter(story, life);
}

static bool come_onto_iom(struct story *story, struct life *life)
{
	return police_iom(story, life);
}

static bool leave_service(struct story *story, struct life *life)
{
	if (!life->enrolled)
		return true;
	life->enrolled = false;
	return service_exited(story, life);
}

static const struct act acts[] = {
	{ 0, 1, 0, receive },         { 0, 1, 0, link_numbers },
	{ 1, 1, 0, enrol },           { 1, 1, 0, schedule_release },
	{ 1, 2, 0, ask_for_flag },    { 2, 2, 0, refer },
	{ 2, 1, 0, set_board },       { 3, 5, 1, come_onto_iom },
	{ 3, 2, 0, place_flag },      { 3, 3, 0, go_to_court },
	{ 3, 1, 0, hold_board },      { 4, 3, 0, come_back_from_court },
	{ 4, 3, 1, change_release },  { 4, 3, 2, be_registered },
	{ 5, 7, 6, cancel_release },  { 6, 7, 6, go_to_hospital },
	{ 6, 1, 0, release },         { 6, 2, 0, meet },
	{ 7, 1, 0, release_settles }, { 7, 3, 1, attend_probation },
	{ 8, 3, 1, be_arrested },     { 8, 4, 2, be_met_by_police },
	{ 9, 3, 1, be_cleared },      { 10, 5, 0, leave_service },
};

void expect(struct story *story, const char *type, const char *who)
{
	if (story->stage.expect)
		story->stage.expect(story->stage.user, type, who);
}

void expect_if_enrolled(struct story *story, const struct life *life, const char *type,
                        const char *who)
{
	if (life->enrolled)
		expect(story, type, who);
	else if (story->stage.expect_withheld)
		story->stage.expect_withheld(story->stage.user, type, who);
}

void expect_elsewhere(struct story *story)
{
	if (story->stage.expect_elsewhere)
		story->stage.expect_elsewhere(story->stage.user);
}

bool put_text(struct story *story, enum feed feed, const char *kind, const char *ending,
              const char *text, size_t len)
{
	char name[NAME_ROOM];

	snprintf(name, sizeof(name), "%06u-%s.%s", story->files++, kind, ending);
	return story->stage.put(story->stage.user, feed, name, text, len);
}

bool put_json(struct story *story, enum feed feed, const char *kind, json_t *take_object)
{
	char *text = take_object ? json_dumps(take_object, JSON_INDENT(2)) : NULL;
	bool fine = text && put_text(story, feed, kind, "json", text, strlen(text));

	free(text);
	json_decref(take_object);
	return fine;
}

void day_after(const struct story *story, unsigned days, char out[11])
{
	char clock[6];

	/* Noon, so that a day of 23 or 25 hours changes nothing. */
	instant_to_civil(story->now_ns + ((int64_t)story->day + days) * NS_PER_DAY, out, clock);
}

bool life_has_contact_today(const struct story *story, const struct life *life)
{
	return life->out && story->day - life->first_day == 9;
}

static bool be_born(struct story *story)
{
	struct life *lives;

	if (story->n_lives == MEN_MAX)
		return true;
	lives = realloc(story->lives, (story->n_lives + 1) * sizeof(*lives));
	if (!lives)
		return false;
	story->lives = lives;
	memset(&lives[story->n_lives], 0, sizeof(*lives));
	lives[story->n_lives].first_day = story->day;
	cohort_man(story->seed, (unsigned)story->n_lives, &lives[story->n_lives].man);
	story->n_lives++;
	return true;
}

static bool live_a_day(struct story *story, struct life *life)
{
	unsigned day = story->day - life->first_day;

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (acts[i].day == day && life->man.number % acts[i].modulus == acts[i].remainder &&
		    !acts[i].perform(story, life))
			return false;
	return true;
}

/* What does not belong to one man's life. */
static bool play_margins(struct story *story)
{
	if (story->day == 2 && !prison_broken_file(story))
		return false;
	if (story->day % 5 == 1 && !prison_unknown_type(story, &story->lives[0]))
		return false;
	if (story->day % 5 == 3 && !service_access(story))
		return false;
	return prison_extracts(story) && probation_contacts_csv(story);
}

bool story_day(struct story *story, int64_t now_ns)
{
	story->now_ns = now_ns;
	instant_format(now_ns, story->now);
	day_after(story, 0, story->today);
	if (!be_born(story))
		return false;
	for (size_t i = 0; i < story->n_lives; i++)
		if (!live_a_day(story, &story->lives[i]))
			return false;
	if (!play_margins(story))
		return false;
	story->day++;
	return true;
}

struct story *story_new(uint64_t seed, const struct stage *stage)
{
	struct story *story = calloc(1, sizeof(*story));

	if (!story)
		return NULL;
	story->stage = *stage;
	story->seed = seed;
	dice_init(&story->dice, seed);
	return story;
}

void story_free(struct story **story)
{
	if (!*story)
		return;
	free((*story)->lives);
	free(*story);
	*story = NULL;
}

unsigned story_days(const struct story *story)
{
	return story->day;
}
