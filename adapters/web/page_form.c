/* Controls of forms: label, hint and error belong together for who hears a page, too. See page.h.
 */
#include "web/page.h"

#include <stdio.h>
#include <string.h>

void page_form(struct html *html, const struct web_request *request, const char *action)
{
	html_add(html,
	         "<form method=\"post\" action=\"%s\" novalidate>"
	         "<input type=\"hidden\" name=\"form_token\" value=\"%s\">\n",
	         action, request->form_token);
}

void page_button_of(struct html *html, const char *label, const char *class, const char *name,
                    const char *value)
{
	html_raw(html, "<button type=\"submit\" class=\"govuk-button");
	if (class != NULL && class[0] != '\0')
		html_add(html, " %s", class);
	html_raw(html, "\" data-module=\"govuk-button\"");
	if (name != NULL && name[0] != '\0')
		html_add(html, " name=\"%s\" value=\"%s\"", name, value == NULL ? "" : value);
	html_add(html, ">%s</button>\n", label);
}

void page_button(struct html *html, const char *label)
{
	page_button_of(html, label, NULL, NULL, NULL);
}

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static const char *error_of(const struct page_control *control)
{
	return page_error_of(control->errors, control->name);
}

static void begin_group(struct html *html, const struct page_control *control)
{
	html_add(html, "<div class=\"govuk-form-group%s\">\n",
	         error_of(control) == NULL ? "" : " govuk-form-group--error");
}

/* What else is read out with a control: its hint and its error. */
static void put_described_by(struct html *html, const struct page_control *control)
{
	bool hint = is_set(control->hint), error = error_of(control) != NULL;

	if (hint && error)
		html_add(html, " aria-describedby=\"%s-hint %s-error\"", control->name,
		         control->name);
	else if (hint)
		html_add(html, " aria-describedby=\"%s-hint\"", control->name);
	else if (error)
		html_add(html, " aria-describedby=\"%s-error\"", control->name);
}

static void put_hint_and_error(struct html *html, const struct page_control *control)
{
	const char *error = error_of(control);

	if (is_set(control->hint))
		html_add(html, "<div id=\"%s-hint\" class=\"govuk-hint\">%s</div>\n", control->name,
		         control->hint);
	if (error != NULL)
		html_add(html,
		         "<p id=\"%s-error\" class=\"govuk-error-message\">"
		         "<span class=\"govuk-visually-hidden\">Error:</span> %s</p>\n",
		         control->name, error);
}

static void put_label(struct html *html, const struct page_control *control)
{
	html_add(html, "<label class=\"govuk-label\" for=\"%s\">%s</label>\n", control->name,
	         control->label);
	put_hint_and_error(html, control);
}

/* The narrowest of the design system's widths that is enough. */
static void put_width(struct html *html, unsigned width)
{
	static const unsigned widths[] = { 2, 3, 4, 5, 10, 20, 30 };

	for (size_t i = 0; width > 0 && i < sizeof(widths) / sizeof(*widths); i++) {
		if (widths[i] >= width) {
			html_add(html, " govuk-input--width-%u", widths[i]);
			return;
		}
	}
}

static void put_input(struct html *html, const struct page_control *control, const char *type,
                      const char *class)
{
	html_add(html, "<input class=\"govuk-input%s%s", class,
	         error_of(control) == NULL ? "" : " govuk-input--error");
	put_width(html, control->width);
	html_add(html, "\" id=\"%s\" name=\"%s\" type=\"%s\" autocomplete=\"%s\"", control->name,
	         control->name, type,
	         control->autocomplete == NULL ? "off" : control->autocomplete);
	if (control->input_mode != NULL)
		html_add(html, " inputmode=\"%s\"", control->input_mode);
	if (strcmp(type, "password") == 0)
		html_raw(html, " spellcheck=\"false\" autocapitalize=\"none\"");
	else if (is_set(control->value)) /* a password never goes back */
		html_add(html, " value=\"%s\"", control->value);
	put_described_by(html, control);
	html_raw(html, ">\n");
}

static void put_password(struct html *html, const struct page_control *control)
{
	html_raw(html, "<div class=\"govuk-input__wrapper govuk-password-input__wrapper\">\n");
	put_input(html, control, "password",
	          " govuk-password-input__input govuk-js-password-input-input");
	html_add(html,
	         "<button type=\"button\" class=\"govuk-button govuk-button--secondary "
	         "govuk-password-input__toggle govuk-js-password-input-toggle\" "
	         "data-module=\"govuk-button\" aria-controls=\"%s\" "
	         "aria-label=\"Show password\" hidden>Show</button>\n</div>\n",
	         control->name);
}

void page_input(struct html *html, const struct page_control *control)
{
	const char *type = control->type == NULL ? "text" : control->type;
	bool password = strcmp(type, "password") == 0;

	html_add(html, "<div class=\"govuk-form-group%s%s\"",
	         error_of(control) == NULL ? "" : " govuk-form-group--error",
	         password ? " govuk-password-input" : "");
	html_raw(html, password ? " data-module=\"govuk-password-input\">\n" : ">\n");
	put_label(html, control);
	if (password)
		put_password(html, control);
	else
		put_input(html, control, type, "");
	html_raw(html, "</div>\n");
}

void page_textarea(struct html *html, const struct page_control *control, unsigned rows)
{
	begin_group(html, control);
	put_label(html, control);
	html_add(html, "<textarea class=\"govuk-textarea%s\" id=\"%s\" name=\"%s\" rows=\"%u\"",
	         error_of(control) == NULL ? "" : " govuk-textarea--error", control->name,
	         control->name, rows);
	put_described_by(html, control);
	/* The first newline of its text is not part of it. */
	html_add(html, ">\n%s</textarea>\n</div>\n", is_set(control->value) ? control->value : "");
}

void page_select(struct html *html, const struct page_control *control,
                 const struct page_choice *choices, size_t n)
{
	begin_group(html, control);
	put_label(html, control);
	html_add(html, "<select class=\"govuk-select%s\" id=\"%s\" name=\"%s\"",
	         error_of(control) == NULL ? "" : " govuk-select--error", control->name,
	         control->name);
	put_described_by(html, control);
	html_raw(html, ">\n");
	for (size_t i = 0; i < n; i++)
		html_add(html, "<option value=\"%s\"%s>%s</option>\n", choices[i].value,
		         choices[i].chosen ? " selected" : "", choices[i].label);
	html_raw(html, "</select>\n</div>\n");
}

/* The first has the control's name as id, so that the summary of errors leads to it. */
static void put_choice(struct html *html, const struct page_control *control, const char *what,
                       const char *type, const struct page_choice *choice, size_t i)
{
	char id[160];

	if (i == 0)
		snprintf(id, sizeof(id), "%s", control->name);
	else
		snprintf(id, sizeof(id), "%s-%zu", control->name, i + 1);
	html_add(html,
	         "<div class=\"govuk-%s__item\"><input class=\"govuk-%s__input\" id=\"%s\" "
	         "name=\"%s\" type=\"%s\" value=\"%s\"%s>",
	         what, what, id, control->name, type, choice->value,
	         choice->chosen ? " checked" : "");
	html_add(html, "<label class=\"govuk-label govuk-%s__label\" for=\"%s\">%s</label></div>\n",
	         what, id, choice->label);
}

static void put_choices(struct html *html, const struct page_control *control, const char *what,
                        const char *type, const struct page_choice *choices, size_t n)
{
	begin_group(html, control);
	html_raw(html, "<fieldset class=\"govuk-fieldset\"");
	put_described_by(html, control);
	html_add(html, ">\n<legend class=\"govuk-fieldset__legend\">%s</legend>\n", control->label);
	put_hint_and_error(html, control);
	html_add(html, "<div class=\"govuk-%s\" data-module=\"govuk-%s\">\n", what, what);
	for (size_t i = 0; i < n; i++)
		put_choice(html, control, what, type, &choices[i], i);
	html_raw(html, "</div>\n</fieldset>\n</div>\n");
}

void page_radios(struct html *html, const struct page_control *control,
                 const struct page_choice *choices, size_t n)
{
	put_choices(html, control, "radios", "radio", choices, n);
}

void page_checkboxes(struct html *html, const struct page_control *control,
                     const struct page_choice *choices, size_t n)
{
	put_choices(html, control, "checkboxes", "checkbox", choices, n);
}
