/*
 * Reading an event from its bytes: what the broker takes from the envelope, what it refuses, and
 * that an encoding which decoders read differently is refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cursor.h"
#include "core/event.h"

#define NOW_S INT64_C(1795000000) /* in November 2026 */
#define NOW_NS (NOW_S * 1000000000)
#define MOST 2048

struct fixture {
	struct fields *fields;
	struct cursor bytes;
	uint8_t buffer[MOST];
	struct event event;
	char text[EVENT_TEXT_MAX];
};

static void put_sized(struct cursor *cursor, uint32_t id, const void *data, size_t len)
{
	cursor_put_varint(cursor, id << 3 | WIRE_SIZED);
	cursor_put_sized(cursor, data, len);
}

static void put_text(struct cursor *cursor, uint32_t id, const char *text)
{
	put_sized(cursor, id, text, strlen(text));
}

static void put_number(struct cursor *cursor, uint32_t id, uint64_t value)
{
	cursor_put_varint(cursor, id << 3 | WIRE_VARINT);
	cursor_put_varint(cursor, value);
}

static void put_time(struct cursor *cursor, uint32_t id, int64_t unix_ns)
{
	uint8_t encoded[9] = { 1 << 3 | WIRE_FIXED64 };

	for (size_t i = 0; i < 8; i++)
		encoded[i + 1] = (uint8_t)((uint64_t)unix_ns >> (8 * i));
	put_sized(cursor, id, encoded, sizeof(encoded));
}

static enum ttg_error read_event(struct fixture *it)
{
	const struct event_clock clock = { .now_ns = NOW_NS, .max_skew_s = 60 };

	assert_true(cursor_ok(&it->bytes));
	it->text[0] = '\0';
	return event_read(it->buffer, cursor_offset(&it->bytes), it->fields, &clock, &it->event,
			  it->text);
}

/* id, source, type, occurred_at */
static void begin(struct fixture *it, const char *type)
{
	static const uint8_t id[TTG_UUID_BYTES] = { 1, [6] = 0x70, [8] = 0x80 };

	cursor_init_write(&it->bytes, it->buffer, sizeof(it->buffer));
	put_sized(&it->bytes, 1, id, sizeof(id));
	put_text(&it->bytes, 2, "prison");
	put_text(&it->bytes, 3, type);
	put_time(&it->bytes, 4, NOW_NS);
}

static void fault_is(struct fixture *it, enum ttg_error code, const char *text)
{
	assert_int_equal(read_event(it), TTG_OK);
	assert_int_equal(it->event.fault, code);
	assert_string_equal(it->event.fault_text, text);
}

static void the_envelope_is_read(void **state)
{
	struct fixture *it = *state;
	const int64_t expires_ns = NOW_NS + 1000;

	begin(it, "prison.released");
	put_sized(&it->bytes, 6, "", 0);
	put_number(&it->bytes, 13, TTG__URGENCY__URGENT);
	put_time(&it->bytes, 14, expires_ns);
	put_sized(&it->bytes, 104, "", 0);
	fault_is(it, TTG_OK, "");
	assert_int_equal(it->event.id[0], 1);
	assert_string_equal(it->event.source, "prison");
	assert_string_equal(it->event.type, "prison.released");
	assert_int_equal(it->event.type_index, ttg_type_find("prison.released"));
	assert_int_equal(it->event.urgency, TTG__URGENCY__URGENT);
	assert_int_equal(it->event.expires_ns, expires_ns);
	assert_non_null(it->event.person.at);
	assert_non_null(it->event.payload.at);
}

static void a_type_of_the_future_may_carry_what_we_do_not_know(void **state)
{
	struct fixture *it = *state;

	begin(it, "prison.teleported");
	put_text(&it->bytes, 199, "beamed");
	put_number(&it->bytes, 5000, 7);
	fault_is(it, TTG_OK, "");
	assert_int_equal(it->event.type_index, -1);
	assert_null(it->event.payload.at);
}

static void a_field_given_twice_is_refused(void **state)
{
	struct fixture *it = *state;

	begin(it, "prison.released");
	put_sized(&it->bytes, 104, "", 0);
	put_number(&it->bytes, 13, 1);
	put_number(&it->bytes, 13, 2);
	fault_is(it, TTG_REFUSED_FIELD, "urgency is given twice");

	begin(it, "prison.released");
	put_text(&it->bytes, 2, "police");
	put_sized(&it->bytes, 104, "", 0);
	fault_is(it, TTG_REFUSED_FIELD, "source is given twice");

	begin(it, "prison.released");
	put_sized(&it->bytes, 104, "", 0);
	put_sized(&it->bytes, 104, "", 0);
	fault_is(it, TTG_REFUSED_FIELD, "prison_released is given twice");
}

static void a_second_payload_is_refused(void **state)
{
	struct fixture *it = *state;

	begin(it, "prison.released");
	put_sized(&it->bytes, 200, "", 0);
	put_sized(&it->bytes, 104, "", 0);
	fault_is(it, TTG_REFUSED_FIELD, "prison_released is a second payload");

	begin(it, "prison.released");
	put_sized(&it->bytes, 104, "", 0);
	put_sized(&it->bytes, 200, "", 0);
	assert_int_equal(read_event(it), TTG_REFUSED_MALFORMED);
	assert_string_equal(it->text, "payload is not of the type");
}

static void the_lowest_of_several_faults_is_told(void **state)
{
	struct fixture *it = *state;
	uint8_t buffer[64];
	struct cursor person;

	begin(it, "prison.released");
	cursor_init_write(&person, buffer, sizeof(buffer));
	put_sized(&person, 1, "\x08\x01\x12\x07""A1234BC\x20\x02", 13); /* valid, but says it is not */
	put_sized(&it->bytes, 6, buffer, cursor_offset(&person));
	put_time(&it->bytes, 14, NOW_NS - 1);
	put_sized(&it->bytes, 104, "", 0);
	fault_is(it, TTG_REFUSED_IDENTIFIER,
		 "person.identifiers[0].validity is not what the value gives");
	put_time(&it->bytes, 5, NOW_NS + INT64_C(3600) * 1000000000);
	fault_is(it, TTG_REFUSED_TIME, "recorded_at is in the future");
	put_text(&it->bytes, 15, "\x01");
	fault_is(it, TTG_REFUSED_FIELD,
		 "traceparent is not UTF-8 text without control characters");
}

static void a_text_that_hides_something_behind_a_nul_is_refused(void **state)
{
	struct fixture *it = *state;

	begin(it, "prison.released");
	put_sized(&it->bytes, 15, "00\0evil", 7);
	put_sized(&it->bytes, 104, "", 0);
	fault_is(it, TTG_REFUSED_FIELD,
		 "traceparent is not UTF-8 text without control characters");
}

/* Ends that decoders would read in more than one way, or beyond the event. */
static void what_is_not_an_encoding_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} ends[] = {
		{ "\x68", 1 },                                             /* no value */
		{ "\x68\x80", 2 },                                         /* cut in a value */
		{ "\x7a\x05""abc", 5 },                                    /* cut in a text */
		{ "\x7a\xff\xff\xff\xff\x7f", 6 },                         /* beyond any event */
		{ "\x00\x01", 2 },                                         /* field 0 */
		{ "\x6b\x6c", 2 },                                         /* a group */
		{ "\x6d\x01\x02\x03\x04", 5 },                             /* urgency as fixed32 */
		{ "\x78\x01", 2 },                                         /* a text as a number */
		{ "\xb0\xff\xff\xff\x63\x01", 6 },                         /* a number of 35 bits */
		{ "\xe8\x80\x80\x80\x80\x00\x01", 7 },                     /* six bytes of number */
		{ "\x68\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11 },    /* 65 bits */
		{ "\x68\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12 } /* eleven bytes */,
		{ "\x72\x02\x09\x01", 4 },                                 /* expires_at cut inside */
	};
	struct fixture *it = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		begin(it, "prison.released");
		put_sized(&it->bytes, 104, "", 0);
		fault_is(it, TTG_OK, "");
		cursor_put_bytes(&it->bytes, ends[i].bytes, ends[i].len);
		assert_int_equal(read_event(it), TTG_REFUSED_MALFORMED);
		assert_string_equal(it->text, "not an encoded Event");
	}
}

static void nothing_is_read_behind_the_event(void **state)
{
	struct fixture *it = *state;
	size_t len;

	begin(it, "prison.released");
	put_number(&it->bytes, 13, 1);
	put_sized(&it->bytes, 104, "\x0a\x01x", 3);
	len = cursor_offset(&it->bytes);
	for (size_t cut = 0; cut < len; cut++) {
		const struct event_clock clock = { .now_ns = NOW_NS, .max_skew_s = 60 };
		uint8_t *copy = malloc(cut > 0 ? cut : 1); /* a sanitizer watches its end */
		enum ttg_error code;

		assert_non_null(copy);
		memcpy(copy, it->buffer, cut);
		code = event_read(copy, cut, it->fields, &clock, &it->event, it->text);
		assert_true(code == TTG_REFUSED_MALFORMED || code == TTG_REFUSED_FIELD);
		free(copy);
	}
}

static int set_up(void **state)
{
	struct fixture *it = calloc(1, sizeof(*it));

	if (!it)
		return -1;
	it->fields = fields_new();
	*state = it;
	return it->fields ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *it = *state;

	fields_free(&it->fields);
	free(it);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_envelope_is_read),
		cmocka_unit_test(a_type_of_the_future_may_carry_what_we_do_not_know),
		cmocka_unit_test(a_field_given_twice_is_refused),
		cmocka_unit_test(a_second_payload_is_refused),
		cmocka_unit_test(the_lowest_of_several_faults_is_told),
		cmocka_unit_test(a_text_that_hides_something_behind_a_nul_is_refused),
		cmocka_unit_test(what_is_not_an_encoding_is_refused),
		cmocka_unit_test(nothing_is_read_behind_the_event),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
