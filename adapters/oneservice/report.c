/*
 * The report command. See report.h.
 *
 * The store is only read, in the state it has when reading begins; the running adapter goes on
 * writing. Every event goes through the figures, the table is made, what the public may not see is
 * hidden, and only then are the rows chosen that were asked for. A failure prints nothing of the
 * table. One thread, one process.
 */
#include "oneservice/report.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "base/world.h"
#include "oneservice/figures_store.h"
#include "oneservice/service.h"
#include "store/store.h"

struct report {
	struct adapter_places places;
	struct service_settings settings;
	enum figures_kind kind;
	const char *config, *scheme, *cohort, *output;
	enum report_form form;
	bool is_public;
	int64_t as_at_ns;
	struct baselines baselines;
	struct figures *figures;
	struct table table;
};

static const char help[] =
        "ttg-oneservice report - figures out of the case store\n\n"
        "usage: ttg-oneservice report engagement|needs|outcome|referrals --config FILE "
        "[OPTION...]\n\n"
        "  -c, --config FILE      configuration of the adapter whose store it is\n"
        "      --csv              comma-separated values\n"
        "      --json             a JSON object a line\n"
        "      --scheme SCHEME    only this scheme\n"
        "      --cohort COHORT    only this cohort\n"
        "      --as-at TIME       as things stood then; now by default\n"
        "      --public           counts under 5 and what would tell them are hidden\n"
        "      --baseline [[SCHEME/]COHORT=]FREQUENCY\n"
        "                         events per 100 men that the outcome is held against; may be\n"
        "                         repeated, the first that fits is taken\n"
        "      --output FILE      into this file, mode 0600, whole or not at all\n"
        "  -h, --help             this text\n\n"
        "exit status: 0 fine, 1 runtime error, 2 usage or configuration\n";

static int fail(int status, const char *text)
{
	fprintf(stderr, "ttg-oneservice report: %s\n", text);
	return status;
}

/* An instant as instant.h reads them, or a day: its first moment. */
static bool read_as_at(struct report *report, const char *text)
{
	return instant_from_civil(text, NULL, &report->as_at_ns) == TTG_OK ||
	       instant_parse(text, &report->as_at_ns) == TTG_OK;
}

/* -1: go on; else the exit status. */
static int read_option(struct report *report, int found)
{
	switch (found) {
	case 'c':
		report->config = optarg;
		return -1;
	case 'v':
	case 'j':
		if (report->form != REPORT_PEOPLE)
			return fail(ADAPTER_USAGE, "one of --csv and --json");
		report->form = found == 'v' ? REPORT_CSV : REPORT_JSON;
		return -1;
	case 's':
		report->scheme = optarg;
		return -1;
	case 'o':
		report->cohort = optarg;
		return -1;
	case 'a':
		if (read_as_at(report, optarg))
			return -1;
		return fail(ADAPTER_USAGE, "--as-at takes a time, for example 2026-11-21T10:15:00Z "
		                           "or 2026-11-21");
	case 'p':
		report->is_public = true;
		return -1;
	case 'b':
		if (baselines_add(&report->baselines, optarg))
			return -1;
		return fail(ADAPTER_USAGE, "--baseline takes events per 100 men, for example 150.5 "
		                           "or cohort-1=150.5; at most 64 times");
	case 'f':
		report->output = optarg;
		return -1;
	case 'h':
		fputs(help, stdout);
		return ADAPTER_FINE;
	default:
		return ADAPTER_USAGE;
	}
}

static int read_arguments(struct report *report, int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "csv", no_argument, NULL, 'v' },
		{ "json", no_argument, NULL, 'j' },
		{ "scheme", required_argument, NULL, 's' },
		{ "cohort", required_argument, NULL, 'o' },
		{ "as-at", required_argument, NULL, 'a' },
		{ "public", no_argument, NULL, 'p' },
		{ "baseline", required_argument, NULL, 'b' },
		{ "output", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int found;

	while ((found = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
		int status = read_option(report, found);

		if (status >= 0)
			return status;
	}
	if (report->config == NULL || argc - optind != 1)
		return fail(ADAPTER_USAGE, "needs one of engagement, needs, outcome and referrals, "
		                           "and --config FILE; see --help");
	report->kind = figures_kind_find(argv[optind]);
	if (report->kind == FIGURES_KINDS)
		return fail(ADAPTER_USAGE, "there is no such report; see --help");
	if (report->baselines.n > 0 && report->kind != FIGURES_OUTCOME)
		return fail(ADAPTER_USAGE, "--baseline is for the outcome");
	return -1;
}

static enum ttg_error read_store(struct report *report, struct message *message)
{
	struct service_store found;
	struct store *store = NULL;
	enum ttg_error error;

	service_find_store(&report->settings, report->places.state_dir, &found);
	error = store_open_reader(&store, &found.place, message);
	if (error == TTG_OK)
		error = figures_read(report->figures, store, NULL, message);
	store_close(&store);
	return error;
}

static enum ttg_error make_table(struct report *report, struct message *message)
{
	enum ttg_error error = figures_settle(report->figures, report->as_at_ns);

	if (error == TTG_OK)
		error = figures_make(report->figures, report->kind, &report->baselines,
		                     &report->table);
	if (error == TTG_OK && report->is_public)
		error = table_hide_small(&report->table);
	if (error != TTG_OK)
		return message_set(message, error, "making the table: %s", ttg_error_name(error));
	table_select(&report->table, report->scheme, report->cohort);
	return TTG_OK;
}

static enum ttg_error put_out(const struct report *report, struct message *message)
{
	const struct world *world = world_real();
	char *text = report_format(&report->table, report->form);
	enum ttg_error error = TTG_OK;

	if (text == NULL)
		return message_set(message, TTG_ENOMEM, "no memory for the table");
	if (report->output != NULL)
		error = world_error(world_replace_file(world, report->output, text, strlen(text)));
	else if (fputs(text, stdout) == EOF || fflush(stdout) != 0)
		error = TTG_EIO;
	free(text);
	return error == TTG_OK ? TTG_OK
	                       : message_set(message, error, "the table cannot be written");
}

static int make_report(struct report *report)
{
	struct message message = { "" };
	enum ttg_error error = TTG_ENOMEM;

	if (adapter_find_places(&service_kind, report->config, &report->places, &report->settings,
	                        &message) != TTG_OK)
		return fail(ADAPTER_USAGE, message.text);
	report->figures = figures_new();
	if (report->figures == NULL)
		message_set(&message, TTG_ENOMEM, "no memory");
	else
		error = read_store(report, &message);
	if (error == TTG_OK)
		error = make_table(report, &message);
	if (error == TTG_OK)
		error = put_out(report, &message);
	if (error != TTG_OK)
		return fail(ADAPTER_FAILED, message.text);
	if (figures_left_out(report->figures) > 0)
		fprintf(stderr,
		        "ttg-oneservice report: %zu enrolments name no scheme, no cohort or nobody "
		        "and count nowhere\n",
		        figures_left_out(report->figures));
	if (report->table.n_rows == 0)
		fail(ADAPTER_FINE, "there is nothing to count");
	return ADAPTER_FINE;
}

int report_main(int argc, char **argv)
{
	struct report *report = calloc(1, sizeof(*report));
	int status;

	if (report == NULL)
		return fail(ADAPTER_FAILED, "no memory");
	report->as_at_ns = world_real()->real_ns(world_real()->self);
	status = read_arguments(report, argc, argv);
	if (status < 0)
		status = make_report(report);
	table_fini(&report->table);
	figures_free(&report->figures);
	free(report);
	return status;
}
