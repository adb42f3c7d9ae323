/*
 * Catalogue events as CloudEvents in JSON: what an agency's own systems hand over when they know
 * the catalogue. Each adapter takes the types of its own family.
 */
#ifndef ADAPTERS_COMMON_CATALOGUE_H
#define ADAPTERS_COMMON_CATALOGUE_H

#include <jansson.h>
#include "common/intake.h"

/* True for an object that says it is a CloudEvent. */
bool catalogue_is(const json_t *item);

/*
 * Adds the event to the intake. Its type must begin with `family` ("prison."), its source, when it
 * names one, must be `agency`. TTG_EFORMAT, TTG_EPERM (another family or source), TTG_ELIMIT.
 */
enum ttg_error catalogue_read(const json_t *item, const char *family, const char *agency,
                              struct intake *intake, struct message *message);

#endif
