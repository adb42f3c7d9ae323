/* See who.h. Everything is looked through from the first to the last: there are sixteen numbers. */
#include "sim/who.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"
#include "sim/erased.h"
#include "sim/model.h"

#define DAY_NS (86400 * PLAY_SECOND)
#define CALM   3 /* cycles after which everything that was learnt has been acted on */

int who_noms(unsigned int person)
{
	return 2 * (int)person - 2 < 0 ? -1 : 2 * (int)person - 2;
}

int who_pnc(unsigned int person)
{
	return 2 * (int)person - 1;
}

bool who_is_pnc(int number)
{
	return number % 2 == 1;
}

void who_text(int number, char out[WHO_TEXT])
{
	static const char letters[] = "ZABCDEFGHJKLMNPQRTUVWXY";
	const unsigned int person = (unsigned int)number / 2 + 1, serial = 7000 + person;

	assert(number >= 0 && number < WHO_NUMBERS);
	if (who_is_pnc(number))
		snprintf(out, WHO_TEXT, "2002/%07u%c", serial % 10000000, letters[(20000000 + serial) % 23]);
	else
		snprintf(out, WHO_TEXT, "A%04uBC", person % 10000);
}

void who_forget(struct who *who)
{
	struct who empty = { .n_known = 0 };

	memcpy(empty.keys, who->keys, sizeof(empty.keys));
	memcpy(empty.has_key, who->has_key, sizeof(empty.has_key));
	free(who->times);
	free(who->waits);
	*who = empty;
}

bool who_same(const struct who *who, int a, int b)
{
	return a >= 0 && b >= 0 && (a == b || who->joined[a][b] != 0);
}

bool who_was_same(const struct who *who, int a, int b, uint64_t sequence)
{
	return who_same(who, a, b) && (a == b || who->joined[a][b] <= sequence);
}

bool who_is_key(struct who *who, int number, const uint8_t *key)
{
	if (number < 0 || !key)
		return number < 0 && !key;
	if (!who->has_key[number])
		memcpy(who->keys[number], key, CORE_PERSON_KEY);
	who->has_key[number] = true;
	return memcmp(who->keys[number], key, CORE_PERSON_KEY) == 0;
}

bool who_is_person_key(struct who *who, int number, const uint8_t *key)
{
	int oldest = number;

	for (int i = 0; number >= 0 && i < WHO_NUMBERS; i++)
		if (who_same(who, i, number) && who->known[i] < who->known[oldest])
			oldest = i;
	return who_is_key(who, oldest, key);
}

static bool is_disputed(const struct who *who, int number)
{
	for (size_t i = 0; i < who->n_links; i++)
		if (who->links[i].state == WHO_DISPUTED &&
		    (who_same(who, who->links[i].a, number) || who_same(who, who->links[i].b, number)))
			return true;
	return false;
}

/* He was in the scheme when the record of this sequence was made. */
static bool was_in(const struct who *who, const struct who_time *time, int number, uint64_t sequence)
{
	return who_same(who, time->number, number) && time->since < sequence &&
	       (time->ended == 0 || sequence <= time->ended);
}

enum who_gate who_ask(const struct who *who, int number, uint64_t sequence)
{
	if (is_disputed(who, number))
		return WHO_HELD;
	for (size_t i = 0; i < who->n_times; i++)
		if (who->times[i].withdrawn == 0 && was_in(who, &who->times[i], number, sequence))
			return WHO_OPEN;
	return WHO_SHUT;
}

bool who_is_withdrawn(const struct who *who, int number, uint64_t sequence, uint64_t durable)
{
	bool withdrawn = false;

	if (is_disputed(who, number))
		return false;
	for (size_t i = 0; i < who->n_times; i++) {
		if (!was_in(who, &who->times[i], number, sequence))
			continue;
		if (who->times[i].withdrawn == 0 || who->times[i].withdrawn > durable)
			return false;
		withdrawn = true;
	}
	return withdrawn;
}

size_t who_disputes(const struct who *who)
{
	size_t n = 0;

	for (size_t i = 0; i < who->n_links; i++)
		n += who->links[i].state == WHO_DISPUTED;
	return n;
}

static void know(struct who *who, int number)
{
	if (who->known[number] == 0)
		who->known[number] = ++who->n_known;
}

static void join(struct who *who, int a, int b, uint64_t sequence)
{
	bool left[WHO_NUMBERS], right[WHO_NUMBERS];

	for (int i = 0; i < WHO_NUMBERS; i++) {
		left[i] = who_same(who, i, a);
		right[i] = who_same(who, i, b);
	}
	for (int i = 0; i < WHO_NUMBERS; i++)
		for (int k = 0; k < WHO_NUMBERS; k++)
			if (left[i] && right[k] && !who_same(who, i, k))
				who->joined[i][k] = who->joined[k][i] = sequence;
}

/* Each has a number of this kind that is not given up for another. */
static bool clashes(const struct who *who, int a, int b)
{
	for (int i = 0; i < WHO_NUMBERS; i++)
		for (int k = 0; k < WHO_NUMBERS; k++)
			if (who_same(who, i, a) && who_same(who, k, b) && !who->retired[i] &&
			    !who->retired[k] && who_is_pnc(i) == who_is_pnc(k))
				return true;
	return false;
}

static void link_numbers(struct who *who, int a, int b, uint64_t sequence)
{
	struct who_link link = { .a = a, .b = b, .sequence = sequence, .state = WHO_STANDS };

	for (size_t i = 0; i < who->n_links; i++)
		if ((who->links[i].a == a && who->links[i].b == b) ||
		    (who->links[i].a == b && who->links[i].b == a))
			return; /* said before */
	if (!who_same(who, a, b) && clashes(who, a, b))
		link.state = WHO_DISPUTED;
	know(who, a);
	know(who, b);
	if (link.state == WHO_STANDS)
		join(who, a, b, sequence);
	assert(who->n_links < WHO_LINKS);
	who->links[who->n_links++] = link;
}

static void end_times(struct who *who, int number, uint64_t sequence, bool withdrawn)
{
	for (size_t i = 0; i < who->n_times; i++) {
		if (!who_same(who, who->times[i].number, number))
			continue;
		if (who->times[i].ended == 0)
			who->times[i].ended = sequence;
		if (withdrawn && who->times[i].withdrawn == 0)
			who->times[i].withdrawn = sequence;
	}
}

static void enrol(struct who *who, int number, uint64_t sequence)
{
	for (size_t i = 0; i < who->n_times; i++)
		if (who->times[i].number == number && who->times[i].ended == 0)
			return; /* he is in it */
	end_times(who, number, sequence, false);
	know(who, number);
	who->times = realloc(who->times, (who->n_times + 1) * sizeof(*who->times));
	assert(who->times);
	who->times[who->n_times++] = (struct who_time){ .number = number, .since = sequence };
}

/* Accepted too long before the newest. */
static bool is_over(const struct who *who, const struct who_wait *wait)
{
	return !wait->held &&
	       wait->from_ns < who->newest_ns - (int64_t)life_now->plan->look_back_s * PLAY_SECOND;
}

static void let_go(struct who *who, size_t index)
{
	memmove(&who->waits[index], &who->waits[index + 1],
	        (--who->n_waits - index) * sizeof(*who->waits));
}

void who_learn(struct who *who, const struct said *event, uint64_t sequence, int64_t accepted_ns)
{
	if (accepted_ns > who->newest_ns)
		who->newest_ns = accepted_ns;
	for (size_t i = 0; i < who->n_waits;) {
		if (is_over(who, &who->waits[i]))
			let_go(who, i);
		else
			i++;
	}
	if (event->numbers[0] >= 0 && event->referral >= 0 && event->move == REFERRAL_TYPE_SENT)
		know(who, event->numbers[0]);
	if (event->numbers[0] < 0 || !life_now->plan->gated)
		return;
	who->calm = 0;
	if (event->numbers[1] >= 0)
		link_numbers(who, event->numbers[0], event->numbers[1], sequence);
	if (event->type == TYPE_ENROLLED)
		enrol(who, event->numbers[0], sequence);
	if (event->type == TYPE_WITHDRAWN)
		end_times(who, event->numbers[0], sequence, true);
}

void who_wait(struct who *who, const struct who_wait *wait)
{
	who->waits = realloc(who->waits, (who->n_waits + 1) * sizeof(*who->waits));
	assert(who->waits);
	who->waits[who->n_waits++] = *wait;
}

void who_late(struct who *who, uint64_t sequence, bool live)
{
	for (size_t i = 0; i < who->n_waits; i++) {
		const struct who_wait *wait = &who->waits[i];

		if (wait->sequence != sequence)
			continue;
		life_check(!live || who_ask(who, wait->number, sequence) == WHO_OPEN,
		           "arrest %" PRIu64 " is delivered late to who is not to have it", sequence);
		let_go(who, i);
		return;
	}
	life_fail("arrest %" PRIu64 " is delivered late and did not wait", sequence);
}

/* Of the numbers of one kind that became one person's, the one known longest stays. */
static void retire(struct who *who, int number)
{
	for (int i = 0; i < WHO_NUMBERS; i++)
		for (int k = 0; k < WHO_NUMBERS; k++)
			if (who_same(who, i, number) && who_same(who, k, number) && i != k &&
			    who_is_pnc(i) == who_is_pnc(k) && !who->retired[i] && !who->retired[k])
				who->retired[who->known[i] > who->known[k] ? i : k] = true;
}

void who_decide(struct who *who, const struct record_decided *it, uint64_t sequence)
{
	const int64_t from_ns = it->at_ns > who->newest_ns ? it->at_ns : who->newest_ns;
	const int64_t look_back_ns = (int64_t)life_now->plan->look_back_s * PLAY_SECOND;
	struct who_link *link = who->links;

	while (link < who->links + who->n_links &&
	       (link->sequence != it->sequence || link->state != WHO_DISPUTED))
		link++;
	life_check(link < who->links + who->n_links && it->part == 0,
	           "conflict %" PRIu64 " is decided and is none", it->sequence);
	link->state = it->accepted ? WHO_STANDS : WHO_REJECTED;
	if (it->accepted) {
		join(who, link->a, link->b, sequence);
		retire(who, link->a);
	}
	/* What was held for it waits from now on as if it had just come, and a day at least. */
	for (size_t i = 0; i < who->n_waits; i++) {
		struct who_wait *wait = &who->waits[i];

		if (!wait->held || is_disputed(who, wait->number))
			continue;
		wait->held = false;
		wait->from_ns = from_ns + (look_back_ns < DAY_NS ? DAY_NS - look_back_ns : 0);
	}
	who->calm = 0;
}

const struct who_wait *who_overdue(const struct who *who)
{
	for (size_t i = 0; i < who->n_waits; i++)
		/* One that ends is let go when it is looked at behind its time, and one that is kept no more
		   goes to nobody. */
		if (life_now->model->events[who->waits[i].event].expires_ns == 0 &&
		    !model_is_erased(life_now->model, life_now->model->events[who->waits[i].event].key) &&
		    who_ask(who, who->waits[i].number, who->waits[i].sequence) == WHO_OPEN)
			return &who->waits[i];
	return NULL;
}

void who_cycle(struct who *who)
{
	const struct who_wait *wait;

	if (++who->calm != CALM)
		return;
	wait = who_overdue(who);
	life_check(!wait, "arrest %" PRIu64 " waits though he is known to be enrolled", wait->sequence);
}
