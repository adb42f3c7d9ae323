/* The options of ttg-partner, and what goes together. See partner.h. Nothing is opened but secrets. */
#include <stdio.h>
#include <string.h>
#include "base/instant.h"
#include "partner/partner.h"

#define SETTING(name) offsetof(struct partner_settings, name)

const struct config_option partner_options[] = {
	{ "store.path", CONFIG_STRING, SETTING(path),
	  .right = "the path of an SQLite file, or \"\": case.db in state_dir" },
	{ "store.postgres", CONFIG_STRING, SETTING(postgres),
	  .right = "a connection string of libpq without a password, or \"\": SQLite" },
	{ "store.password_file", CONFIG_STRING, SETTING(password_file),
	  .right = "the path of a file of mode 0600 with PostgreSQL's password in its first line" },
	{ "push.url", CONFIG_STRING, SETTING(push_url),
	  .right = "the https:// address events are sent to, or \"\" for none" },
	{ "push.secret_file", CONFIG_STRING, SETTING(push_secret_file),
	  .right = "the path of a file of mode 0600 with the secret in its first line" },
	{ "push.ca_file", CONFIG_STRING, SETTING(push_ca_file),
	  .right = "the path of a PEM file: who signs the receiver's certificate; \"\": the system's" },
	{ "push.timeout_ms", CONFIG_INTEGER, SETTING(push_timeout_ms), .fallback = "15000",
	  .min = 100, .max = 300000, .right = "milliseconds between 100 and 300000" },
	{ "push.retry_ms", CONFIG_INTEGER, SETTING(push_retry_ms), .fallback = "5000", .min = 10,
	  .max = 3600000, .right = "milliseconds between 10 and 3600000" },
	{ "push.retry_max_ms", CONFIG_INTEGER, SETTING(push_retry_max_ms), .fallback = "3600000",
	  .min = 10, .max = 86400000, .right = "milliseconds between 10 and 86400000" },
	{ "push.max_attempts", CONFIG_INTEGER, SETTING(push_max_attempts), .fallback = "100",
	  .min = 1, .max = 100000, .right = "attempts between 1 and 100000" },
	{ "push.give_up_hours", CONFIG_INTEGER, SETTING(push_give_up_hours), .fallback = "72",
	  .min = 1, .max = 8760, .right = "hours between 1 and 8760" },
	{ "web.listen", CONFIG_STRING, SETTING(web_listen), .fallback = "127.0.0.1",
	  .right = "a numeric address; other than loopback only with TLS" },
	{ "web.port", CONFIG_INTEGER, SETTING(web_port), .fallback = "0", .max = 65535,
	  .right = "a port, or 0 for no pages" },
	{ "web.tls_cert_file", CONFIG_STRING, SETTING(web_tls_cert_file),
	  .right = "the path of a PEM file" },
	{ "web.tls_key_file", CONFIG_STRING, SETTING(web_tls_key_file),
	  .right = "the path of a PEM file of mode 0600" },
	{ "web.users_file", CONFIG_STRING, SETTING(web_users_file),
	  .right = "the path of a file of mode 0600, made by `ttg-partner user add`" },
	{ "web.session_minutes", CONFIG_INTEGER, SETTING(web_session_minutes), .fallback = "30",
	  .min = 1, .max = 720, .right = "minutes between 1 and 720" },
	{ "web.results", CONFIG_YES_NO, SETTING(web_results), .fallback = "true",
	  .right = "true or false: whether the inbox offers to record results" },
	{ "summary.dir", CONFIG_STRING, SETTING(summary_dir),
	  .right = "a directory a mail system takes messages from, or \"\" for none" },
	{ "summary.at", CONFIG_STRING, SETTING(summary_at), .fallback = "07:30",
	  .right = "a time of day in the United Kingdom, for example \"07:30\"" },
	{ "summary.from", CONFIG_STRING, SETTING(summary_from),
	  .right = "an address, for example \"throughgate@example.org\"" },
	{ "summary.to", CONFIG_STRING, SETTING(summary_to),
	  .right = "an address, for example \"referrals@example.org\"" },
};
_Static_assert(sizeof(partner_options) / sizeof(*partner_options) == PARTNER_OPTIONS,
               "every option counts");

struct store_place partner_store_place(const struct partner_settings *settings,
                                       const char *state_dir, char path[CONFIG_TEXT_BYTES + 16])
{
	struct store_place place = { .postgres = settings->postgres,
		                     .password_file = settings->password_file };

	snprintf(path, CONFIG_TEXT_BYTES + 16, "%s/" PARTNER_STORE_FILE, state_dir);
	if (settings->path[0] != '\0')
		place.path = settings->path;
	else if (settings->postgres[0] == '\0')
		place.path = path;
	return place;
}

struct push_options partner_push_options(const struct partner_settings *settings,
                                         const struct adapter_context *context)
{
	return (struct push_options){
		.url = settings->push_url,
		.secret_file = settings->push_secret_file,
		.ca_file = settings->push_ca_file,
		.state_dir = context->state_dir,
		.timeout_ms = settings->push_timeout_ms,
		.patience = { .first_ms = settings->push_retry_ms,
		              .longest_ms = settings->push_retry_max_ms,
		              .max_attempts = (unsigned)settings->push_max_attempts,
		              .give_up_s = settings->push_give_up_hours * 3600 },
		.log = context->log,
	};
}

static enum ttg_error check_summary(const struct partner_settings *settings,
                                    struct message *message)
{
	if (settings->summary_dir[0] == '\0')
		return TTG_OK;
	if (!clock_is_valid(settings->summary_at))
		return message_set(message, TTG_EFORMAT,
		                   "summary.at: must be a time of day, for example \"07:30\"");
	if (!summary_is_address(settings->summary_from))
		return message_set(message, TTG_EFORMAT, "summary.from: must be one mail address");
	if (!summary_is_address(settings->summary_to))
		return message_set(message, TTG_EFORMAT, "summary.to: must be one mail address");
	return TTG_OK;
}

enum ttg_error partner_check(const void *object, struct message *message)
{
	const struct partner_settings *settings = object;
	char path[CONFIG_TEXT_BYTES + 16];
	const struct store_place place = partner_store_place(settings, "", path);
	enum ttg_error error = store_check(&place, message);

	return error == TTG_OK ? check_summary(settings, message) : error;
}

struct web_options partner_web_options(const struct partner_settings *settings,
                                       const struct adapter_context *context)
{
	return (struct web_options){
		.listen = settings->web_listen,
		.port = (unsigned)settings->web_port,
		.tls_cert_file = settings->web_tls_cert_file,
		.tls_key_file = settings->web_tls_key_file,
		.users_file = settings->web_users_file,
		.session_minutes = (unsigned)settings->web_session_minutes,
		.log = context->log,
	};
}

enum ttg_error partner_check_context(const void *object, const struct adapter_context *context,
                                     struct message *message)
{
	const struct partner_settings *settings = object;
	const struct push_options push = partner_push_options(settings, context);
	const struct web_options web = partner_web_options(settings, context);
	enum ttg_error error = TTG_OK;

	if (settings->push_url[0] != '\0')
		error = push_check(&push, message);
	if (error == TTG_OK && settings->web_port != 0)
		error = web_check(&web, message);
	if (error == TTG_OK && settings->web_port != 0 && context->spool_dir[0] == '\0')
		error = message_set(message, TTG_EFORMAT,
		                    "web.port: the inbox puts its answers into spool.dir, which is "
		                    "not set");
	return error;
}
