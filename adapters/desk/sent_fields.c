/* The fields of an event in plain words, out of their names in the catalogue. See sent.h. */
#include "desk/sent.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "desk/act_field.h"
#include "desk/rows.h"
#include "oneservice/words.h"

#define LABEL_BYTES 128
#define DEPTH_MAX   3
#define VALUE_BYTES (BUILD_TEXT_MAX + 1)

struct walk {
	struct html *html;
	int64_t now_ns;
};

/* "expected_release_date" to "Expected release". */
static void label_of(char out[LABEL_BYTES], const char *before, const char *name)
{
	static const char *const endings[] = { "_at", "_date", "_code", "_agency" };
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t n = strlen(endings[i]);

		if (len > n && strcmp(name + len - n, endings[i]) == 0) {
			len -= n;
			break;
		}
	}
	snprintf(out, LABEL_BYTES, "%s%s%.*s", before, before[0] != '\0' ? ", " : "", (int)len,
	         name);
	for (char *at = out; *at != '\0'; at++)
		if (*at == '_')
			*at = ' ';
	out[0] = (char)toupper((unsigned char)out[0]);
}

static void day_of(const char *date, char out[PAGE_TIME_BYTES])
{
	snprintf(out, PAGE_TIME_BYTES, "%.2s/%.2s/%.4s", date + 8, date + 5, date);
}

static bool ends_in(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);

	return len >= n && strcmp(name + len - n, ending) == 0;
}

static void show_text(struct walk *walk, const char *label, const char *name, const char *text)
{
	char day[PAGE_TIME_BYTES];

	if (text == NULL || text[0] == '\0')
		return;
	if (ends_in(name, "_date") && strlen(text) == 10) {
		day_of(text, day);
		page_summary_row(walk->html, label, day);
	} else if (strcmp(name, "prison_code") == 0) {
		page_summary_row(walk->html, label, words_prison(text));
	} else {
		page_summary_row(walk->html, label, text);
	}
}

static void show_message(struct walk *walk, const char *before, const ProtobufCMessage *message,
                         int depth);

static void show_number(struct walk *walk, const char *label, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	if (value != 0)
		page_summary_row(walk->html, label, text);
}

/* A worker is one row: "J. Okafor, caseworker, 01733 496 000". */
static void show_worker(struct walk *walk, const char *label, const Ttg__Worker *worker)
{
	struct sentence text = { "", 0 };

	words_add_if(&text, "", worker->name);
	words_add_if(&text, ", ", worker->role);
	words_add_if(&text, ", ", worker->worker_agency);
	words_add_if(&text, ", ", worker->team);
	words_add_if(&text, ", ", worker->telephone);
	words_add_if(&text, ", ", worker->email);
	page_summary_row(walk->html, label, text.bytes);
}

static void show_part(struct walk *walk, const char *label, const ProtobufCMessage *part, int depth)
{
	char text[PAGE_TIME_BYTES];

	if (part == NULL)
		return;
	if (part->descriptor == &ttg__time__descriptor) {
		page_time(text, ((const Ttg__Time *)(const void *)part)->unix_ns, walk->now_ns);
		page_summary_row(walk->html, label, text);
	} else if (part->descriptor == &ttg__worker__descriptor) {
		show_worker(walk, label, (const Ttg__Worker *)(const void *)part);
	} else if (depth < DEPTH_MAX) {
		show_message(walk, label, part, depth + 1);
	}
}

/* A need is one row: what, how grave, what was found. */
static void show_need(struct walk *walk, const Ttg__Need *need)
{
	char level[ACT_WORD_BYTES], text[VALUE_BYTES];

	act_word(level, &ttg__need_level__descriptor, (int)need->level);
	snprintf(text, sizeof(text), "%s%s%s%s", need->level == 0 ? "There, not graded" : level,
	         need->new_since_last == TTG__ANSWER__ANSWER_YES ? ", new" : "",
	         need->note[0] != '\0' ? ": " : "", need->note);
	page_summary_row(walk->html, act_need_label((int)need->category), text);
}

static void show_value(struct walk *walk, const char *label, const ProtobufCFieldDescriptor *field,
                       const void *at, int depth)
{
	const void *pointer;
	char word[ACT_WORD_BYTES];
	int32_t number;

	if (field->type == PROTOBUF_C_TYPE_STRING) {
		memcpy(&pointer, at, sizeof(pointer));
		show_text(walk, label, field->name, pointer);
	} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		memcpy(&pointer, at, sizeof(pointer));
		if (pointer != NULL && field->descriptor == &ttg__need__descriptor)
			show_need(walk, pointer);
		else
			show_part(walk, label, pointer, depth);
	} else if (field->type == PROTOBUF_C_TYPE_ENUM) {
		memcpy(&number, at, sizeof(number));
		act_word(word, field->descriptor, number);
		if (number != 0)
			page_summary_row(walk->html, label, word);
	} else if (field->type == PROTOBUF_C_TYPE_BOOL) {
		if (*(const protobuf_c_boolean *)at != 0)
			page_summary_row(walk->html, label, "Yes");
	} else if (field->type == PROTOBUF_C_TYPE_UINT32) {
		memcpy(&number, at, sizeof(number));
		show_number(walk, label, (uint32_t)number);
	}
}

static size_t bytes_of(const ProtobufCFieldDescriptor *field)
{
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		return sizeof(int32_t);
	return sizeof(void *); /* texts and messages: the only other lists of the catalogue */
}

static void show_list(struct walk *walk, const char *label, const ProtobufCFieldDescriptor *field,
                      const uint8_t *base, int depth)
{
	const uint8_t *list;
	size_t n;

	memcpy(&n, base + field->quantifier_offset, sizeof(n));
	memcpy(&list, base + field->offset, sizeof(list));
	if (field->type != PROTOBUF_C_TYPE_ENUM && field->type != PROTOBUF_C_TYPE_STRING &&
	    field->type != PROTOBUF_C_TYPE_MESSAGE)
		return;
	for (size_t i = 0; i < n; i++)
		show_value(walk, label, field, list + i * bytes_of(field), depth);
}

static void show_message(struct walk *walk, const char *before, const ProtobufCMessage *message,
                         int depth)
{
	const uint8_t *base = (const uint8_t *)message;

	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		char label[LABEL_BYTES];

		label_of(label, before, field->name);
		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			show_list(walk, label, field, base, depth);
		else
			show_value(walk, label, field, base + field->offset, depth);
	}
}

void sent_fields(struct html *html, const Ttg__Event *event, int64_t now_ns)
{
	struct walk walk = { html, now_ns };
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
	        &ttg__event__descriptor, (unsigned)event->payload_case);
	const ProtobufCMessage *payload = NULL;

	for (size_t i = 0; event->person != NULL && i < event->person->n_identifiers; i++)
		page_summary_row(html, row_number_name((int)event->person->identifiers[i]->kind),
		                 event->person->identifiers[i]->value);
	if (field != NULL && ttg_type_of(event) >= 0)
		memcpy(&payload, (const uint8_t *)event + field->offset, sizeof(payload));
	if (payload != NULL)
		show_message(&walk, "", payload, 0);
}
