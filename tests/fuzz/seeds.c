/*
 * Makes the first inputs of the targets whose inputs are bytes rather than text:
 *
 *     build/fuzz/fuzz/seeds FOLDER       writes FOLDER/<what>/seed-<name>
 *
 * What they hold is invented. Texts (JSON, XML, CSV, configuration) need no program; they lie in
 * corpus/ as they are.
 */
#include "fuzz.h"

#include <sys/stat.h>
#include <ttg/proto/session.pb-c.h>
#include "core/record.h"
#include "core/rules_text.h"
#include "seeds.h"
#include "support/core_play.h"
#include "state.h"

void put(struct seed *seed, const void *bytes, size_t len)
{
	MUST(seed->len + len <= SEED_MAX);
	memcpy(seed->bytes + seed->len, bytes, len);
	seed->len += len;
}

void put_u8(struct seed *seed, unsigned value)
{
	const uint8_t byte = (uint8_t)value;
	put(seed, &byte, 1);
}

void put_u16(struct seed *seed, size_t value)
{
	put_u8(seed, value & 0xff);
	put_u8(seed, value >> 8 & 0xff);
}

static void put_u32(struct seed *seed, size_t value)
{
	put_u16(seed, value & 0xffff);
	put_u16(seed, value >> 16);
}

void write_seed(const char *folder, const char *what, const char *name, const struct seed *seed)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", folder, what);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/seed-%s", folder, what, name);
	FILE *file = fopen(path, "wb");
	MUST(file && fwrite(seed->bytes, 1, seed->len, file) == seed->len);
	fclose(file);
}

void put_frame(struct seed *seed, unsigned step, const Ttg__Frame *frame)
{
	const size_t len = ttg__frame__get_packed_size(frame);
	uint8_t *bytes = malloc(len);

	MUST(bytes);
	ttg__frame__pack(frame, bytes);
	put_u8(seed, step);
	put_u16(seed, len);
	put(seed, bytes, len);
	free(bytes);
}

#define BODY(frame_name, kind, body_name, body_value)                                              \
	Ttg__Frame frame_name = TTG__FRAME__INIT;                                                  \
	frame_name.body_case = TTG__FRAME__BODY_##kind;                                            \
	frame_name.body_name = &(body_value)

static ProtobufCBinaryData event_bytes(struct play *play, int type, unsigned person)
{
	struct play_event event;

	play_event(play, &event, type, person);
	ProtobufCBinaryData out = { ttg__event__get_packed_size(&event.event), NULL };
	out.data = malloc(out.len);
	MUST(out.data);
	ttg__event__pack(&event.event, out.data);
	return out;
}

void put_hello(struct seed *seed, unsigned step)
{
	Ttg__Hello hello = TTG__HELLO__INIT;
	char software[] = "fuzz/1";

	hello.version = 1;
	hello.software = software;
	hello.session = 7;
	BODY(frame, HELLO, hello, hello);
	put_frame(seed, step, &frame);
}

/* One Service attaches, the prison publishes three releases. */
static void put_publish(struct seed *seed, unsigned step, uint64_t number)
{
	struct play play = { .now = { PLAY_NOW, 0 }, .next_id = number * 100 };
	Ttg__Publish publish = TTG__PUBLISH__INIT;
	ProtobufCBinaryData events[3];

	for (unsigned i = 0; i < 3; i++)
		events[i] = event_bytes(&play, TYPE_RELEASED, i);
	publish.frame = number;
	publish.events = events;
	publish.n_events = 3;
	BODY(frame, PUBLISH, publish, publish);
	put_frame(seed, step, &frame);
	for (unsigned i = 0; i < 3; i++)
		free(events[i].data);
}

/* Of the events of put_publish(), one that is none, and one id that is none. */
static void put_asks(struct seed *seed, unsigned step, uint64_t number)
{
	struct play play = { .next_id = number * 100 };
	Ttg__AskReceipt receipt = TTG__ASK_RECEIPT__INIT;
	Ttg__AskState state = TTG__ASK_STATE__INIT;
	ProtobufCBinaryData ids[3];
	struct play_event events[3];

	for (unsigned i = 0; i < 3; i++) {
		play_event(&play, &events[i], TYPE_RELEASED, 1);
		events[i].id[1] = i == 2; /* nobody's */
		ids[i] = (ProtobufCBinaryData){ 16, events[i].id };
	}
	receipt.ask = state.ask = number;
	receipt.events = state.events = ids;
	receipt.n_events = state.n_events = 3;
	BODY(prove, ASK_RECEIPT, ask_receipt, receipt);
	put_frame(seed, step, &prove);
	BODY(tell, ASK_STATE, ask_state, state);
	put_frame(seed, step, &tell);
}

static void put_attach(struct seed *seed, unsigned step)
{
	Ttg__Attach attach = TTG__ATTACH__INIT;
	char mailbox[] = "in";

	attach.handle = 1;
	attach.credit = 20;
	attach.mailbox = mailbox;
	BODY(frame, ATTACH, attach, attach);
	put_frame(seed, step, &frame);
}

static void put_consumer_verbs(struct seed *seed, unsigned step)
{
	Ttg__Nack nack = TTG__NACK__INIT;
	Ttg__Ack ack = TTG__ACK__INIT;
	Ttg__Credit credit = TTG__CREDIT__INIT;
	Ttg__Detach detach = TTG__DETACH__INIT;
	uint64_t positions[] = { 1, 3 };
	char text[] = "later";

	nack.handle = ack.handle = credit.handle = detach.handle = 1;
	nack.position = 2;
	nack.reason = 5;
	nack.text = text;
	ack.positions = positions;
	ack.n_positions = 2;
	credit.more = 2;
	BODY(refuse, NACK, nack, nack);
	put_frame(seed, step, &refuse);
	put_u8(seed, 2); /* a cycle */
	BODY(settle, ACK, ack, ack);
	put_frame(seed, step, &settle);
	BODY(more, CREDIT, credit, credit);
	put_frame(seed, step, &more);
	BODY(leave, DETACH, detach, detach);
	put_frame(seed, step, &leave);
}

static void frame_seeds(const char *folder)
{
	struct seed seed = { .len = 0 };
	const unsigned desk = 0 | 1 << 3 | 1 << 5, prison = 0 | 3 << 3 | 3 << 5;

	put_hello(&seed, desk);
	put_attach(&seed, desk);
	put_hello(&seed, prison);
	put_publish(&seed, prison, 1);
	put_u8(&seed, 2);
	put_consumer_verbs(&seed, desk);
	put_publish(&seed, prison, 2);
	put_u8(&seed, 3);
	put_u16(&seed, 2000);
	put_u8(&seed, 6);
	put_u8(&seed, 2);
	write_seed(folder, "frame", "session", &seed);
	seed.len = 0;
	put_hello(&seed, desk);
	put_attach(&seed, desk);
	put_hello(&seed, prison);
	put_u8(&seed, 4 | 5 << 3); /* full for five sends */
	put_publish(&seed, prison, 1);
	put_u8(&seed, 2);
	put_hello(&seed, desk);
	put_u8(&seed, 5 | 2 << 3); /* gone */
	put_attach(&seed, desk);
	put_u8(&seed, 2);
	put_u8(&seed, 7 | 1 << 3); /* stopping */
	put_publish(&seed, prison, 2);
	write_seed(folder, "frame", "full", &seed);
	seed.len = 0;
	put_hello(&seed, desk);
	put_attach(&seed, desk);
	put_hello(&seed, prison);
	put_publish(&seed, prison, 1);
	put_u8(&seed, 2);
	put_asks(&seed, prison, 1);
	put_asks(&seed, desk, 1);
	put_u8(&seed, 2);
	put_u8(&seed, 4 | 3 << 3);
	put_asks(&seed, prison, 1);
	put_u8(&seed, 2);
	put_u8(&seed, 2);
	write_seed(folder, "frame", "asks", &seed);
}

static void event_seeds(const char *folder)
{
	struct play play = { .now = { PLAY_NOW, 0 } };
	const int types[] = { TYPE_RELEASED, TYPE_ARREST, TYPE_REFERRAL };
	const char *const names[] = { "released", "arrest", "referral" };

	for (int i = 0; i < 3; i++) {
		struct seed seed = { .len = 0 };
		ProtobufCBinaryData bytes = event_bytes(&play, types[i], 7);
		struct seed cut = { .len = 0 };
		put(&seed, bytes.data, bytes.len);
		put_u16(&cut, bytes.len);
		put(&cut, bytes.data, bytes.len);
		put(&cut, "\5\1\1\1\1\2\1\0\5\1\1\3\1\1\2\1\1\1", 18); /* five paths, a kind */
		free(bytes.data);
		write_seed(folder, "event", names[i], &seed);
		write_seed(folder, "delivery", names[i], &seed);
		write_seed(folder, "redact", names[i], &cut);
	}
}

static void put_deliver(struct seed *seed, uint64_t first, size_t n)
{
	Ttg__Delivery deliveries[4], *pointers[4];
	uint8_t event[] = { 0x0a, 2, 1, 1 }, person[16] = { 9 };
	Ttg__Deliver deliver = TTG__DELIVER__INIT;

	for (size_t i = 0; i < n; i++) {
		ttg__delivery__init(&deliveries[i]);
		deliveries[i].position = first + i;
		deliveries[i].attempt = 1;
		deliveries[i].event = (ProtobufCBinaryData){ sizeof(event), event };
		deliveries[i].person_key = (ProtobufCBinaryData){ i % 2 ? 16 : 0, person };
		pointers[i] = &deliveries[i];
	}
	deliver.handle = 1;
	deliver.n_deliveries = n;
	deliver.deliveries = pointers;
	BODY(frame, DELIVER, deliver, deliver);
	put_frame(seed, 0, &frame);
}

static void put_welcome(struct seed *seed)
{
	Ttg__Welcome welcome = TTG__WELCOME__INIT;
	char agency[] = "desk", broker[] = "broker";

	welcome.version = 1;
	welcome.agency = agency;
	welcome.broker = broker;
	welcome.heartbeat_ms = 1000;
	welcome.max_frame_bytes = 65536;
	welcome.max_event_bytes = 16384;
	welcome.max_events_per_publish = 3;
	welcome.publish_window = 2;
	welcome.max_credit = 64;
	welcome.max_asked = 10;
	BODY(frame, WELCOME, welcome, welcome);
	put_frame(seed, 0x80, &frame);
}

static void put_published(struct seed *seed, uint64_t number)
{
	Ttg__Published published = TTG__PUBLISHED__INIT;
	Ttg__Outcome other = TTG__OUTCOME__INIT, *others[] = { &other };
	uint64_t sequences[] = { 10 * number, 0, 10 * number + 1 };
	char text[] = "no agreement";

	other.index = 1;
	other.code = (uint32_t)TTG_REFUSED_FIELD;
	other.text = text;
	published.frame = number;
	published.sequences = sequences;
	published.n_sequences = 3;
	published.others = others;
	published.n_others = 1;
	BODY(frame, PUBLISHED, published, published);
	put_frame(seed, 0, &frame);
}

/* Answers to what fuzz_client.c asks first: receipts as number 1, states as number 2. */
static void put_answers(struct seed *seed)
{
	Ttg__Receipts receipts = TTG__RECEIPTS__INIT;
	Ttg__Receipt receipt = TTG__RECEIPT__INIT, *list[] = { &receipt };
	Ttg__States states = TTG__STATES__INIT;
	Ttg__State items[2] = { TTG__STATE__INIT, TTG__STATE__INIT }, *pointers[] = { &items[0], &items[1] };
	uint8_t ids[3][16] = { { 2 }, { 3 }, { 3, 1 } }, text[] = "a receipt";

	receipt.event = (ProtobufCBinaryData){ 16, ids[0] };
	receipt.receipt = (ProtobufCBinaryData){ sizeof(text) - 1, text };
	receipts.ask = 1;
	receipts.receipts = list;
	receipts.n_receipts = 1;
	BODY(asked, RECEIPTS, receipts, receipts);
	put_frame(seed, 0, &asked);
	receipts.ask = 0;
	receipts.frame = 1;
	put_frame(seed, 0, &asked);
	for (size_t i = 0; i < 2; i++)
		items[i].event = (ProtobufCBinaryData){ 16, ids[1 + i] };
	items[0].sequence = 4;
	items[1].code = (uint32_t)TTG_ASKED_UNKNOWN;
	states.ask = 2;
	states.states = pointers;
	states.n_states = 2;
	BODY(told, STATES, states, states);
	put_frame(seed, 0, &told);
}

static void client_seeds(const char *folder)
{
	struct seed seed = { .len = 0 };
	Ttg__Attached attached = TTG__ATTACHED__INIT;
	Ttg__Nacked nacked = TTG__NACKED__INIT;
	Ttg__Error error = TTG__ERROR__INIT;
	char text[] = "no such mailbox";

	put_welcome(&seed);
	attached.handle = nacked.handle = error.handle = 1;
	attached.active = true;
	attached.acknowledged = 3;
	BODY(active, ATTACHED, attached, attached);
	put_frame(&seed, 0, &active);
	put_published(&seed, 1);
	put_deliver(&seed, 4, 4);
	put_u8(&seed, 3 | 2 << 3); /* refuse from now on */
	put_deliver(&seed, 8, 2);
	nacked.position = 8;
	BODY(noted, NACKED, nacked, nacked);
	put_frame(&seed, 0, &noted);
	put_published(&seed, 2);
	put_u8(&seed, 5);
	put_u16(&seed, 7);
	write_seed(folder, "client", "session", &seed);
	error.code = (uint32_t)TTG_SESSION_MAILBOX;
	error.text = text;
	BODY(wrong, ERROR, error, error);
	put_frame(&seed, 0, &wrong);
	put_u8(&seed, 2);
	put_u16(&seed, 60000);
	put_welcome(&seed);
	put_frame(&seed, 0, &active);
	put_deliver(&seed, 4, 3);
	write_seed(folder, "client", "again", &seed);
	seed.len = 0;
	put_welcome(&seed);
	put_published(&seed, 1);
	put_answers(&seed);
	write_seed(folder, "client", "answers", &seed);
}

/* damage.c: what, file, offset, and a rest of its own. */
static void put_damage(struct seed *seed, unsigned what, unsigned file, size_t offset,
		       unsigned rest)
{
	put_u8(seed, what);
	put_u8(seed, file);
	put_u32(seed, offset);
	put_u8(seed, rest);
}

static void damage_seeds(const char *folder)
{
	static const char *const names[] = { "head", "second", "third" };

	for (unsigned i = 0; i < 3; i++) {
		struct seed seed = { .len = 0 };
		put_u8(&seed, i);
		put_damage(&seed, 1, i, 4096 + 20 * i, 3);
		put_damage(&seed, 7, i, 4096, 0);
		put_damage(&seed, 1, i + 1, 40, 1);
		put_damage(&seed, 7, i + 1, 0, 3);
		put_damage(&seed, 2, i + 2, 12288, 0);
		write_seed(folder, "journal", names[i], &seed);
		write_seed(folder, "outbox", names[i], &seed);
	}
}

static void zap_seeds(const char *folder)
{
	struct seed seed = { .len = 0 };

	put_u8(&seed, 1);
	put_u8(&seed, 0);
	put_u16(&seed, 1);
	put_u8(&seed, '7');
	put_u8(&seed, 2);
	put_u8(&seed, 5);
	put_u8(&seed, 0);
	put_u16(&seed, 0);
	put_u8(&seed, 3);
	put_u8(&seed, 4);
	write_seed(folder, "zap", "right", &seed);
}

static bool put_line(void *arg, const char *line, size_t len)
{
	put(arg, line, len);
	put(arg, "\n", 1);
	return true;
}

/* The text of rules, and of those that follow: without a condition. */
static void rules_seeds(const char *folder)
{
	struct rules *rules = fuzz_rules(), *next = play_rules(false);
	struct seed seed = { .len = 0 }, text = { .len = 0 };

	MUST(rules_text(rules, put_line, &text));
	put_u16(&seed, text.len);
	put(&seed, text.bytes, text.len);
	MUST(rules_text(next, put_line, &seed));
	write_seed(folder, "rules_text", "change", &seed);
	rules_free(&rules);
	rules_free(&next);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: seeds FOLDER\n");
		return 2;
	}
	mkdir(argv[1], 0755);
	frame_seeds(argv[1]);
	event_seeds(argv[1]);
	core_seeds(argv[1]);
	client_seeds(argv[1]);
	damage_seeds(argv[1]);
	zap_seeds(argv[1]);
	rules_seeds(argv[1]);
	signed_seeds(argv[1]);
	return 0;
}
