/*
 * Templates of prison.released. Owner: the program's only thread.
 *
 * The id is the first field: 02 bytes of tag and length, then 48 bits of the run, version and variant
 * of a UUID, 16 bits of publisher and 40 bits of number.
 */
#include "bench/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ttg/event.h>
#include "bench/bench.h"

#define ID_AT 2
#define AREA_LONGEST 4096      /* a string of the catalogue */
#define FUTURE_FIELD 15000u    /* of Event: what a later catalogue might add */
#define PERSON_SAMPLE "A0000AA"

struct parts {
	Ttg__Event event;
	Ttg__Time occurred;
	Ttg__Person person;
	Ttg__Identifier identifier, *identifiers[1];
	Ttg__PrisonReleased released;
};

/* protobuf-c has no const strings; nothing writes to them before they are packed. */
static char *text(const char *constant)
{
	return (char *)(uintptr_t)constant;
}

static void fill(struct parts *parts, const struct event_wish *wish, uint8_t id[16], char *area)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	ttg__event__init(&parts->event);
	ttg__time__init(&parts->occurred);
	ttg__prison_released__init(&parts->released);
	parts->occurred.unix_ns = (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
	parts->event.id.data = id;
	parts->event.id.len = 16;
	parts->event.source = text(wish->source);
	parts->event.type = text("prison.released");
	parts->event.occurred_at = &parts->occurred;
	parts->event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RELEASED;
	parts->event.prison_released = &parts->released;
	if (wish->bytes >= EVENT_WITH_PERSON) {
		ttg__person__init(&parts->person);
		ttg__identifier__init(&parts->identifier);
		parts->identifier.kind = TTG__IDENTIFIER_KIND__NOMS;
		parts->identifier.value = text(PERSON_SAMPLE);
		parts->identifiers[0] = &parts->identifier;
		parts->person.n_identifiers = 1;
		parts->person.identifiers = parts->identifiers;
		parts->event.person = &parts->person;
		parts->event.marking = TTG__MARKING__OFFICIAL_SENSITIVE;
		parts->event.subject_category = TTG__SUBJECT_CATEGORY__CONVICTED;
		parts->event.assertion = TTG__ASSERTION__FACT;
		parts->released.at_liberty = 1;
		parts->released.prison_code = text("PBI");
		parts->released.released_at = &parts->occurred;
	}
	parts->released.area = area;
}

static size_t varint_bytes(uint64_t value)
{
	size_t bytes = 1;

	for (; value >= 0x80; value >>= 7)
		bytes++;
	return bytes;
}

/* Appends a field nobody knows yet, so that the whole is `bytes` long. */
static void pad(struct event *event, size_t bytes)
{
	uint64_t words[2] = { (uint64_t)FUTURE_FIELD << 3 | 2, 0 };
	const size_t room = bytes - event->len - varint_bytes(words[0]);
	uint8_t *longer = realloc(event->bytes, bytes + 16);
	size_t head = 1;

	while (varint_bytes(room - head) > head)
		head++;
	words[1] = room - head;
	if (varint_bytes(words[1]) != head)
		bench_die("no event has just %zu bytes", bytes);
	if (!longer)
		bench_die("no memory");
	event->bytes = longer;
	for (int i = 0; i < 2; i++) {
		for (; words[i] >= 0x80; words[i] >>= 7)
			event->bytes[event->len++] = (uint8_t)(words[i] | 0x80);
		event->bytes[event->len++] = (uint8_t)words[i];
	}
	memset(event->bytes + event->len, 'x', bytes - event->len);
	event->len = bytes;
}

static void make_template(struct event *event, const struct event_wish *wish, uint8_t id[16])
{
	static char area[AREA_LONGEST + 1];
	struct parts *parts = calloc(1, sizeof(*parts));
	size_t filler = 0;

	if (!parts)
		bench_die("no memory");
	memset(area, 'x', sizeof(area) - 1);
	fill(parts, wish, id, text(""));
	size_t bare = ttg__event__get_packed_size(&parts->event);
	if (wish->bytes > bare + 3)
		filler = wish->bytes - bare - 3;
	if (filler > AREA_LONGEST)
		filler = AREA_LONGEST;
	/* The lengths before it grow with it: shorten it until the whole fits. */
	for (parts->released.area = area;; filler--) {
		area[filler] = '\0';
		if (filler == 0 || ttg__event__get_packed_size(&parts->event) <= wish->bytes)
			break;
	}
	if (ttg_event_pack(&parts->event, &event->bytes, &event->len) != TTG_OK)
		bench_die("no memory");
	area[filler] = 'x';
	free(parts);
	if (wish->bytes > event->len + 16)
		pad(event, wish->bytes);
}

void event_maker_init(struct event_maker *maker, const struct event_wish *wish)
{
	uint8_t id[16] = { 0 };

	for (int i = 0; i < 6; i++)
		id[i] = (uint8_t)(wish->run >> (40 - 8 * i));
	id[6] = 0x70;
	id[8] = 0x80;
	id[9] = (uint8_t)(wish->publisher >> 8);
	id[10] = (uint8_t)wish->publisher;
	*maker = (struct event_maker){ .publisher = wish->publisher,
				       .first_person = wish->publisher,
				       .stride = wish->publishers,
				       .persons = wish->persons / wish->publishers };
	if (maker->persons == 0)
		maker->persons = 1;
	make_template(&maker->event, wish, id);
	maker->event.id = maker->event.bytes + ID_AT;
	const uint8_t *person = memmem(maker->event.bytes, maker->event.len, PERSON_SAMPLE,
				       strlen(PERSON_SAMPLE));
	maker->person_at = person ? (size_t)(person - maker->event.bytes) : 0;
}

void event_maker_fini(struct event_maker *maker)
{
	free(maker->event.bytes);
	maker->event.bytes = NULL;
}

/* Letter, four digits, two letters. */
static void write_person(uint8_t *at, uint64_t person)
{
	at[6] = (uint8_t)('A' + person % 26);
	person /= 26;
	for (int i = 4; i >= 1; i--, person /= 10)
		at[i] = (uint8_t)('0' + person % 10);
	at[5] = (uint8_t)('A' + person % 26);
	person /= 26;
	at[0] = (uint8_t)('A' + person % 26);
}

const struct event *event_make(struct event_maker *maker, uint64_t number)
{
	uint8_t *id = maker->event.bytes + ID_AT;

	for (int i = 0; i < 5; i++)
		id[11 + i] = (uint8_t)(number >> (32 - 8 * i));
	if (maker->person_at != 0)
		write_person(maker->event.bytes + maker->person_at,
			     maker->first_person + number % maker->persons * maker->stride);
	maker->event.number = number;
	return &maker->event;
}

bool event_recognise(const uint8_t *bytes, size_t len, uint32_t *publisher, uint64_t *number)
{
	const uint8_t *id = bytes + ID_AT;

	if (len < ID_AT + 16 || bytes[0] != 0x0a || bytes[1] != 16 || id[6] != 0x70 || id[8] != 0x80)
		return false;
	*publisher = (uint32_t)id[9] << 8 | id[10];
	*number = 0;
	for (int i = 0; i < 5; i++)
		*number = *number << 8 | id[11 + i];
	return true;
}
