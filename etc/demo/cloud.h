/*
 * CloudEvents 1.0 objects as the adapters and ttg-pub read them. See cloud.c for the form.
 */
#ifndef DEMO_CLOUD_H
#define DEMO_CLOUD_H

#include <jansson.h>
#include "cohort.h"

/*
 * An event of `source` about the man with this prison number ("" nobody), now. Takes the reference
 * to data. The id comes out of the dice and is copied to `id`. NULL without memory.
 */
json_t *cloud_event(struct dice *dice, const char *source, const char *type, const char *now,
                    const char *noms, json_t *take_data, char id[37]);

#endif
