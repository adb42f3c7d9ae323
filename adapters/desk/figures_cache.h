/*
 * The four tables of figures, each as it is and as the public may see it, made from the whole store
 * in a thread of its own: at the start, then whenever there are new events, and hourly since time
 * passes. A page takes what is there and never waits.
 *
 * All calls come from the desk's thread. The thread has a connection to the store of its own, for
 * reading; nothing but a finished set passes between the two. What it takes: memory for all events'
 * facts while it works (docs/figures.md), and a tenth of a processor at most.
 */
#ifndef DESK_FIGURES_CACHE_H
#define DESK_FIGURES_CACHE_H

#include "desk/desk.h"
#include "oneservice/figures_store.h"

#define FIGURES_EVERY_MS 30000 /* between two looks at the store */

enum figures_view { FIGURES_WHOLE = 0, FIGURES_PUBLIC, FIGURES_VIEWS };

/* Constant once made. Texts of its tables are its own. */
struct figures_set {
	struct table tables[FIGURES_KINDS][FIGURES_VIEWS];
	char *texts;
	int64_t as_at_ns;
	size_t left_out; /* enrolments that count nowhere */
};

/* TTG_EFORMAT names a baseline that is none. */
enum ttg_error figures_check(const struct desk_settings *settings, struct message *message);

/*
 * figures_cache_new() of pages.h with another pause than FIGURES_EVERY_MS, for tests. NULL without
 * memory or a thread. The settings stay valid until figures_cache_free(), which makes the thread
 * leave what it is at and waits for it: a moment, or while the store does not answer as long as
 * that is borne with.
 */
struct figures_cache *figures_cache_open(const struct desk_settings *settings, unsigned every_ms);

struct figures_look {
	const struct figures_set *set; /* NULL: the first is not ready; good until the next look */
	enum ttg_error error;          /* why the last attempt came to nothing; TTG_OK */
};

void figures_cache_look(struct figures_cache *cache, struct figures_look *out);

/*
 * The set of all events in the store, as things stand at that instant. TTG_EAGAIN: *stop (may be
 * NULL) became true. Errors of figures_store.h and figures.h.
 */
enum ttg_error figures_set_make(struct figures_set **out, struct store *store, int64_t as_at_ns,
                                const struct baselines *baselines, const atomic_bool *stop,
                                struct message *message);
void figures_set_free(struct figures_set **set);

#endif
