/* Pieces of pages: everything is escaped, and label, hint and error belong to their control. */
#include <stdio.h>
#include <string.h>
#include "base/instant.h"
#include "support/assert.h"
#include "web/page.h"

static struct html html;

static int begin(void **state)
{
	(void)state;
	html = (struct html){ 0 };
	return 0;
}

static int end(void **state)
{
	(void)state;
	html_fini(&html);
	return 0;
}

static void must_have(const char *text)
{
	if (html.bytes == NULL || strstr(html.bytes, text) == NULL)
		fail_msg("\"%s\" is not in:\n%s", text, html.bytes == NULL ? "" : html.bytes);
}

static void must_lack(const char *text)
{
	if (html.bytes != NULL && strstr(html.bytes, text) != NULL)
		fail_msg("\"%s\" is in:\n%s", text, html.bytes);
}

static void a_plain_input_has_its_label_and_nothing_else(void **state)
{
	(void)state;
	page_input(&html, &(struct page_control){ .name = "town", .label = "Town" });
	must_have("<label class=\"govuk-label\" for=\"town\">Town</label>");
	must_have("<input class=\"govuk-input\" id=\"town\" name=\"town\" type=\"text\" "
	          "autocomplete=\"off\">");
	must_lack("aria-describedby");
	must_lack("error");
	must_lack("value=");
}

static void hint_and_error_are_read_out_with_their_control(void **state)
{
	struct page_errors errors = { 0 };

	(void)state;
	page_error_add(&errors, "due", "Enter a %s after %d", "date", 2026);
	page_error_add(&errors, "due", "Another");
	page_error_add(&errors, "", "Of all");
	page_input(&html, &(struct page_control){ .name = "due",
	                                          .label = "Due",
	                                          .hint = "Like 27/3/2027",
	                                          .value = "yesterday",
	                                          .errors = &errors,
	                                          .width = 6,
	                                          .input_mode = "numeric" });
	must_have("<div class=\"govuk-form-group govuk-form-group--error\">");
	must_have("<div id=\"due-hint\" class=\"govuk-hint\">Like 27/3/2027</div>");
	must_have(
	        "<p id=\"due-error\" class=\"govuk-error-message\">"
	        "<span class=\"govuk-visually-hidden\">Error:</span> Enter a date after 2026</p>");
	must_have("class=\"govuk-input govuk-input--error govuk-input--width-10\"");
	must_have("inputmode=\"numeric\" value=\"yesterday\" aria-describedby=\"due-hint "
	          "due-error\"");
	must_lack("Another");
	assert_null(page_error_of(&errors, "other"));
	assert_null(page_error_of(NULL, "due"));
}

static void more_errors_than_the_bound_are_left_out(void **state)
{
	struct page_errors errors = { 0 };

	(void)state;
	for (int i = 0; i < PAGE_ERRORS_MAX + 5; i++)
		page_error_add(&errors, "f", "%d", i);
	assert_int_equal(errors.n, PAGE_ERRORS_MAX);
	assert_string_equal(errors.list[PAGE_ERRORS_MAX - 1].text, "31");
}

static void a_password_is_never_written_back(void **state)
{
	(void)state;
	page_input(&html, &(struct page_control){ .name = "password",
	                                          .label = "Password",
	                                          .value = "secret-text",
	                                          .autocomplete = "current-password",
	                                          .type = "password" });
	must_lack("secret-text");
	must_have("type=\"password\" autocomplete=\"current-password\" spellcheck=\"false\"");
	must_have("data-module=\"govuk-password-input\"");
	must_have("aria-controls=\"password\"");
}

static void whatever_comes_from_outside_is_escaped_everywhere(void **state)
{
	static const char bad[] = "\"><script>'&";
	static const char *const heads[] = { bad };
	struct page_choice choice = { .value = bad, .label = bad, .chosen = true };
	struct page_control control = { .name = "n", .label = bad, .hint = bad, .value = bad };

	(void)state;
	page_input(&html, &control);
	page_textarea(&html, &control, 3);
	page_select(&html, &control, &choice, 1);
	page_radios(&html, &control, &choice, 1);
	page_checkboxes(&html, &control, &choice, 1);
	page_button_of(&html, bad, "govuk-button--secondary", "b", bad);
	page_tag(&html, "red", bad);
	page_table_begin(&html, bad, heads, 1);
	page_cell(&html, bad);
	page_table_end(&html);
	page_summary_begin(&html);
	page_summary_row(&html, bad, bad);
	page_summary_end(&html);
	page_inset(&html, bad);
	page_warning(&html, bad);
	page_pagination(&html, bad, bad);
	must_lack("<script");
	must_lack("\">\"");
	must_lack("'&");
	must_have("&quot;&gt;&lt;script&gt;&#39;&amp;");
	assert_false(html.failed);
}

static void a_text_area_keeps_the_newline_it_begins_with(void **state)
{
	(void)state;
	page_textarea(&html,
	              &(struct page_control){ .name = "t", .label = "T", .value = "\nsecond" }, 4);
	must_have("rows=\"4\">\n\nsecond</textarea>");
}

static void choices_are_a_fieldset_and_the_first_has_the_id_of_the_control(void **state)
{
	static const struct page_choice choices[] = { { "a", "First", false },
		                                      { "b", "Second", true } };
	struct page_errors errors = { 0 };
	struct page_control control = { .name = "need", .label = "Needs", .errors = &errors };

	(void)state;
	page_error_add(&errors, "need", "Choose one");
	page_checkboxes(&html, &control, choices, 2);
	must_have("<fieldset class=\"govuk-fieldset\" aria-describedby=\"need-error\">");
	must_have("<legend class=\"govuk-fieldset__legend\">Needs</legend>");
	must_have("id=\"need\" name=\"need\" type=\"checkbox\" value=\"a\">");
	must_have("id=\"need-2\" name=\"need\" type=\"checkbox\" value=\"b\" checked>");
	must_have("<label class=\"govuk-label govuk-checkboxes__label\" for=\"need-2\">Second");
	page_radios(&html, &control, choices, 2);
	must_have("class=\"govuk-radios__input\" id=\"need\" name=\"need\" type=\"radio\"");
	page_select(&html, &control, choices, 2);
	must_have("<option value=\"b\" selected>Second</option>");
	must_have("<select class=\"govuk-select govuk-select--error\" id=\"need\" name=\"need\" "
	          "aria-describedby=\"need-error\">");
}

static void a_table_says_what_it_is_and_its_heads_are_heads(void **state)
{
	static const char *const heads[] = { "Person", "When" };

	(void)state;
	page_table_begin(&html, "Releases", heads, 2);
	must_have("<caption class=\"govuk-table__caption "
	          "govuk-table__caption--m\">Releases</caption>");
	must_have("<th scope=\"col\" class=\"govuk-table__header\">When</th>");
	must_have("role=\"region\" aria-label=\"Releases\" tabindex=\"0\"");
	page_table_end(&html);
}

static void a_list_that_fits_has_no_pagination(void **state)
{
	(void)state;
	page_pagination(&html, NULL, NULL);
	assert_null(html.bytes);
	page_pagination(&html, NULL, "/people?before=3&a=1");
	must_have("href=\"/people?before=3&amp;a=1\" rel=\"next\"");
	must_lack("Newer");
}

static int64_t at(const char *text)
{
	int64_t ns = 0;

	assert_int_equal(instant_parse(text, &ns), TTG_OK);
	return ns;
}

static void days_and_times_are_those_of_a_british_clock(void **state)
{
	char out[PAGE_TIME_BYTES];

	(void)state;
	page_day(out, at("2027-03-12T10:00:00Z"));
	assert_string_equal(out, "Friday 12 March 2027");
	page_day(out, at("2026-06-30T23:30:00Z")); /* after midnight in summer time */
	assert_string_equal(out, "Wednesday 1 July 2026");
	page_day(out, at("2028-02-29T12:00:00Z"));
	assert_string_equal(out, "Tuesday 29 February 2028");
	page_time(out, at("2027-03-12T14:03:00Z"), at("2027-03-12T18:00:00Z"));
	assert_string_equal(out, "today 14:03");
	page_time(out, at("2027-06-12T08:00:00Z"), at("2027-03-12T18:00:00Z"));
	assert_string_equal(out, "12 June, 09:00");
	page_time(out, at("2026-12-31T09:00:00Z"), at("2027-03-12T18:00:00Z"));
	assert_string_equal(out, "31 December 2026, 09:00");
}

#define PAGE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAGE_TEST(a_plain_input_has_its_label_and_nothing_else),
		PAGE_TEST(hint_and_error_are_read_out_with_their_control),
		PAGE_TEST(more_errors_than_the_bound_are_left_out),
		PAGE_TEST(a_password_is_never_written_back),
		PAGE_TEST(whatever_comes_from_outside_is_escaped_everywhere),
		PAGE_TEST(a_text_area_keeps_the_newline_it_begins_with),
		PAGE_TEST(choices_are_a_fieldset_and_the_first_has_the_id_of_the_control),
		PAGE_TEST(a_table_says_what_it_is_and_its_heads_are_heads),
		PAGE_TEST(a_list_that_fits_has_no_pagination),
		PAGE_TEST(days_and_times_are_those_of_a_british_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
