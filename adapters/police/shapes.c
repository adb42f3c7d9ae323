/*
 * The police's own shapes: which member becomes which field. The two schema files beside this one
 * say the same to people and to other programs; a test holds the three together.
 */
#include "police/police.h"

#define FIELD(key, type, message, field)                                                           \
	{                                                                                          \
		key, type, false, offsetof(message, field), 0, 0, NULL, NULL, NULL                 \
	}
#define MUST(key, type, message, field)                                                            \
	{                                                                                          \
		key, type, true, offsetof(message, field), 0, 0, NULL, NULL, NULL                  \
	}
#define TEXT(key, message, field, max)                                                             \
	{                                                                                          \
		key, SHAPE_TEXT, false, offsetof(message, field), 0, max, NULL, NULL, NULL         \
	}
#define MUST_TEXT(key, message, field, max)                                                        \
	{                                                                                          \
		key, SHAPE_TEXT, true, offsetof(message, field), 0, max, NULL, NULL, NULL          \
	}
#define WORD(key, must, message, field, words, aliases)                                            \
	{                                                                                          \
		key, SHAPE_WORD, must, offsetof(message, field), 0, 0, &words, aliases, NULL       \
	}
#define ELSEWHERE(key, must)                                                                       \
	{                                                                                          \
		key, SHAPE_ELSEWHERE, must, 0, 0, 0, NULL, NULL, NULL                              \
	}
#define OFFENCES(message)                                                                          \
	{                                                                                          \
		"offences", SHAPE_MESSAGES, false, offsetof(message, offences),                    \
		        offsetof(message, n_offences), 0, NULL, NULL, &police_offence_shape        \
	}
#define COUNT_OF(table) (sizeof(table) / sizeof(*(table)))

static const struct shape_alias disposition_aliases[] = {
	{ "NFA", TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION },
	{ "RUI", TTG__DISPOSITION__DISPOSITION_RELEASED_UNDER_INVESTIGATION },
	{ "REMANDED_IN_CUSTODY", TTG__DISPOSITION__DISPOSITION_REMANDED },
	{ NULL, 0 },
};

static const struct shape_alias basis_aliases[] = {
	{ "PNC", TTG__MATCH_BASIS__MATCH_BASIS_PNC_ID },
	{ "LIVESCAN", TTG__MATCH_BASIS__MATCH_BASIS_FINGERPRINT },
	{ NULL, 0 },
};

const struct shape_field police_person_fields[] = {
	ELSEWHERE("pncId", false),        ELSEWHERE("croNumber", false), ELSEWHERE("asn", false),
	ELSEWHERE("prisonNumber", false), ELSEWHERE("crn", false),
};
const size_t police_person_fields_n = COUNT_OF(police_person_fields);

static const struct shape_field offence_fields[] = {
	WORD("category", false, Ttg__Offence, category, ttg__offence_category__descriptor, NULL),
	FIELD("cjsCode", SHAPE_CODE, Ttg__Offence, cjs_code),
	FIELD("npccCode", SHAPE_CODE, Ttg__Offence, npcc_code),
	FIELD("count", SHAPE_COUNT, Ttg__Offence, offence_count),
	FIELD("date", SHAPE_DATE, Ttg__Offence, offence_date),
};
const struct shape police_offence_shape = { &ttg__offence__descriptor, offence_fields,
	                                    COUNT_OF(offence_fields) };

static const struct shape_field arrest_fields[] = {
	ELSEWHERE("person", true),
	MUST_TEXT("alertId", Ttg__PoliceArrest, alert_id, 64),
	MUST("force", SHAPE_CODE, Ttg__PoliceArrest, force_code),
	MUST("station.code", SHAPE_CODE, Ttg__PoliceArrest, station_code),
	TEXT("station.name", Ttg__PoliceArrest, station_name, BUILD_NAME_MAX),
	MUST("arrestedAt", SHAPE_TIME, Ttg__PoliceArrest, arrested_at),
	FIELD("detainedAt", SHAPE_TIME, Ttg__PoliceArrest, detained_at),
	OFFENCES(Ttg__PoliceArrest),
	TEXT("custodyRecord", Ttg__PoliceArrest, custody_record, 64),
	TEXT("custodyTelephone", Ttg__PoliceArrest, custody_telephone, 64),
	WORD("match.basis", true, Ttg__PoliceArrest, match_basis, ttg__match_basis__descriptor,
	     basis_aliases),
	WORD("match.confidence", false, Ttg__PoliceArrest, confidence,
	     ttg__match_confidence__descriptor, NULL),
	TEXT("match.subscription", Ttg__PoliceArrest, subscription_id, 64),
	{ "warningSignals", SHAPE_CODES, false, offsetof(Ttg__PoliceArrest, warning_signal_code),
	  offsetof(Ttg__PoliceArrest, n_warning_signal_code), 0, NULL, NULL, NULL },
	MUST("query.reasonCode", SHAPE_CODE, Ttg__PoliceArrest, reason_code),
	MUST_TEXT("query.justification", Ttg__PoliceArrest, justification, 1000),
};

static const struct shape_field custody_fields[] = {
	ELSEWHERE("person", true),
	MUST_TEXT("alertId", Ttg__PoliceCustodyUpdate, alert_id, 64),
	MUST("force", SHAPE_CODE, Ttg__PoliceCustodyUpdate, force_code),
	WORD("disposition", true, Ttg__PoliceCustodyUpdate, disposition,
	     ttg__disposition__descriptor, disposition_aliases),
	MUST("disposedAt", SHAPE_TIME, Ttg__PoliceCustodyUpdate, disposed_at),
	FIELD("releasedAt", SHAPE_TIME, Ttg__PoliceCustodyUpdate, released_at),
	FIELD("chargedAt", SHAPE_TIME, Ttg__PoliceCustodyUpdate, charged_at),
	FIELD("nextCourt.date", SHAPE_DATE, Ttg__PoliceCustodyUpdate, next_court_date),
	FIELD("nextCourt.clock", SHAPE_CLOCK, Ttg__PoliceCustodyUpdate, next_court_clock),
	FIELD("nextCourt.code", SHAPE_CODE, Ttg__PoliceCustodyUpdate, next_court_code),
	TEXT("nextCourt.name", Ttg__PoliceCustodyUpdate, next_court_name, BUILD_NAME_MAX),
	FIELD("bailReturn.date", SHAPE_DATE, Ttg__PoliceCustodyUpdate, bail_return_date),
	FIELD("bailReturn.clock", SHAPE_CLOCK, Ttg__PoliceCustodyUpdate, bail_return_clock),
	OFFENCES(Ttg__PoliceCustodyUpdate),
	FIELD("station.code", SHAPE_CODE, Ttg__PoliceCustodyUpdate, station_code),
	TEXT("custodyRecord", Ttg__PoliceCustodyUpdate, custody_record, 64),
	FIELD("toForce", SHAPE_CODE, Ttg__PoliceCustodyUpdate, to_force_code),
	FIELD("conditions", SHAPE_ANSWER, Ttg__PoliceCustodyUpdate, conditions),
	WORD("confidence", false, Ttg__PoliceCustodyUpdate, confidence,
	     ttg__match_confidence__descriptor, NULL),
};

static const struct shape_field encounter_fields[] = {
	ELSEWHERE("person", true),
	TEXT("alertId", Ttg__PoliceEncounter, alert_id, 64),
	MUST("force", SHAPE_CODE, Ttg__PoliceEncounter, force_code),
	MUST_TEXT("place", Ttg__PoliceEncounter, place, 256),
	WORD("concern", true, Ttg__PoliceEncounter, concern, ttg__encounter_concern__descriptor,
	     NULL),
	FIELD("pleaseCollect", SHAPE_FLAG, Ttg__PoliceEncounter, please_collect),
	MUST_TEXT("callBackNumber", Ttg__PoliceEncounter, call_back_number, 64),
	MUST("encounteredAt", SHAPE_TIME, Ttg__PoliceEncounter, encountered_at),
	FIELD("waitUntil", SHAPE_TIME, Ttg__PoliceEncounter, wait_until_at),
	TEXT("incidentReference", Ttg__PoliceEncounter, incident_reference, 64),
	WORD("match.basis", false, Ttg__PoliceEncounter, match_basis, ttg__match_basis__descriptor,
	     basis_aliases),
	WORD("match.confidence", false, Ttg__PoliceEncounter, confidence,
	     ttg__match_confidence__descriptor, NULL),
	MUST("query.reasonCode", SHAPE_CODE, Ttg__PoliceEncounter, reason_code),
	MUST_TEXT("query.justification", Ttg__PoliceEncounter, justification, 1000),
};

static const struct shape_field iom_fields[] = {
	ELSEWHERE("person", true),
	ELSEWHERE("recordedAt", true),
	MUST("force", SHAPE_CODE, Ttg__PoliceIomStatus, force_code),
	WORD("status", true, Ttg__PoliceIomStatus, status, ttg__iom_status__descriptor, NULL),
	WORD("category", false, Ttg__PoliceIomStatus, category, ttg__iom_category__descriptor,
	     NULL),
	FIELD("lead.agency", SHAPE_CODE, Ttg__PoliceIomStatus, lead_agency),
	TEXT("lead.name", Ttg__PoliceIomStatus, lead_name, BUILD_NAME_MAX),
	MUST("fromDate", SHAPE_DATE, Ttg__PoliceIomStatus, from_date),
	FIELD("reviewDate", SHAPE_DATE, Ttg__PoliceIomStatus, review_date),
	FIELD("reason.code", SHAPE_CODE, Ttg__PoliceIomStatus, reason_code),
	TEXT("reason.description", Ttg__PoliceIomStatus, reason_description, BUILD_NAME_MAX),
};

static const struct shape_field flag_fields[] = {
	ELSEWHERE("person", true),
	ELSEWHERE("requestEventId", false),
	MUST_TEXT("requestId", Ttg__PolicePncFlag, request_id, 64),
	MUST("force", SHAPE_CODE, Ttg__PolicePncFlag, force_code),
	WORD("outcome", true, Ttg__PolicePncFlag, outcome, ttg__flag_outcome__descriptor, NULL),
	TEXT("flagReference", Ttg__PolicePncFlag, flag_reference, 64),
	TEXT("contactNumber", Ttg__PolicePncFlag, contact_number, 64),
	FIELD("untilDate", SHAPE_DATE, Ttg__PolicePncFlag, until_date),
	MUST("doneAt", SHAPE_TIME, Ttg__PolicePncFlag, done_at),
	FIELD("reason.code", SHAPE_CODE, Ttg__PolicePncFlag, reason_code),
	TEXT("reason.description", Ttg__PolicePncFlag, reason_description, BUILD_NAME_MAX),
};

const struct police_shape police_shapes[] = {
	{ "arrest",
	  "police.arrest",
	  "arrestedAt",
	  TTG__URGENCY__URGENT,
	  { &ttg__police_arrest__descriptor, arrest_fields, COUNT_OF(arrest_fields) } },
	{ "custodyUpdate",
	  "police.custody_update",
	  "disposedAt",
	  TTG__URGENCY__URGENT,
	  { &ttg__police_custody_update__descriptor, custody_fields, COUNT_OF(custody_fields) } },
	{ "encounter",
	  "police.encounter",
	  "encounteredAt",
	  TTG__URGENCY__URGENT,
	  { &ttg__police_encounter__descriptor, encounter_fields, COUNT_OF(encounter_fields) } },
	{ "iomStatus",
	  "police.iom_status",
	  "recordedAt",
	  TTG__URGENCY__ROUTINE,
	  { &ttg__police_iom_status__descriptor, iom_fields, COUNT_OF(iom_fields) } },
	{ "flagAnswer",
	  "police.pnc_flag",
	  "doneAt",
	  TTG__URGENCY__ROUTINE,
	  { &ttg__police_pnc_flag__descriptor, flag_fields, COUNT_OF(flag_fields) } },
};
const size_t police_shapes_n = COUNT_OF(police_shapes);
