/* Bars as SVG. See drawing.h. Pure but for malloc. */
#include "desk/drawing.h"

#define WIDTH       840
#define BARS_WIDTH  330
#define HEAD_HEIGHT 36
#define LINE_HEIGHT 18
#define GAP         8  /* between a bar and its words */
#define BASE        14 /* of letters, below the top of their line */

unsigned drawing_width(const struct drawing *drawing, int64_t value)
{
	if (value <= 0 || drawing->whole <= 0)
		return 0;
	if (value > drawing->whole)
		value = drawing->whole;
	return (unsigned)((long double)value * BARS_WIDTH / (long double)drawing->whole + 0.5L);
}

void drawing_text(struct drawing *drawing, unsigned x, const char *text)
{
	html_add(&drawing->body, "<text x=\"%u\" y=\"%u\">%s</text>\n", x, drawing->y + BASE, text);
}

void drawing_bar(struct drawing *drawing, unsigned x, unsigned width, const char *fill)
{
	html_add(&drawing->body,
	         "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%d\" fill=\"%s\" "
	         "stroke=\"" DRAWING_INK "\"/>\n",
	         x, drawing->y, width, DRAWING_BAR_HEIGHT, fill);
}

void drawing_mark(struct drawing *drawing, int64_t value, const char *dashes)
{
	unsigned x = DRAWING_BARS_X + drawing_width(drawing, value);

	html_add(&drawing->body,
	         "<line x1=\"%u\" x2=\"%u\" y1=\"%u\" y2=\"%u\" stroke=\"" DRAWING_INK
	         "\" stroke-width=\"3\"",
	         x, x, drawing->y - 4, drawing->y + DRAWING_BAR_HEIGHT + 4);
	if (dashes != NULL)
		html_add(&drawing->body, " stroke-dasharray=\"%s\"", dashes);
	html_raw(&drawing->body, "/>\n");
}

void drawing_reach(struct drawing *drawing, int64_t value)
{
	unsigned x = DRAWING_BARS_X + drawing_width(drawing, value);

	html_add(&drawing->body,
	         "<path d=\"M%d %uH%uM%u %uV%u\" stroke=\"" DRAWING_INK
	         "\" stroke-width=\"2\" fill=\"none\"/>\n",
	         DRAWING_BARS_X, drawing->y + DRAWING_BAR_HEIGHT / 2, x, x, drawing->y,
	         drawing->y + DRAWING_BAR_HEIGHT);
}

void drawing_tell(struct drawing *drawing, const char *before, const char *text)
{
	html_add(&drawing->description, "%s: %s. ", before, text);
}

void drawing_heading(struct drawing *drawing, const char *text)
{
	html_add(&drawing->body,
	         "<text x=\"0\" y=\"%u\" font-weight=\"bold\" font-size=\"16\">%s</text>\n",
	         drawing->y + 24, text);
	html_add(&drawing->description, "%s. ", text);
	drawing->y += HEAD_HEIGHT;
}

void drawing_row(struct drawing *drawing, const char *label, unsigned width, const char *words)
{
	drawing_text(drawing, 0, label);
	if (width > 0)
		drawing_bar(drawing, DRAWING_BARS_X, width, DRAWING_BLUE);
	drawing_text(drawing, DRAWING_BARS_X + width + GAP, words);
	drawing_tell(drawing, label, words);
	drawing->y += DRAWING_ROW_HEIGHT;
}

void drawing_small(struct drawing *drawing, const char *words)
{
	html_add(&drawing->body, "<text x=\"%d\" y=\"%u\" font-size=\"13\">%s</text>\n",
	         DRAWING_BARS_X, drawing->y + BASE - 1, words);
	drawing->y += LINE_HEIGHT;
}

void drawing_write(const struct drawing *drawing, const char *title, struct html *out)
{
	unsigned height = drawing->y + 12;

	html_raw(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	html_add(out,
	         "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
	         "aria-labelledby=\"title desc\" width=\"%d\" height=\"%u\" "
	         "viewBox=\"0 0 %d %u\" font-family=\"Arial, sans-serif\" font-size=\"14\" "
	         "fill=\"" DRAWING_INK "\">\n<title id=\"title\">%s</title>\n<desc id=\"desc\">",
	         WIDTH, height, WIDTH, height, title);
	html_raw(out, drawing->description.bytes != NULL ? drawing->description.bytes : "");
	html_raw(out, "</desc>\n<defs><pattern id=\"hatched\" width=\"6\" height=\"6\" "
	              "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
	              "<rect width=\"6\" height=\"6\" fill=\"" DRAWING_WHITE "\"/>"
	              "<rect width=\"3\" height=\"6\" fill=\"" DRAWING_INK "\"/></pattern></defs>\n"
	              "<rect width=\"100%\" height=\"100%\" fill=\"" DRAWING_WHITE "\"/>\n");
	html_raw(out, drawing->body.bytes != NULL ? drawing->body.bytes : "");
	html_raw(out, "</svg>\n");
	out->failed |= drawing->description.failed || drawing->body.failed;
}

void drawing_fini(struct drawing *drawing)
{
	html_fini(&drawing->body);
	html_fini(&drawing->description);
}
