/* Sentences for what the prison tells. Pure; see phrase.h. */
#include "oneservice/phrase.h"

static void reception(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonReception *it = event->prison_reception;

	sentence_add(out, "received at %s: ", words_prison(it->prison_code));
	words_add_enum(out, &ttg__reception_reason__descriptor, (int)it->reason);
	if (it->return_to_custody == TTG__ANSWER__ANSWER_YES)
		sentence_add(out, ", back in custody");
	if (it->sentence_days > 0)
		sentence_add(out, ", sentence %u days", it->sentence_days);
	words_add_if(out, ", out about ", it->expected_release_date);
}

static void scheduled(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonReleaseScheduled *it = event->prison_release_scheduled;

	sentence_add(out, "release set for");
	words_add_day(out, it->release_date, it->release_clock);
	sentence_add(out, " from %s", words_prison(it->prison_code));
	words_add_if(out, ", gate ", it->gate);
	words_add_if(out, ", goes to ", it->area);
}

static void changed(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonReleaseChanged *it = event->prison_release_changed;

	sentence_add(out, "release moved from");
	words_add_day(out, it->old_release_date, it->old_release_clock);
	sentence_add(out, " to");
	words_add_day(out, it->release_date, it->release_clock);
	sentence_add(out, ", %s", words_prison(it->prison_code));
	words_add_if(out, ", gate ", it->gate);
	if (words_enum_known(&ttg__release_change_reason__descriptor, (int)it->reason)) {
		sentence_add(out, ": ");
		words_add_enum(out, &ttg__release_change_reason__descriptor, (int)it->reason);
	}
}

static void cancelled(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonReleaseCancelled *it = event->prison_release_cancelled;

	sentence_add(out, "release off: not on");
	words_add_day(out, it->release_date, it->release_clock);
	sentence_add(out, ", %s", words_prison(it->prison_code));
	if (words_enum_known(&ttg__release_change_reason__descriptor, (int)it->reason)) {
		sentence_add(out, ": ");
		words_add_enum(out, &ttg__release_change_reason__descriptor, (int)it->reason);
	}
}

static void released(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonReleased *it = event->prison_released;

	sentence_add(out, it->at_liberty ? "RELEASED from %s" : "left %s, not at liberty: ",
	             words_prison(it->prison_code));
	if (!it->at_liberty)
		words_add_enum(out, &ttg__release_reason__descriptor, (int)it->reason);
	words_add_time(out, ", at ", it->released_at);
	words_add_if(out, ", goes to ", it->area);
	if (it->view == TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_IMMEDIATE)
		sentence_add(out, " (immediate)");
}

static void absence(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonAbsence *it = event->prison_absence;

	sentence_add(out, "away from %s: ", words_prison(it->prison_code));
	words_add_enum(out, &ttg__absence_kind__descriptor, (int)it->kind);
	words_add_time(out, ", expected back ", it->expected_return_at);
	if (!it->expected_return_at)
		words_add_if(out, ", expected back ", it->expected_return_date);
}

static void absence_ended(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonAbsenceEnded *it = event->prison_absence_ended;

	sentence_add(out, "absence over (");
	words_add_enum(out, &ttg__absence_kind__descriptor, (int)it->kind);
	sentence_add(out, "): ");
	words_add_enum(out, &ttg__absence_outcome__descriptor, (int)it->outcome);
	sentence_add(out, ", %s", words_prison(it->prison_code));
}

static void board_needs(struct sentence *out, const Ttg__PrisonDischargeBoard *board,
                        Ttg__BoardNeedState state, const char *before)
{
	size_t found = 0;

	for (size_t i = 0; i < board->n_needs; i++) {
		if (board->needs[i]->state != state)
			continue;
		sentence_add(out, "%s", found++ == 0 ? before : ", ");
		words_add_enum(out, &ttg__need_category__descriptor,
		               (int)board->needs[i]->category);
	}
}

static void discharge_board(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonDischargeBoard *it = event->prison_discharge_board;

	sentence_add(out, "discharge board ");
	words_add_enum(out, &ttg__board_status__descriptor, (int)it->status);
	words_add_day(out, it->board_date, it->board_clock);
	words_add_if(out, ", ", it->place);
	words_add_if(out, ", for the release of ", it->release_date);
	board_needs(out, it, TTG__BOARD_NEED_STATE__BOARD_NEED_STATE_UNMET, "; unmet: ");
	board_needs(out, it, TTG__BOARD_NEED_STATE__BOARD_NEED_STATE_ARRANGED, "; arranged: ");
}

static void risk_information(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonRiskInformation *it = event->prison_risk_information;

	sentence_add(out, "risk information");
	words_add_if(out, " as at ", it->as_at_date);
	if (words_enum_known(&ttg__risk_level__descriptor, (int)it->overall_level)) {
		sentence_add(out, ", overall ");
		words_add_enum(out, &ttg__risk_level__descriptor, (int)it->overall_level);
	}
	sentence_add(out, ": read it before you meet");
}

static void needs_screened(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonNeedsScreened *it = event->prison_needs_screened;

	sentence_add(out, "first screening in %s", words_prison(it->prison_code));
	words_add_needs(out, ": ", it->needs, it->n_needs);
}

static void access_decision(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonAccessDecision *it = event->prison_access_decision;

	sentence_add(out, "access to %s ", words_prison(it->prison_code));
	words_add_enum(out, &ttg__access_decision__descriptor, (int)it->decision);
	words_add_if(out, " for a worker of ", it->applicant_agency);
	words_add_if(out, ", until ", it->valid_until_date);
}

static void activity(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PrisonActivity *it = event->prison_activity;

	words_add_enum(out, &ttg__activity_kind__descriptor, (int)it->kind);
	words_add_if(out, " ", it->title);
	sentence_add(out, ": ");
	words_add_enum(out, &ttg__attendance__descriptor, (int)it->attendance);
}

const struct phrase phrases_prison[] = {
	{ TTG__EVENT__PAYLOAD_PRISON_RECEPTION, reception },
	{ TTG__EVENT__PAYLOAD_PRISON_RELEASE_SCHEDULED, scheduled },
	{ TTG__EVENT__PAYLOAD_PRISON_RELEASE_CHANGED, changed },
	{ TTG__EVENT__PAYLOAD_PRISON_RELEASE_CANCELLED, cancelled },
	{ TTG__EVENT__PAYLOAD_PRISON_RELEASED, released },
	{ TTG__EVENT__PAYLOAD_PRISON_ABSENCE, absence },
	{ TTG__EVENT__PAYLOAD_PRISON_ABSENCE_ENDED, absence_ended },
	{ TTG__EVENT__PAYLOAD_PRISON_DISCHARGE_BOARD, discharge_board },
	{ TTG__EVENT__PAYLOAD_PRISON_RISK_INFORMATION, risk_information },
	{ TTG__EVENT__PAYLOAD_PRISON_NEEDS_SCREENED, needs_screened },
	{ TTG__EVENT__PAYLOAD_PRISON_ACCESS_DECISION, access_decision },
	{ TTG__EVENT__PAYLOAD_PRISON_ACTIVITY, activity },
	{ 0, NULL },
};
