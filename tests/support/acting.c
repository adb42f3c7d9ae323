/* See acting.h. Test thread only. */
#include "support/acting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "oneservice/service.h"

const struct casefile_man tom = { .noms = "A1234BC", .crn = "X320741", .key = 1 };

int act_set_up(void **state)
{
	struct acting *acting = calloc(1, sizeof(*acting));

	assert_non_null(acting);
	must_make_desk(&acting->bed);
	casefile_init(&acting->file, desk_bed_put, &acting->bed);
	*state = acting;
	return 0;
}

int act_tear_down(void **state)
{
	struct acting *acting = *state;

	if (acting->event != NULL)
		ttg__event__free_unpacked(acting->event, NULL);
	desk_bed_remove(&acting->bed);
	free(acting);
	return 0;
}

void must_know(struct acting *acting)
{
	casefile_received(&acting->file, &tom, must_at("2027-01-04 10:00"));
	must_follow(&acting->bed);
	snprintf(acting->number, sizeof(acting->number), "%u",
	         must_find_person(&acting->bed, tom.noms)->number);
}

void must_enrol(struct acting *acting)
{
	const struct casefile_man ours = { .noms = tom.noms, .crn = tom.crn };

	must_know(acting);
	casefile_enrolled(&acting->file, &ours, must_at("2027-02-01 09:00"), "pilot", "cohort-1",
	                  "2027-03-12");
	must_follow(&acting->bed);
}

void must_find_id(struct acting *acting)
{
	static const char before[] = "name=\"id\" value=\"";
	const char *bytes = acting->bed.response.body.bytes;
	const char *at = bytes == NULL ? NULL : strstr(bytes, before);

	assert_non_null(at);
	snprintf(acting->id, sizeof(acting->id), "%s", at + strlen(before));
}

void must_open(struct acting *acting, desk_page *page, const char *part2)
{
	desk_bed_get(&acting->bed, page, NULL, acting->number, part2);
	assert_int_equal(acting->bed.response.status, 200);
	must_find_id(acting);
}

unsigned act_send(struct acting *acting, desk_page *page, const char *fields, const char *part2)
{
	char all[FIELDS_BYTES];

	snprintf(all, sizeof(all), "id=%s&%s", acting->id, fields);
	desk_bed_post(&acting->bed, page, all, acting->number, part2);
	return acting->bed.response.status;
}

size_t spool_files(const struct acting *acting)
{
	DIR *dir = opendir(acting->bed.spool);
	const struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.' || strstr(entry->d_name, ".part") != NULL;
	closedir(dir);
	return n;
}

Ttg__Event *must_read_spool(struct acting *acting)
{
	char path[2 * FOLDER_PATH], bytes[65536];
	struct document document = { .name = "", .bytes = bytes, .form = DOCUMENT_JSON };
	struct intake intake;
	struct message message = { "" };
	FILE *file;

	assert_int_equal(spool_files(acting), 1);
	snprintf(path, sizeof(path), "%s/desk-%s.json", acting->bed.spool, acting->id);
	file = fopen(path, "r");
	assert_non_null(file);
	document.len = fread(bytes, 1, sizeof(bytes) - 1, file);
	bytes[document.len] = '\0';
	fclose(file);
	intake_init(&intake);
	assert_int_equal(service_read("one-service", &document, &intake, &message), TTG_OK);
	assert_int_equal(intake.total_problems, 0);
	assert_int_equal(intake.n_events, 1);
	if (acting->event != NULL)
		ttg__event__free_unpacked(acting->event, NULL);
	acting->event = ttg__event__unpack(NULL, intake.events[0].len, intake.events[0].bytes);
	intake_fini(&intake);
	assert_non_null(acting->event);
	return acting->event;
}

Ttg__Event *must_send(struct acting *acting, desk_page *page, const char *fields, const char *part2)
{
	char where[64];
	unsigned status = act_send(acting, page, fields, part2);

	if (status != 303)
		fprintf(stderr, "%s\n", acting->bed.response.body.bytes);
	assert_int_equal(status, 303);
	snprintf(where, sizeof(where), "/sent/%s", acting->id);
	assert_string_equal(acting->bed.response.location, where);
	return must_read_spool(acting);
}

void must_take(struct acting *acting)
{
	char path[2 * FOLDER_PATH];
	Ttg__Event *event = must_read_spool(acting);

	desk_bed_put(&acting->bed, event, NULL, acting->bed.now_ns);
	snprintf(path, sizeof(path), "%s/desk-%s.json", acting->bed.spool, acting->id);
	assert_int_equal(remove(path), 0);
	must_follow(&acting->bed);
}

void assert_envelope(const struct acting *acting, const char *type, const char *occurred)
{
	const Ttg__Event *event = acting->event;
	char id[TTG_UUID_TEXT];

	ttg_uuid_format(event->id.data, id);
	assert_string_equal(id, acting->id);
	assert_string_equal(event->type, type);
	assert_string_equal(event->source, "one-service");
	assert_int_equal(event->marking, TTG__MARKING__OFFICIAL_SENSITIVE);
	assert_int_equal(event->recorded_at->unix_ns, acting->bed.now_ns);
	assert_int_equal(event->occurred_at->unix_ns,
	                 occurred == NULL ? acting->bed.now_ns : must_at(occurred));
}

void assert_is_tom(const Ttg__Event *event)
{
	assert_non_null(event->person);
	assert_int_equal(event->person->n_identifiers, 2);
	assert_int_equal(event->person->identifiers[0]->kind, TTG__IDENTIFIER_KIND__NOMS);
	assert_string_equal(event->person->identifiers[0]->canonical, "A1234BC");
	assert_int_equal(event->person->identifiers[1]->kind, TTG__IDENTIFIER_KIND__CRN);
	assert_string_equal(event->person->identifiers[1]->canonical, "X320741");
}
