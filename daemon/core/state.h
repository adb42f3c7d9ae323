/*
 * Inside of the core, shared by its files. Nobody else includes this.
 *
 * One way to change state: encode a record into core->buffer, core_commit() it. The sink gives it a
 * number, then the same apply function runs that recovery runs. When applying fails after the
 * record was taken (memory), state no longer follows the records: the core is broken, refuses every
 * input from then on, and the next start rebuilds it.
 */
#ifndef TTGD_CORE_STATE_H
#define TTGD_CORE_STATE_H

#include "core/changes.h"
#include "core/core.h"
#include "core/dedupe.h"
#include "core/digest.h"
#include "core/disclose.h"
#include "core/event.h"
#include "core/gate.h"
#include "core/identity.h"
#include "core/keys.h"
#include "core/mailbox.h"
#include "core/lates.h"
#include "core/pace.h"
#include "core/person.h"
#include "core/record.h"
#include "core/redelivery.h"
#include "core/referrals.h"
#include "core/rules_past.h"
#include "core/sealed.h"
#include "core/timer.h"
#include "core/waiting.h"

#define CORE_SCAN_PER_PUMP 1000u      /* records read for backlogs, all mailboxes together */
#define CORE_SCAN_BESIDE_LIVE 256u    /* the same while a pace holds */
#define CORE_DELIVER_PER_MAILBOX 1024u /* deliveries of one mailbox in one row */
#define CORE_DELIVER_PER_PUMP 8192u
#define CORE_TIMERS_PER_PUMP 256u
#define CORE_MAX_CONSUMERS 16384u
#define CORE_MAX_STANDBYS 63u
#define CORE_MAX_CREDIT 65536u
#define CORE_MAX_ACK_POSITIONS 65536u
#define CORE_LATE_PER_PUMP 256u       /* events asked again */
#define CORE_RETRY_READ_NS 2000000    /* when a record has to be fetched, look again after 2 ms */

struct attachment {
	uint64_t consumer;
	uint32_t mailbox;
};
struct core {
	struct core_options options;
	char broker[RULES_ID_MAX + 1];
	struct core_sink sink;
	const struct rules *rules;       /* NULL before the first core_set_rules() */
	uint8_t rules_digest[RECORD_DIGEST]; /* of the last RULES record */
	struct rules_past past;          /* which rules were in force when */
	uint32_t *by_rule;               /* mailbox number of each mailbox in the rules */
	uint64_t stable_since;           /* events after it were accepted under the rules in force */
	int64_t stable_from_ns;          /* real time when that was noted */
	int64_t stable_until_ns;         /* when the next agreement ends */

	struct mailbox **mailboxes;      /* by number */
	size_t n_mailboxes;
	struct attachment *attachments;
	size_t n_attachments;
	uint32_t *ready;                 /* numbers of mailboxes to look at; room for all */
	size_t n_ready;

	uint64_t sequence, durable;
	bool broken;
	struct sealed sealed;            /* the last seal recorded */
	struct dedupe *dedupe;
	struct identity *identity;       /* who is who, and what is known of him */
	struct referrals *referrals;     /* how far they came */
	struct waiting waiting;
	struct lates lates;
	struct redeliveries redeliveries;
	struct readers *readers;
	struct keys keys;                /* whose payloads are sealed with which */
	uint64_t key_at_hand;            /* taken from the sink, and nobody's yet if above keys.highest */
	uint64_t erased_at;              /* sequence of the newest record by which keys go */
	uint64_t lapse_s;                /* what was due then lapses when the hold has passed; 0: nothing */
	int64_t lapse_seen_ns;           /* mono_ns when that was noted */
	int64_t newest_ns;               /* latest acceptance recorded: what has waited too long */
	bool ask_custody, ask_risk, ask_area; /* some condition in force does; else it is not kept */
	struct timers timers;
	struct pace pace;
	struct hmac *hmac;
	uint8_t sip_key[SIPHASH_KEY_BYTES];
	struct fields *fields;
	struct disclose *disclose;

	uint8_t *buffer;                       /* RECORD_MAX bytes: the record being made */
	struct record_recipient *recipients;   /* likewise: RECORD_MAX_RECIPIENTS, of an event */
	uint64_t waits[RECORD_MAX_RECIPIENTS]; /* of the event being made, as its record has them */
	uint8_t changes[CHANGES_BYTES_MAX];    /* likewise */
	struct record_ranges ranges;           /* positions of the record being made */
	struct record_ranges applied;          /* positions of the record being applied */
	struct history_scratch *history;       /* behind what core_history_read() returns */
};

/* apply.c: number and apply what stands in core->buffer up to the cursor. TTG_EAGAIN, TTG_ENOSPC,
   TTG_EIO of the sink; TTG_ELIMIT when it did not fit; TTG_EIO when the core broke. */
enum ttg_error core_commit(struct core *core, const struct core_now *now, enum record_kind kind,
			   const struct cursor *cursor, uint64_t *sequence);
/* The same of several that belong together, wherever their bytes stand; *first of the first. */
enum ttg_error core_commit_all(struct core *core, const struct core_now *now,
			       const struct core_record *records, size_t n, uint64_t *first);
void core_begin_record(struct core *core, struct cursor *cursor);
/* now: NULL at recovery. */
enum ttg_error core_apply_record(struct core *core, const struct core_now *now, uint64_t sequence,
				 uint8_t kind, const uint8_t *data, size_t len,
				 struct message *message);
struct mailbox *core_add_mailbox(struct core *core, const char *id);

/* backlog.c: reads on until the window is full (until: 0) or position `until` is in memory. Stops
   when *budget records were read: TTG_EAGAIN. TTG_ENOENT, TTG_ECORRUPT, TTG_EIO, TTG_ENOMEM. */
enum ttg_error core_fill(struct core *core, struct mailbox *mailbox, uint64_t until,
			 uint64_t *budget);
bool core_mailbox_has_room(const struct core *core, const struct mailbox *mailbox);
/* Reads one record that gives an event to mailboxes, and its recipient entry for this mailbox (NULL: not
   wanted). Views valid until the next read. TTG_ECORRUPT when it is something else. */
enum ttg_error core_read_event(const struct core *core, uint64_t sequence, uint32_t mailbox,
			       struct record_event *event, struct record_recipient *recipient);
/* The entry for this mailbox of such a record that was read. TTG_ENOENT: it is not for it. */
enum ttg_error core_recipient_of(uint8_t kind, const uint8_t *data, size_t len, uint32_t mailbox,
				 struct record_recipient *out);
bool core_find_recipient(const struct record_event *event, uint32_t mailbox, struct record_recipient *out);
/* What was chosen for delivery and has not left does not leave. */
void core_retract(struct core *core);
void core_wake(struct core *core, struct mailbox *mailbox); /* the next pump looks at it */
/* core.c; NULL: there is none. */
struct mailbox *core_find_mailbox(const struct core *core, const char *id);
/* To be called with each input that looks at agreements. */
void core_watch_clock(struct core *core, const struct core_now *now);

/* publish.c; a marking that is not set counts as the higher one. */
bool core_marking_fits(const struct rules_agreement *agreement, int32_t marking);
uint64_t core_fingerprint(const struct core *core, const char *source, const uint8_t *id);

/* notice.c: events of the broker itself. Already there (a crash came between): TTG_OK. */
enum ttg_error core_notify_parked(struct core *core, const struct core_now *now,
				  const struct mailbox *mailbox, const struct entry *entry,
				  uint32_t reason, const char *text);
/* What the operator gave up in one mailbox; told when it is recorded. */
struct core_loss {
	uint64_t count, from_position, before_position;
};
enum ttg_error core_notify_given_up(struct core *core, const struct core_now *now,
				    const struct mailbox *mailbox, uint64_t below,
				    const struct core_loss *loss);
/* Escalates what is due; *next_ns: real time of the next deadline. */
enum ttg_error core_run_timers(struct core *core, const struct core_now *now, bool *more);

/* deliver.c */
struct pump_budget {
	uint64_t scan, deliver;
	uint64_t backlog;          /* deliveries of mailboxes that catch up */
	struct mailbox *left_out;  /* the first of them that got nothing */
	bool held_back;            /* one of them would have had more */
	bool more, fetching;       /* there is work left for at once; a record is being fetched */
};
enum ttg_error core_pump_mailbox(struct core *core, const struct core_now *now,
				 struct mailbox *mailbox, struct pump_budget *budget);
/*
 * Asks again, with the rules of now, under which agreements this may go to the mailbox, and leaves
 * those in recipient. An addressed grant counts only if it was one of those it was accepted for.
 * `sequence` is the EVENT's. `again`: it goes once more; its conditions must hold as if it came now.
 */
void core_recheck(const struct core *core, const struct core_now *now, const struct mailbox *mailbox,
		  uint64_t sequence, bool again, const struct record_event *event,
		  struct record_recipient *recipient);
/* Records what was delivered and is not recorded yet. */
enum ttg_error core_log_row(struct core *core, const struct core_now *now, struct mailbox *mailbox);

enum ttg_error core_apply_seal(struct core *core, uint64_t sequence, const uint8_t *data, size_t len);
enum ttg_error core_apply_hand_over(struct core *core, uint64_t sequence, const uint8_t *data, size_t len);
struct history_scratch *history_new(void); /* history.c */
void history_free(struct history_scratch **scratch);

#endif
