/*
 * The duty desk: what its pages know. One process, one thread; it reads the case store that
 * ttg-oneservice writes, writes acknowledgements of alerts into it, and puts what its users do as
 * events into ttg-oneservice's spool. It has no key to the broker.
 */
#ifndef DESK_DESK_H
#define DESK_DESK_H

#include "common/config.h"
#include "desk/alerts.h"
#include "desk/disclosures.h"
#include "desk/views.h"
#include "web/page.h"
#include "web/web.h"

/* Roles of users, in the order of desk_role_words. */
#define ROLE_DUTY       1u
#define ROLE_CASEWORKER 2u
#define ROLE_MANAGER    4u
#define ROLE_EVALUATOR  8u
#define ROLES_STAFF     (ROLE_DUTY | ROLE_CASEWORKER | ROLE_MANAGER)
#define ROLES_ALL       (ROLES_STAFF | ROLE_EVALUATOR)

struct desk_settings {
	char agency[CONFIG_TEXT_BYTES];
	char store_path[CONFIG_TEXT_BYTES]; /* as ttg-oneservice's store.path, store.postgres, ...
	                                     */
	char store_postgres[CONFIG_TEXT_BYTES];
	char store_password_file[CONFIG_TEXT_BYTES];
	char spool_dir[CONFIG_TEXT_BYTES]; /* ttg-oneservice's spool.dir; "": users can only look */
	char users_file[CONFIG_TEXT_BYTES];
	char listen[CONFIG_TEXT_BYTES];
	int64_t port;
	char tls_cert_file[CONFIG_TEXT_BYTES];
	char tls_key_file[CONFIG_TEXT_BYTES];
	int64_t session_minutes;
	char disclosures_file[CONFIG_TEXT_BYTES]; /* what `ttgctl --json disclosures` wrote; "":
	                                             none */
	char scheme[CONFIG_TEXT_BYTES];           /* offered first in forms */
	char prison_code[CONFIG_TEXT_BYTES];      /* whose gate this is: "PBI" */
	struct config_list local_areas;           /* ONS codes or names: others are out of area */
	struct config_list providers;             /* agencies referrals may be made to */
	struct config_list baselines;           /* as ttg-oneservice report --baseline takes them */
	char contact_number[CONFIG_TEXT_BYTES]; /* offered for PNC flags */
	char police_agency[CONFIG_TEXT_BYTES];
	int log_level, log_target;
};

struct figures_cache;

#define DESK_AGAIN_MAX 64

/* An event that came earlier and became another: answered, or completed. */
struct desk_again {
	uint64_t change;
	uint32_t event;
};

struct desk {
	struct desk_settings settings;
	struct store *store; /* store_open_desk() */
	struct views *views;
	struct alerts *alerts;
	struct figures_cache *figures; /* figures_page.c; see pages.h */
	struct disclosures *disclosures; /* NULL: none are shown */
	struct web *web;                 /* NULL in tests of pages */
	struct log *log;
	struct desk_again again[DESK_AGAIN_MAX]; /* the newest, at n_again and before it */
	size_t n_again;                          /* counts on: index n_again % DESK_AGAIN_MAX */
	bool unsettled;                          /* views_settle() did not come to its end */
	int64_t away_ns;                         /* since when the store cannot be read; 0: it can */
	/* Asked now and then while many events are read: false ends the reading. May be NULL. */
	bool (*on_progress)(struct desk *desk);
};

extern const char *const desk_role_words[]; /* "duty", "caseworker", "manager", "evaluator", NULL */

/*
 * Whether this user may see what concerns that person: false for a limited-access case he is not
 * assigned to. Pages then say that there is one, who works with him, and no more.
 */
bool desk_may_see(const struct web_request *request, const struct person *person);

/*
 * Reads what is new in the store, alerts included; *news when anything was. Errors of the store,
 * which is then closed and opened again by desk_run.c; TTG_ENOMEM, TTG_ELIMIT and TTG_EVERSION (this
 * is not the store that was read before) end the desk.
 */
enum ttg_error desk_follow(struct desk *desk, bool *news, struct message *message);

#endif
