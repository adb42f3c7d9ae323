/* See standing.h. Lists are short: a man is in one scheme or two, with a handful of referrals. */
#include "core/standing.h"

#include <stdlib.h>
#include <string.h>

void standing_fini(struct standing *it)
{
	free(it->schemes);
	free(it->referrals);
	*it = (struct standing){ 0 };
}

/* The oldest that is over goes; if he is still in all of them, the oldest. */
static void make_room(struct standing *it)
{
	uint32_t at = 0;

	while (at < it->n_schemes && it->schemes[at].ended == 0)
		at++;
	at = at < it->n_schemes ? at : 0;
	it->n_schemes--;
	memmove(it->schemes + at, it->schemes + at + 1, (it->n_schemes - at) * sizeof(*it->schemes));
}

bool standing_enrol(struct standing *it, const struct standing_scheme *scheme)
{
	struct standing_scheme *grown;

	if (it->n_schemes == STANDING_SCHEMES_MAX)
		make_room(it);
	grown = realloc(it->schemes, (it->n_schemes + 1) * sizeof(*grown));
	if (!grown)
		return false;
	it->schemes = grown;
	for (uint32_t i = 0; i < it->n_schemes; i++) {
		if (strcmp(grown[i].scheme, scheme->scheme) == 0 && grown[i].ended == 0)
			grown[i].ended = scheme->since;
	}
	grown[it->n_schemes++] = *scheme;
	return true;
}

struct standing_scheme *standing_find(const struct standing *it, const char *scheme)
{
	for (uint32_t i = it->n_schemes; i > 0; i--) {
		if (strcmp(it->schemes[i - 1].scheme, scheme) == 0)
			return &it->schemes[i - 1];
	}
	return NULL;
}

bool standing_refer(struct standing *it, const struct standing_referral *referral)
{
	struct standing_referral *grown;

	standing_end_referral(it, referral->provider, referral->id);
	if (it->n_referrals == STANDING_REFERRALS_MAX) {
		memmove(it->referrals, it->referrals + 1,
			(it->n_referrals - 1) * sizeof(*it->referrals));
		it->n_referrals--;
	}
	grown = realloc(it->referrals, (it->n_referrals + 1) * sizeof(*grown));
	if (!grown)
		return false;
	it->referrals = grown;
	grown[it->n_referrals++] = *referral;
	return true;
}

void standing_end_referral(struct standing *it, const char *provider, uint64_t id)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < it->n_referrals; i++) {
		if (it->referrals[i].id != id || strcmp(it->referrals[i].provider, provider) != 0)
			it->referrals[kept++] = it->referrals[i];
	}
	it->n_referrals = kept;
}

static void put_text(struct cursor *cursor, const char *text)
{
	cursor_put_sized(cursor, text, strlen(text));
}

static void get_text(struct cursor *cursor, char *out, size_t max)
{
	size_t len = 0;
	const uint8_t *text = cursor_get_sized(cursor, max, &len);

	if (!text || memchr(text, 0, len)) {
		cursor->failed = true;
		return;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

size_t standing_bound(const struct standing *it)
{
	return 96 + it->n_schemes * (sizeof(struct standing_scheme) + 16) +
	       it->n_referrals * (sizeof(struct standing_referral) + 16);
}

void standing_save(const struct standing *it, struct cursor *cursor)
{
	cursor_put_varint(cursor, it->n_schemes);
	for (uint32_t i = 0; i < it->n_schemes; i++) {
		const struct standing_scheme *scheme = &it->schemes[i];

		put_text(cursor, scheme->scheme);
		cursor_put_varint(cursor, scheme->since);
		cursor_put_varint(cursor, scheme->ended);
		cursor_put_u64(cursor, (uint64_t)scheme->from_ns);
		cursor_put_u64(cursor, (uint64_t)scheme->until_ns);
		cursor_put_u64(cursor, (uint64_t)scheme->opened_ns);
		cursor_put_u8(cursor, scheme->withdrawn);
	}
	cursor_put_varint(cursor, it->n_referrals);
	for (uint32_t i = 0; i < it->n_referrals; i++) {
		put_text(cursor, it->referrals[i].provider);
		cursor_put_u64(cursor, it->referrals[i].id);
		cursor_put_varint(cursor, it->referrals[i].since);
	}
	cursor_put_varint(cursor, it->custody_sequence);
	cursor_put_u8(cursor, it->custody);
	cursor_put_varint(cursor, it->risk_sequence);
	cursor_put_u8(cursor, it->risk);
	cursor_put_varint(cursor, it->area_sequence);
	put_text(cursor, it->area);
}

static void load_scheme(struct cursor *cursor, struct standing_scheme *out)
{
	uint8_t withdrawn;

	*out = (struct standing_scheme){ .since = 0 };
	get_text(cursor, out->scheme, CONDITION_SCHEME_MAX);
	out->since = cursor_get_varint(cursor);
	out->ended = cursor_get_varint(cursor);
	out->from_ns = (int64_t)cursor_get_u64(cursor);
	out->until_ns = (int64_t)cursor_get_u64(cursor);
	out->opened_ns = (int64_t)cursor_get_u64(cursor);
	withdrawn = cursor_get_u8(cursor);
	out->withdrawn = withdrawn == 1;
	cursor->failed |= withdrawn > 1;
}

bool standing_load(struct standing *it, struct cursor *cursor)
{
	uint64_t n = cursor_get_varint(cursor);

	if (!cursor_ok(cursor) || n > STANDING_SCHEMES_MAX)
		return false;
	it->schemes = n > 0 ? calloc(n, sizeof(*it->schemes)) : NULL;
	if (n > 0 && !it->schemes)
		return false;
	for (it->n_schemes = 0; it->n_schemes < n; it->n_schemes++)
		load_scheme(cursor, &it->schemes[it->n_schemes]);
	n = cursor_get_varint(cursor);
	if (!cursor_ok(cursor) || n > STANDING_REFERRALS_MAX)
		return false;
	it->referrals = n > 0 ? calloc(n, sizeof(*it->referrals)) : NULL;
	if (n > 0 && !it->referrals)
		return false;
	for (it->n_referrals = 0; it->n_referrals < n; it->n_referrals++) {
		struct standing_referral *referral = &it->referrals[it->n_referrals];

		get_text(cursor, referral->provider, RULES_ID_MAX);
		referral->id = cursor_get_u64(cursor);
		referral->since = cursor_get_varint(cursor);
	}
	it->custody_sequence = cursor_get_varint(cursor);
	it->custody = cursor_get_u8(cursor);
	it->risk_sequence = cursor_get_varint(cursor);
	it->risk = cursor_get_u8(cursor);
	it->area_sequence = cursor_get_varint(cursor);
	get_text(cursor, it->area, CONDITION_AREA_MAX);
	return cursor_ok(cursor);
}
