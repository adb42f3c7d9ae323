/*
 * What somebody who is signed in sends to the duty desk: any page, any part of its path, any fields,
 * as the web end hands them on (text that is UTF-8 and without control characters).
 *
 *     first line: number of the route, role 0 to 3, in two bytes; then the parts, a line each;
 *     then the fields, a line each, name=value
 *
 * Broken when a page shows what came in as markup, answers with a status that no page has, writes
 * anything but one file of events that the adapter takes, or changes what the store has of events.
 */
#include "fuzz.h"

#include <dirent.h>
#include <unistd.h>
#include "base/utf8.h"
#include "desk/figures_cache.h"
#include "oneservice/service.h"
#include "support/desk_bed.h"
#include "support/wait.h"

#define MARK      "<ttg" /* no page of ours has such an element */
#define FILE_MAX  65536
#define PARTS     2

static struct desk_bed bed;
static uint64_t kept; /* events of the store */

/* Today's diary and a board, with marks in every text. */
static void put_diary(struct casefile *file, const struct casefile_man *man)
{
	casefile_changed(file, man, must_at("2027-03-02 09:00"),
	                 &(struct casefile_release){ .date = "2027-03-12",
	                                             .clock = "11:00",
	                                             .gate = "<ttg-gate>",
	                                             .area = "<ttg-area>",
	                                             .old_date = "<ttg-day>",
	                                             .old_clock = "<ttg-hour>",
	                                             .old_gate = "<ttg-old>" });
	casefile_board(file, man, must_at("2027-03-02 09:00"),
	               &(struct casefile_board){ .status = TTG__BOARD_STATUS__BOARD_STATUS_HELD,
	                                         .date = "2027-03-10",
	                                         .clock = "<ttg-hour>",
	                                         .place = "<ttg-place>",
	                                         .address = "<ttg-street>",
	                                         .arranged = 0x10,
	                                         .unmet = 0x2,
	                                         .owner = "<ttg-owner>" });
}

static void put_events(void)
{
	const struct casefile_man tom = { .noms = "A1234BC", .key = 1 };
	const struct casefile_man tom_here = { .noms = "A1234BC" };
	const struct casefile_man sam = { .noms = "A1234BD", .crn = "X123456", .key = 2 };
	struct message message = { "" };
	struct casefile file;

	casefile_init(&file, desk_bed_put, &bed);
	file.scheme = "<ttg-scheme>";
	file.referral = "r-1";
	casefile_received(&file, &tom, must_at("2027-01-04 10:00"));
	casefile_enrolled(&file, &tom_here, must_at("2027-01-05 10:00"), "one-service-pilot",
	                  "cohort-1", "2027-03-15");
	casefile_enrolled(&file, &tom_here, must_at("2027-01-05 10:30"), "<ttg-scheme>",
	                  "<ttg-cohort>", "2027-03-15");
	casefile_screened(&file, &tom, must_at("2027-01-05 11:00"), 0x6, 0);
	casefile_assessed(&file, &tom_here, must_at("2027-01-06 11:00"), 0x12, 1, 1);
	casefile_sent(&file, &tom_here, must_at("2027-01-07 11:00"), "mind");
	casefile_answer(&file, &tom, must_at("2027-01-08 11:00"), CASEFILE_ACKNOWLEDGED);
	casefile_released(&file, &sam, must_at("2027-03-01 09:00"), true, 2);
	casefile_contact(&file, &sam, must_at("2027-03-02 09:00"), true, 3);
	put_diary(&file, &tom);
	must_follow(&bed);
	MUST(store_count(bed.writer, &kept, &message) == TTG_OK);
}

static bool has_figures(void *arg)
{
	struct figures_look look;

	(void)arg;
	figures_cache_look(bed.desk.figures, &look);
	return look.set != NULL;
}

static void open_desk(void)
{
	static bool is_open;

	if (is_open)
		return;
	is_open = true;
	must_make_desk(&bed);
	put_events();
	folder_path(bed.folder, "case.db", bed.desk.settings.store_path);
	bed.desk.figures = figures_cache_new(&bed.desk.settings);
	MUST(bed.desk.figures != NULL && wait_until(has_figures, NULL, WAIT_LONG_MS));
}

/* A line of the input; NULL at its end. */
static char *take_line(char **at)
{
	char *line = *at;
	char *end;

	if (line == NULL || line[0] == '\0')
		return NULL;
	end = strchr(line, '\n');
	*at = end == NULL ? NULL : end + 1;
	if (end != NULL)
		*end = '\0';
	return line;
}

static void check_file(const char *name)
{
	char path[FOLDER_PATH + 300];
	static char bytes[FILE_MAX + 1];
	struct message message = { "" };
	struct intake intake;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", bed.spool, name);
	file = fopen(path, "r");
	MUST(file != NULL);
	const struct document document = { .name = name,
		                           .bytes = bytes,
		                           .len = fread(bytes, 1, FILE_MAX, file),
		                           .form = DOCUMENT_JSON };
	fclose(file);
	bytes[document.len] = '\0';
	intake_init(&intake);
	MUST(service_read("one-service", &document, &intake, &message) == TTG_OK);
	MUST(!intake.refused && intake.total_problems == 0 && intake.n_events == 1);
	intake_fini(&intake);
	MUST(unlink(path) == 0);
}

static void check_spool(bool may_write)
{
	DIR *folder = opendir(bed.spool);
	struct dirent *entry;
	unsigned n = 0;

	MUST(folder != NULL);
	while ((entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		MUST(entry->d_name[0] != '.' && ++n == 1 && may_write);
		check_file(entry->d_name);
	}
	closedir(folder);
}

static void check_answer(const struct web_response *response, bool posted)
{
	const char *body = response->body.bytes == NULL ? "" : response->body.bytes;
	struct message message = { "" };
	uint64_t now = 0;

	MUST(!response->body.failed);
	MUST(response->status == 200 || response->status == 303 ||
	     (response->status >= 400 && response->status <= 503 && response->status != 500));
	MUST(response->status != 303 || response->location[0] == '/');
	MUST(strpbrk(response->location, "\r\n") == NULL && response->location[1] != '/');
	if (strncmp(response->type, "text/html", 9) == 0 ||
	    strncmp(response->type, "image/svg", 9) == 0)
		MUST(strstr(body, MARK) == NULL);
	check_spool(posted);
	MUST(store_count(bed.writer, &now, &message) == TTG_OK && now == kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	struct web_field fields[DESK_BED_FIELDS];
	struct web_request request = { .path = "/", .form_token = "token", .said = "" };
	struct web_response response = { .status = 200, .type = "text/html; charset=utf-8" };
	const struct web_route *route;
	size_t left;
	char *text;
	char *at;
	char *line;

	open_desk();
	route = &desk_site.routes[fuzz_u8(&input) % desk_site.n_routes];
	bed.user.role = 1u << fuzz_u8(&input) % 4;
	text = fuzz_rest(&input, &left);
	if (route->serve == NULL || !utf8_is_clean(text, left) || strlen(text) != left ||
	    (route->roles != WEB_ANYBODY && (route->roles & bed.user.role) == 0)) {
		free(text);
		return 0;
	}
	at = text;
	for (size_t i = 0; i < PARTS; i++) {
		line = take_line(&at);
		request.parts[i] = line == NULL ? "" : line;
	}
	request.parts[PARTS] = "";
	while ((line = take_line(&at)) != NULL && request.n_fields < DESK_BED_FIELDS) {
		char *value = strchr(line, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		fields[request.n_fields++] = (struct web_field){ line, value };
	}
	request.method = route->method;
	request.fields = fields;
	request.user = &bed.user;
	request.now_ns = bed.now_ns;
	request.web = desk_bed_server(&bed);
	route->serve(&bed.desk, &request, &response);
	check_answer(&response, strcmp(route->method, "POST") == 0);
	html_fini(&response.body);
	free(text);
	return 0;
}
