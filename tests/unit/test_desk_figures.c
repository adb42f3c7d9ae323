/* The desk's figures: what its pages show is what the report command says, and the public's form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <getopt.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "desk/figures_cache.h"
#include "oneservice/report.h"
#include "store/published.h"
#include "support/assert.h"
#include "support/cohorts.h"
#include "support/desk_bed.h"
#include "support/wait.h"

#define MEN      1000
#define EVERY_MS 20
#define HOSTILE  "<i>&\"'"

/* One for all tests: making it takes seconds. */
static struct desk_bed bed;

static void put(void *user, const Ttg__Event *event, const uint8_t *person_key, int64_t kept_ns)
{
	struct message message = { "" };
	size_t len = ttg__event__get_packed_size(event);
	uint8_t *bytes = malloc(len + 1);
	enum store_verdict verdict;
	const struct ttg_delivery delivery = { .mailbox = "one-service/duty",
		                               .position = ++bed.position,
		                               .event = bytes,
		                               .event_bytes = len,
		                               .person_key = person_key,
		                               .accepted_ns = kept_ns };

	(void)user;
	must_be(bytes != NULL, "memory");
	ttg__event__pack(event, bytes);
	if (person_key == NULL)
		must_be(store_add_published(bed.writer, event->id.data, event->type, bytes, len,
		                            kept_ns, &message) == TTG_OK,
		        message.text);
	else
		must_be(store_add(bed.writer, &delivery, kept_ns, &verdict, &message) == TTG_OK,
		        message.text);
	free(bytes);
}

/* A cohort that is called what no cohort should be. */
static void enrol_one(struct casefile *file, const char *cohort)
{
	const struct casefile_man man = { .noms = "A9876ZZ", .key = 900001 };
	const struct casefile_man ours = { .noms = "A9876ZZ" };

	casefile_enrolled(file, &ours, must_at("2014-01-06 10:00"), "hostile", cohort,
	                  "2014-02-03");
	casefile_released(file, &man, must_at("2014-02-03 09:00"), true,
	                  TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_SETTLED);
}

static bool is_ready(void *arg)
{
	struct figures_look look;

	(void)arg;
	figures_cache_look(bed.desk.figures, &look);
	return look.set != NULL;
}

static int begin(void **state)
{
	struct desk_settings *settings = &bed.desk.settings;
	struct message message = { "" };
	struct casefile file;
	char text[2 * FOLDER_PATH];

	(void)state;
	must_make_desk(&bed);
	folder_path(bed.folder, "case.db", settings->store_path);
	settings->baselines.n = 1;
	snprintf(settings->baselines.items[0], CONFIG_WORD_BYTES, COHORTS_BASELINE);
	casefile_init(&file, put, NULL);
	cohorts_play(&file, MEN, 0);
	enrol_one(&file, HOSTILE);
	must_be(store_commit(bed.writer, &message) == TTG_OK, message.text);
	snprintf(text, sizeof(text),
	         "agency = \"one-service\";\nbroker = \"tcp://127.0.0.1:1\";\n"
	         "server_key_file = \"/none\";\nkey_file = \"/none\";\nstate_dir = \"%s\";\n"
	         "mailboxes = [ \"duty\" ];\n",
	         bed.folder->path);
	folder_write(bed.folder, "oneservice.conf", text);
	bed.desk.figures = figures_cache_open(settings, EVERY_MS);
	must_be(bed.desk.figures != NULL && wait_until(is_ready, NULL, 4 * WAIT_LONG_MS),
	        "figures");
	return 0;
}

static int end(void **state)
{
	(void)state;
	figures_cache_free(&bed.desk.figures);
	desk_bed_remove(&bed);
	xmlCleanupParser();
	return 0;
}

static void be(unsigned role)
{
	bed.user.role = role;
}

static const char *page_of(const char *kind, const char *fields)
{
	return desk_bed_get(&bed, page_figures, fields, kind, NULL);
}

static void must_have_cells(const char *const *cells)
{
	const char *at = bed.response.body.bytes;

	for (; *cells != NULL; cells++) {
		char wanted[128];

		snprintf(wanted, sizeof(wanted), "\">%s</td>", *cells);
		at = strstr(at, wanted);
		if (at == NULL)
			fail_msg("no %s in\n%s", *cells, bed.response.body.bytes);
	}
}

#define MUST_HAVE_CELLS(...) must_have_cells((const char *const[]){ __VA_ARGS__, NULL })

static void the_pages_show_the_published_percentages(void **state)
{
	(void)state;
	be(ROLE_DUTY);
	page_of("engagement", "scheme=gateway&cohort=cohort-1");
	assert_int_equal(bed.response.status, 200);
	MUST_HAVE_CELLS("first assessment", "1000", "740", "74.0", "full assessment", "50.0",
	                "met at gate", "64.0", "engaged 1 month", "37.0", "engaged 3 months",
	                "10.0", "engaged 6 months", "5.0");
	must_not_show(&bed, "87.0");
	page_of("engagement", "scheme=gateway");
	MUST_HAVE_CELLS("74.0", "50.0", "64.0", "37.0", "10.0", "5.0", "87.0", "70.0", "86.0",
	                "55.0", "20.0", "13.0");
	page_of("needs", "scheme=gateway&cohort=ALL");
	MUST_HAVE_CELLS("40.0", "39.0", "36.0", "25.0", "19.0", "15.0", "12.0", "10.0", "8.0",
	                "3.0", "1.0");
	page_of("outcome", "scheme=gateway");
	MUST_HAVE_CELLS("137.4", "150.0", "8.4", "10.0", "no", "134.0", "10.7", "yes", "7.5",
	                "yes");
	page_of("referrals", "scheme=gateway&cohort=ALL");
	MUST_HAVE_CELLS("mind", "200", "140", "24.0", "72.0");
	must_show(&bed, "As at ");
	must_show(&bed, "/figures/referrals/csv?scheme=gateway&amp;cohort=ALL&amp;view=whole");
}

/* What the command writes into a file. */
static char *report(const char *kind, bool is_public, const char *scheme)
{
	char config[FOLDER_PATH];
	char output[FOLDER_PATH];
	const char *arguments[16] = { "report",   kind,   "--config", config, "--csv",
		                      "--output", output, "--scheme", scheme };
	int n = 9;
	char *text = NULL;
	size_t room = 0;
	FILE *file;

	folder_path(bed.folder, "oneservice.conf", config);
	folder_path(bed.folder, "out.csv", output);
	if (is_public)
		arguments[n++] = "--public";
	if (strcmp(kind, "outcome") == 0) {
		arguments[n++] = "--baseline";
		arguments[n++] = COHORTS_BASELINE;
	}
	optind = 0;
	assert_int_equal(report_main(n, (char **)(uintptr_t)arguments), 0);
	file = fopen(output, "r");
	assert_non_null(file);
	assert_true(getdelim(&text, &room, '\0', file) > 0);
	fclose(file);
	return text;
}

static void a_download_is_the_same_bytes_as_the_report(void **state)
{
	static const char *const schemes[] = { "gateway", "other-scheme", "hostile" };
	char fields[64];

	(void)state;
	be(ROLE_CASEWORKER);
	for (size_t i = 0; i < (size_t)FIGURES_KINDS * 6; i++) {
		const char *kind = figures_kind_words[i % FIGURES_KINDS];
		const char *scheme = schemes[i / FIGURES_KINDS % 3];
		bool is_public = i >= (size_t)FIGURES_KINDS * 3;
		char *wanted = report(kind, is_public, scheme);

		snprintf(fields, sizeof(fields), "scheme=%s&view=%s", scheme,
		         is_public ? "public" : "whole");
		assert_string_equal(desk_bed_get(&bed, page_figures_csv, fields, kind, NULL),
		                    wanted);
		assert_string_equal(bed.response.type, "text/csv; charset=utf-8");
		assert_memory_equal(bed.response.save_as, kind, strlen(kind));
		free(wanted);
	}
}

/* In all three, the number that nobody outside may see. */
static void must_hide(const char *fields)
{
	static desk_page *const pages[] = { page_figures, page_figures_csv, page_figures_plot };

	for (size_t i = 0; i < 3; i++) {
		desk_bed_get(&bed, pages[i], fields, "engagement", NULL);
		must_not_show(&bed, ">0</td>");
		must_not_show(&bed, ",0,");
		must_not_show(&bed, "(0 of ");
		must_not_show(&bed, "0.0");
		must_show(&bed, i == 1 ? ",<5,suppressed" : "&lt;5");
		must_show(&bed, "81.0");
	}
}

static void the_evaluator_sees_the_public_form_whatever_he_asks_for(void **state)
{
	const char *const fields = "scheme=other-scheme&view=whole";

	(void)state;
	be(ROLE_EVALUATOR);
	must_hide(fields);
	page_of("engagement", fields);
	must_show(&bed, "view=public");
	must_not_show(&bed, "view=whole");
	must_not_show(&bed, "name=\"view\"");
	be(ROLE_MANAGER);
	must_hide("scheme=other-scheme&view=public");
	/* That there was something to hide. */
	desk_bed_get(&bed, page_figures_csv, fields, "engagement", NULL);
	must_show(&bed, "other-scheme,cohort-1,full_assessment,100,0,0.0\r\n");
	desk_bed_get(&bed, page_figures_plot, fields, "engagement", NULL);
	must_show(&bed, "0.0 % (0 of 100)");
}

static void a_plot_is_well_formed_and_says_what_it_shows(void **state)
{
	static const char *const says[FIGURES_KINDS] = {
		[FIGURES_ENGAGEMENT] = "74.0 % (740 of 1000)",
		[FIGURES_NEEDS] = "40.0 % (800 of 2000)",
		[FIGURES_OUTCOME] = "baseline 150.0; 7.5 % less: 138.8; 10 % less: 135.0",
		[FIGURES_REFERRALS] = "sent 200: accepted 140, declined 40, no answer 20",
	};

	(void)state;
	be(ROLE_MANAGER);
	for (size_t i = 0; i < (size_t)FIGURES_KINDS * 2; i++) {
		enum figures_kind kind = (enum figures_kind)(i % FIGURES_KINDS);
		const char *plot = desk_bed_get(&bed, page_figures_plot,
		                                i < FIGURES_KINDS ? "" : "view=public&cohort=ALL",
		                                figures_kind_words[kind], NULL);
		xmlDocPtr document =
		        xmlReadMemory(plot, (int)strlen(plot), NULL, NULL, XML_PARSE_NONET);

		assert_non_null(document);
		assert_string_equal(xmlDocGetRootElement(document)->name, "svg");
		xmlFreeDoc(document);
		must_show(&bed, "<title id=\"title\">");
		must_show(&bed, "<desc id=\"desc\">");
		must_not_show(&bed, "style");
		if (i < FIGURES_KINDS)
			must_show(&bed, says[kind]);
		assert_string_equal(bed.response.type, "image/svg+xml");
	}
}

static void no_id_writes_into_a_page_or_a_plot(void **state)
{
	(void)state;
	be(ROLE_MANAGER);
	page_of("engagement", "");
	must_show(&bed, "&lt;i&gt;&amp;&quot;&#39;");
	must_not_show(&bed, "<i>");
	desk_bed_get(&bed, page_figures_plot, "scheme=hostile", "engagement", NULL);
	must_show(&bed, "hostile, &lt;i&gt;&amp;");
	must_not_show(&bed, "<i>");
	/* Nor does a question. */
	page_of("needs", "scheme=%3Ci%3E%22&cohort=%27%3Ci%3E");
	must_show(&bed, "There is nothing to count.");
	must_not_show(&bed, "<i>");
	page_of("nonsense", "");
	assert_int_equal(bed.response.status, 404);
}

static void before_the_first_figures_a_page_says_so(void **state)
{
	struct figures_cache *cache = bed.desk.figures;

	(void)state;
	bed.desk.figures = NULL;
	page_of("needs", "");
	assert_int_equal(bed.response.status, 200);
	must_show(&bed, "are being made");
	must_show(&bed, "Refresh");
	desk_bed_get(&bed, page_figures_csv, "", "needs", NULL);
	assert_int_equal(bed.response.status, 303);
	assert_string_equal(bed.response.location, "/figures/needs");
	desk_bed_get(&bed, page_figures_plot, "", "needs", NULL);
	must_show(&bed, "are being made");
	bed.desk.figures = cache;
}

static void a_store_that_is_not_there_is_told(void **state)
{
	struct figures_cache *cache = bed.desk.figures;
	struct desk_settings elsewhere = bed.desk.settings;
	struct figures_look look = { .error = TTG_OK };
	int64_t deadline = wait_now_ms() + WAIT_LONG_MS;

	(void)state;
	folder_path(bed.folder, "nothing.db", elsewhere.store_path);
	bed.desk.figures = figures_cache_open(&elsewhere, EVERY_MS);
	while (look.error == TTG_OK && wait_step(deadline))
		figures_cache_look(bed.desk.figures, &look);
	assert_int_equal(look.error, TTG_ENOENT);
	page_of("needs", "");
	must_show(&bed, "cannot be made");
	figures_cache_free(&bed.desk.figures);
	bed.desk.figures = cache;
}

static void a_baseline_that_is_none_is_named(void **state)
{
	struct desk_settings settings = bed.desk.settings;
	struct message message = { "" };

	(void)state;
	assert_int_equal(figures_check(&settings, &message), TTG_OK);
	snprintf(settings.baselines.items[settings.baselines.n++], CONFIG_WORD_BYTES, "much");
	assert_int_equal(figures_check(&settings, &message), TTG_EFORMAT);
	assert_non_null(strstr(message.text, "baseline 2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pages_show_the_published_percentages),
		cmocka_unit_test(a_download_is_the_same_bytes_as_the_report),
		cmocka_unit_test(the_evaluator_sees_the_public_form_whatever_he_asks_for),
		cmocka_unit_test(a_plot_is_well_formed_and_says_what_it_shows),
		cmocka_unit_test(no_id_writes_into_a_page_or_a_plot),
		cmocka_unit_test(before_the_first_figures_a_page_says_so),
		cmocka_unit_test(a_store_that_is_not_there_is_told),
		cmocka_unit_test(a_baseline_that_is_none_is_named),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
