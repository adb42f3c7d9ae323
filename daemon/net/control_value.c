/* Arguments in, values out: the JSON forms docs/control.md promises. */
#include <stdio.h>
#include <string.h>

#include <ttg/event.h>
#include <ttg/proto/session.pb-c.h>
#include "base/instant.h"
#include "net/control_request.h"

#define NS_PER_MS 1000000LL

bool control_string(struct control_request *request, const char *name, bool required,
		    const char **out)
{
	json_t *value = json_object_get(request->arguments, name);
	*out = NULL;
	if (!value && !required)
		return true;
	if (!json_is_string(value)) {
		control_end(request, TTG_EINVAL, "%s must be a string", name);
		return false;
	}
	*out = json_string_value(value);
	return true;
}

bool control_integer(struct control_request *request, const char *name, bool required, int64_t min,
		     int64_t max, int64_t *out)
{
	json_t *value = json_object_get(request->arguments, name);
	if (!value && !required)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < min ||
	    json_integer_value(value) > max) {
		control_end(request, TTG_EINVAL, "%s must be an integer from %lld to %lld", name,
			    (long long)min, (long long)max);
		return false;
	}
	*out = json_integer_value(value);
	return true;
}

bool control_bool(struct control_request *request, const char *name, bool *out)
{
	json_t *value = json_object_get(request->arguments, name);
	if (!value)
		return true;
	if (!json_is_boolean(value)) {
		control_end(request, TTG_EINVAL, "%s must be true or false", name);
		return false;
	}
	*out = json_is_true(value);
	return true;
}

uint64_t control_event(struct control_request *request)
{
	const char *text = NULL;
	uint8_t id[TTG_UUID_BYTES];
	if (!control_string(request, "event_id", true, &text))
		return 0;
	if (ttg_uuid_parse(text, id) != TTG_OK) {
		control_end(request, TTG_EINVAL, "event_id must be a UUID");
		return 0;
	}
	const uint64_t sequence = core_find_event(request->net->core, NULL, id);
	if (sequence == 0)
		control_end(request, TTG_ENOENT, "no event of that id is known");
	return sequence;
}

json_t *control_time(int64_t unix_ns)
{
	if (unix_ns <= 0 || unix_ns == RULES_FOREVER)
		return json_null();
	const int64_t ms = unix_ns / NS_PER_MS;
	char seconds[INSTANT_TEXT];
	instant_format(ms / 1000 * 1000 * NS_PER_MS, seconds);
	const size_t len = strcspn(seconds, ".Z");
	char text[CONTROL_TIME_TEXT + INSTANT_TEXT];
	snprintf(text, sizeof text, "%.*s.%03dZ", (int)len, seconds, (int)(ms % 1000));
	return json_string(text);
}

json_t *control_hex(const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * CONTROL_HEX_MAX];
	if (!bytes || len > CONTROL_HEX_MAX)
		return json_null();
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return json_stringn(text, 2 * len);
}

const char *control_reason(uint32_t nack_reason)
{
	switch (nack_reason) {
	case TTG__NACK_REASON__NACK_TEMPORARY:
		return "temporary";
	case TTG__NACK_REASON__NACK_UNREADABLE:
		return "unreadable";
	case TTG__NACK_REASON__NACK_INVALID:
		return "invalid";
	case TTG__NACK_REASON__NACK_UNKNOWN_TYPE:
		return "unknown_type";
	case TTG__NACK_REASON__NACK_NOT_OURS:
		return "not_ours";
	default:
		return "unspecified";
	}
}
