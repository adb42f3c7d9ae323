/*
 * The log of disclosures, out of the archive and the journal: what was delivered, when, of which type, from
 * whom, to whom, under which agreements, which of its fields, and what became of it. A line for each delivery
 * that left, whether it is answered or not; nothing of its content. Between them who asked, what was decided,
 * when the rules changed. Who asks says why, and that is in the journal too.
 *
 * Readers go through both in slices, first the archive; what is open is held in a table of positions. What
 * retention takes from the journal meanwhile is in the archive by then, and read on there. Beside it the
 * rules are held that were in force at the record that is read: which fields went is in them alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include <uthash.h>

#include "base/instant.h"
#include "core/record.h"
#include "core/rules_past.h"
#include "core/rules_text.h"
#include "net/archiver.h"
#include "net/asides.h"
#include "net/control_request.h"

#define RECORDS_A_SLICE 2000
#define OPEN_MAX 1000000u
#define UNKNOWN_FIELDS "?" /* the text of those rules is not held any more */

struct place {
	uint64_t position;
	uint32_t mailbox;
	uint32_t zero; /* keys are compared as bytes */
};

/* A delivery that is not over. */
struct disclosure {
	struct place place;
	int64_t accepted_ns, delivered_ns; /* delivered: 0: not yet */
	uint64_t recorded, sequence, attempts; /* recorded: that it was given to this mailbox */
	uint8_t id[RECORD_ID], key[RECORD_PERSON_KEY];
	bool has_person, repeat;
	char type[RULES_TYPE_MAX + 1], source[RULES_ID_MAX + 1];
	char agreements[RECORD_MAX_AGREEMENTS][RULES_ID_MAX + 1];
	uint32_t n_agreements;
	const char *fields; /* one of the search's; NULL: none went yet */
	UT_hash_handle hh;
};

/* Of fields there are few kinds: each is kept once. */
struct kind_of_fields {
	UT_hash_handle hh;
	char text[];
};

struct search {
	struct control_request *request;
	struct journal_reader *reader;
	struct journal_record record;    /* read and not taken yet, when `again` */
	uint64_t sequence;
	bool again;
	struct archive_reader *archive; /* NULL: none is kept, or it is not open yet */
	bool begun, in_archive;
	uint64_t next;                  /* sequence that follows those that were read; 0: none was */
	uint64_t last;                  /* that this was asked: nothing behind it is told */
	struct disclosure *open;
	struct kind_of_fields *kinds;
	struct rules_reading *rules;     /* in force at the record that is taken; NULL: not held any more */
	uint64_t rules_since;            /* which these are; 0: none were looked for */
	char *text;                      /* of rules, as far as the archive told it */
	size_t text_len;
	struct asked asked;
	bool through;                   /* all was read: what is open is told */
};

static void forget(struct search *it, struct disclosure *one)
{
	HASH_DEL(it->open, one);
	free(one);
}

static void free_search(void *arg)
{
	struct search *it = arg;
	struct disclosure *one = NULL, *next = NULL;
	struct kind_of_fields *kind = NULL, *more = NULL;

	HASH_ITER(hh, it->open, one, next) {
		forget(it, one);
	}
	HASH_ITER(hh, it->kinds, kind, more) {
		HASH_DEL(it->kinds, kind);
		free(kind);
	}
	rules_reading_free(&it->rules);
	free(it->text);
	journal_reader_close(&it->reader);
	archive_reader_close(&it->archive);
	free(it);
}

static const char *mailbox_id(const struct search *it, uint32_t number)
{
	struct core_mailbox_view view;

	if (number >= core_mailbox_count(it->request->net->core))
		return "";
	core_mailbox_view(it->request->net->core, number, &view);
	return view.id;
}

static void tell(struct search *it, const struct disclosure *one, const char *outcome, int64_t at_ns)
{
	json_t *line = asides_line(&it->asked, "delivered", one->delivered_ns), *agreements;
	char id[TTG_UUID_TEXT];

	if (!line)
		return;
	agreements = json_array();
	ttg_uuid_format(one->id, id);
	for (uint32_t i = 0; i < one->n_agreements; i++)
		json_array_append_new(agreements, json_string(one->agreements[i]));
	json_object_set_new(line, "delivered_at", control_time(one->delivered_ns));
	json_object_set_new(line, "type", json_string(one->type));
	json_object_set_new(line, "from", json_string(one->source));
	json_object_set_new(line, "to", json_string(mailbox_id(it, one->place.mailbox)));
	json_object_set_new(line, "agreements", agreements);
	json_object_set_new(line, "fields", json_string(one->fields));
	json_object_set_new(line, "event_id", json_string(id));
	json_object_set_new(line, "sequence", json_integer((json_int_t)one->sequence));
	json_object_set_new(line, "person_key",
			    one->has_person ? control_hex(one->key, RECORD_PERSON_KEY) : json_null());
	json_object_set_new(line, "accepted_at", control_time(one->accepted_ns));
	json_object_set_new(line, "repeat", json_boolean(one->repeat));
	json_object_set_new(line, "attempts", json_integer((json_int_t)one->attempts));
	json_object_set_new(line, "outcome", json_string(outcome));
	json_object_set_new(line, "ended_at", control_time(at_ns));
	control_item(it->request, line);
}

static bool add(struct search *it, const struct record_event *event, uint64_t sequence,
		const struct record_recipient *to)
{
	struct disclosure *one;

	if (!asides_concern(&it->asked, event->source, mailbox_id(it, to->mailbox)))
		return true;
	if (HASH_COUNT(it->open) >= OPEN_MAX || !(one = calloc(1, sizeof(*one))))
		return false;
	one->place.position = to->position;
	one->place.mailbox = to->mailbox;
	one->accepted_ns = event->accepted_ns;
	one->recorded = sequence;
	one->sequence = event->first ? event->first : sequence;
	memcpy(one->id, event->id, sizeof(one->id));
	one->has_person = event->person_key != NULL;
	one->repeat = event->given != 0;
	if (event->person_key)
		memcpy(one->key, event->person_key, sizeof(one->key));
	snprintf(one->type, sizeof(one->type), "%s", event->type);
	snprintf(one->source, sizeof(one->source), "%s", event->source);
	for (uint32_t i = 0; i < to->n_agreements; i++)
		snprintf(one->agreements[one->n_agreements++], RULES_ID_MAX + 1, "%s", to->agreements[i]);
	HASH_ADD(hh, it->open, place, sizeof(one->place), one);
	return true;
}

static bool take_event(struct search *it, uint64_t sequence, struct record_event *event)
{
	struct record_recipient to;
	bool done = true;

	if (it->asked.of_person &&
	    (!event->person_key ||
	     !core_person_is(it->request->net->core, &it->asked.person, event->person_key)))
		return true;
	for (uint32_t i = 0; i < event->n_recipients && done; i++) {
		record_next_recipient(&event->recipients, &to);
		done = add(it, event, sequence, &to);
	}
	return done;
}

static struct disclosure *find(struct search *it, uint32_t mailbox, uint64_t position)
{
	const struct place place = { .position = position, .mailbox = mailbox };
	struct disclosure *one = NULL;

	HASH_FIND(hh, it->open, &place, sizeof(place), one);
	return one;
}

static void end(struct search *it, struct disclosure *one, const char *outcome, int64_t at_ns)
{
	if (!one)
		return;
	if (one->delivered_ns != 0)
		tell(it, one, outcome, at_ns);
	forget(it, one);
}

/* The rules in force at this record. TTG_EAGAIN: their text is not durable yet. */
static enum ttg_error find_rules(struct search *it, uint64_t sequence)
{
	const struct rules_version *version = core_rules_of(it->request->net->core, sequence);
	const uint64_t since = version ? version->since : 0;
	enum ttg_error error;
	char *text;
	size_t len;

	if (!version || since == it->rules_since)
		return TTG_OK;
	error = control_rules_text(it->request->net, version, &text, &len);
	if (error && error != TTG_ENOENT)
		return error;
	rules_reading_free(&it->rules);
	it->rules_since = since;
	it->rules = text ? rules_read(text, len) : NULL;
	free(text);
	return TTG_OK;
}

/* The kept text that says the same; NULL without memory. */
static const char *kept_fields(struct search *it, const char *text)
{
	const size_t len = strlen(text);
	struct kind_of_fields *kind = NULL;

	HASH_FIND(hh, it->kinds, text, len, kind);
	if (kind)
		return kind->text;
	kind = malloc(sizeof(*kind) + len + 1);
	if (!kind)
		return NULL;
	memcpy(kind->text, text, len + 1);
	HASH_ADD_KEYPTR(hh, it->kinds, kind->text, len, kind);
	return kind->text;
}

/* What left now, with what left of it before. False: no memory. */
static bool add_fields(struct search *it, struct disclosure *one, int64_t at_ns)
{
	const char *under[RECORD_MAX_AGREEMENTS];
	const struct rules_delivery delivery = {
		.type = one->type, .from = one->source, .to = mailbox_id(it, one->place.mailbox),
		.under = under, .n_under = one->n_agreements,
		.others = one->recorded < it->rules_since, .at_ns = at_ns,
	};
	char *fields, *all = NULL;

	for (uint32_t i = 0; i < one->n_agreements; i++)
		under[i] = one->agreements[i];
	fields = it->rules ? rules_read_fields(it->rules, &delivery) : strdup("");
	if (fields && (fields[0] == '\0' || (one->fields && strcmp(one->fields, UNKNOWN_FIELDS) == 0)))
		all = strdup(UNKNOWN_FIELDS);
	else if (fields)
		all = rules_join_fields(one->fields ? one->fields : "", fields);
	one->fields = all ? kept_fields(it, all) : NULL;
	free(fields);
	free(all);
	return one->fields != NULL;
}

static bool left(struct search *it, struct disclosure *one, const struct record_positions *positions)
{
	if (one->delivered_ns == 0)
		one->delivered_ns = positions->at_ns;
	one->attempts = positions->value;
	return add_fields(it, one, positions->at_ns);
}

static bool take_positions(struct search *it, uint8_t kind, const uint8_t *data, size_t len)
{
	struct record_ranges ranges = { 0 };
	struct record_positions positions;
	bool done = record_get_positions(data, len, &positions, &ranges);

	for (size_t i = 0; done && i < ranges.n; i++) {
		for (uint64_t k = 0; done && k < ranges.items[i].n; k++) {
			struct disclosure *one = find(it, positions.mailbox, ranges.items[i].first + k);

			if (one && kind == RECORD_DELIVERED)
				done = left(it, one, &positions);
			else if (kind != RECORD_DELIVERED)
				end(it, one, kind == RECORD_ACK ? "acknowledged" :
						     kind == RECORD_EXPIRED ? "expired" : "stopped",
				    positions.at_ns);
		}
	}
	record_ranges_fini(&ranges);
	return done;
}

static bool take_given_up(struct search *it, const uint8_t *data, size_t len)
{
	struct record_given_up *items;
	struct disclosure *one = NULL, *next = NULL;
	uint64_t below;
	int64_t at_ns;
	size_t n;

	if (!record_get_given_up(data, len, &at_ns, &below, &items, &n))
		return false;
	HASH_ITER(hh, it->open, one, next) {
		size_t i = 0;

		while (i < n && items[i].mailbox != one->place.mailbox)
			i++;
		if (i < n && one->recorded < below)
			end(it, one, "given_up", at_ns);
	}
	free(items);
	return true;
}

/* Of the archive: the text of rules stands there in front of them. */
static bool take_text(struct search *it, const uint8_t *data, size_t len)
{
	struct record_rules_text part;
	char *grown;

	if (!record_get_rules_text(data, len, &part))
		return false;
	if (!it->in_archive)
		return true;
	if (part.part == 0)
		it->text_len = 0;
	grown = realloc(it->text, it->text_len + part.len + 1);
	if (!grown)
		return false;
	it->text = grown;
	memcpy(it->text + it->text_len, part.lines, part.len);
	it->text_len += part.len;
	return true;
}

static void read_text(struct search *it, uint64_t since)
{
	rules_reading_free(&it->rules);
	it->rules_since = since;
	it->rules = it->text_len > 0 ? rules_read(it->text, it->text_len) : NULL;
	it->text_len = 0;
}

static bool take_rules(struct search *it, uint64_t sequence, const uint8_t *data, size_t len)
{
	struct record_rules one;
	json_t *line;

	if (!record_get_rules(data, len, &one))
		return false;
	if (it->in_archive)
		read_text(it, one.since ? one.since : sequence);
	if (one.since != 0)
		return true; /* said again */
	if (it->asked.of_person || it->asked.agency[0] != '\0' ||
	    !(line = asides_line(&it->asked, "rules", one.at_ns)))
		return true;
	json_object_set_new(line, "text", control_hex(one.digest, RECORD_DIGEST));
	control_item(it->request, line);
	return true;
}

/* False: no memory, too much is open, or a record that cannot be read. */
static bool take(struct search *it, uint64_t sequence, const struct journal_record *record)
{
	struct record_event event;
	struct record_one one;

	switch (record->kind) {
	case RECORD_EVENT:
	case RECORD_LATE:
	case RECORD_AGAIN:
		return record_get_stripped(record->kind, record->data, record->len, &event) &&
		       take_event(it, sequence, &event);
	case RECORD_CONSULTED:
		return asides_consulted(&it->asked, record->data, record->len);
	case RECORD_REDELIVER:
		return asides_redeliver(&it->asked, record->data, record->len);
	case RECORD_REFUSED:
		return asides_refused(&it->asked, record->data, record->len);
	case RECORD_DECIDED:
		return asides_decided(&it->asked, record->data, record->len);
	case RECORD_RULES:
		return take_rules(it, sequence, record->data, record->len);
	case RECORD_RULES_TEXT:
		return take_text(it, record->data, record->len);
	case RECORD_ERASED:
		return asides_erased(&it->asked, record->data, record->len);
	case RECORD_LAPSED:
		return asides_lapsed(&it->asked, record->data, record->len);
	case RECORD_DELIVERED:
	case RECORD_ACK:
	case RECORD_EXPIRED:
	case RECORD_STOPPED:
		return take_positions(it, record->kind, record->data, record->len);
	case RECORD_GIVEN_UP:
		return take_given_up(it, record->data, record->len);
	case RECORD_DISCARD:
		if (!record_get_one(record->data, record->len, &one))
			return false;
		end(it, find(it, one.mailbox, one.position), "discarded", one.at_ns);
		return true;
	default:
		return true;
	}
}

/* From the journal on where the archive ended. */
static enum ttg_error seek_journal(struct search *it)
{
	struct journal_stats stats;

	it->in_archive = false;
	journal_get_stats(it->request->net->journal, &stats);
	return journal_reader_seek(it->reader, it->next > stats.first_sequence ? it->next :
										 stats.first_sequence);
}

/* Sequences below it->next were read in the journal before it let them go. */
static enum ttg_error next_record(struct search *it, uint64_t *sequence, struct journal_record *record)
{
	enum ttg_error error = TTG_ENOENT;

	if (!it->in_archive)
		error = journal_reader_next(it->reader, sequence, record);
	if (error != TTG_ENOENT || !it->archive)
		return error;
	it->in_archive = true;
	error = archive_reader_next(it->archive, sequence, record);
	if (error != TTG_EAGAIN)
		return error;
	error = seek_journal(it);
	return error ? error : journal_reader_next(it->reader, sequence, record);
}

/*
 * The next record, taken. TTG_EAGAIN: there is none, or it has to wait for the rules of its time. What was
 * there when the question was recorded is told, however long that takes to be durable.
 */
static enum ttg_error take_next(struct search *it)
{
	enum ttg_error error = TTG_OK;

	if (!it->again) {
		error = next_record(it, &it->sequence, &it->record);
		if (error || it->sequence < it->next)
			return error;
		if (it->next != 0 && it->sequence > it->next)
			asides_missing(&it->asked, it->next, it->sequence - 1);
		it->next = it->sequence + 1;
	}
	if (it->record.kind == RECORD_DELIVERED && !it->in_archive)
		error = find_rules(it, it->sequence);
	it->again = error == TTG_EAGAIN;
	if (error)
		return error;
	it->through = it->sequence >= it->last;
	return take(it, it->sequence, &it->record) ? TTG_OK : TTG_ELIMIT;
}

/* What nobody has answered yet. */
static void tell_open(struct search *it)
{
	struct disclosure *one = NULL, *next = NULL;

	HASH_ITER(hh, it->open, one, next) {
		if (control_enough(it->request))
			return;
		end(it, one, "open", 0);
	}
	control_end(it->request, TTG_OK, "%s", "");
}

/* The archive is waited for while it is being opened. False: not yet, or not at all. */
static bool begin(struct search *it)
{
	struct control_request *request = it->request;
	struct archive *archive = NULL;
	enum ttg_error error;
	const char *why = "";
	bool soon = false;

	if (request->net->archiver) {
		archive = archiver_archive(request->net->archiver, &why, &soon);
		request->idle = request->watch = soon;
		if (!archive && !soon)
			control_end(request, TTG_EIO, "the archive cannot be read: %s", why);
		if (!archive)
			return false;
	}
	it->begun = true;
	it->in_archive = archive != NULL;
	error = archive ? archive_reader_open(&it->archive, archive) : seek_journal(it);
	if (error)
		control_end(request, error, "%s", ttg_error_text(error));
	return error == TTG_OK;
}

static void step(struct control_request *request)
{
	struct search *it = request->job;
	enum ttg_error error = TTG_OK;

	if (!it->begun && !begin(it))
		return;
	for (int i = 0; i < RECORDS_A_SLICE && !it->through && !error && !control_enough(request); i++)
		error = take_next(it);
	request->idle = error == TTG_EAGAIN; /* until it is durable that this was asked */
	if (error == TTG_ELIMIT)
		control_end(request, error, "too much is open at once, or a record is damaged");
	else if (error && error != TTG_EAGAIN)
		control_end(request, error, "%s", ttg_error_text(error));
	else if (it->through)
		tell_open(it);
}

/* "" and the limits of time where nothing is said. */
static bool read_arguments(struct control_request *request, struct search *it)
{
	const char *agency = NULL, *person = NULL, *since = NULL, *until = NULL, *reason = NULL;

	it->asked.request = request;
	it->asked.since_ns = INT64_MIN;
	it->asked.until_ns = INT64_MAX;
	if (!control_string(request, "agency", false, &agency) ||
	    !control_string(request, "person", false, &person) ||
	    !control_string(request, "since", false, &since) ||
	    !control_string(request, "until", false, &until) ||
	    !control_bool(request, "reasons", &it->asked.reasons) ||
	    !control_string(request, "reason", true, &reason))
		return false;
	if ((since && instant_parse(since, &it->asked.since_ns) != TTG_OK) ||
	    (until && instant_parse(until, &it->asked.until_ns) != TTG_OK)) {
		control_end(request, TTG_EINVAL,
			    "since and until must be instants such as 2026-11-27T09:00:00Z");
		return false;
	}
	snprintf(it->asked.agency, sizeof(it->asked.agency), "%s", agency ? agency : "");
	it->asked.of_person = person != NULL;
	if (!control_consult(request, person, reason, "disclosures", &it->asked.person))
		return false;
	it->last = request->wait_durable;
	return true;
}

void control_disclosures(struct control_request *request)
{
	struct search *it = calloc(1, sizeof(*it));
	enum ttg_error error = it ? TTG_OK : TTG_ENOMEM;

	if (it && !read_arguments(request, it)) {
		free(it);
		return;
	}
	if (!error)
		error = journal_reader_open(&it->reader, request->net->journal);
	if (error) {
		if (it)
			free_search(it);
		control_end(request, error, "%s", ttg_error_text(error));
		return;
	}
	it->request = request;
	request->job = it;
	request->free_job = free_search;
	request->step = step;
}
