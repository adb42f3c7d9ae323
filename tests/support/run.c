/*
 * Running programs on a stage, and asking the broker through ttgctl. Test thread only.
 *
 * Every command writes to files of its own (NAME-N.out, NAME-N.err), so that a failed test can show
 * all of them.
 */
#include "support/stage.h"

#include <stdlib.h>
#include <string.h>
#include "support/wait.h"

static size_t take_arguments(const char *arguments[PROCESS_MAX_ARGUMENTS + 1], size_t n,
			     va_list list)
{
	const char *argument = NULL;

	while ((argument = va_arg(list, const char *)) != NULL) {
		must_be(n < PROCESS_MAX_ARGUMENTS, "too many arguments");
		arguments[n++] = argument;
	}
	arguments[n] = NULL;
	return n;
}

static struct ran run_arguments(struct stage *stage, const char *input, const char *program,
				const char *const *arguments)
{
	struct process process = { .name = "" };
	char name[64];
	const struct process_options options = { .name = name,
						 .directory = stage->directory,
						 .input_path = input };

	snprintf(name, sizeof(name), "%s-%d", program, ++stage->commands);
	must_start(&process, &options, arguments);
	struct ran ran = { .code = must_end(&process, PROCESS_LIMIT_MS) };
	ran.out = must_read_file(process.out_path, NULL);
	ran.err = must_read_file(process.err_path, NULL);
	return ran;
}

static struct ran run_list(struct stage *stage, const char *input, const char *program,
			   va_list list)
{
	const char *arguments[PROCESS_MAX_ARGUMENTS + 1];
	char path[PROCESS_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", stage->bin, program);
	arguments[0] = path;
	take_arguments(arguments, 1, list);
	return run_arguments(stage, input, program, arguments);
}

struct ran must_run(struct stage *stage, const char *program, ...)
{
	va_list list;

	va_start(list, program);
	struct ran ran = run_list(stage, NULL, program, list);
	va_end(list);
	return ran;
}

struct ran must_run_fed(struct stage *stage, const char *input, const char *program, ...)
{
	va_list list;

	va_start(list, program);
	struct ran ran = run_list(stage, input, program, list);
	va_end(list);
	return ran;
}

void ran_free(struct ran *ran)
{
	free(ran->out);
	free(ran->err);
	ran->out = ran->err = NULL;
}

void must_start_other(struct stage *stage, int index, const char *name, const char *program, ...)
{
	const char *arguments[PROCESS_MAX_ARGUMENTS + 1];
	char path[PROCESS_PATH_MAX];
	const struct process_options options = { .name = name, .directory = stage->directory };
	va_list list;

	must_be(index >= 0 && index < STAGE_PROCESSES, "no such slot");
	snprintf(path, sizeof(path), "%s/%s", stage->bin, program);
	arguments[0] = path;
	va_start(list, program);
	take_arguments(arguments, 1, list);
	va_end(list);
	must_start(&stage->others[index], &options, arguments);
}

void must_start_horde(struct stage *stage, int index, const char *name, ...)
{
	const char *arguments[PROCESS_MAX_ARGUMENTS + 1];
	char path[PROCESS_PATH_MAX];
	const struct process_options options = { .name = name, .directory = stage->directory };
	va_list list;

	must_be(index >= 0 && index < STAGE_PROCESSES, "no such slot");
	snprintf(path, sizeof(path), "%s/../tests/ttg_horde", stage->bin);
	arguments[0] = path;
	va_start(list, name);
	take_arguments(arguments, 1, list);
	va_end(list);
	must_start(&stage->others[index], &options, arguments);
}

void slow_the_disk(struct stage *stage, int delay_ms)
{
	char module[PROCESS_PATH_MAX];

	snprintf(module, sizeof(module), "%s/../tests/slow_disk.so", stage->bin);
	char *path = realpath(module, NULL);
	must_be(path != NULL, "slow_disk.so is not there");
	snprintf(stage->slow_text[0], sizeof(stage->slow_text[0]), "LD_PRELOAD=%s", path);
	free(path);
	snprintf(stage->slow_text[1], sizeof(stage->slow_text[1]), "TTG_SLOW_MS=%d", delay_ms);
	stage->slow[0] = stage->slow_text[0];
	stage->slow[1] = stage->slow_text[1];
	/* The module stands before AddressSanitizer's library and replaces nothing of it. */
	stage->slow[2] = "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=1";
	stage->slow[3] = NULL;
	stage->environment = stage->slow;
}

static json_t *parse_lines(const char *text)
{
	json_t *items = json_array();
	json_error_t error;

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len > 0) {
			json_t *item = json_loadb(text, len, 0, &error);

			if (!item)
				must_fail("not JSON: %.*s (%s)", (int)len, text, error.text);
			json_array_append_new(items, item);
		}
		text += len + (text[len] == '\n');
	}
	return items;
}

json_t *must_ask(struct stage *stage, ...)
{
	const char *arguments[PROCESS_MAX_ARGUMENTS + 1];
	char path[PROCESS_PATH_MAX];
	va_list list;

	snprintf(path, sizeof(path), "%s/ttgctl", stage->bin);
	arguments[0] = path;
	arguments[1] = "--json";
	arguments[2] = "--socket";
	arguments[3] = "control";
	va_start(list, stage);
	take_arguments(arguments, 4, list);
	va_end(list);
	struct ran ran = run_arguments(stage, NULL, "ttgctl", arguments);
	if (ran.code != 0)
		must_fail("ttgctl %s: status %d: %s%s", arguments[4], ran.code, ran.out, ran.err);
	json_t *items = parse_lines(ran.out);
	ran_free(&ran);
	return items;
}

static int64_t number_at(const json_t *item, const char *path)
{
	const char *dot = strchr(path, '.');
	char group[64];

	if (dot) {
		snprintf(group, sizeof(group), "%.*s", (int)(dot - path), path);
		return number_at(json_object_get(item, group), dot + 1);
	}
	const json_t *value = json_object_get(item, path);
	if (!json_is_integer(value))
		must_fail("no number called %s in the answer", path);
	return json_integer_value(value);
}

int64_t must_ask_number(struct stage *stage, const char *command, const char *path)
{
	json_t *items = must_ask(stage, command, NULL);
	int64_t value = number_at(json_array_get(items, 0), path);

	json_decref(items);
	return value;
}

int64_t must_ask_mailbox(struct stage *stage, const char *mailbox, const char *name)
{
	json_t *items = must_ask(stage, "mailboxes", mailbox, NULL);
	int64_t value = number_at(json_array_get(items, 0), name);

	json_decref(items);
	return value;
}

int count_in(const struct stage *stage, const char *file, const char *text)
{
	char path[PROCESS_PATH_MAX];
	int count = 0;

	STAGE_PATH(stage, path, "%s", file);
	char *all = must_read_file(path, NULL);
	for (const char *at = all; (at = strstr(at, text)) != NULL; at += strlen(text))
		count++;
	free(all);
	return count;
}

void must_see(const struct stage *stage, const char *file, const char *text)
{
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;

	while (count_in(stage, file, text) == 0)
		if (!wait_step(deadline_ms))
			must_fail("%s does not say \"%s\"", file, text);
}
