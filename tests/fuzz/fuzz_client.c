/*
 * Frames of a hostile broker against libttg, over a transport of this file's own. The application
 * publishes, attaches, and does with deliveries what the input says.
 *
 * Input: steps of one byte. Bits 0-2: what; length (u16) and bytes of a frame follow, or a number.
 * With bit 7 a Welcome gets the session's number, which no broker could guess either.
 *
 * Broken when the application is told of a position or event that makes no sense, of an answer to
 * what it never published or twice, or given a text that could forge a log line.
 */
#include "fuzz.h"

#include <sys/timerfd.h>
#include "client/client_internal.h"
#include "support/memory_world.h"

#define STEPS_MAX 48
#define EVENTS 8
#define STATES 2
#define FRAMES_MAX 16
#define SENT_MAX_BYTES (8u << 20)

struct wire {
	Ttg__Frame *frames[FRAMES_MAX];
	Ttg__Frame *given; /* to the client, which may read it until it asks for the next */
	size_t n;
	bool formless; /* the next thing that comes is no frame */
	bool full;
	enum transport_news news;
};

struct application {
	struct wire wire;
	struct ttg_client *client;
	bool answered[EVENTS], told[STATES];
	uint8_t habit;
	uint8_t read; /* sum of what receipts hold: all of it has to be there */
};

/* transport.h, over struct wire; the client's own transport.c is not linked. */

static struct wire *wire_of(const struct transport *transport)
{
	return transport->context;
}

enum ttg_error transport_init(struct transport *transport, int epoll_fd)
{
	*transport = (struct transport){ .epoll_fd = epoll_fd };
	return TTG_OK;
}

static void drop_frames(struct wire *wire)
{
	for (size_t i = 0; i < wire->n; i++)
		ttg__frame__free_unpacked(wire->frames[i], NULL);
	wire->n = 0;
	wire->formless = false;
}

static void take_back(struct wire *wire)
{
	if (wire->given)
		ttg__frame__free_unpacked(wire->given, NULL);
	wire->given = NULL;
}

void transport_fini(struct transport *transport)
{
	transport_close(transport);
	if (transport->context)
		take_back(wire_of(transport));
}

enum ttg_error transport_open(struct transport *transport, const char *broker,
			      const char *server_z85, const struct key_pair *pair)
{
	(void)broker, (void)server_z85, (void)pair;
	MUST(!transport->socket);
	transport->socket = transport->context;
	return TTG_OK;
}

void transport_close(struct transport *transport)
{
	if (transport->context)
		drop_frames(wire_of(transport));
	transport->socket = NULL;
}

enum ttg_error transport_send(struct transport *transport, const Ttg__Frame *frame)
{
	MUST(ttg__frame__get_packed_size(frame) <= SENT_MAX_BYTES);
	if (!transport->socket)
		return TTG_ECLOSED;
	return wire_of(transport)->full ? TTG_EAGAIN : TTG_OK;
}

enum ttg_error transport_receive(struct transport *transport, Ttg__Frame **out)
{
	*out = NULL;
	if (!transport->socket)
		return TTG_ECLOSED;
	struct wire *wire = wire_of(transport);
	take_back(wire);
	if (wire->n == 0) {
		const bool formless = wire->formless;
		wire->formless = false;
		return formless ? TTG_EFORMAT : TTG_EAGAIN;
	}
	*out = wire->given = wire->frames[0];
	memmove(wire->frames, wire->frames + 1, --wire->n * sizeof(*wire->frames));
	return TTG_OK;
}

enum transport_news transport_news(struct transport *transport)
{
	struct wire *wire = wire_of(transport);
	const enum transport_news news = wire->news;

	wire->news = TRANSPORT_NO_NEWS;
	return news;
}

bool transport_readable(const struct transport *transport)
{
	return transport->socket && wire_of(transport)->n > 0;
}

bool transport_writable(const struct transport *transport)
{
	return transport->socket && !wire_of(transport)->full;
}

/* Stands in front of libc's: time is the world's, and no timer of the machine may ring. */
int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	MUST(fd >= 0 && flags == TFD_TIMER_ABSTIME && !old);
	MUST(value->it_value.tv_sec >= 0 && value->it_value.tv_nsec >= 0 &&
	     value->it_value.tv_nsec < 1000000000);
	return 0;
}

/* The application. */

static void check_text(const char *text)
{
	for (; *text; text++)
		MUST((unsigned char)*text >= 0x20 && *text != 0x7f && *text != '"');
}

static void on_delivery(void *user, const struct ttg_delivery *delivery)
{
	struct application *it = user;

	MUST(delivery->position > 0 && delivery->event_bytes > 0 && delivery->event);
	check_text(delivery->mailbox);
	switch (it->habit & 7) {
	case 0:
		ttg_client_ack(it->client, delivery->mailbox, delivery->position);
		break;
	case 1:
		ttg_client_ack_up_to(it->client, delivery->mailbox, delivery->position);
		break;
	case 2:
		ttg_client_nack(it->client, delivery->mailbox, delivery->position, 1, "later", 5);
		break;
	case 3:
		ttg_client_detach(it->client, delivery->mailbox);
		break;
	case 4:
		ttg_client_close_begin(it->client);
		break;
	default:
		break;
	}
}

static void on_outcome(void *user, const struct ttg_outcome *outcome)
{
	struct application *it = user;
	const uintptr_t number = (uintptr_t)outcome->tag;

	MUST(number < EVENTS && !it->answered[number]);
	it->answered[number] = true;
	if (outcome->text)
		check_text(outcome->text);
}

static void on_state(void *user, enum ttg_state state, enum ttg_error code, const char *text)
{
	(void)user, (void)state, (void)code;
	check_text(text);
}

static void on_attached(void *user, const char *mailbox, bool active, uint64_t acknowledged)
{
	(void)user, (void)active, (void)acknowledged;
	check_text(mailbox);
}

static bool code_is_sound(enum ttg_error code)
{
	return code == TTG_OK || code == TTG_EVERSION || (code >= 300 && code <= 399);
}

static void on_receipt(void *user, const struct ttg_receipt *receipt)
{
	struct application *it = user;

	MUST(code_is_sound(receipt->code) && (receipt->code == TTG_OK) == (receipt->text_bytes > 0));
	for (size_t i = 0; i < receipt->text_bytes; i++)
		it->read ^= (uint8_t)receipt->text[i];
	it->read ^= receipt->id[15];
}

/* Each that was asked for once is told once. */
static void on_event_state(void *user, const struct ttg_event_state *state)
{
	struct application *it = user;

	MUST(code_is_sound(state->code) && state->id[0] == 3 && state->id[1] < STATES);
	MUST(!it->told[state->id[1]]);
	it->told[state->id[1]] = true;
}

static void write_keys(void)
{
	static const char public[] =
		"ttg-public-key v1\nrq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\n";
	static const char secret[] =
		"ttg-secret-key v1\nYne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\n"
		"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs\n";

	fuzz_write("server.pub", public, sizeof(public) - 1);
	fuzz_write("client.key", secret, sizeof(secret) - 1);
}

static void open_client(struct application *it, struct memory_world *memory)
{
	static bool written; /* the same keys for every input */
	char public[512], secret[512], message[TTG_MESSAGE_TEXT];

	if (!written)
		write_keys();
	written = true;
	fuzz_path("server.pub", public, sizeof(public));
	fuzz_path("client.key", secret, sizeof(secret));
	const struct ttg_client_options options = {
		.broker = "tcp://127.0.0.1:5700",
		.server_key_file = public,
		.key_file = secret,
		.callbacks = { .user = it,
			       .on_delivery = on_delivery,
			       .on_outcome = on_outcome,
			       .on_state = on_state,
			       .on_attached = on_attached,
			       .on_receipt = on_receipt,
			       .on_event_state = on_event_state },
		.want_receipts = true,
	};
	MUST(client_new_in_world(&it->client, &options, memory_world_table(memory),
				      message) == TTG_OK);
	it->client->transport.context = &it->wire;
	for (uintptr_t i = 0; i < EVENTS; i++) {
		const uint8_t id[16] = { 1, (uint8_t)i }, event[] = { 0x0a, 1, (uint8_t)i };
		MUST(ttg_client_publish(it->client, id, event, sizeof(event), (void *)i) ==
			  TTG_OK);
	}
	const uint8_t proof[16] = { 2 }, asked[STATES][16] = { { 3 }, { 3, 1 } };
	MUST(ttg_client_ask_receipt(it->client, proof) == TTG_OK &&
	     ttg_client_ask_states(it->client, asked, STATES) == TTG_OK);
	ttg_client_attach(it->client, "in", 8);
	ttg_client_attach(it->client, "desk/other", 2);
	ttg_client_poll(it->client, 0);
}

static void take_frame(struct application *it, uint8_t step, struct fuzz_input *input)
{
	size_t len = 0;
	char *bytes = fuzz_sized(input, &len);
	Ttg__Frame *frame = ttg__frame__unpack(NULL, len, (const uint8_t *)bytes);
	struct wire *wire = &it->wire;

	free(bytes);
	if (!it->client->transport.socket || wire->n == FRAMES_MAX) {
		ttg__frame__free_unpacked(frame, NULL);
		return;
	}
	wire->formless = !frame;
	if (!frame)
		return;
	if (step & 0x80 && frame->body_case == TTG__FRAME__BODY_WELCOME)
		frame->welcome->session = it->client->session.number;
	wire->frames[wire->n++] = frame;
}

static void one_step(struct application *it, struct memory_world *memory, struct fuzz_input *input)
{
	const uint8_t step = fuzz_u8(input);

	switch (step & 7) {
	case 0:
	case 1:
		take_frame(it, step, input);
		break;
	case 2:
		memory_world_advance(memory, (int64_t)fuzz_u16(input) * 1000000);
		break;
	case 3:
		it->habit = step >> 3;
		break;
	case 4:
		it->wire.full = step >> 3 & 1;
		it->wire.news = (enum transport_news)(step >> 4 & 3);
		break;
	case 5:
		ttg_client_ack_up_to(it->client, "in", fuzz_u16(input));
		break;
	case 6:
		ttg_client_nack(it->client, "in", fuzz_u16(input), 1, "", 0);
		break;
	default:
		ttg_client_attach(it->client, "in", 4);
		break;
	}
	if (!(step & 0x40) || (step & 7) > 1) /* or several frames come at once */
		ttg_client_poll(it->client, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	struct memory_world *memory = memory_world_new(13);
	struct application it = { 0 };

	open_client(&it, memory);
	for (int i = 0; i < STEPS_MAX && input.left > 0; i++)
		one_step(&it, memory, &input);
	ttg_client_poll(it.client, 0);
	ttg_client_free(&it.client);
	memory_world_free(&memory);
	return 0;
}
