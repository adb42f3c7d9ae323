/*
 * /diary.ics and /diary/feed/TOKEN: the diary for calendar programs, from a week back to three
 * weeks ahead. What leaves the desk with it is a number, a gate and a time for each release;
 * limited-access cases only for who is assigned. Whoever has the address of a feed sees it without
 * signing in, as long as its user is one of the staff.
 */
#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "desk/calendar.h"
#include "desk/day.h"
#include "desk/diary.h"
#include "desk/pages.h"

#define DAYS_BACK 7
#define UID_HEX   16 /* bytes of the hash in it */
#define UID_BYTES (2 * UID_HEX + sizeof("@throughgate"))
#define UID_LABEL "throughgate release "

/* Tells of the day or the hour of a release. */
static bool is_of_release(const struct view_event *event)
{
	const char *name = event->type < 0 ? NULL : ttg_type_name((size_t)event->type);

	return name != NULL && (strcmp(name, "prison.release_scheduled") == 0 ||
	                        strcmp(name, "prison.release_changed") == 0 ||
	                        strcmp(name, "prison.release_cancelled") == 0);
}

/* The event the story began with, before it was corrected. */
static uint32_t root_of(const struct views *views, const struct person *person)
{
	uint32_t root = person->release.first;

	for (size_t i = 0; i < person->n_events; i++) {
		const struct view_event *event = views_event(views, root);

		if (event->supersedes == VIEWS_NOBODY)
			break;
		root = event->supersedes;
	}
	return root;
}

/*
 * How much was told since it began, what no longer stands included: a calendar program has seen
 * that too, and takes nothing with a lower number than it has.
 */
static unsigned sequence_of(const struct views *views, const struct person *person, uint32_t root)
{
	unsigned n = 0;

	for (size_t i = 0; i < person->n_events; i++)
		if (person->events[i] > root &&
		    is_of_release(views_event(views, person->events[i])))
			n++;
	return n;
}

/* A hash of the event's id: the same at every start of the desk, and it tells nothing. */
static bool write_uid(struct hasher *hasher, const struct view_event *root, char out[UID_BYTES])
{
	uint8_t bytes[sizeof(UID_LABEL) + TTG_UUID_BYTES] = UID_LABEL;
	uint8_t hash[HASH_BYTES];

	memcpy(bytes + sizeof(UID_LABEL), root->id, TTG_UUID_BYTES);
	if (!hasher_sum(hasher, bytes, sizeof(bytes), hash))
		return false;
	for (size_t i = 0; i < UID_HEX; i++)
		snprintf(out + 2 * i, 3, "%02x", (unsigned)hash[i]);
	strcpy(out + (size_t)2 * UID_HEX, "@throughgate");
	return true;
}

static bool put_entry(struct html *out, const struct views *views, struct hasher *hasher,
                      const struct person *person)
{
	const struct person_release *release = &person->release;
	uint32_t root = root_of(views, person);
	char uid[UID_BYTES];

	if (!write_uid(hasher, views_event(views, root), uid))
		return false;
	/* One who moved out of these days stands where he is now. */
	calendar_add(out, &(struct calendar_entry){
	                          .uid = uid,
	                          .sequence = sequence_of(views, person, root),
	                          .stamp_ns = views_event(views, release->event)->kept_ns,
	                          .date = release->date,
	                          .clock = release->clock,
	                          .number = diary_number(person),
	                          .gate = release->gate,
	                          .cancelled = release->cancelled });
	return true;
}

static void put_calendar(const struct desk *desk, const struct web_request *request,
                         struct web_response *response)
{
	struct hasher *hasher = hasher_new();
	struct diary diary;
	char today[DATE_BYTES];
	char from[DATE_BYTES];
	char until[DATE_BYTES];
	bool fine = hasher != NULL;

	day_of(request->now_ns, today);
	day_add(today, -DAYS_BACK, from);
	day_add(today, DIARY_DAYS, until);
	if (diary_make(&diary, desk->views,
	               &(struct diary_wish){ .from = from,
	                                     .until = until,
	                                     .now_ns = request->now_ns,
	                                     .local_areas = &desk->settings.local_areas }) !=
	    TTG_OK)
		fine = false;
	response->type = "text/calendar; charset=utf-8";
	response->save_as = "gate-diary.ics";
	calendar_begin(&response->body);
	for (size_t i = 0; i < diary.n && fine; i++)
		if (desk_may_see(request, diary.rows[i].person))
			fine = put_entry(&response->body, desk->views, hasher,
			                 diary.rows[i].person);
	calendar_end(&response->body);
	response->body.failed |= !fine;
	diary_fini(&diary);
	hasher_free(&hasher);
}

void page_diary_calendar(void *arg, const struct web_request *request,
                         struct web_response *response)
{
	put_calendar(arg, request, response);
}

void page_diary_feed(void *arg, const struct web_request *request, struct web_response *response)
{
	const struct web_user *user = web_feed_user(request, request->parts[0]);
	struct web_request theirs = *request;

	if (user == NULL || (user->role & ROLES_STAFF) == 0) {
		web_refuse(request, response, 404, "There is no such page.");
		return;
	}
	theirs.user = user;
	put_calendar(arg, &theirs, response);
}

void page_diary_feed_make(void *arg, const struct web_request *request,
                          struct web_response *response)
{
	char token[33];

	(void)arg;
	web_feed_token(request, true, token);
	web_say(request, token[0] != '\0' ? "There is another calendar address now; the one before "
	                                    "has stopped."
	                                  : "The calendar address could not be changed.");
	web_redirect(response, "/diary");
}
