/*
 * What a grant asks of the person an event is about: deliver.when, checked against the agencies and
 * compiled to a condition. One that asks for nothing would pass for a limit and be none, so it is an
 * error, and so is whatever a typing mistake would make of it.
 *
 * Owner: whoever loads.
 */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include "config/forms.h"
#include "config/nearest.h"

/* The group being read. */
struct when {
	struct builder *builder;
	const struct source *source;
	const config_setting_t *group;
	const struct when_form *form;
};

static struct place place_of(const struct when *it, const char *option)
{
	const config_setting_t *setting = config_setting_get_member(it->group, option);

	return source_place(it->source, setting != NULL ? setting : it->group);
}

/* As events carry it (lib/base/bounds.c), which lets it begin and end with "-". */
static bool is_scheme_id(const char *text)
{
	const size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= RULES_ID_MAX && text[len] == '\0';
}

static bool is_area(const char *text)
{
	return text[0] >= 'A' && text[0] <= 'Z' &&
	       strspn(text + 1, "0123456789") == CONDITION_AREA_MAX - 1 &&
	       text[CONDITION_AREA_MAX] == '\0';
}

static void tell_no_agency(const struct when *it, const char *agency)
{
	const struct rules *rules = it->builder->rules;
	struct nearest nearest;

	nearest_init(&nearest, agency);
	for (size_t i = 0; i < rules->n_agencies; i++)
		nearest_try(&nearest, rules->agencies[i].id);
	if (nearest.best != NULL)
		errors_add(it->builder->errors, place_of(it, "enrolled"),
			   "when.enrolled: %.64s is no agency, did you mean %s?", agency, nearest.best);
	else
		errors_add(it->builder->errors, place_of(it, "enrolled"),
			   "when.enrolled: %.64s is no agency, must be one of agencies.d", agency);
}

static bool take_scheme(const struct when *it, struct condition *condition)
{
	const char *text = it->form->enrolled, *slash = strchr(text, '/');
	char agency[CONDITION_SCHEME_MAX + 1] = "";

	if (text[0] == '\0' && it->form->window_days > 0) {
		errors_add(it->builder->errors, place_of(it, "window_days"),
			   "when.window_days is %u without enrolled, must be left out",
			   it->form->window_days);
		return false;
	}
	if (text[0] == '\0')
		return true;
	if (slash == NULL || slash == text || !is_scheme_id(slash + 1)) {
		errors_add(it->builder->errors, place_of(it, "enrolled"),
			   "when.enrolled: %s is no scheme, must be \"agency/scheme\", the scheme 1 to %d "
			   "characters a-z, 0-9 and -",
			   text, RULES_ID_MAX);
		return false;
	}
	memcpy(agency, text, (size_t)(slash - text));
	if (build_find_agency(it->builder, agency) < 0) {
		tell_no_agency(it, agency);
		return false;
	}
	strcpy(condition->scheme, text);
	condition->window_days = it->form->window_days;
	return true;
}

static int by_area(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool take_areas(const struct when *it, struct condition *condition)
{
	const int n = it->form->areas != NULL ? config_setting_length(it->form->areas) : 0;
	bool fine = true;

	for (int i = 0; i < n; i++) {
		const config_setting_t *entry =
			config_setting_get_elem(it->form->areas, (unsigned int)i);
		const char *area = config_setting_get_string(entry);
		bool known = false;

		if (!is_area(area)) {
			errors_add(it->builder->errors, source_place(it->source, entry),
				   "when.areas: %.32s is no area, must be an ONS code, a letter A-Z and 8 "
				   "digits",
				   area);
			fine = false;
			continue;
		}
		for (uint32_t k = 0; k < condition->n_areas; k++)
			known = known || strcmp(condition->areas[k], area) == 0;
		if (known) {
			errors_add(it->builder->errors, source_place(it->source, entry),
				   "when.areas: %s stands twice, must stand once", area);
			fine = false;
			continue;
		}
		strcpy(condition->areas[condition->n_areas++], area);
	}
	qsort(condition->areas, condition->n_areas, sizeof(condition->areas[0]), by_area);
	return fine;
}

/* The word was checked by its option. */
static uint8_t risk_level(const char *word)
{
	static const struct {
		const char *word;
		uint8_t level;
	} levels[] = {
		{ "low", TTG__RISK_LEVEL__RISK_LEVEL_LOW },
		{ "medium", TTG__RISK_LEVEL__RISK_LEVEL_MEDIUM },
		{ "high", TTG__RISK_LEVEL__RISK_LEVEL_HIGH },
		{ "very-high", TTG__RISK_LEVEL__RISK_LEVEL_VERY_HIGH },
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i].word, word) == 0)
			return levels[i].level;
	return 0;
}

static bool compile(const struct when *it, struct condition *condition)
{
	const struct when_form *form = it->form;
	const bool scheme = take_scheme(it, condition), areas = take_areas(it, condition);

	condition->referral = form->referral;
	condition->risk_at_most = risk_level(form->risk_at_most);
	if (form->custody[0] != '\0')
		condition->custody = strcmp(form->custody, "in") == 0 ? CONDITION_CUSTODY_IN :
									CONDITION_CUSTODY_OUT;
	if (!scheme || !areas)
		return false;
	if (condition->scheme[0] != '\0' || condition->referral || condition->risk_at_most > 0 ||
	    condition->custody != CONDITION_CUSTODY_ANY || condition->n_areas > 0)
		return true;
	errors_add(it->builder->errors, source_place(it->source, it->group),
		   "deliver.when asks for nothing, must have at least one of enrolled, referral, "
		   "risk_at_most, custody, areas");
	return false;
}

bool build_condition(struct builder *builder, const struct source *source,
		     const config_setting_t *when, uint32_t *condition)
{
	struct rules *rules = builder->rules;
	const struct place place = when != NULL ? source_place(source, when) : (struct place){ 0 };
	struct condition made = { .scheme = "" }, *conditions;
	struct when_form form;

	*condition = 0;
	if (when == NULL)
		return true;
	if (!options_read(source, when, "when", place, &options_agreement[3], &form, NULL) ||
	    !compile(&(struct when){ builder, source, when, &form }, &made))
		return false;
	if (rules->n_conditions == RULES_MAX_GRANTS) { /* each is of one grant at least */
		errors_add(builder->errors, place, "one when too many, must be at most %d",
			   RULES_MAX_GRANTS);
		return false;
	}
	conditions = build_grow(builder, rules->conditions, rules->n_conditions, sizeof(*conditions));
	if (conditions == NULL)
		return false;
	rules->conditions = conditions;
	rules->conditions[rules->n_conditions++] = made;
	*condition = (uint32_t)rules->n_conditions;
	return true;
}
