/* A duty desk for tests of its pages. Test thread only; see desk_bed.h. */
#include "support/desk_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/published.h"
#include "support/assert.h"
#include "web/server.h"

/* A server that never opens: pages find their site in it, and somebody's session. */
struct desk_bed_web {
	struct web web;
	struct web_site site;
	struct exchange exchange;
	struct session session;
};

static void make_web(struct desk_bed *bed)
{
	struct desk_bed_web *it = calloc(1, sizeof(*it));

	must_be(it != NULL, "memory");
	it->site = desk_site;
	it->site.user = &bed->desk;
	it->web.site = &it->site;
	it->web.serving = &it->exchange;
	it->exchange.session = &it->session;
	bed->web = it;
}

const char *desk_bed_said(const struct desk_bed *bed)
{
	return bed->web->session.said;
}

struct web *desk_bed_server(const struct desk_bed *bed)
{
	return &bed->web->web;
}

void must_make_desk(struct desk_bed *bed)
{
	struct desk_settings *settings = &bed->desk.settings;
	struct message message = { "" };
	char path[FOLDER_PATH];
	const struct store_place place = { .path = path };
	void *folder = NULL;

	memset(bed, 0, sizeof(*bed));
	must_be(folder_set_up(&folder) == 0, "a folder");
	bed->folder = folder;
	folder_path(bed->folder, "case.db", path);
	must_be(store_open(&bed->writer, &place, &message) == TTG_OK, "opening the store");
	must_be(store_open_desk(&bed->desk.store, &place, &message) == TTG_OK,
	        "opening the desk's store");
	bed->desk.views = views_new();
	bed->desk.alerts = alerts_new();
	must_be(bed->desk.views != NULL && bed->desk.alerts != NULL, "memory");
	folder_make(bed->folder, "spool");
	folder_path(bed->folder, "spool", bed->spool);
	snprintf(settings->agency, sizeof(settings->agency), "one-service");
	snprintf(settings->spool_dir, sizeof(settings->spool_dir), "%s", bed->spool);
	snprintf(settings->scheme, sizeof(settings->scheme), "one-service-pilot");
	snprintf(settings->prison_code, sizeof(settings->prison_code), "PBI");
	snprintf(settings->contact_number, sizeof(settings->contact_number), "01733 000000");
	snprintf(settings->police_agency, sizeof(settings->police_agency), "cambridgeshire-police");
	settings->local_areas.n = 2;
	snprintf(settings->local_areas.items[0], CONFIG_WORD_BYTES, "E06000031");
	snprintf(settings->local_areas.items[1], CONFIG_WORD_BYTES, "Peterborough");
	settings->providers.n = 2;
	snprintf(settings->providers.items[0], CONFIG_WORD_BYTES, "mind");
	snprintf(settings->providers.items[1], CONFIG_WORD_BYTES, "sova");
	bed->user = (struct web_user){ .user = "ann", .name = "Ann Example", .role = ROLE_MANAGER };
	bed->now_ns = must_at(DESK_BED_NOW);
	make_web(bed);
}

void desk_bed_remove(struct desk_bed *bed)
{
	void *folder = bed->folder;

	html_fini(&bed->response.body);
	free(bed->form);
	free(bed->web);
	alerts_free(&bed->desk.alerts);
	views_free(&bed->desk.views);
	store_close(&bed->desk.store);
	store_close(&bed->writer);
	folder_tear_down(&folder);
}

void desk_bed_put(void *arg, const Ttg__Event *event, const uint8_t *person_key, int64_t kept_ns)
{
	struct desk_bed *bed = arg;
	size_t len = ttg__event__get_packed_size(event);
	uint8_t *bytes = malloc(len + 1);
	struct message message = { "" };
	enum store_verdict verdict;
	enum ttg_error error;

	must_be(bytes != NULL && event->id.len == TTG_UUID_BYTES, "an event");
	ttg__event__pack(event, bytes);
	if (person_key == NULL) {
		error = store_add_published(bed->writer, event->id.data, event->type, bytes, len,
		                            kept_ns, &message);
	} else {
		const struct ttg_delivery delivery = { .mailbox = "one-service/duty",
			                               .position = ++bed->position,
			                               .attempt = 1,
			                               .event = bytes,
			                               .event_bytes = len,
			                               .person_key = person_key,
			                               .accepted_ns = kept_ns };

		error = store_add(bed->writer, &delivery, kept_ns, &verdict, &message);
	}
	if (error == TTG_OK)
		error = store_commit(bed->writer, &message);
	must_be(error == TTG_OK, message.text);
	free(bytes);
}

void must_answer(struct desk_bed *bed, const uint8_t id[TTG_UUID_BYTES], enum ttg_error code)
{
	const struct ttg_outcome outcome = { .id = id,
		                             .code = code,
		                             .sequence = code == TTG_OK ? 7 : 0,
		                             .text = code == TTG_OK ? "" : "not agreed" };
	struct message message = { "" };

	must_be(store_answer(bed->writer, &outcome, bed->now_ns, &message) == TTG_OK,
	        "the broker's answer");
}

static bool add(void *arg, const struct store_event *event)
{
	struct desk_bed *bed = arg;

	must_be(views_add(bed->desk.views, event) == TTG_OK, "adding to the views");
	return true;
}

void must_follow(struct desk_bed *bed)
{
	struct desk *desk = &bed->desk;
	struct message message = { "" };

	must_be(store_each_since(desk->store, views_change(desk->views), add, bed, &message) ==
	                TTG_OK,
	        "reading the store");
	must_be(views_settle(desk->views, desk->store, &message) == TTG_OK, "settling the views");
	must_be(alerts_follow(desk->alerts, desk->views, desk->store, &message) == TTG_OK,
	        "following the alerts");
}

static char *decode(char *text)
{
	char *to = text;

	for (char *from = text; *from != '\0'; from++) {
		unsigned code;

		if (*from == '%' && sscanf(from + 1, "%2x", &code) == 1) {
			*to++ = (char)code;
			from += 2;
		} else {
			*to++ = *from == '+' ? ' ' : *from;
		}
	}
	*to = '\0';
	return text;
}

static size_t read_fields(struct desk_bed *bed, const char *fields)
{
	size_t n = 0;
	char *rest;

	free(bed->form);
	bed->form = strdup(fields == NULL ? "" : fields);
	must_be(bed->form != NULL, "memory");
	for (char *one = strtok_r(bed->form, "&", &rest); one != NULL;
	     one = strtok_r(NULL, "&", &rest)) {
		char *value = strchr(one, '=');

		must_be(value != NULL && n < DESK_BED_FIELDS, "fields are name=value");
		*value++ = '\0';
		bed->fields[n].name = decode(one);
		bed->fields[n++].value = decode(value);
	}
	return n;
}

static const char *serve(struct desk_bed *bed, const char *method, desk_page *page,
                         const char *fields, const char *part, const char *part2)
{
	const struct web_request request = { .method = method,
		                             .path = "/",
		                             .parts = { part == NULL ? "" : part,
		                                        part2 == NULL ? "" : part2, "" },
		                             .fields = bed->fields,
		                             .n_fields = read_fields(bed, fields),
		                             .user = &bed->user,
		                             .form_token = "token",
		                             .said = "",
		                             .now_ns = bed->now_ns,
		                             .web = &bed->web->web };

	bed->web->session.said[0] = '\0';
	html_fini(&bed->response.body);
	bed->response = (struct web_response){ .status = 200, .type = "text/html; charset=utf-8" };
	page(&bed->desk, &request, &bed->response);
	must_be(!bed->response.body.failed, "the page is written");
	return bed->response.body.bytes == NULL ? "" : bed->response.body.bytes;
}

const char *desk_bed_get(struct desk_bed *bed, desk_page *page, const char *fields,
                         const char *part, const char *part2)
{
	return serve(bed, "GET", page, fields, part, part2);
}

const char *desk_bed_post(struct desk_bed *bed, desk_page *page, const char *fields,
                          const char *part, const char *part2)
{
	return serve(bed, "POST", page, fields, part, part2);
}

static bool shows(const struct desk_bed *bed, const char *text)
{
	return bed->response.body.bytes != NULL && strstr(bed->response.body.bytes, text) != NULL;
}

void must_show(const struct desk_bed *bed, const char *text)
{
	if (!shows(bed, text))
		fprintf(stderr, "%s\n",
		        bed->response.body.bytes == NULL ? "" : bed->response.body.bytes);
	must_be(shows(bed, text), text);
}

void must_not_show(const struct desk_bed *bed, const char *text)
{
	must_be(!shows(bed, text), text);
}

const struct person *must_find_person(const struct desk_bed *bed, const char *number)
{
	const struct views *views = bed->desk.views;

	for (uint32_t i = 0; i < views_n_persons(views); i++) {
		const struct person *person = views_person(views, i);

		for (size_t k = 0; k < person->n_numbers; k++)
			if (strcmp(person->numbers[k].value, number) == 0)
				return person;
	}
	must_be(false, "nobody has that number");
	return NULL;
}
