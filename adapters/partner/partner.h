/*
 * ttg-partner: one process for an organisation without a computer department. What is sent to it
 * goes into its own case store and from there, as configured, to a receiver of its own (push), into
 * files, onto a page (inbox) and into a daily message (summary); its answers come from the page,
 * from files or by HTTP. One thread.
 */
#ifndef PARTNER_PARTNER_H
#define PARTNER_PARTNER_H

#include "common/adapter.h"
#include "partner/push.h"
#include "partner/caseload.h"
#include "partner/summary.h"
#include "store/store.h"
#include "web/web.h"

#define PARTNER_OPTIONS    22
#define PARTNER_STORE_FILE "case.db" /* in state_dir, where nothing else is said */

struct partner_settings {
	char path[CONFIG_TEXT_BYTES];
	char postgres[CONFIG_TEXT_BYTES];
	char password_file[CONFIG_TEXT_BYTES];

	char push_url[CONFIG_TEXT_BYTES]; /* "": nothing is pushed */
	char push_secret_file[CONFIG_TEXT_BYTES];
	char push_ca_file[CONFIG_TEXT_BYTES];
	int64_t push_timeout_ms;
	int64_t push_retry_ms;
	int64_t push_retry_max_ms;
	int64_t push_max_attempts;
	int64_t push_give_up_hours;

	char summary_dir[CONFIG_TEXT_BYTES]; /* "": none */
	char summary_at[CONFIG_TEXT_BYTES];
	char summary_from[CONFIG_TEXT_BYTES];
	char summary_to[CONFIG_TEXT_BYTES];

	char web_listen[CONFIG_TEXT_BYTES];
	int64_t web_port; /* 0: no inbox */
	char web_tls_cert_file[CONFIG_TEXT_BYTES];
	char web_tls_key_file[CONFIG_TEXT_BYTES];
	char web_users_file[CONFIG_TEXT_BYTES];
	int64_t web_session_minutes;
	bool web_results;
};

struct partner {
	const struct adapter_context *context;
	const struct partner_settings *settings;
	struct store *store;
	struct caseload *referrals;
	struct push_options push_options;
	struct push *push; /* NULL: none */
	struct summary_plan summary;
	struct web_options web_options;
	struct web_site site;
	struct web *web; /* NULL: no inbox */

	uint8_t (*staged)[TTG_UUID_BYTES]; /* events of the document in hand */
	size_t n_staged;
};

/* The whole kind, for main() and for the commands. */
extern const struct adapter_kind partner_kind;
extern const struct config_option partner_options[PARTNER_OPTIONS];

/* What of the settings can be wrong without looking at the frame's, and together with them. */
enum ttg_error partner_check(const void *settings, struct message *message);
enum ttg_error partner_check_context(const void *settings, const struct adapter_context *context,
                                     struct message *message);

/* Settings as the parts want them; good as long as settings and context stay where they are. */
struct push_options partner_push_options(const struct partner_settings *settings,
                                         const struct adapter_context *context);
struct web_options partner_web_options(const struct partner_settings *settings,
                                       const struct adapter_context *context);
/* path: room for what place may point to. */
struct store_place partner_store_place(const struct partner_settings *settings,
                                       const char *state_dir, char path[CONFIG_TEXT_BYTES + 16]);

/* The adapter's read() and settle(): CloudEvents of this agency, checked by the table of moves. */
enum ttg_error partner_read(void *self, const struct document *document, struct intake *intake,
                            struct message *message);
enum ttg_error partner_settle(void *self, bool durable, struct message *message);

#endif
