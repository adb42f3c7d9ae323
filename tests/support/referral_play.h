/*
 * Referrals for tests of the core and for the simulator: events of the whole family beside those of
 * core_play.h, and rules by which they go.
 */
#ifndef TTG_TEST_REFERRAL_PLAY_H
#define TTG_TEST_REFERRAL_PLAY_H

#include "support/core_play.h"

enum {
	REFERRAL_TYPE_SENT,
	REFERRAL_TYPE_WITHDRAWN,
	REFERRAL_TYPE_ACKNOWLEDGED,
	REFERRAL_TYPE_ACCEPTED,
	REFERRAL_TYPE_DECLINED,
	REFERRAL_TYPE_ASSIGNED,
	REFERRAL_TYPE_STARTED,
	REFERRAL_TYPE_ENDED,
	REFERRAL_TYPES
};
extern const char *const referral_types[REFERRAL_TYPES];

struct referral_words {
	Ttg__ReferralSent sent;
	Ttg__ReferralWithdrawn withdrawn;
	Ttg__ReferralAcknowledged acknowledged;
	Ttg__ReferralAccepted accepted;
	Ttg__ReferralDeclined declined;
	Ttg__ReferralAssigned assigned;
	Ttg__ReferralStarted started;
	Ttg__ReferralEnded ended;
	Ttg__Time by;
	char type[RULES_TYPE_MAX + 1], source[RULES_ID_MAX + 1];
	char id[65], provider[RULES_ID_MAX + 1], referrer[RULES_ID_MAX + 1];
};

struct referral_said {
	int type;
	const char *source, *id, *provider, *referrer;
	int64_t answer_by_ns; /* of one that is sent; 0: none */
	bool cancelled;       /* of one that ended */
};

/* Makes the event one of a referral; it points into words. */
void referral_say(Ttg__Event *event, struct referral_words *words, const struct referral_said *said);

/*
 * Adds to rules that are not finished: the One Service and the charity, if wanted the police too,
 * publish all of the family. What is sent and withdrawn goes to the charity (and the police) when
 * named as provider, answers to the desk of the One Service when that is named as referrer.
 */
void referral_rules(struct rules *rules, bool with_police);
/* Those of core_play.h with that. */
struct rules *play_referral_rules(void);

/* Consumers of the charity and of the desk. */
#define REFERRAL_CHARITY 1
#define REFERRAL_DESK 2
/* Such rules in force, and both attached; the same play. */
struct play *referral_stage(struct play *play);
/* From the records, or the last snapshot of them; both are attached again. */
void referral_restart(struct play *play, bool with_snapshot);

struct referral_spoken {
	uint8_t id[16];
	struct core_outcome outcome;
};
/* Publishes it, about person 1; corrects: id of the event it supersedes, or NULL. */
struct referral_spoken referral_publish(struct play *play, const struct referral_said *said,
					const uint8_t *corrects);
/* R-1, from the One Service to the charity. */
extern const struct referral_said referral_plain;
/* The next event of a referral like that, from whose turn it is. */
struct core_outcome referral_move_by(struct play *play, const char *id, int type, int64_t answer_by_ns);
struct core_outcome referral_move(struct play *play, const char *id, int type);
void referral_must_move(struct play *play, const char *id, int type);

#endif
