/* Where an event that was sent stands, in plain words. See sent.h. */
#include "desk/sent.h"

#include <stdio.h>
#include <string.h>
#include "desk/act_field.h"

enum sent_state sent_state(const struct sent *sent, const struct sent_answer *answer)
{
	if (sent->place == SENT_FAILED || (sent->answered && sent->code != TTG_OK))
		return SENT_REFUSED;
	if (answer->text[0] != '\0')
		return SENT_ANSWERED;
	if (!sent->answered)
		return SENT_WAITING;
	return sent->delivered > 0 ? SENT_DELIVERED : SENT_ACCEPTED;
}

const char *sent_colour(const struct sent *sent, const struct sent_answer *answer)
{
	static const char *const colours[] = { [SENT_WAITING] = "yellow",
		                               [SENT_ACCEPTED] = "blue",
		                               [SENT_DELIVERED] = "blue",
		                               [SENT_REFUSED] = "red",
		                               [SENT_ANSWERED] = "green" };

	return answer->no ? "red" : colours[sent_state(sent, answer)];
}

void sent_line(char out[SENT_LINE_BYTES], const struct sent *sent, const struct sent_answer *answer)
{
	switch (sent_state(sent, answer)) {
	case SENT_WAITING:
		snprintf(out, SENT_LINE_BYTES, "%s",
		         sent->place == SENT_WAITS ? "Waiting to be taken"
		                                   : "Waiting for the broker");
		break;
	case SENT_ACCEPTED:
		snprintf(out, SENT_LINE_BYTES, "Accepted");
		break;
	case SENT_DELIVERED:
		snprintf(out, SENT_LINE_BYTES, "Delivered");
		break;
	case SENT_REFUSED:
		snprintf(out, SENT_LINE_BYTES, "Refused");
		break;
	case SENT_ANSWERED:
		snprintf(out, SENT_LINE_BYTES, "%s", answer->text);
		break;
	}
}

static const struct {
	enum ttg_error code;
	const char *reason;
	const char *advice;
} refusals[] = {
	{ TTG_REFUSED_MALFORMED, "The broker could not read it.",
	  "This is a mistake of the desk, not yours: tell your support." },
	{ TTG_REFUSED_TOO_LARGE, "It was too long.", "Shorten the notes and send it again." },
	{ TTG_REFUSED_FIELD, "Something in it was missing or not allowed.",
	  "The broker's words below name what. Put it right and send it again." },
	{ TTG_REFUSED_SOURCE, "It did not come from who it said it came from.",
	  "The agency in the desk's configuration is wrong: tell your support." },
	{ TTG_REFUSED_TYPE_UNKNOWN, "The broker does not know this kind of event.",
	  "The broker is older than the desk: tell your support." },
	{ TTG_REFUSED_NOT_AGREED, "No agreement that is in force lets us tell this.",
	  "Tell whoever keeps the information sharing agreements. Sending it again does not "
	  "help." },
	{ TTG_REFUSED_RECIPIENT, "Whoever it was for is in no agreement with us for this.",
	  "Choose another provider, or tell whoever keeps the agreements." },
	{ TTG_REFUSED_TIME, "Its time was not possible.",
	  "If the times you entered are right, the clock of this server is wrong: tell your "
	  "support." },
	{ TTG_REFUSED_IDENTIFIER, "One of the person's numbers was not right.",
	  "Look at the numbers under People and tell your support which one is wrong." },
	{ TTG_REFUSED_EXPIRED, "It came too late.", "Send it again if it still matters." },
	{ TTG_REFUSED_ID_REUSED, "Something else was sent under its id before.",
	  "Open the form again and send it anew." },
	{ TTG_REFUSED_REFERRAL, "The referral is not in a state that allows this.",
	  "Somebody answered or ended it meanwhile: look at the referral before you do anything." },
	{ TTG_REFUSED_SIGNATURE, "It was not signed as it must be.",
	  "The signing key is missing or wrong: tell your support." },
};

#define REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

const char *sent_reason(enum ttg_error code)
{
	for (size_t i = 0; i < REFUSALS; i++)
		if (refusals[i].code == code)
			return refusals[i].reason;
	return ttg_error_text(code);
}

const char *sent_advice(enum ttg_error code)
{
	for (size_t i = 0; i < REFUSALS; i++)
		if (refusals[i].code == code)
			return refusals[i].advice;
	return "Tell your support.";
}

static const struct {
	const char *type;
	const char *title;
} titles[] = {
	{ "service.enrolled", "Enrolment" },
	{ "service.exited", "End of support" },
	{ "service.reengaged", "Return" },
	{ "service.withdrawn", "Withdrawal from the scheme" },
	{ "service.needs_assessed", "Assessment of needs" },
	{ "service.contact", "Contact" },
	{ "service.gate_meeting", "Gate meeting" },
	{ "service.flag_requested", "Request for a flag" },
	{ "service.access_requested", "Request for access" },
	{ "referral.sent", "Referral" },
	{ "referral.withdrawn", "Referral taken back" },
};

void sent_title(char out[SENT_LINE_BYTES], const Ttg__Event *event)
{
	const char *title = event->type;
	const char *to = "";

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (strcmp(titles[i].type, event->type) == 0)
			title = titles[i].title;
	if (event->payload_case == TTG__EVENT__PAYLOAD_REFERRAL_SENT)
		to = event->referral_sent->provider_agency;
	if (event->payload_case == TTG__EVENT__PAYLOAD_REFERRAL_WITHDRAWN)
		to = event->referral_withdrawn->provider_agency;
	snprintf(out, SENT_LINE_BYTES, "%s%s%s", title, to[0] != '\0' ? ", to " : "", to);
}
