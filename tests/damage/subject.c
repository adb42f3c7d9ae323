/* See subject.h. */
#include "damage/subject.h"

#include <string.h>

void subject_free(struct subject *subject)
{
	memory_world_free(&subject->world);
	for (size_t i = 0; i < subject->n_moments; i++)
		memory_world_free(&subject->moments[i]);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), len_end = strlen(end);

	return len >= len_end && strcmp(text + len - len_end, end) == 0;
}

bool subject_holds(const char *path)
{
	return ends_with(path, "/HEAD") || ends_with(path, ".out") || ends_with(path, ".tts") ||
	       (ends_with(path, ".ttj") && !ends_with(path, "/spare.ttj"));
}

bool subject_message_helps(const struct message *message)
{
	const char *offset = strstr(message->text, "offset ");

	return strchr(message->text, '/') && offset && strchr(offset, ':') &&
	       strlen(strchr(offset, ':')) > 8;
}
