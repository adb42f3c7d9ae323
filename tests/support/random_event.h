/*
 * Events of any type, filled at random by the catalogue's own descriptors, all fields within their
 * bounds, so that the broker takes them. Every text that may be anything holds a token that stands in
 * no other field: who finds it in a message knows which field it came from.
 */
#ifndef TTG_TEST_RANDOM_EVENT_H
#define TTG_TEST_RANDOM_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/event.h>

#define RANDOM_TOKEN_BYTES 8

/* A small generator of random numbers: the same seed, the same numbers. */
struct random {
	uint64_t state;
};

uint32_t random_below(struct random *random, uint32_t bound);

/* Below, "path" is as an agreement names it: "contact.telephone"; of the envelope, "recorded_at". */
struct random_token {
	char text[RANDOM_TOKEN_BYTES + 1];
	char path[256];
	bool in_payload;
};

#define RANDOM_TOKENS_MAX 4096

struct random_event {
	Ttg__Event *event; /* as ttg__event__unpack() gives it */
	uint8_t *bytes;    /* packed */
	size_t len;
	struct random_token *tokens;
	size_t n_tokens;
};

/* Bytes that one value of a field of this type takes in a message of protobuf-c. */
size_t random_value_bytes(ProtobufCType type);

/* `agencies`: what fields that name agencies hold. The event is about who has the NOMS number. With
   `future`, some messages have fields that the catalogue does not know. */
struct random_event *random_event_new(struct random *random, int type, const char *source,
				      const char *noms, const char *const *agencies,
				      size_t n_agencies, int64_t now_ns, bool future);
void random_event_free(struct random_event **event);

#endif
