/*
 * Reading what was typed. The bounds are those of the catalogue (base/bounds.h), so that what a
 * form lets through the broker does not refuse for its length or its characters. See act.h.
 */
#include "desk/act_field.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bounds.h"
#include "base/instant.h"
#include "base/utf8.h"

#define TYPED_MAX 16 /* of a part of a date or of a time */

const char *act_value(const struct act *act, const char *name, const char *offered)
{
	return act->posted ? web_field(act->request, name) : offered;
}

bool act_ticked(const struct act *act, const char *name, bool offered)
{
	return act->posted ? strcmp(web_field(act->request, name), "yes") == 0 : offered;
}

void act_wrong(struct act *act, const char *name, const char *format, ...)
{
	char text[sizeof(act->errors.list[0].text)];
	char *kept = act->names[act->errors.n];
	va_list values;

	if (act->errors.n == PAGE_ERRORS_MAX)
		return;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	snprintf(kept, sizeof(act->names[0]), "%s", name);
	page_error_add(&act->errors, kept, "%s", text);
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessage *message, const char *name)
{
	return protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
}

static void *place_of(void *message, const char *name)
{
	return (char *)message + field_of(message, name)->offset;
}

static char **text_of(void *message, const char *name)
{
	return (char **)place_of(message, name);
}

static bool is_id(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* Form first, then length. True: as the broker takes it. */
static bool judge_text(struct act *act, const struct bound *bound, const char *name,
                       const char *label, const char *text, unsigned how)
{
	char told[BOUNDS_TELL_MAX];

	if (!utf8_is_clean(text, strlen(text)) || strchr(text, '\t') != NULL) {
		act_wrong(act, name, "%s has characters in it that cannot be sent", label);
	} else if ((how & ACT_LINES) == 0 && strchr(text, '\n') != NULL) {
		act_wrong(act, name, "%s must be one line", label);
	} else if (bound->form == BOUND_CODE && strpbrk(text, " \n") != NULL) {
		act_wrong(act, name, "%s must not have spaces in it", label);
	} else if ((bound->form == BOUND_AGENCY || bound->form == BOUND_ID) && !is_id(text)) {
		act_wrong(act, name,
		          "%s must be of small letters, digits and hyphens, like one-service",
		          label);
	} else if (!bounds_text_fits(bound, text, strlen(text))) {
		bounds_tell_text(bound, told);
		act_wrong(act, name, "%s %s", label, told);
	} else {
		return true;
	}
	return false;
}

void act_text(struct act *act, void *message, const char *field, const char *name,
              const char *label, unsigned how)
{
	const char *text = web_field(act->request, name);
	const ProtobufCMessage *base = message;
	struct bound bound;

	if (text[0] == '\0' && (how & ACT_REQUIRED) != 0)
		act_wrong(act, name, "%s is missing", label);
	if (text[0] == '\0' || message == NULL)
		return;
	bound = bounds_of(base->descriptor, field_of(message, field));
	if (judge_text(act, &bound, name, label, text, how))
		build_text(&act->build, text_of(message, field), label, text, BUILD_TEXT_MAX);
}

void act_set(struct act *act, char **field, const char *what, const char *text)
{
	build_text(&act->build, field, what, text, BUILD_TEXT_MAX);
}

void *act_part(struct act *act, void *field, const ProtobufCMessageDescriptor *type)
{
	return build_message(&act->build, field, type);
}

void act_worker(struct act *act, Ttg__Worker **field)
{
	Ttg__Worker *worker = act_part(act, field, &ttg__worker__descriptor);

	if (worker != NULL)
		act_set(act, &worker->name, "name", act->request->user->name);
}

/* Three fields or one; what was typed as dd/mm/yyyy or yyyy-mm-dd. False: nothing at all. */
static bool typed_date(const struct act *act, const char *name, char out[4 * TYPED_MAX])
{
	static const char *const parts[] = { "day", "month", "year" };
	const char *typed[3];
	char part[ACT_NAME_BYTES];
	bool any = false;

	if (web_field(act->request, name)[0] != '\0') {
		snprintf(out, 4 * TYPED_MAX, "%s", web_field(act->request, name));
		return true;
	}
	for (size_t i = 0; i < 3; i++) {
		snprintf(part, sizeof(part), "%s-%s", name, parts[i]);
		typed[i] = web_field(act->request, part);
		any = any || typed[i][0] != '\0';
	}
	if (strlen(typed[0]) <= 2 && strlen(typed[1]) <= 2 && strlen(typed[2]) < TYPED_MAX)
		snprintf(out, 4 * TYPED_MAX, "%s%s/%s%s/%s", strlen(typed[0]) == 1 ? "0" : "",
		         typed[0], strlen(typed[1]) == 1 ? "0" : "", typed[1], typed[2]);
	else
		snprintf(out, 4 * TYPED_MAX, "?");
	return any;
}

/* False: nothing was typed, or it is no date and that was said. */
static bool read_date(struct act *act, const char *name, const char *label, unsigned how,
                      char date[11])
{
	char control[ACT_NAME_BYTES], today[11], clock[6], typed[4 * TYPED_MAX];
	int64_t ns;

	snprintf(control, sizeof(control), "%s-day", name);
	if (!typed_date(act, name, typed)) {
		if ((how & ACT_REQUIRED) != 0)
			act_wrong(act, control, "%s is missing", label);
		return false;
	}
	instant_to_civil(act->now_ns, today, clock);
	if (date_parse(typed, date) != TTG_OK || instant_from_civil(date, NULL, &ns) != TTG_OK)
		act_wrong(act, control, "%s must be a day that exists, like 27 3 2027", label);
	else if ((how & ACT_PAST) != 0 && strcmp(date, today) > 0)
		act_wrong(act, control, "%s cannot be after today", label);
	else if ((how & ACT_FUTURE) != 0 && strcmp(date, today) < 0)
		act_wrong(act, control, "%s cannot be before today", label);
	else
		return true;
	return false;
}

void act_date(struct act *act, void *message, const char *field, const char *name,
              const char *label, unsigned how)
{
	char date[11];

	if (read_date(act, name, label, how, date) && message != NULL)
		build_date(&act->build, text_of(message, field), label, date);
}

/* False: nothing was typed, or it is no time of day and that was said. */
static bool read_clock(struct act *act, const char *control, const char *label, bool required,
                       char clock[6])
{
	const char *typed = web_field(act->request, control);

	if (typed[0] == '\0') {
		if (required)
			act_wrong(act, control, "%s needs a time of day", label);
		return false;
	}
	if (clock_parse(typed, clock) == TTG_OK)
		return true;
	act_wrong(act, control, "%s must have a time of day like 14:05", label);
	return false;
}

int64_t act_moment(struct act *act, void *message, const char *field, const char *name,
                   const char *label, unsigned how)
{
	char control[ACT_NAME_BYTES], date[11], clock[6], typed[4 * TYPED_MAX];
	const bool required = (how & ACT_REQUIRED) != 0;
	bool has_date, has_clock;
	int64_t ns;

	snprintf(control, sizeof(control), "%s-time", name);
	if (!required && !typed_date(act, name, typed) &&
	    web_field(act->request, control)[0] == '\0')
		return 0;
	has_date = read_date(act, name, label, how | ACT_REQUIRED, date);
	has_clock = read_clock(act, control, label, true, clock);
	if (!has_date || !has_clock)
		return 0;
	if (instant_from_civil(date, clock, &ns) != TTG_OK) {
		act_wrong(act, control,
		          "%s: the clocks went forward on %s and there was no %s that day", label,
		          date, clock);
	} else if ((how & ACT_PAST) != 0 && ns > act->now_ns) {
		act_wrong(act, control, "%s cannot be in the future", label);
	} else if ((how & ACT_FUTURE) != 0 && ns < act->now_ns) {
		act_wrong(act, control, "%s cannot be in the past", label);
	} else {
		if (message != NULL)
			build_time_ns(&act->build, (Ttg__Time **)place_of(message, field), ns,
			              NULL);
		return ns;
	}
	return 0;
}

int act_choice(struct act *act, void *message, const char *field, const char *name,
               const char *label, unsigned how)
{
	const char *typed = web_field(act->request, name);
	const ProtobufCEnumDescriptor *kind;
	char *end;
	long value;

	if (typed[0] == '\0') {
		if ((how & ACT_REQUIRED) != 0)
			act_wrong(act, name, "%s: choose one", label);
		return 0;
	}
	if (message == NULL)
		return 0;
	kind = field_of(message, field)->descriptor;
	value = strtol(typed, &end, 10);
	if (typed[0] < '0' || typed[0] > '9' || *end != '\0' || strlen(typed) > 3 || value == 0 ||
	    protobuf_c_enum_descriptor_get_value(kind, (int)value) == NULL) {
		act_wrong(act, name, "%s: choose one of those offered", label);
		return 0;
	}
	*(int32_t *)place_of(message, field) = (int32_t)value;
	return (int)value;
}

void act_number(struct act *act, void *message, const char *field, const char *name,
                const char *label, uint32_t most)
{
	const char *typed = web_field(act->request, name);
	unsigned long value;

	if (typed[0] == '\0')
		return;
	value = strtoul(typed, NULL, 10);
	if (typed[strspn(typed, "0123456789")] != '\0' || strlen(typed) > 6 || value > most)
		act_wrong(act, name, "%s must be a whole number from 0 to %u", label, most);
	else if (message != NULL)
		*(uint32_t *)place_of(message, field) = (uint32_t)value;
}
