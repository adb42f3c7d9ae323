/* Plots of figures: which bars there are and what is written beside them. See figures_plot.h. */
#include "desk/figures_plot.h"

#include <stdio.h>
#include <string.h>
#include "desk/drawing.h"
#include "oneservice/report.h"

#define ROWS_MAX    200 /* further ones are in the table only */
#define WORDS_BYTES 400
#define BASELINE    "baseline_per_100"
#define FREQUENCY   "events_per_100"
#define MEDIAN      "answer_median_hours"
#define LONGEST     "answer_longest_hours"

/* Numbers are in tenths throughout. */
struct picture {
	const struct figures_plot *plot;
	struct drawing drawing;
	const char *group[2]; /* scheme and cohort of the heading above */
};

static const char *const titles[FIGURES_KINDS] = {
	[FIGURES_ENGAGEMENT] = "Engagement: men reached, per cent",
	[FIGURES_NEEDS] = "Needs: men with each need, per cent",
	[FIGURES_OUTCOME] = "Outcome: reconviction events per 100 men",
	[FIGURES_REFERRALS] = "Referrals by provider",
};

void figures_words(char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '_')
			*text = ' ';
}

static const struct cell *cell_of(const struct picture *picture, const struct table_row *row,
                                  const char *column)
{
	static const struct cell none = { .kind = CELL_EMPTY };
	const struct table *table = picture->plot->table;

	for (size_t i = 0; i < table->n_columns; i++)
		if (strcmp(table->columns[i].name, column) == 0)
			return &row->cells[i];
	return &none;
}

static void read_cell(const struct picture *picture, const struct table_row *row,
                      const char *column, char out[REPORT_CELL_BYTES])
{
	report_cell(cell_of(picture, row, column), out);
	figures_words(out);
}

/* -1 when it is not shown or no number. */
static int64_t tenths_of(const struct picture *picture, const struct table_row *row,
                         const char *column)
{
	const struct cell *cell = cell_of(picture, row, column);

	if (cell->shown != CELL_SHOWN || (cell->kind != CELL_COUNT && cell->kind != CELL_TENTHS))
		return -1;
	return cell->kind == CELL_COUNT ? cell->number * 10 : cell->number;
}

/* "gateway, cohort-1", where another group begins. */
static void head_group(struct picture *picture, const struct table_row *row)
{
	char text[WORDS_BYTES];
	char scheme[REPORT_CELL_BYTES];
	char cohort[REPORT_CELL_BYTES];

	if (picture->group[0] != NULL && strcmp(picture->group[0], row->cells[0].text) == 0 &&
	    strcmp(picture->group[1], row->cells[1].text) == 0)
		return;
	picture->group[0] = row->cells[0].text;
	picture->group[1] = row->cells[1].text;
	report_cell(&row->cells[0], scheme);
	report_cell(&row->cells[1], cohort);
	snprintf(text, sizeof(text), "%s, %s", scheme,
	         strcmp(cohort, FIGURES_ALL) == 0 ? "all cohorts" : cohort);
	drawing_heading(&picture->drawing, text);
}

static void draw_rate(struct picture *picture, const struct table_row *row, const char *what,
                      const char *count)
{
	const struct cell *rate = cell_of(picture, row, "percent");
	unsigned width = drawing_width(&picture->drawing, tenths_of(picture, row, "percent"));
	char label[REPORT_CELL_BYTES];
	char percent[REPORT_CELL_BYTES];
	char some[REPORT_CELL_BYTES];
	char men[REPORT_CELL_BYTES];
	char words[WORDS_BYTES];

	read_cell(picture, row, what, label);
	read_cell(picture, row, "percent", percent);
	read_cell(picture, row, count, some);
	read_cell(picture, row, "men", men);
	if (rate->shown == CELL_SHOWN && rate->kind == CELL_UNDEFINED)
		snprintf(words, sizeof(words), "no men yet");
	else
		snprintf(words, sizeof(words), "%s%s (%s of %s)", percent,
		         rate->shown == CELL_SHOWN ? " %" : "", some, men);
	drawing_row(&picture->drawing, label, width, words);
}

static void draw_stage(struct picture *picture, const struct table_row *row)
{
	draw_rate(picture, row, "stage", "reached");
}

static void draw_need(struct picture *picture, const struct table_row *row)
{
	draw_rate(picture, row, "need", "with_need");
}

/* So many per mille less, half up. */
static int64_t less(int64_t baseline, int64_t per_mille)
{
	return (baseline * (1000 - per_mille) + 500) / 1000;
}

static void draw_result(struct picture *picture, const struct table_row *row, int64_t baseline)
{
	const long long at[] = { baseline, less(baseline, 75), less(baseline, 100) };
	char reduction[REPORT_CELL_BYTES];
	char threshold[REPORT_CELL_BYTES];
	char met[REPORT_CELL_BYTES];
	char words[WORDS_BYTES];

	snprintf(words, sizeof(words),
	         "baseline %lld.%lld; 7.5 %% less: %lld.%lld; 10 %% less: %lld.%lld", at[0] / 10,
	         at[0] % 10, at[1] / 10, at[1] % 10, at[2] / 10, at[2] % 10);
	drawing_small(&picture->drawing, words);
	drawing_tell(&picture->drawing, "Held against", words);
	read_cell(picture, row, "reduction_percent", reduction);
	read_cell(picture, row, "threshold_percent", threshold);
	read_cell(picture, row, "threshold_met", met);
	snprintf(words, sizeof(words), "reduction, per cent: %s; threshold of %s %% met: %s",
	         reduction[0] != '\0' ? reduction : "-", threshold, met[0] != '\0' ? met : "-");
	drawing_small(&picture->drawing, words);
	drawing_tell(&picture->drawing, "Result", words);
	picture->drawing.y += 8;
}

static void draw_outcome(struct picture *picture, const struct table_row *row)
{
	struct drawing *drawing = &picture->drawing;
	int64_t frequency = tenths_of(picture, row, FREQUENCY);
	int64_t baseline = tenths_of(picture, row, BASELINE);
	int64_t longer = frequency > baseline ? frequency : baseline;
	char text[REPORT_CELL_BYTES];
	char words[WORDS_BYTES];

	read_cell(picture, row, FREQUENCY, text);
	if (text[0] == '\0')
		snprintf(words, sizeof(words), "no window is over yet");
	else
		snprintf(words, sizeof(words), "%s events per 100 men", text);
	drawing_text(drawing, 0, "frequency");
	if (frequency > 0)
		drawing_bar(drawing, DRAWING_BARS_X, drawing_width(drawing, frequency),
		            DRAWING_BLUE);
	if (baseline > 0) {
		drawing_mark(drawing, baseline, NULL);
		drawing_mark(drawing, less(baseline, 75), "6 3");
		drawing_mark(drawing, less(baseline, 100), "2 2");
	}
	drawing_text(drawing, DRAWING_BARS_X + drawing_width(drawing, longer) + 10, words);
	drawing_tell(drawing, "Frequency", words);
	drawing->y += DRAWING_ROW_HEIGHT;
	if (baseline > 0)
		draw_result(picture, row, baseline);
}

/*
 * Accepted, declined, and what is left of the sent, if all of that is shown. What is left is no
 * column of the table: few of them the public does not see.
 */
static void draw_flow(struct picture *picture, const struct table_row *row)
{
	static const char *const fills[] = { DRAWING_BLUE, DRAWING_HATCHED, DRAWING_WHITE };
	struct drawing *drawing = &picture->drawing;
	int64_t left = tenths_of(picture, row, "sent") - tenths_of(picture, row, "answered");
	const int64_t parts[] = { tenths_of(picture, row, "accepted"),
		                  tenths_of(picture, row, "declined"), left };
	bool shown = tenths_of(picture, row, "sent") >= 0 &&
	             tenths_of(picture, row, "answered") >= 0 && parts[0] >= 0 && parts[1] >= 0 &&
	             left >= (picture->plot->is_public ? TABLE_COUNT_LEAST * 10 : 0);
	unsigned x = DRAWING_BARS_X;
	char text[3][REPORT_CELL_BYTES];
	char label[REPORT_CELL_BYTES];
	char words[WORDS_BYTES];

	for (size_t i = 0; i < 3 && shown; i++) {
		if (parts[i] > 0)
			drawing_bar(drawing, x, drawing_width(drawing, parts[i]), fills[i]);
		x += drawing_width(drawing, parts[i]);
	}
	read_cell(picture, row, "provider", label);
	read_cell(picture, row, "sent", text[0]);
	read_cell(picture, row, "accepted", text[1]);
	read_cell(picture, row, "declined", text[2]);
	snprintf(words, sizeof(words), "sent %s: accepted %s, declined %s", text[0], text[1],
	         text[2]);
	if (shown)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), ", no answer %lld",
		         (long long)(left / 10));
	drawing_text(drawing, 0, label);
	drawing->y += shown ? DRAWING_BAR_HEIGHT + 4 : 0;
	drawing_small(drawing, words);
	drawing_tell(drawing, label, words);
	drawing->y += 8;
}

static void draw_time(struct picture *picture, const struct table_row *row)
{
	struct drawing *drawing = &picture->drawing;
	int64_t median = tenths_of(picture, row, MEDIAN);
	int64_t longest = tenths_of(picture, row, LONGEST);
	char label[REPORT_CELL_BYTES];
	char text[2][REPORT_CELL_BYTES];
	char words[WORDS_BYTES];

	read_cell(picture, row, "provider", label);
	read_cell(picture, row, MEDIAN, text[0]);
	read_cell(picture, row, LONGEST, text[1]);
	if (text[0][0] == '\0')
		snprintf(words, sizeof(words), "nothing answered yet");
	else
		snprintf(words, sizeof(words), "median %s, longest %s", text[0], text[1]);
	drawing_text(drawing, 0, label);
	if (longest > 0)
		drawing_reach(drawing, longest);
	if (median > 0)
		drawing_bar(drawing, DRAWING_BARS_X, drawing_width(drawing, median), DRAWING_BLUE);
	drawing_text(drawing, DRAWING_BARS_X + drawing_width(drawing, longest) + 8, words);
	drawing_tell(drawing, label, words);
	drawing->y += DRAWING_ROW_HEIGHT;
}

/* Needs and referrals have rows of all cohorts, and that is enough where none was asked for. */
static bool is_drawn(const struct picture *picture, const struct table_row *row)
{
	enum figures_kind kind = picture->plot->kind;

	return picture->plot->by_cohort || kind == FIGURES_ENGAGEMENT || kind == FIGURES_OUTCOME ||
	       strcmp(row->cells[1].text, FIGURES_ALL) == 0;
}

static int64_t largest(const struct picture *picture, const char *column)
{
	const struct table *table = picture->plot->table;
	int64_t most = 0;

	for (size_t i = 0; i < table->n_rows; i++) {
		int64_t tenths = tenths_of(picture, &table->rows[i], column);

		if (is_drawn(picture, &table->rows[i]) && tenths > most)
			most = tenths;
	}
	return most;
}

typedef void draw_row(struct picture *picture, const struct table_row *row);

static void draw_rows(struct picture *picture, draw_row *draw)
{
	const struct table *table = picture->plot->table;
	size_t drawn = 0;

	picture->group[0] = picture->group[1] = NULL;
	for (size_t i = 0; i < table->n_rows && drawn < ROWS_MAX; i++) {
		if (!is_drawn(picture, &table->rows[i]))
			continue;
		head_group(picture, &table->rows[i]);
		draw(picture, &table->rows[i]);
		drawn++;
	}
	if (drawn == 0)
		drawing_small(&picture->drawing, "There is nothing to show.");
	if (drawn == ROWS_MAX)
		drawing_small(&picture->drawing, "Further rows are in the table only.");
}

static void put_key(struct drawing *drawing, const char *fill, const char *words)
{
	drawing_bar(drawing, 0, 30, fill);
	drawing_text(drawing, 40, words);
	drawing->y += DRAWING_ROW_HEIGHT;
}

static void draw_outcomes(struct picture *picture)
{
	struct drawing *drawing = &picture->drawing;

	drawing_text(drawing, 0,
	             "Lines across: whole, the baseline; dashed, 7.5 % less; dotted, 10 % less.");
	drawing->y += DRAWING_ROW_HEIGHT;
	drawing->whole = largest(picture, FREQUENCY);
	if (largest(picture, BASELINE) > drawing->whole)
		drawing->whole = largest(picture, BASELINE);
	draw_rows(picture, draw_outcome);
}

static void draw_referrals(struct picture *picture)
{
	struct drawing *drawing = &picture->drawing;

	put_key(drawing, DRAWING_BLUE, "accepted");
	put_key(drawing, DRAWING_HATCHED, "declined");
	put_key(drawing, DRAWING_WHITE, "no answer");
	drawing->whole = largest(picture, "sent");
	draw_rows(picture, draw_flow);
	drawing_heading(drawing, "Hours until an answer: bar, median; line, longest");
	drawing->whole = largest(picture, LONGEST);
	draw_rows(picture, draw_time);
}

static void draw(struct picture *picture)
{
	picture->drawing.whole = 1000;
	switch (picture->plot->kind) {
	case FIGURES_ENGAGEMENT:
		draw_rows(picture, draw_stage);
		break;
	case FIGURES_NEEDS:
		draw_rows(picture, draw_need);
		break;
	case FIGURES_OUTCOME:
		draw_outcomes(picture);
		break;
	case FIGURES_REFERRALS:
		draw_referrals(picture);
		break;
	case FIGURES_KINDS:
		break;
	}
}

void figures_plot_write(const struct figures_plot *plot, struct html *out)
{
	struct picture picture = { .plot = plot };
	char title[WORDS_BYTES];

	snprintf(title, sizeof(title), "%s, as at %s", titles[plot->kind], plot->as_at);
	drawing_heading(&picture.drawing, title);
	draw(&picture);
	drawing_write(&picture.drawing, title, out);
	drawing_fini(&picture.drawing);
}

void figures_plot_say(const char *sentence, struct html *out)
{
	struct drawing drawing = { .whole = 0 };

	drawing_heading(&drawing, sentence);
	drawing_write(&drawing, sentence, out);
	drawing_fini(&drawing);
}
