/*
 * The One Service's side of the adapter frame: what it receives goes into the case store and onto
 * standard output, what its own systems say goes out as events. One thread.
 */
#ifndef ONESERVICE_SERVICE_H
#define ONESERVICE_SERVICE_H

#include "common/adapter.h"

#define SERVICE_STORE_FILE "case.db" /* in state_dir */

/* The whole kind, for main() and for the publish command. */
extern const struct adapter_kind service_kind;

/* Reads CloudEvents of this agency into an intake; nothing is kept or sent. TTG_ENOMEM. */
enum ttg_error service_read(const char *agency, const struct document *document,
                            struct intake *intake, struct message *message);

/* True for the types this agency speaks for: service.* and referral.*. */
bool service_may_say(const char *type);

#endif
