/*
 * The desk's only other thread: it makes sets of figures and hands them over.
 *
 * What is whose: `shown` belongs to the desk's thread, `change`, `made_ns` and the store to the
 * other one, `finished` and `error` to whoever holds the mutex. A set that is finished before
 * anybody asked for the one before replaces it. A store that cannot be read is tried again after
 * the pause: what was made last stays on show, under its time.
 */
#include "desk/figures_cache.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include "base/world.h"
#include "desk/desk_config.h"
#include "desk/pages.h"

#define NS_PER_MS     INT64_C(1000000)
#define NS_PER_S      INT64_C(1000000000)
#define OLD_NS        (3600 * NS_PER_S) /* then windows may have ended */
#define RESTS_FOR_ONE 9                 /* as long as the work took */

struct figures_cache {
	const struct desk_settings *settings;
	struct baselines baselines;
	unsigned every_ms;
	pthread_t thread;
	atomic_bool stopping;

	pthread_mutex_t mutex;
	pthread_cond_t leave;
	struct figures_set *finished; /* NULL once taken */
	enum ttg_error error;

	uint64_t change; /* up to which the last set goes */
	int64_t made_ns; /* monotonic; 0: none yet */

	struct figures_set *shown;
};

enum ttg_error figures_check(const struct desk_settings *settings, struct message *message)
{
	struct baselines baselines = { .n = 0 };

	for (size_t i = 0; i < settings->baselines.n; i++)
		if (!baselines_add(&baselines, settings->baselines.items[i]))
			return message_set(
			        message, TTG_EFORMAT,
			        "baseline %zu: events per 100 men, for example \"150.5\" "
			        "or \"cohort-1=150.5\"",
			        i + 1);
	return TTG_OK;
}

static int64_t mono_ns(void)
{
	return world_real()->mono_ns(world_real()->self);
}

static void hand_over(struct figures_cache *cache, struct figures_set *take_set,
                      enum ttg_error error)
{
	struct figures_set *unseen = NULL;

	pthread_mutex_lock(&cache->mutex);
	cache->error = error;
	if (take_set != NULL) {
		unseen = cache->finished;
		cache->finished = take_set;
	}
	pthread_mutex_unlock(&cache->mutex);
	figures_set_free(&unseen);
}

/* Sees to it that there is a set of what the store holds. */
static void make_set(struct figures_cache *cache)
{
	const struct store_place place = desk_store_place(cache->settings);
	struct message message = { "" };
	struct figures_set *set = NULL;
	struct store *store = NULL;
	uint64_t change = 0;
	enum ttg_error error = store_open_reader(&store, &place, &message);

	if (error == TTG_OK)
		error = store_last_change(store, &change, &message);
	if (error == TTG_OK && (cache->made_ns == 0 || change != cache->change ||
	                        mono_ns() - cache->made_ns >= OLD_NS))
		error = figures_set_make(&set, store, world_real()->real_ns(world_real()->self),
		                         &cache->baselines, &cache->stopping, &message);
	store_close(&store);
	if (set != NULL) {
		cache->change = change;
		cache->made_ns = mono_ns();
	}
	hand_over(cache, set, error);
}

/* False: leave. */
static bool pause_for(struct figures_cache *cache, int64_t ns)
{
	int64_t until_ns = mono_ns() + ns;
	const struct timespec until = { .tv_sec = (time_t)(until_ns / NS_PER_S),
		                        .tv_nsec = (long)(until_ns % NS_PER_S) };
	int woken = 0;

	pthread_mutex_lock(&cache->mutex);
	while (!atomic_load(&cache->stopping) && woken == 0)
		woken = pthread_cond_timedwait(&cache->leave, &cache->mutex, &until);
	pthread_mutex_unlock(&cache->mutex);
	return !atomic_load(&cache->stopping);
}

static void *work(void *arg)
{
	struct figures_cache *cache = arg;
	int64_t every_ns = cache->every_ms * NS_PER_MS;
	int64_t rest_ns;

	do {
		rest_ns = -mono_ns();
		make_set(cache);
		rest_ns = (rest_ns + mono_ns()) * RESTS_FOR_ONE;
	} while (pause_for(cache, rest_ns > every_ns ? rest_ns : every_ns));
	return NULL;
}

/* Signals are the desk's thread's. */
static bool start(struct figures_cache *cache)
{
	sigset_t all;
	sigset_t before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&cache->thread, NULL, work, cache);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed == 0;
}

struct figures_cache *figures_cache_open(const struct desk_settings *settings, unsigned every_ms)
{
	struct figures_cache *cache = calloc(1, sizeof(*cache));
	pthread_condattr_t attributes;

	if (cache == NULL)
		return NULL;
	cache->settings = settings;
	cache->every_ms = every_ms;
	for (size_t i = 0; i < settings->baselines.n; i++)
		(void)baselines_add(&cache->baselines, settings->baselines.items[i]);
	(void)pthread_mutex_init(&cache->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&cache->leave, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	if (start(cache))
		return cache;
	pthread_cond_destroy(&cache->leave);
	pthread_mutex_destroy(&cache->mutex);
	free(cache);
	return NULL;
}

struct figures_cache *figures_cache_new(const struct desk_settings *settings)
{
	return figures_cache_open(settings, FIGURES_EVERY_MS);
}

void figures_cache_free(struct figures_cache **cache)
{
	struct figures_cache *it = *cache;

	if (it == NULL)
		return;
	*cache = NULL;
	pthread_mutex_lock(&it->mutex);
	atomic_store(&it->stopping, true);
	pthread_cond_signal(&it->leave);
	pthread_mutex_unlock(&it->mutex);
	pthread_join(it->thread, NULL);
	pthread_cond_destroy(&it->leave);
	pthread_mutex_destroy(&it->mutex);
	figures_set_free(&it->finished);
	figures_set_free(&it->shown);
	free(it);
}

void figures_cache_look(struct figures_cache *cache, struct figures_look *out)
{
	struct figures_set *old = NULL;

	pthread_mutex_lock(&cache->mutex);
	out->error = cache->error;
	if (cache->finished != NULL) {
		old = cache->shown;
		cache->shown = cache->finished;
		cache->finished = NULL;
	}
	pthread_mutex_unlock(&cache->mutex);
	figures_set_free(&old);
	out->set = cache->shown;
}
