/* First inputs of the core: the records of short lives, and the snapshots of their ends. */
#include "seeds.h"

#include <string.h>
#include "core/persons.h"
#include "core/record.h"
#include "core/redelivery.h"
#include "core/rules_past.h"
#include "core/rules_text.h"
#include "fuzz.h"
#include "state.h"
#include "support/referral_play.h"

/* The records of this life, and the snapshot of its end. */
static void write_core(const char *folder, const char *name, const struct play *play)
{
	struct seed seed = { .len = 0 };
	uint8_t *snapshot = NULL;
	size_t len = 0;

	for (size_t i = 0; i < play->n_records; i++) {
		put_u8(&seed, play->records[i].kind);
		put_u16(&seed, play->records[i].len);
		put(&seed, play->records[i].data, play->records[i].len);
	}
	write_seed(folder, "core_apply", name, &seed);
	MUST(core_snapshot(play->core, &snapshot, &len) == TTG_OK);
	seed.len = 0;
	put_u8(&seed, 1);
	put(&seed, snapshot, len);
	write_seed(folder, "core_restore", name, &seed);
	free(snapshot);
}

/* A short life of the core. */
static void life_seeds(const char *folder)
{
	struct play *play = play_new(4, 8);

	play_attach(play, BOX_ONESERVICE, 1, 20);
	for (unsigned i = 0; i < 4; i++)
		play_say(play, i == 3 ? TYPE_ARREST : TYPE_RELEASED, i % 3);
	play_settle(play);
	core_ack(play->core, &play->now, 1, 1, NULL, 0);
	core_nack(play->core, &play->now, 1, 2, 5, "no", 0);
	play_settle(play);
	play_wait(play, 120 * PLAY_SECOND);
	play_settle(play);
	core_dead_letter_retry(play->core, &play->now, "oneservice/in",
			       play->n_records > 8 ? 8 : 1);
	core_keep_rules(play->core, &play->now, play->n_records); /* their text, again */
	write_core(folder, "life", play);
	play_free(&play);
}

/* About a man with one number, or two that are his. */
static void say_of(struct play *play, int type, char *first, char *second)
{
	Ttg__ServiceEnrolled enrolled = TTG__SERVICE_ENROLLED__INIT;
	Ttg__Identifier numbers[2], *list[] = { &numbers[0], &numbers[1] };
	char service[] = "service.enrolled", pilot[] = "pilot";
	struct play_event it;

	play_event(play, &it, type, 1);
	for (int i = 0; i < 2; i++) {
		ttg__identifier__init(&numbers[i]);
		numbers[i].value = i == 0 ? first : second;
		numbers[i].kind = strchr(numbers[i].value, '/') ? TTG__IDENTIFIER_KIND__PNC :
								  TTG__IDENTIFIER_KIND__NOMS;
	}
	it.event.assertion = TTG__ASSERTION__FACT;
	it.person.identifiers = list;
	it.person.n_identifiers = second[0] ? 2 : 1;
	it.released.at_liberty = true;
	if (type == TYPE_REFERRAL) {
		enrolled.scheme = pilot;
		it.event.type = service;
		it.event.payload_case = TTG__EVENT__PAYLOAD_SERVICE_ENROLLED;
		it.event.service_enrolled = &enrolled;
	}
	MUST(play_publish(play, &it).kind == CORE_ACCEPTED);
	play_settle(play);
}

static bool take_conflict(void *arg, const struct core_conflict *conflict)
{
	*(struct core_conflict *)arg = *conflict;
	return true;
}

/* Links, what waits for them, a contradiction; decided or not. */
static void person_seeds(const char *folder, bool decide)
{
	char noms[] = "A0001BC", other[] = "A0009BC", pnc[] = "2002/0073319Z", second[] = "1981/0000034U";
	char none[] = "";
	struct play *play = play_new(4, 8);
	struct core_conflict conflict = { 0 };

	rules_free(&play->rules);
	play->rules = fuzz_rules();
	MUST(core_set_rules(play->core, &play->now, play->rules) == TTG_OK);
	play_attach(play, BOX_ONESERVICE, 1, 20);
	say_of(play, TYPE_REFERRAL, noms, none);
	say_of(play, TYPE_ARREST, pnc, none);
	say_of(play, TYPE_RELEASED, noms, pnc); /* the arrest goes, late */
	say_of(play, TYPE_RELEASED, noms, second);
	say_of(play, TYPE_ARREST, second, none);
	say_of(play, TYPE_ARREST, other, none);
	core_conflicts(play->core, take_conflict, &conflict);
	MUST(conflict.sequence != 0);
	if (decide)
		MUST(core_decide(play->core, &play->now, conflict.sequence, conflict.part, true, "me",
				 "looked it up") == TTG_OK);
	play_settle(play);
	write_core(folder, decide ? "decided" : "disputed", play);
	play_free(&play);
}

/* A mailbox that is delivered again, through and under way. */
static void redeliver_seeds(const char *folder)
{
	const struct core_redeliver order = { "oneservice/in", 1, INT64_MIN, "me", "lost" };
	struct play *play = play_new(4, 8);
	uint64_t sequence;

	rules_free(&play->rules);
	play->rules = fuzz_rules();
	MUST(core_set_rules(play->core, &play->now, play->rules) == TTG_OK);
	play_attach(play, BOX_ONESERVICE, 1, 20);
	for (uint64_t round = 0; round < 2; round++) {
		play_say(play, TYPE_RELEASED, 1);
		play_say(play, TYPE_RELEASED, 2);
		play_settle(play);
		MUST(core_ack(play->core, &play->now, 1, 2 + 4 * round, NULL, 0) == TTG_OK);
		MUST(core_redeliver(play->core, &play->now, &order, &sequence) == TTG_OK);
		if (round == 0) {
			play_settle(play);
			MUST(core_ack(play->core, &play->now, 1, 4, NULL, 0) == TTG_OK);
		}
	}
	write_core(folder, "redelivered", play);
	play_free(&play);
}

/* Referrals that are over, answered, and overdue, told or not. */
static void referral_seeds(const char *folder)
{
	struct play *play = play_new(4, 8);
	const int64_t soon_ns = play->now.real_ns + PLAY_SECOND;

	rules_free(&play->rules);
	play->rules = fuzz_rules();
	MUST(core_set_rules(play->core, &play->now, play->rules) == TTG_OK);
	play_attach(play, BOX_DESK, 1, 20);
	referral_move_by(play, "R-1", REFERRAL_TYPE_SENT, soon_ns);
	referral_must_move(play, "R-1", REFERRAL_TYPE_ACKNOWLEDGED);
	play_wait(play, 2 * PLAY_SECOND);
	play_settle(play);
	referral_must_move(play, "R-2", REFERRAL_TYPE_SENT);
	referral_must_move(play, "R-2", REFERRAL_TYPE_DECLINED);
	referral_move_by(play, "R-3", REFERRAL_TYPE_SENT, soon_ns);
	write_core(folder, "referrals", play);
	play_free(&play);
}

void core_seeds(const char *folder)
{
	life_seeds(folder);
	person_seeds(folder, false);
	person_seeds(folder, true);
	referral_seeds(folder);
	redeliver_seeds(folder);
}
