/* Numbered byte strings. Pure but for malloc; owned by whoever calls. See figures_names.h. */
#include "oneservice/figures_names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include "base/identifier.h"

struct name {
	UT_hash_handle hh;
	uint32_t index;
	char bytes[]; /* and a NUL */
};

void names_fini(struct names *names)
{
	HASH_CLEAR(hh, names->first);
	for (uint32_t i = 0; i < names->n; i++)
		free(names->by_index[i]);
	free(names->by_index);
	*names = (struct names){ NULL };
}

static bool make_room(struct names *names)
{
	uint32_t room = names->room == 0 ? 64 : names->room * 2;
	struct name **grown;

	if (names->n < names->room)
		return true;
	grown = realloc(names->by_index, room * sizeof(struct name *));
	if (grown == NULL)
		return false;
	names->by_index = grown;
	names->room = room;
	return true;
}

enum ttg_error names_add(struct names *names, const void *bytes, size_t len, uint32_t *index)
{
	struct name *name = NULL;

	HASH_FIND(hh, names->first, bytes, len, name);
	if (name != NULL) {
		*index = name->index;
		return TTG_OK;
	}
	if (names->n >= NAMES_MAX / 2)
		return TTG_ELIMIT;
	name = make_room(names) ? malloc(sizeof(*name) + len + 1) : NULL;
	if (name == NULL)
		return TTG_ENOMEM;
	memcpy(name->bytes, bytes, len);
	name->bytes[len] = '\0';
	name->index = names->n;
	HASH_ADD_KEYPTR(hh, names->first, name->bytes, len, name);
	names->by_index[names->n++] = name;
	*index = name->index;
	return TTG_OK;
}

size_t names_of_number(const Ttg__Identifier *identifier, char out[NAMES_NUMBER_MAX])
{
	size_t issuer = strnlen(identifier->issuer, 64);
	size_t canonical = strlen(identifier->canonical);

	if (identifier->validity != TTG__VALIDITY__VALID || canonical == 0 ||
	    canonical > NAMES_NUMBER_MAX / 2 ||
	    !identifier_is_match_key((enum identifier_kind)identifier->kind))
		return 0;
	out[0] = 'n';
	out[1] = (char)identifier->kind;
	memcpy(out + 2, identifier->issuer, issuer);
	out[2 + issuer] = '\0';
	memcpy(out + 3 + issuer, identifier->canonical, canonical);
	return 3 + issuer + canonical;
}

bool names_has(const struct names *names, const void *bytes, size_t len)
{
	struct name *name = NULL;

	HASH_FIND(hh, names->first, bytes, len, name);
	return name != NULL;
}

const char *names_text(const struct names *names, uint32_t index)
{
	assert(index < names->n);
	return names->by_index[index]->bytes;
}
