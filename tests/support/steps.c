/* See steps.h. */
#include "support/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void must_write_steps(const struct stage *stage, const char *formats)
{
	static const char begin[] = "\n```sh\n", end[] = "\n```\n";
	char *text = must_read_file(formats, NULL), path[PROCESS_PATH_MAX];
	char *steps = strstr(text, "\n### Checking a receipt by hand\n");

	steps = steps ? strstr(steps, begin) : NULL;
	char *last = steps ? strstr(steps + strlen(begin), end) : NULL;
	must_be(last != NULL, "docs/formats.md has the steps");
	steps += strlen(begin);
	const size_t len = (size_t)(last + 1 - steps);
	STAGE_PATH(stage, path, "steps");
	FILE *file = fopen(path, "wb");
	must_be(file != NULL && fwrite(steps, 1, len, file) == len && fclose(file) == 0, path);
	free(text);
}

bool steps_say_good(struct stage *stage, const char *receipt, const char *event, const char *key,
		    const char *publisher)
{
	char folder[PROCESS_PATH_MAX], steps[PROCESS_PATH_MAX];
	struct process process = { .name = "" };

	STAGE_PATH(stage, steps, "steps");
	STAGE_PATH(stage, folder, "by-hand-%d", ++stage->commands);
	must_be(mkdir(folder, 0700) == 0, folder);
	const struct process_options options = { .name = "steps", .directory = folder };
	const char *const arguments[] = { "/bin/sh", steps, receipt, event, key, publisher, NULL };
	must_start(&process, &options, arguments);
	const int code = must_end(&process, PROCESS_LIMIT_MS);
	char *out = must_read_file(process.out_path, NULL);
	const bool good = strcmp(out, "good\n") == 0;
	if (good != (code == 0) || (!good && out[0] != '\0'))
		must_fail("the steps ended with %d and said: %s", code, out);
	if (code == 127)
		must_fail("a command that the steps need is not there");
	free(out);
	return good;
}
