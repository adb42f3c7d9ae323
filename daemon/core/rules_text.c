/*
 * Writing rules as text, in the order that rules_finish() gave them; see rules_text.h.
 *
 * Instants are nanoseconds since 1970 (UTC). A name that may hold blanks stands last in its line.
 */
#include "core/rules_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES (640 + CONDITION_TEXT_MAX) /* without a mask */

struct out {
	bool (*put)(void *arg, const char *line, size_t len);
	void *arg;
};

__attribute__((format(printf, 2, 3))) static bool line(const struct out *out, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	assert(n >= 0 && n < LINE_BYTES);
	return out->put(out->arg, text, (size_t)n);
}

static bool put_range(const struct out *out, const struct rules_range *range)
{
	char text[2 * sizeof(range->address) + 1];

	for (size_t i = 0; i < sizeof(range->address); i++)
		snprintf(text + 2 * i, 3, "%02x", range->address[i]);
	return line(out, "range %s/%u", text, range->prefix_bits);
}

/* Nothing of an agency without such keys. */
static bool put_signing(const struct out *out, const struct rules_agency *it)
{
	bool done = it->n_signing_keys == 0 ||
		    line(out, "signing of=%s must=%d", it->id, it->must_sign ? 1 : 0);

	for (size_t i = 0; i < it->n_signing_keys && done; i++) {
		const struct rules_signing_key *key = &it->signing_keys[i];
		char text[2 * sizeof(key->public) + 1];

		for (size_t k = 0; k < sizeof(key->public); k++)
			snprintf(text + 2 * k, 3, "%02x", key->public[k]);
		done = line(out, "signing_key %s from=%" PRId64 " to=%" PRId64 " revoked=%d %s", text,
			    key->from_ns, key->to_ns, key->revoked ? 1 : 0, key->label);
	}
	return done;
}

static bool put_agency(const struct out *out, const struct rules_agency *it)
{
	bool done = line(out, "agency %s rate=%" PRIu32 " burst=%" PRIu32 " links=%d asks_states=%d name=%s",
			 it->id, it->rate_per_s, it->burst, it->links ? 1 : 0,
			 it->asks_states ? 1 : 0, it->name);

	for (size_t i = 0; i < it->n_keys && done; i++) {
		const struct rules_key *key = &it->keys[i];

		done = line(out, "key %s from=%" PRId64 " to=%" PRId64 " revoked=%d %s", key->public_z85,
			    key->from_ns, key->to_ns, key->revoked ? 1 : 0, key->label);
	}
	done = done && put_signing(out, it);
	for (size_t i = 0; i < it->n_ranges && done; i++)
		done = put_range(out, &it->ranges[i]);
	return done;
}

static bool put_agreement(const struct out *out, const struct rules *rules,
			  const struct rules_agreement *it)
{
	bool done = line(out, "agreement %s from=%" PRId64 " to=%" PRId64 " marking=%s recipient=%s"
			 " retain_s=%" PRIu32 " %s",
			 it->id, it->from_ns, it->to_ns,
			 it->official_only ? "official" : "official-sensitive",
			 it->law_enforcement ? "law-enforcement" : "other", it->retain_s, it->title);

	for (size_t i = 0; i < it->n_parties && done; i++)
		done = line(out, "party %s of=%s role=%s", rules->agencies[it->parties[i].agency].id,
			    it->id, rules_role_word(it->parties[i].role));
	if (done && it->special_category[0] != '\0')
		done = line(out, "special_category of=%s %s", it->id, it->special_category);
	return done;
}

static bool put_places(const struct out *out, const struct rules *rules)
{
	bool done = true;

	for (size_t i = 0; i < rules->n_mailboxes && done; i++) {
		const struct rules_mailbox *it = &rules->mailboxes[i];

		done = line(out,
			    "mailbox %s max_attempts=%" PRIu32 " retry_ms=%" PRIu32
			    " retry_max_ms=%" PRIu32 " max_queued=%" PRIu32,
			    it->id, it->max_attempts, it->retry_ms, it->retry_max_ms, it->max_queued);
	}
	for (size_t i = 0; i < rules->n_agreements && done; i++)
		done = put_agreement(out, rules, &rules->agreements[i]);
	return done;
}

static bool put_publish(const struct out *out, const struct rules *rules)
{
	bool done = true;

	for (size_t i = 0; i < rules->n_publish && done; i++) {
		const struct rules_publish_grant *it = &rules->publish[i];

		done = line(out, "publish %s by=%s under=%s", rules->types[it->type],
			    rules->agencies[it->agency].id, rules->agreements[it->agreement].id);
	}
	return done;
}

/* "*" for the whole event. */
static bool put_deliver(const struct out *out, const struct rules *rules,
			const struct rules_deliver_grant *it)
{
	const struct mask *mask = it->mask > 0 ? rules->masks[it->mask - 1] : NULL;
	const size_t masked = mask ? mask_text(mask, NULL, 0) : 1;
	const struct condition *condition = it->condition > 0 ? &rules->conditions[it->condition - 1] :
							       NULL;
	char conditions[CONDITION_TEXT_MAX], *text = malloc(LINE_BYTES + masked + 1);
	bool done;
	int n;

	if (!text)
		return false;
	condition_text(condition, conditions);
	n = snprintf(text, LINE_BYTES,
		     "deliver %s from=%s to=%s under=%s addressed_by=%s retain_s=%" PRIu32
		     " ack_within_s=%" PRIu32 " fallback=%s when=[%s] fields=",
		     rules->types[it->type],
		     it->from == RULES_NONE ? rules->broker : rules->agencies[it->from].id,
		     rules->mailboxes[it->mailbox].id, rules->agreements[it->agreement].id,
		     it->addressed_by, it->retain_s, it->ack_within_s,
		     it->fallback == RULES_NONE ? "" : rules->mailboxes[it->fallback].id,
		     conditions);
	assert(n >= 0 && n < LINE_BYTES);
	if (mask)
		mask_text(mask, text + n, masked + 1);
	else
		strcpy(text + n, "*");
	done = out->put(out->arg, text, (size_t)n + masked);
	free(text);
	return done;
}

bool rules_text(const struct rules *rules, bool (*put)(void *arg, const char *line, size_t len),
		void *arg)
{
	const struct out out = { put, arg };
	bool done = line(&out, "rules 5 broker=%s", rules->broker);

	for (size_t i = 0; i < rules->n_agencies && done; i++)
		done = put_agency(&out, &rules->agencies[i]);
	done = done && put_places(&out, rules) && put_publish(&out, rules);
	for (size_t i = 0; i < rules->n_deliver && done; i++)
		done = put_deliver(&out, rules, &rules->deliver[i]);
	return done;
}

/* Its length goes in front, so that no two texts read the same. */
void rules_text_digest(struct digest *digest, const char *line, size_t len)
{
	uint8_t prefix[4];

	for (unsigned i = 0; i < sizeof(prefix); i++)
		prefix[i] = (uint8_t)(len >> (8 * i));
	digest_add(digest, prefix, sizeof(prefix));
	digest_add(digest, line, len);
}
