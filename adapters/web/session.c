/* Sessions and form tokens. See session.h. Owned by the server's only thread. */
#include "web/session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/keyfile.h"

#define NS_PER_S INT64_C(1000000000)

bool web_sessions_init(struct sessions *sessions, const struct world *world, unsigned idle_minutes)
{
	*sessions = (struct sessions){ .idle_ns = (int64_t)idle_minutes * 60 * NS_PER_S,
		                       .hasher = hasher_new(),
		                       .world = world };
	return sessions->hasher != NULL &&
	       world->random(world->self, sessions->secret, sizeof(sessions->secret)) >= 0;
}

void web_sessions_fini(struct sessions *sessions)
{
	hasher_free(&sessions->hasher);
	wipe(sessions, sizeof(*sessions));
}

static void write_hex(const uint8_t bytes[HASH_BYTES], char out[SESSION_ID_BYTES])
{
	for (size_t i = 0; i < HASH_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", (unsigned)bytes[i]);
}

bool web_session_new_id(struct sessions *sessions, char out[SESSION_ID_BYTES])
{
	uint8_t bytes[HASH_BYTES];
	bool fine = sessions->world->random(sessions->world->self, bytes, sizeof(bytes)) >= 0;

	out[0] = '\0';
	if (fine)
		write_hex(bytes, out);
	wipe(bytes, sizeof(bytes));
	return fine;
}

bool web_session_is_id(const char *id)
{
	return strlen(id) == SESSION_ID_BYTES - 1 &&
	       strspn(id, "0123456789abcdef") == SESSION_ID_BYTES - 1;
}

void web_session_form_token(struct sessions *sessions, const char *id, char out[SESSION_ID_BYTES])
{
	struct {
		uint8_t secret[HASH_BYTES];
		char id[SESSION_ID_BYTES];
	} text = { .id = "" };
	uint8_t digest[HASH_BYTES];

	assert(web_session_is_id(id));
	memcpy(text.secret, sessions->secret, sizeof(text.secret));
	memcpy(text.id, id, sizeof(text.id));
	out[0] = '\0';
	if (hasher_sum(sessions->hasher, &text, sizeof(text), digest))
		write_hex(digest, out);
	wipe(&text, sizeof(text));
}

static bool is_over(const struct sessions *sessions, const struct session *session, int64_t now_ns)
{
	return now_ns - session->since_ns >= SESSION_WHOLE_S * NS_PER_S ||
	       now_ns - session->seen_ns >= sessions->idle_ns;
}

/* Free, or the least recently used: of this user when he has too many, else of all. */
static struct session *place_for(struct sessions *sessions, const char *user, int64_t now_ns)
{
	struct session *oldest = NULL, *own = NULL, *free_one = NULL;
	size_t n_own = 0;

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *at = &sessions->list[i];

		if (at->since_ns != 0 && is_over(sessions, at, now_ns))
			web_session_close(at);
		if (at->since_ns == 0) {
			free_one = at;
			continue;
		}
		if (oldest == NULL || at->seen_ns < oldest->seen_ns)
			oldest = at;
		if (strcmp(at->user.user, user) != 0)
			continue;
		n_own++;
		if (own == NULL || at->seen_ns < own->seen_ns)
			own = at;
	}
	if (n_own >= SESSIONS_PER_USER)
		return own;
	return free_one != NULL ? free_one : oldest;
}

struct session *web_session_open(struct sessions *sessions, const char *id,
                                 const struct web_user *user, const uint8_t proof[HASH_BYTES],
                                 int64_t now_ns)
{
	struct session *session = place_for(sessions, user->user, now_ns);

	web_session_close(session);
	if (!hasher_sum(sessions->hasher, id, strlen(id), session->key))
		return NULL;
	session->user = *user;
	memcpy(session->proof, proof, HASH_BYTES);
	session->since_ns = session->seen_ns = now_ns;
	return session;
}

struct session *web_session_find_key(struct sessions *sessions, const uint8_t key[HASH_BYTES],
                                     int64_t now_ns)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *at = &sessions->list[i];

		if (at->since_ns == 0 || memcmp(at->key, key, HASH_BYTES) != 0)
			continue;
		if (!is_over(sessions, at, now_ns))
			return at;
		web_session_close(at);
		return NULL;
	}
	return NULL;
}

struct session *web_session_find(struct sessions *sessions, const char *id, int64_t now_ns)
{
	uint8_t key[HASH_BYTES];

	if (!web_session_is_id(id) || !hasher_sum(sessions->hasher, id, strlen(id), key))
		return NULL;
	return web_session_find_key(sessions, key, now_ns);
}

void web_session_close(struct session *session)
{
	wipe(session, sizeof(*session));
}
