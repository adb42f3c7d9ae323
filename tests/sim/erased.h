/*
 * Sealed payloads, as the model sees them: their bytes are taken from the broker's store when they are
 * sealed, and remembered; and which keys were to be destroyed, in any journal there was.
 */
#ifndef TTG_SIM_ERASED_H
#define TTG_SIM_ERASED_H

#include "core/record.h"
#include "sim/model.h"

/* The bytes of a sealed event: what was sealed, or at a recovery what the model knows. */
void model_reveal(const struct model *model, struct record_event *it, bool live);
void model_apply_erased(struct model *model, const uint8_t *data, size_t len);
bool model_is_erased(const struct model *model, uint64_t key);
/* Of whom something was recorded; false: nobody yet. */
bool model_any_person(const struct model *model, uint8_t key[CORE_PERSON_KEY]);

#endif
