/*
 * Metrics. Labels are agencies' mailbox ids, codes and reasons: words of the configuration and of
 * <ttg/error.h>, never something a peer sent.
 */
#include "net/metrics.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/persons.h"
#include "core/redelivery.h"
#include "core/sealed.h"
#include "net/archiver.h"
#include "net/monitor.h"
#include "net/sealer.h"

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(FILE *out, const char *name, const char *help, uint64_t value)
{
	head(out, name, "counter", help);
	fprintf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void gauge(FILE *out, const char *name, const char *help, double value)
{
	head(out, name, "gauge", help);
	fprintf(out, "%s %.17g\n", name, value);
}

static void traffic(FILE *out, const struct net *net)
{
	const struct net_counters *n = &net->counters;
	counter(out, "ttgd_events_received_total", "Events in Publish frames.", n->events_in);
	counter(out, "ttgd_events_accepted_total", "Events accepted.", n->accepted);
	counter(out, "ttgd_events_duplicate_total", "Events that were accepted before.",
		n->duplicates);
	head(out, "ttgd_events_refused_total", "counter", "Events refused, by code.");
	for (unsigned code = 0; code < NET_CODES; code++)
		if (n->refused_by_code[code] || (code >= 100 && code <= TTG_REFUSED_SIGNATURE))
			fprintf(out, "ttgd_events_refused_total{code=\"%s\"} %llu\n",
				ttg_error_name((enum ttg_error)code),
				(unsigned long long)n->refused_by_code[code]);
	counter(out, "ttgd_deliveries_total", "Deliveries sent, repeats included.", n->deliveries);
	counter(out, "ttgd_acks_total", "Ack frames.", n->acks);
	counter(out, "ttgd_receipts_total", "Receipts sent to sessions, or why there is none.",
		n->receipts);
	gauge(out, "ttgd_receipts_waiting", "Receipts that sessions wait for.", (double)net->wanted.n);
	counter(out, "ttgd_states_asked_total", "Questions of publishers what became of events.",
		n->states_asked);
	counter(out, "ttgd_nacks_total", "Deliveries refused by a recipient.", n->nacks);
	counter(out, "ttgd_parked_total", "Deliveries parked as dead letters.", n->parked);
	counter(out, "ttgd_escalated_total", "Urgent events nobody acknowledged in time.",
		n->escalated);
	counter(out, "ttgd_expired_total", "Deliveries dropped because the event expired.",
		n->expired);
	counter(out, "ttgd_stopped_total", "Deliveries dropped because the agreement ended.",
		n->stopped);
	counter(out, "ttgd_given_up_total", "Deliveries the operator gave up.", n->given_up);
	counter(out, "ttgd_frames_received_total", "Frames from clients.", n->frames_in);
	counter(out, "ttgd_frames_sent_total", "Frames to clients.", n->frames_out);
	counter(out, "ttgd_received_bytes_total", "Bytes of frames from clients.", n->bytes_in);
	counter(out, "ttgd_sent_bytes_total", "Bytes of frames to clients.", n->bytes_out);
	counter(out, "ttgd_frames_bad_total", "Frames that broke the protocol.", n->frames_bad);
}

static void connections(FILE *out, const struct net *net)
{
	static const char *const reasons[NET_DENIALS] = { "unknown_key",   "revoked",
							  "not_valid_now", "address",
							  "mechanism",	   "handshake" };
	const struct net_counters *n = &net->counters;
	head(out, "ttgd_connections_denied_total", "counter", "Connections that got nothing.");
	for (int i = 0; i < NET_DENIALS; i++)
		fprintf(out, "ttgd_connections_denied_total{reason=\"%s\"} %llu\n", reasons[i],
			(unsigned long long)n->denied[i]);
	static const char *const drops[NET_DROPS] = { "crowded", "idle", "descriptors" };
	head(out, "ttgd_connections_dropped_total", "counter",
	     "Connections without a session that were cut off.");
	for (int i = 0; i < NET_DROPS; i++)
		fprintf(out, "ttgd_connections_dropped_total{reason=\"%s\"} %llu\n", drops[i],
			(unsigned long long)n->dropped[i]);
	struct monitor_view view;
	monitor_get_view(net, &view);
	gauge(out, "ttgd_connections", "Connections open now.", (double)view.connections);
	gauge(out, "ttgd_connections_waiting", "Of those, without a session.",
	      (double)view.waiting);
	gauge(out, "ttgd_connections_waiting_max", "How many may be without a session.",
	      (double)view.max_waiting);
	gauge(out, "ttgd_sessions", "Sessions open now.", (double)net->sessions.count);
	counter(out, "ttgd_sessions_opened_total", "Sessions opened.", n->sessions_opened);
	counter(out, "ttgd_reloads_total", "Configurations swapped in.", n->reloads);
	counter(out, "ttgd_reloads_failed_total", "Configurations refused.", n->reloads_failed);
	counter(out, "ttgd_paused_cycles_total", "Loop cycles without reading (back-pressure).",
		n->paused_cycles);
	counter(out, "ttgd_slow_cycles_total", "Loop cycles over 100 ms.", n->slow_cycles);
}

static void journal(FILE *out, const struct net *net)
{
	struct journal_stats s;
	journal_get_stats(net->journal, &s);
	gauge(out, "ttgd_journal_healthy", "1 while every write and sync succeeded.",
	      journal_failure(net->journal, NULL) ? 0 : 1);
	gauge(out, "ttgd_journal_first_sequence", "Oldest record held.", (double)s.first_sequence);
	gauge(out, "ttgd_journal_durable_sequence", "Newest durable record.",
	      (double)s.durable_sequence);
	gauge(out, "ttgd_journal_staged_bytes", "Bytes waiting for the disk.",
	      (double)s.staged_bytes);
	gauge(out, "ttgd_journal_disk_bytes", "Bytes of all segments.", (double)s.disk_bytes);
	gauge(out, "ttgd_journal_segments", "Segments.", (double)s.segments);
	counter(out, "ttgd_journal_batches_total", "Batches written.", s.batches);
	counter(out, "ttgd_journal_syncs_total", "Data syncs.", s.syncs);
	counter(out, "ttgd_journal_written_bytes_total", "Bytes written.", s.written_bytes);
	gauge(out, "ttgd_journal_sync_seconds_max", "Slowest sync.", (double)s.sync_ns_max / 1e9);
	gauge(out, "ttgd_journal_sync_seconds_sum", "All syncs.", (double)s.sync_ns_total / 1e9);
	gauge(out, "ttgd_low_water_sequence", "Oldest record still needed.",
	      (double)core_low_water(net->core));
	counter(out, "ttgd_snapshots_total", "Snapshots written.", net->counters.snapshots);
}

static void archive(FILE *out, const struct net *net)
{
	struct archiver_view view;

	if (!net->archiver)
		return;
	archiver_get_view(net->archiver, &view);
	gauge(out, "ttgd_archive_ready", "1 while the archive can be written.", view.ready ? 1 : 0);
	gauge(out, "ttgd_archived_sequence", "Newest record in the archive.",
	      (double)view.archived_sequence);
	gauge(out, "ttgd_archive_disk_bytes", "Bytes of the archive.", (double)view.disk_bytes);
	gauge(out, "ttgd_archive_missing_records", "Records between archive and journal at the start.",
	      (double)view.missing);
}

static void persons(FILE *out, const struct net *net)
{
	gauge(out, "ttgd_person_numbers", "Numbers of persons that something is known of.",
	      (double)core_person_numbers(net->core));
	gauge(out, "ttgd_identity_conflicts", "Contradictions nobody has decided.",
	      (double)core_conflict_count(net->core));
	gauge(out, "ttgd_waiting_events", "Events that wait for their person to be known.",
	      (double)core_waiting_count(net->core));
	gauge(out, "ttgd_referrals", "Referrals that are followed.",
	      (double)core_referral_count(net->core));
	counter(out, "ttgd_referrals_overdue_total", "Overdue answers that referrers were told of.",
		net->counters.answers_overdue);
}

static void seals(FILE *out, const struct net *net)
{
	const uint64_t sealed = core_last_seal(net->core)->last;
	struct sealer_view view;

	if (!net->sealer)
		return;
	sealer_get_view(net->sealer, &view);
	gauge(out, "ttgd_signer_ready", "1 while the signer is there.", view.ready ? 1 : 0);
	counter(out, "ttgd_seals_total", "Seals made.", view.seals);
	counter(out, "ttgd_seals_refused_total", "Seals the signer refused.", view.refused);
	gauge(out, "ttgd_sealed_sequence", "Newest sealed record.", (double)sealed);
	gauge(out, "ttgd_unsealed_records", "Durable records that are not sealed.",
	      (double)(journal_durable(net->journal) - sealed));
}

static void mailboxes(FILE *out, const struct net *net)
{
	static const struct {
		const char *name, *help;
	} gauges[] = {
		{ "ttgd_mailbox_queued", "Deliveries not acknowledged." },
		{ "ttgd_mailbox_in_flight", "Deliveries with the consumer." },
		{ "ttgd_mailbox_parked", "Dead letters." },
		{ "ttgd_mailbox_held", "Deliveries behind dead letters of the same person." },
		{ "ttgd_mailbox_oldest_seconds", "Age of the oldest unacknowledged delivery." },
		{ "ttgd_mailbox_consumer", "1 while a consumer is attached." },
		{ "ttgd_mailbox_redelivering", "1 while it is delivered again." },
	};
	const int64_t now_ns = net->world->real_ns(net->world->self);
	for (size_t g = 0; g < sizeof gauges / sizeof gauges[0]; g++) {
		head(out, gauges[g].name, "gauge", gauges[g].help);
		for (size_t i = 0; i < core_mailbox_count(net->core); i++) {
			struct core_mailbox_view view;
			core_mailbox_view(net->core, i, &view);
			struct core_redelivery_view again = { .running = false };
			core_redelivery_view(net->core, view.id, &again);
			const double age =
				view.oldest_ns ? (double)(now_ns - (int64_t)view.oldest_ns) / 1e9 : 0;
			const double values[] = { (double)view.queued, (double)view.in_flight,
						  (double)view.parked, (double)view.held, age,
						  view.has_consumer ? 1 : 0, again.running ? 1 : 0 };
			fprintf(out, "%s{mailbox=\"%s\"} %.15g\n", gauges[g].name, view.id,
				values[g]);
		}
	}
}

static void process(FILE *out, const struct net *net)
{
	head(out, "ttgd_build_info", "gauge", "Version of the daemon.");
	fprintf(out, "ttgd_build_info{version=\"%s\"} 1\n", TTG_VERSION);
	gauge(out, "ttgd_start_time_seconds", "When the daemon started.",
	      (double)net->started_real_ns / 1e9);
	char text[128] = "";
	char *rest = text;
	const int statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (statm < 0)
		return;
	if (read(statm, text, sizeof text - 1) > 0) {
		strtoul(text, &rest, 10); /* size; the second number is what is resident */
		gauge(out, "ttgd_resident_bytes", "Resident memory.",
		      (double)strtoul(rest, NULL, 10) * (double)sysconf(_SC_PAGESIZE));
	}
	close(statm);
}

char *metrics_text(const struct net *net, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);
	if (!out)
		return NULL;
	process(out, net);
	traffic(out, net);
	connections(out, net);
	journal(out, net);
	archive(out, net);
	persons(out, net);
	seals(out, net);
	mailboxes(out, net);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
