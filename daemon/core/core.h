/*
 * The core: everything the broker decides, as functions of state, input and time. No socket, clock,
 * file or thread; the simulator runs the same code.
 *
 * Every change of state is a record. Live: decide, give the record to the sink (which journals it),
 * apply it. Recovery: apply the same records again. What a record caused to be said is said only
 * when the sink reports its sequence durable through core_durable(): outcomes to publishers and
 * deliveries wait for that, in order.
 *
 * Owner: the loop thread.
 */
#ifndef TTGD_CORE_H
#define TTGD_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/message.h"
#include "core/rules.h"

#define CORE_PERSON_KEY 16
struct core;
struct record_event;

struct core_options {
	const char *broker;           /* agency id, source of broker.* events */
	uint8_t person_secret[32];    /* keys of persons are HMAC-SHA256 under it, cut to 16 bytes */
	uint32_t max_event_bytes;     /* 64 KiB by default */
	uint32_t max_skew_s;          /* how far a publisher's clock may be ahead; 300 */
	uint64_t dedupe_window_ns;    /* 7 days */
	uint64_t dedupe_max;          /* 10,000,000 events */
	uint32_t window;              /* entries of a mailbox held in memory; 4,096 */
	uint32_t max_held;            /* entries behind parked lanes, a mailbox; 100,000 */
	uint64_t look_back_ns;        /* how long an event waits for a link between numbers; 72 h */
	uint32_t max_waiting;         /* events, a mailbox each, that wait so; 100,000 */
	uint64_t lapse_hold_ns;       /* the clock must say so long that a payload is kept no more; 1 h */
};

/* Time is an argument, always. */
struct core_now {
	int64_t real_ns; /* since 1970: agreements, expiry, escalation */
	int64_t mono_ns; /* delays */
};

enum core_outcome_kind { CORE_ACCEPTED = 0, CORE_DUPLICATE = 1, CORE_REFUSED = 2 };

struct core_outcome {
	enum core_outcome_kind kind;
	uint64_t sequence;       /* accepted: its own; duplicate: the first one's */
	enum ttg_error code;     /* refused */
	char text[160];          /* refused: why; names fields, never their content */
	char type[RULES_TYPE_MAX + 1]; /* "" when it is of none that is known */
	uint64_t release_at;     /* may be told to the publisher when durable >= this; 0: at once */
	uint8_t id[16];          /* of the event; not refused */
};

struct core_delivery {
	uint64_t position;
	uint64_t sequence;
	uint32_t attempt;
	const uint8_t *event;    /* bytes of the publisher; redacted: what is granted of them */
	size_t event_bytes;
	bool redacted;
	const uint8_t *person_key; /* CORE_PERSON_KEY bytes or NULL */
	int64_t accepted_ns;
	const char *const *agreements;
	size_t n_agreements;
};

struct core_record {
	uint8_t kind;
	const uint8_t *data;
	size_t len;
};

/*
 * What the core needs of the world, and tells it. `self` is the first argument of each. The
 * broker's implementation journals and sends frames; the simulator's remembers and checks.
 */
struct core_sink {
	void *self;
	/* Appends n records as one: after a crash all of them are there or none; *first the number of the
	   first. TTG_EAGAIN and TTG_ENOSPC refuse the input that wanted them (retryable), TTG_ELIMIT: they
	   are too long for one; TTG_EIO: the broker is stopping. */
	enum ttg_error (*append)(void *self, const struct core_record *records, size_t n, uint64_t *first);
	/* Reads back a record by number, durable or not. Valid until the next read. TTG_ENOENT when
	   retained away, TTG_EAGAIN when it has to be fetched: the core tries again at core_pump(). */
	enum ttg_error (*read)(void *self, uint64_t sequence, uint8_t *kind, const uint8_t **data,
			       size_t *len);
	/* One delivery to the active consumer of a mailbox. False: it cannot take more before this
	   row has left. Called for several in a row. Nothing of the row may leave before flush(),
	   which comes when it is recorded that the row was delivered. */
	bool (*deliver)(void *self, uint64_t consumer, const struct core_delivery *delivery);
	void (*flush)(void *self, uint64_t consumer);
	/* Consent was taken back, a dispute decided, or a person erased: no row that was begun and has not
	   left may leave, its consumer is to be detached. NULL: rows never stay. */
	void (*retracted)(void *self);
	/* Consumer changed between active and standby. */
	void (*attached)(void *self, uint64_t consumer, bool active, uint64_t acknowledged);
	/* Answer to a nack. */
	void (*nacked)(void *self, uint64_t consumer, uint64_t position, bool parked);
	/* For logs and counters; word is a fixed snake_case event, mailbox may be NULL. */
	void (*note)(void *self, const char *word, const char *mailbox, uint64_t sequence);
	/*
	 * Keys that payloads about persons are sealed with; all NULL: they are not. take_key: the number of a
	 * key that is durable and nobody's yet, greater than any before; TTG_EAGAIN, TTG_ENOSPC, TTG_EIO.
	 * seal: event->bytes with event->key into RECORD_SEAL_BYTES more, and the digest that stands for
	 * them in the open. open: sets bytes and n_bytes of a sealed event, valid until the next call;
	 * TTG_EPERM when the key is destroyed or the payload was left out, TTG_ECRYPTO when they do not fit
	 * together.
	 */
	enum ttg_error (*take_key)(void *self, uint64_t *key);
	enum ttg_error (*seal)(void *self, const struct record_event *event, uint8_t *digest,
			       uint8_t *sealed);
	enum ttg_error (*open)(void *self, struct record_event *event);
	/* No function of the sink may call the core. Words of note(): core_broken,
	   delivery_expired, delivery_stopped, delivery_escalated, alert_without_event, lane_parked,
	   mailbox_held_full, record_missing, dead_letter_retried, dead_letter_discarded,
	   deliveries_given_up, give_up_untold, identity_conflict, identity_decided, delivered_late,
	   rules_said_again, payloads_lapsed, referral_overdue, referral_overdue_untold, redelivered,
	   redelivery_ended. */
};

struct core *core_new(const struct core_options *options, const struct core_sink *sink);
void core_free(struct core **core);

/*
 * Rules in force from now on; the caller keeps them alive until the next call. Appends their text and a
 * record of the change, and one for each mailbox seen for the first time. Deliveries in flight whose
 * agreement ended are not repeated; queued ones are dropped when their turn comes.
 */
enum ttg_error core_set_rules(struct core *core, const struct core_now *now,
			      const struct rules *rules);

/* Decides one encoded event from the agency with this key. Never fails: the outcome says all. */
void core_publish(struct core *core, const struct core_now *now, const char *agency,
		  const uint8_t *event, size_t len, struct core_outcome *out);

/* Everything up to this sequence is durable: deliveries of it may go. */
void core_durable(struct core *core, uint64_t sequence);

/*
 * Consumers. `consumer` is a number of the caller's, unique for one attachment.
 *
 * Each delivery uses one credit, whatever becomes of it; only core_credit() gives more (up to
 * 65,536). So a client gives credit back for what it acknowledged, refused or dropped as void.
 *
 * core_attach: TTG_SESSION_MAILBOX (no such mailbox or another agency's: the same answer),
 * TTG_SESSION_LIMIT, TTG_EINVAL (number in use), TTG_ENOMEM. sink.attached() tells the rest.
 * core_detach: what was in flight waits again and will carry a higher attempt; only refusals count
 * towards parking. core_credit: TTG_ENOENT.
 *
 * core_ack: up_to covers what this consumer was given up to there and has not answered; refused,
 * void and parked ones are not covered. TTG_SESSION_POSITION (and nothing is acknowledged) when
 * up_to or a position was never delivered to this consumer, or it is a standby; positions that are
 * settled already are fine. core_nack: the same; a refusal of a delivery that is void already
 * is answered with nacked(parked = false) and not counted, of one that was given up meanwhile with
 * TTG_SESSION_POSITION. Both: TTG_ENOENT for an unknown consumer, TTG_EAGAIN, TTG_ENOSPC, TTG_EIO
 * of the journal: nothing was done, may be repeated.
 */
enum ttg_error core_attach(struct core *core, const struct core_now *now, uint64_t consumer,
			   const char *agency, const char *mailbox, uint32_t credit);
void core_detach(struct core *core, const struct core_now *now, uint64_t consumer);
enum ttg_error core_credit(struct core *core, uint64_t consumer, uint32_t more);
enum ttg_error core_ack(struct core *core, const struct core_now *now, uint64_t consumer,
			uint64_t up_to, const uint64_t *positions, size_t n);
enum ttg_error core_nack(struct core *core, const struct core_now *now, uint64_t consumer,
			 uint64_t position, uint32_t reason, const char *text,
			 uint32_t retry_after_ms);

/*
 * Delivers what can be delivered, retries what is due, escalates, expires; bounded work per call.
 * Returns the mono_ns at which it wants to be called again at the latest (INT64_MAX: on input), or
 * now->mono_ns when there is more to do at once.
 */
int64_t core_pump(struct core *core, const struct core_now *now);

/*
 * Recovery: apply a record read back. TTG_ECORRUPT when it cannot follow the state. May call
 * sink.read() for earlier records, which must answer at once (not TTG_EAGAIN). Kinds from 128 on
 * are not the core's and are stepped over. Call core_durable() with the last one afterwards.
 */
enum ttg_error core_apply(struct core *core, uint64_t sequence, uint8_t kind, const uint8_t *data,
			  size_t len, struct message *message);
/* The state, standing for every record applied so far. Taking an image costs little; its bytes
   (malloc'd) may be made later, by any thread, after the core is gone. */
struct core_image;
enum ttg_error core_image_take(const struct core *core, struct core_image **out);
enum ttg_error core_image_bytes(const struct core_image *image, uint8_t **data, size_t *len);
void core_image_free(struct core_image **image);
enum ttg_error core_snapshot(const struct core *core, uint8_t **data, size_t *len);
enum ttg_error core_restore(struct core *core, const uint8_t *data, size_t len,
			    struct message *message);
/* Last sequence applied; lowest sequence still needed (unacknowledged, parked, in a window). */
uint64_t core_sequence(const struct core *core);
uint64_t core_low_water(const struct core *core);
/* Operator's force: everything unacknowledged below `sequence` is given up; recorded, and told to the
   mailboxes' owners as granted. *given_up gets the number of deliveries. */
enum ttg_error core_give_up(struct core *core, const struct core_now *now, uint64_t sequence,
			    uint64_t *given_up);

/* Views for the operator. */
struct core_mailbox_view {
	const char *id;
	uint64_t queued;        /* not acknowledged, held ones and dead letters included */
	uint64_t in_flight;
	uint64_t parked;        /* dead letters */
	uint64_t held;          /* behind parked lanes */
	uint64_t next_position, acknowledged;
	uint64_t oldest_ns;     /* accepted_ns of the oldest unacknowledged; 0: none */
	uint64_t delivered, acked, nacked, escalated, expired, stopped; /* since start */
	bool has_consumer;
	uint32_t standbys;
};
size_t core_mailbox_count(const struct core *core);
size_t core_referral_count(const struct core *core); /* that are followed */
void core_mailbox_view(const struct core *core, size_t index, struct core_mailbox_view *out);

struct core_dead_letter {
	const char *mailbox;
	uint64_t sequence, position;
	uint8_t event_id[16];
	char type[RULES_TYPE_MAX + 1];
	uint32_t attempts, reason;
	int64_t parked_ns;
	uint64_t behind;        /* events of the same person that wait */
	const char *text;       /* last reason given */
};
/* Calls each() for every dead letter of a mailbox (NULL: all) behind position `after`, in order of
   position, until it returns false. */
void core_dead_letters(struct core *core, const char *mailbox, uint64_t after,
		       bool (*each)(void *arg, const struct core_dead_letter *letter), void *arg);
/*
 * TTG_ENOENT when there is no such dead letter. Retry starts counting refusals again and takes
 * earlier dead letters of the same person in the mailbox along: order holds.
 */
enum ttg_error core_dead_letter_retry(struct core *core, const struct core_now *now,
				      const char *mailbox, uint64_t sequence);
enum ttg_error core_dead_letter_discard(struct core *core, const struct core_now *now,
					const char *mailbox, uint64_t sequence);

/* Sequence an event of this agency (NULL: of any) was accepted under; 0: not known. Another id may, very
   rarely, be taken for it: the record says which event it is. */
uint64_t core_find_event(struct core *core, const char *source, const uint8_t id[16]);

/*
 * Reads a record as history for `trace` and `tail`: what happened, to which mailbox. Views into
 * data. False when the kind is of no interest.
 */
enum core_history_kind {
	CORE_HISTORY_ACCEPTED, CORE_HISTORY_DELIVERED, CORE_HISTORY_ACKED, CORE_HISTORY_NACKED,
	CORE_HISTORY_PARKED, CORE_HISTORY_RETRIED, CORE_HISTORY_DISCARDED, CORE_HISTORY_ESCALATED,
	CORE_HISTORY_EXPIRED, CORE_HISTORY_STOPPED, CORE_HISTORY_RULES, CORE_HISTORY_GIVEN_UP,
	CORE_HISTORY_LATE,      /* as accepted: recipients that were found later */
	CORE_HISTORY_AGAIN,     /* as accepted: a mailbox that is delivered again */
	CORE_HISTORY_REDELIVER, /* that begins or ends, by `who` */
	CORE_HISTORY_DECIDED,   /* about conflict event_sequence, by `who` */
	CORE_HISTORY_CONSULTED, /* person_key, by `who` */
	CORE_HISTORY_ERASED,    /* likewise */
	CORE_HISTORY_LAPSED,    /* what was kept until a moment was destroyed */
};
struct core_history {
	enum core_history_kind kind;
	int64_t at_ns;
	const char *mailbox;        /* NULL for accepted, late and rules */
	uint64_t event_sequence;    /* accepted; nacked, parked, retried, discarded, escalated */
	const uint8_t *event_id;    /* accepted */
	const char *source;         /* accepted: agency */
	char type[RULES_TYPE_MAX + 1];
	const uint8_t *person_key;  /* accepted; NULL: nobody */
	uint64_t signed_at;         /* accepted: sequence of the SIGNED record; 0: it was not signed */
	size_t n_recipients, n_waiting; /* accepted; waiting: more may be found later */
	const char *who;            /* decided, consulted, erased */
	uint32_t attempt, reason;
	uint64_t up_to;             /* acked: position as the consumer said it; given up: sequence */
	const uint64_t *positions;  /* all positions it was about, those under up_to too */
	size_t n_positions;
};
bool core_history_read(const struct core *core, uint64_t sequence, uint8_t kind, const uint8_t *data,
		       size_t len, struct core_history *out);
/* Recipient i of an accepted record: mailbox id and position there. */
bool core_history_recipient(const struct core *core, const struct core_history *history, size_t i,
			    const char **mailbox, uint64_t *position);

#endif
