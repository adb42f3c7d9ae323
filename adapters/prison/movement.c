/*
 * Movements: what the prison system's domain events mean. Pure but for malloc.
 *
 * The prison system says "received" and "released" for every crossing of the gate. Who is free,
 * who is at court and who is only a record that was tidied up is told apart here, by the reason
 * and, where there is one, by the movement reason code, which is the more exact of the two.
 * "prison-offender-events" tells a movement 45 minutes later, if it still stands: the settled
 * view. "prisoner-offender-search" tells it at once: the immediate view.
 */
#include <stdio.h>
#include <string.h>
#include "prison/prison.h"

#define IMMEDIATE_PREFIX "prisoner-offender-search."
#define SETTLED_PREFIX   "prison-offender-events."
#define REASON_BYTES     160

struct movement {
	const struct prison *prison;
	struct domain_event *event;
	struct intake *intake;
	struct message *message;
	Ttg__MovementView view;
	const char *reason; /* "" when there is none */
	const char *code;   /* movement reason code; "" when there is none */
	char rooms[2][32];
};

typedef enum ttg_error movement_handler(struct movement *movement);

/* Movement reason codes under which "released" does not mean free. NOMIS movement reasons. */
static const struct {
	const char *code;
	Ttg__ReleaseReason reason;
} not_free[] = {
	{ "DEC", TTG__RELEASE_REASON__RELEASE_REASON_DIED },
	{ "UAL", TTG__RELEASE_REASON__RELEASE_REASON_ABSCONDED },
	{ "UAL_ECL", TTG__RELEASE_REASON__RELEASE_REASON_ABSCONDED },
	{ "ESCP", TTG__RELEASE_REASON__RELEASE_REASON_ABSCONDED },
	{ "MRG", TTG__RELEASE_REASON__RELEASE_REASON_RECORD_MERGED },
	{ "DD", TTG__RELEASE_REASON__RELEASE_REASON_IMMIGRATION },
	{ "DE", TTG__RELEASE_REASON__RELEASE_REASON_IMMIGRATION },
	{ "DL", TTG__RELEASE_REASON__RELEASE_REASON_IMMIGRATION },
	{ "HO", TTG__RELEASE_REASON__RELEASE_REASON_HOSPITAL },
	{ "HP", TTG__RELEASE_REASON__RELEASE_REASON_HOSPITAL },
	{ "HQ", TTG__RELEASE_REASON__RELEASE_REASON_HOSPITAL },
};

/* Reasons of "released" that are absences: he is out, and still the prison's. */
static const struct {
	const char *reason;
	Ttg__AbsenceKind kind;
} absences[] = {
	{ "TEMPORARY_ABSENCE_RELEASE", TTG__ABSENCE_KIND__ABSENCE_KIND_TEMPORARY },
	{ "RELEASED_TO_HOSPITAL", TTG__ABSENCE_KIND__ABSENCE_KIND_HOSPITAL },
	{ "SENT_TO_COURT", TTG__ABSENCE_KIND__ABSENCE_KIND_COURT },
	{ "TRANSFERRED", TTG__ABSENCE_KIND__ABSENCE_KIND_TRANSFER },
};

static const struct {
	const char *reason;
	Ttg__ReceptionReason as;
	Ttg__AbsenceKind ends; /* the absence that is over; unspecified: none */
	bool receives;         /* he is new to this prison */
} receptions[] = {
	{ "NEW_ADMISSION", TTG__RECEPTION_REASON__RECEPTION_REASON_NEW_ADMISSION, 0, true },
	{ "ADMISSION", TTG__RECEPTION_REASON__RECEPTION_REASON_NEW_ADMISSION, 0, true },
	{ "READMISSION", TTG__RECEPTION_REASON__RECEPTION_REASON_READMISSION, 0, true },
	{ "READMISSION_SWITCH_BOOKING",
	  TTG__RECEPTION_REASON__RECEPTION_REASON_READMISSION_SWITCH_BOOKING, 0, true },
	{ "POST_MERGE_ADMISSION", TTG__RECEPTION_REASON__RECEPTION_REASON_POST_MERGE_ADMISSION, 0,
	  true },
	{ "RECALL", TTG__RECEPTION_REASON__RECEPTION_REASON_RECALL, 0, true },
	{ "TRANSFERRED", TTG__RECEPTION_REASON__RECEPTION_REASON_TRANSFERRED,
	  TTG__ABSENCE_KIND__ABSENCE_KIND_TRANSFER, true },
	{ "RETURN_FROM_COURT", TTG__RECEPTION_REASON__RECEPTION_REASON_RETURN_FROM_COURT,
	  TTG__ABSENCE_KIND__ABSENCE_KIND_COURT, false },
	{ "TEMPORARY_ABSENCE_RETURN",
	  TTG__RECEPTION_REASON__RECEPTION_REASON_TEMPORARY_ABSENCE_RETURN,
	  TTG__ABSENCE_KIND__ABSENCE_KIND_TEMPORARY, false },
};

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static const char *field(const struct movement *movement, const char *name, char room[32])
{
	const char *text = domain_event_field(movement->event, name, room);

	return text == NULL ? "" : text;
}

static Ttg__PrisonLocation location_of(const struct movement *movement)
{
	char room[32];
	const char *text = field(movement, "currentLocation", room);

	if (is(text, "IN_PRISON"))
		return TTG__PRISON_LOCATION__PRISON_LOCATION_IN_PRISON;
	if (is(text, "OUTSIDE_PRISON"))
		return TTG__PRISON_LOCATION__PRISON_LOCATION_OUTSIDE_PRISON;
	if (is(text, "BEING_TRANSFERRED"))
		return TTG__PRISON_LOCATION__PRISON_LOCATION_BEING_TRANSFERRED;
	return TTG__PRISON_LOCATION__PRISON_LOCATION_UNSPECIFIED;
}

static Ttg__Answer care_of(const struct movement *movement)
{
	char room[32];
	const char *text = field(movement, "currentPrisonStatus", room);

	if (is(text, "UNDER_PRISON_CARE"))
		return TTG__ANSWER__ANSWER_YES;
	return is(text, "NOT_UNDER_PRISON_CARE") ? TTG__ANSWER__ANSWER_NO
	                                         : TTG__ANSWER__ANSWER_UNSPECIFIED;
}

static void *begin(struct movement *movement, struct build *build, const char *type,
                   Ttg__Urgency urgency)
{
	void *payload =
	        build_begin(build, type, movement->prison->agency, movement->event->occurred_ns);

	domain_event_envelope(movement->event, build);
	if (payload != NULL)
		build->event->urgency = urgency;
	return payload;
}

static enum ttg_error finish(const struct movement *movement, struct build *build)
{
	char reason[REASON_BYTES];

	snprintf(reason, sizeof(reason), "%s/%s", movement->reason, movement->code);
	return domain_event_finish(movement->event, build, movement->intake, reason,
	                           movement->message);
}

static enum ttg_error absence(struct movement *movement, Ttg__AbsenceKind kind)
{
	struct build build;
	char room[32];
	Ttg__PrisonAbsence *payload =
	        begin(movement, &build, "prison.absence", TTG__URGENCY__ROUTINE);

	if (payload != NULL) {
		payload->kind = kind;
		payload->view = movement->view;
		build_code(&build, &payload->prison_code, "prisonId",
		           field(movement, "prisonId", room));
		build_code(&build, &payload->movement_reason_code, "nomisMovementReasonCode",
		           movement->code);
		build_time_ns(&build, &payload->left_at, movement->event->occurred_ns,
		              movement->event->occurred);
	}
	return finish(movement, &build);
}

static enum ttg_error absence_ended(struct movement *movement, Ttg__AbsenceKind kind,
                                    Ttg__AbsenceOutcome outcome)
{
	struct build build;
	char room[32];
	Ttg__PrisonAbsenceEnded *payload =
	        begin(movement, &build, "prison.absence_ended", TTG__URGENCY__ROUTINE);

	if (payload != NULL) {
		payload->kind = kind;
		payload->outcome = outcome;
		payload->view = movement->view;
		build_code(&build, &payload->prison_code, "prisonId",
		           field(movement, "prisonId", room));
		build_code(&build, &payload->movement_reason_code, "nomisMovementReasonCode",
		           movement->code);
		build_time_ns(&build, &payload->ended_at, movement->event->occurred_ns,
		              movement->event->occurred);
	}
	return finish(movement, &build);
}

static Ttg__Answer return_to_custody(Ttg__ReceptionReason reason)
{
	if (reason == TTG__RECEPTION_REASON__RECEPTION_REASON_RECALL ||
	    reason == TTG__RECEPTION_REASON__RECEPTION_REASON_READMISSION)
		return TTG__ANSWER__ANSWER_YES;
	return TTG__ANSWER__ANSWER_UNSPECIFIED;
}

static enum ttg_error reception(struct movement *movement, Ttg__ReceptionReason reason)
{
	struct build build;
	char room[32];
	Ttg__PrisonReception *payload =
	        begin(movement, &build, "prison.reception", TTG__URGENCY__PROMPT);

	if (payload != NULL) {
		payload->reason = reason;
		payload->view = movement->view;
		payload->location = location_of(movement);
		payload->under_prison_care = care_of(movement);
		payload->return_to_custody = return_to_custody(reason);
		build_code(&build, &payload->prison_code, "prisonId",
		           field(movement, "prisonId", room));
		build_code(&build, &payload->movement_reason_code, "nomisMovementReasonCode",
		           movement->code);
		build_time_ns(&build, &payload->received_at, movement->event->occurred_ns,
		              movement->event->occurred);
	}
	return finish(movement, &build);
}

static enum ttg_error on_received(struct movement *movement)
{
	size_t n = sizeof(receptions) / sizeof(*receptions), i = 0;
	enum ttg_error error = TTG_OK;

	while (i < n && !is(movement->reason, receptions[i].reason))
		i++;
	if (i == n)
		return reception(movement, TTG__RECEPTION_REASON__RECEPTION_REASON_UNKNOWN);
	if (receptions[i].ends != TTG__ABSENCE_KIND__ABSENCE_KIND_UNSPECIFIED)
		error = absence_ended(movement, receptions[i].ends,
		                      receptions[i].receives
		                              ? TTG__ABSENCE_OUTCOME__ABSENCE_OUTCOME_ARRIVED
		                              : TTG__ABSENCE_OUTCOME__ABSENCE_OUTCOME_RETURNED);
	if (error == TTG_OK && receptions[i].receives)
		error = reception(movement, receptions[i].as);
	return error;
}

/* Why he left, and whether he walks free. The code is believed before the reason's name. */
static Ttg__ReleaseReason reason_of(const struct movement *movement, bool *at_liberty)
{
	*at_liberty = false;
	for (size_t i = 0; i < sizeof(not_free) / sizeof(*not_free); i++) {
		if (is(movement->code, not_free[i].code))
			return not_free[i].reason;
	}
	if (!is(movement->reason, "RELEASED"))
		return TTG__RELEASE_REASON__RELEASE_REASON_UNKNOWN;
	*at_liberty =
	        care_of(movement) != TTG__ANSWER__ANSWER_YES &&
	        (location_of(movement) == TTG__PRISON_LOCATION__PRISON_LOCATION_UNSPECIFIED ||
	         location_of(movement) == TTG__PRISON_LOCATION__PRISON_LOCATION_OUTSIDE_PRISON);
	return TTG__RELEASE_REASON__RELEASE_REASON_RELEASED;
}

/* The second telling of a release that was told at once wakes nobody again. */
static Ttg__Urgency release_urgency(const struct movement *movement)
{
	bool told = movement->view == TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_SETTLED &&
	            (movement->prison->settings.views & PRISON_VIEW_IMMEDIATE) != 0;

	return told ? TTG__URGENCY__PROMPT : TTG__URGENCY__URGENT;
}

static enum ttg_error released(struct movement *movement, Ttg__ReleaseReason reason,
                               bool at_liberty)
{
	struct build build;
	char room[32];
	Ttg__PrisonReleased *payload =
	        begin(movement, &build, "prison.released", release_urgency(movement));

	if (payload != NULL) {
		payload->at_liberty = at_liberty;
		payload->reason = reason;
		payload->view = movement->view;
		payload->location = location_of(movement);
		payload->under_prison_care = care_of(movement);
		if (is(movement->code, "CR"))
			payload->kind = TTG__RELEASE_KIND__RELEASE_KIND_CONDITIONAL;
		build_code(&build, &payload->prison_code, "prisonId",
		           field(movement, "prisonId", room));
		build_code(&build, &payload->movement_reason_code, "nomisMovementReasonCode",
		           movement->code);
		build_time_ns(&build, &payload->released_at, movement->event->occurred_ns,
		              movement->event->occurred);
	}
	return finish(movement, &build);
}

static enum ttg_error on_released(struct movement *movement)
{
	bool at_liberty;
	Ttg__ReleaseReason reason;

	for (size_t i = 0; i < sizeof(absences) / sizeof(*absences); i++) {
		if (is(movement->reason, absences[i].reason))
			return absence(movement, absences[i].kind);
	}
	reason = reason_of(movement, &at_liberty);
	if (reason == TTG__RELEASE_REASON__RELEASE_REASON_HOSPITAL)
		return absence(movement, TTG__ABSENCE_KIND__ABSENCE_KIND_SECURE_HOSPITAL);
	return released(movement, reason, at_liberty);
}

static enum ttg_error on_restricted(struct movement *movement)
{
	return absence(movement, TTG__ABSENCE_KIND__ABSENCE_KIND_SECURE_HOSPITAL);
}

static enum ttg_error on_unrestricted(struct movement *movement)
{
	return absence_ended(movement, TTG__ABSENCE_KIND__ABSENCE_KIND_SECURE_HOSPITAL,
	                     TTG__ABSENCE_OUTCOME__ABSENCE_OUTCOME_UNSPECIFIED);
}

/* The fields say which number stays; the description next to them can say the reverse. */
static enum ttg_error on_merged(struct movement *movement)
{
	struct build build;
	char rooms[4][32];
	const char *surviving = field(movement, "nomsNumber", rooms[0]);
	const char *removed = field(movement, "removedNomsNumber", rooms[1]);
	Ttg__PrisonRecordMerged *payload;

	if (*surviving == '\0' || *removed == '\0')
		return message_set(movement->message, TTG_EFORMAT,
		                   "nomsNumber or removedNomsNumber is missing");
	payload = begin(movement, &build, "prison.record_merged", TTG__URGENCY__PROMPT);
	if (payload != NULL) {
		const char *booking = field(movement, "bookingNumber", rooms[2]);

		build_identifier(&build, &payload->surviving, IDENTIFIER_NOMS, surviving);
		build_identifier(&build, &payload->removed, IDENTIFIER_NOMS, removed);
		build_text(&build, &payload->booking_number, "bookingId",
		           *booking ? booking : field(movement, "bookingId", rooms[3]), 32);
		build_code(&build, &payload->reason_code, "reason", movement->reason);
		build_time_ns(&build, &payload->merged_at, movement->event->occurred_ns,
		              movement->event->occurred);
	}
	movement->code = removed; /* part of what the event means */
	return finish(movement, &build);
}

static enum ttg_error on_booking_moved(struct movement *movement)
{
	struct build build;
	char rooms[4][32], date[11] = "";
	const char *from = field(movement, "movedFromNomsNumber", rooms[0]);
	const char *to = field(movement, "movedToNomsNumber", rooms[1]);
	const char *start = field(movement, "bookingStartDateTime", rooms[2]);
	Ttg__PrisonBookingMoved *payload;

	if (*from == '\0' || *to == '\0')
		return message_set(movement->message, TTG_EFORMAT,
		                   "movedFromNomsNumber or movedToNomsNumber is missing");
	movement->event->noms = to;
	payload = begin(movement, &build, "prison.booking_moved", TTG__URGENCY__PROMPT);
	if (payload != NULL) {
		const char *booking = field(movement, "bookingNumber", rooms[3]);

		snprintf(date, sizeof(date), "%.10s", start);
		build_identifier(&build, &payload->moved_from, IDENTIFIER_NOMS, from);
		build_identifier(&build, &payload->moved_to, IDENTIFIER_NOMS, to);
		build_text(&build, &payload->booking_number, "bookingNumber",
		           *booking ? booking : field(movement, "bookingId", rooms[3]), 32);
		build_date(&build, &payload->booking_start_date, "bookingStartDateTime", date);
		build_time_ns(&build, &payload->moved_at, movement->event->occurred_ns,
		              movement->event->occurred);
	}
	movement->code = from;
	return finish(movement, &build);
}

static const struct {
	const char *type;
	movement_handler *handle;
	unsigned view; /* 0: belongs to neither */
} handlers[] = {
	{ IMMEDIATE_PREFIX "prisoner.received", on_received, PRISON_VIEW_IMMEDIATE },
	{ IMMEDIATE_PREFIX "prisoner.released", on_released, PRISON_VIEW_IMMEDIATE },
	{ SETTLED_PREFIX "prisoner.received", on_received, PRISON_VIEW_SETTLED },
	{ SETTLED_PREFIX "prisoner.released", on_released, PRISON_VIEW_SETTLED },
	{ SETTLED_PREFIX "prisoner.merged", on_merged, 0 },
	{ SETTLED_PREFIX "prisoner.booking.moved", on_booking_moved, 0 },
	{ "restricted-patients.patient.added", on_restricted, 0 },
	{ "restricted-patients.patient.removed", on_unrestricted, 0 },
};

static enum ttg_error read_known(struct movement *movement, movement_handler *handle, unsigned view)
{
	enum ttg_error error = domain_event_read(movement->event, movement->message);

	if (error != TTG_OK)
		return error;
	movement->reason = field(movement, "reason", movement->rooms[0]);
	movement->code = field(movement, "nomisMovementReasonCode", movement->rooms[1]);
	if (view == PRISON_VIEW_IMMEDIATE)
		movement->view = TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_IMMEDIATE;
	if (view == PRISON_VIEW_SETTLED)
		movement->view = TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_SETTLED;
	if (movement->event->noms == NULL && handle != on_booking_moved)
		return message_set(movement->message, TTG_EFORMAT,
		                   "names nobody: no NOMS number in any of the known places");
	return handle(movement);
}

enum ttg_error movement_read(const struct prison *prison, struct domain_event *event,
                             struct intake *intake, struct message *message)
{
	struct movement movement = {
		.prison = prison, .event = event, .intake = intake, .message = message
	};

	for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
		if (!is(event->type, handlers[i].type))
			continue;
		if (handlers[i].view != 0 && (prison->settings.views & handlers[i].view) == 0)
			break;
		return read_known(&movement, handlers[i].handle, handlers[i].view);
	}
	/* Unknown, thin (dates without a date), or of a view that is not published. */
	intake_ignore(intake, event->type);
	return TTG_OK;
}
