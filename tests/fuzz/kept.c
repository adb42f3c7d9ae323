/*
 * The table of all fields' bounds is the same for every core, and making it costs many times what one
 * input does: made once, kept, and given to every core (--wrap at link time).
 */
#include "fuzz.h"

#include "core/fields.h"

struct fields *__real_fields_new(void);
struct fields *__wrap_fields_new(void);
void __wrap_fields_free(struct fields **fields);

struct fields *__wrap_fields_new(void)
{
	static struct fields *kept;

	if (!kept)
		kept = __real_fields_new();
	return kept;
}

void __wrap_fields_free(struct fields **fields)
{
	*fields = NULL;
}
