/*
 * A set of figures: all tables of one instant. The texts in them are copied, so that the figures,
 * which hold a fact or more for each event, can go. Pure but for the store and malloc.
 */
#include "desk/figures_cache.h"

#include <stdlib.h>
#include <string.h>

typedef void visit(void *arg, struct cell *cell);

/* Every cell with a text. */
static void each_text(struct figures_set *set, visit *see, void *arg)
{
	for (size_t i = 0; i < FIGURES_KINDS * FIGURES_VIEWS; i++) {
		struct table *table = &set->tables[i / FIGURES_VIEWS][i % FIGURES_VIEWS];

		for (size_t r = 0; r < table->n_rows; r++)
			for (size_t c = 0; c < table->n_columns; c++)
				if (table->rows[r].cells[c].kind == CELL_TEXT)
					see(arg, &table->rows[r].cells[c]);
	}
}

static void measure(void *arg, struct cell *cell)
{
	size_t *bytes = arg;

	*bytes += strlen(cell->text) + 1;
}

static void move(void *arg, struct cell *cell)
{
	char **to = arg;
	size_t bytes = strlen(cell->text) + 1;

	memcpy(*to, cell->text, bytes);
	cell->text = *to;
	*to += bytes;
}

static enum ttg_error own_texts(struct figures_set *set)
{
	size_t bytes = 1;
	char *to;

	each_text(set, measure, &bytes);
	to = set->texts = malloc(bytes);
	if (to == NULL)
		return TTG_ENOMEM;
	each_text(set, move, &to);
	return TTG_OK;
}

static enum ttg_error make_tables(struct figures_set *set, const struct figures *figures,
                                  const struct baselines *baselines)
{
	enum ttg_error error = TTG_OK;

	for (enum figures_kind kind = 0; kind < FIGURES_KINDS && error == TTG_OK; kind++) {
		struct table *tables = set->tables[kind];

		error = figures_make(figures, kind, baselines, &tables[FIGURES_WHOLE]);
		if (error == TTG_OK)
			error = table_copy(&tables[FIGURES_PUBLIC], &tables[FIGURES_WHOLE]);
		if (error == TTG_OK)
			error = table_hide_small(&tables[FIGURES_PUBLIC]);
	}
	return error == TTG_OK ? own_texts(set) : error;
}

enum ttg_error figures_set_make(struct figures_set **out, struct store *store, int64_t as_at_ns,
                                const struct baselines *baselines, const atomic_bool *stop,
                                struct message *message)
{
	struct figures_set *set = calloc(1, sizeof(*set));
	struct figures *figures = figures_new();
	enum ttg_error error = TTG_ENOMEM;

	*out = NULL;
	if (set != NULL && figures != NULL)
		error = figures_read(figures, store, stop, message);
	if (error == TTG_OK)
		error = figures_settle(figures, as_at_ns);
	if (error == TTG_OK)
		error = make_tables(set, figures, baselines);
	if (error == TTG_OK) {
		set->as_at_ns = as_at_ns;
		set->left_out = figures_left_out(figures);
		*out = set;
		set = NULL;
	}
	figures_free(&figures);
	figures_set_free(&set);
	return error;
}

void figures_set_free(struct figures_set **set)
{
	if (*set == NULL)
		return;
	for (size_t i = 0; i < FIGURES_KINDS * FIGURES_VIEWS; i++)
		table_fini(&(*set)->tables[i / FIGURES_VIEWS][i % FIGURES_VIEWS]);
	free((*set)->texts);
	free(*set);
	*set = NULL;
}
