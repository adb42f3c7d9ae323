/*
 * Fields of several grants together, as text: "ask,contact.telephone;recorded_at;CRN,NOMS" (payload,
 * envelope, kinds of numbers) as mask_text() spells them. It is done over the words, not over the catalogue,
 * because the catalogue of the time may have been another.
 */
#include <stdlib.h>
#include <string.h>

#include "core/rules_text.h"

#define PARTS 3

struct name {
	const char *at;
	size_t len;
};

/* Names of one part, none of which covers another. */
struct name_list {
	struct name *items;
	size_t n;
};

/* "contact" covers "contact.telephone". */
static bool covers(const struct name *a, const struct name *b)
{
	return a->len <= b->len && memcmp(a->at, b->at, a->len) == 0 &&
	       (a->len == b->len || b->at[a->len] == '.');
}

static void add_name(struct name_list *list, struct name name)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++)
		if (covers(&list->items[i], &name))
			return;
	for (size_t i = 0; i < list->n; i++)
		if (!covers(&name, &list->items[i]))
			list->items[kept++] = list->items[i];
	list->items[kept++] = name;
	list->n = kept;
}

static void add_part(struct name_list *list, const char *text, size_t len)
{
	while (len > 0) {
		const char *comma = memchr(text, ',', len);
		const size_t name = comma ? (size_t)(comma - text) : len;

		if (name > 0)
			add_name(list, (struct name){ text, name });
		text += name + (comma ? 1 : 0);
		len -= name + (comma ? 1 : 0);
	}
}

static bool has(const struct name_list *list, const char *wanted)
{
	const struct name name = { wanted, strlen(wanted) };

	for (size_t i = 0; i < list->n; i++)
		if (covers(&list->items[i], &name))
			return true;
	return false;
}

static char *put_names(char *out, const struct name_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			*out++ = ',';
		memcpy(out, list->items[i].at, list->items[i].len);
		out += list->items[i].len;
	}
	return out;
}

static size_t count_names(const char *text)
{
	size_t n = PARTS;

	for (; *text; text++)
		n += *text == ',';
	return n;
}

char *rules_join_fields(const char *a, const char *b)
{
	struct name_list list = { .n = 0 };
	bool all_numbers = false; /* of the person go, so that kinds say nothing more */
	char *out, *at;

	if (strcmp(a, "*") == 0 || b[0] == '\0')
		return strdup(a);
	if (strcmp(b, "*") == 0 || a[0] == '\0')
		return strdup(b);
	out = at = malloc(strlen(a) + strlen(b) + 2 * PARTS);
	list.items = calloc(count_names(a) + count_names(b), sizeof(*list.items));
	for (int part = 0; part < PARTS && out && list.items; part++) {
		const size_t n_a = strcspn(a, ";"), n_b = strcspn(b, ";");

		list.n = 0;
		add_part(&list, a, n_a);
		add_part(&list, b, n_b);
		if (part > 0)
			*at++ = ';';
		if (!all_numbers)
			at = put_names(at, &list);
		all_numbers = part == 1 && has(&list, "person.identifiers");
		a += n_a + (a[n_a] == ';');
		b += n_b + (b[n_b] == ';');
	}
	free(list.items);
	if (!list.items) {
		free(out);
		return NULL;
	}
	if (out)
		*at = '\0';
	return out;
}
