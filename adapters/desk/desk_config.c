/* Every option of ttg-desk.conf, and what has to hold between them. See desk_config.h. */
#include "desk/desk_config.h"

#include <stddef.h>
#include <string.h>
#include "desk/figures_cache.h"

#define SETTING(name) offsetof(struct desk_settings, name)

static const char *const log_levels[] = { "error", "warn", "notice", "info", "debug", NULL };
static const char *const log_targets[] = { "stderr", "journald", NULL };

static const struct config_option options[] = {
	{ "agency", CONFIG_STRING, SETTING(agency), .required = true,
	  .right = "the id of this agency, for example \"one-service\"" },
	{ "store.path", CONFIG_STRING, SETTING(store_path),
	  .right = "the path of ttg-oneservice's SQLite file" },
	{ "store.postgres", CONFIG_STRING, SETTING(store_postgres),
	  .right = "a connection string of libpq without a password, or \"\": SQLite" },
	{ "store.password_file", CONFIG_STRING, SETTING(store_password_file),
	  .right = "the path of a file of mode 0600 with PostgreSQL's password in its first line" },
	{ "spool.dir", CONFIG_STRING, SETTING(spool_dir),
	  .right = "ttg-oneservice's spool folder, or \"\": users can only look" },
	{ "users_file", CONFIG_STRING, SETTING(users_file),
	  .fallback = "/var/lib/ttg-desk/users",
	  .right = "the path of a file of mode 0600, which ttg-desk user writes" },
	{ "http.listen", CONFIG_STRING, SETTING(listen), .fallback = "127.0.0.1",
	  .right = "an address to listen on, for example \"127.0.0.1\"" },
	{ "http.port", CONFIG_INTEGER, SETTING(port), .fallback = "5780", .min = 0, .max = 65535,
	  .right = "a port between 0 and 65535; 0 takes any free one" },
	{ "http.tls_cert_file", CONFIG_STRING, SETTING(tls_cert_file),
	  .right = "the path of a PEM file" },
	{ "http.tls_key_file", CONFIG_STRING, SETTING(tls_key_file),
	  .right = "the path of a PEM file of mode 0600" },
	{ "http.session_minutes", CONFIG_INTEGER, SETTING(session_minutes), .fallback = "30",
	  .min = 5, .max = 720, .right = "minutes between 5 and 720" },
	{ "disclosures_file", CONFIG_STRING, SETTING(disclosures_file),
	  .right = "the path of what ttgctl --json disclosures wrote, or \"\": none" },
	{ "scheme", CONFIG_STRING, SETTING(scheme), .fallback = "one-service-pilot",
	  .right = "the id of a scheme" },
	{ "prison_code", CONFIG_STRING, SETTING(prison_code), .fallback = "PBI",
	  .right = "the NOMIS code of a prison, for example \"PBI\"" },
	{ "local_areas", CONFIG_STRINGS, SETTING(local_areas),
	  .right = "a list of local authorities, by ONS code or by name; at most 32" },
	{ "providers", CONFIG_STRINGS, SETTING(providers),
	  .right = "a list of agencies that referrals may go to, at most 32" },
	{ "baselines", CONFIG_STRINGS, SETTING(baselines),
	  .right = "a list of baselines as ttg-oneservice report takes them, at most 32" },
	{ "contact_number", CONFIG_STRING, SETTING(contact_number),
	  .right = "the telephone number that police officers are to ring" },
	{ "police_agency", CONFIG_STRING, SETTING(police_agency),
	  .right = "the id of the agency that is asked for flags" },
	{ "log.level", CONFIG_CHOICE, SETTING(log_level), .fallback = "info", .words = log_levels,
	  .right = "error, warn, notice, info or debug" },
	{ "log.target", CONFIG_CHOICE, SETTING(log_target), .fallback = "stderr",
	  .words = log_targets, .right = "stderr or journald" },
};

struct store_place desk_store_place(const struct desk_settings *settings)
{
	return (struct store_place){ .path = settings->store_path,
		                     .postgres = settings->store_postgres,
		                     .password_file = settings->store_password_file };
}

struct web_options desk_web_options(const struct desk_settings *settings, struct log *log)
{
	return (struct web_options){ .listen = settings->listen,
		                     .port = (unsigned)settings->port,
		                     .tls_cert_file = settings->tls_cert_file,
		                     .tls_key_file = settings->tls_key_file,
		                     .users_file = settings->users_file,
		                     .session_minutes = (unsigned)settings->session_minutes,
		                     .log = log };
}

enum ttg_error desk_config_load(const char *path, struct desk_settings *out,
                                struct message *message)
{
	const struct config_table table = { options, sizeof(options) / sizeof(*options), out };
	struct store_place place;
	struct web_options web;
	enum ttg_error error;

	memset(out, 0, sizeof(*out));
	error = adapter_config_load(path, &table, 1, message);
	if (error != TTG_OK)
		return error;
	place = desk_store_place(out);
	web = desk_web_options(out, NULL);
	error = store_check(&place, message);
	if (error == TTG_OK)
		error = figures_check(out, message);
	return error == TTG_OK ? web_check(&web, message) : error;
}
