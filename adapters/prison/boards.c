/*
 * Discharge boards: what a difference in their extract becomes. Pure but for malloc. The column
 * "needs" tells the findings of a board that was held: "accommodation:unmet:Housing Options;
 * finance:arranged:jobcentre".
 */
#include <stdio.h>
#include <string.h>
#include "prison/extract.h"

#define NEED_BYTES 512

static const struct shape_alias states[] = {
	{ "planned", TTG__BOARD_STATUS__BOARD_STATUS_SCHEDULED },
	{ "completed", TTG__BOARD_STATUS__BOARD_STATUS_HELD },
	{ "done", TTG__BOARD_STATUS__BOARD_STATUS_HELD },
	{ "canceled", TTG__BOARD_STATUS__BOARD_STATUS_CANCELLED },
	{ NULL, 0 },
};

static const struct shape_alias needs[] = {
	{ "housing", TTG__NEED_CATEGORY__NEED_ACCOMMODATION },
	{ "finance", TTG__NEED_CATEGORY__NEED_FINANCE_BENEFIT_DEBT },
	{ "benefits", TTG__NEED_CATEGORY__NEED_FINANCE_BENEFIT_DEBT },
	{ "debt", TTG__NEED_CATEGORY__NEED_FINANCE_BENEFIT_DEBT },
	{ "employment", TTG__NEED_CATEGORY__NEED_EDUCATION_TRAINING_EMPLOYMENT },
	{ "education", TTG__NEED_CATEGORY__NEED_EDUCATION_TRAINING_EMPLOYMENT },
	{ "training", TTG__NEED_CATEGORY__NEED_EDUCATION_TRAINING_EMPLOYMENT },
	{ "drugs", TTG__NEED_CATEGORY__NEED_ADDICTION },
	{ "alcohol", TTG__NEED_CATEGORY__NEED_ADDICTION },
	{ "health", TTG__NEED_CATEGORY__NEED_HEALTH_WELLBEING },
	{ "family", TTG__NEED_CATEGORY__NEED_CHILDREN_FAMILIES },
	{ "children", TTG__NEED_CATEGORY__NEED_CHILDREN_FAMILIES },
	{ "attitudes", TTG__NEED_CATEGORY__NEED_ATTITUDES_THINKING_BEHAVIOUR },
	{ "it", TTG__NEED_CATEGORY__NEED_INFORMATION_TECHNOLOGY },
	{ NULL, 0 },
};

static const struct extract_column columns[] = {
	{ { "prison_number", "noms,noms number,nomis number,prisoner number,prison no,offender no",
	    true },
	  SHAPE_TEXT,
	  NULL,
	  NULL },
	{ { "board_date", "date of board,discharge board,discharge board date", true },
	  SHAPE_DATE,
	  NULL,
	  NULL },
	{ { "board_clock", "board time,time of board,time", false }, SHAPE_CLOCK, NULL, NULL },
	{ { "status", "board status", false }, SHAPE_WORD, &ttg__board_status__descriptor, states },
	{ { "prison_code", "prison,establishment,prison id", true }, SHAPE_CODE, NULL, NULL },
	{ { "place", "room,location", false }, SHAPE_TEXT, NULL, NULL },
	{ { "release_date", "date of release,release,discharge date", false },
	  SHAPE_DATE,
	  NULL,
	  NULL },
	{ { "needs", "findings", false }, SHAPE_TEXT, NULL, NULL },
	{ { "invited", "invited agencies,invitees", false }, SHAPE_TEXT, NULL, NULL },
	{ { "chair", "chaired by", false }, SHAPE_TEXT, NULL, NULL },
	{ { "chair_telephone", "chair phone", false }, SHAPE_TEXT, NULL, NULL },
	{ { "board_reference", "reference,board id", false }, SHAPE_TEXT, NULL, NULL },
	EXTRACT_ADDRESS_COLUMNS,
};

static bool same(const struct extract_change *change, const char *column)
{
	return strcmp(extract_value(change->before, column),
	              extract_value(change->after, column)) == 0;
}

static Ttg__BoardStatus written_status(const json_t *values)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value_by_name(
	        &ttg__board_status__descriptor, extract_value(values, "status"));

	return found == NULL ? TTG__BOARD_STATUS__BOARD_STATUS_UNSPECIFIED
	                     : (Ttg__BoardStatus)found->value;
}

/* What happened to the meeting: the extract's own word, else what the difference says. */
static Ttg__BoardStatus status_of(const struct extract_change *change)
{
	Ttg__BoardStatus written;

	if (change->after == NULL)
		return TTG__BOARD_STATUS__BOARD_STATUS_CANCELLED;
	written = written_status(change->after);
	if (written == TTG__BOARD_STATUS__BOARD_STATUS_HELD ||
	    written == TTG__BOARD_STATUS__BOARD_STATUS_CANCELLED)
		return written;
	if (change->before == NULL)
		return TTG__BOARD_STATUS__BOARD_STATUS_SCHEDULED;
	if (!same(change, "board_date") || !same(change, "board_clock") || !same(change, "place"))
		return TTG__BOARD_STATUS__BOARD_STATUS_RESCHEDULED;
	return TTG__BOARD_STATUS__BOARD_STATUS_SCHEDULED;
}

/* One finding: category:state or category:state:owner. Agency ids are told by their letters. */
static void add_need(struct build *build, Ttg__PrisonDischargeBoard *payload, char *text)
{
	char *state = strchr(text, ':');
	char *owner = state == NULL ? NULL : strchr(state + 1, ':');
	int category, found;
	Ttg__BoardNeed *need;

	if (state != NULL)
		*state++ = '\0';
	if (owner != NULL)
		*owner++ = '\0';
	if (state == NULL || !shape_word(&ttg__need_category__descriptor, needs, text, &category) ||
	    !shape_word(&ttg__board_need_state__descriptor, NULL, state, &found)) {
		build_fail(build, TTG_EFORMAT,
		           "needs: each is category:state or "
		           "category:state:owner, with \";\" between");
		return;
	}
	need = build_add_message(build, &payload->n_needs, &payload->needs,
	                         &ttg__board_need__descriptor);
	if (need == NULL)
		return;
	need->category = (Ttg__NeedCategory)category;
	need->state = (Ttg__BoardNeedState)found;
	if (owner == NULL)
		return;
	if (strspn(owner, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(owner))
		build_code(build, &need->owner_agency, "needs", owner);
	else
		build_text(build, &need->owner, "needs", owner, BUILD_NAME_MAX);
}

/* Splits at ";" and hands each part over without the blanks around it. */
static void each_part(struct build *build, Ttg__PrisonDischargeBoard *payload, const char *text,
                      void (*each)(struct build *, Ttg__PrisonDischargeBoard *, char *))
{
	char part[NEED_BYTES];

	while (*text != '\0') {
		size_t len = strcspn(text, ";");
		size_t skip = strspn(text, " ");

		snprintf(part, sizeof(part), "%.*s", (int)(len > skip ? len - skip : 0),
		         text + (len > skip ? skip : 0));
		for (size_t end = strlen(part); end > 0 && part[end - 1] == ' ';)
			part[--end] = '\0';
		if (part[0] != '\0')
			each(build, payload, part);
		text += len + (text[len] == ';');
	}
}

static void add_invited(struct build *build, Ttg__PrisonDischargeBoard *payload, char *text)
{
	build_add_text(build, &payload->n_invited_agency, &payload->invited_agency, "invited", text,
	               BUILD_CODE_MAX);
}

static void fill(struct build *build, Ttg__PrisonDischargeBoard *payload,
                 const struct extract_change *change)
{
	const json_t *values = change->after == NULL ? change->before : change->after;

	payload->status = status_of(change);
	build_text(build, &payload->board_date, "board_date", extract_value(values, "board_date"),
	           BUILD_CODE_MAX);
	build_text(build, &payload->board_clock, "board_clock",
	           extract_value(values, "board_clock"), BUILD_CODE_MAX);
	build_text(build, &payload->place, "place", extract_value(values, "place"), BUILD_NAME_MAX);
	build_code(build, &payload->prison_code, "prison_code",
	           extract_value(values, "prison_code"));
	build_text(build, &payload->release_date, "release_date",
	           extract_value(values, "release_date"), BUILD_CODE_MAX);
	build_text(build, &payload->board_reference, "board_reference",
	           extract_value(values, "board_reference"), 64);
	each_part(build, payload, extract_value(values, "invited"), add_invited);
	extract_address(build, &payload->release_address, values);
	if (payload->status == TTG__BOARD_STATUS__BOARD_STATUS_HELD)
		each_part(build, payload, extract_value(values, "needs"), add_need);
	if (payload->status == TTG__BOARD_STATUS__BOARD_STATUS_RESCHEDULED) {
		build_text(build, &payload->old_board_date, "board_date",
		           extract_value(change->before, "board_date"), BUILD_CODE_MAX);
		build_text(build, &payload->old_board_clock, "board_clock",
		           extract_value(change->before, "board_clock"), BUILD_CODE_MAX);
	}
	if (extract_value(values, "chair")[0] != '\0') {
		Ttg__Worker *chair =
		        build_message(build, &payload->chair, &ttg__worker__descriptor);

		if (chair == NULL)
			return;
		build_text(build, &chair->name, "chair", extract_value(values, "chair"),
		           BUILD_NAME_MAX);
		build_text(build, &chair->telephone, "chair_telephone",
		           extract_value(values, "chair_telephone"), 64);
	}
}

static enum ttg_error publish(const struct extract_change *change, struct intake *intake,
                              struct message *message)
{
	struct build build;
	Ttg__PrisonDischargeBoard *payload = build_begin(&build, "prison.discharge_board",
	                                                 change->prison->agency, change->seen_ns);

	extract_envelope(change, &build);
	if (payload != NULL)
		fill(&build, payload, change);
	return extract_finish(change, &build, intake, message);
}

/* A board that was held or called off leaves nothing to cancel when it vanishes. */
static bool stands(const json_t *values)
{
	Ttg__BoardStatus status = written_status(values);

	return status != TTG__BOARD_STATUS__BOARD_STATUS_HELD &&
	       status != TTG__BOARD_STATUS__BOARD_STATUS_CANCELLED;
}

const struct extract_kind boards_kind = {
	.name = "boards",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(*columns),
	.reference = "board_reference",
	.date = "board_date",
	.clock = "board_clock",
	.publish = publish,
	.stands = stands,
};
