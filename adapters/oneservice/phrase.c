/* Finds the sentence for a type. Pure; see phrase.h. */
#include "oneservice/phrase.h"

#include <stddef.h>

void phrase_of(struct sentence *out, const Ttg__Event *event)
{
	static const struct phrase *const families[] = { phrases_prison, phrases_police,
		                                         phrases_probation, phrases_service,
		                                         phrases_partner };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		for (const struct phrase *phrase = families[i]; phrase->add; phrase++)
			if (phrase->payload == (int)event->payload_case) {
				phrase->add(out, event);
				return;
			}
	sentence_add(out, "came from %s", event->source[0] ? event->source : "nobody named");
}
