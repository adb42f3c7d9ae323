/*
 * Messages of the catalogue as JSON and back, by the generated descriptors: no table per type, so a
 * new field or type needs nothing here.
 *
 *   string          string
 *   enum            its name, with or without what all names of the enum begin with, in any case,
 *                   "-" for "_"; or its number. Written as the full name.
 *   Time            RFC 3339; what was not in our own spelling is kept as the original
 *   bytes           UUID for 16 of them, otherwise hexadecimal
 *   numbers         JSON integers in the range of the field
 *   bool            true or false
 *   repeated        array
 *   other messages  object
 *
 * What has its default value is not written. Reading is strict: a key that is no field, a value of
 * another type or out of bounds is an error that names the path, never the value.
 */
#ifndef ADAPTERS_COMMON_EVENTJSON_H
#define ADAPTERS_COMMON_EVENTJSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include "base/message.h"

#define EVENTJSON_MAX_STRING 4096
#define EVENTJSON_MAX_BYTES 4096
#define EVENTJSON_MAX_ENTRIES 256
#define EVENTJSON_MAX_DEPTH 8
#define EVENTJSON_MAX_PATH 128

/*
 * Makes a message of `descriptor` from a JSON object; `path` begins every error. *out is to be freed
 * with protobuf_c_message_free_unpacked(). TTG_EFORMAT, TTG_ELIMIT, TTG_ENOMEM.
 */
enum ttg_error eventjson_read(const ProtobufCMessageDescriptor *descriptor, const json_t *json,
			      const char *path, ProtobufCMessage **out, struct message *message);

/* A new JSON object; adds to *unknown the fields that the catalogue does not name. NULL without
   memory. */
json_t *eventjson_write(const ProtobufCMessage *message, size_t *unknown);

/* The value a name stands for, as above. False when there is none. */
bool eventjson_enum_find(const ProtobufCEnumDescriptor *descriptor, const char *name, int *value);

#endif
