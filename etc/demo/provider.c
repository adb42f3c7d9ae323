/* The provider's desk. One thread; the state is in the lines. See provider.h. */
#include "provider.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/instant.h"
#include "base/world.h"
#include "cloud.h"

#define LINE_ROOM 131072 /* an event has at most 64 KiB */

struct desk {
	const char *agency;
	FILE *out;
	struct drop *drop;
	struct dice dice;
	char now[INSTANT_TEXT];
};

static const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static json_t *answer_data(const char *referral, const char *agency, const char *referrer)
{
	return json_pack("{s:s,s:s,s:s}", "referral_id", referral, "provider_agency", agency,
	                 "referrer_agency", referrer);
}

/* One answer about the man the referral is about. */
static bool answer(struct desk *desk, const char *type, const json_t *person, const char *noms,
                   json_t *take_data)
{
	char id[37];
	json_t *event = cloud_event(&desk->dice, desk->agency, type, desk->now, "", take_data, id);
	char *line;
	bool fine;

	json_object_set(json_object_get(event, "data"), "person", (json_t *)(uintptr_t)person);
	line = json_dumps(event, JSON_COMPACT);
	fine = line && fprintf(desk->out, "%s\n", line) > 0 && fflush(desk->out) == 0;
	if (fine)
		drop_expect(desk->drop, type, noms);
	free(line);
	json_decref(event);
	return fine;
}

static bool answer_referral(struct desk *desk, const json_t *data)
{
	const char *referral = member(data, "referral_id");
	const char *referrer = member(data, "referrer_agency");
	const json_t *person = json_object_get(data, "person");
	const char *noms =
	        member(json_array_get(json_object_get(person, "identifiers"), 0), "value");
	bool takes_on = crc32c(0, referral, strlen(referral)) % 3 != 0;
	json_t *decision = answer_data(referral, desk->agency, referrer);
	json_t *worker;

	if (!answer(desk, "referral.acknowledged", person, noms,
	            answer_data(referral, desk->agency, referrer))) {
		json_decref(decision);
		return false;
	}
	if (!takes_on) {
		json_object_set_new(decision, "reason", json_string("DECLINE_REASON_NO_CAPACITY"));
		return answer(desk, "referral.declined", person, noms, decision);
	}
	json_object_set_new(decision, "accepted_at", json_string(desk->now));
	if (!answer(desk, "referral.accepted", person, noms, decision))
		return false;
	worker = answer_data(referral, desk->agency, referrer);
	json_object_set_new(worker, "worker",
	                    json_pack("{s:s,s:s}", "name", "A. Marsh", "role", "counsellor"));
	return answer(desk, "referral.assigned", person, noms, worker);
}

bool provider_answer(const char *agency, FILE *in, FILE *out, struct drop *drop)
{
	const struct world *world = world_real();
	struct desk desk = { .agency = agency, .out = out, .drop = drop };
	char *line = malloc(LINE_ROOM);
	bool fine = line != NULL;

	/* Its ids must differ from those of every other run. */
	fine = fine && world->random(world->self, &desk.dice.state, sizeof(desk.dice.state)) >= 0;
	while (fine && fgets(line, LINE_ROOM, in)) {
		json_t *event = json_loads(line, 0, NULL);

		instant_format(world->real_ns(world->self), desk.now);
		fine = json_is_object(event);
		if (fine && strcmp(member(event, "type"), "referral.sent") == 0)
			fine = answer_referral(&desk, json_object_get(event, "data"));
		json_decref(event);
	}
	free(line);
	return fine;
}
