/*
 * A case store as large as the desk has to stand: people of two cohorts with their events, and what
 * is on now, so that no page is empty: releases and boards of the next three weeks, alerts that
 * wait. Prints how many events and people there are.
 *
 * usage: ttg-bench-desk STORE MEN EXTRA: of each cohort, a multiple of 1,000; further contacts of
 * each man
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "base/world.h"
#include "store/store.h"
#include "support/cohorts.h"

#define DAY_NS   INT64_C(86400000000000)
#define COMING   300 /* releases of the next three weeks */
#define ARRESTS  60
#define ROW      5000 /* events in a transaction */
#define WORDS(t) ((char *)(uintptr_t)(t))

struct filling {
	struct store *store;
	uint64_t n;
	struct casefile file;
};

static void give_up(const char *text)
{
	fprintf(stderr, "ttg-bench-desk: %s\n", text);
	exit(1);
}

static void put(void *user, const Ttg__Event *event, const uint8_t *person_key, int64_t kept_ns)
{
	struct filling *filling = user;
	struct message message = { "" };
	enum store_verdict verdict;
	uint8_t *bytes = NULL;
	size_t len = 0;

	if (ttg_event_pack(event, &bytes, &len) != TTG_OK)
		give_up("no memory");
	const struct ttg_delivery delivery = { .mailbox = "one-service/duty",
		                               .position = ++filling->n,
		                               .event = bytes,
		                               .event_bytes = len,
		                               .accepted_ns = kept_ns,
		                               .person_key = person_key };
	if (store_add(filling->store, &delivery, kept_ns, &verdict, &message) != TTG_OK ||
	    (filling->n % ROW == 0 && store_commit(filling->store, &message) != TTG_OK))
		give_up(message.text);
	free(bytes);
	if (filling->n % 100000 == 0)
		fprintf(stderr, "%llu events\n", (unsigned long long)filling->n);
}

/* One event of today about a man of the second cohort's numbers, or about somebody new. */
static void put_now(struct filling *filling, Ttg__Event *event, const char *noms, int64_t now_ns)
{
	Ttg__Identifier number = TTG__IDENTIFIER__INIT;
	Ttg__Identifier *list[] = { &number };
	Ttg__Person person = TTG__PERSON__INIT;
	Ttg__Time occurred = TTG__TIME__INIT;
	uint8_t id[TTG_UUID_BYTES];
	uint8_t key[TTG_PERSON_KEY_BYTES] = { 0xbe };

	if (ttg_uuid_new(id) != TTG_OK)
		give_up("no random numbers");
	number.kind = TTG__IDENTIFIER_KIND__NOMS;
	number.value = number.canonical = WORDS(noms);
	number.validity = TTG__VALIDITY__VALID;
	person.identifiers = list;
	person.n_identifiers = 1;
	snprintf((char *)key + 1, sizeof(key) - 1, "%s", noms);
	occurred.unix_ns = now_ns;
	event->id = (ProtobufCBinaryData){ sizeof(id), id };
	event->source = WORDS(event->payload_case == TTG__EVENT__PAYLOAD_POLICE_ARREST
	                              ? "cambridgeshire-police"
	                              : "hmp-peterborough");
	event->occurred_at = &occurred;
	event->person = &person;
	put(filling, event, key, now_ns);
}

static void put_release(struct filling *filling, unsigned i, const char *noms, int64_t now_ns)
{
	Ttg__PrisonReleaseScheduled release = TTG__PRISON_RELEASE_SCHEDULED__INIT;
	Ttg__PrisonDischargeBoard board = TTG__PRISON_DISCHARGE_BOARD__INIT;
	Ttg__BoardNeed need = TTG__BOARD_NEED__INIT;
	Ttg__BoardNeed *needs[] = { &need };
	Ttg__Event event = TTG__EVENT__INIT;
	char day[11], board_day[11], clock[6];

	instant_to_civil(now_ns + (int64_t)(i % 21) * DAY_NS, day, clock);
	instant_to_civil(now_ns + ((int64_t)(i % 21) - 14) * DAY_NS, board_day, clock);
	release.release_date = day;
	release.release_clock = WORDS("09:00");
	release.prison_code = WORDS("PBI");
	release.gate = WORDS("Main gate");
	release.area = WORDS(i % 3 == 0 ? "Luton" : "Peterborough");
	event.type = WORDS("prison.release_scheduled");
	event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RELEASE_SCHEDULED;
	event.prison_release_scheduled = &release;
	put_now(filling, &event, noms, now_ns);
	if (i % 4 == 0)
		return; /* no board */
	need.category = TTG__NEED_CATEGORY__NEED_ACCOMMODATION;
	need.state = TTG__BOARD_NEED_STATE__BOARD_NEED_STATE_UNMET;
	need.owner = WORDS("housing-authority");
	board.status = TTG__BOARD_STATUS__BOARD_STATUS_SCHEDULED;
	board.board_date = board_day;
	board.board_clock = WORDS("10:00");
	board.prison_code = WORDS("PBI");
	board.release_date = day;
	board.needs = needs;
	board.n_needs = 1;
	event = (Ttg__Event)TTG__EVENT__INIT;
	event.type = WORDS("prison.discharge_board");
	event.payload_case = TTG__EVENT__PAYLOAD_PRISON_DISCHARGE_BOARD;
	event.prison_discharge_board = &board;
	put_now(filling, &event, noms, now_ns);
}

static void put_arrest(struct filling *filling, unsigned i, const char *noms, int64_t now_ns)
{
	Ttg__PoliceArrest arrest = TTG__POLICE_ARREST__INIT;
	Ttg__Event event = TTG__EVENT__INIT;
	char alert[16];

	snprintf(alert, sizeof(alert), "alert-%u", i);
	arrest.alert_id = alert;
	arrest.force_code = WORDS("35");
	arrest.station_name = WORDS("Thorpe Wood");
	event.urgency = TTG__URGENCY__URGENT;
	event.type = WORDS("police.arrest");
	event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
	event.police_arrest = &arrest;
	put_now(filling, &event, noms, now_ns);
}

int main(int argc, char **argv)
{
	struct filling filling = { .n = 0 };
	struct message message = { "" };
	struct store_place place = { .path = argc > 1 ? argv[1] : NULL };
	int64_t now_ns = world_real()->real_ns(world_real()->self);
	unsigned men = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
	char noms[8];

	if (men == 0 || men % 1000 != 0) {
		fprintf(stderr, "usage: ttg-bench-desk STORE MEN EXTRA\n");
		return 2;
	}
	if (store_open(&filling.store, &place, &message) != TTG_OK)
		give_up(message.text);
	casefile_init(&filling.file, put, &filling);
	cohorts_play(&filling.file, men, (unsigned)atoi(argv[3]));
	for (unsigned i = 0; i < COMING; i++) {
		snprintf(noms, sizeof(noms), "B%04uCD", i);
		put_release(&filling, i, noms, now_ns);
		if (i < ARRESTS)
			put_arrest(&filling, i, noms, now_ns);
	}
	if (store_commit(filling.store, &message) != TTG_OK)
		give_up(message.text);
	store_close(&filling.store);
	printf("%llu events, %u people\n", (unsigned long long)filling.n, 2 * men + COMING);
	return 0;
}
