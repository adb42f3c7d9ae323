/* Making and writing agreements; see agreed.h. One thread. */
#include "support/agreed.h"

#include "support/told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 131072

const char *const agreed_agencies[AGREED_AGENCIES] = { "prison", "police", "probation", "desk",
	                                               "mind" };
const char *const agreed_boxes[AGREED_BOXES] = { "in", "records" };
const char *const agreed_numbers[AGREED_NUMBERS] = { "NOMS", "PNC",         "CRO",     "CRN",
	                                             "ASN",  "CASE_NUMBER", "BOOKING", "OTHER" };

const char *const agreed_schemes[AGREED_SCHEMES] = { "pilot", "course" };
const char *const agreed_areas[AGREED_AREAS] = { "E06000031", "E07000008", "W06000015" };

static bool coin(struct random *random, uint32_t one_in)
{
	return random_below(random, one_in) == 0;
}

/* A path of existing names that begins at this message. */
static void make_path(struct random *it, const ProtobufCMessageDescriptor *message,
                      char out[AGREED_NAME])
{
	const ProtobufCFieldDescriptor *field;
	size_t used = 0;

	for (int depth = 0; depth < 4; depth++) {
		do {
			field = &message->fields[random_below(it, message->n_fields)];
		} while (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);
		used += (size_t)snprintf(out + used, AGREED_NAME - used, "%s%s", depth ? "." : "",
		                         field->name);
		if (field->type != PROTOBUF_C_TYPE_MESSAGE || coin(it, 2))
			return;
		message = field->descriptor;
	}
}

static void make_addressed(struct random *it, struct agreed_grant *grant)
{
	const ProtobufCMessageDescriptor *message = ttg_type_descriptor((size_t)grant->type);

	for (unsigned i = 0; i < message->n_fields; i++) {
		const char *name = message->fields[i].name;
		const size_t len = strlen(name);

		if (len > 7 && strcmp(name + len - 7, "_agency") == 0 &&
		    message->fields[i].label != PROTOBUF_C_LABEL_REPEATED && coin(it, 2))
			snprintf(grant->addressed_by, AGREED_NAME, "%s", name);
	}
}

/* Mostly one thing is asked, of few schemes: or it would hardly ever be so. */
static void make_when(struct random *it, struct agreed_when *when)
{
	static const unsigned int windows[] = { 0, 1, 5, 20 };

	const uint32_t one = random_below(it, 8), other = coin(it, 4) ? random_below(it, 8) : one;

	if (one < 4 || other < 4) {
		when->enrolled = true;
		when->agency = (int)random_below(it, 2);
		when->scheme = (int)random_below(it, AGREED_SCHEMES);
		when->window_days = windows[random_below(it, 4)];
	}
	when->referral = one == 4 || other == 4;
	when->risk_at_most = one == 5 || other == 5 ? 1 + (int)random_below(it, 4) : 0;
	when->custody = one == 6 || other == 6 ? 1 + (int)random_below(it, 2) : 0;
	for (int i = 0; i < AGREED_AREAS && (one == 7 || other == 7); i++) {
		if (coin(it, 2))
			when->areas[when->n_areas++] = agreed_areas[i];
	}
	when->asked = when->enrolled || when->referral || when->risk_at_most != 0 || when->custody != 0 ||
		      when->n_areas > 0;
}

static void make_grant(struct random *it, const struct agreed *set, struct agreed_grant *grant)
{
	const uint32_t n = random_below(it, AGREED_NAMES_MAX);

	memset(grant, 0, sizeof(*grant));
	grant->agency = (int)random_below(it, AGREED_AGENCIES);
	grant->box = (int)random_below(it, 2);
	grant->type = set->types[random_below(it, AGREED_TYPES)];
	for (int i = 0; i < AGREED_AGENCIES; i++)
		grant->from[i] = coin(it, 2);
	grant->from[random_below(it, AGREED_AGENCIES)] = true;
	grant->whole = coin(it, 4);
	if (coin(it, 4))
		make_addressed(it, grant);
	if (coin(it, 2))
		make_when(it, &grant->when);
	if (grant->whole)
		return;
	for (uint32_t i = 0; i < n; i++)
		make_path(it, ttg_type_descriptor((size_t)grant->type),
		          grant->fields[grant->n_fields++]);
	for (uint32_t i = 0; i < random_below(it, 4); i++) {
		make_path(it, &ttg__event__descriptor, grant->envelope[grant->n_envelope]);
		/* The nonce goes with whole events only. */
		grant->n_envelope += strcmp(grant->envelope[grant->n_envelope], "nonce") != 0;
	}
	for (uint32_t i = 0; i < 8; i++)
		grant->kinds |= coin(it, 4) ? 1u << i : 0;
}

static bool same_route(const struct agreed_agreement *agreement, const struct agreed_grant *grant)
{
	for (size_t i = 0; i < agreement->n_grants; i++) {
		const struct agreed_grant *other = &agreement->grants[i];

		if (other->agency == grant->agency && other->box == grant->box &&
		    other->type == grant->type)
			return true;
	}
	return false;
}

void agreed_make(struct agreed *set, struct random *it)
{
	size_t broker = 0;

	while (strncmp(ttg_type_name(broker), "broker.", 7) != 0)
		broker++;
	memset(set, 0, sizeof(*set));
	for (size_t i = 0; i < AGREED_TYPES; i++)
		set->types[i] = (int)random_below(it, (uint32_t)broker);
	set->n = 1 + random_below(it, AGREED_MAX);
	for (size_t i = 0; i < set->n; i++) {
		struct agreed_agreement *agreement = &set->agreements[i];

		agreement->in_force = !coin(it, 4);
		agreement->official_only = coin(it, 5);
		agreement->from = agreement->in_force || coin(it, 2) ? "2026-01-01" : "2027-01-01";
		agreement->to = agreement->in_force                          ? "2027-01-01"
		                : strcmp(agreement->from, "2026-01-01") == 0 ? "2026-06-01"
		                                                             : "2028-01-01";
		for (uint32_t k = 0; k < 1 + random_below(it, AGREED_GRANTS_MAX); k++) {
			struct agreed_grant *grant = &agreement->grants[agreement->n_grants];

			make_grant(it, set, grant);
			agreement->n_grants += agreement->n_grants < AGREED_GRANTS_MAX - 1 &&
			                       !same_route(agreement, grant);
		}
	}
}

struct text {
	char *bytes;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text->bytes + text->len, TEXT_BYTES - text->len, format, arguments);
	va_end(arguments);
	assert_true(n >= 0 && (size_t)n < TEXT_BYTES - text->len);
	text->len += (size_t)n;
}

static void say_names(struct text *text, const char *name, const char (*names)[AGREED_NAME],
                      size_t n)
{
	say(text, "%s = [ ", name);
	for (size_t i = 0; i < n; i++)
		say(text, "%s\"%s\"", i ? ", " : "", names[i]);
	say(text, " ];\n");
}

static void say_when(struct text *text, const struct agreed_when *when)
{
	static const char *const levels[] = { "", "low", "medium", "high", "very-high" };

	say(text, "when = { ");
	if (when->enrolled)
		say(text, "enrolled = \"%s/%s\"; ", agreed_agencies[when->agency],
		    agreed_schemes[when->scheme]);
	if (when->window_days > 0)
		say(text, "window_days = %u; ", when->window_days);
	if (when->referral)
		say(text, "referral = true; ");
	if (when->risk_at_most > 0)
		say(text, "risk_at_most = \"%s\"; ", levels[when->risk_at_most]);
	if (when->custody > 0)
		say(text, "custody = \"%s\"; ", when->custody == 1 ? "in" : "out");
	for (size_t i = 0; i < when->n_areas; i++)
		say(text, "%s\"%s\"%s", i ? ", " : "areas = [ ", when->areas[i],
		    i + 1 == when->n_areas ? " ]; " : "");
	say(text, "};\n");
}

static void say_grant(struct text *text, const struct agreed_grant *grant)
{
	bool first = true;

	say(text, "{ mailbox = \"%s/%s\"; types = [ \"%s\" ]; from = [ ",
	    agreed_agencies[grant->agency], agreed_boxes[grant->box],
	    ttg_type_name((size_t)grant->type));
	for (int i = 0; i < AGREED_AGENCIES; i++) {
		if (grant->from[i])
			say(text, "%s\"%s\"", first ? "" : ", ", agreed_agencies[i]);
		first = first && !grant->from[i];
	}
	say(text, " ];\n");
	if (grant->addressed_by[0])
		say(text, "addressed_by = \"%s\";\n", grant->addressed_by);
	if (grant->when.asked)
		say_when(text, &grant->when);
	if (!grant->whole) {
		say_names(text, "fields", (const char(*)[AGREED_NAME])grant->fields,
		          grant->n_fields);
		say_names(text, "envelope", (const char(*)[AGREED_NAME])grant->envelope,
		          grant->n_envelope);
		say(text, "identifiers = [ ");
		first = true;
		for (int i = 0; i < 8; i++) {
			if (grant->kinds & 1u << i)
				say(text, "%s\"%s\"", first ? "" : ", ", agreed_numbers[i]);
			first = first && !(grant->kinds & 1u << i);
		}
		say(text, " ];\n");
	}
	say(text, "}");
}

static const char parties[] = "parties = [ \"prison\", \"police\", \"probation\", \"desk\", "
                              "\"mind\" ]; purpose = \"p\"; gateway = \"g\";\n";

/* Each once. */
static void say_types(struct text *text, const struct agreed *set)
{
	const char *all[TOLD_TYPES + AGREED_TYPES];

	memcpy(all, told_types, sizeof(told_types));
	for (int k = 0; k < AGREED_TYPES; k++)
		all[TOLD_TYPES + k] = ttg_type_name((size_t)set->types[k]);
	for (int k = 0; k < TOLD_TYPES + AGREED_TYPES; k++) {
		bool again = false;

		for (int j = 0; j < k; j++)
			again = again || strcmp(all[j], all[k]) == 0;
		if (!again)
			say(text, "%s\"%s\"", k ? ", " : "", all[k]);
	}
}

void agreed_write(const struct agreed *set, const struct folder *folder)
{
	struct text text = { malloc(TEXT_BYTES), 0 };

	assert_non_null(text.bytes);
	folder_write(folder, "ttgd.conf", "listen = { endpoint = \"tcp://127.0.0.1:5700\"; };\n");
	for (int i = 0; i < AGREED_AGENCIES; i++)
		say(&text,
		    "%s{ id = \"%s\"; name = \"x\"; mailboxes = ( { box = \"in\"; }, "
		    "{ box = \"records\"; } ); }",
		    i ? ",\n" : "agencies: (\n", agreed_agencies[i]);
	say(&text, ");\n");
	folder_write(folder, "agencies.d/all.conf", text.bytes);
	text.len = 0;
	say(&text,
	    "agreements: (\n{ id = \"publish\"; title = \"t\"; valid_from = \"2026-01-01\"; "
	    "valid_to = \"2027-01-01\"; %spublish = ( ",
	    parties);
	for (int i = 0; i < AGREED_AGENCIES; i++) {
		say(&text, "%s{ agency = \"%s\"; types = [ ", i ? "," : "", agreed_agencies[i]);
		say_types(&text, set);
		say(&text, " ]; }");
	}
	say(&text, "); }");
	for (size_t i = 0; i < set->n; i++) {
		const struct agreed_agreement *agreement = &set->agreements[i];

		say(&text,
		    ",\n{ id = \"a%zu\"; title = \"t\"; valid_from = \"%s\"; valid_to = \"%s\"; "
		    "%s%sdeliver = (\n",
		    i, agreement->from, agreement->to, parties,
		    agreement->official_only ? "marking = \"official\"; " : "");
		for (size_t k = 0; k < agreement->n_grants; k++) {
			say(&text, "%s", k ? ",\n" : "");
			say_grant(&text, &agreement->grants[k]);
		}
		say(&text, " ); }");
	}
	say(&text, " );\n");
	folder_write(folder, "agreements.d/all.conf", text.bytes);
	free(text.bytes);
}
