/*
 * Figures of a whole case store, and the four tables by their names: what the report command and
 * the desk have in common.
 */
#ifndef ONESERVICE_FIGURES_STORE_H
#define ONESERVICE_FIGURES_STORE_H

#include <stdatomic.h>
#include "base/message.h"
#include "oneservice/baselines.h"
#include "store/store.h"

enum figures_kind {
	FIGURES_ENGAGEMENT = 0,
	FIGURES_NEEDS,
	FIGURES_OUTCOME,
	FIGURES_REFERRALS,
	FIGURES_KINDS,
};

extern const char *const figures_kind_words[]; /* "engagement", ..., NULL */

/* The kind of that name; FIGURES_KINDS: there is none. */
enum figures_kind figures_kind_find(const char *name);

/* The table of that kind, as its own function makes it (figures.h). TTG_ENOMEM. */
enum ttg_error figures_make(const struct figures *figures, enum figures_kind kind,
                            const struct baselines *baselines, struct table *out);

/*
 * Adds every event of the store. TTG_EAGAIN when *stop (may be NULL) became true meanwhile; errors
 * of store_each() and of figures_add(), TTG_ECORRUPT.
 */
enum ttg_error figures_read(struct figures *figures, struct store *store, const atomic_bool *stop,
                            struct message *message);

#endif
