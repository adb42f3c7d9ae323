/* See asides.h. */
#include "net/asides.h"

#include <stdio.h>
#include <string.h>

#include "core/record.h"
#include "core/redelivery.h"

json_t *asides_line(const struct asked *it, const char *what, int64_t at_ns)
{
	if (at_ns < it->since_ns || at_ns >= it->until_ns)
		return NULL;
	return json_pack("{s:s, s:o}", "what", what, "at", control_time(at_ns));
}

bool asides_concern(const struct asked *it, const char *source, const char *mailbox)
{
	const size_t len = strlen(it->agency);

	return len == 0 || strcmp(source, it->agency) == 0 ||
	       (strncmp(mailbox, it->agency, len) == 0 && mailbox[len] == '/');
}

bool asides_consulted(const struct asked *it, const uint8_t *data, size_t len)
{
	static const uint8_t nobody[RECORD_PERSON_KEY] = { 0 };
	struct record_consulted one;
	char text[2 * (RECORD_MAX_TEXT + 1) + 3];
	json_t *line;

	if (!record_get_consulted(data, len, &one))
		return false;
	if (it->agency[0] != '\0' ||
	    (it->of_person && !core_person_is(it->request->net->core, &it->person, one.key)) ||
	    !(line = asides_line(it, "consulted", one.at_ns)))
		return true;
	snprintf(text, sizeof(text), "%s%s%s", one.what, it->reasons ? ": " : "",
		 it->reasons ? one.why : "");
	json_object_set_new(line, "who", json_string(one.who));
	json_object_set_new(line, "person_key", memcmp(one.key, nobody, sizeof(nobody)) != 0 ?
							control_hex(one.key, RECORD_PERSON_KEY) :
							json_null());
	json_object_set_new(line, "text", json_string(text));
	control_item(it->request, line);
	return true;
}

bool asides_decided(const struct asked *it, const uint8_t *data, size_t len)
{
	struct record_decided one;
	json_t *line;

	if (!record_get_decided(data, len, &one))
		return false;
	if (it->of_person || it->agency[0] != '\0' || !(line = asides_line(it, "decided", one.at_ns)))
		return true;
	json_object_set_new(line, "who", json_string(one.who));
	json_object_set_new(line, "sequence", json_integer((json_int_t)one.sequence));
	json_object_set_new(line, "outcome", json_string(one.accepted ? "accepted" : "rejected"));
	json_object_set_new(line, "text", json_string(it->reasons ? one.why : ""));
	control_item(it->request, line);
	return true;
}

bool asides_erased(const struct asked *it, const uint8_t *data, size_t len)
{
	struct record_erased one;
	json_t *line;

	if (!record_get_erased(data, len, &one))
		return false;
	if (it->agency[0] != '\0' ||
	    (it->of_person && !core_person_is(it->request->net->core, &it->person, one.key)) ||
	    !(line = asides_line(it, "erased", one.at_ns)))
		return true;
	json_object_set_new(line, "who", json_string(one.who));
	json_object_set_new(line, "person_key", control_hex(one.key, RECORD_PERSON_KEY));
	json_object_set_new(line, "text", json_string(it->reasons ? one.why : ""));
	control_item(it->request, line);
	return true;
}

/* Of persons many, and told of none: the events tell until when they were kept. */
bool asides_lapsed(const struct asked *it, const uint8_t *data, size_t len)
{
	struct record_lapsed one;
	char text[64];
	json_t *line;

	if (!record_get_lapsed(data, len, &one))
		return false;
	if (it->of_person || it->agency[0] != '\0' || !(line = asides_line(it, "lapsed", one.at_ns)))
		return true;
	snprintf(text, sizeof(text), "%llu keys", (unsigned long long)one.keys);
	json_object_set_new(line, "text", json_string(text));
	control_item(it->request, line);
	return true;
}

bool asides_redeliver(const struct asked *it, const uint8_t *data, size_t len)
{
	static const char *const words[] = { [REDELIVER_BEGIN] = "begun", [REDELIVER_STOP] = "stopped",
					     [REDELIVER_THROUGH] = "through" };
	struct record_redeliver one;
	struct core_mailbox_view view;
	const struct core *core = it->request->net->core;
	json_t *line;

	if (!record_get_redeliver(data, len, &one) || one.mailbox >= core_mailbox_count(core))
		return false;
	core_mailbox_view(core, one.mailbox, &view);
	if (it->of_person || !asides_concern(it, "", view.id) ||
	    !(line = asides_line(it, "redelivery", one.at_ns)))
		return true;
	json_object_set_new(line, "to", json_string(view.id));
	json_object_set_new(line, "who", json_string(one.who));
	json_object_set_new(line, "outcome", json_string(words[one.what]));
	json_object_set_new(line, "text", json_string(it->reasons ? one.why : ""));
	control_item(it->request, line);
	return true;
}

bool asides_refused(const struct asked *it, const uint8_t *data, size_t len)
{
	struct record_refused one;
	json_t *line;

	if (!record_get_refused(data, len, &one))
		return false;
	if (it->of_person || !asides_concern(it, one.agency, "") ||
	    !(line = asides_line(it, "refused", one.at_ns)))
		return true;
	json_object_set_new(line, "type", json_string(one.type));
	json_object_set_new(line, "from", json_string(one.agency));
	json_object_set_new(line, "attempts", json_integer((json_int_t)one.count));
	json_object_set_new(line, "outcome", json_string(ttg_error_name((enum ttg_error)one.code)));
	control_item(it->request, line);
	return true;
}

void asides_missing(const struct asked *it, uint64_t first, uint64_t last)
{
	char text[128];

	snprintf(text, sizeof(text), "records %llu to %llu are neither in the archive nor in the journal",
		 (unsigned long long)first, (unsigned long long)last);
	control_item(it->request, json_pack("{s:s, s:n, s:I, s:s}", "what", "missing", "at", "sequence",
					    (json_int_t)first, "text", text));
}
