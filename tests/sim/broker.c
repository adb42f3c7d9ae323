/* Life and death of the broker; see broker.h. What its operator does stands in operator.c. */
#include "sim/broker_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/erase.h"
#include "core/sealed.h"
#include "core/state.h"
#include "net/archiver.h"
#include "net/keys.h"
#include "sim/memory.h"
#include "sim/wire.h"

void broker_key(const char *name, char out[41])
{
	memset(out, 'k', 40);
	out[40] = '\0';
	memcpy(out, name, strlen(name) < 40 ? strlen(name) : 40);
}

static struct config *make_config(const struct broker *broker)
{
	const struct life_plan *plan = life_now->plan;
	struct config *config = calloc(1, sizeof(*config));

	assert(config);
	strcpy(config->agency, "broker");
	config->max_sessions = 64;
	config->max_frame_bytes = plan->frame_kib * 1024u;
	config->max_event_bytes = 8u * 1024;
	config->max_events_per_publish = plan->max_events;
	config->publish_window = plan->publish_window;
	config->max_credit = 64;
	config->heartbeat_ms = 5000;
	config->max_skew_s = 300;
	config->mailbox_window = plan->window;
	config->mailbox_max_held = plan->max_held;
	config->look_back_s = plan->look_back_s;
	config->look_back_max = 1000;
	config->dedupe_hours = 168;
	config->dedupe_max = 4096;
	config->journal_max_bytes = life_now->peaceful ? 0 : plan->max_bytes;
	config->buffer_bytes = plan->buffer_kib * 1024u;
	config->retain_days = plan->retain_days;
	config->retain_bytes = plan->retain_bytes;
	config->retain_every_s = 60;
	config->snapshot_events = plan->snapshot_records;
	config->keys_lapse_hold_s = plan->lapse_hold_s;
	config->rules = broker->rules;
	if (plan->keys)
		strcpy(config->keys_directory, BROKER_KEYS);
	return config;
}

/* The process is gone; what it had in memory with it. */
static void drop_process(struct broker *broker)
{
	struct net *net = broker->net;

	broker->net = NULL;
	broker->due_s = 0;
	wire_listen(life_now->wire, false);
	if (net) {
		net_drop_snapshot(net);
		sealer_free(&net->sealer);
		archiver_free(&net->archiver);
		net_drop_sessions(net);
		core_free(&net->core);
		net_keys_close(net);
		records_close(&net->records);
		limiter_free(&net->limiter);
		arena_fini(&net->frame);
		free(net->config);
		free(net);
	}
	journal_close(&broker->journal);
	life_check(memory_held(MEMORY_BROKER) == 0, "the broker ended and left %zu bytes",
	           memory_held(MEMORY_BROKER));
}

static enum ttg_error open_journal(struct broker *broker, struct message *message)
{
	const struct life_plan *plan = life_now->plan;
	const struct journal_options options = {
		.directory = BROKER_JOURNAL,
		.key = "a key for a world of play",
		.cipher = JOURNAL_AES_256_GCM,
		.segment_bytes = BROKER_SEGMENT_BYTES,
		.max_bytes = life_now->peaceful ? 0 : plan->max_bytes,
		.buffer_bytes = plan->buffer_kib * 1024u,
		.early = net_take_early,
		.early_arg = broker->net,
	};

	return journal_open(&broker->journal, &options, disk_world(broker->disk), message);
}

/* Core's options as net_make_core() fills them. */
static struct core_options core_options(const struct config *config)
{
	return (struct core_options){
		.broker = "broker",
		.person_secret = BROKER_SECRET,
		.max_event_bytes = config->max_event_bytes,
		.max_skew_s = config->max_skew_s,
		.dedupe_window_ns = (uint64_t)config->dedupe_hours * 3600u * 1000000000u,
		.dedupe_max = config->dedupe_max,
		.window = config->mailbox_window,
		.max_held = config->mailbox_max_held,
		.look_back_ns = (uint64_t)config->look_back_s * 1000000000u,
		.max_waiting = config->look_back_max,
		.lapse_hold_ns = (uint64_t)config->keys_lapse_hold_s * 1000000000u,
	};
}

/* A recovery of the same snapshot and records, again: the same state to the byte. */
static void check_idempotent(struct broker *broker)
{
	const struct net *net = broker->net;
	const uint64_t sequence = core_sequence(net->core), digest = model_digest_core(net->core);

	life_check(broker->restored || broker->recovered_digest == 0 ||
	                   sequence != broker->recovered_sequence ||
	                   net->snapshot_saved != broker->recovered_from ||
	                   digest == broker->recovered_digest,
	           "two recoveries of the same %" PRIu64 " records differ", sequence);
	broker->recovered_sequence = sequence;
	broker->recovered_from = net->snapshot_saved;
	broker->recovered_digest = digest;
}

static void check_recovered(struct broker *broker)
{
	const struct net *net = broker->net;
	const struct core_options options = core_options(net->config);
	int worker = memory_work(MEMORY_NOBODY);

	check_idempotent(broker);
	model_recovered(life_now->model, core_sequence(net->core), broker->restored);
	life_check(!broker->restored || core_sequence(net->core) == broker->backup_sequence,
	           "the copy holds %" PRIu64 " records, promised were %" PRIu64,
	           core_sequence(net->core), broker->backup_sequence);
	broker->restored = false;
	model_check_recovery(life_now->model, net->core, net->snapshot_saved, &options);
	model_compare(life_now->model, net->core);
	memory_work(worker);
}

static enum ttg_error open_keys(const struct broker *broker, struct message *message)
{
	const struct keystore_options options = {
		.directory = BROKER_KEYS,
		.master = { broker->master },
		.before = { broker->before },
		.has_before = true,
		.first = 8,
	};

	return net_keys_open(broker->net, life_now->plan->keys ? &options : NULL, message);
}

void broker_check_erased(const struct broker *broker)
{
	const struct net_keys *keys = broker->net ? broker->net->keys : NULL;
	const struct model *model = life_now->model;
	uint8_t key[KEYSTORE_KEY], *live;
	uint64_t sequence, newest;
	size_t n;

	if (!keys || broker->net->failure)
		return;
	core_erased_keys(broker->net->core, &n, &sequence);
	if (sequence > keys->erased)
		return; /* not on disk yet, or some of it is left */
	newest = core_newest_key(broker->net->core);
	live = calloc(1, (size_t)(newest / 8) + 1);
	assert(live);
	core_mark_keys(broker->net->core, live);
	for (size_t i = 0; i < model->n_erased; i++) {
		const uint64_t number = model->erased[i].key;

		if (!model->erased[i].recorded)
			continue; /* it may be in use again, or never have been */
		life_check(number <= newest && !(live[(number - 1) / 8] >> ((number - 1) % 8) & 1),
		           "key %" PRIu64 " is erased and in use", number);
		life_check(keystore_get(keys->store, number, key) == TTG_EPERM,
		           "key %" PRIu64 " is erased and can be read", number);
	}
	free(live);
}

void broker_reveal(const struct broker *broker, struct record_event *event)
{
	life_check(net_keys_bytes(broker->net, event) == TTG_OK,
	           "an event was sealed and cannot be opened");
}

static enum ttg_error make_sealer(struct broker *broker)
{
	struct net *net = broker->net;
	const struct signer_link link = notary_link(broker->notary);
	const enum ttg_error error =
	        sealer_new(&net->sealer, net, &link, notary_key(broker->notary));

	sealer_step(net->sealer, net);
	return error ? error : net->failure;
}

static enum ttg_error start(struct broker *broker, struct message *message)
{
	const uint8_t secret[32] = BROKER_SECRET;
	struct net *net;
	struct core_now now;
	enum ttg_error error;

	net = broker->net = calloc(1, sizeof(*net));
	assert(net);
	broker->most_unsealed = 0;
	net->world = disk_world(broker->disk);
	net->config = make_config(broker);
	net->router = life_now->wire;
	net->started_mono_ns = net->durable_moved_ns = net->next_retain_ns =
	        life_now->clock.mono_ns;
	net->limiter = limiter_new();
	assert(net->limiter && arena_init(&net->frame, ARENA_CLIENT_MAX));
	error = net_make_core(net, secret);
	if (!error)
		error = open_journal(broker, message);
	net->journal = broker->journal;
	if (!error)
		error = open_keys(broker, message);
	if (!error)
		error = net_recover(net, message);
	if (error)
		return error;
	check_recovered(broker);
	broker_check_erased(broker);
	error = net_keys_reconcile(net);
	if (error)
		return error;
	error = make_sealer(broker);
	if (!error)
		error = broker_start_archive(broker);
	if (error)
		return error;
	now = net_now(net);
	error = core_set_rules(net->core, &now, net->config->rules);
	if (!error)
		error = journal_flush(net->journal);
	if (!error)
		wire_listen(life_now->wire, true);
	return error;
}

/* A start may fail only for something that was done to it. */
static void try_start(struct broker *broker)
{
	uint64_t before =
	        disk_flipped(broker->disk) ? disk_digest(broker->disk, BROKER_JOURNAL) : 0;
	struct message message = { "" };
	enum ttg_error error;
	bool opened;

	memory_work(MEMORY_BROKER);
	error = start(broker, &message);
	memory_work(MEMORY_NOBODY);
	opened = broker->journal;
	life_trace("start: %s %s", ttg_error_name(error), message.text);
	if (broker->journal) {
		struct journal_stats stats;

		journal_get_stats(broker->journal, &stats);
		life_trace("journal: %" PRIu64 " segments, %" PRIu64 " bytes, first %" PRIu64,
		           stats.segments, stats.disk_bytes, stats.first_sequence);
	}
	if (!error) {
		broker_weigh_first(broker);
		return;
	}
	drop_process(broker);
	if (disk_dead(broker->disk)) {
		disk_crash(broker->disk, life_draw(2) ? DISK_CRASH_ANY : DISK_CRASH_LOSE);
	} else if (disk_met_fault(broker->disk) || broker->full) {
		disk_crash(broker->disk, DISK_CRASH_PROCESS);
		disk_heal(broker->disk);
		broker->full = false;
	} else if (disk_flipped(broker->disk)) {
		life_check(opened || before == disk_digest(broker->disk, BROKER_JOURNAL),
		           "a start that was refused changed the disk");
		life_check(message.text[0], "a start was refused without a word");
		disk_unflip(broker->disk);
		disk_crash(broker->disk, DISK_CRASH_PROCESS);
	} else {
		life_fail("the broker does not start: %s: %s", ttg_error_name(error), message.text);
	}
}

void broker_crash(struct broker *broker, enum disk_crash how)
{
	disk_kill(broker->disk);
	drop_process(broker);
	disk_crash(broker->disk, how);
	if (how != DISK_CRASH_PROCESS && !life_now->peaceful && life_draw(8) == 0)
		broker_flip(broker);
}

/* It stopped by itself, after something failed. */
static void end_of_process(struct broker *broker)
{
	bool power = disk_dead(broker->disk) || life_draw(4) == 0;

	life_trace("the broker ends: %s", ttg_error_name(broker->net->failure));
	life_check(disk_dead(broker->disk) || disk_met_fault(broker->disk) ||
	                   disk_flipped(broker->disk) || broker->full,
	           "the broker ended for no reason: %s", ttg_error_name(broker->net->failure));
	drop_process(broker);
	disk_crash(broker->disk, power ? DISK_CRASH_ANY : DISK_CRASH_PROCESS);
}

/* What is due lapses when the clock has said so for the hold: at most that of what was due before, and its
   own. */
static void check_lapses(struct broker *broker, const struct core_now *now)
{
	const int64_t hold_ns = (int64_t)life_now->plan->lapse_hold_s * 1000000000;
	const uint64_t now_s = (uint64_t)(now->real_ns / 1000000000);
	const uint64_t first_s = broker->net->core->keys.first_s;

	if (first_s == 0 || first_s > now_s || now_s < broker->seen_s || life_now->append_refused ||
	    first_s != broker->due_s) {
		/* A cycle whose first record was not taken may not have come to what is due. */
		broker->due_s = first_s != 0 && first_s <= now_s && !life_now->append_refused ? first_s : 0;
		broker->due_since_ns = now->mono_ns;
	}
	broker->seen_s = now_s;
	life_check(broker->due_s == 0 || now->mono_ns <= broker->due_since_ns + 2 * hold_ns,
	           "what was kept until %" PRIu64 " is kept still", broker->due_s);
}

static void upkeep(struct broker *broker, const struct core_now *now)
{
	struct journal_stats stats;

	journal_get_stats(broker->journal, &stats);
	memory_work(MEMORY_BROKER);
	net_upkeep(broker->net, now);
	memory_work(MEMORY_NOBODY);
	broker_check_let_go(broker, stats.first_sequence);
}

static void look_at_redeliveries(const struct broker *broker)
{
	struct journal_stats stats;

	journal_get_stats(broker->journal, &stats);
	life_now->model->first = stats.first_sequence;
	again_look(life_now->model, stats.first_sequence);
}

void broker_step(struct broker *broker)
{
	struct net *net;
	struct core_now now;

	if (!broker->net)
		try_start(broker);
	net = broker->net;
	if (!net)
		return;
	life_now->append_refused = life_now->read_refused = false;
	life_now->in_cycle = true;
	look_at_redeliveries(broker);
	memory_work(MEMORY_BROKER);
	now = net_step(net, net_has_room(net));
	memory_work(MEMORY_NOBODY);
	life_now->in_cycle = false;
	if (core_sequence(net->core) - core_last_seal(net->core)->last > broker->most_unsealed)
		broker->most_unsealed =
		        core_sequence(net->core) - core_last_seal(net->core)->last;
	if (!net->failure && !disk_dead(broker->disk)) {
		broker_check_bounds(broker);
		if (!life_now->append_refused)
			model_check_deadlines(life_now->model, now.real_ns);
		if (!life_now->append_refused && !life_now->read_refused) {
			who_cycle(&life_now->model->who);
			if (!broker->full) /* then the key store has no key for what is told, either */
				referred_cycle(life_now->model);
		}
		check_lapses(broker, &now);
		upkeep(broker, &now);
		broker_check_erased(broker);
		if (++broker->steps % 8 == 0)
			broker_compare(broker);
	}
	if (!net->failure)
		net->failure = journal_failure(net->journal, NULL);
	if (net->failure || disk_dead(broker->disk))
		end_of_process(broker);
}

bool broker_sealed(const struct broker *broker)
{
	struct sealer_view view;

	if (!broker->net)
		return false;
	sealer_get_view(broker->net->sealer, &view);
	return view.ready && !sealer_owes(broker->net->sealer, broker->net);
}

void broker_check_seals(const struct broker *broker)
{
	notary_check(broker->notary, true);
}

void broker_compare(struct broker *broker)
{
	if (broker->net && !disk_dead(broker->disk))
		model_compare(life_now->model, broker->net->core);
}

void broker_stop(struct broker *broker)
{
	struct net *net = broker->net;

	if (!net)
		return;
	memory_work(MEMORY_BROKER);
	net_goodbye_all(net, TTG_SESSION_STOPPING);
	journal_flush(net->journal);
	/* What the last flush made durable is known only to the journal. */
	if (journal_durable(net->journal) > life_now->model->durable)
		life_now->model->durable = journal_durable(net->journal);
	broker_compare(broker);
	if (journal_failure(net->journal, NULL) == TTG_OK)
		net_save_last_snapshot(net);
	memory_work(MEMORY_NOBODY);
	drop_process(broker);
	if (disk_dead(broker->disk))
		disk_crash(broker->disk, DISK_CRASH_ANY);
	else
		disk_crash(broker->disk, DISK_CRASH_PROCESS);
}

const char *broker_mailbox(const struct broker *broker, const void *routing, size_t len,
                           uint32_t handle)
{
	const struct session *session = session_find(&broker->net->sessions, routing, len);

	if (!session || handle < 1 || handle > SESSION_HANDLES || !session->consumers[handle])
		return NULL;
	return session->consumers[handle]->mailbox;
}

struct broker *broker_new(void)
{
	struct broker *broker = calloc(1, sizeof(*broker));

	assert(broker);
	broker->disk = disk_new(&life_now->clock, life_now->plan->seed);
	broker->notary = notary_new(life_now->plan->seed);
	broker->rules = broker_make_rules(true, INT64_MAX, false);
	life_now->model->limited = true;
	life_now->model->limited_until_ns = INT64_MAX;
	return broker;
}

void broker_free(struct broker **broker)
{
	drop_process(*broker);
	rules_free(&(*broker)->rules);
	disk_free(&(*broker)->disk);
	notary_free(&(*broker)->notary);
	free(*broker);
	*broker = NULL;
}

struct disk *broker_disk(struct broker *broker)
{
	return broker->disk;
}

bool broker_holds(const struct broker *broker, uint64_t sequence)
{
	struct journal_stats stats;

	journal_get_stats(broker->journal, &stats);
	return stats.first_sequence <= sequence;
}

bool broker_is_journal(const struct broker *broker, const struct journal *journal)
{
	return broker->journal == journal;
}

bool broker_up(const struct broker *broker)
{
	return broker->net;
}
