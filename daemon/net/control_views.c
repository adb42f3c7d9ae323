/* The operator's views: status, agencies, agreements, mailboxes. All answered at once. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/redelivery.h"
#include "core/sealed.h"
#include "net/archiver.h"
#include "net/control_request.h"
#include "net/sealer.h"

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *status_events(const struct net_counters *n, uint64_t acknowledged)
{
	json_t *events = json_object();
	json_object_set_new(events, "accepted", integer(n->accepted));
	json_object_set_new(events, "duplicates", integer(n->duplicates));
	json_object_set_new(events, "refused", integer(n->refused));
	json_object_set_new(events, "delivered", integer(n->deliveries));
	json_object_set_new(events, "acknowledged", integer(acknowledged));
	json_object_set_new(events, "nacked", integer(n->nacks));
	json_object_set_new(events, "parked", integer(n->parked));
	json_object_set_new(events, "escalated", integer(n->escalated));
	json_object_set_new(events, "expired", integer(n->expired));
	json_object_set_new(events, "stopped", integer(n->stopped));
	return events;
}

static json_t *status_mailboxes(const struct net *net, uint64_t *acknowledged)
{
	uint64_t queued = 0, in_flight = 0, parked = 0, held = 0, redelivering = 0;
	const size_t count = core_mailbox_count(net->core);
	for (size_t i = 0; i < count; i++) {
		struct core_mailbox_view view;
		core_mailbox_view(net->core, i, &view);
		queued += view.queued;
		in_flight += view.in_flight;
		parked += view.parked;
		held += view.held;
		*acknowledged += view.acked;
		struct core_redelivery_view again = { .running = false };
		redelivering += core_redelivery_view(net->core, view.id, &again) && again.running;
	}
	json_t *mailboxes = json_object();
	json_object_set_new(mailboxes, "count", integer(count));
	json_object_set_new(mailboxes, "queued", integer(queued));
	json_object_set_new(mailboxes, "in_flight", integer(in_flight));
	json_object_set_new(mailboxes, "parked", integer(parked));
	json_object_set_new(mailboxes, "held", integer(held));
	json_object_set_new(mailboxes, "redelivering", integer(redelivering));
	return mailboxes;
}

static json_t *status_journal(const struct net *net)
{
	struct journal_stats s;
	uint8_t chain[JOURNAL_HASH_BYTES];
	journal_get_stats(net->journal, &s);
	journal_chain_head(net->journal, chain);
	json_t *journal = json_object();
	json_object_set_new(journal, "directory", json_string(net->config->journal_directory));
	json_object_set_new(journal, "first_sequence", integer(s.first_sequence));
	json_object_set_new(journal, "next_sequence", integer(s.next_sequence));
	json_object_set_new(journal, "durable_sequence", integer(s.durable_sequence));
	json_object_set_new(journal, "low_water", integer(core_low_water(net->core)));
	json_object_set_new(journal, "segments", integer(s.segments));
	json_object_set_new(journal, "disk_bytes", integer(s.disk_bytes));
	json_object_set_new(journal, "staged_bytes", integer(s.staged_bytes));
	json_object_set_new(journal, "batches", integer(s.batches));
	json_object_set_new(journal, "syncs", integer(s.syncs));
	json_object_set_new(journal, "written_bytes", integer(s.written_bytes));
	json_object_set_new(journal, "sync_us_mean",
			    integer(s.syncs ? s.sync_ns_total / s.syncs / 1000 : 0));
	json_object_set_new(journal, "sync_us_max", integer(s.sync_ns_max / 1000));
	json_object_set_new(journal, "chain_head", control_hex(chain, sizeof chain));
	return journal;
}

/* How far it came; null when none is kept. */
static json_t *status_archive(const struct net *net)
{
	struct archiver_view view;

	if (!net->archiver)
		return json_null();
	archiver_get_view(net->archiver, &view);
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "directory", net->config->archive_directory,
			 "state", view.ready ? "ready" : "away", "reason", view.why, "archived_sequence",
			 (json_int_t)view.archived_sequence, "disk_bytes", (json_int_t)view.disk_bytes,
			 "missing_records", (json_int_t)view.missing);
}

/* How far the journal is sealed; null when no seals are made. */
static json_t *status_seals(const struct net *net)
{
	const struct sealed *last = core_last_seal(net->core);
	struct sealer_view view;

	if (!net->sealer)
		return json_null();
	sealer_get_view(net->sealer, &view);
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "signer", view.ready ? "ready" : "away",
			 "reason", view.why, "number", (json_int_t)last->number, "sealed_sequence",
			 (json_int_t)last->last, "unsealed_records",
			 (json_int_t)(journal_durable(net->journal) - last->last), "refused",
			 (json_int_t)view.refused);
}

void control_status(struct control_request *request)
{
	const struct net *net = request->net;
	uint64_t acknowledged = 0, refused = 0;
	json_t *mailboxes = status_mailboxes(net, &acknowledged);
	for (int i = 0; i < NET_DENIALS; i++)
		refused += net->counters.denied[i];
	struct message failure = { "" };
	journal_failure(net->journal, &failure);
	json_t *sessions = json_object();
	json_object_set_new(sessions, "now", integer(net->sessions.count));
	json_object_set_new(sessions, "max", integer(net->config->max_sessions));
	json_object_set_new(sessions, "opened", integer(net->counters.sessions_opened));
	json_object_set_new(sessions, "refused", integer(refused));

	json_t *data = json_object();
	json_object_set_new(data, "version", json_string(TTG_VERSION));
	json_object_set_new(data, "pid", json_integer(getpid()));
	json_object_set_new(data, "broker", json_string(net->config->agency));
	json_object_set_new(data, "state",
			    json_string(net->failure  ? "failed" :
					net->stopping ? "stopping" :
							"ready"));
	json_object_set_new(data, "failure", json_string(failure.text));
	json_object_set_new(data, "started_at", control_time(net->started_real_ns));
	json_object_set_new(data, "now", control_time(net->world->real_ns(net->world->self)));
	json_object_set_new(data, "endpoint", json_string(net->endpoint));
	json_object_set_new(data, "config", json_string(net->config->path));
	json_object_set_new(data, "rules_digest", control_hex(net->config->rules->digest, 32));
	json_object_set_new(data, "sessions", sessions);
	json_object_set_new(data, "events", status_events(&net->counters, acknowledged));
	json_object_set_new(data, "mailboxes", mailboxes);
	json_object_set_new(data, "journal", status_journal(net));
	json_object_set_new(data, "archive", status_archive(net));
	json_object_set_new(data, "seals", status_seals(net));
	control_item(request, data);
	control_end(request, TTG_OK, "%s", "");
}

static const char *key_state(bool revoked, int64_t from_ns, int64_t to_ns, int64_t now_ns)
{
	return revoked		? "revoked" :
	       now_ns < from_ns ? "not_yet" :
	       now_ns >= to_ns	? "expired" :
				  "valid";
}

static json_t *key_view(const struct rules_key *key, int64_t now_ns)
{
	json_t *view = json_object();
	json_object_set_new(view, "label", json_string(key->label));
	json_object_set_new(view, "public", json_string(key->public_z85));
	json_object_set_new(view, "from", control_time(key->from_ns));
	json_object_set_new(view, "to", control_time(key->to_ns));
	json_object_set_new(view, "state",
			    json_string(key_state(key->revoked, key->from_ns, key->to_ns, now_ns)));
	return view;
}

static json_t *signing_view(const struct rules_agency *agency, int64_t now_ns)
{
	json_t *keys = json_array();
	for (size_t i = 0; i < agency->n_signing_keys; i++) {
		const struct rules_signing_key *key = &agency->signing_keys[i];
		json_t *view = json_object();
		json_object_set_new(view, "label", json_string(key->label));
		json_object_set_new(view, "fingerprint",
				    control_hex(key->fingerprint, sizeof key->fingerprint));
		json_object_set_new(view, "from", control_time(key->from_ns));
		json_object_set_new(view, "to", control_time(key->to_ns));
		json_object_set_new(view, "state",
				    json_string(key_state(key->revoked, key->from_ns, key->to_ns,
							  now_ns)));
		json_array_append_new(keys, view);
	}
	return keys;
}

static json_t *range_view(const struct rules_range *range)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char address[INET6_ADDRSTRLEN] = "";
	char text[INET6_ADDRSTRLEN + 8];
	const bool four = memcmp(range->address, mapped, sizeof mapped) == 0 &&
			  range->prefix_bits >= 96;
	inet_ntop(four ? AF_INET : AF_INET6, range->address + (four ? 12 : 0), address,
		  sizeof address);
	snprintf(text, sizeof text, "%s/%d", address, range->prefix_bits - (four ? 96 : 0));
	return json_string(text);
}

static json_t *agency_view(const struct net *net, uint32_t index)
{
	const struct rules *rules = net->config->rules;
	const struct rules_agency *agency = &rules->agencies[index];
	const int64_t now_ns = net->world->real_ns(net->world->self);
	uint64_t sessions = 0;
	const struct session *session = NULL;
	for (session = net->sessions.by_number; session; session = session->by_number.next)
		sessions += strcmp(session->agency, agency->id) == 0;
	json_t *addresses = json_array(), *mailboxes = json_array(), *keys = json_array();
	for (size_t i = 0; i < agency->n_ranges; i++)
		json_array_append_new(addresses, range_view(&agency->ranges[i]));
	for (size_t i = 0; i < rules->n_mailboxes; i++)
		if (rules->mailboxes[i].agency == index)
			json_array_append_new(mailboxes, json_string(rules->mailboxes[i].id));
	for (size_t i = 0; i < agency->n_keys; i++)
		json_array_append_new(keys, key_view(&agency->keys[i], now_ns));
	json_t *view = json_object();
	json_object_set_new(view, "agency", json_string(agency->id));
	json_object_set_new(view, "name", json_string(agency->name));
	json_object_set_new(view, "sessions", integer(sessions));
	json_object_set_new(view, "rate_per_s", integer(agency->rate_per_s));
	json_object_set_new(view, "burst", integer(agency->burst));
	json_object_set_new(view, "links", json_boolean(agency->links));
	json_object_set_new(view, "asks_states", json_boolean(agency->asks_states));
	json_object_set_new(view, "must_sign", json_boolean(agency->must_sign));
	json_object_set_new(view, "addresses", addresses);
	json_object_set_new(view, "mailboxes", mailboxes);
	json_object_set_new(view, "keys", keys);
	json_object_set_new(view, "signing_keys", signing_view(agency, now_ns));
	return view;
}

void control_agencies(struct control_request *request)
{
	const char *only = NULL;
	if (!control_string(request, "agency", false, &only))
		return;
	const struct rules *rules = request->net->config->rules;
	bool found = false;
	for (uint32_t i = 0; i < rules->n_agencies; i++) {
		if (only && strcmp(only, rules->agencies[i].id) != 0)
			continue;
		found = true;
		control_item(request, agency_view(request->net, i));
	}
	control_end(request, only && !found ? TTG_ENOENT : TTG_OK, "%s",
		    only && !found ? "no such agency" : "");
}

/* "st-giles (processor)"; those whose role nobody stated by their ids alone. */
static json_t *parties_view(const struct rules *rules, const struct rules_agreement *agreement)
{
	json_t *parties = json_array();
	for (size_t i = 0; i < agreement->n_parties; i++) {
		const struct rules_party *party = &agreement->parties[i];
		const char *id = rules->agencies[party->agency].id;
		json_array_append_new(parties,
				      party->role == RULES_NO_ROLE ?
					      json_string(id) :
					      json_sprintf("%s (%s)", id, rules_role_word(party->role)));
	}
	return parties;
}

static json_t *agreement_view(const struct net *net, uint32_t index)
{
	const struct rules *rules = net->config->rules;
	const struct rules_agreement *agreement = &rules->agreements[index];
	const int64_t now_ns = net->world->real_ns(net->world->self);
	uint64_t publish = 0, deliver = 0;
	for (size_t i = 0; i < rules->n_publish; i++)
		publish += rules->publish[i].agreement == index;
	for (size_t i = 0; i < rules->n_deliver; i++)
		deliver += rules->deliver[i].agreement == index;
	json_t *view = json_object();
	json_object_set_new(view, "agreement", json_string(agreement->id));
	json_object_set_new(view, "title", json_string(agreement->title));
	json_object_set_new(view, "from", control_time(agreement->from_ns));
	json_object_set_new(view, "to", control_time(agreement->to_ns));
	json_object_set_new(view, "state",
			    json_string(now_ns < agreement->from_ns  ? "not_yet" :
					now_ns >= agreement->to_ns   ? "ended" :
								       "in_force"));
	json_object_set_new(view, "marking",
			    json_string(agreement->official_only ? "official" : "official-sensitive"));
	json_object_set_new(view, "recipient",
			    json_string(agreement->law_enforcement ? "law-enforcement" : "other"));
	json_object_set_new(view, "special_category", json_string(agreement->special_category));
	json_object_set_new(view, "parties", parties_view(rules, agreement));
	json_object_set_new(view, "publish_grants", integer(publish));
	json_object_set_new(view, "deliver_grants", integer(deliver));
	return view;
}

static json_t *deliver_view(const struct rules *rules, const struct rules_deliver_grant *grant)
{
	const char *from = grant->from == RULES_NONE ? rules->broker : rules->agencies[grant->from].id;
	const char *fallback = grant->fallback == RULES_NONE ? "" : rules->mailboxes[grant->fallback].id;
	char when[CONDITION_TEXT_MAX];
	json_t *view = json_object();
	condition_text(grant->condition > 0 ? &rules->conditions[grant->condition - 1] : NULL, when);
	json_object_set_new(view, "grant", json_string("deliver"));
	json_object_set_new(view, "type", json_string(rules->types[grant->type]));
	json_object_set_new(view, "agency", json_string(from));
	json_object_set_new(view, "mailbox", json_string(rules->mailboxes[grant->mailbox].id));
	json_object_set_new(view, "addressed_by", json_string(grant->addressed_by));
	json_object_set_new(view, "when", json_string(when));
	json_object_set_new(view, "fields",
			    control_fields(grant->mask > 0 ? rules->masks[grant->mask - 1] : NULL));
	json_object_set_new(view, "retain_s", integer(grant->retain_s));
	json_object_set_new(view, "ack_within_s", integer(grant->ack_within_s));
	json_object_set_new(view, "fallback", json_string(fallback));
	return view;
}

static void grants(struct control_request *request, uint32_t agreement)
{
	const struct rules *rules = request->net->config->rules;
	for (size_t i = 0; i < rules->n_publish; i++) {
		const struct rules_publish_grant *grant = &rules->publish[i];
		if (grant->agreement != agreement)
			continue;
		json_t *view = json_object();
		json_object_set_new(view, "grant", json_string("publish"));
		json_object_set_new(view, "type", json_string(rules->types[grant->type]));
		json_object_set_new(view, "agency", json_string(rules->agencies[grant->agency].id));
		control_item(request, view);
	}
	for (size_t i = 0; i < rules->n_deliver; i++)
		if (rules->deliver[i].agreement == agreement)
			control_item(request, deliver_view(rules, &rules->deliver[i]));
}

void control_agreements(struct control_request *request)
{
	const char *only = NULL;
	if (!control_string(request, "agreement", false, &only))
		return;
	const struct rules *rules = request->net->config->rules;
	bool found = false;
	for (uint32_t i = 0; i < rules->n_agreements; i++) {
		if (only && strcmp(only, rules->agreements[i].id) != 0)
			continue;
		found = true;
		control_item(request, agreement_view(request->net, i));
		if (only)
			grants(request, i);
	}
	control_end(request, only && !found ? TTG_ENOENT : TTG_OK, "%s",
		    only && !found ? "no such agreement" : "");
}

/* How far the last redelivery is, if there ever was one. */
static void set_redelivery(json_t *data, const struct net *net, const char *mailbox)
{
	struct core_redelivery_view it = { .running = false };
	const bool any = core_redelivery_view(net->core, mailbox, &it);

	json_object_set_new(data, "redelivery",
			    !any ? json_null() :
				   json_string(it.running   ? "running" :
					       it.unsettled ? "unsettled" :
							      "over"));
	json_object_set_new(data, "redelivered", integer(it.repeated));
	json_object_set_new(data, "redelivering_at", it.running ? integer(it.looked) : json_null());
	json_object_set_new(data, "redelivering_to", it.running ? integer(it.number) : json_null());
}

static json_t *mailbox_view(const struct net *net, const struct core_mailbox_view *view)
{
	const struct rules *rules = net->config->rules;
	const int index = rules_find_mailbox(rules, view->id);
	static const struct rules_mailbox gone = { .max_attempts = 0 };
	const struct rules_mailbox *settings = index < 0 ? &gone : &rules->mailboxes[index];
	json_t *data = json_object();
	json_object_set_new(data, "mailbox", json_string(view->id));
	json_object_set_new(data, "queued", integer(view->queued));
	json_object_set_new(data, "in_flight", integer(view->in_flight));
	json_object_set_new(data, "parked", integer(view->parked));
	json_object_set_new(data, "held", integer(view->held));
	json_object_set_new(data, "next_position", integer(view->next_position));
	json_object_set_new(data, "acknowledged", integer(view->acknowledged));
	json_object_set_new(data, "oldest_at", control_time((int64_t)view->oldest_ns));
	json_object_set_new(data, "consumer", json_boolean(view->has_consumer));
	json_object_set_new(data, "standbys", integer(view->standbys));
	json_object_set_new(data, "delivered", integer(view->delivered));
	json_object_set_new(data, "acked", integer(view->acked));
	json_object_set_new(data, "nacked", integer(view->nacked));
	json_object_set_new(data, "escalated", integer(view->escalated));
	json_object_set_new(data, "expired", integer(view->expired));
	json_object_set_new(data, "stopped", integer(view->stopped));
	set_redelivery(data, net, view->id);
	json_object_set_new(data, "max_attempts", integer(settings->max_attempts));
	json_object_set_new(data, "retry_ms", integer(settings->retry_ms));
	json_object_set_new(data, "retry_max_ms", integer(settings->retry_max_ms));
	json_object_set_new(data, "max_queued", integer(settings->max_queued));
	return data;
}

static void mailboxes_step(struct control_request *request)
{
	struct control_listing *listing = request->job;
	while (listing->index < core_mailbox_count(request->net->core)) {
		struct core_mailbox_view view;
		if (control_enough(request))
			return;
		core_mailbox_view(request->net->core, listing->index++, &view);
		if (listing->only[0] && strcmp(listing->only, view.id) != 0)
			continue;
		listing->found = true;
		control_item(request, mailbox_view(request->net, &view));
	}
	if (listing->only[0] && !listing->found)
		control_end(request, TTG_ENOENT, "no such mailbox");
	else
		control_end(request, TTG_OK, "%s", "");
}

void control_mailboxes(struct control_request *request)
{
	const char *only = NULL;
	if (control_string(request, "mailbox", false, &only))
		control_list(request, only, mailboxes_step);
}
