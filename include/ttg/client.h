/*
 * libttg: a session with a throughgate broker.
 *
 * One struct ttg_client is one connection of one agency. It has no thread of its own and is not
 * thread-safe: the thread that made it calls ttg_client_poll(), and every callback runs inside
 * that call. Use ttg_client_fd() to put it into another event loop.
 *
 * Publishing is asynchronous. With an outbox (ttg_client_options.outbox_dir) an event is durable
 * on this machine when ttg_client_publish() returns, survives a crash of this process, and is sent
 * in the order of the calls until the broker has accepted or finally refused it. Without one it
 * lives in memory, bounded by max_pending, and is lost with the process.
 *
 * Consuming is at least once: each delivery is handed over until it is acknowledged. The library
 * drops repeats of what this object has already handed over and has not refused, and keeps the
 * order of events about one person over a refusal.
 *
 * With a signing key (ttg_client_options.signing_key_file) every frame that is sent is signed, those
 * that are sent again too. Events must then carry Event.nonce, as ttg_event_complete() sets it: the
 * broker refuses those that do not (TTG_REFUSED_SIGNATURE).
 *
 * A lost connection is not an error: the client reconnects with back-off and jitter, attaches its
 * mailboxes again and resends what is unanswered.
 */
#ifndef TTG_CLIENT_H
#define TTG_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TTG_KEY_TEXT 41        /* CURVE key as Z85 (ZeroMQ RFC 32): 40 characters and a NUL */
#define TTG_MESSAGE_TEXT 256   /* room for a sentence that explains an error */
#define TTG_PERSON_KEY_BYTES 16

struct ttg_client;

enum ttg_state {
	TTG_STATE_CONNECTING = 0, /* no session; trying */
	TTG_STATE_READY = 1,      /* Welcome received */
	TTG_STATE_CLOSING = 2,    /* ttg_client_close_begin() was called */
	TTG_STATE_FAILED = 3,     /* the broker ended the session for good; see the text */
};

/* What became of one published event. */
struct ttg_outcome {
	const uint8_t *id;     /* 16 bytes */
	void *tag;             /* as given to ttg_client_publish(); NULL for one resent from the
				  outbox of an earlier process */
	enum ttg_error code;   /* TTG_OK, or a refusal code 100-199 */
	bool duplicate;        /* accepted before; sequence is the first one's */
	uint64_t sequence;     /* 0 when refused */
	const char *text;      /* why it was refused; "" otherwise */
};

/* One delivery. Pointers are valid during the callback only. */
struct ttg_delivery {
	const char *mailbox;   /* "agency/box" */
	uint64_t position;     /* counts up in the mailbox; what is acknowledged */
	uint32_t attempt;      /* 1 the first time */
	const uint8_t *event;  /* encoded Ttg__Event */
	size_t event_bytes;
	const uint8_t *person_key; /* TTG_PERSON_KEY_BYTES, or NULL when about nobody */
	int64_t accepted_ns;   /* broker's clock */
	const char *const *agreements;
	size_t n_agreements;
	bool redacted;
};

/* Proof that an event was accepted, or why there is none. Valid during the callback only. */
struct ttg_receipt {
	const uint8_t *id;     /* 16 bytes */
	enum ttg_error code;   /* TTG_OK; 300-399; TTG_EVERSION: the broker knows no receipts */
	const char *text;      /* what a receipt's file holds, see ttg-verify(1); never NULL */
	size_t text_bytes;     /* of it, without a NUL; 0: there is none */
};

/* What became of an event that was published. */
struct ttg_event_state {
	const uint8_t *id;     /* 16 bytes */
	enum ttg_error code;   /* TTG_OK, or why nothing more is told: as in ttg_receipt */
	uint64_t sequence;     /* it was accepted under */
	int64_t accepted_ns;   /* broker's clock */
	uint32_t delivered;    /* recipients it was given to */
	uint32_t acknowledged; /* of those, that acknowledged it */
};

struct ttg_callbacks {
	void *user; /* handed to each */

	/* Exactly once for each published event that got a final answer. May be NULL. */
	void (*on_outcome)(void *user, const struct ttg_outcome *outcome);

	/*
	 * A delivery. Acknowledge it here or later with ttg_client_ack(), or refuse it with
	 * ttg_client_nack(). Must be set before ttg_client_attach().
	 */
	void (*on_delivery)(void *user, const struct ttg_delivery *delivery);

	/* After all deliveries of one frame were handed over: a good moment to commit and to
	   acknowledge the lot. May be NULL. */
	void (*on_batch)(void *user, const char *mailbox);

	/* State changes and errors worth a log line; text holds no personal data. May be NULL. */
	void (*on_state)(void *user, enum ttg_state state, enum ttg_error code, const char *text);

	/* A mailbox became active or standby; everything up to `acknowledged` is done. May be NULL. */
	void (*on_attached)(void *user, const char *mailbox, bool active, uint64_t acknowledged);

	/* Answers to ttg_client_ask_receipt(), and with want_receipts what comes by itself. */
	void (*on_receipt)(void *user, const struct ttg_receipt *receipt);

	/* Answers to ttg_client_ask_states(). */
	void (*on_event_state)(void *user, const struct ttg_event_state *state);
};

struct ttg_client_options {
	const char *broker;          /* "tcp://host:port" */
	const char *server_key_file; /* public key of the broker, written by `ttgctl keygen` */
	const char *key_file;        /* our secret key, mode 0600 */
	const char *signing_key_file; /* secret Ed25519 key (PEM), mode 0600; NULL: nothing is signed */
	const char *software;        /* "name/version" shown to the operator; may be NULL */
	const char *outbox_dir;      /* directory for the durable outbox, made 0700; NULL: none */
	size_t outbox_max_bytes;     /* 0: 1 GiB; full: publish answers TTG_ENOSPC */
	size_t max_pending;          /* events queued or unanswered in memory; 0: 10,000 */
	uint32_t reconnect_min_ms;   /* 0: 100 */
	uint32_t reconnect_max_ms;   /* 0: 10,000 */
	bool want_receipts;          /* of each event; on_receipt must be set */
	struct ttg_callbacks callbacks;
};

/*
 * Makes a client and starts to connect; does not wait. On failure *out is NULL and `message` (may
 * be NULL) says what would be right. TTG_EINVAL, TTG_EPERM (key file readable by others),
 * TTG_EFORMAT (a key file), TTG_ECORRUPT or TTG_ELOCKED (outbox), TTG_ENOMEM, TTG_ESYS.
 */
enum ttg_error ttg_client_new(struct ttg_client **out, const struct ttg_client_options *options,
			      char message[TTG_MESSAGE_TEXT]);

/* Frees at once. Without an outbox, unanswered events are lost; with one they are kept. */
void ttg_client_free(struct ttg_client **client);

/*
 * Works for up to timeout_ms (0: only what is ready; -1: until something happened) and runs the
 * callbacks. TTG_OK, or TTG_ECLOSED when the state is TTG_STATE_FAILED, or TTG_EIO when the outbox
 * cannot be written any more (nothing further is sent).
 */
enum ttg_error ttg_client_poll(struct ttg_client *client, int timeout_ms);

/* Readable whenever ttg_client_poll(client, 0) has something to do, timers included. */
int ttg_client_fd(const struct ttg_client *client);

/* As last told to on_state. */
enum ttg_state ttg_client_state(const struct ttg_client *client);

/*
 * Queues one encoded Ttg__Event, copied. `id` is its 16-byte id. `tag` comes back with the
 * outcome. TTG_EAGAIN when max_pending is reached (poll, then try again), TTG_ENOSPC (outbox
 * full), TTG_ELIMIT (larger than the broker takes), TTG_EINVAL, TTG_EIO, TTG_ECLOSED.
 * With an outbox the call returns when the event is synced to disk.
 */
enum ttg_error ttg_client_publish(struct ttg_client *client, const uint8_t id[16],
				  const uint8_t *event, size_t event_bytes, void *tag);

/* The same for several at once: one sync of the outbox for all. All or none are taken. */
struct ttg_publish_item {
	const uint8_t *id;
	const uint8_t *event;
	size_t event_bytes;
	void *tag;
};
enum ttg_error ttg_client_publish_many(struct ttg_client *client,
				       const struct ttg_publish_item *items, size_t n);

/*
 * With want_receipts a receipt follows the outcome of each event that was accepted, now or before, a
 * moment later: when the broker's signer has sealed it. Those that have not come when a connection is
 * lost do not come by themselves any more.
 *
 * These ask for the receipt of an event of this agency, whoever published it, and for what became of
 * several. Each is answered by the callback once, and asked again in the next session if need be.
 * TTG_EAGAIN: more than 4,096 are unanswered. TTG_EINVAL: none, or no callback for it. TTG_ECLOSED,
 * TTG_EIO, TTG_ENOMEM.
 */
enum ttg_error ttg_client_ask_receipt(struct ttg_client *client, const uint8_t id[16]);
enum ttg_error ttg_client_ask_states(struct ttg_client *client, const uint8_t (*ids)[16], size_t n);

/* Events published and not finally answered, those in the outbox included. */
size_t ttg_client_pending(const struct ttg_client *client);

/*
 * Consumes a mailbox ("box" or "agency/box") with at most `credit` deliveries unacknowledged
 * (0: 256). TTG_EEXIST, TTG_EINVAL, TTG_ELIMIT (more than 64 mailboxes).
 */
enum ttg_error ttg_client_attach(struct ttg_client *client, const char *mailbox, uint32_t credit);
enum ttg_error ttg_client_detach(struct ttg_client *client, const char *mailbox);

/*
 * Acknowledges one position, or everything handed over up to and including it. Sent with the next
 * poll. TTG_ENOENT when the mailbox is not attached or the position was never handed over.
 */
enum ttg_error ttg_client_ack(struct ttg_client *client, const char *mailbox, uint64_t position);
enum ttg_error ttg_client_ack_up_to(struct ttg_client *client, const char *mailbox,
				    uint64_t position);

/*
 * Refuses one delivery. reason is a Ttg__NackReason; text (may be NULL) is for the operator and
 * must not hold personal data. retry_after_ms 0 leaves the delay to the broker. Later deliveries
 * about the same person are handed over only after this one was settled.
 */
enum ttg_error ttg_client_nack(struct ttg_client *client, const char *mailbox, uint64_t position,
			       int reason, const char *text, uint32_t retry_after_ms);

/*
 * Stops taking new work, sends what is queued and acknowledged, says Goodbye. Poll until
 * ttg_client_closed() or until patience ends, then free.
 */
void ttg_client_close_begin(struct ttg_client *client);
bool ttg_client_closed(const struct ttg_client *client);

/* Library version, for example "0.1.0". */
const char *ttg_version(void);

#ifdef __cplusplus
}
#endif
#endif
