/* What the operator does to the broker: rules, dead letters, copies of the journal. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/erase.h"
#include "core/redelivery.h"
#include "net/keys.h"
#include "sim/broker_private.h"
#include "sim/erased.h"
#include "sim/memory.h"
#include "sim/signing.h"
#include "sim/wire.h"

static void add_keys(struct rules *rules)
{
	for (size_t i = 0; i < rules->n_agencies; i++) {
		struct rules_agency *agency = &rules->agencies[i];

		agency->keys = calloc(1, sizeof(*agency->keys));
		assert(agency->keys);
		agency->n_keys = 1;
		broker_key(agency->id, agency->keys[0].public_z85);
		strcpy(agency->keys[0].label, "play");
		agency->keys[0].to_ns = RULES_FOREVER;
		if (signing_wanted(agency->id))
			signing_rules(agency);
	}
}

/* A type that core_play.h does not have; and who publishes it. */
static uint32_t add_type(struct rules *rules, const char *name, uint32_t agency)
{
	const uint32_t type = (uint32_t)rules->n_types;

	rules->types = realloc(rules->types, (type + 1) * sizeof(*rules->types));
	assert(rules->types);
	memset(&rules->types[type], 0, sizeof(*rules->types));
	strcpy(rules->types[type], name);
	rules->n_types++;
	if (agency != RULES_NONE)
		play_grant_publish(rules, type, agency);
	return type;
}

/* Of what is given up; see notices.c. */
static void grant_notices(struct rules *rules, bool limited)
{
	const uint32_t type = add_type(rules, "broker.deliveries_given_up", RULES_NONE);

	play_grant(rules, type, RULES_NONE, BOX_DESK, AGREED_ALWAYS);
	play_grant(rules, type, RULES_NONE, BOX_CHARITY, AGREED_ALWAYS);
	if (limited)
		play_grant(rules, type, RULES_NONE, BOX_POLICE, AGREED_LIMITED);
}

/* The police get of a release that it was, and where to; see say() in actor.c. */
static void grant_in_part(struct rules *rules)
{
	struct mask *mask = mask_new(ttg_type_find("prison.released"));

	assert(mask);
	assert(mask_add(mask, "at_liberty") == MASK_ADDED && mask_add(mask, "area") == MASK_ADDED);
	rules->masks = malloc(sizeof(struct mask *));
	assert(rules->masks);
	rules->masks[rules->n_masks++] = mask;
	for (size_t i = 0; i < rules->n_deliver; i++) {
		const struct rules_deliver_grant *it = &rules->deliver[i];

		if (it->mailbox == BOX_POLICE && it->type == TYPE_RELEASED)
			rules->deliver[i].mask = 1;
	}
}

/* Arrests go to the One Service when the person is in its pilot, conflicts to its desk; see who.h. */
static void ask_of_persons(struct rules *rules)
{
	uint32_t conflict;

	rules->conditions = calloc(1, sizeof(*rules->conditions));
	assert(rules->conditions);
	rules->n_conditions = 1;
	strcpy(rules->conditions[0].scheme, "oneservice/pilot");
	for (size_t i = 0; i < rules->n_deliver; i++)
		if (rules->deliver[i].type == TYPE_ARREST)
			rules->deliver[i].condition = 1;
	add_type(rules, "service.enrolled", PLAY_ONESERVICE);
	add_type(rules, "service.withdrawn", PLAY_ONESERVICE);
	conflict = add_type(rules, "broker.identity_conflict", RULES_NONE);
	play_grant(rules, conflict, RULES_NONE, BOX_DESK, AGREED_ALWAYS);
	rules->agencies[PLAY_PRISON].links = rules->agencies[PLAY_POLICE].links = true;
}

struct rules *broker_make_rules(bool limited, int64_t until_ns, bool tight)
{
	struct rules *rules = play_rules(limited);
	const bool rated = tight && life_draw(3) == 0, bounded = tight && life_draw(3) == 0;

	add_keys(rules);
	grant_notices(rules, limited);
	grant_in_part(rules);
	if (life_now->plan->gated)
		ask_of_persons(rules);
	if (life_now->plan->referred)
		referral_rules(rules, false);
	rules->agreements[rules_find_agreement(rules, "limited")].to_ns = until_ns;
	for (size_t i = 0; i < rules->n_mailboxes; i++) {
		rules->mailboxes[i].max_attempts = tight ? 1 + (uint32_t)life_draw(4) : 3;
		rules->mailboxes[i].retry_ms = 1 + (uint32_t)life_draw(200);
		rules->mailboxes[i].max_queued = bounded ? 3 + (uint32_t)life_draw(10) : 0;
	}
	for (size_t i = 0; i < rules->n_agencies && rated; i++) {
		rules->agencies[i].rate_per_s = 1 + (uint32_t)life_draw(20);
		rules->agencies[i].burst = 1 + (uint32_t)life_draw(3);
	}
	for (size_t i = 0; i < rules->n_deliver; i++)
		rules->deliver[i].retain_s = erased_retention((int)rules->deliver[i].type);
	assert(rules_finish(rules));
	return rules;
}

static void set_rules(struct broker *broker, struct rules *rules, bool limited, int64_t until_ns)
{
	struct net *net = broker->net;
	struct core_now now;

	if (net) {
		now = net_now(net);
		memory_work(MEMORY_BROKER);
		if (core_set_rules(net->core, &now, rules) != TTG_OK) {
			core_set_rules(net->core, &now, broker->rules);
			memory_work(MEMORY_NOBODY);
			rules_free(&rules);
			return;
		}
		memory_work(MEMORY_NOBODY);
		net->config->rules = rules;
	}
	rules_free(&broker->rules);
	broker->rules = rules;
	life_now->model->limited = limited;
	life_now->model->limited_until_ns = until_ns;
	for (size_t i = 0; i < N_BOXES; i++)
		life_now->model->max_queued[i] = broker->rules->mailboxes[i].max_queued;
}

void broker_new_rules(struct broker *broker)
{
	bool limited = life_draw(3) != 0;
	int64_t until_ns = RULES_FOREVER;

	if (life_draw(2))
		until_ns = life_now->clock.real_ns + (int64_t)life_draw(7200) * PLAY_SECOND;
	set_rules(broker, broker_make_rules(limited, until_ns, true), limited, until_ns);
}

void broker_peace(struct broker *broker)
{
	disk_heal(broker->disk);
	disk_unflip(broker->disk);
	broker->full = false;
	broker_stop(broker); /* its limits are read at the start */
	notary_peace(broker->notary);
	set_rules(broker, broker_make_rules(true, RULES_FOREVER, false), true, RULES_FOREVER);
}

void broker_fill(struct broker *broker, uint64_t left)
{
	broker->full = left != UINT64_MAX;
	disk_set_free(broker->disk, left);
}

void broker_flip(struct broker *broker)
{
	const bool keys = life_now->plan->keys && life_draw(3) == 0;

	disk_flip(broker->disk, keys ? BROKER_KEYS : BROKER_JOURNAL);
}


struct choice {
	struct core_dead_letter letter;
	struct core_conflict conflict;
	char mailbox[RULES_MAILBOX_MAX + 1];
	uint64_t n;
};

static bool choose(void *arg, const struct core_dead_letter *letter)
{
	struct choice *choice = arg;

	if (life_draw(++choice->n) != 0)
		return true;
	choice->letter = *letter;
	snprintf(choice->mailbox, sizeof(choice->mailbox), "%s", letter->mailbox);
	return true;
}

static bool choose_conflict(void *arg, const struct core_conflict *conflict)
{
	struct choice *choice = arg;

	if (life_draw(++choice->n) == 0)
		choice->conflict = *conflict;
	return true;
}

static void decide(struct broker *broker)
{
	struct choice choice = { 0 };
	struct core_now now;

	if (!life_now->plan->gated || !broker->net || (!life_now->peaceful && life_draw(2)))
		return;
	now = net_now(broker->net);
	core_conflicts(broker->net->core, choose_conflict, &choice);
	if (choice.n == 0)
		return;
	life_now->model->by_operator = true;
	memory_work(MEMORY_BROKER);
	core_decide(broker->net->core, &now, choice.conflict.sequence, choice.conflict.part,
	            life_draw(2), "somebody", "looked it up");
	memory_work(MEMORY_NOBODY);
	life_now->model->by_operator = false;
}

void broker_letter(struct broker *broker)
{
	struct choice choice = { 0 };
	struct core_now now;

	decide(broker);
	if (!broker->net)
		return;
	now = net_now(broker->net);
	core_dead_letters(broker->net->core, NULL, 0, choose, &choice);
	if (choice.n == 0)
		return;
	life_now->model->by_operator = true;
	memory_work(MEMORY_BROKER);
	if (!life_now->peaceful && life_draw(3) == 0)
		core_dead_letter_discard(broker->net->core, &now, choice.mailbox,
		                         choice.letter.sequence);
	else
		core_dead_letter_retry(broker->net->core, &now, choice.mailbox,
		                       choice.letter.sequence);
	memory_work(MEMORY_NOBODY);
	life_now->model->by_operator = false;
}

void broker_give_up(struct broker *broker)
{
	struct core_now now;
	uint64_t given_up;

	if (!broker->net)
		return;
	now = net_now(broker->net);
	life_now->append_refused = false;
	life_now->model->by_operator = true;
	memory_work(MEMORY_BROKER);
	core_give_up(broker->net->core, &now, 1 + life_draw(core_sequence(broker->net->core) + 1),
	             &given_up);
	memory_work(MEMORY_NOBODY);
	life_now->model->by_operator = false;
	model_check_told(life_now->model);
}

/* Whose events the model has seen; where links and schemes would go with him, who.h says more than it
   knows. */
void broker_erase(struct broker *broker)
{
	struct core_person person = { .number = UINT32_MAX };
	struct core_erasure erasure;
	struct core_now now;

	if (!broker->net || !life_now->plan->keys || life_now->plan->gated ||
	    !model_any_person(life_now->model, person.key))
		return;
	now = net_now(broker->net);
	life_now->model->by_operator = true;
	memory_work(MEMORY_BROKER);
	(void)core_erase(broker->net->core, &now, &person, "somebody", "asked for it", &erasure);
	memory_work(MEMORY_NOBODY);
	life_now->model->by_operator = false;
}

void broker_redeliver(struct broker *broker)
{
	const char *mailbox = play_mailboxes[life_draw(N_BOXES)];
	struct core_redeliver order = { mailbox, 1, INT64_MIN, "somebody", "it was lost" };
	struct journal_stats stats;
	struct core_now now;
	uint64_t sequence;
	enum ttg_error code;

	if (!broker->net)
		return;
	now = net_now(broker->net);
	journal_get_stats(broker->journal, &stats);
	order.from = stats.first_sequence > 0 ? stats.first_sequence : 1;
	if (life_draw(4) == 0)
		order.since_ns = now.real_ns - (int64_t)life_draw(600) * PLAY_SECOND;
	life_now->model->by_operator = true;
	memory_work(MEMORY_BROKER);
	code = life_draw(6) ? core_redeliver(broker->net->core, &now, &order, &sequence) :
	                      core_redeliver_stop(broker->net->core, &now, mailbox, "somebody", "enough",
	                                          &sequence);
	memory_work(MEMORY_NOBODY);
	life_trace("%s: redelivery: %s", mailbox, ttg_error_name(code));
	life_now->model->by_operator = false;
}

/* Named as the one from now on; the one before stays known until the next. */
void broker_new_master(struct broker *broker)
{
	struct net_keys *keys = broker->net ? broker->net->keys : NULL;
	struct keystore_view view;
	const uint8_t master[KEYSTORE_KEY] = { (uint8_t)(broker->master + 1) };
	const uint8_t now[KEYSTORE_KEY] = { broker->master };

	if (!keys)
		return;
	/* As a reload asks: until then the one before has to be named. */
	keystore_get_view(keys->store, &view);
	if (view.rewrapping || !keystore_is_under(keys->store, now))
		return;
	memory_work(MEMORY_BROKER);
	if (keystore_set_master(keys->store, master) == TTG_OK) {
		broker->before = broker->master;
		broker->master = master[0];
	}
	memory_work(MEMORY_NOBODY);
}

void broker_backup(struct broker *broker)
{
	struct journal_backup *backup = NULL;
	struct message message = { "" };
	enum ttg_error error;

	if (!broker->net || disk_flipped(broker->disk))
		return;
	disk_remove_directory(broker->disk, BROKER_BACKUP);
	broker->has_backup = false;
	memory_work(MEMORY_BROKER);
	error = journal_backup_begin(&backup, broker->journal, BROKER_BACKUP, &message);
	if (!error)
		error = journal_backup_run(backup, &message);
	if (!error) {
		broker->has_backup = true;
		broker->backup_sequence = journal_backup_sequence(backup);
	}
	life_trace("backup: %s %s", ttg_error_name(error), message.text);
	life_check(!error || disk_met_fault(broker->disk) || disk_dead(broker->disk) ||
	                   broker->full,
	           "no copy can be made: %s: %s", ttg_error_name(error), message.text);
	journal_backup_end(&backup);
	memory_work(MEMORY_NOBODY);
}

void broker_restore(struct broker *broker)
{
	if (!broker->has_backup)
		return;
	broker_crash(broker, DISK_CRASH_PROCESS);
	disk_unflip(broker->disk);
	disk_remove_directory(broker->disk, BROKER_JOURNAL);
	disk_copy_directory(broker->disk, BROKER_BACKUP, BROKER_JOURNAL);
	disk_remove_directory(broker->disk, BROKER_ARCHIVE); /* it is of what is no longer there */
	broker->restored_once = true;
	wire_cut_all(life_now->wire);
	notary_forget(broker->notary); /* it has sealed what is no longer there */
	broker->restored = true;
}
