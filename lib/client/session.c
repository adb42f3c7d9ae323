/*
 * The life of a session; see the picture in session.h. Runs on the thread that polls the client.
 *
 * Invariants: every change of state is one of `allowed`; a connection is open in GREETING, READY
 * and LEAVING and in no other state; each session has a connection and a random number of its own,
 * so that nothing of an earlier one can be taken for this one's.
 *
 * On failure of any kind the session is lost, not the client: what was unanswered is unsent again,
 * and the next attempt comes after a delay that doubles up to reconnect_max_ms, with jitter. Even a
 * revoked key is tried again, since a revocation can be a mistake; only a broker that speaks no
 * common version ends the client.
 */
#include "client/session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "client/client_internal.h"

#define WELCOME_MS	  5000
#define LEAVE_MS	  500
#define SILENT_INTERVALS  3
#define RECEIVE_BURST	  256 /* frames taken in one turn */
#define MIN_HEARTBEAT_MS  10
#define MAX_HEARTBEAT_MS  60000
#define MIN_FRAME_BYTES	  1024
#define CLOCK_TOLERANCE_S 60

static const bool allowed[6][6] = {
	[SESSION_WAITING] = { [SESSION_GREETING] = true, [SESSION_ENDED] = true,
			      [SESSION_FAILED] = true },
	[SESSION_GREETING] = { [SESSION_WAITING] = true, [SESSION_READY] = true,
			       [SESSION_ENDED] = true, [SESSION_FAILED] = true },
	[SESSION_READY] = { [SESSION_WAITING] = true, [SESSION_LEAVING] = true,
			    [SESSION_FAILED] = true },
	[SESSION_LEAVING] = { [SESSION_ENDED] = true, [SESSION_FAILED] = true },
};

static void move_to(struct ttg_client *client, enum session_state next)
{
	struct session *session = &client->session;

	assert(allowed[session->state][next]);
	session->state = next;
}

void session_init(struct session *session, int64_t now_ns)
{
	*session = (struct session){ .state = SESSION_WAITING, .due_ns = now_ns };
}

static void disconnect(struct ttg_client *client)
{
	publish_rewind(&client->publisher);
	consume_rewind(&client->consumer);
	ask_rewind(&client->asker);
	transport_close(&client->transport);
}

/* Half of the delay is fixed and half is chance, so that a thousand clients do not return as one. */
static int64_t next_delay_ns(struct ttg_client *client)
{
	struct session *session = &client->session;
	uint32_t chance = 0;

	if (session->backoff_ms == 0)
		session->backoff_ms = client->reconnect_min_ms;
	else if (session->backoff_ms > client->reconnect_max_ms / 2)
		session->backoff_ms = client->reconnect_max_ms;
	else
		session->backoff_ms *= 2;
	if (client->world->random(client->world->self, &chance, sizeof(chance)) < 0)
		chance = 0;
	uint32_t half = session->backoff_ms / 2;
	return (half + chance % (session->backoff_ms - half + 1)) * NS_PER_MS;
}

void session_lose(struct ttg_client *client, enum ttg_error code, const char *text)
{
	struct session *session = &client->session;

	disconnect(client);
	if (session->state == SESSION_LEAVING) {
		move_to(client, SESSION_ENDED);
		return;
	}
	/* A session that held for a while starts the back-off anew. */
	if (session->state == SESSION_READY &&
	    client->now_ns - session->ready_ns > client->reconnect_max_ms * NS_PER_MS)
		session->backoff_ms = 0;
	if (code == TTG_SESSION_REVOKED)
		session->backoff_ms = client->reconnect_max_ms;
	if (session->state != SESSION_WAITING)
		move_to(client, SESSION_WAITING);
	session->due_ns = client->now_ns + next_delay_ns(client);
	client_report(client, code, text);
}

static void fail(struct ttg_client *client, enum ttg_error code, const char *text)
{
	disconnect(client);
	move_to(client, SESSION_FAILED);
	client_report(client, code, text);
}

enum ttg_error session_send(struct ttg_client *client, const Ttg__Frame *frame)
{
	enum ttg_error code = transport_send(&client->transport, frame);

	if (code == TTG_OK)
		client->session.said_ns = client->now_ns;
	return code;
}

static void say_hello(struct ttg_client *client)
{
	struct session *session = &client->session;
	Ttg__Hello hello = TTG__HELLO__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	hello.version = SESSION_VERSION;
	hello.software = client->software;
	hello.session = session->number;
	frame.body_case = TTG__FRAME__BODY_HELLO;
	frame.hello = &hello;
	session->hello_sent = session_send(client, &frame) == TTG_OK;
}

static void say_heartbeat(struct ttg_client *client)
{
	Ttg__Heartbeat heartbeat = TTG__HEARTBEAT__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	heartbeat.now_ns = client->world->real_ns(client->world->self);
	frame.body_case = TTG__FRAME__BODY_HEARTBEAT;
	frame.heartbeat = &heartbeat;
	/* With a full socket this counts as said: whatever fills it will be heard first. */
	session_send(client, &frame);
	client->session.said_ns = client->now_ns;
}

static void connect_now(struct ttg_client *client)
{
	struct session *session = &client->session;
	const struct world *world = client->world;

	if (world->random(world->self, &session->number, sizeof(session->number)) < 0) {
		session_lose(client, TTG_ESYS, "no random numbers");
		return;
	}
	enum ttg_error code = transport_open(&client->transport, client->broker,
					     client->server_z85, client->pair);
	if (code != TTG_OK) {
		session_lose(client, code, "cannot open a connection");
		return;
	}
	move_to(client, SESSION_GREETING);
	session->hello_sent = false;
	session->heard_ns = session->said_ns = client->now_ns;
	session->due_ns = client->now_ns + WELCOME_MS * NS_PER_MS;
	say_hello(client);
}

/* True when the connection is gone. */
static bool take_news(struct ttg_client *client)
{
	bool ready = client->session.state != SESSION_GREETING;

	switch (transport_news(&client->transport)) {
	case TRANSPORT_LOST:
		session_lose(client, TTG_ECLOSED,
			     ready ? "the connection was lost" : "the broker cannot be reached");
		return true;
	case TRANSPORT_BROKEN:
		session_lose(client, TTG_ECLOSED,
			     "the broker broke off the greeting: its key is another one, or it "
			     "went away");
		return true;
	case TRANSPORT_DENIED:
		session_lose(client, TTG_SESSION_REVOKED, "the broker does not take our key");
		return true;
	case TRANSPORT_NO_NEWS:
	default:
		return false;
	}
}

static int64_t silent_at_ns(const struct session *session)
{
	return session->heard_ns + SILENT_INTERVALS * (int64_t)session->heartbeat_ms * NS_PER_MS;
}

static void tick_ready(struct ttg_client *client)
{
	struct session *session = &client->session;

	if (client->now_ns >= silent_at_ns(session))
		session_lose(client, TTG_SESSION_SILENT,
			     "nothing heard from the broker for three heartbeats");
	else if (consume_is_stuck(client))
		session_lose(client, TTG_ETIMEOUT, "a refused delivery got no answer");
	else if (client->now_ns >= session->said_ns + session->heartbeat_ms * NS_PER_MS)
		say_heartbeat(client);
}

void session_tick(struct ttg_client *client)
{
	struct session *session = &client->session;

	switch (session->state) {
	case SESSION_WAITING:
		if (client->now_ns >= session->due_ns)
			connect_now(client);
		break;
	case SESSION_GREETING:
		if (take_news(client))
			break;
		if (!session->hello_sent)
			say_hello(client);
		if (client->now_ns >= session->due_ns)
			session_lose(client, TTG_ETIMEOUT, "no answer to the greeting");
		break;
	case SESSION_READY:
		if (!take_news(client))
			tick_ready(client);
		break;
	case SESSION_LEAVING:
		if (!take_news(client) && client->now_ns >= session->due_ns)
			session_lose(client, TTG_OK, "");
		break;
	case SESSION_ENDED:
	case SESSION_FAILED:
	default:
		break;
	}
}

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
	if (value < low)
		return low;
	return value > high ? high : value;
}

static void warn_of_clock(struct ttg_client *client, int64_t broker_ns)
{
	const int64_t tolerance_ns = CLOCK_TOLERANCE_S * 1000 * NS_PER_MS;
	int64_t ours_ns = client->world->real_ns(client->world->self);
	int64_t ahead_ns;

	if (__builtin_sub_overflow(ours_ns, broker_ns, &ahead_ns) || ahead_ns > tolerance_ns)
		client_report(client, TTG_REFUSED_TIME, "this machine's clock is over a minute "
							"ahead of the broker's");
	else if (ahead_ns < -tolerance_ns)
		client_report(client, TTG_REFUSED_TIME, "this machine's clock is over a minute "
							"behind the broker's");
}

/* Takes over what the broker allows, cut to our own bounds. False: it makes no sense. */
static bool read_limits(struct session *session, const Ttg__Welcome *welcome)
{
	if (welcome->max_frame_bytes < MIN_FRAME_BYTES || welcome->max_event_bytes == 0 ||
	    welcome->max_events_per_publish == 0 || welcome->publish_window == 0 ||
	    welcome->max_credit == 0 || welcome->heartbeat_ms == 0)
		return false;
	session->heartbeat_ms = clamp(welcome->heartbeat_ms, MIN_HEARTBEAT_MS, MAX_HEARTBEAT_MS);
	session->max_frame_bytes =
		clamp(welcome->max_frame_bytes, MIN_FRAME_BYTES, TRANSPORT_MAX_FRAME_BYTES);
	session->max_event_bytes = clamp(welcome->max_event_bytes, 1, PUBLISH_MAX_EVENT_BYTES);
	session->max_events = clamp(welcome->max_events_per_publish, 1, PUBLISH_MAX_EVENTS);
	session->window = clamp(welcome->publish_window, 1, PUBLISH_MAX_WINDOW);
	session->max_asked = clamp(welcome->max_asked, 0, ASK_A_FRAME);
	session->max_credit = clamp(welcome->max_credit, 1, CONSUME_MAX_CREDIT);
	return true;
}

static void on_welcome(struct ttg_client *client, const Ttg__Welcome *welcome)
{
	struct session *session = &client->session;

	if (session->state != SESSION_GREETING || welcome->session != session->number) {
		session_lose(client, TTG_SESSION_FRAME, "a Welcome that answers nothing");
		return;
	}
	if (welcome->version != SESSION_VERSION) {
		fail(client, TTG_SESSION_VERSION, "the broker speaks another protocol version");
		return;
	}
	if (!read_limits(session, welcome)) {
		session_lose(client, TTG_SESSION_FRAME, "a Welcome with limits of zero");
		return;
	}
	client_clean_text(session->agency, sizeof(session->agency), welcome->agency);
	session->ready_ns = client->now_ns;
	move_to(client, SESSION_READY);
	client_report(client, TTG_OK, "connected");
	warn_of_clock(client, welcome->now_ns);
}

static void end_by_broker(struct ttg_client *client, uint32_t code, const char *text)
{
	char reason[TTG_MESSAGE_TEXT];
	enum ttg_error error = code == 0 ? TTG_ECLOSED : (enum ttg_error)code;

	client_clean_text(reason, sizeof(reason), text);
	if (error == TTG_SESSION_VERSION)
		fail(client, error, reason);
	else
		session_lose(client, error, reason[0] ? reason : ttg_error_text(error));
}

static void on_error(struct ttg_client *client, const Ttg__Error *error)
{
	char reason[TTG_MESSAGE_TEXT];

	/* A session that got one of its own frames wrong cannot know what of it still holds, so
	   every error that is not about one mailbox begins a new one. */
	if (error->fatal || error->handle == 0 || client->session.state != SESSION_READY) {
		end_by_broker(client, error->code, error->text);
		return;
	}
	client_clean_text(reason, sizeof(reason), error->text);
	if (!consume_error(client, error->handle, (enum ttg_error)error->code, reason))
		end_by_broker(client, error->code, error->text);
}

/* Frames that belong to a session in full swing. False: protocol broken, *why says how. */
static bool dispatch_ready(struct ttg_client *client, const Ttg__Frame *frame, const char **why)
{
	switch (frame->body_case) {
	case TTG__FRAME__BODY_PUBLISHED:
		return publish_answered(client, frame->published, why);
	case TTG__FRAME__BODY_ATTACHED:
		return consume_attached(client, frame->attached, why);
	case TTG__FRAME__BODY_DELIVER:
		return consume_deliver(client, frame->deliver, why);
	case TTG__FRAME__BODY_NACKED:
		return consume_nacked(client, frame->nacked, why);
	case TTG__FRAME__BODY_RECEIPTS:
		return ask_receipts(client, frame->receipts, why);
	case TTG__FRAME__BODY_STATES:
		return ask_states(client, frame->states, why);
	case TTG__FRAME__BODY_HELLO:
	case TTG__FRAME__BODY_PUBLISH:
	case TTG__FRAME__BODY_ATTACH:
	case TTG__FRAME__BODY_CREDIT:
	case TTG__FRAME__BODY_ACK:
	case TTG__FRAME__BODY_NACK:
	case TTG__FRAME__BODY_DETACH:
	case TTG__FRAME__BODY_ASK_RECEIPT:
	case TTG__FRAME__BODY_ASK_STATE:
		*why = "the broker sent a frame that only clients send";
		return false;
	case TTG__FRAME__BODY_WELCOME:
	case TTG__FRAME__BODY_ERROR:
	case TTG__FRAME__BODY_GOODBYE:
	case TTG__FRAME__BODY_HEARTBEAT:
	case TTG__FRAME__BODY__NOT_SET: /* a later protocol's: ours is the version it agreed to */
	case _TTG__FRAME__BODY__CASE_IS_INT_SIZE:
	default:
		return true;
	}
}

static void dispatch(struct ttg_client *client, const Ttg__Frame *frame)
{
	const char *why = "";

	client->session.heard_ns = client->now_ns;
	if (frame->body_case == TTG__FRAME__BODY_WELCOME)
		on_welcome(client, frame->welcome);
	else if (frame->body_case == TTG__FRAME__BODY_ERROR)
		on_error(client, frame->error);
	else if (frame->body_case == TTG__FRAME__BODY_GOODBYE)
		end_by_broker(client, frame->goodbye->code, frame->goodbye->text);
	else if (client->session.state == SESSION_READY && !dispatch_ready(client, frame, &why))
		session_lose(client, TTG_SESSION_FRAME, why);
}

bool session_receive(struct ttg_client *client)
{
	for (int i = 0; i < RECEIVE_BURST; i++) {
		Ttg__Frame *frame = NULL;
		enum ttg_error code = transport_receive(&client->transport, &frame);

		if (code == TTG_EAGAIN || code == TTG_ECLOSED)
			return false;
		if (code != TTG_OK) {
			session_lose(client, TTG_SESSION_FRAME, "the broker sent what is no frame");
			return false;
		}
		dispatch(client, frame);
	}
	return true;
}

void session_finish(struct ttg_client *client)
{
	struct session *session = &client->session;
	Ttg__Goodbye goodbye = TTG__GOODBYE__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	if (client->publisher.open > 0)
		return;
	if (session->state == SESSION_WAITING || session->state == SESSION_GREETING) {
		disconnect(client);
		move_to(client, SESSION_ENDED);
		return;
	}
	if (session->state != SESSION_READY || !consume_is_settled(client))
		return;
	frame.body_case = TTG__FRAME__BODY_GOODBYE;
	frame.goodbye = &goodbye;
	if (session_send(client, &frame) != TTG_OK)
		return;
	move_to(client, SESSION_LEAVING);
	session->due_ns = client->now_ns + LEAVE_MS * NS_PER_MS;
}

int64_t session_next_ns(const struct ttg_client *client)
{
	const struct session *session = &client->session;
	int64_t say_ns;

	switch (session->state) {
	case SESSION_WAITING:
	case SESSION_GREETING:
	case SESSION_LEAVING:
		return session->due_ns;
	case SESSION_READY:
		say_ns = session->said_ns + session->heartbeat_ms * NS_PER_MS;
		return say_ns < silent_at_ns(session) ? say_ns : silent_at_ns(session);
	case SESSION_ENDED:
	case SESSION_FAILED:
	default:
		return INT64_MAX;
	}
}

uint32_t session_max_event_bytes(const struct ttg_client *client)
{
	uint32_t announced = client->session.max_event_bytes;

	return announced ? announced : PUBLISH_MAX_EVENT_BYTES;
}
