/* See wanted.h. */
#include "net/wanted.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/proto/session.pb-c.h>

#include "core/sealed.h"
#include "net/net.h"
#include "net/receipts.h"
#include "net/send.h"

#define FIRST_ROOM	16
#define FRAMES_A_SLICE	4
#define RECEIPTS_A_FRAME 32
#define FRAME_BYTES	(256u * 1024u) /* at most, as Deliver frames */
#define FRAME_OVERHEAD	64  /* Frame and Receipts around them */
#define RECEIPT_OVERHEAD 48 /* around one receipt's text */
#define WATCHED_A_PASS	4096

/* One frame on its way. */
struct telling {
	Ttg__Receipt items[RECEIPTS_A_FRAME];
	Ttg__Receipt *pointers[RECEIPTS_A_FRAME];
	char texts[RECEIPTS_A_FRAME][RECEIPT_TEXT_MAX];
	size_t n, bytes;
};

static void end_pass(struct wanted *it)
{
	receipts_close(&it->pass);
	it->ready = false;
	for (size_t i = 0; i < it->n; i++)
		it->wishes[i].watched = false;
}

/* Takes out what was told, or is forgotten. */
static void compact(struct wanted *it)
{
	size_t n = 0;

	for (size_t i = 0; i < it->n; i++) {
		if (it->wishes[i].told)
			it->wishes[i].session->n_wanted--;
		else
			it->wishes[n++] = it->wishes[i];
	}
	it->n = n;
	if (n > 0)
		return;
	end_pass(it);
	free(it->wishes);
	*it = (struct wanted){ 0 };
}

bool wanted_reserve(struct net *net, const struct session *session, size_t n)
{
	struct wanted *it = &net->wanted;
	size_t room = it->room > 0 ? it->room : FIRST_ROOM;

	if (session->n_wanted + n > WANTED_OF_SESSION || it->n + n > WANTED_IN_ALL)
		return false;
	while (room < it->n + n)
		room *= 2;
	if (room == it->room)
		return true;
	struct wish *grown = realloc(it->wishes, room * sizeof *grown);
	if (!grown)
		return false;
	it->wishes = grown;
	it->room = room;
	return true;
}

void wanted_add(struct net *net, const struct wish *wish)
{
	struct wanted *it = &net->wanted;

	assert(it->n < it->room);
	if (it->n == 0 || wish->sequence < it->lowest)
		it->lowest = wish->sequence;
	it->wishes[it->n++] = *wish;
	wish->session->n_wanted++;
}

void wanted_forget(struct net *net, struct session *session)
{
	struct wanted *it = &net->wanted;

	if (session->n_wanted == 0 && it->n > 0)
		return;
	for (size_t i = 0; i < it->n; i++)
		it->wishes[i].told = it->wishes[i].session == session;
	compact(it);
}

/* No receipts for these: why is told instead. */
static void refuse(struct wanted *it, uint64_t first, uint64_t last, enum ttg_error code)
{
	for (size_t i = 0; i < it->n; i++)
		if (!it->wishes[i].code && it->wishes[i].sequence >= first &&
		    it->wishes[i].sequence <= last)
			it->wishes[i].code = code;
}

/* The text, or why there is none. Whose event it is, the record says: an id can look like another's. */
static size_t make_text(const struct wanted *it, struct wish *wish, char text[RECEIPT_TEXT_MAX])
{
	struct receipt receipt;

	if (wish->code)
		return 0;
	const enum ttg_error error = receipts_get(it->pass, wish->sequence, &receipt);
	if (error) /* TTG_EPERM: the person it is about was erased */
		wish->code = error == TTG_EPERM ? TTG_ASKED_NOT_HELD : TTG_ASKED_FAILED;
	else if (memcmp(receipt.leaf.id, wish->id, sizeof wish->id) != 0 ||
		 strcmp(receipt.leaf.source, wish->session->agency) != 0)
		wish->code = TTG_ASKED_UNKNOWN;
	return wish->code ? 0 : receipt_write(&receipt, text);
}

/* False: the frame is full. */
static bool put(const struct net *net, struct telling *telling, struct wish *wish)
{
	const size_t most = net->config->max_frame_bytes < FRAME_BYTES ? net->config->max_frame_bytes :
									 FRAME_BYTES;
	char *text = telling->texts[telling->n];
	size_t len = make_text(&net->wanted, wish, text);

	if (telling->bytes + len + RECEIPT_OVERHEAD > most) {
		if (telling->n > 0)
			return false;
		wish->code = TTG_ASKED_FAILED; /* longer than any frame may be */
		len = 0;
	}
	Ttg__Receipt *item = &telling->items[telling->n];
	ttg__receipt__init(item);
	item->index = wish->index;
	item->event = (ProtobufCBinaryData){ sizeof wish->id, wish->id };
	item->receipt = (ProtobufCBinaryData){ len, (uint8_t *)text };
	item->code = (uint32_t)wish->code;
	telling->pointers[telling->n++] = item;
	telling->bytes += len + RECEIPT_OVERHEAD;
	return true;
}

static void send_frame(struct net *net, struct telling *telling, const struct wish *wish)
{
	Ttg__Receipts receipts = TTG__RECEIPTS__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	*(wish->asked ? &receipts.ask : &receipts.frame) = wish->request;
	receipts.n_receipts = telling->n;
	receipts.receipts = telling->pointers;
	frame.body_case = TTG__FRAME__BODY_RECEIPTS;
	frame.receipts = &receipts;
	net->counters.receipts += telling->n;
	net_send_answer(net, wish->session, &frame);
}

/* The session reads, and knows already what became of its Publish: answers to those leave in order. */
static bool is_heard(const struct wish *wish)
{
	const struct session *session = wish->session;

	return !session->answer &&
	       (wish->asked || wish->request < session->next_frame - session->n_replies);
}

static bool may_be_told(const struct wanted *it, const struct wish *wish)
{
	return (wish->code || (wish->watched && it->ready)) && is_heard(wish);
}

/* One frame, of what stands together from wish i on. The place behind it. */
static size_t tell_from(struct net *net, struct telling *telling, size_t i)
{
	struct wanted *it = &net->wanted;
	const struct wish *first = &it->wishes[i];

	telling->n = 0;
	telling->bytes = FRAME_OVERHEAD;
	for (; i < it->n && telling->n < RECEIPTS_A_FRAME; i++) {
		struct wish *wish = &it->wishes[i];

		if (wish->session != first->session || wish->request != first->request ||
		    wish->asked != first->asked || !may_be_told(it, wish) ||
		    !put(net, telling, wish))
			break;
		wish->told = true;
	}
	send_frame(net, telling, first);
	return i;
}

/* A slice of what is known. False: nothing can be told now. */
static bool tell(struct net *net)
{
	struct wanted *it = &net->wanted;
	struct telling *telling = NULL;
	int frames = 0;

	for (size_t i = 0; i < it->n && frames < FRAMES_A_SLICE;) {
		if (!may_be_told(it, &it->wishes[i])) {
			i++;
			continue;
		}
		if (!telling)
			telling = malloc(sizeof *telling);
		if (!telling)
			return false;
		i = tell_from(net, telling, i);
		frames++;
	}
	free(telling);
	if (frames > 0)
		compact(it);
	return frames > 0;
}

/* The lowest sequence that is sealed and whose session can be told; 0: none. What will never be sealed
   is refused. */
static uint64_t choose(struct net *net)
{
	struct wanted *it = &net->wanted;
	const uint64_t sealed = core_last_seal(net->core)->last;
	const uint64_t durable = journal_durable(net->journal);
	uint64_t chosen = 0;

	if (net->sealer && it->lowest > sealed)
		return 0;
	it->lowest = UINT64_MAX;
	for (size_t i = 0; i < it->n; i++) {
		struct wish *wish = &it->wishes[i];

		if (!wish->code && !net->sealer && wish->sequence > sealed && wish->sequence <= durable)
			wish->code = TTG_ASKED_UNSEALED;
		if (wish->code)
			continue;
		if (wish->sequence < it->lowest)
			it->lowest = wish->sequence;
		if (wish->sequence <= sealed && (chosen == 0 || wish->sequence < chosen) &&
		    is_heard(wish))
			chosen = wish->sequence;
	}
	return chosen;
}

static bool begin_pass(struct net *net)
{
	struct wanted *it = &net->wanted;
	enum ttg_error error;

	it->sequence = choose(net);
	if (it->sequence == 0)
		return tell(net);
	if (receipts_open(&it->pass, net) != TTG_OK)
		return false; /* memory may come back */
	it->seen = 0;
	error = receipts_begin(it->pass, it->sequence);
	if (error) {
		refuse(it, it->sequence, it->sequence,
		       error == TTG_ENOENT ? TTG_ASKED_NOT_HELD : TTG_ASKED_FAILED);
		end_pass(it);
	}
	return true;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* The seal is known: all that wait for it are looked out for. False: nobody does any more, or no memory. */
static bool watch(struct wanted *it)
{
	const struct seal *seal = receipts_seal(it->pass);
	uint64_t *list = malloc(WATCHED_A_PASS * sizeof *list);
	size_t n = 0;
	bool done = list != NULL;

	for (size_t i = 0; done && i < it->n && n < WATCHED_A_PASS; i++) {
		struct wish *wish = &it->wishes[i];

		wish->watched = !wish->code && wish->sequence >= seal->first &&
				wish->sequence <= seal->last;
		if (wish->watched)
			list[n++] = wish->sequence;
	}
	if (done && n > 0)
		qsort(list, n, sizeof *list, by_number);
	for (size_t i = 0; i < n && done; i++)
		done = (i > 0 && list[i] == list[i - 1]) || receipts_want(it->pass, list[i]);
	free(list);
	return done && n > 0;
}

static void fail_pass(struct net *net)
{
	struct wanted *it = &net->wanted;
	const struct seal *seal = receipts_seal(it->pass);
	const enum ttg_error error = receipts_error(it->pass);

	uint64_t suppressed = 0;

	if (error != TTG_ENOENT &&
	    log_quota_take(&net->refusal_quota, net->world->mono_ns(net->world->self), &suppressed))
		log_write(net->log, LOG_LEVEL_ERROR, "receipts_failed",
			  "code=%s sequence=%llu suppressed=%llu", ttg_error_name(error),
			  (unsigned long long)it->sequence, (unsigned long long)suppressed);
	refuse(it, seal ? seal->first : it->sequence, seal ? seal->last : it->sequence,
	       error == TTG_ENOENT ? TTG_ASKED_NOT_HELD : TTG_ASKED_FAILED);
	end_pass(it);
}

static bool go_on(struct net *net)
{
	struct wanted *it = &net->wanted;
	const uint64_t durable = journal_durable(net->journal);

	if (it->seen >= durable)
		return false;
	switch (receipts_step(it->pass)) {
	case RECEIPTS_UNSEALED:
		it->seen = durable;
		return false;
	case RECEIPTS_FOUND:
		if (watch(it))
			return true;
		end_pass(it);
		return false;
	case RECEIPTS_READY:
		it->ready = true;
		return true;
	case RECEIPTS_FAILED:
		fail_pass(net);
		return true;
	case RECEIPTS_MORE:
	default:
		return true;
	}
}

bool wanted_step(struct net *net)
{
	struct wanted *it = &net->wanted;

	if (it->n == 0) {
		compact(it); /* of a Publish that was refused whole */
		return false;
	}
	if (tell(net))
		return true;
	if (it->pass && it->ready)
		end_pass(it); /* whoever is left did not take it, or came later */
	return it->pass ? go_on(net) : begin_pass(net);
}
