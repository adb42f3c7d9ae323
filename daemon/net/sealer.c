/* See sealer.h. */
#include "net/sealer.h"

#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "core/record.h"
#include "core/sealed.h"
#include "evidence/hand_over.h"
#include "evidence/stretch.h"
#include "net/net.h"

#define NS_PER_S 1000000000LL
#define AGAIN_NS (1 * NS_PER_S)     /* between two looks for a signer that is away */
#define REFUSED_NS (10 * NS_PER_S)  /* the same after it refused something: somebody has to act */
#define ANSWER_NS (10 * NS_PER_S)   /* a signer that says nothing for so long is away */
#define QUIET_NS (60 * NS_PER_S)    /* records without an event among them are sealed then */
#define OTHER_HAND_OVER "the signer's hand-over is not behind the journal's last seal"
#define RECORDS_A_STEP 4096u
#define RECORDS_QUIET 65536u        /* so many are sealed without waiting for an event */

_Static_assert(SEALED_TEXT_MAX == SEAL_TEXT_MAX && SEALED_SIGNATURE == SEAL_SIGNATURE,
	       "the core keeps what the signer signs");

enum phase {
	AWAY,     /* looked for again at again_ns */
	GREETING, /* asked for its last seal */
	OFFERING, /* gave it our last one, which it forgot */
	ASKING,   /* for the seal before its hand-over, which we missed */
	READY,
	SIGNING,  /* asked for the seal in `asked` */
};

struct sealer {
	struct signer_link link;
	struct verify_key *key;
	struct hasher *hasher;
	uint8_t journal_id[EVIDENCE_ID];
	enum phase phase;
	int64_t again_ns;      /* AWAY: when to look; else: until when an answer must be there */
	bool proven;           /* a signature of the signer we are talking to was checked */

	struct stretch *stretch; /* from the end of the last seal on, whole batches */
	struct journal_reader *reader;
	uint8_t chain[EVIDENCE_HASH]; /* behind the stretch */
	uint64_t others;         /* records in it that are neither events nor seals */
	int64_t others_since_ns; /* mono; when the first came */
	struct sealed asked;     /* without its signature */
	uint8_t before[EVIDENCE_HASH]; /* ASKING: of the text of that seal */
	uint64_t recorded;       /* record of the last seal; it is waited for */
	struct sealer_view view;
};

static void go_away(struct sealer *sealer, const struct net *net, int64_t wait_ns, const char *why)
{
	if (sealer->phase != AWAY)
		sealer->link.close(sealer->link.self);
	sealer->phase = AWAY;
	sealer->again_ns = net->world->mono_ns(net->world->self) + wait_ns;
	if (sealer->view.ready || strcmp(sealer->view.why, why) != 0)
		log_write(net->log, LOG_LEVEL_WARN, "signer_away", "reason=\"%s\"", why);
	sealer->view.ready = false;
	snprintf(sealer->view.why, sizeof sealer->view.why, "%s", why);
}

static void get_ready(struct sealer *sealer, const struct net *net)
{
	sealer->phase = READY;
	if (!sealer->view.ready)
		log_write(net->log, LOG_LEVEL_NOTICE, "signer_ready", "seals=%llu sealed=%llu",
			  (unsigned long long)core_last_seal(net->core)->number,
			  (unsigned long long)core_last_seal(net->core)->last);
	sealer->view.ready = true;
	sealer->view.why[0] = '\0';
}

/* What the signer sealed is not what stands in the journal: nothing may be added to it. */
static void contradict(struct sealer *sealer, struct net *net, const char *what)
{
	log_write(net->log, LOG_LEVEL_ERROR, "seals_contradict", "reason=\"%s\" sealed=%llu", what,
		  (unsigned long long)core_last_seal(net->core)->last);
	go_away(sealer, net, INT64_MAX / 2, what);
	net->failure = TTG_ECORRUPT;
}

static void ask(struct sealer *sealer, const struct net *net, enum phase phase, const char *packet,
		size_t len)
{
	sealer->phase = phase;
	sealer->again_ns = net->world->mono_ns(net->world->self) + ANSWER_NS;
	if (!sealer->link.send(sealer->link.self, packet, len))
		go_away(sealer, net, AGAIN_NS, "the signer went away");
}

/* The next seal begins behind the last one, or where the journal does. */
static void begin_stretch(struct sealer *sealer, const struct net *net)
{
	struct journal_stats stats;
	uint64_t first = core_last_seal(net->core)->last + 1;

	journal_get_stats(net->journal, &stats);
	if (first < stats.first_sequence)
		first = stats.first_sequence;
	stretch_begin(sealer->stretch, first);
	journal_reader_seek(sealer->reader, first);
	sealer->others = 0;
}

static void count_other(struct sealer *sealer, const struct net *net, uint8_t kind)
{
	if (kind == RECORD_EVENT || kind == RECORD_SEAL || kind == RECORD_HAND_OVER)
		return;
	if (sealer->others++ == 0)
		sealer->others_since_ns = net->world->mono_ns(net->world->self);
}

/* Takes in whole batches, up to the one that ends with `last` or so many records as one step may. */
static enum ttg_error walk(struct sealer *sealer, const struct net *net, uint64_t last)
{
	struct journal_record record;
	uint64_t sequence = 0, batch_last = 0;
	enum ttg_error error = TTG_OK;

	for (uint64_t taken = 0; !error && stretch_next(sealer->stretch) <= last; taken++) {
		error = journal_reader_next(sealer->reader, &sequence, &record);
		if (error)
			break;
		error = stretch_take(sealer->stretch, sequence, record.kind, record.data, record.len);
		count_other(sealer, net, record.kind);
		journal_reader_batch(sealer->reader, &batch_last, sealer->chain);
		if (taken >= RECORDS_A_STEP && sequence == batch_last)
			break;
	}
	return error == TTG_EAGAIN ? TTG_OK : error;
}

/* A seal over the stretch as it stands. */
static bool describe(struct sealer *sealer, const struct net *net, struct seal *out)
{
	const struct sealed *last = core_last_seal(net->core);

	if (!stretch_describe(sealer->stretch, out))
		return false;
	memcpy(out->chain, sealer->chain, EVIDENCE_HASH);
	out->number = last->number + 1;
	if (last->number > 0 && !hasher_sum(sealer->hasher, last->text, last->len, out->before))
		return false;
	out->sealed_ns = net->world->real_ns(net->world->self);
	if (out->sealed_ns < 0)
		out->sealed_ns = 0;
	return true;
}

static void keep(const struct seal *seal, struct sealed *out)
{
	out->number = seal->number;
	out->first = seal->first;
	out->last = seal->last;
	out->len = seal_write(seal, out->text);
}

static bool is_signed(struct sealer *sealer, const char *text, size_t len,
		      const uint8_t signature[SEAL_SIGNATURE])
{
	if (!sealer->key || sealer->proven)
		return true;
	sealer->proven = verify_key_accepts(sealer->key, text, len, signature);
	return sealer->proven;
}

/* Into the journal with it, and on. What the journal has no room for is asked for again. */
static void recorded(struct sealer *sealer, struct net *net, enum ttg_error error)
{
	get_ready(sealer, net);
	begin_stretch(sealer, net);
	if (!error)
		sealer->view.seals++;
	else if (error == TTG_EAGAIN || error == TTG_ENOSPC)
		go_away(sealer, net, AGAIN_NS, "the journal has no room for a seal");
	else if (!net->failure)
		net->failure = error;
}

static void record_seal(struct sealer *sealer, struct net *net, const struct sealed *seal)
{
	const struct core_now now = net_now(net);

	recorded(sealer, net, core_seal(net->core, &now, seal, &sealer->recorded));
}

static bool worth_a_seal(const struct sealer *sealer, const struct net *net)
{
	const uint64_t records = stretch_next(sealer->stretch) - stretch_first(sealer->stretch);

	if (records == 0)
		return false;
	return stretch_events(sealer->stretch) > 0 || records >= RECORDS_QUIET ||
	       (sealer->others > 0 &&
		net->world->mono_ns(net->world->self) - sealer->others_since_ns >= QUIET_NS);
}

static void seal_more(struct sealer *sealer, struct net *net)
{
	const uint64_t durable = journal_durable(net->journal);
	char packet[SIGNER_PACKET_MAX];
	struct seal seal;
	enum ttg_error error;

	if (durable < sealer->recorded && !PLANTED(SEAL_AHEAD))
		return;
	error = walk(sealer, net, durable);
	if (error == TTG_ENOENT) { /* retained away while nobody sealed it */
		begin_stretch(sealer, net);
		return;
	}
	if (error) {
		log_write(net->log, LOG_LEVEL_ERROR, "seal_failed", "code=%s", ttg_error_name(error));
		begin_stretch(sealer, net);
		go_away(sealer, net, REFUSED_NS, ttg_error_text(error));
		return;
	}
	if (!worth_a_seal(sealer, net))
		return;
	if (!describe(sealer, net, &seal)) {
		go_away(sealer, net, REFUSED_NS, "cryptography failed");
		return;
	}
	keep(&seal, &sealer->asked);
	ask(sealer, net, SIGNING, packet,
	    signer_put_sign(sealer->asked.text, sealer->asked.len, packet));
}

/*
 * The signer is one seal ahead: its answer, or the record of it, was lost. The records it covers were
 * durable, so they must be here, and must be the same.
 */
static void adopt(struct sealer *sealer, struct net *net, const struct seal *theirs,
		  const struct seal_signed *with)
{
	struct sealed seal = { 0 };
	struct seal ours;
	enum ttg_error error = TTG_OK;

	if (theirs->last > journal_durable(net->journal)) {
		contradict(sealer, net, "the signer sealed records that the journal does not have: an "
					"older copy was put back, or its end is missing");
		return;
	}
	begin_stretch(sealer, net);
	while (!error && stretch_next(sealer->stretch) <= theirs->last) {
		const uint64_t next = stretch_next(sealer->stretch);

		error = walk(sealer, net, theirs->last);
		if (!error && stretch_next(sealer->stretch) == next)
			error = TTG_EAGAIN;
	}
	if (error || !describe(sealer, net, &ours)) {
		go_away(sealer, net, REFUSED_NS, ttg_error_text(error ? error : TTG_ECRYPTO));
		return;
	}
	ours.sealed_ns = theirs->sealed_ns;
	keep(&ours, &seal);
	if (seal.len != with->len || memcmp(seal.text, with->text, seal.len) != 0) {
		contradict(sealer, net, "the signer sealed other records than the journal holds");
		return;
	}
	memcpy(seal.signature, with->signature, SEALED_SIGNATURE);
	record_seal(sealer, net, &seal);
}

/* Behind the journal's last seal, by the key that signed that. */
static bool is_next(struct sealer *sealer, const struct net *net, const struct seal *theirs)
{
	const struct sealed *last = core_last_seal(net->core);
	struct verify_key *from = verify_key_of_bytes(theirs->from);
	uint8_t hash[EVIDENCE_HASH];
	struct seal before;
	const char *why = NULL;
	bool fine = from && link_read(last->text, last->len, &before) &&
		    hasher_sum(sealer->hasher, last->text, last->len, hash) &&
		    seal_follows(&before, hash, theirs, &why);

	if (fine && before.hands_over)
		fine = memcmp(before.to, theirs->from, EVIDENCE_KEY) == 0;
	else if (fine)
		fine = verify_key_accepts(from, last->text, last->len, last->signature);
	verify_key_free(&from);
	return fine;
}

/* Who is trusted handed over to this key. */
static void trust(struct sealer *sealer, const struct net *net, const struct seal *theirs)
{
	if (sealer->key && !verify_key_add(sealer->key, theirs->to))
		log_write(net->log, LOG_LEVEL_WARN, "seal_failed", "code=%s", ttg_error_name(TTG_ELIMIT));
}

/* The signer has another key than when it made the journal's last seal, and the statement of that one. */
static void take_over(struct sealer *sealer, struct net *net, const struct seal *theirs,
		      const struct seal_signed *with)
{
	const struct core_now now = net_now(net);
	struct sealed it = { .number = theirs->number, .first = theirs->first, .last = theirs->last,
			     .len = with->len };
	enum ttg_error error;

	if (!is_next(sealer, net, theirs)) {
		go_away(sealer, net, REFUSED_NS, OTHER_HAND_OVER);
		return;
	}
	memcpy(it.text, with->text, with->len);
	memcpy(it.signature, with->signature, SEALED_SIGNATURE);
	trust(sealer, net, theirs);
	error = core_hand_over(net->core, &now, &it, &sealer->recorded);
	if (!error)
		log_write(net->log, LOG_LEVEL_NOTICE, "signer_key_changed", "number=%llu",
			  (unsigned long long)it.number);
	recorded(sealer, net, error);
}

static void offer(struct sealer *sealer, const struct net *net)
{
	const struct sealed *last = core_last_seal(net->core);
	struct seal_signed seal = { .len = last->len };
	char packet[SIGNER_PACKET_MAX];

	memcpy(seal.text, last->text, last->len);
	memcpy(seal.signature, last->signature, SEAL_SIGNATURE);
	ask(sealer, net, OFFERING, packet, signer_put_take(&seal, packet));
}

/* It is two ahead: a seal that we missed, then the hand-over, which is looked at when that is recorded. */
static void ask_before(struct sealer *sealer, const struct net *net, const struct seal *theirs)
{
	char packet[SIGNER_PACKET_MAX];

	memcpy(sealer->before, theirs->before, EVIDENCE_HASH);
	ask(sealer, net, ASKING, packet, signer_put_before(packet));
}

static void on_before(struct sealer *sealer, struct net *net, const struct seal_signed *with)
{
	uint8_t hash[EVIDENCE_HASH];
	struct seal theirs;

	if (!seal_read(with->text, with->len, &theirs) ||
	    !hasher_sum(sealer->hasher, with->text, with->len, hash) ||
	    memcmp(hash, sealer->before, EVIDENCE_HASH) != 0 ||
	    theirs.number != core_last_seal(net->core)->number + 1) {
		go_away(sealer, net, REFUSED_NS, OTHER_HAND_OVER);
		return;
	}
	adopt(sealer, net, &theirs, with);
	if (!net->failure && sealer->phase == READY)
		go_away(sealer, net, 0, "its hand-over comes next");
}

/* By a key that is trusted; a hand-over to one as well. */
static bool is_believed(struct sealer *sealer, const struct seal *theirs, const struct seal_signed *with)
{
	if (!theirs->hands_over)
		return is_signed(sealer, with->text, with->len, with->signature);
	return hand_over_is_signed(theirs, with) &&
	       (!sealer->key || verify_key_has(sealer->key, theirs->from) ||
		verify_key_has(sealer->key, theirs->to));
}

static void on_last(struct sealer *sealer, struct net *net, const struct seal_signed *with)
{
	const struct sealed *last = core_last_seal(net->core);
	struct seal theirs;

	if (!link_read(with->text, with->len, &theirs) || !is_believed(sealer, &theirs, with))
		go_away(sealer, net, REFUSED_NS, "the signer has another key than the configured one");
	else if (memcmp(theirs.journal, sealer->journal_id, EVIDENCE_ID) != 0)
		go_away(sealer, net, REFUSED_NS, "the signer seals another journal");
	else if (theirs.number < last->number)
		offer(sealer, net);
	else if (theirs.number == last->number + 1 && theirs.hands_over)
		take_over(sealer, net, &theirs, with);
	else if (theirs.number == last->number + 1)
		adopt(sealer, net, &theirs, with);
	else if (theirs.number == last->number + 2 && theirs.hands_over)
		ask_before(sealer, net, &theirs);
	else if (theirs.number > last->number)
		contradict(sealer, net, "the signer made seals that the journal does not have: an "
					"older copy was put back, or its end is missing");
	else if (with->len != last->len || memcmp(with->text, last->text, last->len) != 0) {
		if (theirs.hands_over)
			go_away(sealer, net, REFUSED_NS, OTHER_HAND_OVER);
		else
			contradict(sealer, net, "the last seal in the journal is not the signer's");
	} else {
		if (theirs.hands_over)
			trust(sealer, net, &theirs);
		begin_stretch(sealer, net);
		get_ready(sealer, net);
	}
}

static void on_signed(struct sealer *sealer, struct net *net, const struct signer_reply *reply)
{
	struct sealed *seal = &sealer->asked;

	memcpy(seal->signature, reply->seal.signature, SEALED_SIGNATURE);
	if (!is_signed(sealer, seal->text, seal->len, seal->signature))
		go_away(sealer, net, REFUSED_NS, "the signer has another key than the configured one");
	else
		record_seal(sealer, net, seal);
}

static void on_reply(struct sealer *sealer, struct net *net, const struct signer_reply *reply)
{
	const bool none = core_last_seal(net->core)->number == 0;

	if (reply->word == SIGNER_REFUSED) {
		char why[MESSAGE_BYTES];

		sealer->view.refused++;
		snprintf(why, sizeof why, "the signer refused: %s", reply->text);
		go_away(sealer, net, REFUSED_NS, why);
	} else if (sealer->phase == GREETING && reply->word == SIGNER_LAST) {
		on_last(sealer, net, &reply->seal);
	} else if (sealer->phase == ASKING && reply->word == SIGNER_LAST) {
		on_before(sealer, net, &reply->seal);
	} else if (sealer->phase == GREETING && reply->word == SIGNER_NONE && !none) {
		offer(sealer, net);
	} else if ((sealer->phase == GREETING && reply->word == SIGNER_NONE) ||
		   (sealer->phase == OFFERING && reply->word == SIGNER_TAKEN)) {
		begin_stretch(sealer, net);
		get_ready(sealer, net);
	} else if (sealer->phase == SIGNING && reply->word == SIGNER_SIGNED) {
		on_signed(sealer, net, reply);
	} else {
		go_away(sealer, net, REFUSED_NS, "what answers is not a signer");
	}
}

static void look_for_signer(struct sealer *sealer, const struct net *net)
{
	char packet[SIGNER_PACKET_MAX];

	if (!sealer->link.open(sealer->link.self)) {
		go_away(sealer, net, AGAIN_NS, "there is no signer at the configured socket");
		return;
	}
	sealer->proven = false;
	ask(sealer, net, GREETING, packet, signer_put_last(packet));
}

void sealer_step(struct sealer *sealer, struct net *net)
{
	char packet[SIGNER_PACKET_MAX];
	struct signer_reply reply;
	size_t len = 0;
	int got = 0;

	if (!sealer || net->failure)
		return;
	const int64_t now_ns = net->world->mono_ns(net->world->self);
	if (sealer->phase == AWAY && now_ns >= sealer->again_ns)
		look_for_signer(sealer, net);
	while (sealer->phase != AWAY &&
	       (got = sealer->link.receive(sealer->link.self, packet, &len)) > 0) {
		signer_read_reply(packet, len, &reply);
		on_reply(sealer, net, &reply);
	}
	if (sealer->phase != AWAY && got < 0)
		go_away(sealer, net, AGAIN_NS, "the signer went away");
	else if (sealer->phase == READY)
		seal_more(sealer, net);
	else if (sealer->phase != AWAY && now_ns >= sealer->again_ns)
		go_away(sealer, net, AGAIN_NS, "the signer does not answer");
}

enum ttg_error sealer_new(struct sealer **out, const struct net *net,
			  const struct signer_link *take_link, struct verify_key *take_key)
{
	struct sealer *sealer = calloc(1, sizeof *sealer);

	*out = sealer;
	if (!sealer) {
		take_link->free(take_link->self);
		verify_key_free(&take_key);
		return TTG_ENOMEM;
	}
	sealer->link = *take_link;
	sealer->key = take_key;
	journal_get_id(net->journal, sealer->journal_id);
	sealer->hasher = hasher_new();
	sealer->stretch = stretch_new(sealer->journal_id);
	if (!sealer->hasher || !sealer->stretch ||
	    journal_reader_open(&sealer->reader, net->journal) != TTG_OK) {
		sealer_free(out);
		return TTG_ENOMEM;
	}
	sealer->again_ns = INT64_MIN;
	return TTG_OK;
}

void sealer_free(struct sealer **sealer)
{
	struct sealer *old = *sealer;

	*sealer = NULL;
	if (!old)
		return;
	if (old->phase != AWAY)
		old->link.close(old->link.self);
	old->link.free(old->link.self);
	verify_key_free(&old->key);
	hasher_free(&old->hasher);
	stretch_free(&old->stretch);
	journal_reader_close(&old->reader);
	free(old);
}

int sealer_fd(const struct sealer *sealer)
{
	return sealer && sealer->phase != AWAY ? sealer->link.fd(sealer->link.self) : -1;
}

bool sealer_settled(const struct sealer *sealer)
{
	return !sealer || sealer->phase == READY || sealer->phase == SIGNING ||
	       (sealer->phase == AWAY && sealer->again_ns != INT64_MIN);
}

bool sealer_owes(const struct sealer *sealer, const struct net *net)
{
	if (!sealer || sealer->phase == AWAY)
		return false;
	return sealer->phase != READY || stretch_events(sealer->stretch) > 0 ||
	       stretch_next(sealer->stretch) <= journal_durable(net->journal);
}

uint64_t sealer_needs(const struct sealer *sealer, const struct net *net)
{
	const struct sealed *last = core_last_seal(net->core);

	if (!sealer || PLANTED(RETAIN_UNSEALED))
		return UINT64_MAX;
	/* A crash may take the record of the last seal away: what the signer signed is then made again. */
	return sealer->recorded > journal_durable(net->journal) ? last->first : last->last + 1;
}

void sealer_get_view(const struct sealer *sealer, struct sealer_view *out)
{
	*out = sealer->view;
}
