/* The broker without sockets; see broker.h. One thread. */
#include "broker.h"

#include "fuzz.h"
#include "support/core_play.h"
#include "support/receipts.h"

#define SEED       UINT64_C(20261121)
#define CYCLES_MAX 64

/* What a broker was when it was new, as far as an input changes it and no file. */
struct fuzz_broker_fresh {
	struct net net;
	struct memory_moment moment;
	uint64_t sequence;
};

const char *const fuzz_keys[FUZZ_KEYS] = {
	"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
	"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
	"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
	"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
};

/* The police get of a release the area, and whom it is about by his prison number. */
static void grant_in_part(struct rules *rules)
{
	struct mask *mask = mask_new(ttg_type_find("prison.released"));

	MUST(mask && mask_add(mask, "area") == MASK_ADDED && mask_add_kind(mask, 1) == MASK_ADDED);
	rules->masks = malloc(sizeof(struct mask *));
	MUST(rules->masks);
	rules->masks[0] = mask;
	rules->n_masks = 1;
	for (size_t i = 0; i < rules->n_deliver; i++) {
		if (strcmp(rules->mailboxes[rules->deliver[i].mailbox].id, "police/in") == 0)
			rules->deliver[i].mask = 1;
	}
}

/* The prison signs what seeds_signed.c signs. */
static void give_signing_key(struct rules_agency *agency)
{
	struct rules_signing_key *it = calloc(1, sizeof(*it));
	struct sign_key *key = receipts_key('p');

	MUST(it);
	strcpy(it->label, "first");
	sign_key_raw(key, it->public);
	MUST(signature_fingerprint(it->public, it->fingerprint));
	it->to_ns = RULES_FOREVER;
	agency->signing_keys = it;
	agency->n_signing_keys = 1;
	sign_key_free(&key);
}

/* The same for all; made once. */
static struct rules *rules_with_keys(void)
{
	static struct rules *rules;

	if (rules)
		return rules;
	rules = play_rules(true);
	for (size_t i = 0; i < FUZZ_KEYS; i++) {
		struct rules_agency *agency = &rules->agencies[i + 1];
		agency->keys = calloc(1, sizeof(*agency->keys));
		MUST(agency->keys);
		agency->n_keys = 1;
		agency->keys[0].to_ns = RULES_FOREVER;
		snprintf(agency->keys[0].public_z85, sizeof(agency->keys[0].public_z85), "%s",
			 fuzz_keys[i]);
	}
	grant_in_part(rules);
	rules->agencies[PLAY_PRISON].asks_states = true;
	give_signing_key(&rules->agencies[PLAY_PRISON]);
	MUST(rules_finish(rules)); /* or nobody's key is found, and no session is ever opened */
	for (size_t i = 0; i < FUZZ_KEYS; i++) {
		uint32_t agency = 0, key = 0;
		MUST(rules_find_key(rules, fuzz_keys[i], &agency, &key) && agency == i + 1);
	}
	return rules;
}

static void fill_config(struct config *config)
{
	*config = (struct config){
		.agency = "broker",
		.endpoint = "tcp://127.0.0.1:5700",
		.journal_directory = "/j",
		.journal_key_file = "/nowhere/journal.key",
		.path = "/nowhere/ttgd.conf",
		.max_sessions = 3,
		.max_frame_bytes = 65536,
		.max_event_bytes = 16384,
		.max_events_per_publish = 16,
		.publish_window = 4,
		.max_credit = 64,
		.heartbeat_ms = 1000,
		.max_skew_s = 300,
		.mailbox_window = 16,
		.mailbox_max_held = 32,
		.dedupe_hours = 1,
		.dedupe_max = 1000,
		.journal_max_bytes = 4u << 20,
		.buffer_bytes = 128u << 10,
		.snapshot_events = 1000,
		.rules = rules_with_keys(),
	};
}

static struct journal *open_journal(const struct fuzz_broker *broker)
{
	const struct journal_options options = {
		.directory = "/j",
		.key = { 0x42 },
		.cipher = JOURNAL_CHACHA20_POLY1305,
		.segment_bytes = 64u * 1024u,
		.max_bytes = broker->config.journal_max_bytes,
		.buffer_bytes = (size_t)broker->config.buffer_bytes,
	};
	struct journal *journal = NULL;
	struct message message = { "" };

	MUST(journal_open(&journal, &options, broker->net.world, &message) == TTG_OK);
	return journal;
}

struct fuzz_broker *fuzz_broker_new(void)
{
	struct fuzz_broker *broker = calloc(1, sizeof(*broker));
	MUST(broker);
	struct net *net = &broker->net;
	broker->memory = memory_world_new(SEED);
	memory_world_advance(broker->memory, PLAY_NOW - PLAY_SECOND);
	fill_config(&broker->config);
	net->world = memory_world_table(broker->memory);
	net->config = &broker->config;
	net->journal = open_journal(broker);
	net->started_real_ns = PLAY_NOW;
	net->limiter = limiter_new();
	MUST(net->limiter);
	MUST(arena_init(&net->frame, ARENA_CLIENT_MAX));
	const struct core_options options = {
		.broker = broker->config.agency,
		.person_secret = { 7 },
		.max_event_bytes = broker->config.max_event_bytes,
		.max_skew_s = broker->config.max_skew_s,
		.dedupe_window_ns = UINT64_C(3600000000000),
		.dedupe_max = broker->config.dedupe_max,
		.window = broker->config.mailbox_window,
		.max_held = broker->config.mailbox_max_held,
	};
	struct core_sink sink;
	net_sink_init(net, &sink);
	net->core = core_new(&options, &sink);
	MUST(net->core);
	MUST(records_open(&net->records, net->journal) == TTG_OK);
	const struct core_now now = net_now(net);
	MUST(core_set_rules(net->core, &now, broker->config.rules) == TTG_OK);
	fuzz_broker_cycle(broker);
	return broker;
}

void fuzz_broker_free(struct fuzz_broker **broker)
{
	struct net *net = &(*broker)->net;

	net_drop_snapshot(net);
	net_drop_sessions(net);
	core_free(&net->core);
	records_close(&net->records);
	limiter_free(&net->limiter);
	arena_fini(&net->frame);
	journal_close(&net->journal);
	memory_world_free(&(*broker)->memory);
	free((*broker)->fresh);
	free(*broker);
	*broker = NULL;
}

void fuzz_broker_cycle(struct fuzz_broker *broker)
{
	struct net *net = &broker->net;
	int64_t next_ns = 0;

	for (int i = 0; i < CYCLES_MAX; i++) {
		MUST(journal_flush(net->journal) == TTG_OK);
		const uint64_t durable = journal_durable(net->journal);
		core_durable(net->core, durable);
		net_release(net, durable);
		const struct core_now now = net_now(net);
		next_ns = core_pump(net->core, &now);
		const bool more_receipts = wanted_step(net);
		if (states_step(net) || more_receipts)
			next_ns = now.mono_ns;
		if (next_ns > now.mono_ns && core_sequence(net->core) == durable)
			break;
	}
	MUST(!net->failure);
}

void fuzz_broker_publish(struct fuzz_broker *broker, unsigned person)
{
	struct net *net = &broker->net;
	struct play play = { .now = { PLAY_NOW, 0 }, .next_id = person };
	struct play_event event;
	struct core_outcome outcome;
	struct core_now now = net_now(net);

	play_event(&play, &event, TYPE_RELEASED, person);
	const size_t len = ttg__event__get_packed_size(&event.event);
	uint8_t *bytes = malloc(len);
	MUST(bytes);
	ttg__event__pack(&event.event, bytes);
	core_publish(net->core, &now, "prison", bytes, len, &outcome);
	free(bytes);
	MUST(outcome.kind == CORE_ACCEPTED);
	fuzz_broker_cycle(broker);
}

/* The one that waits for the next input. */
static struct fuzz_broker **waiting(void)
{
	static struct fuzz_broker *broker;

	return &broker;
}

struct fuzz_broker *fuzz_broker_take(unsigned n_events)
{
	struct fuzz_broker *broker = *waiting();

	*waiting() = NULL;
	if (broker)
		return broker;
	broker = fuzz_broker_new();
	for (unsigned person = 1; person <= n_events; person++)
		fuzz_broker_publish(broker, person);
	records_forget(broker->net.records); /* the readers stay, and seek */
	broker->fresh = calloc(1, sizeof(*broker->fresh));
	MUST(broker->fresh);
	broker->fresh->net = broker->net;
	broker->fresh->moment = memory_world_moment(broker->memory);
	broker->fresh->sequence = core_sequence(broker->net.core);
	return broker;
}

/* False when it cannot be as it was. */
static bool renew(struct fuzz_broker *broker)
{
	struct net *net = &broker->net;
	const struct fuzz_broker_fresh *fresh = broker->fresh;
	const struct arena frame = net->frame;

	if (core_sequence(net->core) != fresh->sequence || net->snapshot ||
	    !memory_world_go_back(broker->memory, &fresh->moment))
		return false;
	limiter_free(&net->limiter);
	*net = fresh->net;
	net->frame = frame;
	arena_reset(&net->frame);
	net->limiter = limiter_new();
	MUST(net->limiter);
	return true;
}

void fuzz_broker_give_back(struct fuzz_broker **broker)
{
	const struct net *net = &(*broker)->net;

	MUST(net->sessions.count == 0 && !net->control);
	fuzz_broker_cycle(*broker);
	const bool idle = net->sessions.last_number == (*broker)->fresh->net.sessions.last_number;
	for (size_t i = 0; !idle && i < core_mailbox_count(net->core); i++) {
		struct core_mailbox_view view;
		core_mailbox_view(net->core, i, &view);
		MUST(!view.has_consumer);
	}
	if (renew(*broker))
		*waiting() = *broker;
	else
		fuzz_broker_free(broker);
	*broker = NULL;
}
