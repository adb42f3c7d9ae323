/*
 * Saying in the journal which rules are in force: their text in parts, and the RULES record behind them, as
 * one, so that a crash leaves all of it or nothing. Before retention lets go of a text that is still needed
 * it is said again, with the sequence since which those rules were in force.
 *
 * Applying proves it: parts that do not follow each other, or whose lines do not have the digest that the
 * RULES record names, are damage.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/rules_text.h"
#include "core/state.h"

#define PART_HEAD 64u /* of a RULES_TEXT record at most, before its lines */

/* The lines of rules, one after the other. */
struct text {
	char *bytes;
	size_t len, room;
};

/* What is to be appended: parts, and the RULES record behind them. */
struct unit {
	struct core_record records[RECORD_MAX_PARTS + 1];
	uint8_t *owned[RECORD_MAX_PARTS + 1];
	uint32_t n;
};

static bool add_line(void *arg, const char *line, size_t len)
{
	struct text *text = arg;

	if (text->room - text->len < len + 1) {
		const size_t room = 2 * (text->len + len + 1);
		char *grown = realloc(text->bytes, room);

		if (!grown)
			return false;
		text->bytes = grown;
		text->room = room;
	}
	memcpy(text->bytes + text->len, line, len);
	text->bytes[text->len + len] = '\n';
	text->len += len + 1;
	return true;
}

/* Room for the next record; NULL without memory. */
static uint8_t *next_record(struct unit *unit, uint8_t kind, size_t room)
{
	uint8_t *bytes = malloc(room);

	if (!bytes)
		return NULL;
	unit->owned[unit->n] = bytes;
	unit->records[unit->n++] = (struct core_record){ kind, bytes, 0 };
	return bytes;
}

static void unit_fini(struct unit *unit)
{
	for (uint32_t i = 0; i < unit->n; i++)
		free(unit->owned[i]);
}

/* As many whole lines as a part holds; 0: not even one. */
static size_t part_len(const char *text, size_t left)
{
	size_t len = left < RECORD_RULES_PART ? left : RECORD_RULES_PART;

	while (len > 0 && text[len - 1] != '\n')
		len--;
	return len;
}

static enum ttg_error cut(const struct text *text, const uint8_t *digest, struct unit *unit)
{
	struct record_rules_text it = { .digest = digest };

	for (size_t at = 0; at < text->len; at += it.len, it.n_parts++) {
		it.len = part_len(text->bytes + at, text->len - at);
		if (it.len == 0 || it.n_parts == RECORD_MAX_PARTS)
			return TTG_ELIMIT;
	}
	it.lines = text->bytes;
	for (it.part = 0; it.part < it.n_parts; it.part++, it.lines += it.len) {
		struct cursor cursor;
		uint8_t *bytes;

		it.len = part_len(it.lines, text->len - (size_t)(it.lines - text->bytes));
		bytes = next_record(unit, RECORD_RULES_TEXT, it.len + PART_HEAD);
		if (!bytes)
			return TTG_ENOMEM;
		cursor_init_write(&cursor, bytes, it.len + PART_HEAD);
		record_put_rules_text(&cursor, &it);
		assert(cursor_ok(&cursor));
		unit->records[it.part].len = cursor_offset(&cursor);
	}
	return TTG_OK;
}

static enum ttg_error spell(const struct rules *rules, struct unit *unit)
{
	struct text text = { 0 };
	enum ttg_error code = rules_text(rules, add_line, &text) ? TTG_OK : TTG_ENOMEM;

	if (code == TTG_OK)
		code = cut(&text, rules->digest, unit);
	free(text.bytes);
	return code;
}

static void add_lines(struct digest *sum, const char *lines, size_t len)
{
	while (len > 0) {
		const char *end = memchr(lines, '\n', len);
		const size_t line = (size_t)(end - lines);

		rules_text_digest(sum, lines, line);
		lines += line + 1;
		len -= line + 1;
	}
}

/* A part as it stands in the journal, put behind those before. */
static enum ttg_error fetch_part(const struct core *core, const struct rules_version *version,
				 struct unit *unit, struct digest *sum)
{
	struct record_rules_text it;
	const uint8_t *data;
	uint8_t kind, *bytes;
	size_t len;
	enum ttg_error code = core->sink.read(core->sink.self, version->text + unit->n, &kind, &data,
					      &len);

	if (code != TTG_OK)
		return code;
	if (kind != RECORD_RULES_TEXT || !record_get_rules_text(data, len, &it) ||
	    it.part != unit->n || it.n_parts != version->parts ||
	    memcmp(it.digest, version->digest, sizeof(version->digest)) != 0)
		return TTG_ECORRUPT;
	add_lines(sum, it.lines, it.len);
	bytes = next_record(unit, kind, len);
	if (!bytes)
		return TTG_ENOMEM;
	memcpy(bytes, data, len);
	unit->records[unit->n - 1].len = len;
	return TTG_OK;
}

static enum ttg_error fetch(const struct core *core, const struct rules_version *version,
			    struct unit *unit)
{
	struct digest *sum = digest_new();
	uint8_t digest[DIGEST_BYTES];
	enum ttg_error code = sum ? TTG_OK : TTG_ENOMEM;

	while (code == TTG_OK && unit->n < version->parts)
		code = fetch_part(core, version, unit, sum);
	if (code == TTG_OK && !digest_end(sum, digest))
		code = TTG_ENOMEM;
	if (code == TTG_OK && memcmp(digest, version->digest, sizeof(digest)) != 0)
		code = TTG_ECORRUPT;
	digest_free(&sum);
	return code;
}

/* Puts the RULES record behind the parts, and all of it into the journal. */
static enum ttg_error say(struct core *core, const struct core_now *now,
			  const struct rules_version *version, uint64_t since, struct unit *unit)
{
	const struct record_rules record = { now->real_ns, version->digest, version->n_grants,
					     unit->n, since };
	const size_t room = RECORD_DIGEST + PART_HEAD;
	uint8_t *bytes = next_record(unit, RECORD_RULES, room);
	struct cursor cursor;

	if (!bytes)
		return TTG_ENOMEM;
	cursor_init_write(&cursor, bytes, room);
	record_put_rules(&cursor, &record);
	assert(cursor_ok(&cursor));
	unit->records[unit->n - 1].len = cursor_offset(&cursor);
	return core_commit_all(core, now, unit->records, unit->n, NULL);
}

static const struct rules_version *newest(const struct core *core)
{
	return core->past.n > 0 ? &core->past.items[core->past.n - 1] : NULL;
}

/* What was cut as the rules said until now is recorded before they change: the log of disclosures asks the
   rules in force at that record. */
static enum ttg_error log_rows(struct core *core, const struct core_now *now)
{
	enum ttg_error code = TTG_OK;

	for (size_t i = 0; i < core->n_mailboxes && code == TTG_OK; i++)
		code = core_log_row(core, now, core->mailboxes[i]);
	return code;
}

enum ttg_error core_tell_rules(struct core *core, const struct core_now *now,
			       const struct rules *rules)
{
	const struct rules_version *last = newest(core);
	const bool known = memcmp(core->rules_digest, rules->digest, RECORD_DIGEST) == 0;
	struct rules_version version = { .n_grants = rules->n_publish + rules->n_deliver };
	struct unit unit = { .n = 0 };
	enum ttg_error code;

	if (known && last && last->text != 0)
		return TTG_OK;
	memcpy(version.digest, rules->digest, sizeof(version.digest));
	code = spell(rules, &unit);
	if (code == TTG_OK)
		code = log_rows(core, now);
	if (code == TTG_OK)
		code = say(core, now, &version, known && last ? last->since : 0, &unit);
	unit_fini(&unit);
	return code;
}

enum ttg_error core_keep_rules(struct core *core, const struct core_now *now, uint64_t keep_from)
{
	const struct rules_version *found = core_rules_of(core, keep_from);
	struct rules_version version;
	struct unit unit = { .n = 0 };
	enum ttg_error code;

	if (core->broken || !found || found->text == 0)
		return TTG_OK;
	if (found->text >= keep_from)
		return found->text + found->parts <= core->durable ? TTG_OK : TTG_EAGAIN;
	version = *found;
	if (found == newest(core) && core->rules &&
	    memcmp(core->rules->digest, version.digest, RECORD_DIGEST) == 0)
		code = spell(core->rules, &unit);
	else
		code = fetch(core, &version, &unit);
	if (code == TTG_OK)
		code = say(core, now, &version, version.since, &unit);
	unit_fini(&unit);
	if (code == TTG_OK)
		core->sink.note(core->sink.self, "rules_said_again", NULL, version.since);
	if (code == TTG_ENOENT)
		return TTG_OK;
	return code == TTG_OK ? TTG_EAGAIN : code;
}

enum ttg_error core_apply_rules_text(struct core *core, uint64_t sequence, const uint8_t *data,
				     size_t len)
{
	struct rules_parts *parts = &core->past.parts;
	struct record_rules_text it;

	if (!record_get_rules_text(data, len, &it))
		return TTG_ECORRUPT;
	if (it.part == 0) {
		digest_free(&parts->sum);
		*parts = (struct rules_parts){ .first = sequence, .n_parts = it.n_parts };
		memcpy(parts->digest, it.digest, sizeof(parts->digest));
		parts->sum = digest_new();
	} else if (parts->first == 0 || it.part != parts->n || it.n_parts != parts->n_parts ||
		   sequence != parts->first + it.part ||
		   memcmp(it.digest, parts->digest, sizeof(parts->digest)) != 0) {
		return TTG_ECORRUPT;
	}
	if (!parts->sum)
		return TTG_ENOMEM;
	parts->n++;
	add_lines(parts->sum, it.lines, it.len);
	return TTG_OK;
}

/* The text right before this record is whole, and has the digest that it names. */
static enum ttg_error prove(struct core *core, uint64_t sequence, const struct record_rules *it)
{
	struct rules_parts *parts = &core->past.parts;
	uint8_t sum[DIGEST_BYTES];
	bool summed;

	if (parts->first == 0 || parts->n != parts->n_parts || it->parts != parts->n ||
	    sequence != parts->first + parts->n ||
	    memcmp(it->digest, parts->digest, sizeof(parts->digest)) != 0)
		return TTG_ECORRUPT;
	summed = digest_end(parts->sum, sum);
	digest_free(&parts->sum);
	parts->first = 0;
	if (!summed)
		return TTG_ENOMEM;
	return memcmp(sum, it->digest, sizeof(sum)) == 0 ? TTG_OK : TTG_ECORRUPT;
}

/* The version whose text was said again. */
static struct rules_version *said_again(const struct core *core, const struct record_rules *it)
{
	for (size_t i = core->past.n; i > 0; i--) {
		struct rules_version *version = &core->past.items[i - 1];

		if (version->since == it->since)
			return memcmp(version->digest, it->digest, RECORD_DIGEST) == 0 ? version :
											 NULL;
	}
	return NULL;
}

enum ttg_error core_apply_rules(struct core *core, uint64_t sequence, const uint8_t *data, size_t len)
{
	struct rules_version version = { .since = sequence }, *again;
	struct record_rules it;
	enum ttg_error code;

	if (!record_get_rules(data, len, &it))
		return TTG_ECORRUPT;
	code = it.parts > 0 ? prove(core, sequence, &it) : TTG_OK;
	if (code != TTG_OK)
		return code;
	version.text = it.parts > 0 ? sequence - it.parts : 0;
	version.parts = it.parts;
	if (it.since != 0) {
		again = said_again(core, &it);
		if (!again)
			return TTG_ECORRUPT;
		again->text = version.text;
		again->parts = version.parts;
		return TTG_OK;
	}
	version.since_ns = it.at_ns;
	version.n_grants = it.n_grants;
	memcpy(version.digest, it.digest, sizeof(version.digest));
	memcpy(core->rules_digest, it.digest, sizeof(core->rules_digest));
	return rules_past_add(&core->past, &version) ? TTG_OK : TTG_ENOMEM;
}
