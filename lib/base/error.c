/*
 * Names and sentences of every error code. Pure; any thread.
 *
 * The names are part of the protocol's documentation and of log lines: they never change. The table
 * is searched, not indexed, because codes have gaps and may come from another version's peer.
 */
#include <ttg/error.h>

#include <stddef.h>

struct entry {
	enum ttg_error code;
	const char *name;
	const char *text;
};

static const struct entry table[] = {
	{ TTG_OK, "ok", "Done." },
	{ TTG_ENOMEM, "enomem", "There is not enough memory." },
	{ TTG_EINVAL, "einval", "An argument is not one the function takes." },
	{ TTG_EIO, "eio", "Reading or writing failed; the medium is not to be trusted." },
	{ TTG_ENOENT, "enoent", "There is no such thing." },
	{ TTG_EEXIST, "eexist", "It is there already." },
	{ TTG_EAGAIN, "eagain", "Not now; try again later." },
	{ TTG_ETIMEOUT, "etimeout", "It did not happen in time." },
	{ TTG_ECORRUPT, "ecorrupt", "Stored bytes are damaged." },
	{ TTG_EFORMAT, "eformat", "The input does not have the form it should have." },
	{ TTG_ELIMIT, "elimit", "It is larger, or more, than a documented limit allows." },
	{ TTG_EPERM, "eperm", "It is not permitted, or a secret can be read by others." },
	{ TTG_ECLOSED, "eclosed", "It was closed before." },
	{ TTG_ESYS, "esys", "The operating system refused." },
	{ TTG_EVERSION, "eversion", "It belongs to a version that this one cannot read." },
	{ TTG_ECRYPTO, "ecrypto", "A cryptographic operation failed or did not verify." },
	{ TTG_ENOSPC, "enospc", "There is no room on the disk, or its configured share is full." },
	{ TTG_ELOCKED, "elocked", "Another process holds it." },

	{ TTG_REFUSED_MALFORMED, "refused_malformed",
	  "The bytes are not an event, or the payload does not match its type." },
	{ TTG_REFUSED_TOO_LARGE, "refused_too_large",
	  "The event is longer than the broker takes." },
	{ TTG_REFUSED_FIELD, "refused_field", "A field is missing or out of bounds." },
	{ TTG_REFUSED_SOURCE, "refused_source",
	  "The event's source is not the agency that the key belongs to." },
	{ TTG_REFUSED_TYPE_UNKNOWN, "refused_type_unknown", "Nobody here knows the event's type." },
	{ TTG_REFUSED_NOT_AGREED, "refused_not_agreed",
	  "No agreement in force lets this agency publish the type." },
	{ TTG_REFUSED_RECIPIENT, "refused_recipient",
	  "The recipient it names is in no agreement for the type." },
	{ TTG_REFUSED_TIME, "refused_time",
	  "A time in it cannot be, or the publisher's clock is wrong." },
	{ TTG_REFUSED_IDENTIFIER, "refused_identifier",
	  "What it claims about one of the person's identifiers is not so." },
	{ TTG_REFUSED_EXPIRED, "refused_expired", "The event had expired when it came." },
	{ TTG_REFUSED_RATE, "refused_rate",
	  "The agency publishes faster than its rate; try later." },
	{ TTG_REFUSED_BUSY, "refused_busy", "A queue of the broker is full; try later." },
	{ TTG_REFUSED_STORAGE, "refused_storage", "The broker's disk is full; try later." },
	{ TTG_REFUSED_STOPPING, "refused_stopping", "The broker is shutting down; try later." },
	{ TTG_REFUSED_ID_REUSED, "refused_id_reused",
	  "The id was accepted before for an event with other content." },
	{ TTG_REFUSED_REFERRAL, "refused_referral",
	  "The referral is not in a state that allows this step." },
	{ TTG_REFUSED_SIGNATURE, "refused_signature",
	  "The events are not signed as the agency's have to be, or not with a key of it." },

	{ TTG_SESSION_VERSION, "session_version", "The two sides share no protocol version." },
	{ TTG_SESSION_NONE, "session_none", "There is no session; it begins with Hello." },
	{ TTG_SESSION_FRAME, "session_frame",
	  "A frame is malformed, too large, or not allowed at this point." },
	{ TTG_SESSION_WINDOW, "session_window",
	  "More Publish frames are unanswered than the window allows." },
	{ TTG_SESSION_MAILBOX, "session_mailbox", "There is no such mailbox for this agency." },
	{ TTG_SESSION_HANDLE, "session_handle",
	  "The mailbox handle is unknown, out of range or in use." },
	{ TTG_SESSION_POSITION, "session_position",
	  "The position was not delivered to this consumer." },
	{ TTG_SESSION_REVOKED, "session_revoked",
	  "The key is revoked, has expired or is not valid yet, or not from this address." },
	{ TTG_SESSION_SILENT, "session_silent",
	  "Nothing was heard for three heartbeat intervals." },
	{ TTG_SESSION_STOPPING, "session_stopping", "The broker is shutting down." },
	{ TTG_SESSION_LIMIT, "session_limit", "There are too many sessions." },
	{ TTG_SESSION_REPLACED, "session_replaced",
	  "A newer session of the same connection took over." },

	{ TTG_ASKED_UNKNOWN, "asked_unknown",
	  "No event with this id is known to be this agency's." },
	{ TTG_ASKED_UNSEALED, "asked_unsealed",
	  "The event is not sealed, and this broker makes no seals." },
	{ TTG_ASKED_NOT_HELD, "asked_not_held",
	  "The event was accepted, but records that its receipt needs are no longer held." },
	{ TTG_ASKED_BUSY, "asked_busy", "Too much is asked at once; ask again later." },
	{ TTG_ASKED_NOT_GRANTED, "asked_not_granted", "This agency may not ask that." },
	{ TTG_ASKED_TOO_FAR, "asked_too_far",
	  "Too many records lie between the event and now to be read." },
	{ TTG_ASKED_FAILED, "asked_failed", "The broker could not find it out; its log says why." },
};

static const struct entry *find(enum ttg_error code)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].code == code)
			return &table[i];
	}
	return NULL;
}

const char *ttg_error_name(enum ttg_error code)
{
	const struct entry *entry = find(code);

	return entry ? entry->name : "unknown";
}

const char *ttg_error_text(enum ttg_error code)
{
	const struct entry *entry = find(code);

	return entry ? entry->text : "An error that this version does not know.";
}

bool ttg_error_retryable(enum ttg_error code)
{
	return code == TTG_REFUSED_RATE || code == TTG_REFUSED_BUSY ||
	       code == TTG_REFUSED_STORAGE || code == TTG_REFUSED_STOPPING;
}
