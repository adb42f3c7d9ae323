/*
 * What the loop does besides messages: reload, when to take a snapshot, retention, the watchdog.
 *
 * Retention never passes what a mailbox still needs, nor what it needed when the newest snapshot on
 * disk was taken: a start from there reads those records again. Nor what is not sealed yet, or not in the
 * archive. And before the text of the rules goes that were in force at the oldest record kept, it is said
 * again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/planted.h"
#include "config/errors.h"
#include "core/rules_past.h"
#include "net/keys.h"
#include "net/archiver.h"
#include "net/net.h"
#include "net/sealer.h"

#define NS_PER_S 1000000000LL
#define NS_PER_DAY (86400LL * NS_PER_S)
#define STALLED_NS (30 * NS_PER_S) /* staged and nothing durable for so long: not healthy */

static void retain(struct net *net, const struct core_now *now);
static void pet_watchdog(struct net *net, const struct core_now *now);

void net_upkeep(struct net *net, const struct core_now *now)
{
	if (net->reload_wanted) {
		net->reload_wanted = false;
		net_reload(net);
	}
	if (now->mono_ns >= net->next_second_ns) {
		net->next_second_ns = now->mono_ns + NS_PER_S;
		net_sweep_sessions(net);
		refusals_record(net);
		net_take_snapshot(net, net->config->snapshot_events);
	}
	archiver_step(net->archiver, net);
	if (now->mono_ns >= net->next_retain_ns) {
		net->next_retain_ns = now->mono_ns + net->config->retain_every_s * NS_PER_S;
		retain(net, now);
	}
	net_save_snapshot(net);
	net_keys_upkeep(net);
	pet_watchdog(net, now);
}

void net_reload(struct net *net)
{
	struct config_errors *errors = config_errors_new();
	if (!errors)
		return;
	char restart[CONFIG_TEXT_MAX];
	net_reload_now(net, errors, restart);
	config_errors_free(&errors);
}

static void log_lines(struct net *net, const struct config_errors *errors)
{
	for (size_t i = 0; i < config_errors_lines(errors); i++) {
		bool warning = false;
		const char *line = config_errors_line(errors, i, &warning);
		log_write(net->log, warning ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, "configuration",
			  "line=\"%s\"", line);
	}
}

void net_explain_rules(struct net *net, enum ttg_error error, struct message *message)
{
	struct message why = { "" };
	if (error == TTG_ENOSPC)
		journal_explain_full(net->journal, &why);
	else if (error == TTG_ELIMIT)
		message_set(&why, error,
			    "their text must fit into half of journal.buffer_bytes and into a segment, and "
			    "at most %d mailboxes can ever be", RULES_MAX_MAILBOXES);
	else
		message_set(&why, error, "%s", ttg_error_text(error));
	message_set(message, error, "changed rules cannot be recorded: %s", why.text);
}

bool net_reload_now(struct net *net, struct config_errors *errors, char restart[CONFIG_TEXT_MAX])
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
		   (long long)(net->world->mono_ns(net->world->self) / 1000));
	const struct core_now now = net_now(net);
	struct config *loaded = config_load(net->config->path, now.real_ns, errors);
	struct message message = { "" };
	enum ttg_error error = loaded ? core_set_rules(net->core, &now, loaded->rules) : TTG_EFORMAT;
	if (loaded && error)
		net_explain_rules(net, error, &message);
	else if (loaded)
		error = net_keys_reload(net, loaded, &message);
	if (loaded && error)
		errors_add(errors, (struct place){ .file = net->config->path }, "%s", message.text);
	log_lines(net, errors);
	if (error) {
		if (loaded) /* the core may have seen some of it: give it the old ones again */
			core_set_rules(net->core, &now, net->config->rules);
		config_free(&loaded);
		net->counters.reloads_failed++;
		log_write(net->log, LOG_LEVEL_ERROR, "reload_refused", "errors=%zu",
			  config_errors_count(errors));
		sd_notify(0, "READY=1");
		return false;
	}
	config_restart_needed(net->config, loaded, restart);
	config_keep_until_restart(loaded, net->config);
	struct config *old = net->config;
	net->config = loaded;
	config_free(&old);
	net->counters.reloads++;
	log_set_level(net->log, loaded->log_level);
	log_write(net->log, LOG_LEVEL_NOTICE, "reloaded",
		  "agencies=%zu mailboxes=%zu agreements=%zu restart_needed=\"%s\"",
		  loaded->rules->n_agencies, loaded->rules->n_mailboxes,
		  loaded->rules->n_agreements, restart);
	net_sweep_sessions(net);
	net->next_retain_ns = 0; /* it may have been told to keep less */
	sd_notify(0, "READY=1");
	return true;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Oldest sequence that the configuration wants to keep; 0: all. */
static uint64_t wanted_from(const struct net *net, const struct core_now *now, uint64_t disk_bytes)
{
	const struct config *config = net->config;
	const int64_t age_ns = config->retain_s > 0 ? (int64_t)config->retain_s * NS_PER_S :
						      (int64_t)config->retain_days * NS_PER_DAY;
	uint64_t by_age = 0, by_size = 0;
	if (age_ns > 0)
		by_age = journal_sequence_before(net->journal, now->real_ns - age_ns);
	if (config->retain_bytes > 0 && disk_bytes > config->retain_bytes)
		by_size = journal_sequence_within(net->journal, config->retain_bytes);
	return by_size > by_age ? by_size : by_age;
}

/* The text of the rules that were in force where the journal will begin stays. TTG_OK, and TTG_ENOSPC, when
   only what goes makes room for saying it again: the journal may be cut. */
static enum ttg_error keep_rules(struct net *net, const struct core_now *now, uint64_t keep_from)
{
	const uint64_t first = journal_retain_first(net->journal, keep_from);
	const enum ttg_error error =
		PLANTED(RETAIN_RULES) ? TTG_OK : core_keep_rules(net->core, now, first);
	if (error == TTG_EAGAIN)
		net->next_retain_ns = 0; /* said again: once it is durable */
	else if (error)
		log_write(net->log, LOG_LEVEL_WARN, "rules_not_kept", "code=%s",
			  ttg_error_name(error));
	return error;
}

static void retain(struct net *net, const struct core_now *now)
{
	struct journal_stats stats;
	journal_get_stats(net->journal, &stats);
	const uint64_t low_water = core_low_water(net->core);
	const uint64_t unsealed = sealer_needs(net->sealer, net);
	const uint64_t still = smaller(smaller(low_water, net->saved_low), unsealed);
	const uint64_t needed = PLANTED(RETAIN_UNACKNOWLEDGED) ? net->snapshot_saved + 1 : still;
	uint64_t keep_from = wanted_from(net, now, stats.disk_bytes);
	if (keep_from > net->saved_low && low_water > net->saved_low)
		/* only its age holds retention back: once it is saved */
		net->retain_waits = net_take_snapshot(net, 1);
	if (keep_from > needed) {
		log_write(net->log, LOG_LEVEL_DEBUG, "retention_held_back",
			  "wanted=%llu needed=%llu", (unsigned long long)keep_from,
			  (unsigned long long)needed);
		keep_from = needed;
	}
	if (keep_from > stats.first_sequence)
		keep_from = archiver_allows(net->archiver, keep_from);
	archiver_retain(net->archiver, net);
	const enum ttg_error rules = keep_rules(net, now, keep_from);
	if (rules && rules != TTG_ENOSPC)
		return;
	uint64_t removed = 0;
	if (keep_from > stats.first_sequence &&
	    journal_retain(net->journal, keep_from, &removed) == TTG_OK && removed > 0) {
		records_forget(net->records);
		if (rules) /* there is room now for those in force, which the core knows by itself */
			net->next_retain_ns = 0;
		log_write(net->log, LOG_LEVEL_NOTICE, "retained", "keep_from=%llu segments=%llu",
			  (unsigned long long)keep_from, (unsigned long long)removed);
	}
}

static void pet_watchdog(struct net *net, const struct core_now *now)
{
	struct journal_stats stats;
	journal_get_stats(net->journal, &stats);
	if (stats.durable_sequence != net->durable_seen || stats.staged_bytes == 0) {
		net->durable_seen = stats.durable_sequence;
		net->durable_moved_ns = now->mono_ns;
	}
	if (net->watchdog_ns == 0 || now->mono_ns < net->next_watchdog_ns)
		return;
	net->next_watchdog_ns = now->mono_ns + net->watchdog_ns / 3;
	if (now->mono_ns - net->durable_moved_ns < STALLED_NS)
		sd_notify(0, "WATCHDOG=1");
}
