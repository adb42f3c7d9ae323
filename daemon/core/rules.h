/*
 * What the configuration allows, in the form the core decides with: agencies, keys, mailboxes and
 * the grants of agreements. Built by daemon/config, immutable afterwards, swapped as a whole.
 *
 * Deciding is a look-up by type: grants are sorted by type, then publisher.
 */
#ifndef TTGD_CORE_RULES_H
#define TTGD_CORE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/condition.h"
#include "core/mask.h"

#define RULES_MAILBOX_MAX (2 * RULES_ID_MAX + 1)
#define RULES_TYPE_MAX 64
#define RULES_MAX_AGENCIES 1024
#define RULES_MAX_MAILBOXES 4096
#define RULES_MAX_AGREEMENTS 4096
#define RULES_MAX_GRANTS 65536
#define RULES_FOREVER INT64_MAX
struct rules_key {
	char public_z85[41];
	char label[RULES_ID_MAX + 1]; /* for logs, for example "2026-a" */
	int64_t from_ns, to_ns;       /* valid while from <= now < to */
	bool revoked;
};

#define RULES_SIGNING_KEY 32u  /* bytes of a public Ed25519 key, and of its fingerprint */

struct rules_signing_key {
	char label[RULES_ID_MAX + 1];
	uint8_t public[RULES_SIGNING_KEY];
	uint8_t fingerprint[RULES_SIGNING_KEY]; /* SHA-256 of it */
	int64_t from_ns, to_ns;
	bool revoked;
};

struct rules_range {              /* CIDR; IPv4 is held as ::ffff:a.b.c.d */
	uint8_t address[16];
	uint8_t prefix_bits;      /* 0 to 128 */
};

struct rules_agency {
	char id[RULES_ID_MAX + 1];
	char name[129];
	struct rules_key *keys;
	size_t n_keys;
	struct rules_signing_key *signing_keys; /* sorted by fingerprint; of what it publishes */
	size_t n_signing_keys;
	struct rules_range *ranges; /* none: any address */
	size_t n_ranges;
	uint32_t rate_per_s;        /* events; 0: no limit */
	uint32_t burst;             /* events at once, >= 1 when rate_per_s is set */
	bool links;                 /* what it says of numbers being one man's counts */
	bool asks_states;           /* it may ask what became of its events */
	bool must_sign;             /* what it publishes without a signature is refused */
};

struct rules_mailbox {
	char id[RULES_MAILBOX_MAX + 1]; /* "agency/box" */
	uint32_t agency;                /* index */
	uint32_t max_attempts;          /* refusals before the person's lane parks, >= 1 */
	uint32_t retry_ms;              /* first delay after a refusal, doubled each time */
	uint32_t retry_max_ms;
	uint32_t max_queued;            /* 0: no bound but the disk; reached: publishers get BUSY */
};

/* What a party is to what is shared. */
enum rules_role { RULES_NO_ROLE, RULES_CONTROLLER, RULES_JOINT_CONTROLLER, RULES_PROCESSOR, RULES_ROLES };

struct rules_party {
	uint32_t agency;                /* index */
	enum rules_role role;
};

struct rules_agreement {
	char id[RULES_ID_MAX + 1];
	char title[257];
	int64_t from_ns, to_ns;         /* in force while from <= now < to */
	bool official_only;             /* nothing of a higher marking goes under it */
	bool law_enforcement;           /* who receives is; else another body */
	uint32_t retain_s;              /* what is published under it, and granted to nobody, is kept so
					   long; 0: no end */
	char special_category[257];     /* condition that special category data goes under; "": none named */
	struct rules_party *parties;    /* by agency; owned */
	size_t n_parties;
};

#define RULES_NONE UINT32_MAX

/* Agency may publish the type under the agreement. */
struct rules_publish_grant {
	uint32_t type;                  /* index into types */
	uint32_t agency;
	uint32_t agreement;
};

/* Mailbox receives the type when `from` published it. */
struct rules_deliver_grant {
	uint32_t type;
	uint32_t from;                  /* agency index, or RULES_NONE for the broker itself */
	uint32_t mailbox;
	uint32_t agreement;
	char addressed_by[RULES_TYPE_MAX + 1]; /* "": always; else payload field: mailbox's agency */
	uint32_t mask;                  /* index in masks + 1; 0: the whole event */
	uint32_t condition;             /* index in conditions + 1; 0: none */
	uint32_t retain_s;              /* so long it is kept for this; 0: no end */
	uint32_t ack_within_s;          /* for urgent events; 0: no escalation */
	uint32_t fallback;              /* mailbox index, RULES_NONE when ack_within_s is 0 */
};

struct rules_key_place { /* where the key with this text stands */
	const char *public_z85;
	uint32_t agency, key;
};

struct rules {
	char broker[RULES_ID_MAX + 1];  /* agency id of the broker itself, source of broker.* */

	struct rules_agency *agencies;  /* sorted by id */
	size_t n_agencies;
	struct rules_mailbox *mailboxes; /* sorted by id */
	size_t n_mailboxes;
	struct rules_agreement *agreements; /* sorted by id */
	size_t n_agreements;
	char (*types)[RULES_TYPE_MAX + 1];  /* sorted; every type some grant names */
	size_t n_types;
	struct rules_publish_grant *publish; /* sorted by type, agency, agreement */
	size_t n_publish;
	struct rules_deliver_grant *deliver; /* sorted by type, from, mailbox, agreement */
	size_t n_deliver;
	struct mask **masks;                 /* sorted by type and text; owned */
	size_t n_masks;
	struct condition *conditions;
	size_t n_conditions;
	struct rules_key_place *by_key;      /* sorted; made by rules_finish() */
	size_t n_by_key;
	uint8_t digest[32];             /* SHA-256 over the lines of rules_text() */
};

struct rules *rules_new(void);           /* empty: denies everything; NULL without memory */
void rules_free(struct rules **rules);

/* Sorts everything, remaps indices, fills digest. Called once by whoever built it. */
bool rules_finish(struct rules *rules);

/* Index or -1. */
int rules_find_agency(const struct rules *rules, const char *id);
int rules_find_mailbox(const struct rules *rules, const char *id);
int rules_find_agreement(const struct rules *rules, const char *id);
int rules_find_type(const struct rules *rules, const char *type);
/* Agency and key whose public key this is, valid or not; false when unknown. */
bool rules_find_key(const struct rules *rules, const char *public_z85, uint32_t *agency,
		    uint32_t *key);
bool rules_key_valid(const struct rules_key *key, int64_t now_ns);
/* The agency's signing key with this fingerprint, valid or not; NULL: it has none such. */
const struct rules_signing_key *rules_find_signing_key(const struct rules_agency *agency,
						       const uint8_t fingerprint[RULES_SIGNING_KEY]);
bool rules_signing_key_valid(const struct rules_signing_key *key, int64_t now_ns);
bool rules_address_allowed(const struct rules_agency *agency, const uint8_t address[16]);

/* An agreement in force at now lets agency publish type. */
bool rules_may_publish(const struct rules *rules, uint32_t type, uint32_t agency, int64_t now_ns);

/* Slice of publish[] for this type and publisher. */
size_t rules_publishings(const struct rules *rules, uint32_t type, uint32_t agency,
			 const struct rules_publish_grant **first);
/* Slice of deliver[] for this type and publisher. */
size_t rules_deliveries(const struct rules *rules, uint32_t type, uint32_t from,
			const struct rules_deliver_grant **first);
/* All of deliver[] for this type, whoever publishes it. */
size_t rules_type_deliveries(const struct rules *rules, uint32_t type,
			     const struct rules_deliver_grant **first);
/* The grant of this type, from this publisher, to this mailbox, under this agreement; NULL: none. */
const struct rules_deliver_grant *rules_grant(const struct rules *rules, uint32_t type,
					      uint32_t from, uint32_t mailbox, uint32_t agreement);
/* "joint-controller"; "unstated". */
const char *rules_role_word(enum rules_role role);
/* The agreement of this index is in force at now. */
bool rules_in_force(const struct rules *rules, uint32_t agreement, int64_t now_ns);

#endif
