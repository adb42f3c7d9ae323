/*
 * The good configuration and its mistakes; see config_case.h.
 */
#include "support/config_case.h"

#include <string.h>
#include <unistd.h>
#include "base/instant.h"

static const char good_main[] = "listen = { endpoint = \"tcp://127.0.0.1:5700\"; };\n";

const char config_good_agencies[] =
	"agencies: (\n"
	"{ id = \"prison\"; name = \"The prison\"; mailboxes = ( { box = \"in\"; } );\n"
	"  keys = ( { label = \"a\"; public = \"" KEY_A "\"; } ); },\n"
	"{ id = \"desk\"; name = \"The desk\";\n"
	"  mailboxes = ( { box = \"duty\"; }, { box = \"boss\"; } );\n"
	"  keys = ( { label = \"a\"; public = \"" KEY_B "\"; } ); },\n"
	"{ id = \"other\"; name = \"Another\"; mailboxes = ( { box = \"in\"; } );\n"
	"  keys = ( { label = \"a\"; public = \"" KEY_C "\"; } ); }\n"
	");\n";


const char config_good_agreements[] = AGREEMENT(DELIVER(TO_DUTY));

int64_t config_now_ns(void)
{
	int64_t instant = 0;

	assert_int_equal(instant_parse("2026-11-21T10:00:00Z", &instant), TTG_OK);
	return instant;
}

void config_write(const struct folder *folder, const char *main, const char *agencies,
		      const char *agreements)
{
	char path[FOLDER_PATH];

	folder_path(folder, "agencies.d", path);
	if (access(path, F_OK) != 0) {
		folder_make(folder, "agencies.d");
		folder_make(folder, "agreements.d");
	}
	folder_write(folder, "ttgd.conf", main != NULL ? main : good_main);
	folder_write(folder, "agencies.d/all.conf", agencies != NULL ? agencies : config_good_agencies);
	folder_write(folder, "agreements.d/all.conf",
		     agreements != NULL ? agreements : config_good_agreements);
}

struct config *config_try(const struct folder *folder, struct config_errors **errors)
{
	char path[FOLDER_PATH];

	folder_path(folder, "ttgd.conf", path);
	*errors = config_errors_new();
	assert_non_null(*errors);
	return config_load(path, config_now_ns(), *errors);
}

/* True when some line, its folder taken off, is `text`, or begins with it when it ends in "...". */
bool config_told(const struct folder *folder, const struct config_errors *errors,
		     const char *text, bool want_warning)
{
	size_t skip = strlen(folder->path) + 1;
	size_t len = strlen(text);

	for (size_t i = 0; i < config_errors_lines(errors); i++) {
		bool warning;
		const char *line = config_errors_line(errors, i, &warning) + skip;

		if (warning != want_warning)
			continue;
		if (len > 3 && strcmp(text + len - 3, "...") == 0
			    ? strncmp(line, text, len - 3) == 0
			    : strcmp(line, text) == 0)
			return true;
	}
	return false;
}

static void print_lines(const struct config_errors *errors)
{
	for (size_t i = 0; i < config_errors_lines(errors); i++)
		print_error("%s\n", config_errors_line(errors, i, NULL));
}

void must_tell(const struct folder *folder, const struct mistake *mistake, bool warning)
{
	struct config_errors *errors;
	struct config *config;

	config_write(folder, mistake->main, mistake->agencies, mistake->agreements);
	config = config_try(folder, &errors);
	if (!config_told(folder, errors, mistake->line, warning)) {
		print_lines(errors);
		must_fail("not told: %s", mistake->line);
	}
	must_be((config != NULL) == warning, mistake->line);
	config_free(&config);
	config_errors_free(&errors);
}

void must_tell_all(void **state, const struct mistake *mistakes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		must_tell(*state, &mistakes[i], false);
}

struct config *config_must_load(const struct folder *folder)
{
	struct config_errors *errors;
	struct config *config = config_try(folder, &errors);

	if (config == NULL)
		print_lines(errors);
	must_be(config != NULL, "the configuration does not load");
	config_errors_free(&errors);
	return config;
}

void must_not_load(const struct folder *folder, const char *line)
{
	struct config_errors *errors;
	struct config *config = config_try(folder, &errors);

	if (!config_told(folder, errors, line, false)) {
		print_lines(errors);
		must_fail("not told: %s", line);
	}
	must_be(config == NULL, line);
	config_errors_free(&errors);
}

bool config_may_deliver(const struct rules *rules, uint32_t type, uint32_t from, uint32_t mailbox,
			int64_t now_ns)
{
	for (uint32_t i = 0; i < rules->n_agreements; i++) {
		if (rules_grant(rules, type, from, mailbox, i) && rules_in_force(rules, i, now_ns))
			return true;
	}
	return false;
}
