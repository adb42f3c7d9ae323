/*
 * Bounds of single fields. First: the comments of proto/ and the table say the same, in both
 * directions. Then, for every bound: an event at the bound passes the broker's check, one beyond it
 * is refused with the code and the path, and whoever makes events is told the same before sending.
 */
#include "unit.h"

#include <ctype.h>
#include <glob.h>
#include <regex.h>
#include <stdbool.h>
#include <string.h>
#include "base/bounds.h"
#include "core/event.h"

#define NOW_NS (INT64_C(1795000000) * 1000000000) /* in November 2026 */
#define DEPTH 8

/* What a comment says. */
struct said {
	bool text, characters, entries, number; /* of what it speaks */
	int64_t least, most;
};

/* ---- reading proto/ ---- */

static bool find(const char *text, const char *pattern, int64_t numbers[2])
{
	regex_t regex;
	regmatch_t match[3];
	bool found;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED), 0);
	found = regexec(&regex, text, 3, match, 0) == 0;
	regfree(&regex);
	for (size_t i = 1; found && i < 3 && match[i].rm_so >= 0; i++) {
		numbers[i - 1] = 0;
		for (regoff_t at = match[i].rm_so; at < match[i].rm_eo; at++) {
			if (isdigit((unsigned char)text[at]))
				numbers[i - 1] = numbers[i - 1] * 10 + (text[at] - '0');
		}
	}
	return found;
}

/* Words that could be a bound in a spelling nobody checks. */
static bool sounds_like_a_bound(const char *comment)
{
	int64_t unused[2];

	return find(comment, "(at (most|least)|no (more|longer|fewer)|up to|maximum|minimum|between)"
			     "[ a-z]*[0-9]", unused) ||
	       find(comment, "[0-9,]+ (to|-) ?[0-9,]+ (bytes|characters|letters|digits|entries)",
		    unused) ||
	       find(comment, "[0-9][0-9,]* (bytes|characters|letters|digits|entries)", unused) ||
	       find(comment, "(^|[^0-9A-Za-z-])[0-9]{1,3} ?(-|\\.\\.) ?[0-9]+($|[^-0-9])", unused);
}

static bool read_bound(const char *comment, bool repeated, struct said *out)
{
	int64_t numbers[2] = { 0, 0 };

	*out = (struct said){ .most = -1 };
	if (find(comment, "([0-9,]+) to ([0-9,]+) characters", numbers)) {
		*out = (struct said){ .text = true, .characters = true, .least = numbers[0],
				      .most = numbers[1] };
	} else if (find(comment, "at most ([0-9,]+) bytes", numbers)) {
		*out = (struct said){ .text = true, .most = numbers[0] };
	} else if (find(comment, "UUID, ([0-9]+) bytes", numbers)) {
		*out = (struct said){ .text = true, .least = numbers[0], .most = numbers[0] };
	} else if (repeated && find(comment, "at most ([0-9,]+)", numbers)) {
		*out = (struct said){ .entries = true, .most = numbers[0] };
	} else if (find(comment, "at least ([0-9,]+)", numbers)) {
		*out = (struct said){ .number = true, .least = numbers[0], .most = INT64_MAX };
	} else {
		return false;
	}
	return true;
}

struct reading {
	const char *file;
	char message[64], field[64], comment[1024];
	bool repeated;
	size_t fields, said;
	bool seen[256]; /* lines of the table a comment stands behind */
};

static const ProtobufCMessageDescriptor *find_message(const char *name)
{
	const ProtobufCMessageDescriptor *found[256] = { &ttg__event__descriptor };
	size_t n = 1;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(found[i]->short_name, name) == 0)
			return found[i];
		for (unsigned k = 0; k < found[i]->n_fields; k++) {
			const ProtobufCMessageDescriptor *inner = found[i]->fields[k].descriptor;
			size_t at = 0;

			if (found[i]->fields[k].type != PROTOBUF_C_TYPE_MESSAGE)
				continue;
			while (at < n && found[at] != inner)
				at++;
			assert_true(n < 256);
			found[n] = inner;
			n += at == n;
		}
	}
	return NULL;
}

static void must_be_in_the_table(struct reading *reading, const struct said *said)
{
	const ProtobufCMessageDescriptor *message = find_message(reading->message);
	const ProtobufCFieldDescriptor *field;
	const struct bounds_line *lines;
	struct bound bound;
	size_t n;

	assert_non_null(message);
	field = protobuf_c_message_descriptor_get_field_by_name(message, reading->field);
	assert_non_null(field);
	bound = bounds_of(message, field);
	if (bound.form == BOUND_UUID)
		bound.least = bound.most;
	if ((said->entries && bound.entries != said->most) ||
	    (said->text && (bound.most != said->most || bound.characters != said->characters ||
			    bound.least != said->least)) ||
	    (said->number && (bound.form != BOUND_NUMBER || bound.least != said->least)))
		fail_msg("%s: %s.%s: the table does not say: %s", reading->file, reading->message,
			 reading->field, reading->comment);
	lines = bounds_lines(&n);
	for (size_t i = 0; i < n; i++) {
		if (lines[i].message == message && strcmp(lines[i].field, reading->field) == 0)
			reading->seen[i] = true;
	}
}

/* A field and all of its comment was read. */
static void end_field(struct reading *reading)
{
	struct said said;

	if (reading->field[0] == '\0')
		return;
	reading->fields++;
	if (read_bound(reading->comment, reading->repeated, &said)) {
		reading->said++;
		must_be_in_the_table(reading, &said);
	} else if (sounds_like_a_bound(reading->comment)) {
		fail_msg("%s: %s.%s: a bound in words nobody checks: %s", reading->file,
			 reading->message, reading->field, reading->comment);
	}
	reading->field[0] = '\0';
}

static void read_line(struct reading *reading, const char *line)
{
	const char *comment = strstr(line, "//");
	const char *code = line + strspn(line, " ");
	char type[64], name[64];
	int number;

	if (comment && comment == code) {
		if (reading->field[0] != '\0')
			strncat(reading->comment, comment + 2,
				sizeof(reading->comment) - strlen(reading->comment) - 1);
		else if (sounds_like_a_bound(comment) && strstr(reading->file, "envelope.proto") == NULL &&
			 strstr(comment, "24 to 48 hours") == NULL)
			fail_msg("%s: a bound that is no field's: %s", reading->file, comment);
		return;
	}
	end_field(reading);
	if (sscanf(code, "message %63s", reading->message) == 1)
		return;
	if (line[0] == '}')
		reading->message[0] = '\0';
	reading->repeated = sscanf(code, "repeated %63s %63s = %d;", type, name, &number) == 3;
	if (!reading->repeated && sscanf(code, "%63s %63s = %d;", type, name, &number) != 3)
		return;
	if (reading->message[0] == '\0')
		return;
	strcpy(reading->field, name);
	snprintf(reading->comment, sizeof(reading->comment), "%s", comment ? comment + 2 : "");
	reading->comment[strcspn(reading->comment, "\n")] = '\0';
}

static void the_comments_of_proto_and_the_table_say_the_same(void **state)
{
	struct reading reading = { .file = "" };
	const struct bounds_line *lines;
	char line[512];
	glob_t files;
	size_t n;

	(void)state;
	assert_int_equal(glob(TTG_SOURCE_DIR "/proto/*.proto", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		FILE *file = fopen(files.gl_pathv[i], "r");

		assert_non_null(file);
		reading.file = files.gl_pathv[i];
		/* Frames of the session have their bounds in the session (docs/protocol.md). */
		while (strstr(reading.file, "/session.proto") == NULL &&
		       fgets(line, sizeof(line), file))
			read_line(&reading, line);
		end_field(&reading);
		fclose(file);
	}
	globfree(&files);
	lines = bounds_lines(&n);
	for (size_t i = 0; i < n; i++) {
		if (!reading.seen[i])
			fail_msg("%s.%s: no comment says its bound", lines[i].message->short_name,
				 lines[i].field);
	}
	/* The reader of comments reads. */
	assert_true(reading.fields > 400);
	assert_true(reading.said > n);
}

static void a_bound_in_other_words_is_found_out(void **state)
{
	static const char *const odd[] = {
		"up to 12 of them", "no more than 256 bytes", "between 3 and 250 characters",
		"a share, 0-100", "maximum 40 letters", "7 characters", "at most ten or 12 entries",
	};
	static const char *const fine[] = {
		"CJS offence code, for example TH68010", "W3C trace context", "0: not said",
		"EA02, EA03, EA08", "as in RFC 9562", "levels (M0 to M3) and categories (M1 to M4)",
	};
	struct said said;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_false(read_bound(odd[i], false, &said));
		if (!sounds_like_a_bound(odd[i]))
			fail_msg("not found out: %s", odd[i]);
	}
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		if (sounds_like_a_bound(fine[i]))
			fail_msg("taken for a bound: %s", fine[i]);
	}
}

/* ---- events at a bound and beyond ---- */

static void set_number(void *at, ProtobufCType type, int64_t value)
{
	uint32_t narrow = (uint32_t)value;

	if (type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_INT64)
		memcpy(at, &value, sizeof(value));
	else
		memcpy(at, &narrow, sizeof(narrow));
}

/* An empty message that is within its bounds. */
static ProtobufCMessage *make_message(const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *it = malloc(descriptor->sizeof_message);

	assert_non_null(it);
	protobuf_c_message_init(descriptor, it);
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		struct bound bound = bounds_of(descriptor, field);

		if (bound.form == BOUND_NUMBER)
			set_number((char *)it + field->offset, field->type, bound.least);
	}
	if (descriptor == &ttg__identifier__descriptor)
		((Ttg__Identifier *)it)->value = strdup("x");
	return it;
}

struct route {
	const ProtobufCFieldDescriptor *fields[DEPTH];
	size_t n;
};

/* The shortest way from one message to another. */
static bool find_route(const ProtobufCMessageDescriptor *from, const ProtobufCMessageDescriptor *to,
		       size_t depth, struct route *route)
{
	if (from == to)
		return true;
	if (depth == 0)
		return false;
	for (unsigned i = 0; i < from->n_fields; i++) {
		if (from->fields[i].type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		route->fields[route->n++] = &from->fields[i];
		if (find_route(from->fields[i].descriptor, to, depth - 1, route))
			return true;
		route->n--;
	}
	return false;
}

/* Puts a new message into a field, as the first entry where it is repeated. */
static ProtobufCMessage *put_message(ProtobufCMessage *into, const ProtobufCFieldDescriptor *field)
{
	ProtobufCMessage *made = make_message(field->descriptor);
	char *base = (char *)into;
	ProtobufCMessage **list;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		list = malloc(sizeof(void *));
		list[0] = made;
		memcpy(base + field->offset, &list, sizeof(void *));
		*(size_t *)(void *)(base + field->quantifier_offset) = 1;
		return made;
	}
	if (*(ProtobufCMessage **)(void *)(base + field->offset))
		protobuf_c_message_free_unpacked(
			*(ProtobufCMessage **)(void *)(base + field->offset), NULL);
	memcpy(base + field->offset, &made, sizeof(void *));
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		memcpy(base + field->quantifier_offset, &field->id, sizeof(uint32_t));
	return made;
}

/* An event with a message of this kind in it, which is *inner. */
static Ttg__Event *make_event(const ProtobufCMessageDescriptor *wanted, ProtobufCMessage **inner)
{
	static const uint8_t id[TTG_UUID_BYTES] = { 1, 2, 3, 4, 5, 6, 0x77, 8, 0x89 };
	Ttg__Event *event = (Ttg__Event *)make_message(&ttg__event__descriptor);
	struct route route = { .n = 0 };
	size_t depth = 0;

	event->id.data = memcpy(malloc(sizeof(id)), id, sizeof(id));
	event->id.len = sizeof(id);
	event->source = strdup("somebody");
	event->occurred_at = (Ttg__Time *)make_message(&ttg__time__descriptor);
	event->occurred_at->unix_ns = NOW_NS;
	while (!find_route(&ttg__event__descriptor, wanted, depth, &route))
		assert_true(++depth < DEPTH);
	*inner = &event->base;
	for (size_t i = 0; i < route.n; i++)
		*inner = put_message(*inner, route.fields[i]);
	if (wanted == &ttg__time__descriptor) /* may have taken the place of the one above */
		((Ttg__Time *)*inner)->unix_ns = NOW_NS;
	if (event->payload_case == TTG__EVENT__PAYLOAD__NOT_SET)
		put_message(&event->base, protobuf_c_message_descriptor_get_field_by_name(
						  &ttg__event__descriptor, "prison_released"));
	event->type = strdup(ttg_type_name((size_t)ttg_type_of(event)));
	return event;
}

/* Text of so many bytes, or characters of which each has two bytes. */
static char *make_text(int64_t n, bool characters)
{
	size_t len = (size_t)n * (characters ? 2 : 1);
	char *text = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = characters ? "\xc3\xa9"[i % 2] : 'a';
	text[len] = '\0';
	return text;
}

static void set_text(ProtobufCMessage *it, const ProtobufCFieldDescriptor *field, char *take_text)
{
	char **at = (char **)(void *)((char *)it + field->offset);

	if (*at != (const char *)protobuf_c_empty_string)
		free(*at);
	*at = take_text;
}

static void set_entries(ProtobufCMessage *it, const ProtobufCFieldDescriptor *field, size_t n)
{
	void **list = malloc(n * sizeof(void *));

	for (size_t i = 0; i < n; i++)
		list[i] = field->type == PROTOBUF_C_TYPE_MESSAGE ? (void *)make_message(field->descriptor)
								 : (void *)strdup("x");
	memcpy((char *)it + field->offset, &list, sizeof(void *));
	*(size_t *)(void *)((char *)it + field->quantifier_offset) = n;
}

/* What the broker says of the event as it comes over the wire. */
static enum ttg_error judge(const Ttg__Event *event, char text[EVENT_TEXT_MAX])
{
	const struct event_clock clock = { .now_ns = NOW_NS, .max_skew_s = 60 };
	struct fields *fields = fields_new();
	struct event decoded;
	uint8_t *bytes;
	size_t len;
	enum ttg_error code;

	text[0] = '\0';
	assert_non_null(fields);
	assert_int_equal(ttg_event_pack(event, &bytes, &len), TTG_OK);
	code = event_read(bytes, len, fields, &clock, &decoded, text);
	if (code == TTG_OK && decoded.fault != TTG_OK) {
		code = decoded.fault;
		memcpy(text, decoded.fault_text, EVENT_TEXT_MAX);
	}
	free(bytes);
	fields_free(&fields);
	return code;
}

static void must_pass(const Ttg__Event *event, const char *name)
{
	char text[EVENT_TEXT_MAX], breach[EVENT_TEXT_MAX] = "";

	if (judge(event, text) != TTG_OK)
		fail_msg("%s at its bound is refused: %s", name, text);
	if (bounds_find_breach(&event->base, breach, sizeof(breach)))
		fail_msg("%s at its bound may not be sent: %s", name, breach);
}

/* Refused with the field's path and these words; the same is told before sending. */
static void must_be_refused(const Ttg__Event *event, const char *name, const char *words)
{
	char text[EVENT_TEXT_MAX], breach[EVENT_TEXT_MAX] = "", end[128];
	enum ttg_error code = judge(event, text);

	snprintf(end, sizeof(end), "%s %s", strchr(name, '.') + 1, words);
	if (code != TTG_REFUSED_FIELD || strstr(text, end) == NULL)
		fail_msg("%s beyond its bound: code %d: %s", name, (int)code, text);
	if (!bounds_find_breach(&event->base, breach, sizeof(breach)) || strcmp(breach, text) != 0)
		fail_msg("%s beyond its bound: told \"%s\" and \"%s\"", name, breach, text);
}

static void try_text(Ttg__Event *event, ProtobufCMessage *it, const ProtobufCFieldDescriptor *field,
		     const struct bound *bound, const char *name)
{
	char words[BOUNDS_TELL_MAX];

	bounds_tell_text(bound, words);
	set_text(it, field, make_text(bound->most, bound->characters));
	must_pass(event, name);
	set_text(it, field, make_text(bound->most + 1, bound->characters));
	must_be_refused(event, name, words);
	if (bound->least > 1) {
		set_text(it, field, make_text(bound->least, bound->characters));
		must_pass(event, name);
		set_text(it, field, make_text(bound->least - 1, bound->characters));
		must_be_refused(event, name, words);
		set_text(it, field, (char *)protobuf_c_empty_string);
		must_pass(event, name);
	}
}

static void try_field(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
	const struct bound bound = bounds_of(message, field);
	char words[BOUNDS_TELL_MAX], name[128];
	ProtobufCMessage *it;
	Ttg__Event *event = make_event(message, &it);

	snprintf(name, sizeof(name), "%s.%s", message->short_name, field->name);
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		set_entries(it, field, bound.entries);
		must_pass(event, name);
		ttg__event__free_unpacked(event, NULL);
		event = make_event(message, &it);
		set_entries(it, field, bound.entries + 1u);
		bounds_tell_entries(&bound, words);
		must_be_refused(event, name, words);
	} else if (field->type == PROTOBUF_C_TYPE_STRING) {
		try_text(event, it, field, &bound, name);
	} else {
		assert_int_equal(bound.form, BOUND_NUMBER);
		bounds_tell_number(&bound, words);
		must_pass(event, name);
		set_number((char *)it + field->offset, field->type, bound.least - 1);
		must_be_refused(event, name, words);
	}
	ttg__event__free_unpacked(event, NULL);
}

static void every_line_holds_at_its_bound_and_refuses_one_beyond(void **state)
{
	size_t n;
	const struct bounds_line *lines = bounds_lines(&n);

	(void)state;
	assert_true(n > 25);
	for (size_t i = 0; i < n; i++) {
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field_by_name(lines[i].message,
									lines[i].field);

		if (!field)
			fail_msg("%s has no field %s", lines[i].message->short_name,
				 lines[i].field);
		for (size_t k = 0; k < i; k++)
			assert_false(lines[k].message == lines[i].message &&
				     strcmp(lines[k].field, lines[i].field) == 0);
		try_field(lines[i].message, field);
	}
}

/* Also those without a line of their own: what the name or the kind of field gives. */
static void every_text_and_list_of_the_catalogue_has_a_bound_that_holds(void **state)
{
	struct fields *fields = fields_new();
	size_t tried = 0;

	(void)state;
	assert_non_null(fields);
	for (uint32_t i = 0; i < fields->n_messages; i++) {
		const ProtobufCMessageDescriptor *message = fields->messages[i].descriptor;

		for (unsigned k = 0; k < message->n_fields; k++) {
			const ProtobufCFieldDescriptor *field = &message->fields[k];
			bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED &&
				       (field->type == PROTOBUF_C_TYPE_MESSAGE ||
					(field->type == PROTOBUF_C_TYPE_STRING &&
					 fields->messages[i].fields[k].bound.form == BOUND_TEXT));

			assert_true(fields->messages[i].fields[k].bound.entries > 0);
			if (!is_list && (field->type != PROTOBUF_C_TYPE_STRING ||
					 field->label == PROTOBUF_C_LABEL_REPEATED ||
					 fields->messages[i].fields[k].bound.form != BOUND_TEXT))
				continue;
			/* Judged in other ways: what the event is, what an identifier is. */
			if (message == &ttg__identifier__descriptor ||
			    (i == FIELDS_EVENT && strcmp(field->name, "traceparent") != 0))
				continue;
			try_field(message, field);
			tried++;
		}
	}
	assert_true(tried > 100);
	fields_free(&fields);
}

static void ids_of_schemes_and_referrals_are_held_to_their_form(void **state)
{
	static const char *const wrong[] = { "a b", "Scheme", "a_b", "\xc3\xa9" };
	char text[EVENT_TEXT_MAX];
	ProtobufCMessage *it;
	Ttg__Event *event = make_event(&ttg__service_enrolled__descriptor, &it);
	Ttg__ServiceEnrolled *enrolled = (Ttg__ServiceEnrolled *)it;

	(void)state;
	enrolled->scheme = make_text(32, false);
	enrolled->cohort = make_text(33, false);
	assert_int_equal(judge(event, text), TTG_REFUSED_FIELD);
	assert_string_equal(text, "service_enrolled.cohort is not an id [a-z0-9-], 32 at most");
	enrolled->cohort[32] = '\0';
	assert_int_equal(judge(event, text), TTG_OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		free(enrolled->scheme);
		enrolled->scheme = strdup(wrong[i]);
		assert_int_equal(judge(event, text), TTG_REFUSED_FIELD);
		assert_non_null(strstr(text, "service_enrolled.scheme"));
		assert_null(strstr(text, wrong[i]));
	}
	ttg__event__free_unpacked(event, NULL);
}

static void a_refusal_names_the_path_through_lists_and_not_the_value(void **state)
{
	char text[EVENT_TEXT_MAX];
	ProtobufCMessage *it;
	Ttg__Event *event = make_event(&ttg__prison_discharge_board__descriptor, &it);
	Ttg__PrisonDischargeBoard *board = (Ttg__PrisonDischargeBoard *)it;

	(void)state;
	set_entries(it, protobuf_c_message_descriptor_get_field_by_name(it->descriptor, "needs"),
		    3);
	board->needs[2]->note = make_text(257, false);
	assert_int_equal(judge(event, text), TTG_REFUSED_FIELD);
	assert_string_equal(text, "prison_discharge_board.needs[2].note is longer than 256 bytes");
	ttg__event__free_unpacked(event, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_comments_of_proto_and_the_table_say_the_same),
		cmocka_unit_test(a_bound_in_other_words_is_found_out),
		cmocka_unit_test(every_line_holds_at_its_bound_and_refuses_one_beyond),
		cmocka_unit_test(every_text_and_list_of_the_catalogue_has_a_bound_that_holds),
		cmocka_unit_test(ids_of_schemes_and_referrals_are_held_to_their_form),
		cmocka_unit_test(a_refusal_names_the_path_through_lists_and_not_the_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
