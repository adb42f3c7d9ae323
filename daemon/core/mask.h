/*
 * Which fields of an event a grant gives away, compiled from the names in an agreement: a tree over
 * the catalogue's messages that says of every field whether it goes whole, in part, or not at all.
 *
 * What every recipient gets of the envelope, since nothing could be read, ordered or corrected without
 * it: id, source, type, occurred_at, supersedes, marking, assertion, urgency, expires_at. Everything
 * else, the person included, goes only when it is named; the nonce never. No mask at all (NULL) means the
 * whole event.
 *
 * Made while a configuration is loaded, immutable afterwards. Nothing here reads an event; redact.h
 * does.
 */
#ifndef TTGD_CORE_MASK_H
#define TTGD_CORE_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/error.h>
#include <ttg/event.h>

#define MASK_PATH_MAX 256        /* "contact.telephone", its NUL included */
#define MASK_NAME_MAX 128        /* one name of a path */
#define MASK_NODES_MAX 64        /* messages granted in part in one mask */
#define MASK_DEPTH_MAX 8         /* names in a path */
#define MASK_FIELDS_MAX 96       /* of one message */

/* What becomes of a field; from MASK_PART on: part MASK_PART + i of it, as node i says. */
enum mask_share { MASK_NONE = 0, MASK_WHOLE = 1, MASK_PART = 2 };

struct mask_node {
	const ProtobufCMessageDescriptor *message;
	uint8_t shares[MASK_FIELDS_MAX]; /* by index of the field in the descriptor */
};

struct mask {
	int type;                /* index in the catalogue; its payload is in the event's node */
	uint32_t kinds;          /* bit 1 << kind: identifiers of the person that go whole */
	struct mask_node *nodes; /* nodes[0] is the Event */
	size_t n_nodes;
};

/* For a type of the catalogue, with nothing but what always goes. NULL without memory. */
struct mask *mask_new(int type);
void mask_free(struct mask **mask);

enum mask_answer {
	MASK_ADDED,
	MASK_ALREADY,   /* it was granted before, by the same or a shorter path */
	MASK_NO_FIELD,  /* *wrong is the index of the name in the path that is no field */
	MASK_NEVER,     /* it goes with whole events only */
	MASK_NO_PARTS,  /* a name follows one that holds no message */
	MASK_TOO_MUCH,  /* nested deeper or in more places than the bounds above */
	MASK_NO_MEMORY,
};

/* Grants a field of the payload, by its path: "provider_agency", "contact.telephone". */
enum mask_answer mask_add(struct mask *mask, const char *path);
/* A field of the envelope: "recorded_at". */
enum mask_answer mask_add_envelope(struct mask *mask, const char *path);
/* Identifiers of the person that are of this kind (1 to 31), besides what paths grant. */
enum mask_answer mask_add_kind(struct mask *mask, unsigned kind);

/* Everything either grants. NULL without memory. Both of the same type. */
struct mask *mask_union(const struct mask *a, const struct mask *b);

/*
 * The paths in one spelling, so that masks that mean the same give the same text:
 * "ask,contact.telephone;recorded_at;CRN,NOMS" (payload, envelope, kinds). Returns its length; out
 * (NULL: only the length) gets as much as has room, and a NUL.
 */
size_t mask_text(const struct mask *mask, char *out, size_t room);

/* Number of a kind by its name in the catalogue, "NOMS"; -1: there is none. */
int mask_kind(const char *name);

#endif
