/*
 * The list of lines a person reads when a configuration is wrong or doubtful.
 *
 * Owner: whoever loads. Invariant: n_errors counts every error, also those past CONFIG_ERRORS_MAX and
 * those no memory was left for, so that a load never passes for fine because its list was full.
 */
#include "config/errors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct error_line {
	char *text;
	bool warning;
};

struct config_errors {
	struct error_line lines[CONFIG_ERRORS_MAX];
	size_t n_lines;
	size_t n_errors;
};

static void add_line(struct config_errors *errors, bool warning, struct place place,
		     const char *format, va_list arguments)
{
	char text[CONFIG_ERROR_BYTES];
	int used;

	if (!warning)
		errors->n_errors++;
	if (errors->n_lines == CONFIG_ERRORS_MAX)
		return;
	if (place.line > 0)
		used = snprintf(text, sizeof(text), "%s:%u: ", place.file, place.line);
	else
		used = snprintf(text, sizeof(text), "%s: ", place.file);
	if (used < 0)
		used = 0;
	if ((size_t)used < sizeof(text))
		vsnprintf(text + used, sizeof(text) - (size_t)used, format, arguments);
	errors->lines[errors->n_lines].text = strdup(text);
	if (errors->lines[errors->n_lines].text == NULL)
		return;
	errors->lines[errors->n_lines].warning = warning;
	errors->n_lines++;
}

void errors_add(struct config_errors *errors, struct place place, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_line(errors, false, place, format, arguments);
	va_end(arguments);
}

void errors_warn(struct config_errors *errors, struct place place, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_line(errors, true, place, format, arguments);
	va_end(arguments);
}

struct config_errors *config_errors_new(void)
{
	return calloc(1, sizeof(struct config_errors));
}

void config_errors_free(struct config_errors **errors)
{
	if (errors == NULL || *errors == NULL)
		return;
	for (size_t i = 0; i < (*errors)->n_lines; i++)
		free((*errors)->lines[i].text);
	free(*errors);
	*errors = NULL;
}

size_t config_errors_count(const struct config_errors *errors)
{
	return errors->n_errors;
}

size_t config_errors_lines(const struct config_errors *errors)
{
	return errors->n_lines;
}

const char *config_errors_line(const struct config_errors *errors, size_t index, bool *warning)
{
	assert(index < errors->n_lines);
	if (warning != NULL)
		*warning = errors->lines[index].warning;
	return errors->lines[index].text;
}
