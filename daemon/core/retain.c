/* See retain.h. */
#include "core/retain.h"

#include "base/planted.h"

#define NS_PER_S 1000000000
#define DAY_S 86400u
#define LOOK_AGAIN_NS (INT64_C(3600) * NS_PER_S) /* the clock may jump */

/* The moments at which keys end lie this far apart: so far that a twelfth of the time is more. */
static uint64_t grain_of(uint64_t retain_s)
{
	static const uint64_t grains[] = { 28 * DAY_S, 7 * DAY_S, DAY_S, 3600, 60 };

	for (size_t i = 0; i < sizeof(grains) / sizeof(grains[0]); i++) {
		if (retain_s / 12 >= grains[i])
			return grains[i];
	}
	return 1;
}

/* 0 is longest. */
static uint32_t longer(uint32_t a, uint32_t b)
{
	return a == 0 || b == 0 ? 0 : a > b ? a : b;
}

/* False: it is granted to nobody. */
static bool granted(const struct core *core, uint32_t type, uint32_t from, int64_t now_ns, uint32_t *retain_s)
{
	const struct rules_deliver_grant *first;
	const size_t n = rules_deliveries(core->rules, type, from, &first);
	bool any = false;

	*retain_s = 0;
	for (size_t i = 0; i < n && !(any && *retain_s == 0); i++) {
		if (!rules_in_force(core->rules, first[i].agreement, now_ns))
			continue;
		*retain_s = any ? longer(*retain_s, first[i].retain_s) : first[i].retain_s;
		any = true;
	}
	return any;
}

static uint32_t published(const struct core *core, uint32_t type, uint32_t from, int64_t now_ns)
{
	const struct rules_publish_grant *first;
	const size_t n = rules_publishings(core->rules, type, from, &first);
	uint32_t retain_s = 0;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		const uint32_t mine = core->rules->agreements[first[i].agreement].retain_s;

		if (!rules_in_force(core->rules, first[i].agreement, now_ns))
			continue;
		retain_s = any ? longer(retain_s, mine) : mine;
		any = true;
	}
	return retain_s;
}

uint64_t retain_until_s(const struct core *core, int type, uint32_t from, int64_t now_ns)
{
	const uint64_t now_s = now_ns > 0 ? (uint64_t)(now_ns / NS_PER_S) : 0;
	uint32_t retain_s;
	uint64_t grain, until_s;

	if (!core->rules || type < 0)
		return 0;
	if (!granted(core, (uint32_t)type, from, now_ns, &retain_s))
		retain_s = published(core, (uint32_t)type, from, now_ns);
	if (retain_s == 0)
		return 0;
	grain = grain_of(retain_s);
	until_s = now_s + retain_s;
	if (until_s <= core->keys.lapsed_s) /* the clock went back */
		until_s = core->keys.lapsed_s + 1;
	return (until_s + grain - 1) / grain * grain;
}

static enum ttg_error put(struct core *core, const struct core_now *now, uint64_t until_s)
{
	const struct record_lapsed record = { now->real_ns, until_s, keys_due(&core->keys, until_s) };
	struct cursor cursor;
	uint64_t sequence;
	enum ttg_error code;

	core_begin_record(core, &cursor);
	record_put_lapsed(&cursor, &record);
	code = core_commit(core, now, RECORD_LAPSED, &cursor, &sequence);
	if (code == TTG_OK)
		core->sink.note(core->sink.self, "payloads_lapsed", NULL, sequence);
	return code;
}

/* What is due, unless that is noted already and the clock has not gone back behind it. */
static void note_due(struct core *core, const struct core_now *now, uint64_t now_s)
{
	const uint64_t first_s = core->keys.first_s;

	if (first_s == 0 || now_s < first_s || now_s < core->lapse_s)
		core->lapse_s = 0;
	if (first_s != 0 && now_s >= first_s && core->lapse_s == 0) {
		core->lapse_s = now_s;
		core->lapse_seen_ns = now->mono_ns;
	}
}

/* A clock that ran ahead and was put right again destroys nothing: what is due is noted first, and goes only
   if the clock still says so when the hold has passed. */
enum ttg_error core_run_lapses(struct core *core, const struct core_now *now, int64_t *next_ns)
{
	const uint64_t now_s = now->real_ns > 0 ? (uint64_t)(now->real_ns / NS_PER_S) : 0;
	const int64_t hold_ns = (int64_t)core->options.lapse_hold_ns;
	enum ttg_error code = TTG_OK;
	uint64_t left_s;

	*next_ns = INT64_MAX;
	if (core->keys.first_s == 0 || PLANTED(FORGET_LAPSES))
		return TTG_OK;
	note_due(core, now, now_s);
	if (core->lapse_s != 0 && now->mono_ns >= core->lapse_seen_ns + hold_ns) {
		code = put(core, now, core->lapse_s);
		if (code != TTG_OK)
			return code;
		core->lapse_s = 0;
		note_due(core, now, now_s);
	}
	if (core->lapse_s != 0) {
		*next_ns = core->lapse_seen_ns + hold_ns;
	} else if (core->keys.first_s != 0) {
		left_s = core->keys.first_s - now_s;
		*next_ns = now->mono_ns +
			   (left_s < LOOK_AGAIN_NS / NS_PER_S ? (int64_t)left_s * NS_PER_S : LOOK_AGAIN_NS);
	}
	return TTG_OK;
}

enum ttg_error core_apply_lapsed(struct core *core, uint64_t sequence, const uint8_t *data, size_t len)
{
	struct record_lapsed it;

	if (!record_get_lapsed(data, len, &it) || it.until_s <= core->keys.lapsed_s ||
	    it.keys != keys_due(&core->keys, it.until_s))
		return TTG_ECORRUPT;
	core->erased_at = sequence;
	return keys_lapse(&core->keys, it.until_s) ? TTG_OK : TTG_ENOMEM;
}
