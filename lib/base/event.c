/*
 * Building and reading events: ids, type names, canonical identifiers.
 *
 * Any thread, each on events of its own. The catalogue is the generated descriptor: payload fields
 * are those with numbers from PAYLOAD_FIRST on, all of them members of the oneof. The only shared
 * memory is the table of type names, made once from the descriptor and never changed. Failures
 * leave the event valid, if perhaps half completed.
 */
#include <ttg/event.h>

#include "base/claim.h"
#include "base/identifier.h"
#include "base/instant.h"
#include "base/world.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define PAYLOAD_FIRST   100 /* field number, proto/envelope.proto */
#define TYPES_MAX       256
#define TYPE_NAME_BYTES 64
#define SHA256_BYTES    32
#define NS_PER_MS       INT64_C(1000000)

static_assert((int)IDENTIFIER_NOMS == (int)TTG__IDENTIFIER_KIND__NOMS, "same numbers");
static_assert((int)IDENTIFIER_PNC == (int)TTG__IDENTIFIER_KIND__PNC, "same numbers");
static_assert((int)IDENTIFIER_CRO == (int)TTG__IDENTIFIER_KIND__CRO, "same numbers");
static_assert((int)IDENTIFIER_CRN == (int)TTG__IDENTIFIER_KIND__CRN, "same numbers");
static_assert((int)IDENTIFIER_ASN == (int)TTG__IDENTIFIER_KIND__ASN, "same numbers");
static_assert((int)IDENTIFIER_CASE_NUMBER == (int)TTG__IDENTIFIER_KIND__CASE_NUMBER,
              "same numbers");
static_assert((int)IDENTIFIER_BOOKING == (int)TTG__IDENTIFIER_KIND__BOOKING, "same numbers");
static_assert((int)IDENTIFIER_OTHER == (int)TTG__IDENTIFIER_KIND__OTHER, "same numbers");
static_assert((int)IDENTIFIER_VALID == (int)TTG__VALIDITY__VALID, "same numbers");
static_assert((int)IDENTIFIER_INVALID_FORM == (int)TTG__VALIDITY__INVALID_FORM, "same numbers");
static_assert((int)IDENTIFIER_INVALID_CHECK == (int)TTG__VALIDITY__INVALID_CHECK, "same numbers");
static_assert((int)IDENTIFIER_DUMMY == (int)TTG__VALIDITY__DUMMY, "same numbers");

struct type_names {
	size_t first; /* index of the first payload field in the descriptor */
	size_t count;
	char name[TYPES_MAX][TYPE_NAME_BYTES];
};

static struct type_names type_names;
static pthread_once_t type_names_once = PTHREAD_ONCE_INIT;

static void make_type_names(void)
{
	const ProtobufCMessageDescriptor *event = &ttg__event__descriptor;
	size_t first = 0;

	/* Fields are sorted by number. */
	while (first < event->n_fields && event->fields[first].id < PAYLOAD_FIRST)
		first++;
	type_names.first = first;
	type_names.count = event->n_fields - first;
	assert(type_names.count <= TYPES_MAX);
	for (size_t i = 0; i < type_names.count; i++) {
		const char *field = event->fields[first + i].name;

		assert(strlen(field) < TYPE_NAME_BYTES && strchr(field, '_'));
		snprintf(type_names.name[i], TYPE_NAME_BYTES, "%s", field);
		*strchr(type_names.name[i], '_') = '.';
	}
}

static const struct type_names *names(void)
{
	pthread_once(&type_names_once, make_type_names);
	return &type_names;
}

size_t ttg_type_count(void)
{
	return names()->count;
}

const char *ttg_type_name(size_t index)
{
	return index < names()->count ? names()->name[index] : NULL;
}

const ProtobufCMessageDescriptor *ttg_type_descriptor(size_t index)
{
	if (index >= names()->count)
		return NULL;
	return ttg__event__descriptor.fields[names()->first + index].descriptor;
}

/* Index of a payload field of the descriptor, or -1. */
static int index_of_field(const ProtobufCFieldDescriptor *field)
{
	if (!field || field->id < PAYLOAD_FIRST)
		return -1;
	return (int)(field - ttg__event__descriptor.fields) - (int)names()->first;
}

int ttg_type_find(const char *name)
{
	char field[TYPE_NAME_BYTES];
	size_t len = name ? strlen(name) : sizeof(field);

	if (len >= sizeof(field))
		return -1;
	memcpy(field, name, len + 1);
	/* The first "_" of the field is the dot of the name, so nothing before it may be one. */
	char *dot = strchr(field, '.');
	if (!dot || memchr(field, '_', (size_t)(dot - field)))
		return -1;
	*dot = '_';
	return index_of_field(
	        protobuf_c_message_descriptor_get_field_by_name(&ttg__event__descriptor, field));
}

int ttg_type_of(const Ttg__Event *event)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
	        &ttg__event__descriptor, (unsigned int)event->payload_case);
	const void *payload;

	if (!field)
		return -1;
	memcpy(&payload, (const uint8_t *)event + field->offset, sizeof(payload));
	return payload ? index_of_field(field) : -1;
}

/* Frees a string of an unpacked event and leaves the shared empty one. */
static void clear_string(char **string)
{
	if (*string && *string != (const char *)protobuf_c_empty_string)
		free(*string);
	*string = (char *)(uintptr_t)protobuf_c_empty_string;
}

static enum ttg_error set_string(char **string, const char *value)
{
	if (value[0] == '\0') {
		clear_string(string);
		return TTG_OK;
	}
	char *copy = strdup(value);
	if (!copy)
		return TTG_ENOMEM;
	clear_string(string);
	*string = copy;
	return TTG_OK;
}

/* The current year in UTC; it only decides the century of two-digit years. */
static int year_now(void)
{
	char text[INSTANT_TEXT];

	instant_format(world_real()->real_ns(world_real()->self), text);
	return (int)strtol(text, NULL, 10);
}

static enum ttg_error complete_identifier(Ttg__Identifier *identifier)
{
	char canonical[IDENTIFIER_CANONICAL];
	enum identifier_validity validity = identifier_check(
	        (enum identifier_kind)identifier->kind, identifier->value, year_now(), canonical);
	enum ttg_error error = set_string(&identifier->canonical, canonical);

	if (error == TTG_OK)
		identifier->validity = (Ttg__Validity)validity;
	return error;
}

static enum ttg_error set_nonce(ProtobufCBinaryData *nonce)
{
	const struct world *world = world_real();
	uint8_t *bytes;

	if (nonce->len != 0)
		return TTG_OK;
	bytes = malloc(CLAIM_NONCE);
	if (!bytes)
		return TTG_ENOMEM;
	if (world->random(world->self, bytes, CLAIM_NONCE) < 0) {
		free(bytes);
		return TTG_ESYS;
	}
	*nonce = (ProtobufCBinaryData){ CLAIM_NONCE, bytes };
	return TTG_OK;
}

enum ttg_error ttg_event_complete(Ttg__Event *event)
{
	enum ttg_error error = set_nonce(&event->nonce);

	if (error == TTG_OK && (!event->type || event->type[0] == '\0')) {
		int index = ttg_type_of(event);

		if (index < 0)
			return TTG_EINVAL;
		error = set_string(&event->type, ttg_type_name((size_t)index));
	}
	if (!event->person)
		return error;
	for (size_t i = 0; error == TTG_OK && i < event->person->n_identifiers; i++)
		error = complete_identifier(event->person->identifiers[i]);
	return error;
}

enum ttg_error ttg_event_pack(const Ttg__Event *event, uint8_t **out, size_t *len)
{
	size_t size = ttg__event__get_packed_size(event);
	uint8_t *bytes = malloc(size > 0 ? size : 1);

	*out = NULL;
	*len = 0;
	if (!bytes)
		return TTG_ENOMEM;
	size_t packed = ttg__event__pack(event, bytes);
	assert(packed == size);
	*out = bytes;
	*len = packed;
	return TTG_OK;
}

/* Puts the 48 bits of time, the version and the variant over random or hashed bytes. */
static void mark_version_7(uint8_t id[TTG_UUID_BYTES], int64_t unix_ns)
{
	uint64_t ms = unix_ns > 0 ? (uint64_t)(unix_ns / NS_PER_MS) : 0;

	for (int i = 0; i < 6; i++)
		id[i] = (uint8_t)(ms >> (40 - 8 * i));
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x70);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

enum ttg_error ttg_uuid_new(uint8_t out[TTG_UUID_BYTES])
{
	const struct world *world = world_real();

	if (world->random(world->self, out, TTG_UUID_BYTES) < 0)
		return TTG_ESYS;
	mark_version_7(out, world->real_ns(world->self));
	return TTG_OK;
}

enum ttg_error ttg_uuid_from_meaning(uint8_t out[TTG_UUID_BYTES], int64_t unix_ns,
                                     const void *meaning, size_t len)
{
	uint8_t digest[SHA256_BYTES];
	unsigned int digest_len = 0;

	if (EVP_Digest(meaning, len, digest, &digest_len, EVP_sha256(), NULL) != 1 ||
	    digest_len != sizeof(digest))
		return TTG_ECRYPTO;
	memcpy(out, digest, TTG_UUID_BYTES);
	mark_version_7(out, unix_ns);
	return TTG_OK;
}

static bool hyphen_before(int byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void ttg_uuid_format(const uint8_t id[TTG_UUID_BYTES], char out[TTG_UUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	char *at = out;

	for (int i = 0; i < TTG_UUID_BYTES; i++) {
		if (hyphen_before(i))
			*at++ = '-';
		*at++ = digits[id[i] >> 4];
		*at++ = digits[id[i] & 15];
	}
	*at = '\0';
	assert(at - out == TTG_UUID_TEXT - 1);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum ttg_error ttg_uuid_parse(const char *text, uint8_t out[TTG_UUID_BYTES])
{
	uint8_t id[TTG_UUID_BYTES];
	uint8_t any = 0;

	if (!text || strlen(text) != TTG_UUID_TEXT - 1)
		return TTG_EFORMAT;
	for (int i = 0; i < TTG_UUID_BYTES; i++) {
		if (hyphen_before(i) && *text++ != '-')
			return TTG_EFORMAT;
		int high = hex_value(text[0]);
		int low = hex_value(text[1]);

		if (high < 0 || low < 0)
			return TTG_EFORMAT;
		id[i] = (uint8_t)(high << 4 | low);
		any |= id[i];
		text += 2;
	}
	if (any == 0)
		return TTG_EFORMAT;
	memcpy(out, id, sizeof(id));
	return TTG_OK;
}
