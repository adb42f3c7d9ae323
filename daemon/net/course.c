/* See course.h. */
#include "net/course.h"

#include <stdlib.h>
#include <string.h>

void course_fini(struct course *course)
{
	free(course->recipients);
	*course = (struct course){ 0 };
}

bool course_begins(const struct course *course, uint64_t sequence, const struct core_history *history)
{
	return (sequence == course->sequence && history->kind == CORE_HISTORY_ACCEPTED) ||
	       ((history->kind == CORE_HISTORY_LATE ||
		 (history->kind == CORE_HISTORY_AGAIN && course->repeats)) &&
		history->event_sequence == course->sequence);
}

bool course_accept(struct course *course, const struct core *core,
		   const struct core_history *history, size_t *first)
{
	const size_t n = history->n_recipients;
	struct course_recipient *grown =
		realloc(course->recipients, (course->n + n + 1) * sizeof *grown);

	if (!grown)
		return false;
	course->recipients = grown;
	memset(&grown[course->n], 0, (n + 1) * sizeof *grown);
	*first = course->n;
	course->accepted = true;
	if (history->kind == CORE_HISTORY_ACCEPTED)
		course->n_waiting = history->n_waiting;
	else if (history->kind == CORE_HISTORY_LATE)
		course->n_waiting -= n < course->n_waiting ? n : course->n_waiting;
	for (size_t i = 0; i < n; i++) {
		struct course_recipient *recipient = &grown[course->n];
		const char *mailbox = NULL;

		if (!core_history_recipient(core, history, i, &mailbox, &recipient->position))
			continue;
		strncpy(recipient->mailbox, mailbox, sizeof recipient->mailbox - 1);
		course->n++;
	}
	return true;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* They rise. Those that an acknowledgement covered stand there too, whatever its up_to is. */
static bool names_position(const struct core_history *history, uint64_t position)
{
	return history->n_positions > 0 && bsearch(&position, history->positions, history->n_positions,
						   sizeof position, by_number) != NULL;
}

static bool concerns(const struct course *course, const struct course_recipient *recipient,
		     const struct core_history *history)
{
	if (history->kind == CORE_HISTORY_GIVEN_UP && !history->mailbox)
		return course->sequence < history->up_to;
	return history->mailbox && strcmp(history->mailbox, recipient->mailbox) == 0 &&
	       names_position(history, recipient->position);
}

void course_take(struct course *course, const struct core_history *history,
		 void (*each)(void *arg, const struct course_recipient *recipient), void *arg)
{
	for (size_t i = 0; i < course->n; i++) {
		struct course_recipient *recipient = &course->recipients[i];

		if (recipient->settled || !concerns(course, recipient, history))
			continue;
		if (each)
			each(arg, recipient);
		recipient->delivered |= history->kind == CORE_HISTORY_DELIVERED;
		recipient->acknowledged |= history->kind == CORE_HISTORY_ACKED;
		recipient->settled = history->kind == CORE_HISTORY_ACKED ||
				     history->kind == CORE_HISTORY_DISCARDED ||
				     history->kind == CORE_HISTORY_EXPIRED ||
				     history->kind == CORE_HISTORY_STOPPED ||
				     history->kind == CORE_HISTORY_GIVEN_UP;
	}
}

bool course_is_over(const struct course *course)
{
	for (size_t i = 0; i < course->n; i++)
		if (!course->recipients[i].settled)
			return false;
	return course->accepted && course->n_waiting == 0;
}
