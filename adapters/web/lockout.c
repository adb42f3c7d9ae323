/* Counting wrong passwords. See lockout.h. Owned by the server's only thread. */
#include "web/lockout.h"

#include <string.h>

#define NS_PER_S INT64_C(1000000000)

bool lockout_init(struct lockout *lockout, const struct world *world)
{
	*lockout = (struct lockout){ .hasher = hasher_new(), .tries = LOCKOUT_BURST };
	return lockout->hasher != NULL &&
	       world->random(world->self, lockout->salt, sizeof(lockout->salt)) >= 0;
}

void lockout_fini(struct lockout *lockout)
{
	hasher_free(&lockout->hasher);
}

bool lockout_take_try(struct lockout *lockout, int64_t now_ns)
{
	if (lockout->filled_ns != 0)
		lockout->tries +=
		        (double)(now_ns - lockout->filled_ns) / (double)NS_PER_S * LOCKOUT_RATE_S;
	lockout->filled_ns = now_ns;
	if (lockout->tries > LOCKOUT_BURST)
		lockout->tries = LOCKOUT_BURST;
	if (lockout->tries < 1)
		return false;
	lockout->tries -= 1;
	return true;
}

/* Of salt and name. Whoever sees the table cannot tell what was typed: it may have been a password
   in the wrong box. */
static void key_of(const struct lockout *lockout, const char *name, uint8_t out[HASH_BYTES])
{
	uint8_t digests[2][HASH_BYTES];

	memcpy(digests[0], lockout->salt, HASH_BYTES);
	memset(out, 0, HASH_BYTES);
	if (hasher_sum(lockout->hasher, name, strlen(name), digests[1]))
		hasher_sum(lockout->hasher, digests, sizeof(digests), out);
}

static size_t find(const struct lockout *lockout, const char *name)
{
	uint8_t key[HASH_BYTES];

	key_of(lockout, name, key);
	for (size_t i = 0; i < LOCKOUT_NAMES; i++) {
		const struct lockout_name *at = &lockout->names[i];

		if (at->last_ns != 0 && memcmp(at->key, key, HASH_BYTES) == 0)
			return i;
	}
	return LOCKOUT_NAMES;
}

unsigned lockout_left_s(const struct lockout *lockout, const char *name, int64_t now_ns)
{
	size_t i = find(lockout, name);
	const struct lockout_name *at = &lockout->names[i];

	if (i == LOCKOUT_NAMES || at->until_ns <= now_ns)
		return 0;
	return (unsigned)((at->until_ns - now_ns + NS_PER_S - 1) / NS_PER_S);
}

/* A free place, or that of a name whose lock ends first, of those the one tried longest ago. */
static size_t place_for(struct lockout *lockout, const char *name, int64_t now_ns)
{
	struct lockout_name *names = lockout->names;
	size_t best = 0;

	for (size_t i = 0; i < LOCKOUT_NAMES; i++) {
		const struct lockout_name *at = &names[i];

		if (at->last_ns == 0 || now_ns - at->last_ns > LOCKOUT_FORGET_S * NS_PER_S) {
			best = i;
			break;
		}
		if (at->until_ns < names[best].until_ns ||
		    (at->until_ns == names[best].until_ns && at->last_ns < names[best].last_ns))
			best = i;
	}
	names[best] = (struct lockout_name){ .last_ns = now_ns };
	key_of(lockout, name, names[best].key);
	return best;
}

bool lockout_count(struct lockout *lockout, const char *name, int64_t now_ns)
{
	size_t i = find(lockout, name);
	struct lockout_name *at;
	int64_t seconds = LOCKOUT_FIRST_S;

	if (i == LOCKOUT_NAMES)
		i = place_for(lockout, name, now_ns);
	at = &lockout->names[i];
	if (now_ns - at->last_ns > LOCKOUT_FORGET_S * NS_PER_S)
		at->wrong = at->locks = 0;
	at->last_ns = now_ns;
	if (++at->wrong < LOCKOUT_TRIES)
		return false;
	for (unsigned n = 0; n < at->locks && seconds < LOCKOUT_MAX_S; n++)
		seconds *= 2;
	if (seconds > LOCKOUT_MAX_S)
		seconds = LOCKOUT_MAX_S;
	at->until_ns = now_ns + seconds * NS_PER_S;
	at->locks++;
	at->wrong = 0;
	return true;
}

void lockout_forget(struct lockout *lockout, const char *name)
{
	size_t i = find(lockout, name);

	if (i < LOCKOUT_NAMES)
		lockout->names[i] = (struct lockout_name){ .last_ns = 0 };
}
