/*
 * What the operator asks and decides about persons. Numbers are never shown, only their kinds and the opaque
 * key: the broker does not keep them. Who asks must say why, and that he asked is in the journal before he
 * is answered.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/persons.h"
#include "net/control_request.h"

void control_caller(const struct control_request *request, char out[CONTROL_CALLER])
{
	snprintf(out, CONTROL_CALLER, "uid %u", request->uid);
}

bool control_person_named(struct control_request *request, const char *text, const char *reason,
			  struct core_person *out)
{
	const struct core_now now = net_now(request->net);

	if (strlen(reason) < CONTROL_REASON_MIN || strlen(reason) > CONTROL_REASON_MAX) {
		control_end(request, TTG_EINVAL, "reason must have %d to %d bytes", CONTROL_REASON_MIN,
			    CONTROL_REASON_MAX);
		return false;
	}
	memset(out, 0, sizeof(*out)); /* nobody in particular */
	if (text && core_find_person(request->net->core, &now, text, out) != TTG_OK) {
		control_end(request, TTG_EINVAL,
			    "person must be a valid number, for example A1234BC or PNC:1981/0000034U");
		return false;
	}
	return true;
}

bool control_consult(struct control_request *request, const char *text, const char *reason,
		     const char *what, struct core_person *out)
{
	const struct core_now now = net_now(request->net);
	char who[CONTROL_CALLER];
	enum ttg_error error;

	if (!control_person_named(request, text, reason, out))
		return false;
	control_caller(request, who);
	error = core_consult(request->net->core, &now, out, who, what, reason);
	if (error)
		control_end(request, error, "%s", ttg_error_text(error));
	request->wait_durable = core_sequence(request->net->core);
	return error == TTG_OK;
}

static void take_fact(void *arg, const char *what, const char *text)
{
	control_item(arg, json_pack("{s:s, s:s}", "what", what, "text", text));
}

void control_person(struct control_request *request)
{
	const char *text = NULL, *reason = NULL;
	struct core_person person;

	if (!control_string(request, "person", true, &text) ||
	    !control_string(request, "reason", true, &reason) ||
	    !control_consult(request, text, reason, "person.show", &person))
		return;
	if (!person.known) {
		control_end(request, TTG_ENOENT, "nothing is known of this number");
		return;
	}
	control_item(request, json_pack("{s:s, s:o}", "what", "person", "text",
					control_hex(person.person, CORE_PERSON_KEY)));
	core_person_facts(request->net->core, &person, take_fact, request);
	control_end(request, TTG_OK, "%s", "");
}

static bool take_conflict(void *arg, const struct core_conflict *conflict)
{
	char name[32], what[64], numbers[48];

	snprintf(name, sizeof(name), "%llu.%u", (unsigned long long)conflict->sequence, conflict->part);
	snprintf(what, sizeof(what), "%s %s %s", conflict->word, conflict->kinds[0], conflict->kinds[1]);
	snprintf(numbers, sizeof(numbers), "%zu and %zu", conflict->numbers[0], conflict->numbers[1]);
	control_item(arg, json_pack("{s:s, s:o, s:s, s:s, s:s}", "conflict", name, "at",
				    control_time(conflict->at_ns), "what", what, "agencies",
				    conflict->agencies, "numbers", numbers));
	return !control_enough(arg);
}

void control_conflicts(struct control_request *request)
{
	core_conflicts(request->net->core, take_conflict, request);
	control_end(request, control_enough(request) ? TTG_ELIMIT : TTG_OK, "%s",
		    control_enough(request) ? "there are more: decide some of these first" : "");
}

/* "1234.0" */
static bool read_name(const char *text, uint64_t *sequence, unsigned int *part)
{
	char *end = NULL;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*sequence = strtoull(text, &end, 10);
	if (errno != 0 || *end != '.' || end[1] < '0' || end[1] > '9')
		return false;
	*part = (unsigned int)strtoul(end + 1, &end, 10);
	return errno == 0 && *end == '\0';
}

void control_resolve(struct control_request *request)
{
	const char *conflict = NULL, *decision = NULL, *reason = NULL;
	const struct core_now now = net_now(request->net);
	uint64_t sequence = 0;
	unsigned int part = 0;
	char who[CONTROL_CALLER];

	if (!control_string(request, "conflict", true, &conflict) ||
	    !control_string(request, "decision", true, &decision) ||
	    !control_string(request, "reason", true, &reason))
		return;
	const bool accept = strcmp(decision, "accept") == 0;
	if (!read_name(conflict, &sequence, &part) ||
	    (!accept && strcmp(decision, "reject") != 0) || strlen(reason) < CONTROL_REASON_MIN ||
	    strlen(reason) > CONTROL_REASON_MAX) {
		control_end(request, TTG_EINVAL,
			    "conflict must be as listed, decision accept or reject, reason %d to %d bytes",
			    CONTROL_REASON_MIN, CONTROL_REASON_MAX);
		return;
	}
	control_caller(request, who);
	const enum ttg_error error =
		core_decide(request->net->core, &now, sequence, part, accept, who, reason);
	if (error) {
		control_end(request, error, "%s",
			    error == TTG_ENOENT ? "no such conflict is open" : ttg_error_text(error));
		return;
	}
	request->wait_durable = core_sequence(request->net->core);
	control_item(request, json_pack("{s:s, s:s}", "conflict", conflict, "decision", decision));
	control_end(request, TTG_OK, "%s", "");
}
