/* What events tell of alerts, event by event. See alerts_notes.h. */
#include "desk/alerts_notes.h"

#include <stdlib.h>
#include <string.h>
#include "oneservice/figures_names.h"

#define ALERT_ID_MAX 512

enum note_kind {
	NOTE_RAISED = 0, /* police.arrest, police.encounter */
	NOTE_DECIDED,    /* police.custody_update */
	NOTE_CORRECTED,  /* broker.correction */
	NOTE_ESCALATED,  /* broker.alert_unacknowledged */
};

struct note {
	uint32_t event;
	bool stale; /* to be read once more */
	enum note_kind kind;
	uint32_t story; /* of keys; NAMES_NONE: none */
	int64_t at_ns;  /* when it happened; of what was decided: when that was */
	uint8_t id[TTG_UUID_BYTES];
	uint8_t target[TTG_UUID_BYTES];      /* that a notice names; zeros: none */
	uint8_t replacement[TTG_UUID_BYTES]; /* zeros: none */
	int disposition;
};

struct notes {
	struct names keys; /* publisher and alert_id */
	struct note *list; /* by event */
	size_t n, room;
	const struct note **by_story, **by_target;
	size_t n_sorted;
	bool any_stale;
	bool noted, urgent; /* since notes_follow() told so */
	size_t seen; /* events of the views that were looked at */
	int types[5];
};

static const char *const type_names[] = { "police.arrest", "police.encounter",
	                                  "police.custody_update", "broker.correction",
	                                  "broker.alert_unacknowledged" };
static const enum note_kind type_kinds[] = { NOTE_RAISED, NOTE_RAISED, NOTE_DECIDED,
	                                     NOTE_CORRECTED, NOTE_ESCALATED };

struct notes *notes_new(void)
{
	struct notes *notes = calloc(1, sizeof(*notes));

	for (size_t i = 0; notes != NULL && i < 5; i++)
		notes->types[i] = ttg_type_find(type_names[i]);
	return notes;
}

void notes_free(struct notes **notes)
{
	if (*notes == NULL)
		return;
	names_fini(&(*notes)->keys);
	free((*notes)->list);
	free((*notes)->by_story);
	free((*notes)->by_target);
	free(*notes);
	*notes = NULL;
}

static const struct note *find_note(const struct notes *notes, uint32_t event)
{
	size_t low = 0, high = notes->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (notes->list[middle].event < event)
			low = middle + 1;
		else
			high = middle;
	}
	return low < notes->n && notes->list[low].event == event ? &notes->list[low] : NULL;
}

void notes_look_again(struct notes *notes, uint32_t event)
{
	const struct note *found = find_note(notes, event);

	if (found == NULL)
		return;
	notes->list[found - notes->list].stale = true;
	notes->any_stale = true;
}

/* The kind of note an event of this type makes; -1: none. */
static int kind_of(const struct notes *notes, int type)
{
	for (size_t i = 0; i < 5; i++) {
		if (notes->types[i] == type && type >= 0)
			return (int)type_kinds[i];
	}
	return -1;
}

static void take_id(uint8_t out[TTG_UUID_BYTES], const ProtobufCBinaryData *id)
{
	if (id->len == TTG_UUID_BYTES)
		memcpy(out, id->data, TTG_UUID_BYTES);
}

/* The number of an alert's story; TTG_ENOMEM, TTG_ELIMIT. */
static enum ttg_error take_key(struct notes *notes, const char *source, const char *alert_id,
                               uint32_t *out)
{
	char key[ALERT_ID_MAX];
	size_t source_len = strlen(source) + 1;
	size_t len = strlen(alert_id);

	*out = NAMES_NONE;
	if (len == 0 || source_len + len > sizeof(key))
		return TTG_OK;
	memcpy(key, source, source_len);
	memcpy(key + source_len, alert_id, len);
	return names_add(&notes->keys, key, source_len + len, out);
}

static enum ttg_error take_payload(struct notes *notes, const Ttg__Event *event, struct note *note)
{
	const char *alert_id = "";

	if (event->payload_case == TTG__EVENT__PAYLOAD_POLICE_ARREST) {
		alert_id = event->police_arrest->alert_id;
	} else if (event->payload_case == TTG__EVENT__PAYLOAD_POLICE_ENCOUNTER) {
		alert_id = event->police_encounter->alert_id;
	} else if (event->payload_case == TTG__EVENT__PAYLOAD_POLICE_CUSTODY_UPDATE) {
		const Ttg__PoliceCustodyUpdate *it = event->police_custody_update;

		alert_id = it->alert_id;
		note->disposition = (int)it->disposition;
		if (it->disposed_at != NULL)
			note->at_ns = it->disposed_at->unix_ns;
	} else if (event->payload_case == TTG__EVENT__PAYLOAD_BROKER_CORRECTION) {
		take_id(note->target, &event->broker_correction->event_id);
		take_id(note->replacement, &event->broker_correction->replacement_id);
	} else if (event->payload_case == TTG__EVENT__PAYLOAD_BROKER_ALERT_UNACKNOWLEDGED) {
		take_id(note->target, &event->broker_alert_unacknowledged->event_id);
	}
	return take_key(notes, event->source, alert_id, &note->story);
}

/* The note of an event; event NULL: it cannot be read, and tells nothing. */
static enum ttg_error make_note(struct notes *notes, const struct views *views, uint32_t index,
                                const Ttg__Event *event, struct note *out, struct message *message)
{
	const struct view_event *facts = views_event(views, index);
	enum ttg_error error = TTG_OK;

	*out = (struct note){ .event = index,
		              .kind = (enum note_kind)kind_of(notes, facts->type),
		              .story = NAMES_NONE,
		              .at_ns = facts->happened_ns };
	memcpy(out->id, facts->id, sizeof(out->id));
	if (event != NULL)
		error = take_payload(notes, event, out);
	return error == TTG_OK ? TTG_OK
	                       : message_set(message, error, "alerts: %s", ttg_error_text(error));
}

static bool is_unreadable(enum ttg_error error)
{
	return error == TTG_ENOENT || error == TTG_ECORRUPT;
}

/* The same out of the store. */
static enum ttg_error read_note(struct notes *notes, const struct views *views, struct store *store,
                                uint32_t index, struct note *out, struct message *message)
{
	Ttg__Event *event = NULL;
	enum ttg_error error = views_read(views, store, index, &event, NULL, message);

	if (error == TTG_OK || is_unreadable(error))
		error = make_note(notes, views, index, event, out, message);
	if (event != NULL)
		ttg__event__free_unpacked(event, NULL);
	return error;
}

static enum ttg_error make_room(struct notes *notes, struct message *message)
{
	size_t room = notes->room == 0 ? 64 : 2 * notes->room;
	struct note *grown;

	if (notes->n < notes->room)
		return TTG_OK;
	grown = realloc(notes->list, room * sizeof(*grown));
	if (grown == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	notes->list = grown;
	notes->room = room;
	notes->n_sorted = 0; /* they pointed to the old place */
	return TTG_OK;
}

/* A row that was completed since may tell more. */
static enum ttg_error read_again(struct notes *notes, const struct views *views,
                                 struct store *store, struct message *message)
{
	for (size_t i = 0; notes->any_stale && i < notes->n; i++) {
		struct note *note = &notes->list[i];
		enum ttg_error error;

		if (!note->stale)
			continue;
		error = read_note(notes, views, store, note->event, note, message);
		if (error != TTG_OK)
			return error;
		notes->n_sorted = 0;
	}
	notes->any_stale = false;
	return TTG_OK;
}

static int compare_notes(const struct note *a, const struct note *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	return memcmp(a->id, b->id, sizeof(a->id));
}

static int compare_stories(const void *a, const void *b)
{
	const struct note *left = *(const struct note *const *)a;
	const struct note *right = *(const struct note *const *)b;

	if (left->story != right->story)
		return left->story < right->story ? -1 : 1;
	return compare_notes(left, right);
}

static int compare_targets(const void *a, const void *b)
{
	const struct note *left = *(const struct note *const *)a;
	const struct note *right = *(const struct note *const *)b;
	int order = memcmp(left->target, right->target, sizeof(left->target));

	return order != 0 ? order : compare_notes(left, right);
}

static enum ttg_error sort(struct notes *notes, struct message *message)
{
	size_t bytes = (notes->n + 1) * sizeof(*notes->by_story);
	const struct note **by_story = realloc(notes->by_story, bytes);
	const struct note **by_target;

	if (by_story != NULL)
		notes->by_story = by_story;
	by_target = realloc(notes->by_target, bytes);
	if (by_target != NULL)
		notes->by_target = by_target;
	notes->n_sorted = 0;
	if (by_story == NULL || by_target == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	for (size_t i = 0; i < notes->n; i++)
		by_story[i] = by_target[i] = &notes->list[i];
	qsort(by_story, notes->n, sizeof(*by_story), compare_stories);
	qsort(by_target, notes->n, sizeof(*by_target), compare_targets);
	notes->n_sorted = notes->n;
	return TTG_OK;
}

/* What every new event tells by its mere coming. */
static void look_at(struct notes *notes, const struct view_event *event)
{
	notes->urgent |= event->urgency == TTG__URGENCY__URGENT;
	notes->noted |= event->supersedes != VIEWS_NOBODY;
}

enum ttg_error notes_take(struct notes *notes, const struct views *views,
                          const struct store_event *from, struct message *message)
{
	const size_t index = views_n_events(views) - 1;
	enum ttg_error error = TTG_OK;
	Ttg__Event *event;

	if (views_n_events(views) == 0 || notes->seen != index ||
	    memcmp(views_event(views, index)->id, from->id, TTG_UUID_BYTES) != 0)
		return TTG_OK;
	look_at(notes, views_event(views, index));
	if (kind_of(notes, views_event(views, index)->type) >= 0) {
		error = make_room(notes, message);
		if (error != TTG_OK)
			return error;
		event = ttg__event__unpack(NULL, from->encoded_bytes, from->encoded);
		error = make_note(notes, views, (uint32_t)index, event, &notes->list[notes->n],
		                  message);
		if (event != NULL)
			ttg__event__free_unpacked(event, NULL);
		if (error != TTG_OK)
			return error;
		notes->n++;
	}
	notes->seen++;
	return TTG_OK;
}

enum ttg_error notes_follow(struct notes *notes, const struct views *views, struct store *store,
                            bool *noted, bool *urgent, struct message *message)
{
	enum ttg_error error = read_again(notes, views, store, message);

	for (; error == TTG_OK && notes->seen < views_n_events(views); notes->seen++) {
		const struct view_event *event = views_event(views, notes->seen);

		look_at(notes, event);
		if (kind_of(notes, event->type) < 0)
			continue;
		error = make_room(notes, message);
		if (error == TTG_OK)
			error = read_note(notes, views, store, (uint32_t)notes->seen,
			                  &notes->list[notes->n], message);
		if (error != TTG_OK)
			break;
		notes->n++;
	}
	*noted |= notes->noted || notes->n_sorted != notes->n;
	*urgent |= notes->urgent;
	notes->noted = notes->urgent = false;
	if (notes->n_sorted != notes->n) {
		enum ttg_error sorted = sort(notes, message);

		error = error == TTG_OK ? sorted : error;
	}
	return error;
}

/* The first place of a story, or of a target, in its sorted list. */
static size_t first_of(const struct notes *notes, uint32_t story, const uint8_t *target)
{
	size_t low = 0, high = notes->n_sorted;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		bool before = target == NULL
		                      ? notes->by_story[middle]->story < story
		                      : memcmp(notes->by_target[middle]->target, target,
		                               TTG_UUID_BYTES) < 0;

		if (before)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void tell_story(const struct notes *notes, const struct views *views, struct alert *alert)
{
	const struct note *own = find_note(notes, alert->event);
	const struct note *note;

	if (own == NULL || own->story == NAMES_NONE)
		return;
	for (size_t i = first_of(notes, own->story, NULL);
	     i < notes->n_sorted && notes->by_story[i]->story == own->story; i++) {
		note = notes->by_story[i];
		if (note->event != alert->event)
			alert->latest = note->event;
		/* In the order of their decisions: the last that stands is left. */
		if (note->kind == NOTE_DECIDED &&
		    views_event(views, note->event)->superseded_by == VIEWS_NOBODY) {
			alert->disposition = note->disposition;
			alert->decided_by = note->event;
		}
	}
}

static bool is_later(const struct views *views, uint32_t event, uint32_t than)
{
	return than == VIEWS_NOBODY || views_event(views, event)->happened_ns >=
	                                       views_event(views, than)->happened_ns;
}

static void tell_notices(const struct notes *notes, const struct views *views, struct alert *alert)
{
	const uint8_t *id = views_event(views, alert->event)->id;

	for (size_t i = first_of(notes, 0, id);
	     i < notes->n_sorted && memcmp(notes->by_target[i]->target, id, TTG_UUID_BYTES) == 0;
	     i++) {
		const struct note *note = notes->by_target[i];
		uint32_t replacement = views_find_event(views, note->replacement);

		if (note->event != alert->event && is_later(views, note->event, alert->latest))
			alert->latest = note->event;
		if (note->kind == NOTE_ESCALATED && alert->escalated_ns == 0)
			alert->escalated_ns = note->at_ns == 0 ? 1 : note->at_ns;
		if (note->kind == NOTE_CORRECTED && replacement != VIEWS_NOBODY)
			alert->corrected_by = replacement;
		else if (note->kind == NOTE_CORRECTED && alert->corrected_by == VIEWS_NOBODY)
			alert->corrected_by = note->event;
	}
}

/* An update that takes an arrest back supersedes it, too: what it decided is told, and a later update
   may decide otherwise. */
static void tell_corrections(const struct notes *notes, const struct views *views,
                             struct alert *alert)
{
	uint32_t by = views_event(views, alert->event)->superseded_by;
	const struct note *note = by == VIEWS_NOBODY ? NULL : find_note(notes, by);

	if (note == NULL || note->kind != NOTE_DECIDED) {
		alert->corrected_by = by;
	} else if (alert->decided_by == VIEWS_NOBODY) {
		alert->disposition = note->disposition;
		alert->decided_by = by;
	}
}

static bool undoes(int disposition)
{
	return disposition == TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION ||
	       disposition == TTG__DISPOSITION__DISPOSITION_DEARRESTED ||
	       disposition == TTG__DISPOSITION__DISPOSITION_MISMATCH;
}

/* Raises an alarm, which can be undone; an update that undoes it may be urgent, too, but stands. */
static bool is_raised(const struct notes *notes, const struct alert *alert)
{
	const struct note *own = find_note(notes, alert->event);

	return own == NULL || own->kind == NOTE_RAISED;
}

void notes_tell(const struct notes *notes, const struct views *views, struct alert *alert)
{
	alert->escalated_ns = 0;
	alert->latest = alert->decided_by = alert->corrected_by = VIEWS_NOBODY;
	alert->disposition = 0;
	tell_story(notes, views, alert);
	tell_corrections(notes, views, alert);
	tell_notices(notes, views, alert);
	if (alert->latest == VIEWS_NOBODY)
		alert->latest = alert->corrected_by;
	alert->undone = alert->corrected_by != VIEWS_NOBODY ||
	                (is_raised(notes, alert) && undoes(alert->disposition));
}

static int compare_pointers(const void *a, const void *b)
{
	return compare_notes(*(const struct note *const *)a, *(const struct note *const *)b);
}

size_t notes_story(const struct notes *notes, uint32_t event, const uint8_t id[TTG_UUID_BYTES],
                   uint32_t *out, size_t max)
{
	const struct note *own = find_note(notes, event);
	size_t story = own == NULL || own->story == NAMES_NONE
	                       ? notes->n_sorted
	                       : first_of(notes, own->story, NULL);
	size_t target = first_of(notes, 0, id);
	size_t n = 0, shown;
	const struct note **found = malloc(2 * (notes->n_sorted + 1) * sizeof(*found));

	if (found == NULL)
		return 0;
	for (; story < notes->n_sorted && notes->by_story[story]->story == own->story; story++) {
		if (notes->by_story[story] != own)
			found[n++] = notes->by_story[story];
	}
	for (; target < notes->n_sorted &&
	       memcmp(notes->by_target[target]->target, id, TTG_UUID_BYTES) == 0;
	     target++)
		found[n++] = notes->by_target[target];
	if (n > 1)
		qsort(found, n, sizeof(*found), compare_pointers);
	shown = n < max ? n : max;
	for (size_t i = 0; i < shown; i++)
		out[i] = found[n - shown + i]->event;
	free(found);
	return shown;
}
