/*
 * The release diary: what a difference in it becomes. Pure but for malloc. A new entry is
 * prison.release_scheduled, another value prison.release_changed with what was told before, a
 * vanished entry prison.release_cancelled; changes near the day are urgent.
 */
#include <stdio.h>
#include <string.h>
#include "base/instant.h"
#include "prison/extract.h"

#define NS_PER_HOUR INT64_C(3600000000000)

static const struct shape_alias kinds[] = {
	{ "CRD", TTG__RELEASE_KIND__RELEASE_KIND_CONDITIONAL },
	{ "ARD", TTG__RELEASE_KIND__RELEASE_KIND_CONDITIONAL },
	{ "licence", TTG__RELEASE_KIND__RELEASE_KIND_CONDITIONAL },
	{ "HDC", TTG__RELEASE_KIND__RELEASE_KIND_HOME_DETENTION_CURFEW },
	{ "curfew", TTG__RELEASE_KIND__RELEASE_KIND_HOME_DETENTION_CURFEW },
	{ "SED", TTG__RELEASE_KIND__RELEASE_KIND_SENTENCE_EXPIRY },
	{ "PRRD", TTG__RELEASE_KIND__RELEASE_KIND_END_OF_RECALL },
	{ NULL, 0 },
};

static const struct shape_alias reasons[] = {
	{ "sentence recalculated", TTG__RELEASE_CHANGE_REASON__RELEASE_CHANGE_RECALCULATED },
	{ "ADA", TTG__RELEASE_CHANGE_REASON__RELEASE_CHANGE_ADDED_DAYS },
	{ "RADA", TTG__RELEASE_CHANGE_REASON__RELEASE_CHANGE_RESTORED_DAYS },
	{ "error", TTG__RELEASE_CHANGE_REASON__RELEASE_CHANGE_ENTERED_IN_ERROR },
	{ NULL, 0 },
};

const struct shape_alias extract_address_kinds[] = {
	{ "NFA", TTG__ADDRESS_KIND__ADDRESS_KIND_NO_FIXED_ABODE },
	{ "family", TTG__ADDRESS_KIND__ADDRESS_KIND_FAMILY_OR_FRIENDS },
	{ "friends", TTG__ADDRESS_KIND__ADDRESS_KIND_FAMILY_OR_FRIENDS },
	{ "hostel", TTG__ADDRESS_KIND__ADDRESS_KIND_SUPPORTED },
	{ "AP", TTG__ADDRESS_KIND__ADDRESS_KIND_APPROVED_PREMISES },
	{ NULL, 0 },
};

static const struct extract_column columns[] = {
	{ { "prison_number", "noms,noms number,nomis number,prisoner number,prison no,offender no",
	    true },
	  SHAPE_TEXT,
	  NULL,
	  NULL },
	{ { "release_date", "date of release,release,discharge date", true },
	  SHAPE_DATE,
	  NULL,
	  NULL },
	{ { "release_clock", "release time,time of release,time,discharge time", false },
	  SHAPE_CLOCK,
	  NULL,
	  NULL },
	{ { "kind", "release kind,release type,type of release", false },
	  SHAPE_WORD,
	  &ttg__release_kind__descriptor,
	  kinds },
	{ { "prison_code", "prison,establishment,prison id", true }, SHAPE_CODE, NULL, NULL },
	{ { "gate", "release gate", false }, SHAPE_TEXT, NULL, NULL },
	{ { "area", "local authority,release area", false }, SHAPE_TEXT, NULL, NULL },
	{ { "area_code", "local authority code,ons code", false }, SHAPE_CODE, NULL, NULL },
	{ { "certainty", "status", false }, SHAPE_WORD, &ttg__release_certainty__descriptor, NULL },
	{ { "licence_end_date", "licence end,led,licence expiry", false }, SHAPE_DATE, NULL, NULL },
	{ { "discharge_grant", "grant", false }, SHAPE_ANSWER, NULL, NULL },
	{ { "travel_warrant", "warrant", false }, SHAPE_ANSWER, NULL, NULL },
	{ { "diary_reference", "reference,entry,diary id", false }, SHAPE_TEXT, NULL, NULL },
	{ { "reason", "change reason", false },
	  SHAPE_WORD,
	  &ttg__release_change_reason__descriptor,
	  reasons },
	EXTRACT_ADDRESS_COLUMNS,
};

static int word_of(const ProtobufCEnumDescriptor *words, const json_t *values, const char *column)
{
	const ProtobufCEnumValue *found =
	        protobuf_c_enum_descriptor_get_value_by_name(words, extract_value(values, column));

	return found == NULL ? 0 : found->value;
}

static Ttg__ReleaseKind kind_of(const json_t *values)
{
	return (Ttg__ReleaseKind)word_of(&ttg__release_kind__descriptor, values, "kind");
}

static Ttg__Answer answer_of(const json_t *values, const char *column)
{
	const char *text = extract_value(values, column);

	if (*text == '\0')
		return TTG__ANSWER__ANSWER_UNSPECIFIED;
	return strcmp(text, "yes") == 0 ? TTG__ANSWER__ANSWER_YES : TTG__ANSWER__ANSWER_NO;
}

static bool is_near(const struct extract_change *change, const json_t *values)
{
	return values != NULL && extract_due_ns(&diary_kind, values) - change->seen_ns <=
	                                 change->prison->settings.urgent_hours * NS_PER_HOUR;
}

static Ttg__Urgency urgency_of(const struct extract_change *change)
{
	return is_near(change, change->before) || is_near(change, change->after)
	               ? TTG__URGENCY__URGENT
	               : TTG__URGENCY__PROMPT;
}

/* Sets the members that scheduled and changed events share, by the same names. */
#define SET_ENTRY(build, payload, values)                                                          \
	do {                                                                                       \
		build_text(build, &(payload)->release_date, "release_date",                        \
		           extract_value(values, "release_date"), BUILD_CODE_MAX);                 \
		build_text(build, &(payload)->release_clock, "release_clock",                      \
		           extract_value(values, "release_clock"), BUILD_CODE_MAX);                \
		(payload)->kind = kind_of(values);                                                 \
		build_code(build, &(payload)->prison_code, "prison_code",                          \
		           extract_value(values, "prison_code"));                                  \
		build_text(build, &(payload)->gate, "gate", extract_value(values, "gate"),         \
		           BUILD_NAME_MAX);                                                        \
		build_text(build, &(payload)->area, "area", extract_value(values, "area"),         \
		           BUILD_NAME_MAX);                                                        \
		build_code(build, &(payload)->area_code, "area_code",                              \
		           extract_value(values, "area_code"));                                    \
		build_text(build, &(payload)->diary_reference, "diary_reference",                  \
		           extract_value(values, "diary_reference"), 64);                          \
	} while (false)

#define SET_PLANS(build, payload, values)                                                          \
	do {                                                                                       \
		(payload)->certainty = (Ttg__ReleaseCertainty)word_of(                             \
		        &ttg__release_certainty__descriptor, values, "certainty");                 \
		build_text(build, &(payload)->licence_end_date, "licence_end_date",                \
		           extract_value(values, "licence_end_date"), BUILD_CODE_MAX);             \
		(payload)->discharge_grant = answer_of(values, "discharge_grant");                 \
		(payload)->travel_warrant = answer_of(values, "travel_warrant");                   \
		extract_address(build, &(payload)->release_address, values);                       \
	} while (false)

static enum ttg_error scheduled(const struct extract_change *change, struct intake *intake,
                                struct message *message)
{
	struct build build;
	Ttg__PrisonReleaseScheduled *payload = build_begin(&build, "prison.release_scheduled",
	                                                   change->prison->agency, change->seen_ns);

	extract_envelope(change, &build);
	if (payload != NULL) {
		SET_ENTRY(&build, payload, change->after);
		SET_PLANS(&build, payload, change->after);
	}
	return extract_finish(change, &build, intake, message);
}

static Ttg__ReleaseChangeReason reason_of(const struct extract_change *change)
{
	const json_t *after = change->after == NULL ? change->before : change->after;
	int reason = word_of(&ttg__release_change_reason__descriptor, after, "reason");

	if (reason == 0 && change->after != NULL &&
	    strcmp(extract_value(change->before, "prison_code"),
	           extract_value(change->after, "prison_code")) != 0)
		return TTG__RELEASE_CHANGE_REASON__RELEASE_CHANGE_TRANSFER;
	return (Ttg__ReleaseChangeReason)reason;
}

static enum ttg_error changed(const struct extract_change *change, struct intake *intake,
                              struct message *message)
{
	struct build build;
	const json_t *before = change->before;
	Ttg__PrisonReleaseChanged *payload = build_begin(&build, "prison.release_changed",
	                                                 change->prison->agency, change->seen_ns);

	extract_envelope(change, &build);
	if (payload != NULL) {
		build.event->urgency = urgency_of(change);
		SET_ENTRY(&build, payload, change->after);
		SET_PLANS(&build, payload, change->after);
		payload->reason = reason_of(change);
		payload->old_kind = kind_of(before);
		build_text(&build, &payload->old_release_date, "release_date",
		           extract_value(before, "release_date"), BUILD_CODE_MAX);
		build_text(&build, &payload->old_release_clock, "release_clock",
		           extract_value(before, "release_clock"), BUILD_CODE_MAX);
		build_code(&build, &payload->old_prison_code, "prison_code",
		           extract_value(before, "prison_code"));
		build_text(&build, &payload->old_gate, "gate", extract_value(before, "gate"),
		           BUILD_NAME_MAX);
		build_text(&build, &payload->old_area, "area", extract_value(before, "area"),
		           BUILD_NAME_MAX);
		build_code(&build, &payload->old_area_code, "area_code",
		           extract_value(before, "area_code"));
	}
	return extract_finish(change, &build, intake, message);
}

static enum ttg_error cancelled(const struct extract_change *change, struct intake *intake,
                                struct message *message)
{
	struct build build;
	Ttg__PrisonReleaseCancelled *payload = build_begin(&build, "prison.release_cancelled",
	                                                   change->prison->agency, change->seen_ns);

	extract_envelope(change, &build);
	if (payload != NULL) {
		build.event->urgency = urgency_of(change);
		SET_ENTRY(&build, payload, change->before);
		payload->reason = reason_of(change);
	}
	return extract_finish(change, &build, intake, message);
}

static enum ttg_error publish(const struct extract_change *change, struct intake *intake,
                              struct message *message)
{
	if (change->before == NULL)
		return scheduled(change, intake, message);
	return change->after == NULL ? cancelled(change, intake, message)
	                             : changed(change, intake, message);
}

static bool stands(const json_t *values)
{
	(void)values;
	return true;
}

const struct extract_kind diary_kind = {
	.name = "diary",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(*columns),
	.reference = "diary_reference",
	.date = "release_date",
	.clock = "release_clock",
	.publish = publish,
	.stands = stands,
};
