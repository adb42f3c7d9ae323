/* See condition.h. */
#include "core/condition.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
	char *out;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	va_list arguments;
	int n;

	if (text->len > 0)
		text->out[text->len++] = ' ';
	va_start(arguments, format);
	n = vsnprintf(text->out + text->len, CONDITION_TEXT_MAX - text->len, format, arguments);
	va_end(arguments);
	assert(n >= 0 && text->len + (size_t)n < CONDITION_TEXT_MAX);
	text->len += (size_t)n;
}

static const char *level_name(uint8_t level)
{
	static const char *const names[] = { "none", "low", "medium", "high", "very-high" };

	return level < sizeof(names) / sizeof(names[0]) ? names[level] : "other";
}

void condition_text(const struct condition *it, char out[CONDITION_TEXT_MAX])
{
	struct text text = { out, 0 };

	out[0] = '\0';
	if (!it)
		return;
	if (it->scheme[0])
		add(&text, "enrolled=%s", it->scheme);
	if (it->window_days > 0)
		add(&text, "window_days=%u", it->window_days);
	if (it->referral)
		add(&text, "referral");
	if (it->risk_at_most > 0)
		add(&text, "risk_at_most=%s", level_name(it->risk_at_most));
	if (it->custody != CONDITION_CUSTODY_ANY)
		add(&text, "custody=%s", it->custody == CONDITION_CUSTODY_IN ? "in" : "out");
	for (uint32_t i = 0; i < it->n_areas; i++)
		add(&text, "area=%s", it->areas[i]);
}
