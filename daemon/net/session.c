/*
 * The session table. Owner: the loop. Invariants: a session is in both hashes or in none; replies
 * leave in the order they came.
 */
#include "net/session.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"

#define HANDLE_BITS 8

struct session *session_add(struct sessions *sessions, const uint8_t *routing, size_t routing_bytes,
			    const char *agency, const char *key, int64_t mono_ns)
{
	assert(routing_bytes > 0 && routing_bytes <= SESSION_ROUTING_MAX);
	struct session *session = calloc(1, sizeof *session);
	if (!session)
		return NULL;
	memcpy(session->routing, routing, routing_bytes);
	session->routing_bytes = routing_bytes;
	session->number = ++sessions->last_number;
	snprintf(session->agency, sizeof session->agency, "%s", agency);
	snprintf(session->key, sizeof session->key, "%s", key);
	session->opened_ns = session->heard_ns = session->spoke_ns = mono_ns;
	session->next_frame = 1;
	session->replies_end = &session->replies;
	HASH_ADD_KEYPTR(by_routing, sessions->by_routing, session->routing, session->routing_bytes,
			session);
	HASH_ADD(by_number, sessions->by_number, number, sizeof session->number, session);
	sessions->count++;
	return session;
}

void session_remove(struct sessions *sessions, struct session *session)
{
	HASH_DELETE(by_routing, sessions->by_routing, session);
	HASH_DELETE(by_number, sessions->by_number, session);
	sessions->count--;
	while (session->replies)
		session_drop_reply(session);
	for (uint32_t handle = 1; handle <= SESSION_HANDLES; handle++)
		session_remove_consumer(session, handle);
	free(session->answer);
	free(session);
}

void sessions_clear(struct sessions *sessions)
{
	while (sessions->by_number)
		session_remove(sessions, sessions->by_number);
}

struct session *session_find(const struct sessions *sessions, const uint8_t *routing,
			     size_t routing_bytes)
{
	struct session *session = NULL;
	HASH_FIND(by_routing, sessions->by_routing, routing, routing_bytes, session);
	return session;
}

uint64_t session_consumer_id(const struct session *session, uint32_t handle)
{
	return session->number << HANDLE_BITS | handle;
}

struct session *session_of_consumer(const struct sessions *sessions, uint64_t consumer,
				    struct session_consumer **out)
{
	const uint64_t number = consumer >> HANDLE_BITS;
	const uint32_t handle = (uint32_t)(consumer & ((1u << HANDLE_BITS) - 1));
	struct session *session = NULL;
	HASH_FIND(by_number, sessions->by_number, &number, sizeof number, session);
	if (!session || handle > SESSION_HANDLES || !session->consumers[handle])
		return NULL;
	*out = session->consumers[handle];
	return session;
}

struct session_consumer *session_add_consumer(struct session *session, uint32_t handle,
					      const char *mailbox)
{
	assert(handle >= 1 && handle <= SESSION_HANDLES && !session->consumers[handle]);
	struct session_consumer *consumer = calloc(1, sizeof *consumer);
	if (!consumer)
		return NULL;
	snprintf(consumer->mailbox, sizeof consumer->mailbox, "%s", mailbox);
	consumer->handle = handle;
	session->consumers[handle] = consumer;
	return consumer;
}

void session_remove_consumer(struct session *session, uint32_t handle)
{
	struct session_consumer *consumer = session->consumers[handle];
	if (!consumer)
		return;
	free(consumer->body);
	free(consumer);
	session->consumers[handle] = NULL;
}

bool session_queue_reply(struct session *session, uint64_t release_at, const uint8_t *frame,
			 size_t len)
{
	struct session_reply *reply = malloc(sizeof *reply + len);
	if (!reply)
		return false;
	reply->next = NULL;
	reply->release_at = release_at;
	reply->len = len;
	memcpy(reply->frame, frame, len);
	*session->replies_end = reply;
	session->replies_end = &reply->next;
	session->n_replies++;
	return true;
}

void session_drop_reply(struct session *session)
{
	struct session_reply *reply = session->replies;
	assert(reply && session->n_replies > 0);
	session->replies = reply->next;
	if (!session->replies)
		session->replies_end = &session->replies;
	session->n_replies--;
	if (!PLANTED(LEAK_ANSWERS))
		free(reply);
}
