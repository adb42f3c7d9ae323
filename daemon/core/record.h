/*
 * Records: every change of the core's state, as bytes. Each begins with its version (1); integers
 * are LEB128 varints unless a width is named, widths are little-endian. "text" is a varint length
 * and that many bytes, the last of which is NUL, so that a reader may point into the record.
 * "ranges" is a varint count, then for each range of positions: varint distance from the end of the
 * one before (the first: from 0), varint length >= 1; ascending, never touching.
 *
 *   MAILBOX    version u8 | number | text id
 *   RULES      version u8 (2; 1 ends with the grants) | ns u64 | digest 32 bytes | number of grants
 *              | parts of their text right before it | sequence of the RULES record that brought
 *              them into force and whose text is said again (0: this one brings them)
 *   RULES_TEXT version u8 | digest 32 bytes | number of the part, from 0 | number of parts
 *              | lines of rules_text.h, each ended by a line feed: varint length, bytes
 *   EVENT      version u8 | accepted_ns u64 | flags u8 (1: person, 2: waits, 4: changes, 8: sealed,
 *              32: sealed, and not kept for ever)
 *              | urgency u8 | id 16 bytes | key of the number it names 16 bytes if flagged
 *              | expires_ns u64 (0: never) | if flagged 64: sequence of the SIGNED record of its frame
 *              | its place in that, from 0 | text source
 *              | text type | number of recipients, each: mailbox | position | ack within ms
 *              (0: no escalation) | fallback mailbox + 1 (0: none) | number of agreements u8,
 *              each a text | if it waits (waiting.h): number of mailboxes, each: mailbox * 2, + 1 when held
 *              | if flagged changes.h: varint length, bytes
 *              | event: varint length, bytes exactly as published; if sealed instead: number of the key
 *              it is sealed with (never 0) | if flagged seconds since 1970 until which it is kept (never 0)
 *              | digest of its bytes 32 bytes | varint length, bytes as
 *              keystore/payload.h makes them, or none when the payload is left out; in the archive
 *              (strip.h) of one that was not sealed, flagged 16 instead: its leaf's sha256, 32 bytes
 *   DELIVERED  version u8 | ns u64 | mailbox | attempt | ranges
 *   ACK        version u8 | ns u64 | mailbox | up_to as the consumer said | ranges it covered
 *   EXPIRED, STOPPED   version u8 | ns u64 | mailbox | 0 | ranges
 *   NACK       version u8 | ns u64 | mailbox | sequence | position | reason | refusals so far
 *              | retry_after_ms | parked u8 | text
 *   RETRY, DISCARD, ESCALATED   version u8 | ns u64 | mailbox | sequence | position
 *              | deadline_ns u64 (ESCALATED; else 0)
 *   GIVEN_UP   version u8 | ns u64 | sequence | number of mailboxes, each: mailbox
 *              | sequence and position that follow (0: none yet) | deliveries given up
 *   LATE       version u8 | ns u64 | sequence of the EVENT | a whole EVENT again, with the
 *              recipients that were found now, and nothing that waits or changes
 *   REDELIVER, AGAIN   as redelivery.h has them
 *   DECIDED    version u8 | ns u64 | sequence and part of the conflict (identity.h) | accepted u8
 *              | text who | text why
 *   CONSULTED  version u8 | ns u64 | key of the number asked for 16 bytes | text who | text what | text why
 *   ERASED     version u8 | ns u64 | key of the number asked for 16 bytes | text who | text why
 *              | number of keys, each: its owner (keys.h) 16 bytes | number of the key that is destroyed (0:
 *              this owner had none)
 *   LAPSED     version u8 | ns u64 | seconds since 1970: what was kept until then or less is destroyed
 *              | number of keys that are destroyed
 *   REFUSED    version u8 | ns u64 | text agency | text type (empty: of none that is known) | code
 *              | how often
 *   SIGNED     version u8 | ns u64 | text agency | fingerprint of its key 32 bytes | signature 64 bytes
 *              | number of events, each: SHA-256 of its bytes 32 bytes. In front of the first of them that
 *              was accepted
 *   SEAL       version u8 | number | first and last sequence it covers
 *              | what was signed: varint length, bytes | signature 64 bytes
 *   HAND_OVER  the same; first and last are the last sequence of the seal before
 *
 * A record that is longer or shorter than its layout is damaged. Pure functions; encoders fail only
 * when the buffer is too small.
 */
#ifndef TTGD_CORE_RECORD_H
#define TTGD_CORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"
#include "core/ranges.h"
#include "core/rules.h"

#define RECORD_VERSION 1
#define RECORD_MAX (1024u * 1024u)      /* bytes, any kind */
#define RECORD_MAX_RECIPIENTS 512u
#define RECORD_MAX_AGREEMENTS 16u       /* named for one recipient */
#define RECORD_MAX_TEXT 256u
#define RECORD_PERSON_KEY 16u
#define RECORD_ID 16u
#define RECORD_DIGEST 32u
#define RECORD_SEAL_BYTES 32u             /* that a payload is longer by when it is sealed */
#define RECORD_MAX_ERASED 2048u           /* keys in one ERASED, and owners without one */
#define RECORD_RULES_PART (256u * 1024u) /* bytes of the text of rules in one part */
#define RECORD_MAX_PARTS 64u

enum record_kind {
	RECORD_MAILBOX = 1,
	RECORD_RULES = 2,
	RECORD_EVENT = 3,
	RECORD_DELIVERED = 4,
	RECORD_ACK = 5,
	RECORD_NACK = 6,
	RECORD_RETRY = 7,
	RECORD_DISCARD = 8,
	RECORD_ESCALATED = 9,
	RECORD_EXPIRED = 10,
	RECORD_STOPPED = 11,
	RECORD_GIVEN_UP = 12,
	RECORD_SEAL = 13,
	RECORD_LATE = 14,
	RECORD_DECIDED = 15,
	RECORD_CONSULTED = 16,
	RECORD_RULES_TEXT = 17,
	RECORD_ERASED = 18,
	RECORD_REFUSED = 19,
	RECORD_LAPSED = 20,
	RECORD_SIGNED = 21,
	RECORD_HAND_OVER = 22,
	RECORD_REDELIVER = 23,
	RECORD_AGAIN = 24,
	RECORD_FOREIGN = 128, /* this and above are not the core's: it steps over them */
};

struct record_mailbox {
	uint32_t number;
	const char *id;
};

struct record_rules {
	int64_t at_ns;
	const uint8_t *digest;
	uint64_t n_grants;
	uint32_t parts; /* 0: of version 1, without a text */
	uint64_t since; /* 0: they come into force here */
};

struct record_rules_text {
	const uint8_t *digest;
	uint32_t part, n_parts;
	const char *lines;
	size_t len;
};

struct record_recipient {
	uint32_t mailbox;
	uint64_t position;
	uint64_t ack_within_ms;
	uint32_t fallback; /* mailbox number, RULES_NONE */
	uint32_t n_agreements;
	const char *agreements[RECORD_MAX_AGREEMENTS];
};

struct record_event {
	int64_t accepted_ns, expires_ns;
	const uint8_t *id;
	const uint8_t *person_key; /* NULL: nobody */
	uint64_t signed_at;        /* sequence of the SIGNED record; 0: it was not signed */
	uint32_t signed_as;        /* place in that */
	uint8_t urgency;
	const char *source, *type;
	uint32_t n_recipients, n_waiting;
	const uint64_t *waiting;   /* to be encoded: mailbox * 2, + 1 when held */
	const uint8_t *changes;
	size_t n_changes;          /* bytes */
	const uint8_t *bytes;
	size_t n_bytes;            /* of a sealed one 0 until it is opened */
	uint64_t key;              /* it is sealed with; 0: it is not */
	uint64_t until_s;          /* sealed: when that is destroyed, since 1970; 0: not by itself */
	const uint8_t *digest;     /* RECORD_DIGEST bytes, sealed and stripped only */
	const uint8_t *sealed;
	size_t n_sealed;
	struct cursor recipients;  /* decoded: where they begin, and those that wait */
	struct cursor waits;
	const uint8_t *begin, *rest; /* decoded: the EVENT; what follows those that wait */
	uint64_t first;            /* of a LATE or AGAIN: sequence of the EVENT; else 0 */
	uint64_t given;            /* of an AGAIN: sequence of what it repeats; else 0 */
	int64_t routed_ns;         /* when the recipients were found: of an EVENT accepted_ns */
};

struct record_positions {
	int64_t at_ns;
	uint32_t mailbox;
	uint64_t value; /* DELIVERED: attempt; ACK: up_to; else 0 */
};

struct record_nack {
	int64_t at_ns;
	uint32_t mailbox;
	uint64_t sequence, position;
	uint32_t reason, refusals, retry_after_ms;
	bool parked;
	const char *text;
};

struct record_one {
	int64_t at_ns, deadline_ns;
	uint32_t mailbox;
	uint64_t sequence, position;
};

struct record_decided {
	int64_t at_ns;
	uint64_t sequence;
	uint8_t part;
	bool accepted;
	const char *who, *why;
};

struct record_consulted {
	int64_t at_ns;
	const uint8_t *key;
	const char *who, *what, *why;
};

struct record_erased {
	int64_t at_ns;
	const uint8_t *key;
	const char *who, *why;
	uint32_t n_owners;
	struct cursor owners; /* decoded: where they begin */
};

struct record_erased_owner {
	const uint8_t *owner;
	uint64_t key;
};

struct record_lapsed {
	int64_t at_ns;
	uint64_t until_s, keys;
};

struct record_refused {
	int64_t at_ns;
	const char *agency, *type;
	uint32_t code; /* enum ttg_error */
	uint64_t count;
};

struct record_given_up {
	uint32_t mailbox;
	uint64_t next_sequence, next_position, count;
};

void record_put_mailbox(struct cursor *cursor, const struct record_mailbox *it);
void record_put_rules(struct cursor *cursor, const struct record_rules *it);
void record_put_rules_text(struct cursor *cursor, const struct record_rules_text *it);
/* Where digest and payload of a sealed event stand in its record, for the caller to fill; NULL: it is not
   sealed, or did not fit. */
struct record_gap {
	uint8_t *digest, *sealed;
};
/* With it->key the event is sealed: of `bytes`, `digest` and `sealed` nothing is looked at, n_sealed is
   left free. */
struct record_gap record_put_event(struct cursor *cursor, const struct record_event *it,
				   const struct record_recipient *recipients);
/* it->first and routed_ns say which event it is and when. */
struct record_gap record_put_late(struct cursor *cursor, const struct record_event *it,
				  const struct record_recipient *recipients);
/* An AGAIN: the same, and it->given. */
struct record_gap record_put_again(struct cursor *cursor, const struct record_event *it,
				   const struct record_recipient *recipients);
/* What `it` was read from, without changes and payload. */
void record_put_stripped(struct cursor *cursor, const uint8_t *data, const struct record_event *it,
			 const uint8_t digest[RECORD_DIGEST]);
void record_put_decided(struct cursor *cursor, const struct record_decided *it);
void record_put_consulted(struct cursor *cursor, const struct record_consulted *it);
void record_put_erased(struct cursor *cursor, const struct record_erased *it,
		       const struct record_erased_owner *owners);
void record_put_lapsed(struct cursor *cursor, const struct record_lapsed *it);
void record_put_refused(struct cursor *cursor, const struct record_refused *it);
void record_put_positions(struct cursor *cursor, const struct record_positions *it,
			  const struct record_ranges *ranges);
void record_put_nack(struct cursor *cursor, const struct record_nack *it);
void record_put_one(struct cursor *cursor, const struct record_one *it);
void record_put_given_up(struct cursor *cursor, int64_t at_ns, uint64_t sequence,
			 const struct record_given_up *items, size_t n);

/* False: damaged. Views into data. */
bool record_get_mailbox(const uint8_t *data, size_t len, struct record_mailbox *out);
bool record_get_rules(const uint8_t *data, size_t len, struct record_rules *out);
bool record_get_rules_text(const uint8_t *data, size_t len, struct record_rules_text *out);
bool record_get_event(const uint8_t *data, size_t len, struct record_event *out);
bool record_get_late(const uint8_t *data, size_t len, struct record_event *out);
/* EVENT, LATE and AGAIN give an event to mailboxes, each at a position of its own. */
bool record_gives(uint8_t kind);
bool record_get_given(uint8_t kind, const uint8_t *data, size_t len, struct record_event *out);
/* The same out of the archive: of one that was stripped and not sealed there are no bytes, but a digest. */
bool record_get_stripped(uint8_t kind, const uint8_t *data, size_t len, struct record_event *out);
bool record_get_decided(const uint8_t *data, size_t len, struct record_decided *out);
bool record_get_consulted(const uint8_t *data, size_t len, struct record_consulted *out);
bool record_get_erased(const uint8_t *data, size_t len, struct record_erased *out);
void record_next_erased(struct cursor *owners, struct record_erased_owner *out);
bool record_get_lapsed(const uint8_t *data, size_t len, struct record_lapsed *out);
bool record_get_refused(const uint8_t *data, size_t len, struct record_refused *out);
/* Next recipient of an event that was read, n_recipients times. */
void record_next_recipient(struct cursor *recipients, struct record_recipient *out);
/* Ranges are appended to nothing: `ranges` is emptied first. */
bool record_get_positions(const uint8_t *data, size_t len, struct record_positions *out,
			  struct record_ranges *ranges);
bool record_get_nack(const uint8_t *data, size_t len, struct record_nack *out);
bool record_get_one(const uint8_t *data, size_t len, struct record_one *out);
/* *items is malloc'd, NULL when there are none. */
bool record_get_given_up(const uint8_t *data, size_t len, int64_t *at_ns, uint64_t *sequence,
			 struct record_given_up **items, size_t *n);

#endif
