/* What events of both kinds of extract have in common: envelope, id, address. Pure but malloc. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "prison/extract.h"

void extract_envelope(const struct extract_change *change, struct build *build)
{
	const json_t *values = change->after == NULL ? change->before : change->after;

	if (build->error != TTG_OK)
		return;
	build_time_ns(build, &build->event->occurred_at, change->seen_ns, NULL);
	build_person(build, IDENTIFIER_NOMS, extract_value(values, "prison_number"));
	build->event->subject_category = TTG__SUBJECT_CATEGORY__CONVICTED;
}

enum ttg_error extract_finish(const struct extract_change *change, struct build *build,
                              struct intake *intake, struct message *message)
{
	const json_t *values = change->after == NULL ? change->before : change->after;
	char revision[24];
	const char *meaning[] = { "extract",
		                  ttg_type_name((size_t)build->type),
		                  change->key,
		                  revision,
		                  extract_value(values, "release_date"),
		                  extract_value(values, "release_clock"),
		                  extract_value(values, "board_date"),
		                  extract_value(values, "board_clock") };
	enum ttg_error error;

	snprintf(revision, sizeof(revision), "%" PRId64, change->revision);
	error = build_finish(build, intake, change->seen_ns, meaning,
	                     sizeof(meaning) / sizeof(*meaning));
	if (error != TTG_OK)
		*message = build->message;
	return error;
}

void extract_address(struct build *build, Ttg__Address **field, const json_t *values)
{
	static const char *const lines[] = { "address_1", "address_2", "address_3", "address_4" };
	const ProtobufCEnumValue *kind = protobuf_c_enum_descriptor_get_value_by_name(
	        &ttg__address_kind__descriptor, extract_value(values, "address_kind"));
	const char *confirmed = extract_value(values, "address_confirmed");
	Ttg__Address *address;

	if (extract_value(values, "address_1")[0] == '\0' &&
	    extract_value(values, "postcode")[0] == '\0' && kind == NULL)
		return;
	address = build_message(build, field, &ttg__address__descriptor);
	if (address == NULL)
		return;
	for (size_t i = 0; i < 4; i++)
		build_add_text(build, &address->n_lines, &address->lines, "address",
		               extract_value(values, lines[i]), BUILD_NAME_MAX);
	build_text(build, &address->town, "town", extract_value(values, "town"), BUILD_NAME_MAX);
	build_text(build, &address->postcode, "postcode", extract_value(values, "postcode"), 16);
	address->kind = kind == NULL ? TTG__ADDRESS_KIND__ADDRESS_KIND_UNSPECIFIED
	                             : (Ttg__AddressKind)kind->value;
	if (*confirmed != '\0')
		address->confirmed = strcmp(confirmed, "yes") == 0 ? TTG__ANSWER__ANSWER_YES
		                                                   : TTG__ANSWER__ANSWER_NO;
}
