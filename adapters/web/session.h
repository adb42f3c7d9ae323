/*
 * Who is signed in. Sessions are in memory only, so a restart ends them all. What is kept of a
 * session's id is its hash: who reads the memory cannot use it. The id itself is in the browser's
 * cookie, WEB_ID_DIGITS hexadecimal digits of 256 random bits.
 *
 * A visitor who is not signed in has an id, too, that nothing is kept of. The token that stands in
 * every form is a hash of a secret of this process and the id, so only who can read pages of this
 * site under that id knows it.
 *
 * Times are nanoseconds of a clock that never goes back. Owned by the server's only thread.
 */
#ifndef WEB_SESSION_H
#define WEB_SESSION_H

#include "base/hash.h"
#include "base/world.h"
#include "web/web.h"

#define SESSION_ID_BYTES  65 /* digits and a NUL */
#define SESSIONS_MAX      256
#define SESSIONS_PER_USER 8 /* above both, the one idle for longest ends */
#define SESSION_WHOLE_S   43200
#define SESSION_SAID_MAX  257

struct session {
	uint8_t key[HASH_BYTES]; /* hash of the id */
	struct web_user user;
	uint8_t proof[HASH_BYTES]; /* of the password it was opened with; see users.h */
	int64_t since_ns, seen_ns; /* since 0: the place is free */
	char said[SESSION_SAID_MAX];
};

struct sessions {
	struct session list[SESSIONS_MAX];
	int64_t idle_ns;
	uint8_t secret[HASH_BYTES];
	struct hasher *hasher;
	const struct world *world;
};

/* False: no memory, or no random bytes. */
bool web_sessions_init(struct sessions *sessions, const struct world *world, unsigned idle_minutes);
void web_sessions_fini(struct sessions *sessions);

/* A new id for a visitor. False: no random bytes. */
bool web_session_new_id(struct sessions *sessions, char out[SESSION_ID_BYTES]);
bool web_session_is_id(const char *id);
void web_session_form_token(struct sessions *sessions, const char *id, char out[SESSION_ID_BYTES]);

/* Opens one under an id made for it. */
struct session *web_session_open(struct sessions *sessions, const char *id,
                                 const struct web_user *user, const uint8_t proof[HASH_BYTES],
                                 int64_t now_ns);
/* NULL: there is none, or its time is over. Does not count as being used. */
struct session *web_session_find(struct sessions *sessions, const char *id, int64_t now_ns);
/* The same by what session->key was; for a stream that outlives the request. */
struct session *web_session_find_key(struct sessions *sessions, const uint8_t key[HASH_BYTES],
                                     int64_t now_ns);
void web_session_close(struct session *session);

#endif
