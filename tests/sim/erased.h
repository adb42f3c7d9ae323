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
void model_apply_lapsed(struct model *model, const uint8_t *data, size_t len, bool live);
/* Of the journal that there was: what is left of it will be applied again. */
void model_forget_keys(struct model *model);
/* How long events of a type (core_play.h) are kept in this life, seconds; 0: without end. */
uint32_t erased_retention(int type);
/* How long a payload is kept. type: of what an agency publishes now; else -1. */
void model_keep(struct model *model, const struct record_event *it, int type);
bool model_is_erased(const struct model *model, uint64_t key);
/* And the record that says so is there still. */
bool model_erasure_stands(const struct model *model, uint64_t key);
/* Of whom something was recorded; false: nobody yet. */
bool model_any_person(const struct model *model, uint8_t key[CORE_PERSON_KEY]);

#endif
