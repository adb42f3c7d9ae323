/* See persons.h. */
#include "core/persons.h"

#include <stdio.h>
#include <string.h>

#include "base/identifier.h"
#include "base/instant.h"
#include "core/known.h"

static const char *word_of(uint8_t op)
{
	static const char *const words[] = { [IDENTITY_LINK] = "link", [IDENTITY_MERGE] = "merge",
					     [IDENTITY_UNLINK] = "unlink", [IDENTITY_UNMERGE] = "unmerge" };

	return words[op];
}

static size_t count(const struct identity *identity, uint32_t number)
{
	uint32_t i = number;
	size_t n = 0;

	do {
		n++;
		i = identity_look(identity, i)->next;
	} while (i != number);
	return n;
}

void core_conflicts(const struct core *core,
		    bool (*each)(void *arg, const struct core_conflict *conflict), void *arg)
{
	for (size_t i = 0; i < identity_conflict_count(core->identity); i++) {
		const struct identity_link *link = identity_conflict(core->identity, i);
		const uint32_t sides[2] = { link->a, link->b };
		struct core_conflict view = { .sequence = link->sequence, .part = link->part,
					      .at_ns = link->at_ns, .word = word_of(link->op) };

		for (size_t k = 0; k < 2; k++) {
			view.kinds[k] = identifier_kind_name((enum identifier_kind)identity_look(
				core->identity, sides[k])->number.kind);
			view.numbers[k] = count(core->identity, sides[k]);
		}
		identity_sources_text(core->identity, link->sources, view.agencies,
				      sizeof(view.agencies));
		if (!each(arg, &view))
			return;
	}
}

size_t core_conflict_count(const struct core *core)
{
	return identity_conflict_count(core->identity);
}

size_t core_person_numbers(const struct core *core)
{
	return identity_count(core->identity);
}

size_t core_waiting_count(const struct core *core)
{
	return core->waiting.live;
}

static bool is_text(const char *text)
{
	const size_t len = text ? strlen(text) : 0;

	return len > 0 && len <= RECORD_MAX_TEXT;
}

enum ttg_error core_decide(struct core *core, const struct core_now *now, uint64_t sequence,
			   unsigned int part, bool accept, const char *who, const char *why)
{
	const struct record_decided record = { now->real_ns, sequence, (uint8_t)part, accept, who, why };
	struct cursor cursor;
	enum ttg_error code;

	if (!is_text(who) || !is_text(why))
		return TTG_EINVAL;
	if (part > UINT8_MAX || !identity_find_conflict(core->identity, sequence, (uint8_t)part))
		return TTG_ENOENT;
	core_begin_record(core, &cursor);
	record_put_decided(&cursor, &record);
	code = core_commit(core, now, RECORD_DECIDED, &cursor, NULL);
	if (code == TTG_OK)
		core->sink.note(core->sink.self, "identity_decided", NULL, sequence);
	return code;
}

/* "KIND:" in front of the number; without one its shape tells. */
static enum identifier_kind kind_in(const char **text, int year)
{
	static const enum identifier_kind kinds[] = { IDENTIFIER_NOMS, IDENTIFIER_PNC, IDENTIFIER_CRO,
						      IDENTIFIER_CRN, IDENTIFIER_CASE_NUMBER,
						      IDENTIFIER_BOOKING };
	const char *colon = strchr(*text, ':');

	if (!colon)
		return identifier_guess(*text, year);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *name = identifier_kind_name(kinds[i]);

		if (strlen(name) == (size_t)(colon - *text) &&
		    strncmp(name, *text, (size_t)(colon - *text)) == 0) {
			*text = colon + 1;
			return kinds[i];
		}
	}
	return IDENTIFIER_NONE;
}

enum ttg_error core_find_person(const struct core *core, const struct core_now *now, const char *text,
				struct core_person *out)
{
	const int year = event_year(now->real_ns);
	const enum identifier_kind kind = kind_in(&text, year);
	const bool own = kind == IDENTIFIER_CASE_NUMBER || kind == IDENTIFIER_BOOKING;
	const char *slash = own ? strchr(text, '/') : NULL;
	char issuer[RULES_ID_MAX + 1] = "";
	struct person_number number;

	if (kind == IDENTIFIER_NONE || kind == IDENTIFIER_ASN || (own && !slash) ||
	    (slash && (slash == text || slash - text > RULES_ID_MAX)))
		return TTG_EINVAL;
	if (slash) {
		memcpy(issuer, text, (size_t)(slash - text));
		text = slash + 1;
	}
	if (!person_number_of(core->hmac, kind, text, issuer, year, &number))
		return TTG_EINVAL;
	memcpy(out->key, number.key, sizeof(out->key));
	memcpy(out->person, identity_person(core->identity, number.key), sizeof(out->person));
	out->number = identity_find(core->identity, number.key);
	out->known = out->number != IDENTITY_NONE;
	return TTG_OK;
}

enum ttg_error core_consult(struct core *core, const struct core_now *now,
			    const struct core_person *person, const char *who, const char *what,
			    const char *why)
{
	const struct record_consulted record = { now->real_ns, person->key, who, what, why };
	struct cursor cursor;

	if (!is_text(who) || !is_text(what) || !is_text(why))
		return TTG_EINVAL;
	core_begin_record(core, &cursor);
	record_put_consulted(&cursor, &record);
	return core_commit(core, now, RECORD_CONSULTED, &cursor, NULL);
}

bool core_person_is(const struct core *core, const struct core_person *person, const uint8_t *key)
{
	return memcmp(identity_person(core->identity, key),
		      identity_person(core->identity, person->key), PERSON_KEY_BYTES) == 0;
}

enum core_passes core_person_passes(const struct core *core, int64_t at_ns, const struct core_person *person,
				    const struct rules_deliver_grant *grant)
{
	const struct gate_moment when = { at_ns, UINT64_MAX };
	const struct gate_person who = { .numbers = { person->number }, .n = person->known ? 1 : 0 };
	const enum gate gate = core_gate(core, grant, &who, &when);

	if (gate == GATE_HELD)
		return CORE_DISPUTED;
	return gate == GATE_OPEN ? CORE_PASSES : CORE_STOPS;
}

static void time_text(int64_t at_ns, int64_t never, char out[INSTANT_TEXT])
{
	if (at_ns == never)
		snprintf(out, INSTANT_TEXT, "-");
	else
		instant_format(at_ns, out);
}

static void scheme_text(const struct standing_scheme *it, char *out, size_t size)
{
	char from[INSTANT_TEXT], until[INSTANT_TEXT], opened[INSTANT_TEXT];

	time_text(it->from_ns, INT64_MIN, from);
	time_text(it->until_ns, INT64_MAX, until);
	time_text(it->opened_ns, 0, opened);
	snprintf(out, size, "%s %s from=%s until=%s released=%s enrolled_by=%llu ended_by=%llu", it->scheme,
		 it->withdrawn ? "withdrawn" : it->ended != 0 ? "ended" : "open", from, until, opened,
		 (unsigned long long)it->since, (unsigned long long)it->ended);
}

static void standing_facts(const struct standing *it,
			   void (*each)(void *arg, const char *what, const char *text), void *arg)
{
	static const char *const custody[] = { "", "in", "out", "" };
	char text[512];

	for (uint32_t i = 0; i < it->n_schemes; i++) {
		scheme_text(&it->schemes[i], text, sizeof(text));
		each(arg, "scheme", text);
	}
	for (uint32_t i = 0; i < it->n_referrals; i++) {
		snprintf(text, sizeof(text), "open with %s, by %llu", it->referrals[i].provider,
			 (unsigned long long)it->referrals[i].since);
		each(arg, "referral", text);
	}
	if (it->custody_sequence != 0) {
		snprintf(text, sizeof(text), "%s, by %llu", custody[it->custody & 3],
			 (unsigned long long)it->custody_sequence);
		each(arg, "custody", text);
	}
	if (it->risk_sequence != 0) {
		snprintf(text, sizeof(text), "level %u, by %llu", it->risk,
			 (unsigned long long)it->risk_sequence);
		each(arg, "risk", text);
	}
	if (it->area_sequence != 0) {
		snprintf(text, sizeof(text), "%s, by %llu", it->area,
			 (unsigned long long)it->area_sequence);
		each(arg, "area", text);
	}
}

void core_person_facts(const struct core *core, const struct core_person *person,
		       void (*each)(void *arg, const char *what, const char *text), void *arg)
{
	uint32_t i = person->number;

	if (!person->known)
		return;
	do {
		const struct identity_number *number = identity_look(core->identity, i);
		const struct identity_link *link = identity_link_of(core->identity, i);
		char text[512], agencies[256] = "";

		if (link)
			identity_sources_text(core->identity, link->sources, agencies, sizeof(agencies));
		snprintf(text, sizeof(text), "%s%s%s%s%s%s",
			 identifier_kind_name((enum identifier_kind)number->number.kind),
			 i == person->number ? ", asked for" : "", number->retired ? ", retired" : "",
			 number->contested > 0 ? ", in dispute" : "", link ? ", linked by " : "", agencies);
		each(arg, "number", text);
		if (number->standing)
			standing_facts(number->standing, each, arg);
		i = number->next;
	} while (i != person->number);
}
