/* Figures of a whole case store. See figures_store.h; nothing is kept between calls. */
#include "oneservice/figures_store.h"

#include <string.h>

const char *const figures_kind_words[] = { "engagement", "needs", "outcome", "referrals", NULL };

_Static_assert(sizeof(figures_kind_words) / sizeof(figures_kind_words[0]) == FIGURES_KINDS + 1,
               "each kind has a name");

enum figures_kind figures_kind_find(const char *name)
{
	enum figures_kind kind = FIGURES_ENGAGEMENT;

	while (kind < FIGURES_KINDS && strcmp(figures_kind_words[kind], name) != 0)
		kind++;
	return kind;
}

enum ttg_error figures_make(const struct figures *figures, enum figures_kind kind,
                            const struct baselines *baselines, struct table *out)
{
	const struct figures_baselines list = { baselines->list, baselines->n };

	switch (kind) {
	case FIGURES_ENGAGEMENT:
		return figures_engagement(figures, out);
	case FIGURES_NEEDS:
		return figures_needs(figures, out);
	case FIGURES_OUTCOME:
		return figures_outcome(figures, &list, out);
	case FIGURES_REFERRALS:
		return figures_referrals(figures, out);
	case FIGURES_KINDS:
		break;
	}
	return TTG_EINVAL;
}

struct reading {
	struct figures *figures;
	const atomic_bool *stop;
	enum ttg_error error;
};

static bool add_event(void *arg, const struct store_event *from)
{
	struct reading *reading = arg;
	Ttg__Event *event;

	if (reading->stop != NULL && atomic_load(reading->stop)) {
		reading->error = TTG_EAGAIN;
		return false;
	}
	event = ttg__event__unpack(NULL, from->encoded_bytes, from->encoded);
	const struct figures_event it = { .event = event,
		                          .person_key = from->person_key,
		                          .kept_ns = from->kept_ns };

	reading->error = event == NULL ? TTG_ECORRUPT : figures_add(reading->figures, &it);
	if (event != NULL)
		ttg__event__free_unpacked(event, NULL);
	return reading->error == TTG_OK;
}

enum ttg_error figures_read(struct figures *figures, struct store *store, const atomic_bool *stop,
                            struct message *message)
{
	struct reading reading = { .figures = figures, .stop = stop };
	enum ttg_error error = store_each(store, add_event, &reading, message);

	if (error == TTG_OK && reading.error != TTG_OK)
		error = message_set(message, reading.error, "the events of the case store: %s",
		                    ttg_error_name(reading.error));
	return error;
}
