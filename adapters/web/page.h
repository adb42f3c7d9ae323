/*
 * Pieces of a page in the GOV.UK design system's markup, so that every page looks and reads alike
 * and is put right in one place. All text is escaped here. See also html.h and web.h.
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "web/web.h"

struct page_error {
	const char *field; /* id of the control it is about; "" for none */
	char text[160];
};

#define PAGE_ERRORS_MAX 32

/* What was wrong with a form. Zeros: nothing. */
struct page_errors {
	struct page_error list[PAGE_ERRORS_MAX];
	size_t n;
};

__attribute__((format(printf, 3, 4))) void page_error_add(struct page_errors *errors,
                                                          const char *field, const char *format,
                                                          ...);
/* Text of the first error of that field; NULL when it has none. */
const char *page_error_of(const struct page_errors *errors, const char *field);

/*
 * The frame: head, skip link, header with the menu, who is signed in, what web_say() said, and the
 * heading (h1) unless `heading` is NULL; page_end() closes it. The title is "Error: ..." when errors
 * has any, and the summary stands on top. errors may be NULL.
 */
void page_begin(const struct web_request *request, struct web_response *response,
                const char *title, const char *heading, const struct page_errors *errors);
void page_end(const struct web_request *request, struct web_response *response);

/* Opens <form method="post"> with the session's token in it; html_raw("</form>") closes it. */
void page_form(struct html *html, const struct web_request *request, const char *action);
void page_button(struct html *html, const char *label);
/* class: "govuk-button--secondary", "govuk-button--warning" */
void page_button_of(struct html *html, const char *label, const char *class, const char *name,
                    const char *value);

/* Controls: id and name are `name`; hint, value may be ""; each shows its own error. */
struct page_control {
	const char *name;
	const char *label;
	const char *hint;
	const char *value;
	const struct page_errors *errors;
	unsigned width;           /* characters; 0: the whole line */
	const char *input_mode;   /* "numeric", "tel"; NULL */
	const char *autocomplete; /* "username", "current-password"; NULL: off */
	const char *type;         /* NULL: "text"; "password", "date", "time", "search" */
};
void page_input(struct html *html, const struct page_control *control);
void page_textarea(struct html *html, const struct page_control *control, unsigned rows);

struct page_choice {
	const char *value;
	const char *label;
	bool chosen;
};
void page_select(struct html *html, const struct page_control *control,
                 const struct page_choice *choices, size_t n);
/* Fieldsets with the label as legend; checkboxes give the name several times. */
void page_radios(struct html *html, const struct page_control *control,
                 const struct page_choice *choices, size_t n);
void page_checkboxes(struct html *html, const struct page_control *control,
                     const struct page_choice *choices, size_t n);

/* Coloured word: colour "green", "red", "blue", "yellow", "grey", "orange", "purple". */
void page_tag(struct html *html, const char *colour, const char *text);

/* Table: caption, then heads; rows are written by hand or by page_cell(). */
void page_table_begin(struct html *html, const char *caption, const char *const *heads, size_t n);
void page_cell(struct html *html, const char *text);
void page_table_end(struct html *html);

/* Summary list: begin, rows, end. */
void page_summary_begin(struct html *html);
void page_summary_row(struct html *html, const char *key, const char *value);
void page_summary_end(struct html *html);

/* "Nothing to show" in the design system's inset. */
void page_inset(struct html *html, const char *text);
/* Box with an exclamation mark and bold text. */
void page_warning(struct html *html, const char *text);
/* Older and newer, where a list has more than fits: links may be NULL. */
void page_pagination(struct html *html, const char *newer, const char *older);

/* "Friday 12 March 2027", "12 March, 09:00", "today 14:03": British civil time. */
#define PAGE_TIME_BYTES 48
void page_day(char out[PAGE_TIME_BYTES], int64_t at_ns);
void page_time(char out[PAGE_TIME_BYTES], int64_t at_ns, int64_t now_ns);

#endif
