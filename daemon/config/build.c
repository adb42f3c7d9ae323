/*
 * What agencies and agreements share while rules are built: growing tables, looking up, walking the
 * groups of a file.
 *
 * Owner: whoever loads.
 */
#include "config/build.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "config/nearest.h"

void *build_grow(struct builder *builder, void *array, size_t n, size_t entry_bytes)
{
	void *larger;

	/* Room grows at each power of two. */
	if (n > 0 && (n & (n - 1)) != 0)
		return array;
	larger = realloc(array, (n == 0 ? 1 : 2 * n) * entry_bytes);
	if (larger == NULL)
		errors_add(builder->errors, (struct place){ "configuration", 0 }, "no memory");
	return larger;
}

int build_find_agency(const struct builder *builder, const char *id)
{
	for (size_t i = 0; i < builder->rules->n_agencies; i++)
		if (strcmp(builder->rules->agencies[i].id, id) == 0)
			return (int)i;
	return -1;
}

int build_find_mailbox(const struct builder *builder, const char *id)
{
	for (size_t i = 0; i < builder->rules->n_mailboxes; i++)
		if (strcmp(builder->rules->mailboxes[i].id, id) == 0)
			return (int)i;
	return -1;
}

int64_t build_instant(const char *date)
{
	int64_t unix_ns = 0;

	if (instant_from_civil(date, NULL, &unix_ns) != TTG_OK)
		return 0;
	return unix_ns;
}

void build_each(struct builder *builder, const struct source *source, const char *one,
		const char *many,
		void (*each)(struct builder *builder, const struct source *source,
			     const config_setting_t *group))
{
	const config_setting_t *root = config_root_setting(&source->tree);

	if (config_setting_length(root) == 0)
		errors_warn(source->errors, (struct place){ source->path, 0 },
			    "holds nothing, expected %s: { ... };", one);
	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *setting = config_setting_get_elem(root, (unsigned int)i);
		const char *name = config_setting_name(setting);

		if (strcmp(name, one) == 0 && config_setting_is_group(setting)) {
			each(builder, source, setting);
			continue;
		}
		if (strcmp(name, many) != 0 || !config_setting_is_list(setting)) {
			errors_add(source->errors, source_place(source, setting),
				   "%.64s is %s, must be %s: { ... }; or %s: ( { ... }, ... );", name,
				   source_type_name(setting), one, many);
			continue;
		}
		for (int j = 0; j < config_setting_length(setting); j++) {
			const config_setting_t *group =
				config_setting_get_elem(setting, (unsigned int)j);

			if (config_setting_is_group(group))
				each(builder, source, group);
			else
				errors_add(source->errors, source_place(source, group),
					   "%s holds %s, must hold groups { }", many,
					   source_type_name(group));
		}
	}
}

void builder_fini(struct builder *builder)
{
	free(builder->agency_places);
	free(builder->agreement_places);
	free(builder->keys);
}
