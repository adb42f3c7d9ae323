/*
 * Which rules were in force when: their text out of the journal, the changes, and what two moments differ
 * in. When they were in force the core knows; a text is read back when it is asked for, one a slice.
 *
 * A text that was said again a moment ago is waited for until it is durable.
 */
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "core/record.h"
#include "core/rules_past.h"
#include "core/rules_text.h"
#include "net/control_request.h"

/* Rules are named by the sequence since which they were in force: where their text stands may change. */
struct question {
	uint64_t ends[2]; /* of a difference; [0]: what is shown */
	char *texts[2];   /* as far as they are read; of changes [0]: of the version before `next` */
	size_t at;        /* told up to there */
	size_t next;      /* index of the version to go on with */
	int64_t since_ns, until_ns;
};

struct count {
	json_int_t removed, added;
};

static void free_question(void *arg)
{
	struct question *it = arg;

	free(it->texts[0]);
	free(it->texts[1]);
	free(it);
}

/* Puts the lines of a part behind the text. */
static enum ttg_error add_part(const struct journal_record *record, char **text, size_t *len)
{
	struct record_rules_text part;
	char *grown;

	if (record->kind != RECORD_RULES_TEXT ||
	    !record_get_rules_text(record->data, record->len, &part))
		return TTG_ECORRUPT;
	grown = realloc(*text, *len + part.len + 1);
	if (!grown)
		return TTG_ENOMEM;
	memcpy(grown + *len, part.lines, part.len);
	*len += part.len;
	grown[*len] = '\0';
	*text = grown;
	return TTG_OK;
}

enum ttg_error control_rules_text(const struct net *net, const struct rules_version *version, char **text,
				  size_t *len)
{
	struct journal_reader *reader = NULL;
	enum ttg_error error = version->text == 0 ? TTG_ENOENT : TTG_OK;

	*text = NULL;
	*len = 0;
	if (!error)
		error = journal_reader_open(&reader, net->journal);
	if (!error)
		error = journal_reader_seek(reader, version->text);
	for (uint32_t i = 0; i < version->parts && !error; i++) {
		struct journal_record record;
		uint64_t sequence = 0;

		error = journal_reader_next(reader, &sequence, &record);
		if (!error)
			error = add_part(&record, text, len);
	}
	journal_reader_close(&reader);
	if (error) {
		free(*text);
		*text = NULL;
	}
	return error;
}

/* Reads a text for a step. False: not this time, or the request was ended. */
static bool load(struct control_request *request, uint64_t since, char **text)
{
	const struct rules_version *version = core_rules_of(request->net->core, since);
	enum ttg_error error = TTG_ENOENT;
	size_t len;

	if (version && version->since == since)
		error = control_rules_text(request->net, version, text, &len);

	request->idle = error == TTG_EAGAIN;
	if (error == TTG_ENOENT)
		control_end(request, error, "the text of those rules is not held any more");
	else if (error && error != TTG_EAGAIN)
		control_end(request, error, "%s", ttg_error_text(error));
	return error == TTG_OK;
}

/* Those that came into force behind these; NULL: these are in force now. */
static const struct rules_version *follower(const struct core *core, const struct rules_version *version)
{
	for (size_t i = 0; i < core_rules_count(core); i++)
		if (core_rules_version(core, i)->since > version->since)
			return core_rules_version(core, i);
	return NULL;
}

static void tell_head(struct control_request *request, const struct rules_version *version)
{
	const struct rules_version *next = follower(request->net->core, version);
	json_t *head = json_object();

	json_object_set_new(head, "digest", control_hex(version->digest, DIGEST_BYTES));
	json_object_set_new(head, "grants", json_integer((json_int_t)version->n_grants));
	json_object_set_new(head, "from_sequence", json_integer((json_int_t)version->since));
	json_object_set_new(head, "from", control_time(version->since_ns));
	json_object_set_new(head, "to_sequence",
			    next ? json_integer((json_int_t)next->since) : json_null());
	json_object_set_new(head, "to", control_time(next ? next->since_ns : 0));
	control_item(request, head);
}

static void rules_step(struct control_request *request)
{
	struct question *it = request->job;

	if (!it->texts[0] && !load(request, it->ends[0], &it->texts[0]))
		return;
	for (const char *line = it->texts[0] + it->at; *line && !control_enough(request);) {
		const size_t len = strcspn(line, "\n");

		control_item(request, json_pack("{s:s%}", "line", line, len));
		it->at += len + 1;
		line += len + 1;
	}
	if (it->texts[0][it->at] == '\0')
		control_end(request, TTG_OK, "%s", "");
}

static struct question *start_question(struct control_request *request,
				       void (*step)(struct control_request *request))
{
	struct question *it = calloc(1, sizeof(*it));

	if (!it) {
		control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
		return NULL;
	}
	request->job = it;
	request->free_job = free_question;
	request->step = step;
	return it;
}

/* Ends the request when they are not known. */
static bool is_known(struct control_request *request, const struct rules_version *found)
{
	const struct core *core = request->net->core;

	if (!found)
		control_end(request, TTG_ENOENT,
			    "it is not known which rules were in force then: the oldest known begin with "
			    "sequence %llu",
			    (unsigned long long)(core_rules_count(core) > 0 ?
							 core_rules_version(core, 0)->since :
							 0));
	return found != NULL;
}

/* An instant that may be left out. False: the request was ended. */
static bool take_instant(struct control_request *request, const char *name, int64_t *out)
{
	const char *text = NULL;

	if (!control_string(request, name, false, &text))
		return false;
	if (!text || instant_parse(text, out) == TTG_OK)
		return true;
	control_end(request, TTG_EINVAL, "%s must be an instant such as 2026-11-27T09:00:00Z", name);
	return false;
}

void control_rules(struct control_request *request)
{
	const struct core *core = request->net->core;
	int64_t at_ns = INT64_MIN, sequence = 0;
	const struct rules_version *version;
	struct question *it;

	if (!control_integer(request, "sequence", false, 1, INT64_MAX, &sequence) ||
	    !take_instant(request, "at", &at_ns))
		return;
	if (sequence > 0 && at_ns != INT64_MIN) {
		control_end(request, TTG_EINVAL, "at and sequence exclude each other");
		return;
	}
	if (sequence == 0)
		sequence = INT64_MAX;
	version = at_ns != INT64_MIN ? core_rules_at(core, at_ns) :
				       core_rules_of(core, (uint64_t)sequence);
	it = is_known(request, version) ? start_question(request, rules_step) : NULL;
	if (!it)
		return;
	it->ends[0] = version->since;
	tell_head(request, version);
}

static bool count_line(void *arg, char sign, const char *line, size_t len)
{
	struct count *count = arg;

	(void)line;
	(void)len;
	count->removed += sign == '-';
	count->added += sign == '+';
	return true;
}

/* Lines removed and added are told where both texts are held. */
static void tell_change(struct control_request *request, const struct rules_version *version,
			const char *before, const char *after)
{
	struct count count = { 0, 0 };
	const bool known = before && after;

	if (known && !rules_diff(before, after, count_line, &count)) {
		control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
		return;
	}
	control_item(request, json_pack("{s:I, s:o, s:o, s:I, s:o, s:o}", "sequence",
					(json_int_t)version->since, "at", control_time(version->since_ns),
					"digest", control_hex(version->digest, DIGEST_BYTES), "grants",
					(json_int_t)version->n_grants, "removed",
					known ? json_integer(count.removed) : json_null(), "added",
					known ? json_integer(count.added) : json_null()));
}

/* One version a slice: each text is read once, and compared with the one before. */
static void changes_step(struct control_request *request)
{
	struct question *it = request->job;
	const struct core *core = request->net->core;
	const struct rules_version *version;
	char *text;
	size_t len;

	if (it->next >= core_rules_count(core)) {
		control_end(request, TTG_OK, "%s", "");
		return;
	}
	version = core_rules_version(core, it->next);
	const enum ttg_error error = control_rules_text(request->net, version, &text, &len);
	request->idle = error == TTG_EAGAIN;
	if (request->idle)
		return;
	if (error && error != TTG_ENOENT) {
		control_end(request, error, "%s", ttg_error_text(error));
		return;
	}
	if (version->since_ns >= it->since_ns && version->since_ns < it->until_ns)
		tell_change(request, version, it->texts[0], text);
	free(it->texts[0]);
	it->texts[0] = text;
	it->next++;
}

void control_rules_changes(struct control_request *request)
{
	int64_t since_ns = INT64_MIN, until_ns = INT64_MAX;
	struct question *it;

	if (!take_instant(request, "since", &since_ns) || !take_instant(request, "until", &until_ns))
		return;
	it = start_question(request, changes_step);
	if (!it)
		return;
	it->since_ns = since_ns;
	it->until_ns = until_ns;
}

static bool tell_line(void *arg, char sign, const char *line, size_t len)
{
	const char text[] = { sign, '\0' };

	control_item(arg, json_pack("{s:s, s:s%}", "change", text, "line", line, len));
	return !control_enough(arg);
}

static void diff_step(struct control_request *request)
{
	struct question *it = request->job;

	for (int i = 0; i < 2; i++)
		if (!it->texts[i] && !load(request, it->ends[i], &it->texts[i]))
			return;
	if (rules_diff(it->texts[0], it->texts[1], tell_line, request))
		control_end(request, TTG_OK, "%s", "");
	else
		control_end(request, TTG_ELIMIT,
			    "they differ in more than an answer holds: see each of them");
}

/* A sequence, or an instant; *since names the rules then. False: the request was ended. */
static bool take_moment(struct control_request *request, const char *name, uint64_t *since)
{
	const struct rules_version *found = NULL;
	const struct core *core = request->net->core;
	const char *text = NULL;
	int64_t at_ns = 0;

	if (!control_string(request, name, true, &text))
		return false;
	if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
		found = core_rules_of(core, strtoull(text, NULL, 10));
	} else if (instant_parse(text, &at_ns) == TTG_OK) {
		found = core_rules_at(core, at_ns);
	} else {
		control_end(request, TTG_EINVAL,
			    "%s must be a sequence or an instant such as 2026-11-27T09:00:00Z", name);
		return false;
	}
	if (!is_known(request, found))
		return false;
	*since = found->since;
	return true;
}

void control_rules_diff(struct control_request *request)
{
	uint64_t ends[2];
	struct question *it;

	if (!take_moment(request, "from", &ends[0]) || !take_moment(request, "to", &ends[1]))
		return;
	it = start_question(request, diff_step);
	if (it)
		memcpy(it->ends, ends, sizeof(ends));
}
