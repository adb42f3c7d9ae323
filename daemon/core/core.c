/*
 * The core's frame: making it, changing its rules, pumping, and what it tells about itself. What it
 * decides stands in publish.c, deliver.c, consumer.c, notice.c and deadletter.c; what a restart
 * must bring back in apply.c and snapshot.c.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/keyfile.h"
#include "core/known.h"
#include "core/redeliver.h"
#include "core/retain.h"

#define MAX_WINDOW 65536u

/* Keys derived from the secret, so that fingerprints tell nothing about keys of persons. */
static bool derive_keys(struct core *core)
{
	uint8_t sum[DIGEST_BYTES];

	core->hmac = hmac_new(core->options.person_secret, sizeof(core->options.person_secret));
	wipe(core->options.person_secret, sizeof(core->options.person_secret));
	if (!core->hmac || !hmac_sum(core->hmac, "dedupe fingerprints", 19, sum))
		return false;
	memcpy(core->sip_key, sum, sizeof(core->sip_key));
	return true;
}

struct core *core_new(const struct core_options *options, const struct core_sink *sink)
{
	struct core *core = calloc(1, sizeof(*core));

	if (!core)
		return NULL;
	assert(options->window > 0 && options->window <= MAX_WINDOW);
	assert(options->max_event_bytes > 0 && options->max_event_bytes <= RECORD_MAX / 2);
	assert(options->max_held > 0 && strlen(options->broker) <= RULES_ID_MAX);
	core->options = *options;
	snprintf(core->broker, sizeof(core->broker), "%s", options->broker);
	core->options.broker = core->broker;
	core->sink = *sink;
	core->pace.left = PACE_MOST;
	core->dedupe = dedupe_new(options->dedupe_max, options->dedupe_window_ns);
	core->buffer = malloc(RECORD_MAX);
	core->recipients = calloc(RECORD_MAX_RECIPIENTS, sizeof(*core->recipients));
	core->history = history_new();
	core->fields = fields_new();
	core->identity = identity_new();
	core->referrals = referrals_new();
	core->readers = core_readers_new();
	core->disclose = disclose_new();
	if (!core->history || !core->fields || !core->identity || !core->readers ||
	    !core->referrals || !core->disclose || !core->dedupe ||
	    !core->buffer || !core->recipients || !derive_keys(core))
		core_free(&core);
	return core;
}

void core_free(struct core **core)
{
	struct core *it = *core;

	if (!it)
		return;
	for (size_t i = 0; i < it->n_mailboxes; i++)
		mailbox_free(&it->mailboxes[i]);
	free(it->mailboxes);
	free(it->attachments);
	free(it->ready);
	free(it->by_rule);
	free(it->buffer);
	free(it->recipients);
	record_ranges_fini(&it->ranges);
	record_ranges_fini(&it->applied);
	history_free(&it->history);
	timers_fini(&it->timers);
	identity_free(&it->identity);
	referrals_free(&it->referrals);
	waiting_fini(&it->waiting);
	lates_fini(&it->lates);
	redeliveries_fini(&it->redeliveries);
	keys_fini(&it->keys);
	rules_past_fini(&it->past);
	free(it->readers);
	dedupe_free(&it->dedupe);
	hmac_free(&it->hmac);
	fields_free(&it->fields);
	disclose_free(&it->disclose);
	free(it);
	*core = NULL;
}

struct mailbox *core_find_mailbox(const struct core *core, const char *id)
{
	for (size_t i = 0; i < core->n_mailboxes; i++) {
		if (strcmp(core->mailboxes[i]->id, id) == 0)
			return core->mailboxes[i];
	}
	return NULL;
}

/* Number of the mailbox; a new one is recorded first. */
static enum ttg_error number_of(struct core *core, const struct core_now *now, const char *id,
				uint32_t *number)
{
	const struct mailbox *mailbox = core_find_mailbox(core, id);
	const struct record_mailbox record = { (uint32_t)core->n_mailboxes, id };
	struct cursor cursor;
	enum ttg_error code;

	if (mailbox) {
		*number = mailbox->number;
		return TTG_OK;
	}
	if (core->n_mailboxes >= RULES_MAX_MAILBOXES)
		return TTG_ELIMIT;
	core_begin_record(core, &cursor);
	record_put_mailbox(&cursor, &record);
	code = core_commit(core, now, RECORD_MAILBOX, &cursor, NULL);
	if (code == TTG_OK)
		*number = record.number;
	return code;
}

/* From here on events are known to be agreed until the next agreement ends. */
static void mark_stable(struct core *core, int64_t now_ns)
{
	core->stable_since = core->sequence;
	core->stable_from_ns = now_ns;
	core->stable_until_ns = INT64_MAX;
	for (size_t i = 0; core->rules && i < core->rules->n_agreements; i++) {
		int64_t to_ns = core->rules->agreements[i].to_ns;

		if (to_ns > now_ns && to_ns < core->stable_until_ns)
			core->stable_until_ns = to_ns;
	}
}

/* A clock that went back may have brought an agreement to life that ends a second time. */
void core_watch_clock(struct core *core, const struct core_now *now)
{
	if (now->real_ns >= core->stable_until_ns || now->real_ns < core->stable_from_ns)
		mark_stable(core, now->real_ns);
}

/* What no condition asks of persons is not kept of them. */
static void note_asked(struct core *core)
{
	core->ask_custody = core->ask_risk = core->ask_area = false;
	for (size_t i = 0; i < core->rules->n_conditions; i++) {
		const struct condition *it = &core->rules->conditions[i];

		core->ask_custody |= it->custody != CONDITION_CUSTODY_ANY;
		core->ask_risk |= it->risk_at_most > 0;
		core->ask_area |= it->n_areas > 0;
	}
}

enum ttg_error core_set_rules(struct core *core, const struct core_now *now,
			      const struct rules *rules)
{
	uint32_t *by_rule = calloc(rules->n_mailboxes + 1, sizeof(*by_rule));
	enum ttg_error code = by_rule ? TTG_OK : TTG_ENOMEM;

	for (size_t i = 0; i < rules->n_mailboxes && code == TTG_OK; i++)
		code = number_of(core, now, rules->mailboxes[i].id, &by_rule[i]);
	if (code == TTG_OK)
		code = core_tell_rules(core, now, rules);
	if (code != TTG_OK) {
		free(by_rule);
		return code;
	}
	free(core->by_rule);
	core->by_rule = by_rule;
	core->rules = rules;
	disclose_forget(core->disclose);
	note_asked(core);
	referrals_ask_again(core->referrals);
	for (size_t i = 0; i < core->n_mailboxes; i++) {
		core->mailboxes[i]->rule = -1;
		core_wake(core, core->mailboxes[i]);
	}
	for (size_t i = 0; i < rules->n_mailboxes; i++)
		core->mailboxes[by_rule[i]]->rule = (int)i;
	mark_stable(core, now->real_ns);
	return TTG_OK;
}

void core_durable(struct core *core, uint64_t sequence)
{
	assert(sequence <= core->sequence || core->broken);
	if (sequence > core->durable)
		core->durable = sequence;
}

/* Ends lanes' delays; when the next one ends. */
static int64_t release_lanes(struct core *core, const struct core_now *now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < core->n_mailboxes; i++) {
		struct mailbox *mailbox = core->mailboxes[i];
		size_t delayed = mailbox->lanes.n_delayed;
		int64_t due;

		if (delayed == 0)
			continue;
		due = mailbox_release(mailbox, now->mono_ns);
		if (mailbox->lanes.n_delayed < delayed)
			core_wake(core, mailbox);
		next = due < next ? due : next;
	}
	return next;
}

/* Each mailbox that was on the list when the pump began, once; it may put itself back. */
static enum ttg_error pump_ready(struct core *core, const struct core_now *now,
				 struct pump_budget *budget)
{
	enum ttg_error code = TTG_OK;
	size_t n = core->n_ready, done;

	for (done = 0; done < n && code == TTG_OK && budget->deliver > 0; done++) {
		struct mailbox *mailbox = core->mailboxes[core->ready[0]];

		memmove(core->ready, core->ready + 1, (core->n_ready - 1) * sizeof(*core->ready));
		core->n_ready--;
		mailbox->ready = false;
		code = core_pump_mailbox(core, now, mailbox, budget);
	}
	budget->more |= done < n;
	return code;
}

static void reverse(uint32_t *numbers, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		const uint32_t one = numbers[i];

		numbers[i] = numbers[n - 1 - i];
		numbers[n - 1 - i] = one;
	}
}

/* The next pump begins with it, in the same round: each of those that share a pace has its turn. */
static void begin_with(struct core *core, const struct mailbox *mailbox)
{
	size_t at = 0;

	while (at < core->n_ready && core->ready[at] != mailbox->number)
		at++;
	if (at == core->n_ready)
		return;
	reverse(core->ready, at);
	reverse(core->ready + at, core->n_ready - at);
	reverse(core->ready, core->n_ready);
}

static struct pump_budget budget_of(struct core *core, const struct core_now *now)
{
	const bool paced = pace_holds(&core->pace, now->mono_ns);

	return (struct pump_budget){
		.scan = paced ? CORE_SCAN_BESIDE_LIVE : CORE_SCAN_PER_PUMP,
		.deliver = CORE_DELIVER_PER_PUMP,
		.backlog = pace_take(&core->pace, now->mono_ns),
	};
}

/* The mono_ns of the next deadline, of a delivery or of an answer, if that is before `next`. */
static int64_t next_deadline(const struct core *core, const struct core_now *now, int64_t next)
{
	const struct timer *timer = timers_first(&core->timers);
	const struct referral *referral = referrals_due(core->referrals);
	int64_t due_ns = timer ? timer->deadline_ns : INT64_MAX;

	if (referral && referral->answer_by_ns < due_ns)
		due_ns = referral->answer_by_ns;
	if (due_ns > now->real_ns && due_ns - now->real_ns < next - now->mono_ns)
		next = now->mono_ns + (due_ns - now->real_ns);
	return next;
}

int64_t core_pump(struct core *core, const struct core_now *now)
{
	struct pump_budget budget = budget_of(core, now);
	const uint64_t backlog = budget.backlog;
	enum ttg_error code;
	int64_t next, lapse_ns = INT64_MAX;

	if (core->broken)
		return INT64_MAX;
	core_watch_clock(core, now);
	code = core_run_timers(core, now, &budget.more);
	if (code == TTG_OK)
		code = core_run_overdue(core, now, &budget.more);
	if (code == TTG_OK)
		code = core_tell_conflicts(core, now);
	if (code == TTG_OK)
		code = core_run_lapses(core, now, &lapse_ns);
	if (code == TTG_EAGAIN || code == TTG_ENOSPC) {
		budget.fetching = true;
		code = TTG_OK;
	}
	next = release_lanes(core, now);
	if (code == TTG_OK)
		code = core_run_late(core, now, &budget);
	if (code == TTG_OK)
		code = core_run_redeliveries(core, now, &budget);
	if (code == TTG_OK)
		code = pump_ready(core, now, &budget);
	if (code != TTG_OK) {
		core->broken = true;
		core->sink.note(core->sink.self, "core_broken", NULL, core->sequence);
		return INT64_MAX;
	}
	pace_spend(&core->pace, backlog - budget.backlog);
	if (budget.left_out)
		begin_with(core, budget.left_out);
	if (budget.more)
		return now->mono_ns;
	if (budget.held_back && pace_next_ns(&core->pace) < next)
		next = pace_next_ns(&core->pace);
	if (budget.fetching && now->mono_ns + CORE_RETRY_READ_NS < next)
		next = now->mono_ns + CORE_RETRY_READ_NS;
	if (lapse_ns < next)
		next = lapse_ns;
	return next_deadline(core, now, next);
}

uint64_t core_sequence(const struct core *core)
{
	return core->sequence;
}

uint64_t core_low_water(const struct core *core)
{
	const uint64_t waits = waiting_low_water(&core->waiting);
	uint64_t low = waits <= core->sequence ? waits : core->sequence + 1;

	for (size_t i = 0; i < core->n_mailboxes; i++) {
		uint64_t sequence = mailbox_low_water(core->mailboxes[i]);

		low = sequence < low ? sequence : low;
	}
	return low;
}

size_t core_referral_count(const struct core *core)
{
	return referrals_count(core->referrals);
}

size_t core_mailbox_count(const struct core *core)
{
	return core->n_mailboxes;
}

void core_mailbox_view(const struct core *core, size_t index, struct core_mailbox_view *out)
{
	const struct mailbox *it = core->mailboxes[index];
	uint64_t position, sequence;
	struct record_event event;
	bool any = mailbox_lowest(it, &position, &sequence);

	*out = (struct core_mailbox_view){
		.id = it->id,
		.queued = it->pending,
		.in_flight = it->in_flight,
		.parked = it->lanes.n_dead,
		.held = it->lanes.n_held,
		.next_position = it->next_position,
		.acknowledged = any ? position - 1 : it->next_position - 1,
		.delivered = it->delivered, .acked = it->acked, .nacked = it->nacked,
		.escalated = it->escalated, .expired = it->expired, .stopped = it->stopped,
		.has_consumer = it->n_consumers > 0,
		.standbys = it->n_consumers > 1 ? (uint32_t)it->n_consumers - 1 : 0,
	};
	/* Of a backlog the sequence is where its search begins: an event not much older. */
	for (unsigned int n = 0; any && n < CORE_SCAN_PER_PUMP && sequence <= core->sequence; n++) {
		enum ttg_error code = core_read_event(core, sequence++, 0, &event, NULL);

		if (code == TTG_OK)
			out->oldest_ns = (uint64_t)event.accepted_ns;
		if (code != TTG_ECORRUPT)
			break;
	}
}

uint64_t core_find_event(struct core *core, const char *source, const uint8_t id[16])
{
	uint64_t sequence = dedupe_find(core->dedupe,
					core_fingerprint(core, source ? source : core->broker, id));

	for (size_t i = 0; !source && core->rules && sequence == 0 && i < core->rules->n_agencies; i++)
		sequence = dedupe_find(core->dedupe,
				       core_fingerprint(core, core->rules->agencies[i].id, id));
	return sequence;
}
