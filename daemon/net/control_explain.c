/*
 * "Who would receive this?": for an event of one type, from one agency or from all that may publish it, what
 * each mailbox would be given and by which agreements; for every other mailbox, the first reason why not. The
 * rules in force are asked, at a moment that may be named. Answered at once; no event is looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>

#include "base/instant.h"
#include "net/control_request.h"

#define ALL_OF_IT "*"

struct question {
	struct control_request *request;
	const struct rules *rules;
	uint32_t type, from; /* from: RULES_NONE for the broker itself */
	int64_t at_ns;
};

/* What the grants of one route come to. */
struct finding {
	json_t *agreements;   /* ids of those in force */
	struct mask *mask;    /* their union so far */
	bool whole;
	const char *addressed; /* a field that has to name the mailbox's agency; NULL: none */
	bool always;          /* some grant does not ask for that */
	bool any_marking;     /* some grant is good for every marking */
	const struct rules_agreement *other; /* one that is not in force */
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

/* Adds what a grant in force gives. False: no memory. */
static bool add_grant(const struct question *it, const struct rules_deliver_grant *grant,
		      struct finding *found)
{
	struct mask *both;

	json_array_append_new(found->agreements,
			      json_string(it->rules->agreements[grant->agreement].id));
	if (grant->addressed_by[0])
		found->addressed = grant->addressed_by;
	else
		found->always = true;
	if (!it->rules->agreements[grant->agreement].official_only)
		found->any_marking = true;
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

static bool find(const struct question *it, uint32_t mailbox, struct finding *found)
{
	const struct rules_deliver_grant *grants;
	const size_t n = rules_deliveries(it->rules, it->type, it->from, &grants);

	*found = (struct finding){ .agreements = json_array() };
	for (size_t i = 0; i < n; i++) {
		if (grants[i].mailbox != mailbox)
			continue;
		if (!rules_in_force(it->rules, grants[i].agreement, it->at_ns))
			found->other = &it->rules->agreements[grants[i].agreement];
		else if (!add_grant(it, &grants[i], found))
			return false;
	}
	return found->agreements != NULL;
}

/* "when provider_agency names mind, when marked OFFICIAL": what it depends on; "": nothing. */
static void tell_conditions(const struct question *it, uint32_t mailbox, const struct finding *found,
			    char *out, size_t room)
{
	const char *agency = it->rules->agencies[it->rules->mailboxes[mailbox].agency].id;
	size_t len = 0;

	out[0] = '\0';
	if (!found->always)
		len = (size_t)snprintf(out, room, "when %s names %s", found->addressed, agency);
	if (!found->any_marking)
		snprintf(out + len, room - len, "%swhen marked OFFICIAL", len > 0 ? ", " : "");
}

static void tell_reason(const struct question *it, uint32_t mailbox, const struct finding *found,
			json_t *view)
{
	char text[RULES_TYPE_MAX + RULES_ID_MAX + 64];

	if (json_array_size(found->agreements) > 0)
		tell_conditions(it, mailbox, found, text, sizeof(text));
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
		tell_reason(it, mailbox, &found, view);
	json_object_set_new(view, "fields",
			    granted ? control_fields(found.whole ? NULL : found.mask) :
				      json_string(""));
	json_object_set_new(view, "agreements", found.agreements);
	mask_free(&found.mask);
	control_item(it->request, view);
	return done;
}

static bool answer(const struct question *it)
{
	for (uint32_t i = 0; i < it->rules->n_mailboxes; i++) {
		if (!answer_mailbox(it, i))
			return false;
	}
	return true;
}

/* All that may publish it then, or the one that was named. */
static bool answer_all(struct question *it, const char *only, bool *any)
{
	if (strncmp(it->rules->types[it->type], "broker.", 7) == 0) {
		it->from = RULES_NONE;
		*any = true;
		return answer(it);
	}
	for (it->from = 0; it->from < it->rules->n_agencies; it->from++) {
		const char *id = it->rules->agencies[it->from].id;

		if ((only && strcmp(only, id) != 0) ||
		    !rules_may_publish(it->rules, it->type, it->from, it->at_ns))
			continue;
		*any = true;
		if (!answer(it))
			return false;
	}
	return true;
}

void control_explain(struct control_request *request)
{
	const struct rules *rules = request->net->config->rules;
	struct question question = {
		.request = request, .rules = rules,
		.at_ns = request->net->world->real_ns(request->net->world->self),
	};
	const char *type = NULL, *from = NULL, *at = NULL;
	bool any = false;

	if (!control_string(request, "type", true, &type) ||
	    !control_string(request, "from", false, &from) ||
	    !control_string(request, "at", false, &at))
		return;
	if (at && instant_parse(at, &question.at_ns) != TTG_OK) {
		control_end(request, TTG_EINVAL, "at must be an instant such as 2026-11-27T09:00:00Z");
		return;
	}
	if (from && rules_find_agency(rules, from) < 0) {
		control_end(request, TTG_ENOENT, "no such agency");
		return;
	}
	const int found = rules_find_type(rules, type);
	if (found < 0) {
		control_end(request, TTG_ENOENT, "%s",
			    ttg_type_find(type) < 0 ? "no such type" :
						      "no agreement names this type, nobody may publish it");
		return;
	}
	question.type = (uint32_t)found;
	if (!answer_all(&question, from, &any))
		control_end(request, TTG_ENOMEM, "no memory");
	else
		control_end(request, any ? TTG_OK : TTG_ENOENT, "%s",
			    any ? "" : "no agreement in force lets it be published");
}
