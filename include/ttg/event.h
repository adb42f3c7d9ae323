/*
 * Building, canonicalising and reading events.
 *
 * The message types are generated from the catalogue (<ttg/proto/envelope.pb-c.h>, protobuf-c):
 * Ttg__Event is the envelope. These functions add what the generated code cannot know: ids,
 * type names, identifiers, and the JSON form.
 */
#ifndef TTG_EVENT_H
#define TTG_EVENT_H

#include <stddef.h>
#include <stdint.h>
#include <ttg/error.h>
#include <ttg/proto/envelope.pb-c.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TTG_UUID_BYTES 16  /* RFC 9562 */
#define TTG_UUID_TEXT 37   /* 36 characters and the terminating NUL */

/* Makes a version 7 UUID from the machine's clock and random source. */
enum ttg_error ttg_uuid_new(uint8_t out[TTG_UUID_BYTES]);

/*
 * Makes the version 7 UUID that belongs to `unix_ns` and to the `len` bytes at `meaning`: the same
 * input gives the same id on every machine, so that a notice that arrives twice under different
 * message numbers is one event for the broker. Only a SHA-256 of the meaning enters the id.
 */
enum ttg_error ttg_uuid_from_meaning(uint8_t out[TTG_UUID_BYTES], int64_t unix_ns,
				     const void *meaning, size_t len);

/* Lower-case text with hyphens into `out`. */
void ttg_uuid_format(const uint8_t id[TTG_UUID_BYTES], char out[TTG_UUID_TEXT]);

/* Any version; TTG_EFORMAT unless it is exactly 36 characters of a UUID that is not nil. */
enum ttg_error ttg_uuid_parse(const char *text, uint8_t out[TTG_UUID_BYTES]);

/*
 * Type names. The catalogue is read from the descriptors: field prison_released of the payload
 * is "prison.released".
 */

/* Number of types in the catalogue. */
size_t ttg_type_count(void);

/* Name of type `index` (0 <= index < ttg_type_count()), in order of field number; else NULL. */
const char *ttg_type_name(size_t index);

/* Descriptor of the payload message of type `index`; NULL when out of range. */
const ProtobufCMessageDescriptor *ttg_type_descriptor(size_t index);

/* Index of the type called `name`, or -1. */
int ttg_type_find(const char *name);

/* Index of the type whose payload is set in `event`, or -1 when none or one we do not know. */
int ttg_type_of(const Ttg__Event *event);

/*
 * Fills event->type from the payload when it is empty, event->nonce with random bytes when it is
 * empty, canonical and validity of every identifier of event->person. What it sets is allocated with
 * malloc and owned by the event, as ttg__event__free_unpacked() with a NULL allocator expects, so the
 * event must have been made by unpacking or with malloc throughout. What was claimed in canonical and
 * validity is replaced. Two-digit years are read as of this machine's current year. TTG_ENOMEM,
 * TTG_EINVAL (no payload and no type), TTG_ESYS (no random bytes).
 */
enum ttg_error ttg_event_complete(Ttg__Event *event);

/* Packs into a malloc'd buffer, owned by the caller. TTG_ENOMEM. */
enum ttg_error ttg_event_pack(const Ttg__Event *event, uint8_t **out, size_t *len);

#ifdef __cplusplus
}
#endif
#endif
