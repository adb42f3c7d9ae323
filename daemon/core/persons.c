/* See persons.h. */
#include "core/persons.h"

#include <string.h>

#include "base/identifier.h"
#include "core/state.h"

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
