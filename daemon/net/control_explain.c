/*
 * "Who would receive this?": for an event of one type, from one agency or from all that may publish it, what
 * each mailbox would be given and by which agreements; for every other mailbox, the first reason why not. The
 * rules in force are asked, at a moment that may be named; no event is looked at. With a person, conditions
 * are answered by what is known of him now: the moment may be one to come. Answered in slices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>

#include "base/instant.h"
#include "core/persons.h"
#include "net/control_request.h"

#define ALL_OF_IT "*"

struct question {
	struct control_request *request;
	const struct rules *rules;   /* of this slice */
	uint8_t digest[32];          /* of the rules that were asked first */
	uint32_t type, from;         /* from: the present publisher, RULES_NONE for the broker itself */
	uint32_t mailbox;            /* to go on with */
	char only[RULES_ID_MAX + 1]; /* publisher; "": all that may */
	int64_t at_ns;
	bool of_person;              /* asked for `person`: conditions are answered */
	struct core_person person;
	bool any;                    /* somebody may publish it */
};

#define DEMANDS_MAX 4 /* told of one route; what its grants ask for beyond that is "something else" */
#define DEMAND_BYTES (RULES_TYPE_MAX + RULES_ID_MAX + CONDITION_TEXT_MAX + 64)

/* What the grants of one route come to. */
struct finding {
	json_t *agreements;   /* ids of those in force */
	struct mask *mask;    /* their union so far */
	bool whole;
	char demands[DEMANDS_MAX][DEMAND_BYTES]; /* what grants ask for, each once */
	size_t n_demands;
	bool more_demands;    /* than are told */
	bool always;          /* some grant asks for nothing */
	const struct rules_agreement *other; /* one that is not in force */
	const struct rules_deliver_grant *stopped; /* one whose condition the person does not meet */
	bool disputed;
};

json_t *control_fields(const struct mask *mask)
{
	size_t len;
	json_t *json;
	char *text;

	if (!mask)
		return json_string(ALL_OF_IT);
	len = mask_text(mask, NULL, 0);
	text = malloc(len + 1);
	if (!text)
		return NULL;
	mask_text(mask, text, len + 1);
	json = json_string(text);
	free(text);
	return json;
}

/* "when provider_agency names mind, when marked OFFICIAL": what a grant depends on; "": nothing. */
static void demand_text(const struct question *it, const struct rules_deliver_grant *grant,
			char out[DEMAND_BYTES])
{
	const struct rules *rules = it->rules;
	const char *agency = rules->agencies[rules->mailboxes[grant->mailbox].agency].id;
	char condition[CONDITION_TEXT_MAX];
	size_t len = 0;

	out[0] = '\0';
	if (grant->addressed_by[0])
		len += (size_t)snprintf(out, DEMAND_BYTES, "when %s names %s", grant->addressed_by, agency);
	if (rules->agreements[grant->agreement].official_only)
		len += (size_t)snprintf(out + len, DEMAND_BYTES - len, "%swhen marked OFFICIAL",
					len > 0 ? ", " : "");
	if (grant->condition == 0 || it->of_person)
		return;
	condition_text(&rules->conditions[grant->condition - 1], condition);
	snprintf(out + len, DEMAND_BYTES - len, "%swhen %s", len > 0 ? ", " : "", condition);
}

static void add_demand(const struct question *it, const struct rules_deliver_grant *grant,
		       struct finding *found)
{
	char text[DEMAND_BYTES];

	demand_text(it, grant, text);
	if (text[0] == '\0')
		found->always = true;
	for (size_t i = 0; i < found->n_demands; i++)
		if (strcmp(found->demands[i], text) == 0)
			return;
	if (found->n_demands < DEMANDS_MAX)
		strcpy(found->demands[found->n_demands++], text);
	else
		found->more_demands = true;
}

/* Adds what a grant in force gives. False: no memory. */
static bool add_grant(const struct question *it, const struct rules_deliver_grant *grant,
		      struct finding *found)
{
	struct mask *both;

	json_array_append_new(found->agreements,
			      json_string(it->rules->agreements[grant->agreement].id));
	add_demand(it, grant, found);
	if (grant->mask == 0)
		found->whole = true;
	if (found->whole)
		return true;
	both = mask_union(found->mask ? found->mask : it->rules->masks[grant->mask - 1],
			  it->rules->masks[grant->mask - 1]);
	mask_free(&found->mask);
	found->mask = both;
	return both != NULL;
}

static bool passes(const struct question *it, const struct rules_deliver_grant *grant,
		   struct finding *found)
{
	enum core_passes answer;

	if (!it->of_person || grant->condition == 0)
		return true;
	answer = core_person_passes(it->request->net->core, it->at_ns, &it->person, grant);
	found->disputed = found->disputed || answer == CORE_DISPUTED;
	return answer == CORE_PASSES;
}

static bool find(const struct question *it, uint32_t mailbox, struct finding *found)
{
	const struct rules_deliver_grant *grants;
	const size_t n = rules_deliveries(it->rules, it->type, it->from, &grants);

	memset(found, 0, sizeof(*found));
	found->agreements = json_array();
	for (size_t i = 0; i < n; i++) {
		if (grants[i].mailbox != mailbox)
			continue;
		if (!rules_in_force(it->rules, grants[i].agreement, it->at_ns))
			found->other = &it->rules->agreements[grants[i].agreement];
		else if (!passes(it, &grants[i], found))
			found->stopped = &grants[i];
		else if (!add_grant(it, &grants[i], found))
			return false;
	}
	return found->agreements != NULL;
}

/* What it depends on, the demands of different agreements parted by " or "; "": nothing. */
static void tell_demands(const struct finding *found, char *out, size_t room)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < found->n_demands && !found->always; i++)
		len += (size_t)snprintf(out + len, room - len, "%s%s", i > 0 ? " or " : "",
					found->demands[i]);
	if (found->more_demands && !found->always)
		snprintf(out + len, room - len, " or something else");
}

static void tell_stopped(const struct question *it, const struct rules_deliver_grant *grant, char *out,
			 size_t room)
{
	char condition[CONDITION_TEXT_MAX];

	condition_text(&it->rules->conditions[grant->condition - 1], condition);
	snprintf(out, room, "not met: %s", condition);
}

static void tell_reason(const struct question *it, const struct finding *found, json_t *view)
{
	char text[DEMANDS_MAX * (DEMAND_BYTES + 4) + 32];

	if (json_array_size(found->agreements) > 0)
		tell_demands(found, text, sizeof(text));
	else if (found->disputed)
		snprintf(text, sizeof(text), "who the person is is in dispute");
	else if (found->stopped)
		tell_stopped(it, found->stopped, text, sizeof(text));
	else if (found->other)
		snprintf(text, sizeof(text), "agreement %s %s", found->other->id,
			 it->at_ns < found->other->from_ns ? "has not begun" : "has ended");
	else
		snprintf(text, sizeof(text), "no agreement grants it");
	json_object_set_new(view, "reason", json_string(text));
}

static bool answer_mailbox(const struct question *it, uint32_t mailbox)
{
	const char *from = it->from == RULES_NONE ? it->rules->broker :
						    it->rules->agencies[it->from].id;
	struct finding found;
	json_t *view = json_object();
	const bool done = find(it, mailbox, &found);
	const bool granted = done && json_array_size(found.agreements) > 0;

	json_object_set_new(view, "agency", json_string(from));
	json_object_set_new(view, "mailbox", json_string(it->rules->mailboxes[mailbox].id));
	json_object_set_new(view, "receives", json_boolean(granted));
	if (done)
		tell_reason(it, &found, view);
	json_object_set_new(view, "fields",
			    granted ? control_fields(found.whole ? NULL : found.mask) :
				      json_string(""));
	json_object_set_new(view, "agreements", found.agreements);
	mask_free(&found.mask);
	control_item(it->request, view);
	return done;
}

/* The next publisher, from the present one on; false: there is none. */
static bool find_publisher(struct question *it)
{
	if (it->from == RULES_NONE)
		return true;
	for (; it->from < it->rules->n_agencies; it->from++) {
		const char *id = it->rules->agencies[it->from].id;

		if ((it->only[0] == '\0' || strcmp(it->only, id) == 0) &&
		    rules_may_publish(it->rules, it->type, it->from, it->at_ns))
			return true;
	}
	return false;
}

/* One slice of the answer: each publisher with each mailbox may be a great deal. */
static void explain_step(struct control_request *request)
{
	struct question *it = request->job;

	it->rules = request->net->config->rules;
	if (memcmp(it->digest, it->rules->digest, sizeof(it->digest)) != 0) {
		control_end(request, TTG_EAGAIN, "the configuration was loaded again, ask once more");
		return;
	}
	while (find_publisher(it)) {
		for (; it->mailbox < it->rules->n_mailboxes; it->mailbox++, it->any = true) {
			if (control_enough(request))
				return;
			if (!answer_mailbox(it, it->mailbox)) {
				control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
				return;
			}
		}
		if (it->from == RULES_NONE)
			break;
		it->from++;
		it->mailbox = 0;
	}
	control_end(request, it->any ? TTG_OK : TTG_ENOENT, "%s",
		    it->any ? "" : "no agreement in force lets it be published");
}

/* Index of a type that some agreement names; -1 when the request was ended for there being none. */
static int find_type(struct control_request *request, const char *type)
{
	const int found = rules_find_type(request->net->config->rules, type);

	if (found < 0)
		control_end(request, TTG_ENOENT, "%s",
			    ttg_type_find(type) < 0 ? "no such type" :
						      "no agreement names this type, nobody may publish it");
	return found;
}

static void begin(struct control_request *request, int type, const char *only, int64_t at_ns,
		  const struct core_person *person)
{
	const struct rules *rules = request->net->config->rules;
	struct question *it = calloc(1, sizeof(*it));

	if (!it) {
		control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
		return;
	}
	it->request = request;
	memcpy(it->digest, rules->digest, sizeof(it->digest));
	it->type = (uint32_t)type;
	it->from = strncmp(rules->types[type], "broker.", strlen("broker.")) == 0 ? RULES_NONE : 0;
	it->at_ns = at_ns;
	snprintf(it->only, sizeof(it->only), "%s", only ? only : "");
	it->of_person = person != NULL;
	if (person)
		it->person = *person;
	request->job = it;
	request->free_job = free;
	request->step = explain_step;
}

void control_explain(struct control_request *request)
{
	const int64_t now_ns = request->net->world->real_ns(request->net->world->self);
	int64_t at_ns = now_ns;
	const char *type = NULL, *from = NULL, *at = NULL, *person = NULL, *reason = NULL;
	struct core_person found_person;

	if (!control_string(request, "type", true, &type) ||
	    !control_string(request, "from", false, &from) ||
	    !control_string(request, "at", false, &at) ||
	    !control_string(request, "person", false, &person) ||
	    !control_string(request, "reason", person != NULL, &reason))
		return;
	if (at && instant_parse(at, &at_ns) != TTG_OK) {
		control_end(request, TTG_EINVAL, "at must be an instant such as 2026-11-27T09:00:00Z");
		return;
	}
	if (person && at_ns < now_ns) {
		control_end(request, TTG_EINVAL,
			    "at is past: what was known of a person then is not kept; disclosures tells what "
			    "was given");
		return;
	}
	if (from && rules_find_agency(request->net->config->rules, from) < 0) {
		control_end(request, TTG_ENOENT, "no such agency");
		return;
	}
	const int found = find_type(request, type);
	if (found >= 0 && (!person || control_consult(request, person, reason, "explain", &found_person)))
		begin(request, found, from, at_ns, person ? &found_person : NULL);
}
