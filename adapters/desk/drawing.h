/*
 * A drawing of lying bars in the making, as SVG: a label on the left, the bar, and behind it what
 * it says in words. Beside the picture grows a description that says the same to whoever hears it
 * read. Attributes only, no style: the web end's content policy lets no style in.
 */
#ifndef DESK_DRAWING_H
#define DESK_DRAWING_H

#include <stdint.h>
#include "web/html.h"

#define DRAWING_BARS_X     250 /* where bars begin */
#define DRAWING_BAR_HEIGHT 18
#define DRAWING_ROW_HEIGHT 28

#define DRAWING_INK     "#0b0c0c"
#define DRAWING_BLUE    "#1d70b8"
#define DRAWING_WHITE   "#ffffff"
#define DRAWING_HATCHED "url(#hatched)"

/* Zeros are an empty one. */
struct drawing {
	struct html body, description;
	unsigned y;    /* where the next thing goes */
	int64_t whole; /* what a bar of the whole width stands for */
};

/* Pixels of a bar for that part of the whole. */
unsigned drawing_width(const struct drawing *drawing, int64_t value);

/* These stay on the line. */
void drawing_text(struct drawing *drawing, unsigned x, const char *text);
void drawing_bar(struct drawing *drawing, unsigned x, unsigned width, const char *fill);
/* Across a bar, at that value; dashes as SVG has them, NULL: none. */
void drawing_mark(struct drawing *drawing, int64_t value, const char *dashes);
/* A line as long as that value, with an end. */
void drawing_reach(struct drawing *drawing, int64_t value);
/* A sentence in the description: "before: text." */
void drawing_tell(struct drawing *drawing, const char *before, const char *text);

/* These go on to the next line, and into the description. */
void drawing_heading(struct drawing *drawing, const char *text);
void drawing_row(struct drawing *drawing, const char *label, unsigned width, const char *words);
/* Small print under a bar; not into the description. */
void drawing_small(struct drawing *drawing, const char *words);

/* The whole file. Errors stick in `out`. */
void drawing_write(const struct drawing *drawing, const char *title, struct html *out);
void drawing_fini(struct drawing *drawing);

#endif
