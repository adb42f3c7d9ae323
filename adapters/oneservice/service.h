/*
 * The One Service's side of the adapter frame: what it receives goes into the case store and onto
 * standard output, what its own systems say goes out as events. One thread.
 */
#ifndef ONESERVICE_SERVICE_H
#define ONESERVICE_SERVICE_H

#include "common/adapter.h"
#include "store/store.h"

#define SERVICE_STORE_FILE "case.db" /* in state_dir, where nothing else is said */

struct service_settings {
	struct config_list mailboxes;
	int live;   /* enum live, see service.c */
	int alerts; /* enum alerts */
	char path[CONFIG_TEXT_BYTES];
	char postgres[CONFIG_TEXT_BYTES];
	char password_file[CONFIG_TEXT_BYTES];
};

struct service_store {
	struct store_place place;
	char path[CONFIG_TEXT_BYTES + 16]; /* what place may point to */
};

/* Where the settings say the store is; good as long as settings and out stay where they are. */
void service_find_store(const struct service_settings *settings, const char *state_dir,
                        struct service_store *out);

/* The whole kind, for main() and for the publish command. */
extern const struct adapter_kind service_kind;

/* Reads CloudEvents of this agency into an intake; nothing is kept or sent. TTG_ENOMEM. */
enum ttg_error service_read(const char *agency, const struct document *document,
                            struct intake *intake, struct message *message);

/* True for the types this agency speaks for: service.* and referral.*. */
bool service_may_say(const char *type);

#endif
