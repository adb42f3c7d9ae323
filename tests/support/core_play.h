/*
 * A stage for tests of the core: a journal in memory whose durability the test moves by hand, rules
 * of a few agencies, events, and consumers that remember what they were given.
 */
#ifndef TEST_CORE_PLAY_H
#define TEST_CORE_PLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/core.h"
#include "core/record.h"
#include "ttg/event.h"

#define PLAY_EVENT_MAX 4096u
#define PLAY_SECOND INT64_C(1000000000)
#define PLAY_NOW (INT64_C(1795000000) * PLAY_SECOND) /* in November 2026 */

struct play_record {
	uint8_t kind;
	uint8_t *data;
	size_t len;
};

struct play_delivery {
	uint64_t consumer, position, sequence;
	uint32_t attempt;
	bool has_person;
	uint8_t person[CORE_PERSON_KEY];
	uint8_t id[16];
	char type[RULES_TYPE_MAX + 1];
	char agreement[RULES_ID_MAX + 1];
	size_t n_agreements;
};

struct play {
	struct core *core;
	struct core_options options;
	struct rules *rules;
	struct core_now now;
	struct play_record *records; /* number n is records[n - 1] */
	size_t n_records, capacity;
	uint64_t durable;
	struct play_delivery *deliveries;
	size_t n_deliveries, capacity_deliveries;
	size_t n_flushed;                /* of the deliveries, those before the last flush */
	unsigned int n_retracted;
	char notes[64][32];
	size_t n_notes;
	uint64_t active, acknowledged;   /* of the last attached() */
	uint64_t nacked_position;
	bool nacked_parked;
	enum ttg_error append_fails, read_fails;
	bool read_once;                  /* a record that is read again is damaged */
	uint64_t read_last;
	uint32_t deliver_room;           /* deliveries still taken; UINT32_MAX: all */
	uint64_t next_id;
	bool keys;                       /* payloads are sealed, by a cipher of play */
	uint64_t next_key, gone[64];     /* keys that are destroyed */
	size_t n_gone;
	uint8_t opened[PLAY_EVENT_MAX];
	void (*on_append)(void *arg, uint64_t sequence, uint8_t kind, const uint8_t *data, size_t len);
	void (*on_deliver)(void *arg, const struct play_delivery *delivery);
	const struct core_delivery *delivered; /* while on_deliver runs */
	void *arg;
};

enum { PLAY_CHARITY = 1, PLAY_ONESERVICE, PLAY_POLICE, PLAY_PRISON };
enum { BOX_CHARITY, BOX_DESK, BOX_ONESERVICE, BOX_POLICE, BOX_PRISON, N_BOXES };
enum { TYPE_ALERT, TYPE_PARKED, TYPE_FUTURE, TYPE_ARREST, TYPE_RELEASED, TYPE_REFERRAL, N_TYPES };
enum { AGREED_ALWAYS, AGREED_LIMITED, N_AGREEMENTS }; /* "always", "limited" */

/* An event to be changed and published; person: number of an invented prisoner, 0: nobody. */
struct play_event {
	Ttg__Event event;
	Ttg__Time occurred, expires;
	Ttg__Person person;
	Ttg__Identifier identifier, *identifiers[1];
	Ttg__PrisonReleased released;
	Ttg__PoliceArrest arrest;
	Ttg__ReferralSent referral;
	uint8_t id[16];
	char noms[16];
	char provider[33];
};

extern const char *const play_agencies[];
/* Ids, and the agency of each, in the order of the ids. */
extern const char *const play_mailboxes[];
extern const uint32_t play_owners[];

size_t play_noted(const struct play *play, const char *word);
/* Add a grant to rules that are not finished, or are finished again. */
void play_grant_publish(struct rules *rules, uint32_t type, uint32_t agency);
struct rules_deliver_grant *play_grant(struct rules *rules, uint32_t type, uint32_t from,
					       uint32_t mailbox, uint32_t agreement);
/*
 * Everybody publishes; releases go to the One Service ("always") and to the police ("limited",
 * which ends an hour after PLAY_NOW), arrests to the One Service with escalation after 60 s to its
 * desk, referrals to the charity they name, notices of parked lanes to the desk.
 */
struct rules *play_rules(bool with_limited);
struct play *play_new(uint32_t window, uint32_t max_held);
struct play *play_new_sealed(uint32_t window, uint32_t max_held);
/* A new empty core on the same journal; the caller frees the old one. */
enum ttg_error play_make_core(struct play *play);
void play_free(struct play **play);
/* Destroys the keys that are to be, as the owner of the key store does when the record is durable. */
void play_destroy(struct play *play);
/* Makes everything durable and pumps until nothing more happens at once. */
void play_settle(struct play *play);
void play_wait(struct play *play, int64_t ns);
/* A restart: records from `keep` on are lost, the rest is applied to a new core. */
void play_restart(struct play *play, uint64_t keep, const uint8_t *snapshot, size_t snapshot_len);
/* Fills an event of this type, from who publishes it. */
void play_event(struct play *play, struct play_event *it, int type, unsigned int person);
/* Bytes of such an event at this time, the next after *next_id; their number. */
size_t play_pack(const struct core_now *now, uint64_t *next_id, int type, unsigned int person,
		 uint8_t out[PLAY_EVENT_MAX]);
/* Publishes as the agency the event names as its source. */
struct core_outcome play_publish(struct play *play, const struct play_event *it);
/* Publishes a plain event that must be accepted; its sequence. */
uint64_t play_say(struct play *play, int type, unsigned int person);
struct core_mailbox_view play_view(const struct play *play, int box);
void play_attach(struct play *play, int box, uint64_t consumer, uint32_t credit);

#endif
