/*
 * What must hold. The model keeps every record that the journal took, byte for byte, and reads from
 * them alone what each mailbox must look like; it knows every event that was published and what
 * anybody was told about it. Everything the broker says and does is compared with that.
 */
#ifndef TTG_SIM_MODEL_H
#define TTG_SIM_MODEL_H

#include "core/core.h"
#include "sim/again.h"
#include "sim/life.h"
#include "sim/notices.h"
#include "sim/referred.h"
#include "sim/who.h"

enum fact_state { FACT_PENDING = 0, FACT_DEAD, FACT_SETTLED };

struct fact { /* about one position of a mailbox */
	uint64_t sequence; /* of the record that gave it out */
	uint64_t first;    /* of the event; an earlier one when it came late */
	int event;
	int number;        /* who.h: as the event names the person */
	bool has_person;
	uint64_t key; /* its payload is sealed with; 0: it is not */
	uint8_t person[CORE_PERSON_KEY];
	uint8_t told[CORE_PERSON_KEY]; /* what the person was called when it was delivered */
	bool was_told, renamed;        /* ever; and later by another name */
	enum fact_state state;
	bool dropped;             /* settled without an acknowledgement, for a good reason */
	uint64_t ended_by;        /* number of the record that settled it */
	uint64_t acknowledged_by; /* the consumer that did, 0: dropped, or before a recovery */
	uint32_t refusals;
	uint32_t deliveries; /* recorded */
	uint64_t holder;     /* consumer it is in flight to, 0: none */
	int64_t deadline_ns; /* 0: none */
	bool escalated;
	int64_t routed_ns;   /* when it was given to the mailbox */
	bool again, excused; /* again.h: it is a repeat; it may be passed over */
};

struct box {
	char id[RULES_MAILBOX_MAX + 1];
	int play;           /* index in play_mailboxes */
	struct fact *facts; /* by position - 1 */
	size_t n, capacity;
	size_t n_open, n_dead;
	uint64_t active; /* consumer, 0: none */
	struct again redelivery;
};

struct said { /* an event, published by an agency or made by the broker */
	uint8_t id[16];
	uint8_t *bytes, *part; /* part: what the police get; NULL: all of it */
	size_t len, part_len;
	int type;  /* of core_play.h, -1: the broker's own */
	int actor; /* -1: the broker */
	unsigned int person;
	int numbers[2];     /* who.h: as it names the person, the best first; -1: none */
	int referral, move; /* referred.h: which one, and its type; -1: of none */
	bool cancelled, wrong; /* ended and never began; from who may not say it */
	int64_t by_ns;      /* sent, to be answered by then; 0: no limit */
	int64_t expires_ns; /* 0: never */
	uint64_t sequence;  /* in the records as they stand; 0: not there */
	uint64_t key;       /* it is sealed with there; 0: it is not */
	bool open;          /* the client took it and has not told what became of it */
	bool forgotten;     /* lost with a client that had no outbox */
	bool refused;       /* at least once, so its place in the order is not promised */
	bool restored_away; /* accepted, but the operator went back behind it */
	bool handled[N_BOXES], seen[N_BOXES];
	uint32_t attempts[N_BOXES]; /* the highest that was told */
};

struct record {
	uint8_t kind;
	uint8_t *data;
	size_t len;
};

struct gone { /* a key that was to be destroyed, in any journal there was */
	uint64_t key;
	bool recorded; /* by a record that is there still */
};

struct kept { /* a key that is good until then */
	uint64_t key, until_s;
};

struct saved { /* a snapshot as it was handed to the journal */
	uint64_t sequence;
	uint8_t *data;
	size_t len;
};

struct model {
	struct record *records; /* number n is records[n - 1] */
	size_t n_records, records_room;
	struct box *boxes; /* by number */
	size_t n_boxes;
	struct said *events;
	size_t n_events, events_room;
	int slots[4096]; /* event + 1 by hash of its id */
	struct saved *saved;
	size_t n_saved;
	uint64_t applied; /* number of the last record looked at */
	uint64_t durable; /* the journal said so */
	uint64_t first;   /* the oldest record it held when that was looked at last */
	uint64_t told;    /* somebody was told something that rests on it */
	bool limited;     /* rules in force: "limited" is granted, until: */
	int64_t limited_until_ns;
	bool by_operator; /* a discard or giving up is under way */
	struct who who;
	struct referred referred[REFERRED_MAX];
	struct owed owed[OWED_MAX];
	size_t n_owed;
	uint32_t max_queued[N_BOXES]; /* rules in force; 0: no matter */
	uint64_t *sealed;             /* fingerprints of keys and nonces that were used */
	size_t n_sealed;
	uint64_t digest; /* of all records ever taken */
	struct gone *erased;
	size_t n_erased;
	struct kept *kept; /* keys that have an end */
	size_t n_kept;
	uint64_t lapsed_s; /* what was kept until then or before is gone */
};

struct model *model_new(void);
void model_free(struct model **model);

/* An event that a client takes on. Takes the bytes over. */
int model_say(struct model *model, const struct said *event);
int model_find(const struct model *model, const uint8_t id[16]);
/* These are the bytes that a mailbox (of core_play.h) is granted of an event. */
bool said_is(const struct said *said, int box, const uint8_t *bytes, size_t len);
struct box *model_box(struct model *model, const char *id);

/* The journal took a record. */
void model_append(struct model *model, uint64_t sequence, uint8_t kind, const uint8_t *data,
                  size_t len);
/* The journal gave a record back. */
void model_read(const struct model *model, uint64_t sequence, uint8_t kind, const uint8_t *data,
                size_t len);
/* The records up to this one are what is left. `restored`: by the operator's will. */
void model_recovered(struct model *model, uint64_t last, bool restored);
void model_snapshot(struct model *model, uint64_t sequence, const void *data, size_t len);

/* Something is encrypted: never twice with the same key and nonce. */
void model_seal(struct model *model, const uint8_t *key, size_t key_bytes, uint64_t nonce);

/* The core decides to deliver. */
void model_deliver(struct model *model, uint64_t consumer, const struct core_delivery *delivery);
/* A frame with this delivery leaves the broker. */
void model_leaves(struct model *model, const char *mailbox, uint64_t position, uint32_t attempt);
void model_attached(struct model *model, const char *mailbox, uint64_t consumer);
void model_detached(struct model *model, uint64_t consumer);
/* The core judged an event, the broker says so, the client hears it. */
void model_judged(struct model *model, const uint8_t *bytes, size_t len,
                  const struct core_outcome *outcome);
void model_say_sequence(struct model *model, uint64_t sequence);

/* The state of the core and of the model, compared. */
void model_compare(struct model *model, struct core *core);
/* Deadlines of escalation that may have to be remembered. */
size_t model_deadlines(const struct model *model);
/* After a step that could do all it wanted: nothing is overdue. */
void model_check_deadlines(const struct model *model, int64_t real_ns);
/* Nothing is open any more. */
bool model_is_quiet(const struct model *model);
void model_check_end(const struct model *model);
/* A second core, made of the saved snapshot (0: none) and the records, has the same bytes. */
void model_check_recovery(struct model *model, struct core *core, uint64_t snapshot,
                          const struct core_options *options);
/* Fingerprint of the state's bytes. */
uint64_t model_digest_core(const struct core *core);

#endif
