/*
 * The bytes of a delivered event, as a recipient's programs show and keep them: CloudEvents JSON,
 * the live line of the duty desk, the case store, the figures, a partner's referrals and summary.
 *
 * Broken when a line holds what would move a terminal's cursor, JSON cannot be written, a table
 * of figures shows a small count to the public, or a mail message has a line that is none.
 */
#include "fuzz.h"

#include "common/cloudevents.h"
#include "oneservice/figures.h"
#include "oneservice/line.h"
#include "oneservice/report.h"
#include "partner/summary.h"
#include "store/store.h"
#include "support/casefile.h"

#define RECEIVED_NS (INT64_C(1795000000) * 1000000000)

/* One line: of JSON, whatever a program may read, or of text that a terminal shows as it is. */
static void check_line(const char *line, bool for_people)
{
	for (size_t i = 0; line[i]; i++) {
		const unsigned char c = (unsigned char)line[i];

		MUST(c >= 0x20);
		if (for_people)
			MUST(c != 0x7f && !(c == 0xc2 && (line[i + 1] & 0xe0) == 0x80));
	}
}

static void show(const struct ttg_delivery *delivery, const Ttg__Event *event)
{
	const struct cloudevents_delivery how = { .mailbox = delivery->mailbox,
						  .position = delivery->position,
						  .attempt = delivery->attempt };
	json_t *json = cloudevents_write(event, &how);
	char line[LINE_BYTES];

	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	if (text)
		check_line(text, false);
	free(text);
	json_decref(json);
	line_for_people(line, event, delivery->accepted_ns, RECEIVED_NS);
	MUST(memchr(line, '\0', sizeof(line)));
	check_line(line, true);
	text = line_for_programs(delivery, event, RECEIVED_NS);
	if (text)
		check_line(text, false);
	free(text);
}

static void keep(const struct ttg_delivery *delivery)
{
	static struct store *store; /* opened once; every input is rolled back */
	struct message message = { "" };
	enum store_verdict verdict;
	char path[512];

	fuzz_path("cases.db", path, sizeof(path));
	if (!store)
		MUST(store_open(&store, &(struct store_place){ .path = path }, &message) == TTG_OK);
	const enum ttg_error error = store_add(store, delivery, RECEIVED_NS, &verdict, &message);
	MUST(error == TTG_OK || error == TTG_EFORMAT);
	store_rollback(store);
}

static void add(void *user, const Ttg__Event *event, const uint8_t *person_key, int64_t kept_ns)
{
	const struct figures_event it = { event, person_key, kept_ns };

	MUST(figures_add(user, &it) == TTG_OK);
}

static void check_table(enum ttg_error error, struct table *table)
{
	MUST(error == TTG_OK && table_hide_small(table) == TTG_OK);
	for (size_t i = 0; i < table->n_rows; i++)
		for (size_t c = 0; c < table->n_columns; c++) {
			const struct cell *cell = &table->rows[i].cells[c];

			MUST(!table->columns[c].counts || cell->shown != CELL_SHOWN ||
			     cell->number >= TABLE_COUNT_LEAST);
		}
	for (enum report_form form = REPORT_PEOPLE; form <= REPORT_JSON; form++) {
		char *text = report_format(table, form);

		MUST(text);
		for (const char *at = text; *at; at++)
			MUST((*at >= ' ' && *at <= '~') || *at == '\n' || *at == '\r');
		free(text);
	}
	table_fini(table);
}

/* Told of a man who was enrolled and let out. */
static void count(const Ttg__Event *event)
{
	static const struct casefile_man man = { NULL, NULL, 7 };
	static const uint8_t key[TTG_PERSON_KEY_BYTES] = { 7 };
	static const struct figures_baseline baseline = { "", "", 150000 };
	const struct figures_baselines baselines = { &baseline, 1 };
	struct figures *figures = figures_new();
	struct casefile file;
	struct table table;

	MUST(figures);
	casefile_init(&file, add, figures);
	casefile_enrolled(&file, &man, RECEIVED_NS / 2, "gateway", "c1", "");
	casefile_released(&file, &man, RECEIVED_NS / 2, true, 0);
	add(figures, event, key, RECEIVED_NS);
	add(figures, event, NULL, RECEIVED_NS);
	MUST(figures_settle(figures, INT64_MAX) == TTG_OK);
	check_table(figures_engagement(figures, &table), &table);
	check_table(figures_needs(figures, &table), &table);
	check_table(figures_outcome(figures, &baselines, &table), &table);
	check_table(figures_referrals(figures, &table), &table);
	figures_free(&figures);
}

/* As if delivered, and as if said by this agency. */
static void refer(const struct ttg_delivery *delivery)
{
	static const struct summary_plan plan = { .dir = "", .at = "07:30", .from = "a@b",
						  .to = "c@d", .agency = "st-giles" };
	struct caseload *referrals = caseload_new("st-giles");
	struct caseload_news news = { .encoded = delivery->event,
				       .encoded_bytes = delivery->event_bytes,
				       .at_ns = delivery->accepted_ns };

	MUST(referrals && caseload_add(referrals, &news) == TTG_OK);
	news.ours = true;
	MUST(caseload_add(referrals, &news) == TTG_OK);
	MUST(caseload_count(referrals) <= 1);
	char *text = summary_text(&plan, referrals, RECEIVED_NS);
	MUST(text);
	for (const char *at = text; *at; at++)
		MUST((unsigned char)*at >= ' ' || (at[0] == '\r' && at[1] == '\n') ||
		     (at[0] == '\n' && at > text && at[-1] == '\r'));
	free(text);
	caseload_free(&referrals);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	char *bytes = fuzz_rest(&input, &len);
	const struct ttg_delivery delivery = {
		.mailbox = "one-service/in",
		.position = 7,
		.attempt = 1,
		.event = (const uint8_t *)bytes,
		.event_bytes = len,
		.accepted_ns = RECEIVED_NS - 12000000,
	};
	Ttg__Event *event = ttg__event__unpack(NULL, len, delivery.event);

	if (event) {
		show(&delivery, event);
		count(event);
	}
	ttg__event__free_unpacked(event, NULL);
	refer(&delivery);
	keep(&delivery);
	free(bytes);
	return 0;
}
