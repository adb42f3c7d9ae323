/* The controls of the forms, filled with what was typed or what is offered. See act.h. */
#include "desk/act_field.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "base/instant.h"
#include "oneservice/words.h"

#define CHOICES_MAX 24

static const char *const need_labels[] = {
	"Not said",
	"Accommodation",
	"Finance, benefit and debt",
	"Education, training and employment",
	"Addiction",
	"Health and wellbeing",
	"Children and families",
	"Legal",
	"Attitudes, thinking and behaviour",
	"Purposeful activity",
	"Immigration",
	"Information technology",
};

const char *act_need_label(int category)
{
	const int n = (int)(sizeof(need_labels) / sizeof(need_labels[0]));

	return need_labels[category > 0 && category < n ? category : 0];
}

void act_word(char out[ACT_WORD_BYTES], const ProtobufCEnumDescriptor *kind, int value)
{
	struct sentence text = { "", 0 };

	if (kind == &ttg__need_category__descriptor) {
		snprintf(out, ACT_WORD_BYTES, "%s", act_need_label(value));
		return;
	}
	words_add_enum(&text, kind, value);
	snprintf(out, ACT_WORD_BYTES, "%.*s", ACT_WORD_BYTES - 1, text.bytes);
	out[0] = (char)toupper((unsigned char)out[0]);
}

static struct page_control control_of(const struct act *act, const char *name, const char *label,
                                      const char *hint, const char *offered)
{
	return (struct page_control){ .name = name,
		                      .label = label,
		                      .hint = hint,
		                      .value = act_value(act, name, offered),
		                      .errors = &act->errors };
}

void act_input(const struct act *act, struct html *html, const char *name, const char *label,
               const char *hint, const char *offered, unsigned width)
{
	struct page_control control = control_of(act, name, label, hint, offered);

	control.width = width;
	page_input(html, &control);
}

void act_textarea(const struct act *act, struct html *html, const char *name, const char *label,
                  const char *hint)
{
	const struct page_control control = control_of(act, name, label, hint, "");

	page_textarea(html, &control, 4);
}

struct date_part {
	const char *part, *label;
	unsigned width;
	bool digits; /* nothing else is typed: telephones show a pad of them */
};

static const struct date_part parts[] = { { "day", "Day", 2, true },
	                                  { "month", "Month", 2, true },
	                                  { "year", "Year", 4, true },
	                                  { "time", "Time", 5, false } };

static void put_part(const struct act *act, struct html *html, const char *name,
                     const struct date_part *part, const char *offered, bool wrong)
{
	char control[ACT_NAME_BYTES];

	snprintf(control, sizeof(control), "%s-%s", name, part->part);
	html_add(html,
	         "<div class=\"govuk-date-input__item\"><div class=\"govuk-form-group\">"
	         "<label class=\"govuk-label govuk-date-input__label\" for=\"%s\">%s</label>"
	         "<input class=\"govuk-input govuk-date-input__input govuk-input--width-%u%s\" "
	         "id=\"%s\" name=\"%s\" type=\"text\" autocomplete=\"off\" value=\"%s\"",
	         control, part->label, part->width, wrong ? " govuk-input--error" : "", control,
	         control, act_value(act, control, offered));
	html_raw(html, part->digits ? " inputmode=\"numeric\"></div></div>\n" : "></div></div>\n");
}

static const char *date_error(const struct act *act, const char *name, const char *part)
{
	char control[ACT_NAME_BYTES];

	snprintf(control, sizeof(control), "%s-%s", name, part);
	return page_error_of(&act->errors, control);
}

/* The fieldset of a date stays open; error: NULL for none. */
static void begin_date(struct html *html, const char *name, const char *label, const char *hint,
                       const char *error)
{
	html_add(html,
	         "<div class=\"govuk-form-group%s\"><fieldset class=\"govuk-fieldset\" "
	         "role=\"group\" aria-describedby=\"%s-hint%s%s%s\">\n"
	         "<legend class=\"govuk-fieldset__legend\">%s</legend>\n"
	         "<div id=\"%s-hint\" class=\"govuk-hint\">%s</div>\n",
	         error != NULL ? " govuk-form-group--error" : "", name, error != NULL ? " " : "",
	         error != NULL ? name : "", error != NULL ? "-error" : "", label, name, hint);
	if (error != NULL)
		html_add(html,
		         "<p id=\"%s-error\" class=\"govuk-error-message\">"
		         "<span class=\"govuk-visually-hidden\">Error:</span> %s</p>\n",
		         name, error);
	html_add(html, "<div class=\"govuk-date-input\" id=\"%s\">\n", name);
}

static void put_date(const struct act *act, struct html *html, const char *name,
                     const char *offered, bool wrong)
{
	char texts[3][5] = { "", "", "" };

	if (strlen(offered) == DATE_BYTES - 1) {
		snprintf(texts[0], sizeof(texts[0]), "%.2s", offered + 8);
		snprintf(texts[1], sizeof(texts[1]), "%.2s", offered + 5);
		snprintf(texts[2], sizeof(texts[2]), "%.4s", offered);
	}
	for (size_t i = 0; i < 3; i++)
		put_part(act, html, name, &parts[i], texts[i], wrong);
}

static void end_date(struct html *html)
{
	html_raw(html, "</div></fieldset></div>\n");
}

void act_date_input(const struct act *act, struct html *html, const char *name, const char *label,
                    const char *hint, const char *offered)
{
	const char *error = date_error(act, name, "day");

	begin_date(html, name, label, hint[0] != '\0' ? hint : "For example, 27 3 2027", error);
	put_date(act, html, name, offered, error != NULL);
	end_date(html);
}

void act_moment_input(const struct act *act, struct html *html, const char *name, const char *label,
                      const char *hint, int64_t offered_ns)
{
	const char *of_date = date_error(act, name, "day"),
	           *of_time = date_error(act, name, "time");
	char date[DATE_BYTES] = "", clock[CLOCK_BYTES] = "";

	if (offered_ns != 0)
		instant_to_civil(offered_ns, date, clock);
	begin_date(html, name, label, hint[0] != '\0' ? hint : "For example, 27 3 2027 and 14:05",
	           of_date != NULL ? of_date : of_time);
	put_date(act, html, name, date, of_date != NULL);
	put_part(act, html, name, &parts[3], clock, of_time != NULL);
	end_date(html);
}

/* The values of an enum but 0, as choices. Texts live in `words` and `numbers`. */
static size_t choices_of(const struct act *act, const char *name,
                         const ProtobufCEnumDescriptor *kind, int offered,
                         struct page_choice choices[CHOICES_MAX],
                         char words[CHOICES_MAX][ACT_WORD_BYTES], char numbers[CHOICES_MAX][12])
{
	char first[12];
	size_t n = 0;

	snprintf(first, sizeof(first), "%d", offered);
	for (unsigned i = 0; i < kind->n_values && n < CHOICES_MAX; i++) {
		if (kind->values[i].value == 0)
			continue;
		act_word(words[n], kind, kind->values[i].value);
		snprintf(numbers[n], sizeof(numbers[n]), "%d", kind->values[i].value);
		choices[n] = (struct page_choice){
			.value = numbers[n],
			.label = words[n],
			.chosen = strcmp(act_value(act, name, first), numbers[n]) == 0,
		};
		n++;
	}
	return n;
}

void act_radios(const struct act *act, struct html *html, const char *name, const char *label,
                const char *hint, const ProtobufCEnumDescriptor *kind, int offered)
{
	const struct page_control control = control_of(act, name, label, hint, "");
	struct page_choice choices[CHOICES_MAX];
	char words[CHOICES_MAX][ACT_WORD_BYTES], numbers[CHOICES_MAX][12];
	size_t n = choices_of(act, name, kind, offered, choices, words, numbers);

	page_radios(html, &control, choices, n);
}

void act_select(const struct act *act, struct html *html, const char *name, const char *label,
                const char *hint, const ProtobufCEnumDescriptor *kind, int offered)
{
	const struct page_control control = control_of(act, name, label, hint, "");
	struct page_choice choices[CHOICES_MAX + 1];
	char words[CHOICES_MAX][ACT_WORD_BYTES], numbers[CHOICES_MAX][12];
	size_t n = choices_of(act, name, kind, offered, choices + 1, words, numbers);

	choices[0] = (struct page_choice){ .value = "", .label = "Choose" };
	page_select(html, &control, choices, n + 1);
}

void act_checkbox(const struct act *act, struct html *html, const char *name, const char *label,
                  bool offered)
{
	const struct page_control control = control_of(act, name, label, "", "");
	const struct page_choice choice = { .value = "yes",
		                            .label = "Yes",
		                            .chosen = act_ticked(act, name, offered) };

	page_checkboxes(html, &control, &choice, 1);
}
